/* cell.c - cells whose bytes are too many for the pool: they hold a buffer.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/assert.h>
#include <bough/core/buffer.h>
#include <bough/core/buffer_internal.h>
#include <bough/core/observe_internal.h>

struct bough_buffer *bough_cell_buffer(const struct bough_cell *cell)
{
    struct bough_buffer *buffer;

    if (!bough_is_large(cell->size)) return NULL;
    memcpy(&buffer, cell->bytes, sizeof(buffer));
    return buffer;
}

const void *bough_cell_large_bytes(const struct bough_cell *cell)
{
    return bough_cell_buffer(cell)->bytes;
}

struct bough_cell *bough_cell_hold(struct bough_loop *loop, struct bough_buffer *buffer)
{
    struct bough_cell *cell =
        bough_cell_new(loop, &buffer, sizeof(struct bough_buffer *));

    bough_assert(bough_is_large(buffer->size));
    if (cell == NULL) return NULL;
    cell->size = (uint32_t)buffer->size;
    return cell;
}

struct bough_cell *bough_cell_take_slowly(struct bough_loop *loop, size_t size)
{
    return bough_cell_behind(bough_pool_refill(&loop->pool, bough_cell_class(size)));
}

struct bough_cell *bough_note_take_slowly(struct bough_loop *loop)
{
    return bough_pool_refill(&loop->pool, 0);
}

struct bough_cell *bough_cell_new_large(struct bough_loop *loop, const void *bytes,
                                        size_t size)
{
    struct bough_buffer *buffer = bough_buffer_new(bytes, size);
    struct bough_cell *cell = buffer != NULL ? bough_cell_hold(loop, buffer) : NULL;

    if (cell == NULL) bough_buffer_drop(buffer);
    return cell;
}

void bough_cell_free_large(struct bough_loop *loop, struct bough_cell *cell)
{
    bough_buffer_drop(bough_cell_buffer(cell));
    cell->size = sizeof(struct bough_buffer *);
    bough_cell_free(loop, cell);
}

struct bough_buffer *bough_take_large(struct bough_block *block)
{
    return bough_is_large(block->size) ? bough_buffer_take(block) : NULL;
}

/* A message or an answer, to be kept */

static struct bough_buffer *share_cell(const struct bough_cell *cell)
{
    struct bough_buffer *buffer = bough_cell_buffer(cell);

    return buffer != NULL ? bough_buffer_share(buffer)
                          : bough_buffer_new(cell->bytes, cell->size);
}

struct bough_buffer *bough_message_share(struct bough_actor *actor)
{
    bough_assert(actor->loop->running == actor);
    const struct bough_loop *loop = actor->loop;

    bough_assert(loop->message != NULL);
    return bough_message_is_lent(loop)
               ? bough_buffer_new(loop->abroad->lent_bytes, loop->message->size)
               : share_cell(loop->message);
}

struct bough_buffer *bough_call_share(const struct bough_call *call)
{
    const struct bough_cell *answer = call->answer;

    return answer != NULL ? share_cell(answer)
                          : bough_buffer_new(call->reply, call->reply_size);
}
