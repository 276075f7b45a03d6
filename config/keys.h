/* keys.h - which keys a supervisor and a child have in a config: for who describes them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_KEYS_H
#define BOUGH_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/field.h>

/* Where a key may stand. */
enum { BOUGH_IN_ROOT = 1, BOUGH_IN_SUPERVISOR = 2, BOUGH_IN_WORKER = 4 };

struct bough_config_key {
    const struct bough_field *field; /* name, kind, limits, default and meaning */
    unsigned where, required;        /* sets of places */
};

/* The row of that index, from 0, of the table that a config is checked by; false behind
 * the last. A key that means different things at different places has a row for each. */
BOUGH_PUBLIC bool bough_config_key_at(size_t index, struct bough_config_key *key);

#endif
