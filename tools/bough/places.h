/* places.h - the places of a tree that runs, as JSON text.
 *
 * Written as they are visited, without a JSON value for each in memory: a tree may have a
 * hundred thousand, and waits while they are listed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_PLACES_H
#define BOUGH_TOOLS_BOUGH_PLACES_H

#include <stdio.h>

#include <bough/core/status.h>

struct bough_loop;

/* Prints an array of the named places at and under `path`, parents before children, in
 * start order: objects of path, type, state, life, restarts, restart, isolation, pid,
 * memory, cpu_ms, uptime_ms, mailbox {length, capacity, dropped}, handled; of supervisors
 * strategy, intensity and period_ms, too. Errors: BOUGH_ENOTFOUND, nothing printed. What
 * goes wrong with `file` is to be seen there. */
BOUGH_CHECKED enum bough_status bough_places_print(struct bough_loop *loop,
                                                   const char *path, FILE *file);

/* Prints the place at `path` alone, with `name` and `children` besides, which are such
 * objects again. */
BOUGH_CHECKED enum bough_status bough_places_print_nested(struct bough_loop *loop,
                                                          const char *path, FILE *file);

#endif
