/* obstacles.c - what would keep a tree from starting here.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/obstacles.h>

#include <stdio.h>

#include <bough/supervisor/supervisor.h>

/* A walk: the path so far, and who is told. */
struct walk {
    bough_obstacle_visitor *visit;
    void *data;
    char path[BOUGH_PATH_MAX];
};

static void look_at(struct walk *walk, const struct bough_child_spec *spec)
{
    struct bough_limits_plan plan;
    struct bough_error error;

    if (spec->type->check_here != NULL && spec->options != NULL &&
        spec->type->check_here(spec->options, &error) != BOUGH_OK)
        walk->visit(walk->data, walk->path, error.text);
    if (spec->limits.user == NULL && spec->limits.group == NULL) return;
    if (bough_limits_plan(&spec->limits, &plan, &error) != BOUGH_OK)
        walk->visit(walk->data, walk->path, error.text);
}

/* Paths of a tree that was checked fit; those of members of a group may not, and are cut.
 */
static size_t enter(struct walk *walk, size_t len, const char *name)
{
    const size_t room = sizeof(walk->path) - len;
    const size_t step = (size_t)snprintf(walk->path + len, room, "/%s", name);

    return len + (step < room ? step : room - 1);
}

static void descend(struct walk *walk, size_t len,
                    const struct bough_supervisor_options *options)
{
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        const bool named = options->strategy != BOUGH_DYNAMIC && spec->name != NULL;
        size_t end = enter(walk, len, named ? spec->name : "*");

        look_at(walk, spec);
        if (spec->type != &bough_supervisor_type || spec->options == NULL) continue;
        if (spec->replicas > 0) end = enter(walk, end, "*");
        descend(walk, end, spec->options);
    }
}

void bough_obstacles(const struct bough_supervisor_options *options,
                     bough_obstacle_visitor *visit, void *data)
{
    struct walk walk = { .visit = visit, .data = data };

    descend(&walk, 0, options);
}
