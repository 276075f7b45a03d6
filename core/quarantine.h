/* quarantine.h - messages during which lives ended, taken out of their mailbox.
 *
 * A place whose spec says so (`redeliver`, place.h) does not run a message again that has
 * ended so many lives: it is kept here, with who sent it as far as that is known, until
 * somebody puts it back or drops it. A life is ended by a message when it ends by itself,
 * with a fault, while it runs it; not when it is asked to stop, killed, or ended with its
 * parent meanwhile.
 *
 * There are at most BOUGH_QUARANTINE_MAX messages and BOUGH_QUARANTINE_SIZE bytes of one
 * place, the newest one apart; older ones make room, and are counted. They go with the
 * place.
 *
 * Thread: any that may send, for places with a name; for others that of the place's loop.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_QUARANTINE_H
#define BOUGH_CORE_QUARANTINE_H

#include <bough/core/place.h>

enum { BOUGH_QUARANTINE_MAX = 32, BOUGH_QUARANTINE_SIZE = 16 * 1024 * 1024 };

struct bough_quarantined {
    uint64_t number; /* 1, 2, 3 ... of its place, in the order in which they came */
    int64_t realtime_ns;
    const struct bough_actor_type *type; /* whose message it is */
    const void *message;                 /* a flat block */
    size_t size;                         /* of it, in bytes */
    bool high;
    bool asked;                             /* somebody waited for an answer */
    const char *sender;                     /* the path of who asked; "" if not known */
    uint32_t life;                          /* the last one that it ended */
    uint32_t lives;                         /* how many it has ended */
    const struct bough_exit_reason *reason; /* of that end */
};

/* Visits what is in the quarantine of a place, the oldest first. What it is given is
 * valid during the call, in which nothing of the runtime may be called. Errors:
 * BOUGH_EGONE. */
typedef void bough_quarantine_visitor(void *data, const struct bough_quarantined *one);
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_quarantine_visit(struct bough_address place, bough_quarantine_visitor *visitor,
                       void *data);

#define BOUGH_QUARANTINE_ALL ((uint64_t)0)

/* Puts the message of that number, or all of them, back to the end of the mailbox, in
 * their order and as told by nobody; what they have ended is forgotten. `*count` (may be
 * NULL) gets how many, also when there was no room for all. Errors, the others stay where
 * they are: BOUGH_EFULL, BOUGH_EGONE (the address is stale, or nobody is expected there),
 * BOUGH_ENOTFOUND, BOUGH_EINVALID (the place has another type by now), BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_quarantine_put_back(struct bough_address place, uint64_t number, size_t *count);

/* Forgets the message of that number, or all of them. Errors: BOUGH_EGONE,
 * BOUGH_ENOTFOUND. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_quarantine_drop(struct bough_address place, uint64_t number, size_t *count);

#endif
