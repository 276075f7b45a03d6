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
    uint32_t key_len, value_len;
    char bytes[]; /* key, value */
};

/* The rest of a cell's head, its last 16 bits: how long key and value are that lie in
 * it, a byte each; or that they lie outside. */
enum { BOUGH_KV_REST_OUTSIDE = BOUGH_KV_REST_MAX, BOUGH_KV_KEY_SHIFT = 8 };

/* The head of a cell in which both lie. */
static inline uint64_t bough_kv_head(uint64_t hash, size_t key_len, size_t value_len)
{
    return hash | key_len << BOUGH_KV_KEY_SHIFT | value_len;
}

static inline bool bough_kv_is_outside(const struct bough_kv_cell *cell)
{
    return (cell->head & BOUGH_KV_REST_MAX) == BOUGH_KV_REST_OUTSIDE;
}

static inline size_t bough_kv_cell_key_len(const struct bough_kv_cell *cell)
{
    return bough_kv_is_outside(cell) ? cell->outside->key_len
                                     : cell->head >> BOUGH_KV_KEY_SHIFT & 0xff;
}

static inline size_t bough_kv_cell_value_len(const struct bough_kv_cell *cell)
{
    return bough_kv_is_outside(cell) ? cell->outside->value_len : cell->head & 0xff;
}

/* The key, and right after it the value. */
static inline const char *bough_kv_cell_bytes(const struct bough_kv_cell *cell)
{
    return bough_kv_is_outside(cell) ? cell->outside->bytes : cell->bytes;
}

static inline int64_t bough_kv_cell_expires_ms(const struct bough_kv_cell *cell)
{
    return bough_kv_is_outside(cell) ? cell->outside->deadline.at_ms : BOUGH_FOREVER;
}

static inline bool bough_kv_cell_is_expired(const struct bough_kv_cell *cell,
                                            int64_t now_ms)
{
    return bough_kv_is_outside(cell) && cell->outside->deadline.at_ms <= now_ms;
}

#endif
