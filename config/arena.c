/* arena.c - chunks that double in size, filled from the front.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/arena_internal.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first chunk is a page, so that a small tree costs little; the largest is large
 * enough that what is left over at its end does not matter. */
enum { CHUNK_FIRST = 4096, CHUNK_LARGEST = 1024 * 1024 };

struct bough_arena_chunk {
    struct bough_arena_chunk *next;
    size_t used, size; /* bytes of data */
    alignas(max_align_t) char data[];
};

void bough_arena_finish(struct bough_arena *arena)
{
    struct bough_arena_chunk *chunk = arena->chunks;

    while (chunk != NULL) {
        struct bough_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (struct bough_arena){ .chunks = NULL };
}

static size_t chunk_size(const struct bough_arena *arena, size_t wanted)
{
    size_t size = CHUNK_FIRST;

    if (arena->chunks != NULL && arena->chunks->size < CHUNK_LARGEST)
        size = arena->chunks->size * 2;
    else if (arena->chunks != NULL)
        size = CHUNK_LARGEST;
    return size < wanted ? wanted : size;
}

/* calloc, so that what is handed out is zeroed: nothing is handed out twice. */
static struct bough_arena_chunk *chunk_new(struct bough_arena *arena, size_t wanted)
{
    size_t size = chunk_size(arena, wanted);
    struct bough_arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

    if (chunk == NULL) return NULL;
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *bough_arena_alloc(struct bough_arena *arena, size_t count, size_t size)
{
    struct bough_arena_chunk *chunk = arena->chunks;
    size_t bytes;
    void *data;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 4) goto failed;
    bytes =
        (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (chunk == NULL || chunk->size - chunk->used < bytes)
        chunk = chunk_new(arena, bytes);
    if (chunk == NULL) goto failed;

    data = chunk->data + chunk->used;
    chunk->used += bytes;
    return data;

failed:
    arena->failed = true;
    return NULL;
}

char *bough_arena_copy(struct bough_arena *arena, const void *bytes, size_t len)
{
    char *copy = bough_arena_alloc(arena, len + 1, 1);

    if (copy != NULL && len > 0) memcpy(copy, bytes, len);
    return copy;
}
