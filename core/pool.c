/* pool.c - size classes, carved out of chunks.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/pool_internal.h>

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_HEAD = 64,        /* keeps blocks aligned to a cache line */
    CHUNK_SIZE = 64 * 1024, /* 16 of the largest blocks, two thousand of the smallest */
};

void bough_pool_init(struct bough_pool *pool)
{
    memset(pool, 0, sizeof(*pool));
}

void bough_pool_finish(struct bough_pool *pool)
{
    struct bough_pool_block *chunk = pool->chunks;

    while (chunk != NULL) {
        struct bough_pool_block *next = chunk->next;
        ASAN_UNPOISON_MEMORY_REGION(chunk, CHUNK_SIZE);
        free(chunk);
        chunk = next;
    }
    bough_pool_init(pool);
}

size_t bough_pool_popped(const struct bough_pool *pool)
{
    size_t count = pool->blocks - pool->lent;

    for (size_t i = 0; i < BOUGH_POOL_CLASSES; i++) {
        for (const struct bough_pool_block *at = pool->free[i]; at != NULL; at = at->next)
            count--;
    }
    return count;
}

void *bough_pool_refill(struct bough_pool *pool, size_t class)
{
    const size_t size = (size_t)BOUGH_POOL_SMALLEST << class;
    struct bough_pool_block *chunk = aligned_alloc(CHUNK_HEAD, CHUNK_SIZE);

    if (chunk == NULL) return NULL;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->blocks += (CHUNK_SIZE - CHUNK_HEAD) / size;
    for (size_t at = CHUNK_HEAD + size; at + size <= CHUNK_SIZE; at += size) {
        bough_pool_put(pool, class, (char *)chunk + at);
    }
    return (char *)chunk + CHUNK_HEAD;
}

void *bough_pool_take_slowly(struct bough_pool *pool, size_t size)
{
    if (size > BOUGH_POOL_LARGEST) return malloc(size);

    void *block = bough_pool_refill(pool, bough_pool_class(size));
    if (block != NULL) pool->lent++;
    return block;
}

void bough_pool_give_slowly(void *block)
{
    free(block);
}
