/* actions.c - does what the decider decides: starts, stops, kills, timers.
 *
 * Every outcome comes back as an event: from a child's watch, from its timer, or at once
 * when a start fails in init. Nothing recurses: an outcome known at once is the next
 * round of the same loop, and a retry is a timer of no time, so that the loop has its
 * turn between two tries of a child that cannot start.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/supervisor/decide_internal.h>
#include <bough/supervisor/supervisor.h>

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

/* The timer of a child: few restarts have a limit of their start, or a wait, so that one
 * that does not run is seen here, without a call. */

static void start_timer(struct bough_actor *actor, struct bough_supervised *child,
                        int64_t delay_ms,
                        void (*callback)(struct bough_actor *, struct bough_timer *))
{
    child->timed = true;
    bough_timer_start(actor, &child->timer, delay_ms, 0, callback);
}

static void stop_timer(struct bough_supervised *child)
{
    if (!child->timed) return;
    child->timed = false;
    bough_timer_stop(&child->timer);
}

/* What comes back from a child */

static void child_ready(struct bough_watch *watch)
{
    struct bough_supervised *child =
        bough_container(watch, struct bough_supervised, watch);
    struct bough_actor *actor = watch->owner;
    struct bough_supervision *self = bough_state(actor);

    if (!child->late) stop_timer(child);
    child->lived = true;
    bough_report_up(actor, child, self->asked == child);
    feed(actor, self, child, BOUGH_ON_READY);
}

static struct bough_exit_reason too_late(const struct bough_supervised *child)
{
    char limit[BOUGH_DURATION_TEXT];

    return bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0, "it was not ready within %s",
                           bough_print_ms(child->start_limit_ms, limit));
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

    stop_timer(child);
    if (self->stopping == child) self->stopping = NULL;
    child->cause = watch->seq;
    if (reason->status == BOUGH_IGNORE) {
        decline(actor, child);
        return;
    }
    bough_report_end(actor, child, bough_supervised_state(self, child));
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

static void stop_timed_out(struct bough_actor *actor, struct bough_supervised *child)
{
    char limit[BOUGH_DURATION_TEXT];

    bough_report(actor, BOUGH_WARNING, "%s did not end within %s and is killed",
                 bough_supervised_path(child), bough_print_ms(child->shutdown_ms, limit));
    feed(actor, bough_state(actor), child, BOUGH_ON_STOP_TIMEOUT);
}

static void start_timed_out(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_supervised *child =
        bough_container(timer, struct bough_supervised, timer);

    child->late = true;
    feed(actor, bough_state(actor), child, BOUGH_ON_START_TIMEOUT);
}

static void all_timed_out(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_supervision_feed(actor,
                           (struct bough_decide_event){ .kind = BOUGH_ON_ALL_TIMEOUT });
}

static void retry_due(struct bough_actor *actor, struct bough_timer *timer)
{
    feed(actor, bough_state(actor),
         bough_container(timer, struct bough_supervised, timer), BOUGH_ON_RETRY);
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
    const struct bough_supervision *self = bough_state(actor);

    stop_timer(child);
    child->cause = child->watch.seq != 0 ? child->watch.seq : self->cause;
    *outcome = (struct bough_decide_event){ .child = child->number };
    if (status == BOUGH_IGNORE) {
        bough_report(actor, BOUGH_DEBUG, "%s is not wanted now",
                     bough_supervised_path(child));
        outcome->kind = BOUGH_ON_IGNORED;
    } else {
        bough_report_end(actor, child, bough_supervised_state(self, child));
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
    if (!child->fault) child->fault = malloc(sizeof(*child->fault));
    child->failed = child->fault;
    if (child->failed)
        bough_exit_copy(child->fault, fault);
    else
        bough_watch_cancel(&child->watch);
}

static bool do_start(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = bough_supervision_child(self, action->child);
    const struct bough_start start = {
        .watch = &child->watch,
        .cause = self->asked ? 0 : self->cause,
        .restart = child->lived,
    };
    struct bough_exit_reason fault;
    enum bough_status status;

    stop_timer(child);
    child->late = child->failed = false;
    child->watch.seq = 0;
    status = place_start(actor, child, &start, &fault);
    if (status != BOUGH_OK) {
        keep_fault(child, &fault);
        return start_over(actor, child, status, outcome);
    }
    if (action->limit_ms == BOUGH_FOREVER) return false;
    start_timer(actor, child, action->limit_ms, start_timed_out);
    return false;
}

static void look_at_stop(struct bough_actor *actor, struct bough_timer *timer);

static void set_limit(struct bough_actor *actor, int64_t now_ms)
{
    struct bough_supervision *self = bough_state(actor);

    self->timed = true;
    self->timer_at_ms = self->stop_until_ms;
    bough_timer_start(actor, &self->timer, self->stop_until_ms - now_ms, 0, look_at_stop);
}

static void look_at_stop(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = self->stopping;
    const int64_t now_ms = bough_now_ms(actor);

    (void)timer;
    self->timed = false;
    if (!child) return;
    if (self->stop_until_ms > now_ms) {
        set_limit(actor, now_ms);
    } else {
        self->stopping = NULL;
        stop_timed_out(actor, child);
    }
}

static void limit_stop(struct bough_actor *actor, struct bough_supervision *self,
                       struct bough_supervised *child, int64_t limit_ms)
{
    const int64_t now_ms = self->decider->now_ms;

    if (limit_ms == BOUGH_FOREVER) return;
    self->stopping = child;
    self->stop_until_ms = limit_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + limit_ms;
    if (!self->timed || self->stop_until_ms < self->timer_at_ms) set_limit(actor, now_ms);
}

static bool do_stop(struct bough_actor *actor, const struct bough_decide_action *action,
                    struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = bough_supervision_child(self, action->child);

    (void)outcome;
    stop_timer(child);
    bough_stop(child->place);
    limit_stop(actor, self, child, action->limit_ms);
    return false;
}

static void kill_child(struct bough_supervised *child)
{
    stop_timer(child);
    if (child->late) {
        const struct bough_exit_reason late = too_late(child);

        bough_end(child->place, &late);
    } else {
        bough_kill(child->place);
    }
}

static bool do_kill(struct bough_actor *actor, const struct bough_decide_action *action,
                    struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    self->stopping = NULL;
    kill_child(child_of(actor, action));
    return false;
}

static void for_all(struct bough_actor *actor, enum bough_child_state state,
                    void (*visit)(struct bough_supervised *child))
{
    const struct bough_supervision *self = bough_state(actor);

    for (size_t i = bough_decider_next(self->decider, BOUGH_NO_CHILD);
         i != BOUGH_NO_CHILD; i = bough_decider_next(self->decider, i)) {
        if (bough_decider_child(self->decider, i) == state)
            visit(bough_supervision_child(self, i));
    }
}

static void stop_child(struct bough_supervised *child)
{
    stop_timer(child);
    bough_stop(child->place);
}

static bool do_stop_all(struct bough_actor *actor,
                        const struct bough_decide_action *action,
                        struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    self->stopping = NULL;
    if (action->limit_ms == BOUGH_SHUTDOWN_BRUTAL_KILL) {
        for_all(actor, BOUGH_CHILD_STOPPING, kill_child);
    } else {
        for_all(actor, BOUGH_CHILD_STOPPING, stop_child);
        if (action->limit_ms != BOUGH_FOREVER)
            bough_timer_start(actor, &self->all, action->limit_ms, 0, all_timed_out);
    }
    return false;
}

static bool do_kill_all(struct bough_actor *actor,
                        const struct bough_decide_action *action,
                        struct bough_decide_event *outcome)
{
    (void)action;
    (void)outcome;
    bough_report(actor, BOUGH_WARNING,
                 "those that have not ended within their limit are killed");
    for_all(actor, BOUGH_CHILD_STOPPING, kill_child);
    return false;
}

static bool do_retry(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervised *child = child_of(actor, action);

    (void)outcome;
    bough_place_mark(child->place, BOUGH_PLACE_RESTARTING);
    if (action->limit_ms > 0) bough_report_wait(actor, child, action);
    start_timer(actor, child, action->limit_ms, retry_due);
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

static void settle_child(struct bough_supervised *child)
{
    stop_timer(child);
    bough_place_mark(child->place, BOUGH_PLACE_STOPPED);
}

static bool do_settle(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    (void)outcome;
    settle_child(child_of(actor, action));
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
            settle_child(bough_supervision_child(self, i));
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
    [BOUGH_DO_STOP] = do_stop,
    [BOUGH_DO_KILL] = do_kill,
    [BOUGH_DO_STOP_ALL] = do_stop_all,
    [BOUGH_DO_KILL_ALL] = do_kill_all,
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
    struct bough_decide_actions actions;

    do {
        bough_decide_about(self->decider, event, bough_now_ms(actor), &actions);
    } while (perform(actor, &actions, event));
}

void bough_supervision_step(struct bough_actor *actor, struct bough_decide_event event)
{
    step(actor, bough_state(actor), &event);
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
    take_in(actor, bough_state(actor), &event);
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
