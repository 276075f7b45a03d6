/* kv_arena.c - blocks packed in chunks, and how a hole is filled.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_arena_internal.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    LINE =
        64, /* bytes of a cache line: where chunks begin, so that blocks of 64 fit one */
    EVEN_CLASSES = BOUGH_KV_ARENA_EVEN / BOUGH_KV_ARENA_STEP,
    EVEN_BIT = 8,     /* the highest bit of BOUGH_KV_ARENA_EVEN */
    LAST_SIZE = 3072, /* up to it there are four classes to a doubling */
    LAST_CLASS = BOUGH_KV_ARENA_CLASSES - 1,
    FIRST_BYTES = 512,      /* of the blocks of a class's first chunk */
    MOST_BYTES = 64 * 1024, /* malloc keeps these, without a system call for each */
    HUGE_BYTES = 2 << 20    /* what one entry of the processor's page table can lead to */
};

struct bough_kv_chunk {
    _Alignas(LINE) struct bough_kv_chunk *previous;
    size_t capacity; /* blocks */
    size_t before;   /* blocks in the chunks before this one */
    _Alignas(LINE) char blocks[];
};

/* A block that is too large for a chunk: its bytes follow. */
struct bough_kv_large {
    struct bough_kv_large *next, **link;
    char bytes[];
};

_Static_assert(1 << EVEN_BIT == BOUGH_KV_ARENA_EVEN, "the classes meet");
/* The class of a size that fits a chunk. */
static size_t class_of(size_t size)
{
    if (size <= BOUGH_KV_ARENA_EVEN) return (size - 1) / BOUGH_KV_ARENA_STEP;
    if (size > LAST_SIZE) return LAST_CLASS;

    const unsigned bit = 63 - (unsigned)__builtin_clzll(size - 1);
    const size_t quarter = (size - 1) >> (bit - 2) & 3;

    return EVEN_CLASSES + (size_t)(bit - EVEN_BIT) * 4 + quarter;
}

static size_t size_of(size_t class)
{
    if (class < EVEN_CLASSES) return (class + 1) * BOUGH_KV_ARENA_STEP;
    if (class == LAST_CLASS) return BOUGH_KV_ARENA_LARGEST;

    const size_t doubling = (class - EVEN_CLASSES) / 4;
    const size_t quarter = (class - EVEN_CLASSES) % 4;

    return (quarter + 5) * (BOUGH_KV_ARENA_EVEN / 4) << doubling;
}

/* Up to 2048 bytes (bit 11) all doublings have four classes, the one after that two. */
_Static_assert(LAST_SIZE == 2048 + 2 * 2048 / 4 &&
                   EVEN_CLASSES + 4 * (11 - EVEN_BIT) + 2 == LAST_CLASS,
               "the last class follows on that of LAST_SIZE");
_Static_assert((int)LAST_SIZE < (int)BOUGH_KV_ARENA_LARGEST, "it is the largest");

static char *block_at(struct bough_kv_chunk *chunk, size_t class, size_t index)
{
    return chunk->blocks + index * size_of(class);
}

/* Chunks */

/* As many blocks as the class has already: the part that is not used is never more than
 * half of it. */
static size_t next_capacity(size_t class, size_t blocks)
{
    const size_t size = size_of(class);
    const size_t least = size < FIRST_BYTES ? FIRST_BYTES / size : 1;
    const size_t most = MOST_BYTES / size;

    if (blocks < least) return least;
    return blocks < most ? blocks : most;
}

/* Keys are looked for all over the table. Once it is larger than what the processor knows
 * the pages of, each search would wait for its tables as well: a kv of 100,000 keys takes
 * a tenth less time with the larger ones. A system that has none leaves it at that. */
static struct bough_kv_chunk *new_huge_chunk(void)
{
    struct bough_kv_chunk *chunk = aligned_alloc(HUGE_BYTES, HUGE_BYTES);

    if (chunk != NULL) (void)madvise(chunk, HUGE_BYTES, MADV_HUGEPAGE);
    return chunk;
}

static struct bough_kv_chunk *new_chunk(size_t class, size_t blocks)
{
    const size_t size = size_of(class);
    const bool huge = blocks >= HUGE_BYTES / size;
    const size_t capacity = huge ? (HUGE_BYTES - sizeof(struct bough_kv_chunk)) / size
                                 : next_capacity(class, blocks);
    const size_t bytes = (capacity * size + LINE - 1) / LINE * LINE;
    struct bough_kv_chunk *chunk =
        huge ? new_huge_chunk() : aligned_alloc(LINE, sizeof(*chunk) + bytes);

    if (chunk == NULL) return NULL;
    chunk->capacity = capacity;
    ASAN_POISON_MEMORY_REGION(chunk->blocks, bytes);
    return chunk;
}

static bool add_chunk(struct bough_kv_arena *arena, size_t class)
{
    struct bough_kv_chunk *last = arena->classes[class].last;
    const size_t before = last ? last->before + last->capacity : 0;
    struct bough_kv_chunk *chunk = new_chunk(class, before);

    if (chunk == NULL) return false;
    chunk->previous = last;
    chunk->before = before;
    arena->classes[class].last = chunk;
    arena->classes[class].used = 0;
    return true;
}

static void drop_chunk(struct bough_kv_arena *arena, size_t class)
{
    struct bough_kv_chunk *chunk = arena->classes[class].last;

    arena->classes[class].last = chunk->previous;
    arena->classes[class].used = chunk->previous ? chunk->previous->capacity : 0;
    free(chunk);
}

/* Large blocks */

static void *take_large(struct bough_kv_arena *arena, size_t size)
{
    struct bough_kv_large *large = malloc(sizeof(*large) + size);

    if (large == NULL) return NULL;
    large->next = arena->large;
    large->link = &arena->large;
    if (large->next) large->next->link = &large->next;
    arena->large = large;
    return large->bytes;
}

static void give_large(void *block)
{
    struct bough_kv_large *large = bough_container(block, struct bough_kv_large, bytes);

    *large->link = large->next;
    if (large->next) large->next->link = large->link;
    free(large);
}

/* The arena */

void bough_kv_arena_init(struct bough_kv_arena *arena)
{
    memset(arena, 0, sizeof(*arena));
}

void bough_kv_arena_finish(struct bough_kv_arena *arena)
{
    for (size_t class = 0; class < BOUGH_KV_ARENA_CLASSES; class ++) {
        while (arena->classes[class].last) {
            drop_chunk(arena, class);
        }
    }
    while (arena->large) {
        give_large(arena->large->bytes);
    }
}

void *bough_kv_arena_take(struct bough_kv_arena *arena, size_t size)
{
    if (size > BOUGH_KV_ARENA_LARGEST) return take_large(arena, size);

    const size_t class = class_of(size);
    const struct bough_kv_chunk *last = arena->classes[class].last;
    if (last == NULL || arena->classes[class].used == last->capacity) {
        if (!add_chunk(arena, class)) return NULL;
    }
    char *block =
        block_at(arena->classes[class].last, class, arena->classes[class].used++);
    ASAN_UNPOISON_MEMORY_REGION(block, size_of(class));
    return block;
}

void *bough_kv_arena_give(struct bough_kv_arena *arena, void *block, size_t size)
{
    if (size > BOUGH_KV_ARENA_LARGEST) {
        give_large(block);
        return NULL;
    }
    const size_t class = class_of(size);
    char *last =
        block_at(arena->classes[class].last, class, --arena->classes[class].used);
    const bool moves = last != block;
    if (moves) memcpy(block, last, size_of(class));
    ASAN_POISON_MEMORY_REGION(last, size_of(class));
    if (arena->classes[class].used == 0) drop_chunk(arena, class);
    return moves ? last : NULL;
}

bool bough_kv_arena_same(size_t size, size_t other)
{
    if (size > BOUGH_KV_ARENA_LARGEST || other > BOUGH_KV_ARENA_LARGEST) {
        return size == other;
    }
    return class_of(size) == class_of(other);
}
