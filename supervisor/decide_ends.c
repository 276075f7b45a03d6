/* decide_ends.c - what an end leads to: restart types, policies, backoff.
 *
 * An end is judged when it happens, and what is to be done about it waits for its turn.
 * Only what cannot be changed by what comes before is done at once: a child that is over
 * is settled or removed, and a backoff begins to wait.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

#include <bough/core/assert.h>

/* Policies */

static bool fits(const struct bough_policy *policy,
                 const struct bough_exit_reason *reason)
{
    bool any_kind = !policy->any_kind && policy->kind == BOUGH_EXIT_NORMAL;
    bool any_number = !policy->any_number && policy->number == 0;

    return (any_kind || policy->kind == reason->kind) &&
           (policy->status == BOUGH_OK || policy->status == reason->status) &&
           (any_number || policy->number == reason->number);
}

/* The first that fits; NULL: none. */
static const struct bough_policy *policy_of(const struct bough_decider_child *child,
                                            const struct bough_exit_reason *reason)
{
    const struct bough_decider_extras *extras = child->extras;

    for (size_t i = 0; extras && i < extras->policy_count; i++) {
        if (fits(&extras->policies[i], reason)) return &extras->policies[i];
    }
    return NULL;
}

static enum bough_decide_verdict verdict_of(enum bough_policy_act act)
{
    switch (act) {
    case BOUGH_POLICY_RESTART: break;
    case BOUGH_POLICY_UNCOUNTED: return BOUGH_VERDICT_UNCOUNTED;
    case BOUGH_POLICY_STOP: return BOUGH_VERDICT_OVER;
    case BOUGH_POLICY_ESCALATE: return BOUGH_VERDICT_ESCALATE;
    case BOUGH_POLICY_COUNT: break;
    }
    return BOUGH_VERDICT_RESTART;
}

/* OTP's decision table. */
static enum bough_decide_verdict otp_verdict(enum bough_restart restart, bool good)
{
    if (restart == BOUGH_TEMPORARY) return BOUGH_VERDICT_OVER;
    if (restart == BOUGH_TRANSIENT && good) return BOUGH_VERDICT_OVER;
    return BOUGH_VERDICT_RESTART;
}

/* Backoff */

/* Steele, Lea and Flood's SplitMix64: 0 <= x < 1. */
static double chance(struct bough_decider *decider)
{
    uint64_t z = decider->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* The next wait, in ms: never above max_ms, which a double may not hold exactly. */
static int64_t next_wait(struct bough_decider *decider,
                         struct bough_decider_extras *extras)
{
    const struct bough_backoff *backoff = &extras->backoff;
    double wait_ms =
        extras->wait_ms > 0 ? extras->wait_ms * backoff->factor : (double)backoff->min_ms;
    int64_t whole_ms = backoff->max_ms;

    if (wait_ms < (double)backoff->max_ms)
        whole_ms = (int64_t)wait_ms;
    else
        wait_ms = (double)backoff->max_ms;
    extras->wait_ms = wait_ms;
    return whole_ms - (int64_t)(wait_ms * backoff->jitter * chance(decider));
}

static bool backs_off(const struct bough_decider_child *child)
{
    return child->extras && child->extras->backoff.min_ms > 0;
}

/* Without backoff it is tried again as soon as the loop has had its turn. */
static void retry_later(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];
    struct bough_decide_action *retry = bough_decide_act_on(decider, BOUGH_DO_RETRY, i);

    retry->attempt = child->attempt + 1;
    if (backs_off(child))
        retry->limit_ms = child->extras->waited_ms = next_wait(decider, child->extras);
    bough_decide_set_state(decider, i, BOUGH_CHILD_RETRYING);
}

static void forgive(const struct bough_decider *decider,
                    struct bough_decider_extras *extras)
{
    if (extras && decider->now_ms - extras->up_ms >= extras->backoff.reset_after_ms)
        extras->wait_ms = 0;
}

/* Judgement */

static void over(struct bough_decider *decider, size_t i, bool by_policy)
{
    if (decider->children[i].significant) bough_decide_await_trigger(decider, i);
    if (by_policy && decider->strategy != BOUGH_DYNAMIC)
        bough_decide_settle(decider, i);
    else
        bough_decide_dismiss(decider, i);
}

void bough_decide_judge(struct bough_decider *decider, size_t i,
                        const struct bough_exit_reason *reason)
{
    struct bough_decider_child *child = &decider->children[i];
    const struct bough_policy *policy = policy_of(child, reason);

    forgive(decider, child->extras);
    child->attempt = 0;
    child->verdict = policy ? verdict_of(policy->act)
                            : otp_verdict(child->restart, bough_exit_good(reason));
    switch (child->verdict) {
    case BOUGH_VERDICT_OVER: over(decider, i, policy != NULL); break;
    case BOUGH_VERDICT_RESTART:
    case BOUGH_VERDICT_UNCOUNTED:
        if (backs_off(child))
            retry_later(decider, i);
        else
            bough_decide_await_turn(decider, i);
        break;
    case BOUGH_VERDICT_ESCALATE: bough_decide_await_turn(decider, i); break;
    }
}

/* A failed restart is tried again, whatever the restart type: OTP. */
void bough_decide_judge_restart(struct bough_decider *decider, size_t i,
                                const struct bough_exit_reason *reason)
{
    struct bough_decider_child *child = &decider->children[i];
    const struct bough_policy *policy = policy_of(child, reason);

    child->attempt = decider->attempt;
    child->verdict = policy ? verdict_of(policy->act) : BOUGH_VERDICT_RESTART;
    switch (child->verdict) {
    case BOUGH_VERDICT_OVER: over(decider, i, true); break;
    case BOUGH_VERDICT_RESTART:
    case BOUGH_VERDICT_UNCOUNTED:
        retry_later(decider, i);
        bough_decide_set_phase(decider, BOUGH_PHASE_RUNNING);
        break;
    case BOUGH_VERDICT_ESCALATE:
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
        bough_decide_give_up(decider, i, BOUGH_WHY_POLICY,
                             bough_window_count(&decider->window, decider->now_ms));
        break;
    }
}
