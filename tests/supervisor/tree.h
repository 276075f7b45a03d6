/* tree.h - a supervisor over probes named a, b, c ..., for tests.
 *
 *     struct tree tree;
 *     tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 3);
 *     tree_start(&tree);
 *     tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
 *     tree_expect(&tree, "exited /b 1 error: ...\n" ...);
 *     tree_finish(&tree);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_TREE_H
#define BOUGH_TESTS_SUPERVISOR_TREE_H

#include <stdlib.h>

#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/probe.h>

enum { TREE_CHILDREN = 8 };

struct tree {
    struct bough_test *test;
    struct bough_probe probes[TREE_CHILDREN];
    struct bough_probe_options probe_options[TREE_CHILDREN];
    struct bough_child_spec children[TREE_CHILDREN];
    struct bough_supervisor_options options;
    struct bough_probe_watch watch;
    struct bough_supervisor supervisor;
    bool stays_inline; /* the fact is about children on the supervisor's own loop */
};

static const char *const tree_names[TREE_CHILDREN] = { "a", "b", "c", "d",
                                                       "e", "f", "g", "h" };

/* `count` permanent probes, intensity 3 within 5 s; the test changes what it needs. */
static inline void tree_init(struct tree *tree, void *state, enum bough_strategy strategy,
                             size_t count)
{
    *tree = (struct tree){
        .test = state,
        .options = { .strategy = strategy,
                     .any_intensity = true,
                     .intensity = 3,
                     .period_ms = 5000,
                     .child_count = count },
    };
    assert_in_range(count, 0, TREE_CHILDREN);
    for (size_t i = 0; i < count; i++) {
        tree->probe_options[i].probe = &tree->probes[i];
        tree->children[i] = (struct bough_child_spec){
            .name = tree_names[i],
            .type = &bough_probe_type,
            .options = &tree->probe_options[i],
        };
    }
    tree->options.children = tree->children;
}

/* The tests of trees run a second time with every child on a loop of its own, which the
 * virtual clock drives: the same facts, with every message, start, stop and end a letter.
 */
static inline void tree_apart(struct tree *tree)
{
    for (size_t i = 0; i < TREE_CHILDREN; i++)
        tree->children[i].isolation = BOUGH_THREAD;
}

/* Begins the start and lets it go as far as it can without time passing. */
static inline void tree_begin(struct tree *tree)
{
    struct bough_error error;

    bough_probe_watch_init(&tree->watch, NULL);
    if (!tree->stays_inline && getenv("BOUGH_TEST_APART")) tree_apart(tree);
    assert_status(bough_supervisor_start(tree->test->loop, &tree->options,
                                         &tree->watch.watch, &tree->supervisor, &error),
                  BOUGH_OK);
    bough_test_advance(tree->test, 0);
}

/* The same, all the way; what was reported is then forgotten. */
static inline void tree_start(struct tree *tree)
{
    tree_begin(tree);
    assert_int_equal(tree->watch.readies, 1);
    bough_test_forget(tree->test);
}

static inline struct bough_address tree_find(struct tree *tree, const char *path)
{
    struct bough_address place;

    assert_status(bough_lookup(tree->test->loop, path, &place), BOUGH_OK);
    return place;
}

/* Gives a child a message, and lets the loop run. */
static inline void tree_tell(struct tree *tree, size_t child, enum bough_probe_kind kind)
{
    char path[3] = { '/', tree_names[child][0], '\0' };

    assert_status(bough_probe_send(tree_find(tree, path), kind, 0), BOUGH_OK);
    bough_test_advance(tree->test, 0);
}

static inline enum bough_place_state tree_state(struct tree *tree, const char *path)
{
    struct bough_place_info info;

    assert_status(bough_place_info(tree_find(tree, path), &info), BOUGH_OK);
    return info.state;
}

/* What has been reported since the last look, whole. A macro, so that a fault names its
 * line. */
#define tree_expect(tree, expected) \
    do { \
        assert_string_equal((tree)->test->trace, (expected)); \
        bough_test_forget((tree)->test); \
    } while (0)

/* Stops the tree if it still runs, whatever its probes do, and frees its places. */
static inline void tree_finish(struct tree *tree)
{
    bough_supervisor_stop(tree->supervisor);
    bough_test_advance(tree->test, 1000 * 1000);
    if (tree->watch.exits == 0) bough_kill(tree->supervisor.address);
    bough_test_advance(tree->test, 0);
    assert_int_equal(tree->watch.exits, 1);
    bough_place_free(tree->supervisor.address, 0);
}

#endif
