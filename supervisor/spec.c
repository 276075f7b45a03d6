/* spec.c - child specs: what their zeroes stand for, and how they are copied.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec.h>

#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/supervisor.h>

const char *const bough_strategy_names[] = {
    [BOUGH_ONE_FOR_ONE] = "one-for-one",   [BOUGH_ONE_FOR_ALL] = "one-for-all",
    [BOUGH_REST_FOR_ONE] = "rest-for-one", [BOUGH_DYNAMIC] = "dynamic",
    [BOUGH_STRATEGY_COUNT] = NULL,
};

const char *const bough_restart_names[] = {
    [BOUGH_PERMANENT] = "permanent",
    [BOUGH_TRANSIENT] = "transient",
    [BOUGH_TEMPORARY] = "temporary",
    [BOUGH_RESTART_COUNT] = NULL,
};

const char *const bough_when_full_names[] = {
    [BOUGH_REFUSE] = "refuse",           [BOUGH_WAIT] = "wait",
    [BOUGH_DROP_OLDEST] = "drop-oldest", [BOUGH_DROP_NEWEST] = "drop-newest",
    [BOUGH_WHEN_FULL_COUNT] = NULL,
};

const char *const bough_auto_shutdown_names[] = {
    [BOUGH_NEVER] = "never",
    [BOUGH_ANY_SIGNIFICANT] = "any-significant",
    [BOUGH_ALL_SIGNIFICANT] = "all-significant",
    [BOUGH_AUTO_SHUTDOWN_COUNT] = NULL,
};

const char *const bough_route_names[] = {
    [BOUGH_ROUND_ROBIN] = "round-robin",
    [BOUGH_LEAST_BUSY] = "least-busy",
    [BOUGH_HASH] = "hash",
    [BOUGH_ROUTE_COUNT] = NULL,
};

const char *const bough_policy_names[] = {
    [BOUGH_POLICY_RESTART] = "restart", [BOUGH_POLICY_UNCOUNTED] = "uncounted",
    [BOUGH_POLICY_STOP] = "stop",       [BOUGH_POLICY_ESCALATE] = "escalate",
    [BOUGH_POLICY_COUNT] = NULL,
};

enum { SHUTDOWN_OF_A_WORKER_MS = 5000 };

uint32_t bough_supervisor_intensity(const struct bough_supervisor_options *options)
{
    bool given = options->any_intensity || options->intensity != 0;

    return given ? options->intensity : BOUGH_INTENSITY_DEFAULT;
}

int64_t bough_supervisor_period_ms(const struct bough_supervisor_options *options)
{
    return options->period_ms != 0 ? options->period_ms : BOUGH_PERIOD_DEFAULT;
}

int64_t bough_child_shutdown_ms(const struct bough_child_spec *spec)
{
    if (spec->shutdown_ms == BOUGH_SHUTDOWN_AT_ONCE) return 0;
    if (spec->shutdown_ms != BOUGH_SHUTDOWN_DEFAULT) return spec->shutdown_ms;
    return spec->type == &bough_supervisor_type ? BOUGH_FOREVER : SHUTDOWN_OF_A_WORKER_MS;
}

/* Backoff: twice as long each time, up to sixty times the first. */
struct bough_backoff bough_backoff_fill(const struct bough_backoff *backoff)
{
    struct bough_backoff filled = *backoff;

    if (filled.min_ms == 0) return filled;
    if (filled.max_ms == 0 && __builtin_mul_overflow(filled.min_ms, 60, &filled.max_ms))
        filled.max_ms = BOUGH_FOREVER;
    if (filled.factor == 0) filled.factor = 2;
    if (filled.reset_after_ms == 0) filled.reset_after_ms = filled.max_ms;
    return filled;
}

bool bough_child_limited(const struct bough_child_spec *spec)
{
    return spec->any_intensity || spec->intensity != 0;
}

int64_t bough_child_period_ms(const struct bough_child_spec *spec)
{
    return spec->period_ms != 0 ? spec->period_ms : BOUGH_PERIOD_DEFAULT;
}

/* Copies */

static void *copy_child_options(const struct bough_actor_type *type, const void *options)
{
    if (type->copy_options) return type->copy_options(options);
    return bough_options_copy(type->options, type->option_count, type->options_size,
                              options);
}

static void free_child_options(const struct bough_actor_type *type, void *options)
{
    if (type->free_options)
        type->free_options(options);
    else
        bough_options_drop(options);
}

/* A type without options gets none, whatever the spec says. */
static bool has_options(const struct bough_child_spec *spec)
{
    const struct bough_actor_type *type = spec->type;

    return type && spec->options && (type->options_size > 0 || type->copy_options);
}

static bool copy_text(const char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return *copy || !text;
}

static bool copy_policies(struct bough_child_spec *copy,
                          const struct bough_child_spec *spec)
{
    struct bough_policy *policies;

    if (spec->policy_count == 0) return true;
    policies = calloc(spec->policy_count, sizeof(*policies));
    if (!policies) return false;
    memcpy(policies, spec->policies, spec->policy_count * sizeof(*policies));
    copy->policies = policies;
    copy->policy_count = spec->policy_count;
    return true;
}

/* What was copied before a failure is in `copy`. */
static bool copy_child(struct bough_child_spec *copy, const struct bough_child_spec *spec)
{
    *copy = *spec;
    copy->name = NULL;
    copy->options = NULL;
    copy->policies = NULL;
    copy->policy_count = 0;
    copy->route_field = NULL;
    copy->limits.user = copy->limits.group = NULL;
    if (!copy_text(&copy->name, spec->name) ||
        !copy_text(&copy->route_field, spec->route_field) ||
        !copy_text(&copy->limits.user, spec->limits.user) ||
        !copy_text(&copy->limits.group, spec->limits.group) || !copy_policies(copy, spec))
        return false;
    if (!has_options(spec)) return true;
    copy->options = copy_child_options(spec->type, spec->options);
    return copy->options != NULL;
}

static void free_child(const struct bough_child_spec *child)
{
    free((void *)(uintptr_t)child->name);
    free((void *)(uintptr_t)child->route_field);
    free((void *)(uintptr_t)child->limits.user);
    free((void *)(uintptr_t)child->limits.group);
    free((void *)(uintptr_t)child->policies);
    if (child->options)
        free_child_options(child->type, (void *)(uintptr_t)child->options);
}

void *bough_supervisor_options_copy(const void *data)
{
    const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };
    const struct bough_supervisor_options *options = data ? data : &none;
    struct bough_supervisor_options *copy = malloc(sizeof(*copy));
    struct bough_child_spec *children;

    if (!copy) return NULL;
    *copy = *options;
    copy->children = NULL;
    copy->child_count = 0;
    if (options->child_count == 0) return copy;

    children = calloc(options->child_count, sizeof(*children));
    copy->children = children;
    while (children && copy->child_count < options->child_count) {
        size_t i = copy->child_count++;

        if (!copy_child(&children[i], &options->children[i])) break;
        if (copy->child_count == options->child_count) return copy;
    }
    bough_supervisor_options_free(copy);
    return NULL;
}

void bough_supervisor_options_free(void *data)
{
    struct bough_supervisor_options *options = data;

    if (!options) return;
    for (size_t i = 0; i < options->child_count; i++)
        free_child(&options->children[i]);
    free((void *)(uintptr_t)options->children);
    free(options);
}
