/* check.c - whether a supervisor's flags and child specs are allowed.
 *
 * The same rules as OTP's check of a start spec, for trees written in C; config/ finds
 * the same faults with their positions in a file. Depth needs no limit of its own: the
 * length of a path is one, so options that contain themselves are refused too.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static enum bough_status check_flags(const struct level *level)
{
    const struct bough_supervisor_options *options = level->options;

    if ((unsigned)options->strategy >= BOUGH_STRATEGY_COUNT)
        return fault(level, NULL,
                     "strategy %d is none of one-for-one, one-for-all, rest-for-one",
                     (int)options->strategy);
    if (options->intensity > BOUGH_INTENSITY_MAX)
        return fault(level, NULL, "intensity %" PRIu32 " is above the greatest, %d",
                     options->intensity, BOUGH_INTENSITY_MAX);
    if (options->period_ms < 0)
        return fault(level, NULL, "period %" PRId64 " ms is not above 0",
                     options->period_ms);
    if (options->child_count > 0 && !options->children)
        return fault(level, NULL, "%zu children are announced and none given",
                     options->child_count);
    return BOUGH_OK;
}

static bool shutdown_allowed(int64_t shutdown_ms)
{
    return shutdown_ms >= 0 || shutdown_ms == BOUGH_SHUTDOWN_AT_ONCE ||
           shutdown_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
}

static enum bough_status check_name(const struct level *level, size_t index)
{
    const char *name = level->options->children[index].name;

    if (!name) return fault(level, NULL, "child %zu has no name", index);
    if (!bough_name_valid(name))
        return fault(level, NULL,
                     "child %zu: \"%.80s\" is no name: 1 to %d of A-Z a-z 0-9 _ . - are, "
                     "but . and .. are not",
                     index, name, BOUGH_NAME_MAX);
    if (level->path_len + 1 + strlen(name) >= BOUGH_PATH_MAX)
        return fault(level, name, "the path of \"%s\" is longer than %d bytes", name,
                     BOUGH_PATH_MAX - 1);
    return BOUGH_OK;
}

static enum bough_status check_child(const struct level *level, size_t index)
{
    const struct bough_child_spec *spec = &level->options->children[index];
    enum bough_status status = check_name(level, index);

    if (status != BOUGH_OK) return status;
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
    if (spec->on_restart != BOUGH_KEEP && spec->on_restart != BOUGH_DISCARD)
        return fault(level, spec->name, "on_restart %d is neither keep nor discard",
                     (int)spec->on_restart);
    return BOUGH_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum bough_status check_duplicates(const struct level *level)
{
    size_t count = level->options->child_count;
    const char **names = calloc(count, sizeof(*names));
    enum bough_status status = BOUGH_OK;

    if (!names)
        return bough_error_set(level->error, BOUGH_ENOMEM, "%s",
                               bough_status_text(BOUGH_ENOMEM));
    for (size_t i = 0; i < count; i++)
        names[i] = level->options->children[i].name;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count && status == BOUGH_OK; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            status =
                fault(level, names[i], "two children have the name \"%s\"", names[i]);
    }
    free(names);
    return status;
}

static enum bough_status check_flat(const struct level *level)
{
    enum bough_status status = check_flags(level);

    for (size_t i = 0; i < level->options->child_count && status == BOUGH_OK; i++)
        status = check_child(level, i);
    if (status == BOUGH_OK && level->options->child_count > 1)
        status = check_duplicates(level);
    return status;
}

static enum bough_status check_deep(const struct level *level)
{
    const struct bough_supervisor_options *options = level->options;
    enum bough_status status = check_flat(level);

    for (size_t i = 0; i < options->child_count && status == BOUGH_OK; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        const struct level below = {
            .above = level,
            .name = spec->name,
            .options = spec->options,
            .path_len = level->path_len + 1 + strlen(spec->name),
            .error = level->error,
        };

        if (spec->type == &bough_supervisor_type && spec->options)
            status = check_deep(&below);
    }
    return status;
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
