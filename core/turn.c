/* turn.c - a life's turns: messages in the ready list, stops and ends in the system lane;
 * and the drain, in which they come.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/elsewhere.h>
#include <bough/core/letter_internal.h>
#include <bough/core/quarantine_internal.h>

static void urgent_turn(struct bough_loop *loop, struct bough_task *task);

/* Queueing */

void bough_slot_unqueue(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    bough_queue_remove(slot->urgent ? &loop->urgent : &loop->ready, &slot->task);
    slot->urgent = false;
    slot->task.run = NULL;
}

void bough_slot_hurry(struct bough_actor *slot)
{
    if (slot->urgent) return;
    if (slot->task.link != NULL) bough_slot_unqueue(slot);
    slot->urgent = true;
    slot->task.run = urgent_turn;
    bough_queue_push(&slot->loop->urgent, &slot->task);
    bough_loop_hold(slot->loop);
}

/* Messages */

/* A message that is not one of the type's own kinds was sent to the wrong address. Types
 * without a table of kinds have none of them, so that others are not asked for it. */
static inline bool is_known(const struct bough_actor_type *type,
                            const struct bough_cell *cell, const void *bytes)
{
    uint32_t kind;

    memcpy(&kind, bytes, sizeof(kind));
    return cell->size >= type->message_size && kind < type->message_count;
}

static __attribute__((noinline)) void refuse_unknown(const struct bough_cell *cell)
{
    static const char text[] = "the message is not one of this type's";

    bough_answer(&cell->asker, BOUGH_EINVALID, text, sizeof(text));
}

static __attribute__((noinline)) void answer_for(const struct bough_actor *slot,
                                                 const struct bough_cell *cell)
{
    if (slot->gate.doomed) {
        bough_answer_end(&cell->asker, bough_slot_reason(slot));
    } else {
        bough_answer(&cell->asker, BOUGH_ENOREPLY, NULL, 0);
    }
}

/* Runs a message which is not of a known kind when its type does not say which it has. */
static __attribute__((noinline)) void run_unknown(struct bough_actor *slot,
                                                  struct bough_cell *cell)
{
    if (slot->type->messages == NULL) {
        slot->type->run(slot, bough_cell_bytes(cell), cell->size);
    } else {
        refuse_unknown(cell);
        cell->asker.loop = NULL;
    }
}

/* Hot: a message's whole way but the send, in some 30 instructions. The asker is looked
 * at once, after the run, when a reply has cleared it; what is rare is called. */
static inline void run_message(struct bough_loop *loop, struct bough_actor *slot,
                               struct bough_cell *cell)
{
    const struct bough_actor_type *type = slot->type;

    slot->length--;
    loop->message = cell;
    if (is_known(type, cell, cell->bytes)) {
        type->run(slot, cell->bytes, cell->size);
    } else {
        run_unknown(slot, cell);
    }
    if (cell->asker.loop != NULL) answer_for(slot, cell);
}

static inline void end_turn(struct bough_actor *slot, uint32_t count)
{
    const uint32_t length = slot->length;

    slot->handled += count;
    bough_poke(&slot->seen_length, length);
    if (length > 0) bough_slot_queue_at_work(slot);
}

static bool is_observed(const struct bough_actor *slot)
{
    return (slot->gate.detour & BOUGH_DETOUR_OBSERVED) != 0 &&
           slot->loop->message->life == BOUGH_CELL_MARKED;
}

/* Who stands for it elsewhere has the message, too, and is to decide what becomes of it.
 */
static void tell_observer(const struct bough_actor *slot, struct bough_cell *cell)
{
    const bool broke = bough_quarantine_is_due(slot);

    if (broke) {
        bough_question_take_back(slot->loop->later, &cell->asker);
        cell->asker.loop = NULL;
    } else if (cell->asker.loop != NULL) {
        answer_for(slot, cell);
    }
    bough_observed(slot, broke ? BOUGH_RUN_BROKE : BOUGH_RUN_OVER);
}

/* The same in two steps, for the long way and for batches. */
struct bough_cell *bough_turn_next(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    loop->high = (slot->gate.detour & BOUGH_DETOUR_HIGH) != 0;
    loop->message = bough_mail_take(slot);
    if ((slot->gate.detour & BOUGH_DETOUR_REDELIVERS) != 0) bough_quarantine_begins(slot);
    loop->later = NULL;
    if ((slot->gate.detour & BOUGH_DETOUR_OBSERVED) != 0) bough_loop_beats(loop, slot);
    if (is_observed(slot)) bough_observed(slot, BOUGH_RUN_BEGINS);
    if (slot->type->messages == NULL ||
        is_known(slot->type, loop->message, bough_cell_bytes(loop->message)))
        return loop->message;
    refuse_unknown(loop->message);
    loop->message->asker.loop = NULL;
    return NULL;
}

void bough_turn_done(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_cell *cell = loop->message;

    if (cell == NULL) return;
    if ((slot->gate.detour & BOUGH_DETOUR_REDELIVERS) != 0 &&
        bough_quarantine_keeps(slot))
        return;
    if (is_observed(slot))
        tell_observer(slot, cell);
    else if (cell->asker.loop != NULL)
        answer_for(slot, cell);
    loop->message = NULL;
    loop->high = false;
    bough_cell_free(loop, cell);
}

static uint32_t run_one_by_one(struct bough_loop *loop, struct bough_actor *slot,
                               uint32_t all)
{
    uint32_t count = 0;

    do {
        const struct bough_cell *cell = bough_turn_next(slot);

        if (cell != NULL) slot->type->run(slot, bough_cell_bytes(cell), cell->size);
        bough_turn_done(slot);
    } while (++count < all && bough_slot_is_open(slot) &&
             bough_turn_goes_on(loop, count));
    return count;
}

/* After a turn in the short way the loop still names who ran, for most are followed by
 * another turn. Before anything else is done, it is to be said that nobody runs. */
static inline void nobody_runs(struct bough_loop *loop)
{
    loop->running = NULL;
    loop->message = NULL;
}

/* A turn with more to it than running one message after the other. */
static __attribute__((noinline)) void take_detour(struct bough_loop *loop,
                                                  struct bough_actor *slot)
{
    const uint32_t all = slot->length;

    nobody_runs(loop);
    if (!bough_slot_is_open(slot)) return;
    loop->running = slot;
    const uint32_t count = (slot->gate.detour & BOUGH_DETOUR_BATCH) != 0
                               ? bough_batch_turn(slot, all)
                               : run_one_by_one(loop, slot, all);
    if (slot->length == 0) slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_LARGE;
    bough_full_relax(slot);
    end_turn(slot, count);
}

/* A turn of the ready list, where only those are that have messages. Whoever is to stop
 * or to end is queued in the system lane, so that nothing of it is asked here. What comes
 * during the turn has the next one: an actor that tells itself to go on lets others have
 * theirs. A message stays in the mailbox while it is run, and at the turn's end all that
 * were are taken out at once. */
static inline __attribute__((always_inline)) void run_messages(struct bough_loop *loop,
                                                               struct bough_actor *slot)
{
    const uint32_t all = slot->length;
    struct bough_cell *cell = slot->mail;
    uint32_t count = 0;

    if (!bough_slot_is_plain(slot)) {
        take_detour(loop, slot);
        return;
    }
    loop->running = slot;
    do {
        run_message(loop, slot, cell);

        struct bough_cell *next = cell->next;
        bough_cell_put(loop, cell);
        cell = next;
    } while (++count < all && bough_slot_is_plain(slot) &&
             bough_turn_goes_on(loop, count));
    slot->mail = cell;
    if (__builtin_expect(cell == NULL, true)) slot->mail_tail = &slot->mail;
    end_turn(slot, count);
}

/* A turn in the system lane: to stop or to end, before any message is run. */
static void urgent_turn(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_actor *slot = bough_container(task, struct bough_actor, task);

    slot->urgent = false;
    slot->task.run = NULL;
    if (!bough_slot_lives(slot)) return;
    if (slot->stop_asked && !slot->gate.doomed) bough_life_stop(slot);
    if (slot->gate.doomed) {
        bough_life_end(slot);
        return;
    }
    if (loop->urgent.head == NULL && slot->length > 0) run_messages(loop, slot);
    bough_slot_queue(slot);
}

/* Looks at the clock and after other loops. False: this drain is over. */
static bool look_around(struct bough_loop *loop)
{
    nobody_runs(loop);
    bough_loop_look(loop);
    if (loop->spent) return false;
    if (bough_parcels_wait(loop)) bough_parcels_take(loop);
    return true;
}

/* Not a part of what follows, for which to look whether there is one is then enough. */
static __attribute__((noinline)) struct bough_task *next_urgent(struct bough_loop *loop)
{
    return bough_queue_pop(&loop->urgent);
}

static inline struct bough_task *next_task(struct bough_loop *loop)
{
    if (__builtin_expect(loop->urgent.head != NULL, false)) return next_urgent(loop);
    if (loop->ready.head != NULL) return bough_queue_pop(&loop->ready);
    return NULL;
}

/* When nothing is ready here: something may have come from other loops. */
static __attribute__((noinline)) struct bough_task *
task_from_afar(struct bough_loop *loop)
{
    nobody_runs(loop);
    if (bough_parcels_wait(loop)) bough_parcels_take(loop);
    return next_task(loop);
}

/* Hot, for most turns are of one message: such a turn is part of this function, where the
 * registers are saved once for all of them, and all that is not the message itself is
 * some 35 instructions of it. Other loops are looked after when the clock is, and when
 * nothing is ready. */
BOUGH_HOT size_t bough_loop_drain(struct bough_loop *loop, size_t budget,
                                  int64_t until_ns)
{
    bough_loop_begin_drain(loop, budget, until_ns);
    if (loop->spent) return 0;
    do {
        struct bough_task *task = next_task(loop);

        if (task == NULL) task = task_from_afar(loop);
        if (task == NULL) break;
        if (task->run == NULL) {
            run_messages(loop, bough_container(task, struct bough_actor, task));
        } else {
            nobody_runs(loop);
            task->run(loop, task);
        }
    } while (--loop->look_in > 0 || look_around(loop));
    return bough_loop_end_drain(loop);
}
