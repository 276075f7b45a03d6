/* owned.c - what belongs to a life: its calls, watches, timers, sources, open questions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/slot_internal.h>

void bough_owned_release(struct bough_actor *actor)
{
    while (actor->owned != NULL) {
        struct bough_owned *owned = actor->owned;
        bough_owned_remove(owned);
        owned->release(owned);
    }
}
