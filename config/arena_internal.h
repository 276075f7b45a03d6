/* arena_internal.h - memory that is released all at once.
 *
 * A config's tree, errors and texts are many small things with one end. An allocation
 * that fails is remembered, so that a whole pass may be checked once, at its end.
 *
 * Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_ARENA_INTERNAL_H
#define BOUGH_CONFIG_ARENA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct bough_arena_chunk;

/* Zeroed is empty. */
struct bough_arena {
    bool failed; /* some allocation found no memory */
    /* private */
    struct bough_arena_chunk *chunks; /* the newest first */
};

void bough_arena_finish(struct bough_arena *arena);

/* `count` elements of `size` bytes, zeroed, aligned for anything; NULL when memory is
 * out. */
void *bough_arena_alloc(struct bough_arena *arena, size_t count, size_t size);

/* A copy with a NUL after it; NULL when memory is out. */
char *bough_arena_copy(struct bough_arena *arena, const void *bytes, size_t len);

#endif
