/* test_logger.c - what is logged is in the file, and none of it is lost in order.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/logger.h>

#include <bough/core/place.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/probe.h>

#define STAMP "2026-01-31T12:00:00.000Z"

static const char *folder;
static int stderr_fd;

static int setup(void **state)
{
    folder = make_folder();
    stderr_fd = capture_stderr(path_in(folder, "stderr"));
    return bough_test_setup(state);
}

static int teardown(void **state)
{
    int result = bough_test_teardown(state);

    restore_stderr(stderr_fd);
    remove_folder(folder);
    return result;
}

struct subject {
    struct bough_logger logger;
    struct bough_probe_watch watch;
};

static void start(struct bough_test *test, struct subject *subject,
                  struct bough_logger_options options)
{
    if (!options.file) options.file = path_in(folder, "log");
    bough_probe_watch_init(&subject->watch, NULL);
    assert_status(bough_logger_spawn(test->loop, &options, &subject->watch.watch,
                                     &subject->logger, NULL),
                  BOUGH_OK);
}

static void stop(struct bough_test *test, struct subject *subject)
{
    bough_stop(subject->logger.address);
    bough_test_run(test);
    assert_int_equal(subject->watch.exits, 1);
}

static enum bough_status say(const struct subject *subject, enum bough_log_level level,
                             const char *text)
{
    const struct bough_log_record record = { .level = level, .path = "/a", .text = text };

    return bough_logger_log(subject->logger, &record, NULL, 0);
}

static void assert_file(const char *name, const char *expected)
{
    char *text = read_whole(path_in(folder, name));

    assert_string_equal(text, expected);
    free(text);
}

static void a_record_is_a_line_with_its_fields(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    const struct bough_log_record record = {
        .level = BOUGH_ERROR,
        .realtime_ns = BOUGH_TEST_REALTIME_NS + 1500 * INT64_C(1000000),
        .path = "/jobs",
        .text = "it broke",
    };
    const struct bough_log_pair pairs[] = { { "work_id", "a 1" }, { "empty", "" } };

    start(test, &subject, (struct bough_logger_options){ 0 });
    assert_status(bough_logger_log(subject.logger, &record, pairs, 2), BOUGH_OK);
    bough_test_run(test);
    assert_file("log", "2026-01-31T12:00:01.500Z error /jobs: it broke work_id=\"a 1\" "
                       "empty=\"\"\n");
    stop(test, &subject);
}

static void a_record_without_a_time_has_the_runtimes(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ 0 });
    bough_test_advance(test, 250);
    assert_status(say(&subject, BOUGH_INFO, "now"), BOUGH_OK);
    bough_test_run(test);
    assert_file("log", "2026-01-31T12:00:00.250Z info /a: now\n");
    stop(test, &subject);
}

static void json_has_an_object_a_line(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ .format = BOUGH_LOGGER_JSON });
    assert_status(say(&subject, BOUGH_INFO, "now"), BOUGH_OK);
    bough_test_run(test);
    assert_file("log", "{\"time\":\"" STAMP "\",\"level\":\"info\",\"path\":\"/a\","
                       "\"text\":\"now\",\"fields\":{}}\n");
    stop(test, &subject);
}

static void assert_written(struct bough_test *test, int level, const char *expected)
{
    struct subject subject;

    unlink(path_in(folder, "log"));
    start(test, &subject, (struct bough_logger_options){ .level = level });
    for (int i = 0; i < BOUGH_LEVEL_COUNT; i++) {
        assert_status(say(&subject, (enum bough_log_level)i, "x"), BOUGH_OK);
    }
    stop(test, &subject);
    assert_file("log", expected);
}

static void what_is_under_the_level_is_left_out(void **state)
{
    struct bough_test *test = *state;

    assert_written(test, BOUGH_LOGGER_DEBUG,
                   STAMP " debug /a: x\n" STAMP " info /a: x\n" STAMP
                         " warning /a: x\n" STAMP " error /a: x\n");
    assert_written(test, BOUGH_LOGGER_INFO,
                   STAMP " info /a: x\n" STAMP " warning /a: x\n" STAMP " error /a: x\n");
    assert_written(test, BOUGH_LOGGER_WARNING,
                   STAMP " warning /a: x\n" STAMP " error /a: x\n");
    assert_written(test, BOUGH_LOGGER_ERROR, STAMP " error /a: x\n");
}

static void without_a_file_it_writes_to_stderr(void **state)
{
    struct bough_test *test = *state;
    struct bough_logger logger;
    const struct bough_log_record record = { .level = BOUGH_INFO,
                                             .path = "",
                                             .text = "x" };

    assert_status(bough_logger_spawn(test->loop, NULL, NULL, &logger, NULL), BOUGH_OK);
    assert_status(bough_logger_log(logger, &record, NULL, 0), BOUGH_OK);
    bough_stop(logger.address);
    bough_test_run(test);
    assert_file("stderr", STAMP " info x\n");
}

static void a_level_that_is_none_is_refused(void **state)
{
    struct bough_test *test = *state;
    const struct bough_message_type *type = &bough_logger_type.messages[0];
    const struct bough_field *level =
        bough_field_find(type->fields, type->field_count, "level");
    _Alignas(max_align_t) unsigned char message[256] = { 0 };
    struct bough_probe_call call;
    struct subject subject;

    memcpy(message + level->offset, &(int){ 99 }, sizeof(int));
    start(test, &subject, (struct bough_logger_options){ 0 });
    bough_probe_call_init(&call);
    bough_call_start(&call.call, subject.logger.address, message,
                     bough_logger_type.message_size, NULL, 0);
    bough_test_run(test);
    assert_status(call.status, BOUGH_EINVALID);
    assert_string_equal(call.text, "no such level");
    stop(test, &subject);
}

static void what_waits_is_written_before_the_end(void **state)
{
    enum { LINES = 1000 };
    struct bough_test *test = *state;
    struct subject subject;
    size_t lines = 0;

    start(test, &subject, (struct bough_logger_options){ 0 });
    for (int i = 0; i < LINES; i++) {
        assert_status(say(&subject, BOUGH_INFO, "x"), BOUGH_OK);
    }
    stop(test, &subject);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    char *text = read_whole(path_in(folder, "log"));
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    free(text);
    assert_int_equal(lines, LINES);
}

static void an_end_that_cannot_write_is_an_error(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ .file = "/dev/full" });
    assert_status(say(&subject, BOUGH_INFO, "x"), BOUGH_OK);
    stop(test, &subject);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_ERROR);
    assert_string_equal(subject.watch.reason.text,
                        "cannot write log file \"/dev/full\": No space left on device");
    assert_file("stderr", "bough: log file \"/dev/full\": cannot write, will try again: "
                          "No space left on device\n"
                          "bough: log file \"/dev/full\": the last lines could not be "
                          "written: No space left on device\n");
}

static void a_file_that_cannot_be_opened_fails_the_start(void **state)
{
    struct bough_test *test = *state;
    const struct bough_logger_options options = { .file = "/no/such/log" };
    struct bough_exit_reason failure;
    struct bough_logger logger;

    assert_status(bough_logger_spawn(test->loop, &options, NULL, &logger, &failure),
                  BOUGH_ESYSTEM);
    assert_string_equal(failure.text, "cannot open log file \"/no/such/log\": "
                                      "No such file or directory");
}

static void a_rotation_out_of_range_fails_the_start(void **state)
{
    struct bough_test *test = *state;
    struct bough_logger_options options = { .rotate = { .size = -1 } };
    struct bough_exit_reason failure;
    struct bough_logger logger;

    assert_status(bough_logger_spawn(test->loop, &options, NULL, &logger, &failure),
                  BOUGH_EINVALID);
    assert_string_equal(failure.text, "rotate: size and keep must be over 0");
    options.rotate = (struct bough_logger_rotate){ .size = 10, .keep = -1 };
    assert_status(bough_logger_spawn(test->loop, &options, NULL, &logger, NULL),
                  BOUGH_EINVALID);
}

static void flush_answers_when_it_is_written(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call call;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ 0 });
    bough_probe_call_init(&call);
    assert_status(say(&subject, BOUGH_INFO, "x"), BOUGH_OK);
    bough_logger_flush(subject.logger, &call.call);
    assert_status(say(&subject, BOUGH_INFO, "y"), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    stop(test, &subject);
}

static void flush_says_when_it_cannot_be_written(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call call;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ .file = "/dev/full" });
    bough_probe_call_init(&call);
    assert_status(say(&subject, BOUGH_INFO, "x"), BOUGH_OK);
    bough_logger_flush(subject.logger, &call.call);
    bough_test_run(test);
    assert_status(call.status, BOUGH_ESYSTEM);
    assert_string_equal(call.text,
                        "cannot write log file \"/dev/full\": No space left on device");
    bough_kill(subject.logger.address);
    bough_test_run(test);
}

static void reopen_follows_the_path(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ 0 });
    assert_status(say(&subject, BOUGH_INFO, "old"), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(rename(path_in(folder, "log"), path_in(folder, "moved")), 0);
    assert_status(bough_logger_reopen(subject.logger), BOUGH_OK);
    assert_status(say(&subject, BOUGH_INFO, "new"), BOUGH_OK);
    stop(test, &subject);
    assert_file("moved", STAMP " info /a: old\n");
    assert_file("log", STAMP " info /a: new\n");
}

static void the_file_is_rotated(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject, (struct bough_logger_options){ .rotate = { .size = 64 } });
    for (int i = 0; i < 8; i++) {
        assert_status(say(&subject, BOUGH_INFO, "about half of a file"), BOUGH_OK);
    }
    stop(test, &subject);
    assert_int_equal(access(path_in(folder, "log.5"), F_OK), 0);
    assert_int_not_equal(access(path_in(folder, "log.6"), F_OK), 0);
}

/* A named pipe with nothing read from it yet: full after 64 KiB. */
static int start_on_pipe(struct bough_test *test, struct subject *subject)
{
    const char *path = path_in(folder, "pipe");

    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    start(test, subject, (struct bough_logger_options){ .file = path });
    return reader;
}

/* Reads until nothing has come for two retries; counts lines, and whether one tells of
 * lost ones. */
static size_t read_lines(struct bough_test *test, int reader, bool *lost)
{
    static char bytes[64 * 1024 + 1];
    size_t lines = 0;
    ssize_t got;

    *lost = false;
    for (int quiet = 0; quiet < 2; quiet++) {
        while ((got = read(reader, bytes, sizeof(bytes) - 1)) > 0) {
            bytes[got] = '\0';
            *lost = *lost || strstr(bytes, "lines could not be written");
            for (const char *at = bytes; (at = strchr(at, '\n')); at++) {
                lines++;
            }
            quiet = 0;
        }
        bough_test_advance(test, 1000);
    }
    return lines;
}

static void lines_that_could_not_be_written_are_tried_again(void **state)
{
    enum { LINES = 200 };
    struct bough_test *test = *state;
    struct subject subject;
    char text[1024];
    bool lost;
    int reader = start_on_pipe(test, &subject);

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < LINES; i++) {
        assert_status(say(&subject, BOUGH_INFO, text), BOUGH_OK);
    }
    bough_test_run(test);
    assert_int_equal(read_lines(test, reader, &lost), LINES);
    assert_false(lost);
    stop(test, &subject);
    close(reader);
}

static void lines_that_were_lost_are_counted_in_the_log(void **state)
{
    enum { LINES = 2000 };
    struct bough_test *test = *state;
    struct subject subject;
    char text[1024];
    bool lost;
    int reader = start_on_pipe(test, &subject);

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < LINES; i++) {
        assert_status(say(&subject, BOUGH_INFO, text), BOUGH_OK);
        bough_test_run(test);
    }
    assert_in_range(read_lines(test, reader, &lost), 900, LINES - 1);
    assert_true(lost);
    stop(test, &subject);
    close(reader);
}

/* The hook */

struct hooked {
    struct bough_address place;
    struct bough_logger_hook hook;
};

static void make_hooked(struct bough_test *test, struct hooked *hooked, uint32_t capacity)
{
    const struct bough_logger_options options = { .file = path_in(folder, "log") };
    const struct bough_place_spec spec = {
        .type = &bough_logger_type,
        .options = &options,
        .parent = BOUGH_NOBODY,
        .name = "/",
        .capacity = capacity,
    };

    assert_status(bough_place_new(test->loop, &spec, &hooked->place), BOUGH_OK);
    hooked->hook = (struct bough_logger_hook){ .logger = { hooked->place } };
    bough_runtime_set_log(test->runtime, bough_logger_hook_log, &hooked->hook);
}

static void start_hooked(struct hooked *hooked)
{
    assert_status(bough_place_start(hooked->place, &(struct bough_start){ 0 }, NULL),
                  BOUGH_OK);
}

static void the_hook_writes_through_the_logger_while_it_runs(void **state)
{
    struct bough_test *test = *state;
    struct hooked hooked;

    make_hooked(test, &hooked, 0);
    bough_log(test->runtime, BOUGH_INFO, "/b", "before");
    start_hooked(&hooked);
    bough_log(test->runtime, BOUGH_INFO, "/b", "while");
    bough_test_run(test);
    bough_stop(hooked.place);
    bough_test_run(test);
    bough_log(test->runtime, BOUGH_INFO, "/b", "after");
    assert_file("log", STAMP " info /b: while\n");
    assert_file("stderr", STAMP " info /b: before\n" STAMP " info /b: after\n");
    bough_place_free(hooked.place, 0);
    bough_log(test->runtime, BOUGH_INFO, "/b", "later");
}

/* The refused send is itself reported, as a dead letter, through the same hook. */
static void what_the_logger_cannot_take_goes_to_stderr(void **state)
{
    struct bough_test *test = *state;
    struct hooked hooked;

    make_hooked(test, &hooked, 1);
    start_hooked(&hooked);
    bough_log(test->runtime, BOUGH_INFO, "/b", "first");
    bough_log(test->runtime, BOUGH_INFO, "/b", "second");
    bough_test_run(test);
    assert_file("log", STAMP " info /b: first\n");
    assert_file("stderr", STAMP " warning /: 1 message could not be delivered\n" STAMP
                                " info /b: second\n");
    bough_stop(hooked.place);
    bough_test_run(test);
    bough_place_free(hooked.place, 0);
}

#define fact(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_record_is_a_line_with_its_fields),
        fact(a_record_without_a_time_has_the_runtimes),
        fact(json_has_an_object_a_line),
        fact(what_is_under_the_level_is_left_out),
        fact(without_a_file_it_writes_to_stderr),
        fact(a_level_that_is_none_is_refused),
        fact(what_waits_is_written_before_the_end),
        fact(an_end_that_cannot_write_is_an_error),
        fact(a_file_that_cannot_be_opened_fails_the_start),
        fact(a_rotation_out_of_range_fails_the_start),
        fact(flush_answers_when_it_is_written),
        fact(flush_says_when_it_cannot_be_written),
        fact(reopen_follows_the_path),
        fact(the_file_is_rotated),
        fact(lines_that_could_not_be_written_are_tried_again),
        fact(lines_that_were_lost_are_counted_in_the_log),
        fact(the_hook_writes_through_the_logger_while_it_runs),
        fact(what_the_logger_cannot_take_goes_to_stderr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
