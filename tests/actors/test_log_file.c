/* test_log_file.c - lines reach their file, whole, whatever the system does.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/log_file_internal.h>

#include <errno.h>
#include <signal.h>

#include <bough/core/public.h>
#include <bough/core/quiet.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/fixture.h>

struct fixture {
    const char *folder;
    char path[128];
    struct bough_log_file file;
    size_t descriptors;
    int stderr_fd;
};

/* What a test has the system do at each write, in turn; then everything is written. */
static struct {
    ssize_t results[8]; /* at most so many bytes; a negative errno */
    size_t count, turn;
    size_t calls;
} script;

static ssize_t scripted_write(int fd, const void *data, size_t size)
{
    script.calls++;
    if (script.turn == script.count) return bough_write_quietly(fd, data, size);
    ssize_t result = script.results[script.turn++];
    if (result >= 0)
        return bough_write_quietly(fd, data,
                                   (size_t)result < size ? (size_t)result : size);
    errno = (int)-result;
    return -1;
}

static void open_file(struct fixture *fixture, int64_t rotate_size, int64_t keep)
{
    const struct bough_log_file_options options = {
        .path = fixture->path,
        .rotate_size = rotate_size,
        .keep = keep,
    };

    assert_status(bough_log_file_init(&fixture->file, &options, NULL), BOUGH_OK);
    fixture->file.write = scripted_write;
}

/* What goes to stderr is read from FOLDER/stderr. */
static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .folder = make_folder() };
    fixture.descriptors = bough_test_descriptors();
    snprintf(fixture.path, sizeof(fixture.path), "%s/log", fixture.folder);
    memset(&script, 0, sizeof(script));
    fixture.stderr_fd = capture_stderr(path_in(fixture.folder, "stderr"));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    const struct fixture *fixture = *state;

    restore_stderr(fixture->stderr_fd);
    remove_folder(fixture->folder);
    return bough_test_descriptors() == fixture->descriptors ? 0 : -1;
}

static void add(struct fixture *fixture, const char *line)
{
    bough_log_file_append(&fixture->file, line, strlen(line));
}

static void flush(struct fixture *fixture)
{
    assert_status(bough_log_file_flush(&fixture->file, NULL), BOUGH_OK);
}

static void assert_file(const struct fixture *fixture, const char *name,
                        const char *expected)
{
    char *text = read_whole(path_in(fixture->folder, name));

    assert_string_equal(text, expected);
    free(text);
}

static void lines_of_a_batch_are_one_write(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    add(fixture, "one\n");
    add(fixture, "two\n");
    assert_file(fixture, "log", "");
    assert_int_equal(bough_log_file_pending(&fixture->file), 8);
    flush(fixture);
    assert_file(fixture, "log", "one\ntwo\n");
    assert_int_equal(script.calls, 1);
    bough_log_file_finish(&fixture->file);
}

static void a_full_batch_is_written_at_once(void **state)
{
    struct fixture *fixture = *state;
    char line[1024];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    open_file(fixture, 0, 0);
    for (size_t i = 0; i < BOUGH_LOG_BATCH / sizeof(line); i++) {
        assert_int_equal(script.calls, 0);
        bough_log_file_append(&fixture->file, line, sizeof(line));
    }
    assert_int_equal(script.calls, 1);
    assert_int_equal(bough_log_file_pending(&fixture->file), 0);
    bough_log_file_finish(&fixture->file);
}

static void finish_writes_what_waits(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    add(fixture, "last\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "last\n");
}

static void a_file_that_is_there_is_continued(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path, "before\n", 0600);
    open_file(fixture, 0, 0);
    assert_int_equal(fixture->file.size, 7);
    add(fixture, "after\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "before\nafter\n");
}

static void short_and_interrupted_writes_are_continued(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    script.results[0] = 2;
    script.results[1] = -EINTR;
    script.results[2] = 3;
    script.count = 3;
    add(fixture, "one\n");
    add(fixture, "two\n");
    flush(fixture);
    assert_file(fixture, "log", "one\ntwo\n");
    assert_int_equal(fixture->file.size, 8);
    bough_log_file_finish(&fixture->file);
}

static void a_write_of_nothing_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    script.count = 1;
    add(fixture, "one\n");
    assert_status(bough_log_file_flush(&fixture->file, NULL), BOUGH_ESYSTEM);
    flush(fixture);
    assert_file(fixture, "log", "one\n");
    bough_log_file_finish(&fixture->file);
}

static void a_full_disk_keeps_the_lines_and_is_reported_once(void **state)
{
    struct fixture *fixture = *state;
    struct bough_error error = { 0 };
    char expected[256];

    open_file(fixture, 0, 0);
    script.results[0] = 6;
    script.results[1] = script.results[2] = -ENOSPC;
    script.count = 3;
    add(fixture, "one\n");
    add(fixture, "two\n");
    assert_status(bough_log_file_flush(&fixture->file, &error), BOUGH_ESYSTEM);
    assert_int_equal(error.errno_value, ENOSPC);
    assert_true(fixture->file.failing);
    assert_int_equal(bough_log_file_pending(&fixture->file), 2);
    assert_status(bough_log_file_flush(&fixture->file, NULL), BOUGH_ESYSTEM);
    flush(fixture);
    assert_false(fixture->file.failing);
    assert_file(fixture, "log", "one\ntwo\n");
    snprintf(expected, sizeof(expected),
             "bough: log file \"%s\": cannot write, will try again: "
             "No space left on device\n",
             fixture->path);
    assert_file(fixture, "stderr", expected);
    bough_log_file_finish(&fixture->file);
}

static void the_full_device_is_survived(void **state)
{
    const struct bough_log_file_options options = { .path = "/dev/full" };
    struct bough_log_file file;

    (void)state;
    assert_status(bough_log_file_init(&file, &options, NULL), BOUGH_OK);
    bough_log_file_append(&file, "one\n", 4);
    assert_status(bough_log_file_sync(&file, NULL), BOUGH_ESYSTEM);
    bough_log_file_finish(&file);
}

static void lines_that_do_not_fit_are_counted(void **state)
{
    struct fixture *fixture = *state;
    static char line[BOUGH_LOG_BATCH];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    open_file(fixture, 0, 0);
    script.results[0] = -ENOSPC;
    script.count = 1;
    for (size_t i = 0; i < BOUGH_LOG_CAPACITY / sizeof(line) + 3; i++) {
        bough_log_file_append(&fixture->file, line, sizeof(line));
    }
    assert_int_equal(script.calls, 1);
    assert_int_equal(bough_log_file_pending(&fixture->file), BOUGH_LOG_CAPACITY);
    assert_int_equal(bough_log_file_take_lost(&fixture->file), 3);
    assert_int_equal(bough_log_file_take_lost(&fixture->file), 0);
    flush(fixture);
    assert_int_equal(fixture->file.size, BOUGH_LOG_CAPACITY);
    bough_log_file_finish(&fixture->file);
}

static void a_file_is_rotated_between_lines(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 10, 2);
    for (int i = 0; i < 7; i++) {
        char line[8];
        snprintf(line, sizeof(line), "row %d\n", i);
        add(fixture, line);
    }
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "row 6\n");
    assert_file(fixture, "log.1", "row 5\n");
    assert_file(fixture, "log.2", "row 4\n");
    assert_int_not_equal(access(path_in(fixture->folder, "log.3"), F_OK), 0);
}

static void a_file_of_exactly_its_size_is_full(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 8, 1);
    add(fixture, "one\n");
    add(fixture, "two\n");
    add(fixture, "six\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "six\n");
    assert_file(fixture, "log.1", "one\ntwo\n");
}

static void a_line_longer_than_a_file_has_one_alone(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 8, 3);
    add(fixture, "a\n");
    add(fixture, "longer than eight\n");
    add(fixture, "b\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log.2", "a\n");
    assert_file(fixture, "log.1", "longer than eight\n");
    assert_file(fixture, "log", "b\n");
}

static void a_file_that_is_too_large_already_is_rotated(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path, "from long ago\n", 0600);
    open_file(fixture, 10, 1);
    add(fixture, "now\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "now\n");
    assert_file(fixture, "log.1", "from long ago\n");
}

static void rotation_waits_while_the_disk_is_full(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 8, 1);
    add(fixture, "one\n");
    add(fixture, "two\n");
    script.results[0] = 5; /* half of the second line */
    script.results[1] = -ENOSPC;
    script.count = 2;
    add(fixture, "six\n");
    assert_int_not_equal(access(path_in(fixture->folder, "log.1"), F_OK), 0);
    flush(fixture);
    add(fixture, "ten\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log.1", "one\ntwo\nsix\n");
    assert_file(fixture, "log", "ten\n");
}

static void a_rotation_that_fails_goes_on_in_the_same_file(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir(path_in(fixture->folder, "log.1"), 0700), 0);
    write_file(path_in(fixture->folder, "log.1/in the way"), "", 0600);
    open_file(fixture, 8, 1);
    add(fixture, "one\n");
    add(fixture, "two\n");
    add(fixture, "six\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "one\ntwo\nsix\n");
    char *said = read_whole(path_in(fixture->folder, "stderr"));
    assert_non_null(strstr(said, "cannot rotate"));
    free(said);
}

static void reopening_follows_the_path(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    add(fixture, "old\n");
    assert_int_equal(rename(fixture->path, path_in(fixture->folder, "moved")), 0);
    assert_status(bough_log_file_reopen(&fixture->file, NULL), BOUGH_OK);
    add(fixture, "new\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "moved", "old\n");
    assert_file(fixture, "log", "new\n");
}

static void a_line_half_written_begins_anew_in_another_file(void **state)
{
    struct fixture *fixture = *state;

    open_file(fixture, 0, 0);
    add(fixture, "one\n");
    add(fixture, "two\n");
    script.results[0] = 6;
    script.results[1] = script.results[2] = -ENOSPC;
    script.count = 3;
    assert_status(bough_log_file_flush(&fixture->file, NULL), BOUGH_ESYSTEM);
    assert_int_equal(rename(fixture->path, path_in(fixture->folder, "moved")), 0);
    assert_status(bough_log_file_reopen(&fixture->file, NULL), BOUGH_OK);
    assert_file(fixture, "moved", "one\ntw");
    assert_file(fixture, "log", "two\n");
    bough_log_file_finish(&fixture->file);
}

static void a_path_that_cannot_be_reopened_is_reported_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    char folder[160], expected[320];

    open_file(fixture, 0, 0);
    snprintf(folder, sizeof(folder), "%s/gone/log", fixture->folder);
    fixture->file.options.path = folder;
    assert_status(bough_log_file_reopen(&fixture->file, NULL), BOUGH_ESYSTEM);
    add(fixture, "still\n");
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "log", "still\n");
    snprintf(expected, sizeof(expected),
             "bough: log file \"%s\": cannot reopen, goes on with the old file: No such "
             "file or directory\n",
             folder);
    assert_file(fixture, "stderr", expected);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
    const struct bough_log_file_options options = { .path = "/no/such/folder/log" };
    struct bough_log_file file;
    struct bough_error error = { 0 };

    (void)state;
    assert_status(bough_log_file_init(&file, &options, &error), BOUGH_ESYSTEM);
    assert_string_equal(error.text, "cannot open log file \"/no/such/folder/log\": "
                                    "No such file or directory");
}

static void a_path_that_is_too_long_is_an_error(void **state)
{
    static char path[5000];
    const struct bough_log_file_options options = { .path = path };
    struct bough_log_file file;

    (void)state;
    memset(path, 'p', sizeof(path) - 1);
    assert_status(bough_log_file_init(&file, &options, NULL), BOUGH_ETOOLARGE);
}

static void without_a_path_lines_go_to_stderr(void **state)
{
    struct fixture *fixture = *state;
    const struct bough_log_file_options options = { 0 };

    assert_status(bough_log_file_init(&fixture->file, &options, NULL), BOUGH_OK);
    add(fixture, "here\n");
    assert_status(bough_log_file_reopen(&fixture->file, NULL), BOUGH_OK);
    assert_status(bough_log_file_sync(&fixture->file, NULL), BOUGH_OK);
    bough_log_file_finish(&fixture->file);
    assert_file(fixture, "stderr", "here\n");
}

static void a_pipe_without_a_reader_does_not_end_the_program(void **state)
{
    struct fixture *fixture = *state;
    sigset_t pending;

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    int reader = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    open_file(fixture, 8, 1);
    add(fixture, "one\n");
    flush(fixture);
    close(reader);
    add(fixture, "two\n");
    assert_status(bough_log_file_flush(&fixture->file, NULL), BOUGH_ESYSTEM);
    bough_log_file_finish(&fixture->file);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
}

static void a_pipe_that_nobody_reads_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    const struct bough_log_file_options options = { .path = fixture->path };

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_status(bough_log_file_init(&fixture->file, &options, NULL), BOUGH_ESYSTEM);
}

#define fact(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(lines_of_a_batch_are_one_write),
        fact(a_full_batch_is_written_at_once),
        fact(finish_writes_what_waits),
        fact(a_file_that_is_there_is_continued),
        fact(short_and_interrupted_writes_are_continued),
        fact(a_write_of_nothing_is_an_error),
        fact(a_full_disk_keeps_the_lines_and_is_reported_once),
        fact(the_full_device_is_survived),
        fact(lines_that_do_not_fit_are_counted),
        fact(a_file_is_rotated_between_lines),
        fact(a_file_of_exactly_its_size_is_full),
        fact(a_line_longer_than_a_file_has_one_alone),
        fact(a_file_that_is_too_large_already_is_rotated),
        fact(rotation_waits_while_the_disk_is_full),
        fact(a_rotation_that_fails_goes_on_in_the_same_file),
        fact(reopening_follows_the_path),
        fact(a_line_half_written_begins_anew_in_another_file),
        fact(a_path_that_cannot_be_reopened_is_reported_and_changes_nothing),
        fact(a_file_that_cannot_be_opened_is_an_error),
        fact(a_path_that_is_too_long_is_an_error),
        fact(without_a_path_lines_go_to_stderr),
        fact(a_pipe_without_a_reader_does_not_end_the_program),
        fact(a_pipe_that_nobody_reads_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
