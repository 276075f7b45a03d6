/* test_config_options.c - options of every kind are read by their table, and references
 * to other actors are held against the tree.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <string.h>

#include <bough/tests/config/load.h>

/* A type with every kind of option. */

static const char *const colours[] = { "red", "green", "blue", NULL };

struct paint {
    bool glossy;
    double litres;
};

struct painter_options {
    bool careful;
    int colour;
    int64_t coats, dry_ms, can;
    double speed;
    const char *brand, *after, *beside, *wall;
    const char *const *tools, *const *mixes;
    struct paint paint;
    struct finish {
        int how;
        const char *file;
        int64_t layers;
    } finish;
    bool by_hand;
};

static const char *const finishes[] = { "matt", "silk", NULL };

static const struct bough_field finish_fields[] = {
    bough_field(struct finish, file, "file", BOUGH_FILE, .optional = true),
    bough_field(struct finish, layers, "layers", BOUGH_INT64, .optional = true, .min = 1,
                .max = 9),
};

static const struct bough_field paint_fields[] = {
    bough_field(struct paint, glossy, "glossy", BOUGH_BOOL),
    bough_field(struct paint, litres, "litres", BOUGH_DOUBLE, .optional = true,
                .fallback = 3, .min = 1, .max = 10),
};

static const struct bough_field painter_fields[] = {
    bough_field(struct painter_options, careful, "careful", BOUGH_BOOL, .optional = true),
    bough_field(struct painter_options, colour, "colour", BOUGH_CHOICE,
                .choices = colours, .optional = true, .fallback = 2),
    bough_field(struct painter_options, coats, "coats", BOUGH_INT64, .optional = true,
                .fallback = 2, .min = 1, .max = INT64_MAX),
    bough_field(struct painter_options, dry_ms, "dry", BOUGH_DURATION, .optional = true,
                .fallback = 1000),
    bough_field(struct painter_options, can, "can", BOUGH_SIZE, .optional = true,
                .fallback = 4096, .min = INT64_MIN, .max = 1048576),
    bough_field(struct painter_options, speed, "speed", BOUGH_DOUBLE, .optional = true),
    bough_field(struct painter_options, brand, "brand", BOUGH_STRING, .optional = true,
                .fallback_text = "plain"),
    bough_field(struct painter_options, after, "after", BOUGH_PATH, .optional = true,
                .at_start = true),
    bough_field(struct painter_options, beside, "beside", BOUGH_PATH, .optional = true),
    bough_field(struct painter_options, wall, "wall", BOUGH_FILE, .optional = true),
    bough_field(struct painter_options, tools, "tools", BOUGH_STRINGS, .optional = true,
                .is_program = true, .string_with = "by_hand"),
    bough_field(struct painter_options, by_hand, "by_hand", BOUGH_BOOL, .optional = true),
    bough_field(struct painter_options, mixes, "mixes", BOUGH_MAP, .optional = true),
    bough_field(struct painter_options, finish, "finish", BOUGH_EITHER, .optional = true,
                .choices = finishes, .of = finish_fields, .of_count = 2,
                .of_size = sizeof(struct finish)),
    bough_field(struct painter_options, paint, "paint", BOUGH_OBJECT, .optional = true,
                .of = paint_fields, .of_count = 2, .of_size = sizeof(struct paint)),
};

static enum bough_status painter_check(const void *data, struct bough_error *error)
{
    const struct painter_options *options = data;

    if (options->coats != 7) return BOUGH_OK;
    bough_error_set(error, BOUGH_EINVALID, "seven coats are too many");
    snprintf(error->pointer, sizeof(error->pointer), "%s",
             options->finish.layers > 0 ? "/finish/layers" : "/coats");
    return BOUGH_EINVALID;
}

static const struct bough_actor_type painter_type = {
    .name = "painter",
    .check_options = painter_check,
    .options_size = sizeof(struct painter_options),
    .options = painter_fields,
    .option_count = bough_count_of(painter_fields),
};

static const struct bough_actor_type *const painters[] = { &painter_type, NULL };

/* Options */

static void every_kind_of_option_is_read(void **state)
{
    struct bough_config *config = load_with(
        "{\"name\": \"x\", \"children\": [{\"name\": \"p\", \"type\": \"painter\", \"options\": {"
        "\"careful\": true, \"colour\": \"green\", \"coats\": 3.0, \"dry\": \"infinity\","
        "\"can\": \"2KiB\", \"speed\": 1.5, \"brand\": \"\\u00e9\", \"beside\": \"/p\","
        "\"tools\": [\"brush\", \"roll\"], \"paint\": {\"glossy\": true, \"litres\": 2}}}]}",
        painters);
    const struct painter_options *options =
        bough_config_tree(config)->options.children[0].options;

    (void)state;
    assert_true(options->careful);
    assert_int_equal(options->colour, 1);
    assert_int_equal(options->coats, 3);
    assert_int_equal(options->dry_ms, BOUGH_FOREVER);
    assert_int_equal(options->can, 2048);
    assert_true(options->speed == 1.5);
    assert_string_equal(options->brand, "é");
    assert_null(options->after);
    assert_string_equal(options->beside, "/p");
    assert_string_equal(options->tools[0], "brush");
    assert_string_equal(options->tools[1], "roll");
    assert_null(options->tools[2]);
    assert_true(options->paint.glossy);
    assert_true(options->paint.litres == 2);
    bough_config_free(config);
}

static void what_is_not_given_is_the_fallback(void **state)
{
    struct bough_config *config = load_with(
        "{\"name\": \"x\", \"children\": [{\"name\": \"p\", \"type\": \"painter\"}]}",
        painters);
    const struct painter_options *options =
        bough_config_tree(config)->options.children[0].options;

    (void)state;
    assert_false(options->careful);
    assert_int_equal(options->colour, 2);
    assert_int_equal(options->coats, 2);
    assert_int_equal(options->dry_ms, 1000);
    assert_int_equal(options->can, 4096);
    assert_string_equal(options->brand, "plain");
    assert_null(options->tools);
    assert_false(options->paint.glossy);
    assert_true(options->paint.litres == 3);
    bough_config_free(config);
}

static void options_out_of_range_name_their_limits(void **state)
{
    static const char *const options[][2] = {
        { "\"coats\": 0", "\"coats\" must be at least 1, not 0" },
        { "\"can\": \"2MiB\"", "\"can\" must be at most 1MiB, not 2MiB" },
        { "\"can\": \"infinity\"", "\"can\" must be at most 1MiB, not infinity" },
        { "\"paint\": {\"glossy\": true, \"litres\": 10.5}",
          "\"litres\" must be from 1 to 10, not 10.5" },
        { "\"paint\": {}", "missing key \"glossy\"; it must be true or false" },
        { "\"speed\": \"fast\"", "\"speed\" must be a number, not the string \"fast\"" },
        { "\"careful\": 1", "\"careful\" must be true or false, not the number 1" },
        { "\"coats\": 1e300", "\"coats\" must be a whole number, not the number 1e+300" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(options); i++) {
        char text[256];

        snprintf(
            text, sizeof(text),
            "{\"name\": \"x\", \"children\": [{\"name\": \"p\", \"type\": \"painter\", "
            "\"options\": {%s}}]}",
            options[i][0]);
        check_error(text, painters, options[i][1]);
    }
}

/* Options of one painter, in a file of that name. */
static struct bough_config *painted(const char *file, const char *options)
{
    char text[512];

    snprintf(text, sizeof(text),
             "{\"name\": \"x\", \"children\": [{\"name\": \"p\", \"type\": \"painter\", "
             "\"options\": {%s}}]}",
             options);
    struct bough_config *config = bough_config_parse(file, text, strlen(text), painters);
    assert_non_null(config);
    return config;
}

static const struct painter_options *options_of(struct bough_config *config)
{
    assert_non_null(bough_config_tree(config));
    return bough_config_tree(config)->options.children[0].options;
}

static void maps_words_and_objects_are_read(void **state)
{
    struct bough_config *config = painted(
        "x.json", "\"mixes\": {\"red\": \"1\", \"\": \"\"}, \"finish\": \"silk\"");
    const struct painter_options *options = options_of(config);

    (void)state;
    assert_string_equal(options->mixes[0], "red");
    assert_string_equal(options->mixes[1], "1");
    assert_string_equal(options->mixes[2], "");
    assert_null(options->mixes[4]);
    assert_int_equal(options->finish.how, 1);
    assert_null(options->finish.file);
    bough_config_free(config);
    config = painted("x.json", "\"mixes\": {}, \"finish\": {\"file\": \"f\"}");
    options = options_of(config);
    assert_null(options->mixes[0]);
    assert_int_equal(options->finish.how, 0);
    assert_string_equal(options->finish.file, "f");
    bough_config_free(config);
}

static void files_are_where_the_config_is(void **state)
{
    static const char *const rows[][4] = {
        /* the config, a file and a program: what they become */
        { "x.json", "wall", "a/b", "wall|a/b" },
        { "/etc/bough/x.json", "wall", "a/b", "/etc/bough/wall|/etc/bough/a/b" },
        { "sub/x.json", "../wall", "brush", "sub/../wall|brush" },
        { "sub/x.json", "/wall", "/b", "/wall|/b" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        char given[256], made[256];

        snprintf(given, sizeof(given), "\"wall\": \"%s\", \"tools\": [\"%s\", \"c/d\"]",
                 rows[i][1], rows[i][2]);
        struct bough_config *config = painted(rows[i][0], given);
        const struct painter_options *options = options_of(config);
        snprintf(made, sizeof(made), "%s|%s", options->wall, options->tools[0]);
        assert_string_equal(made, rows[i][3]);
        assert_string_equal(options->tools[1], "c/d");
        bough_config_free(config);
    }
}

static void a_string_stands_for_an_array_beside_its_bool(void **state)
{
    struct bough_config *config =
        painted("sub/x.json", "\"tools\": \"a/b | c\", \"by_hand\": true");
    const struct painter_options *options = options_of(config);

    (void)state;
    assert_string_equal(options->tools[0], "a/b | c");
    assert_null(options->tools[1]);
    bough_config_free(config);
}

static void assert_error(const char *options, const char *pointer, const char *text)
{
    struct bough_config *config = painted("x.json", options);

    assert_int_equal(bough_config_error_count(config), 1);
    assert_string_equal(bough_config_error_at(config, 0)->text, text);
    assert_string_equal(bough_config_error_at(config, 0)->pointer, pointer);
    bough_config_free(config);
}

static void what_does_not_fit_such_an_option_is_told(void **state)
{
    (void)state;
    assert_error("\"tools\": \"a b\"", "/children/0/options/tools",
                 "\"tools\" must be an array of strings; a string it can be with "
                 "\"by_hand\": true");
    assert_error("\"wall\": \"\"", "/children/0/options/wall",
                 "\"wall\" must not be empty");
    assert_error("\"mixes\": [\"a\"]", "/children/0/options/mixes",
                 "\"mixes\" must be an object of strings, not an array");
    assert_error("\"mixes\": {\"a\": 5}", "/children/0/options/mixes/a",
                 "\"a\" must be a string, not the number 5");
    assert_error(
        "\"finish\": 5", "/children/0/options/finish",
        "\"finish\" must be \"matt\" or \"silk\", or an object, not the number 5");
    assert_error("\"finish\": \"slik\"", "/children/0/options/finish",
                 "\"finish\" cannot be \"slik\"; did you mean \"silk\"?");
    assert_error("\"finish\": {}", "/children/0/options/finish",
                 "\"finish\" must be \"matt\" or \"silk\", or an object, and not empty");
    assert_error("\"finish\": {\"fiel\": \"x\"}", "/children/0/options/finish/fiel",
                 "unknown key \"fiel\"; did you mean \"file\"?");
}

static void the_type_says_what_does_not_go_together(void **state)
{
    (void)state;
    assert_error("\"coats\": 7", "/children/0/options/coats", "seven coats are too many");
    assert_error("\"coats\": 7, \"finish\": {\"layers\": 2}",
                 "/children/0/options/finish/layers", "seven coats are too many");
}

/* A zero in options means "not given" to the core (bough_options_copy), so a config's
 * zero must be the fallback or not allowed; else it would become the fallback unseen. */
static void check_zero(const struct bough_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct bough_field *field = &fields[i];

        if (bough_kind_is_struct(field->kind)) check_zero(field->of, field->of_count);
        if (field->fallback != 0 && field->min <= 0 && field->max >= 0)
            fail_msg("a zero for \"%s\" would be lost", field->name);
    }
}

static void no_ready_made_type_loses_a_zero(void **state)
{
    (void)state;
    for (size_t i = 0; bough_actor_types[i] != NULL; i++)
        check_zero(bough_actor_types[i]->options, bough_actor_types[i]->option_count);
}

/* References */

#define PAINTER(name, options) \
    "{\"name\": \"" name "\", \"type\": \"painter\", \"options\": {" options "}}"
#define TREE(children) "{\"name\": \"x\", \"children\": [" children "]}"
#define SUPERVISOR(name, children) \
    "{\"name\": \"" name "\", \"type\": \"supervisor\", \"children\": [" children "]}"

static void what_is_not_needed_at_the_start_may_come_later(void **state)
{
    struct bough_config *config = load_with(
        TREE(PAINTER("a", "\"beside\": \"/b\"") "," PAINTER("b", "\"beside\": \"/a\"")),
        painters);

    (void)state;
    bough_config_free(config);
}

static void what_is_needed_at_the_start_may_be_a_supervisor_before(void **state)
{
    struct bough_config *config = load_with(
        TREE(SUPERVISOR("s", PAINTER("a", "")) "," PAINTER("b", "\"after\": \"/s\"")),
        painters);

    (void)state;
    bough_config_free(config);
}

static void nobody_starts_after_itself(void **state)
{
    (void)state;
    check_error(TREE(PAINTER("a", "\"after\": \"/a\"")), painters,
                "\"/a\" cannot start after itself");
}

static void nobody_starts_after_its_own_supervisor(void **state)
{
    (void)state;
    check_error(TREE(SUPERVISOR("s", PAINTER("a", "\"after\": \"/s\""))), painters,
                "\"/s/a\" cannot start after \"/s\", of which it is a part");
    check_error(TREE(PAINTER("a", "\"after\": \"/\"")), painters,
                "\"/a\" cannot start after \"/\", of which it is a part");
}

static void a_cycle_is_told_once_with_its_whole_chain(void **state)
{
    (void)state;
    check_error(TREE(PAINTER("a", "\"after\": \"/b\"") "," PAINTER(
                    "b", "\"after\": \"/c\"") "," PAINTER("c", "\"after\": \"/a\"")),
                painters,
                "a cycle of references, which no order of start can meet: "
                "\"/a\" needs \"/b\", \"/b\" needs \"/c\", \"/c\" needs \"/a\"");
}

static void a_later_one_that_is_in_no_cycle_has_only_to_move(void **state)
{
    (void)state;
    check_error(TREE(PAINTER("a", "\"after\": \"/c\"") "," PAINTER("b", "") "," PAINTER(
                    "c", "\"after\": \"/b\"")),
                painters,
                "\"/a\" starts before \"/c\", which it needs: move \"/c\" before \"/a\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_option_is_read),
        cmocka_unit_test(what_is_not_given_is_the_fallback),
        cmocka_unit_test(options_out_of_range_name_their_limits),
        cmocka_unit_test(maps_words_and_objects_are_read),
        cmocka_unit_test(files_are_where_the_config_is),
        cmocka_unit_test(a_string_stands_for_an_array_beside_its_bool),
        cmocka_unit_test(what_does_not_fit_such_an_option_is_told),
        cmocka_unit_test(the_type_says_what_does_not_go_together),
        cmocka_unit_test(no_ready_made_type_loses_a_zero),
        cmocka_unit_test(what_is_not_needed_at_the_start_may_come_later),
        cmocka_unit_test(what_is_needed_at_the_start_may_be_a_supervisor_before),
        cmocka_unit_test(nobody_starts_after_itself),
        cmocka_unit_test(nobody_starts_after_its_own_supervisor),
        cmocka_unit_test(a_cycle_is_told_once_with_its_whole_chain),
        cmocka_unit_test(a_later_one_that_is_in_no_cycle_has_only_to_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
