/* decide_requests.c - start_child, terminate_child, restart_child, delete_child.
 *
 * A request comes while nothing is under way. It is answered at once, or one start or one
 * stop is under way until it is answered; who ends meanwhile waits for its turn. What is
 * done by request never counts, and never leads to a restart or to auto_shutdown. An
 * answer comes before the child it is about is settled or removed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

static void answer(struct bough_decider *decider, size_t i, enum bough_status status)
{
    bough_decide_act_on(decider, BOUGH_DO_ANSWER, i)->status = status;
}

static void go_off(struct bough_decider *decider, enum bough_decide_event_kind kind,
                   size_t i, enum bough_decide_phase phase)
{
    decider->request = kind;
    decider->asked = decider->current = i;
    bough_decide_set_phase(decider, phase);
}

static void start_by_request(struct bough_decider *decider,
                             enum bough_decide_event_kind kind, size_t i)
{
    go_off(decider, kind, i, BOUGH_PHASE_ASKED_STARTING);
    bough_decide_start(decider, i);
}

/* Whether a retry other than this child's would start the siblings that are down.
 * One-for-all: any; rest-for-one: one that comes before; otherwise there are none. */
static bool siblings_are_awaited(const struct bough_decider *decider, size_t i)
{
    size_t end = decider->strategy == BOUGH_ONE_FOR_ALL ? BOUGH_NO_CHILD : i;

    if (decider->strategy != BOUGH_ONE_FOR_ALL && decider->strategy != BOUGH_REST_FOR_ONE)
        return true;
    for (size_t k = decider->head; k != end; k = decider->children[k].after) {
        if (k != i && decider->children[k].state == BOUGH_CHILD_RETRYING) return true;
    }
    return false;
}

bool bough_decider_awaits(const struct bough_decider *decider, size_t child)
{
    const bool all = decider->strategy == BOUGH_ONE_FOR_ALL;

    if (!all && decider->strategy != BOUGH_REST_FOR_ONE) return false;
    for (size_t k = decider->head; k != BOUGH_NO_CHILD; k = decider->children[k].after) {
        if (!all && k == child) return false;
        if (decider->children[k].state == BOUGH_CHILD_RETRYING) return true;
    }
    return false;
}

/* In a group the later siblings were to be started by the same retry: nobody is expected
 * there any more, either. */
static void cancel_retry(struct bough_decider *decider, size_t i)
{
    bool awaited = siblings_are_awaited(decider, i);

    answer(decider, i, BOUGH_OK);
    bough_decide_dismiss(decider, i);
    if (!awaited) bough_decide_act_on(decider, BOUGH_DO_SETTLE_DOWN, i);
}

static void terminate_child(struct bough_decider *decider, size_t i)
{
    const struct bough_decider_child *child = &decider->children[i];

    if (child->state == BOUGH_CHILD_RUNNING) {
        go_off(decider, BOUGH_ON_TERMINATE_CHILD, i, BOUGH_PHASE_ASKED_STOPPING);
        bough_decide_stop(decider, i);
    } else if (child->state == BOUGH_CHILD_RETRYING) {
        cancel_retry(decider, i);
    } else {
        answer(decider, i, BOUGH_OK);
        if (child->restart == BOUGH_TEMPORARY) bough_decide_forget(decider, i);
    }
}

static enum bough_status why_not_down(const struct bough_decider_child *child)
{
    return child->state == BOUGH_CHILD_RETRYING ? BOUGH_ERESTARTING : BOUGH_ERUNNING;
}

void bough_decide_request(struct bough_decider *decider,
                          enum bough_decide_event_kind kind, size_t i)
{
    const struct bough_decider_child *child = &decider->children[i];

    if (kind == BOUGH_ON_TERMINATE_CHILD) {
        terminate_child(decider, i);
    } else if (child->state != BOUGH_CHILD_DOWN) {
        answer(decider, i, why_not_down(child));
    } else if (kind == BOUGH_ON_DELETE_CHILD) {
        answer(decider, i, BOUGH_OK);
        bough_decide_forget(decider, i);
    } else {
        start_by_request(decider, kind, i);
    }
}

void bough_decide_asked_start_over(struct bough_decider *decider, size_t i,
                                   enum bough_status status)
{
    answer(decider, i, status);
    bough_decide_set_phase(decider, BOUGH_PHASE_RUNNING);
    if (status == BOUGH_OK)
        bough_decide_set_state(decider, i, BOUGH_CHILD_RUNNING);
    else if (status == BOUGH_EFAILED && decider->request == BOUGH_ON_START_CHILD)
        bough_decide_forget(decider, i);
    else if (status == BOUGH_EFAILED)
        bough_decide_settle(decider, i);
    else
        bough_decide_dismiss(decider, i);
}

void bough_decide_asked_stop_over(struct bough_decider *decider, size_t i)
{
    answer(decider, i, BOUGH_OK);
    bough_decide_set_phase(decider, BOUGH_PHASE_RUNNING);
    bough_decide_dismiss(decider, i);
}

void bough_decide_request_cancel(struct bough_decider *decider)
{
    if (decider->phase == BOUGH_PHASE_ASKED_STARTING ||
        decider->phase == BOUGH_PHASE_ASKED_STOPPING)
        answer(decider, decider->asked, BOUGH_ECANCELLED);
}
