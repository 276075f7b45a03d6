/* test_decide_groups.c - how each strategy restarts, and retries (docs/supervision.md 21
 * to 27).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

static void one_for_one_other_children_are_left_alone(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, ready(1), "");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RUNNING);
    assert_int_equal(state_of(&script, 2), BOUGH_CHILD_RUNNING);
    script_finish(&script);
}

static void rest_for_one(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 4);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 3");
    expect(&script, ended(3), "stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "start 3");
    expect(&script, ready(3), "");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RUNNING);
    script_finish(&script);
}

static void one_for_all(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "");
    script_finish(&script);
}

static void ignore_at_a_restart_keeps_the_spec(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ignored(0), "settle 0, start 1");
    expect(&script, ready(1), "");
    expect(&script, crashed(1), "restart 1 try 1, start 0");
    script_finish(&script);
}

static void one_for_all_other_child_fails_restart(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 2");
    expect(&script, ended(2), "stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, start_failed(1), "retry 1");
    assert_int_equal(state_of(&script, 2), BOUGH_CHILD_DOWN);
    expect(&script, retry(1), "restart 1 try 2, stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    script_finish(&script);
}

static void rest_for_one_other_child_fails_restart(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 2");
    expect(&script, ended(2), "stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, start_failed(1), "retry 1");
    expect(&script, retry(1), "restart 1 try 2, start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RUNNING);
    script_finish(&script);
}

static void order_of_children(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 5);
    script_start(&script);
    expect(&script, crashed(4), "restart 4 try 1, start 4");
    expect(&script, crashed(3), "");
    expect(&script, ready(4), "restart 3 try 1, stop 4");
    expect(&script, crashed(2), "");
    expect(&script, ended(4), "start 3");
    expect(&script, ready(3), "start 4");
    expect(&script, ready(4), "restart 2 try 1, stop 4");
    expect(&script, ended(4), "stop 3");
    expect(&script, ended(3), "start 2");
    expect(&script, ready(2), "start 3");
    expect(&script, ready(3), "start 4");
    expect(&script, ready(4), "");
    script_finish(&script);
}

static void a_sibling_that_dies_while_its_group_stops_is_not_counted(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 4);
    script_start(&script);
    expect(&script, crashed(3), "restart 3 try 1, stop 2");
    expect(&script, crashed(1), "");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "start 3");
    expect(&script, ready(3), "");
    script_finish(&script);
}

static void a_sibling_that_dies_while_its_group_starts_has_its_turn_after_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, crashed(0), "");
    expect(&script, ready(1), "restart 0 try 1, stop 1");
    script_finish(&script);
}

static void two_that_died_in_one_moment_need_one_group_restart(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 4);
    script_start(&script);
    expect(&script, crashed(3), "restart 3 try 1, start 3");
    expect(&script, crashed(1), "");
    expect(&script, crashed(2), "");
    expect(&script, ready(3), "restart 1 try 1, stop 3");
    expect(&script, ended(3), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "start 3");
    expect(&script, ready(3), "");
    script_finish(&script);
}

static void a_retry_is_ignored_once_a_group_has_started_the_child(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, start_failed(1), "retry 1");
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, retry(1), "");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "");
    script_finish(&script);
}

static void a_retry_waits_behind_the_deaths_before_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, crashed(1), "");
    expect(&script, start_failed(0), "retry 0, restart 1 try 1, start 1");
    expect(&script, retry(0), "");
    expect(&script, ready(1), "restart 0 try 2, start 0");
    script_finish(&script);
}

static void an_attempt_is_counted_anew_after_a_restart_that_held(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, ready(0), "");
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_for_one_other_children_are_left_alone),
        cmocka_unit_test(rest_for_one),
        cmocka_unit_test(one_for_all),
        cmocka_unit_test(ignore_at_a_restart_keeps_the_spec),
        cmocka_unit_test(one_for_all_other_child_fails_restart),
        cmocka_unit_test(rest_for_one_other_child_fails_restart),
        cmocka_unit_test(order_of_children),
        cmocka_unit_test(a_sibling_that_dies_while_its_group_stops_is_not_counted),
        cmocka_unit_test(
            a_sibling_that_dies_while_its_group_starts_has_its_turn_after_it),
        cmocka_unit_test(two_that_died_in_one_moment_need_one_group_restart),
        cmocka_unit_test(a_retry_is_ignored_once_a_group_has_started_the_child),
        cmocka_unit_test(a_retry_waits_behind_the_deaths_before_it),
        cmocka_unit_test(an_attempt_is_counted_anew_after_a_restart_that_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
