/* pool_internal.h - memory for cells and states, by size class, for one loop.
 *
 * Blocks of 32 bytes to 4 KiB come from free lists, last in first out, so that a
 * ping-pong stays in the cache; larger ones from malloc. Cells have classes of powers of
 * two, whose number is one bit scan; what is taken and given by size, a state above all,
 * has classes between them, too, since it stays for long. What a loop once took it keeps
 * until it ends, so a steady state allocates nothing. Under the address sanitizer a free
 * block is poisoned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_POOL_INTERNAL_H
#define BOUGH_CORE_POOL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    BOUGH_POOL_POWERS = 8, /* 32, 64, ... 4096 bytes */
    /* 96, 192, 384 and 768 bytes: of a smaller one little would be saved, and a slice has
     * no more of a larger one than of the next power. */
    BOUGH_POOL_BETWEEN = 4,
    BOUGH_POOL_CLASSES = BOUGH_POOL_POWERS + BOUGH_POOL_BETWEEN,
    BOUGH_POOL_SMALLEST = 32,
    BOUGH_POOL_LARGEST = BOUGH_POOL_SMALLEST << (BOUGH_POOL_POWERS - 1),
};

struct bough_pool_block {
    struct bough_pool_block *next;
};

struct bough_pool {
    struct bough_pool_block *free[BOUGH_POOL_CLASSES];
    struct bough_pool_block *chunks;
    size_t slices; /* of the newest chunk, not in use so far */
    size_t blocks; /* that there are, free or not */
    size_t lent;   /* by bough_pool_take() */
};

void bough_pool_init(struct bough_pool *pool);

/* Releases all chunks; larger blocks must have been given back. */
void bough_pool_finish(struct bough_pool *pool);

/* How many blocks are out that were popped and not taken: cells, which are too hot to be
 * counted one by one. Takes as long as there are free blocks. */
size_t bough_pool_popped(const struct bough_pool *pool);

/* What has no block on its free list, or no free list. */
void *bough_pool_take_slowly(struct bough_pool *pool, size_t size);
void bough_pool_give_slowly(void *block);

/* A block of a class whose free list is empty; NULL when memory is out. */
void *bough_pool_refill(struct bough_pool *pool, size_t class);

/* One bit scan: no table to miss the cache, and no loop. */
static inline unsigned bough_pool_class(size_t size)
{
    return 63 - (unsigned)__builtin_clzl(((size - 1) / (BOUGH_POOL_SMALLEST / 2)) | 1);
}

/* The class of what is taken by size. Most states are small, and need no bit scan. */
static inline unsigned bough_pool_fine_class(size_t size)
{
    if (size <= (size_t)2 * BOUGH_POOL_SMALLEST) return size > BOUGH_POOL_SMALLEST;

    const unsigned class = bough_pool_class(size);
    const bool between = class <= 1 + BOUGH_POOL_BETWEEN &&
                         size <= (size_t)BOUGH_POOL_SMALLEST * 3 / 4 << class;

    return between ? BOUGH_POOL_POWERS + class - 2 : class;
}

/* Bytes in a block of that class. */
static inline size_t bough_pool_size(size_t class)
{
    return class < BOUGH_POOL_POWERS
               ? (size_t)BOUGH_POOL_SMALLEST << class
               : (size_t)BOUGH_POOL_SMALLEST * 3 << (class - BOUGH_POOL_POWERS);
}

/* Only the link of a free block may be read. */
static inline void bough_pool_put(struct bough_pool *pool, size_t class, void *memory)
{
    struct bough_pool_block *block = memory;

    block->next = pool->free[class];
    pool->free[class] = block;
    ASAN_POISON_MEMORY_REGION((char *)memory + sizeof(*block),
                              bough_pool_size(class) - sizeof(*block));
}

/* A block of that class; NULL when the free list is empty. Hot: five instructions, for a
 * message takes one block and gives one; the block that came back last is the one most
 * likely still in the cache. */
static inline void *bough_pool_pop(struct bough_pool *pool, size_t class)
{
    struct bough_pool_block *block = pool->free[class];

    if (block == NULL) return NULL;
    pool->free[class] = block->next;
    ASAN_UNPOISON_MEMORY_REGION(block, bough_pool_size(class));
    return block;
}

/* At least `size` bytes (not 0), aligned to 16, not zeroed; NULL when memory is out. */
static inline void *bough_pool_take(struct bough_pool *pool, size_t size)
{
    void *block = size <= BOUGH_POOL_LARGEST
                      ? bough_pool_pop(pool, bough_pool_fine_class(size))
                      : NULL;

    if (block == NULL) return bough_pool_take_slowly(pool, size);
    pool->lent++;
    return block;
}

/* Takes a block back; `size` as when it was taken. NULL is fine. */
static inline void bough_pool_give(struct bough_pool *pool, void *block, size_t size)
{
    if (block == NULL) return;
    if (size > BOUGH_POOL_LARGEST) {
        bough_pool_give_slowly(block);
        return;
    }
    bough_pool_put(pool, bough_pool_fine_class(size), block);
    pool->lent--;
}

#endif
