/* test_nested.c - supervisors of supervisors: order, escalation, kills, and what waits.
 *
 * The tree of most tests: / holds the probe a and the supervisor sub; sub holds b and the
 * supervisor deep; deep holds c and d.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>

#include <string.h>

struct nested {
    struct tree tree;
    struct bough_child_spec sub_children[2], deep_children[2];
    struct bough_supervisor_options sub, deep;
};

static struct bough_child_spec probe_spec(struct tree *tree, size_t i)
{
    tree->probe_options[i].probe = &tree->probes[i];
    return (struct bough_child_spec){
        .name = tree_names[i],
        .type = &bough_probe_type,
        .options = &tree->probe_options[i],
    };
}

static struct bough_child_spec
supervisor_spec(const char *name, const struct bough_supervisor_options *options)
{
    return (struct bough_child_spec){
        .name = name,
        .type = &bough_supervisor_type,
        .options = options,
    };
}

/* Intensity 1 everywhere. */
static void nested_init(struct nested *nested, void *state, enum bough_strategy strategy)
{
    struct tree *tree = &nested->tree;

    tree_init(tree, state, strategy, 2);
    tree->options.intensity = 1;
    nested->deep_children[0] = probe_spec(tree, 2);
    nested->deep_children[1] = probe_spec(tree, 3);
    nested->deep = (struct bough_supervisor_options){
        .children = nested->deep_children,
        .child_count = 2,
    };
    nested->sub_children[0] = probe_spec(tree, 1);
    nested->sub_children[1] = supervisor_spec("deep", &nested->deep);
    nested->sub = (struct bough_supervisor_options){
        .children = nested->sub_children,
        .child_count = 2,
    };
    tree->children[1] = supervisor_spec("sub", &nested->sub);
}

static void let_run(struct nested *nested)
{
    bough_test_advance(nested->tree.test, 0);
}

static void crash(struct nested *nested, size_t probe)
{
    bough_fail(nested->tree.probes[probe].actor, BOUGH_EFAILED, "crash");
    let_run(nested);
}

/* Order */

static void three_levels_come_up_in_order(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_begin(&nested.tree);
    tree_expect(&nested.tree, "started / 1\n"
                              "started /a 1\n"
                              "ready /a 1\n"
                              "started /sub 1\n"
                              "started /sub/b 1\n"
                              "ready /sub/b 1\n"
                              "started /sub/deep 1\n"
                              "started /sub/deep/c 1\n"
                              "ready /sub/deep/c 1\n"
                              "started /sub/deep/d 1\n"
                              "ready /sub/deep/d 1\n"
                              "ready /sub/deep 1\n"
                              "ready /sub 1\n"
                              "ready / 1\n");
    tree_finish(&nested.tree);
}

static void three_levels_go_down_in_exact_reverse(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_start(&nested.tree);
    bough_supervisor_stop(nested.tree.supervisor);
    let_run(&nested);
    tree_expect(&nested.tree, "stopping / 1\n"
                              "stopping /sub 1\n"
                              "stopping /sub/deep 1\n"
                              "stopping /sub/deep/d 1\n"
                              "exited /sub/deep/d 1 shutdown\n"
                              "stopping /sub/deep/c 1\n"
                              "exited /sub/deep/c 1 shutdown\n"
                              "exited /sub/deep 1 shutdown\n"
                              "stopping /sub/b 1\n"
                              "exited /sub/b 1 shutdown\n"
                              "exited /sub 1 shutdown\n"
                              "stopping /a 1\n"
                              "exited /a 1 shutdown\n"
                              "exited / 1 shutdown\n");
    tree_finish(&nested.tree);
}

static void a_supervisor_has_all_the_time_it_needs_to_end(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.deep_children[0].shutdown_ms = BOUGH_SHUTDOWN_INFINITY;
    nested.tree.probes[2].ends_later = true;
    tree_start(&nested.tree);
    bough_supervisor_stop(nested.tree.supervisor);
    bough_test_advance(nested.tree.test, INT64_C(24) * 3600 * 1000);
    assert_int_equal(nested.tree.watch.exits, 0);
    bough_exit(nested.tree.probes[2].actor, BOUGH_EXIT_SHUTDOWN);
    let_run(&nested);
    assert_int_equal(nested.tree.watch.exits, 1);
    tree_finish(&nested.tree);
}

static void a_grandchild_that_cannot_start_is_named_at_the_root(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.tree.probes[3].init_status = BOUGH_ERANGE;
    tree_begin(&nested.tree);
    assert_int_equal(nested.tree.watch.exits, 1);
    assert_int_equal(nested.tree.watch.reason.status, BOUGH_ERANGE);
    assert_string_equal(nested.tree.watch.reason.text,
                        "/sub/deep/d did not start: error: range");
    assert_int_equal(bough_loop_count(nested.tree.test->loop).lives, 0);
    tree_finish(&nested.tree);
}

/* Escalation */

static void a_restart_stays_local(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ALL);
    tree_start(&nested.tree);
    crash(&nested, 2);
    tree_expect(&nested.tree, "exited /sub/deep/c 1 error: failed: crash\n"
                              "restarting /sub/deep/c 1\n"
                              "started /sub/deep/c 2\n"
                              "ready /sub/deep/c 2\n");
    tree_finish(&nested.tree);
}

static void a_supervisor_that_gave_up_is_restarted_by_its_own(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_start(&nested.tree);
    crash(&nested, 2);
    bough_test_forget(nested.tree.test);
    crash(&nested, 2);
    tree_expect(
        &nested.tree,
        "exited /sub/deep/c 2 error: failed: crash\n"
        "gave_up /sub/deep 1 shutdown: gave up: /sub/deep/c needs restart 2 in 5s, "
        "and 1 are allowed; error: failed: crash\n"
        "stopping /sub/deep/d 1\n"
        "exited /sub/deep/d 1 shutdown\n"
        "exited /sub/deep 1 shutdown: gave up: /sub/deep/c needs restart 2 in 5s, "
        "and 1 are allowed; error: failed: crash\n"
        "restarting /sub/deep 1\n"
        "started /sub/deep 2\n"
        "started /sub/deep/c 3\n"
        "ready /sub/deep/c 3\n"
        "started /sub/deep/d 2\n"
        "ready /sub/deep/d 2\n"
        "ready /sub/deep 2\n");
    tree_finish(&nested.tree);
}

/* docs/supervision.md 19: (R1 + 1) * (R2 + 1) * ... lives of the child that fails, before
 * the top ends. */
static void limits_multiply(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_start(&nested.tree);
    for (int i = 0; i < 2 * 2 * 2; i++) {
        assert_int_equal(nested.tree.watch.exits, 0);
        crash(&nested, 2);
    }
    assert_int_equal(nested.tree.watch.exits, 1);
    assert_int_equal(nested.tree.probes[2].inits, 8);
    assert_int_equal(nested.tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&nested.tree);
}

static void escalation_restarts_the_whole_group_above(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ALL);
    nested.deep.any_intensity = nested.sub.any_intensity = true;
    tree_start(&nested.tree);
    crash(&nested, 2);
    assert_int_equal(nested.tree.probes[0].inits, 2);
    assert_int_equal(nested.tree.probes[1].inits, 2);
    assert_int_equal(nested.tree.probes[2].inits, 2);
    assert_int_equal(nested.tree.probes[3].inits, 2);
    assert_int_equal(nested.tree.watch.exits, 0);
    tree_finish(&nested.tree);
}

static void a_transient_supervisor_that_gave_up_is_not_restarted(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.tree.children[1].restart = BOUGH_TRANSIENT;
    nested.deep.any_intensity = nested.sub.any_intensity = true;
    tree_start(&nested.tree);
    crash(&nested, 2);
    assert_int_equal(nested.tree.watch.exits, 0);
    assert_int_equal(tree_state(&nested.tree, "/sub"), BOUGH_PLACE_STOPPED);
    assert_int_equal(nested.tree.probes[0].inits, 1);
    assert_int_equal(nested.tree.probes[1].inits, 1);
    tree_finish(&nested.tree);
}

/* OTP's `tree`: a terminated transient supervisor child comes back with its group. */
static void tree(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ALL);
    nested.tree.children[1].restart = BOUGH_TRANSIENT;
    nested.deep.any_intensity = nested.sub.any_intensity = true;
    tree_start(&nested.tree);
    crash(&nested, 2);
    assert_int_equal(tree_state(&nested.tree, "/sub"), BOUGH_PLACE_STOPPED);
    crash(&nested, 0);
    assert_int_equal(tree_state(&nested.tree, "/sub"), BOUGH_PLACE_RUNNING);
    assert_int_equal(nested.tree.probes[0].inits, 2);
    assert_int_equal(nested.tree.probes[3].inits, 2);
    tree_finish(&nested.tree);
}

static void a_temporary_child_returns_with_its_supervisor(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.sub_children[0].restart = BOUGH_TEMPORARY;
    tree_start(&nested.tree);
    crash(&nested, 1);
    assert_int_equal(nested.tree.probes[1].inits, 1);
    bough_kill(tree_find(&nested.tree, "/sub"));
    let_run(&nested);
    assert_int_equal(nested.tree.probes[1].inits, 2);
    tree_finish(&nested.tree);
}

/* Kills */

static void a_killed_supervisor_takes_its_subtree_and_is_restarted(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_start(&nested.tree);
    bough_kill(tree_find(&nested.tree, "/sub"));
    let_run(&nested);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(nested.tree.probes[i].stops, 0);
        assert_int_equal(nested.tree.probes[i].finishes, 1);
        assert_int_equal(nested.tree.probes[i].inits, 2);
    }
    assert_int_equal(nested.tree.probes[0].inits, 1);
    tree_finish(&nested.tree);
}

static void a_supervisor_killed_while_it_stops_leaves_nobody(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.tree.probes[3].ends_later = true;
    tree_start(&nested.tree);
    bough_supervisor_stop(nested.tree.supervisor);
    let_run(&nested);
    assert_int_equal(nested.tree.watch.exits, 0);
    bough_kill(nested.tree.supervisor.address);
    let_run(&nested);
    assert_int_equal(nested.tree.watch.exits, 1);
    assert_int_equal(bough_loop_count(nested.tree.test->loop).lives, 0);
    tree_finish(&nested.tree);
}

static void a_supervisor_killed_while_it_starts_leaves_nobody(void **state)
{
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.tree.probes[3].starts_later = true;
    tree_begin(&nested.tree);
    bough_kill(nested.tree.supervisor.address);
    let_run(&nested);
    assert_int_equal(nested.tree.watch.exits, 1);
    assert_int_equal(bough_loop_count(nested.tree.test->loop).lives, 0);
    tree_finish(&nested.tree);
}

static void a_runtime_freed_under_a_running_tree_tells_its_watch(void **state)
{
    struct bough_test *test = *state;
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ALL);
    tree_start(&nested.tree);
    bough_loop_free(test->loop);
    assert_int_equal(nested.tree.watch.exits, 1);
    assert_int_equal(nested.tree.watch.reason.kind, BOUGH_EXIT_KILLED);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nested.tree.probes[i].finishes, 1);
    test->loop = bough_loop_new(test->runtime, test->ev);
    assert_non_null(test->loop);
}

/* What waits */

static void a_grandchilds_mail_waits_while_its_supervisor_is_restarted(void **state)
{
    struct bough_address place;
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ALL);
    nested.tree.probes[1].ends_later = true;
    tree_start(&nested.tree);
    place = tree_find(&nested.tree, "/sub/deep/c");
    crash(&nested, 0);
    assert_int_equal(nested.tree.probes[2].finishes, 1);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 7), BOUGH_OK);
    bough_test_advance(nested.tree.test, 5000);
    assert_int_equal(nested.tree.probes[2].inits, 2);
    assert_int_equal(nested.tree.probes[2].numbers[0], 7);
    tree_finish(&nested.tree);
}

static void a_place_waits_with_its_mail_when_its_supervisor_was_killed(void **state)
{
    struct bough_address place;
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    tree_start(&nested.tree);
    place = tree_find(&nested.tree, "/sub/deep/c");
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 8), BOUGH_OK);
    bough_kill(tree_find(&nested.tree, "/sub"));
    let_run(&nested);
    assert_int_equal(nested.tree.probes[2].inits, 2);
    assert_int_equal(nested.tree.probes[2].number_count, 1);
    assert_int_equal(nested.tree.probes[2].numbers[0], 8);
    tree_finish(&nested.tree);
}

static void what_waits_below_a_supervisor_that_is_done_is_answered_gone(void **state)
{
    struct bough_probe_call call;
    struct nested nested;

    nested_init(&nested, *state, BOUGH_ONE_FOR_ONE);
    nested.tree.children[1].restart = BOUGH_TRANSIENT;
    nested.tree.probes[1].ends_later = true;
    tree_start(&nested.tree);
    bough_probe_call_init(&call);
    bough_stop(tree_find(&nested.tree, "/sub"));
    let_run(&nested);
    bough_probe_ask(&call, tree_find(&nested.tree, "/sub/deep/c"), BOUGH_PROBE_ECHO, 1);
    let_run(&nested);
    assert_int_equal(call.answers, 0);
    bough_test_advance(nested.tree.test, 5000);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    assert_int_equal(tree_state(&nested.tree, "/sub/deep/c"), BOUGH_PLACE_STOPPED);
    tree_finish(&nested.tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(three_levels_come_up_in_order),
        fact(three_levels_go_down_in_exact_reverse),
        fact(a_supervisor_has_all_the_time_it_needs_to_end),
        fact(a_grandchild_that_cannot_start_is_named_at_the_root),
        fact(a_restart_stays_local),
        fact(a_supervisor_that_gave_up_is_restarted_by_its_own),
        fact(limits_multiply),
        fact(escalation_restarts_the_whole_group_above),
        fact(a_transient_supervisor_that_gave_up_is_not_restarted),
        fact(tree),
        fact(a_temporary_child_returns_with_its_supervisor),
        fact(a_killed_supervisor_takes_its_subtree_and_is_restarted),
        fact(a_supervisor_killed_while_it_stops_leaves_nobody),
        fact(a_supervisor_killed_while_it_starts_leaves_nobody),
        fact(a_runtime_freed_under_a_running_tree_tells_its_watch),
        fact(a_grandchilds_mail_waits_while_its_supervisor_is_restarted),
        fact(a_place_waits_with_its_mail_when_its_supervisor_was_killed),
        fact(what_waits_below_a_supervisor_that_is_done_is_answered_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
