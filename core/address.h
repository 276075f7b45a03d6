/* address.h - who a message is for.
 *
 * A small value, free to copy and to pass between threads; nothing to release. It never
 * dangles: what it names may be gone, and what is sent to it is then BOUGH_EGONE. An
 * address belongs to the runtime it came from, and must not be used after that runtime
 * was freed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_ADDRESS_H
#define BOUGH_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/public.h>

struct bough_actor;

struct bough_address {
    /* private */
    struct bough_actor *slot; /* NULL: nobody */
    uint32_t life;            /* this incarnation, or 0: whoever lives there */
    uint32_t place; /* which tenant of the slot; goes stale when the place is freed */
};

/* Nobody: what is sent there is BOUGH_EGONE. */
#define BOUGH_NOBODY ((struct bough_address){ .slot = NULL })

static inline bool bough_address_is_nobody(struct bough_address address)
{
    return address.slot == NULL;
}

/* The same place, whoever lives there. */
static inline struct bough_address bough_address_place(struct bough_address address)
{
    address.life = 0;
    return address;
}

static inline bool bough_address_equal(struct bough_address a, struct bough_address b)
{
    return a.slot == b.slot && a.place == b.place && a.life == b.life;
}

#endif
