/* test_significant.c - significant children and automatic shutdown.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

/* Two children, /a and /b, of that restart type; significant or not. */
static void significant_init(struct tree *tree, void *state,
                             enum bough_auto_shutdown auto_shutdown,
                             enum bough_restart restart, bool significant)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->options.intensity = 100;
    tree->options.auto_shutdown = auto_shutdown;
    for (size_t i = 0; i < 2; i++) {
        tree->children[i].restart = restart;
        tree->children[i].significant = significant;
    }
}

enum how { KILL, FAIL, LEAVE, END, TERMINATE };

static void end_child(struct tree *tree, size_t i, enum how how)
{
    switch (how) {
    case KILL: bough_kill(bough_self(tree->probes[i].actor)); break;
    case FAIL: bough_fail(tree->probes[i].actor, BOUGH_EFAILED, "told to"); break;
    case LEAVE: bough_exit(tree->probes[i].actor, BOUGH_EXIT_NORMAL); break;
    case END: bough_exit(tree->probes[i].actor, BOUGH_EXIT_SHUTDOWN); break;
    case TERMINATE:
        assert_status(tree_ask(tree, bough_supervisor_terminate_child, tree_names[i]),
                      BOUGH_OK);
        break;
    }
    bough_test_advance(tree->test, 0);
}

/* What is left of the tree when /a, and then /b, have ended so. */
static void expect_after(void **state, enum bough_auto_shutdown auto_shutdown,
                         enum bough_restart restart, enum how how, bool after_first,
                         bool after_second)
{
    struct tree tree;

    significant_init(&tree, *state, auto_shutdown, restart, auto_shutdown != BOUGH_NEVER);
    tree_start(&tree);
    end_child(&tree, 0, how);
    assert_int_equal(tree.watch.exits == 0, after_first);
    if (after_first) {
        end_child(&tree, 1, how);
        assert_int_equal(tree.watch.exits == 0, after_second);
    }
    if (tree.watch.exits == 1)
        assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void expect_never_triggered(void **state, enum bough_restart restart)
{
    for (enum bough_auto_shutdown mode = 0; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        for (enum how how = KILL; how <= TERMINATE; how++) {
            struct tree tree;

            significant_init(&tree, *state, mode, restart, false);
            tree_start(&tree);
            end_child(&tree, 0, how);
            end_child(&tree, 1, how);
            assert_int_equal(tree.watch.exits, 0);
            tree_finish(&tree);
        }
    }
}

static void nonsignificant_temporary(void **state)
{
    expect_never_triggered(state, BOUGH_TEMPORARY);
}

static void nonsignificant_transient(void **state)
{
    expect_never_triggered(state, BOUGH_TRANSIENT);
}

static void significant_temporary(void **state)
{
    for (enum how how = KILL; how <= END; how++) {
        expect_after(state, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY, how, false, false);
        expect_after(state, BOUGH_ALL_SIGNIFICANT, BOUGH_TEMPORARY, how, true, false);
    }
    expect_after(state, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY, TERMINATE, true, true);
    expect_after(state, BOUGH_ALL_SIGNIFICANT, BOUGH_TEMPORARY, TERMINATE, true, true);
}

static void significant_transient(void **state)
{
    for (enum how how = LEAVE; how <= END; how++) {
        expect_after(state, BOUGH_ANY_SIGNIFICANT, BOUGH_TRANSIENT, how, false, false);
        expect_after(state, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT, how, true, false);
    }
    for (enum how how = KILL; how <= FAIL; how++) {
        expect_after(state, BOUGH_ANY_SIGNIFICANT, BOUGH_TRANSIENT, how, true, true);
        expect_after(state, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT, how, true, true);
    }
    expect_after(state, BOUGH_ANY_SIGNIFICANT, BOUGH_TRANSIENT, TERMINATE, true, true);
    expect_after(state, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT, TERMINATE, true, true);
}

static void a_terminated_child_does_not_keep_all_alive(void **state)
{
    struct tree tree;

    significant_init(&tree, *state, BOUGH_ALL_SIGNIFICANT, BOUGH_TRANSIENT, true);
    tree_start(&tree);
    end_child(&tree, 0, TERMINATE);
    end_child(&tree, 1, LEAVE);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void the_reason_names_the_child(void **state)
{
    struct tree tree;

    significant_init(&tree, *state, BOUGH_ANY_SIGNIFICANT, BOUGH_TEMPORARY, true);
    tree_start(&tree);
    end_child(&tree, 0, LEAVE);
    assert_non_null(strstr(tree.test->log, "info /: automatic shutdown: significant /a "
                                           "ended: normal\n"));
    tree_expect(&tree, "exited /a 1 normal\n"
                       "removed /a 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "exited / 1 shutdown: automatic shutdown: significant /a ended: "
                       "normal\n");
    tree_finish(&tree);
}

static void significant_simple(void **state)
{
    for (enum bough_auto_shutdown mode = 0; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        struct bough_error error;
        struct tree tree;

        tree_init(&tree, *state, BOUGH_DYNAMIC, 1);
        tree.options.auto_shutdown = mode;
        assert_status(bough_supervisor_check(&tree.options, &error),
                      mode == BOUGH_NEVER ? BOUGH_OK : BOUGH_EINVALID);
    }
}

/* Siblings that a group restart stops do not trigger: /a fails, /b is significant. */
static void expect_bystander_survives(void **state, enum bough_strategy strategy,
                                      enum bough_auto_shutdown mode,
                                      enum bough_restart restart)
{
    struct tree tree;

    tree_init(&tree, *state, strategy, 2);
    tree.options.auto_shutdown = mode;
    tree.children[1].restart = restart;
    tree.children[1].significant = true;
    tree_start(&tree);
    end_child(&tree, 0, FAIL);
    assert_int_equal(tree.watch.exits, 0);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RUNNING);
    assert_int_equal(tree_knows(&tree, "/b"),
                     restart != BOUGH_TEMPORARY || strategy == BOUGH_ONE_FOR_ONE);
    tree_finish(&tree);
}

static void significant_bystander(void **state)
{
    for (enum bough_strategy strategy = 0; strategy <= BOUGH_REST_FOR_ONE; strategy++) {
        for (enum bough_auto_shutdown mode = BOUGH_ANY_SIGNIFICANT;
             mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
            expect_bystander_survives(state, strategy, mode, BOUGH_TRANSIENT);
            expect_bystander_survives(state, strategy, mode, BOUGH_TEMPORARY);
        }
    }
}

/* /mid is a supervisor with one significant child; it is significant or not. */
static void expect_escalation(void **state, bool significant)
{
    struct bough_supervisor_options mid;
    struct bough_child_spec child;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    child = tree_probe_spec(&tree, "x", 4);
    child.restart = BOUGH_TRANSIENT;
    child.significant = true;
    mid = (struct bough_supervisor_options){ .auto_shutdown = BOUGH_ANY_SIGNIFICANT,
                                             .children = &child,
                                             .child_count = 1 };
    tree.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    tree.children[0] = (struct bough_child_spec){ .name = "mid",
                                                  .type = &bough_supervisor_type,
                                                  .options = &mid,
                                                  .restart = BOUGH_TRANSIENT,
                                                  .significant = significant };
    tree_start(&tree);
    end_child(&tree, 4, LEAVE);
    assert_int_equal(tree.watch.exits, significant);
    if (!significant) assert_int_equal(tree_state(&tree, "/mid"), BOUGH_PLACE_STOPPED);
    tree_finish(&tree);
}

static void significant_escalation(void **state)
{
    expect_escalation(state, true);
    expect_escalation(state, false);
}

/* OTP 37: a permanent one is started again, which is hardly meant. */
static void a_permanent_supervisor_that_shut_down_is_restarted(void **state)
{
    struct bough_supervisor_options mid;
    struct bough_child_spec child;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    child = tree_probe_spec(&tree, "x", 4);
    child.restart = BOUGH_TEMPORARY;
    child.significant = true;
    mid = (struct bough_supervisor_options){ .auto_shutdown = BOUGH_ALL_SIGNIFICANT,
                                             .children = &child,
                                             .child_count = 1 };
    tree.children[0] = (struct bough_child_spec){ .name = "mid",
                                                  .type = &bough_supervisor_type,
                                                  .options = &mid };
    tree_start(&tree);
    end_child(&tree, 4, LEAVE);
    assert_int_equal(tree.probes[4].inits, 2);
    assert_int_equal(tree.watch.exits, 0);
    tree_finish(&tree);
}

static void a_significant_child_can_be_added(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 2);
    spec.restart = BOUGH_TEMPORARY;
    spec.significant = true;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    end_child(&tree, 2, KILL);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(nonsignificant_temporary),
        fact(nonsignificant_transient),
        fact(significant_temporary),
        fact(significant_transient),
        fact(a_terminated_child_does_not_keep_all_alive),
        fact(the_reason_names_the_child),
        fact(significant_simple),
        fact(significant_bystander),
        fact(significant_escalation),
        fact(a_permanent_supervisor_that_shut_down_is_restarted),
        fact(a_significant_child_can_be_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
