/* observe_internal.h - messages that were sent marked, and what is said of them when they
 * are run: observe.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_OBSERVE_INTERNAL_H
#define BOUGH_CORE_OBSERVE_INTERNAL_H

#include <bough/core/elsewhere.h>
#include <bough/core/slot_internal.h>

/* Whoever asks from outside is told by way of a loop that nobody runs: to everybody it is
 * one of another thread's, and what is posted there is an observer's. */
struct bough_loop_abroad {
    struct bough_loop loop; /* zeroed */
    struct bough_loop *home;
    struct bough_run_observers observers;

    /* The message that is being run where it lies: a cell without bytes, behind its
     * asker as others are. */
    const void *lent_bytes;
    _Alignas(BOUGH_POOL_SMALLEST) struct bough_asker lent_asker;
    struct bough_cell lent;
};

static inline bool bough_message_is_lent(const struct bough_loop *loop)
{
    return loop->abroad != NULL && loop->message == &loop->abroad->lent;
}

/* Of the message that is being run. */
static inline const void *bough_message_bytes(const struct bough_loop *loop)
{
    return bough_message_is_lent(loop) ? loop->abroad->lent_bytes
                                       : bough_cell_bytes(loop->message);
}

/* Of the message that is being run. */
static inline _Atomic uint64_t *bough_marked_progress(const struct bough_actor *slot)
{
    return &slot->annex->progress[slot->loop->high ? 1 : 0];
}

static inline union bough_progress bough_progress_at(const _Atomic uint64_t *there)
{
    return (
        union bough_progress){ .all = atomic_load_explicit(there, memory_order_relaxed) };
}

/* It is going to be run: known outside before it can do anything. */
static inline void bough_marked_begins(const struct bough_actor *slot)
{
    _Atomic uint64_t *there = bough_marked_progress(slot);
    union bough_progress progress = bough_progress_at(there);

    progress.begun++;
    atomic_store_explicit(there, progress.all, memory_order_release);
}

/* It has been run; `broke`: its life is to end by it, so that it is never over. */
static inline void bough_marked_ran(const struct bough_actor *slot, bool broke)
{
    const struct bough_run_observers *observers = &slot->loop->abroad->observers;
    _Atomic uint64_t *there = bough_marked_progress(slot);
    union bough_progress progress = bough_progress_at(there);

    if (!broke) progress.done++;
    atomic_store_explicit(there, progress.all, memory_order_release);
    observers->ran(observers->data, progress.done);
}

#endif
