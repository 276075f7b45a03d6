/* test_options.c - options become one block of memory that owes nothing to the original.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <stdlib.h>
#include <string.h>

#include <bough/tests/support/allocator.h>
#include <bough/tests/support/unit.h>

static const char *const colours[] = { "red", "green", "blue", NULL };

struct rotate {
    int64_t size;
    const char *folder;
};

struct output {
    int how;
    const char *file;
};

struct options {
    bool loud;
    int colour;
    int64_t count, wait_ms, room;
    double ratio;
    const char *file, *log;
    const char *const *run;
    const char *const *env;
    struct rotate rotate;
    struct output output;
    void *opaque; /* not in the table */
};

static const struct bough_field rotate_fields[] = {
    bough_field(struct rotate, size, "size", BOUGH_SIZE, .optional = true,
                .fallback = 4096),
    bough_field(struct rotate, folder, "folder", BOUGH_STRING, .optional = true,
                .fallback_text = "/tmp"),
};

static const struct bough_field output_fields[] = {
    bough_field(struct output, file, "file", BOUGH_FILE),
};

static const struct bough_field fields[] = {
    bough_field(struct options, loud, "loud", BOUGH_BOOL, .optional = true,
                .fallback = 1),
    bough_field(struct options, colour, "colour", BOUGH_CHOICE, .choices = colours,
                .optional = true, .fallback = 2),
    bough_field(struct options, count, "count", BOUGH_INT64, .optional = true,
                .fallback = -3),
    bough_field(struct options, wait_ms, "wait", BOUGH_DURATION, .optional = true,
                .fallback = BOUGH_FOREVER),
    bough_field(struct options, room, "room", BOUGH_SIZE, .optional = true),
    bough_field(struct options, ratio, "ratio", BOUGH_DOUBLE, .optional = true,
                .fallback = 2),
    bough_field(struct options, file, "file", BOUGH_STRING, .optional = true,
                .fallback_text = "x.log"),
    bough_field(struct options, log, "log", BOUGH_PATH, .optional = true),
    bough_field(struct options, run, "run", BOUGH_STRINGS, .optional = true),
    bough_field(struct options, rotate, "rotate", BOUGH_OBJECT, .of = rotate_fields,
                .of_count = 2, .of_size = sizeof(struct rotate)),
    bough_field(struct options, env, "env", BOUGH_MAP, .optional = true),
    bough_field(struct options, output, "output", BOUGH_EITHER, .optional = true,
                .choices = colours, .of = output_fields, .of_count = 1,
                .of_size = sizeof(struct output)),
};

static struct options *copy(const struct options *options)
{
    return bough_options_copy(fields, bough_count_of(fields), sizeof(*options), options);
}

static void assert_all_fallbacks(const struct options *options)
{
    assert_true(options->loud);
    assert_int_equal(options->colour, 2);
    assert_int_equal(options->count, -3);
    assert_true(options->wait_ms == BOUGH_FOREVER);
    assert_int_equal(options->room, 0);
    assert_true(options->ratio == 2.0);
    assert_string_equal(options->file, "x.log");
    assert_null(options->log);
    assert_null(options->run);
    assert_int_equal(options->rotate.size, 4096);
    assert_string_equal(options->rotate.folder, "/tmp");
    assert_null(options->env);
    assert_int_equal(options->output.how, 0);
    assert_null(options->output.file);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    assert_true(bough_fields_valid(fields, bough_count_of(fields), NULL));
}

static void no_options_are_all_fallbacks(void **state)
{
    struct options *made = copy(NULL);

    (void)state;
    assert_all_fallbacks(made);
    bough_options_drop(made);
}

static void zeroes_are_all_fallbacks(void **state)
{
    const struct options zeroes = { .count = 0 };
    struct options *made = copy(&zeroes);

    (void)state;
    assert_all_fallbacks(made);
    bough_options_drop(made);
}

static void what_is_given_is_kept(void **state)
{
    const struct options given = {
        .loud = true,
        .colour = 1,
        .count = 9,
        .wait_ms = 1,
        .room = 2,
        .ratio = 0.5,
        .file = "",
        .log = "/log",
        .rotate = { .size = 1, .folder = "/var" },
        .opaque = state,
    };
    struct options *made = copy(&given);

    assert_true(made->loud);
    assert_int_equal(made->colour, 1);
    assert_int_equal(made->count, 9);
    assert_int_equal(made->wait_ms, 1);
    assert_int_equal(made->room, 2);
    assert_true(made->ratio == 0.5);
    assert_string_equal(made->file, "");
    assert_string_equal(made->log, "/log");
    assert_int_equal(made->rotate.size, 1);
    assert_string_equal(made->rotate.folder, "/var");
    assert_ptr_equal(made->opaque, state);
    bough_options_drop(made);
}

static void a_copy_owes_nothing_to_the_original(void **state)
{
    char file[] = "file", folder[] = "folder", argument[] = "argument";
    const char *run[] = { "cat", argument, NULL };
    struct options given = { .file = file, .run = run, .rotate.folder = folder };
    struct options *made = copy(&given);

    (void)state;
    memset(file, 'x', 4);
    memset(folder, 'x', 6);
    memset(argument, 'x', 8);
    run[0] = run[1] = NULL;
    memset(&given, 0xff, sizeof(given));
    assert_string_equal(made->file, "file");
    assert_string_equal(made->rotate.folder, "folder");
    assert_string_equal(made->run[0], "cat");
    assert_string_equal(made->run[1], "argument");
    assert_null(made->run[2]);
    bough_options_drop(made);
}

static void a_word_or_an_object_and_a_map_are_copied(void **state)
{
    char file[] = "out.log", value[] = "1";
    const char *const env[] = { "A", value, "B", "", NULL };
    const struct options word = { .output.how = 2 };
    const struct options object = { .env = env, .output.file = file };
    struct options *made = copy(&word);

    (void)state;
    assert_int_equal(made->output.how, 2);
    assert_null(made->output.file);
    bough_options_drop(made);
    made = copy(&object);
    file[0] = value[0] = 'x';
    assert_string_equal(made->output.file, "out.log");
    assert_string_equal(made->env[0], "A");
    assert_string_equal(made->env[1], "1");
    assert_string_equal(made->env[3], "");
    assert_null(made->env[4]);
    bough_options_drop(made);
}

static void an_empty_list_of_strings_stays_a_list(void **state)
{
    const char *const none[] = { NULL };
    const struct options given = { .run = none };
    struct options *made = copy(&given);

    (void)state;
    assert_non_null(made->run);
    assert_null(made->run[0]);
    bough_options_drop(made);
}

static void a_copy_of_a_copy_is_the_same(void **state)
{
    const char *const run[] = { "a", "", "bc", NULL };
    const struct options given = { .count = 2, .log = "/l", .run = run };
    struct options *first = copy(&given);
    struct options *second = copy(first);

    (void)state;
    assert_int_equal(second->count, 2);
    assert_string_equal(second->log, "/l");
    assert_string_equal(second->run[2], "bc");
    assert_ptr_not_equal(second->run[2], first->run[2]);
    bough_options_drop(second);
    bough_options_drop(first);
}

static void a_copy_lasts_as_long_as_its_last_holder(void **state)
{
    const struct options given = { .file = "f" };
    struct options *first = copy(&given);

    (void)state;
    const size_t before = bough_allocator_count();
    const struct options *second = bough_options_share(first);
    assert_ptr_equal(first, second);
    assert_int_equal(bough_allocator_count(), before);
    bough_options_drop(first);
    assert_string_equal(second->file, "f");
    bough_options_drop((void *)(uintptr_t)second);
    bough_options_drop(NULL);
}

static void it_is_one_allocation(void **state)
{
    const char *const run[] = { "a", "b", NULL };
    const struct options given = { .file = "f", .log = "/l", .run = run };

    (void)state;
    const size_t before = bough_allocator_count();
    struct options *made = copy(&given);
    assert_int_equal(bough_allocator_count(), before + 1);
    bough_options_drop(made);
}

static void no_memory_is_null(void **state)
{
    (void)state;
    bough_allocator_fail_at(1);
    assert_null(copy(NULL));
    assert_true(bough_allocator_heal());
}

static void no_options_at_all_are_not_null(void **state)
{
    void *made = bough_options_copy(NULL, 0, 0, NULL);

    (void)state;
    assert_non_null(made);
    bough_options_drop(made);
}

static void copy_a_span(void *data)
{
    const struct bough_field span = { .name = "n", .kind = BOUGH_TEXT, .size = 8 };

    bough_options_drop(bough_options_copy(&span, 1, 8, data));
}

static void spans_in_options_are_a_bug(void **state)
{
    (void)state;
    assert_true(bough_test_aborts(copy_a_span, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(no_options_are_all_fallbacks),
        cmocka_unit_test(zeroes_are_all_fallbacks),
        cmocka_unit_test(what_is_given_is_kept),
        cmocka_unit_test(a_copy_owes_nothing_to_the_original),
        cmocka_unit_test(a_word_or_an_object_and_a_map_are_copied),
        cmocka_unit_test(an_empty_list_of_strings_stays_a_list),
        cmocka_unit_test(a_copy_of_a_copy_is_the_same),
        cmocka_unit_test(a_copy_lasts_as_long_as_its_last_holder),
        cmocka_unit_test(it_is_one_allocation),
        cmocka_unit_test(no_memory_is_null),
        cmocka_unit_test(no_options_at_all_are_not_null),
        cmocka_unit_test(spans_in_options_are_a_bug),
    };
    return cmocka_run_group_tests_name("core/options", tests, NULL, NULL);
}
