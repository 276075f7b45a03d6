/* actions.c - does what the decider decides: starts, stops, kills, timers.
 *
 * Every outcome comes back as an event: from a child's watch, from its timer, or at once
 * when a start fails in init or has made the child ready. Nothing recurses: an outcome
 * known at once is the next round of the same loop. The loop has its turn between two
 * tries of a child that cannot start, for a retry is a timer of no time, and after every
 * few starts, since the next one's outcome is then told by its watch.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/supervisor/decide_internal.h>
#include <bough/supervisor/supervisor.h>

/* Starts in one turn: enough to make the others cheap, and few for who waits. */
enum { AT_ONCE = 16 };

static void take_in(struct bough_actor *actor, struct bough_supervision *self,
                    struct bough_decide_event *event);

static void feed(struct bough_actor *actor, struct bough_supervision *self,
                 const struct bough_supervised *child, enum bough_decide_event_kind kind)
{
    struct bough_decide_event event = {
        .kind = kind,
        .child = child->number,
        .reason = kind == BOUGH_ON_EXITED ? child->watch.reason : NULL,
    };

    take_in(actor, self, &event);
}

static void start_timer(struct bough_actor *actor, struct bough_supervised *child,
                        int64_t delay_ms,
                        void (*callback)(struct bough_actor *, struct bough_timer *))
{
    bough_assert(child->extras != NULL);
    child->timed = true;
    bough_timer_start(actor, &child->extras->timer, delay_ms, 0, callback);
}

void bough_supervised_end_wait(struct bough_supervised *child)
{
    struct bough_supervision *self;

    child->timed = false;
    if (!child->link) {
        bough_timer_stop(&child->extras->timer);
        return;
    }
    self = bough_state(child->watch.owner);
    *child->link = child->next;
    *(child->next ? &child->next->link : &self->retries_tail) = child->link;
    child->link = NULL;
}

/* What comes back from a child */

static void came_up(struct bough_actor *actor, struct bough_supervision *self,
                    struct bough_supervised *child)
{
    if (!child->late) bough_supervised_stop_timer(child);
    child->lived = true;
    self->news = child->watch.seq;
    bough_report_up(actor, self, child);
}

static void child_ready(struct bough_watch *watch)
{
    struct bough_supervised *child =
        bough_container(watch, struct bough_supervised, watch);
    struct bough_actor *actor = watch->owner;
    struct bough_supervision *self = bough_state(actor);

    came_up(actor, self, child);
    feed(actor, self, child, BOUGH_ON_READY);
}

/* What init says of one on this loop is known when it returns: start_over(). */
static void decline(struct bough_actor *actor, const struct bough_supervised *child)
{
    bough_report(actor, BOUGH_DEBUG, "%s is not wanted now",
                 bough_supervised_path(child));
    feed(actor, bough_state(actor), child, BOUGH_ON_IGNORED);
}

static void child_exited(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    struct bough_supervised *child =
        bough_container(watch, struct bough_supervised, watch);
    struct bough_actor *actor = watch->owner;
    struct bough_supervision *self = bough_state(actor);

    bough_supervised_stop_timer(child);
    if (self->stopping == child) self->stopping = NULL;
    child->cause = self->news = watch->seq;
    if (reason->status == BOUGH_IGNORE) {
        decline(actor, child);
        return;
    }
    bough_report_end(actor, self, child);
    feed(actor, self, child, BOUGH_ON_EXITED);
    if (bough_decide_is_ending(self->decider) &&
        bough_supervised_state(self, child) == BOUGH_CHILD_DOWN)
        bough_place_mark(child->place, BOUGH_PLACE_RESERVED);
}

void bough_supervision_watch(struct bough_actor *actor, struct bough_supervised *child)
{
    child->watch.ready = child_ready;
    child->watch.exited = child_exited;
    child->watch.owner = actor;
    child->watch.keeps = true;
}

static void start_timed_out(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_supervised *child =
        bough_container(timer, struct bough_supervised_extras, timer)->child;

    child->late = true;
    bough_supervision_feed(actor,
                           (struct bough_decide_event){ .kind = BOUGH_ON_START_TIMEOUT,
                                                        .child = child->number });
}

static void retry_due(struct bough_actor *actor, struct bough_timer *timer)
{
    const struct bough_supervised *child =
        bough_container(timer, struct bough_supervised_extras, timer)->child;

    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_RETRY,
                                                               .child = child->number });
}

/* One at a time, so that the loop has its turn between two. */
static void retry_first(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = self->retries;

    if (!child) return;
    bough_supervised_end_wait(child);
    if (self->retries) bough_timer_start(actor, timer, 0, 0, retry_first);
    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_RETRY,
                                                               .child = child->number });
}

static void retry_at_once(struct bough_actor *actor, struct bough_supervised *child)
{
    struct bough_supervision *self = bough_state(actor);

    if (!self->retries) bough_timer_start(actor, &self->retry, 0, 0, retry_first);
    child->timed = true;
    child->next = NULL;
    child->link = self->retries_tail;
    *self->retries_tail = child;
    self->retries_tail = &child->next;
}

/* Actions. True: the outcome is known already, and is in `*outcome`. */

static struct bough_supervised *child_of(struct bough_actor *actor,
                                         const struct bough_decide_action *action)
{
    return bough_supervision_child(bough_state(actor), action->child);
}

static bool start_over(struct bough_actor *actor, struct bough_supervised *child,
                       enum bough_status status, struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    bough_supervised_stop_timer(child);
    child->cause = child->watch.seq != 0 ? child->watch.seq : self->cause;
    self->news = child->cause;
    *outcome = (struct bough_decide_event){ .child = child->number };
    if (status == BOUGH_IGNORE) {
        bough_report(actor, BOUGH_DEBUG, "%s is not wanted now",
                     bough_supervised_path(child));
        outcome->kind = BOUGH_ON_IGNORED;
    } else {
        bough_report_end(actor, self, child);
        outcome->kind = BOUGH_ON_START_FAILED;
        outcome->reason = bough_supervised_reason(child);
    }
    return true;
}

static enum bough_status place_start(struct bough_actor *actor,
                                     struct bough_supervised *child,
                                     const struct bough_start *start,
                                     struct bough_exit_reason *fault)
{
    const enum bough_status status =
        child->changed ? bough_supervision_refurnish(actor, child) : BOUGH_OK;

    if (status == BOUGH_OK) return bough_place_start(child->place, start, fault);
    *fault = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
    return status;
}

/* Few children ever need room for it; those that do keep it for the next. Without memory,
 * why the last life ended must not stand for it. */
static void keep_fault(struct bough_supervised *child,
                       const struct bough_exit_reason *fault)
{
    struct bough_supervised_extras *extras = bough_supervised_extras(child);

    if (extras && !extras->fault) extras->fault = malloc(sizeof(*extras->fault));
    child->failed = extras && extras->fault;
    if (child->failed)
        bough_exit_copy(extras->fault, fault);
    else
        bough_watch_cancel(&child->watch);
}

static bool do_start(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = bough_supervision_child(self, action->child);
    bool ready = false;
    const struct bough_start start = {
        .watch = &child->watch,
        .cause = self->asked ? 0 : self->cause,
        .restart = child->lived,
        .ready = self->at_once > 0 ? &ready : NULL,
    };
    struct bough_exit_reason fault;
    enum bough_status status;

    bough_supervised_stop_timer(child);
    child->late = child->failed = child->awaited = false;
    child->watch.seq = 0;
    status = place_start(actor, child, &start, &fault);
    if (status != BOUGH_OK) {
        keep_fault(child, &fault);
        return start_over(actor, child, status, outcome);
    }
    if (ready) {
        self->at_once--;
        came_up(actor, self, child);
        *outcome =
            (struct bough_decide_event){ .kind = BOUGH_ON_READY, .child = child->number };
        return true;
    }
    if (action->limit_ms == BOUGH_FOREVER) return false;
    start_timer(actor, child, action->limit_ms, start_timed_out);
    return false;
}

static bool do_retry(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervised *child = child_of(actor, action);

    (void)outcome;
    bough_place_mark(child->place, BOUGH_PLACE_RESTARTING);
    bough_supervised_stop_timer(child);
    if (action->limit_ms > 0) {
        bough_report_wait(actor, child, action);
        start_timer(actor, child, action->limit_ms, retry_due);
    } else {
        retry_at_once(actor, child);
    }
    return false;
}

static bool do_restart(struct bough_actor *actor,
                       const struct bough_decide_action *action,
                       struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_report_restart(actor, child_of(actor, action), action);
    return false;
}

static void settle_child(struct bough_actor *actor, struct bough_supervised *child)
{
    bough_supervised_stop_timer(child);
    bough_supervision_settle(actor, child);
}

static bool do_settle(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    (void)outcome;
    settle_child(actor, child_of(actor, action));
    return false;
}

/* Those that a retry would start with its group are still expected. */
void bough_supervision_settle_down(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_decider *decider = self->decider;

    for (size_t i = bough_decider_next(decider, BOUGH_NO_CHILD); i != BOUGH_NO_CHILD;
         i = bough_decider_next(decider, i)) {
        const bool down = bough_decider_child(decider, i) == BOUGH_CHILD_DOWN;

        if (down && !bough_decider_awaits(decider, i))
            settle_child(actor, bough_supervision_child(self, i));
    }
}

static bool do_settle_down(struct bough_actor *actor,
                           const struct bough_decide_action *action,
                           struct bough_decide_event *outcome)
{
    (void)action;
    (void)outcome;
    bough_supervision_settle_down(actor);
    return false;
}

static bool do_remove(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_supervision_remove(actor, child_of(actor, action));
    return false;
}

static bool do_ready(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    (void)action;
    (void)outcome;
    bough_ready(actor);
    return false;
}

static bool do_give_up(struct bough_actor *actor,
                       const struct bough_decide_action *action,
                       struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_report_give_up(actor, child_of(actor, action), action);
    return false;
}

static bool do_auto_shutdown(struct bough_actor *actor,
                             const struct bough_decide_action *action,
                             struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_report_auto_shutdown(actor, child_of(actor, action));
    return false;
}

static bool do_answer(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    bough_assert(self->asked && self->asked->number == action->child);
    self->role->answered(actor, action);
    self->asked = NULL;
    self->question = NULL;
    return false;
}

/* A supervisor below has said already which of its children it was. */
static void fail_because_of(struct bough_actor *actor,
                            const struct bough_supervised *child)
{
    const struct bough_exit_reason *reason = bough_supervised_reason(child);
    const enum bough_status status =
        reason->status != BOUGH_OK ? reason->status : BOUGH_EFAILED;
    const bool nested =
        child->spec->type == &bough_supervisor_type || child->spec->replicas > 0;
    char why[BOUGH_REASON_TEXT];

    if (nested && reason->text[0] != '\0')
        bough_fail(actor, status, "%s", reason->text);
    else
        bough_fail(actor, status, "%s did not start: %s", bough_supervised_path(child),
                   bough_exit_print(reason, why, sizeof(why)));
}

static bool do_end(struct bough_actor *actor, const struct bough_decide_action *action,
                   struct bough_decide_event *outcome)
{
    const struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    switch (action->end) {
    case BOUGH_END_ASKED: bough_exit(actor, BOUGH_EXIT_SHUTDOWN); break;
    case BOUGH_END_FAILED: fail_because_of(actor, child_of(actor, action)); break;
    case BOUGH_END_GAVE_UP:
    case BOUGH_END_AUTO_SHUTDOWN: bough_exit_because(actor, &self->end); break;
    }
    return false;
}

static bool (*const doers[])(struct bough_actor *, const struct bough_decide_action *,
                             struct bough_decide_event *) = {
    [BOUGH_DO_START] = do_start,
    [BOUGH_DO_STOP] = bough_supervision_do_stop,
    [BOUGH_DO_KILL] = bough_supervision_do_kill,
    [BOUGH_DO_STOP_ALL] = bough_supervision_do_stop_all,
    [BOUGH_DO_KILL_ALL] = bough_supervision_do_kill_all,
    [BOUGH_DO_RETRY] = do_retry,
    [BOUGH_DO_RESTART] = do_restart,
    [BOUGH_DO_SETTLE] = do_settle,
    [BOUGH_DO_SETTLE_DOWN] = do_settle_down,
    [BOUGH_DO_REMOVE] = do_remove,
    [BOUGH_DO_READY] = do_ready,
    [BOUGH_DO_GIVE_UP] = do_give_up,
    [BOUGH_DO_AUTO_SHUTDOWN] = do_auto_shutdown,
    [BOUGH_DO_ANSWER] = do_answer,
    [BOUGH_DO_END] = do_end,
};

_Static_assert(bough_count_of(doers) == BOUGH_DECIDE_ACTION_COUNT, "each action is done");

/* True: the last action's outcome is known already, and is the next event. */
static inline __attribute__((always_inline)) bool
perform(struct bough_actor *actor, const struct bough_decide_actions *actions,
        struct bough_decide_event *event)
{
    bool known = false;

    for (size_t i = 0; i < actions->count; i++) {
        bough_assert(!known);
        known = doers[actions->list[i].kind](actor, &actions->list[i], event);
    }
    return known;
}

/* Twice in a restart of one: a part of take_in(), and no call. */
static inline __attribute__((always_inline)) void step(struct bough_actor *actor,
                                                       struct bough_supervision *self,
                                                       struct bough_decide_event *event)
{
    const int64_t now_ms = bough_now_ms(actor); /* it stands still */
    struct bough_decide_actions actions;

    self->at_once = AT_ONCE;
    do {
        bough_decide_about(self->decider, event, now_ms, &actions);
    } while (perform(actor, &actions, event));
}

void bough_supervision_step(struct bough_actor *actor, struct bough_decide_event event)
{
    struct bough_supervision *self = bough_state(actor);

    self->news = 0;
    step(actor, self, &event);
}

static void take_in(struct bough_actor *actor, struct bough_supervision *self,
                    struct bough_decide_event *event)
{
    if (self->dead) bough_supervision_bury(self);
    step(actor, self, event);
    if (!bough_decide_is_idle(self->decider)) return;
    if (self->timed) bough_timer_stop(&self->timer);
    self->timed = false;
    if (self->requests || self->role->go_on) bough_supervision_serve(actor);
}

void bough_supervision_feed(struct bough_actor *actor, struct bough_decide_event event)
{
    struct bough_supervision *self = bough_state(actor);

    self->news = 0;
    take_in(actor, self, &event);
}

/* Beginning and ending */

static void begin(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_BEGIN });
}

void bough_supervision_begin(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    bough_starting(actor);
    bough_timer_start(actor, &self->timer, 0, 0, begin);
}

void bough_supervision_stop(struct bough_actor *actor)
{
    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_STOP });
}
