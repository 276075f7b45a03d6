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
    wheel->due_tail = &wheel->due;
}

static void link_before(struct bough_timeout **head, struct bough_timeout *timeout)
{
    timeout->next = *head;
    if (timeout->next != NULL) timeout->next->link = &timeout->next;
    timeout->link = head;
    *head = timeout;
}

void bough_wheel_make_due(struct bough_wheel *wheel, struct bough_timeout *timeout)
{
    timeout->next = NULL;
    timeout->link = wheel->due_tail;
    *wheel->due_tail = timeout;
    wheel->due_tail = &timeout->next;
}

static void insert(struct bough_wheel *wheel, struct bough_timeout *timeout)
{
    const int64_t at = timeout->at_ms;

    if (at <= wheel->now_ms) {
        bough_wheel_make_due(wheel, timeout);
        return;
    }
    const uint64_t differs = (uint64_t)at ^ (uint64_t)wheel->now_ms;
    const int level = (63 - __builtin_clzll(differs)) / LEVEL_BITS;
    const int slot = (int)((at >> (LEVEL_BITS * level)) & (BOUGH_WHEEL_SLOTS - 1));

    link_before(&wheel->slots[level][slot], timeout);
    wheel->used[level] |= (uint64_t)1 << slot;
}

/* Those that were armed and not disarmed since, the oldest first. */
static void put_away(struct bough_wheel *wheel)
{
    struct bough_timeout *newest = wheel->fresh, *oldest = NULL;

    wheel->fresh = NULL;
    while (newest != NULL) {
        struct bough_timeout *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct bough_timeout *next = oldest->next;
        insert(wheel, oldest);
        oldest = next;
    }
}

/* A slot that has become empty loses its bit; `link` is its head then. */
static void forget_empty_slot(struct bough_wheel *wheel, struct bough_timeout **link)
{
    const uintptr_t first = (uintptr_t)&wheel->slots[0][0];
    const uintptr_t index = ((uintptr_t)link - first) / sizeof(struct bough_timeout *);

    if ((uintptr_t)link < first || index >= BOUGH_WHEEL_LEVELS * BOUGH_WHEEL_SLOTS)
        return;
    wheel->used[index / BOUGH_WHEEL_SLOTS] &= ~((uint64_t)1 << index % BOUGH_WHEEL_SLOTS);
}

/* The last of its list, whose head may have something to be told. */
void bough_wheel_remove_last(struct bough_wheel *wheel, struct bough_timeout *timeout)
{
    struct bough_timeout **link = timeout->link;

    *link = NULL;
    if (wheel->due_tail == &timeout->next)
        wheel->due_tail = link;
    else
        forget_empty_slot(wheel, link);
    timeout->link = NULL;
}

/* The first slot after now in a level, and when it begins; false when the level is empty.
 */
static bool next_slot(const struct bough_wheel *wheel, int level, int *slot,
                      int64_t *begins)
{
    const int shift = LEVEL_BITS * level;
    const uint64_t used = wheel->used[level];

    if (used == 0) return false;
    *slot = __builtin_ctzll(used);
    *begins = (wheel->now_ms >> shift >> LEVEL_BITS << LEVEL_BITS << shift) |
              ((int64_t)*slot << shift);
    return true;
}

int64_t bough_wheel_next(struct bough_wheel *wheel)
{
    int slot;
    int64_t begins;

    put_away(wheel);
    if (wheel->due != NULL) return wheel->now_ms;
    /* A lower level ends before the next slot of a higher one begins. */
    for (int level = 0; level < BOUGH_WHEEL_LEVELS; level++) {
        if (next_slot(wheel, level, &slot, &begins)) return begins;
    }
    return -1;
}

/* The slot's deadlines, oldest first, in a list linked by `next` alone. */
static struct bough_timeout *take_slot(struct bough_wheel *wheel, int level, int slot)
{
    struct bough_timeout *newest = wheel->slots[level][slot];
    struct bough_timeout *oldest = NULL;

    wheel->slots[level][slot] = NULL;
    wheel->used[level] &= ~((uint64_t)1 << slot);
    while (newest != NULL) {
        struct bough_timeout *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

/* Opens the next slot, if it begins by `until`. */
static bool step(struct bough_wheel *wheel, int64_t until)
{
    for (int level = 0; level < BOUGH_WHEEL_LEVELS; level++) {
        int slot;
        int64_t begins;

        if (!next_slot(wheel, level, &slot, &begins)) continue;
        if (begins > until) return false;

        struct bough_timeout *timeout = take_slot(wheel, level, slot);
        wheel->now_ms = begins;
        while (timeout != NULL) {
            struct bough_timeout *next = timeout->next;
            insert(wheel, timeout);
            timeout = next;
        }
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
    *due = wheel->due;
    if (*due != NULL) (*due)->link = due;
    wheel->due = NULL;
    wheel->due_tail = &wheel->due;
}
