/* test_command_end.c - nothing that a command has started outlives it, whatever ends it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <sys/wait.h>

#include <bough/core/runtime.h>
#include <bough/tests/actors/command_subject.h>

static const struct bough_command_options plain;

/* Forks twice, in a session of its own, and says who that is. */
#define AWAY "(setsid sh -c 'echo far=$$; exec sleep 1000' &); "

static const struct bough_exit_reason killed = { .kind = BOUGH_EXIT_KILLED };

static void what_has_gone_away_ends_with_its_program(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    if (under_valgrind()) skip(); /* it answers for limits by itself */
    start_script(test, &subject, AWAY "read x",
                 (struct bough_command_options){ .stdin_from = BOUGH_COMMAND_INPUT });
    const pid_t far = await_number(test, "far");
    struct question question;
    question_init(&question);
    bough_command_input(subject.command, "", 0, true, &question.ask);
    await_exit(test, &subject);
    assert_true(process_ends(far));
    drop(test, &subject);
}

static void who_does_not_stop_is_killed_with_all_it_started(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    if (under_valgrind()) skip();
    start_script(test, &subject,
                 "trap '' TERM; " AWAY "sleep 1000 & echo near=$!; wait; wait", plain);
    const pid_t far = await_number(test, "far"), near = await_number(test, "near");
    bough_stop(subject.command.address);
    bough_test_run(test);
    for (int i = 0; i < 10; i++)
        ev_run(test->ev, EVRUN_NOWAIT);
    assert_int_equal(subject.watch.exits, 0);
    bough_place_end(subject.command.address, &killed, 0);
    await_exit(test, &subject);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_KILLED);
    assert_true(process_ends(far));
    assert_true(process_ends(near));
    drop(test, &subject);
}

static void the_watch_is_told_when_nothing_is_left(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo me=$$; exec sleep 1000", plain);
    const pid_t pid = await_number(test, "me");
    bough_kill(subject.command.address);
    await_exit(test, &subject);
    assert_false(lives(pid));
    assert_false(bough_test_has_children());
    drop(test, &subject);
}

static void a_signal_may_be_the_reason_of_a_kill(void **state)
{
    const struct bough_exit_reason usr1 = { .kind = BOUGH_EXIT_SIGNAL,
                                            .number = SIGUSR1 };
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject,
                 "trap 'echo caught; exit 0' USR1; echo up; "
                 "while :; do sleep 0.01; done",
                 plain);
    await_log(test, "up");
    bough_end(subject.command.address, &usr1);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "signal USR1");
    assert_non_null(strstr(test->log, "caught"));
    drop(test, &subject);
}

static void the_last_words_of_who_is_killed_are_logged(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo up; read x; echo not yet; exec sleep 1000",
                 (struct bough_command_options){ .stdin_from = BOUGH_COMMAND_INPUT });
    await_log(test, "up");
    struct question question;
    question_init(&question);
    bough_command_input(subject.command, "\n", 1, false, &question.ask);
    await_answer(test, &question);
    while (status_of(test, &subject).out.lines < 2)
        bough_test_wait(test);
    bough_kill(subject.command.address);
    await_exit(test, &subject);
    assert_non_null(strstr(test->log, "not yet"));
    drop(test, &subject);
}

static void a_runtime_that_ends_leaves_nothing(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    if (under_valgrind()) skip();
    start_script(test, &subject, "trap '' TERM; " AWAY "echo me=$$; sleep 1000; sleep 1",
                 plain);
    const pid_t far = await_number(test, "far"), pid = await_number(test, "me");
    bough_runtime_free(test->runtime);
    assert_int_equal(subject.watch.exits, 1);
    assert_false(lives(pid));
    assert_true(process_ends(far));
    test->runtime = bough_runtime_new(NULL);
    test->loop = bough_loop_new(test->runtime, test->ev);
}

static void a_status_that_somebody_else_took_is_lost(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo me=$$; exec sleep 1000", plain);
    const pid_t pid = await_number(test, "me");
    int status;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    await_exit(test, &subject);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_LOST);
    drop(test, &subject);
}

/* There libev reaps every child. */
static void on_the_default_loop_ends_are_known_too(void **state)
{
    struct bough_test *test = *state;
    struct ev_loop *own_ev = test->ev;
    struct bough_loop *own_loop = test->loop;
    const char *const run[] = { "sh", "-c", "exit 9", NULL };

    test->ev = ev_default_loop(EVFLAG_AUTO);
    test->loop = bough_loop_new(test->runtime, test->ev);
    assert_non_null(test->loop);
    for (int i = 0; i < 20; i++) {
        struct bough_probe_watch watch;
        struct bough_command command;

        bough_probe_watch_init(&watch, NULL);
        assert_status(bough_command_spawn(test->loop,
                                          &(struct bough_command_options){ .run = run },
                                          &watch.watch, &command, NULL),
                      BOUGH_OK);
        while (watch.exits == 0)
            bough_test_wait(test);
        assert_reason(&watch.reason, "exit 9");
    }
    bough_loop_free(test->loop);
    ev_loop_destroy(test->ev);
    test->ev = own_ev;
    test->loop = own_loop;
}

/* The next life is another process, and what waited in the mailbox is for it. */
static void lives_follow_one_another(void **state)
{
    enum { LIVES = 20 };
    struct bough_test *test = *state;
    struct subject subject;
    pid_t last = 0;

    start_script(test, &subject, "exec sleep 1000", plain);
    for (int i = 0; i < LIVES; i++) {
        const pid_t pid = (pid_t)status_of(test, &subject).pid;
        assert_true(pid != last && lives(pid));
        last = pid;
        kill(pid, SIGKILL);
        await_exit(test, &subject);
        assert_reason(&subject.watch.reason, "signal KILL");
        bough_probe_watch_init(&subject.watch, NULL);
        const struct bough_start start = { .watch = &subject.watch.watch };
        assert_status(bough_place_start(subject.command.address, &start, NULL), BOUGH_OK);
    }
    drop(test, &subject);
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(what_has_gone_away_ends_with_its_program),
        fact(who_does_not_stop_is_killed_with_all_it_started),
        fact(the_watch_is_told_when_nothing_is_left),
        fact(a_signal_may_be_the_reason_of_a_kill),
        fact(the_last_words_of_who_is_killed_are_logged),
        fact(a_runtime_that_ends_leaves_nothing),
        fact(a_status_that_somebody_else_took_is_lost),
        fact(on_the_default_loop_ends_are_known_too),
        fact(lives_follow_one_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
