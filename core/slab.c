/* slab.c - slots in slabs that never move.
 *
 * The first one of a loop takes a page: most loops of threads and of processes have a few
 * actors, and to touch memory is what a short life spends its time with. The others are
 * of 32 KiB, so that a million actors do not take a call for memory each.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/slot_internal.h>

enum { FIRST_SLOTS = 30, MORE_SLOTS = 256 };

struct bough_slab {
    struct bough_slab *next;
    size_t count;
    struct bough_actor slots[];
};

/* An idle actor must cost well under 200 bytes beside its state. */
_Static_assert(sizeof(struct bough_actor) == 128, "a slot is two cache lines");

static bool grow(struct bough_loop *loop)
{
    const size_t count = loop->slabs == NULL ? FIRST_SLOTS : MORE_SLOTS;
    const size_t size = sizeof(struct bough_slab) + count * sizeof(struct bough_actor);
    struct bough_slab *slab = aligned_alloc(_Alignof(struct bough_slab), size);

    if (slab == NULL) return false;
    memset(slab, 0, size);
    slab->next = loop->slabs;
    slab->count = count;
    loop->slabs = slab;
    for (size_t i = count; i > 0; i--) {
        struct bough_actor *slot = &slab->slots[i - 1];
        slot->loop = loop;
        bough_poke(&slot->place, 1);
        slot->task.next = (struct bough_task *)loop->free_slots;
        loop->free_slots = slot;
    }
    return true;
}

/* All but whose it is, and what other threads may be counting at this moment. */
static void clear(struct bough_actor *slot)
{
    slot->type = NULL;
    slot->annex = NULL;
    slot->handled = 0;
    bough_poke(&slot->life, 0);
    bough_poke(&slot->capacity, BOUGH_MAILBOX_CAPACITY);
    bough_poke(&slot->seen_length, 0);
    bough_poke(&slot->turned_away, 0);
    slot->gate = (union bough_gate){ .phase = BOUGH_PLACE_RESERVED };
    slot->end_kind = 0;
    slot->begun = slot->discard = slot->fleeting = false;
    slot->urgent = slot->stop_asked = slot->ending = slot->is_sign = false;
    atomic_store_explicit(&slot->when_full, BOUGH_REFUSE, memory_order_relaxed);
    slot->task = (struct bough_task){ .next = NULL };
    slot->state = NULL;
    slot->mail = NULL;
    slot->owned = NULL;
    slot->length = 0;
    slot->awaits = 0;
}

struct bough_actor *bough_slot_new(struct bough_loop *loop)
{
    if (loop->free_slots == NULL && !grow(loop)) return NULL;

    struct bough_actor *slot = loop->free_slots;
    loop->free_slots = (struct bough_actor *)slot->task.next;
    clear(slot);
    slot->mail_tail = &slot->mail;
    loop->counts.places++;
    return slot;
}

void bough_slot_free(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    bough_pool_give(&loop->pool, slot->annex,
                    slot->is_sign ? sizeof(struct bough_sign) : sizeof(*slot->annex));
    slot->annex = NULL;
    bough_poke_next(&slot->place);
    bough_poke(&slot->life, 0);
    slot->mail_tail = NULL;
    slot->task.next = (struct bough_task *)loop->free_slots;
    loop->free_slots = slot;
    loop->counts.places--;
    if (loop->apart && loop->counts.places == 0) bough_apart_vacant(loop);
}

struct bough_annex *bough_slot_new_annex(struct bough_actor *slot)
{
    struct bough_annex *annex = bough_pool_take(&slot->loop->pool, sizeof(*annex));
    if (annex == NULL) return NULL;
    memset(annex, 0, sizeof(*annex));
    slot->annex = annex;
    return annex;
}

void bough_slots_visit(struct bough_loop *loop, void (*visit)(struct bough_actor *slot))
{
    for (struct bough_slab *slab = loop->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 0; i < slab->count; i++)
            visit(&slab->slots[i]);
    }
}

void bough_slabs_free(struct bough_loop *loop)
{
    while (loop->slabs != NULL) {
        struct bough_slab *next = loop->slabs->next;
        free(loop->slabs);
        loop->slabs = next;
    }
    loop->free_slots = NULL;
}
