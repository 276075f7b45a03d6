/* pool.c - size classes, carved out of chunks.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/pool_internal.h>

#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    SMALLEST = 64,
    LARGEST = SMALLEST << (BOUGH_POOL_CLASSES - 1),
    CHUNK_HEAD = 64,        /* keeps blocks aligned to a cache line */
    CHUNK_SIZE = 64 * 1024, /* 16 of the largest blocks, a thousand of the smallest */
};

static size_t class_of(size_t size)
{
    return size <= SMALLEST ? 0 : (size_t)(64 - __builtin_clzl((size - 1) >> 6));
}

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

/* Only the link of a free block may be read. */
static void put(struct bough_pool *pool, size_t class, void *memory)
{
    struct bough_pool_block *block = memory;

    block->next = pool->free[class];
    pool->free[class] = block;
    ASAN_POISON_MEMORY_REGION((char *)memory + sizeof(*block),
                              (SMALLEST << class) - sizeof(*block));
}

static void *refill(struct bough_pool *pool, size_t class)
{
    const size_t size = (size_t)SMALLEST << class;
    struct bough_pool_block *chunk = aligned_alloc(CHUNK_HEAD, CHUNK_SIZE);

    if (chunk == NULL) return NULL;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    for (size_t at = CHUNK_HEAD + size; at + size <= CHUNK_SIZE; at += size) {
        put(pool, class, (char *)chunk + at);
    }
    return (char *)chunk + CHUNK_HEAD;
}

void *bough_pool_take(struct bough_pool *pool, size_t size)
{
    if (size > LARGEST) return malloc(size);

    const size_t class = class_of(size);
    struct bough_pool_block *block = pool->free[class];

    if (block == NULL) return refill(pool, class);
    pool->free[class] = block->next;
    ASAN_UNPOISON_MEMORY_REGION(block, SMALLEST << class);
    return block;
}

void bough_pool_give(struct bough_pool *pool, void *block, size_t size)
{
    if (block == NULL) return;
    if (size > LARGEST) {
        free(block);
        return;
    }
    put(pool, class_of(size), block);
}
