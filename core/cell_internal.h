/* cell_internal.h - a message in a mailbox, or an answer on its way: its memory.
 *
 * Small ones lie in the cell, large ones in a buffer that the cell has a reference to. A
 * cell is its loop's, and never leaves it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_CELL_INTERNAL_H
#define BOUGH_CORE_CELL_INTERNAL_H

#include <string.h>

#include <bough/core/buffer.h>
#include <bough/core/field.h>
#include <bough/core/loop_internal.h>

/* Who is to be told: an id, never a pointer to the call itself. */
struct bough_asker {
    struct bough_loop *loop; /* NULL: nobody asks */
    uint32_t index, generation;
};

/* A message in a mailbox, or an answer on its way. Its bytes follow. */
struct bough_cell {
    struct bough_cell *next;
    uint32_t life; /* whom it is for; 0: whoever lives there; or the mark below */
    uint32_t size;
    _Alignas(16) char bytes[];
};

/* Most of what is told, not asked, is a note: a cell with at most 16 bytes, in half a
 * cache line. Before every other cell lies its asker, and where a cell lies tells which
 * of the two it is. */
enum { BOUGH_NOTE_MAX = BOUGH_POOL_SMALLEST - sizeof(struct bough_cell) };

/* What lies before the bytes of a cell that is not a note. */
enum { BOUGH_CELL_HEAD = sizeof(struct bough_asker) + sizeof(struct bough_cell) };

static inline bool bough_cell_is_note(const struct bough_cell *cell)
{
    _Static_assert(sizeof(struct bough_asker) == BOUGH_POOL_SMALLEST / 2,
                   "a block begins at a multiple of the smallest");
    return ((uintptr_t)cell & sizeof(struct bough_asker)) == 0;
}

/* The asker before a cell that is not a note: where the block begins that it lies in. */
static inline struct bough_asker *bough_cell_front(const struct bough_cell *cell)
{
    return (struct bough_asker *)(uintptr_t)cell - 1;
}

/* The cell in such a block; NULL for none. */
static inline struct bough_cell *bough_cell_behind(struct bough_asker *block)
{
    return block != NULL ? (struct bough_cell *)(void *)(block + 1) : NULL;
}

/* Who asks; NULL for a note, with which nobody can. */
static inline struct bough_asker *bough_cell_asker(const struct bough_cell *cell)
{
    return bough_cell_is_note(cell) ? NULL : bough_cell_front(cell);
}

static inline bool bough_cell_is_asked(const struct bough_cell *cell)
{
    return !bough_cell_is_note(cell) && bough_cell_front(cell)->loop != NULL;
}

/* Nobody asks with it any more. */
static inline void bough_cell_set_told(const struct bough_cell *cell)
{
    if (!bough_cell_is_note(cell)) bough_cell_front(cell)->loop = NULL;
}

/* Cells. What is hot about them is here, so that a message costs no calls between files:
 * together some 90 instructions from bough_send() to the end of the turn. */

/* In place of a life: elsewhere.h. Of a process's only life, so nothing is lost. */
#define BOUGH_CELL_MARKED UINT32_MAX

enum { BOUGH_SMALL_MIN = 4, BOUGH_SMALL_MAX = 32, BOUGH_MEDIUM_MAX = 128 };

static inline bool bough_is_small(size_t size)
{
    return size - BOUGH_SMALL_MIN <= BOUGH_SMALL_MAX - BOUGH_SMALL_MIN;
}

/* 4 to 32 bytes, as two copies that overlap: 8 instructions. memcpy() is a call through a
 * table and takes 25 to find out that there is next to nothing to copy. Up to 16 bytes
 * the halves are copied apart, for the second is most often a number that was stored just
 * now: a load that is wider than the store before it waits until that is in the cache,
 * which made a round trip a tenth longer. */
static inline void bough_copy_small(void *to, const void *from, size_t size)
{
    enum { HALF = 16, QUARTER = 8, EIGHTH = 4 };
    char *out = to;
    const char *in = from;

    if (size > HALF) {
        memcpy(out, in, HALF);
        memcpy(out + size - HALF, in + size - HALF, HALF);
    } else if (size >= QUARTER) {
        memcpy(out, in, QUARTER);
        memcpy(out + size - QUARTER, in + size - QUARTER, QUARTER);
    } else {
        memcpy(out, in, EIGHTH);
        memcpy(out + size - EIGHTH, in + size - EIGHTH, EIGHTH);
    }
}

/* 16 to 128 bytes, in pieces no wider than what most of it was stored with, for the same
 * reason: a question about a key is copied here right after it was put together. */
static inline void bough_copy_medium(void *to, const void *from, size_t size)
{
    enum { PIECE = 16 };
    char *out = to;
    const char *in = from;

    for (size_t at = 0; at + PIECE <= size; at += PIECE)
        memcpy(out + at, in + at, PIECE);
    memcpy(out + size - PIECE, in + size - PIECE, PIECE);
}

/* The class of all but notes: that of small ones is known without a bit scan, and the
 * smallest have room for a kind, which is looked at whatever the size. */
static inline unsigned bough_cell_class(size_t size)
{
    _Static_assert((int)BOUGH_CELL_HEAD == (int)BOUGH_POOL_SMALLEST &&
                       (int)BOUGH_SMALL_MAX == (int)BOUGH_POOL_SMALLEST,
                   "a cell with a small message is a block of the second class");

    return size <= BOUGH_SMALL_MAX ? 1 : bough_pool_class(BOUGH_CELL_HEAD + size);
}

/* What is larger lies in a buffer, and the cell has a reference to it in place of the
 * bytes: the size alone says which. */
enum { BOUGH_CELL_MAX = BOUGH_POOL_LARGEST - BOUGH_CELL_HEAD };

static inline bool bough_is_large(size_t size)
{
    return size > BOUGH_CELL_MAX;
}

/* cell.c. A cell that takes over a reference, for a large buffer; NULL when memory is
 * out, and the reference is then still the caller's. */
struct bough_cell *bough_cell_hold(struct bough_loop *loop, struct bough_buffer *buffer);
struct bough_cell *bough_cell_new_large(struct bough_loop *loop, const void *bytes,
                                        size_t size);
/* The same as bough_cell_take() and bough_note_take(), when the pool has none at hand;
 * NULL when memory is out. */
struct bough_cell *bough_cell_take_slowly(struct bough_loop *loop, size_t size);
struct bough_cell *bough_note_take_slowly(struct bough_loop *loop);
void bough_cell_free_large(struct bough_loop *loop, struct bough_cell *cell);
const void *bough_cell_large_bytes(const struct bough_cell *cell);

/* Its buffer; NULL when it has none. The reference stays the cell's. */
struct bough_buffer *bough_cell_buffer(const struct bough_cell *cell);

/* bough_buffer_take() of a block that is large; else NULL. */
struct bough_buffer *bough_take_large(struct bough_block *block);

static inline const void *bough_cell_bytes(const struct bough_cell *cell)
{
    return bough_is_large(cell->size) ? bough_cell_large_bytes(cell) : cell->bytes;
}

/* The size and the bytes. */
static inline __attribute__((always_inline)) void
bough_cell_write(struct bough_cell *cell, const void *bytes, size_t size)
{
    cell->size = (uint32_t)size;
    if (bough_is_small(size)) {
        bough_copy_small(cell->bytes, bytes, size);
    } else if (size > BOUGH_MEDIUM_MAX) {
        memcpy(cell->bytes, bytes, size);
    } else if (size > BOUGH_SMALL_MAX) {
        bough_copy_medium(cell->bytes, bytes, size);
    } else {
        memset(cell->bytes, 0, BOUGH_SMALL_MIN);
        if (size > 0) memcpy(cell->bytes, bytes, size);
    }
}

/* A cell for that size, not too large, when the pool has one at hand; else NULL. Who
 * takes it sets all of it. */
static inline __attribute__((always_inline)) struct bough_cell *
bough_cell_take(struct bough_loop *loop, size_t size)
{
    return bough_cell_behind(bough_pool_pop(&loop->pool, bough_cell_class(size)));
}

/* The same for a note. */
static inline struct bough_cell *bough_note_take(struct bough_loop *loop)
{
    return bough_pool_pop(&loop->pool, 0);
}

/* `size` at most BOUGH_BLOCK_MAX. Sets size and bytes, and who links it the rest; NULL
 * when memory is out. */
static inline struct bough_cell *bough_cell_new(struct bough_loop *loop,
                                                const void *bytes, size_t size)
{
    if (bough_is_large(size)) return bough_cell_new_large(loop, bytes, size);

    struct bough_cell *cell = bough_cell_take(loop, size);
    if (cell == NULL) cell = bough_cell_take_slowly(loop, size);
    if (cell != NULL) bough_cell_write(cell, bytes, size);
    return cell;
}

/* Gives back the memory of one that is not large. */
static inline void bough_cell_put(struct bough_loop *loop, struct bough_cell *cell)
{
    const size_t size = cell->size;

    if (bough_cell_is_note(cell)) {
        bough_pool_put(&loop->pool, 0, cell);
    } else if (__builtin_expect(size <= BOUGH_SMALL_MAX, true)) {
        bough_pool_put(&loop->pool, bough_cell_class(BOUGH_SMALL_MAX),
                       bough_cell_front(cell));
    } else {
        bough_pool_put(&loop->pool, bough_cell_class(size), bough_cell_front(cell));
    }
}

static inline void bough_cell_free(struct bough_loop *loop, struct bough_cell *cell)
{
    if (cell == NULL) return;
    if (bough_is_large(cell->size)) {
        bough_cell_free_large(loop, cell);
        return;
    }
    bough_cell_put(loop, cell);
}

#endif
