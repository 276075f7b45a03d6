/* test_config_limits.c - what cannot be read, and what is too much, is said.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/tests/config/load.h>

/* Files */

struct folder {
    char path[64];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    if (folder == NULL) return -1;
    snprintf(folder->path, sizeof(folder->path), "/tmp/bough-config-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) != NULL ? 0 : -1;
}

/* Fails when a test leaves something in it. */
static int remove_folder(void **state)
{
    struct folder *folder = *state;
    int result = rmdir(folder->path);

    free(folder);
    return result;
}

/* Asserts that the file has this one error, without a position. */
static void check_file(const char *name, enum bough_status status, const char *sentence)
{
    struct bough_config *config = bough_config_load(name, bough_actor_types);
    const struct bough_config_error *error;

    assert_non_null(config);
    assert_null(bough_config_tree(config));
    assert_int_equal(bough_config_error_count(config), 1);
    error = bough_config_error_at(config, 0);
    assert_status(error->status, status);
    assert_int_equal(error->line, 0);
    assert_string_equal(error->pointer, "");
    assert_string_equal(error->text, sentence);
    bough_config_free(config);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    (void)state;
    check_file("/nonexistent/shop.json", BOUGH_ESYSTEM,
               "the file cannot be read: No such file or directory");
}

static void a_directory_is_no_config(void **state)
{
    const struct folder *folder = *state;

    check_file(folder->path, BOUGH_EINVALID, "this is a directory, not a file");
}

static void a_fifo_is_refused_and_not_waited_for(void **state)
{
    const struct folder *folder = *state;
    char name[128];

    snprintf(name, sizeof(name), "%s/fifo", folder->path);
    assert_int_equal(mkfifo(name, 0600), 0);
    check_file(name, BOUGH_EINVALID, "this is not a regular file");
    unlink(name);
}

static void a_device_is_no_config(void **state)
{
    (void)state;
    check_file("/dev/null", BOUGH_EINVALID, "this is not a regular file");
}

static void a_file_over_the_limit_is_not_read(void **state)
{
    const struct folder *folder = *state;
    char name[128];
    int fd;

    snprintf(name, sizeof(name), "%s/large", folder->path);
    fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BOUGH_CONFIG_SIZE_MAX + 1), 0);
    close(fd);
    check_file(name, BOUGH_ETOOLARGE, "the file is larger than 16 MiB");
    unlink(name);
}

static void a_file_is_called_as_it_was_given(void **state)
{
    struct bough_config *config = bough_config_load("no\nsuch.json", bough_actor_types);
    char *printed = NULL;
    size_t size;
    FILE *stream = open_memstream(&printed, &size);

    (void)state;
    bough_config_print_errors(config, stream);
    fclose(stream);
    assert_string_equal(printed, "no?such.json: error: the file cannot be read: "
                                 "No such file or directory\n");
    free(printed);
    bough_config_free(config);
}

/* Limits */

/* before, then `count` times a text, then after; to be freed. */
static char *repeat(const char *before, const char *text, size_t count, const char *after)
{
    size_t size, len = strlen(text);
    char *whole = NULL;
    FILE *stream = open_memstream(&whole, &size);

    fputs(before, stream);
    for (size_t i = 0; i < count; i++)
        fwrite(text, 1, len, stream);
    fputs(after, stream);
    fclose(stream);
    return whole;
}

static void too_many_children_are_refused_at_once(void **state)
{
    char *text = repeat("{\"name\": \"x\", \"children\": [", "0,",
                        BOUGH_CONFIG_CHILDREN_MAX + 1, "]}");

    (void)state;
    check_error(text, bough_actor_types,
                "250001 children are more than the 250000 that one supervisor may have");
    free(text);
}

/* A chain of `levels` supervisors, the root counted. */
static char *chain(size_t levels)
{
    char *open = repeat("{\"name\": \"x\", \"children\": [",
                        "{\"name\": \"s\", \"type\": \"supervisor\", \"children\": [",
                        levels - 1, "");
    char *whole = repeat(open, "]}", levels, "");

    free(open);
    return whole;
}

static void supervisors_nest_as_deep_as_the_limit(void **state)
{
    char *text = chain(BOUGH_CONFIG_LEVELS_MAX);
    struct bough_config *config = load(text);

    (void)state;
    assert_int_equal(bough_config_tree(config)->supervisors, BOUGH_CONFIG_LEVELS_MAX);
    bough_config_free(config);
    free(text);
}

static void supervisors_nest_no_deeper(void **state)
{
    char *text = chain(BOUGH_CONFIG_LEVELS_MAX + 1);

    (void)state;
    check_error(text, bough_actor_types, "more than 64 supervisors within each other");
    free(text);
}

static void a_path_that_is_too_long_is_told(void **state)
{
    char supervisor[160];
    char *open, *text;

    (void)state;
    snprintf(supervisor, sizeof(supervisor),
             "{\"name\": \"%.60s\", \"type\": \"supervisor\", \"children\": [",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    open = repeat("{\"name\": \"x\", \"children\": [", supervisor, 17, "");
    text = repeat(open, "]}", 18, "");
    check_error(text, bough_actor_types,
                "the path of this actor is longer than 1023 bytes");
    free(open);
    free(text);
}

static void of_many_errors_the_first_hundred_are_kept(void **state)
{
    char *text = repeat("{\"name\": \"x\", \"children\": [",
                        "{\"name\": \"a b\", \"type\": \"kv\"},", 1000, "]}");
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), bough_actor_types);

    (void)state;
    assert_int_equal(bough_config_error_count(config), 1000);
    assert_int_equal(bough_config_error_kept(config), BOUGH_CONFIG_ERRORS_MAX);
    bough_config_free(config);
    free(text);
}

static void errors_come_in_the_order_of_the_text(void **state)
{
    const char *text =
        "{\"name\": \"x\",\n \"log\": \"/nobody\",\n \"children\": [{}]\n}";
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), bough_actor_types);

    (void)state;
    assert_int_equal(bough_config_error_count(config), 3);
    assert_int_equal(bough_config_error_at(config, 0)->line, 2);
    assert_int_equal(bough_config_error_at(config, 0)->column, 9);
    assert_string_equal(bough_config_error_at(config, 0)->pointer, "/log");
    assert_int_equal(bough_config_error_at(config, 1)->line, 3);
    assert_string_equal(bough_config_error_at(config, 2)->pointer, "/children/0");
    bough_config_free(config);
}

static void a_text_with_nul_bytes_is_told(void **state)
{
    static const char text[] = "{\"name\": \"x\", \0 \"children\": []}";
    struct bough_config *config =
        bough_config_parse("test.json", text, sizeof(text) - 1, bough_actor_types);

    (void)state;
    assert_int_equal(bough_config_error_count(config), 1);
    assert_string_equal(bough_config_error_at(config, 0)->text,
                        "expected a key in double quotes, not a NUL byte");
    bough_config_free(config);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    bough_config_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_said),
        cmocka_unit_test_setup_teardown(a_directory_is_no_config, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_fifo_is_refused_and_not_waited_for, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_device_is_no_config),
        cmocka_unit_test_setup_teardown(a_file_over_the_limit_is_not_read, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_file_is_called_as_it_was_given),
        cmocka_unit_test(too_many_children_are_refused_at_once),
        cmocka_unit_test(supervisors_nest_as_deep_as_the_limit),
        cmocka_unit_test(supervisors_nest_no_deeper),
        cmocka_unit_test(a_path_that_is_too_long_is_told),
        cmocka_unit_test(of_many_errors_the_first_hundred_are_kept),
        cmocka_unit_test(errors_come_in_the_order_of_the_text),
        cmocka_unit_test(a_text_with_nul_bytes_is_told),
        cmocka_unit_test(freeing_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
