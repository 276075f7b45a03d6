/* test_command_output.c - what a program writes, line by line, as fast as the log takes
 * it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/actors/logger.h>
#include <bough/core/runtime.h>
#include <bough/tests/actors/command_subject.h>

static const struct bough_command_options plain;

/* A hook that keeps nothing but counts, and takes lines only while it may. */
struct sink {
    unsigned allowed; /* lines that it still takes; UINT_MAX: all */
    size_t lines, longest, refused;
    size_t bytes[2];
    char last[BOUGH_OUTPUT_LINE], path[16];
};

static bool sink_take(void *data, const struct bough_log_record *record)
{
    struct sink *sink = data;
    const size_t len = strlen(record->text);

    if (sink->allowed == 0) {
        sink->refused++;
        return false;
    }
    if (sink->allowed != UINT_MAX) sink->allowed--;
    sink->lines++;
    if (len > sink->longest) sink->longest = len;
    sink->bytes[strcmp(record->stream, "stderr") == 0] += len;
    snprintf(sink->last, sizeof(sink->last), "%s", record->text);
    snprintf(sink->path, sizeof(sink->path), "%s", record->path);
    return true;
}

static void sink_init(struct bough_test *test, struct sink *sink, unsigned allowed)
{
    memset(sink, 0, sizeof(*sink));
    sink->allowed = allowed;
    bough_runtime_set_output(test->runtime, sink_take, sink);
}

static void each_line_is_a_record_of_its_stream(void **state)
{
    struct bough_test *test = *state;
    struct sink sink;

    sink_init(test, &sink, UINT_MAX);
    run_script(test, "echo out; echo error >&2", plain);
    assert_int_equal(sink.lines, 2);
    assert_int_equal(sink.bytes[0], 3);
    assert_int_equal(sink.bytes[1], 5);
    assert_string_equal(sink.path, "/c");
    assert_string_equal(test->log, "");
}

static void without_a_hook_lines_are_reports(void **state)
{
    struct bough_test *test = *state;

    run_script(test, "echo out", plain);
    assert_string_equal(test->log, "info /c: out\n");
}

static void lines_come_whole_however_they_are_written(void **state)
{
    struct bough_test *test = *state;

    run_script(test,
               "printf 'o'; sleep 0.05; printf 'ne\\ntw'; sleep 0.05; "
               "printf 'o\\r\\n\\nthree'",
               plain);
    assert_string_equal(test->log, "info /c: one\ninfo /c: two\ninfo /c: \n"
                                   "info /c: three\n");
}

static void a_nul_is_no_end(void **state)
{
    struct bough_test *test = *state;

    run_script(test, "printf 'a\\0b\\n'", plain);
    assert_string_equal(test->log, "info /c: a?b\n");
}

static void a_line_that_is_too_long_is_cut(void **state)
{
    struct bough_test *test = *state;
    struct sink sink;

    sink_init(test, &sink, UINT_MAX);
    run_script(test,
               "head -c 100000 /dev/zero | tr '\\0' x; echo; "
               "head -c 16383 /dev/zero | tr '\\0' y; echo; "
               "head -c 40000 /dev/zero | tr '\\0' z",
               plain);
    assert_int_equal(sink.lines, 3);
    assert_int_equal(sink.longest, BOUGH_OUTPUT_LINE - 1);
    assert_string_equal(sink.last + strlen(sink.last) - 6, "zz ...");
}

static void what_was_written_before_the_end_is_there(void **state)
{
    struct bough_test *test = *state;
    struct sink sink;

    sink_init(test, &sink, UINT_MAX);
    run_script(test, "seq 1 9000; kill -KILL $$", plain);
    assert_int_equal(sink.lines, 9000);
    assert_string_equal(sink.last, "9000");
}

static void while_the_log_has_no_room_the_program_waits(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct sink sink;

    sink_init(test, &sink, 10);
    start_script(test, &subject, "seq 1 1000000", plain);
    while (sink.refused == 0)
        bough_test_wait(test);
    for (int i = 0; i < 20; i++) {
        bough_test_advance(test, 50);
        ev_run(test->ev, EVRUN_NOWAIT);
    }
    assert_int_equal(sink.lines, 10);
    /* Two buffers and two pipes at most, of the six MB. */
    assert_in_range(status_of(test, &subject).out.bytes, 1, 64 * 1024);
    assert_int_equal(subject.watch.exits, 0);
    sink.allowed = UINT_MAX;
    bough_test_advance(test, 50);
    await_exit(test, &subject);
    assert_int_equal(sink.lines, 1000000);
    assert_string_equal(sink.last, "1000000");
    assert_reason(&subject.watch.reason, "normal");
    drop(test, &subject);
}

static void a_log_that_never_has_room_does_not_keep_an_end(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct sink sink;

    sink_init(test, &sink, 0);
    start_script(test, &subject, "echo one; exit 1", plain);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "exit 1");
    assert_int_equal(sink.lines, 0);
    drop(test, &subject);
}

/* A gigabyte in the long form; memory does not grow with it. */
static void a_flood_of_output_takes_no_memory(void **state)
{
    struct bough_test *test = *state;
    const char *size = getenv("BOUGH_TEST_LONG") ? "1G" : "50M";
    char script[128];
    struct subject subject;
    struct sink sink;
    int64_t seen = 0;

    sink_init(test, &sink, UINT_MAX);
    snprintf(script, sizeof(script),
             "yes 'a line that is written again and again' | "
             "head -c %s",
             size);
    start_script(test, &subject, script, plain);
    while (subject.watch.exits == 0) {
        bough_test_wait(test);
        const int64_t bytes = (int64_t)sink.bytes[0] + (int64_t)sink.lines;
        assert_in_range(bytes - seen, 0, 512 * 1024); /* of one turn, or the last one */
        seen = bytes;
    }
    assert_true(sink.lines > 1000000);
    drop(test, &subject);
}

static void output_goes_to_a_file_or_nowhere(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const struct bough_command_options options = {
        .stdout_to = { .file = path_in(folder, "out") },
        .stderr_to = { .to = BOUGH_TO_NULL },
    };

    write_file(path_in(folder, "out"), "before\n", 0600);
    run_script(test, "echo out; echo error >&2", options);
    char *text = read_whole(path_in(folder, "out"));
    assert_string_equal(text, "before\nout\n");
    assert_string_equal(test->log, "");
    free(text);
    remove_folder(folder);
}

/* Who opened it for writing in the usual way would wait for a reader, for ever. */
static void a_pipe_that_nobody_reads_is_an_error(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const char *const run[] = { "true", NULL };
    const struct bough_command_options options = {
        .run = run, .stdout_to = { .file = path_in(folder, "pipe") }
    };
    struct subject subject;

    assert_int_equal(mkfifo(options.stdout_to.file, 0600), 0);
    assert_status(try_start(test, &subject, &options), BOUGH_ESYSTEM);
    assert_non_null(strstr(subject.failure.text, "it is a pipe that nobody reads"));
    drop(test, &subject);
    remove_folder(folder);
}

static void a_pipe_that_is_read_is_waited_for_by_the_program_alone(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const struct bough_command_options options = { .stdout_to = { .file = path_in(
                                                                      folder, "pipe") } };
    char text[256] = "";

    assert_int_equal(mkfifo(options.stdout_to.file, 0600), 0);
    const int reads = open(options.stdout_to.file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reads >= 0);
    run_script(test, "grep flags /proc/self/fdinfo/1", options);
    assert_true(read(reads, text, sizeof(text) - 1) > 0);
    close(reads);
    assert_memory_equal(text, "flags:\t", 7);
    assert_int_equal(strtol(text + 7, NULL, 8) & O_NONBLOCK, 0);
    remove_folder(folder);
}

static void output_may_be_ours(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const int saved = capture_stderr(path_in(folder, "err"));

    run_script(test, "echo error >&2",
               (struct bough_command_options){ .stderr_to = { .to = BOUGH_TO_INHERIT } });
    restore_stderr(saved);
    char *text = read_whole(path_in(folder, "err"));
    assert_string_equal(text, "error\n");
    free(text);
    remove_folder(folder);
}

static void a_logger_of_its_own_may_be_named(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const struct bough_logger_options options = { .file = path_in(folder, "log") };
    const struct bough_place_spec spec = {
        .type = &bough_logger_type,
        .options = &options,
        .parent = BOUGH_NOBODY,
        .name = "/",
    };
    const char *const run[] = { "echo", "a line", NULL };
    struct bough_probe_watch watch;
    struct bough_address logger;
    struct bough_command command;

    assert_status(bough_place_new(test->loop, &spec, &logger), BOUGH_OK);
    assert_status(bough_place_start(logger, &(struct bough_start){ 0 }, NULL), BOUGH_OK);
    bough_probe_watch_init(&watch, NULL);
    assert_status(
        bough_command_spawn(test->loop,
                            &(struct bough_command_options){ .run = run, .logger = "/" },
                            &watch.watch, &command, NULL),
        BOUGH_OK);
    while (watch.exits == 0)
        bough_test_wait(test);
    bough_stop(logger);
    bough_test_run(test);
    bough_place_free(logger, 0);
    char *text = read_whole(path_in(folder, "log"));
    assert_non_null(strstr(text, " info a line stream=stdout\n"));
    free(text);
    remove_folder(folder);
}

/* The logger's mailbox is full before a line is lost, and a quarter of it stays free. */
static void a_full_logger_takes_no_lines(void **state)
{
    enum { CAPACITY = 40 };
    struct bough_test *test = *state;
    struct bough_logger_hook hook = { .least = BOUGH_INFO };
    const struct bough_log_record record = {
        .level = BOUGH_INFO, .path = "/c", .text = "line", .stream = "stdout"
    };
    const struct bough_place_spec spec = {
        .type = &bough_logger_type,
        .name = "/",
        .capacity = CAPACITY,
    };
    unsigned taken = 0;

    assert_status(bough_place_new(test->loop, &spec, &hook.logger.address), BOUGH_OK);
    assert_status(
        bough_place_start(hook.logger.address, &(struct bough_start){ 0 }, NULL),
        BOUGH_OK);
    while (bough_logger_hook_output(&hook, &record))
        taken++;
    assert_int_equal(taken, CAPACITY - CAPACITY / 4);
    bough_logger_hook_log(&hook, &record);
    struct bough_place_info info;
    assert_status(bough_place_info(hook.logger.address, &info), BOUGH_OK);
    assert_int_equal(info.mailbox_length, taken + 1);
    assert_int_equal(info.dropped, 0);
    bough_probe_end(test, hook.logger.address);
    bough_place_free(hook.logger.address, 0);
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(each_line_is_a_record_of_its_stream),
        fact(without_a_hook_lines_are_reports),
        fact(lines_come_whole_however_they_are_written),
        fact(a_nul_is_no_end),
        fact(a_line_that_is_too_long_is_cut),
        fact(what_was_written_before_the_end_is_there),
        fact(while_the_log_has_no_room_the_program_waits),
        fact(a_log_that_never_has_room_does_not_keep_an_end),
        fact(a_flood_of_output_takes_no_memory),
        fact(output_goes_to_a_file_or_nowhere),
        fact(a_pipe_that_nobody_reads_is_an_error),
        fact(a_pipe_that_is_read_is_waited_for_by_the_program_alone),
        fact(output_may_be_ours),
        fact(a_logger_of_its_own_may_be_named),
        fact(a_full_logger_takes_no_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
