/* held_internal.h - a message that is held is its cell.
 *
 * One that is in no mailbox has no next one, and in place of that it says whose it is,
 * and two bits that an address of a slot does not need. What is hot is here, so that a
 * message that is handed on costs no calls between files.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_HELD_INTERNAL_H
#define BOUGH_CORE_HELD_INTERNAL_H

#include <bough/core/elsewhere.h>
#include <bough/core/slot_internal.h>

struct bough_held {
    struct bough_cell cell;
};

enum {
    BOUGH_HELD_HIGH = 1,
    BOUGH_HELD_RAN = 2,
    BOUGH_HELD_BITS = BOUGH_HELD_HIGH | BOUGH_HELD_RAN
};

static inline uintptr_t bough_held_tag(const struct bough_held *held)
{
    return (uintptr_t)held->cell.next;
}

static inline void bough_held_set_tag(struct bough_held *held, uintptr_t tag)
{
    held->cell.next = (void *)tag; /* NOLINT(performance-no-int-to-ptr) */
}

/* What came out of the mailbox is held by that actor, of a type that holds messages, and
 * which has its annex. It is still to be counted. */
static inline struct bough_held *bough_hold_cell(struct bough_actor *actor,
                                                 struct bough_cell *cell, bool high)
{
    _Static_assert(_Alignof(struct bough_actor) > BOUGH_HELD_BITS, "there is room");
    struct bough_held *held = bough_container(cell, struct bough_held, cell);

    bough_held_set_tag(held, (uintptr_t)actor | (high ? BOUGH_HELD_HIGH : 0));
    return held;
}

/* So many more are held. A cell's own loop is the only one that changes the capacity. */
static inline void bough_hold_count(struct bough_actor *actor, uint32_t count)
{
    const uint32_t capacity = actor->capacity;

    actor->annex->held += count;
    bough_poke(&actor->capacity, capacity > count ? capacity - count : 0);
}

static inline struct bough_held_message bough_held_view(struct bough_held *held)
{
    return (struct bough_held_message){ .held = held,
                                        .bytes = bough_cell_bytes(&held->cell),
                                        .size = held->cell.size,
                                        .high =
                                            (bough_held_tag(held) & BOUGH_HELD_HIGH) != 0,
                                        .asked = bough_cell_is_asked(&held->cell) };
}

#endif
