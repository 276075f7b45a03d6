/* types.h - the ready-made types of actor, by name.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_TYPES_H
#define BOUGH_ACTORS_TYPES_H

#include <bough/core/actor.h>

/* counter, kv, logger, worker; NULL at the end. */
BOUGH_PUBLIC extern const struct bough_actor_type *const bough_actor_types[];

#endif
