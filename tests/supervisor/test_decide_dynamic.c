/* test_decide_dynamic.c - dynamic children: OTP's simple_one_for_one (docs/supervision.md
 * 7, 28, 33).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

/* Starts a dynamic supervisor with `count` children of that restart type. */
static void begin_dynamic(struct script *script, enum bough_restart restart, size_t count)
{
    static const char *const answers[] = { "answer 0 ok", "answer 1 ok", "answer 2 ok" };
    struct bough_decide_actions actions;

    script_init(script, BOUGH_DYNAMIC, 1);
    script->children[0].restart = restart;
    script_new(script);
    expect(script, begin(), "ready");
    assert_in_range(count, 0, bough_count_of(answers));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(script_add(script, &script->children[0]), i);
        bough_decide(script->decider, start_child(i), 0, &actions);
        expect(script, ready(i), answers[i]);
    }
}

static void a_dynamic_supervisor_begins_without_children(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 0);
    assert_int_equal(bough_decider_count(script.decider), 0);
    assert_int_equal(bough_decider_next(script.decider, BOUGH_NO_CHILD), BOUGH_NO_CHILD);
    expect(&script, asked_to_stop(), "end asked");
    script_finish(&script);
}

static void simple_one_for_one(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 2);
    for (int i = 0; i < 3; i++) {
        expect(&script, crashed(0), "restart 0 try 1, start 0");
        expect(&script, ready(0), "");
        assert_int_equal(state_of(&script, 1), BOUGH_CHILD_RUNNING);
    }
    expect(&script, crashed(0), "give up 0, stop all");
    expect(&script, ended(1), "end gave up");
    script_finish(&script);
}

static void simple_one_for_one_escalation(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 2);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "restart 0 try 3, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, retry(0), "give up 0, stop all");
    expect(&script, ended(1), "end gave up");
    script_finish(&script);
}

static void sup_start_child_returns_error_simple(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 0);
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, start_failed(0), "answer 0 failed, remove 0");
    script_finish(&script);
}

static void ignored_at_the_start(enum bough_restart restart)
{
    struct script script;

    begin_dynamic(&script, restart, 0);
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ignored(0), "answer 0 ignore, remove 0");
    expect(&script, asked_to_stop(), "end asked");
    script_finish(&script);
}

static void sup_start_ignore_permanent_child_start_child_simple(void **state)
{
    (void)state;
    ignored_at_the_start(BOUGH_PERMANENT);
}

static void sup_start_ignore_temporary_child_start_child_simple(void **state)
{
    (void)state;
    ignored_at_the_start(BOUGH_TEMPORARY);
}

static void ignored_at_a_restart(enum bough_restart restart)
{
    struct script script;

    begin_dynamic(&script, restart, 2);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, ignored(0), "remove 0");
    assert_int_equal(bough_decider_next(script.decider, BOUGH_NO_CHILD), 1);
    script_finish(&script);
}

static void simple_one_for_one_restart_ignore(void **state)
{
    (void)state;
    ignored_at_a_restart(BOUGH_PERMANENT);
    ignored_at_a_restart(BOUGH_TRANSIENT);
}

static void a_dynamic_child_that_is_over_is_forgotten(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_TRANSIENT, 2);
    expect(&script, ended(0), "remove 0");
    expect(&script, exited(1, &script_shutdown), "remove 1");
    script_finish(&script);
}

static void child_adm_simple(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 2);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, remove 0");
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    script_finish(&script);
}

static void hanging_restart_loop_simple(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 2);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_RETRYING);
    expect(&script, terminate_child(0), "answer 0 ok, remove 0");
    expect(&script, retry(0), "");
    expect(&script, asked_to_stop(), "stop all");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

/* The end */

static void simple_one_for_one_shutdown(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_DYNAMIC, 1);
    script.children[0].shutdown_ms = 1234;
    script_new(&script);
    expect(&script, begin(), "ready");
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    bough_decide(script.decider, asked_to_stop(), 0, &actions);
    assert_int_equal(actions.count, 1);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_STOP_ALL);
    assert_int_equal(actions.list[0].limit_ms, 1234);
    script_finish(&script);
}

static void sup_stop_timeout_dynamic(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 3);
    expect(&script, asked_to_stop(), "stop all");
    expect(&script, ended(1), "");
    expect(&script, all_timeout(), "kill all");
    expect(&script, all_timeout(), "");
    expect(&script, exited(2, &script_killed), "");
    expect(&script, exited(0, &script_killed), "end asked");
    script_finish(&script);
}

static void sup_stop_brutal_kill_dynamic(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 0);
    script_finish(&script);
    script.children[0].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    script_new(&script);
    expect(&script, begin(), "ready");
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    bough_decide(script.decider, asked_to_stop(), 0, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_STOP_ALL);
    assert_int_equal(actions.list[0].limit_ms, BOUGH_SHUTDOWN_BRUTAL_KILL);
    expect(&script, all_timeout(), "");
    expect(&script, exited(0, &script_killed), "end asked");
    script_finish(&script);
}

static void sup_stop_non_shutdown_exit_dynamic(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 3);
    expect(&script, asked_to_stop(), "stop all");
    expect(&script, crashed(2), "");
    expect(&script, exited(0, &script_normal), "");
    expect(&script, exited(1, &script_killed), "end asked");
    script_finish(&script);
}

static void only_those_that_live_are_stopped(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 2);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, asked_to_stop(), "stop all");
    assert_int_equal(state_of(&script, 0), BOUGH_CHILD_DOWN);
    expect(&script, retry(0), "");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

static void a_start_under_way_is_stopped_with_the_others(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 1);
    assert_int_equal(script_add(&script, &script.children[0]), 1);
    expect(&script, start_child(1), "start 1");
    expect(&script, asked_to_stop(), "answer 1 cancelled, stop all");
    expect(&script, ready(1), "");
    expect(&script, ended(0), "");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

static void a_stop_by_request_goes_on_during_the_end(void **state)
{
    struct script script;

    (void)state;
    begin_dynamic(&script, BOUGH_PERMANENT, 1);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, asked_to_stop(), "answer 0 cancelled, stop all");
    expect(&script, stop_timeout(0), "kill 0");
    expect(&script, exited(0, &script_killed), "end asked");
    script_finish(&script);
}

/* Many (docs/supervision.md 41) */

static void come_and_go(size_t count)
{
    struct script script;
    struct bough_decide_actions actions;

    begin_dynamic(&script, BOUGH_TEMPORARY, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(script_add(&script, &script.children[0]), i);
        bough_decide(script.decider, start_child(i), 0, &actions);
        bough_decide(script.decider, ready(i), 0, &actions);
    }
    for (size_t i = 0; i < count / 2; i++)
        bough_decide(script.decider, ended(i), 0, &actions);
    for (size_t i = 0; i < count / 2; i++)
        assert_in_range(script_add(&script, &script.children[0]), 0, count / 2 - 1);
    assert_int_equal(bough_decider_count(script.decider), count);
    bough_decide(script.decider, asked_to_stop(), 0, &actions);
    for (size_t i = count / 2; i < count; i++)
        bough_decide(script.decider, ended(i), 0, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_END);
    script_finish(&script);
}

static void simple_one_for_one_scale_many_temporary_children(void **state)
{
    (void)state;
    come_and_go(10000);
    come_and_go(100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dynamic_supervisor_begins_without_children),
        cmocka_unit_test(simple_one_for_one),
        cmocka_unit_test(simple_one_for_one_escalation),
        cmocka_unit_test(sup_start_child_returns_error_simple),
        cmocka_unit_test(sup_start_ignore_permanent_child_start_child_simple),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child_simple),
        cmocka_unit_test(simple_one_for_one_restart_ignore),
        cmocka_unit_test(a_dynamic_child_that_is_over_is_forgotten),
        cmocka_unit_test(child_adm_simple),
        cmocka_unit_test(hanging_restart_loop_simple),
        cmocka_unit_test(simple_one_for_one_shutdown),
        cmocka_unit_test(sup_stop_timeout_dynamic),
        cmocka_unit_test(sup_stop_brutal_kill_dynamic),
        cmocka_unit_test(sup_stop_non_shutdown_exit_dynamic),
        cmocka_unit_test(only_those_that_live_are_stopped),
        cmocka_unit_test(a_start_under_way_is_stopped_with_the_others),
        cmocka_unit_test(a_stop_by_request_goes_on_during_the_end),
        cmocka_unit_test(simple_one_for_one_scale_many_temporary_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
