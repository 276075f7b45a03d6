/* children.c - does what the decider decides: starts, stops, kills, timers, reports.
 *
 * Every outcome comes back as an event: from a child's watch, from its timer, or at once
 * when a start fails in init. Nothing recurses: an outcome known at once is the next
 * round of the same loop, and a retry is a timer of no time, so that the loop has its
 * turn between two tries of a child that cannot start.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <inttypes.h>
#include <stdio.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/supervisor.h>

enum { DURATION_TEXT = 24, REASON_TEXT = 224 };

static struct bough_supervised *child_of(struct bough_actor *actor, size_t i)
{
    struct bough_supervision *self = bough_state(actor);

    bough_assert(i < self->options->child_count);
    return &self->children[i];
}

static size_t index_of(struct bough_actor *actor, const struct bough_supervised *child)
{
    struct bough_supervision *self = bough_state(actor);

    return (size_t)(child - self->children);
}

static enum bough_child_state state_of(struct bough_actor *actor,
                                       const struct bough_supervised *child)
{
    struct bough_supervision *self = bough_state(actor);

    return bough_decider_child(self->decider, index_of(actor, child));
}

static void feed(struct bough_actor *actor, const struct bough_supervised *child,
                 enum bough_decide_event_kind kind, bool good)
{
    bough_supervision_feed(actor, (struct bough_decide_event){
                                      .kind = kind,
                                      .child = index_of(actor, child),
                                      .good = good,
                                  });
}

/* Words */

static const char *path_of(const struct bough_supervised *child)
{
    struct bough_place_info info;

    if (bough_place_info(child->place, &info) != BOUGH_OK) return child->spec->name;
    return info.path;
}

/* "5s", "1500ms". */
static const char *print_ms(int64_t ms, char *buffer, size_t size)
{
    if (ms % 1000 == 0)
        snprintf(buffer, size, "%" PRId64 "s", ms / 1000);
    else
        snprintf(buffer, size, "%" PRId64 "ms", ms);
    return buffer;
}

static const char *print_period(const struct bough_supervision *self, char *buffer,
                                size_t size)
{
    int64_t period_ms = bough_supervisor_period_ms(self->options);

    return period_ms == BOUGH_FOREVER ? "all its life"
                                      : print_ms(period_ms, buffer, size);
}

#define report(actor, level, ...) \
    bough_log(bough_actor_runtime(actor), level, bough_actor_path(actor), __VA_ARGS__)

/* Reports the event, with what names the place filled in; returns its number. */
static uint64_t tell(struct bough_actor *actor, struct bough_address place,
                     struct bough_event event)
{
    struct bough_place_info info;

    if (bough_place_info(place, &info) != BOUGH_OK) return 0;
    event.path = info.path;
    event.type = info.type->name;
    event.life = info.life;
    return bough_event_report(bough_actor_runtime(actor), &event);
}

/* Places */

enum bough_status bough_supervision_furnish(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    for (size_t i = 0; i < self->options->child_count; i++) {
        const struct bough_child_spec *child = &self->options->children[i];
        const struct bough_place_spec spec = {
            .type = child->type,
            .options = child->options,
            .parent = bough_address_place(bough_self(actor)),
            .name = child->name,
            .capacity = child->mailbox_capacity,
            .on_restart = child->on_restart,
            .restart = bough_restart_names[child->restart],
        };
        enum bough_status status =
            bough_place_new(bough_actor_loop(actor), &spec, &self->children[i].place);

        if (status != BOUGH_OK) {
            bough_fail(actor, status, "no place for its child \"%s\": %s", child->name,
                       bough_status_text(status));
            return status;
        }
        self->children[i].spec = child;
    }
    return BOUGH_OK;
}

void bough_supervision_leave(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    for (size_t i = 0; i < self->options->child_count; i++)
        bough_place_mark(self->children[i].place, BOUGH_PLACE_RESERVED);
}

/* What comes back from a child */

static void child_ready(struct bough_watch *watch)
{
    struct bough_supervised *child =
        bough_container(watch, struct bough_supervised, watch);

    report(watch->owner, BOUGH_INFO, "%s is up, life %" PRIu32, path_of(child),
           watch->address.life);
    feed(watch->owner, child, BOUGH_ON_READY, false);
}

static bool was_killed_as_meant(const struct bough_supervised *child)
{
    return child->reason.kind == BOUGH_EXIT_KILLED &&
           bough_child_shutdown_ms(child->spec) == BOUGH_SHUTDOWN_BRUTAL_KILL;
}

/* OTP's shutdown_error: what is said about an end that was asked for, and was another. */
static bool ended_as_asked(const struct bough_supervised *child)
{
    if (child->reason.kind == BOUGH_EXIT_SHUTDOWN || was_killed_as_meant(child))
        return true;
    return child->reason.kind == BOUGH_EXIT_NORMAL &&
           child->spec->restart != BOUGH_PERMANENT;
}

static void report_end(struct bough_actor *actor, const struct bough_supervised *child)
{
    enum bough_child_state state = state_of(actor, child);
    bool good = bough_exit_good(&child->reason);
    char why[REASON_TEXT];

    bough_exit_print(&child->reason, why, sizeof(why));
    if (state == BOUGH_CHILD_STARTING) {
        report(actor, BOUGH_ERROR, "%s did not start: %s", path_of(child), why);
    } else if (state == BOUGH_CHILD_STOPPING) {
        if (ended_as_asked(child))
            report(actor, BOUGH_DEBUG, "%s ended: %s", path_of(child), why);
        else
            report(actor, BOUGH_WARNING, "%s was to end in order, and ended: %s",
                   path_of(child), why);
    } else if (child->spec->restart == BOUGH_TEMPORARY) {
        report(actor, good ? BOUGH_DEBUG : BOUGH_WARNING,
               "%s ended: %s; it is temporary and forgotten", path_of(child), why);
    } else if (child->spec->restart == BOUGH_TRANSIENT && good) {
        report(actor, BOUGH_DEBUG, "%s ended: %s; its work is done", path_of(child), why);
    }
}

static void child_exited(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    struct bough_supervised *child =
        bough_container(watch, struct bough_supervised, watch);
    struct bough_actor *actor = watch->owner;
    struct bough_supervision *self = bough_state(actor);

    bough_timer_stop(&child->timer);
    child->reason = *reason;
    child->cause = watch->seq;
    report_end(actor, child);
    feed(actor, child, BOUGH_ON_EXITED, bough_exit_good(reason));
    if (bough_decider_ending(self->decider) && state_of(actor, child) == BOUGH_CHILD_DOWN)
        bough_place_mark(child->place, BOUGH_PLACE_RESERVED);
}

static void stop_timed_out(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_supervised *child =
        bough_container(timer, struct bough_supervised, timer);
    int64_t limit_ms = bough_child_shutdown_ms(child->spec);
    char limit[DURATION_TEXT];

    report(actor, BOUGH_WARNING, "%s did not end within %s and is killed", path_of(child),
           print_ms(limit_ms, limit, sizeof(limit)));
    feed(actor, child, BOUGH_ON_STOP_TIMEOUT, false);
}

static void retry_due(struct bough_actor *actor, struct bough_timer *timer)
{
    feed(actor, bough_container(timer, struct bough_supervised, timer), BOUGH_ON_RETRY,
         false);
}

/* Actions. True: the outcome is known already, and is in `*outcome`. */

static bool do_start(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = child_of(actor, action->child);
    const struct bough_start start = {
        .watch = &child->watch,
        .cause = self->cause,
        .restart = self->up,
    };
    enum bough_status status;

    bough_timer_stop(&child->timer);
    child->watch = (struct bough_watch){
        .ready = child_ready,
        .exited = child_exited,
        .owner = actor,
    };
    status = bough_place_start(child->place, &start, &child->reason);
    if (status == BOUGH_OK) return false;

    child->cause = self->cause;
    outcome->child = action->child;
    if (status == BOUGH_IGNORE) {
        report(actor, BOUGH_DEBUG, "%s is not wanted now", path_of(child));
        outcome->kind = BOUGH_ON_IGNORED;
    } else {
        report_end(actor, child);
        outcome->kind = BOUGH_ON_START_FAILED;
    }
    return true;
}

static bool do_stop(struct bough_actor *actor, const struct bough_decide_action *action,
                    struct bough_decide_event *outcome)
{
    struct bough_supervised *child = child_of(actor, action->child);

    (void)outcome;
    bough_stop(child->place);
    if (action->limit_ms != BOUGH_FOREVER)
        bough_timer_start(actor, &child->timer, action->limit_ms, 0, stop_timed_out);
    return false;
}

static bool do_kill(struct bough_actor *actor, const struct bough_decide_action *action,
                    struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_kill(child_of(actor, action->child)->place);
    return false;
}

static bool do_retry(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervised *child = child_of(actor, action->child);

    (void)outcome;
    bough_place_mark(child->place, BOUGH_PLACE_RESTARTING);
    bough_timer_start(actor, &child->timer, action->limit_ms, 0, retry_due);
    return false;
}

static bool do_restart(struct bough_actor *actor,
                       const struct bough_decide_action *action,
                       struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    const struct bough_supervised *child = child_of(actor, action->child);
    char why[REASON_TEXT], period[DURATION_TEXT];

    (void)outcome;
    self->cause = tell(actor, child->place,
                       (struct bough_event){ .kind = BOUGH_EVENT_RESTARTING,
                                             .cause = child->cause,
                                             .attempt = action->attempt });
    report(actor, bough_exit_good(&child->reason) ? BOUGH_INFO : BOUGH_WARNING,
           "%s %s: %s; restart %" PRIu32 " of %" PRIu32 " in %s", path_of(child),
           action->attempt > 1 ? "did not start" : "ended",
           bough_exit_print(&child->reason, why, sizeof(why)), action->restarts,
           bough_supervisor_intensity(self->options),
           print_period(self, period, sizeof(period)));
    return false;
}

static bool do_settle(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    (void)outcome;
    bough_place_mark(child_of(actor, action->child)->place, BOUGH_PLACE_STOPPED);
    return false;
}

static bool do_remove(struct bough_actor *actor, const struct bough_decide_action *action,
                      struct bough_decide_event *outcome)
{
    struct bough_supervised *child = child_of(actor, action->child);

    (void)outcome;
    bough_place_free(child->place, child->cause);
    return false;
}

static bool do_ready(struct bough_actor *actor, const struct bough_decide_action *action,
                     struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)action;
    (void)outcome;
    self->up = true;
    bough_ready(actor);
    return false;
}

static bool do_give_up(struct bough_actor *actor,
                       const struct bough_decide_action *action,
                       struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    const struct bough_supervised *child = child_of(actor, action->child);
    char why[REASON_TEXT], period[DURATION_TEXT];

    (void)outcome;
    self->end = bough_exit_make(
        BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0,
        "gave up: %s needs restart %" PRIu32 " in %s, and %" PRIu32 " are allowed; %s",
        path_of(child), action->restarts, print_period(self, period, sizeof(period)),
        bough_supervisor_intensity(self->options),
        bough_exit_print(&child->reason, why, sizeof(why)));
    self->cause = tell(actor, bough_self(actor),
                       (struct bough_event){ .kind = BOUGH_EVENT_GAVE_UP,
                                             .cause = child->cause,
                                             .reason = &self->end });
    report(actor, BOUGH_ERROR, "%s", self->end.text);
    return false;
}

/* A supervisor below has said already which of its children it was. */
static void fail_because_of(struct bough_actor *actor,
                            const struct bough_supervised *child)
{
    const struct bough_exit_reason *reason = &child->reason;
    bool said = child->spec->type == &bough_supervisor_type && reason->text[0] != '\0';
    char why[REASON_TEXT];

    bough_exit_print(reason, why, sizeof(why));
    if (said)
        bough_fail(actor, reason->status != BOUGH_OK ? reason->status : BOUGH_EFAILED,
                   "%s", reason->text);
    else
        bough_fail(actor, reason->status != BOUGH_OK ? reason->status : BOUGH_EFAILED,
                   "%s did not start: %s", path_of(child), why);
}

static bool do_end(struct bough_actor *actor, const struct bough_decide_action *action,
                   struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    switch (action->end) {
    case BOUGH_END_ASKED: bough_exit(actor, BOUGH_EXIT_SHUTDOWN); break;
    case BOUGH_END_FAILED: fail_because_of(actor, child_of(actor, action->child)); break;
    case BOUGH_END_GAVE_UP: bough_exit_because(actor, &self->end); break;
    }
    return false;
}

static bool (*const doers[BOUGH_DECIDE_ACTION_COUNT])(struct bough_actor *,
                                                      const struct bough_decide_action *,
                                                      struct bough_decide_event *) = {
    [BOUGH_DO_START] = do_start,     [BOUGH_DO_STOP] = do_stop,
    [BOUGH_DO_KILL] = do_kill,       [BOUGH_DO_RETRY] = do_retry,
    [BOUGH_DO_RESTART] = do_restart, [BOUGH_DO_SETTLE] = do_settle,
    [BOUGH_DO_REMOVE] = do_remove,   [BOUGH_DO_READY] = do_ready,
    [BOUGH_DO_GIVE_UP] = do_give_up, [BOUGH_DO_END] = do_end,
};

/* True: the last action's outcome is known already, and is the next event. */
static bool perform(struct bough_actor *actor, const struct bough_decide_actions *actions,
                    struct bough_decide_event *event)
{
    bool known = false;

    for (size_t i = 0; i < actions->count; i++) {
        bough_assert(!known);
        known = doers[actions->list[i].kind](actor, &actions->list[i], event);
    }
    return known;
}

void bough_supervision_feed(struct bough_actor *actor, struct bough_decide_event event)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_decide_actions actions;

    do {
        bough_decide(self->decider, event, bough_now_ms(actor), &actions);
    } while (perform(actor, &actions, &event));

    /* Questions wait while something is under way: OTP's supervisor is sequential. */
    if (bough_decider_idle(self->decider))
        bough_resume(actor);
    else
        bough_pause(actor);
}
