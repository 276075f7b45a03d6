/* runtime_internal.h - what the loops of one runtime share: names, events, the log.
 *
 * The tree of names, the list of loops and the vacant ones are under `lock`, which is
 * recursive, for what is done to a name may look for another; never on the way of a
 * message. Events are numbered and told under `event_lock`, so that they are told in the
 * order of their numbers. The second may be taken under the first.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_RUNTIME_INTERNAL_H
#define BOUGH_CORE_RUNTIME_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <bough/core/runtime.h>

struct bough_name;

struct bough_runtime {
    struct bough_runtime_options options;
    pthread_mutex_t lock;
    struct bough_loop *loops;
    struct bough_loop *vacant; /* loops of threads that no place has now */
    unsigned thread_count;
    bool ending;              /* its loops are being freed */
    struct bough_name *names; /* by path: a uthash table */
    pthread_mutex_t event_lock;
    uint64_t last_seq;
    atomic_bool
        measures; /* calls: latency.h. Goes on once, and is looked at in passing */
};

void bough_runtime_lock(struct bough_runtime *runtime);
void bough_runtime_unlock(struct bough_runtime *runtime);

#endif
