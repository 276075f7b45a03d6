/* test_stderr.c - what is written to stderr while nobody reads it.
 *
 * Nothing is waited for: poll() here is a reader that has not read in time, whatever it
 * was asked, unless there is room at once.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <bough/core/log.h>
#include <bough/tests/support/fixture.h>

static unsigned waits; /* how often somebody was ready to wait */

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const struct timespec at_once = { 0 };

    if (timeout_ms != 0) waits++;
    return (int)syscall(SYS_ppoll, fds, count, &at_once, NULL, 0);
}

struct stream {
    int reads, kept; /* what the test reads from, and stderr as it was */
};

static void take_stderr(struct stream *stream, int reads, int writes)
{
    waits = 0;
    stream->reads = reads;
    stream->kept = dup(STDERR_FILENO);
    assert_true(stream->kept >= 0);
    assert_int_equal(dup2(writes, STDERR_FILENO), STDERR_FILENO);
    close(writes);
    fcntl(reads, F_SETFL, O_NONBLOCK);
}

static void give_back(struct stream *stream)
{
    assert_int_equal(dup2(stream->kept, STDERR_FILENO), STDERR_FILENO);
    close(stream->kept);
    close(stream->reads);
}

static void take_pipe(struct stream *stream)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    take_stderr(stream, ends[0], ends[1]);
}

static void take_socket(struct stream *stream)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    take_stderr(stream, ends[0], ends[1]);
}

static void take_terminal(struct stream *stream)
{
    int master, slave;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    take_stderr(stream, master, slave);
}

static void fill(void)
{
    static char bytes[4096];

    memset(bytes, '.', sizeof(bytes));
    for (int i = 0; i < 100000; i++) {
        if (bough_stderr_write(bytes, sizeof(bytes)) < 0) {
            assert_int_equal(errno, EAGAIN);
            return;
        }
    }
    fail_msg("it takes all there is");
}

/* What has been written, without the dots of fill(). The caller frees it. */
static char *read_all(const struct stream *stream)
{
    char *text = calloc(1, 1 << 20), bytes[4096];
    size_t len = 0;
    ssize_t count;

    assert_non_null(text);
    while ((count = read(stream->reads, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (bytes[i] != '.' && bytes[i] != '\r') text[len++] = bytes[i];
        }
    }
    return text;
}

static void say(const char *text)
{
    const struct bough_log_record record = { .level = BOUGH_INFO,
                                             .path = "/a",
                                             .text = text };

    bough_log_stderr(NULL, &record);
}

/* Times are those of 1970, with their dots left out. */
#define TIME "1970-01-01T00:00:00000Z"

static void assert_reads(const struct stream *stream, const char *expected)
{
    char *text = read_all(stream);

    assert_string_equal(text, expected);
    free(text);
}

static void nobody_is_waited_for_twice(struct stream *stream)
{
    say("before");
    fill();
    const unsigned before = waits;

    assert_true(before > 0);
    say("while it is full");
    say("the same");
    assert_int_equal(waits, before);

    char *text = read_all(stream);
    assert_memory_equal(text, TIME " info /a: before\n",
                        strlen(TIME " info /a: before\n"));
    free(text);
    say("after");
    assert_reads(stream,
                 TIME " warning 2 lines could not be written\n" TIME " info /a: after\n");
    /* It reads again: so it is waited for again. */
    fill();
    assert_true(waits > before);
    say("once more");
    free(read_all(stream));
    say("the last");
    assert_reads(stream, TIME " warning 1 line could not be written\n" TIME
                              " info /a: the last\n");
}

static void a_full_pipe_holds_nobody_up(void **state)
{
    struct stream stream;

    (void)state;
    take_pipe(&stream);
    nobody_is_waited_for_twice(&stream);
    give_back(&stream);
}

static void a_full_socket_holds_nobody_up(void **state)
{
    struct stream stream;

    (void)state;
    take_socket(&stream);
    nobody_is_waited_for_twice(&stream);
    give_back(&stream);
}

static void a_terminal_that_is_not_read_holds_nobody_up(void **state)
{
    struct stream stream;

    (void)state;
    take_terminal(&stream);
    nobody_is_waited_for_twice(&stream);
    give_back(&stream);
}

/* Ctrl-S. */
static void a_stopped_terminal_holds_nobody_up(void **state)
{
    struct stream stream;

    (void)state;
    take_terminal(&stream);
    assert_int_equal(tcflow(STDERR_FILENO, TCOOFF), 0);
    say("stopped");
    assert_int_equal(waits, 1);
    assert_int_equal(tcflow(STDERR_FILENO, TCOON), 0);
    say("on it goes");
    assert_reads(&stream, TIME " warning 1 line could not be written\n" TIME
                               " info /a: on it goes\n");
    give_back(&stream);
}

/* The flags of a descriptor are those of all who have it. */
static void others_may_wait_as_before(void **state)
{
    struct stream stream;

    (void)state;
    take_pipe(&stream);
    fill();
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
    give_back(&stream);
}

static void a_line_that_was_cut_has_its_own_line(void **state)
{
    static char text[BOUGH_OUTPUT_LINE - 1];
    struct stream stream;
    char page[PIPE_BUF];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    take_pipe(&stream);
    fill();
    assert_int_equal(read(stream.reads, page, sizeof(page)), sizeof(page));
    say(text);

    char *all = read_all(&stream);
    assert_true(strlen(all) > 3000 && strlen(all) <= PIPE_BUF);
    assert_null(strchr(all, '\n'));
    free(all);
    say("after");
    assert_reads(&stream, "\n" TIME " warning 1 line could not be written\n" TIME
                          " info /a: after\n");
    give_back(&stream);
}

static void a_long_line_is_written_whole(void **state)
{
    static char text[BOUGH_OUTPUT_LINE];
    struct stream stream;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    take_pipe(&stream);
    say(text);

    char *all = read_all(&stream);
    assert_int_equal(strlen(all), strlen(TIME " info /a: \n") + sizeof(text) - 1);
    free(all);
    give_back(&stream);
}

static void one_that_is_gone_is_an_error_and_no_signal(void **state)
{
    struct stream stream;
    sigset_t pending;

    (void)state;
    take_pipe(&stream);
    close(stream.reads);
    assert_int_equal(bough_stderr_write("x", 1), -1);
    assert_int_equal(errno, EPIPE);
    stream.reads = dup(STDERR_FILENO);
    give_back(&stream);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
}

static void no_stderr_at_all_is_an_error(void **state)
{
    const int kept = dup(STDERR_FILENO);

    (void)state;
    close(STDERR_FILENO);
    const ssize_t written = bough_stderr_write("x", 1);
    const int error = errno;
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(written, -1);
    assert_int_equal(error, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_holds_nobody_up),
        cmocka_unit_test(a_full_socket_holds_nobody_up),
        cmocka_unit_test(a_terminal_that_is_not_read_holds_nobody_up),
        cmocka_unit_test(a_stopped_terminal_holds_nobody_up),
        cmocka_unit_test(others_may_wait_as_before),
        cmocka_unit_test(a_line_that_was_cut_has_its_own_line),
        cmocka_unit_test(a_long_line_is_written_whole),
        cmocka_unit_test(one_that_is_gone_is_an_error_and_no_signal),
        cmocka_unit_test(no_stderr_at_all_is_an_error),
    };
    return cmocka_run_group_tests_name("core/stderr", tests, NULL, NULL);
}
