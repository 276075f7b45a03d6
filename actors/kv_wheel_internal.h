/* kv_wheel_internal.h - which keys expire next, found at a bounded cost.
 *
 * A hierarchical timing wheel: eleven levels of 64 slots, each level 64 times coarser
 * than the one below, so that any time in milliseconds has a slot. Adding and removing
 * are a few instructions and allocate nothing, since deadlines are embedded. A slot whose
 * time has come is emptied one deadline at a time: what is due is handed out, what is not
 * moves to a finer level. Every such step is counted against a budget, so a million
 * deadlines in one slot cost no more at a time than the caller allows.
 *
 * Times are in milliseconds and not negative. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_WHEEL_INTERNAL_H
#define BOUGH_ACTORS_KV_WHEEL_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* Embed; zeroed means: in no wheel. It must leave the wheel before its memory goes. */
struct bough_kv_deadline {
    int64_t at_ms;
    /* private */
    struct bough_kv_deadline *next, **link; /* link NULL: in no wheel */
};

enum { BOUGH_KV_WHEEL_BITS = 6, BOUGH_KV_WHEEL_SLOTS = 64, BOUGH_KV_WHEEL_LEVELS = 11 };

struct bough_kv_wheel {
    size_t count; /* deadlines in it */
    /* private */
    uint64_t now_ms;                          /* every slot before it is empty */
    uint64_t occupied[BOUGH_KV_WHEEL_LEVELS]; /* a bit for each slot that may hold one */
    struct bough_kv_deadline *slots[BOUGH_KV_WHEEL_LEVELS][BOUGH_KV_WHEEL_SLOTS];
};

/* Makes an empty wheel that stands at `now_ms`. It needs no finish. */
void bough_kv_wheel_init(struct bough_kv_wheel *wheel, int64_t now_ms);

/* Adds a deadline that is in no wheel. One that has passed already is due at once. */
void bough_kv_wheel_add(struct bough_kv_wheel *wheel, struct bough_kv_deadline *deadline,
                        int64_t at_ms);

/* Takes a deadline out; fine on one that is in no wheel. */
void bough_kv_wheel_remove(struct bough_kv_wheel *wheel,
                           struct bough_kv_deadline *deadline);

/* A deadline that is in a wheel was copied to where it is now: mends what points to it.
 */
void bough_kv_wheel_moved(struct bough_kv_deadline *deadline);

/* Takes out one deadline that is due at `now_ms`, and lessens `*budget` by the steps it
 * took. NULL when nothing is due, or when the budget is used up (0): more may be due. */
struct bough_kv_deadline *bough_kv_wheel_pop(struct bough_kv_wheel *wheel, int64_t now_ms,
                                             size_t *budget);

/* When pop() has something to do next, and not before: the first deadline, or an earlier
 * time at which one moves to a finer level. -1: nothing is in it. */
int64_t bough_kv_wheel_next(const struct bough_kv_wheel *wheel);

#endif
