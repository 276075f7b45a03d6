/* figures.c - a look at a whole tree: the figures of each place and of all together.
 *
 * The names of places are locked while they are visited, so nothing is done then but to
 * copy: all else is added afterwards.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/figures.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/runtime.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/tally.h>

struct visit {
    struct bough_figures *figures;
    struct bough_address *addresses;
    size_t capacity;                   /* of both lists */
    size_t paths_size, paths_capacity; /* bytes */
    bool failed;                       /* memory is out */
};

static bool grow_lists(struct visit *visit)
{
    const size_t capacity = visit->capacity != 0 ? 2 * visit->capacity : 64;
    struct bough_figures *figures = visit->figures;
    struct bough_address *addresses =
        realloc(visit->addresses, capacity * sizeof(*addresses));
    struct bough_figure *places;

    if (addresses == NULL) return false;
    visit->addresses = addresses;
    places = realloc(figures->places, capacity * sizeof(*places));
    if (places == NULL) return false;
    figures->places = places;
    visit->capacity = capacity;
    return true;
}

static bool grow_paths(struct visit *visit, size_t size)
{
    size_t capacity = visit->paths_capacity != 0 ? visit->paths_capacity : 4096;
    char *paths;

    while (capacity < visit->paths_size + size)
        capacity *= 2;
    paths = realloc(visit->figures->paths, capacity);
    if (paths == NULL) return false;
    visit->figures->paths = paths;
    visit->paths_capacity = capacity;
    return true;
}

/* Where its path will be is known when all are there. */
static void copy_place(void *data, struct bough_address place,
                       const struct bough_place_info *info)
{
    struct visit *visit = data;
    struct bough_figures *figures = visit->figures;
    const size_t size = strlen(info->path) + 1;

    if (visit->failed) return;
    if ((figures->count == visit->capacity && !grow_lists(visit)) ||
        (visit->paths_size + size > visit->paths_capacity && !grow_paths(visit, size))) {
        visit->failed = true;
        return;
    }
    memcpy(figures->paths + visit->paths_size, info->path, size);
    visit->paths_size += size;
    visit->addresses[figures->count] = place;
    figures->places[figures->count++] = (struct bough_figure){ .info = *info };
    figures->states[info->state]++;
}

static void complete(struct visit *visit, const struct bough_figures_source *source)
{
    struct bough_figures *figures = visit->figures;
    const char *path = figures->paths;

    for (size_t i = 0; i < figures->count; i++) {
        struct bough_figure *figure = &figures->places[i];

        figure->info.path = path;
        figure->info.options = NULL; /* they may be gone by now */
        path += strlen(path) + 1;
        (void)bough_tally_exits(source->tally, figure->info.path, figure->exits);
        figure->latency = bough_latencies_find(figures->latencies, visit->addresses[i]);
    }
}

static bool look(struct visit *visit, const struct bough_figures_source *source)
{
    struct bough_runtime *runtime = bough_loop_runtime(source->loop);
    struct bough_figures *figures = visit->figures;

    bough_runtime_measure(runtime);
    figures->latencies = bough_latencies_new(runtime);
    if (figures->latencies == NULL) return false;
    if (bough_place_visit(source->loop, "/", copy_place, visit) != BOUGH_OK ||
        visit->failed)
        return false;
    complete(visit, source);
    figures->name = source->name;
    figures->loops = bough_runtime_loop_count(runtime);
    bough_history_lock(source->history);
    figures->events = bough_history_last(source->history);
    bough_history_unlock(source->history);
    return true;
}

struct bough_figures *bough_figures_new(const struct bough_figures_source *source)
{
    struct bough_figures *figures = calloc(1, sizeof(*figures));
    struct visit visit = { .figures = figures };
    const bool done = figures != NULL && look(&visit, source);

    free(visit.addresses);
    if (done) return figures;
    bough_figures_free(figures);
    return NULL;
}

void bough_figures_free(struct bough_figures *figures)
{
    if (figures == NULL) return;
    bough_latencies_free(figures->latencies);
    free(figures->places);
    free(figures->paths);
    free(figures);
}

const struct bough_usage *bough_figure_usage(struct bough_figure *figure)
{
    if (figure->usage_state == BOUGH_USAGE_UNREAD)
        figure->usage_state = bough_usage_read(figure->info.pid, &figure->usage)
                                  ? BOUGH_USAGE_READ
                                  : BOUGH_USAGE_NONE;
    return figure->usage_state == BOUGH_USAGE_READ ? &figure->usage : NULL;
}
