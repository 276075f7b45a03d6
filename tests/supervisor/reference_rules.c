/* reference_rules.c - what follows from an end, and what a change of the specs does.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/reference_internal.h>

#include <string.h>

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

/* Restarts that the limit would not let be are forgotten: one more is too many anyhow. */
static void change_stamps(struct bough_reference *self, int64_t since_ms)
{
    size_t most = bough_supervisor_intensity(self->options), kept = 0, first = 0;

    for (size_t i = 0; i < self->stamp_count; i++) {
        if (self->stamps[i] >= since_ms) self->stamps[kept++] = self->stamps[i];
    }
    if (kept > most) first = kept - most;
    self->stamp_count = kept - first;
    memmove(self->stamps, self->stamps + first,
            self->stamp_count * sizeof(self->stamps[0]));
}

static void change_order(struct bough_reference *self,
                         const struct bough_history_entry *entry)
{
    size_t order[HISTORY_CHILDREN], count = 0;

    for (size_t i = 0; i < entry->given; i++)
        order[count++] = entry->given_to[i];
    for (size_t i = 0; i < self->count; i++) {
        if (!memchr(entry->given_to, (int)self->order[i], entry->given))
            order[count++] = self->order[i];
    }
    memcpy(self->order, order, count * sizeof(order[0]));
}

void bough_reference_change(struct bough_reference *self,
                            const struct bough_history_entry *entry)
{
    self->options = entry->changed;
    change_stamps(self, entry->now_ms - bough_supervisor_period_ms(self->options));
    for (size_t i = 0; i < entry->given; i++) {
        struct bough_reference_member *member = &self->members[entry->given_to[i]];

        member->spec = entry->given_specs[i];
        member->stamp_count = 0;
        member->wait_ms = 0;
        member->waited_ms = 0;
    }
    change_order(self, entry);
}
