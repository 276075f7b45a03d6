/* policies_internal.h - what to do about an end, by its cause: from JSON and back.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_POLICIES_INTERNAL_H
#define BOUGH_CONFIG_POLICIES_INTERNAL_H

#include <bough/config/arena_internal.h>
#include <bough/config/json_value_internal.h>
#include <bough/supervisor/spec.h>

/* The keys of one policy: for the schema. */
enum { BOUGH_POLICY_KEYS = 5 };
extern const struct bough_field bough_policy_keys[BOUGH_POLICY_KEYS];

/* Reads an array of policies into the spec; reports all that is wrong. Out of memory is
 * known to the arena, in which they lie. */
void bough_policies_read(struct bough_report *report, struct bough_arena *arena,
                         const json_t *array, const struct bough_json_place *place,
                         struct bough_child_spec *spec);

/* The array that reads back as the spec's policies; a new reference, NULL when memory is
 * out. */
json_t *bough_policies_json(const struct bough_child_spec *spec);

#endif
