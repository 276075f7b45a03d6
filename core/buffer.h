/* buffer.h - bytes that many may hold, and nobody changes.
 *
 * A message or an answer too large for a loop's pool lies in one: it is then handed on,
 * sent to many, or kept by its receiver, without a copy. The one thing in Bough that is
 * counted: each holder has a reference, and the last one to drop it frees the bytes.
 *
 *     const struct page *page = message;
 *
 *     bough_buffer_drop(self->page);
 *     self->page = bough_message_share(actor);
 *
 * Thread: any; a buffer may be held on several at once.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_BUFFER_H
#define BOUGH_CORE_BUFFER_H

#include <bough/core/actor.h>

struct bough_buffer;

/* A copy of the bytes, with one reference. NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_buffer *bough_buffer_new(const void *bytes,
                                                                 size_t size);

/* What a block holds: without a copy when that lies on the heap. Finishes the block. NULL
 * when memory is out or the block has failed, and it is then as it was. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_buffer *
bough_buffer_take(struct bough_block *block);

/* One more reference. */
BOUGH_PUBLIC struct bough_buffer *bough_buffer_share(struct bough_buffer *buffer);

/* One reference less; the last one frees it. NULL is fine. */
BOUGH_PUBLIC void bough_buffer_drop(struct bough_buffer *buffer);

/* Aligned as memory from malloc is. */
BOUGH_PUBLIC const void *bough_buffer_bytes(const struct bough_buffer *buffer);
BOUGH_PUBLIC size_t bough_buffer_size(const struct bough_buffer *buffer);

/* bough_send() of what the buffer holds; the reference stays the caller's. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_buffer(struct bough_address address, struct bough_buffer *buffer);

/* In run(): the message, to be kept beyond its end. Copied when it is small. The caller
 * drops it. NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_buffer *
bough_message_share(struct bough_actor *actor);

/* The same in done(), of the answer. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_buffer *
bough_call_share(const struct bough_call *call);

#endif
