/* turn.c - a life's turns: messages in the ready list, stops and ends in the system lane;
 * and the drain, in which they come.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>

/* Messages in one turn: a snapshot of the mailbox, capped, so that a long mailbox is run
 * while its cells are warm and still lets others have theirs. */
enum { TURN_MAX = 1024 };

static void urgent_turn(struct bough_loop *loop, struct bough_task *task);

/* Queueing */

void bough_slot_unqueue(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    bough_queue_remove(slot->urgent ? &loop->urgent : &loop->ready, &slot->task);
    slot->urgent = false;
    slot->task.run = bough_slot_turn;
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

/* A message that is not one of the type's own kinds was sent to the wrong address. */
static bool is_known(const struct bough_actor *slot, const struct bough_cell *cell)
{
    const struct bough_actor_type *type = slot->type;
    uint32_t kind;

    if (type->messages == NULL) return true;
    if (cell->size < type->message_size || cell->size < sizeof(kind)) return false;
    memcpy(&kind, bough_cell_bytes(cell), sizeof(kind));
    return kind < type->message_count;
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

/* Hot: a message's whole way but the send, in some 45 instructions. The asker is looked
 * at once, after the run, when a reply has cleared it; what is rare is called. */
static inline void run_message(struct bough_loop *loop, struct bough_actor *slot)
{
    struct bough_cell *cell = bough_mail_pop(slot);

    loop->message = cell;
    if (is_known(slot, cell)) {
        slot->type->run(slot, bough_cell_bytes(cell), cell->size);
    } else {
        refuse_unknown(cell);
    }
    if (cell->asker.loop != NULL) answer_for(slot, cell);
    bough_cell_free(loop, cell);
}

static inline uint32_t snapshot(const struct bough_actor *slot)
{
    return slot->length < TURN_MAX ? slot->length : TURN_MAX;
}

/* The system lane goes first, so a turn ends when something is there. */
static inline bool goes_on(struct bough_loop *loop)
{
    return loop->urgent.head == NULL && bough_loop_step(loop);
}

static inline void end_turn(struct bough_loop *loop, struct bough_actor *slot,
                            uint32_t count)
{
    slot->handled += count;
    bough_poke(&slot->seen_length, slot->length);
    loop->running = NULL;
    loop->message = NULL;
}

static void observe(const struct bough_loop *loop, bool over)
{
    if (loop->message->life == BOUGH_CELL_MARKED) bough_observed(loop, over);
}

/* The same in two steps, for the long way and for batches. */
struct bough_cell *bough_turn_next(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    loop->high = (slot->gate.detour & BOUGH_DETOUR_HIGH) != 0;
    loop->message = bough_mail_take(slot);
    if ((slot->gate.detour & BOUGH_DETOUR_OBSERVED) != 0) observe(loop, false);
    if (is_known(slot, loop->message)) return loop->message;
    refuse_unknown(loop->message);
    loop->message->asker.loop = NULL;
    return NULL;
}

void bough_turn_done(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_cell *cell = loop->message;

    if (cell == NULL) return;
    if (cell->asker.loop != NULL) answer_for(slot, cell);
    if ((slot->gate.detour & BOUGH_DETOUR_OBSERVED) != 0) observe(loop, true);
    loop->message = NULL;
    loop->high = false;
    bough_cell_free(loop, cell);
}

static uint32_t run_one_by_one(struct bough_loop *loop, struct bough_actor *slot,
                               uint32_t count)
{
    uint32_t left = count;

    do {
        const struct bough_cell *cell = bough_turn_next(slot);

        if (cell != NULL) slot->type->run(slot, bough_cell_bytes(cell), cell->size);
        bough_turn_done(slot);
    } while (--left > 0 && bough_slot_is_open(slot) && goes_on(loop));
    return count - left;
}

/* A turn with more to it than running one message after the other. */
static __attribute__((noinline)) void take_detour(struct bough_loop *loop,
                                                  struct bough_actor *slot)
{
    const uint32_t all = snapshot(slot);

    if (!bough_slot_is_open(slot)) return;
    loop->running = slot;
    const uint32_t count = (slot->gate.detour & BOUGH_DETOUR_BATCH) != 0
                               ? bough_batch_turn(slot, all)
                               : run_one_by_one(loop, slot, all);
    end_turn(loop, slot, count);
    bough_full_relax(slot);
}

/* Messages that came during the turn have the next one: an actor that tells itself to go
 * on lets others have theirs. */
static inline __attribute__((always_inline)) void run_messages(struct bough_loop *loop,
                                                               struct bough_actor *slot)
{
    const uint32_t all = snapshot(slot);
    uint32_t left = all;

    if (left == 0) return;
    if (!bough_slot_is_plain(slot)) {
        take_detour(loop, slot);
        return;
    }
    loop->running = slot;
    do {
        run_message(loop, slot);
    } while (--left > 0 && bough_slot_is_plain(slot) && goes_on(loop));
    end_turn(loop, slot, all - left);
}

/* A turn in the ready list. Whoever is to stop or to end is queued in the system lane, so
 * that nothing of it is asked here: of a turn of one message, all that is not the message
 * itself is some 25 instructions. */
static inline __attribute__((always_inline)) void take_turn(struct bough_loop *loop,
                                                            struct bough_actor *slot)
{
    run_messages(loop, slot);
    if (slot->length > 0) bough_slot_queue_at_work(slot);
}

void bough_slot_turn(struct bough_loop *loop, struct bough_task *task)
{
    take_turn(loop, bough_container(task, struct bough_actor, task));
}

/* A turn in the system lane: to stop or to end, before any message is run. */
static void urgent_turn(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_actor *slot = bough_container(task, struct bough_actor, task);

    slot->urgent = false;
    slot->task.run = bough_slot_turn;
    if (!bough_slot_lives(slot)) return;
    if (slot->stop_asked && !slot->gate.doomed) bough_life_stop(slot);
    if (slot->gate.doomed) {
        bough_life_end(slot);
        return;
    }
    if (loop->urgent.head == NULL) run_messages(loop, slot);
    bough_slot_queue(slot);
}

/* Hot, for most turns are of one message: such a turn is part of this function, where the
 * registers are saved once for all of them. What other loops have sent is taken between
 * turns. */
size_t bough_loop_drain(struct bough_loop *loop, size_t budget, int64_t until_ns)
{
    bough_loop_begin_drain(loop, budget, until_ns);
    while (!loop->spent) {
        if (bough_parcels_wait(loop)) bough_parcels_take(loop);
        if (!bough_loop_is_busy(loop)) break;

        struct bough_task *task =
            bough_queue_pop(loop->urgent.head != NULL ? &loop->urgent : &loop->ready);

        if (task->run == bough_slot_turn) {
            take_turn(loop, bough_container(task, struct bough_actor, task));
        } else {
            task->run(loop, task);
        }
        if (!loop->spent) bough_loop_step(loop);
    }
    return bough_loop_end_drain(loop);
}
