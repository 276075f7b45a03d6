/* test_plan_random.c - a plan, done step by step to the tree before, gives the tree
 * after, whatever the two are; and each step can be done when its turn comes.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/plan.h>

#include <stdio.h>

#include <bough/tests/supervisor/sketch_random.h>

enum { TREES = 20000 };

/* A model of a tree that runs: nothing but who is there, and with which spec. */
struct node {
    const char *name;
    const struct bough_child_spec *spec; /* that its supervisor has */
    const struct bough_child_spec *runs; /* that it was started with */
    struct node *children[2 * SKETCH_WIDTH];
    size_t count;
    unsigned life;
    bool alive;
};

static unsigned lives;

static const struct bough_supervisor_options *
flags_of(const struct bough_child_spec *spec)
{
    return spec->type == &bough_supervisor_type ? spec->options : NULL;
}

static struct node *node_new(const struct bough_child_spec *spec)
{
    struct node *node = calloc(1, sizeof(*node));

    assert_non_null(node);
    node->name = spec->name;
    node->spec = spec;
    return node;
}

static void forget_children(struct node *node);

static void node_free(struct node *node)
{
    forget_children(node);
    free(node);
}

static void forget_children(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        node_free(node->children[i]);
    node->count = 0;
}

static void node_start(struct node *node)
{
    const struct bough_supervisor_options *flags = flags_of(node->spec);

    assert_false(node->alive);
    node->alive = true;
    node->life = ++lives;
    node->runs = node->spec;
    if (flags == NULL || flags->strategy == BOUGH_DYNAMIC || node->spec->replicas > 0)
        return;
    for (size_t i = 0; i < flags->child_count; i++) {
        node->children[node->count++] = node_new(&flags->children[i]);
        node_start(node->children[i]);
    }
}

static struct node *child_named(const struct node *node, const char *name, size_t len)
{
    for (size_t i = 0; i < node->count; i++) {
        if (strlen(node->children[i]->name) == len &&
            strncmp(node->children[i]->name, name, len) == 0)
            return node->children[i];
    }
    return NULL;
}

/* The node at that path, and the one above it. */
static struct node *find(struct node *root, const char *path, struct node **parent)
{
    struct node *node = root;

    *parent = NULL;
    for (path++; *path != '\0' && node != NULL;) {
        const size_t len = strcspn(path, "/");

        *parent = node;
        node = child_named(node, path, len);
        path += len + (path[len] == '/');
    }
    return node;
}

/* Steps */

static void step_stop(struct node *node)
{
    assert_true(node->alive);
    node->alive = false;
    forget_children(node);
}

/* As supervisor.h says of bough_supervisor_change(). */
static void step_change(struct node *node, const struct bough_child_spec *after)
{
    const struct bough_supervisor_options *flags = after->options;
    struct node *olds[2 * SKETCH_WIDTH];
    const size_t old_count = node->count;
    size_t count = 0;

    assert_true(node->alive);
    node->spec = after;
    if (flags->strategy == BOUGH_DYNAMIC) return;
    memcpy(olds, node->children, sizeof(olds));
    for (size_t i = 0; i < flags->child_count; i++) {
        const struct bough_child_spec *spec = &flags->children[i];
        struct node *child = child_named(node, spec->name, strlen(spec->name));

        if (child == NULL) child = node_new(spec);
        child->spec = spec;
        child->name = spec->name;
        for (size_t k = 0; k < old_count; k++)
            if (olds[k] == child) olds[k] = NULL;
        olds[old_count + count] = child;
        count++;
    }
    node->count = 0;
    for (size_t i = 0; i < count; i++)
        node->children[node->count++] = olds[old_count + i];
    for (size_t i = 0; i < old_count; i++)
        if (olds[i] != NULL) node->children[node->count++] = olds[i];
}

static void step_delete(struct node *parent, struct node *node)
{
    size_t i = 0;

    assert_false(node->alive);
    while (parent->children[i] != node)
        i++;
    memmove(&parent->children[i], &parent->children[i + 1],
            (parent->count - i - 1) * sizeof(struct node *));
    parent->count--;
    node_free(node);
}

/* Everybody before it is up. */
static void step_start(const struct node *parent, struct node *node)
{
    assert_true(parent->alive);
    for (size_t i = 0; parent->children[i] != node; i++)
        assert_true(parent->children[i]->alive);
    node_start(node);
}

static void do_step(struct node *root, const struct bough_plan *plan, size_t number)
{
    const struct bough_plan_step *step = &plan->steps[number];
    const struct bough_plan_child *child = &plan->children[step->child];
    struct node *parent, *node = find(root, child->path, &parent);

    assert_non_null(node);
    switch (step->what) {
    case BOUGH_PLAN_STOP: step_stop(node); break;
    case BOUGH_PLAN_CHANGE: step_change(node, child->after); break;
    case BOUGH_PLAN_DELETE: step_delete(parent, node); break;
    case BOUGH_PLAN_RESIZE:
        assert_true(node->alive);
        node->runs = child->after;
        break;
    case BOUGH_PLAN_START: step_start(parent, node); break;
    case BOUGH_PLAN_DO_COUNT: fail(); break;
    }
}

/* What came of it */

static void no_restart(void *data, const struct bough_plan_key *key)
{
    (void)data;
    assert_false(key->restarts);
}

static void expect_tree(const struct node *node,
                        const struct bough_supervisor_options *flags)
{
    if (flags->strategy == BOUGH_DYNAMIC) return;
    assert_int_equal(node->count, flags->child_count);
    for (size_t i = 0; i < flags->child_count; i++) {
        const struct bough_child_spec *spec = &flags->children[i];
        const struct node *child = node->children[i];

        assert_string_equal(child->name, spec->name);
        assert_true(child->alive);
        /* One that is dynamic, or a group, is compared by the plan to its last child. */
        assert_true(bough_plan_diff(child->runs, spec, no_restart, NULL));
        if (flags_of(spec) && spec->replicas == 0) expect_tree(child, flags_of(spec));
    }
}

/* Who is kept lives the same life. */
static void expect_lives(struct node *root, const struct bough_plan *plan,
                         const unsigned *before)
{
    for (size_t i = 0; i < plan->child_count; i++) {
        const struct bough_plan_child *child = &plan->children[i];
        struct node *parent;
        const struct node *node = find(root, child->path, &parent);

        if (child->act == BOUGH_PLAN_KEPT || child->act == BOUGH_PLAN_CHANGED)
            assert_int_equal(node->life, before[i]);
        else if (child->act == BOUGH_PLAN_RESTARTED)
            assert_int_not_equal(node->life, before[i]);
        else if (child->act == BOUGH_PLAN_REMOVED)
            assert_null(node);
    }
}

static void expect_plan(const struct sketch *before, const struct sketch *after)
{
    const struct bough_child_spec spec = { .name = "/",
                                           .type = &bough_supervisor_type,
                                           .options = &before->root };
    unsigned lives_before[SKETCH_PARTS] = { 0 };
    struct node *root = node_new(&spec), *parent;
    struct bough_plan *plan, *again;

    node_start(root);
    assert_status(bough_plan_new(&before->root, &after->root, NULL, &plan, NULL),
                  BOUGH_OK);
    for (size_t i = 0; i < plan->child_count; i++) {
        const struct node *node = find(root, plan->children[i].path, &parent);

        lives_before[i] = node != NULL ? node->life : 0;
    }
    for (size_t i = 0; i < plan->step_count; i++)
        do_step(root, plan, i);
    expect_tree(root, &after->root);
    expect_lives(root, plan, lives_before);
    node_free(root);
    bough_plan_free(plan);
    assert_status(bough_plan_new(&after->root, &after->root, NULL, &again, NULL),
                  BOUGH_OK);
    assert_int_equal(again->step_count, 0);
    bough_plan_free(again);
}

static void a_plan_leads_from_any_tree_to_any_other(void **state)
{
    static struct sketch before, after;
    char from[SKETCH_TEXT], to[SKETCH_TEXT];
    uint64_t seed = bough_test_seed();

    (void)state;
    for (int i = 0; i < TREES; i++) {
        sketch_random(&before, from, &seed);
        sketch_random(&after, to, &seed);
        expect_plan(&before, &after);
        expect_plan(&after, &before);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_plan_leads_from_any_tree_to_any_other),
    };

    return cmocka_run_group_tests(facts, NULL, NULL);
}
