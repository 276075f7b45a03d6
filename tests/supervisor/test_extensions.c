/* test_extensions.c - what OTP does not have: backoff, start limits, limits of one child,
 * policies.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

/* The events of that kind so far; the last of them. */
static size_t count_events(const struct bough_test *test, enum bough_event_kind kind,
                           const struct bough_test_event **last)
{
    size_t count = 0;

    for (size_t i = 0; i < test->event_count; i++) {
        if (test->events[i].kind != kind) continue;
        count++;
        *last = &test->events[i];
    }
    return count;
}

/* Backoff */

static void backoff_init(struct tree *tree, void *state)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->options.intensity = 100;
    tree->children[0].backoff = (struct bough_backoff){ .min_ms = 200, .max_ms = 1000 };
}

static void a_waiting_restart_shows_with_its_time(void **state)
{
    const struct bough_test_event *event = NULL;
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RESTARTING);
    assert_int_equal(count_events(tree.test, BOUGH_EVENT_RESTARTING, &event), 1);
    assert_int_equal(event->delay_ms, 200);
    assert_int_equal(event->attempt, 1);
    assert_string_equal(tree.test->log,
                        "warning /: /a ended: error: failed: told to fail, 0; restart in "
                        "200ms\n");
    tree_finish(&tree);
}

static void a_restart_waits_longer_each_time(void **state)
{
    const int64_t waits_ms[] = { 200, 400, 800, 1000, 1000 };
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    for (size_t i = 0; i < bough_count_of(waits_ms); i++) {
        tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
        bough_test_advance(tree.test, waits_ms[i] - 1);
        assert_int_equal(tree.probes[0].inits, i + 1);
        bough_test_advance(tree.test, 1);
        assert_int_equal(tree.probes[0].inits, i + 2);
    }
    tree_finish(&tree);
}

static void a_long_life_is_forgiven(void **state)
{
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 200);
    bough_test_advance(tree.test, 1000);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 200);
    assert_int_equal(tree.probes[0].inits, 3);
    tree_finish(&tree);
}

static void the_events_of_a_waited_restart_are_a_chain(void **state)
{
    const struct bough_test_event *exited = NULL, *started = NULL;
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 200);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "restarting /a 1\n"
                       "started /a 2\n"
                       "ready /a 2\n");
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 400);
    assert_int_equal(count_events(tree.test, BOUGH_EVENT_EXITED, &exited), 1);
    assert_int_equal(count_events(tree.test, BOUGH_EVENT_STARTED, &started), 1);
    assert_int_equal(started->cause, exited->seq + 2);
    tree_finish(&tree);
}

static void terminate_child_cancels_a_wait(void **state)
{
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"),
                  BOUGH_ERESTARTING);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "a"), BOUGH_OK);
    bough_test_advance(tree.test, 10000);
    assert_int_equal(tree.probes[0].inits, 1);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    tree_finish(&tree);
}

static void mail_waits_during_a_backoff(void **state)
{
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_tell(&tree, 0, BOUGH_PROBE_NOTE);
    assert_int_equal(tree.probes[0].runs, 1);
    bough_test_advance(tree.test, 200);
    assert_int_equal(tree.probes[0].runs, 2);
    tree_finish(&tree);
}

static void a_waited_restart_counts_when_it_is_tried(void **state)
{
    struct tree tree;

    backoff_init(&tree, *state);
    tree.options.intensity = 1;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 200);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 399);
    assert_int_equal(tree.watch.exits, 0);
    bough_test_advance(tree.test, 1);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void a_supervisor_that_waits_can_be_stopped(void **state)
{
    struct tree tree;

    backoff_init(&tree, *state);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    bough_test_advance(tree.test, 1000);
    assert_int_equal(tree.probes[0].inits, 1);
    tree_finish(&tree);
}

/* What restarts and giving up say about the limits */

static void a_restart_tells_how_many_are_allowed(void **state)
{
    const struct bough_test_event *event = NULL;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(count_events(tree.test, BOUGH_EVENT_RESTARTING, &event), 2);
    assert_int_equal(event->restarts, 2);
    assert_int_equal(event->allowed, 3);
    assert_int_equal(event->period_ms, 5000);
    tree_finish(&tree);
}

static void giving_up_tells_which_limit_was_passed(void **state)
{
    const struct bough_test_event *event = NULL;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].intensity = 1;
    tree.children[0].period_ms = 7000;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(count_events(tree.test, BOUGH_EVENT_GAVE_UP, &event), 1);
    assert_int_equal(event->restarts, 2);
    assert_int_equal(event->allowed, 1);
    assert_int_equal(event->period_ms, 7000);
    tree_finish(&tree);
}

/* start_timeout */

static void a_first_start_that_takes_too_long_fails_with_timeout(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].start_timeout_ms = 1500;
    tree.probes[1].starts_later = true;
    tree_begin(&tree);
    bough_test_forget(tree.test);
    bough_test_advance(tree.test, 1499);
    tree_expect(&tree, "");
    bough_test_advance(tree.test, 1);
    tree_expect(&tree,
                "exited /b 1 timeout: it was not ready within 1500ms\n"
                "stopping /a 1\n"
                "exited /a 1 shutdown\n"
                "exited / 1 error: failed: /b did not start: timeout: it was not ready "
                "within 1500ms\n");
    tree_finish(&tree);
}

static void a_restart_that_takes_too_long_is_retried_and_counted(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].start_timeout_ms = 1000;
    tree_start(&tree);
    tree.probes[0].starts_later = true;
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_test_advance(tree.test, 1000);
    assert_int_equal(tree.probes[0].inits, 3);
    assert_non_null(strstr(tree.test->log,
                           "warning /: /a did not start: timeout: it was not ready "
                           "within 1s; restart 2 of 3 in 5s\n"));
    tree_finish(&tree);
}

static void a_start_in_time_has_no_limit_left(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].start_timeout_ms = 1000;
    tree.probes[0].starts_later = true;
    tree_begin(&tree);
    bough_test_advance(tree.test, 999);
    bough_ready(tree.probes[0].actor);
    bough_test_advance(tree.test, 10000);
    assert_int_equal(tree.watch.readies, 1);
    assert_int_equal(tree.probes[0].finishes, 0);
    tree_finish(&tree);
}

static void a_requested_start_that_takes_too_long_is_answered_with_it(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 0);
    spec.start_timeout_ms = 1000;
    tree.probes[0].starts_later = true;
    tree_start_child(&tree, &spec, &request);
    bough_test_advance(tree.test, 1000);
    request_expect(&request, BOUGH_EFAILED);
    assert_string_equal(request.text,
                        "/x did not start: timeout: it was not ready within 1s");
    tree_finish(&tree);
}

/* A limit of its own */

static void a_child_can_have_a_narrower_limit_than_its_supervisor(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.options.intensity = 100;
    tree.children[0].intensity = 1;
    tree.children[0].period_ms = 10000;
    tree_start(&tree);
    for (int i = 0; i < 5; i++)
        tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 0);
    bough_test_advance(tree.test, 9000);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_string_equal(tree.watch.reason.text,
                        "gave up: /a needs restart 2 of its own in 10s, and 1 are "
                        "allowed; error: failed: told to fail, 0");
    tree_finish(&tree);
}

/* Policies */

static void start_with_policies(struct tree *tree, void *state,
                                const struct bough_policy *policies, size_t count)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->children[0].policies = policies;
    tree->children[0].policy_count = count;
    tree_start(tree);
}

static void a_policy_can_restart_without_counting(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_ERROR,
                                         .status = BOUGH_EFAILED,
                                         .act = BOUGH_POLICY_UNCOUNTED };
    struct tree tree;

    start_with_policies(&tree, *state, &policy, 1);
    for (int i = 0; i < 20; i++)
        tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[0].inits, 21);
    assert_int_equal(tree.watch.exits, 0);
    tree_finish(&tree);
}

static void a_policy_can_stop_a_child_for_good(void **state)
{
    const struct bough_policy policy = { .kind = BOUGH_EXIT_KILLED,
                                         .act = BOUGH_POLICY_STOP };
    struct tree tree;

    start_with_policies(&tree, *state, &policy, 1);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[0].inits, 2);
    tree_kill_path(&tree, "/a");
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"), BOUGH_OK);
    tree_finish(&tree);
}

static void a_policy_can_escalate_at_once(void **state)
{
    const struct bough_policy policies[] = {
        { .kind = BOUGH_EXIT_KILLED, .act = BOUGH_POLICY_ESCALATE },
        { .act = BOUGH_POLICY_RESTART },
    };
    struct tree tree;

    start_with_policies(&tree, *state, policies, 2);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 0);
    tree_kill_path(&tree, "/a");
    assert_int_equal(tree.watch.exits, 1);
    assert_string_equal(tree.watch.reason.text,
                        "gave up: /a ended, and its policy is to escalate; killed");
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_waiting_restart_shows_with_its_time),
        fact(a_restart_waits_longer_each_time),
        fact(a_long_life_is_forgiven),
        fact(the_events_of_a_waited_restart_are_a_chain),
        fact(terminate_child_cancels_a_wait),
        fact(mail_waits_during_a_backoff),
        fact(a_waited_restart_counts_when_it_is_tried),
        fact(a_supervisor_that_waits_can_be_stopped),
        fact(a_restart_tells_how_many_are_allowed),
        fact(giving_up_tells_which_limit_was_passed),
        fact(a_first_start_that_takes_too_long_fails_with_timeout),
        fact(a_restart_that_takes_too_long_is_retried_and_counted),
        fact(a_start_in_time_has_no_limit_left),
        fact(a_requested_start_that_takes_too_long_is_answered_with_it),
        fact(a_child_can_have_a_narrower_limit_than_its_supervisor),
        fact(a_policy_can_restart_without_counting),
        fact(a_policy_can_stop_a_child_for_good),
        fact(a_policy_can_escalate_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
