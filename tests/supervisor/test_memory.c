/* test_memory.c - when memory runs out, at each allocation in turn: __wrap_malloc.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>
#include <bough/tests/support/allocator.h>

enum { ENOUGH = 1000 }; /* allocations, more than a small tree can need */

/* A tree of two levels: / over a and sub, sub over b. */
struct small {
    struct tree tree;
    struct bough_child_spec below;
    struct bough_supervisor_options sub;
};

static void small_init(struct small *small, void *state)
{
    tree_init(&small->tree, state, BOUGH_ONE_FOR_ALL, 2);
    small->tree.options.intensity = 100;
    small->below = small->tree.children[1];
    small->sub =
        (struct bough_supervisor_options){ .children = &small->below, .child_count = 1 };
    small->tree.children[1] = (struct bough_child_spec){
        .name = "sub",
        .type = &bough_supervisor_type,
        .options = &small->sub,
    };
}

/* Once with the nth allocation failing. True when it was not needed any more. */
static bool start_without(struct small *small, size_t nth)
{
    struct tree *tree = &small->tree;
    struct bough_error error = { .status = BOUGH_OK };
    enum bough_status status;
    bool failed;

    bough_probe_watch_init(&tree->watch, NULL);
    bough_allocator_fail_at(nth);
    status = bough_supervisor_start(tree->test->loop, &tree->options, &tree->watch.watch,
                                    &tree->supervisor, &error);
    if (status == BOUGH_OK) bough_test_advance(tree->test, 0);
    failed = bough_allocator_heal();
    if (status != BOUGH_OK) {
        assert_true(failed);
        assert_status(status, BOUGH_ENOMEM);
        assert_status(error.status, BOUGH_ENOMEM);
        assert_int_equal(tree->watch.exits + tree->watch.readies, 0);
        assert_int_equal(bough_loop_count(tree->test->loop).places, 0);
        return false;
    }
    assert_int_equal(tree->watch.exits + tree->watch.readies, 1);
    if (tree->watch.exits == 1) {
        assert_true(failed);
        assert_int_equal(tree->watch.reason.status, BOUGH_ENOMEM);
        assert_int_equal(bough_loop_count(tree->test->loop).lives, 0);
    }
    tree_finish(tree);
    return !failed;
}

/* Either nothing is started, or the tree rolls back and says so, or it did not matter. */
static void a_start_without_memory_leaves_nothing(void **state)
{
    struct small small;
    size_t nth = 1;

    small_init(&small, *state);
    while (!start_without(&small, nth)) {
        nth++;
        assert_in_range(nth, 2, ENOUGH);
    }
    assert_in_range(nth, 10, ENOUGH);
}

/* The second life needs memory too: what is not there now is tried again. */
static void a_restart_without_memory_is_retried(void **state)
{
    struct small small;
    bool failed = true;

    small_init(&small, *state);
    tree_start(&small.tree);
    for (size_t nth = 1; failed; nth++) {
        unsigned inits = small.tree.probes[1].inits;

        assert_in_range(nth, 1, ENOUGH);
        bough_fail(small.tree.probes[0].actor, BOUGH_EFAILED, "once more");
        bough_allocator_fail_at(nth);
        bough_test_advance(small.tree.test, 0);
        failed = bough_allocator_heal();
        bough_test_advance(small.tree.test, 6000);
        assert_int_equal(small.tree.watch.exits, 0);
        assert_int_equal(tree_state(&small.tree, "/a"), BOUGH_PLACE_RUNNING);
        assert_int_equal(tree_state(&small.tree, "/sub"), BOUGH_PLACE_RUNNING);
        assert_in_range(small.tree.probes[1].inits, inits + 1, inits + 2);
    }
    tree_finish(&small.tree);
}

static void a_check_without_memory_says_so(void **state)
{
    struct bough_error error;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    bough_allocator_fail_at(1);
    assert_status(bough_supervisor_check(&tree.options, &error), BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
    assert_status(error.status, BOUGH_ENOMEM);
}

static void copying_options_without_memory_leaks_nothing(void **state)
{
    struct small small;
    void *copy = NULL;

    small_init(&small, *state);
    for (size_t nth = 1; !copy; nth++) {
        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        copy = bough_supervisor_options_copy(&small.tree.options);
        assert_int_equal(bough_allocator_heal(), copy == NULL);
    }
    bough_supervisor_options_free(copy);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_start_without_memory_leaves_nothing),
        fact(a_restart_without_memory_is_retried),
        fact(a_check_without_memory_says_so),
        fact(copying_options_without_memory_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
