/* json_spec_internal.h - child specs in messages: what a config file says of a child,
 * said to a supervisor that runs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_SPEC_INTERNAL_H
#define BOUGH_CONFIG_JSON_SPEC_INTERNAL_H

#include <bough/config/json_value_internal.h>
#include <bough/core/actor.h>

/* Appends the child that `value` describes, checked as one of a config file is, but for
 * what it has to do with the supervisor that is to have it. The span is written at
 * `member_offset`. Reports all that is wrong; out of memory is known to the block.
 * `types` ends with NULL. */
void bough_json_to_spec(struct bough_report *report,
                        const struct bough_actor_type *const *types, const json_t *value,
                        const struct bough_json_place *place, struct bough_block *block,
                        size_t member_offset);

/* The same for options that are laid over others of that type: none is missing. */
void bough_json_to_packed_options(struct bough_report *report,
                                  const struct bough_actor_type *type,
                                  const json_t *value,
                                  const struct bough_json_place *place,
                                  struct bough_block *block, size_t member_offset);

/* The object that such bytes say, complete: what was not given is there, too. It reads
 * back as the same spec. A new reference; NULL when memory is out, null when the bytes
 * are not whole. */
json_t *bough_json_from_spec(const void *bytes, size_t len);

#endif
