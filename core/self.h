/* self.h - what an actor's own code asks of it for each message: its state, and itself.
 *
 * These two take no call, for every run() begins with one. So this much of an actor is
 * known to who compiles against it; the rest is not, and may change.
 *
 * Thread: the actor's loop's, as all that takes a `struct bough_actor *`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_SELF_H
#define BOUGH_CORE_SELF_H

#include <bough/core/address.h>

/* private: the beginning of `struct bough_actor`. What others may read of it meanwhile,
 * only its own loop writes, so that it needs nothing special to be read there. */
struct __attribute__((may_alias)) bough_actor_head {
    void *state;
    uint32_t life, place;
};

/* Its state: zeroed when the life begins, its own until finish() has returned. */
static inline void *bough_state(struct bough_actor *actor)
{
    return ((const struct bough_actor_head *)actor)->state;
}

/* This life's address; bough_address_place() of it names the place. */
static inline struct bough_address bough_self(struct bough_actor *actor)
{
    const struct bough_actor_head *head = (const struct bough_actor_head *)actor;

    return (struct bough_address){ actor, head->life, head->place };
}

#endif
