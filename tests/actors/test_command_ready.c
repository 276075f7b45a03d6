/* test_command_ready.c - when a command is ready, by whatever it says or shows, and
 * whether it stays well.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <bough/tests/actors/command_subject.h>

/* A port of this process; `*fd` listens there, once it is told to. */
static int open_port(char *address, size_t size)
{
    struct sockaddr_in name = { .sin_family = AF_INET };
    socklen_t len = sizeof(name);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    snprintf(address, size, "127.0.0.1:%d", ntohs(name.sin_port));
    return fd;
}

/* Lets time pass, and what runs outside go on, for a while. */
static void pass(struct bough_test *test, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 10) {
        bough_test_advance(test, 10);
        ev_run(test->ev, EVRUN_NOWAIT);
    }
}

/* Until it is ready, or has ended. */
static void await_news(struct bough_test *test, const struct subject *subject)
{
    while (subject->watch.readies == 0 && subject->watch.exits == 0) {
        bough_test_advance(test, 10);
        ev_run(test->ev, EVRUN_NOWAIT);
        assert_true(ev_time() < test->give_up_at);
    }
}

static void assert_readies(struct bough_test *test, const struct subject *subject,
                           unsigned count)
{
    bough_test_run(test);
    assert_int_equal(subject->watch.readies, count);
    assert_int_equal(subject->watch.exits, 0);
}

static void it_is_ready_at_once_when_nothing_is_said(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exec sleep 1000", (struct bough_command_options){ 0 });
    assert_readies(test, &subject, 1);
    drop(test, &subject);
}

static void a_newline_on_its_descriptor_is_ready(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "read x; echo >&5; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .notify_fd = 5 },
                                                 .stdin_from = BOUGH_COMMAND_INPUT });
    pass(test, 100);
    assert_readies(test, &subject, 0);
    drop(test, &subject);
    start_script(test, &subject, "printf x >&5; echo >&5; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .notify_fd = 5 } });
    await_ready(test, &subject);
    drop(test, &subject);
}

static void a_descriptor_that_is_closed_is_never_ready(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exec 5>&-; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .notify_fd = 5 } });
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason,
                  "error: failed: it closed its notify_fd without a newline, and so is "
                  "never ready: correct \"ready\", or the program");
    drop(test, &subject);
}

/* Sends a line to the socket that is named in the environment. */
#define NOTIFY(text) \
    "python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX, " \
    "socket.SOCK_DGRAM); s.sendto(b\"" text "\", \"\\0\" + " \
    "os.environ[\"NOTIFY_SOCKET\"][1:]); import time; time.sleep(1000)'"

static void what_it_says_to_its_socket_is_believed(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    if (under_valgrind()) skip(); /* it answers for limits by itself */
    start_script(
        test, &subject,
        "(setsid " NOTIFY("STATUS=x\\nREADY=1") " &); "
                                                "sleep 1000",
        (struct bough_command_options){ .ready = { .when = BOUGH_READY_NOTIFY } });
    await_ready(test, &subject);
    drop(test, &subject);
}

static void what_a_stranger_says_is_not(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    char address[128] = "";

    start_script(
        test, &subject, "echo \"socket=$NOTIFY_SOCKET.\"; exec sleep 1000",
        (struct bough_command_options){ .ready = { .when = BOUGH_READY_NOTIFY } });
    await_log(test, "socket=@");
    sscanf(strstr(test->log, "socket=@"), "socket=%100[^.]", address);
    struct sockaddr_un {
        sa_family_t family;
        char path[108];
    } name = { .family = AF_UNIX };
    memcpy(name.path + 1, address + 1, strlen(address) - 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&name,
                            (socklen_t)(sizeof(sa_family_t) + strlen(address))),
                     7);
    close(fd);
    await_log(test, "is none of its own: not believed");
    assert_readies(test, &subject, 0);
    drop(test, &subject);
}

static void who_listens_is_ready(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    char address[32];
    const int port = open_port(address, sizeof(address));

    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){ .ready = { .tcp = address } });
    pass(test, 500);
    assert_readies(test, &subject, 0);
    assert_int_equal(listen(port, 5), 0);
    await_news(test, &subject);
    assert_readies(test, &subject, 1);
    close(port);
    drop(test, &subject);
}

static void a_program_may_tell(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const char *const probe[] = { "test", "-e", path_in(folder, "up"), NULL };
    struct subject subject;

    start_script(
        test, &subject, "exec sleep 1000",
        (struct bough_command_options){ .ready = { .exec = probe, .every_ms = 20 } });
    pass(test, 300);
    assert_readies(test, &subject, 0);
    write_file(path_in(folder, "up"), "", 0600);
    await_news(test, &subject);
    assert_readies(test, &subject, 1);
    drop(test, &subject);
    remove_folder(folder);
}

/* Without a limit it may be for ever. */
static void who_is_slow_to_be_ready_is_told_of(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo up; read x; echo here; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .log = "^here" },
                                                 .stdin_from = BOUGH_COMMAND_INPUT });
    pass(test, 45000);
    assert_non_null(strstr(
        test->log, "warning /c: not ready after 10 s: no line fits \"^here\"; it is "
                   "waited for, as long as \"start_timeout\" allows\n"));
    assert_non_null(strstr(test->log, "not ready after 20 s: "));
    assert_non_null(strstr(test->log, "not ready after 40 s: "));
    assert_null(strstr(test->log, "not ready after 30 s: "));
    assert_readies(test, &subject, 0);
    drop(test, &subject);
}

static void a_probe_that_cannot_run_is_not_ready(void **state)
{
    struct bough_test *test = *state;
    const char *const probe[] = { "/no/such", NULL };
    const struct bough_exit_reason late = { .kind = BOUGH_EXIT_TIMEOUT };
    struct subject subject;

    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){ .ready = { .exec = probe } });
    pass(test, 100);
    assert_readies(test, &subject, 0);
    bough_end(subject.command.address, &late);
    await_exit(test, &subject);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_TIMEOUT);
    assert_non_null(
        strstr(test->log, "warning /c: not ready: exec: program \"/no/such\" is not "
                          "there; install it, or correct its path; correct its \"ready\" "
                          "or the program, or give it a longer \"start_timeout\"\n"));
    drop(test, &subject);
}

static void a_line_may_tell(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo not yet; read x; echo up: 17 >&2; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .log = "^up: [0-9]+$" },
                                                 .stdin_from = BOUGH_COMMAND_INPUT });
    await_log(test, "not yet");
    assert_readies(test, &subject, 0);
    drop(test, &subject);
    start_script(test, &subject, "echo not yet; echo up: 17 >&2; exec sleep 1000",
                 (struct bough_command_options){ .ready = { .log = "^up: [0-9]+$" } });
    await_ready(test, &subject);
    drop(test, &subject);
}

static void who_ends_before_it_is_ready_has_ended(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exit 4",
                 (struct bough_command_options){ .ready = { .log = "never" } });
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "exit 4");
    assert_int_equal(subject.watch.readies, 0);
    drop(test, &subject);
}

static void who_is_stopped_before_it_is_ready_ends(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){ .ready = { .tcp = "127.0.0.1:1" } });
    pass(test, 50);
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "shutdown");
    drop(test, &subject);
}

/* Health */

static void who_does_not_answer_any_more_is_unhealthy(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    char address[32];
    const int port = open_port(address, sizeof(address));

    assert_int_equal(listen(port, 50), 0);
    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){
                     .health = { .tcp = address, .every_ms = 50, .threshold = 4 } });
    pass(test, 1000);
    assert_readies(test, &subject, 1);
    close(port);
    while (subject.watch.exits == 0) {
        bough_test_advance(test, 10);
        ev_run(test->ev, EVRUN_NOWAIT);
    }
    assert_reason(&subject.watch.reason,
                  "error: failed: unhealthy: no connection: Connection refused (4 of 4 "
                  "looks)");
    drop(test, &subject);
}

static void a_good_look_forgets_the_bad_ones(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    char script[256];
    const char *const probe[] = { "sh", "-c", script, NULL };
    struct subject subject;

    /* Bad, bad, good, bad, bad, good ... */
    snprintf(script, sizeof(script),
             "n=$(cat %s/n); n=$((n + 1)); echo $n > %s/n; [ $((n %% 3)) = 0 ]", folder,
             folder);
    write_file(path_in(folder, "n"), "0\n", 0600);
    start_script(
        test, &subject, "exec sleep 1000",
        (struct bough_command_options){ /* Virtual time is faster than a shell. */
                                        .health = { .exec = probe,
                                                    .every_ms = 10,
                                                    .timeout_ms = 24 * 3600 * 1000,
                                                    .threshold = 3 } });
    for (long n = 0; n < 12;) {
        char *text = read_whole(path_in(folder, "n"));
        n = strtol(text, NULL, 10);
        free(text);
        pass(test, 10);
        assert_int_equal(subject.watch.exits, 0);
        assert_true(ev_time() < test->give_up_at);
    }
    drop(test, &subject);
    remove_folder(folder);
}

static void addresses_are_read(void **state)
{
    static const char *const good[] = { "1.2.3.4:1", "[::1]:65535", "localhost:80" };
    static const char *const bad[] = {
        "",        "80",         ":80",           "1.2.3:80", "a.b:80",
        "1.2.3.4", "1.2.3.4:0",  "1.2.3.4:65536", "::1:80",   "[::1]",
        "[::1:80", "1.2.3.4:8 ", "1.2.3.4:-1"
    };
    const char *const run[] = { "true", NULL };
    struct bough_command_options options = { .run = run };

    (void)state;
    for (size_t i = 0; i < bough_count_of(good); i++) {
        options.ready.tcp = good[i];
        assert_status(bough_command_type.check_options(&options, NULL), BOUGH_OK);
    }
    for (size_t i = 0; i < bough_count_of(bad); i++) {
        options.ready.tcp = bad[i];
        if (bough_command_type.check_options(&options, NULL) == BOUGH_OK)
            fail_msg("\"%s\" is taken for an address", bad[i]);
    }
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(it_is_ready_at_once_when_nothing_is_said),
        fact(a_newline_on_its_descriptor_is_ready),
        fact(a_descriptor_that_is_closed_is_never_ready),
        fact(what_it_says_to_its_socket_is_believed),
        fact(what_a_stranger_says_is_not),
        fact(who_listens_is_ready),
        fact(a_program_may_tell),
        fact(who_is_slow_to_be_ready_is_told_of),
        fact(a_probe_that_cannot_run_is_not_ready),
        fact(a_line_may_tell),
        fact(who_ends_before_it_is_ready_has_ended),
        fact(who_is_stopped_before_it_is_ready_ends),
        fact(who_does_not_answer_any_more_is_unhealthy),
        fact(a_good_look_forgets_the_bad_ones),
        cmocka_unit_test(addresses_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
