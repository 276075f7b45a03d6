/* kv_cell_internal.h - what a cell of a kv's table means: where its key, its value and
 * its deadline are.
 *
 * A short key with a short value that does not expire lies in the cell; everything else
 * outside of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_CELL_INTERNAL_H
#define BOUGH_ACTORS_KV_CELL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <bough/actors/kv_pages_internal.h>
#include <bough/actors/kv_wheel_internal.h>
#include <bough/core/field.h>

struct bough_kv_outside {
    struct bough_kv_deadline deadline; /* at_ms is BOUGH_FOREVER: never */
    uint64_t hash;
    char bytes[]; /* key, value */
};

/* The key, and right after it the value. */
static inline const char *bough_kv_cell_bytes(const struct bough_kv_cell *cell)
{
    return cell->is_outside ? cell->outside->bytes : cell->bytes;
}

static inline int64_t bough_kv_cell_expires_ms(const struct bough_kv_cell *cell)
{
    return cell->is_outside ? cell->outside->deadline.at_ms : BOUGH_FOREVER;
}

static inline bool bough_kv_cell_is_expired(const struct bough_kv_cell *cell,
                                            int64_t now_ms)
{
    return cell->is_outside && cell->outside->deadline.at_ms <= now_ms;
}

#endif
