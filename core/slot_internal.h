/* slot_internal.h - the slot: where an actor lives, and who lives there now.
 *
 * `struct bough_actor` is the slot itself. What every message touches comes first; what
 * only starts, ends and names touch comes last, or in `struct bough_name`, which only
 * places with a name have. Slots lie in slabs that never move, so an address is a pointer
 * that can be checked: `place` goes on when the slot gets another tenant, `life` with
 * each incarnation.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_SLOT_INTERNAL_H
#define BOUGH_CORE_SLOT_INTERNAL_H

/* No memory for the table of paths is an error to report, not the end of the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <limits.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/cell_internal.h>
#include <bough/core/loop_internal.h>
#include <bough/core/place.h>
#include <bough/core/self.h>

/* Why no messages are run: init has asked for more time; it has paused itself; it waits
 * for a receiver to have room (full.c). */
enum { BOUGH_SHUT_UNREADY = 1, BOUGH_SHUT_PAUSED = 2, BOUGH_SHUT_HELD_UP = 4 };

/* Why a turn takes the long way, which does more than run one message after the other:
 * senders wait for room; messages of high priority are there; its type takes batches, or
 * holds messages; somebody wants to know what is run; a message may drive out the oldest;
 * messages in buffers are there; a message is told from the end that it causes. */
enum {
    BOUGH_DETOUR_AWAITED = 1,
    BOUGH_DETOUR_HIGH = 2,
    BOUGH_DETOUR_BATCH = 4,
    BOUGH_DETOUR_HOLDS = 8,
    BOUGH_DETOUR_OBSERVED = 16,
    BOUGH_DETOUR_TRADES = 32,
    BOUGH_DETOUR_LARGE = 64, /* until the mailbox is empty */
    BOUGH_DETOUR_REDELIVERS = 128
};

/* What decides whether messages may be run, and how, in four bytes that are looked at as
 * one; the first two of them also by who sends. */
union bough_gate {
    struct {
        unsigned char phase;  /* enum bough_place_state */
        unsigned char shut;   /* bits BOUGH_SHUT_...; 0: open */
        unsigned char detour; /* bits BOUGH_DETOUR_...; 0: the short way */
        bool doomed;          /* has a reason to end */
    };
    uint16_t inlet;
    uint32_t all;
};

/* What only some actors have: the others do without its 64 bytes. Named places have it in
 * their name, others get it when the first thing is to be put there. */
struct bough_annex {
    struct bough_name *name;                /* NULL: without one */
    const struct bough_exit_reason *reason; /* kept: of its end, if more than a kind */
    struct bough_watch *watches;
    void *options;
    uint64_t dropped;
    struct bough_waiter *waiters;         /* senders that wait for room */
    struct bough_cell *high, **high_tail; /* messages of high priority */
    uint32_t held;     /* messages that are held, for which `capacity` is smaller */
    uint32_t observed; /* its number for who observes it, */
    _Atomic uint64_t *progress; /* and where that sees how far its messages are */
    struct bough_quarantine *quarantine; /* of a place that redelivers */
};

/* What a place leaves behind that was reserved here and now lives on a thread. */
struct bough_sign {
    struct bough_annex annex;
    struct bough_address moved; /* there */
};

/* Two cache lines. The first changes with lives and once a turn: all that a sender on
 * another loop looks at. The second changes with each message, and is its own loop's. */
struct bough_actor {
    /* Up to `place` as self.h has it. */
    _Alignas(64) void *state; /* NULL: nobody lives here */
    /* Read, and the counts changed, by other threads: relaxed, for a stale answer is one
     * that was right when it was asked, and the receiver looks again. */
    _Atomic uint32_t life, place;
    struct bough_loop *loop;
    const struct bough_actor_type *type;
    struct bough_annex *annex;    /* NULL: nothing to put there so far */
    _Atomic uint32_t capacity;    /* messages */
    _Atomic uint32_t seen_length; /* `length` when last its own loop said so */
    _Atomic uint32_t posted;      /* on their way from other loops, or room for them */
    _Atomic uint32_t turned_away; /* those that other loops saw no room for */
    union bough_gate gate;
    _Atomic unsigned char when_full; /* enum bough_when_full */
    unsigned char end_kind;          /* with gate.doomed: the kind of its end */
    bool begun : 1;                  /* init has returned and `started` was reported */
    bool discard : 1;                /* on restart, what waits is told `gone` */
    bool fleeting : 1;               /* no place is kept: freed when its life ends */
    bool urgent : 1;                 /* its task is queued in the system lane */
    bool stop_asked : 1;             /* stop() is to be called */
    bool ending : 1;  /* its end has begun, and waits for the lives under it */
    bool is_sign : 1; /* the place has moved: its annex is a struct bough_sign */

    _Alignas(64) struct bough_task
        task; /* its turn, in the ready list unless `urgent`; `next` links free slots */
    struct bough_cell *mail, **mail_tail;
    struct bough_owned *owned;
    uint64_t handled;
    uint32_t length; /* messages that wait, the high ones too */
    uint32_t awaits; /* receivers that it waits for */
};

/* The part of a named place: the tree, and what status shows. What each life touches
 * comes first, in two cache lines of four. */
struct bough_name {
    struct bough_annex annex;
    struct bough_name *parent;
    uint64_t cause; /* of the stop or end that was asked for */
    int64_t started_ms;
    _Atomic int64_t spent_ms; /* processor time of its processes that have ended */
    _Atomic int32_t pid;      /* of the process where its life is; 0: this one */
    uint32_t restarts;
    uint32_t child_lives; /* how many places under it are lived in */
    atomic_bool asked;    /* a life was asked for from another loop */
    atomic_bool stuck;    /* as somebody sees it who watches over it */
    bool detached : 1;    /* in no tree or table any more */
    bool unlisted : 1;    /* in no table */
    enum bough_isolation isolation : 4;
    struct bough_actor *slot;
    void *record; /* bough_place_set_record() */
    struct bough_name *first, *last, *previous, *next;
    const char *restart;
    struct bough_address sign;             /* where it was, and who asks is led on */
    const struct bough_actor_type *speaks; /* NULL: its own type */
    /* For whom it was made last, also while its loop has not heard of it yet; NULL: it is
     * only reserved. */
    const struct bough_actor_type *made_for;
    UT_hash_handle hh;
    char path[];
};

_Static_assert(
    offsetof(struct bough_actor, state) == offsetof(struct bough_actor_head, state) &&
        offsetof(struct bough_actor, life) == offsetof(struct bough_actor_head, life) &&
        offsetof(struct bough_actor, place) == offsetof(struct bough_actor_head, place) &&
        sizeof(_Atomic uint32_t) == sizeof(uint32_t),
    "an actor begins as self.h says");

static inline uint32_t bough_peek(const _Atomic uint32_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* Written by its own loop alone: no read-modify-write. */
static inline void bough_poke(_Atomic uint32_t *value, uint32_t now)
{
    atomic_store_explicit(value, now, memory_order_relaxed);
}

/* The next number of a place or a life; 0 is left out, so that a zeroed address fits
 * none.
 */
static inline void bough_poke_next(_Atomic uint32_t *value)
{
    const uint32_t next = bough_peek(value) + 1;

    bough_poke(value, next != 0 ? next : 1);
}

typedef uint64_t __attribute__((may_alias)) bough_both;

/* The place and the life of a slot, which are looked at as one. */
static inline const bough_both *bough_slot_both(const struct bough_actor *slot)
{
    _Static_assert(offsetof(struct bough_actor, place) ==
                           offsetof(struct bough_actor, life) + sizeof(uint32_t) &&
                       offsetof(struct bough_actor, life) % sizeof(uint64_t) == 0,
                   "one lies behind the other");
    return (const bough_both *)(uintptr_t)&slot->life;
}

/* Whether the address is good: the same tenant, and the same life if it names one. Most
 * do, so that both are compared at once. */
static inline bool bough_both_fit(uint64_t both, struct bough_address address)
{
    const struct {
        uint32_t life, place;
    } place_alone = { .place = UINT32_MAX };
    uint64_t wanted, mask;

    memcpy(&wanted, &address.life, sizeof(wanted));
    memcpy(&mask, &place_alone, sizeof(mask));
    return __builtin_expect(both == wanted, true) ||
           ((wanted & ~mask) == 0 && (both & mask) == wanted);
}

static inline bool bough_slot_fits(const struct bough_actor *slot,
                                   struct bough_address address)
{
    const uint64_t both = __atomic_load_n(bough_slot_both(slot), __ATOMIC_RELAXED);

    return bough_both_fit(both, address);
}

/* The slot, when the address is good. */
static inline struct bough_actor *bough_slot(struct bough_address address)
{
    struct bough_actor *slot = address.slot;

    return slot != NULL && bough_slot_fits(slot, address) ? slot : NULL;
}

static inline bool bough_slot_lives(const struct bough_actor *slot)
{
    return slot->state != NULL;
}

static inline bool bough_slot_is_used(const struct bough_actor *slot)
{
    return slot->mail_tail != NULL;
}

static inline struct bough_name *bough_slot_name(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->name : NULL;
}

/* The same for a slot of another loop, as far as who starts its lives can know: one that
 * was asked for and is not known to be over. Without a name it cannot be said. */
static inline bool bough_slot_lives_far(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL && atomic_load_explicit(&name->asked, memory_order_acquire);
}

/* That of a life in a process is not the one that stands here for it. */
static inline const struct bough_actor_type *
bough_slot_shown_type(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL && name->speaks != NULL && slot->type != NULL && slot->type->holds
               ? name->speaks
               : slot->type;
}

static inline const char *bough_slot_path(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL ? name->path : "";
}

/* Whether the gate is that of a life which is up and not doomed, whatever the bits
 * `shut` and `detour` are. */
static inline bool bough_gate_is_up(union bough_gate gate, unsigned char shut,
                                    unsigned char detour)
{
    _Static_assert((BOUGH_PLACE_RUNNING | 1) == BOUGH_PLACE_STOPPING &&
                       (BOUGH_PLACE_RUNNING & 1) == 0,
                   "the two phases in which messages are run differ in one bit");
    const union bough_gate any = { { .phase = 1, .shut = shut, .detour = detour } };
    const union bough_gate up = {
        { .phase = BOUGH_PLACE_STOPPING, .shut = shut, .detour = detour }
    };

    return (gate.all | any.all) == up.all;
}

/* Whether a message may be run when there is one: up, ready, not paused, not doomed. */
static inline bool bough_slot_is_open(const struct bough_actor *slot)
{
    return bough_gate_is_up(slot->gate, 0, UCHAR_MAX);
}

/* The same of one that has not been asked to stop, and the short way will do. Hot: one
 * comparison and one branch, for every message asks. */
static inline bool bough_slot_is_plain(const struct bough_actor *slot)
{
    const union bough_gate plain = { { .phase = BOUGH_PLACE_RUNNING } };

    return slot->gate.all == plain.all;
}

/* Whether what is sent may just be queued: it is run in the next turn, or, of one that is
 * doomed, seen to at its end, for which it is queued already. */
static inline bool bough_slot_takes(const struct bough_actor *slot)
{
    const union bough_gate plain = { { .phase = BOUGH_PLACE_RUNNING } };

    return slot->gate.inlet == plain.inlet;
}

/* A handler of an actor begins. Of those that are observed each message is one, too; of
 * others who looks at a loop sees by other signs that messages are run. */
static inline void bough_loop_beats(const struct bough_loop *loop,
                                    const struct bough_actor *slot)
{
    const bool observed = (slot->gate.detour & BOUGH_DETOUR_OBSERVED) != 0;
    const uint64_t who = observed ? (uint64_t)slot->annex->observed + 1 : 0;
    const uint32_t count =
        (uint32_t)atomic_load_explicit(loop->beat, memory_order_relaxed) + 1;

    atomic_store_explicit(loop->beat, who << 32 | count, memory_order_relaxed);
}

/* What a life owns: every call with an owner is linked and unlinked once. */

static inline void bough_owned_add(struct bough_actor *actor, struct bough_owned *owned,
                                   void (*release)(struct bough_owned *owned))
{
    bough_assert(owned->link == NULL);
    owned->release = release;
    owned->next = actor->owned;
    owned->link = &actor->owned;
    if (owned->next != NULL) owned->next->link = &owned->next;
    actor->owned = owned;
}

static inline void bough_owned_remove(struct bough_owned *owned)
{
    if (owned->link == NULL) return;
    *owned->link = owned->next;
    if (owned->next != NULL) owned->next->link = owned->link;
    owned->next = NULL;
    owned->link = NULL;
}

/* slab.c */
struct bough_annex *bough_slot_new_annex(struct bough_actor *slot);

/* The annex, made if need be; NULL when memory is out. */
static inline struct bough_annex *bough_slot_annex(struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex : bough_slot_new_annex(slot);
}

/* A free slot of the loop, as a place that is reserved; NULL when memory is out. */
struct bough_actor *bough_slot_new(struct bough_loop *loop);
void bough_slot_free(struct bough_actor *slot);
void bough_slabs_free(struct bough_loop *loop);

/* Every slot of a loop, in use or not. */
void bough_slots_visit(struct bough_loop *loop, void (*visit)(struct bough_actor *slot));

/* What has not been delivered is counted, and reported at a limited rate; `slot` may be
 * NULL. */
void bough_dead_letter(struct bough_loop *loop, struct bough_actor *slot);

/* life.c */
enum bough_status bough_life_start(struct bough_actor *slot,
                                   const struct bough_start *start,
                                   struct bough_exit_reason *failure);
enum bough_status bough_life_start_far(struct bough_actor *slot,
                                       const struct bough_start *start,
                                       struct bough_exit_reason *failure);
/* Asks it to end in order; begins its end, or goes on with it once the lives under it are
 * over. Not from inside a callback. */
void bough_life_stop(struct bough_actor *slot);
void bough_life_end(struct bough_actor *slot);

/* turn.c */
/* A turn is a snapshot of the mailbox, so that it is run while its cells are warm. One
 * that has had so many messages ends at the next look, so that others have theirs. */
enum { BOUGH_TURN_MAX = 1024 };

/* Whether there may be another message in a turn that has had `count`, when something has
 * to be seen to. The system lane goes first, so the turn ends when something is there. */
bool bough_turn_looks(struct bough_loop *loop, uint32_t count);

/* The same after each message. */
static inline bool bough_turn_goes_on(struct bough_loop *loop, uint32_t count)
{
    return --loop->look_in != 0 || bough_turn_looks(loop, count);
}

/* The next message becomes the one being run; NULL: it was not one of the type's, and is
 * refused. Then its end: an answer, if nobody has given one. */
struct bough_cell *bough_turn_next(struct bough_actor *slot);
void bough_turn_done(struct bough_actor *slot);
/* A turn of one message that was in no mailbox, of one that is observed and has no other
 * reason for the long way. Its cell has no bytes of its own, and stays whose it is. Not
 * from inside a callback. */
void bough_turn_of_lent(struct bough_actor *slot, struct bough_cell *cell,
                        const void *bytes);
void bough_slot_hurry(
    struct bough_actor *slot); /* has something of the system lane to do */
void bough_slot_unqueue(struct bough_actor *slot);

/* A turn of it is to come: its state is asked for, and so are the slots two pages further
 * on. Actors are mostly made, and then sent to, one after the other; a processor looks
 * ahead by itself, but not beyond a page. Hot: six instructions, half a nanosecond;
 * among a million actors it spares a message 2.8 ns in order and 20 in none. Always
 * inline: as a function of its own it has no effect, to a compiler that leaves such calls
 * out. */
static inline __attribute__((always_inline)) void
bough_slot_foresee(const struct bough_actor *slot)
{
    const char *ahead = (const char *)slot + 8192;

    __builtin_prefetch(slot->state, 1);
    __builtin_prefetch(ahead, 1);
    __builtin_prefetch(ahead + 64, 1);
}

/* May have messages to run; on a loop that is at work, which need not be held. */
static inline bool bough_slot_queue_at_work(struct bough_actor *slot)
{
    if (slot->task.link != NULL || !bough_slot_is_open(slot)) return false;
    bough_queue_push(&slot->loop->ready, &slot->task);
    return true;
}

/* May have messages to run. */
static inline void bough_slot_queue(struct bough_actor *slot)
{
    if (slot->length == 0) return;
    if (bough_slot_queue_at_work(slot)) bough_loop_hold(slot->loop);
}

void bough_life_ready(struct bough_actor *slot);
/* Why a doomed life is to end. */
const struct bough_exit_reason *bough_slot_reason(const struct bough_actor *slot);
void bough_slot_doom(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t cause);
/* The same with an error, of which the sentence is put by the caller where this returns,
 * BOUGH_EXIT_TEXT bytes; NULL: it has a reason already, or there is no memory for one. */
char *bough_slot_break(struct bough_actor *slot, enum bough_status status);
uint64_t bough_slot_event(struct bough_actor *slot, enum bough_event_kind kind,
                          uint64_t cause, const struct bough_exit_reason *reason);

/* place.c: forgets a slot without a life, its name and the names under it. */
void bough_slot_vacate(struct bough_actor *slot, uint64_t cause);
/* Nobody is expected there or below: `gone` for all that waits. STOPPED or FAILED. */
void bough_slot_settle(struct bough_actor *slot, enum bough_place_state state);

/* Another place has it now, or the same. */
static inline struct bough_address bough_moved(struct bough_address address)
{
    const struct bough_actor *slot = address.slot;

    if (slot == NULL || !bough_loop_is_near(slot->loop) || !slot->is_sign ||
        slot->place != address.place)
        return address;
    return bough_container(slot->annex, struct bough_sign, annex)->moved;
}

/* The address of a slot's place. */
struct bough_address bough_slot_place(const struct bough_actor *slot);

/* A life under a place has ended on another loop; one that was counted was never begun.
 */
void bough_life_over(struct bough_actor *parent);
void bough_life_uncount(struct bough_actor *slot);

struct bough_furnishing;
void bough_slot_furnish(struct bough_actor *slot,
                        const struct bough_furnishing *furnishing);
void bough_options_release(const struct bough_actor_type *type, void *options);
/* batch.c: a turn of a type that takes batches, of `count` messages. */
void bough_batch_turn(struct bough_actor *slot, uint32_t count);

/* full.c */

/* What is done with a message for an actor that is full. */
enum bough_full {
    BOUGH_FULL_TAKE,
    BOUGH_FULL_REFUSE,
    BOUGH_FULL_TRADE, /* for the oldest */
    BOUGH_FULL_DROP,
    BOUGH_FULL_HOLD_UP /* taken, and its sender waits: of a sender on another loop */
};

enum bough_full bough_full_choose(const struct bough_actor *slot, bool high);

/* A message was taken beyond the capacity: its sender waits for room, if it can. */
void bough_full_hold_up(struct bough_actor *slot);

/* The same for a sender on another loop: it begins to wait, unless it may not, and asks
 * the receiver's loop to let it go; which takes it down, unless there is room. */
void bough_full_hold_up_far(struct bough_address address);
bool bough_full_begin_wait(struct bough_address *sender);
bool bough_full_await_far(struct bough_actor *slot, struct bough_address sender);

/* The mailbox has become shorter: lets those go who wait, when there is room enough. */
void bough_full_relax(struct bough_actor *slot);

/* Lets all go who wait: the life for which they wait ends. */
void bough_full_release(struct bough_actor *slot);

/* One of the receivers that this life waits for has room, or is no more. */
void bough_slot_let_go(struct bough_address sender);

/* call.c */
void bough_answer(const struct bough_asker *asker, enum bough_status status,
                  const void *reply, size_t size);
/* The reply is what the buffer holds; takes the reference. */
void bough_answer_buffer(const struct bough_asker *asker, struct bough_buffer *buffer);
/* What the asker of a message is told when the life that had it has ended. */
void bough_answer_end(const struct bough_asker *asker,
                      const struct bough_exit_reason *reason);
void bough_calls_close(struct bough_loop *loop);

/* watch.c */
/* False when memory is out; never so in a slot that has its annex. */
bool bough_watch_add(struct bough_actor *slot, struct bough_watch *watch);
/* `knows`, or NULL, is not told. */
void bough_watches_ready(struct bough_actor *slot, struct bough_watch *knows,
                         uint64_t seq);
/* Returns the one watch that would be told next, which is not queued then, for
 * bough_watch_tell() at the end of this turn of the system lane; NULL: those that there
 * are have been queued. */
struct bough_watch *bough_watches_exited(struct bough_actor *slot,
                                         const struct bough_exit_reason *reason,
                                         uint64_t seq);
void bough_watch_tell(struct bough_watch *watch);
/* The same, and all are queued. */
void bough_watches_pend(struct bough_actor *slot, const struct bough_exit_reason *reason);

void bough_watches_close(struct bough_loop *loop);

/* Begins a watch on a life of another loop; false when memory is out, to be left then. */
bool bough_watch_enter(struct bough_watch *watch, struct bough_address address,
                       struct bough_asker *id);
void bough_watch_leave(struct bough_watch *watch);

/* News of a life on another loop, for the watch that has this ticket, if it still does.
 */
void bough_watch_told_ready(struct bough_loop *loop, const struct bough_asker *watch,
                            struct bough_address life, uint64_t seq);
void bough_watch_told_exited(struct bough_loop *loop, const struct bough_asker *watch,
                             struct bough_address life,
                             const struct bough_exit_reason *reason, uint64_t seq);

/* observe.c: answers who asks from outside; else, not NULL, the loop whose thread has to.
 */
struct bough_loop *bough_answer_abroad(const struct bough_asker *asker,
                                       enum bough_status status, const void *reply,
                                       size_t size);

/* owned.c */
void bough_owned_release(struct bough_actor *actor);

/* Twice in the end of a life, most of which own nothing. */
static inline void bough_owned_release_all(struct bough_actor *actor)
{
    if (actor->owned != NULL) bough_owned_release(actor);
}

#endif
