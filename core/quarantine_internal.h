/* quarantine_internal.h - the message during which a life ended, and those that have
 * ended too many.
 *
 * Only places that redeliver have one; their turns take the long way. At the end of such
 * a life at most one message is the culprit, taken out of the mailbox: judged when the
 * end is reported, it is the first in the mailbox again, or is put away here. That it has
 * ended lives before is known of one message at a time, for it is the next one that is
 * run.
 *
 * The list is under the runtime's lock, for others to read; all else is the loop's own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_QUARANTINE_INTERNAL_H
#define BOUGH_CORE_QUARANTINE_INTERNAL_H

#include <bough/core/slot_internal.h>

struct bough_quarantine_entry;

struct bough_quarantine {
    uint32_t redeliver; /* lives that a message may end; 0: it is not asked any more */
    uint32_t lives;     /* that `again` has ended */
    struct bough_cell *again;      /* it waits for its next try, or has it */
    struct bough_cell *culprit;    /* of the life that is ending */
    bool again_high, culprit_high; /* the priority that it was sent with */
    bool blamed;                   /* the culprit is to blame for the end */

    struct bough_quarantine_entry *first, **tail; /* the oldest first */
    uint32_t count;
    size_t size; /* bytes of messages */
    uint64_t last_number;
    uint64_t lost; /* for want of room, or of memory */
};

/* NULL when memory is out. */
struct bough_quarantine *bough_quarantine_new(uint32_t redeliver);
void bough_quarantine_free(struct bough_quarantine *quarantine);

/* Takes `made` (NULL: it does not redeliver any more), in place of what there is. */
void bough_slot_set_quarantine(struct bough_actor *slot, struct bough_quarantine *made);
void bough_slot_free_quarantine(struct bough_actor *slot);

/* A message is taken to be run. */
void bough_quarantine_begins(const struct bough_actor *slot);

/* Whether its life is to end by the message that has been run just now. */
bool bough_quarantine_is_due(const struct bough_actor *slot);

/* It has been run. True: its life is to end by it, so that it is not over. */
bool bough_quarantine_keeps(struct bough_actor *slot);

/* The cell was being run when the life ended that ends now; `high` is how. False: it is
 * not taken. */
bool bough_quarantine_accuse(struct bough_actor *slot, struct bough_cell *cell, bool high,
                             bool blamed);

/* The end is reported, as event `seq`. */
void bough_quarantine_judge(struct bough_actor *slot,
                            const struct bough_exit_reason *reason, uint64_t seq);

/* call.c: who asks is again who asked the message; NULL is fine. */
void bough_question_take_back(struct bough_question *question, struct bough_asker *asker);

/* place.c: as bough_moved(), under the runtime's lock and from any thread. */
const struct bough_actor *bough_slot_follow(struct bough_address place);

static inline struct bough_quarantine *bough_quarantine_of(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->quarantine : NULL;
}

/* A message is no more in the mailbox, nor held: another one may have its memory. */
static inline void bough_quarantine_forget(const struct bough_actor *slot,
                                           const struct bough_cell *cell)
{
    struct bough_quarantine *quarantine = bough_quarantine_of(slot);

    if (quarantine != NULL && quarantine->again == cell) quarantine->again = NULL;
}

#endif
