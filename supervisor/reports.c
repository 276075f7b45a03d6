/* reports.c - what a supervisor says about its children: events, and lines of the log.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <inttypes.h>
#include <stdio.h>

#include <bough/core/event.h>
#include <bough/core/text.h>

/* Words */

const char *bough_print_ms(int64_t ms, char buffer[BOUGH_DURATION_TEXT])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
    size_t i = 0;

    while (ms % units[i].ms != 0 || (ms == 0 && units[i].ms > 1000))
        i++;
    snprintf(buffer, BOUGH_DURATION_TEXT, "%" PRId64 "%s", ms / units[i].ms,
             units[i].name);
    return buffer;
}

static const char *print_period(int64_t period_ms, char buffer[BOUGH_DURATION_TEXT])
{
    return period_ms == BOUGH_FOREVER ? "all its life"
                                      : bough_print_ms(period_ms, buffer);
}

static const char *print_reason(const struct bough_supervised *child,
                                char buffer[BOUGH_REASON_TEXT])
{
    return bough_exit_print(bough_supervised_reason(child), buffer, BOUGH_REASON_TEXT);
}

/* Reports the event, with what names the place filled in; returns its number. */
static uint64_t tell(struct bough_actor *actor, struct bough_address place,
                     struct bough_event *event)
{
    struct bough_runtime *runtime = bough_actor_runtime(actor);
    struct bough_place_info info;

    if (!bough_event_wanted(runtime)) return 0;
    if (bough_place_info(place, &info) != BOUGH_OK) return 0;
    event->path = info.path;
    event->type = info.type->name;
    event->life = info.life;
    return bough_event_report(runtime, event);
}

/* Starts and ends. What was asked for by a request is no news: OTP. */

/* The functions that print are not a part of those that ask whether to: the room for a
 * sentence would be made for each start and end. */
static __attribute__((noinline)) void say_up(struct bough_actor *actor,
                                             enum bough_log_level level,
                                             const struct bough_supervised *child)
{
    bough_report(actor, level, "%s is up, life %" PRIu32, bough_supervised_path(child),
                 child->watch.address.life);
}

/* Asked after each start and end, without a call. */
static inline bool says(const struct bough_supervision *self, enum bough_log_level level)
{
    return level >= self->log_level;
}

void bough_report_up(struct bough_actor *actor, const struct bough_supervision *self,
                     const struct bough_supervised *child)
{
    const enum bough_log_level level = self->asked == child ? BOUGH_DEBUG : BOUGH_INFO;

    if (says(self, level)) say_up(actor, level, child);
}

/* OTP's shutdown_error: what is said about an end that was asked for, and was another. */
static bool ended_as_asked(const struct bough_supervised *child)
{
    const enum bough_exit_kind kind = bough_supervised_reason(child)->kind;

    if (kind == BOUGH_EXIT_SHUTDOWN) return true;
    if (kind == BOUGH_EXIT_KILLED)
        return bough_supervised_shutdown_ms(child) == BOUGH_SHUTDOWN_BRUTAL_KILL;
    return kind == BOUGH_EXIT_NORMAL && child->spec->restart != BOUGH_PERMANENT;
}

static __attribute__((noinline)) void say_end(struct bough_actor *actor,
                                              enum bough_log_level level,
                                              const struct bough_supervised *child,
                                              const char *ended, const char *and)
{
    char why[BOUGH_REASON_TEXT];

    bough_report(actor, level, "%s %s: %s%s", bough_supervised_path(child), ended,
                 print_reason(child, why), and);
}

static void report_end_of_work(struct bough_actor *actor,
                               const struct bough_supervised *child)
{
    if (child->spec->restart == BOUGH_PERMANENT) return;
    const bool good = bough_exit_good(bough_supervised_reason(child));

    if (child->spec->restart == BOUGH_TEMPORARY)
        say_end(actor, good ? BOUGH_DEBUG : BOUGH_WARNING, child, "ended",
                "; it is temporary and forgotten");
    else if (good)
        say_end(actor, BOUGH_DEBUG, child, "ended", "; its work is done");
}

void bough_report_end(struct bough_actor *actor, const struct bough_supervision *self,
                      const struct bough_supervised *child)
{
    const enum bough_child_state state = bough_supervised_state(self, child);

    if (!says(self, BOUGH_ERROR)) return;
    if (state == BOUGH_CHILD_STARTING &&
        bough_supervised_reason(child)->kind == BOUGH_EXIT_SHUTDOWN)
        say_end(actor, BOUGH_WARNING, child, "ended before it was ready", "");
    else if (state == BOUGH_CHILD_STARTING)
        say_end(actor, BOUGH_ERROR, child, "did not start", "");
    else if (state != BOUGH_CHILD_STOPPING)
        report_end_of_work(actor, child);
    else if (!ended_as_asked(child))
        say_end(actor, BOUGH_WARNING, child, "was to end in order, and ended", "");
    else if (says(self, BOUGH_DEBUG))
        say_end(actor, BOUGH_DEBUG, child, "ended", "");
}

/* Restarts */

/* A backoff begins. It is counted when it is over: bough_report_restart(). */
void bough_report_wait(struct bough_actor *actor, struct bough_supervised *child,
                       const struct bough_decide_action *action)
{
    char why[BOUGH_REASON_TEXT], wait[BOUGH_DURATION_TEXT];

    child->cause = tell(actor, child->place,
                        &(struct bough_event){ .kind = BOUGH_EVENT_RESTARTING,
                                               .cause = child->cause,
                                               .delay_ms = action->limit_ms,
                                               .attempt = action->attempt });
    bough_report(actor, BOUGH_WARNING, "%s %s: %s; restart in %s",
                 bough_supervised_path(child),
                 action->attempt > 1 ? "did not start" : "ended",
                 print_reason(child, why), bough_print_ms(action->limit_ms, wait));
}

static enum bough_log_level level_of(const struct bough_supervised *child,
                                     const struct bough_decide_action *action)
{
    const bool said = action->limit_ms > 0;

    return said || bough_exit_good(bough_supervised_reason(child)) ? BOUGH_INFO
                                                                   : BOUGH_WARNING;
}

static __attribute__((noinline)) uint64_t
tell_restart(struct bough_actor *actor, const struct bough_supervised *child,
             const struct bough_decide_action *action)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_event event = {
        .kind = BOUGH_EVENT_RESTARTING,
        .cause = child->cause,
        .attempt = action->attempt,
        .restarts = action->restarts,
        .allowed = bough_supervisor_intensity(self->options),
        .period_ms = bough_supervisor_period_ms(self->options),
    };

    return tell(actor, child->place, &event);
}

static __attribute__((noinline)) void
say_restart(struct bough_actor *actor, const struct bough_supervised *child,
            const struct bough_decide_action *action)
{
    const struct bough_supervision *self = bough_state(actor);
    char why[BOUGH_REASON_TEXT], period[BOUGH_DURATION_TEXT];

    bough_report(actor, level_of(child, action),
                 "%s %s: %s; restart %" PRIu32 " of %" PRIu32 " in %s",
                 bough_supervised_path(child),
                 action->attempt > 1 ? "did not start" : "ended",
                 print_reason(child, why), action->restarts,
                 bough_supervisor_intensity(self->options),
                 print_period(bough_supervisor_period_ms(self->options), period));
}

void bough_report_restart(struct bough_actor *actor, struct bough_supervised *child,
                          const struct bough_decide_action *action)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_runtime *runtime = bough_actor_runtime(actor);

    if (bough_event_wanted(runtime)) self->cause = tell_restart(actor, child, action);
    if (says(self, BOUGH_WARNING)) say_restart(actor, child, action);
}

/* Ends of the supervisor by itself */

static uint32_t limit_of(const struct bough_supervision *self,
                         const struct bough_supervised *child, enum bough_decide_why why)
{
    switch (why) {
    case BOUGH_WHY_LIMIT: return bough_supervisor_intensity(self->options);
    case BOUGH_WHY_OWN_LIMIT: return child->spec->intensity;
    case BOUGH_WHY_POLICY: break;
    }
    return 0;
}

static int64_t period_of(const struct bough_supervision *self,
                         const struct bough_supervised *child, enum bough_decide_why why)
{
    switch (why) {
    case BOUGH_WHY_LIMIT: return bough_supervisor_period_ms(self->options);
    case BOUGH_WHY_OWN_LIMIT: return bough_child_period_ms(child->spec);
    case BOUGH_WHY_POLICY: break;
    }
    return 0;
}

static struct bough_exit_reason why_given_up(const struct bough_supervision *self,
                                             const struct bough_supervised *child,
                                             const struct bough_decide_action *action)
{
    char why[BOUGH_REASON_TEXT], period[BOUGH_DURATION_TEXT];
    const char *path = bough_supervised_path(child);

    print_reason(child, why);
    if (action->why == BOUGH_WHY_POLICY)
        return bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0,
                               "gave up: %s ended, and its policy is to escalate; %s",
                               path, why);
    return bough_exit_make(
        BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0,
        "gave up: %s needs restart %" PRIu32 "%s in %s, and %" PRIu32 " are allowed; %s",
        path, action->restarts, action->why == BOUGH_WHY_OWN_LIMIT ? " of its own" : "",
        print_period(period_of(self, child, action->why), period),
        limit_of(self, child, action->why), why);
}

void bough_report_give_up(struct bough_actor *actor, const struct bough_supervised *child,
                          const struct bough_decide_action *action)
{
    struct bough_supervision *self = bough_state(actor);
    const bool limited = action->why != BOUGH_WHY_POLICY;

    self->end = why_given_up(self, child, action);
    self->cause = tell(actor, bough_self(actor),
                       &(struct bough_event){
                           .kind = BOUGH_EVENT_GAVE_UP,
                           .cause = child->cause,
                           .reason = &self->end,
                           .restarts = limited ? action->restarts : 0,
                           .allowed = limit_of(self, child, action->why),
                           .period_ms = period_of(self, child, action->why),
                       });
    bough_report(actor, BOUGH_ERROR, "%s", self->end.text);
}

void bough_report_auto_shutdown(struct bough_actor *actor,
                                const struct bough_supervised *child)
{
    struct bough_supervision *self = bough_state(actor);
    char why[BOUGH_REASON_TEXT];

    self->end = bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0,
                                "automatic shutdown: significant %s ended: %s",
                                bough_supervised_path(child), print_reason(child, why));
    bough_report(actor, BOUGH_INFO, "%s", self->end.text);
}
