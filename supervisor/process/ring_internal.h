/* ring_internal.h - writing a frame into a ring: what is hot about it is here, so that a
 * message costs no calls between files.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_RING_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_RING_INTERNAL_H

#include <bough/core/field.h>
#include <bough/supervisor/process/border_internal.h>

/* Where a frame of that size is to be put; NULL: there is no room. Frames do not go round
 * the end of the ring: the rest of it is left out. */
struct bough_frame *bough_ring_make_room(struct bough_border *border, size_t size,
                                         bool must);

/* Leaves out so much, up to the end of the ring. */
void bough_ring_pad(struct bough_border *border, size_t left);

static inline size_t bough_ring_room_left(const struct bough_border *border)
{
    return BOUGH_RING_SIZE - (size_t)(border->written - border->their_read);
}

static inline bool bough_frame_hurries(struct bough_frame frame)
{
    return (frame.flags & BOUGH_FRAME_HIGH) != 0 || frame.kind == BOUGH_FRAME_STOP ||
           frame.kind == BOUGH_FRAME_END;
}

/* The frame comes in two registers: a copy in memory, loaded just after its members were
 * stored one by one, would wait for these to be in the cache, longer than all the rest
 * takes. */
static inline void bough_ring_put(struct bough_border *border, struct bough_frame *there,
                                  struct bough_frame frame, const void *bytes)
{
    const size_t at = border->written % BOUGH_RING_SIZE;

    /* Only now: what is left out with nothing behind it is nonsense to who reads. */
    if ((const char *)there != border->mine->ring + at)
        bough_ring_pad(border, BOUGH_RING_SIZE - at);
    *there = frame;
    if ((frame.flags & BOUGH_FRAME_LARGE) == 0)
        bough_copy_bytes(there + 1, bytes, frame.len);
    border->written += bough_frame_span(&frame);
    if (bough_frame_hurries(frame)) border->hurry = border->written;
    if (atomic_load_explicit(&border->mine->blocked, memory_order_relaxed) != 0)
        atomic_store_explicit(&border->mine->blocked, 0, memory_order_relaxed);
}

/* bough_border_write() of a message. */
BOUGH_CHECKED static inline enum bough_status
bough_ring_message(struct bough_border *border, uint64_t id, unsigned flags,
                   const void *bytes, size_t len)
{
    struct bough_frame frame = { .len = (uint32_t)len,
                                 .kind = BOUGH_FRAME_MESSAGE,
                                 .flags = (uint8_t)flags,
                                 .id = id };

    if (len > BOUGH_FRAME_MAX)
        return bough_border_write(border, &frame, bytes, len, false);
    const size_t span = bough_frame_span(&frame), at = border->written % BOUGH_RING_SIZE;
    struct bough_frame *there = (void *)(border->mine->ring + at);

    if (BOUGH_RING_SIZE - at < span ||
        bough_ring_room_left(border) < span + BOUGH_RING_RESERVE)
        there = bough_ring_make_room(border, span, false);
    if (there == NULL) return BOUGH_EFULL;
    bough_ring_put(border, there, frame, bytes);
    return BOUGH_OK;
}

#endif
