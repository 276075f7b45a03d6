/* life.c - how a life begins, takes its turns, and ends.
 *
 * Nothing ends from inside a callback. Whatever is to end a life (its own bough_fail() or
 * bough_exit(), a kill, the end of its parent) leaves a reason and queues the slot in the
 * system lane; the next turn begins the end:
 *
 *     what it owns is taken back -> the lives under it are killed, and awaited ->
 * finish()
 *     -> its state is released -> mail sent to this life is answered -> event `exited`
 *     -> its watches are told
 *
 * so that a watch that fires says: nothing of this life is left.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime_internal.h>
#include <bough/core/slot_internal.h>

/* Messages in one turn: a snapshot of the mailbox, capped, so that a long mailbox is run
 * while its cells are warm and still lets others have theirs. */
enum { TURN_MAX = 1024 };

/* Reasons that say no more than their kind, as most do; and what is left of the others
 * when there is no memory for them. */
static const struct bough_exit_reason bare_reasons[BOUGH_EXIT_KIND_COUNT] = {
    [BOUGH_EXIT_NORMAL] = { .kind = BOUGH_EXIT_NORMAL },
    [BOUGH_EXIT_SHUTDOWN] = { .kind = BOUGH_EXIT_SHUTDOWN },
    [BOUGH_EXIT_ERROR] = { .kind = BOUGH_EXIT_ERROR, .status = BOUGH_ENOMEM },
    [BOUGH_EXIT_KILLED] = { .kind = BOUGH_EXIT_KILLED },
    [BOUGH_EXIT_SIGNAL] = { .kind = BOUGH_EXIT_SIGNAL },
    [BOUGH_EXIT_CODE] = { .kind = BOUGH_EXIT_CODE },
    [BOUGH_EXIT_TIMEOUT] = { .kind = BOUGH_EXIT_TIMEOUT },
    [BOUGH_EXIT_LOST] = { .kind = BOUGH_EXIT_LOST },
};

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

/* Events */

static __attribute__((noinline)) uint64_t report(const struct bough_actor *slot,
                                                 enum bough_event_kind kind,
                                                 uint64_t cause,
                                                 const struct bough_exit_reason *reason)
{
    struct bough_event event = {
        .kind = kind,
        .path = slot->name->path,
        .type = slot->type->name,
        .life = slot->life,
        .cause = cause,
        .reason = reason,
    };
    return bough_event_report(slot->loop->runtime, &event);
}

/* Four in a restart, which nobody may listen to: then they are four numbers. */
uint64_t bough_slot_event(struct bough_actor *slot, enum bough_event_kind kind,
                          uint64_t cause, const struct bough_exit_reason *reason)
{
    struct bough_runtime *runtime = slot->loop->runtime;

    if (slot->name == NULL) return 0;
    if (runtime->options.event == NULL) return bough_runtime_next_seq(runtime);
    return report(slot, kind, cause, reason);
}

static uint64_t cause_of(const struct bough_actor *slot)
{
    return slot->name != NULL ? slot->name->cause : 0;
}

static void set_cause(struct bough_actor *slot, uint64_t cause)
{
    if (slot->name != NULL) slot->name->cause = cause;
}

/* The slot of the parent, when there is one that lives. */
static struct bough_actor *parent_of(const struct bough_actor *slot)
{
    const bool has_parent = slot->name != NULL && slot->name->parent != NULL;

    return has_parent ? slot->name->parent->slot : NULL;
}

/* Doom */

static void keep_bare_reason(struct bough_actor *slot, enum bough_exit_kind kind)
{
    slot->reason = (struct bough_exit_reason *)(uintptr_t)&bare_reasons[kind];
    slot->gate.doomed = true;
}

static bool is_bare(const struct bough_exit_reason *reason)
{
    return reason->text[0] == '\0' && reason->number == 0 &&
           reason->status == bare_reasons[reason->kind].status;
}

static void keep_reason(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    bough_assert(reason->kind < BOUGH_EXIT_KIND_COUNT);

    struct bough_exit_reason *kept =
        is_bare(reason) ? NULL : bough_pool_take(&slot->loop->pool, sizeof(*kept));

    if (kept == NULL) {
        keep_bare_reason(slot, reason->kind);
        return;
    }
    bough_exit_copy(kept, reason);
    slot->reason = kept;
    slot->gate.doomed = true;
}

/* Its reason to end, which it has no more; to be released with free_reason(). */
static struct bough_exit_reason *take_reason(struct bough_actor *slot)
{
    struct bough_exit_reason *reason = slot->reason;

    slot->reason = NULL;
    slot->gate.doomed = false;
    return reason;
}

static void free_reason(struct bough_loop *loop, struct bough_exit_reason *reason)
{
    const struct bough_exit_reason *first = bare_reasons;

    if (reason < first || reason >= first + BOUGH_EXIT_KIND_COUNT)
        bough_pool_give(&loop->pool, reason, sizeof(*reason));
}

void bough_slot_doom(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t cause)
{
    if (!bough_slot_lives(slot) || slot->reason != NULL) return;
    if (cause != 0) set_cause(slot, cause);
    keep_reason(slot, reason);
    bough_slot_hurry(slot);
}

/* Start */

/* A life without a state has an address for it all the same. */
static size_t state_bytes(const struct bough_actor_type *type)
{
    return type->state_size > 0 ? type->state_size : 1;
}

/* A block of the pool can be cleared in steps of the smallest: 6 instructions for a small
 * state, for which memset() takes 25. */
static void clear(void *state, size_t size)
{
    enum { SMALL = 4 * BOUGH_POOL_SMALLEST };

    if (size > SMALL) {
        memset(state, 0, size);
        return;
    }
    for (size_t at = 0; at < size; at += BOUGH_POOL_SMALLEST)
        memset((char *)state + at, 0, BOUGH_POOL_SMALLEST);
}

static void take_state(struct bough_actor *slot, struct bough_actor *parent, void *state)
{
    clear(state, slot->type->state_size);
    slot->state = state;
    slot->begun = false;
    slot->gate.unready = false;
    slot->gate.paused = false;
    slot->stop_asked = false;
    slot->ending = false;
    slot->loop->counts.lives++;
    if (parent != NULL) parent->name->child_lives++;
    if (slot->name != NULL) slot->name->started_ms = bough_loop_time(slot->loop);
}

static void give_state(struct bough_actor *slot)
{
    struct bough_actor *parent = parent_of(slot);
    struct bough_loop *loop = slot->loop;

    if (slot->task.link != NULL) bough_slot_unqueue(slot);
    bough_pool_give(&loop->pool, slot->state, state_bytes(slot->type));
    slot->state = NULL;
    loop->counts.lives--;
    if (parent == NULL) return;
    bough_assert(parent->name->child_lives > 0);
    parent->name->child_lives--;
    if (parent->ending && parent->name->child_lives == 0) bough_slot_hurry(parent);
}

static void kill_children(struct bough_actor *slot)
{
    const struct bough_exit_reason killed =
        bough_exit_make(BOUGH_EXIT_KILLED, BOUGH_OK, 0, "its parent ended");

    for (struct bough_name *child = slot->name->first; child != NULL;
         child = child->next) {
        bough_slot_doom(child->slot, &killed, slot->loop->cause);
    }
}

/* The state is given back as if the life had never been, but for its number. */
static enum bough_status fail_start(struct bough_actor *slot, enum bough_status status,
                                    const struct bough_start *start,
                                    struct bough_exit_reason *failure)
{
    struct bough_exit_reason reason = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);

    if (status == BOUGH_IGNORE) {
        reason = bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_IGNORE, 0, "not wanted now");
    } else if (slot->reason != NULL) {
        reason = *slot->reason;
    }
    bough_owned_release_all(slot);
    if (slot->reason != NULL) free_reason(slot->loop, take_reason(slot));
    if (slot->name != NULL && slot->name->child_lives > 0) kill_children(slot);
    give_state(slot);
    const uint64_t seq =
        bough_slot_event(slot, BOUGH_EVENT_EXITED, start->cause, &reason);
    if (start->watch != NULL) start->watch->seq = seq;
    if (failure != NULL) *failure = reason;
    return status;
}

static enum bough_status refuse_start(const struct bough_actor *slot,
                                      const struct bough_actor *parent)
{
    if (bough_slot_lives(slot)) return BOUGH_ERUNNING;
    if (slot->type == NULL) return BOUGH_EINVALID;
    if (slot->loop->closing) return BOUGH_EGONE;
    if (parent != NULL && (parent->reason != NULL || parent->ending)) return BOUGH_EGONE;
    return BOUGH_OK;
}

void bough_life_ready(struct bough_actor *slot)
{
    if (slot->gate.phase != BOUGH_PLACE_STARTING) return;
    slot->gate.phase = BOUGH_PLACE_RUNNING;

    const uint64_t seq = bough_slot_event(slot, BOUGH_EVENT_READY, cause_of(slot), NULL);
    set_cause(slot, 0);
    bough_watches_ready(slot, seq);
    bough_slot_queue(slot);
}

/* A life that fails to start is told by `failure` alone; the place is then as it was. */
enum bough_status bough_life_start(struct bough_actor *slot,
                                   const struct bough_start *start,
                                   struct bough_exit_reason *failure)
{
    struct bough_actor *parent = parent_of(slot);
    enum bough_status status = refuse_start(slot, parent);
    if (status != BOUGH_OK) {
        if (failure != NULL)
            *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
        return status;
    }
    const unsigned char before = slot->gate.phase;
    void *state = bough_pool_take(&slot->loop->pool, state_bytes(slot->type));

    if (state == NULL) {
        if (failure != NULL) *failure = bare_reasons[BOUGH_EXIT_ERROR];
        return BOUGH_ENOMEM;
    }
    take_state(slot, parent, state);
    if (++slot->life == 0) slot->life = 1;
    slot->gate.phase = BOUGH_PLACE_STARTING;
    set_cause(slot, start->cause);

    status = slot->type->init != NULL ? slot->type->init(slot, slot->options) : BOUGH_OK;
    if (status != BOUGH_OK) {
        slot->gate.phase = before;
        return fail_start(slot, status, start, failure);
    }
    if (start->restart && slot->name != NULL) slot->name->restarts++;
    if (start->watch != NULL) bough_watch_add(slot, start->watch);
    set_cause(slot, bough_slot_event(slot, BOUGH_EVENT_STARTED, start->cause, NULL));
    slot->begun = true;
    if (!slot->gate.unready && slot->reason == NULL) bough_life_ready(slot);
    bough_loop_hold(slot->loop);
    return BOUGH_OK;
}

/* End */

/* Where a place without a supervisor above it comes to rest: nobody will start it again.
 */
static bool stays_empty(const struct bough_actor *slot)
{
    return slot->fleeting || (slot->name != NULL && slot->name->parent == NULL);
}

static void rest(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    if (stays_empty(slot)) {
        bough_slot_settle(slot, bough_exit_good(reason) ? BOUGH_PLACE_STOPPED
                                                        : BOUGH_PLACE_FAILED);
    } else {
        slot->gate.phase = BOUGH_PLACE_RESTARTING;
        if (slot->mail != NULL) bough_mail_flush(slot, slot->discard, BOUGH_EGONE);
    }
}

static void complete_end(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    const uint64_t cause = cause_of(slot);

    if (slot->type->finish != NULL) slot->type->finish(slot);
    bough_owned_release_all(slot);
    slot->gate.phase = BOUGH_PLACE_RESTARTING;
    struct bough_exit_reason *reason = take_reason(slot);
    give_state(slot);
    set_cause(slot, 0);
    rest(slot, reason);

    const uint64_t seq = bough_slot_event(slot, BOUGH_EVENT_EXITED, cause, reason);
    bough_watches_exited(slot, reason, seq);
    free_reason(loop, reason);
    if (slot->fleeting) bough_slot_vacate(slot, seq);
}

static void end_life(struct bough_actor *slot)
{
    if (!slot->ending) {
        slot->ending = true;
        slot->gate.phase = BOUGH_PLACE_STOPPING;
        bough_owned_release_all(slot);
        if (slot->name != NULL && slot->name->child_lives > 0) kill_children(slot);
    }
    if (slot->name == NULL || slot->name->child_lives == 0) complete_end(slot);
}

static void begin_stop(struct bough_actor *slot)
{
    slot->stop_asked = false;
    if (slot->gate.phase == BOUGH_PLACE_STOPPING) return;
    slot->gate.phase = BOUGH_PLACE_STOPPING;
    bough_slot_event(slot, BOUGH_EVENT_STOPPING, cause_of(slot), NULL);
    if (slot->type->stop != NULL) {
        slot->type->stop(slot);
    } else {
        keep_bare_reason(slot, BOUGH_EXIT_SHUTDOWN);
    }
}

/* Turns */

/* A message that is not one of the type's own kinds was sent to the wrong address. */
static bool is_known(const struct bough_actor *slot, const struct bough_cell *cell)
{
    const struct bough_actor_type *type = slot->type;
    uint32_t kind;

    if (type->messages == NULL) return true;
    if (cell->size < type->message_size || cell->size < sizeof(kind)) return false;
    memcpy(&kind, cell->bytes, sizeof(kind));
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
    if (slot->reason != NULL) {
        bough_answer_end(&cell->asker, slot->reason);
    } else {
        bough_answer(&cell->asker, BOUGH_ENOREPLY, NULL, 0);
    }
}

/* Hot: a message's whole way but the send, in some 45 instructions. The asker is looked
 * at once, after the run, when a reply has cleared it; what is rare is called. */
static inline void run_message(struct bough_loop *loop, struct bough_actor *slot)
{
    struct bough_cell *cell = bough_mail_pop(slot);

    slot->handled++;
    loop->message = cell;
    if (is_known(slot, cell)) {
        slot->type->run(slot, cell->bytes, cell->size);
    } else {
        refuse_unknown(cell);
    }
    if (cell->asker.loop != NULL) answer_for(slot, cell);
    bough_cell_free(loop, cell);
}

/* Messages that came during the turn have the next one: an actor that tells itself to go
 * on lets others have theirs. The system lane goes first, so a turn ends when something
 * is there. */
static inline __attribute__((always_inline)) void run_messages(struct bough_loop *loop,
                                                               struct bough_actor *slot)
{
    uint32_t left = slot->length < TURN_MAX ? slot->length : TURN_MAX;

    if (left == 0 || !bough_slot_is_open(slot)) return;
    loop->running = slot;
    do {
        run_message(loop, slot);
    } while (--left > 0 && bough_slot_is_open(slot) && loop->urgent.head == NULL &&
             bough_loop_step(loop));
    loop->running = NULL;
    loop->message = NULL;
}

/* A turn in the ready list. Whoever is to stop or to end is queued in the system lane, so
 * that nothing of it is asked here: of a turn of one message, all that is not the message
 * itself is some 25 instructions. */
void bough_slot_turn(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_actor *slot = bough_container(task, struct bough_actor, task);

    run_messages(loop, slot);
    bough_slot_queue(slot);
}

/* A turn in the system lane: to stop or to end, before any message is run. */
static void urgent_turn(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_actor *slot = bough_container(task, struct bough_actor, task);

    slot->urgent = false;
    slot->task.run = bough_slot_turn;
    if (!bough_slot_lives(slot)) return;
    if (slot->stop_asked && slot->reason == NULL) begin_stop(slot);
    if (slot->reason != NULL) {
        end_life(slot);
        return;
    }
    if (loop->urgent.head == NULL) run_messages(loop, slot);
    bough_slot_queue(slot);
}
