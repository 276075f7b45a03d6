/* parcel.c - letters on their way between loops: written, handed over, taken.
 *
 * A loop that is at work writes into one open parcel for each loop it has something for.
 * They are handed over when they are full, when the loop looks at the clock, and when it
 * leaves our code; so a busy loop hands over tens of letters at a time, and one that runs
 * a single message does not keep its letter. `inbox` is a stack of parcels: pushed by
 * anybody, taken whole by its loop, which turns it round.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>

enum {
    ROOM = BOUGH_PARCEL_SIZE - sizeof(struct bough_parcel),
    KEPT = 4, /* of each loop's, for what must not be lost when memory is out */
};

/* What stands in the inbox of a loop that takes nothing any more. */
static struct bough_parcel closed_mark;
#define CLOSED (&closed_mark)

/* Memory */

static struct bough_parcel *parcel_begin(struct bough_parcel *parcel,
                                         struct bough_loop *home, size_t size)
{
    if (parcel == NULL) return NULL;
    parcel->home = home;
    parcel->size = (uint32_t)size;
    parcel->used = 0;
    return parcel;
}

static struct bough_parcel *parcel_new(struct bough_loop *home, size_t size)
{
    return parcel_begin(malloc(sizeof(struct bough_parcel) + size), home, size);
}

/* Those that came back, as long as none is at hand. Acquire: their reader is done. */
static struct bough_parcel *take_empty(struct bough_loop *loop)
{
    if (loop->empty == NULL) {
        loop->empty =
            atomic_exchange_explicit(&loop->returned, NULL, memory_order_acquire);
    }
    struct bough_parcel *parcel = loop->empty;

    if (parcel == NULL) return NULL;
    loop->empty = parcel->next;
    parcel->used = 0;
    return parcel;
}

static void keep_back(struct bough_loop *loop, struct bough_parcel *parcel)
{
    parcel->next = loop->kept;
    loop->kept = parcel;
    loop->kept_count++;
}

/* The first ones lie in one block of which nothing is touched before: most loops have no
 * other to write to, and their pages are a tenth of what a process has of its own. */
static struct bough_parcel *take_kept(struct bough_loop *loop)
{
    struct bough_parcel *parcel = loop->kept;

    if (loop->kept_count == 0) return NULL;
    loop->kept_count--;
    if (parcel == NULL)
        return parcel_begin((void *)loop->reserve[loop->reserve_used++], loop, ROOM);
    loop->kept = parcel->next;
    parcel->used = 0;
    return parcel;
}

static struct bough_parcel *parcel_take(struct bough_loop *loop)
{
    struct bough_parcel *parcel = take_empty(loop);

    while (parcel != NULL && loop->kept_count < KEPT) {
        keep_back(loop, parcel);
        parcel = take_empty(loop);
    }
    return parcel != NULL ? parcel : parcel_new(loop, ROOM);
}

/* Release: what was read from it is read. */
static void parcel_give(struct bough_parcel *parcel)
{
    struct bough_loop *home = parcel->home;

    if (home == NULL) {
        free(parcel);
        return;
    }
    struct bough_parcel *first =
        atomic_load_explicit(&home->returned, memory_order_relaxed);
    do {
        parcel->next = first;
    } while (!atomic_compare_exchange_weak_explicit(
        &home->returned, &first, parcel, memory_order_release, memory_order_relaxed));
}

static bool is_of_reserve(const struct bough_loop *loop,
                          const struct bough_parcel *parcel)
{
    return (uintptr_t)parcel - (uintptr_t)loop->reserve < sizeof(*loop->reserve) * KEPT;
}

static void free_list(const struct bough_loop *loop, struct bough_parcel *parcel)
{
    while (parcel != NULL) {
        struct bough_parcel *next = parcel->next;
        if (!is_of_reserve(loop, parcel)) free(parcel);
        parcel = next;
    }
}

/* Handing over */

static struct bough_letter *letter_at(struct bough_parcel *parcel, size_t at)
{
    return (struct bough_letter *)(void *)(parcel->letters + at);
}

static void bounce(struct bough_parcel *parcel)
{
    for (size_t at = 0; at < parcel->used;) {
        struct bough_letter *letter = letter_at(parcel, at);

        at += bough_letter_span(letter);
        bough_letter_bounce(letter);
    }
    parcel_give(parcel);
}

static void hand_over(struct bough_parcel *parcel)
{
    struct bough_loop *to = parcel->to;
    struct bough_parcel *first = atomic_load(&to->inbox);

    do {
        if (first == CLOSED) {
            bounce(parcel);
            return;
        }
        parcel->next = first;
    } while (!atomic_compare_exchange_weak(&to->inbox, &first, parcel));
    bough_loop_wake(to);
}

/* The link that leads to the open parcel for `to`, or to NULL. Few are open at a time. */
static struct bough_parcel **find_open(struct bough_loop *loop,
                                       const struct bough_loop *to)
{
    struct bough_parcel **link = &loop->open;

    while (*link != NULL && (*link)->to != to)
        link = &(*link)->next;
    return link;
}

static void send_open(struct bough_parcel **link)
{
    struct bough_parcel *parcel = *link;

    *link = parcel->next;
    hand_over(parcel);
}

/* What bounces may be answered, and so open others. Room that is left is given back
 * first: who learns from a letter that this loop is done finds it free. */
void bough_parcels_send(struct bough_loop *loop)
{
    if (loop->rooms_open != 0) bough_rooms_close(loop);
    while (loop->open != NULL)
        send_open(&loop->open);
}

/* Writing */

/* A parcel for one letter: of a thread that runs no loop just now, or a large one. */
static struct bough_letter *write_alone(struct bough_loop *to, size_t size)
{
    struct bough_parcel *parcel = parcel_new(NULL, size);

    if (parcel == NULL) return NULL;
    parcel->to = to;
    return bough_letter_begin(parcel, size);
}

static bool goes_alone(size_t size)
{
    return bough_here == NULL || size > ROOM;
}

static struct bough_letter *write_open(struct bough_loop *loop, struct bough_loop *to,
                                       size_t size, bool must)
{
    struct bough_parcel **link = find_open(loop, to);

    if (*link != NULL && size > (*link)->size - (*link)->used) {
        send_open(link);
        link = find_open(loop, to);
    }
    if (*link == NULL) {
        struct bough_parcel *parcel = parcel_take(loop);

        if (parcel == NULL && must) parcel = take_kept(loop);
        if (parcel == NULL) return NULL;
        parcel->to = to;
        parcel->next = loop->open;
        loop->open = parcel;
        link = &loop->open;
    }
    return bough_letter_begin(*link, size);
}

static struct bough_letter *address_letter(struct bough_letter *letter,
                                           enum bough_letter_kind kind,
                                           struct bough_address about, size_t len)
{
    letter->len = (uint32_t)len;
    letter->kind = kind;
    letter->to = about;
    letter->from.loop = NULL;
    letter->number = 0;
    return letter;
}

static struct bough_letter *letter_new(struct bough_loop *to, enum bough_letter_kind kind,
                                       struct bough_address about, size_t len, bool must)
{
    struct bough_loop *loop = bough_here;
    const size_t size = bough_letter_size(len);
    struct bough_letter *letter;

    if (goes_alone(size)) {
        if (loop != NULL && *find_open(loop, to) != NULL) send_open(find_open(loop, to));
        letter = write_alone(to, size);
    } else {
        letter = write_open(loop, to, size, must);
    }
    return letter != NULL ? address_letter(letter, kind, about, len) : NULL;
}

struct bough_letter *bough_letter_new(struct bough_loop *to, enum bough_letter_kind kind,
                                      struct bough_address about, size_t len)
{
    return letter_new(to, kind, about, len, false);
}

/* Parcels come back as fast as others read: so there is one again, sooner or later. */
struct bough_letter *bough_letter_must(struct bough_loop *to, enum bough_letter_kind kind,
                                       struct bough_address about, size_t len)
{
    struct bough_letter *letter;

    bough_assert(bough_here == NULL || bough_letter_size(len) <= ROOM);
    while ((letter = letter_new(to, kind, about, len, true)) == NULL) {
        if (bough_here != NULL) bough_parcels_send(bough_here);
        sched_yield();
    }
    return letter;
}

void bough_post(struct bough_letter *letter)
{
    if (!goes_alone(bough_letter_size(letter->len))) return;
    hand_over(bough_container(letter, struct bough_parcel, letters));
}

/* Taking */

static struct bough_parcel *turn_round(struct bough_parcel *newest)
{
    struct bough_parcel *oldest = NULL;

    while (newest != NULL) {
        struct bough_parcel *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

/* Hot, for what crosses: letters lie one behind the other, so that the processor fetches
 * ahead, where a list of cells would be a cache miss each. */
void bough_parcels_take(struct bough_loop *loop)
{
    if (atomic_load_explicit(&loop->inbox, memory_order_relaxed) == CLOSED) return;

    struct bough_parcel *parcel = turn_round(atomic_exchange(&loop->inbox, NULL));
    loop->has_mail_partner = true;
    while (parcel != NULL) {
        struct bough_parcel *next = parcel->next;

        for (size_t at = 0; at < parcel->used;) {
            struct bough_letter *letter = letter_at(parcel, at);

            at += bough_letter_span(letter);
            loop->steps++; /* a step as well: something has happened */
            bough_letter_deliver(loop, letter);
        }
        bough_letter_settle(loop);
        parcel_give(parcel);
        parcel = next;
    }
}

/* Beginning and end */

bool bough_parcels_init(struct bough_loop *loop)
{
    if (!bough_sleep_init(loop)) return false;
    loop->reserve = malloc(sizeof(*loop->reserve) * KEPT);
    if (loop->reserve == NULL) {
        bough_sleep_finish(loop);
        return false;
    }
    loop->kept_count = KEPT;
    return true;
}

void bough_parcels_close(struct bough_loop *loop)
{
    struct bough_parcel *parcel = atomic_exchange(&loop->inbox, CLOSED);

    atomic_store_explicit(&loop->closed, true, memory_order_relaxed);
    if (parcel == CLOSED) return;
    parcel = turn_round(parcel);
    while (parcel != NULL) {
        struct bough_parcel *next = parcel->next;
        bounce(parcel);
        parcel = next;
    }
}

void bough_parcels_finish(struct bough_loop *loop)
{
    bough_assert(loop->open == NULL);
    free_list(loop, loop->empty);
    free_list(loop, loop->kept);
    free_list(loop, atomic_exchange(&loop->returned, NULL));
    free(loop->reserve);
    loop->empty = loop->kept = NULL;
    loop->reserve = NULL;
    loop->kept_count = loop->reserve_used = 0;
    bough_sleep_finish(loop);
}
