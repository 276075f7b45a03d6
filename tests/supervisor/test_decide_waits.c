/* test_decide_waits.c - what OTP has not: backoff, and starts that take too long.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

/* Backoff */

/* One child with that backoff, and no limit that matters. */
static void begin_backoff(struct script *script, struct bough_backoff backoff)
{
    script_init(script, BOUGH_ONE_FOR_ONE, 1);
    script->options.intensity = 1000;
    script->children[0].backoff = backoff;
    script_start(script);
}

/* Feeds what begins the next wait and returns it. */
static int64_t wait_after(struct script *script, struct bough_decide_event event)
{
    struct bough_decide_actions actions;

    bough_decide(script->decider, event, script->now_ms, &actions);
    assert_int_equal(actions.count, 1);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_RETRY);
    assert_int_equal(state_of(script, 0), BOUGH_CHILD_RETRYING);
    return actions.list[0].limit_ms;
}

static void recover(struct script *script)
{
    struct bough_decide_actions actions;

    bough_decide(script->decider, retry(0), script->now_ms, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_RESTART);
    bough_decide(script->decider, ready(0), script->now_ms, &actions);
    assert_int_equal(state_of(script, 0), BOUGH_CHILD_RUNNING);
}

static void the_wait_comes_before_the_restart(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    begin_backoff(&script, (struct bough_backoff){ .min_ms = 100 });
    expect(&script, crashed(0), "retry 0 in 100");
    assert_true(bough_decider_idle(script.decider));
    bough_decide(script.decider, retry(0), 0, &actions);
    assert_int_equal(actions.count, 2);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_RESTART);
    assert_int_equal(actions.list[0].limit_ms, 100);
    assert_int_equal(actions.list[0].attempt, 1);
    assert_int_equal(actions.list[1].kind, BOUGH_DO_START);
    script_finish(&script);
}

static void each_wait_is_longer_up_to_the_greatest(void **state)
{
    const int64_t waits[] = { 100, 300, 900, 1000, 1000 };
    struct script script;

    (void)state;
    begin_backoff(&script,
                  (struct bough_backoff){ .min_ms = 100, .max_ms = 1000, .factor = 3 });
    for (size_t i = 0; i < bough_count_of(waits); i++) {
        assert_int_equal(wait_after(&script, crashed(0)), waits[i]);
        recover(&script);
    }
    script_finish(&script);
}

static void a_failed_restart_waits_longer_too(void **state)
{
    struct script script;

    (void)state;
    begin_backoff(&script, (struct bough_backoff){ .min_ms = 100 });
    expect(&script, crashed(0), "retry 0 in 100");
    expect(&script, retry(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0 in 200");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, start_failed(0), "retry 0 in 400");
    script_finish(&script);
}

static void a_long_life_is_forgiven(void **state)
{
    struct script script;

    (void)state;
    begin_backoff(&script,
                  (struct bough_backoff){ .min_ms = 100, .reset_after_ms = 5000 });
    assert_int_equal(wait_after(&script, crashed(0)), 100);
    recover(&script);
    script.now_ms += 4999;
    assert_int_equal(wait_after(&script, crashed(0)), 200);
    recover(&script);
    script.now_ms += 5000;
    assert_int_equal(wait_after(&script, crashed(0)), 100);
    script_finish(&script);
}

static void jitter_shortens_each_wait_by_chance(void **state)
{
    struct script script;
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    begin_backoff(
        &script, (struct bough_backoff){ .min_ms = 1000, .max_ms = 1000, .jitter = 0.5 });
    for (int i = 0; i < 200; i++) {
        int64_t wait = wait_after(&script, crashed(0));

        assert_in_range(wait, 500, 1000);
        if (wait < least) least = wait;
        if (wait > most) most = wait;
        recover(&script);
    }
    assert_in_range(least, 500, 550);
    assert_in_range(most, 950, 1000);
    script_finish(&script);
}

static void the_same_seed_jitters_the_same(void **state)
{
    struct script one, two;

    (void)state;
    begin_backoff(&one, (struct bough_backoff){ .min_ms = 100000, .jitter = 1 });
    begin_backoff(&two, (struct bough_backoff){ .min_ms = 100000, .jitter = 1 });
    for (int i = 0; i < 10; i++) {
        assert_int_equal(wait_after(&one, crashed(0)), wait_after(&two, crashed(0)));
        recover(&one);
        recover(&two);
    }
    script_finish(&one);
    script_finish(&two);
}

static void a_backoff_of_for_ever_does_not_overflow(void **state)
{
    struct script script;

    (void)state;
    begin_backoff(&script, (struct bough_backoff){ .min_ms = INT64_MAX - 1,
                                                   .jitter = 1,
                                                   .reset_after_ms = INT64_MAX });
    for (int i = 0; i < 20; i++) {
        assert_true(wait_after(&script, crashed(0)) >= 0);
        recover(&script);
    }
    script_finish(&script);
}

static void a_wait_is_cancelled_by_terminate_child(void **state)
{
    struct script script;

    (void)state;
    begin_backoff(&script, (struct bough_backoff){ .min_ms = 100 });
    expect(&script, crashed(0), "retry 0 in 100");
    expect(&script, restart_child(0), "answer 0 restarting");
    expect(&script, terminate_child(0), "answer 0 ok, settle 0");
    expect(&script, retry(0), "");
    script_finish(&script);
}

static void a_wait_counts_when_it_is_over(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 1;
    script.options.period_ms = 150;
    script.children[0].backoff =
        (struct bough_backoff){ .min_ms = 100, .max_ms = 100, .reset_after_ms = 1000 };
    script_start(&script);
    for (int i = 1; i <= 2; i++) {
        expect(&script, crashed(0), "retry 0 in 100");
        script.now_ms += 100;
        bough_decide(script.decider, retry(0), script.now_ms, &actions);
        assert_int_equal(actions.list[0].kind,
                         i == 1 ? BOUGH_DO_RESTART : BOUGH_DO_GIVE_UP);
        assert_int_equal(actions.list[0].restarts, i);
        if (i == 1) expect(&script, ready(0), "");
    }
    script_finish(&script);
}

static void a_group_waits_as_a_whole_and_runs_meanwhile(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[0].backoff.min_ms = 100;
    script_start(&script);
    expect(&script, crashed(0), "retry 0 in 100");
    assert_int_equal(state_of(&script, 1), BOUGH_CHILD_RUNNING);
    expect(&script, retry(0), "restart 0 try 1, stop 1");
    expect(&script, ended(1), "start 0");
    script_finish(&script);
}

static void a_siblings_group_restart_ends_the_wait(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[0].backoff.min_ms = 100;
    script_start(&script);
    expect(&script, crashed(0), "retry 0 in 100");
    expect(&script, crashed(1), "restart 1 try 1, start 0");
    expect(&script, retry(0), "");
    expect(&script, ready(0), "start 1");
    script_finish(&script);
}

static void a_wait_begins_while_something_else_is_under_way(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[0].backoff.min_ms = 100;
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, crashed(0), "retry 0 in 100");
    expect(&script, retry(0), "");
    expect(&script, ready(1), "restart 0 try 1, start 0");
    script_finish(&script);
}

/* start_timeout */

static void begin_start_timeout(struct script *script)
{
    script_init(script, BOUGH_ONE_FOR_ONE, 2);
    script->children[1].start_timeout_ms = 700;
    script_start(script);
}

static void a_start_has_its_limit(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    begin_start_timeout(&script);
    bough_decide(script.decider, crashed(1), 0, &actions);
    assert_int_equal(actions.list[1].limit_ms, 700);
    expect(&script, ready(1), "");
    expect(&script, start_timeout(1), "");
    bough_decide(script.decider, crashed(0), 0, &actions);
    assert_int_equal(actions.list[1].limit_ms, BOUGH_FOREVER);
    script_finish(&script);
}

static void a_start_that_takes_too_long_has_failed(void **state)
{
    struct script script;

    (void)state;
    begin_start_timeout(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, start_timeout(1), "kill 1");
    expect(&script, start_timeout(1), "");
    expect(&script, exited(1, &script_killed), "retry 1");
    expect(&script, retry(1), "restart 1 try 2, start 1");
    expect(&script, start_timeout(1), "kill 1");
    script_finish(&script);
}

static void ready_after_the_kill_is_too_late(void **state)
{
    struct script script;

    (void)state;
    begin_start_timeout(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, start_timeout(1), "kill 1");
    expect(&script, ready(1), "");
    assert_int_equal(state_of(&script, 1), BOUGH_CHILD_STARTING);
    expect(&script, exited(1, &script_killed), "retry 1");
    script_finish(&script);
}

static void a_first_start_that_takes_too_long_is_rolled_back(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[1].start_timeout_ms = 700;
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, start_timeout(1), "kill 1");
    expect(&script, ignored(1), "stop 0");
    expect(&script, ended(0), "end failed");
    script_finish(&script);
}

static void a_requested_start_that_takes_too_long_is_answered(void **state)
{
    struct script script;

    (void)state;
    begin_start_timeout(&script);
    assert_int_equal(script_add(&script, &script.children[1]), 2);
    expect(&script, start_child(2), "start 2");
    expect(&script, start_timeout(2), "kill 2");
    expect(&script, exited(2, &script_killed), "answer 2 failed, remove 2");
    script_finish(&script);
}

static void one_that_was_too_late_is_not_asked_to_stop_as_well(void **state)
{
    struct script script;

    (void)state;
    begin_start_timeout(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, start_timeout(1), "kill 1");
    expect(&script, asked_to_stop(), "");
    expect(&script, exited(1, &script_killed), "stop 0");
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_comes_before_the_restart),
        cmocka_unit_test(each_wait_is_longer_up_to_the_greatest),
        cmocka_unit_test(a_failed_restart_waits_longer_too),
        cmocka_unit_test(a_long_life_is_forgiven),
        cmocka_unit_test(jitter_shortens_each_wait_by_chance),
        cmocka_unit_test(the_same_seed_jitters_the_same),
        cmocka_unit_test(a_backoff_of_for_ever_does_not_overflow),
        cmocka_unit_test(a_wait_is_cancelled_by_terminate_child),
        cmocka_unit_test(a_wait_counts_when_it_is_over),
        cmocka_unit_test(a_group_waits_as_a_whole_and_runs_meanwhile),
        cmocka_unit_test(a_siblings_group_restart_ends_the_wait),
        cmocka_unit_test(a_wait_begins_while_something_else_is_under_way),
        cmocka_unit_test(a_start_has_its_limit),
        cmocka_unit_test(a_start_that_takes_too_long_has_failed),
        cmocka_unit_test(ready_after_the_kill_is_too_late),
        cmocka_unit_test(a_first_start_that_takes_too_long_is_rolled_back),
        cmocka_unit_test(a_requested_start_that_takes_too_long_is_answered),
        cmocka_unit_test(one_that_was_too_late_is_not_asked_to_stop_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
