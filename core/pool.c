/* pool.c - size classes, carved out of the slices of chunks.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/pool_internal.h>

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_HEAD = 64, /* keeps blocks aligned to a cache line */
    SLICE_SIZE = BOUGH_POOL_LARGEST,
    CHUNK_SIZE = CHUNK_HEAD + 16 * SLICE_SIZE,
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

static char *take_slice(struct bough_pool *pool)
{
    if (pool->slices == 0) {
        struct bough_pool_block *chunk = aligned_alloc(CHUNK_HEAD, CHUNK_SIZE);

        if (chunk == NULL) return NULL;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->slices = (CHUNK_SIZE - CHUNK_HEAD) / SLICE_SIZE;
    }
    pool->slices--;
    return (char *)pool->chunks + CHUNK_SIZE - (pool->slices + 1) * SLICE_SIZE;
}

/* Those that come first are given first, so that memory is touched as a processor expects
 * it, and no page before it is needed: a loop has little that a page does not hold, and
 * each page of a process of its own takes time at its beginning and at its end. */
void *bough_pool_refill(struct bough_pool *pool, size_t class)
{
    const size_t size = bough_pool_size(class), count = SLICE_SIZE / size;
    char *slice = take_slice(pool);

    if (slice == NULL) return NULL;
    pool->blocks += count;
    for (size_t i = count - 1; i > 0; i--)
        bough_pool_put(pool, class, slice + i * size);
    return slice;
}

void *bough_pool_take_slowly(struct bough_pool *pool, size_t size)
{
    if (size > BOUGH_POOL_LARGEST) return malloc(size);

    void *block = bough_pool_refill(pool, bough_pool_fine_class(size));
    if (block != NULL) pool->lent++;
    return block;
}

void bough_pool_give_slowly(void *block)
{
    free(block);
}
