/* ticket.c - the table of ids grows; it never shrinks while its loop lives.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/ticket_internal.h>

#include <stdlib.h>
#include <string.h>

enum { FIRST_TICKETS = 64 };

void bough_tickets_finish(struct bough_tickets *tickets)
{
    free(tickets->list);
    memset(tickets, 0, sizeof(*tickets));
}

bool bough_tickets_grow(struct bough_tickets *tickets)
{
    const uint32_t size = tickets->size == 0 ? FIRST_TICKETS : 2 * tickets->size;
    struct bough_ticket *list = realloc(tickets->list, size * sizeof(*list));

    if (list == NULL) return false;
    for (uint32_t i = size; i-- > tickets->size;) {
        list[i] = (struct bough_ticket){ .generation = 1, .next_free = tickets->free };
        if (i != 0) tickets->free = i;
    }
    tickets->list = list;
    tickets->size = size;
    return true;
}
