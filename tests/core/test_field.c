/* test_field.c - every mistake that can be made in a table of fields is found.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static const char *const colours[] = { "red", "green", NULL };

struct part {
    struct bough_span name;
    int64_t weight;
};

static const struct bough_field part_fields[] = {
    bough_field(struct part, name, "name", BOUGH_TEXT),
    bough_field(struct part, weight, "weight", BOUGH_INT64, .min = 1, .max = 9),
};

struct whole {
    bool loud;
    int colour;
    int64_t amount, wait_ms, room;
    double ratio;
    struct bough_span text, bytes, pairs, parts, names;
    const char *string, *path;
    const char *const *strings;
    struct part part;
};

/* All kinds, each as it should be. */
static const struct bough_field name_fields[] = {
    { .kind = BOUGH_TEXT, .size = sizeof(struct bough_span) },
};

static const struct bough_field whole_fields[] = {
    bough_field(struct whole, loud, "loud", BOUGH_BOOL, .optional = true, .fallback = 1),
    bough_field(struct whole, colour, "colour", BOUGH_CHOICE, .choices = colours,
                .optional = true, .fallback = 1),
    bough_field(struct whole, amount, "amount", BOUGH_INT64, .optional = true,
                .fallback = 5, .min = 1, .max = 10),
    bough_field(struct whole, wait_ms, "wait", BOUGH_DURATION, .optional = true,
                .fallback = BOUGH_FOREVER),
    bough_field(struct whole, room, "room", BOUGH_SIZE, .optional = true, .min = 1,
                .max = BOUGH_FOREVER),
    bough_field(struct whole, ratio, "ratio", BOUGH_DOUBLE),
    bough_field(struct whole, text, "text", BOUGH_TEXT, .optional = true,
                .fallback_text = "none"),
    bough_field(struct whole, bytes, "bytes", BOUGH_BYTES),
    bough_field(struct whole, pairs, "pairs", BOUGH_PAIRS),
    bough_field(struct whole, parts, "parts", BOUGH_LIST, .of = part_fields,
                .of_count = 2, .of_size = sizeof(struct part)),
    bough_field(struct whole, names, "names", BOUGH_LIST, .of = name_fields,
                .of_count = 1, .of_size = sizeof(struct bough_span)),
    bough_field(struct whole, string, "string", BOUGH_STRING),
    bough_field(struct whole, path, "path", BOUGH_PATH, .refers_to = "logger",
                .at_start = true),
    bough_field(struct whole, strings, "strings_2", BOUGH_STRINGS),
    bough_field(struct whole, part, "part", BOUGH_OBJECT, .of = part_fields,
                .of_count = 2, .of_size = sizeof(struct part)),
};

static void a_sound_table_is_valid(void **state)
{
    struct bough_error error = { .text = "" };

    (void)state;
    const bool valid =
        bough_fields_valid(whole_fields, bough_count_of(whole_fields), &error);
    assert_string_equal(error.text, "");
    assert_true(valid);
    assert_true(bough_fields_valid(NULL, 0, NULL));
}

static void a_field_is_found_by_name(void **state)
{
    (void)state;
    const size_t count = bough_count_of(whole_fields);
    assert_ptr_equal(bough_field_find(whole_fields, count, "loud"), &whole_fields[0]);
    assert_ptr_equal(bough_field_find(whole_fields, count, "part"),
                     &whole_fields[count - 1]);
    assert_null(bough_field_find(whole_fields, count, "lou"));
    assert_null(bough_field_find(name_fields, 1, ""));
}

/* A table of two rows, of which the second is the one on trial. */
static void assert_complaint(struct bough_field field, const char *text)
{
    const struct bough_field table[] = {
        { .name = "first", .kind = BOUGH_INT64, .offset = 64, .size = 8 },
        field,
    };
    struct bough_error error = { .text = "" };

    assert_false(bough_fields_valid(table, 2, &error));
    assert_status(error.status, BOUGH_EINVALID);
    if (!strstr(error.text, text)) fail_msg("said \"%s\", not \"%s\"", error.text, text);
}

#define row(...) ((struct bough_field){ __VA_ARGS__ })

static void names_are_checked(void **state)
{
    (void)state;
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = "Big"),
                     "not snake_case");
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = "with-dash"),
                     "not snake_case");
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = "1st"),
                     "not snake_case");
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = ""), "not snake_case");
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = "first"),
                     "the name is used twice");
    assert_complaint(row(.kind = BOUGH_INT64, .size = 8, .name = NULL),
                     "may be without a name");
}

static void members_are_checked(void **state)
{
    (void)state;
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 4),
                     "size does not fit");
    assert_complaint(row(.name = "n", .size = 8, .kind = BOUGH_BOOL),
                     "size does not fit");
    assert_complaint(
        row(.name = "n", .size = 8, .kind = BOUGH_CHOICE, .choices = colours),
        "size does not fit");
    assert_complaint(row(.name = "n", .kind = BOUGH_OBJECT, .size = 0),
                     "size does not fit");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .offset = 4),
                     "not aligned");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .offset = 64),
                     "another field has the same member");
    assert_complaint(row(.name = "n", .size = 8, .kind = BOUGH_KIND_COUNT),
                     "no such kind");
    assert_complaint(row(.name = "n", .size = 8, .kind = (enum bough_kind) - 1),
                     "no such kind");
}

static void choices_are_checked(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const twins[] = { "a", "b", "a", NULL };
    const struct bough_field choice = { .name = "n", .kind = BOUGH_CHOICE, .size = 4 };
    struct bough_field field = choice;

    (void)state;
    assert_complaint(choice, "a choice without choices");
    field.choices = none;
    assert_complaint(field, "a choice without choices");
    field.choices = twins;
    assert_complaint(field, "a choice is there twice");
    field.choices = colours;
    field.optional = true;
    field.fallback = 2;
    assert_complaint(field, "the fallback is not one of the choices");
    field.fallback = -1;
    assert_complaint(field, "the fallback is not one of the choices");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .choices = colours),
                     "choices without being a choice");
}

static void limits_are_checked(void **state)
{
    (void)state;
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .min = 2, .max = 1),
                     "min is over max");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .min = 1),
                     "min is over max");
    assert_complaint(row(.name = "n", .size = 8, .kind = BOUGH_TEXT, .max = 1),
                     "limits without being a number");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .optional = true,
                         .min = 1, .max = 3, .fallback = 4),
                     "outside the limits");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .optional = true,
                         .min = 2, .max = 3, .fallback = 1),
                     "outside the limits");
}

static void fallbacks_are_checked(void **state)
{
    (void)state;
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .fallback = 1),
                     "a fallback without being optional");
    assert_complaint(
        row(.name = "n", .size = 8, .kind = BOUGH_TEXT, .fallback_text = "x"),
        "a fallback without being optional");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .optional = true,
                         .fallback_text = "x"),
                     "a fallback text without being a text");
    assert_complaint(row(.name = "n", .size = 8, .kind = BOUGH_STRING, .optional = true,
                         .fallback = 1),
                     "a fallback number without being a number");
    assert_complaint(
        row(.name = "n", .kind = BOUGH_BOOL, .size = 1, .optional = true, .fallback = 2),
        "the fallback is not a bool");
}

static void references_are_checked(void **state)
{
    (void)state;
    assert_complaint(row(.name = "n", .size = 8, .kind = BOUGH_STRING, .refers_to = "kv"),
                     "a reference without being a path");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .at_start = true),
                     "a reference without being a path");
}

static void parts_are_checked(void **state)
{
    const struct bough_field broken[] = {
        { .name = "part", .kind = BOUGH_INT64, .size = 4 }
    };
    const struct bough_field list = {
        .name = "n",
        .kind = BOUGH_LIST,
        .size = 8,
        .of = part_fields,
        .of_count = 2,
        .of_size = sizeof(struct part),
    };
    struct bough_field field = list;

    (void)state;
    field.of = NULL;
    assert_complaint(field, "a list or an object without its parts");
    field = list;
    field.of_count = 0;
    assert_complaint(field, "a list or an object without its parts");
    field = list;
    field.of_size = sizeof(struct part) - 1;
    assert_complaint(field, "outside the struct it is a part of");
    field.kind = BOUGH_OBJECT;
    field.of_size = sizeof(struct part);
    assert_complaint(field, "the object's size is not its member's");
    field = list;
    field.of = broken;
    field.of_count = 1;
    assert_complaint(field, "\"part\": the member's size");
    assert_complaint(row(.name = "n", .kind = BOUGH_INT64, .size = 8, .of = part_fields),
                     "parts without being a list or an object");
}

struct either {
    int word;
    const char *file;
};

static const struct bough_field either_fields[] = {
    bough_field(struct either, file, "file", BOUGH_FILE),
};

static void a_word_or_an_object_has_both(void **state)
{
    const struct bough_field either = {
        .name = "n",
        .kind = BOUGH_EITHER,
        .size = sizeof(struct either),
        .choices = colours,
        .of = either_fields,
        .of_count = 1,
        .of_size = sizeof(struct either),
    };
    struct bough_field field = either, part = either_fields[0];

    (void)state;
    assert_true(bough_options_valid(&either, 1, NULL));
    field.choices = NULL;
    assert_complaint(field, "a choice without choices");
    field = either;
    field.of = NULL;
    assert_complaint(field, "a list or an object without its parts");
    field = either;
    field.of = &part;
    part.offset = 0;
    assert_complaint(field, "in the place of the choice");
    part.offset = 8;
    part.optional = true;
    part.fallback_text = "x";
    assert_complaint(field, "a fallback that is not given");
}

static void programs_and_their_strings_are_checked(void **state)
{
    const struct bough_field table[] = {
        { .name = "run", .kind = BOUGH_STRINGS, .size = 8, .string_with = "shell" },
        { .name = "shell", .kind = BOUGH_BOOL, .offset = 8, .size = 1 },
    };

    (void)state;
    assert_true(bough_fields_valid(table, 2, NULL));
    assert_false(bough_fields_valid(table, 1, NULL));
    assert_complaint(
        row(.name = "n", .kind = BOUGH_STRINGS, .size = 8, .string_with = "first"),
        "a string with what is no bool beside it");
    assert_complaint(
        row(.name = "n", .kind = BOUGH_STRING, .size = 8, .is_program = true),
        "a program without being strings");
}

static void a_table_that_contains_itself_is_refused(void **state)
{
    struct bough_field loop = {
        .name = "n",
        .kind = BOUGH_LIST,
        .size = 8,
        .of_count = 1,
        .of_size = 8,
    };

    (void)state;
    loop.of = &loop;
    assert_complaint(loop, "nested too deep");
}

static bool fit_for_options(struct bough_field field)
{
    return bough_options_valid(&field, 1, NULL);
}

static void in_options_zero_stands_for_the_fallback(void **state)
{
    const struct bough_field number =
        row(.name = "n", .kind = BOUGH_INT64, .size = 8, .optional = true, .fallback = 5);
    struct bough_field field = number;

    (void)state;
    assert_true(bough_fields_valid(&field, 1, NULL));
    assert_false(fit_for_options(field));
    field.min = 1;
    field.max = 9;
    assert_true(fit_for_options(field));
    field.fallback = -5;
    field.min = -9;
    assert_false(fit_for_options(field));
    field.max = -1;
    assert_true(fit_for_options(field));
    field = number;
    field.fallback = 0;
    assert_true(fit_for_options(field));
}

/* Where zero is a value like others, it is kept as another number. */
static void a_given_zero_is_told_from_none(void **state)
{
    struct bough_field field = row(.name = "n", .kind = BOUGH_SIZE, .size = 8,
                                   .optional = true, .max = 9, .given_zero = -1);

    (void)state;
    assert_true(bough_options_valid(&field, 1, NULL));
    field.fallback = 5;
    assert_true(bough_options_valid(&field, 1, NULL));
    field.given_zero = 3;
    assert_complaint(field, "the given zero is inside the limits");
    field.given_zero = -1;
    field.min = 1;
    assert_complaint(field, "zero cannot be given");
    field.min = field.max = 0;
    assert_complaint(field, "zero cannot be given");
    field = row(.name = "n", .kind = BOUGH_DOUBLE, .size = 8, .max = 9, .given_zero = -1);
    assert_complaint(field, "a zero without being a whole number");
}

static void in_options_the_first_choice_is_the_fallback(void **state)
{
    struct bough_field field = row(.name = "n", .kind = BOUGH_CHOICE, .size = 4,
                                   .choices = colours, .optional = true);

    (void)state;
    assert_true(fit_for_options(field));
    field.fallback = 1;
    assert_false(fit_for_options(field));
    field =
        row(.name = "n", .kind = BOUGH_BOOL, .size = 1, .optional = true, .fallback = 1);
    assert_false(fit_for_options(field));
    field.name = "N";
    assert_false(fit_for_options(field));
}

static void options_are_checked_in_their_parts(void **state)
{
    const struct bough_field part =
        row(.name = "n", .kind = BOUGH_INT64, .size = 8, .optional = true, .fallback = 5);
    const struct bough_field object = row(.name = "o", .kind = BOUGH_OBJECT, .size = 8,
                                          .of = &part, .of_count = 1, .of_size = 8);

    (void)state;
    assert_true(bough_fields_valid(&object, 1, NULL));
    assert_false(fit_for_options(object));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_table_is_valid),
        cmocka_unit_test(a_field_is_found_by_name),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(members_are_checked),
        cmocka_unit_test(choices_are_checked),
        cmocka_unit_test(limits_are_checked),
        cmocka_unit_test(fallbacks_are_checked),
        cmocka_unit_test(references_are_checked),
        cmocka_unit_test(parts_are_checked),
        cmocka_unit_test(a_word_or_an_object_has_both),
        cmocka_unit_test(programs_and_their_strings_are_checked),
        cmocka_unit_test(a_table_that_contains_itself_is_refused),
        cmocka_unit_test(in_options_zero_stands_for_the_fallback),
        cmocka_unit_test(a_given_zero_is_told_from_none),
        cmocka_unit_test(in_options_the_first_choice_is_the_fallback),
        cmocka_unit_test(options_are_checked_in_their_parts),
    };
    return cmocka_run_group_tests_name("core/field", tests, NULL, NULL);
}
