/* test_decide_rules.c - OTP's rules, one by one: start, intensity, shutdown.
 *
 * The numbers are those of docs/supervision.md; the five that others get wrong stand
 * last, by name.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

/* Start (6 to 8) */

static void children_start_in_order_each_after_the_one_before_is_ready(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    assert_false(bough_decider_idle(script.decider));
    expect(&script, ready(2), "ready");
    assert_true(bough_decider_idle(script.decider));
    script_finish(&script);
}

static void sup_start_normal(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 0);
    script_new(&script);
    expect(&script, begin(), "ready");
    expect(&script, asked_to_stop(), "end asked");
    script_finish(&script);
}

static void sup_start_ignore_child(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ignored(0), "settle 0, start 1");
    expect(&script, ready(1), "ready");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    script_finish(&script);
}

static void sup_start_ignore_temporary_child(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[1].restart = BOUGH_TEMPORARY;
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ignored(1), "remove 1, ready");
    script_finish(&script);
}

static void a_first_start_that_fails_is_neither_retried_nor_counted(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 1);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, start_failed(0), "end failed");
    script_finish(&script);
}

static void a_child_that_ends_before_it_is_ready_has_failed_to_start(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ended(1), "stop 0");
    expect(&script, ended(0), "end failed");
    script_finish(&script);
}

static void a_death_during_the_first_start_has_its_turn_after_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, crashed(0), "");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "ready, restart 0 try 1, start 0");
    expect(&script, ready(0), "");
    script_finish(&script);
}

static void what_died_during_a_start_that_fails_is_not_stopped(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, crashed(1), "");
    expect(&script, start_failed(2), "stop 0");
    expect(&script, ended(0), "end failed");
    script_finish(&script);
}

/* Intensity (15 to 18) */

static void crash_and_recover(struct script *script, size_t child)
{
    struct bough_decide_actions actions;

    bough_decide(script->decider, crashed(child), script->now_ms, &actions);
    assert_int_equal(actions.count, 2);
    assert_int_equal(actions.list[1].kind, BOUGH_DO_START);
    bough_decide(script->decider, ready(child), script->now_ms, &actions);
}

static void an_intensity_of_zero_allows_no_restart(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.options.intensity = 0;
    script_start(&script);
    expect(&script, crashed(0), "give up 0, stop 1");
    expect(&script, ended(1), "end gave up");
    script_finish(&script);
}

static void an_intensity_of_n_allows_exactly_n_restarts(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    for (int i = 0; i < 3; i++)
        crash_and_recover(&script, 0);
    expect(&script, crashed(0), "give up 0, end gave up");
    script_finish(&script);
}

static void the_limit_is_the_supervisors_and_not_each_childs(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 4);
    script_start(&script);
    for (size_t i = 0; i < 3; i++)
        crash_and_recover(&script, i);
    expect(&script, crashed(3), "give up 3, stop 2");
    script_finish(&script);
}

static void multiple_restarts(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 1;
    script.options.period_ms = 1000;
    script_start(&script);
    for (int i = 0; i < 4; i++) {
        crash_and_recover(&script, 0);
        script.now_ms += 2100;
    }
    script_finish(&script);
}

static void deaths_that_lead_to_no_restart_do_not_count(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script.options.intensity = 1;
    script.children[0].restart = BOUGH_TEMPORARY;
    script.children[1].restart = BOUGH_TRANSIENT;
    script_start(&script);
    expect(&script, crashed(0), "remove 0");
    expect(&script, ended(1), "settle 1");
    expect(&script, crashed(2), "restart 2 try 1, start 2");
    script_finish(&script);
}

static void a_failed_retry_counts(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 3, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "give up 0, end gave up");
    script_finish(&script);
}

static void a_group_restart_counts_once(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    bough_decide(script.decider, crashed(0), 0, &actions);
    assert_int_equal(actions.list[0].restarts, 1);
    expect(&script, ended(2), "stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "");
    bough_decide(script.decider, crashed(1), 0, &actions);
    assert_int_equal(actions.list[0].restarts, 2);
    script_finish(&script);
}

static void a_restart_is_stamped_when_its_turn_comes(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.options.intensity = 1;
    script.options.period_ms = 100;
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, crashed(1), "");
    script.now_ms = 101;
    bough_decide(script.decider, ready(0), script.now_ms, &actions);
    assert_int_equal(actions.list[0].restarts, 1);
    script_finish(&script);
}

static void giving_up_stops_the_rest_in_reverse(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 4);
    script.options.intensity = 0;
    script_start(&script);
    expect(&script, crashed(1), "give up 1, stop 3");
    expect(&script, ended(3), "stop 2");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "end gave up");
    script_finish(&script);
}

/* Shutdown (30 to 34) */

static void each_child_has_its_own_limit(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 4);
    script.children[1].shutdown_ms = BOUGH_SHUTDOWN_AT_ONCE;
    script.children[2].shutdown_ms = 1234;
    script.children[3].shutdown_ms = BOUGH_SHUTDOWN_INFINITY;
    script_start(&script);
    bough_decide(script.decider, asked_to_stop(), 0, &actions);
    assert_int_equal(actions.list[0].limit_ms, BOUGH_FOREVER);
    bough_decide(script.decider, ended(3), 0, &actions);
    assert_int_equal(actions.list[0].limit_ms, 1234);
    bough_decide(script.decider, ended(2), 0, &actions);
    assert_int_equal(actions.list[0].limit_ms, 0);
    bough_decide(script.decider, ended(1), 0, &actions);
    assert_int_equal(actions.list[0].limit_ms, 5000);
    script_finish(&script);
}

static void sup_stop_brutal_kill(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[1].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    script_start(&script);
    expect(&script, asked_to_stop(), "kill 1");
    expect(&script, stop_timeout(1), "");
    expect(&script, crashed(1), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void after_the_kill_its_end_is_awaited_without_limit(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 1");
    script.now_ms += 5000;
    expect(&script, stop_timeout(1), "kill 1");
    script.now_ms += 1000000;
    expect(&script, stop_timeout(1), "");
    expect(&script, crashed(1), "stop 0");
    script_finish(&script);
}

static void sup_stop_race(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 4);
    script.children[0].restart = BOUGH_TEMPORARY;
    script.children[1].restart = BOUGH_TRANSIENT;
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 3");
    expect(&script, crashed(0), "");
    expect(&script, ended(1), "");
    expect(&script, crashed(2), "");
    expect(&script, crashed(3), "end asked");
    script_finish(&script);
}

static void a_temporary_child_is_not_forgotten_by_a_shutdown(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[0].restart = BOUGH_TEMPORARY;
    script.children[1].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, crashed(0), "");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

/* The five that others get wrong (docs/supervision.md 14) */

static void five_1_a_group_restart_starts_nobody_before_all_have_ended(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 2");
    script.now_ms += 5000;
    expect(&script, stop_timeout(2), "kill 2");
    expect(&script, crashed(2), "stop 1");
    expect(&script, ended(1), "start 0");
    script_finish(&script);
}

static void five_2_children_stop_in_reverse_one_at_a_time_with_their_limits(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script.children[1].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    script_start(&script);
    expect(&script, asked_to_stop(), "stop 2");
    expect(&script, stop_timeout(2), "kill 2");
    expect(&script, crashed(2), "kill 1");
    expect(&script, crashed(1), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void five_3_a_restart_that_fails_is_retried_and_counted(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RETRYING);
    bough_decide(script.decider, retry(0), 0, &actions);
    assert_int_equal(actions.list[0].restarts, 2);
    expect(&script, ready(0), "");
    script_finish(&script);
}

static void five_4_temporary_siblings_are_forgotten_transient_ones_return(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 4);
    script.children[1].restart = BOUGH_TEMPORARY;
    script.children[2].restart = BOUGH_TRANSIENT;
    script.children[3].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, ended(2), "settle 2");
    expect(&script, crashed(0), "restart 0 try 1, stop 3");
    expect(&script, crashed(1), "remove 1");
    expect(&script, ended(3), "remove 3, start 0");
    expect(&script, ready(0), "start 2");
    expect(&script, ready(2), "");
    script_finish(&script);
}

static void five_5_a_start_that_fails_half_way_is_rolled_back_in_reverse(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 4);
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, start_failed(2), "stop 1");
    expect(&script, ended(1), "stop 0");
    bough_decide(script.decider, ended(0), 0, &actions);
    assert_int_equal(actions.list[0].end, BOUGH_END_FAILED);
    assert_int_equal(actions.list[0].child, 2);
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_start_in_order_each_after_the_one_before_is_ready),
        cmocka_unit_test(sup_start_normal),
        cmocka_unit_test(sup_start_ignore_child),
        cmocka_unit_test(sup_start_ignore_temporary_child),
        cmocka_unit_test(a_first_start_that_fails_is_neither_retried_nor_counted),
        cmocka_unit_test(a_child_that_ends_before_it_is_ready_has_failed_to_start),
        cmocka_unit_test(a_death_during_the_first_start_has_its_turn_after_it),
        cmocka_unit_test(what_died_during_a_start_that_fails_is_not_stopped),
        cmocka_unit_test(an_intensity_of_zero_allows_no_restart),
        cmocka_unit_test(an_intensity_of_n_allows_exactly_n_restarts),
        cmocka_unit_test(the_limit_is_the_supervisors_and_not_each_childs),
        cmocka_unit_test(multiple_restarts),
        cmocka_unit_test(deaths_that_lead_to_no_restart_do_not_count),
        cmocka_unit_test(a_failed_retry_counts),
        cmocka_unit_test(a_group_restart_counts_once),
        cmocka_unit_test(a_restart_is_stamped_when_its_turn_comes),
        cmocka_unit_test(giving_up_stops_the_rest_in_reverse),
        cmocka_unit_test(each_child_has_its_own_limit),
        cmocka_unit_test(sup_stop_brutal_kill),
        cmocka_unit_test(after_the_kill_its_end_is_awaited_without_limit),
        cmocka_unit_test(sup_stop_race),
        cmocka_unit_test(a_temporary_child_is_not_forgotten_by_a_shutdown),
        cmocka_unit_test(five_1_a_group_restart_starts_nobody_before_all_have_ended),
        cmocka_unit_test(five_2_children_stop_in_reverse_one_at_a_time_with_their_limits),
        cmocka_unit_test(five_3_a_restart_that_fails_is_retried_and_counted),
        cmocka_unit_test(five_4_temporary_siblings_are_forgotten_transient_ones_return),
        cmocka_unit_test(five_5_a_start_that_fails_half_way_is_rolled_back_in_reverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
