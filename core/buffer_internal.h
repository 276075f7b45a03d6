/* buffer_internal.h - the head of a buffer, and that of a block on the heap.
 *
 * A block that moves to the heap leaves room for this head before its bytes, so that it
 * becomes a buffer where it lies.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_BUFFER_INTERNAL_H
#define BOUGH_CORE_BUFFER_INTERNAL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

struct bough_buffer {
    atomic_size_t count; /* of references */
    size_t size;
    alignas(max_align_t) char bytes[];
};

/* The memory of a block's bytes on the heap. */
static inline struct bough_buffer *bough_buffer_of(char *bytes)
{
    return (struct bough_buffer *)(void *)(bytes - offsetof(struct bough_buffer, bytes));
}

#endif
