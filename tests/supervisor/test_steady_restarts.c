/* test_steady_restarts.c - a restart takes nothing new from the system, whatever its
 * kind.
 *
 * Counted are allocations: what the first restarts take is found again by those after
 * them. The events and the log of the test's runtime are on.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>

#include <bough/tests/support/allocator.h>

enum { WARM_UP = 20, RESTARTS = 1000 };

/* Restarts that are further apart than the period, so that no limit is passed. */
static void crash(struct tree *tree)
{
    tree_tell(tree, 0, BOUGH_PROBE_FAIL);
    bough_test_forget(tree->test);
    bough_test_advance(tree->test, 6000);
}

static void expect_steady(struct tree *tree)
{
    tree_start(tree);
    for (int i = 0; i < WARM_UP; i++)
        crash(tree);
    const size_t before = bough_allocator_count();
    for (int i = 0; i < RESTARTS; i++)
        crash(tree);
    assert_int_equal(bough_allocator_count(), before);
    assert_int_equal(tree->probes[0].inits, 1 + WARM_UP + RESTARTS);
    tree_finish(tree);
}

static void one_for_one_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    expect_steady(&tree);
}

static void one_for_all_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, TREE_CHILDREN);
    expect_steady(&tree);
}

static void rest_for_one_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    expect_steady(&tree);
}

static void a_delayed_restart_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.children[0].backoff.min_ms = 100;
    expect_steady(&tree);
}

static void a_limited_restart_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.children[0].intensity = 2;
    tree.children[0].start_timeout_ms = 50;
    expect_steady(&tree);
}

/* Every other time, and the time after that not. */
static void fail_to_start_every_other_time(struct bough_actor *actor,
                                           struct bough_probe *probe)
{
    const bool fails = probe->init_status == BOUGH_OK && probe->inits % 2 == 0;

    probe->init_status = fails ? BOUGH_EFAILED : BOUGH_OK;
    if (fails) bough_fail(actor, BOUGH_EFAILED, "not now");
}

static void a_failed_start_allocates_nothing(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.probes[0].on_init = fail_to_start_every_other_time;
    tree_start(&tree);
    for (int i = 0; i < WARM_UP; i++)
        crash(&tree);
    const size_t before = bough_allocator_count();
    for (int i = 0; i < RESTARTS; i++)
        crash(&tree);
    assert_int_equal(bough_allocator_count(), before);
    assert_true(tree.probes[0].inits > WARM_UP + RESTARTS + RESTARTS / 2);
    tree_finish(&tree);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(one_for_one_allocates_nothing),
        test_of(one_for_all_allocates_nothing),
        test_of(rest_for_one_allocates_nothing),
        test_of(a_delayed_restart_allocates_nothing),
        test_of(a_limited_restart_allocates_nothing),
        test_of(a_failed_start_allocates_nothing),
    };

    return cmocka_run_group_tests_name("supervisor/steady_restarts", tests, NULL, NULL);
}
