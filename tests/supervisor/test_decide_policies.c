/* test_decide_policies.c - what OTP has not: a child's own limit, and policies by cause.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

/* A limit of its own */

static void a_child_has_a_limit_beside_its_supervisors(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[1].intensity = 1;
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, ready(0), "");
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, ready(1), "");
    bough_decide(script.decider, crashed(1), 0, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_GIVE_UP);
    assert_int_equal(actions.list[0].why, BOUGH_WHY_OWN_LIMIT);
    assert_int_equal(actions.list[0].restarts, 2);
    assert_int_equal(actions.list[1].kind, BOUGH_DO_STOP);
    script_finish(&script);
}

static void its_own_limit_has_its_own_period(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.children[0].intensity = 1;
    script.children[0].period_ms = 10;
    script_start(&script);
    for (int i = 0; i < 3; i++) {
        expect(&script, crashed(0), "restart 0 try 1, start 0");
        expect(&script, ready(0), "");
        script.now_ms += 11;
    }
    expect(&script, crashed(0), "give up 0, end gave up");
    script_finish(&script);
}

static void the_supervisors_limit_is_named_first(void **state)
{
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 0;
    script.children[0].any_intensity = true;
    script_start(&script);
    bough_decide(script.decider, crashed(0), 0, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_GIVE_UP);
    assert_int_equal(actions.list[0].why, BOUGH_WHY_LIMIT);
    script_finish(&script);
}

static void restarts_with_the_group_do_not_count_against_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[1].any_intensity = true;
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 1");
    expect(&script, ended(1), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "");
    expect(&script, crashed(1), "give up 1, stop 0");
    script_finish(&script);
}

/* Policies */

static const struct bough_exit_reason exit_3 = { .kind = BOUGH_EXIT_CODE, .number = 3 };
static const struct bough_exit_reason exit_0 = { .kind = BOUGH_EXIT_CODE };
static const struct bough_exit_reason signal_9 = { .kind = BOUGH_EXIT_SIGNAL,
                                                   .number = 9 };
static const struct bough_exit_reason full = { .kind = BOUGH_EXIT_ERROR,
                                               .status = BOUGH_EFULL };

/* What a child of that restart type with that one policy leads to. */
static void expect_policy(enum bough_restart restart, struct bough_policy policy,
                          const struct bough_exit_reason *reason, const char *expected)
{
    struct script script;

    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 1;
    script.children[0].restart = restart;
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_start(&script);
    expect(&script, exited(0, reason), expected);
    script_finish(&script);
}

static void a_policy_restarts_what_would_be_over(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_RESTART };

    (void)state;
    expect_policy(BOUGH_TEMPORARY, policy, &full, "restart 0 try 1, start 0");
    expect_policy(BOUGH_TRANSIENT, policy, &script_normal, "restart 0 try 1, start 0");
}

static void a_policy_stops_what_would_be_restarted(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };

    (void)state;
    expect_policy(BOUGH_PERMANENT, policy, &full, "settle 0");
    expect_policy(BOUGH_TEMPORARY, policy, &full, "settle 0");
}

static void a_policy_escalates_at_once(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_ESCALATE };
    struct script script;
    struct bough_decide_actions actions;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_start(&script);
    bough_decide(script.decider, crashed(0), 0, &actions);
    assert_int_equal(actions.list[0].kind, BOUGH_DO_GIVE_UP);
    assert_int_equal(actions.list[0].why, BOUGH_WHY_POLICY);
    assert_int_equal(actions.list[0].restarts, 0);
    expect(&script, ended(1), "end gave up");
    script_finish(&script);
}

static void a_policy_lets_restarts_go_uncounted(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_CODE,
                                         .number = 3,
                                         .act = BOUGH_POLICY_UNCOUNTED };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.intensity = 0;
    script.children[0].any_intensity = true;
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_start(&script);
    for (int i = 0; i < 5; i++) {
        expect(&script, exited(0, &exit_3), "restart 0 try 1, start 0");
        expect(&script, ready(0), "");
    }
    expect(&script, exited(0, &signal_9), "give up 0, end gave up");
    script_finish(&script);
}

static void a_condition_fits_what_it_says(void **state)
{
    const struct {
        struct bough_policy policy;
        const struct bough_exit_reason *reason;
        bool fits;
    } rows[] = {
        { { .kind = BOUGH_EXIT_CODE }, &exit_3, true },
        { { .kind = BOUGH_EXIT_CODE }, &signal_9, false },
        { { .kind = BOUGH_EXIT_CODE, .number = 3 }, &exit_3, true },
        { { .kind = BOUGH_EXIT_CODE, .number = 4 }, &exit_3, false },
        { { .kind = BOUGH_EXIT_CODE, .any_number = true }, &exit_0, true },
        { { .kind = BOUGH_EXIT_CODE, .any_number = true }, &exit_3, false },
        { { .kind = BOUGH_EXIT_ERROR, .status = BOUGH_EFULL }, &full, true },
        { { .kind = BOUGH_EXIT_ERROR, .status = BOUGH_EGONE }, &full, false },
        { { .status = BOUGH_EFULL }, &full, true },
        { { .any_kind = true, .kind = BOUGH_EXIT_NORMAL }, &script_normal, true },
        { { .any_kind = true, .kind = BOUGH_EXIT_NORMAL }, &full, false },
        { { .any_kind = false }, &signal_9, true },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        struct bough_policy policy = rows[i].policy;

        policy.act = BOUGH_POLICY_STOP;
        expect_policy(BOUGH_PERMANENT, policy, rows[i].reason,
                      rows[i].fits ? "settle 0" : "restart 0 try 1, start 0");
    }
}

static void the_first_policy_that_fits_is_followed(void **state)
{
    const struct bough_policy policies[] = {
        { .kind = BOUGH_EXIT_SIGNAL, .act = BOUGH_POLICY_ESCALATE },
        { .kind = BOUGH_EXIT_CODE, .act = BOUGH_POLICY_STOP },
        { .act = BOUGH_POLICY_ESCALATE },
    };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.children[0].policies = policies;
    script.children[0].policy_count = bough_count_of(policies);
    script_start(&script);
    expect(&script, exited(0, &exit_3), "settle 0");
    script_finish(&script);
}

/* A failed restart is an end, too. */

static void begin_judged(struct script *script, const struct bough_policy *policy,
                         enum bough_strategy strategy)
{
    script_init(script, strategy, 3);
    script->children[1].policies = policy;
    script->children[1].policy_count = 1;
    script_start(script);
}

static void a_policy_stops_what_cannot_be_restarted_and_the_group_goes_on(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_CODE,
                                         .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    begin_judged(&script, &policy, BOUGH_REST_FOR_ONE);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, exited(1, &exit_3), "settle 1, start 2");
    expect(&script, ready(2), "");
    script_finish(&script);
}

static void a_policy_escalates_what_cannot_be_restarted(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_CODE,
                                         .act = BOUGH_POLICY_ESCALATE };
    struct script script;

    (void)state;
    begin_judged(&script, &policy, BOUGH_ONE_FOR_ONE);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, exited(1, &exit_3), "give up 1, stop 2");
    expect(&script, ended(2), "stop 0");
    expect(&script, ended(0), "end gave up");
    script_finish(&script);
}

static void a_start_that_took_too_long_is_judged_as_timeout(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_TIMEOUT,
                                         .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    begin_judged(&script, &policy, BOUGH_ONE_FOR_ONE);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, start_timeout(1), "kill 1");
    expect(&script, exited(1, &script_killed), "settle 1");
    script_finish(&script);
}

static void a_first_start_is_not_judged(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, start_failed(0), "end failed");
    script_finish(&script);
}

static void a_significant_child_stopped_by_policy_triggers(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    script.children[0].restart = BOUGH_TRANSIENT;
    script.children[0].significant = true;
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_start(&script);
    expect(&script, exited(0, &exit_3), "settle 0, auto shutdown 0, end auto");
    script_finish(&script);
}

static void a_dynamic_child_stopped_by_policy_is_forgotten(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_DYNAMIC, 1);
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_new(&script);
    expect(&script, begin(), "ready");
    assert_int_equal(script_add(&script, &script.children[0]), 0);
    expect(&script, start_child(0), "start 0");
    expect(&script, ready(0), "answer 0 ok");
    expect(&script, crashed(0), "remove 0");
    script_finish(&script);
}

/* It is forgotten by then, and must not be walked over. */
static void a_temporary_child_whose_retry_is_cancelled_is_forgotten(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_RESTART };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    script.children[1].restart = BOUGH_TEMPORARY;
    script.children[1].policies = &policy;
    script.children[1].policy_count = 1;
    script_start(&script);
    expect(&script, crashed(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, start_failed(1), "retry 1");
    expect(&script, terminate_child(1), "answer 1 ok, remove 1, settle down");
    assert_int_equal(bough_decider_next(script.decider, 0), 2);
    script_finish(&script);
}

static void a_temporary_child_that_a_policy_stopped_stays_down(void **state)
{
    const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 2);
    script.children[1].restart = BOUGH_TEMPORARY;
    script.children[1].policies = &policy;
    script.children[1].policy_count = 1;
    script_start(&script);
    expect(&script, crashed(1), "settle 1");
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, ready(0), "");
    expect(&script, restart_child(1), "start 1");
    expect(&script, ready(1), "answer 1 ok");
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_a_limit_beside_its_supervisors),
        cmocka_unit_test(its_own_limit_has_its_own_period),
        cmocka_unit_test(the_supervisors_limit_is_named_first),
        cmocka_unit_test(restarts_with_the_group_do_not_count_against_it),
        cmocka_unit_test(a_policy_restarts_what_would_be_over),
        cmocka_unit_test(a_policy_stops_what_would_be_restarted),
        cmocka_unit_test(a_policy_escalates_at_once),
        cmocka_unit_test(a_policy_lets_restarts_go_uncounted),
        cmocka_unit_test(a_condition_fits_what_it_says),
        cmocka_unit_test(the_first_policy_that_fits_is_followed),
        cmocka_unit_test(a_policy_stops_what_cannot_be_restarted_and_the_group_goes_on),
        cmocka_unit_test(a_policy_escalates_what_cannot_be_restarted),
        cmocka_unit_test(a_start_that_took_too_long_is_judged_as_timeout),
        cmocka_unit_test(a_first_start_is_not_judged),
        cmocka_unit_test(a_significant_child_stopped_by_policy_triggers),
        cmocka_unit_test(a_dynamic_child_stopped_by_policy_is_forgotten),
        cmocka_unit_test(a_temporary_child_whose_retry_is_cancelled_is_forgotten),
        cmocka_unit_test(a_temporary_child_that_a_policy_stopped_stays_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
