/* wheel_internal.h - deadlines of one loop, in a hierarchical timing wheel.
 *
 * Eight levels of 64 slots: a deadline lies in the level of the highest bits in which it
 * differs from now, and moves down as now comes nearer, at most seven times. Arming and
 * disarming cost the same however many are armed, and allocate nothing: a call with a
 * deadline must not cost an ev_timer. Deadlines of the same millisecond expire in the
 * order in which they were armed.
 *
 * Most deadlines are those of questions that are answered before time has moved at all.
 * So one that is armed is only put on a list, and into the wheel when time moves or
 * somebody asks for the next one.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_WHEEL_INTERNAL_H
#define BOUGH_CORE_WHEEL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/assert.h>
#include <bough/core/task.h>

enum { BOUGH_WHEEL_LEVELS = 8, BOUGH_WHEEL_SLOTS = 64 };

struct bough_wheel {
    int64_t now_ms;
    size_t count;
    /* A bit for each slot that is not empty, or has become so and was not looked at. */
    uint64_t used[BOUGH_WHEEL_LEVELS];
    /* Newest first, as all lists here: then nobody has to know where one ends. */
    struct bough_timeout *slots[BOUGH_WHEEL_LEVELS][BOUGH_WHEEL_SLOTS];
    struct bough_timeout *due;   /* expired */
    struct bough_timeout *fresh; /* not in a slot yet */
};

void bough_wheel_init(struct bough_wheel *wheel, int64_t now_ms);

/* Arms `timeout` for `at_ms` (now or in the past: due at once); set `expired` first. */
static inline void bough_wheel_add(struct bough_wheel *wheel,
                                   struct bough_timeout *timeout, int64_t at_ms);

/* The same for a time after now and before the horizon. */
static inline void bough_wheel_add_later(struct bough_wheel *wheel,
                                         struct bough_timeout *timeout, int64_t at_ms);

/* Fine on one that is not armed. */
static inline void bough_wheel_remove(struct bough_wheel *wheel,
                                      struct bough_timeout *timeout);

/* When to look again: not later than the next deadline, and at the earliest when
 * something must move down a level. -1 when nothing is armed. */
int64_t bough_wheel_next(struct bough_wheel *wheel);

/* Moves now forward; what expires becomes due. */
void bough_wheel_advance(struct bough_wheel *wheel, int64_t now_ms);

/* Moves all that is due aside, to be removed and run one by one from the head: what is
 * armed meanwhile, for now, is due the next time, so that a timer of 0 ms that starts
 * itself anew does not keep the loop from everything else. */
void bough_wheel_take_due(struct bough_wheel *wheel, struct bough_timeout **due);

/* 48 bits of milliseconds: 8,900 years, which stand for ever. */
#define BOUGH_WHEEL_HORIZON (((int64_t)1 << 48) - 1)

static inline void bough_wheel_link(struct bough_timeout **head,
                                    struct bough_timeout *timeout)
{
    timeout->next = *head;
    if (timeout->next != NULL) timeout->next->link = &timeout->next;
    timeout->link = head;
    *head = timeout;
}

/* Hot: a call with a deadline arms one and disarms it, in some 20 instructions. */
static inline void bough_wheel_add_later(struct bough_wheel *wheel,
                                         struct bough_timeout *timeout, int64_t at_ms)
{
    timeout->at_ms = at_ms;
    wheel->count++;
    bough_wheel_link(&wheel->fresh, timeout);
}

static inline void bough_wheel_add(struct bough_wheel *wheel,
                                   struct bough_timeout *timeout, int64_t at_ms)
{
    bough_assert(timeout->link == NULL);
    if (at_ms > wheel->now_ms) {
        bough_wheel_add_later(wheel, timeout,
                              at_ms < BOUGH_WHEEL_HORIZON ? at_ms : BOUGH_WHEEL_HORIZON);
        return;
    }
    timeout->at_ms = at_ms;
    wheel->count++;
    bough_wheel_link(&wheel->due, timeout);
}

static inline void bough_wheel_remove(struct bough_wheel *wheel,
                                      struct bough_timeout *timeout)
{
    struct bough_timeout **link = timeout->link;

    if (link == NULL) return;
    wheel->count--;
    *link = timeout->next;
    if (timeout->next != NULL) timeout->next->link = link;
    timeout->link = NULL;
}

#endif
