/* plan.c - two trees become a plan.
 *
 * First each level of the trees, from the root down: its children are matched by name,
 * compared, and those that their supervisor restarts together are found. That gives the
 * children of the plan, and a level for each supervisor that lives on. Then the levels
 * are walked once for each kind of step.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/plan.h>

#define HASH_NONFATAL_OOM 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include <bough/supervisor/supervisor.h>

enum { NONE = -1 };

/* A child by its name, in one of the trees or in both. */
struct match {
    const char *name;
    int64_t before, after; /* its index there; NONE */
    enum bough_plan_act act;
    const struct match *because; /* whose restart takes it along */
    size_t child, first_key, key_count;
    struct level *level; /* of a supervisor that lives on */
    UT_hash_handle hh;
};

/* A supervisor that lives on. */
struct level {
    struct level *next; /* of all levels, for their release */
    const struct bough_supervisor_options *before, *after;
    struct match *matches; /* those of `after` in their order, then those removed */
    size_t count;
    struct match **olds; /* by their index in `before` */
    size_t child;
    bool changes; /* something, here or below */
};

struct builder {
    struct bough_plan plan;
    struct bough_plan_child *children;
    struct bough_plan_key *keys;
    struct bough_plan_step *steps;
    size_t child_room, key_count, key_room, step_room;
    struct level *levels;
    struct bough_plan_world world;
    struct bough_child_spec root_before, root_after;
    bool failed; /* memory is out */
};

_Static_assert(offsetof(struct builder, plan) == 0, "a plan is freed as its builder");

/* Arrays that grow */

/* Room for one more; NULL, and `failed`, when there is none. */
static void *grow(struct builder *builder, void *array, size_t count, size_t *room,
                  size_t size)
{
    const size_t more = *room > 0 ? 2 * *room : 16;
    void *larger;

    if (builder->failed) return NULL;
    if (count < *room) return array;
    larger = reallocarray(array, more, size);
    if (larger == NULL) {
        builder->failed = true;
        return NULL;
    }
    *room = more;
    return larger;
}

static void add_key(void *data, const struct bough_plan_key *key)
{
    struct builder *builder = data;
    struct bough_plan_key *keys = grow(builder, builder->keys, builder->key_count,
                                       &builder->key_room, sizeof(*keys));

    if (keys == NULL) return;
    builder->keys = keys;
    keys[builder->key_count++] = *key;
}

static size_t add_child(struct builder *builder, const struct bough_plan_child *child)
{
    struct bough_plan_child *children =
        grow(builder, builder->children, builder->plan.child_count, &builder->child_room,
             sizeof(*children));

    if (children == NULL) return 0;
    builder->children = children;
    children[builder->plan.child_count] = *child;
    return builder->plan.child_count++;
}

static void add_step(struct builder *builder, enum bough_plan_do what, size_t child)
{
    struct bough_plan_step *steps =
        grow(builder, builder->steps, builder->plan.step_count, &builder->step_room,
             sizeof(*steps));

    if (steps == NULL) return;
    builder->steps = steps;
    steps[builder->plan.step_count++] =
        (struct bough_plan_step){ .what = what, .child = child };
}

/* Matching */

static const struct bough_supervisor_options *
flags_of(const struct bough_child_spec *spec)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };

    return spec->options != NULL ? spec->options : &none;
}

/* Of a dynamic one it is a template, and no child. */
static size_t children_of(const struct bough_supervisor_options *options)
{
    return options->strategy == BOUGH_DYNAMIC ? 0 : options->child_count;
}

static bool enter(struct builder *builder, struct match **by_name, struct match *match)
{
    HASH_ADD_KEYPTR(hh, *by_name, match->name, strlen(match->name), match);
    if (match->hh.tbl == NULL) builder->failed = true;
    return !builder->failed;
}

static void match_all(struct builder *builder, struct level *level)
{
    const size_t befores = children_of(level->before), afters = children_of(level->after);
    struct match *by_name = NULL, *match;

    for (size_t i = 0; i < afters; i++) {
        match = &level->matches[level->count++];
        *match = (struct match){ .name = level->after->children[i].name,
                                 .before = NONE,
                                 .after = (int64_t)i,
                                 .act = BOUGH_PLAN_ADDED };
        if (!enter(builder, &by_name, match)) break;
    }
    for (size_t i = 0; i < befores && !builder->failed; i++) {
        const char *name = level->before->children[i].name;

        HASH_FIND(hh, by_name, name, strlen(name), match);
        if (match == NULL) {
            match = &level->matches[level->count++];
            *match =
                (struct match){ .name = name, .after = NONE, .act = BOUGH_PLAN_REMOVED };
        } else {
            match->act = BOUGH_PLAN_KEPT;
        }
        match->before = (int64_t)i;
        level->olds[i] = match;
    }
    HASH_CLEAR(hh, by_name);
}

static const struct bough_child_spec *before_of(const struct level *level,
                                                const struct match *match)
{
    return match->before != NONE ? &level->before->children[match->before] : NULL;
}

static const struct bough_child_spec *after_of(const struct level *level,
                                               const struct match *match)
{
    return match->after != NONE ? &level->after->children[match->after] : NULL;
}

static char *path_of(struct builder *builder, size_t parent, const char *name)
{
    const char *above = builder->children[parent].path;
    char *path = NULL;

    if (asprintf(&path, "%s/%s", above[1] == '\0' ? "" : above, name) >= 0) return path;
    builder->failed = true;
    return NULL;
}

/* What the options do not show. */
static void compare_contents(struct builder *builder, const struct level *level,
                             const struct match *match)
{
    struct bough_plan_key key = { .name = "options", .restarts = true };
    char *path;

    if (builder->world.stale == NULL || builder->failed) return;
    path = path_of(builder, level->child, match->name);
    if (path == NULL) return;
    key.option =
        builder->world.stale(builder->world.stale_data, path, after_of(level, match));
    if (key.option != NULL) add_key(builder, &key);
    free(path);
}

static void compare(struct builder *builder, const struct level *level,
                    struct match *match)
{
    match->first_key = builder->key_count;
    if (!bough_plan_diff(before_of(level, match), after_of(level, match), add_key,
                         builder))
        builder->failed = true;
    compare_contents(builder, level, match);
    match->key_count = builder->key_count - match->first_key;
    if (match->key_count > 0) match->act = BOUGH_PLAN_CHANGED;
    for (size_t i = 0; i < match->key_count; i++) {
        if (builder->keys[match->first_key + i].restarts)
            match->act = BOUGH_PLAN_RESTARTED;
    }
}

/* Those that are restarted together */

/* The first that is restarted, in each order. */
struct firsts {
    const struct match *before, *after;
};

static struct firsts find_firsts(const struct level *level)
{
    struct firsts firsts = { .before = NULL };

    for (size_t i = 0; i < level->count; i++) {
        const struct match *match = &level->matches[i];

        if (match->act != BOUGH_PLAN_RESTARTED) continue;
        if (firsts.before == NULL || match->before < firsts.before->before)
            firsts.before = match;
        if (firsts.after == NULL || match->after < firsts.after->after)
            firsts.after = match;
    }
    return firsts;
}

/* Who takes it along: by the strategy that it is under, and by the one under which it
 * will be, so that the way back is the same. */
static const struct match *taken_by(const struct level *level,
                                    const struct firsts *firsts,
                                    const struct match *match)
{
    const enum bough_strategy before = level->before->strategy;
    const enum bough_strategy after = level->after->strategy;

    if (before == BOUGH_ONE_FOR_ALL || after == BOUGH_ONE_FOR_ALL) return firsts->before;
    if (before == BOUGH_REST_FOR_ONE && match->before > firsts->before->before)
        return firsts->before;
    if (after == BOUGH_REST_FOR_ONE && match->after > firsts->after->after)
        return firsts->after;
    return NULL;
}

/* One that is taken along may take along others, when the order has changed. */
static bool take_along(struct level *level)
{
    const struct firsts firsts = find_firsts(level);
    bool any = false;

    if (firsts.before == NULL) return false;
    for (size_t i = 0; i < level->count; i++) {
        struct match *match = &level->matches[i];

        if (match->act != BOUGH_PLAN_KEPT && match->act != BOUGH_PLAN_CHANGED) continue;
        match->because = taken_by(level, &firsts, match);
        if (match->because == NULL) continue;
        match->act = BOUGH_PLAN_RESTARTED;
        any = true;
    }
    return any;
}

/* Levels */

static struct level *new_level(struct builder *builder,
                               const struct bough_supervisor_options *before,
                               const struct bough_supervisor_options *after, size_t child)
{
    const size_t befores = children_of(before), afters = children_of(after);
    struct level *level = calloc(1, sizeof(*level));

    if (level == NULL) {
        builder->failed = true;
        return NULL;
    }
    level->before = before;
    level->after = after;
    level->child = child;
    level->next = builder->levels;
    builder->levels = level;
    level->matches = calloc(befores + afters + 1, sizeof(struct match));
    level->olds = calloc(befores + 1, sizeof(struct match *));
    if (level->matches == NULL || level->olds == NULL) builder->failed = true;
    return level;
}

static size_t actors_below(const struct bough_child_spec *spec)
{
    const struct bough_supervisor_options *flags;
    size_t actors = 0;

    if (spec->type != &bough_supervisor_type) return spec->replicas;
    flags = flags_of(spec);
    for (size_t i = 0; i < children_of(flags); i++)
        actors += 1 + actors_below(&flags->children[i]);
    return spec->replicas > 0 ? spec->replicas * (1 + actors) : actors;
}

static void enlist(struct builder *builder, const struct level *level,
                   struct match *match)
{
    const struct bough_child_spec *after = after_of(level, match);
    struct bough_plan_child child = {
        .act = match->act,
        .before = before_of(level, match),
        .after = after,
        .key_count = match->key_count,
    };

    if (builder->failed) return;
    child.path = path_of(builder, level->child, match->name);
    if (child.path == NULL) return;
    child.below = actors_below(after != NULL ? after : child.before);
    child.replaces = match->act == BOUGH_PLAN_ADDED && builder->world.known != NULL &&
                     builder->world.known(builder->world.known_data, child.path);
    match->child = add_child(builder, &child);
    if (builder->failed) free((char *)(uintptr_t)child.path);
}

static void descend(struct builder *builder, struct level *level);

/* A supervisor that lives on is looked into. */
static void look_into(struct builder *builder, struct level *level, struct match *match)
{
    const struct bough_child_spec *before = before_of(level, match);
    const struct bough_child_spec *after = after_of(level, match);

    if (match->act != BOUGH_PLAN_KEPT && match->act != BOUGH_PLAN_CHANGED) return;
    if (after->type != &bough_supervisor_type || after->replicas > 0) return;
    match->level = new_level(builder, flags_of(before), flags_of(after), match->child);
    if (!builder->failed) descend(builder, match->level);
    if (!builder->failed) level->changes |= match->level->changes;
}

/* The children of one level, those removed where they were. */
static void enlist_all(struct builder *builder, struct level *level)
{
    const size_t befores = children_of(level->before), afters = children_of(level->after);
    size_t old = 0;
    int64_t last = NONE;

    for (size_t i = 0; i < afters && !builder->failed; i++) {
        struct match *match = &level->matches[i];

        for (; (int64_t)old < match->before; old++) {
            if (level->olds[old]->act == BOUGH_PLAN_REMOVED)
                enlist(builder, level, level->olds[old]);
        }
        enlist(builder, level, match);
        if (!builder->failed) look_into(builder, level, match);
        level->changes |= match->act != BOUGH_PLAN_KEPT;
        /* In another order. */
        level->changes |= match->before != NONE && match->before < last;
        if (match->before != NONE) last = match->before;
    }
    for (; old < befores && !builder->failed; old++) {
        if (level->olds[old]->act == BOUGH_PLAN_REMOVED)
            enlist(builder, level, level->olds[old]);
    }
    level->changes |= level->count > afters;
}

static void descend(struct builder *builder, struct level *level)
{
    match_all(builder, level);
    for (size_t i = 0; i < level->count && !builder->failed; i++) {
        struct match *match = &level->matches[i];

        if (match->act == BOUGH_PLAN_KEPT) compare(builder, level, match);
    }
    while (!builder->failed && take_along(level))
        continue;
    if (!builder->failed) enlist_all(builder, level);
}

/* Steps */

static bool is_stopped(const struct builder *builder, const struct match *match)
{
    return match->act == BOUGH_PLAN_RESTARTED || match->act == BOUGH_PLAN_REMOVED ||
           builder->children[match->child].replaces;
}

/* Whoever was started at run time has been started last. */
static void plan_stops(struct builder *builder, const struct level *level)
{
    for (size_t i = level->count; i-- > 0;) {
        const struct match *match = &level->matches[i];

        if (match->before == NONE && is_stopped(builder, match))
            add_step(builder, BOUGH_PLAN_STOP, match->child);
    }
    for (size_t i = children_of(level->before); i-- > 0;) {
        const struct match *match = level->olds[i];

        if (is_stopped(builder, match))
            add_step(builder, BOUGH_PLAN_STOP, match->child);
        else if (match->level != NULL && match->level->changes)
            plan_stops(builder, match->level);
    }
}

static bool has_own_change(const struct builder *builder, const struct level *level)
{
    return builder->children[level->child].act == BOUGH_PLAN_CHANGED;
}

/* From above: a supervisor that is restarted meanwhile then begins with what it is to
 * have. */
static void plan_changes(struct builder *builder, const struct level *level)
{
    if (!level->changes && !has_own_change(builder, level)) return;
    add_step(builder, BOUGH_PLAN_CHANGE, level->child);
    for (size_t i = 0; i < children_of(level->after); i++) {
        if (level->matches[i].level != NULL)
            plan_changes(builder, level->matches[i].level);
    }
}

static bool is_resized(const struct builder *builder, const struct match *match)
{
    const struct bough_plan_child *child = &builder->children[match->child];

    return match->act == BOUGH_PLAN_CHANGED &&
           child->before->replicas != child->after->replicas;
}

static void plan_rest(struct builder *builder, const struct level *level,
                      enum bough_plan_do what)
{
    for (size_t i = 0; i < level->count; i++) {
        const struct match *match = &level->matches[i];
        const bool starts =
            match->act == BOUGH_PLAN_RESTARTED || match->act == BOUGH_PLAN_ADDED;

        if ((what == BOUGH_PLAN_DELETE && match->act == BOUGH_PLAN_REMOVED) ||
            (what == BOUGH_PLAN_RESIZE && is_resized(builder, match)) ||
            (what == BOUGH_PLAN_START && starts))
            add_step(builder, what, match->child);
        else if (match->level != NULL && match->level->changes)
            plan_rest(builder, match->level, what);
    }
}

static void plan_steps(struct builder *builder, const struct level *root)
{
    plan_stops(builder, root);
    plan_changes(builder, root);
    plan_rest(builder, root, BOUGH_PLAN_DELETE);
    plan_rest(builder, root, BOUGH_PLAN_RESIZE);
    plan_rest(builder, root, BOUGH_PLAN_START);
}

/* The whole */

static void free_levels(struct builder *builder)
{
    while (builder->levels != NULL) {
        struct level *level = builder->levels;

        builder->levels = level->next;
        free(level->matches);
        free(level->olds);
        free(level);
    }
}

/* Arrays do not move any more. */
static void point_to(struct builder *builder, const struct level *level)
{
    for (size_t i = 0; i < level->count; i++) {
        const struct match *match = &level->matches[i];
        struct bough_plan_child *child = &builder->children[match->child];

        child->keys = match->key_count > 0 ? &builder->keys[match->first_key] : NULL;
        if (match->because != NULL)
            child->because = builder->children[match->because->child].path;
    }
}

/* The root cannot be restarted. */
static enum bough_status check_root(const struct builder *builder,
                                    struct bough_error *error)
{
    for (size_t i = 0; i < builder->key_count; i++) {
        if (!builder->keys[i].restarts) continue;
        if (strcmp(builder->keys[i].name, "children") == 0)
            return bough_error_set(error, BOUGH_EREFUSED,
                                   "the root is dynamic, and with another template it "
                                   "would have to be restarted: stop the tree, and start "
                                   "it again");
        return bough_error_set(error, BOUGH_EREFUSED,
                               "the root cannot become dynamic, or cease to be it, while "
                               "it runs: stop the tree, and start it again");
    }
    return BOUGH_OK;
}

static enum bough_status build(struct builder *builder, struct bough_error *error)
{
    struct bough_plan_child child = { .act = BOUGH_PLAN_KEPT,
                                      .before = &builder->root_before,
                                      .after = &builder->root_after,
                                      .below = actors_below(&builder->root_after) };
    enum bough_status status = BOUGH_OK;
    struct level *root;
    size_t keys;

    if (!bough_plan_diff(child.before, child.after, add_key, builder))
        builder->failed = true;
    if (!builder->failed) status = check_root(builder, error);
    if (status != BOUGH_OK) return status;
    keys = child.key_count = builder->key_count;
    if (keys > 0) child.act = BOUGH_PLAN_CHANGED;
    child.path = strdup("/");
    if (child.path == NULL) builder->failed = true;
    add_child(builder, &child);
    if (builder->failed) {
        free((char *)(uintptr_t)child.path);
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    }
    root =
        new_level(builder, builder->root_before.options, builder->root_after.options, 0);
    if (!builder->failed) descend(builder, root);
    if (!builder->failed) plan_steps(builder, root);
    if (builder->failed) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    builder->children[0].keys = keys > 0 ? builder->keys : NULL;
    for (const struct level *level = builder->levels; level != NULL; level = level->next)
        point_to(builder, level);
    return BOUGH_OK;
}

enum bough_status bough_plan_new(const struct bough_supervisor_options *before,
                                 const struct bough_supervisor_options *after,
                                 const struct bough_plan_world *world,
                                 struct bough_plan **plan, struct bough_error *error)
{
    const struct bough_child_spec root = { .name = "/", .type = &bough_supervisor_type };
    struct builder *builder = calloc(1, sizeof(*builder));
    enum bough_status status;

    if (builder == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    if (world != NULL) builder->world = *world;
    builder->root_before = builder->root_after = root;
    builder->root_before.options = before;
    builder->root_after.options = after;
    status = build(builder, error);
    free_levels(builder);
    builder->plan.children = builder->children;
    builder->plan.steps = builder->steps;
    if (status == BOUGH_OK)
        *plan = &builder->plan;
    else
        bough_plan_free(&builder->plan);
    return status;
}

void bough_plan_free(struct bough_plan *plan)
{
    struct builder *builder;

    if (plan == NULL) return;
    builder = bough_container(plan, struct builder, plan);
    for (size_t i = 0; i < plan->child_count; i++)
        free((char *)(uintptr_t)builder->children[i].path);
    free(builder->children);
    free(builder->keys);
    free(builder->steps);
    free(builder);
}

size_t bough_plan_count(const struct bough_plan *plan, enum bough_plan_act act)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->child_count; i++)
        count += plan->children[i].act == act;
    return count;
}
