/* test_bad.c - each broken file of bad/ gets exactly the message that lies beside it.
 *
 * One test for each file: NAME.json is checked as it is called in that folder, and what
 * is printed must be NAME.expected, to the byte.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/types.h>
#include <bough/tests/support/unit.h>

/* The folder of this source, unless the environment says where the sources are. */
static void enter_bad(void)
{
    const char *source = getenv("BOUGH_SOURCE");
    char path[4096];

    if (source != NULL)
        snprintf(path, sizeof(path), "%s/tests/config/bad", source);
    else
        snprintf(path, sizeof(path), "%.*sbad",
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

static void is_told_what_is_wrong(void **state)
{
    const char *name = *state;
    struct bough_config *config = bough_config_load(name, bough_actor_types);
    char expected_name[256], *expected, *printed = NULL;
    size_t size;
    FILE *stream = open_memstream(&printed, &size);

    assert_non_null(config);
    assert_null(bough_config_tree(config));
    bough_config_print_errors(config, stream);
    fclose(stream);
    snprintf(expected_name, sizeof(expected_name), "%.*s.expected", (int)strlen(name) - 5,
             name);
    expected = read_file(expected_name);
    assert_string_equal(printed, expected);
    free(expected);
    free(printed);
    bough_config_free(config);
}

static void every_expectation_has_its_file(void **state)
{
    glob_t files;

    (void)state;
    assert_int_equal(glob("*.expected", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char name[256];
        const char *path = files.gl_pathv[i];

        snprintf(name, sizeof(name), "%.*s.json", (int)strlen(path) - 9, path);
        if (access(name, R_OK) != 0) fail_msg("%s is not there", name);
    }
    globfree(&files);
}

int main(void)
{
    struct CMUnitTest *tests;
    glob_t files;
    int failed;

    enter_bad();
    if (glob("*.json", 0, NULL, &files) != 0 || files.gl_pathc < 24) return 1;
    tests = calloc(files.gl_pathc + 1, sizeof(*tests));
    if (tests == NULL) return 1;
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){ .name = files.gl_pathv[i],
                                        .test_func = is_told_what_is_wrong,
                                        .initial_state = files.gl_pathv[i] };
    tests[files.gl_pathc] =
        (struct CMUnitTest){ .name = "every_expectation_has_its_file",
                             .test_func = every_expectation_has_its_file };
    failed = _cmocka_run_group_tests("bad", tests, files.gl_pathc + 1, NULL, NULL);
    free(tests);
    globfree(&files);
    return failed;
}
