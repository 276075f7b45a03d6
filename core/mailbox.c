/* mailbox.c - messages on their way: cells, the bounded queue, and what is not delivered.
 *
 * A message is copied into a cell from the loop's pool and linked to the receiver's
 * queue; an empty mailbox has no memory. A send to an idle actor queues its turn, and
 * that is all: no lock, no system call, and in the steady state no allocation.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

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

static enum bough_status accept(struct bough_address address, const void *bytes,
                                size_t size, const struct bough_asker *asker,
                                bool reserved)
{
    struct bough_actor *slot = bough_slot(address);

    if (slot == NULL) {
        /* The slot has another tenant, who is not to be blamed. */
        if (asker == NULL) bough_dead_letter(address.slot->loop, NULL);
        return BOUGH_EGONE;
    }
    if (!takes_mail(slot) || (address.life != 0 && !bough_slot_lives(slot))) {
        return refuse(slot, asker, BOUGH_EGONE);
    }
    if (!reserved && slot->length >= slot->capacity)
        return refuse(slot, asker, BOUGH_EFULL);
    if (size > BOUGH_BLOCK_MAX) return BOUGH_ETOOLARGE;

    struct bough_cell *cell = bough_cell_new(slot->loop, bytes, size);
    if (cell == NULL) return BOUGH_ENOMEM;
    cell->asker = asker != NULL ? *asker : (struct bough_asker){ .loop = NULL };
    bough_mail_link(slot, cell, address.life);
    bough_slot_queue(slot);
    return BOUGH_OK;
}

enum bough_status bough_mail_push(struct bough_address address, const void *bytes,
                                  size_t size, const struct bough_asker *asker)
{
    address = bough_moved(address);
    if (address.slot == NULL) return BOUGH_EGONE;
    if (!bough_loop_is_near(address.slot->loop))
        return bough_post_message(address, bytes, size, asker);
    return accept(address, bytes, size, asker, false);
}

enum bough_status bough_mail_accept(struct bough_address address, const void *bytes,
                                    size_t size, const struct bough_asker *asker)
{
    const struct bough_address moved = bough_moved(address);

    if (moved.slot != address.slot) return bough_mail_push(moved, bytes, size, asker);
    return accept(address, bytes, size, asker, true);
}

void bough_mail_flush(struct bough_actor *slot, bool all, enum bough_status status)
{
    struct bough_cell *cell = slot->mail;

    slot->mail = NULL;
    slot->mail_tail = &slot->mail;
    slot->length = 0;
    while (cell != NULL) {
        struct bough_cell *next = cell->next;

        cell->next = NULL;
        if (all || cell->life != 0) {
            count_dropped(slot);
            if (cell->asker.loop != NULL) {
                bough_answer(&cell->asker, status, NULL, 0);
            } else {
                bough_dead_letter(slot->loop, slot);
            }
            bough_cell_free(slot->loop, cell);
        } else {
            *slot->mail_tail = cell;
            slot->mail_tail = &cell->next;
            slot->length++;
        }
        cell = next;
    }
    bough_poke(&slot->seen_length, slot->length);
}

/* Public */

enum bough_status bough_send(struct bough_address address, const void *message,
                             size_t size)
{
    if (bough_mail_try(address, message, size, NULL)) return BOUGH_OK;
    return bough_mail_push(address, message, size, NULL);
}

enum bough_status bough_send_block(struct bough_address address,
                                   struct bough_block *block)
{
    enum bough_status status = block->status;

    if (status == BOUGH_OK) status = bough_send(address, block->data, block->size);
    bough_block_finish(block);
    return status;
}

size_t bough_mailbox_length(struct bough_actor *actor)
{
    return actor->length;
}
