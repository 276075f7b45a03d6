/* mail_internal.h - messages on their way into a mailbox, and out of it: mailbox.c.
 *
 * What is hot about it is here, so that a message costs no calls between files.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_MAIL_INTERNAL_H
#define BOUGH_CORE_MAIL_INTERNAL_H

#include <bough/core/slot_internal.h>

/* A message that is to be sent. */
struct bough_mail {
    const void *bytes; /* copied, without a buffer */
    size_t size;
    /* Of the same bytes, or NULL. When the message is taken, the reference moves into the
     * mailbox and this becomes NULL; what is left is the caller's to drop. */
    struct bough_buffer *buffer;
    const struct bough_asker *asker; /* NULL or without a loop: nobody */
    bool high;
    bool reserved;   /* it comes from another loop, where there was room */
    bool marked;     /* for who observes what is run */
    bool needs_room; /* else it is refused, whatever the receiver does when it is full */
};

enum bough_status bough_mail_push(struct bough_address address, struct bough_mail *mail);

/* A cell with the message and its asker, to be linked; NULL when memory is out. */
struct bough_cell *bough_mail_wrap(struct bough_loop *loop, struct bough_mail *mail);

/* One that was taken out is the first of its kind again. */
void bough_mail_put_first(struct bough_actor *slot, struct bough_cell *cell, bool high);

/* The next message in turn, a high one while there is one. The mailbox is not empty. */
struct bough_cell *bough_mail_take(struct bough_actor *slot);

/* The oldest message of normal priority, of which there is one. */
static inline struct bough_cell *bough_mail_pop(struct bough_actor *slot)
{
    struct bough_cell *cell = slot->mail;

    slot->mail = cell->next;
    if (slot->mail == NULL) slot->mail_tail = &slot->mail;
    slot->length--;
    return cell;
}

static inline void bough_mail_link(struct bough_actor *slot, struct bough_cell *cell,
                                   uint32_t life)
{
    cell->next = NULL;
    cell->life = life;
    *slot->mail_tail = cell;
    slot->mail_tail = &cell->next;
    slot->length++;
}

/* Whether a message is of the plain kind: not large, to an actor that runs messages and
 * has room, on a loop that is at work. */
static inline bool bough_mail_is_plain(struct bough_address address, size_t size)
{
    const struct bough_actor *slot = address.slot;

    return slot != NULL && __builtin_expect(slot->loop == bough_here, true) &&
           bough_slot_fits(slot, address) && bough_slot_takes(slot) &&
           slot->length < bough_peek(&slot->capacity) && !bough_is_large(size);
}

/* Takes a message that is plain. */
static inline __attribute__((always_inline)) void
bough_mail_enter(struct bough_address address, struct bough_cell *cell)
{
    struct bough_actor *slot = address.slot;

    bough_mail_link(slot, cell, address.life);
    if (slot->task.link == NULL) {
        /* Who tells itself is at hand. */
        if (slot != slot->loop->running) bough_slot_foresee(slot);
        bough_queue_push(&slot->loop->ready, &slot->task);
    }
}

/* The same with its bytes. They come last, for they may take a call, over which there is
 * then nothing to be kept. */
static inline __attribute__((always_inline)) void
bough_mail_put(struct bough_address address, struct bough_cell *cell, const void *bytes,
               size_t size)
{
    bough_mail_enter(address, cell);
    bough_cell_write(cell, bytes, size);
}

/* The short way of bough_mail_push(); false: nothing was done, take the long one. Hot:
 * some 45 instructions for a small message, no call among them and so no registers to
 * save, because all that is not plain is left to the other. */
static inline __attribute__((always_inline)) bool
bough_mail_try(struct bough_address address, const void *bytes, size_t size,
               const struct bough_asker *asker)
{
    if (!bough_mail_is_plain(address, size)) return false;

    const bool note = asker == NULL && size <= BOUGH_NOTE_MAX;
    struct bough_loop *loop = address.slot->loop;
    struct bough_cell *cell = note ? bough_note_take(loop) : bough_cell_take(loop, size);

    if (cell == NULL) return false;
    if (asker != NULL) {
        *bough_cell_front(cell) = *asker;
    } else if (!note) {
        bough_cell_front(cell)->loop = NULL;
    }
    bough_mail_put(address, cell, bytes, size);
    return true;
}

/* The same for a message that a sender on another loop had room reserved for. */
enum bough_status bough_mail_accept(struct bough_address address,
                                    struct bough_mail *mail);

void bough_mail_flush_slowly(struct bough_actor *slot, bool all,
                             enum bough_status status);

/* At the end of a life: what was sent to it, or all; callers are told. Mostly there is
 * nothing. */
static inline void bough_mail_flush(struct bough_actor *slot, bool all,
                                    enum bough_status status)
{
    if (slot->length > 0) bough_mail_flush_slowly(slot, all, status);
}

void bough_mail_report(struct bough_loop *loop, struct bough_timeout *timeout);

#endif
