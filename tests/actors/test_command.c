/* test_command.c - an actor that is a program: its life, its ways, what it can be told.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <bough/tests/actors/command_subject.h>

static const struct bough_command_options plain;

/* Ends */

static void the_end_of_the_program_is_the_end_of_the_actor(void **state)
{
    struct bough_exit_reason reason = run_script(*state, "exit 0", plain);

    assert_reason(&reason, "normal");
}

static void an_exit_code_is_the_reason_with_its_last_words(void **state)
{
    struct bough_exit_reason reason =
        run_script(*state, "echo first >&2; echo not found >&2; echo x; exit 3", plain);

    assert_reason(&reason, "exit 3: not found");
}

static void a_signal_is_the_reason(void **state)
{
    struct bough_exit_reason reason = run_script(*state, "kill -USR1 $$", plain);

    assert_reason(&reason, "signal USR1");
}

static void who_is_stopped_ends_by_the_stop_signal(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exec sleep 1000", plain);
    await_ready(test, &subject);
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "shutdown");
    drop(test, &subject);
}

static void another_signal_may_stop_it(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject,
                 "trap '' TERM; trap 'exit 0' HUP; echo up; "
                 "while :; do sleep 0.01; done",
                 (struct bough_command_options){ .stop_signal = "SIGHUP" });
    await_log(test, "up");
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "shutdown");
    drop(test, &subject);
}

static void an_end_with_a_code_is_no_shutdown(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject,
                 "trap 'echo no >&2; exit 5' TERM; echo up; "
                 "while :; do sleep 0.01; done",
                 plain);
    await_log(test, "up");
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "exit 5: no");
    drop(test, &subject);
}

static void a_program_may_do_the_stopping(void **state)
{
    const char *const stop[] = { "sh", "-c", "kill -USR2 $MAINPID", NULL };
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject,
                 "trap 'exit 0' USR2; echo up; "
                 "while :; do sleep 0.01; done",
                 (struct bough_command_options){ .stop_command = stop });
    await_log(test, "up");
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "shutdown");
    drop(test, &subject);
}

static void where_that_fails_the_signal_is_sent(void **state)
{
    static const char *const stops[][2] = { { "false", NULL }, { "/no/such", NULL } };
    struct bough_test *test = *state;

    for (size_t i = 0; i < bough_count_of(stops); i++) {
        struct subject subject;

        start_script(test, &subject, "exec sleep 1000",
                     (struct bough_command_options){ .stop_command = stops[i] });
        bough_stop(subject.command.address);
        await_exit(test, &subject);
        assert_reason(&subject.watch.reason, "shutdown");
        drop(test, &subject);
    }
    assert_non_null(strstr(test->log, "warning /c: stop_command failed, its signal is "
                                      "sent instead\n"));
    assert_non_null(strstr(test->log, "warning /c: stop_command: program \"/no/such\" is "
                                      "not there"));
}

/* Starts that fail */

static void assert_no_start(struct bough_test *test,
                            const struct bough_command_options *options,
                            enum bough_status status, const char *text)
{
    struct subject subject;

    assert_status(try_start(test, &subject, options), status);
    assert_string_equal(subject.failure.text, text);
    drop(test, &subject);
}

static void a_program_that_is_missing_is_a_failed_start(void **state)
{
    const char *const name[] = { "bough-has-no-such", NULL };
    const char *const path[] = { "/no/such", NULL };

    assert_no_start(*state, &(struct bough_command_options){ .run = name },
                    BOUGH_ENOTFOUND,
                    "program \"bough-has-no-such\" was not found in PATH; install it, or "
                    "give its whole path");
    assert_no_start(*state, &(struct bough_command_options){ .run = path },
                    BOUGH_ENOTFOUND,
                    "program \"/no/such\" is not there; install it, or correct its path");
}

static void one_that_is_not_executable_is_a_failed_start(void **state)
{
    const char *const run[] = { "/etc/passwd", NULL };

    assert_no_start(*state, &(struct bough_command_options){ .run = run }, BOUGH_EDENIED,
                    "program \"/etc/passwd\" is not executable; chmod +x it, or correct "
                    "its name");
}

static void what_cannot_be_had_is_a_failed_start(void **state)
{
    const char *const run[] = { "true", NULL };

    if (under_valgrind()) skip(); /* shares no memory with the child */
    assert_no_start(
        *state, &(struct bough_command_options){ .run = run, .cwd = "/no" },
        BOUGH_ESYSTEM,
        "cannot enter \"/no\"; make it, or correct \"cwd\": No such file or directory");
    assert_no_start(
        *state,
        &(struct bough_command_options){ .run = run, .stdout_to = { .file = "/no/x" } },
        BOUGH_ESYSTEM,
        "cannot open \"/no/x\" for what it writes: No such file or "
        "directory");
    assert_no_start(*state,
                    &(struct bough_command_options){ .run = run, .user = "bough-no" },
                    BOUGH_ENOTFOUND, "there is no user \"bough-no\"");
    assert_no_start(
        *state, &(struct bough_command_options){ .run = run, .env_file = "/no/x" },
        BOUGH_ESYSTEM, "env_file \"/no/x\" cannot be read: No such file or directory");
    assert_no_start(*state,
                    &(struct bough_command_options){ .run = run, .logger = "no path" },
                    BOUGH_EINVALID, "logger \"no path\": the value is not allowed");
}

static void options_that_do_not_go_together_are_refused(void **state)
{
    const char *const run[] = { "true", "x", NULL }, *const none[] = { NULL };
    const char *const odd[] = { "A=B", "x", NULL };
    const struct {
        struct bough_command_options options;
        const char *text;
    } rows[] = {
        { { .run = NULL }, "\"run\" needs a program" },
        { { .run = none }, "\"run\" needs a program" },
        { { .run = run, .shell = true },
          "with \"shell\", \"run\" is one string, the script; without it, a program and "
          "its arguments" },
        { { .run = run, .env = odd }, "\"A=B\" is no name of a variable" },
        { { .run = run, .umask = "8" },
          "\"umask\" must be octal, \"000\" to \"777\", not \"8\"" },
        { { .run = run, .umask = "" },
          "\"umask\" must be octal, \"000\" to \"777\", not \"\"" },
        { { .run = run, .nice = 21 }, "\"nice\" must be from -20 to 19" },
        { { .run = run, .stop_signal = "FOO" },
          "\"FOO\" is no signal; it must be a name such as \"TERM\", or a number" },
        { { .run = run, .ready = { .tcp = "x", .log = "y" } },
          "\"ready\" is one of \"notify_fd\", \"tcp\", \"exec\" and \"log\"" },
        { { .run = run, .ready = { .tcp = "127.0.0.1" } },
          "\"tcp\" must be an address and a port, such as \"127.0.0.1:8080\" or "
          "\"[::1]:8080\", not \"127.0.0.1\"" },
        { { .run = run, .ready = { .log = "(" } },
          "\"(\" is no regular expression: Unmatched ( or \\(" },
        { { .run = run,
            .ready = { .log = "x" },
            .stdout_to = { .to = BOUGH_TO_NULL },
            .stderr_to = { .file = "x" } },
          "nothing that it writes is seen: \"stdout\" or \"stderr\" must be \"log\"" },
        { { .run = run, .ready = { .every_ms = 5 } },
          "\"every\" goes with \"tcp\" and \"exec\" only" },
        { { .run = run, .health = { .every_ms = 5 } },
          "\"health\" needs one of \"tcp\" and \"exec\"" },
        { { .run = run, .rlimits = { .files = 3 } },
          "the rlimit files, 3, is not in 16 to 1073741824" },
    };

    for (size_t i = 0; i < bough_count_of(rows); i++)
        assert_no_start(*state, &rows[i].options, BOUGH_EINVALID, rows[i].text);
}

/* Ways */

static void its_environment_is_ours_the_files_and_its_own(void **state)
{
    struct bough_test *test = *state;
    const char *folder = make_folder();
    const char *const env[] = { "TWO", "env", "THREE", "env", NULL };

    write_file(path_in(folder, "env"),
               "# a comment\n\n  ONE=file \nexport=x\nTWO=file\nQUOTED=\" a b \"\r\n",
               0600);
    setenv("ONE", "own", 1);
    setenv("FOUR", "own", 1);
    setenv("NOTIFY_SOCKET", "@systemd", 1);
    run_script(
        test, "echo \"$ONE,$TWO,$THREE,$FOUR,$QUOTED,$NOTIFY_SOCKET,$export.\"",
        (struct bough_command_options){ .env = env, .env_file = path_in(folder, "env") });
    run_script(test, "echo \"$ONE,$FOUR,${PATH:+path}.\"",
               (struct bough_command_options){ .clear_env = true });
    unsetenv("ONE");
    unsetenv("FOUR");
    unsetenv("NOTIFY_SOCKET");
    assert_non_null(strstr(test->log, "info /c: file,env,env,own, a b ,,x.\n"));
    assert_non_null(strstr(test->log, "info /c: ,,path.\n"));
    remove_folder(folder);
}

static void a_secret_is_in_no_sentence(void **state)
{
    const char *folder = make_folder();
    const char *const run[] = { "true", NULL };
    char expected[256];

    write_file(path_in(folder, "env"), "A=1\nS3CRET without a name\n", 0600);
    snprintf(expected, sizeof(expected), "env_file \"%s\": line 2 is not NAME=VALUE",
             path_in(folder, "env"));
    assert_no_start(
        *state,
        &(struct bough_command_options){ .run = run, .env_file = path_in(folder, "env") },
        BOUGH_EINVALID, expected);
    write_file(path_in(folder, "env"), "1A=S3CRET\n", 0600);
    snprintf(expected, sizeof(expected), "env_file \"%s\": line 1 is not NAME=VALUE",
             path_in(folder, "env"));
    assert_no_start(
        *state,
        &(struct bough_command_options){ .run = run, .env_file = path_in(folder, "env") },
        BOUGH_EINVALID, expected);
    remove_folder(folder);
}

static void it_runs_where_and_as_it_is_told(void **state)
{
    struct bough_test *test = *state;

    run_script(
        test, "echo $(pwd) $(umask) $(nice)",
        (struct bough_command_options){ .cwd = "/usr", .umask = "027", .nice = 5 });
    assert_non_null(strstr(test->log, "info /c: /usr 0027 5\n"));
}

static void it_runs_as_another_user(void **state)
{
    struct bough_test *test = *state;

    if (geteuid() != 0 || under_valgrind()) skip();
    run_script(test, "echo $(id -un) $(id -gn) $USER $HOME",
               (struct bough_command_options){ .user = "nobody" });
    assert_non_null(strstr(test->log, "info /c: nobody nogroup nobody /nonexistent\n"));
}

static void its_limits_are_applied(void **state)
{
    struct bough_test *test = *state;

    if (under_valgrind()) skip(); /* it has limits of its own */
    run_script(test, "echo files $(ulimit -n)",
               (struct bough_command_options){ .rlimits = { .files = 99 } });
    assert_non_null(strstr(test->log, "info /c: files 99\n"));
}

static void a_session_of_its_own_and_no_descriptors(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    struct subject subject;

    start(test, &subject, &(struct bough_command_options){ .run = run });
    const pid_t pid = (pid_t)status_of(test, &subject).pid;
    struct bough_place_info info;
    assert_status(bough_place_info(subject.command.address, &info), BOUGH_OK);
    assert_int_equal(info.pid, pid);
    assert_int_equal(getsid(pid), pid);
    drop(test, &subject);
}

/* Messages */

static void signals_are_sent(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question good, bad;

    start_script(test, &subject,
                 "trap 'echo caught' HUP; echo up; "
                 "while :; do sleep 0.01; done",
                 plain);
    await_log(test, "up");
    question_init(&good);
    question_init(&bad);
    bough_command_signal(subject.command, "HUP", &good.ask);
    bough_command_signal(subject.command, "HUPP", &bad.ask);
    await_answer(test, &bad);
    await_log(test, "caught");
    assert_status(good.status, BOUGH_OK);
    assert_status(bad.status, BOUGH_EINVALID);
    assert_string_equal(bad.text, "\"HUPP\" is no signal; it must be a name such as "
                                  "\"HUP\", or a number");
    drop(test, &subject);
}

static void input_is_written_to_its_stdin(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question first, last, late;

    start_script(test, &subject, "cat; echo end",
                 (struct bough_command_options){ .stdin_from = BOUGH_COMMAND_INPUT });
    question_init(&first);
    question_init(&last);
    question_init(&late);
    bough_command_input(subject.command, "one\ntw", 6, false, &first.ask);
    bough_command_input(subject.command, "o\n", 2, true, &last.ask);
    bough_command_input(subject.command, "x", 1, true, &late.ask);
    await_exit(test, &subject);
    assert_status(first.status, BOUGH_OK);
    assert_status(last.status, BOUGH_OK);
    assert_status(late.status, BOUGH_EGONE);
    assert_string_equal(late.text, "its stdin is closed");
    assert_non_null(strstr(test->log, "info /c: one\ninfo /c: two\ninfo /c: end\n"));
    drop(test, &subject);
}

static void input_that_is_not_read_is_bounded(void **state)
{
    enum { SIZE = 512 * 1024 };
    struct bough_test *test = *state;
    char *bytes = calloc(1, SIZE);
    struct subject subject;
    struct question questions[4];
    unsigned taken = 0;

    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){ .stdin_from = BOUGH_COMMAND_INPUT });
    for (size_t i = 0; i < bough_count_of(questions); i++) {
        question_init(&questions[i]);
        bough_command_input(subject.command, bytes, SIZE, false, &questions[i].ask);
    }
    await_answer(test, &questions[3]);
    while (taken < 4 && questions[taken].status == BOUGH_OK)
        taken++;
    assert_in_range(taken, 1, 3);
    assert_status(questions[3].status, BOUGH_EFULL);
    assert_in_range(status_of(test, &subject).input_waiting, SIZE / 2, 2 * SIZE);
    free(bytes);
    drop(test, &subject);
}

static void who_closes_its_stdin_is_no_harm(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question question;

    start_script(test, &subject, "exec <&-; echo closed; exec sleep 1000",
                 (struct bough_command_options){ .stdin_from = BOUGH_COMMAND_INPUT });
    await_log(test, "closed");
    question_init(&question);
    bough_command_input(subject.command, "x", 1, false, &question.ask);
    await_answer(test, &question);
    assert_status(question.status, BOUGH_EGONE);
    drop(test, &subject);
}

static void without_stdin_input_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question question;

    start_script(test, &subject, "exec sleep 1000", plain);
    question_init(&question);
    bough_command_input(subject.command, "x", 1, false, &question.ask);
    await_answer(test, &question);
    assert_status(question.status, BOUGH_EREFUSED);
    assert_string_equal(question.text,
                        "it has no input; its \"stdin\" must be \"input\"");
    drop(test, &subject);
}

static void its_status_tells_how_it_is(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo one; echo two; echo three >&2; exec sleep 1000",
                 plain);
    await_log(test, "two");
    await_log(test, "three");
    bough_test_advance(test, 1234);
    const struct bough_command_status status = status_of(test, &subject);
    assert_true(status.pid > 1 && lives((pid_t)status.pid));
    assert_int_equal(status.uptime_ms, 1234);
    assert_int_equal(status.out.lines, 2);
    assert_int_equal(status.out.bytes, 8);
    assert_int_equal(status.err.lines, 1);
    assert_int_equal(status.input_waiting, 0);
    drop(test, &subject);
}

/* Without a name */

static void it_needs_no_name(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    const struct bough_command_options options = { .run = run };
    struct bough_probe_watch watch;
    struct bough_command command;

    bough_probe_watch_init(&watch, NULL);
    assert_status(bough_command_spawn(test->loop, &options, &watch.watch, &command, NULL),
                  BOUGH_OK);
    bough_kill(command.address);
    while (watch.exits == 0)
        bough_test_wait(test);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_KILLED);
    assert_false(bough_test_has_children());
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(the_end_of_the_program_is_the_end_of_the_actor),
        fact(an_exit_code_is_the_reason_with_its_last_words),
        fact(a_signal_is_the_reason),
        fact(who_is_stopped_ends_by_the_stop_signal),
        fact(another_signal_may_stop_it),
        fact(an_end_with_a_code_is_no_shutdown),
        fact(a_program_may_do_the_stopping),
        fact(where_that_fails_the_signal_is_sent),
        fact(a_program_that_is_missing_is_a_failed_start),
        fact(one_that_is_not_executable_is_a_failed_start),
        fact(what_cannot_be_had_is_a_failed_start),
        fact(options_that_do_not_go_together_are_refused),
        fact(its_environment_is_ours_the_files_and_its_own),
        fact(a_secret_is_in_no_sentence),
        fact(it_runs_where_and_as_it_is_told),
        fact(it_runs_as_another_user),
        fact(its_limits_are_applied),
        fact(a_session_of_its_own_and_no_descriptors),
        fact(signals_are_sent),
        fact(input_is_written_to_its_stdin),
        fact(input_that_is_not_read_is_bounded),
        fact(who_closes_its_stdin_is_no_harm),
        fact(without_stdin_input_is_refused),
        fact(its_status_tells_how_it_is),
        fact(it_needs_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
