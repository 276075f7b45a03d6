/* stops.c - ends of children that the decider asks for: stops, kills, and their limits.
 *
 * What comes of them is told by the child's watch; here it is only asked, and the time
 * looked at.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <bough/core/place.h>
#include <bough/supervisor/decide_internal.h>

/* Limits */

static void stop_timed_out(struct bough_actor *actor, struct bough_supervised *child)
{
    char limit[BOUGH_DURATION_TEXT];

    bough_report(actor, BOUGH_WARNING, "%s did not end within %s and is killed",
                 bough_supervised_path(child),
                 bough_print_ms(bough_supervised_shutdown_ms(child), limit));
    bough_supervision_feed(actor,
                           (struct bough_decide_event){ .kind = BOUGH_ON_STOP_TIMEOUT,
                                                        .child = child->number });
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

/* Stops and kills */

bool bough_supervision_do_stop(struct bough_actor *actor,
                               const struct bough_decide_action *action,
                               struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *child = bough_supervision_child(self, action->child);

    (void)outcome;
    bough_supervised_stop_timer(child);
    bough_place_stop(child->place, self->news);
    limit_stop(actor, self, child, action->limit_ms);
    return false;
}

static struct bough_exit_reason too_late(const struct bough_supervised *child)
{
    char limit[BOUGH_DURATION_TEXT];

    return bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0, "it was not ready within %s",
                           bough_print_ms(bough_supervised_start_limit_ms(child), limit));
}

static void kill_child(struct bough_supervised *child)
{
    static const struct bough_exit_reason killed = { .kind = BOUGH_EXIT_KILLED };
    const struct bough_supervision *self = bough_state(child->watch.owner);

    bough_supervised_stop_timer(child);
    if (child->late) {
        const struct bough_exit_reason late = too_late(child);

        bough_place_end(child->place, &late, self->news);
    } else {
        bough_place_end(child->place, &killed, self->news);
    }
}

bool bough_supervision_do_kill(struct bough_actor *actor,
                               const struct bough_decide_action *action,
                               struct bough_decide_event *outcome)
{
    struct bough_supervision *self = bough_state(actor);

    (void)outcome;
    self->stopping = NULL;
    kill_child(bough_supervision_child(self, action->child));
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

static void all_timed_out(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_supervision_feed(actor,
                           (struct bough_decide_event){ .kind = BOUGH_ON_ALL_TIMEOUT });
}

static void stop_child(struct bough_supervised *child)
{
    const struct bough_supervision *self = bough_state(child->watch.owner);

    bough_supervised_stop_timer(child);
    bough_place_stop(child->place, self->news);
}

bool bough_supervision_do_stop_all(struct bough_actor *actor,
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

bool bough_supervision_do_kill_all(struct bough_actor *actor,
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
