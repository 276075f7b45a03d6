/* message.h - a message of an actor, for people.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_MESSAGE_H
#define BOUGH_TOOLS_BOUGH_MESSAGE_H

#include <jansson.h>

#include <bough/core/actor.h>

/* {"message": its name, "fields": {...}}, or {"bytes": ...} for one that its type does
 * not describe, or that is not what the type says. A new reference; NULL when memory is
 * out. */
json_t *bough_message_json(const struct bough_actor_type *type, const void *message,
                           size_t size);

#endif
