/* mailbox.c - messages on their way: cells, the bounded queue, and what is not delivered.
 *
 * A message is copied into a cell from the loop's pool and linked to the receiver's
 * queue; an empty mailbox has no memory. A send to an idle actor queues its turn, and
 * that is all: no lock, no system call, and in the steady state no allocation.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>
#include <bough/core/quarantine_internal.h>

enum { REPORT_EVERY_MS = 1000 };

/* Dead letters */

/* Tells at once of the first, then once a second how many more there were. The timeout is
 * armed before the report: the log may itself lead to a dead letter. */
void bough_mail_report(struct bough_loop *loop, struct bough_timeout *timeout)
{
    const uint64_t count = loop->letters_unreported;

    if (count == 0) return;
    loop->letters_unreported = 0;
    bough_wheel_add(&loop->wheel, timeout, loop->now_ms + REPORT_EVERY_MS);
    bough_log(loop->runtime, BOUGH_WARNING,
              loop->letters_slot != NULL ? bough_slot_path(loop->letters_slot) : "",
              "%llu message%s could not be delivered", (unsigned long long)count,
              count == 1 ? "" : "s");
}

void bough_dead_letter(struct bough_loop *loop, struct bough_actor *slot)
{
    loop->counts.dead_letters++;
    loop->letters_unreported++;
    loop->letters_slot = slot;
    if (loop->letters_timeout.link == NULL && !loop->closing) {
        bough_mail_report(loop, &loop->letters_timeout);
    }
}

/* Queue */

static bool takes_mail(const struct bough_actor *slot)
{
    return slot->gate.phase != BOUGH_PLACE_STOPPED &&
           slot->gate.phase != BOUGH_PLACE_FAILED;
}

/* One who has no annex and for whom there is no memory goes uncounted. */
static void count_dropped(struct bough_actor *slot)
{
    struct bough_annex *annex = bough_slot_annex(slot);

    if (annex != NULL) annex->dropped++;
}

static enum bough_status refuse(struct bough_actor *slot, const struct bough_asker *asker,
                                enum bough_status status)
{
    count_dropped(slot);
    if (asker == NULL) bough_dead_letter(slot->loop, slot);
    return status;
}

/* What was taken, and is not going to be run. */
static void lose(struct bough_actor *slot, const struct bough_asker *asker,
                 enum bough_status status)
{
    count_dropped(slot);
    if (asker != NULL && asker->loop != NULL) {
        bough_answer(asker, status, NULL, 0);
    } else {
        bough_dead_letter(slot->loop, slot);
    }
}

static void lose_cell(struct bough_actor *slot, struct bough_cell *cell,
                      enum bough_status status)
{
    bough_quarantine_forget(slot, cell);
    lose(slot, bough_cell_asker(cell), status);
    bough_cell_free(slot->loop, cell);
}

/* High and normal */

static void link_high(struct bough_actor *slot, struct bough_cell *cell, uint32_t life)
{
    struct bough_annex *annex = slot->annex;

    if (annex->high == NULL) annex->high_tail = &annex->high;
    cell->next = NULL;
    cell->life = life;
    *annex->high_tail = cell;
    annex->high_tail = &cell->next;
    slot->length++;
    slot->gate.detour |= BOUGH_DETOUR_HIGH;
}

static void link_normal(struct bough_actor *slot, struct bough_cell *cell, uint32_t life)
{
    if (bough_is_large(cell->size)) slot->gate.detour |= BOUGH_DETOUR_LARGE;
    bough_mail_link(slot, cell, life);
}

static struct bough_cell *pop_high(struct bough_actor *slot)
{
    struct bough_cell *cell = slot->annex->high;

    slot->annex->high = cell->next;
    if (cell->next == NULL) slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_HIGH;
    slot->length--;
    return cell;
}

static bool has_high(const struct bough_actor *slot)
{
    return (slot->gate.detour & BOUGH_DETOUR_HIGH) != 0;
}

void bough_mail_put_first(struct bough_actor *slot, struct bough_cell *cell, bool high)
{
    struct bough_cell **first = high ? &slot->annex->high : &slot->mail;

    if (*first == NULL) {
        if (high)
            link_high(slot, cell, cell->life);
        else
            bough_mail_link(slot, cell, cell->life);
        return;
    }
    cell->next = *first;
    *first = cell;
    slot->length++;
}

struct bough_cell *bough_mail_take(struct bough_actor *slot)
{
    return has_high(slot) ? pop_high(slot) : bough_mail_pop(slot);
}

/* The message that makes room: the oldest of the lowest priority. */
static struct bough_cell *oldest(struct bough_actor *slot)
{
    return slot->mail != NULL ? bough_mail_pop(slot) : pop_high(slot);
}

/* Sending */

static struct bough_cell *new_note(struct bough_loop *loop, const struct bough_mail *mail)
{
    struct bough_cell *cell = bough_note_take(loop);

    if (cell == NULL) cell = bough_note_take_slowly(loop);
    if (cell != NULL) bough_cell_write(cell, mail->bytes, mail->size);
    return cell;
}

static struct bough_cell *new_cell(struct bough_loop *loop, struct bough_mail *mail)
{
    if (mail->buffer == NULL || !bough_is_large(mail->size))
        return bough_cell_new(loop, mail->bytes, mail->size);

    struct bough_cell *cell = bough_cell_hold(loop, mail->buffer);
    if (cell != NULL) mail->buffer = NULL;
    return cell;
}

struct bough_cell *bough_mail_wrap(struct bough_loop *loop, struct bough_mail *mail)
{
    const bool asked = mail->asker != NULL;

    if (!asked && mail->size <= BOUGH_NOTE_MAX) return new_note(loop, mail);

    struct bough_cell *cell = new_cell(loop, mail);
    if (cell != NULL)
        *bough_cell_front(cell) =
            asked ? *mail->asker : (struct bough_asker){ .loop = NULL };
    return cell;
}

/* Whether there is no room. A sender on another loop has asked before it sent, but for
 * what drives the oldest out: that is known here alone. */
static bool is_full(const struct bough_actor *slot, const struct bough_mail *mail)
{
    if (mail->marked) return false; /* it has found room where it waits, too */
    if (mail->reserved && slot->when_full != BOUGH_DROP_OLDEST) return false;
    return slot->length >= slot->capacity;
}

/* Whom it is for is there, and takes mail. */
static enum bough_status take(struct bough_actor *slot, uint32_t life,
                              struct bough_mail *mail)
{
    const bool full = is_full(slot, mail);

    if (full && mail->needs_room) return BOUGH_EFULL;
    const enum bough_full choice =
        full ? bough_full_choose(slot, mail->high) : BOUGH_FULL_TAKE;

    if (choice == BOUGH_FULL_REFUSE) return refuse(slot, mail->asker, BOUGH_EFULL);
    if (choice == BOUGH_FULL_DROP) {
        lose(slot, mail->asker, BOUGH_EFULL);
        return BOUGH_OK;
    }
    if (mail->high && bough_slot_annex(slot) == NULL) return BOUGH_ENOMEM;

    struct bough_cell *cell = bough_mail_wrap(slot->loop, mail);
    if (cell == NULL) return BOUGH_ENOMEM;

    struct bough_cell *lost = choice == BOUGH_FULL_TRADE ? oldest(slot) : NULL;
    if (mail->marked) life = BOUGH_CELL_MARKED;
    if (mail->high)
        link_high(slot, cell, life);
    else
        link_normal(slot, cell, life);
    bough_slot_queue(slot);
    if (full && lost == NULL) bough_full_hold_up(slot);
    /* Last of all: the log that is told of it may itself send. */
    if (lost != NULL) lose_cell(slot, lost, BOUGH_EFULL);
    return BOUGH_OK;
}

static enum bough_status accept(struct bough_address address, struct bough_mail *mail)
{
    struct bough_actor *slot = bough_slot(address);

    if (slot == NULL) {
        /* The slot has another tenant, who is not to be blamed. */
        if (mail->asker == NULL) bough_dead_letter(address.slot->loop, NULL);
        return BOUGH_EGONE;
    }
    if (!takes_mail(slot) || (address.life != 0 && !bough_slot_lives(slot))) {
        if (mail->needs_room) return BOUGH_EGONE;
        return refuse(slot, mail->asker, BOUGH_EGONE);
    }
    if (mail->size > BOUGH_BLOCK_MAX) return BOUGH_ETOOLARGE;
    return take(slot, address.life, mail);
}

enum bough_status bough_mail_push(struct bough_address address, struct bough_mail *mail)
{
    address = bough_moved(address);
    if (address.slot == NULL) return BOUGH_EGONE;
    if (!bough_loop_is_near(address.slot->loop)) return bough_post_message(address, mail);
    return accept(address, mail);
}

enum bough_status bough_mail_accept(struct bough_address address, struct bough_mail *mail)
{
    const struct bough_address moved = bough_moved(address);

    if (moved.slot != address.slot) return bough_mail_push(moved, mail);
    mail->reserved = true;
    return accept(address, mail);
}

/* Emptying */

/* What stays was sent to the place. What was marked waits elsewhere, and is sent anew. */
static void flush(struct bough_actor *slot, struct bough_cell *cell, bool high, bool all,
                  enum bough_status status)
{
    while (cell != NULL) {
        struct bough_cell *next = cell->next;

        if (cell->life == BOUGH_CELL_MARKED) {
            bough_cell_free(slot->loop, cell);
        } else if (all || cell->life != 0) {
            lose_cell(slot, cell, status);
        } else if (high) {
            link_high(slot, cell, 0);
        } else {
            link_normal(slot, cell, 0);
        }
        cell = next;
    }
    bough_poke(&slot->seen_length, slot->length);
}

void bough_mail_flush_slowly(struct bough_actor *slot, bool all, enum bough_status status)
{
    struct bough_cell *high = has_high(slot) ? slot->annex->high : NULL;
    struct bough_cell *normal = slot->mail;

    bough_assert(slot->loop->message == NULL || slot->loop->running != slot);
    slot->mail = NULL;
    slot->mail_tail = &slot->mail;
    slot->length = 0;
    if (high != NULL) slot->annex->high = NULL;
    slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_HIGH;
    flush(slot, high, true, all, status);
    flush(slot, normal, false, all, status);
}

/* Public */

static enum bough_status push(struct bough_address address, const void *message,
                              size_t size, bool high)
{
    struct bough_mail mail = { .bytes = message, .size = size, .high = high };

    if (bough_post_try(address, &mail)) return BOUGH_OK;
    return bough_mail_push(address, &mail);
}

/* Not a part of what follows, which would save registers for it before the short way. */
static __attribute__((noinline)) enum bough_status send(struct bough_address address,
                                                        const void *message, size_t size)
{
    if (bough_mail_try(address, message, size, NULL)) return BOUGH_OK;
    return push(address, message, size, false);
}

enum bough_status bough_send_bytes(struct bough_address address, const void *message,
                                   size_t size)
{
    if (bough_is_small(size) && bough_mail_try(address, message, size, NULL))
        return BOUGH_OK;
    return send(address, message, size);
}

/* From code outside of any actor, or to an actor that runs nothing just now, for it is
 * paused or waits for room. */
static struct bough_cell *put_note(struct bough_address address)
{
    struct bough_actor *slot = address.slot;
    struct bough_cell *cell = NULL;

    if (slot != NULL && bough_loop_is_near(slot->loop) &&
        bough_slot_fits(slot, address) && slot->gate.phase == BOUGH_PLACE_RUNNING &&
        slot->length < bough_peek(&slot->capacity))
        cell = bough_note_take(slot->loop);
    if (cell == NULL) return NULL;
    bough_mail_link(slot, cell, address.life);
    bough_slot_queue(slot);
    return cell;
}

static void write_words(struct bough_cell *cell, uint64_t first, uint64_t second,
                        size_t size)
{
    const uint64_t words[] = { first, second };

    cell->size = (uint32_t)size;
    memcpy(cell->bytes, words, sizeof(words));
}

static __attribute__((noinline)) enum bough_status
send_words(struct bough_address address, uint64_t first, uint64_t second, size_t size)
{
    const uint64_t words[] = { first, second };
    struct bough_cell *cell = put_note(address);

    if (cell == NULL) return push(address, words, size, false);
    write_words(cell, first, second, size);
    return BOUGH_OK;
}

/* Hot, the way of most messages: some 35 instructions. All words are written, whatever
 * the size: the smallest cell has room for them. The size comes late, for beside the life
 * a compiler puts the two into a vector first. */
BOUGH_HOT enum bough_status bough_send_words(struct bough_address address, uint64_t first,
                                             uint64_t second, size_t size)
{
    struct bough_cell *cell = bough_mail_is_plain(address, BOUGH_NOTE_MAX)
                                  ? bough_note_take(address.slot->loop)
                                  : NULL;

    if (__builtin_expect(cell == NULL, false))
        return send_words(address, first, second, size);
    bough_mail_enter(address, cell);
    write_words(cell, first, second, size);
    return BOUGH_OK;
}

enum bough_status bough_send_high(struct bough_address address, const void *message,
                                  size_t size)
{
    return push(address, message, size, true);
}

/* Takes the reference. */
static enum bough_status send_buffer(struct bough_address address,
                                     struct bough_buffer *buffer, bool high)
{
    struct bough_mail mail = {
        .bytes = bough_buffer_bytes(buffer),
        .size = bough_buffer_size(buffer),
        .buffer = buffer,
        .high = high,
    };
    const enum bough_status status = bough_mail_push(address, &mail);

    bough_buffer_drop(mail.buffer);
    return status;
}

enum bough_status bough_send_buffer(struct bough_address address,
                                    struct bough_buffer *buffer)
{
    return send_buffer(address, bough_buffer_share(buffer), false);
}

static enum bough_status send_block(struct bough_address address,
                                    struct bough_block *block, bool high)
{
    struct bough_buffer *buffer = bough_take_large(block);
    enum bough_status status = block->status;

    if (buffer != NULL) return send_buffer(address, buffer, high);
    if (status == BOUGH_OK) status = push(address, block->data, block->size, high);
    bough_block_finish(block);
    return status;
}

enum bough_status bough_send_block(struct bough_address address,
                                   struct bough_block *block)
{
    return send_block(address, block, false);
}

enum bough_status bough_send_block_high(struct bough_address address,
                                        struct bough_block *block)
{
    return send_block(address, block, true);
}

size_t bough_mailbox_length(struct bough_actor *actor)
{
    return actor->length;
}
