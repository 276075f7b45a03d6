/* test_warnings.c - each file of warn/ is right, and gets exactly the warnings that lie
 * beside it.
 *
 * One test for each file, as in test_bad.c.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/tests/config/load.h>

/* The folder of this source, unless the environment says where the sources are. */
static void enter_warn(void)
{
    const char *source = getenv("BOUGH_SOURCE");
    char path[4096];

    if (source != NULL)
        snprintf(path, sizeof(path), "%s/tests/config/warn", source);
    else
        snprintf(path, sizeof(path), "%.*swarn",
                 (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
    assert_int_equal(chdir(path), 0);
}

/* The whole file, to be freed. */
static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL) fail_msg("%s cannot be read", name);
    if (getdelim(&text, &size, EOF, file) < 0) fail_msg("%s is empty", name);
    fclose(file);
    return text;
}

/* What is printed, to be freed. */
static char *printed_warnings(const struct bough_config *config, bool strict)
{
    char *printed = NULL;
    size_t size;
    FILE *stream = open_memstream(&printed, &size);

    assert_non_null(stream);
    bough_config_print_warnings(config, strict, stream);
    fclose(stream);
    return printed;
}

static void is_warned_of(void **state)
{
    const char *name = *state;
    struct bough_config *config = bough_config_load(name, bough_actor_types);
    char expected_name[256], *expected, *printed;

    assert_non_null(config);
    bough_config_print_errors(config, stderr);
    assert_non_null(bough_config_tree(config));
    assert_int_equal(bough_supervisor_check(&bough_config_tree(config)->options, NULL),
                     BOUGH_OK);
    printed = printed_warnings(config, false);
    snprintf(expected_name, sizeof(expected_name), "%.*s.expected", (int)strlen(name) - 5,
             name);
    expected = read_file(expected_name);
    assert_string_equal(printed, expected);
    free(expected);
    free(printed);
    bough_config_free(config);
}

static void the_examples_need_no_warning(void **state)
{
    glob_t files;

    (void)state;
    assert_int_equal(glob("../../../config/examples/*.json", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct bough_config *config =
            bough_config_load(files.gl_pathv[i], bough_actor_types);

        assert_non_null(config);
        bough_config_print_warnings(config, false, stderr);
        assert_int_equal(bough_config_warning_count(config), 0);
        bough_config_free(config);
    }
    globfree(&files);
}

static void what_is_wrong_is_not_warned_of(void **state)
{
    static const char text[] =
        "{\"name\": \"shop\", \"intensity\": 0, \"children\": [{\"name\": \"c\", "
        "\"type\": \"counter\"}, 1]}";
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), bough_actor_types);

    (void)state;
    assert_int_equal(bough_config_error_count(config), 1);
    assert_int_equal(bough_config_warning_count(config), 0);
    bough_config_free(config);
}

static void a_strict_reader_calls_them_errors(void **state)
{
    struct bough_config *config =
        load("{\"name\": \"shop\", \"intensity\": 0, \"children\": [{\"name\": \"c\", "
             "\"type\": \"counter\"}]}");
    char *printed = printed_warnings(config, true);

    (void)state;
    assert_int_equal(strncmp(printed, "test.json:1:31: error: with", 27), 0);
    assert_int_equal(bough_config_warning_kept(config), 1);
    assert_string_equal(bough_config_warning_at(config, 0)->pointer, "/intensity");
    free(printed);
    bough_config_free(config);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(the_examples_need_no_warning),
        cmocka_unit_test(what_is_wrong_is_not_warned_of),
        cmocka_unit_test(a_strict_reader_calls_them_errors),
    };
    struct CMUnitTest *tests;
    glob_t files;
    int failed;

    enter_warn();
    if (glob("*.json", 0, NULL, &files) != 0 || files.gl_pathc < 9) return 1;
    tests = calloc(files.gl_pathc + bough_count_of(others), sizeof(*tests));
    if (tests == NULL) return 1;
    memcpy(tests, others, sizeof(others));
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[bough_count_of(others) + i] =
            (struct CMUnitTest){ .name = files.gl_pathv[i],
                                 .test_func = is_warned_of,
                                 .initial_state = files.gl_pathv[i] };
    failed = _cmocka_run_group_tests("warnings", tests,
                                     files.gl_pathc + bough_count_of(others), NULL, NULL);
    free(tests);
    globfree(&files);
    return failed;
}
