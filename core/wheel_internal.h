/* wheel_internal.h - deadlines of one loop, in a hierarchical timing wheel.
 *
 * Eight levels of 64 slots: a deadline lies in the level of the highest bits in which it
 * differs from now, and moves down as now comes nearer, at most seven times. Arming and
 * disarming cost the same however many are armed, and allocate nothing: a call with a
 * deadline must not cost an ev_timer. Deadlines of the same millisecond expire in the
 * order in which they were armed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_WHEEL_INTERNAL_H
#define BOUGH_CORE_WHEEL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/task.h>

enum { BOUGH_WHEEL_LEVELS = 8, BOUGH_WHEEL_SLOTS = 64 };

struct bough_wheel {
    int64_t now_ms;
    size_t count;
    uint64_t used[BOUGH_WHEEL_LEVELS]; /* a bit for each slot that is not empty */
    struct bough_timeout *slots[BOUGH_WHEEL_LEVELS][BOUGH_WHEEL_SLOTS]; /* newest first */
    struct bough_timeout *due, **due_tail; /* expired, oldest first */
};

void bough_wheel_init(struct bough_wheel *wheel, int64_t now_ms);

/* Arms `timeout` for `at_ms` (now or in the past: due at once); set `expired` first. */
void bough_wheel_add(struct bough_wheel *wheel, struct bough_timeout *timeout,
                     int64_t at_ms);

/* Fine on one that is not armed. */
void bough_wheel_remove(struct bough_wheel *wheel, struct bough_timeout *timeout);

/* When to look again: not later than the next deadline, and at the earliest when
 * something must move down a level. -1 when nothing is armed. */
int64_t bough_wheel_next(const struct bough_wheel *wheel);

/* Moves now forward; what expires becomes due. */
void bough_wheel_advance(struct bough_wheel *wheel, int64_t now_ms);

/* Moves all that is due aside, to be removed and run one by one from the head: what is
 * armed meanwhile, for now, is due the next time, so that a timer of 0 ms that starts
 * itself anew does not keep the loop from everything else. */
void bough_wheel_take_due(struct bough_wheel *wheel, struct bough_timeout **due);

#endif
