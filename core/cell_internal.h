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
    struct bough_asker asker;
    uint32_t life; /* whom it is for; 0: whoever lives there; or the mark below */
    uint32_t size;
    _Alignas(16) char bytes[];
};

/* Cells. What is hot about them is here, so that a message costs no calls between files:
 * together some 90 instructions from bough_send() to the end of the turn. */

/* In place of a life: elsewhere.h. Of a process's only life, so nothing is lost. */
#define BOUGH_CELL_MARKED UINT32_MAX

enum { BOUGH_SMALL_MIN = 4, BOUGH_SMALL_MAX = 32 };

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

/* That of small ones is known without a bit scan, and the smallest have room for a kind,
 * which is looked at whatever the size. */
static inline unsigned bough_cell_class(size_t size)
{
    _Static_assert(sizeof(struct bough_cell) == BOUGH_POOL_SMALLEST &&
                       (int)BOUGH_SMALL_MAX == (int)BOUGH_POOL_SMALLEST,
                   "a cell with a small message is a block of the second class");

    return size <= BOUGH_SMALL_MAX ? 1
                                   : bough_pool_class(sizeof(struct bough_cell) + size);
}

/* What is larger lies in a buffer, and the cell has a reference to it in place of the
 * bytes: the size alone says which. */
enum { BOUGH_CELL_MAX = BOUGH_POOL_LARGEST - sizeof(struct bough_cell) };

static inline bool bough_is_large(size_t size)
{
    return size > BOUGH_CELL_MAX;
}

/* cell.c. A cell that takes over a reference, for a large buffer; NULL when memory is
 * out, and the reference is then still the caller's. */
struct bough_cell *bough_cell_hold(struct bough_loop *loop, struct bough_buffer *buffer);
struct bough_cell *bough_cell_new_large(struct bough_loop *loop, const void *bytes,
                                        size_t size);
/* The same as bough_cell_take(), when the pool has none at hand; NULL when memory is out.
 */
struct bough_cell *bough_cell_take_slowly(struct bough_loop *loop, size_t size);
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

static inline __attribute__((always_inline)) void
bough_cell_write(struct bough_cell *cell, const void *bytes, size_t size)
{
    if (bough_is_small(size)) {
        bough_copy_small(cell->bytes, bytes, size);
    } else if (size > BOUGH_SMALL_MAX) {
        memcpy(cell->bytes, bytes, size);
    } else {
        memset(cell->bytes, 0, BOUGH_SMALL_MIN);
        if (size > 0) memcpy(cell->bytes, bytes, size);
    }
}

/* A cell with room for so many bytes, not too many, when the pool has one at hand; else
 * NULL. Who takes it sets all of it. */
static inline __attribute__((always_inline)) struct bough_cell *
bough_cell_pop(struct bough_loop *loop, size_t room)
{
    return bough_pool_pop(&loop->pool, bough_cell_class(room));
}

/* The same, of that size. Who takes it sets `life` and `asker`, and writes the bytes. */
static inline __attribute__((always_inline)) struct bough_cell *
bough_cell_take(struct bough_loop *loop, size_t size)
{
    struct bough_cell *cell = bough_cell_pop(loop, size);

    if (cell == NULL) return NULL;
    cell->next = NULL;
    cell->size = (uint32_t)size;
    return cell;
}

/* `size` at most BOUGH_BLOCK_MAX. Sets all but `life` and `asker`; NULL when memory is
 * out. */
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

    if (__builtin_expect(size <= BOUGH_SMALL_MAX, true)) {
        bough_pool_put(&loop->pool, bough_cell_class(BOUGH_SMALL_MAX), cell);
    } else {
        bough_pool_put(&loop->pool, bough_cell_class(size), cell);
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
