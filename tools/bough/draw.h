/* draw.h - trees and tables of actors for people, drawn from the JSON of views.h.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_DRAW_H
#define BOUGH_TOOLS_BOUGH_DRAW_H

#include <stdio.h>

#include <jansson.h>

/* A tree of nested places, the root on the first line as `title`. What a place does not
 * have (a state, in a tree that does not run) is left out. */
void bough_draw_tree(FILE *file, const json_t *root, const char *title);

/* A table of the places of an array, a heading first. */
void bough_draw_table(FILE *file, const json_t *places);

/* The messages in a quarantine as a table, each cut to what fits. */
void bough_draw_quarantine(FILE *file, const json_t *answer);

/* One line of the log, as loggers write it; or that some are missing. */
void bough_draw_log(FILE *file, const json_t *line);

/* One event as a line: time, number, path, what happened and why. */
void bough_draw_event(FILE *file, const json_t *event);

#endif
