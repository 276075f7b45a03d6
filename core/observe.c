/* observe.c - the other side of elsewhere.c, in the process where messages are run: who
 * stands for an actor outside knows what was sent, and is told what becomes of it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/observe_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/mail_internal.h>

bool bough_observe_runs(struct bough_loop *loop,
                        const struct bough_run_observers *observers)
{
    struct bough_loop_abroad *abroad =
        aligned_alloc(_Alignof(struct bough_loop_abroad), sizeof(*abroad));

    bough_assert(loop->abroad == NULL);
    if (abroad == NULL) return false;
    memset(abroad, 0, sizeof(*abroad));
    abroad->loop.is_abroad = true;
    abroad->home = loop;
    abroad->observers = *observers;
    abroad->lent.life = BOUGH_CELL_MARKED;
    loop->abroad = abroad;
    return true;
}

void bough_observe_place(struct bough_address place, uint32_t number,
                         _Atomic uint64_t progress[2])
{
    struct bough_actor *slot = bough_slot(place);

    bough_assert(slot != NULL && slot->loop->abroad != NULL && slot->annex != NULL);
    slot->annex->observed = number;
    slot->annex->progress = progress;
    slot->gate.detour |= BOUGH_DETOUR_OBSERVED;
}

bool bough_loop_runs_marked(const struct bough_loop *loop)
{
    return loop->message != NULL && loop->message->life == BOUGH_CELL_MARKED;
}

struct bough_loop *bough_answer_abroad(const struct bough_asker *asker,
                                       enum bough_status status, const void *reply,
                                       size_t size)
{
    const struct bough_loop_abroad *abroad =
        bough_container(asker->loop, struct bough_loop_abroad, loop);
    const uint64_t id = (uint64_t)asker->generation << 32 | asker->index;

    if (!bough_loop_is_near(abroad->home)) return abroad->home;
    abroad->observers.answer(abroad->observers.data, id, status, reply, size);
    return NULL;
}

static struct bough_asker asker_of(const struct bough_loop *loop,
                                   const struct bough_marked *marked)
{
    return (struct bough_asker){
        .loop = marked->asked ? &loop->abroad->loop : NULL,
        .index = (uint32_t)marked->id,
        .generation = (uint32_t)(marked->id >> 32),
    };
}

enum bough_status bough_send_marked(struct bough_address address,
                                    const struct bough_marked *marked)
{
    const struct bough_asker asker = asker_of(address.slot->loop, marked);
    struct bough_mail mail = {
        .bytes = marked->message,
        .size = marked->size,
        .asker = marked->asked ? &asker : NULL,
        .high = marked->high,
        .marked = true,
    };

    return bough_mail_push(address, &mail);
}

/* Whether it can run a message now: it is up and open, none waits for it, and nobody is
 * to stop or to end before that. */
static bool may_run(const struct bough_actor *slot)
{
    const union bough_gate plain = { { .phase = BOUGH_PLACE_RUNNING,
                                       .detour = BOUGH_DETOUR_OBSERVED } };
    const union bough_gate whatever = { { .detour = BOUGH_DETOUR_TRADES } };

    return (slot->gate.all & ~whatever.all) == plain.all && slot->length == 0 &&
           slot->loop->urgent.head == NULL;
}

/* Hot, what a message of a stream costs in the process where it is run: it is not copied,
 * and no mailbox or ready list is touched. */
enum bough_status bough_run_marked(struct bough_address address,
                                   const struct bough_marked *marked)
{
    struct bough_actor *slot = address.slot;
    struct bough_loop *loop = slot->loop;
    struct bough_loop_abroad *abroad = loop->abroad;

    if (marked->high || !bough_slot_fits(slot, address) || !may_run(slot))
        return bough_send_marked(address, marked);
    abroad->lent_bytes = marked->message;
    abroad->lent_asker = asker_of(loop, marked);
    abroad->lent.size = (uint32_t)marked->size;
    bough_turn_of_lent(slot, &abroad->lent, marked->message);
    return BOUGH_OK;
}
