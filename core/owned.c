/* owned.c - what belongs to a life: its calls, watches, timers, sources, open questions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/assert.h>
#include <bough/core/slot_internal.h>

void bough_owned_add(struct bough_actor *actor, struct bough_owned *owned,
                     void (*release)(struct bough_owned *owned))
{
    bough_assert(owned->link == NULL);
    owned->release = release;
    owned->next = actor->owned;
    owned->link = &actor->owned;
    if (owned->next != NULL) owned->next->link = &owned->next;
    actor->owned = owned;
}

void bough_owned_remove(struct bough_owned *owned)
{
    if (owned->link == NULL) return;
    *owned->link = owned->next;
    if (owned->next != NULL) owned->next->link = owned->link;
    owned->next = NULL;
    owned->link = NULL;
}

void bough_owned_release_all(struct bough_actor *actor)
{
    while (actor->owned != NULL) {
        struct bough_owned *owned = actor->owned;
        bough_owned_remove(owned);
        owned->release(owned);
    }
}
