/* views.h - how declared trees and types of actors look in JSON: what the control socket
 * and the commands with --json print.
 *
 * All results are the caller's; NULL when memory is out.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_VIEWS_H
#define BOUGH_TOOLS_BOUGH_VIEWS_H

#include <jansson.h>

#include <bough/core/actor.h>
#include <bough/supervisor/spec.h>

/* A tree that does not run, nested as bough_places_print_nested() prints one that does:
 * path, name, type, restart, isolation, children, and of supervisors strategy, intensity
 * and period_ms. */
BOUGH_CHECKED json_t *bough_view_options(const struct bough_supervisor_options *options);

/* What a type is: name, help, options and messages with their fields and replies. */
BOUGH_CHECKED json_t *bough_view_type(const struct bough_actor_type *type);

/* An array: the supervisor, then all of `types`, which ends with NULL. */
BOUGH_CHECKED json_t *bough_view_types(const struct bough_actor_type *const *types);

#endif
