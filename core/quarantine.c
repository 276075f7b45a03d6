/* quarantine.c - what becomes of a message during which a life ended.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/quarantine.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/buffer.h>
#include <bough/core/mail_internal.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>

struct bough_quarantine_entry {
    struct bough_quarantine_entry *next;
    struct bough_buffer *message;
    struct bough_exit_reason reason;
    struct bough_quarantined shown; /* but for what it points to */
    char sender[];
};

/* The quarantine of a place */

struct bough_quarantine *bough_quarantine_new(uint32_t redeliver)
{
    struct bough_quarantine *made = calloc(1, sizeof(*made));

    if (made == NULL) return NULL;
    made->redeliver = redeliver;
    made->tail = &made->first;
    return made;
}

static void free_entry(struct bough_quarantine_entry *entry)
{
    bough_buffer_drop(entry->message);
    free(entry);
}

/* Takes one out of the list; `link` leads to it. */
static struct bough_quarantine_entry *unlink_entry(struct bough_quarantine *quarantine,
                                                   struct bough_quarantine_entry **link)
{
    struct bough_quarantine_entry *entry = *link;

    *link = entry->next;
    if (quarantine->tail == &entry->next) quarantine->tail = link;
    quarantine->count--;
    quarantine->size -= bough_buffer_size(entry->message);
    entry->next = NULL;
    return entry;
}

void bough_quarantine_free(struct bough_quarantine *quarantine)
{
    if (quarantine == NULL) return;
    bough_assert(quarantine->culprit == NULL && quarantine->again == NULL);
    while (quarantine->first != NULL)
        free_entry(unlink_entry(quarantine, &quarantine->first));
    free(quarantine);
}

/* What is in one stays when the place is furnished anew. */
void bough_slot_set_quarantine(struct bough_actor *slot, struct bough_quarantine *made)
{
    struct bough_quarantine *present = bough_quarantine_of(slot);

    slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_REDELIVERS;
    if (made != NULL) slot->gate.detour |= BOUGH_DETOUR_REDELIVERS;
    if (present == NULL) {
        if (made != NULL) slot->annex->quarantine = made;
        return;
    }
    present->redeliver = made != NULL ? made->redeliver : 0;
    bough_quarantine_free(made);
}

void bough_slot_free_quarantine(struct bough_actor *slot)
{
    if (bough_quarantine_of(slot) == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    bough_quarantine_free(slot->annex->quarantine);
    slot->annex->quarantine = NULL;
    bough_runtime_unlock(slot->loop->runtime);
}

/* Culprits */

void bough_quarantine_begins(const struct bough_actor *slot)
{
    const struct bough_quarantine *quarantine = slot->annex->quarantine;
    struct bough_loop *loop = slot->loop;

    /* To be the first it waits among those of high priority; elsewhere, too. */
    if (quarantine->again == loop->message && !slot->type->holds)
        loop->high = quarantine->again_high;
}

bool bough_quarantine_accuse(struct bough_actor *slot, struct bough_cell *cell, bool high,
                             bool blamed)
{
    struct bough_quarantine *quarantine = bough_quarantine_of(slot);

    if (quarantine == NULL || quarantine->redeliver == 0 || quarantine->culprit != NULL)
        return false;
    quarantine->culprit = cell;
    quarantine->culprit_high = quarantine->again == cell ? quarantine->again_high : high;
    quarantine->blamed = blamed;
    return true;
}

/* A type that holds messages stands for another one, which it hears from. */
bool bough_quarantine_is_due(const struct bough_actor *slot)
{
    return slot->gate.doomed && !slot->type->holds &&
           !bough_exit_good(bough_slot_reason(slot));
}

bool bough_quarantine_keeps(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_cell *cell = loop->message;

    if (!bough_quarantine_is_due(slot) ||
        !bough_quarantine_accuse(slot, cell, loop->high, true)) {
        bough_quarantine_forget(slot, cell);
        return false;
    }
    bough_question_take_back(loop->later, bough_cell_asker(cell));
    loop->message = NULL;
    loop->high = false;
    return true;
}

/* Putting away */

static struct bough_buffer *bytes_of(const struct bough_cell *cell)
{
    struct bough_buffer *buffer = bough_cell_buffer(cell);

    return buffer != NULL ? bough_buffer_share(buffer)
                          : bough_buffer_new(cell->bytes, cell->size);
}

/* The path of the actor that asks; "" when that is not one of a loop of this thread, or
 * has heard enough. */
static const char *sender_of(const struct bough_cell *cell)
{
    const struct bough_asker *asker = bough_cell_asker(cell);
    const struct bough_loop *loop = asker != NULL ? asker->loop : NULL;

    if (loop == NULL || loop->is_abroad || !bough_loop_is_near(loop)) return "";
    const struct bough_call *call =
        bough_ticket_find(&loop->calls, asker->index, asker->generation);
    return call != NULL && call->owner != NULL ? bough_slot_path(call->owner) : "";
}

/* NULL when memory is out. */
static struct bough_quarantine_entry *new_entry(const struct bough_actor *slot,
                                                const struct bough_exit_reason *reason,
                                                uint32_t lives)
{
    const struct bough_quarantine *quarantine = slot->annex->quarantine;
    const struct bough_cell *cell = quarantine->culprit;
    const char *sender = sender_of(cell);
    const size_t size = strlen(sender) + 1;
    struct bough_quarantine_entry *entry = calloc(1, sizeof(*entry) + size);

    if (entry == NULL) return NULL;
    entry->message = bytes_of(cell);
    if (entry->message == NULL) {
        free(entry);
        return NULL;
    }
    memcpy(entry->sender, sender, size);
    bough_exit_copy(&entry->reason, reason);
    entry->shown = (struct bough_quarantined){
        .realtime_ns = bough_runtime_realtime_ns(slot->loop->runtime),
        .type = bough_slot_shown_type(slot),
        .high = quarantine->culprit_high,
        .asked = bough_cell_is_asked(cell),
        .life = slot->life,
        .lives = lives,
    };
    return entry;
}

static bool is_too_much(const struct bough_quarantine *quarantine)
{
    return quarantine->count > BOUGH_QUARANTINE_MAX ||
           (quarantine->size > BOUGH_QUARANTINE_SIZE && quarantine->count > 1);
}

static void append(struct bough_actor *slot, struct bough_quarantine_entry *entry)
{
    struct bough_quarantine *quarantine = slot->annex->quarantine;

    bough_runtime_lock(slot->loop->runtime);
    entry->shown.number = ++quarantine->last_number;
    *quarantine->tail = entry;
    quarantine->tail = &entry->next;
    quarantine->count++;
    quarantine->size += bough_buffer_size(entry->message);
    while (is_too_much(quarantine)) {
        free_entry(unlink_entry(quarantine, &quarantine->first));
        quarantine->lost++;
    }
    bough_runtime_unlock(slot->loop->runtime);
}

static const char *message_name(const struct bough_actor *slot,
                                const struct bough_cell *cell)
{
    const struct bough_message_type *row = bough_message_row(
        bough_slot_shown_type(slot), bough_cell_bytes(cell), cell->size);

    return row != NULL ? row->name : "";
}

static void report(struct bough_actor *slot, const struct bough_exit_reason *reason,
                   uint64_t cause, uint64_t number, uint32_t lives)
{
    const struct bough_quarantine *quarantine = slot->annex->quarantine;
    const char *name = message_name(slot, quarantine->culprit);
    struct bough_event event = {
        .kind = BOUGH_EVENT_QUARANTINED,
        .path = bough_slot_path(slot),
        .type = bough_slot_shown_type(slot)->name,
        .life = slot->life,
        .cause = cause,
        .reason = reason,
        .message = name,
        .number = number,
        .lives = lives,
    };

    if (bough_slot_name(slot) != NULL) bough_event_report(slot->loop->runtime, &event);
    bough_log(slot->loop->runtime, BOUGH_WARNING, event.path,
              "a message \"%s\" has ended %u li%s and is %s", name, lives,
              lives == 1 ? "fe" : "ves",
              number > 0 ? "in quarantine" : "lost: no memory to keep it");
}

static void put_away(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t seq, uint32_t lives)
{
    struct bough_quarantine *quarantine = slot->annex->quarantine;
    struct bough_quarantine_entry *entry = new_entry(slot, reason, lives);

    if (entry != NULL)
        append(slot, entry);
    else
        quarantine->lost++;
    report(slot, reason, seq, entry != NULL ? entry->shown.number : 0, lives);
}

/* Judging */

/* What was sent to a life, and what nobody is expected for, has no next try. */
static bool has_next_try(const struct bough_actor *slot, const struct bough_cell *cell)
{
    return cell->life == 0 && slot->gate.phase == BOUGH_PLACE_RESTARTING;
}

static void try_again(struct bough_actor *slot, struct bough_cell *cell, uint32_t lives)
{
    struct bough_quarantine *quarantine = slot->annex->quarantine;

    quarantine->again = cell;
    quarantine->again_high = quarantine->culprit_high;
    quarantine->lives = lives;
    bough_mail_put_first(slot, cell, true);
    bough_poke(&slot->seen_length, slot->length);
}

void bough_quarantine_judge(struct bough_actor *slot,
                            const struct bough_exit_reason *reason, uint64_t seq)
{
    struct bough_quarantine *quarantine = slot->annex->quarantine;
    struct bough_cell *cell = quarantine->culprit;

    if (cell == NULL) return;
    const bool has_tries = quarantine->redeliver > 1 && has_next_try(slot, cell);
    const uint32_t before = quarantine->again == cell ? quarantine->lives : 0;
    const uint32_t lives = before + (quarantine->blamed ? 1 : 0);

    quarantine->again = NULL;
    if (has_tries && lives < quarantine->redeliver) {
        try_again(slot, cell, lives);
    } else {
        if (quarantine->blamed) put_away(slot, reason, seq, lives);
        if (bough_cell_is_asked(cell)) bough_answer_end(bough_cell_asker(cell), reason);
        bough_cell_free(slot->loop, cell);
    }
    quarantine->culprit = NULL;
}

/* Public */

/* The quarantine of a place, under the lock. Errors: BOUGH_EGONE; `*quarantine` NULL is a
 * place that has none. */
static enum bough_status enter(struct bough_address place,
                               struct bough_quarantine **quarantine)
{
    if (bough_slot(place) == NULL) return BOUGH_EGONE;
    bough_runtime_lock(place.slot->loop->runtime);
    const struct bough_actor *slot = bough_slot_follow(place);
    if (slot != NULL) {
        *quarantine = bough_quarantine_of(slot);
        return BOUGH_OK;
    }
    bough_runtime_unlock(place.slot->loop->runtime);
    return BOUGH_EGONE;
}

static void leave(struct bough_address place)
{
    bough_runtime_unlock(place.slot->loop->runtime);
}

static struct bough_quarantined view(const struct bough_quarantine_entry *entry)
{
    struct bough_quarantined shown = entry->shown;

    shown.message = bough_buffer_bytes(entry->message);
    shown.size = bough_buffer_size(entry->message);
    shown.sender = entry->sender;
    shown.reason = &entry->reason;
    return shown;
}

enum bough_status bough_quarantine_visit(struct bough_address place,
                                         bough_quarantine_visitor *visitor, void *data)
{
    struct bough_quarantine *quarantine;
    const enum bough_status status = enter(place, &quarantine);

    if (status != BOUGH_OK) return status;
    const struct bough_quarantine_entry *entry =
        quarantine != NULL ? quarantine->first : NULL;
    for (; entry != NULL; entry = entry->next) {
        const struct bough_quarantined shown = view(entry);

        visitor(data, &shown);
    }
    leave(place);
    return BOUGH_OK;
}

/* Takes out the one of that number; of all, the oldest up to `last`. NULL: none. */
static struct bough_quarantine_entry *take_out(struct bough_quarantine *quarantine,
                                               uint64_t number, uint64_t last)
{
    struct bough_quarantine_entry **link = quarantine != NULL ? &quarantine->first : NULL;

    if (link == NULL) return NULL;
    if (number != BOUGH_QUARANTINE_ALL)
        while (*link != NULL && (*link)->shown.number != number)
            link = &(*link)->next;
    if (*link == NULL || (*link)->shown.number > last) return NULL;
    return unlink_entry(quarantine, link);
}

/* To where it was. */
static void put_in(struct bough_quarantine *quarantine,
                   struct bough_quarantine_entry *entry)
{
    struct bough_quarantine_entry **link = &quarantine->first;

    while (*link != NULL && (*link)->shown.number < entry->shown.number)
        link = &(*link)->next;
    entry->next = *link;
    if (*link == NULL) quarantine->tail = &entry->next;
    *link = entry;
    quarantine->count++;
    quarantine->size += bough_buffer_size(entry->message);
}

/* False: its place has gone meanwhile. */
static bool give_in(struct bough_address place, struct bough_quarantine_entry *entry)
{
    struct bough_quarantine *quarantine;

    if (enter(place, &quarantine) != BOUGH_OK) return false;
    if (quarantine != NULL) put_in(quarantine, entry);
    leave(place);
    return quarantine != NULL;
}

/* Each is taken out for what is done with it, and is in again when that cannot be done:
 * so that nobody else does the same at that time. */
typedef enum bough_status act_function(struct bough_address place,
                                       struct bough_quarantine_entry *entry);

static enum bough_status act_on_one(struct bough_address place, uint64_t number,
                                    uint64_t last, act_function *act)
{
    struct bough_quarantine *quarantine;
    enum bough_status status = enter(place, &quarantine);

    if (status != BOUGH_OK) return status;
    struct bough_quarantine_entry *entry = take_out(quarantine, number, last);
    leave(place);
    if (entry == NULL) return BOUGH_ENOTFOUND;
    status = act(place, entry);
    if (status == BOUGH_OK || !give_in(place, entry)) free_entry(entry);
    return status;
}

static enum bough_status act_on(struct bough_address place, uint64_t number,
                                size_t *count, act_function *act)
{
    struct bough_quarantine *quarantine;
    enum bough_status status = enter(place, &quarantine);
    size_t done = 0;

    if (status != BOUGH_OK) return status;
    const uint64_t last = quarantine != NULL ? quarantine->last_number : 0;
    leave(place);
    do {
        status = act_on_one(place, number, last, act);
        if (status == BOUGH_OK) done++;
    } while (status == BOUGH_OK && number == BOUGH_QUARANTINE_ALL);
    if (count != NULL) *count = done;
    return status == BOUGH_ENOTFOUND && number == BOUGH_QUARANTINE_ALL ? BOUGH_OK
                                                                       : status;
}

static enum bough_status send_back(struct bough_address place,
                                   struct bough_quarantine_entry *entry)
{
    struct bough_place_info info;
    struct bough_mail mail = {
        .bytes = bough_buffer_bytes(entry->message),
        .size = bough_buffer_size(entry->message),
        .buffer = bough_buffer_share(entry->message),
        .high = entry->shown.high,
        .needs_room = true,
    };
    enum bough_status status = bough_place_info(place, &info);

    if (status == BOUGH_OK && info.speaks != entry->shown.type) status = BOUGH_EINVALID;
    place.life = 0;
    if (status == BOUGH_OK) status = bough_mail_push(place, &mail);
    bough_buffer_drop(mail.buffer);
    return status;
}

enum bough_status bough_quarantine_put_back(struct bough_address place, uint64_t number,
                                            size_t *count)
{
    return act_on(place, number, count, send_back);
}

static enum bough_status forget_it(struct bough_address place,
                                   struct bough_quarantine_entry *entry)
{
    (void)place, (void)entry;
    return BOUGH_OK;
}

enum bough_status bough_quarantine_drop(struct bough_address place, uint64_t number,
                                        size_t *count)
{
    return act_on(place, number, count, forget_it);
}
