/* warnings.c - what is allowed in a tree, and hardly meant.
 *
 * Walks the specs of a tree that is right, beside the JSON from which they were made, so
 * that each warning has its place. What the numbers mean is worked out by foresight.c;
 * here are the sentences. A rule looks at one supervisor or at one child.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config_internal.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <bough/config/foresight.h>
#include <bough/config/units.h>
#include <bough/supervisor/supervisor.h>

/* A supervisor or a child, where it stands. */
struct post {
    struct bough_config *config;
    const json_t *object;
    const struct bough_json_place *place;
    const struct bough_supervisor_options *options; /* NULL: no supervisor */
    const struct bough_child_spec *spec;            /* NULL: the root */
    const struct bough_supervisor_options *above;   /* of whom it is a child, or NULL */
};

/* At the value of the key, or at the whole object when it does not say it. */
__attribute__((format(printf, 3, 4))) static void
warn(const struct post *post, const char *key, const char *format, ...)
{
    const struct bough_json_place at = { .up = post->place, .key = key };
    bool given = json_object_get(post->object, key) != NULL;
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bough_errors_add(&post->config->warnings, given ? &at : post->place, BOUGH_AT_VALUE,
                     text);
}

/* "10s"; "for ever" when it never ends. */
static const char *time_print(int64_t ms, char buffer[BOUGH_UNITS_TEXT])
{
    return ms == BOUGH_FOREVER ? "for ever" : bough_duration_print(ms, buffer);
}

/* "3 restarts in 5s" */
enum { LIMIT_TEXT = 64 };

static const char *limit_print(struct bough_limit limit, char buffer[LIMIT_TEXT])
{
    char period[BOUGH_UNITS_TEXT];

    snprintf(buffer, LIMIT_TEXT, "%" PRIu32 " %s in %s", limit.intensity,
             limit.intensity == 1 ? "restart" : "restarts",
             bough_duration_print(limit.period_ms, period));
    return buffer;
}

/* Supervisors */

static bool is_ever_restarted(const struct bough_child_spec *spec)
{
    enum bough_fate fate = spec->type == &bough_supervisor_type
                               ? bough_foresee_give_up(spec)
                               : bough_foresee_fault(spec);

    return fate == BOUGH_FATE_COUNTED;
}

static bool restarts_any(const struct bough_supervisor_options *options)
{
    for (size_t i = 0; i < options->child_count; i++)
        if (is_ever_restarted(&options->children[i])) return true;
    return false;
}

static void warn_of_no_restarts(const struct post *post)
{
    if (bough_supervisor_intensity(post->options) > 0) return;
    if (restarts_any(post->options))
        warn(post, "intensity",
             "with \"intensity\" 0 the supervisor gives up where it would restart: no "
             "child ever is restarted");
}

/* OTP: when the group takes longer to stop than the limit looks back, every restart
 * finds the earlier ones forgotten. */
static void warn_of_slow_group(const struct post *post)
{
    struct bough_limit limit = bough_limit_of_supervisor(post->options);
    int64_t ms = bough_foresee_group_stop_ms(post->options);
    char time[BOUGH_UNITS_TEXT], restarts[LIMIT_TEXT];

    if (limit.intensity == 0 || ms <= limit.period_ms / limit.intensity) return;
    if (!restarts_any(post->options)) return;
    warn(post, "period",
         "stopping the group for a restart may take %s: then the limit of %s is never "
         "passed, and restarts go on for ever",
         time_print(ms, time), limit_print(limit, restarts));
}

static void warn_of_idle_auto_shutdown(const struct post *post)
{
    if (post->options->auto_shutdown == BOUGH_NEVER) return;
    for (size_t i = 0; i < post->options->child_count; i++)
        if (post->options->children[i].significant) return;
    warn(post, "auto_shutdown", "it never comes to that: no child is \"significant\"");
}

/* OTP: it should not be a permanent child, it would be restarted. */
static void warn_of_vain_auto_shutdown(const struct post *post)
{
    if (post->options->auto_shutdown == BOUGH_NEVER || post->spec == NULL) return;
    if (bough_foresee_give_up(post->spec) == BOUGH_FATE_COUNTED)
        warn(post, "auto_shutdown",
             "each time it ends by \"auto_shutdown\" it is restarted, for it is "
             "\"permanent\"");
}

/* Children that are supervisors */

static void warn_of_short_shutdown(const struct post *post)
{
    int64_t limit = bough_child_shutdown_ms(post->spec);
    int64_t needed = bough_foresee_children_stop_ms(post->options);
    char have[BOUGH_UNITS_TEXT], need[BOUGH_UNITS_TEXT];

    if (limit == BOUGH_SHUTDOWN_BRUTAL_KILL && needed > 0)
        warn(post, "shutdown", "all below is killed with it, and not asked to stop");
    else if (limit != BOUGH_SHUTDOWN_BRUTAL_KILL && limit < needed)
        warn(post, "shutdown",
             "stopping all below may take %s: what has not stopped after %s is killed",
             time_print(needed, need), bough_duration_print(limit, have));
}

/* A supervisor that gives up ends with `shutdown`, which is a good end. */
static void warn_of_end_of_escalation(const struct post *post)
{
    if (post->spec->restart != BOUGH_TRANSIENT || post->spec->significant) return;
    if (bough_foresee_give_up(post->spec) != BOUGH_FATE_OVER) return;
    if (bough_foresee_starts(post->options) == 0) return;
    warn(post, "restart",
         "a \"transient\" supervisor that gives up stays down, for it ends with "
         "\"shutdown\", and the tree goes on without it; a \"permanent\" one is "
         "restarted");
}

/* Children */

/* Whether waiting keeps the child from ever passing the limit by itself. */
static bool outruns(const struct post *post, struct bough_limit limit)
{
    return bough_backoff_outruns(&post->spec->backoff, limit);
}

static void warn_of_endless_restarts(const struct post *post, struct bough_limit limit)
{
    char restarts[LIMIT_TEXT];

    warn(post, "backoff",
         "it waits so long that it never passes the limit of %s by itself: its restarts "
         "go on for ever",
         limit_print(limit, restarts));
}

/* The limit of a group is that of its members; another child has one beside that of its
 * supervisor. */
static void warn_of_slow_backoff(const struct post *post)
{
    struct bough_limit above = bough_limit_of_supervisor(post->above);
    struct bough_limit own = bough_limit_of_child(post->spec);
    bool limited = bough_child_limited(post->spec);
    char restarts[LIMIT_TEXT];

    if (!is_ever_restarted(post->spec)) return;
    if (limited ? !outruns(post, own) : !outruns(post, above)) return;
    if (!limited || post->spec->replicas > 0 || outruns(post, above))
        warn_of_endless_restarts(post, limited ? own : above);
    else
        warn(post, "backoff",
             "it waits so long that it never passes its own limit of %s; that of the "
             "supervisor counts alone",
             limit_print(own, restarts));
}

static void warn_of_wide_limit(const struct post *post)
{
    struct bough_limit above = bough_limit_of_supervisor(post->above);
    struct bough_limit own = bough_limit_of_child(post->spec);
    char first[LIMIT_TEXT], second[LIMIT_TEXT];
    bool is_supervisor = post->options != NULL;

    if (!bough_child_limited(post->spec) || post->spec->replicas > 0) return;
    if (own.intensity < above.intensity || own.period_ms > above.period_ms) return;
    warn(post, is_supervisor ? "limit" : "intensity",
         "this limit, %s, is never the one that counts: that of the supervisor, %s, is "
         "passed before it",
         limit_print(own, first), limit_print(above, second));
}

static void warn_of_idle_keys(const struct post *post)
{
    static const char *const keys[] = { "backoff", "intensity", "limit" };

    if (post->spec->restart != BOUGH_TEMPORARY || post->spec->policy_count > 0) return;
    for (size_t i = 0; i < bough_count_of(keys); i++)
        if (json_object_get(post->object, keys[i]) != NULL &&
            !(post->options != NULL && i == 1))
            warn(post, keys[i],
                 "it means nothing here: a \"temporary\" child is never "
                 "restarted");
}

/* Policies */

static bool covers(const struct bough_policy *a, const struct bough_policy *b)
{
    bool kind_a = a->any_kind || a->kind != BOUGH_EXIT_NORMAL;
    bool kind_b = b->any_kind || b->kind != BOUGH_EXIT_NORMAL;
    bool number_a = a->any_number || a->number != 0;
    bool number_b = b->any_number || b->number != 0;

    if (kind_a && !(kind_b && a->kind == b->kind)) return false;
    if (a->status != BOUGH_OK && a->status != b->status) return false;
    return !number_a || (number_b && a->number == b->number);
}

static void warn_of_policy(const struct post *post, size_t index)
{
    const struct bough_policy *policies = post->spec->policies;
    const struct bough_json_place list = { .up = post->place, .key = "policies" };
    const struct bough_json_place place = { .up = &list, .index = index };
    const struct post at = {
        .config = post->config,
        .object = json_array_get(json_object_get(post->object, "policies"), index),
        .place = &place,
    };

    for (size_t i = 0; i < index; i++) {
        if (!covers(&policies[i], &policies[index])) continue;
        warn(&at, "", "it is never followed: item %zu fits all that it fits", i + 1);
        return;
    }
    if (policies[index].act == BOUGH_POLICY_UNCOUNTED && post->spec->backoff.min_ms == 0)
        warn(&at, "do",
             "restarts that neither count nor wait go on for ever, as fast as they can; "
             "a \"backoff\" makes them wait");
}

static void warn_of_policies(const struct post *post)
{
    for (size_t i = 0; i < post->spec->policy_count; i++)
        warn_of_policy(post, i);
}

/* The walk */

static void look_at_supervisor(const struct post *post)
{
    warn_of_no_restarts(post);
    warn_of_slow_group(post);
    warn_of_idle_auto_shutdown(post);
    warn_of_vain_auto_shutdown(post);
}

static void look_at_child(const struct post *post)
{
    warn_of_slow_backoff(post);
    warn_of_wide_limit(post);
    warn_of_idle_keys(post);
    warn_of_policies(post);
    if (post->options == NULL) return;
    warn_of_short_shutdown(post);
    warn_of_end_of_escalation(post);
}

static void walk(const struct post *post)
{
    const struct bough_json_place list = { .up = post->place, .key = "children" };
    const json_t *children = json_object_get(post->object, "children");

    if (post->spec != NULL) look_at_child(post);
    if (post->options == NULL) return;
    look_at_supervisor(post);
    for (size_t i = 0; i < post->options->child_count; i++) {
        const struct bough_child_spec *spec = &post->options->children[i];
        const struct bough_json_place place = { .up = &list, .index = i };
        const struct post below = {
            .config = post->config,
            .object = json_array_get(children, i),
            .place = &place,
            .options = spec->type == &bough_supervisor_type ? spec->options : NULL,
            .spec = spec,
            .above = post->options,
        };

        walk(&below);
    }
}

void bough_config_warn(struct bough_config *config, const json_t *root)
{
    const struct bough_json_place place = { .up = NULL };
    const struct post post = { .config = config,
                               .object = root,
                               .place = &place,
                               .options = &config->tree.options };

    walk(&post);
}
