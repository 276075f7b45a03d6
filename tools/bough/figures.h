/* figures.h - a look at a whole tree: the figures of each place and of all together.
 *
 * Copied at one moment, so that they can be printed bit by bit while the tree goes on.
 * What processes use is read when it is asked for, as it takes a look at /proc for each
 * of them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_FIGURES_H
#define BOUGH_TOOLS_BOUGH_FIGURES_H

#include <stddef.h>

#include <bough/core/latency.h>
#include <bough/core/place.h>
#include <bough/tools/bough/usage.h>

struct bough_history;
struct bough_loop;
struct bough_tally;

/* Whose figures they are; all of it is the caller's. */
struct bough_figures_source {
    struct bough_loop *loop;
    struct bough_history *history;
    struct bough_tally *tally;
    const char *name; /* the tree's */
};

/* Of one place. */
struct bough_figure {
    struct bough_place_info info; /* `path` points into the figures */
    uint64_t exits[BOUGH_EXIT_KIND_COUNT];
    const struct bough_latency *latency; /* NULL: it was not asked anything */
    struct bough_usage usage;
    enum { BOUGH_USAGE_UNREAD, BOUGH_USAGE_READ, BOUGH_USAGE_NONE } usage_state;
};

struct bough_figures {
    const char *name;
    struct bough_figure *places; /* parents before children, in start order */
    size_t count;
    uint64_t events;
    size_t loops;
    size_t states[BOUGH_PLACE_STATE_COUNT]; /* how many places are in each */

    /* private */
    struct bough_latencies *latencies;
    char *paths; /* one after the other */
};

/* NULL when memory is out, or no tree is there any more. Calls are measured from the
 * first time on. Thread: the loop's. */
BOUGH_CHECKED struct bough_figures *
bough_figures_new(const struct bough_figures_source *source);
void bough_figures_free(struct bough_figures *figures);

/* What the process of a place uses; NULL when it has none. */
const struct bough_usage *bough_figure_usage(struct bough_figure *figure);

#endif
