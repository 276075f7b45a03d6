/* simulate_tree.c - a tree's specs with other types, and the list of its actors.
 *
 * What is not replaced (names, policies, limits) still points into the tree it was made
 * from.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_plan.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/text.h>
#include <bough/supervisor/supervisor.h>

bool bough_simulation_reserve(void **array, size_t *capacity, size_t count, size_t size)
{
    const size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown;

    if (count < *capacity) return true;
    grown = reallocarray(*array, wanted, size);
    if (grown == NULL) return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

struct bough_simulated_actor *
bough_simulation_find(const struct bough_simulation *simulation, const char *path)
{
    struct bough_simulated_actor *actor;

    HASH_FIND_STR(simulation->by_path, path, actor);
    return actor;
}

/* Zeroed memory that goes with the simulation; NULL when there is none. */
static void *take(struct bough_simulation *simulation, size_t count, size_t size)
{
    void *block;

    if (!bough_simulation_reserve((void **)&simulation->blocks,
                                  &simulation->block_capacity, simulation->block_count,
                                  sizeof(*simulation->blocks)))
        return NULL;
    block = calloc(count == 0 ? 1 : count, size);
    if (block != NULL) simulation->blocks[simulation->block_count++] = block;
    return block;
}

/* Types */

static const struct bough_actor_type *
replacement_of(struct bough_simulation *simulation,
               const struct bough_actor_type *original)
{
    size_t capacity = simulation->type_capacity;
    struct bough_actor_type *type;

    for (size_t i = 0; i < simulation->type_count; i++) {
        if (simulation->originals[i] == original) return simulation->types[i];
    }
    if (!bough_simulation_reserve((void **)&simulation->types, &capacity,
                                  simulation->type_count, sizeof(*simulation->types)) ||
        !bough_simulation_reserve((void **)&simulation->originals,
                                  &simulation->type_capacity, simulation->type_count,
                                  sizeof(*simulation->originals)))
        return NULL;
    type = take(simulation, 1, sizeof(*type));
    if (type == NULL) return NULL;
    bough_simulated_type(type, original);
    simulation->types[simulation->type_count] = type;
    simulation->originals[simulation->type_count++] = original;
    return type;
}

static enum bough_status replace_children(struct bough_simulation *simulation,
                                          struct bough_supervisor_options *options);

static enum bough_status replace(struct bough_simulation *simulation,
                                 struct bough_child_spec *spec)
{
    struct bough_supervisor_options *nested;

    if (spec->type != &bough_supervisor_type) {
        spec->type = replacement_of(simulation, spec->type);
        spec->options = simulation;
        return spec->type != NULL ? BOUGH_OK : BOUGH_ENOMEM;
    }
    if (spec->options == NULL) return BOUGH_OK;
    nested = take(simulation, 1, sizeof(*nested));
    if (nested == NULL) return BOUGH_ENOMEM;
    *nested = *(const struct bough_supervisor_options *)spec->options;
    spec->options = nested;
    return replace_children(simulation, nested);
}

static enum bough_status replace_children(struct bough_simulation *simulation,
                                          struct bough_supervisor_options *options)
{
    struct bough_child_spec *children =
        take(simulation, options->child_count, sizeof(*children));

    if (children == NULL) return BOUGH_ENOMEM;
    for (size_t i = 0; i < options->child_count; i++) {
        children[i] = options->children[i];
        /* The rules are the same wherever it lives, and no process has a virtual clock.
         */
        if (children[i].isolation == BOUGH_PROCESS) children[i].isolation = BOUGH_INLINE;
        /* Which are about a process. */
        children[i].spare = false;
        children[i].stuck_after_ms = 0;
        children[i].limits = (struct bough_process_limits){ .user = NULL };
        if (replace(simulation, &children[i]) != BOUGH_OK) return BOUGH_ENOMEM;
    }
    options->children = children;
    return BOUGH_OK;
}

/* Actors */

/* Its number is that of the actors before it. */
static bool add_actor(struct bough_simulation *simulation, const char *path,
                      const char *type, bool supervisor)
{
    struct bough_simulated_actor *actor = take(simulation, 1, sizeof(*actor));
    const size_t size = strlen(path) + 1;
    char *copy = take(simulation, size, 1);

    if (actor == NULL || copy == NULL) return false;
    if (!bough_simulation_reserve((void **)&simulation->actors, &simulation->capacity,
                                  simulation->count, sizeof(*simulation->actors)))
        return false;
    memcpy(copy, path, size);
    actor->about =
        (struct bough_simulated){ .path = copy, .type = type, .supervisor = supervisor };
    HASH_ADD_KEYPTR(hh, simulation->by_path, copy, size - 1, actor);
    if (actor->hh.tbl == NULL) return false;
    simulation->actors[simulation->count++] = actor;
    actor->after = simulation->count;
    return true;
}

static bool list_children(struct bough_simulation *simulation, const char *path,
                          const struct bough_supervisor_options *options);

static bool list_one(struct bough_simulation *simulation, const char *path,
                     const struct bough_child_spec *spec)
{
    const bool supervisor = spec->type == &bough_supervisor_type;
    const size_t number = simulation->count;

    if (!add_actor(simulation, path, spec->type->name, supervisor)) return false;
    if (supervisor && spec->options != NULL &&
        !list_children(simulation, path, spec->options))
        return false;
    simulation->actors[number]->after = simulation->count;
    return true;
}

static bool list_group(struct bough_simulation *simulation, const char *path,
                       const struct bough_child_spec *spec)
{
    const size_t number = simulation->count;
    char member[BOUGH_PATH_MAX];

    if (!add_actor(simulation, path, "group", true)) return false;
    for (uint32_t i = 0; i < spec->replicas; i++) {
        bough_text_format(member, sizeof(member), "%s/%" PRIu32, path, i);
        if (!list_one(simulation, member, spec)) return false;
    }
    simulation->actors[number]->after = simulation->count;
    return true;
}

static bool list_children(struct bough_simulation *simulation, const char *path,
                          const struct bough_supervisor_options *options)
{
    char below[BOUGH_PATH_MAX];

    if (options->strategy == BOUGH_DYNAMIC) return true;
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];

        bough_text_format(below, sizeof(below), "%s/%s", path[1] == '\0' ? "" : path,
                          spec->name);
        if (spec->replicas > 0 ? !list_group(simulation, below, spec)
                               : !list_one(simulation, below, spec))
            return false;
    }
    return true;
}

enum bough_status bough_simulated_tree(struct bough_simulation *simulation,
                                       const struct bough_supervisor_options *options)
{
    simulation->options = *options;
    if (replace_children(simulation, &simulation->options) != BOUGH_OK)
        return BOUGH_ENOMEM;
    if (!add_actor(simulation, "/", bough_supervisor_type.name, true) ||
        !list_children(simulation, "/", &simulation->options))
        return BOUGH_ENOMEM;
    simulation->actors[0]->after = simulation->count;
    return BOUGH_OK;
}
