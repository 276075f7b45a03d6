/* kv_keys_internal.h - a page of a table's keys, as the flat block that answers `keys`.
 *
 * A cursor is text: a position in the table and a mark of the life that made it, in hex.
 * Every life has its own hash seed, so a position of another life means nothing and is
 * refused.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_KEYS_INTERNAL_H
#define BOUGH_ACTORS_KV_KEYS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <bough/actors/kv.h>
#include <bough/actors/kv_table_internal.h>
#include <bough/core/field.h>

enum { BOUGH_KV_CURSOR_SIZE = 25 }; /* bytes, with the NUL */

/* Prints the cursor for a position. */
void bough_kv_cursor_print(uint64_t position, uint32_t mark,
                           char buffer[BOUGH_KV_CURSOR_SIZE]);

/* Reads one; "" is position 0. False when it is not a cursor with that mark. */
BOUGH_CHECKED bool bough_kv_cursor_parse(const char *cursor, uint32_t mark,
                                         uint64_t *position);

struct bough_kv_keys_request {
    struct bough_kv_bytes prefix; /* data is not NULL */
    uint64_t position;
    size_t limit;
    uint32_t mark; /* for the next cursor */
    int64_t now_ms;
};

/* Adds the answer to a block that begins with a struct bough_kv_keys_reply; errors are
 * remembered in the block. */
void bough_kv_keys_page(const struct bough_kv_table *table,
                        const struct bough_kv_keys_request *request,
                        struct bough_block *block);

#endif
