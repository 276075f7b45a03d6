/* test_decide.c - the decider's tables: every cell, every phase, OTP's decision table.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every cell */

/* Child 1 of three is brought into each state; rest-for-one has a way to all of them. */
static void bring_down(struct script *script)
{
    script->children[1].restart = BOUGH_TRANSIENT;
    script_start(script);
    expect(script, ended(1), "settle 1");
}

static void bring_to_starting(struct script *script)
{
    script_start(script);
    expect(script, crashed(1), "restart 1 try 1, stop 2");
    expect(script, ended(2), "start 1");
}

static void bring_to_running(struct script *script)
{
    script_start(script);
}

static void bring_to_stopping(struct script *script)
{
    script_start(script);
    expect(script, crashed(0), "restart 0 try 1, stop 2");
    expect(script, ended(2), "stop 1");
}

static void bring_to_waiting(struct script *script)
{
    script_start(script);
    expect(script, crashed(2), "restart 2 try 1, start 2");
    expect(script, crashed(1), "");
}

static void bring_to_retrying(struct script *script)
{
    bring_to_starting(script);
    expect(script, start_failed(1), "retry 1");
}

static void bring_to_forgotten(struct script *script)
{
    script->children[1].restart = BOUGH_TEMPORARY;
    script_start(script);
    expect(script, ended(1), "remove 1");
}

static void (*const bring[BOUGH_CHILD_STATE_COUNT])(struct script *) = {
    [BOUGH_CHILD_DOWN] = bring_down,
    [BOUGH_CHILD_STARTING] = bring_to_starting,
    [BOUGH_CHILD_RUNNING] = bring_to_running,
    [BOUGH_CHILD_STOPPING] = bring_to_stopping,
    [BOUGH_CHILD_WAITING] = bring_to_waiting,
    [BOUGH_CHILD_RETRYING] = bring_to_retrying,
    [BOUGH_CHILD_FORGOTTEN] = bring_to_forgotten,
};

/* What each event leads to in each state; NULL: it cannot happen there. */
static const char *const outcomes[BOUGH_CHILD_STATE_COUNT][BOUGH_DECIDE_EVENT_COUNT] = {
    [BOUGH_CHILD_DOWN] = { [BOUGH_ON_START_CHILD] = "start 1",
                           [BOUGH_ON_TERMINATE_CHILD] = "answer 1 ok",
                           [BOUGH_ON_RESTART_CHILD] = "start 1",
                           [BOUGH_ON_DELETE_CHILD] = "answer 1 ok, remove 1" },
    [BOUGH_CHILD_STARTING] = { [BOUGH_ON_READY] = "start 2",
                               [BOUGH_ON_IGNORED] = "settle 1, start 2",
                               [BOUGH_ON_START_FAILED] = "retry 1",
                               [BOUGH_ON_EXITED] = "retry 1",
                               [BOUGH_ON_START_TIMEOUT] = "kill 1" },
    [BOUGH_CHILD_RUNNING] = { [BOUGH_ON_EXITED] = "restart 1 try 1, stop 2",
                              [BOUGH_ON_TERMINATE_CHILD] = "stop 1",
                              [BOUGH_ON_RESTART_CHILD] = "answer 1 running",
                              [BOUGH_ON_DELETE_CHILD] = "answer 1 running" },
    [BOUGH_CHILD_STOPPING] = { [BOUGH_ON_READY] = "",
                               [BOUGH_ON_IGNORED] = "start 0",
                               [BOUGH_ON_START_FAILED] = "start 0",
                               [BOUGH_ON_EXITED] = "start 0",
                               [BOUGH_ON_STOP_TIMEOUT] = "kill 1" },
    [BOUGH_CHILD_RETRYING] = { [BOUGH_ON_RETRY] = "restart 1 try 2, start 1",
                               [BOUGH_ON_TERMINATE_CHILD] =
                                   "answer 1 ok, settle 1, settle down",
                               [BOUGH_ON_RESTART_CHILD] = "answer 1 restarting",
                               [BOUGH_ON_DELETE_CHILD] = "answer 1 restarting" },
};

/* A timer may be late: that is never a fault, and nothing comes of it. */
static const char *outcome_of(enum bough_child_state state,
                              enum bough_decide_event_kind kind)
{
    bool timer = kind == BOUGH_ON_RETRY || kind == BOUGH_ON_STOP_TIMEOUT ||
                 kind == BOUGH_ON_START_TIMEOUT || kind == BOUGH_ON_ALL_TIMEOUT;

    return timer && !outcomes[state][kind] ? "" : outcomes[state][kind];
}

/* Whether feeding the event aborts; in a child process, which leaves no core file. */
static bool aborts(struct script *script, struct bough_decide_event event)
{
    pid_t pid = fork();
    int status;

    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        struct bough_decide_actions actions;

        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        bough_decide(script->decider, event, 0, &actions);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void walk_cell(enum bough_child_state state, enum bough_decide_event_kind kind)
{
    struct bough_decide_event event = happening(kind, 1);
    const char *outcome = outcome_of(state, kind);
    struct script script;

    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    bring[state](&script);
    assert_int_equal(state_of(&script, 1), state);
    assert_int_equal(bough_decide_expects(script.decider, event), outcome != NULL);
    if (outcome)
        expect(&script, event, outcome);
    else
        assert_true(aborts(&script, event));
    script_finish(&script);
}

static void every_cell_does_what_the_table_says(void **state)
{
    (void)state;
    for (int from = 0; from < BOUGH_CHILD_STATE_COUNT; from++) {
        for (int kind = BOUGH_ON_READY; kind < BOUGH_DECIDE_EVENT_COUNT; kind++)
            walk_cell((enum bough_child_state)from, (enum bough_decide_event_kind)kind);
    }
}

static void a_child_that_does_not_exist_is_not_expected(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    assert_false(bough_decide_expects(script.decider, crashed(2)));
    assert_true(aborts(&script, crashed(2)));
    script_finish(&script);
}

static void beginning_twice_is_not_expected(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    assert_false(bough_decide_expects(script.decider, begin()));
    assert_true(aborts(&script, begin()));
    script_finish(&script);
}

static void time_that_goes_back_is_a_bug(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.now_ms = 10;
    script_start(&script);
    assert_true(aborts(&script, crashed(0)));
    script_finish(&script);
}

/* A late timeout of a child that has been killed already changes nothing. */
static void a_child_is_killed_once(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 0");
    expect(&script, stop_timeout(0), "kill 0");
    expect(&script, stop_timeout(0), "");
    expect(&script, crashed(0), "end asked");
    script_finish(&script);
}

/* Every phase is asked to stop */

static void asked_before_it_begins_it_ends(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_new(&script);
    expect(&script, asked_to_stop(), "end asked");
    assert_true(bough_decider_ending(script.decider));
    script_finish(&script);
}

static void asked_while_starting_it_stops_the_one_that_starts_first(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, ready(1), "");
    expect(&script, ended(1), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void asked_while_a_group_stops_it_goes_on_in_the_same_order(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, asked_to_stop(), "");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void asked_while_a_group_starts_it_starts_nobody_more(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, asked_to_stop(), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void asked_while_a_restart_waits_it_forgets_the_restart(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, retry(0), "");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

static void asked_twice_it_ends_once(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 0");
    expect(&script, asked_to_stop(), "");
    expect(&script, ended(0), "end asked");
    expect(&script, asked_to_stop(), "");
    script_finish(&script);
}

/* While the last is being stopped, the one in the middle is still coming up. */
static void a_start_under_way_fails_during_the_shutdown(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, asked_to_stop(), "stop 2");
    expect(&script, start_failed(1), "");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void a_start_under_way_succeeds_during_the_shutdown_and_is_stopped(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, ready(0), "");
    expect(&script, ended(1), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void a_start_under_way_is_declined_during_the_shutdown(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, ignored(0), "");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

/* OTP's decision table (docs/supervision.md 12): restart policy by kind of end. */

static void expect_end(enum bough_restart policy, const struct bough_exit_reason *reason,
                       const char *expected)
{
    struct script script;

    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[1].restart = policy;
    script_start(&script);
    expect(&script, exited(1, reason), expected);
    script_finish(&script);
}

static void permanent_normal(void **state)
{
    (void)state;
    expect_end(BOUGH_PERMANENT, &script_normal, "restart 1 try 1, start 1");
}

static void permanent_abnormal(void **state)
{
    (void)state;
    expect_end(BOUGH_PERMANENT, &script_fault, "restart 1 try 1, start 1");
}

static void transient_normal(void **state)
{
    (void)state;
    expect_end(BOUGH_TRANSIENT, &script_normal, "settle 1");
}

static void transient_abnormal(void **state)
{
    (void)state;
    expect_end(BOUGH_TRANSIENT, &script_fault, "restart 1 try 1, start 1");
}

static void temporary_normal(void **state)
{
    (void)state;
    expect_end(BOUGH_TEMPORARY, &script_normal, "remove 1");
}

static void temporary_abnormal(void **state)
{
    (void)state;
    expect_end(BOUGH_TEMPORARY, &script_fault, "remove 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_does_what_the_table_says),
        cmocka_unit_test(a_child_that_does_not_exist_is_not_expected),
        cmocka_unit_test(beginning_twice_is_not_expected),
        cmocka_unit_test(time_that_goes_back_is_a_bug),
        cmocka_unit_test(a_child_is_killed_once),
        cmocka_unit_test(asked_before_it_begins_it_ends),
        cmocka_unit_test(asked_while_starting_it_stops_the_one_that_starts_first),
        cmocka_unit_test(asked_while_a_group_stops_it_goes_on_in_the_same_order),
        cmocka_unit_test(asked_while_a_group_starts_it_starts_nobody_more),
        cmocka_unit_test(asked_while_a_restart_waits_it_forgets_the_restart),
        cmocka_unit_test(asked_twice_it_ends_once),
        cmocka_unit_test(a_start_under_way_fails_during_the_shutdown),
        cmocka_unit_test(a_start_under_way_succeeds_during_the_shutdown_and_is_stopped),
        cmocka_unit_test(a_start_under_way_is_declined_during_the_shutdown),
        cmocka_unit_test(permanent_normal),
        cmocka_unit_test(permanent_abnormal),
        cmocka_unit_test(transient_normal),
        cmocka_unit_test(transient_abnormal),
        cmocka_unit_test(temporary_normal),
        cmocka_unit_test(temporary_abnormal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
