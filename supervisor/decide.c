/* decide.c - the rules of supervision, as OTP's supervisor.erl has them.
 *
 * Two small machines. Each child has a state; the table `cells` says what each event does
 * in each state. The supervisor has a phase; decide_steps.c has the table that says how
 * each phase goes on once an event has been taken in.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

#include <bough/core/assert.h>

/* Children: what an event does in a state. */

typedef void cell(struct bough_decider *decider, size_t i,
                  const struct bough_exit_reason *reason);

/* One that was too late is being killed, and stays late. */
static void came_up(struct bough_decider *decider, size_t i,
                    const struct bough_exit_reason *reason)
{
    struct bough_decider_child *child = &decider->children[i];

    (void)reason;
    if (child->killed) return;
    if (child->extras) child->extras->up_ms = decider->now_ms;
    if (decider->phase == BOUGH_PHASE_ASKED_STARTING)
        bough_decide_asked_start_over(decider, i, BOUGH_OK);
    else
        bough_decide_set_state(decider, i, BOUGH_CHILD_RUNNING);
}

static const struct bough_exit_reason too_late = { .kind = BOUGH_EXIT_TIMEOUT };

/* The first start is not tried again and not counted; a restart is both; a request is
 * answered. */
static void start_failed(struct bough_decider *decider, size_t i,
                         const struct bough_exit_reason *reason)
{
    if (decider->phase == BOUGH_PHASE_GROUP_STARTING) {
        bough_decide_judge_restart(decider, i,
                                   decider->children[i].killed ? &too_late : reason);
    } else if (decider->phase == BOUGH_PHASE_ASKED_STARTING) {
        bough_decide_asked_start_over(decider, i, BOUGH_EFAILED);
    } else {
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
        if (decider->phase == BOUGH_PHASE_STARTING)
            bough_decide_end_all(decider, BOUGH_END_FAILED, i);
    }
}

static void declined(struct bough_decider *decider, size_t i,
                     const struct bough_exit_reason *reason)
{
    if (decider->children[i].killed)
        start_failed(decider, i, reason);
    else if (decider->phase == BOUGH_PHASE_ASKED_STARTING)
        bough_decide_asked_start_over(decider, i, BOUGH_IGNORE);
    else if (decider->phase == BOUGH_PHASE_ENDING)
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
    else
        bough_decide_dismiss(decider, i);
}

/* Ended by itself. A member of a group that is about to be stopped is taken for stopped:
 * a temporary one is gone, any other is about to be started anyhow. */
static void died(struct bough_decider *decider, size_t i,
                 const struct bough_exit_reason *reason)
{
    if (decider->phase == BOUGH_PHASE_ENDING)
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
    else if (decider->phase != BOUGH_PHASE_GROUP_STOPPING ||
             !bough_decide_in_group(decider, i))
        bough_decide_judge(decider, i, reason);
    else if (decider->children[i].restart == BOUGH_TEMPORARY)
        bough_decide_forget(decider, i);
    else
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
}

static void stopped(struct bough_decider *decider, size_t i,
                    const struct bough_exit_reason *reason)
{
    (void)reason;
    if (decider->phase == BOUGH_PHASE_ASKED_STOPPING)
        bough_decide_asked_stop_over(decider, i);
    else if (decider->phase == BOUGH_PHASE_GROUP_STOPPING &&
             decider->children[i].restart == BOUGH_TEMPORARY)
        bough_decide_forget(decider, i);
    else
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
}

static void retry_due(struct bough_decider *decider, size_t i,
                      const struct bough_exit_reason *reason)
{
    (void)reason;
    bough_decide_await_turn(decider, i);
}

/* It did not end, or did not come up, in time. */
static void overdue(struct bough_decider *decider, size_t i,
                    const struct bough_exit_reason *reason)
{
    struct bough_decider_child *child = &decider->children[i];

    (void)reason;
    if (child->killed || decider->all_killed) return;
    child->killed = true;
    bough_decide_act_on(decider, BOUGH_DO_KILL, i);
}

static void nothing(struct bough_decider *decider, size_t i,
                    const struct bough_exit_reason *reason)
{
    (void)decider;
    (void)i;
    (void)reason;
}

/* NULL: cannot happen, but for a timer, which may be late. */
static cell *const cells[BOUGH_CHILD_STATE_COUNT][BOUGH_DECIDE_EVENT_COUNT] = {
    [BOUGH_CHILD_STARTING] = { [BOUGH_ON_READY] = came_up,
                               [BOUGH_ON_IGNORED] = declined,
                               [BOUGH_ON_START_FAILED] = start_failed,
                               [BOUGH_ON_EXITED] = start_failed,
                               [BOUGH_ON_START_TIMEOUT] = overdue },
    [BOUGH_CHILD_RUNNING] = { [BOUGH_ON_EXITED] = died },
    [BOUGH_CHILD_STOPPING] = { [BOUGH_ON_READY] = nothing,
                               [BOUGH_ON_IGNORED] = stopped,
                               [BOUGH_ON_START_FAILED] = stopped,
                               [BOUGH_ON_EXITED] = stopped,
                               [BOUGH_ON_STOP_TIMEOUT] = overdue },
    [BOUGH_CHILD_RETRYING] = { [BOUGH_ON_RETRY] = retry_due },
};

static cell *cell_of(const struct bough_decider *decider,
                     const struct bough_decide_event *event)
{
    return cells[decider->children[event->child].state][event->kind];
}

/* Events about the supervisor itself */

static void all_overdue(struct bough_decider *decider)
{
    if (decider->phase != BOUGH_PHASE_ENDING || decider->strategy != BOUGH_DYNAMIC ||
        decider->all_killed)
        return;
    decider->all_killed = true;
    bough_decide_act_on(decider, BOUGH_DO_KILL_ALL, 0);
}

static bool request_expected(const struct bough_decider *decider,
                             const struct bough_decide_event *event)
{
    enum bough_child_state state = decider->children[event->child].state;

    if (!bough_decider_idle(decider)) return false;
    return event->kind == BOUGH_ON_START_CHILD ? state == BOUGH_CHILD_DOWN
                                               : state != BOUGH_CHILD_FORGOTTEN;
}

/* Asserted with each event, so a part of bough_decide(), and no call. */
static inline __attribute__((always_inline)) bool
is_expected(const struct bough_decider *decider, const struct bough_decide_event *event)
{
    bool known = event->child < decider->count;

    switch (event->kind) {
    case BOUGH_ON_BEGIN: return decider->phase == BOUGH_PHASE_NEW;
    case BOUGH_ON_STOP:
    case BOUGH_ON_ALL_TIMEOUT: return true;
    case BOUGH_ON_RETRY:
    case BOUGH_ON_STOP_TIMEOUT:
    case BOUGH_ON_START_TIMEOUT: return known;
    case BOUGH_ON_READY:
    case BOUGH_ON_IGNORED: return known && cell_of(decider, event);
    case BOUGH_ON_START_FAILED:
    case BOUGH_ON_EXITED: return known && event->reason && cell_of(decider, event);
    case BOUGH_ON_START_CHILD:
    case BOUGH_ON_TERMINATE_CHILD:
    case BOUGH_ON_RESTART_CHILD:
    case BOUGH_ON_DELETE_CHILD: return known && request_expected(decider, event);
    case BOUGH_DECIDE_EVENT_COUNT: break;
    }
    return false;
}

/* Public */

bool bough_decide_expects(const struct bough_decider *decider,
                          struct bough_decide_event event)
{
    return is_expected(decider, &event);
}

static inline __attribute__((always_inline)) void
take_in(struct bough_decider *decider, const struct bough_decide_event *event)
{
    cell *reaction;

    switch (event->kind) {
    case BOUGH_ON_BEGIN: bough_decide_begin(decider); break;
    case BOUGH_ON_STOP:
        if (!bough_decider_ending(decider))
            bough_decide_end_all(decider, BOUGH_END_ASKED, 0);
        break;
    case BOUGH_ON_ALL_TIMEOUT: all_overdue(decider); break;
    case BOUGH_ON_START_CHILD:
    case BOUGH_ON_TERMINATE_CHILD:
    case BOUGH_ON_RESTART_CHILD:
    case BOUGH_ON_DELETE_CHILD:
        bough_decide_request(decider, event->kind, event->child);
        break;
    case BOUGH_ON_READY:
    case BOUGH_ON_IGNORED:
    case BOUGH_ON_START_FAILED:
    case BOUGH_ON_EXITED:
    case BOUGH_ON_RETRY:
    case BOUGH_ON_STOP_TIMEOUT:
    case BOUGH_ON_START_TIMEOUT:
        reaction = cell_of(decider, event);
        if (reaction) reaction(decider, event->child, event->reason);
        break;
    case BOUGH_DECIDE_EVENT_COUNT: break;
    }
}

/* The event's members are taken out first, so that the compiler sees that both switches
 * are about the same. */
void bough_decide_about(struct bough_decider *decider,
                        const struct bough_decide_event *about, int64_t now_ms,
                        struct bough_decide_actions *actions)
{
    const struct bough_decide_event event = {
        .kind = about->kind,
        .child = about->child,
        .reason = about->reason,
    };

    bough_assert(now_ms >= decider->now_ms);
    actions->count = 0;
    decider->actions = actions;
    decider->now_ms = now_ms;

    bough_assert(event.kind < BOUGH_DECIDE_EVENT_COUNT);
    bough_assert(is_expected(decider, &event));
    take_in(decider, &event);
    bough_decide_go_on(decider);
    decider->actions = NULL;
}

void bough_decide(struct bough_decider *decider, struct bough_decide_event event,
                  int64_t now_ms, struct bough_decide_actions *actions)
{
    bough_decide_about(decider, &event, now_ms, actions);
}

bool bough_decider_idle(const struct bough_decider *decider)
{
    return bough_decide_is_idle(decider);
}

bool bough_decider_ending(const struct bough_decider *decider)
{
    return bough_decide_is_ending(decider);
}
