/* kv_keys.c - pages of keys: their cursor, their bounds, their block.
 *
 * The table is walked twice for a page, to count and to copy: the block's list must be
 * made before the bytes that follow it. Nothing runs in between, so both walks see the
 * same.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_keys_internal.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/kv_message_internal.h>
#include <bough/core/assert.h>

enum {
    PAGE_BYTES = 256 * 1024, /* of keys; a page goes through a mailbox */
    PAGE_STEPS = 2000,       /* twice, about half a millisecond at a million keys */
    POSITION_DIGITS = 16
};

void bough_kv_cursor_print(uint64_t position, uint32_t mark,
                           char buffer[BOUGH_KV_CURSOR_SIZE])
{
    snprintf(buffer, BOUGH_KV_CURSOR_SIZE, "%016llx%08x", (unsigned long long)position,
             mark);
}

bool bough_kv_cursor_parse(const char *cursor, uint32_t mark, uint64_t *position)
{
    char digits[POSITION_DIGITS + 1] = "";
    char printed[BOUGH_KV_CURSOR_SIZE];

    if (*cursor == '\0') {
        *position = 0;
        return true;
    }
    if (strlen(cursor) != BOUGH_KV_CURSOR_SIZE - 1) return false;
    memcpy(digits, cursor, POSITION_DIGITS);
    const uint64_t value = strtoull(digits, NULL, 16);
    /* The one way to write it is the way we do. */
    bough_kv_cursor_print(value, mark, printed);
    if (strcmp(printed, cursor) != 0) return false;
    *position = value;
    return true;
}

static void count_key(void *data, const void *key, size_t key_len)
{
    size_t *count = data;

    (void)key, (void)key_len;
    (*count)++;
}

/* Where the next key goes. */
struct filling {
    struct bough_block *block;
    size_t span; /* offset in the block */
};

static void copy_key(void *data, const void *key, size_t key_len)
{
    struct filling *filling = data;

    /* A list that got no memory has no spans; the block remembers. */
    if (filling->block->status != BOUGH_OK) return;
    bough_block_bytes(filling->block, filling->span, key, key_len);
    filling->span += sizeof(struct bough_span);
}

void bough_kv_keys_page(const struct bough_kv_table *table,
                        const struct bough_kv_keys_request *request,
                        struct bough_block *block)
{
    size_t count = 0;
    struct filling filling = { .block = block };
    struct bough_kv_page_request page = {
        .prefix = request->prefix.data,
        .prefix_len = request->prefix.len,
        .max_keys = request->limit,
        .max_bytes = PAGE_BYTES,
        .max_steps = PAGE_STEPS,
        .visit = count_key,
        .data = &count,
    };
    uint64_t position = request->position;
    char cursor[BOUGH_KV_CURSOR_SIZE] = "";

    const bool last = bough_kv_table_keys(table, &page, request->now_ms, &position);
    if (!last) bough_kv_cursor_print(position, request->mark, cursor);
    bough_block_text(block, offsetof(struct bough_kv_keys_reply, cursor), cursor);
    filling.span = bough_block_list(block, offsetof(struct bough_kv_keys_reply, keys),
                                    count, sizeof(struct bough_span));
    page.visit = copy_key;
    page.data = &filling;
    position = request->position;
    const bool again = bough_kv_table_keys(table, &page, request->now_ms, &position);
    bough_assert(again == last);
}
