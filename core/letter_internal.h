/* letter_internal.h - what one loop tells another, and how it gets there.
 *
 * A loop's slots, tickets and queues are its own thread's. Whatever another thread wants
 * of them is written as a letter: a message, an answer, a stop, the news that a life has
 * ended. Letters for one loop are written one behind the other into a parcel, which is
 * handed over as a whole: one compare-and-swap and at most one wake-up for many of them.
 * The receiver reads them straight through, copies what it keeps into cells of its own,
 * and gives the empty parcel back to the loop it came from. So no cell ever crosses, and
 * no letter costs an allocation or a system call in the steady state.
 *
 * Letters from one loop to another arrive in the order in which they were written.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LETTER_INTERNAL_H
#define BOUGH_CORE_LETTER_INTERNAL_H

#include <stdatomic.h>

#include <bough/core/mail_internal.h>

enum bough_letter_kind {
    BOUGH_LETTER_NOTE,      /* to an actor: a small message that nobody asks with */
    BOUGH_LETTER_MESSAGE,   /* to an actor; number: bits; the message, or its buffer */
    BOUGH_LETTER_HOLD_UP,   /* this sender waits for room; its address */
    BOUGH_LETTER_LET_GO,    /* to a sender: it need not wait any more */
    BOUGH_LETTER_ANSWER,    /* to a call; number: the status; the reply */
    BOUGH_LETTER_WATCH,     /* from now on, tell this watch */
    BOUGH_LETTER_UNWATCH,   /* and not any more */
    BOUGH_LETTER_READY,     /* to a watch; number: seq of the event */
    BOUGH_LETTER_EXITED,    /* to a watch; number: seq; the exit reason */
    BOUGH_LETTER_STOP,      /* number: cause */
    BOUGH_LETTER_END,       /* number: cause; the exit reason */
    BOUGH_LETTER_FURNISH,   /* a struct bough_furnishing */
    BOUGH_LETTER_START,     /* a struct bough_start_letter; the watch */
    BOUGH_LETTER_MARK,      /* number: enum bough_place_state */
    BOUGH_LETTER_FREE,      /* number: cause */
    BOUGH_LETTER_LIFE_OVER, /* to a parent: a life under it has ended */
    BOUGH_LETTER_KIND_COUNT
};

struct bough_letter {
    uint32_t len; /* of the bytes; the next letter begins at the next multiple of 8 */
    uint32_t kind;
    struct bough_address to; /* whom it is about */
    struct bough_asker from; /* who is told what comes of it; or whom it is for */
    uint64_t number;
    char bytes[];
};

/* Most letters are notes. In a note the bytes begin where `from` is in others, so that
 * one of 16 bytes takes 40 and not 64: what crosses costs by the cache line. */
enum { BOUGH_NOTE_HEAD = offsetof(struct bough_letter, from) };

struct bough_parcel {
    struct bough_parcel *next;
    struct bough_loop *home; /* gets it back; NULL: freed */
    struct bough_loop *to;
    uint32_t used, size; /* bytes of letters, and room for them */
    _Alignas(16) char letters[];
};

static inline size_t bough_letter_size(size_t len)
{
    return (sizeof(struct bough_letter) + len + 7) & ~(size_t)7;
}

static inline size_t bough_note_size(size_t len)
{
    return (BOUGH_NOTE_HEAD + len + 7) & ~(size_t)7;
}

static inline size_t bough_letter_span(const struct bough_letter *letter)
{
    return letter->kind == BOUGH_LETTER_NOTE ? bough_note_size(letter->len)
                                             : bough_letter_size(letter->len);
}

/* The next letter in a parcel that has room for its `size`; to be filled in. */
static inline struct bough_letter *bough_letter_begin(struct bough_parcel *parcel,
                                                      size_t size)
{
    char *letter = parcel->letters + parcel->used;

    parcel->used += (uint32_t)size;
    return (struct bough_letter *)(void *)letter;
}

/* Writes a letter of `len` bytes to `to`, which the caller fills before anything else is
 * posted, and then gives to bough_post(). NULL when memory is out, or when `to` is
 * closed. Thread: any; on a thread that runs no loop just now the letter goes at once. */
struct bough_letter *bough_letter_new(struct bough_loop *to, enum bough_letter_kind kind,
                                      struct bough_address about, size_t len);
void bough_post(struct bough_letter *letter);

/* The same for what must not be lost, an answer or an end: never NULL unless the loop is
 * closed. Each loop keeps parcels back for it. */
struct bough_letter *bough_letter_must(struct bough_loop *to, enum bough_letter_kind kind,
                                       struct bough_address about, size_t len);

/* parcel.c */

/* Hands over every parcel that the loop has begun, and gives back what room it has taken
 * in mailboxes and not used. Thread: its own. */
void bough_parcels_send(struct bough_loop *loop);

/* Delivers what has come. Not from inside a callback. Thread: its own. */
void bough_parcels_take(struct bough_loop *loop);

/* Nothing comes any more: what is posted from now on comes back to who posts it. */
void bough_parcels_close(struct bough_loop *loop);
void bough_parcels_finish(struct bough_loop *loop);
bool bough_parcels_init(struct bough_loop *loop);

static inline bool bough_parcels_wait(const struct bough_loop *loop)
{
    return atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL;
}

/* room.c */

/* Takes room for a message to a slot of another loop, or says what is to be done without.
 * Thread: any. */
enum bough_full bough_room_take(struct bough_actor *slot);

/* Takes room for a message, whatever is done without. False: there is none. */
bool bough_room_take_free(struct bough_actor *slot);

/* What was taken for one message is not needed. */
void bough_room_give_back(struct bough_actor *slot);

/* So many have arrived. Thread: the slot's. */
void bough_room_settle(struct bough_actor *slot, uint32_t count);

/* Gives back what is left of all that the loop has taken. */
void bough_rooms_close(struct bough_loop *loop);

/* Where the room for a slot is, if there is any. */
static inline size_t bough_room_index(const struct bough_actor *slot)
{
    return (uintptr_t)slot / sizeof(*slot) % BOUGH_ROOMS;
}

/* letter.c: does what a letter says; and tells who wrote it that it could not come. */
void bough_letter_deliver(struct bough_loop *loop, struct bough_letter *letter);
void bough_letter_bounce(struct bough_letter *letter);

/* After the last letter of a parcel: senders may have their room again. */
void bough_letter_settle(struct bough_loop *loop);

/* letter_mail.c */
void bough_deliver_note(struct bough_loop *loop, struct bough_letter *letter);
void bough_bounce_note(struct bough_letter *letter);
void bough_deliver_message(struct bough_loop *loop, struct bough_letter *letter);
void bough_bounce_message(struct bough_letter *letter);
void bough_deliver_hold_up(struct bough_loop *loop, struct bough_letter *letter);
void bough_bounce_hold_up(struct bough_letter *letter);
void bough_deliver_let_go(struct bough_loop *loop, struct bough_letter *letter);
void bough_deliver_answer(struct bough_loop *loop, struct bough_letter *letter);

/* What a place on another loop is to become: bough_place_new() with its errors behind it.
 */
struct bough_furnishing {
    const struct bough_actor_type *type;
    void *options; /* taken */
    uint32_t capacity;
    enum bough_when_full when_full;
    bool discard;
    struct bough_quarantine *quarantine; /* taken; NULL: it does not redeliver */
};

struct bough_start_letter {
    uint64_t cause;
    bool restart, watched;
};

/* Posting; each is what the function of the same name in a public header does, for a slot
 * of another loop. */
enum bough_status bough_post_message(struct bough_address address,
                                     struct bough_mail *mail);
/* The short way of it; false: nothing was done. */
bool bough_post_try(struct bough_address address, const struct bough_mail *mail);
void bough_post_let_go(struct bough_address sender);
void bough_post_answer(const struct bough_asker *asker, enum bough_status status,
                       const void *reply, size_t size);
void bough_post_stop(struct bough_address address, uint64_t cause);
void bough_post_end(struct bough_address address, const struct bough_exit_reason *reason,
                    uint64_t cause);
bool bough_post_watch(struct bough_address address, const struct bough_asker *watch);
void bough_post_unwatch(struct bough_address address, const struct bough_asker *watch);
bool bough_post_furnish(struct bough_address place,
                        const struct bough_furnishing *furnishing);
bool bough_post_start(struct bough_address place, const struct bough_start *start,
                      const struct bough_asker *watch);
void bough_post_mark(struct bough_address place, enum bough_place_state state);
void bough_post_free(struct bough_address place, uint64_t cause);
void bough_post_life_over(struct bough_address parent);

#endif
