/* spec.c - child specs: what their zeroes stand for, and how they are copied.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec.h>

#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/supervisor.h>

const char *const bough_strategy_names[] = {
    [BOUGH_ONE_FOR_ONE] = "one-for-one",
    [BOUGH_ONE_FOR_ALL] = "one-for-all",
    [BOUGH_REST_FOR_ONE] = "rest-for-one",
    [BOUGH_STRATEGY_COUNT] = NULL,
};

const char *const bough_restart_names[] = {
    [BOUGH_PERMANENT] = "permanent",
    [BOUGH_TRANSIENT] = "transient",
    [BOUGH_TEMPORARY] = "temporary",
    [BOUGH_RESTART_COUNT] = NULL,
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
        free(options);
}

/* A type without options gets none, whatever the spec says. */
static bool has_options(const struct bough_child_spec *spec)
{
    const struct bough_actor_type *type = spec->type;

    return type && spec->options && (type->options_size > 0 || type->copy_options);
}

static bool copy_child(struct bough_child_spec *copy, const struct bough_child_spec *spec)
{
    *copy = *spec;
    copy->options = NULL;
    copy->name = spec->name ? strdup(spec->name) : NULL;
    if (spec->name && !copy->name) return false;
    if (!has_options(spec)) return true;
    copy->options = copy_child_options(spec->type, spec->options);
    return copy->options != NULL;
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
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *child = &options->children[i];

        free((void *)(uintptr_t)child->name);
        if (child->options)
            free_child_options(child->type, (void *)(uintptr_t)child->options);
    }
    free((void *)(uintptr_t)options->children);
    free(options);
}
