/* apply_subject.h - an apply that is watched, and two trees for it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_APPLY_SUBJECT_H
#define BOUGH_TESTS_SUPERVISOR_APPLY_SUBJECT_H

#include <bough/supervisor/apply.h>
#include <bough/tests/supervisor/request.h>

struct outcome {
    struct bough_apply apply;
    unsigned ends;
    enum bough_status status;
    char steps[512];
};

static inline void note_end(struct bough_apply *apply, enum bough_status status)
{
    struct outcome *outcome = bough_container(apply, struct outcome, apply);

    assert_non_null(apply->plan);
    outcome->ends++;
    outcome->status = status;
}

static inline void note_step(struct bough_apply *apply, enum bough_plan_do what,
                             const char *path)
{
    static const char marks[BOUGH_PLAN_DO_COUNT] = { '-', '=', 'x', '#', '+' };
    struct outcome *outcome = bough_container(apply, struct outcome, apply);
    const size_t used = strlen(outcome->steps);

    bough_text_format(outcome->steps + used, sizeof(outcome->steps) - used, "%c%s ",
                      marks[what], path);
}

static inline void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){ .apply.done = note_end, .apply.step = note_step };
}

static inline enum bough_status start(struct tree *tree, struct outcome *outcome,
                                      const struct bough_supervisor_options *options)
{
    struct bough_error error;

    return bough_apply_start(&outcome->apply, tree->test->loop, tree->supervisor, options,
                             &error);
}

static inline void begin(struct tree *tree, struct outcome *outcome,
                         const struct bough_supervisor_options *options)
{
    outcome_init(outcome);
    assert_status(start(tree, outcome, options), BOUGH_OK);
    bough_test_advance(tree->test, 0);
}

#define expect(tree, options, expected_status, expected_steps) \
    do { \
        struct outcome its_outcome; \
\
        begin(tree, &its_outcome, options); \
        assert_int_equal(its_outcome.ends, 1); \
        assert_status(its_outcome.status, expected_status); \
        assert_string_equal(its_outcome.steps, expected_steps); \
    } while (0)

/* As tree_apart() does to those that it starts. */
static inline void apart(struct bough_child_spec *children, size_t count)
{
    for (size_t i = 0; i < count && getenv("BOUGH_TEST_APART"); i++)
        children[i].isolation = BOUGH_THREAD;
}

/* /a, /b and /c run; the other tree has /d, /b, and /a as the probe 4. */
struct pair {
    struct tree tree;
    struct bough_child_spec children[4];
    struct bough_supervisor_options other;
};

static inline void pair_init(struct pair *pair, void *state)
{
    tree_init(&pair->tree, state, BOUGH_ONE_FOR_ONE, 3);
    pair->children[0] = tree_probe_spec(&pair->tree, "d", 3);
    pair->children[1] = pair->tree.children[1];
    pair->children[2] = tree_probe_spec(&pair->tree, "a", 4);
    pair->other = pair->tree.options;
    pair->other.children = pair->children;
    apart(pair->children, 3);
    tree_start(&pair->tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

#endif
