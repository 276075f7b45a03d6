/* runtime_internal.h - what the loops of one runtime share: names, events, the log.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_RUNTIME_INTERNAL_H
#define BOUGH_CORE_RUNTIME_INTERNAL_H

#include <bough/core/runtime.h>

struct bough_name;

struct bough_runtime {
    struct bough_runtime_options options;
    struct bough_loop *loops;
    struct bough_name *names; /* by path: a uthash table */
    uint64_t last_seq;
};

/* The number of the event that happens now. */
static inline uint64_t bough_runtime_next_seq(struct bough_runtime *runtime)
{
    return ++runtime->last_seq;
}

#endif
