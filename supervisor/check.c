/* check.c - whether a supervisor's flags and child specs are allowed.
 *
 * The same rules as OTP's check of a start spec, for trees written in C; config/ finds
 * the same faults with their positions in a file. Depth needs no limit of its own: the
 * length of a path is one, so options that contain themselves are refused too.
 *
 * SPDX-License-Identifier: MIT */
#define HASH_NONFATAL_OOM 1

#include <bough/supervisor/spec.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include <bough/supervisor/spec_pack_internal.h>
#include <bough/supervisor/supervision_internal.h>
#include <bough/supervisor/supervisor.h>

/* Where a check is: a supervisor, and those above it. */
struct level {
    const struct level *above; /* NULL: the root */
    const char *name;
    const struct bough_supervisor_options *options;
    size_t path_len; /* of this supervisor's path; 0 for the root */
    struct bough_error *error;
};

static void print_path(const struct level *level, char *buffer, size_t size)
{
    size_t used;

    if (!level->above) {
        buffer[0] = '\0';
        return;
    }
    print_path(level->above, buffer, size);
    used = strlen(buffer);
    snprintf(buffer + used, size - used, "/%s", level->name);
}

/* A fault of the supervisor itself, or of one of its children. */
__attribute__((format(printf, 3, 4))) static enum bough_status
fault(const struct level *level, const char *child, const char *format, ...)
{
    struct bough_error *error = level->error;
    char where[BOUGH_ERROR_WHERE], text[BOUGH_ERROR_TEXT];
    const struct level place = { .above = level, .name = child };
    va_list arguments;

    if (!error) return BOUGH_EINVALID;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bough_error_set(error, BOUGH_EINVALID, "%s", text);
    print_path(child ? &place : level, where, sizeof(where));
    snprintf(error->where, sizeof(error->where), "%s", where[0] ? where : "/");
    return BOUGH_EINVALID;
}

static enum bough_status check_template(const struct level *level)
{
    const struct bough_supervisor_options *options = level->options;

    if (options->strategy != BOUGH_DYNAMIC) return BOUGH_OK;
    if (options->child_count != 1)
        return fault(level, NULL,
                     "a dynamic supervisor has exactly one child, the template; here are "
                     "%zu",
                     options->child_count);
    if (options->auto_shutdown != BOUGH_NEVER)
        return fault(level, NULL, "a dynamic supervisor has no auto_shutdown");
    return BOUGH_OK;
}

static enum bough_status check_flags(const struct level *level)
{
    const struct bough_supervisor_options *options = level->options;

    if ((unsigned)options->strategy >= BOUGH_STRATEGY_COUNT)
        return fault(level, NULL,
                     "strategy %d is none of one-for-one, one-for-all, rest-for-one, "
                     "dynamic",
                     (int)options->strategy);
    if ((unsigned)options->auto_shutdown >= BOUGH_AUTO_SHUTDOWN_COUNT)
        return fault(level, NULL,
                     "auto_shutdown %d is none of never, any-significant, "
                     "all-significant",
                     (int)options->auto_shutdown);
    if (options->intensity > BOUGH_INTENSITY_MAX)
        return fault(level, NULL, "intensity %" PRIu32 " is above the greatest, %d",
                     options->intensity, BOUGH_INTENSITY_MAX);
    if (options->period_ms < 0)
        return fault(level, NULL, "period %" PRId64 " ms is not above 0",
                     options->period_ms);
    if (options->child_count > 0 && !options->children)
        return fault(level, NULL, "%zu children are announced and none given",
                     options->child_count);
    return check_template(level);
}

static bool shutdown_allowed(int64_t shutdown_ms)
{
    return shutdown_ms >= 0 || shutdown_ms == BOUGH_SHUTDOWN_AT_ONCE ||
           shutdown_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
}

/* A template without a name has a path all the same, once its children are made. */
static const char *path_name(const struct bough_child_spec *spec)
{
    return spec->name ? spec->name : "*";
}

/* `index` is for a child that cannot be named. */
static enum bough_status check_name(const struct level *level,
                                    const struct bough_child_spec *spec, size_t index)
{
    const char *name = path_name(spec);

    if (!spec->name && level->options->strategy != BOUGH_DYNAMIC)
        return fault(level, NULL, "child %zu has no name", index);
    if (spec->name && !bough_name_valid(name))
        return fault(level, NULL,
                     "child %zu: \"%.80s\" is no name: 1 to %d of A-Z a-z 0-9 _ . - are, "
                     "but . and .. are not",
                     index, name, BOUGH_NAME_MAX);
    if (level->path_len + 1 + strlen(name) >= BOUGH_PATH_MAX)
        return fault(level, name, "the path of \"%s\" is longer than %d bytes", name,
                     BOUGH_PATH_MAX - 1);
    return BOUGH_OK;
}

static enum bough_status check_significant(const struct level *level,
                                           const struct bough_child_spec *spec)
{
    if (!spec->significant) return BOUGH_OK;
    if (spec->restart == BOUGH_PERMANENT)
        return fault(level, spec->name,
                     "a permanent child cannot be significant: it is always restarted");
    if (level->options->auto_shutdown == BOUGH_NEVER)
        return fault(level, spec->name,
                     "a child cannot be significant while auto_shutdown is never");
    return BOUGH_OK;
}

static enum bough_status check_backoff(const struct level *level,
                                       const struct bough_child_spec *spec)
{
    const struct bough_backoff *backoff = &spec->backoff;

    if (backoff->min_ms < 0 || backoff->max_ms < 0 || backoff->reset_after_ms < 0)
        return fault(level, spec->name, "a time of the backoff is below 0");
    if (backoff->min_ms == 0 && (backoff->max_ms != 0 || backoff->factor != 0 ||
                                 backoff->jitter != 0 || backoff->reset_after_ms != 0))
        return fault(level, spec->name,
                     "the backoff has no min, which is where it begins");
    if (backoff->max_ms != 0 && backoff->max_ms < backoff->min_ms)
        return fault(level, spec->name,
                     "the backoff's max, %" PRId64 " ms, is below its min, %" PRId64
                     " ms",
                     backoff->max_ms, backoff->min_ms);
    if (backoff->factor != 0 && !(backoff->factor >= 1 && backoff->factor <= 1e6))
        return fault(level, spec->name, "the backoff's factor %g is not in 1 to 1e6",
                     backoff->factor);
    if (!(backoff->jitter >= 0 && backoff->jitter <= 1))
        return fault(level, spec->name, "the backoff's jitter %g is not in 0 to 1",
                     backoff->jitter);
    return BOUGH_OK;
}

static enum bough_status check_limits(const struct level *level,
                                      const struct bough_child_spec *spec)
{
    if (spec->start_timeout_ms < 0)
        return fault(level, spec->name, "start_timeout %" PRId64 " ms is below 0",
                     spec->start_timeout_ms);
    if (spec->stuck_after_ms < 0)
        return fault(level, spec->name, "stuck_after %" PRId64 " ms is below 0",
                     spec->stuck_after_ms);
    if (spec->intensity > BOUGH_INTENSITY_MAX)
        return fault(level, spec->name, "intensity %" PRIu32 " is above the greatest, %d",
                     spec->intensity, BOUGH_INTENSITY_MAX);
    if (spec->period_ms < 0)
        return fault(level, spec->name, "period %" PRId64 " ms is not above 0",
                     spec->period_ms);
    if (spec->period_ms != 0 && !bough_child_limited(spec))
        return fault(level, spec->name, "a period without an intensity limits nothing");
    return BOUGH_OK;
}

/* NULL, or why the policy makes no sense. */
static const char *policy_fault(const struct bough_policy *policy)
{
    bool kind = policy->any_kind || policy->kind != BOUGH_EXIT_NORMAL;
    bool number = policy->any_number || policy->number != 0;

    if ((unsigned)policy->kind >= BOUGH_EXIT_KIND_COUNT) return "its kind is none";
    if ((unsigned)policy->status >= BOUGH_STATUS_COUNT) return "its status is none";
    if ((unsigned)policy->act >= BOUGH_POLICY_COUNT)
        return "its act is none of restart, uncounted, stop, escalate";
    if (policy->status != BOUGH_OK && kind && policy->kind != BOUGH_EXIT_ERROR)
        return "only an error has a status, so it never fits";
    if (number && kind && policy->kind != BOUGH_EXIT_SIGNAL &&
        policy->kind != BOUGH_EXIT_CODE)
        return "only a signal or an exit code has a number, so it never fits";
    if (number && policy->status != BOUGH_OK)
        return "nothing has both a status and a number, so it never fits";
    return NULL;
}

static enum bough_status check_policies(const struct level *level,
                                        const struct bough_child_spec *spec)
{
    if (spec->policy_count > 0 && !spec->policies)
        return fault(level, spec->name, "%zu policies are announced and none given",
                     spec->policy_count);
    for (size_t i = 0; i < spec->policy_count; i++) {
        const char *why = policy_fault(&spec->policies[i]);

        if (why) return fault(level, spec->name, "policy %zu: %s", i, why);
    }
    return BOUGH_OK;
}

static bool has_field(const struct bough_actor_type *type, const char *name)
{
    for (size_t i = 0; i < type->message_count; i++) {
        const struct bough_message_type *message = &type->messages[i];

        if (bough_field_find(message->fields, message->field_count, name)) return true;
    }
    return false;
}

static enum bough_status check_replicas(const struct level *level,
                                        const struct bough_child_spec *spec)
{
    if ((unsigned)spec->route >= BOUGH_ROUTE_COUNT)
        return fault(level, spec->name,
                     "route %d is none of round-robin, least-busy, hash",
                     (int)spec->route);
    if (spec->replicas > BOUGH_REPLICAS_MAX)
        return fault(level, spec->name, "%" PRIu32 " replicas are more than %d",
                     spec->replicas, BOUGH_REPLICAS_MAX);
    if (spec->replicas == 0 && (spec->route != BOUGH_ROUND_ROBIN || spec->route_field))
        return fault(level, spec->name, "a route leads nowhere without replicas");
    if (spec->replicas > 0 && level->options->strategy == BOUGH_DYNAMIC)
        return fault(level, spec->name,
                     "a dynamic supervisor makes single children, no replicas");
    if ((spec->route == BOUGH_HASH) != (spec->route_field != NULL))
        return fault(level, spec->name,
                     "the route \"hash\" and a route_field need each other");
    if (spec->route_field && !has_field(spec->type, spec->route_field))
        return fault(level, spec->name, "no message of type \"%s\" has a field \"%.80s\"",
                     spec->type->name, spec->route_field);
    return BOUGH_OK;
}

static enum bough_status check_otp(const struct level *level,
                                   const struct bough_child_spec *spec)
{
    if (!spec->type || !spec->type->name || !spec->type->init)
        return fault(level, spec->name, "a type with a name and an init is missing");
    if ((unsigned)spec->restart >= BOUGH_RESTART_COUNT)
        return fault(level, spec->name,
                     "restart %d is none of permanent, transient, temporary",
                     (int)spec->restart);
    if (!shutdown_allowed(spec->shutdown_ms))
        return fault(level, spec->name,
                     "shutdown %" PRId64 " ms is neither a time nor one of the values "
                     "BOUGH_SHUTDOWN_...",
                     spec->shutdown_ms);
    if ((unsigned)spec->isolation >= BOUGH_ISOLATION_COUNT)
        return fault(level, spec->name, "isolation %d is no enum bough_isolation",
                     (int)spec->isolation);
    if (spec->on_restart != BOUGH_KEEP && spec->on_restart != BOUGH_DISCARD)
        return fault(level, spec->name, "on_restart %d is neither keep nor discard",
                     (int)spec->on_restart);
    if ((unsigned)spec->when_full >= BOUGH_WHEN_FULL_COUNT)
        return fault(level, spec->name,
                     "when_full %d is none of refuse, wait, drop-oldest, drop-newest",
                     (int)spec->when_full);
    return check_significant(level, spec);
}

const char *bough_process_obstacle(const struct bough_actor_type *type)
{
    if (type->no_process) return type->no_process;
    if (type != &bough_supervisor_type && !bough_pack_is_open(type))
        return "an actor of this type cannot live in a process, for it copies its options "
               "by a rule of its own; \"isolation\" must be \"inline\" or \"thread\"";
    return NULL;
}

static enum bough_status check_isolation(const struct level *level,
                                         const struct bough_child_spec *spec)
{
    const bool process = spec->isolation == BOUGH_PROCESS;
    const char *obstacle = process ? bough_process_obstacle(spec->type) : NULL;

    if (spec->spare && !process)
        return fault(level, spec->name,
                     "a spare is a process that waits; it needs isolation \"process\"");
    return obstacle ? fault(level, spec->name, "%s", obstacle) : BOUGH_OK;
}

static enum bough_status check_process_limits(const struct level *level,
                                              const struct bough_child_spec *spec)
{
    struct bough_error error;

    if (!bough_limits_any(&spec->limits)) return BOUGH_OK;
    if (spec->isolation != BOUGH_PROCESS)
        return fault(level, spec->name,
                     "limits are those of a process of its own, which the isolation "
                     "\"%s\" does not give it",
                     bough_isolation_names[spec->isolation]);
    return bough_limits_check(&spec->limits, &error) == BOUGH_OK
               ? BOUGH_OK
               : fault(level, spec->name, "%s", error.text);
}

static enum bough_status check_redeliver(const struct level *level,
                                         const struct bough_child_spec *spec)
{
    if (spec->redeliver > BOUGH_REDELIVER_MAX)
        return fault(level, spec->name, "redeliver %" PRIu32 " is above the greatest, %d",
                     spec->redeliver, BOUGH_REDELIVER_MAX);
    if (spec->redeliver > 0 && spec->type == &bough_supervisor_type)
        return fault(level, spec->name,
                     "what a supervisor is asked is not redelivered; its children can "
                     "have redeliver");
    return BOUGH_OK;
}

static enum bough_status check_child(const struct level *level,
                                     const struct bough_child_spec *spec, size_t index)
{
    enum bough_status status = check_name(level, spec, index);

    if (status == BOUGH_OK) status = check_otp(level, spec);
    if (status == BOUGH_OK) status = check_isolation(level, spec);
    if (status == BOUGH_OK) status = check_process_limits(level, spec);
    if (status == BOUGH_OK) status = check_redeliver(level, spec);
    if (status == BOUGH_OK) status = check_backoff(level, spec);
    if (status == BOUGH_OK) status = check_limits(level, spec);
    if (status == BOUGH_OK) status = check_policies(level, spec);
    if (status == BOUGH_OK) status = check_replicas(level, spec);
    return status;
}

struct entry {
    UT_hash_handle hh;
};

/* In a hash table, so that many children cost no more each than few. */
static enum bough_status enter_name(const struct level *level, struct entry **table,
                                    struct entry *entry, const char *name)
{
    const size_t len = strlen(name);
    struct entry *same;

    HASH_FIND(hh, *table, name, len, same);
    if (same) return fault(level, name, "two children have the name \"%s\"", name);
    HASH_ADD_KEYPTR(hh, *table, name, len, entry);
    if (entry->hh.tbl) return BOUGH_OK;
    return bough_error_set(level->error, BOUGH_ENOMEM, "%s",
                           bough_status_text(BOUGH_ENOMEM));
}

static enum bough_status check_duplicates(const struct level *level)
{
    const size_t count = level->options->child_count;
    struct entry *entries = calloc(count, sizeof(*entries)), *table = NULL;
    enum bough_status status = BOUGH_OK;

    if (!entries)
        return bough_error_set(level->error, BOUGH_ENOMEM, "%s",
                               bough_status_text(BOUGH_ENOMEM));
    for (size_t i = 0; i < count && status == BOUGH_OK; i++)
        status = enter_name(level, &table, &entries[i], level->options->children[i].name);
    HASH_CLEAR(hh, table);
    free(entries);
    return status;
}

static enum bough_status check_flat(const struct level *level)
{
    enum bough_status status = check_flags(level);

    for (size_t i = 0; i < level->options->child_count && status == BOUGH_OK; i++)
        status = check_child(level, &level->options->children[i], i);
    if (status == BOUGH_OK && level->options->child_count > 1)
        status = check_duplicates(level);
    return status;
}

static enum bough_status check_deep(const struct level *level);

/* The children of a child that is a supervisor. */
static enum bough_status check_below(const struct level *level,
                                     const struct bough_child_spec *spec)
{
    const struct level below = {
        .above = level,
        .name = path_name(spec),
        .options = spec->options,
        .path_len = level->path_len + 1 + strlen(path_name(spec)),
        .error = level->error,
    };

    if (spec->type != &bough_supervisor_type || !spec->options) return BOUGH_OK;
    return check_deep(&below);
}

static enum bough_status check_deep(const struct level *level)
{
    enum bough_status status = check_flat(level);

    for (size_t i = 0; i < level->options->child_count && status == BOUGH_OK; i++)
        status = check_below(level, &level->options->children[i]);
    return status;
}

enum bough_status
bough_supervisor_check_child(const struct bough_supervisor_options *options,
                             const struct bough_child_spec *spec,
                             struct bough_error *error)
{
    const struct level level = { .options = options, .error = error };
    enum bough_status status = check_child(&level, spec, 0);

    return status == BOUGH_OK ? check_below(&level, spec) : status;
}

enum bough_status
bough_supervisor_check_flat(const struct bough_supervisor_options *options,
                            struct bough_error *error)
{
    const struct level root = { .options = options, .error = error };

    return check_flat(&root);
}

enum bough_status bough_supervisor_check(const struct bough_supervisor_options *options,
                                         struct bough_error *error)
{
    const struct level root = { .options = options, .error = error };

    return options ? check_deep(&root) : BOUGH_OK;
}
