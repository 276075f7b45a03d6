/* rules_internal.h - what one key of a child or supervisor has to do with another.
 *
 * OTP's bad combinations, and those of Bough's own keys. A key whose value is wrong by
 * itself is reported where it is read, and here taken as not given.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_RULES_INTERNAL_H
#define BOUGH_CONFIG_RULES_INTERNAL_H

#include <bough/config/config_internal.h>
#include <bough/config/keys_internal.h>

/* The rules of what the root alone says. */
void bough_rules_root(struct bough_report *report, const struct bough_entry *entry,
                      const struct bough_json_place *place);

/* The rules of a supervisor's flags. */
void bough_rules_supervisor(struct bough_report *report, const struct bough_entry *entry,
                            const struct bough_json_place *place);

/* The rules of a child, also with what its supervisor (record->parent) is. `object` is
 * what `entry` was read from; `type` NULL: not known. */
void bough_rules_child(struct bough_report *report, const struct bough_record *record,
                       const json_t *object, const struct bough_entry *entry,
                       const struct bough_actor_type *type,
                       const struct bough_json_place *place);

#endif
