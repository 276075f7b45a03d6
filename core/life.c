/* life.c - how a life begins, and ends; its turns are in turn.c.
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
#include <bough/core/kept_reason_internal.h>
#include <bough/core/letter_internal.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>

/* Events */

static __attribute__((noinline)) uint64_t report(const struct bough_actor *slot,
                                                 enum bough_event_kind kind,
                                                 uint64_t cause,
                                                 const struct bough_exit_reason *reason)
{
    struct bough_event event = {
        .kind = kind,
        .path = bough_slot_path(slot),
        .type = bough_slot_shown_type(slot)->name,
        .life = slot->life,
        .cause = cause,
        .reason = reason,
        .pid = atomic_load_explicit(&bough_slot_name(slot)->pid, memory_order_relaxed),
    };
    return bough_event_report(slot->loop->runtime, &event);
}

/* Four in a restart, to which mostly nobody listens. */
uint64_t bough_slot_event(struct bough_actor *slot, enum bough_event_kind kind,
                          uint64_t cause, const struct bough_exit_reason *reason)
{
    const bool wanted = slot->loop->runtime->options.event != NULL;

    return wanted && bough_slot_name(slot) != NULL ? report(slot, kind, cause, reason)
                                                   : 0;
}

/* Of the name, which a start and an end look up once: NULL when there is none. */

static uint64_t cause_of(const struct bough_name *name)
{
    return name != NULL ? name->cause : 0;
}

static void set_cause(struct bough_name *name, uint64_t cause)
{
    if (name != NULL) name->cause = cause;
}

/* The slot of the parent; NULL: it has none. */
static struct bough_actor *parent_of(const struct bough_name *name)
{
    return name != NULL && name->parent != NULL ? name->parent->slot : NULL;
}

/* Doom */

const struct bough_exit_reason *bough_slot_reason(const struct bough_actor *slot)
{
    const bool kept = slot->annex != NULL && slot->annex->reason != NULL;

    return kept ? slot->annex->reason : bough_bare_reason(slot->end_kind);
}

static void keep_bare_reason(struct bough_actor *slot, enum bough_exit_kind kind)
{
    slot->end_kind = (unsigned char)kind;
    slot->gate.doomed = true;
}

static void keep_reason(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    bough_assert(reason->kind < BOUGH_EXIT_KIND_COUNT);
    keep_bare_reason(slot, reason->kind);
    if (bough_reason_is_bare(reason)) return;

    struct bough_annex *annex = bough_slot_annex(slot);
    if (annex != NULL) annex->reason = bough_reason_keep(slot->loop, reason);
}

/* Its reason to end, which it has no more; to be dropped. */
static const struct bough_exit_reason *take_reason(struct bough_actor *slot)
{
    const struct bough_exit_reason *reason = bough_slot_reason(slot);

    if (slot->annex != NULL) slot->annex->reason = NULL;
    slot->gate.doomed = false;
    return reason;
}

void bough_slot_doom(struct bough_actor *slot, const struct bough_exit_reason *reason,
                     uint64_t cause)
{
    if (!bough_slot_lives(slot) || slot->gate.doomed) return;
    if (cause != 0) set_cause(bough_slot_name(slot), cause);
    keep_reason(slot, reason);
    bough_slot_hurry(slot);
}

char *bough_slot_break(struct bough_actor *slot, enum bough_status status)
{
    if (!bough_slot_lives(slot) || slot->gate.doomed) return NULL;
    keep_bare_reason(slot, BOUGH_EXIT_ERROR);
    bough_slot_hurry(slot);

    struct bough_annex *annex = bough_slot_annex(slot);
    struct bough_exit_reason *reason =
        annex != NULL ? bough_reason_new(slot->loop) : NULL;
    if (reason == NULL) return NULL;
    reason->kind = BOUGH_EXIT_ERROR;
    reason->status = status;
    reason->number = 0;
    annex->reason = reason;
    return reason->text;
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
    struct bough_name *name = bough_slot_name(slot);
    struct bough_actor *parent = parent_of(name);

    if (name != NULL) atomic_store_explicit(&name->asked, false, memory_order_release);
    if (parent == NULL) return;
    if (bough_loop_is_near(parent->loop)) {
        bough_life_over(parent);
    } else {
        bough_post_life_over(bough_slot_place(parent));
    }
}

/* The parent, when its lives are counted here: on a loop of this thread. */
static struct bough_actor *near_parent_of(const struct bough_name *name)
{
    struct bough_actor *parent = parent_of(name);

    return parent != NULL && bough_loop_is_near(parent->loop) ? parent : NULL;
}

/* `parent`: near_parent_of(). */
static void take_state(struct bough_actor *slot, struct bough_name *name,
                       struct bough_actor *parent, void *state)
{
    clear(state, slot->type->state_size);
    slot->state = state;
    slot->begun = false;
    slot->gate.shut = 0;
    slot->gate.detour &= (unsigned char)~(BOUGH_DETOUR_BATCH | BOUGH_DETOUR_HOLDS);
    if (slot->type->run_batch != NULL) slot->gate.detour |= BOUGH_DETOUR_BATCH;
    if (slot->type->holds) slot->gate.detour |= BOUGH_DETOUR_HOLDS;
    slot->awaits = 0;
    slot->stop_asked = false;
    slot->ending = false;
    slot->loop->counts.lives++;
    if (parent != NULL) bough_slot_name(parent)->child_lives++;
    if (name != NULL) name->started_ms = bough_loop_time(slot->loop);
}

static void give_state(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    if (slot->task.link != NULL) bough_slot_unqueue(slot);
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

static void kill_child(struct bough_actor *child, uint64_t cause)
{
    const struct bough_exit_reason killed =
        bough_exit_make(BOUGH_EXIT_KILLED, BOUGH_OK, 0, "its parent ended");

    if (bough_loop_is_near(child->loop)) {
        bough_slot_doom(child, &killed, cause);
    } else {
        bough_post_end(bough_slot_place(child), &killed, cause);
    }
}

static void kill_children(struct bough_actor *slot)
{
    struct bough_runtime *runtime = slot->loop->runtime;

    bough_runtime_lock(runtime);
    for (struct bough_name *child = bough_slot_name(slot)->first; child != NULL;
         child = child->next) {
        kill_child(child->slot, slot->loop->cause);
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
        bough_exit_copy(&reason, bough_slot_reason(slot));
    }
    bough_owned_release_all(slot);
    if (slot->gate.doomed) bough_reason_drop(slot->loop, take_reason(slot));
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

static enum bough_status refuse_start(const struct bough_actor *slot,
                                      const struct bough_actor *parent)
{
    if (bough_slot_lives(slot)) return BOUGH_ERUNNING;
    if (slot->type == NULL) return BOUGH_EINVALID;
    if (slot->loop->closing) return BOUGH_EGONE;
    if (parent != NULL && !may_start_children(parent)) return BOUGH_EGONE;
    return BOUGH_OK;
}

static enum bough_status refuse(struct bough_exit_reason *failure,
                                enum bough_status status)
{
    if (failure != NULL) *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
    return status;
}

/* Before it is posted: it may come back at once. */
static void count_far(struct bough_actor *slot)
{
    struct bough_name *name = bough_slot_name(slot);
    const struct bough_actor *parent = near_parent_of(name);

    if (name != NULL) atomic_store_explicit(&name->asked, true, memory_order_relaxed);
    if (parent != NULL) bough_slot_name(parent)->child_lives++;
}

/* Asks for a life on another loop; what comes of it, a start that fails too, is told by
 * the watch. */
enum bough_status bough_life_start_far(struct bough_actor *slot,
                                       const struct bough_start *start,
                                       struct bough_exit_reason *failure)
{
    const struct bough_address place = bough_slot_place(slot);
    struct bough_actor *parent = parent_of(bough_slot_name(slot));
    struct bough_watch *watch = start->watch;
    struct bough_asker id;

    bough_assert(parent == NULL || bough_loop_is_near(parent->loop));
    if (bough_slot_lives_far(slot)) return refuse(failure, BOUGH_ERUNNING);
    if (parent != NULL && !may_start_children(parent))
        return refuse(failure, BOUGH_EGONE);
    if (watch != NULL && !bough_watch_enter(watch, place, &id)) {
        bough_watch_leave(watch);
        return refuse(failure, BOUGH_ENOMEM);
    }
    count_far(slot);
    if (!bough_post_start(place, start, watch != NULL ? &id : NULL)) {
        bough_life_uncount(slot);
        if (watch != NULL) bough_watch_leave(watch);
        return refuse(failure, BOUGH_ENOMEM);
    }
    return BOUGH_OK;
}

/* `knows`, or NULL, is a watch that is not told. */
static void become_ready(struct bough_actor *slot, struct bough_watch *knows)
{
    struct bough_name *name = bough_slot_name(slot);

    slot->gate.phase = BOUGH_PLACE_RUNNING;
    const uint64_t seq = bough_slot_event(slot, BOUGH_EVENT_READY, cause_of(name), NULL);
    set_cause(name, 0);
    bough_watches_ready(slot, knows, seq);
    bough_slot_queue(slot);
}

void bough_life_ready(struct bough_actor *slot)
{
    if (slot->gate.phase == BOUGH_PLACE_STARTING) become_ready(slot, NULL);
}

static const void *options_of(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->options : NULL;
}

/* In the callback of who starts it, which is still to answer its own message. */
static enum bough_status call_init(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_actor *running = loop->running;
    struct bough_cell *message = loop->message;

    if (slot->type->init == NULL) return BOUGH_OK;
    bough_loop_beats(loop, slot);
    loop->running = slot;
    loop->message = NULL;
    const enum bough_status status = slot->type->init(slot, options_of(slot));
    loop->running = running;
    loop->message = message;
    return status;
}

static void ready_at_once(struct bough_actor *slot, const struct bough_start *start)
{
    if (start->ready == NULL) {
        become_ready(slot, NULL);
    } else {
        *start->ready = true;
        become_ready(slot, start->watch);
    }
}

/* From now on it is watched, and counted as begun. */
static void begun(struct bough_actor *slot, struct bough_name *name,
                  const struct bough_start *start)
{
    if (start->restart && name != NULL) name->restarts++;
    if (start->watch != NULL) {
        const bool watched = bough_watch_add(slot, start->watch);
        bough_assert(watched); /* the annex is there: see below */
    }
    set_cause(name, bough_slot_event(slot, BOUGH_EVENT_STARTED, start->cause, NULL));
    slot->begun = true;
    if ((slot->gate.shut & BOUGH_SHUT_UNREADY) == 0 && !slot->gate.doomed)
        ready_at_once(slot, start);
    bough_loop_hold(slot->loop);
}

/* A life that fails to start is told by `failure` alone; the place is then as it was. */
enum bough_status bough_life_start(struct bough_actor *slot,
                                   const struct bough_start *start,
                                   struct bough_exit_reason *failure)
{
    struct bough_name *name = bough_slot_name(slot);
    struct bough_actor *parent = near_parent_of(name);
    enum bough_status status = refuse_start(slot, parent);

    if (status != BOUGH_OK) return refuse(failure, status);

    const unsigned char before = slot->gate.phase;
    const bool can_watch = start->watch == NULL || bough_slot_annex(slot) != NULL;
    void *state =
        can_watch ? bough_pool_take(&slot->loop->pool, state_bytes(slot->type)) : NULL;

    if (state == NULL) {
        if (failure != NULL) *failure = *bough_bare_reason(BOUGH_EXIT_ERROR);
        return BOUGH_ENOMEM;
    }
    take_state(slot, name, parent, state);
    bough_poke_next(&slot->life);
    slot->gate.phase = BOUGH_PLACE_STARTING;
    set_cause(name, start->cause);

    status = call_init(slot);
    if (status != BOUGH_OK) {
        slot->gate.phase = before;
        return fail_start(slot, status, start, failure);
    }
    begun(slot, name, start);
    return BOUGH_OK;
}

/* End */

/* Where a place without a supervisor above it comes to rest: nobody will start it again.
 */
static bool stays_empty(const struct bough_actor *slot, const struct bough_name *name)
{
    return slot->fleeting || (name != NULL && name->parent == NULL);
}

static void rest(struct bough_actor *slot, const struct bough_name *name,
                 const struct bough_exit_reason *reason)
{
    if (stays_empty(slot, name)) {
        bough_slot_settle(slot, bough_exit_good(reason) ? BOUGH_PLACE_STOPPED
                                                        : BOUGH_PLACE_FAILED);
    } else {
        slot->gate.phase = BOUGH_PLACE_RESTARTING;
        bough_mail_flush(slot, slot->discard, BOUGH_EGONE);
    }
}

/* In a turn of the system lane. */
static void complete_end(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;
    struct bough_name *name = bough_slot_name(slot);
    const uint64_t cause = cause_of(name);

    if (slot->type->finish != NULL) slot->type->finish(slot);
    bough_owned_release_all(slot);
    slot->gate.phase = BOUGH_PLACE_RESTARTING;
    const struct bough_exit_reason *reason = take_reason(slot);
    give_state(slot);
    set_cause(name, 0);
    rest(slot, name, reason);

    const uint64_t seq = bough_slot_event(slot, BOUGH_EVENT_EXITED, cause, reason);
    if ((slot->gate.detour & BOUGH_DETOUR_REDELIVERS) != 0)
        bough_quarantine_judge(slot, reason, seq);
    struct bough_watch *next = bough_watches_exited(slot, reason, seq);
    bough_reason_drop(loop, reason);
    if (slot->fleeting) bough_slot_vacate(slot, seq);
    if (next != NULL) bough_watch_tell(next);
}

void bough_life_end(struct bough_actor *slot)
{
    if (!slot->ending) {
        slot->ending = true;
        slot->gate.phase = BOUGH_PLACE_STOPPING;
        if ((slot->gate.detour & BOUGH_DETOUR_AWAITED) != 0) bough_full_release(slot);
        bough_owned_release_all(slot);
        if (has_child_lives(slot)) kill_children(slot);
    }
    if (!has_child_lives(slot)) complete_end(slot);
}

void bough_life_stop(struct bough_actor *slot)
{
    slot->stop_asked = false;
    if (slot->gate.phase == BOUGH_PLACE_STOPPING) return;
    slot->gate.phase = BOUGH_PLACE_STOPPING;
    bough_slot_event(slot, BOUGH_EVENT_STOPPING, cause_of(bough_slot_name(slot)), NULL);
    if (slot->type->stop != NULL) {
        slot->loop->running = slot;
        slot->type->stop(slot);
        slot->loop->running = NULL;
    } else {
        keep_bare_reason(slot, BOUGH_EXIT_SHUTDOWN);
    }
}
