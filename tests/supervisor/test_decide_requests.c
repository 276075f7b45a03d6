/* test_decide_requests.c - children started, stopped and forgotten by request
 * (docs/supervision.md 7).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

static const struct bough_child_spec permanent = { .type = &script_worker };
static const struct bough_child_spec temporary = { .type = &script_worker,
                                                   .restart = BOUGH_TEMPORARY };

/* A supervisor that has child 0 and gets one more, 1, made known and not started. */
static void begin_with_one(struct script *script, const struct bough_child_spec *spec)
{
    script_init(script, BOUGH_ONE_FOR_ONE, 1);
    script_start(script);
    assert_int_equal(script_add(script, spec), 1);
}

/* start_child */

static void start_child_starts_it_last(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    assert_false(bough_decider_idle(script.decider));
    expect(&script, ready(1), "answer 1 ok");
    assert_true(bough_decider_idle(script.decider));
    expect(&script, asked_to_stop(), "stop 1");
    expect(&script, ended(1), "stop 0");
    script_finish(&script);
}

static void sup_start_child_returns_error(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    expect(&script, start_failed(1), "answer 1 failed, remove 1");
    assert_int_equal(state_of(&script, 1), BOUGH_CHILD_FORGOTTEN);
    assert_int_equal(bough_decider_next(script.decider, 0), BOUGH_NO_CHILD);
    script_finish(&script);
}

static void a_child_that_ends_before_it_is_ready_was_not_started(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    expect(&script, ended(1), "answer 1 failed, remove 1");
    script_finish(&script);
}

static void start_child_that_is_ignored_is_kept(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    expect(&script, ignored(1), "answer 1 ignore, settle 1");
    assert_int_equal(state_of(&script, 1), BOUGH_CHILD_DOWN);
    script_finish(&script);
}

static void sup_start_ignore_temporary_child_start_child(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &temporary);
    expect(&script, start_child(1), "start 1");
    expect(&script, ignored(1), "answer 1 ignore, remove 1");
    script_finish(&script);
}

static void starts_by_request_do_not_count(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 1;
    script_start(&script);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(script_add(&script, &permanent), 1);
        expect(&script, start_child(1), "start 1");
        expect(&script, start_failed(1), "answer 1 failed, remove 1");
    }
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    script_finish(&script);
}

/* docs/supervision.md 29 */
static void an_added_child_takes_part_in_group_restarts(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 1);
    script_start(&script);
    assert_int_equal(script_add(&script, &permanent), 1);
    expect(&script, start_child(1), "start 1");
    expect(&script, ready(1), "answer 1 ok");
    expect(&script, crashed(0), "restart 0 try 1, stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    script_finish(&script);
}

/* Numbers and order */

static void a_number_is_given_again_after_it_was_removed(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 3);
    script.children[0].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, crashed(0), "remove 0");
    assert_int_equal(script_add(&script, &permanent), 0);
    assert_int_equal(bough_decider_count(script.decider), 3);
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    script_finish(&script);
}

static void start_order_is_the_order_of_adding_and_not_of_numbers(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    script.children[0].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, crashed(0), "remove 0");
    assert_int_equal(script_add(&script, &permanent), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    assert_int_equal(bough_decider_next(script.decider, BOUGH_NO_CHILD), 1);
    assert_int_equal(bough_decider_next(script.decider, 1), 2);
    assert_int_equal(bough_decider_next(script.decider, 2), 0);
    assert_int_equal(bough_decider_next(script.decider, 0), BOUGH_NO_CHILD);
    expect(&script, crashed(1), "restart 1 try 1, stop 0");
    expect(&script, ended(0), "stop 2");
    script_finish(&script);
}

static void a_hole_in_the_middle_is_stepped_over(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 4);
    script.children[1].restart = BOUGH_TEMPORARY;
    script.children[2].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, crashed(2), "remove 2");
    expect(&script, crashed(3), "restart 3 try 1, stop 1");
    expect(&script, ended(1), "remove 1, stop 0");
    expect(&script, ended(0), "start 0");
    expect(&script, ready(0), "start 3");
    expect(&script, ready(3), "");
    script_finish(&script);
}

/* terminate_child */

static void terminate_child_stops_it_and_keeps_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, settle 0");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    expect(&script, terminate_child(0), "answer 0 ok");
    script_finish(&script);
}

static void terminate_child_has_the_childs_own_limit(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, stop_timeout(0), "kill 0");
    expect(&script, exited(0, &script_killed), "answer 0 ok, settle 0");
    script_finish(&script);
}

static void a_terminated_temporary_child_is_forgotten(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[0].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, remove 0");
    script_finish(&script);
}

/* It was made known by a change of the specs and never started. */
static void a_temporary_child_that_is_down_is_forgotten_by_terminate_child(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &temporary);
    expect(&script, terminate_child(1), "answer 1 ok, remove 1");
    script_finish(&script);
}

static void terminate_child_restarts_nobody_and_does_not_count(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.options.intensity = 0;
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, crashed(0), "answer 0 ok, settle 0");
    assert_int_equal(state_of(&script, 1), BOUGH_CHILD_RUNNING);
    script_finish(&script);
}

/* docs/supervision.md 24: asserted by `tree`. */
static void a_terminated_child_comes_back_with_its_group(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[1].restart = BOUGH_TRANSIENT;
    script_start(&script);
    expect(&script, terminate_child(1), "stop 1");
    expect(&script, ended(1), "answer 1 ok, settle 1");
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, ready(0), "start 1");
    script_finish(&script);
}

/* restart_child and delete_child */

static void restart_child_starts_what_is_down(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.children[0].restart = BOUGH_TRANSIENT;
    script_start(&script);
    expect(&script, ended(0), "settle 0");
    expect(&script, restart_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    expect(&script, restart_child(0), "answer 0 running");
    script_finish(&script);
}

static void sup_start_restart_child_returns_error(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, settle 0");
    expect(&script, restart_child(0), "start 0");
    expect(&script, start_failed(0), "answer 0 failed, settle 0");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    script_finish(&script);
}

static void restart_child_that_is_ignored_stays_known(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, settle 0");
    expect(&script, restart_child(0), "start 0");
    expect(&script, ignored(0), "answer 0 ignore, settle 0");
    script_finish(&script);
}

static void child_adm(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    expect(&script, ready(1), "answer 1 ok");
    expect(&script, delete_child(1), "answer 1 running");
    expect(&script, terminate_child(1), "stop 1");
    expect(&script, ended(1), "answer 1 ok, settle 1");
    expect(&script, terminate_child(1), "answer 1 ok");
    expect(&script, restart_child(1), "start 1");
    expect(&script, ready(1), "answer 1 ok");
    expect(&script, terminate_child(1), "stop 1");
    expect(&script, ended(1), "answer 1 ok, settle 1");
    expect(&script, delete_child(1), "answer 1 ok, remove 1");
    assert_false(bough_decide_expects(script.decider, restart_child(1)));
    script_finish(&script);
}

/* Restarts that fail again and again, and requests in between */

static void fail_for_ever(struct script *script, enum bough_strategy strategy,
                          size_t count)
{
    script_init(script, strategy, count);
    script->options.intensity = 1000;
    script_start(script);
}

static void hanging_restart_loop(void **state)
{
    struct script script;

    (void)state;
    fail_for_ever(&script, BOUGH_ONE_FOR_ONE, 1);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, restart_child(0), "answer 0 restarting");
    expect(&script, delete_child(0), "answer 0 restarting");
    expect(&script, terminate_child(0), "answer 0 ok, settle 0");
    expect(&script, retry(0), "");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    expect(&script, asked_to_stop(), "end asked");
    script_finish(&script);
}

static void hanging_restart_loop_rest_for_one(void **state)
{
    struct script script;

    (void)state;
    fail_for_ever(&script, BOUGH_REST_FOR_ONE, 3);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, start_failed(1), "retry 1");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RUNNING);
    assert_int_equal(state_of(&script, 2), BOUGH_CHILD_DOWN);
    expect(&script, restart_child(1), "answer 1 restarting");
    expect(&script, terminate_child(1), "answer 1 ok, settle 1, settle down");
    expect(&script, retry(1), "");
    expect(&script, restart_child(1), "start 1");
    expect(&script, ready(1), "answer 1 ok");
    assert_int_equal(state_of(&script, 2), BOUGH_CHILD_DOWN);
    script_finish(&script);
}

static void a_sibling_started_by_hand_in_a_gap_is_replaced_by_the_retry(void **state)
{
    struct script script;

    (void)state;
    fail_for_ever(&script, BOUGH_REST_FOR_ONE, 2);
    expect(&script, crashed(0), "restart 0 try 1, stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, restart_child(1), "start 1");
    expect(&script, retry(0), "");
    expect(&script, ready(1), "answer 1 ok, restart 0 try 2, stop 1");
    expect(&script, ended(1), "start 0");
    script_finish(&script);
}

static void those_whom_another_retry_will_start_are_not_settled(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    script.children[0].backoff.min_ms = 10;
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, start_failed(1), "retry 1");
    expect(&script, crashed(0), "retry 0 in 10");
    expect(&script, terminate_child(1), "answer 1 ok, settle 1");
    expect(&script, terminate_child(0), "answer 0 ok, settle 0, settle down");
    script_finish(&script);
}

/* Meanwhile */

static void who_ends_during_a_request_waits_for_its_turn(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script_start(&script);
    expect(&script, terminate_child(2), "stop 2");
    expect(&script, crashed(0), "");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_WAITING);
    expect(&script, ended(2), "answer 2 ok, settle 2, restart 0 try 1, stop 1");
    script_finish(&script);
}

static void a_request_is_not_expected_while_something_is_under_way(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    assert_false(bough_decide_expects(script.decider, terminate_child(1)));
    assert_false(bough_decide_expects(script.decider, delete_child(1)));
    expect(&script, ready(0), "");
    assert_true(bough_decide_expects(script.decider, terminate_child(1)));
    script_finish(&script);
}

static void asked_to_end_during_a_start_it_answers_once(void **state)
{
    struct script script;

    (void)state;
    begin_with_one(&script, &permanent);
    expect(&script, start_child(1), "start 1");
    expect(&script, asked_to_stop(), "answer 1 cancelled, stop 1");
    expect(&script, ready(1), "");
    expect(&script, ended(1), "stop 0");
    expect(&script, ended(0), "end asked");
    script_finish(&script);
}

static void asked_to_end_during_a_stop_it_answers_and_finishes_that_first(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[0].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, asked_to_stop(), "answer 0 cancelled");
    expect(&script, stop_timeout(0), "kill 0");
    expect(&script, crashed(0), "stop 1");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

static void a_hundred_thousand_children_come_and_go_about_linearly(void **state)
{
    enum { COUNT = 100000 };
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 0);
    script_start(&script);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(script_add(&script, &permanent), i);
        bough_decide(script.decider, start_child(i), 0, &actions);
        bough_decide(script.decider, ready(i), 0, &actions);
    }
    bough_decide(script.decider, asked_to_stop(), 0, &actions);
    for (size_t i = COUNT; i-- > 0;) {
        assert_int_equal(actions.list[0].kind, BOUGH_DO_STOP);
        assert_int_equal(actions.list[0].child, i);
        bough_decide(script.decider, ended(i), 0, &actions);
    }
    assert_int_equal(actions.list[0].kind, BOUGH_DO_END);
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_child_starts_it_last),
        cmocka_unit_test(sup_start_child_returns_error),
        cmocka_unit_test(a_child_that_ends_before_it_is_ready_was_not_started),
        cmocka_unit_test(start_child_that_is_ignored_is_kept),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child),
        cmocka_unit_test(starts_by_request_do_not_count),
        cmocka_unit_test(an_added_child_takes_part_in_group_restarts),
        cmocka_unit_test(a_number_is_given_again_after_it_was_removed),
        cmocka_unit_test(start_order_is_the_order_of_adding_and_not_of_numbers),
        cmocka_unit_test(a_hole_in_the_middle_is_stepped_over),
        cmocka_unit_test(terminate_child_stops_it_and_keeps_it),
        cmocka_unit_test(terminate_child_has_the_childs_own_limit),
        cmocka_unit_test(a_terminated_temporary_child_is_forgotten),
        cmocka_unit_test(a_temporary_child_that_is_down_is_forgotten_by_terminate_child),
        cmocka_unit_test(terminate_child_restarts_nobody_and_does_not_count),
        cmocka_unit_test(a_terminated_child_comes_back_with_its_group),
        cmocka_unit_test(restart_child_starts_what_is_down),
        cmocka_unit_test(sup_start_restart_child_returns_error),
        cmocka_unit_test(restart_child_that_is_ignored_stays_known),
        cmocka_unit_test(child_adm),
        cmocka_unit_test(hanging_restart_loop),
        cmocka_unit_test(hanging_restart_loop_rest_for_one),
        cmocka_unit_test(a_sibling_started_by_hand_in_a_gap_is_replaced_by_the_retry),
        cmocka_unit_test(those_whom_another_retry_will_start_are_not_settled),
        cmocka_unit_test(who_ends_during_a_request_waits_for_its_turn),
        cmocka_unit_test(a_request_is_not_expected_while_something_is_under_way),
        cmocka_unit_test(asked_to_end_during_a_start_it_answers_once),
        cmocka_unit_test(asked_to_end_during_a_stop_it_answers_and_finishes_that_first),
        cmocka_unit_test(a_hundred_thousand_children_come_and_go_about_linearly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
