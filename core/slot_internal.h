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

#include <bough/core/loop_internal.h>
#include <bough/core/place.h>

/* Who is to be told: an id, never a pointer to the call itself. */
struct bough_asker {
    struct bough_loop *loop; /* NULL: nobody asks */
    uint32_t index, generation;
};

/* A message in a mailbox, or an answer on its way. Its bytes follow. */
struct bough_cell {
    struct bough_cell *next;
    struct bough_asker asker;
    uint32_t life; /* whom it is for; 0: whoever lives there */
    uint32_t size;
    _Alignas(16) char bytes[];
};

struct bough_actor {
    struct bough_task task; /* its turn; `next` links free slots */
    const struct bough_actor_type *type;
    void *state; /* NULL: nobody lives here */
    struct bough_loop *loop;
    struct bough_cell *mail, **mail_tail;
    uint32_t length, capacity; /* messages */
    uint32_t place, life;
    unsigned char phase; /* enum bough_place_state */
    bool begun;          /* init has returned and `started` was reported */
    bool unready;        /* init has asked for more time */
    bool paused;         /* takes no messages */
    bool urgent;         /* its task is queued in the system lane */
    bool stop_asked;     /* stop() is to be called */
    bool ending;         /* its end has begun, and waits for the lives under it */
    bool discard;        /* on restart, what waits is told `gone` */
    bool fleeting;       /* no place is kept: freed when its life ends */
    uint64_t handled;

    struct bough_exit_reason *reason; /* not NULL: this life is to end */
    struct bough_owned *owned;
    struct bough_watch *watches;
    struct bough_name *name;
    void *options;
    uint64_t dropped;
};

/* The part of a named place: the tree, and what status shows. */
struct bough_name {
    UT_hash_handle hh;
    struct bough_actor *slot;
    struct bough_name *parent, *first, *last, *previous, *next;
    const char *restart, *isolation;
    const struct bough_actor_type *speaks; /* NULL: its own type */
    uint64_t cause;                        /* of the stop or end that was asked for */
    int64_t started_ms;
    uint32_t restarts;
    uint32_t child_lives; /* how many places under it are lived in */
    char path[];
};

/* The slot, when the address is good: the same tenant, and the same life if it names one.
 */
static inline struct bough_actor *bough_slot(struct bough_address address)
{
    struct bough_actor *slot = address.slot;

    if (slot == NULL || slot->place != address.place) return NULL;
    if (address.life != 0 && address.life != slot->life) return NULL;
    return slot;
}

static inline bool bough_slot_lives(const struct bough_actor *slot)
{
    return slot->state != NULL;
}

static inline bool bough_slot_is_used(const struct bough_actor *slot)
{
    return slot->mail_tail != NULL;
}

static inline const char *bough_slot_path(const struct bough_actor *slot)
{
    return slot->name != NULL ? slot->name->path : "";
}

/* slab.c: a free slot of the loop, zeroed but for `place`; NULL when memory is out. */
struct bough_actor *bough_slot_new(struct bough_loop *loop);
void bough_slot_free(struct bough_actor *slot);
void bough_slabs_free(struct bough_loop *loop);

/* Every slot of a loop, in use or not. */
void bough_slots_visit(struct bough_loop *loop, void (*visit)(struct bough_actor *slot));

/* life.c */
enum bough_status bough_life_start(struct bough_actor *slot,
                                   const struct bough_start *start,
                                   struct bough_exit_reason *failure);
void bough_slot_queue(struct bough_actor *slot); /* may have messages to run */
void bough_slot_hurry(
    struct bough_actor *slot); /* has something of the system lane to do */
void bough_slot_unqueue(struct bough_actor *slot);
void bough_life_ready(struct bough_actor *slot);
void bough_slot_doom(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t cause);
uint64_t bough_slot_event(struct bough_actor *slot, enum bough_event_kind kind,
                          uint64_t cause, const struct bough_exit_reason *reason);

/* place.c: forgets a slot without a life, its name and the names under it. */
void bough_slot_vacate(struct bough_actor *slot, uint64_t cause);
/* Nobody is expected there or below: `gone` for all that waits. STOPPED or FAILED. */
void bough_slot_settle(struct bough_actor *slot, enum bough_place_state state);

/* mailbox.c */
struct bough_cell *bough_cell_new(struct bough_loop *loop, const void *bytes,
                                  size_t size);
void bough_cell_free(struct bough_loop *loop, struct bough_cell *cell);
enum bough_status bough_mail_push(struct bough_address address, const void *bytes,
                                  size_t size, const struct bough_asker *asker);
struct bough_cell *bough_mail_pop(struct bough_actor *slot);
/* At the end of a life: what was sent to it, or all; callers are told. */
void bough_mail_flush(struct bough_actor *slot, bool all, enum bough_status status);
void bough_mail_report(struct bough_loop *loop, struct bough_timeout *timeout);

/* call.c */
void bough_answer(const struct bough_asker *asker, enum bough_status status,
                  const void *reply, size_t size);
/* What the asker of a message is told when the life that had it has ended. */
void bough_answer_end(const struct bough_asker *asker,
                      const struct bough_exit_reason *reason);
void bough_calls_close(struct bough_loop *loop);

/* watch.c */
void bough_watch_add(struct bough_actor *slot, struct bough_watch *watch);
void bough_watches_ready(struct bough_actor *slot, uint64_t seq);
void bough_watches_exited(struct bough_actor *slot,
                          const struct bough_exit_reason *reason, uint64_t seq);

/* owned.c */
void bough_owned_add(struct bough_actor *actor, struct bough_owned *owned,
                     void (*release)(struct bough_owned *owned));
void bough_owned_remove(struct bough_owned *owned);
void bough_owned_release_all(struct bough_actor *actor);

#endif
