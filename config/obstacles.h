/* obstacles.h - what would keep a tree from starting on this machine, run by this user.
 *
 * Not faults of a config: it may be right, and meant for another machine. The names of
 * users and groups are looked up, and the files that programs need are looked for.
 *
 * Thread: any; may block as long as looking up names takes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_OBSTACLES_H
#define BOUGH_CONFIG_OBSTACLES_H

#include <bough/supervisor/spec.h>

/* `path` of the child ("*" in the place of names that are not known yet), and a sentence.
 * Both are valid during the call. */
typedef void bough_obstacle_visitor(void *data, const char *path, const char *text);

/* Visits all, in the order of start. Looks at a tree that bough_supervisor_check()
 * accepts. */
BOUGH_PUBLIC void bough_obstacles(const struct bough_supervisor_options *options,
                                  bough_obstacle_visitor *visit, void *data);

#endif
