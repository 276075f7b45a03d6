/* plan.h - what would happen if a tree that runs were to become another one.
 *
 * A plan is made from two trees of specs, and from nothing else: the one that runs, and
 * the one that it is to be. Children are matched by their paths. What is in both and has
 * not changed is kept; what can change without a restart (how a supervisor restarts, how
 * long a child may take) is changed in place; everything else is a stop and a start. The
 * children that a supervisor would restart together are restarted together here, too:
 * under one-for-all all siblings of one that is restarted, under rest-for-one those that
 * start after it. One that is added or removed takes nobody along.
 *
 * apply.h does what a plan says.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PLAN_H
#define BOUGH_SUPERVISOR_PLAN_H

#include <bough/supervisor/spec.h>

enum bough_plan_act {
    BOUGH_PLAN_KEPT,    /* it lives on; so does all below a kept one, unless it says so */
    BOUGH_PLAN_CHANGED, /* the same, with other settings */
    BOUGH_PLAN_RESTARTED, /* stopped, and started with what the new spec says, with all
                             that is below it */
    BOUGH_PLAN_ADDED,
    BOUGH_PLAN_REMOVED,
    BOUGH_PLAN_ACT_COUNT
};

/* "kept", "changed", "restarted", "added", "removed". */
BOUGH_PUBLIC const char *bough_plan_act_name(enum bough_plan_act act);

/* A key, as of a config file, in which two specs differ. */
struct bough_plan_key {
    const char *name;   /* "restart", "options"; static, or as long as the type */
    const char *option; /* which of the options; NULL: it is about none of them */
    bool restarts;      /* it holds from a new life on, and so leads to one */
};

struct bough_plan_child {
    const char *path;
    enum bough_plan_act act;
    const struct bough_child_spec *before, *after; /* NULL: added; removed */
    const struct bough_plan_key *keys;             /* what has changed */
    size_t key_count;
    /* Restarted because that sibling is; NULL: because of its own keys. */
    const char *because;
    /* Added: somebody whom this name was given at run time lives there, and is stopped
     * first. */
    bool replaces;
    size_t below; /* how many actors are below it, in the tree in which it is last */
};

/* What is done, in this order. */
enum bough_plan_do {
    BOUGH_PLAN_STOP,    /* last started first */
    BOUGH_PLAN_CHANGE,  /* a supervisor gets its new settings and children, from above */
    BOUGH_PLAN_DELETE,  /* what was removed is forgotten */
    BOUGH_PLAN_RESIZE,  /* a group gets its new number of members */
    BOUGH_PLAN_START,   /* and is ready before the next one is started */
    BOUGH_PLAN_DO_COUNT /* no step */
};

struct bough_plan_step {
    enum bough_plan_do what;
    size_t child; /* its index in the plan */
};

struct bough_plan {
    /* In start order, parents first, the root ("/") before all; one that is removed comes
     * where it was. What is below one that is not kept is not listed. */
    const struct bough_plan_child *children;
    size_t child_count;
    const struct bough_plan_step *steps; /* none: there is nothing to do */
    size_t step_count;
};

/* What the specs do not say. Members may be NULL. */
struct bough_plan_world {
    /* Whether somebody lives at a path where `before` has nobody: a child that was
     * started by request. */
    bool (*known)(void *data, const char *path);
    void *known_data;
    /* The name of an option which says the same as before, and means something else: a
     * file that has changed. NULL: none; else it outlives the plan. */
    const char *(*stale)(void *data, const char *path,
                         const struct bough_child_spec *after);
    void *stale_data;
};

/* Makes a plan; it points into both trees, which outlive it. `world` may be NULL: there
 * is nothing else to know. Thread: any. Errors: BOUGH_EREFUSED when it cannot be done
 * while the root runs on (`error` says what), BOUGH_ENOMEM. Both trees have passed
 * bough_supervisor_check().
 */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_plan_new(const struct bough_supervisor_options *before,
               const struct bough_supervisor_options *after,
               const struct bough_plan_world *world, struct bough_plan **plan,
               struct bough_error *error);

/* NULL is fine. */
BOUGH_PUBLIC void bough_plan_free(struct bough_plan *plan);

/* How many children the plan does that to; of those KEPT, without what is below them. */
BOUGH_PUBLIC size_t bough_plan_count(const struct bough_plan *plan,
                                     enum bough_plan_act act);

/* Tells each key in which two specs of the same name differ; of supervisors, their
 * settings, and of dynamic ones their templates. False: memory is out. */
typedef void bough_plan_visitor(void *data, const struct bough_plan_key *key);
BOUGH_PUBLIC BOUGH_CHECKED bool bough_plan_diff(const struct bough_child_spec *before,
                                                const struct bough_child_spec *after,
                                                bough_plan_visitor *visit, void *data);

#endif
