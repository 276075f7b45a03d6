/* decide_steps.c - what is under way, one start or one stop at a time.
 *
 * The supervisor has a phase; the table bough_decide_steps says how each goes on once an
 * event has been taken in, until something must be waited for. Every restart, alone or of
 * a group, is the same thing: the children from `from` on are stopped in reverse, then
 * started in order. A queue through the children holds the ends whose turn has not come,
 * as OTP's mailbox does.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

#include <bough/core/assert.h>

/* The queue of ends */

static void queue_append(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];

    child->next = BOUGH_NO_CHILD;
    if (decider->queue_first == BOUGH_NO_CHILD)
        decider->queue_first = i;
    else
        decider->children[decider->queue_last].next = i;
    decider->queue_last = i;
}

static void enqueue(struct bough_decider *decider, size_t i)
{
    bough_assert(!decider->children[i].queued);
    decider->children[i].queued = true;
    queue_append(decider, i);
}

void bough_decide_await_turn(struct bough_decider *decider, size_t i)
{
    bough_decide_set_state(decider, i, BOUGH_CHILD_WAITING);
    enqueue(decider, i);
}

/* OTP's supervisor takes it for alive until it has taken in its end. */
void bough_decide_await_trigger(struct bough_decider *decider, size_t i)
{
    decider->children[i].verdict = BOUGH_VERDICT_OVER;
    decider->significant++;
    enqueue(decider, i);
}

/* What an end that was queued leaves behind. */
static void dequeued(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];

    child->queued = false;
    if (child->state == BOUGH_CHILD_WAITING) {
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
        return;
    }
    decider->significant--;
    if (child->state == BOUGH_CHILD_FORGOTTEN) bough_decide_release(decider, i);
}

size_t bough_decide_queue_pop(struct bough_decider *decider)
{
    size_t i = decider->queue_first;

    decider->queue_first = decider->children[i].next;
    dequeued(decider, i);
    return i;
}

void bough_decide_queue_clean(struct bough_decider *decider)
{
    size_t i = decider->queue_first;

    decider->queue_first = BOUGH_NO_CHILD;
    while (i != BOUGH_NO_CHILD) {
        size_t next = decider->children[i].next;

        if (bough_decide_in_group(decider, i))
            dequeued(decider, i);
        else
            queue_append(decider, i);
        i = next;
    }
}

/* The group under way */

bool bough_decide_in_group(const struct bough_decider *decider, size_t i)
{
    if (decider->from == BOUGH_NO_CHILD) return true;
    if (decider->single) return i == decider->from;
    return decider->children[i].rank >= decider->children[decider->from].rank;
}

static bool current_is(const struct bough_decider *decider, enum bough_child_state state)
{
    return decider->current != BOUGH_NO_CHILD &&
           decider->children[decider->current].state == state;
}

/* Opens a group whose members are to be stopped first, after the one that is being
 * stopped already: one at a time, also when the end comes in between. Those that wait for
 * a restart of their own need none now: OTP takes the exit message of a sibling that it
 * terminates out of its mailbox, and a retry of a child that is not `restarting` any more
 * is ignored. */
static void open_group(struct bough_decider *decider, size_t from, bool single)
{
    size_t i = from == BOUGH_NO_CHILD ? decider->head : from;

    decider->from = from;
    decider->single = single;
    if (!current_is(decider, BOUGH_CHILD_STOPPING)) decider->current = BOUGH_NO_CHILD;
    decider->cursor = single ? from : decider->tail;
    if (single) return;
    bough_decide_queue_clean(decider);
    for (; i != BOUGH_NO_CHILD; i = decider->children[i].after) {
        if (decider->children[i].state == BOUGH_CHILD_RETRYING)
            bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
    }
}

void bough_decide_start(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];

    bough_decide_set_state(decider, i, BOUGH_CHILD_STARTING);
    child->killed = false;
    bough_decide_act_on(decider, BOUGH_DO_START, i)->limit_ms =
        child->extras ? child->extras->start_timeout_ms : BOUGH_FOREVER;
}

static void start_at_first(struct bough_decider *decider)
{
    decider->current = BOUGH_NO_CHILD;
    decider->cursor = decider->from == BOUGH_NO_CHILD ? decider->head : decider->from;
}

/* Every member has been stopped. */
static void start_group(struct bough_decider *decider)
{
    start_at_first(decider);
    bough_decide_set_phase(decider, BOUGH_PHASE_GROUP_STARTING);
}

/* Those that are down are started, but for a temporary child that is over: one that a
 * policy stopped is known, and nobody but restart_child starts it again. */
static bool is_due(const struct bough_decider *decider,
                   const struct bough_decider_child *child)
{
    return child->state == BOUGH_CHILD_DOWN &&
           (decider->phase == BOUGH_PHASE_STARTING || child->restart != BOUGH_TEMPORARY ||
            child->verdict != BOUGH_VERDICT_OVER);
}

/* False when every child of the group has been started. */
static bool start_next(struct bough_decider *decider)
{
    if (current_is(decider, BOUGH_CHILD_STARTING)) return true;
    while (decider->cursor != BOUGH_NO_CHILD) {
        size_t i = decider->cursor;

        decider->cursor = decider->single ? BOUGH_NO_CHILD : decider->children[i].after;
        if (!is_due(decider, &decider->children[i])) continue;
        decider->current = i;
        bough_decide_start(decider, i);
        return true;
    }
    return false;
}

/* One that did not start in time has been killed already. */
void bough_decide_stop(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];
    bool killed = child->state == BOUGH_CHILD_STARTING && child->killed;

    bough_decide_set_state(decider, i, BOUGH_CHILD_STOPPING);
    child->killed = killed || child->shutdown_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
    if (killed) return;
    if (child->killed) {
        bough_decide_act_on(decider, BOUGH_DO_KILL, i);
        return;
    }
    bough_decide_act_on(decider, BOUGH_DO_STOP, i)->limit_ms = child->shutdown_ms;
}

/* False when no child of the group is alive. */
static bool stop_next(struct bough_decider *decider)
{
    if (current_is(decider, BOUGH_CHILD_STOPPING)) return true;
    while (decider->cursor != BOUGH_NO_CHILD) {
        size_t i = decider->cursor;
        const struct bough_decider_child *child = &decider->children[i];

        decider->cursor = i == decider->from ? BOUGH_NO_CHILD : child->before;
        if (!bough_decide_lives(child)) continue;
        decider->current = i;
        if (child->state != BOUGH_CHILD_STOPPING) bough_decide_stop(decider, i);
        return true;
    }
    return false;
}

/* The end */

/* OTP's simple_one_for_one: all are asked at once, under one limit. */
static void stop_all(struct bough_decider *decider)
{
    if (decider->living == 0) return;
    for (size_t i = decider->head; i != BOUGH_NO_CHILD; i = decider->children[i].after) {
        const struct bough_decider_child *child = &decider->children[i];

        if (bough_decide_lives(child) && child->state != BOUGH_CHILD_STOPPING)
            bough_decide_set_state(decider, i, BOUGH_CHILD_STOPPING);
    }
    decider->all_killed = decider->all_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
    bough_decide_act_on(decider, BOUGH_DO_STOP_ALL, 0)->limit_ms = decider->all_ms;
}

void bough_decide_end_all(struct bough_decider *decider, enum bough_decide_end end,
                          size_t culprit)
{
    bough_decide_request_cancel(decider);
    decider->end = end;
    decider->culprit = culprit;
    bough_decide_set_phase(decider, BOUGH_PHASE_ENDING);
    open_group(decider, BOUGH_NO_CHILD, false);
    if (decider->strategy == BOUGH_DYNAMIC) stop_all(decider);
}

void bough_decide_give_up(struct bough_decider *decider, size_t i,
                          enum bough_decide_why why, uint32_t restarts)
{
    struct bough_decide_action *report =
        bough_decide_act_on(decider, BOUGH_DO_GIVE_UP, i);

    report->attempt = decider->children[i].attempt + 1;
    report->restarts = restarts;
    report->why = why;
    bough_decide_end_all(decider, BOUGH_END_GAVE_UP, i);
}

/* Restarts */

/* Whether the limits allow one more try; gives up when they do not. */
static bool allowed(struct bough_decider *decider, size_t i, uint32_t *restarts)
{
    struct bough_decider_extras *extras = decider->children[i].extras;
    uint32_t own;

    if (decider->children[i].verdict == BOUGH_VERDICT_UNCOUNTED) {
        *restarts = bough_window_count(&decider->window, decider->now_ms);
        return true;
    }
    *restarts = bough_window_add(&decider->window, decider->now_ms);
    if (*restarts > decider->intensity) {
        bough_decide_give_up(decider, i, BOUGH_WHY_LIMIT, *restarts);
        return false;
    }
    if (!extras || !extras->limited) return true;
    own = bough_window_add(&extras->window, decider->now_ms);
    if (own <= extras->intensity) return true;
    bough_decide_give_up(decider, i, BOUGH_WHY_OWN_LIMIT, own);
    return false;
}

static void restart(struct bough_decider *decider, size_t i)
{
    const struct bough_decider_child *child = &decider->children[i];
    struct bough_decide_action *report;
    uint32_t restarts;

    if (!allowed(decider, i, &restarts)) return;
    decider->attempt = child->attempt + 1;
    report = bough_decide_act_on(decider, BOUGH_DO_RESTART, i);
    report->limit_ms = child->extras ? child->extras->waited_ms : 0;
    report->attempt = decider->attempt;
    report->restarts = restarts;
    bough_decide_set_phase(decider, BOUGH_PHASE_GROUP_STOPPING);
    switch (decider->strategy) {
    case BOUGH_ONE_FOR_ALL: open_group(decider, BOUGH_NO_CHILD, false); break;
    case BOUGH_REST_FOR_ONE: open_group(decider, i, false); break;
    case BOUGH_ONE_FOR_ONE:
    case BOUGH_DYNAMIC:
    case BOUGH_STRATEGY_COUNT:
        open_group(decider, i, true);
        start_group(decider); /* it is down */
        break;
    }
}

/* The rule of auto_shutdown, once a significant child is over. */
static bool triggers(const struct bough_decider *decider)
{
    return decider->auto_shutdown == BOUGH_ANY_SIGNIFICANT ||
           (decider->auto_shutdown == BOUGH_ALL_SIGNIFICANT && decider->significant == 0);
}

/* Takes in the oldest end. */
static __attribute__((noinline)) void take_turn(struct bough_decider *decider)
{
    const size_t i = bough_decide_queue_pop(decider);

    switch (decider->children[i].verdict) {
    case BOUGH_VERDICT_OVER:
        if (!triggers(decider)) return;
        bough_decide_act_on(decider, BOUGH_DO_AUTO_SHUTDOWN, i);
        bough_decide_end_all(decider, BOUGH_END_AUTO_SHUTDOWN, i);
        break;
    case BOUGH_VERDICT_RESTART:
    case BOUGH_VERDICT_UNCOUNTED: restart(decider, i); break;
    case BOUGH_VERDICT_ESCALATE:
        bough_decide_give_up(decider, i, BOUGH_WHY_POLICY,
                             bough_window_count(&decider->window, decider->now_ms));
        break;
    }
}

/* Phases: how each goes on. True: another phase has begun. */

void bough_decide_begin(struct bough_decider *decider)
{
    open_group(decider, BOUGH_NO_CHILD, false);
    start_at_first(decider);
    bough_decide_set_phase(decider, BOUGH_PHASE_STARTING);
}

static bool go_on_starting(struct bough_decider *decider)
{
    if (start_next(decider)) return false;
    bough_decide_act_on(decider, BOUGH_DO_READY, 0);
    bough_decide_set_phase(decider, BOUGH_PHASE_RUNNING);
    return true;
}

static bool go_on_running(struct bough_decider *decider)
{
    while (decider->phase == BOUGH_PHASE_RUNNING &&
           decider->queue_first != BOUGH_NO_CHILD)
        take_turn(decider);
    return decider->phase != BOUGH_PHASE_RUNNING;
}

static bool go_on_group_stopping(struct bough_decider *decider)
{
    if (stop_next(decider)) return false;
    start_group(decider);
    return true;
}

static bool go_on_group_starting(struct bough_decider *decider)
{
    if (start_next(decider)) return false;
    bough_decide_set_phase(decider, BOUGH_PHASE_RUNNING);
    return true;
}

static bool go_on_ending(struct bough_decider *decider)
{
    if (decider->strategy == BOUGH_DYNAMIC ? decider->living > 0 : stop_next(decider))
        return false;
    bough_decide_act_on(decider, BOUGH_DO_END, decider->culprit)->end = decider->end;
    bough_decide_set_phase(decider, BOUGH_PHASE_ENDED);
    return true;
}

static bool stay(struct bough_decider *decider)
{
    (void)decider;
    return false;
}

bool (*const bough_decide_steps[BOUGH_PHASE_COUNT])(struct bough_decider *) = {
    [BOUGH_PHASE_NEW] = stay,
    [BOUGH_PHASE_STARTING] = go_on_starting,
    [BOUGH_PHASE_RUNNING] = go_on_running,
    [BOUGH_PHASE_GROUP_STOPPING] = go_on_group_stopping,
    [BOUGH_PHASE_GROUP_STARTING] = go_on_group_starting,
    [BOUGH_PHASE_ASKED_STARTING] = stay,
    [BOUGH_PHASE_ASKED_STOPPING] = stay,
    [BOUGH_PHASE_ENDING] = go_on_ending,
    [BOUGH_PHASE_ENDED] = stay,
};
