/* ticket_internal.h - ids for what may be gone when its answer comes.
 *
 * A table of pointers. An id is an index and the generation of that entry, which goes on
 * with each use: so an id that travels, in a message or to another loop, leads to what it
 * was given for or to nothing, and never to freed memory. Thread: its loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_TICKET_INTERNAL_H
#define BOUGH_CORE_TICKET_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bough_ticket {
    void *holder;        /* NULL: free */
    uint32_t generation; /* goes on with each use; an answer to an older one is stale */
    uint32_t next_free;
};

struct bough_tickets {
    struct bough_ticket *list; /* [0] is never used */
    uint32_t size, free;
};

void bough_tickets_finish(struct bough_tickets *tickets);

/* False when memory is out. */
bool bough_tickets_grow(struct bough_tickets *tickets);

/* Whether there is a free one, made if need be: false when memory is out. */
static inline bool bough_tickets_left(struct bough_tickets *tickets)
{
    return tickets->free != 0 || bough_tickets_grow(tickets);
}

/* An id for `holder`, its index not 0; there is a free one. Hot: every call takes one and
 * gives it back; last in, first out, so that it is in the cache. */
static inline uint32_t bough_ticket_take_free(struct bough_tickets *tickets, void *holder,
                                              uint32_t *generation)
{
    const uint32_t index = tickets->free;
    struct bough_ticket *ticket = &tickets->list[index];
    tickets->free = ticket->next_free;
    ticket->holder = holder;
    *generation = ticket->generation;
    return index;
}

/* The same; index 0 when memory is out. */
static inline uint32_t bough_ticket_take(struct bough_tickets *tickets, void *holder,
                                         uint32_t *generation)
{
    if (!bough_tickets_left(tickets)) return 0;
    return bough_ticket_take_free(tickets, holder, generation);
}

/* Ends an id that was taken; what comes for it from now on finds nobody. */
static inline void bough_ticket_give(struct bough_tickets *tickets, uint32_t index)
{
    struct bough_ticket *ticket = &tickets->list[index];

    ticket->holder = NULL;
    ticket->generation++;
    ticket->next_free = tickets->free;
    tickets->free = index;
}

/* NULL for an id that is over. */
static inline void *bough_ticket_find(const struct bough_tickets *tickets, uint32_t index,
                                      uint32_t generation)
{
    const struct bough_ticket *ticket = &tickets->list[index];

    return ticket->generation == generation ? ticket->holder : NULL;
}

#endif
