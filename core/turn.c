/* turn.c - a life's turns: messages in the ready list, stops and ends in the system lane;
 * and the drain, in which they come.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/observe_internal.h>
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
    bough_loop_queue_urgent(slot->loop, &slot->task);
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

    if (!bough_cell_is_asked(cell)) return;
    bough_answer(bough_cell_asker(cell), BOUGH_EINVALID, text, sizeof(text));
    bough_cell_set_told(cell);
}

static __attribute__((noinline, cold)) void answer_for(const struct bough_actor *slot,
                                                       const struct bough_cell *cell)
{
    if (slot->gate.doomed) {
        bough_answer_end(bough_cell_asker(cell), bough_slot_reason(slot));
    } else {
        bough_answer(bough_cell_asker(cell), BOUGH_ENOREPLY, NULL, 0);
    }
}

/* Runs a message which is not of a known kind when its type does not say which it has. */
static __attribute__((noinline, cold)) void run_unknown(struct bough_actor *slot,
                                                        struct bough_cell *cell)
{
    if (slot->type->messages == NULL) {
        slot->type->run(slot, bough_message_bytes(slot->loop), cell->size);
    } else {
        refuse_unknown(cell);
    }
}

/* Hot: a message's whole way but the send, in some 25 instructions. The asker is looked
 * at once, after the run, when a reply has cleared it; what is rare is called. */
static inline __attribute__((always_inline)) void
run_message(struct bough_loop *loop, struct bough_actor *slot,
            const struct bough_actor_type *type, struct bough_cell *cell)
{
    loop->message = cell;
    if (is_known(type, cell, cell->bytes)) {
        type->run(slot, cell->bytes, cell->size);
    } else {
        run_unknown(slot, cell);
    }
    slot->handled++;
    if (bough_cell_is_asked(cell)) answer_for(slot, cell);
}

static inline void end_turn(struct bough_actor *slot)
{
    const uint32_t length = slot->length;

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
static inline void tell_observer(const struct bough_actor *slot, struct bough_cell *cell)
{
    const bool broke = slot->gate.doomed && bough_quarantine_is_due(slot);

    if (broke) {
        bough_question_take_back(slot->loop->later, bough_cell_asker(cell));
        bough_cell_set_told(cell);
    } else if (bough_cell_is_asked(cell)) {
        answer_for(slot, cell);
    }
    bough_marked_ran(slot, broke);
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
    if (is_observed(slot)) bough_marked_begins(slot);
    if (slot->type->messages == NULL ||
        is_known(slot->type, loop->message, bough_cell_bytes(loop->message)))
        return loop->message;
    refuse_unknown(loop->message);
    return NULL;
}

void bough_turn_done(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_cell *cell = loop->message;

    if (cell == NULL) return;
    slot->handled++;
    if ((slot->gate.detour & BOUGH_DETOUR_REDELIVERS) != 0 &&
        bough_quarantine_keeps(slot))
        return;
    if (is_observed(slot))
        tell_observer(slot, cell);
    else if (bough_cell_is_asked(cell))
        answer_for(slot, cell);
    loop->message = NULL;
    loop->high = false;
    bough_cell_free(loop, cell);
}

/* The last step of a turn that ends here is counted at its end, with that of others. */
bool bough_turn_looks(struct bough_loop *loop, uint32_t count)
{
    if (loop->urgent.head != NULL) {
        loop->look_in = 1;
        return false;
    }
    loop->look_in = loop->beyond;
    loop->beyond = 0;
    return loop->look_in > 0 || (bough_loop_look(loop) && count < BOUGH_TURN_MAX);
}

static void run_one_by_one(struct bough_loop *loop, struct bough_actor *slot,
                           uint32_t all)
{
    uint32_t count = 0;

    do {
        const struct bough_cell *cell = bough_turn_next(slot);

        if (cell != NULL) slot->type->run(slot, bough_cell_bytes(cell), cell->size);
        bough_turn_done(slot);
    } while (++count < all && bough_slot_is_open(slot) &&
             bough_turn_goes_on(loop, count));
}

/* After a turn in the short way the loop still names who ran, for most are followed by
 * another turn. Before anything else is done, it is to be said that nobody runs. */
static inline void nobody_runs(struct bough_loop *loop)
{
    loop->running = NULL;
    loop->message = NULL;
}

void bough_turn_of_lent(struct bough_actor *slot, struct bough_cell *cell,
                        const void *bytes)
{
    struct bough_loop *loop = slot->loop;

    loop->running = slot;
    loop->message = cell;
    loop->later = NULL;
    bough_loop_beats(loop, slot);
    bough_marked_begins(slot);
    if (is_known(slot->type, cell, bytes))
        slot->type->run(slot, bytes, cell->size);
    else
        run_unknown(slot, cell);
    slot->handled++;
    tell_observer(slot, cell);
    nobody_runs(loop);
}

/* A turn with more to it than running one message after the other. */
static __attribute__((noinline)) void take_detour(struct bough_loop *loop,
                                                  struct bough_actor *slot)
{
    const uint32_t all = slot->length;

    nobody_runs(loop);
    if (!bough_slot_is_open(slot)) return;
    loop->running = slot;
    if ((slot->gate.detour & BOUGH_DETOUR_BATCH) != 0) {
        bough_batch_turn(slot, all);
    } else {
        run_one_by_one(loop, slot, all);
    }
    if (slot->length == 0) slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_LARGE;
    bough_full_relax(slot);
    end_turn(slot);
}

/* After so many steps there is something to see to: the end of the turn. */
static void shorten(struct bough_loop *loop, uint32_t left)
{
    if (loop->look_in <= left) return;
    loop->beyond += loop->look_in - left;
    loop->look_in = left;
}

/* What shorten() and bough_loop_interrupt() have done is over. */
static void lengthen(struct bough_loop *loop)
{
    loop->look_in += loop->beyond;
    loop->beyond = 0;
}

/* Whether the turn is not over when it has come to what is to be seen to: its own end,
 * too. */
static __attribute__((noinline)) bool goes_on_slowly(struct bough_actor *slot,
                                                     uint32_t count, uint32_t all)
{
    struct bough_loop *loop = slot->loop;

    if (count == all) {
        loop->look_in = 1; /* the last step is counted with the turn */
        return false;
    }
    if (!bough_turn_looks(loop, count)) return false;
    shorten(loop, all - count);
    return true;
}

/* What the turn has left in the mailbox begins with that. */
static inline void leave(struct bough_actor *slot, struct bough_cell *first)
{
    slot->mail = first;
    if (first == NULL) slot->mail_tail = &slot->mail;
    end_turn(slot);
}

/* What comes during the turn has the next one: an actor that tells itself to go on lets
 * others have theirs. A message stays in the mailbox while it is run. */
static __attribute__((noinline)) BOUGH_HOT void
run_many(struct bough_loop *loop, struct bough_actor *slot, uint32_t all)
{
    const struct bough_actor_type *type = slot->type;
    const uint64_t before = slot->handled;
    struct bough_cell *cell = slot->mail;

    shorten(loop, all);
    for (;;) {
        slot->length--;
        run_message(loop, slot, type, cell);

        struct bough_cell *next = cell->next;
        bough_cell_put(loop, cell);
        cell = next;
        if (__builtin_expect(!bough_slot_is_plain(slot), false)) break;
        if (--loop->look_in > 0) continue;
        if (!goes_on_slowly(slot, (uint32_t)(slot->handled - before), all)) break;
    }
    /* But who waits in the system lane is seen to after this very step. */
    if (loop->urgent.head == NULL) lengthen(loop);
    leave(slot, cell);
}

/* Most turns are of one message. */
static inline __attribute__((always_inline)) void run_one(struct bough_loop *loop,
                                                          struct bough_actor *slot)
{
    struct bough_cell *cell = slot->mail;

    slot->length = 0;
    run_message(loop, slot, slot->type, cell);

    struct bough_cell *next = cell->next;
    bough_cell_put(loop, cell);
    leave(slot, next);
}

/* A turn of the ready list, where only those are that have messages. Whoever is to stop
 * or to end is queued in the system lane, so that nothing of it is asked here. */
static inline __attribute__((always_inline)) void run_messages(struct bough_loop *loop,
                                                               struct bough_actor *slot)
{
    const uint32_t all = slot->length;

    if (__builtin_expect(!bough_slot_is_plain(slot), false)) {
        take_detour(loop, slot);
        return;
    }
    loop->running = slot;
    if (__builtin_expect(all == 1, true)) {
        run_one(loop, slot);
    } else {
        run_many(loop, slot, all);
    }
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

/* The system lane first, all of it, and nobody runs but who is told to. False: this drain
 * is over. */
static __attribute__((noinline)) bool run_urgent(struct bough_loop *loop)
{
    while (loop->look_in > 0 || look_around(loop)) {
        if (loop->urgent.head == NULL) return true;

        struct bough_task *task = bough_queue_pop(&loop->urgent);
        nobody_runs(loop);
        task->run(loop, task);
        loop->look_in--;
        lengthen(loop);
    }
    return false;
}

static __attribute__((noinline)) bool see_to(struct bough_loop *loop)
{
    lengthen(loop);
    return run_urgent(loop);
}

/* When nothing is ready here: something may have come from other loops. */
static __attribute__((noinline)) struct bough_task *
task_from_afar(struct bough_loop *loop)
{
    nobody_runs(loop);
    if (bough_parcels_wait(loop)) bough_parcels_take(loop);
    if (loop->urgent.head != NULL) return bough_queue_pop(&loop->urgent);
    return loop->ready.head != NULL ? bough_queue_pop(&loop->ready) : NULL;
}

/* Hot, for most turns are of one message: such a turn is part of this function, where the
 * registers are saved once for all of them, and all that is not the message itself is
 * some 30 instructions of it. Other loops are looked after when the clock is, and when
 * nothing is ready. */
BOUGH_HOT size_t bough_loop_drain(struct bough_loop *loop, size_t budget,
                                  int64_t until_ns)
{
    bough_loop_begin_drain(loop, budget, until_ns);
    if (loop->spent) return 0;
    if (loop->urgent.head != NULL && !run_urgent(loop)) return bough_loop_end_drain(loop);
    do {
        struct bough_task *task = __builtin_expect(loop->ready.head != NULL, true)
                                      ? bough_queue_pop(&loop->ready)
                                      : task_from_afar(loop);

        if (task == NULL) break;
        if (__builtin_expect(task->run == NULL, true)) {
            run_messages(loop, bough_container(task, struct bough_actor, task));
        } else {
            nobody_runs(loop);
            task->run(loop, task);
        }
    } while (__builtin_expect(--loop->look_in > 0, true) || see_to(loop));
    return bough_loop_end_drain(loop);
}
