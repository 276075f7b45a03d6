/* schema.h - the JSON Schema of a config, made from the tables that check it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_SCHEMA_H
#define BOUGH_CONFIG_SCHEMA_H

#include <jansson.h>

#include <bough/core/actor.h>

/* The schema (draft 2020-12) of a tree made of supervisors and `types`, which ends with
 * NULL. A new reference, NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED json_t *
bough_config_schema(const struct bough_actor_type *const *types);

/* The shape of one value by its field table: for `bough types --json` and the like. */
BOUGH_PUBLIC BOUGH_CHECKED json_t *bough_field_schema(const struct bough_field *field);

/* As text, two spaces of indent and a line feed at the end, as in bough.schema.json; to
 * be freed with free(). NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED char *
bough_config_schema_text(const struct bough_actor_type *const *types);

#endif
