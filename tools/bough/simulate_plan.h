/* simulate_plan.h - what simulate.c, simulate_actor.c and simulate_orders.c share: the
 * tree, what was told, and the run under way.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SIMULATE_PLAN_H
#define BOUGH_TOOLS_BOUGH_SIMULATE_PLAN_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <bough/core/actor.h>
#include <bough/tools/bough/simulate.h>

/* One actor of the tree. */
struct bough_simulated_actor {
    struct bough_simulated about;
    size_t after; /* the first in the list that is not below it */

    /* Told */
    uint64_t start_fails;
    int64_t slow_start_ms, slow_stop_ms;
    bool hang_stop;

    /* In the run under way */
    uint64_t starts, fails_left;
    int64_t down_since_ms; /* -1: it is ready, or has not been yet */
    struct bough_simulated_fate *fate;

    UT_hash_handle hh; /* by path */
};

/* Crashes of one actor. Both times zero: once. */
struct bough_simulated_crash {
    size_t actor;
    int64_t first_ms;
    int64_t every_ms;
    double mean_ms; /* by chance, so far apart on average */

    /* In the run under way */
    int64_t next_ms;
    double next; /* the same, not rounded */
    uint64_t random;
};

struct bough_simulation {
    struct bough_supervisor_options options; /* with the types replaced */
    void **blocks;                           /* all that is released with it */
    size_t block_count, block_capacity;
    struct bough_actor_type **types; /* replacements, and what each stands for */
    const struct bough_actor_type **originals;
    size_t type_count, type_capacity;

    struct bough_simulated_actor **actors;
    size_t count, capacity;
    struct bough_simulated_actor *by_path;

    struct bough_simulated_crash *crashes;
    size_t crash_count, crash_capacity;

    struct ev_loop *ev;
};

/* simulate_tree.c: fills options and actors. Errors: BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status
bough_simulated_tree(struct bough_simulation *simulation,
                     const struct bough_supervisor_options *options);

/* simulate_actor.c: makes the type that stands for `original`. Its options are the
 * simulation. */
void bough_simulated_type(struct bough_actor_type *type,
                          const struct bough_actor_type *original);

/* Makes room for one more of `size` bytes each; false when memory is out. */
bool bough_simulation_reserve(void **array, size_t *capacity, size_t count, size_t size);

struct bough_simulated_actor *
bough_simulation_find(const struct bough_simulation *simulation, const char *path);

#endif
