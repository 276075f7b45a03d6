/* test_change.c - other flags and children for a supervisor that runs: OTP's code_change;
 * also when memory runs out at each allocation in turn (__wrap_malloc).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>
#include <bough/tests/support/allocator.h>

enum { ENOUGH = 1000 }; /* allocations, more than any change here needs */

static void begin_change(struct tree *tree,
                         const struct bough_supervisor_options *options,
                         struct request *request)
{
    request_init(request);
    bough_supervisor_change(tree->supervisor, options, &request->call);
    bough_test_advance(tree->test, 0);
    assert_int_equal(request->answers, 1);
}

static void expect_changed(struct tree *tree,
                           const struct bough_supervisor_options *options)
{
    struct request request;

    begin_change(tree, options, &request);
    assert_status(request.status, BOUGH_OK);
}

static void expect_refused(struct tree *tree,
                           const struct bough_supervisor_options *options,
                           enum bough_status status)
{
    struct request request;

    begin_change(tree, options, &request);
    assert_status(request.status, status);
}

/* Two children, /a and /b; the new options have /b and /c, in that order. */
static void change_init(struct tree *tree, void *state,
                        struct bough_supervisor_options *changed)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->children[2] = tree_probe_spec(tree, "c", 2);
    *changed = tree->options;
    changed->children = &tree->children[1];
}

static void code_change(void **state)
{
    struct bough_supervisor_options changed;
    struct tree tree;

    change_init(&tree, *state, &changed);
    tree_start(&tree);
    expect_changed(&tree, &changed);
    tree_expect_names(&tree, "a c b ");
    tree_expect_counts(&tree, 3, 2, 0, 3);
    tree_expect(&tree, "");
    assert_int_equal(tree.probes[2].inits, 0);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_STOPPED);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "c"), BOUGH_OK);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

/* /c waits for the retry of /b, which starts it no more once each is started alone. */
static void who_a_changed_strategy_starts_no_more_is_expected_no_more(void **state)
{
    struct bough_supervisor_options changed;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    tree.children[1].backoff.min_ms = 10000;
    tree_start(&tree);
    tree.probes[1].init_status = BOUGH_EFAILED;
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_RESTARTING);
    changed = tree.options;
    changed.strategy = BOUGH_ONE_FOR_ONE;
    expect_changed(&tree, &changed);
    assert_int_equal(tree_state(&tree, "/b"), BOUGH_PLACE_RESTARTING);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_STOPPED);
    tree_finish(&tree);
}

static void who_is_still_to_be_started_keeps_what_waits(void **state)
{
    struct bough_probe_call call;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    tree.children[1].backoff.min_ms = 10000;
    tree_start(&tree);
    tree.probes[1].init_status = BOUGH_EFAILED;
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, tree_find(&tree, "/c"), BOUGH_PROBE_ECHO, 7);
    expect_changed(&tree, &tree.options);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_RESTARTING);
    assert_int_equal(call.answers, 0);
    tree.probes[1].init_status = BOUGH_OK;
    bough_test_advance(tree.test, 10000);
    assert_int_equal(call.answers, 1);
    assert_int_equal(call.number, 7);
    tree_finish(&tree);
}

static void a_change_that_is_not_allowed_changes_nothing(void **state)
{
    struct bough_supervisor_options changed;
    struct request request;
    struct tree tree;

    change_init(&tree, *state, &changed);
    tree_start(&tree);
    changed.period_ms = -1;
    expect_refused(&tree, &changed, BOUGH_EINVALID);
    changed.period_ms = 0;
    tree.children[2].restart = BOUGH_RESTART_COUNT;
    begin_change(&tree, &changed, &request);
    assert_status(request.status, BOUGH_EINVALID);
    assert_non_null(strstr(request.text, "/c: restart"));
    changed.strategy = BOUGH_DYNAMIC;
    changed.child_count = 1;
    expect_refused(&tree, &changed, BOUGH_EREFUSED);
    tree_expect_names(&tree, "b a ");
    tree_finish(&tree);
}

/* The changed spec is shown, with its defaults, and used at the next start and stop. */
static void code_change_map(void **state)
{
    struct bough_child_spec *spec;
    struct bough_supervisor_options changed;
    struct tree tree;

    change_init(&tree, *state, &changed);
    tree.children[1].shutdown_ms = 1000;
    tree_start(&tree);
    tree.children[1].shutdown_ms = BOUGH_SHUTDOWN_DEFAULT;
    tree.children[1].restart = BOUGH_TRANSIENT;
    tree.probe_options[1].probe = &tree.probes[5];
    expect_changed(&tree, &changed);
    spec = tree_get_spec(&tree, "b");
    assert_int_equal(bough_child_shutdown_ms(spec), 5000);
    assert_int_equal(spec->restart, BOUGH_TRANSIENT);
    bough_spec_free(spec);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[1].inits, 1);
    assert_int_equal(tree.probes[5].inits, 1);
    tree_tell(&tree, 1, BOUGH_PROBE_LEAVE);
    assert_int_equal(tree.probes[5].inits, 1);
    tree_finish(&tree);
}

static void mail_stays_when_the_spec_of_its_place_changes(void **state)
{
    struct bough_supervisor_options changed;
    struct tree tree;

    change_init(&tree, *state, &changed);
    tree.children[1].backoff.min_ms = 100;
    tree_start(&tree);
    expect_changed(&tree, &changed);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    tree_tell(&tree, 1, BOUGH_PROBE_NOTE);
    bough_test_advance(tree.test, 100);
    assert_int_equal(tree.probes[1].inits, 2);
    assert_int_equal(tree.probes[1].runs, 2);
    tree_finish(&tree);
}

static void strategy_and_limit_change_at_once(void **state)
{
    struct bough_supervisor_options changed;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.options.intensity = 2;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    changed = tree.options;
    changed.strategy = BOUGH_ONE_FOR_ALL;
    changed.intensity = 5;
    expect_changed(&tree, &changed);
    for (unsigned i = 2; i <= 5; i++) {
        tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
        assert_int_equal(tree.probes[1].inits, i);
    }
    assert_int_equal(tree.watch.exits, 0);
    changed.intensity = 1;
    expect_changed(&tree, &changed);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void start_order_changes_with_the_specs(void **state)
{
    struct bough_supervisor_options changed;
    struct bough_child_spec reversed[3];
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree_start(&tree);
    for (size_t i = 0; i < 3; i++)
        reversed[i] = tree.children[2 - i];
    changed = tree.options;
    changed.children = reversed;
    expect_changed(&tree, &changed);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "stopping /c 1\n"
                       "exited /c 1 shutdown\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void changes_may_follow_one_another(void **state)
{
    struct bough_supervisor_options changed, original;
    struct tree tree;

    change_init(&tree, *state, &changed);
    original = tree.options;
    tree_start(&tree);
    for (int i = 0; i < 10; i++) {
        expect_changed(&tree, &changed);
        expect_changed(&tree, &original);
    }
    tree_expect_names(&tree, "c b a ");
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[0].inits, 2);
    tree_finish(&tree);
}

/* Dynamic */

static void dynamic_start(struct tree *tree, void *state, size_t count)
{
    struct request request;

    tree_init(tree, state, BOUGH_DYNAMIC, 1);
    tree_start(tree);
    for (size_t i = 0; i < count; i++) {
        tree_start_dynamic(tree, NULL, i, &request);
        request_expect(&request, BOUGH_OK);
    }
}

static void code_change_simple(void **state)
{
    struct bough_supervisor_options changed;
    struct tree tree;

    dynamic_start(&tree, *state, 1);
    changed = tree.options;
    changed.child_count = 0;
    expect_refused(&tree, &changed, BOUGH_EINVALID);
    changed.child_count = 2;
    tree.children[1] = tree_probe_spec(&tree, "b", 1);
    expect_refused(&tree, &changed, BOUGH_EINVALID);
    changed.child_count = 1;
    tree.children[0].restart = BOUGH_TEMPORARY;
    expect_changed(&tree, &changed);
    tree_tell_path(&tree, "/1", BOUGH_PROBE_FAIL);
    assert_false(tree_knows(&tree, "/1"));
    tree_finish(&tree);
}

static void code_change_simple_map(void **state)
{
    struct bough_child_spec *spec;
    struct bough_supervisor_options changed;
    struct tree tree;

    dynamic_start(&tree, *state, 1);
    changed = tree.options;
    tree.children[0].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    expect_changed(&tree, &changed);
    spec = tree_get_spec(&tree, "1");
    assert_true(bough_child_shutdown_ms(spec) == BOUGH_SHUTDOWN_BRUTAL_KILL);
    assert_int_equal(spec->restart, BOUGH_PERMANENT);
    bough_spec_free(spec);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].stops, 0);
    tree_finish(&tree);
}

/* Significance: two transient children that are significant once the mode is not never.
 */

static void set_mode(struct tree *tree, enum bough_auto_shutdown mode)
{
    tree->options.auto_shutdown = mode;
    for (size_t i = 0; i < 2; i++)
        tree->children[i].significant = mode != BOUGH_NEVER;
}

static void start_in_mode(struct tree *tree, void *state, enum bough_auto_shutdown mode)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->children[0].restart = tree->children[1].restart = BOUGH_TRANSIENT;
    set_mode(tree, mode);
    tree_start(tree);
}

/* What is left when /a, and then /b, have left. */
static void expect_alive(struct tree *tree, bool after_first, bool after_second)
{
    tree_tell(tree, 0, BOUGH_PROBE_LEAVE);
    assert_int_equal(tree->watch.exits == 0, after_first);
    if (after_first) tree_tell(tree, 1, BOUGH_PROBE_LEAVE);
    assert_int_equal(tree->watch.exits == 0, after_second);
    tree_finish(tree);
}

static void upgrade(void **state, enum bough_auto_shutdown from,
                    enum bough_auto_shutdown to, bool after_first, bool after_second)
{
    struct tree tree;

    start_in_mode(&tree, *state, from);
    set_mode(&tree, to);
    expect_changed(&tree, &tree.options);
    expect_alive(&tree, after_first, after_second);
}

static void significant_upgrade_never_any(void **state)
{
    upgrade(state, BOUGH_NEVER, BOUGH_ANY_SIGNIFICANT, false, false);
}

static void significant_upgrade_never_all(void **state)
{
    upgrade(state, BOUGH_NEVER, BOUGH_ALL_SIGNIFICANT, true, false);
}

static void significant_upgrade_any_all(void **state)
{
    upgrade(state, BOUGH_ANY_SIGNIFICANT, BOUGH_ALL_SIGNIFICANT, true, false);
}

static void significant_upgrade_all_any(void **state)
{
    upgrade(state, BOUGH_ALL_SIGNIFICANT, BOUGH_ANY_SIGNIFICANT, false, false);
}

/* Those that run as significant are tolerated, and do not trigger; new ones are refused.
 */
static void upgrade_to_never(void **state, enum bough_auto_shutdown from)
{
    struct bough_supervisor_options none;
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    start_in_mode(&tree, *state, from);
    none = tree.options;
    none.auto_shutdown = BOUGH_NEVER;
    expect_refused(&tree, &none, BOUGH_EINVALID);
    none.child_count = 0;
    expect_changed(&tree, &none);
    spec = tree_probe_spec(&tree, "x", 4);
    spec.restart = BOUGH_TRANSIENT;
    spec.significant = true;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EINVALID);
    expect_alive(&tree, true, true);
}

static void significant_upgrade_any_never(void **state)
{
    upgrade_to_never(state, BOUGH_ANY_SIGNIFICANT);
}

static void significant_upgrade_all_never(void **state)
{
    upgrade_to_never(state, BOUGH_ALL_SIGNIFICANT);
}

static void significant_upgrade_child(void **state)
{
    struct tree tree;

    start_in_mode(&tree, *state, BOUGH_NEVER);
    tree.children[0].significant = true;
    expect_refused(&tree, &tree.options, BOUGH_EINVALID);
    tree.children[0].significant = false;
    expect_alive(&tree, true, true);

    start_in_mode(&tree, *state, BOUGH_ANY_SIGNIFICANT);
    tree.children[0].significant = false;
    expect_changed(&tree, &tree.options);
    expect_alive(&tree, true, false);

    start_in_mode(&tree, *state, BOUGH_ANY_SIGNIFICANT);
    tree.children[0].significant = false;
    expect_changed(&tree, &tree.options);
    tree.children[0].significant = true;
    expect_changed(&tree, &tree.options);
    expect_alive(&tree, false, false);
}

/* Without memory */

static void a_change_without_memory_changes_nothing(void **state)
{
    struct bough_supervisor_options changed;
    struct request request = { .status = BOUGH_ENOMEM };
    struct tree tree;

    change_init(&tree, *state, &changed);
    tree.children[2].backoff.min_ms = 1;
    tree_start(&tree);
    for (size_t nth = 1; request.status != BOUGH_OK; nth++) {
        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        begin_change(&tree, &changed, &request);
        if (!bough_allocator_heal()) assert_status(request.status, BOUGH_OK);
        assert_int_equal(tree_knows(&tree, "/c"), request.status == BOUGH_OK);
    }
    tree_expect_names(&tree, "a c b ");
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(code_change),
        fact(who_is_still_to_be_started_keeps_what_waits),
        fact(who_a_changed_strategy_starts_no_more_is_expected_no_more),
        fact(a_change_that_is_not_allowed_changes_nothing),
        fact(code_change_map),
        fact(mail_stays_when_the_spec_of_its_place_changes),
        fact(strategy_and_limit_change_at_once),
        fact(start_order_changes_with_the_specs),
        fact(changes_may_follow_one_another),
        fact(code_change_simple),
        fact(code_change_simple_map),
        fact(significant_upgrade_never_any),
        fact(significant_upgrade_any_never),
        fact(significant_upgrade_never_all),
        fact(significant_upgrade_all_never),
        fact(significant_upgrade_any_all),
        fact(significant_upgrade_all_any),
        fact(significant_upgrade_child),
        fact(a_change_without_memory_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
