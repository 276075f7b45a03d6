/* letter_mail.c - letters that bring messages and answers, and hold senders up.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

#include <string.h>

/* Messages */

/* Once for many messages to the same slot: its senders' cache line is touched less. */
void bough_letter_settle(struct bough_loop *loop)
{
    struct bough_actor *slot = loop->credit_slot;

    if (loop->credit == 0) return;
    bough_room_settle(slot, loop->credit);
    loop->credit = 0;
}

static enum bough_status turn_away(enum bough_status status,
                                   const struct bough_mail *mail)
{
    if (mail->asker == NULL && bough_here != NULL) bough_dead_letter(bough_here, NULL);
    return status;
}

/* What is too large for a cell goes as a reference to its buffer. */
enum { HIGH = 1, IN_BUFFER = 2 };

static bool write_message(struct bough_address address, struct bough_mail *mail)
{
    struct bough_loop *to = address.slot->loop;
    const bool large = bough_is_large(mail->size);
    struct bough_buffer *buffer = mail->buffer;

    if (large && buffer == NULL) buffer = bough_buffer_new(mail->bytes, mail->size);
    if (large && buffer == NULL) return false;

    struct bough_letter *letter = bough_letter_new(to, BOUGH_LETTER_MESSAGE, address,
                                                   large ? sizeof(buffer) : mail->size);
    if (letter == NULL) {
        if (large && mail->buffer == NULL) bough_buffer_drop(buffer);
        return false;
    }
    letter->number = (mail->high ? HIGH : 0) | (large ? IN_BUFFER : 0);
    if (mail->asker != NULL) letter->from = *mail->asker;
    if (large) {
        memcpy(letter->bytes, &buffer, sizeof(buffer));
        mail->buffer = NULL;
    } else {
        bough_copy_bytes(letter->bytes, mail->bytes, mail->size);
    }
    bough_post(letter);
    return true;
}

static struct bough_buffer *buffer_in(const struct bough_letter *letter)
{
    struct bough_buffer *buffer = NULL;

    if ((letter->number & IN_BUFFER) != 0) memcpy(&buffer, letter->bytes, sizeof(buffer));
    return buffer;
}

/* Each writes a letter but for its bytes, and returns where they go. */

static char *begin_note(struct bough_parcel *parcel, struct bough_address to, size_t size)
{
    struct bough_letter *letter = bough_letter_begin(parcel, bough_note_size(size));

    letter->len = (uint32_t)size;
    letter->kind = BOUGH_LETTER_NOTE;
    letter->to = to;
    return (char *)letter + BOUGH_NOTE_HEAD;
}

static char *begin_question(struct bough_parcel *parcel, struct bough_address to,
                            size_t size, const struct bough_asker *asker)
{
    struct bough_letter *letter = bough_letter_begin(parcel, bough_letter_size(size));

    letter->len = (uint32_t)size;
    letter->kind = BOUGH_LETTER_MESSAGE;
    letter->to = to;
    letter->from = *asker;
    letter->number = 0;
    return letter->bytes;
}

/* The short way of bough_post_message(); false: nothing was done, take the long one. Hot:
 * some 60 instructions for a small message to whom there is room taken for, if a parcel
 * for its loop has been begun last. Nothing of the slot is touched but what is only read;
 * that its loop takes no letters any more is found out when the parcel comes back. */
bool bough_post_try(struct bough_address address, const struct bough_mail *mail)
{
    struct bough_loop *loop = bough_here;
    struct bough_actor *slot = address.slot;
    struct bough_parcel *parcel = loop != NULL ? loop->open : NULL;

    if (parcel == NULL || mail->high || !bough_is_small(mail->size)) return false;

    struct bough_room *room = &loop->rooms[bough_room_index(slot)];
    if (room->left == 0 || room->slot != slot || parcel->to != slot->loop ||
        !bough_slot_fits(slot, address) ||
        parcel->size - parcel->used < bough_letter_size(BOUGH_SMALL_MAX))
        return false;

    room->left--;
    char *bytes = mail->asker == NULL
                      ? begin_note(parcel, address, mail->size)
                      : begin_question(parcel, address, mail->size, mail->asker);
    bough_copy_small(bytes, mail->bytes, mail->size);
    return true;
}

/* Only where there is room. */
static enum bough_status post_into_room(struct bough_actor *slot,
                                        struct bough_address address,
                                        struct bough_mail *mail)
{
    if (slot == NULL || bough_loop_is_closed(slot->loop)) return BOUGH_EGONE;
    if (!bough_room_take_free(slot)) return BOUGH_EFULL;
    if (write_message(address, mail)) return BOUGH_OK;
    bough_room_give_back(slot);
    return BOUGH_ENOMEM;
}

enum bough_status bough_post_message(struct bough_address address,
                                     struct bough_mail *mail)
{
    struct bough_actor *slot = bough_slot(address);

    if (mail->needs_room) return post_into_room(slot, address, mail);
    if (bough_post_try(address, mail)) return BOUGH_OK;
    if (slot == NULL || bough_loop_is_closed(address.slot->loop))
        return turn_away(BOUGH_EGONE, mail);
    if (mail->size > BOUGH_BLOCK_MAX) return BOUGH_ETOOLARGE;

    const enum bough_full choice = bough_room_take(slot);
    if (choice == BOUGH_FULL_REFUSE) return turn_away(BOUGH_EFULL, mail);
    if (choice == BOUGH_FULL_DROP) {
        if (mail->asker == NULL) return turn_away(BOUGH_OK, mail);
        bough_answer(mail->asker, BOUGH_EFULL, NULL, 0);
        return BOUGH_OK;
    }
    if (!write_message(address, mail)) {
        bough_room_give_back(slot);
        return BOUGH_ENOMEM;
    }
    if (choice == BOUGH_FULL_HOLD_UP) bough_full_hold_up_far(address);
    return BOUGH_OK;
}

/* The long way. Who sent it without asking believes it to be on its way, and is not told
 * what on one loop it would be told at once. */
static void take_in(struct bough_loop *loop, struct bough_address to,
                    struct bough_mail *mail)
{
    const enum bough_status status = bough_mail_accept(to, mail);

    if (status == BOUGH_OK) return;
    if (mail->asker != NULL) {
        bough_answer(mail->asker, status, NULL, 0);
    } else if (status == BOUGH_ENOMEM) {
        bough_dead_letter(loop, bough_slot(to));
    }
}

/* One more has arrived for this slot. */
static void count_arrival(struct bough_loop *loop, struct bough_actor *slot)
{
    if (loop->credit_slot != slot) bough_letter_settle(loop);
    loop->credit_slot = slot;
    loop->credit++;
}

/* Hot, for what crosses: a note is copied once more, from where the processor has fetched
 * it ahead, into a cell that is in the cache. */
void bough_deliver_note(struct bough_loop *loop, struct bough_letter *letter)
{
    const char *bytes = (const char *)letter + BOUGH_NOTE_HEAD;

    count_arrival(loop, letter->to.slot);
    if (bough_mail_try(letter->to, bytes, letter->len, NULL)) return;

    struct bough_mail mail = { .bytes = bytes, .size = letter->len };
    take_in(loop, letter->to, &mail);
}

void bough_bounce_note(struct bough_letter *letter)
{
    bough_room_give_back(letter->to.slot);
    if (bough_here != NULL) bough_dead_letter(bough_here, NULL);
}

void bough_deliver_message(struct bough_loop *loop, struct bough_letter *letter)
{
    struct bough_buffer *buffer = buffer_in(letter);

    count_arrival(loop, letter->to.slot);
    if (letter->number == 0 &&
        bough_mail_try(letter->to, letter->bytes, letter->len, &letter->from))
        return;

    struct bough_mail mail = {
        .bytes = buffer != NULL ? bough_buffer_bytes(buffer) : letter->bytes,
        .size = buffer != NULL ? bough_buffer_size(buffer) : letter->len,
        .buffer = buffer,
        .asker = letter->from.loop != NULL ? &letter->from : NULL,
        .high = (letter->number & HIGH) != 0,
    };
    take_in(loop, letter->to, &mail);
    bough_buffer_drop(mail.buffer);
}

void bough_bounce_message(struct bough_letter *letter)
{
    bough_room_give_back(letter->to.slot);
    bough_buffer_drop(buffer_in(letter));
    if (letter->from.loop != NULL) {
        bough_answer(&letter->from, BOUGH_EGONE, NULL, 0);
    } else if (bough_here != NULL) {
        bough_dead_letter(bough_here, NULL);
    }
}

/* Senders that wait for room: see full.c. */

void bough_full_hold_up_far(struct bough_address address)
{
    struct bough_address sender;
    struct bough_loop *to = address.slot->loop;

    if (!bough_full_begin_wait(&sender)) return;

    struct bough_letter *letter =
        bough_letter_must(to, BOUGH_LETTER_HOLD_UP, address, sizeof(sender));
    memcpy(letter->bytes, &sender, sizeof(sender));
    bough_post(letter);
}

static struct bough_address sender_in(const struct bough_letter *letter)
{
    struct bough_address sender;

    memcpy(&sender, letter->bytes, sizeof(sender));
    return sender;
}

void bough_deliver_hold_up(struct bough_loop *loop, struct bough_letter *letter)
{
    struct bough_actor *slot = bough_slot(bough_moved(letter->to));

    (void)loop;
    if (slot == NULL || !bough_loop_is_near(slot->loop) ||
        !bough_full_await_far(slot, sender_in(letter)))
        bough_slot_let_go(sender_in(letter));
}

void bough_bounce_hold_up(struct bough_letter *letter)
{
    bough_slot_let_go(sender_in(letter));
}

void bough_post_let_go(struct bough_address sender)
{
    struct bough_loop *to = sender.slot->loop;

    bough_post(bough_letter_must(to, BOUGH_LETTER_LET_GO, sender, 0));
}

void bough_deliver_let_go(struct bough_loop *loop, struct bough_letter *letter)
{
    (void)loop;
    bough_slot_let_go(letter->to);
}

/* Answers: one that there is no memory for says at least that. */
void bough_post_answer(const struct bough_asker *asker, enum bough_status status,
                       const void *reply, size_t size)
{
    struct bough_loop *to = asker->loop;

    if (to->is_abroad) to = bough_answer_abroad(asker, status, reply, size);
    if (to == NULL) return;

    struct bough_letter *letter =
        bough_letter_new(to, BOUGH_LETTER_ANSWER, BOUGH_NOBODY, size);

    if (letter == NULL) {
        letter = bough_letter_must(to, BOUGH_LETTER_ANSWER, BOUGH_NOBODY, 0);
        if (status == BOUGH_OK) status = BOUGH_ENOMEM;
        size = 0;
    }
    letter->from = *asker;
    letter->number = status;
    bough_copy_bytes(letter->bytes, reply, size);
    bough_post(letter);
}

void bough_deliver_answer(struct bough_loop *loop, struct bough_letter *letter)
{
    (void)loop;
    bough_answer(&letter->from, (enum bough_status)letter->number, letter->bytes,
                 letter->len);
}
