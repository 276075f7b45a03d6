/* plan_view.h - a plan as JSON, as the control socket shows it, and as people read it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_PLAN_VIEW_H
#define BOUGH_TOOLS_BOUGH_PLAN_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include <bough/supervisor/plan.h>

/* An object: `changes` (whether there is anything to do), `added`, `removed`,
 * `restarted`, `changed`, `kept` (how many), `children` (all but those kept, each with
 * path, act, type, below, and as it applies keys, because, replaces) and `steps` (each
 * with do and path). Of a key: key, restarts, old and new; of an environment variable no
 * values, but `hidden`. A new reference; NULL when memory is out. */
json_t *bough_plan_json(const struct bough_plan *plan);

/* Notes in such an object that the root's "log" changes, too; texts may be NULL: none.
 * Nothing when they are the same. Not 0: no memory. */
int bough_plan_json_log(json_t *plan, const char *before, const char *after);

/* The same for a key of the root that bough itself acts on: `root`, an array of objects
 * with key, old and new. */
int bough_plan_json_root(json_t *plan, const char *key, const char *before,
                         const char *after);

/* "2 added, 1 restarted, 12 kept". Writes `size` bytes at most. */
void bough_plan_summary(const json_t *plan, char *text, size_t size);

/* Prints it: what is stopped, changed and started, and why. */
void bough_plan_draw(FILE *file, const json_t *plan);

#endif
