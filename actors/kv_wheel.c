/* kv_wheel.c - the timing wheel: where a deadline lies, and how a slot is emptied in
 * steps.
 *
 * A deadline lies on the level of the highest group of six bits in which it differs from
 * the wheel's time, in the slot which that group names. So a level only holds slots that
 * are still ahead, none wraps around, and the first set bit of `occupied` is its
 * earliest. The one exception is the slot in which the wheel's time stands, until it is
 * empty: one that is being emptied, or, on the lowest level, one with deadlines that were
 * added late. What moves out of a slot differs from the time that stands in it in a lower
 * group only, so it always goes down.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_wheel_internal.h>

#include <stdbool.h>
#include <string.h>

#include <bough/core/assert.h>

static unsigned level_shift(unsigned level)
{
    return level * BOUGH_KV_WHEEL_BITS;
}

/* The earliest time of the level's first occupied slot. */
static uint64_t first_slot_start(const struct bough_kv_wheel *wheel, unsigned level,
                                 unsigned slot)
{
    const bool top = level + 1 == BOUGH_KV_WHEEL_LEVELS;
    const uint64_t above = top ? 0 : ~UINT64_C(0) << level_shift(level + 1);

    return (wheel->now_ms & above) | (uint64_t)slot << level_shift(level);
}

/* Puts a deadline where it belongs, seen from the wheel's time. */
static void place(struct bough_kv_wheel *wheel, struct bough_kv_deadline *deadline)
{
    const uint64_t at = (uint64_t)deadline->at_ms;
    const uint64_t when = at > wheel->now_ms ? at : wheel->now_ms;
    const unsigned highest = 63 - (unsigned)__builtin_clzll((when ^ wheel->now_ms) | 1);
    const unsigned level = highest / BOUGH_KV_WHEEL_BITS;
    const unsigned slot = when >> level_shift(level) & (BOUGH_KV_WHEEL_SLOTS - 1);
    struct bough_kv_deadline **head = &wheel->slots[level][slot];

    deadline->next = *head;
    deadline->link = head;
    if (*head) (*head)->link = &deadline->next;
    *head = deadline;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void unlink_deadline(struct bough_kv_deadline *deadline)
{
    *deadline->link = deadline->next;
    if (deadline->next) deadline->next->link = deadline->link;
    deadline->next = NULL;
    deadline->link = NULL;
}

/* The first slot, finest level first, that begins no later than `now`. Lower levels lie
 * within the current slot of the levels above them, so this is the earliest one. */
static bool find_due_slot(const struct bough_kv_wheel *wheel, uint64_t now,
                          unsigned *due_level, unsigned *due_slot)
{
    for (unsigned level = 0; level < BOUGH_KV_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] == 0) continue;
        const unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
        if (first_slot_start(wheel, level, slot) > now) continue;
        *due_level = level;
        *due_slot = slot;
        return true;
    }
    return false;
}

static void move_on(struct bough_kv_wheel *wheel, uint64_t time)
{
    if (time > wheel->now_ms) wheel->now_ms = time;
}

void bough_kv_wheel_init(struct bough_kv_wheel *wheel, int64_t now_ms)
{
    bough_assert(now_ms >= 0);

    memset(wheel, 0, sizeof(*wheel));
    wheel->now_ms = (uint64_t)now_ms;
}

void bough_kv_wheel_add(struct bough_kv_wheel *wheel, struct bough_kv_deadline *deadline,
                        int64_t at_ms)
{
    bough_assert(at_ms >= 0);
    bough_assert(deadline->link == NULL);

    deadline->at_ms = at_ms;
    place(wheel, deadline);
    wheel->count++;
}

void bough_kv_wheel_remove(struct bough_kv_wheel *wheel,
                           struct bough_kv_deadline *deadline)
{
    if (deadline->link == NULL) return;
    /* The slot's bit stays: pop() clears it when it comes by. */
    unlink_deadline(deadline);
    wheel->count--;
}

void bough_kv_wheel_moved(struct bough_kv_deadline *deadline)
{
    if (deadline->link == NULL) return;
    *deadline->link = deadline;
    if (deadline->next) deadline->next->link = &deadline->next;
}

struct bough_kv_deadline *bough_kv_wheel_pop(struct bough_kv_wheel *wheel, int64_t now_ms,
                                             size_t *budget)
{
    bough_assert(now_ms >= 0);

    while (*budget > 0) {
        unsigned level, slot;
        if (!find_due_slot(wheel, (uint64_t)now_ms, &level, &slot)) {
            move_on(wheel, (uint64_t)now_ms);
            return NULL;
        }
        (*budget)--;
        move_on(wheel, first_slot_start(wheel, level, slot));

        struct bough_kv_deadline *deadline = wheel->slots[level][slot];
        if (deadline == NULL) {
            wheel->occupied[level] &= ~(UINT64_C(1) << slot);
            continue;
        }
        unlink_deadline(deadline);
        if (deadline->at_ms <= now_ms) {
            wheel->count--;
            return deadline;
        }
        place(wheel, deadline);
    }
    return NULL;
}

int64_t bough_kv_wheel_next(const struct bough_kv_wheel *wheel)
{
    if (wheel->count == 0) return -1;
    for (unsigned level = 0; level < BOUGH_KV_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] == 0) continue;
        const unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
        return (int64_t)first_slot_start(wheel, level, slot);
    }
    return -1;
}
