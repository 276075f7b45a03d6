/* pool_internal.h - memory for cells and states, by size class, for one loop.
 *
 * Blocks of 64 bytes to 4 KiB come from free lists, last in first out, so that a
 * ping-pong stays in the cache; larger ones from malloc. What a loop once took it keeps
 * until it ends, so a steady state allocates nothing. Under the address sanitizer a free
 * block is poisoned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_POOL_INTERNAL_H
#define BOUGH_CORE_POOL_INTERNAL_H

#include <stddef.h>

enum { BOUGH_POOL_CLASSES = 7 }; /* 64, 128, ... 4096 bytes */

struct bough_pool_block {
    struct bough_pool_block *next;
};

struct bough_pool {
    struct bough_pool_block *free[BOUGH_POOL_CLASSES];
    struct bough_pool_block *chunks;
};

void bough_pool_init(struct bough_pool *pool);

/* Releases all chunks; larger blocks must have been given back. */
void bough_pool_finish(struct bough_pool *pool);

/* At least `size` bytes, aligned to 16, not zeroed; NULL when memory is out. */
void *bough_pool_take(struct bough_pool *pool, size_t size);

/* Takes a block back; `size` as when it was taken. NULL is fine. */
void bough_pool_give(struct bough_pool *pool, void *block, size_t size);

#endif
