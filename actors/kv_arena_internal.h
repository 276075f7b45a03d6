/* kv_arena_internal.h - memory for entries: blocks by size class, packed without holes.
 *
 * Blocks of one class lie side by side in chunks, and all chunks but the newest are full:
 * when a block is given back, the class's last block moves into its place, and the caller
 * mends what pointed to it. So memory goes back to the system whatever the order in which
 * blocks are given back, a block has no header of its own, and everything can be released
 * chunk by chunk, without a look at the blocks.
 *
 * Chunks begin small and double up to 64 KiB; a class that has 2 MiB of them goes on with
 * chunks of 2 MiB, in huge pages where the system has them. Blocks that are too large for
 * a chunk come from malloc, and do not move. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_ARENA_INTERNAL_H
#define BOUGH_ACTORS_KV_ARENA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/public.h>

enum {
    BOUGH_KV_ARENA_STEP = 16,      /* bytes between the classes of small blocks */
    BOUGH_KV_ARENA_EVEN = 256,     /* from here on there are four classes to a doubling */
    BOUGH_KV_ARENA_LARGEST = 3264, /* a class of its own: pages (kv_pages_internal.h) */
    BOUGH_KV_ARENA_CLASSES = 31
};

struct bough_kv_chunk;
struct bough_kv_large;

struct bough_kv_arena {
    /* private */
    struct {
        struct bough_kv_chunk *last; /* the one that is not full; NULL: no blocks */
        size_t used;                 /* blocks in it */
    } classes[BOUGH_KV_ARENA_CLASSES];
    struct bough_kv_large *large;
};

void bough_kv_arena_init(struct bough_kv_arena *arena);

/* Releases every block there is: a step for each chunk and each large block. */
void bough_kv_arena_finish(struct bough_kv_arena *arena);

/* At least `size` bytes (not 0), aligned to 8, not zeroed; NULL when memory is out. */
BOUGH_CHECKED void *bough_kv_arena_take(struct bough_kv_arena *arena, size_t size);

/* Takes a block back; `size` as when it was taken. Returns where the block lay that has
 * moved to `block`; NULL when none has. */
BOUGH_CHECKED void *bough_kv_arena_give(struct bough_kv_arena *arena, void *block,
                                        size_t size);

/* Whether a block of `size` bytes is as large as one of `other` bytes: what was taken for
 * one will do for the other. */
bool bough_kv_arena_same(size_t size, size_t other);

#endif
