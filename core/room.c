/* room.c - room in the mailboxes of other loops, taken for many messages at a time.
 *
 * A mailbox is bounded, so who sends to another loop first takes room there: it adds to
 * `posted`, which all senders of that receiver share. For one message at a time that was
 * an atomic addition each, to the very cache line that the receiver reads for each
 * message it runs: a third of what a send cost, and as much again over there. So a loop
 * takes room for up to 32 messages at once and uses it up without touching the slot.
 * What it has not used goes back when it hands over its parcels: whenever it looks at the
 * clock, and before it sleeps.
 *
 * Room is taken by a compare-and-swap and counts as full until it is used or given back,
 * so that no mailbox is given more than its capacity. The first time a loop takes room
 * for one, then for twice as many as the last time, and never for more than half of what
 * is free: who sends now and then takes nothing from others, and the last room is for
 * whoever comes first.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

enum { TAKE_MAX = 32 };

static enum bough_when_full when_full(const struct bough_actor *slot)
{
    return (enum bough_when_full)atomic_load_explicit(&slot->when_full,
                                                      memory_order_relaxed);
}

/* Up to `wanted`, as long as no more than `limit` wait or are to come. Acquire, against
 * bough_room_settle(): who sees that they have arrived sees that they wait. */
static uint32_t take(struct bough_actor *slot, uint32_t wanted, uint64_t limit,
                     bool counts_waiting)
{
    uint32_t posted = atomic_load_explicit(&slot->posted, memory_order_acquire);
    uint32_t taken;

    do {
        const uint64_t waits = counts_waiting ? bough_peek(&slot->seen_length) : 0;

        if (posted + waits >= limit) return 0;
        const uint64_t half = (limit - posted - waits + 1) / 2;
        taken = wanted < half ? wanted : (uint32_t)half;
    } while (!atomic_compare_exchange_weak_explicit(&slot->posted, &posted,
                                                    posted + taken, memory_order_acquire,
                                                    memory_order_acquire));
    return taken;
}

static void give_back(struct bough_actor *slot, uint32_t count)
{
    atomic_fetch_sub_explicit(&slot->posted, count, memory_order_relaxed);
}

/* Those who were refused are counted over there, unless it has another tenant by now. */
static void close_room(struct bough_room *room)
{
    struct bough_actor *slot = room->slot;

    if (room->left > 0) give_back(slot, room->left);
    if (room->turned_away > 0 && bough_peek(&slot->place) == room->place)
        atomic_fetch_add_explicit(&slot->turned_away, room->turned_away,
                                  memory_order_relaxed);
    *room = (struct bough_room){ .slot = NULL };
}

void bough_rooms_close(struct bough_loop *loop)
{
    uint32_t open = loop->rooms_open;

    loop->rooms_open = 0;
    for (; open != 0; open &= open - 1)
        close_room(&loop->rooms[__builtin_ctz(open)]);
}

/* That of this slot, which may drive out another one's. */
static struct bough_room *open_room(struct bough_loop *loop, struct bough_actor *slot)
{
    const size_t index = bough_room_index(slot);
    const uint32_t place = bough_peek(&slot->place);
    struct bough_room *room = &loop->rooms[index];

    if (room->slot == slot && room->place == place) return room;
    if (room->slot != NULL) close_room(room);
    room->slot = slot;
    room->place = place;
    loop->rooms_open |= UINT32_C(1) << index;
    return room;
}

static bool refill(struct bough_room *room, struct bough_actor *slot)
{
    const uint32_t wanted = room->step == 0 ? 1 : 2 * room->step;

    /* Where the oldest is driven out, what waits takes no room from what comes. */
    room->left = take(slot, wanted < TAKE_MAX ? wanted : TAKE_MAX,
                      bough_peek(&slot->capacity), when_full(slot) != BOUGH_DROP_OLDEST);
    room->step = room->left;
    return room->left > 0;
}

static enum bough_full take_one(struct bough_room *room, struct bough_actor *slot)
{
    const enum bough_when_full when = when_full(slot);

    if (room->left > 0 || refill(room, slot)) {
        room->left--;
        return BOUGH_FULL_TAKE;
    }
    if (when == BOUGH_WAIT &&
        take(slot, 1, 2 * (uint64_t)bough_peek(&slot->capacity), true) > 0)
        return BOUGH_FULL_HOLD_UP;
    room->turned_away++;
    return when == BOUGH_REFUSE || when == BOUGH_WAIT ? BOUGH_FULL_REFUSE
                                                      : BOUGH_FULL_DROP;
}

/* A thread that runs no loop just now keeps no record. */
enum bough_full bough_room_take(struct bough_actor *slot)
{
    if (bough_here != NULL) return take_one(open_room(bough_here, slot), slot);

    struct bough_room room = { .slot = slot, .place = bough_peek(&slot->place) };
    const enum bough_full choice = take_one(&room, slot);
    close_room(&room);
    return choice;
}

bool bough_room_take_free(struct bough_actor *slot)
{
    return take(slot, 1, bough_peek(&slot->capacity), true) > 0;
}

void bough_room_give_back(struct bough_actor *slot)
{
    give_back(slot, 1);
}

/* Release: what has arrived is said to wait first, and then not to be on its way. In
 * between it counts twice, for the other way round it would not count at all. */
void bough_room_settle(struct bough_actor *slot, uint32_t count)
{
    bough_poke(&slot->seen_length, slot->length);
    atomic_fetch_sub_explicit(&slot->posted, count, memory_order_release);
}
