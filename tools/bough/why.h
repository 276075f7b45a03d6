/* why.h - how an actor came to be in its present state, in sentences.
 *
 * A pure function over events that were kept: it follows their causes back to an end that
 * nobody asked for, or to a person. What is not kept any more is said to be so, never
 * guessed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_WHY_H
#define BOUGH_TOOLS_BOUGH_WHY_H

#include <stdbool.h>
#include <stdio.h>

#include <bough/core/event.h>
#include <bough/core/place.h>

enum { BOUGH_WHY_EVENTS = 16 };

struct bough_why {
    const char *path;
    bool removed; /* there is no such place now; the next three are not
                     looked at */
    enum bough_place_state state;
    uint32_t life;                    /* 0: never lived */
    const char *restart;              /* its restart type, or NULL */
    const struct bough_event *events; /* in order, without those that are not kept */
    size_t count;
    int64_t now_ns; /* since 1970 */
    /* The strategy of the supervisor at that path, NULL when it is not known. */
    const char *(*strategy)(void *data, const char *path);
    void *data;

    /* The answer */
    bool incomplete;                 /* an event that led to this is no longer kept */
    uint64_t told[BOUGH_WHY_EVENTS]; /* numbers of the events that it is told from */
    size_t told_count;
    const struct bough_crash *crash; /* what the process left; NULL: nothing */
};

/* Prints the sentences, each on a line of its own: the first about the actor itself,
 * those that follow about what came before. */
void bough_why(struct bough_why *why, FILE *file);

#endif
