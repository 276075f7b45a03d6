/* block.c - making a flat block: a fixed struct, then its variable parts.
 *
 * The block grows by appending. It begins in the caller's buffer and moves to the heap
 * once, when that is too small. The first error stands and turns everything after it into
 * nothing, so that a maker reads straight down and checks once.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/buffer_internal.h>

enum { LIST_ALIGNMENT = 8 };

static bool is_on_heap(const struct bough_block *block)
{
    return block->data != block->buffer;
}

static void fail(struct bough_block *block, enum bough_status status)
{
    if (block->status == BOUGH_OK) block->status = status;
}

/* Doubles, so that a block made of many small parts is copied a bounded number of times.
 */
static size_t next_capacity(size_t capacity, size_t needed)
{
    const size_t doubled =
        capacity > BOUGH_BLOCK_MAX / 2 ? BOUGH_BLOCK_MAX : capacity * 2;

    return doubled > needed ? doubled : needed;
}

static bool grow(struct bough_block *block, size_t needed)
{
    const size_t capacity = next_capacity(block->capacity, needed);
    struct bough_buffer *memory = is_on_heap(block) ? bough_buffer_of(block->data) : NULL;

    memory = realloc(memory, sizeof(*memory) + capacity);
    if (!memory) {
        fail(block, BOUGH_ENOMEM);
        return false;
    }
    if (!is_on_heap(block) && block->size > 0)
        memcpy(memory->bytes, block->data, block->size);
    block->data = memory->bytes;
    block->capacity = capacity;
    return true;
}

/* Room for `len` more bytes, not zeroed, in *room; false after an error, also an earlier
 * one. */
static bool extend(struct bough_block *block, size_t len, char **room)
{
    if (block->status != BOUGH_OK) return false;
    if (len > BOUGH_BLOCK_MAX - block->size) {
        fail(block, BOUGH_ETOOLARGE);
        return false;
    }
    const size_t needed = block->size + len;
    if (needed > block->capacity && !grow(block, needed)) return false;
    *room = block->data + block->size;
    block->size = needed;
    return true;
}

static void set_span(struct bough_block *block, size_t member_offset, size_t offset,
                     size_t len)
{
    const struct bough_span span = { .offset = (uint32_t)offset, .len = (uint32_t)len };

    bough_assert(member_offset <= offset);
    bough_assert(sizeof(span) <= offset - member_offset);
    memcpy(block->data + member_offset, &span, sizeof(span));
}

void bough_block_begin(struct bough_block *block, void *buffer, size_t buffer_size,
                       const void *fixed, size_t fixed_size)
{
    char *room;

    *block = (struct bough_block){
        .data = buffer,
        .capacity = buffer ? buffer_size : 0,
        .buffer = buffer,
    };
    if (extend(block, fixed_size, &room) && fixed_size > 0)
        memcpy(room, fixed, fixed_size);
}

void bough_block_release(struct bough_block *block)
{
    free(bough_buffer_of(block->data));
}

void bough_block_append(struct bough_block *block, size_t member_offset,
                        const void *bytes, size_t len)
{
    const size_t offset = block->size;
    char *room;

    if (len >= BOUGH_BLOCK_MAX) {
        fail(block, BOUGH_ETOOLARGE);
        return;
    }
    if (!extend(block, len + 1, &room)) return;
    if (len > 0) memcpy(room, bytes, len);
    room[len] = '\0';
    set_span(block, member_offset, offset, len);
}

void bough_block_text(struct bough_block *block, size_t member_offset, const char *text)
{
    bough_block_bytes(block, member_offset, text, strlen(text));
}

size_t bough_block_list(struct bough_block *block, size_t member_offset, size_t count,
                        size_t element_size)
{
    const size_t padding = -block->size % LIST_ALIGNMENT;
    size_t len;
    char *room;

    if (__builtin_mul_overflow(count, element_size, &len) || len > BOUGH_BLOCK_MAX) {
        fail(block, BOUGH_ETOOLARGE);
        return 0;
    }
    if (!extend(block, padding + len, &room)) return 0;
    memset(room, 0, padding + len);
    const size_t offset = block->size - len;
    set_span(block, member_offset, offset, count);
    return offset;
}

void *bough_block_at(struct bough_block *block, size_t offset)
{
    if (block->status != BOUGH_OK) return NULL;
    bough_assert(offset <= block->size);
    return block->data + offset;
}
