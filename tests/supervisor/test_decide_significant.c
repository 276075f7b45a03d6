/* test_decide_significant.c - significant children and auto_shutdown (docs/supervision.md
 * 8).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>

/* Three children, 0 and 2 significant, of that restart type; 1 is permanent. */
static void begin_significant(struct script *script, enum bough_auto_shutdown mode,
                              enum bough_restart restart)
{
    script_init(script, BOUGH_ONE_FOR_ONE, 3);
    script->options.auto_shutdown = mode;
    script->children[0].restart = script->children[2].restart = restart;
    script->children[0].significant = script->children[2].significant = true;
    script_start(script);
}

static void end_quietly(enum bough_auto_shutdown mode, enum bough_restart restart,
                        const struct bough_exit_reason *reason, const char *expected)
{
    struct script script;

    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.options.auto_shutdown = mode;
    script.children[1].restart = restart;
    script_start(&script);
    expect(&script, exited(1, reason), expected);
    assert_false(bough_decider_ending(script.decider));
    script_finish(&script);
}

static void nonsignificant_temporary(void **state)
{
    (void)state;
    for (int mode = 0; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TEMPORARY, &script_normal,
                    "remove 1");
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TEMPORARY, &script_shutdown,
                    "remove 1");
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TEMPORARY, &script_killed,
                    "remove 1");
    }
}

static void nonsignificant_transient(void **state)
{
    (void)state;
    for (int mode = 0; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TRANSIENT, &script_normal,
                    "settle 1");
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TRANSIENT, &script_shutdown,
                    "settle 1");
        end_quietly((enum bough_auto_shutdown)mode, BOUGH_TRANSIENT, &script_killed,
                    "restart 1 try 1, start 1");
    }
}

static void significant_temporary(void **state)
{
    const struct bough_exit_reason *reasons[] = { &script_normal, &script_shutdown,
                                                  &script_killed, &script_fault };

    (void)state;
    for (size_t i = 0; i < bough_count_of(reasons); i++) {
        struct script script;

        begin_significant(&script, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY);
        expect(&script, exited(0, reasons[i]), "remove 0, auto shutdown 0, stop 2");
        expect(&script, ended(2), "stop 1");
        expect(&script, ended(1), "end auto");
        script_finish(&script);
    }
}

static void significant_temporary_all(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TEMPORARY);
    expect(&script, crashed(2), "remove 2");
    expect(&script, ended(0), "remove 0, auto shutdown 0, stop 1");
    expect(&script, ended(1), "end auto");
    script_finish(&script);
}

static void significant_transient(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ANY_SIGNIFICANT, BOUGH_TRANSIENT);
    expect(&script, exited(0, &script_killed), "restart 0 try 1, start 0");
    expect(&script, ready(0), "");
    expect(&script, crashed(2), "restart 2 try 1, start 2");
    expect(&script, ready(2), "");
    expect(&script, ended(2), "settle 2, auto shutdown 2, stop 1");
    script_finish(&script);
}

static void significant_transient_all(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT);
    expect(&script, ended(0), "settle 0");
    expect(&script, exited(2, &script_shutdown), "settle 2, auto shutdown 2, stop 1");
    script_finish(&script);
}

static void terminate_child_does_not_trigger(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, remove 0");
    assert_false(bough_decider_ending(script.decider));
    script_finish(&script);
}

/* One that was terminated is over all the same, when another asks whether all are. */
static void a_terminated_child_counts_as_over(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT);
    expect(&script, terminate_child(0), "stop 0");
    expect(&script, ended(0), "answer 0 ok, settle 0");
    expect(&script, ended(2), "settle 2, auto shutdown 2, stop 1");
    script_finish(&script);
}

static void one_that_is_restarting_counts_as_alive(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT);
    expect(&script, crashed(0), "restart 0 try 1, start 0");
    expect(&script, start_failed(0), "retry 0");
    expect(&script, ended(2), "settle 2");
    expect(&script, retry(0), "restart 0 try 2, start 0");
    expect(&script, ready(0), "");
    expect(&script, ended(0), "settle 0, auto shutdown 0, stop 1");
    script_finish(&script);
}

static void one_that_was_ignored_counts_as_over(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.options.auto_shutdown = BOUGH_ALL_SIGNIFICANT;
    for (size_t i = 0; i < 2; i++) {
        script.children[i].restart = BOUGH_TRANSIENT;
        script.children[i].significant = true;
    }
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ignored(0), "settle 0, start 1");
    expect(&script, ready(1), "ready");
    expect(&script, ended(1), "settle 1, auto shutdown 1, end auto");
    script_finish(&script);
}

/* Siblings stopped by a group restart do not trigger, whatever the strategy and mode. */
static void significant_bystander(void **state)
{
    const enum bough_strategy strategies[] = { BOUGH_ONE_FOR_ALL, BOUGH_REST_FOR_ONE };

    (void)state;
    for (size_t i = 0; i < bough_count_of(strategies); i++) {
        for (int mode = BOUGH_ANY_SIGNIFICANT; mode <= BOUGH_ALL_SIGNIFICANT; mode++) {
            struct script script;

            script_init(&script, strategies[i], 3);
            script.options.auto_shutdown = (enum bough_auto_shutdown)mode;
            script.children[1].restart = BOUGH_TRANSIENT;
            script.children[2].restart = BOUGH_TEMPORARY;
            script.children[1].significant = script.children[2].significant = true;
            script_start(&script);
            expect(&script, crashed(0), "restart 0 try 1, stop 2");
            expect(&script, ended(2), "remove 2, stop 1");
            expect(&script, ended(1), "start 0");
            expect(&script, ready(0), "start 1");
            expect(&script, ready(1), "");
            script_finish(&script);
        }
    }
}

/* It ended by itself, but its group was about to stop it: OTP takes that for stopped. */
static void a_bystander_that_ends_before_its_group_stops_it_does_not_trigger(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    script.children[1].restart = BOUGH_TEMPORARY;
    script.children[1].significant = true;
    script_start(&script);
    expect(&script, crashed(0), "restart 0 try 1, stop 2");
    expect(&script, crashed(1), "remove 1");
    expect(&script, ended(2), "start 0");
    script_finish(&script);
}

/* The same when it ended while the supervisor was busy, and the group comes first. */
static void an_end_that_a_group_overtakes_does_not_trigger(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 4);
    script.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    script.children[2].restart = BOUGH_TEMPORARY;
    script.children[2].significant = true;
    script_start(&script);
    expect(&script, crashed(3), "restart 3 try 1, start 3");
    expect(&script, crashed(1), "");
    expect(&script, ended(2), "remove 2");
    expect(&script, ready(3), "restart 1 try 1, stop 3");
    expect(&script, ended(3), "start 1");
    expect(&script, ready(1), "start 3");
    expect(&script, ready(3), "");
    assert_int_equal(script_add(&script, &script.children[1]), 2);
    script_finish(&script);
}

static void an_end_before_a_group_triggers_before_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ALL, 3);
    script.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    script.children[1].restart = BOUGH_TRANSIENT;
    script.children[1].significant = true;
    script_start(&script);
    expect(&script, terminate_child(2), "stop 2");
    expect(&script, ended(1), "settle 1");
    expect(&script, crashed(0), "");
    expect(&script, ended(2), "answer 2 ok, settle 2, auto shutdown 1, end auto");
    script_finish(&script);
}

/* Both end while the supervisor is busy: the second of two ends is the last. */
static void all_are_over_only_when_the_last_end_has_had_its_turn(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TEMPORARY);
    expect(&script, crashed(1), "restart 1 try 1, start 1");
    expect(&script, ended(0), "remove 0");
    expect(&script, ended(2), "remove 2");
    expect(&script, ready(1), "auto shutdown 2, stop 1");
    script_finish(&script);
}

static void an_end_during_the_first_start_triggers_after_it(void **state)
{
    struct script script;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    script.children[0].restart = BOUGH_TEMPORARY;
    script.children[0].significant = true;
    script_new(&script);
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ended(0), "remove 0");
    expect(&script, ready(1), "ready, auto shutdown 0, stop 1");
    script_finish(&script);
}

static void an_end_during_the_shutdown_triggers_nothing(void **state)
{
    struct script script;

    (void)state;
    begin_significant(&script, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY);
    expect(&script, asked_to_stop(), "stop 2");
    expect(&script, ended(0), "");
    expect(&script, ended(2), "stop 1");
    expect(&script, ended(1), "end asked");
    script_finish(&script);
}

static void a_significant_child_that_comes_later_counts(void **state)
{
    struct script script;
    const struct bough_child_spec late = { .type = &script_worker,
                                           .restart = BOUGH_TEMPORARY,
                                           .significant = true };

    (void)state;
    begin_significant(&script, BOUGH_ALL_SIGNIFICANT, BOUGH_TEMPORARY);
    assert_int_equal(script_add(&script, &late), 3);
    expect(&script, start_child(3), "start 3");
    expect(&script, ready(3), "answer 3 ok");
    expect(&script, ended(0), "remove 0");
    expect(&script, ended(2), "remove 2");
    expect(&script, ended(3), "remove 3, auto shutdown 3, stop 1");
    script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsignificant_temporary),
        cmocka_unit_test(nonsignificant_transient),
        cmocka_unit_test(significant_temporary),
        cmocka_unit_test(significant_temporary_all),
        cmocka_unit_test(significant_transient),
        cmocka_unit_test(significant_transient_all),
        cmocka_unit_test(terminate_child_does_not_trigger),
        cmocka_unit_test(a_terminated_child_counts_as_over),
        cmocka_unit_test(one_that_is_restarting_counts_as_alive),
        cmocka_unit_test(one_that_was_ignored_counts_as_over),
        cmocka_unit_test(significant_bystander),
        cmocka_unit_test(
            a_bystander_that_ends_before_its_group_stops_it_does_not_trigger),
        cmocka_unit_test(an_end_that_a_group_overtakes_does_not_trigger),
        cmocka_unit_test(an_end_before_a_group_triggers_before_it),
        cmocka_unit_test(all_are_over_only_when_the_last_end_has_had_its_turn),
        cmocka_unit_test(an_end_during_the_first_start_triggers_after_it),
        cmocka_unit_test(an_end_during_the_shutdown_triggers_nothing),
        cmocka_unit_test(a_significant_child_that_comes_later_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
