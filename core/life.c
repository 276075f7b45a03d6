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
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

/* Messages in one turn: a snapshot of the mailbox, capped, so that a long mailbox is run
 * while its cells are warm and still lets others have theirs. */
enum { TURN_MAX = 1024 };

/* When there is no memory for a reason: its kind, at least. */
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
    bough_slot_unqueue(slot);
    slot->urgent = true;
    slot->task.run = urgent_turn;
    bough_queue_push(&slot->loop->urgent, &slot->task);
    bough_loop_hold(slot->loop);
}

/* Events */

uint64_t bough_slot_event(struct bough_actor *slot, enum bough_event_kind kind,
                          uint64_t cause, const struct bough_exit_reason *reason)
{
    const struct bough_name *name = bough_slot_name(slot);

    if (name == NULL) return 0;

    struct bough_event event = {
        .kind = kind,
        .path = name->path,
        .type = slot->type->name,
        .life = slot->life,
        .cause = cause,
        .reason = reason,
    };
    return bough_event_report(slot->loop->runtime, &event);
}

static uint64_t cause_of(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL ? name->cause : 0;
}

static void set_cause(struct bough_actor *slot, uint64_t cause)
{
    struct bough_name *name = bough_slot_name(slot);

    if (name != NULL) name->cause = cause;
}

/* The slot of the parent, when there is one that lives. */
static struct bough_actor *parent_of(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL && name->parent != NULL ? name->parent->slot : NULL;
}

/* Doom */

/* Ends without a sentence, and those for whose sentence there is no memory. */
const struct bough_exit_reason *bough_slot_reason(const struct bough_actor *slot)
{
    const bool kept = slot->annex != NULL && slot->annex->reason != NULL;

    return kept ? slot->annex->reason : &bare_reasons[slot->end_kind];
}

static bool is_bare(const struct bough_exit_reason *reason)
{
    return reason->text[0] == '\0' && reason->number == 0 &&
           reason->status == bare_reasons[reason->kind].status;
}

static void keep_reason(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    struct bough_exit_reason *kept = NULL;

    slot->end_kind = (unsigned char)reason->kind;
    slot->gate.doomed = true;
    if (is_bare(reason)) return;

    struct bough_annex *annex = bough_slot_annex(slot);
    if (annex != NULL) kept = bough_pool_take(&slot->loop->pool, sizeof(*kept));
    if (kept == NULL) return;
    *kept = *reason;
    annex->reason = kept;
}

static void drop_reason(struct bough_actor *slot)
{
    struct bough_annex *annex = slot->annex;

    slot->gate.doomed = false;
    if (annex == NULL || annex->reason == NULL) return;
    bough_pool_give(&slot->loop->pool, annex->reason, sizeof(*annex->reason));
    annex->reason = NULL;
}

void bough_slot_doom(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t cause)
{
    if (!bough_slot_lives(slot) || slot->gate.doomed) return;
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

/* Lives are counted by the loop of the place above them. One that is started from there
 * on another loop is counted by who asks for it, before it begins. */
void bough_life_over(struct bough_actor *parent)
{
    struct bough_name *above = bough_slot_name(parent);

    bough_assert(above->child_lives > 0);
    above->child_lives--;
    if (parent->ending && above->child_lives == 0) bough_slot_hurry(parent);
}

void bough_life_uncount(struct bough_actor *slot)
{
    struct bough_actor *parent = parent_of(slot);
    struct bough_name *name = bough_slot_name(slot);

    if (name != NULL) atomic_store_explicit(&name->asked, false, memory_order_release);
    if (parent == NULL) return;
    if (bough_loop_is_near(parent->loop)) {
        bough_life_over(parent);
    } else {
        bough_post_life_over((struct bough_address){ parent, parent->place, 0 });
    }
}

static void take_state(struct bough_actor *slot, void *state)
{
    struct bough_actor *parent = parent_of(slot);
    struct bough_name *name = bough_slot_name(slot);

    memset(state, 0, slot->type->state_size);
    slot->state = state;
    slot->begun = false;
    slot->gate.unready = false;
    slot->gate.paused = false;
    slot->stop_asked = false;
    slot->ending = false;
    slot->loop->counts.lives++;
    if (parent != NULL && bough_loop_is_near(parent->loop))
        bough_slot_name(parent)->child_lives++;
    if (name != NULL) name->started_ms = bough_loop_time(slot->loop);
}

static void give_state(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    bough_slot_unqueue(slot);
    bough_pool_give(&loop->pool, slot->state, state_bytes(slot->type));
    slot->state = NULL;
    loop->counts.lives--;
    bough_life_uncount(slot);
}

static bool has_child_lives(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return name != NULL && name->child_lives > 0;
}

static void kill_children(struct bough_actor *slot)
{
    const struct bough_exit_reason killed =
        bough_exit_make(BOUGH_EXIT_KILLED, BOUGH_OK, 0, "its parent ended");

    struct bough_runtime *runtime = slot->loop->runtime;

    bough_runtime_lock(runtime);
    for (struct bough_name *child = bough_slot_name(slot)->first; child != NULL;
         child = child->next) {
        if (bough_loop_is_near(child->slot->loop)) {
            bough_slot_doom(child->slot, &killed, slot->loop->cause);
        } else {
            bough_post_end((struct bough_address){ child->slot, child->slot->place, 0 },
                           &killed, slot->loop->cause);
        }
    }
    bough_runtime_unlock(runtime);
}

/* The state is given back as if the life had never been, but for its number. */
static enum bough_status fail_start(struct bough_actor *slot, enum bough_status status,
                                    const struct bough_start *start,
                                    struct bough_exit_reason *failure)
{
    struct bough_exit_reason reason = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);

    if (status == BOUGH_IGNORE) {
        reason = bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_IGNORE, 0, "not wanted now");
    } else if (slot->gate.doomed) {
        reason = *bough_slot_reason(slot);
    }
    bough_owned_release_all(slot);
    drop_reason(slot);
    if (has_child_lives(slot)) kill_children(slot);
    give_state(slot);
    const uint64_t seq =
        bough_slot_event(slot, BOUGH_EVENT_EXITED, start->cause, &reason);
    if (start->watch != NULL) start->watch->seq = seq;
    if (failure != NULL) *failure = reason;
    return status;
}

/* Whether lives may be started under it. */
static bool may_start_children(const struct bough_actor *parent)
{
    return !parent->gate.doomed && !parent->ending;
}

static enum bough_status refuse_start(const struct bough_actor *slot)
{
    const struct bough_actor *parent = parent_of(slot);

    if (bough_slot_lives(slot)) return BOUGH_ERUNNING;
    if (slot->type == NULL) return BOUGH_EINVALID;
    if (slot->loop->closing) return BOUGH_EGONE;
    if (parent != NULL && bough_loop_is_near(parent->loop) && !may_start_children(parent))
        return BOUGH_EGONE;
    return BOUGH_OK;
}

static enum bough_status refuse_far(const struct bough_start *start,
                                    struct bough_exit_reason *failure,
                                    enum bough_status status)
{
    if (start->watch != NULL) start->watch->seq = 0;
    if (failure != NULL) *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
    return status;
}

/* Before it is posted: it may come back at once. */
static void count_far(struct bough_actor *slot)
{
    const struct bough_actor *parent = parent_of(slot);
    struct bough_name *name = bough_slot_name(slot);

    if (name != NULL) atomic_store_explicit(&name->asked, true, memory_order_relaxed);
    if (parent != NULL && bough_loop_is_near(parent->loop))
        bough_slot_name(parent)->child_lives++;
}

/* Asks for a life on another loop; what comes of it, a start that fails too, is told by
 * the watch. */
enum bough_status bough_life_start_far(struct bough_actor *slot,
                                       const struct bough_start *start,
                                       struct bough_exit_reason *failure)
{
    const struct bough_address place = { slot, slot->place, 0 };
    struct bough_actor *parent = parent_of(slot);
    struct bough_asker id;

    if (bough_slot_lives_far(slot)) return refuse_far(start, failure, BOUGH_ERUNNING);
    if (parent != NULL && bough_loop_is_near(parent->loop) && !may_start_children(parent))
        return refuse_far(start, failure, BOUGH_EGONE);
    if (start->watch != NULL && !bough_watch_enter(start->watch, place, &id)) {
        bough_watch_leave(start->watch);
        return refuse_far(start, failure, BOUGH_ENOMEM);
    }
    count_far(slot);
    if (!bough_post_start(place, start, start->watch != NULL ? &id : NULL)) {
        bough_life_uncount(slot);
        if (start->watch != NULL) bough_watch_leave(start->watch);
        return refuse_far(start, failure, BOUGH_ENOMEM);
    }
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

static const void *options_of(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->options : NULL;
}

/* A life that fails to start is told by `failure` alone; the place is then as it was. */
enum bough_status bough_life_start(struct bough_actor *slot,
                                   const struct bough_start *start,
                                   struct bough_exit_reason *failure)
{
    enum bough_status status = refuse_start(slot);
    if (status != BOUGH_OK) {
        if (failure != NULL)
            *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
        return status;
    }
    const unsigned char before = slot->gate.phase;
    const bool can_watch = start->watch == NULL || bough_slot_annex(slot) != NULL;
    void *state =
        can_watch ? bough_pool_take(&slot->loop->pool, state_bytes(slot->type)) : NULL;

    if (state == NULL) {
        if (failure != NULL) *failure = bare_reasons[BOUGH_EXIT_ERROR];
        return BOUGH_ENOMEM;
    }
    take_state(slot, state);
    bough_poke_next(&slot->life);
    slot->gate.phase = BOUGH_PLACE_STARTING;
    set_cause(slot, start->cause);

    status =
        slot->type->init != NULL ? slot->type->init(slot, options_of(slot)) : BOUGH_OK;
    if (status != BOUGH_OK) {
        slot->gate.phase = before;
        return fail_start(slot, status, start, failure);
    }
    if (start->restart && bough_slot_name(slot) != NULL)
        bough_slot_name(slot)->restarts++;
    if (start->watch != NULL) {
        const bool watched = bough_watch_add(slot, start->watch);
        bough_assert(watched);
    }
    set_cause(slot, bough_slot_event(slot, BOUGH_EVENT_STARTED, start->cause, NULL));
    slot->begun = true;
    if (!slot->gate.unready && !slot->gate.doomed) bough_life_ready(slot);
    bough_loop_hold(slot->loop);
    return BOUGH_OK;
}

/* End */

/* Where a place without a supervisor above it comes to rest: nobody will start it again.
 */
static bool stays_empty(const struct bough_actor *slot)
{
    const struct bough_name *name = bough_slot_name(slot);

    return slot->fleeting || (name != NULL && name->parent == NULL);
}

static void rest(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    if (stays_empty(slot)) {
        bough_slot_settle(slot, bough_exit_good(reason) ? BOUGH_PLACE_STOPPED
                                                        : BOUGH_PLACE_FAILED);
    } else {
        slot->gate.phase = BOUGH_PLACE_RESTARTING;
        bough_mail_flush(slot, slot->discard, BOUGH_EGONE);
    }
}

static void complete_end(struct bough_actor *slot)
{
    const struct bough_exit_reason reason = *bough_slot_reason(slot);
    const uint64_t cause = cause_of(slot);

    if (slot->type->finish != NULL) slot->type->finish(slot);
    bough_owned_release_all(slot);
    slot->gate.phase = BOUGH_PLACE_RESTARTING;
    drop_reason(slot);
    give_state(slot);
    set_cause(slot, 0);
    rest(slot, &reason);

    const uint64_t seq = bough_slot_event(slot, BOUGH_EVENT_EXITED, cause, &reason);
    bough_watches_exited(slot, &reason, seq);
    if (slot->fleeting) bough_slot_vacate(slot, seq);
}

static void end_life(struct bough_actor *slot)
{
    if (!slot->ending) {
        slot->ending = true;
        slot->gate.phase = BOUGH_PLACE_STOPPING;
        bough_owned_release_all(slot);
        if (has_child_lives(slot)) kill_children(slot);
    }
    if (!has_child_lives(slot)) complete_end(slot);
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
        bough_exit(slot, BOUGH_EXIT_SHUTDOWN);
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
    const uint32_t all = slot->length < TURN_MAX ? slot->length : TURN_MAX;
    uint32_t left = all;

    if (left == 0 || !bough_slot_is_open(slot)) return;
    loop->running = slot;
    do {
        run_message(loop, slot);
    } while (--left > 0 && bough_slot_is_open(slot) && loop->urgent.head == NULL &&
             bough_loop_step(loop));
    slot->handled += all - left;
    bough_poke(&slot->seen_length, slot->length);
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
    if (slot->stop_asked && !slot->gate.doomed) begin_stop(slot);
    if (slot->gate.doomed) {
        end_life(slot);
        return;
    }
    if (loop->urgent.head == NULL) run_messages(loop, slot);
    bough_slot_queue(slot);
}
