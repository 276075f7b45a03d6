/* watch.c - the shutdown-complete signal: told once, in the system lane.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/watch.h>

#include <bough/core/assert.h>
#include <bough/core/slot_internal.h>

enum { READY = 1, EXITED = 2 };

static void unlink_watch(struct bough_watch *watch)
{
    if (watch->link == NULL) return;
    *watch->link = watch->next;
    if (watch->next != NULL) watch->next->link = watch->link;
    watch->next = NULL;
    watch->link = NULL;
}

static void take_back(struct bough_watch *watch)
{
    unlink_watch(watch);
    if (watch->task.link != NULL) bough_queue_remove(&watch->loop->urgent, &watch->task);
    watch->pending = 0;
}

static void release(struct bough_owned *owned)
{
    take_back(bough_container(owned, struct bough_watch, owned));
}

/* What is done in a callback has the event it tells of as its cause. The watch may be
 * gone when the callback returns: whatever else is pending is queued before. */
static void tell(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_watch *watch = bough_container(task, struct bough_watch, task);

    loop->cause = watch->seq;
    if ((watch->pending & READY) != 0) {
        watch->pending &= (unsigned char)~READY;
        if (watch->pending != 0) bough_queue_push(&loop->urgent, &watch->task);
        if (watch->ready != NULL) watch->ready(watch);
    } else {
        struct bough_exit_reason reason;

        bough_exit_copy(&reason, &watch->reason);
        watch->pending = 0;
        bough_owned_remove(&watch->owned);
        watch->exited(watch, &reason);
    }
    loop->cause = 0;
}

static void pend(struct bough_watch *watch, unsigned char what, uint64_t seq)
{
    watch->pending |= what;
    watch->seq = seq;
    if (watch->task.link == NULL) bough_queue_push(&watch->loop->urgent, &watch->task);
    bough_loop_hold(watch->loop);
}

static void prepare(struct bough_watch *watch, struct bough_loop *loop)
{
    bough_assert(watch->exited != NULL);
    bough_assert(watch->link == NULL && watch->task.link == NULL);
    watch->loop = loop;
    watch->task = (struct bough_task){ .run = tell };
    watch->owned = (struct bough_owned){ .next = NULL };
    watch->pending = 0;
    watch->seq = 0;
    if (watch->owner != NULL) bough_owned_add(watch->owner, &watch->owned, release);
}

void bough_watch_add(struct bough_actor *slot, struct bough_watch *watch)
{
    prepare(watch, slot->loop);
    watch->address = (struct bough_address){ slot, slot->place, slot->life };
    watch->next = slot->watches;
    watch->link = &slot->watches;
    if (watch->next != NULL) watch->next->link = &watch->next;
    slot->watches = watch;
}

void bough_watches_ready(struct bough_actor *slot, uint64_t seq)
{
    for (struct bough_watch *watch = slot->watches; watch != NULL; watch = watch->next) {
        pend(watch, READY, seq);
    }
}

void bough_watches_exited(struct bough_actor *slot,
                          const struct bough_exit_reason *reason, uint64_t seq)
{
    while (slot->watches != NULL) {
        struct bough_watch *watch = slot->watches;

        unlink_watch(watch);
        bough_exit_copy(&watch->reason, reason);
        pend(watch, EXITED, seq);
    }
}

void bough_watch(struct bough_watch *watch, struct bough_address address)
{
    struct bough_actor *slot = bough_slot(address);

    bough_assert(address.slot != NULL || watch->owner != NULL);
    if (slot != NULL && bough_slot_lives(slot)) {
        bough_watch_add(slot, watch);
        if (slot->gate.phase == BOUGH_PLACE_RUNNING) pend(watch, READY, 0);
        return;
    }
    prepare(watch, watch->owner != NULL ? watch->owner->loop : address.slot->loop);
    watch->address = address;
    watch->reason = bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                                    "it was over before it was watched");
    pend(watch, EXITED, 0);
}

void bough_watch_cancel(struct bough_watch *watch)
{
    take_back(watch);
    bough_owned_remove(&watch->owned);
}
