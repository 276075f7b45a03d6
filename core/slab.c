/* slab.c - slots in slabs that never move.
 *
 * The first one of a loop takes a page: most loops of threads and of processes have a few
 * actors, and to touch memory is what a short life spends its time with. The others are
 * of 32 KiB, so that a million actors do not take a call for memory each; and of 2 MiB
 * when there are many, in huge pages where the system has them, of which slots are made
 * some at a time.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/huge.h>
#include <bough/core/slot_internal.h>

enum { FIRST_SLOTS = 30, MORE_SLOTS = 256, MANY_SLOTS = 16384 };

struct bough_slab {
    struct bough_slab *next;
    size_t count;    /* slots that were made */
    size_t capacity; /* for which there is room */
    size_t before;   /* slots in the slabs before this one */
    _Alignas(64) struct bough_actor slots[];
};

/* An idle actor must cost well under 200 bytes beside its state. */
_Static_assert(sizeof(struct bough_actor) == 128, "a slot is two cache lines");

static struct bough_slab *new_slab(size_t before)
{
    const bool huge = before >= MANY_SLOTS;
    const size_t count = before == 0 ? FIRST_SLOTS : MORE_SLOTS;
    const size_t size =
        huge ? BOUGH_HUGE_PAGE
             : sizeof(struct bough_slab) + count * sizeof(struct bough_actor);
    struct bough_slab *slab =
        huge ? bough_huge_alloc() : aligned_alloc(_Alignof(struct bough_slab), size);

    if (slab == NULL) return NULL;
    slab->count = 0;
    slab->capacity = (size - sizeof(*slab)) / sizeof(struct bough_actor);
    slab->before = before;
    return slab;
}

/* Makes some slots, of which the first comes out first. */
static bool grow(struct bough_loop *loop)
{
    struct bough_slab *slab = loop->slabs;

    if (slab == NULL || slab->count == slab->capacity) {
        slab = new_slab(slab == NULL ? 0 : slab->before + slab->count);
        if (slab == NULL) return false;
        slab->next = loop->slabs;
        loop->slabs = slab;
    }
    const size_t left = slab->capacity - slab->count;
    const size_t count = left < MORE_SLOTS ? left : MORE_SLOTS;
    struct bough_actor *slots = &slab->slots[slab->count];

    memset(slots, 0, count * sizeof(*slots));
    slab->count += count;
    for (size_t i = count; i > 0; i--) {
        struct bough_actor *slot = &slots[i - 1];
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
