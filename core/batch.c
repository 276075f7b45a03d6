/* batch.c - a turn in one call: the actor takes its messages itself.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/assert.h>
#include <bough/core/held_internal.h>
#include <bough/core/mail_internal.h>

struct bough_batch {
    struct bough_actor *actor;
    uint32_t left, taken; /* of the turn's messages */
};

/* As between two messages of an ordinary turn, before each but the first. */
static bool goes_on(const struct bough_batch *batch)
{
    struct bough_actor *actor = batch->actor;
    struct bough_loop *loop = actor->loop;

    if (batch->left == 0 || !bough_slot_is_open(actor)) return false;
    return batch->taken == 0 || bough_turn_goes_on(loop, batch->taken);
}

/* Whether there is another one, which is then counted. */
static bool goes_on_with_one(struct bough_batch *batch)
{
    if (!goes_on(batch)) {
        batch->left = 0;
        return false;
    }
    batch->left--;
    batch->taken++;
    return true;
}

const void *bough_batch_next(struct bough_batch *batch, size_t *size)
{
    struct bough_actor *actor = batch->actor;
    struct bough_cell *cell = NULL;

    bough_assert(actor->loop->running == actor);
    while (cell == NULL) {
        bough_turn_done(actor);
        if (!goes_on_with_one(batch)) return NULL;
        cell = bough_turn_next(actor);
    }
    *size = cell->size;
    return bough_cell_bytes(cell);
}

/* What is held is not run here, so that there is nothing to be looked at. */
size_t bough_batch_hold(struct bough_batch *batch, struct bough_held_message *messages,
                        size_t most)
{
    struct bough_actor *actor = batch->actor;
    size_t count = 0;

    bough_assert(actor->type->holds && actor->annex != NULL);
    if (actor->loop->message != NULL) bough_turn_done(actor);
    while (count < most && goes_on_with_one(batch)) {
        const bool high = (actor->gate.detour & BOUGH_DETOUR_HIGH) != 0;
        struct bough_cell *cell = high ? bough_mail_take(actor) : bough_mail_pop(actor);

        __builtin_prefetch(actor->mail);
        messages[count++] = bough_held_view(bough_hold_cell(actor, cell, high));
    }
    bough_hold_count(actor, (uint32_t)count);
    return count;
}

void bough_batch_turn(struct bough_actor *slot, uint32_t count)
{
    struct bough_batch batch = { .actor = slot, .left = count };

    slot->type->run_batch(slot, &batch);
    bough_turn_done(slot);
    /* Else it would be given the same batch for ever. */
    bough_assert(batch.taken > 0 || !bough_slot_is_open(slot));
}
