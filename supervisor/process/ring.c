/* ring.c - frames in rings of shared memory.
 *
 * A writer publishes `written` after the bytes (release), a reader looks at it before
 * them (acquire).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/ring_internal.h>

#include <stdlib.h>
#include <string.h>

/* Writing */

/* What the other side says it has read; it can only do itself harm with it. */
static bool look_for_room(struct bough_border *border, size_t needed)
{
    const uint64_t read =
        atomic_load_explicit(&border->theirs->read, memory_order_acquire);

    if (read >= border->their_read && read <= border->written) border->their_read = read;
    return bough_ring_room_left(border) >= needed;
}

static bool has_room(struct bough_border *border, size_t needed)
{
    if (bough_ring_room_left(border) >= needed || look_for_room(border, needed))
        return true;
    /* Says so, and looks once more: else both could wait. */
    atomic_store(&border->mine->blocked, 1);
    return look_for_room(border, needed);
}

void bough_ring_pad(struct bough_border *border, size_t left)
{
    const struct bough_frame frame = { .kind = BOUGH_FRAME_PAD };

    memcpy(border->mine->ring + border->written % BOUGH_RING_SIZE, &frame, sizeof(frame));
    border->written += left;
}

/* Where a frame of that size is to be put; NULL: there is no room. Frames do not go round
 * the end of the ring: the rest of it is left out. */
struct bough_frame *bough_ring_make_room(struct bough_border *border, size_t size,
                                         bool must)
{
    const size_t left = BOUGH_RING_SIZE - (size_t)(border->written % BOUGH_RING_SIZE);
    const size_t skip = left < size ? left : 0;

    if (!has_room(border, skip + size + (must ? 0 : BOUGH_RING_RESERVE))) return NULL;
    return (void *)(border->mine->ring + (border->written + skip) % BOUGH_RING_SIZE);
}

/* Whoever asked hears something in any case. */
static bool is_answer(const struct bough_frame *frame)
{
    return frame->kind == BOUGH_FRAME_REPLY || frame->kind == BOUGH_FRAME_ANSWER;
}

static enum bough_status write_large(struct bough_border *border,
                                     struct bough_frame *frame, const void *bytes,
                                     size_t len, bool lossy)
{
    const enum bough_status status = bough_large_send(border, bytes, len);

    if (status == BOUGH_ENOMEM && lossy) {
        frame->flags |= BOUGH_FRAME_LOST;
        return BOUGH_OK;
    }
    frame->flags |= BOUGH_FRAME_LARGE;
    frame->len = (uint32_t)len;
    return status;
}

/* `lossy`: when there is no descriptor for its bytes it goes without them. */
static enum bough_status write_frame(struct bough_border *border,
                                     struct bough_frame *frame, const void *bytes,
                                     size_t len, bool must, bool lossy)
{
    const bool large = len > BOUGH_FRAME_MAX;

    frame->len = large ? 0 : (uint32_t)len;
    struct bough_frame *there =
        bough_ring_make_room(border, bough_frame_span(frame), must);
    if (there == NULL) return BOUGH_EFULL;
    const enum bough_status status =
        large ? write_large(border, frame, bytes, len, lossy) : BOUGH_OK;
    if (status == BOUGH_OK) bough_ring_put(border, there, *frame, bytes);
    return status;
}

enum bough_status bough_border_write(struct bough_border *border,
                                     struct bough_frame *frame, const void *bytes,
                                     size_t len, bool must)
{
    return write_frame(border, frame, bytes, len, must, is_answer(frame));
}

/* Once for many frames: each time the other processor must fetch the line again. */
void bough_border_show(struct bough_border *border)
{
    if (border->written == border->shown) return;
    border->shown = border->written;
    atomic_store_explicit(&border->mine->hurry, border->hurry, memory_order_relaxed);
    atomic_store_explicit(&border->mine->written, border->written, memory_order_release);
}

/* Keeping */

struct bough_frame_kept {
    struct bough_frame_kept *next;
    struct bough_frame frame;
    size_t len;
    _Alignas(16) char bytes[];
};

static enum bough_status keep(struct bough_border *border,
                              const struct bough_frame *frame, const void *bytes,
                              size_t len)
{
    struct bough_frame_kept *kept = malloc(sizeof(*kept) + len);

    if (kept == NULL) return BOUGH_ENOMEM;
    kept->next = NULL;
    kept->frame = *frame;
    kept->len = len;
    bough_copy_bytes(kept->bytes, bytes, len);
    if (border->kept == NULL) border->kept_tail = &border->kept;
    *border->kept_tail = kept;
    border->kept_tail = &kept->next;
    border->kept_count++;
    return BOUGH_OK;
}

static void drop_first(struct bough_border *border)
{
    struct bough_frame_kept *first = border->kept;

    border->kept = first->next;
    border->kept_count--;
    free(first);
}

void bough_border_drop_kept(struct bough_border *border)
{
    while (border->kept != NULL)
        drop_first(border);
}

enum bough_status bough_border_post(struct bough_border *border,
                                    struct bough_frame *frame, const void *bytes,
                                    size_t len, size_t most)
{
    const enum bough_status status =
        border->kept == NULL ? bough_border_write(border, frame, bytes, len, false)
                             : BOUGH_EFULL;

    if (status == BOUGH_OK || status == BOUGH_ENOMEM) return status;
    return border->kept_count < most ? keep(border, frame, bytes, len) : BOUGH_EFULL;
}

/* Who posted one is not there to be told that there is no descriptor for it; and those
 * behind it are not to wait for one. */
bool bough_border_flush(struct bough_border *border)
{
    while (border->kept != NULL) {
        struct bough_frame_kept *first = border->kept;

        if (write_frame(border, &first->frame, first->bytes, first->len, false, true) !=
            BOUGH_OK)
            break;
        drop_first(border);
    }
    bough_border_poke(border);
    return border->kept == NULL;
}

/* Reading */

/* What was there when it was last looked at comes first, without another look. */
static size_t waiting(struct bough_border *border)
{
    if (border->their_written == border->read)
        border->their_written =
            atomic_load_explicit(&border->theirs->written, memory_order_acquire);
    return (size_t)(border->their_written - border->read);
}

/* Where the next frame lies, after what was left out; NULL: nonsense. */
static const char *next_frame(struct bough_border *border, size_t *there,
                              struct bough_frame *frame)
{
    for (;;) {
        const size_t left = BOUGH_RING_SIZE - (size_t)(border->read % BOUGH_RING_SIZE);
        const char *at = border->theirs->ring + border->read % BOUGH_RING_SIZE;

        if (*there < sizeof(*frame) || *there % sizeof(*frame) != 0) return NULL;
        memcpy(frame, at, sizeof(*frame));
        if (frame->kind != BOUGH_FRAME_PAD) return at;
        if (left >= *there) return NULL;
        border->read += left;
        *there -= left;
    }
}

/* For want of a descriptor here, too, it comes without its bytes. */
static enum bough_status read_large(struct bough_border *border,
                                    struct bough_frame *frame, const void **bytes,
                                    size_t *len)
{
    const enum bough_status status = bough_large_receive(border, frame->len, bytes);

    if (status != BOUGH_ENOMEM) return status;
    frame->flags |= BOUGH_FRAME_LOST;
    *bytes = "";
    *len = 0;
    return BOUGH_OK;
}

static void step_over(struct bough_border *border, size_t size)
{
    border->read += size;
    atomic_store_explicit(&border->mine->read, border->read, memory_order_release);
}

static __attribute__((noinline)) enum bough_status
read_slowly(struct bough_border *border, struct bough_frame *frame, const void **bytes,
            size_t *len)
{
    size_t there = waiting(border);

    if (border->large != NULL) free(border->large);
    border->large = NULL;
    if (there == 0) return BOUGH_ENOREPLY;
    if (there > BOUGH_RING_SIZE) return BOUGH_EINVALID;

    const char *at = next_frame(border, &there, frame);
    if (at == NULL) return BOUGH_EINVALID;
    const size_t left = BOUGH_RING_SIZE - (size_t)(border->read % BOUGH_RING_SIZE);
    const size_t span = bough_frame_span(frame);
    const bool large = (frame->flags & BOUGH_FRAME_LARGE) != 0;
    if (frame->kind >= BOUGH_FRAME_KIND_COUNT || span > there || span > left ||
        span > sizeof(*frame) + BOUGH_FRAME_MAX)
        return BOUGH_EINVALID;

    *bytes = at + sizeof(*frame);
    *len = frame->len;
    if (border->scratch != NULL) {
        memcpy(border->scratch, *bytes, span - sizeof(*frame));
        *bytes = border->scratch;
        step_over(border, span);
    } else {
        /* In place: it is the reader's until the next call publishes that it was read. */
        atomic_store_explicit(&border->mine->read, border->read, memory_order_release);
        border->read += span;
    }
    return large ? read_large(border, frame, bytes, len) : BOUGH_OK;
}

/* Hot, where the other side is believed: most frames are messages in the ring, of which
 * it is known that they are there. */
enum bough_status bough_border_read(struct bough_border *border,
                                    struct bough_frame *frame, const void **bytes,
                                    size_t *len)
{
    const uint64_t read = border->read;
    const char *at = border->theirs->ring + read % BOUGH_RING_SIZE;

    if (border->scratch != NULL || border->large != NULL || read == border->their_written)
        return read_slowly(border, frame, bytes, len);
    memcpy(frame, at, sizeof(*frame));
    if (frame->kind != BOUGH_FRAME_MESSAGE || (frame->flags & BOUGH_FRAME_LARGE) != 0)
        return read_slowly(border, frame, bytes, len);
    *bytes = at + sizeof(*frame);
    *len = frame->len;
    atomic_store_explicit(&border->mine->read, read, memory_order_release);
    border->read = read + bough_frame_span(frame);
    return BOUGH_OK;
}
