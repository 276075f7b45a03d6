/* buffer.c - bytes that many may hold: made, counted, freed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/buffer.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/buffer_internal.h>

static struct bough_buffer *begin(struct bough_buffer *buffer, size_t size)
{
    atomic_init(&buffer->count, 1);
    buffer->size = size;
    return buffer;
}

struct bough_buffer *bough_buffer_new(const void *bytes, size_t size)
{
    struct bough_buffer *buffer =
        size <= BOUGH_BLOCK_MAX ? malloc(sizeof(*buffer) + size) : NULL;

    if (buffer == NULL) return NULL;
    if (size > 0) memcpy(buffer->bytes, bytes, size);
    return begin(buffer, size);
}

struct bough_buffer *bough_buffer_take(struct bough_block *block)
{
    struct bough_buffer *buffer;

    if (block->status != BOUGH_OK) return NULL;
    if (block->data != block->buffer) {
        buffer = begin(bough_buffer_of(block->data), block->size);
        block->data = block->buffer;
    } else {
        buffer = bough_buffer_new(block->data, block->size);
    }
    if (buffer != NULL) bough_block_finish(block);
    return buffer;
}

/* Relaxed: who shares has a reference already, so the buffer is there, and whatever hands
 * the new one to another thread orders what that thread sees. */
struct bough_buffer *bough_buffer_share(struct bough_buffer *buffer)
{
    const size_t before =
        atomic_fetch_add_explicit(&buffer->count, 1, memory_order_relaxed);

    bough_assert(before > 0);
    return buffer;
}

/* Release, so that the reads of this holder are over before the count falls; acquire, so
 * that who frees comes after the reads of all others. A sole holder sees 1 and nobody can
 * make it 2, so that what was never shared costs no locked instruction. */
void bough_buffer_drop(struct bough_buffer *buffer)
{
    if (buffer == NULL) return;
    if (atomic_load_explicit(&buffer->count, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&buffer->count, 1, memory_order_acq_rel) != 1)
        return;
    free(buffer);
}

const void *bough_buffer_bytes(const struct bough_buffer *buffer)
{
    return buffer->bytes;
}

size_t bough_buffer_size(const struct bough_buffer *buffer)
{
    return buffer->size;
}
