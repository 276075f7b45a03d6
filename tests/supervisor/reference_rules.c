/* reference_rules.c - what follows from an end: policies, then OTP's decision table.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/reference_internal.h>

static bool fits(const struct bough_policy *policy,
                 const struct bough_exit_reason *reason)
{
    if ((policy->any_kind || policy->kind) && policy->kind != reason->kind) return false;
    if (policy->status && policy->status != reason->status) return false;
    return !(policy->any_number || policy->number) || policy->number == reason->number;
}

int bough_reference_policy_act(const struct bough_reference_member *member,
                               const struct bough_exit_reason *reason)
{
    for (size_t i = 0; i < member->spec->policy_count; i++) {
        if (fits(&member->spec->policies[i], reason))
            return (int)member->spec->policies[i].act;
    }
    return NO_POLICY;
}

int bough_reference_act_after_exit(const struct bough_reference_member *member,
                                   const struct bough_exit_reason *reason)
{
    bool good = reason->kind == BOUGH_EXIT_NORMAL || reason->kind == BOUGH_EXIT_SHUTDOWN;
    int act = bough_reference_policy_act(member, reason);

    if (act != NO_POLICY) return act;
    if (member->spec->restart == BOUGH_PERMANENT) return BOUGH_POLICY_RESTART;
    if (member->spec->restart == BOUGH_TRANSIENT && !good) return BOUGH_POLICY_RESTART;
    return NO_POLICY;
}
