/* full.c - what a full mailbox does, and the senders that wait for room in it.
 *
 * The receiver chooses. With BOUGH_WAIT a message for which there is no room is taken all
 * the same, and the actor whose callback sent it runs no more messages until there is:
 * it is held up. A record of it lies with the receiver, who so knows whom to let go; the
 * sender only counts for how many it waits.
 *
 * Who waits for whom is a graph, and nobody is held up where that would close a circle in
 * it. So every way through it ends at one who waits for nobody, goes on, and lets those
 * before it go: a cycle of actors that all say `wait` cannot lock up. Who cannot be held
 * up, and who sends on although it is, may fill the mailbox to twice its capacity.
 *
 * The graph cannot be looked through across loops. So nobody for whom somebody waits is
 * held up by a receiver on another loop, and a receiver that is itself held up lets such
 * senders go; and where the search comes to one of them, a circle is taken for granted.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

struct bough_waiter {
    struct bough_waiter *next;
    struct bough_address sender; /* a life: a later one is not held up by it */
};

/* How much of the graph is looked at before a circle is taken for granted. */
enum { SEARCH_MAX = 64 };

enum bough_full bough_full_choose(const struct bough_actor *slot, bool high)
{
    switch ((enum bough_when_full)slot->when_full) {
    case BOUGH_REFUSE:
    case BOUGH_WHEN_FULL_COUNT: break;
    case BOUGH_WAIT:
        /* Twice the capacity, which may be all that 32 bits hold. */
        return slot->length / 2 < slot->capacity ? BOUGH_FULL_TAKE : BOUGH_FULL_REFUSE;
    case BOUGH_DROP_OLDEST:
        /* Where only high ones wait, one that is not high does not drive them out; what
         * is held is out of reach. */
        if (slot->length == 0) return BOUGH_FULL_DROP;
        return high || slot->mail != NULL ? BOUGH_FULL_TRADE : BOUGH_FULL_DROP;
    case BOUGH_DROP_NEWEST: return BOUGH_FULL_DROP;
    }
    return BOUGH_FULL_REFUSE;
}

/* Holding up */

static struct bough_waiter *waiters_of(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->waiters : NULL;
}

/* Whether `slot` waits for `target`, be it through others; also when that would take too
 * long to find out. */
static bool waits_for(const struct bough_actor *slot, const struct bough_actor *target,
                      int *budget)
{
    for (const struct bough_waiter *waiter = waiters_of(target); waiter != NULL;
         waiter = waiter->next) {
        if (!bough_loop_is_near(waiter->sender.slot->loop)) return true;

        const struct bough_actor *sender = bough_slot(waiter->sender);

        if (sender == slot || --*budget <= 0) return true;
        if (sender != NULL && waits_for(slot, sender, budget)) return true;
    }
    return false;
}

static bool closes_circle(const struct bough_actor *sender,
                          const struct bough_actor *slot)
{
    int budget = SEARCH_MAX;

    if (sender == slot) return true;
    /* One who waits for nobody has no way back. */
    return slot->awaits > 0 && waits_for(slot, sender, &budget);
}

/* One that takes its messages, now or once it is let go or resumes. Who starts may need
 * the very sender for it, and a place between lives may stay empty. */
static bool makes_room(const struct bough_actor *slot)
{
    return bough_gate_is_up(slot->gate, BOUGH_SHUT_PAUSED | BOUGH_SHUT_HELD_UP,
                            UCHAR_MAX);
}

/* A sender that goes on in the same callback is the last one that was written down. */
static bool is_last(const struct bough_actor *slot, const struct bough_actor *sender)
{
    const struct bough_waiter *last = waiters_of(slot);

    return last != NULL && bough_slot(last->sender) == sender;
}

/* False when memory is out. */
static bool write_down(struct bough_actor *slot, struct bough_address sender)
{
    struct bough_annex *annex = bough_slot_annex(slot);
    struct bough_waiter *waiter =
        annex != NULL ? bough_pool_take(&slot->loop->pool, sizeof(*waiter)) : NULL;

    if (waiter == NULL) return false;
    *waiter = (struct bough_waiter){ annex->waiters, sender };
    annex->waiters = waiter;
    slot->gate.detour |= BOUGH_DETOUR_AWAITED;
    return true;
}

void bough_full_hold_up(struct bough_actor *slot)
{
    struct bough_actor *sender = slot->loop->running;

    if (sender == NULL || sender->gate.doomed || is_last(slot, sender)) return;
    if (!makes_room(slot) || closes_circle(sender, slot)) return;

    if (!write_down(slot, bough_self(sender))) return;
    sender->awaits++;
    sender->gate.shut |= BOUGH_SHUT_HELD_UP;
}

bool bough_full_begin_wait(struct bough_address *sender)
{
    struct bough_actor *slot = bough_here != NULL ? bough_here->running : NULL;

    if (slot == NULL || slot->gate.doomed || waiters_of(slot) != NULL) return false;
    *sender = bough_self(slot);
    slot->awaits++;
    slot->gate.shut |= BOUGH_SHUT_HELD_UP;
    return true;
}

bool bough_full_await_far(struct bough_actor *slot, struct bough_address sender)
{
    if (slot->length <= slot->capacity / 2 || slot->awaits > 0 || !makes_room(slot))
        return false;
    return write_down(slot, sender);
}

bool bough_is_held_up(struct bough_actor *actor)
{
    return actor->awaits > 0;
}

/* Letting go */

void bough_slot_let_go(struct bough_address sender)
{
    if (!bough_loop_is_near(sender.slot->loop)) {
        bough_post_let_go(sender);
        return;
    }
    struct bough_actor *slot = bough_slot(sender);

    if (slot == NULL) return;
    bough_assert(slot->awaits > 0);
    if (--slot->awaits > 0) return;
    slot->gate.shut &= (unsigned char)~BOUGH_SHUT_HELD_UP;
    bough_slot_queue(slot);
}

void bough_full_release(struct bough_actor *slot)
{
    struct bough_waiter *waiter = waiters_of(slot);

    if (waiter == NULL) return;
    slot->annex->waiters = NULL;
    slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_AWAITED;
    while (waiter != NULL) {
        struct bough_waiter *next = waiter->next;

        bough_slot_let_go(waiter->sender);
        bough_pool_give(&slot->loop->pool, waiter, sizeof(*waiter));
        waiter = next;
    }
}

/* At half the capacity: were they let go at the first free place, the next message would
 * hold them up again, and each would cost two turns. */
void bough_full_relax(struct bough_actor *slot)
{
    if (slot->length <= slot->capacity / 2) bough_full_release(slot);
}
