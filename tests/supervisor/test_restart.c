/* test_restart.c - restarts by the actor: strategies, retries, limits, mailboxes, causes.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>

#include <string.h>

/* Fails its second start, and only that. */
static void fail_second_start(struct bough_actor *actor, struct bough_probe *probe)
{
    probe->init_status = BOUGH_OK;
    if (probe->inits != 2) return;
    bough_fail(actor, BOUGH_EFAILED, "second start");
    probe->init_status = BOUGH_EFAILED;
}

static void never_start_again(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)actor;
    if (probe->inits > 1) probe->init_status = BOUGH_EFAILED;
}

/* Whether a life of these numbers runs in each place. */
static void expect_lives(struct tree *tree, const unsigned *lives)
{
    for (size_t i = 0; i < tree->options.child_count; i++) {
        char path[3] = { '/', tree_names[i][0], '\0' };
        struct bough_place_info info;

        assert_status(bough_place_info(tree_find(tree, path), &info), BOUGH_OK);
        assert_int_equal(info.life, lives[i]);
        assert_int_equal(info.state, BOUGH_PLACE_RUNNING);
    }
}

#define lives(...) ((const unsigned[]){ __VA_ARGS__ })

/* Strategies */

static void one_for_one(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.options.intensity = 2;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    expect_lives(&tree, lives(2, 1));
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    expect_lives(&tree, lives(2, 2));
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void one_for_one_escalation(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].on_init = never_start_again;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.probes[0].inits, 1 + 3);
    assert_int_equal(tree.probes[1].finishes, 1);
    tree_finish(&tree);
}

static void one_for_all(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 3);
    tree_start(&tree);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /b 1 error: failed: told to fail, 0\n"
                       "restarting /b 1\n"
                       "stopping /c 1\n"
                       "exited /c 1 shutdown\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "started /a 2\n"
                       "ready /a 2\n"
                       "started /b 2\n"
                       "ready /b 2\n"
                       "started /c 2\n"
                       "ready /c 2\n");
    tree_finish(&tree);
}

static void one_for_all_escalation(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.probes[1].on_init = never_start_again;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.probes[0].inits, 1 + 3);
    assert_int_equal(tree.probes[0].finishes, 1 + 3);
    tree_finish(&tree);
}

static void five_1_a_group_restart_starts_nobody_before_all_have_ended(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 3);
    tree.probes[2].ends_later = true;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 4999);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "stopping /c 1\n");
    bough_test_advance(tree.test, 1);
    tree_expect(&tree, "exited /c 1 killed\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "started /a 2\n"
                       "ready /a 2\n"
                       "started /b 2\n"
                       "ready /b 2\n"
                       "started /c 2\n"
                       "ready /c 2\n");
    tree_finish(&tree);
}

static void five_3_a_restart_that_fails_is_retried_and_counted(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.probes[0].on_init = fail_second_start;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "exited /a 2 error: failed: second start\n"
                       "restarting /a 2\n"
                       "started /a 3\n"
                       "ready /a 3\n");
    tree_finish(&tree);
}

static void the_log_counts_a_failed_restart(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.probes[0].on_init = fail_second_start;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_string_equal(
        tree.test->log,
        "warning /: /a ended: error: failed: told to fail, 0; restart 1 of 3 in 5s\n"
        "error /: /a did not start: error: failed: second start\n"
        "warning /: /a did not start: error: failed: second start; restart 2 of 3 in 5s\n"
        "info /: /a is up, life 3\n");
    tree_finish(&tree);
}

static void one_for_all_other_child_fails_restart(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 3);
    tree.probes[1].on_init = fail_second_start;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "stopping /c 1\n"
                       "exited /c 1 shutdown\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "started /a 2\n"
                       "ready /a 2\n"
                       "exited /b 2 error: failed: second start\n"
                       "restarting /b 2\n"
                       "stopping /a 2\n"
                       "exited /a 2 shutdown\n"
                       "started /a 3\n"
                       "ready /a 3\n"
                       "started /b 3\n"
                       "ready /b 3\n"
                       "started /c 2\n"
                       "ready /c 2\n");
    tree_finish(&tree);
}

static void rest_for_one(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    tree_start(&tree);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    expect_lives(&tree, lives(1, 2, 2));
    assert_int_equal(tree.probes[0].stops, 0);
    tree_finish(&tree);
}

static void rest_for_one_escalation(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 2);
    tree.probes[1].on_init = never_start_again;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.probes[0].inits, 2);
    assert_int_equal(tree.probes[1].inits, 1 + 3);
    tree_finish(&tree);
}

static void rest_for_one_other_child_fails_restart(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    tree.probes[1].on_init = fail_second_start;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    expect_lives(&tree, lives(2, 3, 2));
    assert_int_equal(tree.probes[0].stops, 0);
    tree_finish(&tree);
}

static void order_of_children(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 5);
    tree_start(&tree);
    bough_fail(tree.probes[4].actor, BOUGH_EFAILED, "first");
    bough_fail(tree.probes[3].actor, BOUGH_EFAILED, "second");
    bough_fail(tree.probes[2].actor, BOUGH_EFAILED, "third");
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[1].inits, 1);
    bough_test_forget(tree.test);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_non_null(strstr(tree.test->trace, "stopping /e"));
    assert_true(strstr(tree.test->trace, "exited /e") <
                strstr(tree.test->trace, "stopping /d"));
    assert_true(strstr(tree.test->trace, "exited /d") <
                strstr(tree.test->trace, "stopping /c"));
    assert_true(strstr(tree.test->trace, "exited /c") <
                strstr(tree.test->trace, "stopping /b"));
    assert_true(strstr(tree.test->trace, "exited /b") <
                strstr(tree.test->trace, "stopping /a"));
    tree_finish(&tree);
}

/* Policies */

static void permanent_normal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    expect_lives(&tree, lives(2));
    tree_finish(&tree);
}

static void transient_normal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    tree_expect(&tree, "exited /a 1 normal\n");
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    tree_finish(&tree);
}

static void transient_abnormal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    bough_kill(tree_find(&tree, "/a"));
    bough_test_advance(tree.test, 0);
    expect_lives(&tree, lives(2));
    tree_finish(&tree);
}

static void temporary_abnormal(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "removed /a 1\n");
    assert_status(bough_lookup(tree.test->loop, "/a", &place), BOUGH_ENOTFOUND);
    assert_int_equal(tree.probes[1].stops, 0);
    tree_finish(&tree);
}

static void temporary_bystander(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.children[1].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "removed /b 1\n"
                       "started /a 2\n"
                       "ready /a 2\n");
    tree_finish(&tree);
}

static void five_4_a_finished_transient_sibling_is_started_again(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.children[1].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    tree_tell(&tree, 1, BOUGH_PROBE_LEAVE);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    expect_lives(&tree, lives(2, 2));
    tree_finish(&tree);
}

/* Limits */

static void multiple_restarts(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.options.intensity = 1;
    tree.options.period_ms = 1000;
    tree_start(&tree);
    for (int i = 0; i < 4; i++) {
        tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
        bough_test_advance(tree.test, 2100);
    }
    expect_lives(&tree, lives(5));
    tree_finish(&tree);
}

static void giving_up_is_told_before_the_rest_is_stopped(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.options.intensity = 0;
    tree_start(&tree);
    tree_tell(&tree, 1, BOUGH_PROBE_LEAVE);
    tree_expect(&tree,
                "exited /b 1 normal\n"
                "gave_up / 1 shutdown: gave up: /b needs restart 1 in 5s, and 0 are "
                "allowed; normal\n"
                "stopping /c 1\n"
                "exited /c 1 shutdown\n"
                "stopping /a 1\n"
                "exited /a 1 shutdown\n"
                "exited / 1 shutdown: gave up: /b needs restart 1 in 5s, and 0 are "
                "allowed; normal\n");
    tree_finish(&tree);
}

/* Causes and numbers */

static const struct bough_test_event *event_at(const struct tree *tree, size_t index,
                                               enum bough_event_kind kind)
{
    assert_in_range(index, 0, tree->test->event_count - 1);
    assert_int_equal(tree->test->events[index].kind, kind);
    return &tree->test->events[index];
}

static void each_event_names_the_one_that_led_to_it(void **state)
{
    const struct bough_test_event *exited, *restarting, *failed, *again, *started;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.probes[0].on_init = fail_second_start;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    exited = event_at(&tree, 0, BOUGH_EVENT_EXITED);
    restarting = event_at(&tree, 1, BOUGH_EVENT_RESTARTING);
    failed = event_at(&tree, 2, BOUGH_EVENT_EXITED);
    again = event_at(&tree, 3, BOUGH_EVENT_RESTARTING);
    started = event_at(&tree, 4, BOUGH_EVENT_STARTED);
    assert_int_equal(restarting->cause, exited->seq);
    assert_int_equal(restarting->attempt, 1);
    assert_int_equal(restarting->delay_ms, 0);
    assert_int_equal(failed->cause, restarting->seq);
    assert_int_equal(again->attempt, 2);
    assert_int_equal(started->cause, again->seq);
    tree_finish(&tree);
}

static void a_rollback_names_the_start_that_failed(void **state)
{
    const struct bough_test_event *failed, *stopping;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[1].init_status = BOUGH_ERANGE;
    tree_begin(&tree);
    failed = event_at(&tree, 3, BOUGH_EVENT_EXITED);
    stopping = event_at(&tree, 4, BOUGH_EVENT_STOPPING);
    assert_string_equal(failed->path, "/b");
    assert_string_equal(stopping->path, "/a");
    assert_int_equal(stopping->cause, failed->seq);
    tree_finish(&tree);
}

static void giving_up_names_the_end_that_led_to_it(void **state)
{
    const struct bough_test_event *exited, *gave_up;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.options.intensity = 0;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    exited = event_at(&tree, 0, BOUGH_EVENT_EXITED);
    gave_up = event_at(&tree, 1, BOUGH_EVENT_GAVE_UP);
    assert_int_equal(gave_up->cause, exited->seq);
    assert_string_equal(gave_up->path, "/");
    assert_int_equal(gave_up->reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void restarts_are_counted_at_the_place_and_first_starts_are_not(void **state)
{
    struct bough_place_info info;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree_start(&tree);
    assert_status(bough_place_info(tree_find(&tree, "/b"), &info), BOUGH_OK);
    assert_int_equal(info.restarts, 0);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_status(bough_place_info(tree_find(&tree, "/b"), &info), BOUGH_OK);
    assert_int_equal(info.restarts, 1);
    assert_string_equal(info.restart, "permanent");
    tree_finish(&tree);
}

/* Mailboxes */

static void what_waits_at_a_place_is_run_by_the_next_life(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    assert_status(bough_probe_send(place, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].inits, 2);
    assert_int_equal(tree.probes[0].number_count, 3);
    assert_int_equal(tree.probes[0].numbers[1], 2);
    assert_int_equal(tree.probes[0].numbers[2], 3);
    tree_finish(&tree);
}

static void what_waits_for_a_sibling_of_the_group_is_run_after_its_restart(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    assert_int_equal(tree_state(&tree, "/b"), BOUGH_PLACE_RESTARTING);
    assert_status(bough_probe_send(tree_find(&tree, "/b"), BOUGH_PROBE_NOTE, 9),
                  BOUGH_OK);
    bough_test_advance(tree.test, 5000);
    assert_int_equal(tree.probes[1].numbers[1], 9);
    tree_finish(&tree);
}

static void what_waits_is_discarded_where_the_spec_says_so(void **state)
{
    struct bough_probe_call call;
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].on_restart = BOUGH_DISCARD;
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    bough_probe_call_init(&call);
    assert_status(bough_probe_send(place, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    bough_probe_ask(&call, place, BOUGH_PROBE_ECHO, 2);
    bough_test_advance(tree.test, 0);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    assert_int_equal(tree.probes[0].number_count, 1);
    tree_finish(&tree);
}

static void what_waits_for_a_child_that_is_done_is_answered_gone(void **state)
{
    struct bough_probe_call call;
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    bough_probe_call_init(&call);
    assert_status(bough_probe_send(place, BOUGH_PROBE_LEAVE, 1), BOUGH_OK);
    bough_probe_ask(&call, place, BOUGH_PROBE_ECHO, 2);
    bough_test_advance(tree.test, 0);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    tree_finish(&tree);
}

static void a_mailbox_is_as_large_as_the_spec_says(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].mailbox_capacity = 2;
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 3), BOUGH_EFULL);
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(one_for_one),
        fact(one_for_one_escalation),
        fact(one_for_all),
        fact(one_for_all_escalation),
        fact(five_1_a_group_restart_starts_nobody_before_all_have_ended),
        fact(five_3_a_restart_that_fails_is_retried_and_counted),
        fact(the_log_counts_a_failed_restart),
        fact(one_for_all_other_child_fails_restart),
        fact(rest_for_one),
        fact(rest_for_one_escalation),
        fact(rest_for_one_other_child_fails_restart),
        fact(order_of_children),
        fact(permanent_normal),
        fact(transient_normal),
        fact(transient_abnormal),
        fact(temporary_abnormal),
        fact(temporary_bystander),
        fact(five_4_a_finished_transient_sibling_is_started_again),
        fact(multiple_restarts),
        fact(giving_up_is_told_before_the_rest_is_stopped),
        fact(each_event_names_the_one_that_led_to_it),
        fact(giving_up_names_the_end_that_led_to_it),
        fact(a_rollback_names_the_start_that_failed),
        fact(restarts_are_counted_at_the_place_and_first_starts_are_not),
        fact(what_waits_at_a_place_is_run_by_the_next_life),
        fact(what_waits_for_a_sibling_of_the_group_is_run_after_its_restart),
        fact(what_waits_is_discarded_where_the_spec_says_so),
        fact(what_waits_for_a_child_that_is_done_is_answered_gone),
        fact(a_mailbox_is_as_large_as_the_spec_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
