/* wheel.c - see wheel_internal.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/wheel_internal.h>

#include <string.h>

#include <bough/core/assert.h>

enum { LEVEL_BITS = 6 };

_Static_assert(BOUGH_WHEEL_HORIZON ==
                   ((int64_t)1 << (LEVEL_BITS * BOUGH_WHEEL_LEVELS)) - 1,
               "the levels reach to the horizon");

void bough_wheel_init(struct bough_wheel *wheel, int64_t now_ms)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->now_ms = now_ms;
}

/* A list linked by `next` alone, the oldest first. */
static struct bough_timeout *turn_round(struct bough_timeout *newest)
{
    struct bough_timeout *oldest = NULL;

    while (newest != NULL) {
        struct bough_timeout *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void insert(struct bough_wheel *wheel, struct bough_timeout *timeout)
{
    const int64_t at = timeout->at_ms;

    if (at <= wheel->now_ms) {
        bough_wheel_link(&wheel->due, timeout);
        return;
    }
    const uint64_t differs = (uint64_t)at ^ (uint64_t)wheel->now_ms;
    const int level = (63 - __builtin_clzll(differs)) / LEVEL_BITS;
    const int slot = (int)((at >> (LEVEL_BITS * level)) & (BOUGH_WHEEL_SLOTS - 1));

    bough_wheel_link(&wheel->slots[level][slot], timeout);
    wheel->used[level] |= (uint64_t)1 << slot;
}

static void insert_all(struct bough_wheel *wheel, struct bough_timeout *newest)
{
    struct bough_timeout *timeout = turn_round(newest);

    while (timeout != NULL) {
        struct bough_timeout *next = timeout->next;
        insert(wheel, timeout);
        timeout = next;
    }
}

/* Those that were armed and not disarmed since. */
static void put_away(struct bough_wheel *wheel)
{
    struct bough_timeout *newest = wheel->fresh;

    wheel->fresh = NULL;
    insert_all(wheel, newest);
}

/* The first slot after now in a level, and when it begins; false when the level is empty.
 * Before now moves past a slot, it has been seen here: the bits of those from which
 * everything was removed go at the latest then. */
static bool next_slot(struct bough_wheel *wheel, int level, int *slot, int64_t *begins)
{
    const int shift = LEVEL_BITS * level;

    while (wheel->used[level] != 0) {
        *slot = __builtin_ctzll(wheel->used[level]);
        if (wheel->slots[level][*slot] != NULL) {
            *begins = (wheel->now_ms >> shift >> LEVEL_BITS << LEVEL_BITS << shift) |
                      ((int64_t)*slot << shift);
            return true;
        }
        wheel->used[level] &= wheel->used[level] - 1;
    }
    return false;
}

int64_t bough_wheel_next(struct bough_wheel *wheel)
{
    int slot;
    int64_t begins;

    if (wheel->count == 0) return -1;
    put_away(wheel);
    if (wheel->due != NULL) return wheel->now_ms;
    /* A lower level ends before the next slot of a higher one begins. */
    for (int level = 0; level < BOUGH_WHEEL_LEVELS; level++) {
        if (next_slot(wheel, level, &slot, &begins)) return begins;
    }
    return -1;
}

/* Opens the next slot, if it begins by `until`. */
static bool step(struct bough_wheel *wheel, int64_t until)
{
    for (int level = 0; level < BOUGH_WHEEL_LEVELS; level++) {
        int slot;
        int64_t begins;

        if (!next_slot(wheel, level, &slot, &begins)) continue;
        if (begins > until) return false;

        struct bough_timeout *newest = wheel->slots[level][slot];
        wheel->slots[level][slot] = NULL;
        wheel->used[level] &= ~((uint64_t)1 << slot);
        wheel->now_ms = begins;
        insert_all(wheel, newest);
        return true;
    }
    return false;
}

void bough_wheel_advance(struct bough_wheel *wheel, int64_t now_ms)
{
    if (now_ms <= wheel->now_ms) return;
    put_away(wheel);
    while (step(wheel, now_ms))
        continue;
    if (wheel->now_ms < now_ms) wheel->now_ms = now_ms;
}

void bough_wheel_take_due(struct bough_wheel *wheel, struct bough_timeout **due)
{
    struct bough_timeout *newest = wheel->due;

    wheel->due = NULL;
    *due = NULL;
    while (newest != NULL) {
        struct bough_timeout *next = newest->next;
        bough_wheel_link(due, newest);
        newest = next;
    }
}
