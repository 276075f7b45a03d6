/* timeline.h - what happens in a simulation, a line each, told as it happens.
 *
 * A crash begins at the left, what follows from it stands indented under it; the time is
 * given when it has moved. What belongs together is one line: an actor that starts and is
 * ready at once is up, one that is asked to stop and does so at once stops.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_TIMELINE_H
#define BOUGH_TOOLS_BOUGH_TIMELINE_H

#include <stdio.h>

#include <bough/core/place.h>
#include <bough/tools/bough/simulate.h>

struct bough_timeline {
    FILE *file;
    const char *name; /* of the tree */
    size_t limit;     /* lines; what comes after them is counted */

    /* private */
    size_t lines;
    bool up, holds;
    int64_t shown_ms;        /* the time that was printed last */
    struct bough_event held; /* an event of which the next one may be a part */
    int64_t held_ms;
    char path[BOUGH_PATH_MAX];
};

/* Fit for an observer; `timeline` is zeroed but for file, name and limit. */
void bough_timeline_event(void *timeline, const struct bough_event *event, int64_t at_ms);
void bough_timeline_crash(void *timeline, const struct bough_simulated *actor,
                          int64_t at_ms);

/* What is still held, and how much was left out. */
void bough_timeline_end(struct bough_timeline *timeline);

#endif
