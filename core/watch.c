/* watch.c - the shutdown-complete signal: told once, in the system lane.
 *
 * A watch on a life of its own thread is linked to that life. On another loop, something
 * stands in for it there (letter.c), and knows it by a ticket: so a watch that is taken
 * back is never written to, whatever is on its way.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/watch.h>

#include <bough/core/assert.h>
#include <bough/core/kept_reason_internal.h>
#include <bough/core/letter_internal.h>

enum { READY = 1, EXITED = 2 };

static void unlink_watch(struct bough_watch *watch)
{
    if (watch->link == NULL) return;
    *watch->link = watch->next;
    if (watch->next != NULL) watch->next->link = watch->link;
    watch->next = NULL;
    watch->link = NULL;
}

static void end_ticket(struct bough_watch *watch)
{
    bough_ticket_give(&watch->told_on->watches, watch->index);
    watch->index = 0;
    watch->told_on->counts.watches--;
}

static void forget_reason(struct bough_watch *watch)
{
    if (watch->reason == NULL) return;
    bough_reason_drop(watch->told_on, watch->reason);
    watch->reason = NULL;
}

static void take_back(struct bough_watch *watch)
{
    const struct bough_asker id = { watch->told_on, watch->index, watch->generation };

    unlink_watch(watch);
    if (watch->index != 0) {
        bough_post_unwatch(watch->address, &id);
        end_ticket(watch);
    }
    if (watch->task.link != NULL)
        bough_queue_remove(&watch->told_on->urgent, &watch->task);
    watch->pending = 0;
    forget_reason(watch);
}

static void release(struct bough_owned *owned)
{
    take_back(bough_container(owned, struct bough_watch, owned));
}

/* Who runs on another loop than the watch is not this one's to hold up. */
static struct bough_actor *owner_on(const struct bough_loop *loop,
                                    const struct bough_watch *watch)
{
    return watch->owner != NULL && watch->owner->loop == loop ? watch->owner : NULL;
}

static void tell_exited(struct bough_loop *loop, struct bough_watch *watch)
{
    const struct bough_exit_reason *reason = watch->reason;
    const bool keeps = watch->keeps;

    watch->pending = 0;
    bough_owned_remove(&watch->owned);
    if (!keeps) watch->reason = NULL;
    watch->exited(watch, reason);
    if (!keeps) bough_reason_drop(loop, reason);
}

/* What is done in a callback has the event it tells of as its cause. The watch may be
 * gone when the callback returns: whatever else is pending is queued before. */
static void tell(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_watch *watch = bough_container(task, struct bough_watch, task);

    loop->cause = watch->seq;
    loop->running = owner_on(loop, watch);
    if (watch->owner == NULL) loop->told = true;
    if ((watch->pending & READY) != 0) {
        watch->pending &= (unsigned char)~READY;
        if (watch->pending != 0) bough_loop_queue_urgent(loop, &watch->task);
        if (watch->ready != NULL) watch->ready(watch);
    } else {
        tell_exited(loop, watch);
    }
    loop->running = NULL;
    loop->cause = 0;
}

static void pend(struct bough_watch *watch, unsigned char what, uint64_t seq)
{
    watch->pending |= what;
    watch->seq = seq;
    if (watch->task.link == NULL) bough_loop_queue_urgent(watch->told_on, &watch->task);
    bough_loop_hold(watch->told_on);
}

static void prepare(struct bough_watch *watch, struct bough_loop *loop)
{
    bough_assert(watch->exited != NULL);
    bough_assert(watch->link == NULL && watch->task.link == NULL && watch->index == 0);
    bough_assert(loop != NULL);
    forget_reason(watch);
    watch->told_on = loop;
    watch->task = (struct bough_task){ .run = tell };
    watch->owned = (struct bough_owned){ .next = NULL };
    watch->pending = 0;
    watch->seq = 0;
    if (watch->owner != NULL) bough_owned_add(watch->owner, &watch->owned, release);
}

bool bough_watch_add(struct bough_actor *slot, struct bough_watch *watch)
{
    struct bough_annex *annex = bough_slot_annex(slot);

    if (annex == NULL) return false;
    prepare(watch, slot->loop);
    watch->address = bough_self(slot);
    watch->next = annex->watches;
    watch->link = &annex->watches;
    if (watch->next != NULL) watch->next->link = &watch->next;
    annex->watches = watch;
    return true;
}

static struct bough_watch *watches_of(const struct bough_actor *slot)
{
    return slot->annex != NULL ? slot->annex->watches : NULL;
}

void bough_watches_ready(struct bough_actor *slot, struct bough_watch *knows,
                         uint64_t seq)
{
    for (struct bough_watch *watch = watches_of(slot); watch != NULL;
         watch = watch->next) {
        if (watch != knows) pend(watch, READY, seq);
    }
    if (knows != NULL) knows->seq = seq;
}

/* Nearly every life has one watch, and nothing else is urgent when it ends. */
static bool is_next(const struct bough_actor *slot, const struct bough_watch *watch)
{
    return watch->pending == 0 && slot->loop->urgent.head == NULL &&
           slot->annex->watches == NULL;
}

struct bough_watch *bough_watches_exited(struct bough_actor *slot,
                                         const struct bough_exit_reason *reason,
                                         uint64_t seq)
{
    struct bough_watch *watch;

    while ((watch = watches_of(slot)) != NULL) {
        unlink_watch(watch);
        watch->reason = bough_reason_hold(reason);
        if (is_next(slot, watch)) {
            watch->pending = EXITED;
            watch->seq = seq;
            return watch;
        }
        pend(watch, EXITED, seq);
    }
    return NULL;
}

void bough_watches_pend(struct bough_actor *slot, const struct bough_exit_reason *reason)
{
    struct bough_watch *watch;

    while ((watch = watches_of(slot)) != NULL) {
        unlink_watch(watch);
        watch->reason = bough_reason_hold(reason);
        pend(watch, EXITED, 0);
    }
}

void bough_watch_tell(struct bough_watch *watch)
{
    tell(watch->told_on, &watch->task);
}

/* Lives on other loops */

void bough_watch_told_ready(struct bough_loop *loop, const struct bough_asker *watch,
                            struct bough_address life, uint64_t seq)
{
    struct bough_watch *told =
        bough_ticket_find(&loop->watches, watch->index, watch->generation);

    if (told == NULL) return;
    told->address = life;
    pend(told, READY, seq);
}

void bough_watch_told_exited(struct bough_loop *loop, const struct bough_asker *watch,
                             struct bough_address life,
                             const struct bough_exit_reason *reason, uint64_t seq)
{
    struct bough_watch *told =
        bough_ticket_find(&loop->watches, watch->index, watch->generation);

    if (told == NULL) return;
    end_ticket(told);
    told->address = life;
    told->reason = bough_reason_keep(loop, reason);
    pend(told, EXITED, seq);
}

static const struct bough_kept_reason runtime_ends = {
    .reason = { .kind = BOUGH_EXIT_LOST, .text = "the runtime ends" },
};

/* The end of the loop: those that nobody will tell any more. */
void bough_watches_close(struct bough_loop *loop)
{
    for (uint32_t i = 1; i < loop->watches.size; i++) {
        struct bough_watch *watch = loop->watches.list[i].holder;

        if (watch == NULL) continue;
        end_ticket(watch);
        watch->reason = &runtime_ends.reason;
        pend(watch, EXITED, 0);
    }
}

/* The id by which a life on another loop is to tell the watch; false when memory is out.
 */
bool bough_watch_enter(struct bough_watch *watch, struct bough_address address,
                       struct bough_asker *id)
{
    struct bough_loop *loop = watch->owner != NULL ? watch->owner->loop : watch->loop;

    if (loop == NULL) loop = bough_loop_for_answers(address.slot->loop);
    prepare(watch, loop);
    watch->address = address;
    watch->index = bough_ticket_take(&loop->watches, watch, &watch->generation);
    if (watch->index == 0) return false;
    loop->counts.watches++;
    bough_loop_hold(loop);
    *id = (struct bough_asker){ loop, watch->index, watch->generation };
    return true;
}

/* As if it had never been begun. */
void bough_watch_leave(struct bough_watch *watch)
{
    if (watch->index != 0) end_ticket(watch);
    bough_owned_remove(&watch->owned);
}

static const struct bough_kept_reason no_memory = {
    .reason = { .kind = BOUGH_EXIT_LOST,
                .status = BOUGH_ENOMEM,
                .text = "there was no memory to watch it" },
};

static const struct bough_kept_reason over_before = {
    .reason = { .kind = BOUGH_EXIT_LOST, .text = "it was over before it was watched" },
};

static void lose(struct bough_watch *watch, const struct bough_kept_reason *why)
{
    watch->reason = &why->reason;
    pend(watch, EXITED, 0);
}

static void watch_far(struct bough_watch *watch, struct bough_address address)
{
    struct bough_asker id;

    if (bough_watch_enter(watch, address, &id) && bough_post_watch(address, &id)) return;
    if (watch->index != 0) end_ticket(watch);
    lose(watch, &no_memory);
}

void bough_watch(struct bough_watch *watch, struct bough_address address)
{
    address = bough_moved(address);
    if (address.slot != NULL && !bough_loop_is_near(address.slot->loop)) {
        watch_far(watch, address);
        return;
    }
    struct bough_actor *slot = bough_slot(address);
    const bool lives = slot != NULL && bough_slot_lives(slot);

    bough_assert(address.slot != NULL || watch->owner != NULL);
    if (lives && bough_watch_add(slot, watch)) {
        if (slot->gate.phase == BOUGH_PLACE_RUNNING) pend(watch, READY, 0);
        if (slot->type->watched != NULL) slot->type->watched(slot);
        return;
    }
    prepare(watch, watch->owner != NULL ? watch->owner->loop : address.slot->loop);
    watch->address = address;
    lose(watch, lives ? &no_memory : &over_before);
}

void bough_watch_cancel(struct bough_watch *watch)
{
    take_back(watch);
    bough_owned_remove(&watch->owned);
}
