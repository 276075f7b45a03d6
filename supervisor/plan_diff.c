/* plan_diff.c - in which keys two specs differ, and which of these need a new life.
 *
 * What a zero stands for is the same as what it stands for. A group has been made with
 * all that its members are to be, so that whatever changes of them needs a new group.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/plan.h>

#include <string.h>

#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>

struct diff {
    const struct bough_child_spec *before, *after;
    bough_plan_visitor *visit;
    void *data;
    bool group; /* one of them, at least */
    bool failed;
};

static void tell(struct diff *diff, bool differs, const char *name, bool restarts)
{
    const struct bough_plan_key key = { .name = name, .restarts = restarts };

    if (differs) diff->visit(diff->data, &key);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Options */

static bool same_texts(const char *const *a, const char *const *b)
{
    static const char *const none[] = { NULL };

    if (a == NULL) a = none;
    if (b == NULL) b = none;
    for (; *a != NULL && *b != NULL; a++, b++) {
        if (strcmp(*a, *b) != 0) return false;
    }
    return *a == NULL && *b == NULL;
}

/* Of structs whose zeroes have become their fallbacks. */
static bool same_member(const struct bough_field *field, const char *a, const char *b)
{
    const void *of_a, *of_b;

    if (field->kind == BOUGH_OBJECT || field->kind == BOUGH_EITHER) {
        for (size_t i = 0; i < field->of_count; i++) {
            const struct bough_field *of = &field->of[i];

            if (!same_member(of, a + of->offset, b + of->offset)) return false;
        }
        return field->kind == BOUGH_OBJECT || memcmp(a, b, sizeof(int)) == 0;
    }
    if (!bough_kind_is_string(field->kind) && !bough_kind_is_strings(field->kind))
        return memcmp(a, b, field->size) == 0;
    memcpy(&of_a, a, sizeof(of_a));
    memcpy(&of_b, b, sizeof(of_b));
    return bough_kind_is_string(field->kind) ? same_text(of_a, of_b)
                                             : same_texts(of_a, of_b);
}

static bool has_row(const struct bough_actor_type *type, size_t offset)
{
    for (size_t i = 0; i < type->option_count; i++) {
        const struct bough_field *field = &type->options[i];

        if (offset >= field->offset && offset - field->offset < field->size) return true;
    }
    return false;
}

/* Members that no row names, for who writes options in C. */
static bool same_rest(const struct bough_actor_type *type, const char *a, const char *b)
{
    for (size_t i = 0; i < type->options_size; i++) {
        if (a[i] != b[i] && !has_row(type, i)) return false;
    }
    return true;
}

static void diff_members(struct diff *diff, const char *a, const char *b)
{
    const struct bough_actor_type *type = diff->after->type;

    for (size_t i = 0; i < type->option_count; i++) {
        const struct bough_field *field = &type->options[i];
        const struct bough_plan_key key = { .name = "options",
                                            .option = field->name,
                                            .restarts = true };

        if (!same_member(field, a + field->offset, b + field->offset))
            diff->visit(diff->data, &key);
    }
    tell(diff, !same_rest(type, a, b), "options", true);
}

static void *filled(const struct bough_actor_type *type, const void *options)
{
    return bough_options_copy(type->options, type->option_count, type->options_size,
                              options);
}

/* Those of a type that copies its options by its own rule are its own secret. */
static void diff_options(struct diff *diff)
{
    const struct bough_actor_type *type = diff->after->type;
    char *a, *b;

    if (type->copy_options != NULL || type->options_size == 0) {
        tell(diff,
             type->options_size > 0 && diff->before->options != diff->after->options,
             "options", true);
        return;
    }
    a = filled(type, diff->before->options);
    b = filled(type, diff->after->options);
    if (a != NULL && b != NULL)
        diff_members(diff, a, b);
    else
        diff->failed = true;
    bough_packed_options_free(type, a);
    bough_packed_options_free(type, b);
}

/* What holds for a life as long as it lasts */

static bool same_mailbox(const struct bough_child_spec *a,
                         const struct bough_child_spec *b)
{
    const uint32_t of_a =
        a->mailbox_capacity != 0 ? a->mailbox_capacity : BOUGH_MAILBOX_CAPACITY;
    const uint32_t of_b =
        b->mailbox_capacity != 0 ? b->mailbox_capacity : BOUGH_MAILBOX_CAPACITY;

    return of_a == of_b && a->on_restart == b->on_restart && a->when_full == b->when_full;
}

static bool same_rlimits(const struct bough_rlimits *a, const struct bough_rlimits *b)
{
    return a->memory == b->memory && a->cpu_ms == b->cpu_ms && a->files == b->files &&
           a->core == b->core;
}

static bool same_oom_score_adj(const struct bough_process_limits *a,
                               const struct bough_process_limits *b)
{
    const bool of_a = a->any_oom_score_adj || a->oom_score_adj != 0;
    const bool of_b = b->any_oom_score_adj || b->oom_score_adj != 0;

    return of_a == of_b && a->oom_score_adj == b->oom_score_adj;
}

static void diff_place(struct diff *diff)
{
    const struct bough_child_spec *a = diff->before, *b = diff->after;
    const struct bough_process_limits *of_a = &a->limits, *of_b = &b->limits;
    const bool groups = a->replicas > 0 && b->replicas > 0;

    tell(diff, a->isolation != b->isolation, "isolation", true);
    tell(diff, a->spare != b->spare, "spare", true);
    tell(diff, a->stuck_after_ms != b->stuck_after_ms, "stuck_after", true);
    tell(diff, !same_mailbox(a, b), "mailbox", true);
    tell(diff, a->redeliver != b->redeliver, "redeliver", true);
    tell(diff, !same_rlimits(&of_a->rlimits, &of_b->rlimits), "rlimits", true);
    tell(diff, of_a->no_new_privs != of_b->no_new_privs, "no_new_privs", true);
    tell(diff, !same_text(of_a->user, of_b->user), "user", true);
    tell(diff, !same_text(of_a->group, of_b->group), "group", true);
    tell(diff, !same_oom_score_adj(of_a, of_b), "oom_score_adj", true);
    tell(diff, a->replicas != b->replicas, "replicas", !groups);
    if (!groups) return;
    tell(diff, a->route != b->route, "route", true);
    tell(diff, !same_text(a->route_field, b->route_field), "route_field", true);
}

/* What its supervisor asks at its next start, stop or end */

static bool same_backoff(const struct bough_backoff *a, const struct bough_backoff *b)
{
    const struct bough_backoff of_a = bough_backoff_fill(a);
    const struct bough_backoff of_b = bough_backoff_fill(b);

    if (of_a.min_ms == 0 && of_b.min_ms == 0) return true;
    return of_a.min_ms == of_b.min_ms && of_a.max_ms == of_b.max_ms &&
           of_a.factor == of_b.factor && of_a.jitter == of_b.jitter &&
           of_a.reset_after_ms == of_b.reset_after_ms;
}

static int64_t start_timeout_ms(const struct bough_child_spec *spec)
{
    return spec->start_timeout_ms != 0 ? spec->start_timeout_ms : BOUGH_FOREVER;
}

static bool same_policies(const struct bough_child_spec *a,
                          const struct bough_child_spec *b)
{
    if (a->policy_count != b->policy_count) return false;
    for (size_t i = 0; i < a->policy_count; i++) {
        const struct bough_policy *of_a = &a->policies[i], *of_b = &b->policies[i];

        if (of_a->any_kind != of_b->any_kind || of_a->kind != of_b->kind ||
            of_a->status != of_b->status || of_a->any_number != of_b->any_number ||
            of_a->number != of_b->number || of_a->act != of_b->act)
            return false;
    }
    return true;
}

/* A limit of its own has a name of its own beside those of a supervisor. */
static void diff_limit(struct diff *diff)
{
    const struct bough_child_spec *a = diff->before, *b = diff->after;
    const bool limited = bough_child_limited(a) || bough_child_limited(b);
    const bool intensity =
        bough_child_limited(a) != bough_child_limited(b) || a->intensity != b->intensity;
    const bool period = limited && bough_child_period_ms(a) != bough_child_period_ms(b);

    if (b->type == &bough_supervisor_type) {
        tell(diff, intensity || period, "limit", diff->group);
    } else {
        tell(diff, intensity, "intensity", diff->group);
        tell(diff, period, "period", diff->group);
    }
}

static void diff_rules(struct diff *diff)
{
    const struct bough_child_spec *a = diff->before, *b = diff->after;

    tell(diff, a->restart != b->restart, "restart", diff->group);
    tell(diff, bough_child_shutdown_ms(a) != bough_child_shutdown_ms(b), "shutdown",
         diff->group);
    tell(diff, a->significant != b->significant, "significant", false);
    tell(diff, !same_backoff(&a->backoff, &b->backoff), "backoff", diff->group);
    tell(diff, start_timeout_ms(a) != start_timeout_ms(b), "start_timeout", diff->group);
    tell(diff, !same_policies(a, b), "policies", diff->group);
    diff_limit(diff);
}

/* Supervisors */

static const struct bough_supervisor_options *
flags_of(const struct bough_child_spec *spec)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };

    return spec->options != NULL ? spec->options : &none;
}

/* The worst of what was told. */
struct verdict {
    bool differs, restarts;
};

static void judge(void *data, const struct bough_plan_key *key)
{
    struct verdict *verdict = data;

    verdict->differs = true;
    verdict->restarts |= key->restarts;
}

static bool same_deep(struct diff *diff, const struct bough_child_spec *before,
                      const struct bough_child_spec *after);

static bool same_children(struct diff *diff, const struct bough_child_spec *before,
                          const struct bough_child_spec *after)
{
    const struct bough_supervisor_options *a = flags_of(before), *b = flags_of(after);

    if (a->child_count != b->child_count) return false;
    for (size_t i = 0; i < b->child_count; i++) {
        if (!same_text(a->children[i].name, b->children[i].name) ||
            !same_deep(diff, &a->children[i], &b->children[i]))
            return false;
    }
    return true;
}

/* Whether they are the same to their last child. */
static bool same_deep(struct diff *diff, const struct bough_child_spec *before,
                      const struct bough_child_spec *after)
{
    struct verdict verdict = { .differs = false };

    if (!bough_plan_diff(before, after, judge, &verdict)) diff->failed = true;
    if (verdict.differs) return false;
    return after->type != &bough_supervisor_type || same_children(diff, before, after);
}

/* Whoever was made from the template lives on only under rules that it can be given. */
static void diff_template(struct diff *diff, const struct bough_child_spec *before,
                          const struct bough_child_spec *after)
{
    struct verdict verdict = { .differs = false };

    if (!bough_plan_diff(before, after, judge, &verdict)) diff->failed = true;
    if (after->type == &bough_supervisor_type && !same_deep(diff, before, after))
        verdict = (struct verdict){ .differs = true, .restarts = true };
    tell(diff, verdict.differs, "children", verdict.restarts);
}

static void diff_flags(struct diff *diff)
{
    const struct bough_supervisor_options *a = flags_of(diff->before);
    const struct bough_supervisor_options *b = flags_of(diff->after);
    const bool dynamic = b->strategy == BOUGH_DYNAMIC;
    const bool other_kind = dynamic != (a->strategy == BOUGH_DYNAMIC);

    tell(diff, a->strategy != b->strategy, "strategy", diff->group || other_kind);
    tell(diff, bough_supervisor_intensity(a) != bough_supervisor_intensity(b),
         "intensity", diff->group);
    tell(diff, bough_supervisor_period_ms(a) != bough_supervisor_period_ms(b), "period",
         diff->group);
    tell(diff, a->auto_shutdown != b->auto_shutdown, "auto_shutdown", diff->group);
    if (other_kind) return;
    if (dynamic)
        diff_template(diff, &a->children[0], &b->children[0]);
    else if (diff->group)
        tell(diff, !same_children(diff, diff->before, diff->after), "children", true);
}

bool bough_plan_diff(const struct bough_child_spec *before,
                     const struct bough_child_spec *after, bough_plan_visitor *visit,
                     void *data)
{
    struct diff diff = {
        .before = before,
        .after = after,
        .visit = visit,
        .data = data,
        .group = before->replicas > 0 || after->replicas > 0,
    };

    tell(&diff, before->type != after->type, "type", true);
    if (before->type == after->type && after->type == &bough_supervisor_type)
        diff_flags(&diff);
    else if (before->type == after->type)
        diff_options(&diff);
    diff_rules(&diff);
    diff_place(&diff);
    return !diff.failed;
}

/* Words */

static const char *const act_names[] = {
    [BOUGH_PLAN_KEPT] = "kept",           [BOUGH_PLAN_CHANGED] = "changed",
    [BOUGH_PLAN_RESTARTED] = "restarted", [BOUGH_PLAN_ADDED] = "added",
    [BOUGH_PLAN_REMOVED] = "removed",
};
_Static_assert(bough_count_of(act_names) == BOUGH_PLAN_ACT_COUNT, "each has its name");

const char *bough_plan_act_name(enum bough_plan_act act)
{
    bough_assert(act < BOUGH_PLAN_ACT_COUNT);
    return act_names[act];
}
