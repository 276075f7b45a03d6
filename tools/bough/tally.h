/* tally.h - how often the actors of a tree have ended, by path and reason.
 *
 * Counted from the events, for a place does not keep the reasons of its ends. What is
 * counted goes with the place: when one is removed it is forgotten.
 *
 * Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_TALLY_H
#define BOUGH_TOOLS_BOUGH_TALLY_H

#include <stdbool.h>

#include <bough/core/event.h>

struct bough_tally;

/* NULL when memory is out. */
BOUGH_CHECKED struct bough_tally *bough_tally_new(void);
void bough_tally_free(struct bough_tally *tally);

/* Counts an end, or forgets a place; any event will do. An end for which there is no
 * memory is not counted. */
void bough_tally_add(struct bough_tally *tally, const struct bough_event *event);

/* How many ends of each kind there were at that path. False, all of them 0: none. */
bool bough_tally_exits(struct bough_tally *tally, const char *path,
                       uint64_t exits[BOUGH_EXIT_KIND_COUNT]);

#endif
