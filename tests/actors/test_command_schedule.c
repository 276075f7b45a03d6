/* test_command_schedule.c - a command that runs at times, in virtual time.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <time.h>

#include <bough/tests/actors/command_subject.h>

enum { HOUR_MS = 3600 * 1000 };

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void await_runs(struct bough_test *test, size_t count)
{
    while (count_of(test->log, " ended, after ") < count)
        bough_test_wait(test);
}

static void every_runs_it_again_and_again(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo tick",
                 (struct bough_command_options){ .every_ms = HOUR_MS });
    bough_test_advance(test, HOUR_MS - 1);
    assert_int_equal(subject.watch.readies, 1);
    assert_int_equal(status_of(test, &subject).runs, 0);
    for (size_t i = 1; i <= 3; i++) {
        bough_test_advance(test, i == 1 ? 1 : HOUR_MS);
        await_runs(test, i);
        assert_int_equal(count_of(test->log, "info /c: tick\n"), i);
    }
    assert_int_equal(status_of(test, &subject).runs, 3);
    assert_int_equal(status_of(test, &subject).pid, 0);
    assert_int_equal(subject.watch.exits, 0);
    drop(test, &subject);
}

/* The clock begins at 2026-01-31 12:00 UTC, a Saturday. */
static void at_runs_it_when_the_calendar_says_so(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    setenv("TZ", "UTC", 1);
    tzset();
    start_script(test, &subject, "echo tick",
                 (struct bough_command_options){ .at = "30 13,15 * * *" });
    bough_test_advance(test, HOUR_MS + HOUR_MS / 2 - 1);
    assert_int_equal(status_of(test, &subject).runs, 0);
    bough_test_advance(test, 1);
    await_runs(test, 1);
    bough_test_advance(test, 2 * HOUR_MS - 1);
    assert_int_equal(status_of(test, &subject).runs, 1);
    bough_test_advance(test, 1);
    await_runs(test, 2);
    bough_test_advance(test, 22 * HOUR_MS);
    await_runs(test, 3);
    drop(test, &subject);
}

static void a_run_that_is_late_is_not_overtaken(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "exec sleep 1000",
                 (struct bough_command_options){ .every_ms = 1000 });
    bough_test_advance(test, 1000);
    assert_int_equal(status_of(test, &subject).runs, 1);
    assert_true(status_of(test, &subject).pid > 0);
    bough_test_advance(test, 2000);
    assert_int_equal(status_of(test, &subject).runs, 1);
    assert_int_equal(count_of(test->log, "it is time to run, and the run before has not "
                                         "ended: left out"),
                     2);
    drop(test, &subject);
}

static void a_run_that_fails_is_the_end_of_the_life(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "echo no >&2; exit 3",
                 (struct bough_command_options){ .every_ms = 1000 });
    bough_test_advance(test, 1000);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "exit 3: no");
    drop(test, &subject);
}

static void so_is_one_that_cannot_start(void **state)
{
    const char *const run[] = { "/no/such", NULL };
    struct bough_test *test = *state;
    struct subject subject;

    start(test, &subject,
          &(struct bough_command_options){ .run = run, .every_ms = 1000 });
    bough_test_advance(test, 1000);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason,
                  "error: not_found: program \"/no/such\" is not there; install it, or "
                  "correct its path");
    drop(test, &subject);
}

static void between_two_runs_it_stops_at_once(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject, "true",
                 (struct bough_command_options){ .every_ms = 1000 });
    bough_test_advance(test, 1000);
    await_runs(test, 1);
    bough_stop(subject.command.address);
    bough_test_run(test);
    assert_int_equal(subject.watch.exits, 1);
    assert_reason(&subject.watch.reason, "shutdown");
    drop(test, &subject);
}

static void a_run_is_asked_to_stop(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;

    start_script(test, &subject,
                 "trap 'echo bye; exit 0' TERM; echo up; "
                 "while :; do sleep 0.01; done",
                 (struct bough_command_options){ .every_ms = 1000 });
    bough_test_advance(test, 1000);
    await_log(test, "up");
    bough_stop(subject.command.address);
    await_exit(test, &subject);
    assert_reason(&subject.watch.reason, "shutdown");
    assert_non_null(strstr(test->log, "bye"));
    drop(test, &subject);
}

static void it_may_be_run_out_of_turn(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question first, second;

    start_script(test, &subject, "read x; echo ran",
                 (struct bough_command_options){ .every_ms = HOUR_MS,
                                                 .stdin_from = BOUGH_COMMAND_INPUT });
    question_init(&first);
    question_init(&second);
    bough_command_run_now(subject.command, &first.ask);
    bough_command_run_now(subject.command, &second.ask);
    await_answer(test, &second);
    assert_status(first.status, BOUGH_OK);
    assert_status(second.status, BOUGH_ERUNNING);
    question_init(&first);
    bough_command_input(subject.command, "\n", 1, false, &first.ask);
    await_runs(test, 1);
    assert_non_null(strstr(test->log, "info /c: ran\n"));
    drop(test, &subject);
}

static void one_that_runs_always_has_no_turns(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct question question;

    start_script(test, &subject, "exec sleep 1000", (struct bough_command_options){ 0 });
    question_init(&question);
    bough_command_run_now(subject.command, &question.ask);
    await_answer(test, &question);
    assert_status(question.status, BOUGH_EREFUSED);
    drop(test, &subject);
}

static void a_kill_ends_a_run_and_an_idle_one(void **state)
{
    struct bough_test *test = *state;

    for (int64_t ms = 0; ms <= 1000; ms += 1000) {
        struct subject subject;

        start_script(test, &subject, "exec sleep 1000",
                     (struct bough_command_options){ .every_ms = 1000 });
        bough_test_advance(test, ms);
        bough_kill(subject.command.address);
        await_exit(test, &subject);
        assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_KILLED);
        assert_false(bough_test_has_children());
        drop(test, &subject);
    }
}

static void schedules_are_checked(void **state)
{
    const char *const run[] = { "true", NULL };
    const struct {
        struct bough_command_options options;
        const char *text;
    } rows[] = {
        { { .run = run, .every_ms = 5, .at = "@daily" },
          "there is \"every\" or \"at\", not both" },
        { { .run = run, .at = "61 * * * *" },
          "\"61 * * * *\" is no time: the minute must be \"*\" or from 0 to 59" },
        { { .run = run, .at = "0 0 30 2 *" },
          "\"0 0 30 2 *\" is a time that never comes" },
        { { .run = run, .at = "@daily", .ready = { .log = "x" } },
          "what runs at times is ready at once" },
        { { .run = run, .at = "@daily", .health = { .tcp = "127.0.0.1:1" } },
          "what runs at times has no health" },
        { { .run = run, .every_ms = -1 }, "\"every\" is negative" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        struct bough_error error = { .text = "" };

        assert_status(bough_command_type.check_options(&rows[i].options, &error),
                      BOUGH_EINVALID);
        assert_string_equal(error.text, rows[i].text);
    }
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(every_runs_it_again_and_again),
        fact(at_runs_it_when_the_calendar_says_so),
        fact(a_run_that_is_late_is_not_overtaken),
        fact(a_run_that_fails_is_the_end_of_the_life),
        fact(so_is_one_that_cannot_start),
        fact(between_two_runs_it_stops_at_once),
        fact(a_run_is_asked_to_stop),
        fact(it_may_be_run_out_of_turn),
        fact(one_that_runs_always_has_no_turns),
        fact(a_kill_ends_a_run_and_an_idle_one),
        cmocka_unit_test(schedules_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
