/* test_place_record.c - who makes a place may keep something about it there.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <bough/tests/support/probe.h>

/* A root, "a" below it, "leaf" below that. */
struct tree {
    struct bough_probe probes[3];
    struct bough_address root, a, leaf;
};

static void tree_start(struct bough_test *test, struct tree *tree)
{
    *tree = (struct tree){ .root = BOUGH_NOBODY };
    tree->root = bough_probe_place(test, &tree->probes[0], BOUGH_NOBODY, "/");
    bough_probe_start(tree->root, NULL);
    tree->a = bough_probe_place(test, &tree->probes[1], tree->root, "a");
    bough_probe_start(tree->a, NULL);
    tree->leaf = bough_probe_place(test, &tree->probes[2], tree->a, "leaf");
    bough_test_run(test);
}

static void tree_end(struct bough_test *test, const struct tree *tree)
{
    bough_kill(tree->root);
    bough_test_run(test);
    bough_place_free(tree->root, 0);
}

static void a_record_is_found_by_the_name(void **state)
{
    struct tree tree;
    int one = 1, two = 2;

    tree_start(*state, &tree);
    struct bough_actor *root = tree.probes[0].actor, *a = tree.probes[1].actor;
    assert_null(bough_place_record(root, "a"));
    bough_place_set_record(tree.a, &one);
    bough_place_set_record(tree.leaf, &two);
    assert_ptr_equal(bough_place_record(root, "a"), &one);
    assert_ptr_equal(bough_place_record(a, "leaf"), &two);
    bough_place_set_record(tree.a, NULL);
    assert_null(bough_place_record(root, "a"));
    tree_end(*state, &tree);
}

static void only_a_name_below_finds_it(void **state)
{
    struct tree tree;
    int one = 1;

    tree_start(*state, &tree);
    struct bough_actor *root = tree.probes[0].actor;
    bough_place_set_record(tree.leaf, &one);
    assert_null(bough_place_record(root, "a/leaf"));
    assert_null(bough_place_record(root, "leaf"));
    assert_null(bough_place_record(root, "b"));
    assert_null(bough_place_record(root, ""));
    assert_null(bough_place_record(root, ".."));
    tree_end(*state, &tree);
}

static void a_record_stays_from_life_to_life(void **state)
{
    struct tree tree;
    int one = 1;

    tree_start(*state, &tree);
    bough_place_set_record(tree.a, &one);
    bough_kill(tree.a);
    bough_test_run(*state);
    assert_ptr_equal(bough_place_record(tree.probes[0].actor, "a"), &one);
    tree_end(*state, &tree);
}

static void a_record_goes_with_its_place(void **state)
{
    struct tree tree;
    int one = 1;

    tree_start(*state, &tree);
    struct bough_actor *a = tree.probes[1].actor;
    bough_place_set_record(tree.leaf, &one);
    bough_place_free(tree.leaf, 0);
    assert_null(bough_place_record(a, "leaf"));
    bough_place_set_record(tree.leaf, &one);
    tree.leaf = bough_probe_place(*state, &tree.probes[2], tree.a, "leaf");
    assert_null(bough_place_record(a, "leaf"));
    tree_end(*state, &tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_record_is_found_by_the_name),
        fact(only_a_name_below_finds_it),
        fact(a_record_stays_from_life_to_life),
        fact(a_record_goes_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
