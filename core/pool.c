/* pool.c - size classes, carved out of the slices of chunks.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/pool_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/huge.h>

enum {
    SLICE_SIZE = BOUGH_POOL_LARGEST,
    SLICES = 16,       /* of a chunk */
    MANY_SLICES = 512, /* from so many on chunks are huge pages */
};

struct bough_pool_chunk {
    _Alignas(64) struct bough_pool_chunk *next;
    size_t size;
    _Alignas(64) char slices[];
};

void bough_pool_init(struct bough_pool *pool)
{
    memset(pool, 0, sizeof(*pool));
}

void bough_pool_finish(struct bough_pool *pool)
{
    struct bough_pool_chunk *chunk = pool->chunks;

    while (chunk != NULL) {
        struct bough_pool_chunk *next = chunk->next;
        ASAN_UNPOISON_MEMORY_REGION(chunk, chunk->size);
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

static struct bough_pool_chunk *new_chunk(bool huge)
{
    const size_t size =
        huge ? BOUGH_HUGE_PAGE : sizeof(struct bough_pool_chunk) + SLICES * SLICE_SIZE;
    struct bough_pool_chunk *chunk =
        huge ? bough_huge_alloc()
             : aligned_alloc(_Alignof(struct bough_pool_chunk), size);

    if (chunk != NULL) chunk->size = size;
    return chunk;
}

static char *take_slice(struct bough_pool *pool)
{
    if (pool->slices == 0) {
        struct bough_pool_chunk *chunk = new_chunk(pool->taken >= MANY_SLICES);

        if (chunk == NULL) return NULL;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->slices = (chunk->size - sizeof(*chunk)) / SLICE_SIZE;
        pool->at = chunk->slices;
    }
    char *slice = pool->at;
    pool->at += SLICE_SIZE;
    pool->slices--;
    pool->taken++;
    return slice;
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
