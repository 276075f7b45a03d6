/* glance.c - what a loop does at this moment, looked at from another thread.
 *
 * A drain names who runs (`running`), and which message (`message`). Within a turn no two
 * messages have the same cell, for all of them were there when it began; between two
 * turns `look_in` differs, until the clock is looked at (`looked_ns`). A timer, a
 * descriptor and init count a beat. So all of them together are another thing with each
 * handler; where no drain is under way, the beat alone is.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/glance.h>

#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>
#include <bough/core/slot_internal.h>

/* These belong to another thread, which goes on meanwhile. Each is a word that is read as
 * it was at some moment, and one that is mixed with another's only makes a glance differ
 * from the next: so the thread sanitizer is not asked. Slots and loops stay as long as
 * the runtime. */
__attribute__((no_sanitize("thread"))) static void look(const struct bough_actor *slot,
                                                        struct bough_glance *glance)
{
    const struct bough_loop *loop = slot->loop;
    const struct bough_actor *running =
        *(struct bough_actor *const volatile *)&loop->running;

    *glance = (struct bough_glance){
        .runs = running == slot,
        .life = bough_peek(&slot->life),
        .owner = atomic_load_explicit(&loop->owner, memory_order_relaxed),
        .threaded = loop->threaded,
        .thread = loop->thread,
        .message = *(struct bough_cell *const volatile *)&loop->message,
        .looked_ns = *(const volatile int64_t *)&loop->looked_ns,
        .beat = atomic_load_explicit(loop->beat, memory_order_relaxed),
        .look_in = *(const volatile uint32_t *)&loop->look_in,
    };
}

bool bough_glance(struct bough_address place, struct bough_glance *glance)
{
    const struct bough_actor *slot = bough_slot_follow(place);

    if (slot == NULL) return false;
    look(slot, glance);
    return true;
}

const void *bough_this_thread(void)
{
    return bough_thread_id();
}

bool bough_glance_same(const struct bough_glance *first,
                       const struct bough_glance *second)
{
    return first->runs && second->runs && first->life == second->life &&
           first->message == second->message && first->looked_ns == second->looked_ns &&
           first->beat == second->beat && first->look_in == second->look_in;
}

int64_t bough_runtime_now_ms(const struct bough_runtime *runtime)
{
    const struct bough_clock *clock = runtime->options.clock;

    return clock->monotonic_ns(clock) / 1000000;
}

bool bough_runtime_is_virtual(const struct bough_runtime *runtime)
{
    return runtime->options.clock->is_virtual;
}

void bough_show_stuck(struct bough_address place, bool stuck)
{
    struct bough_runtime *runtime = place.slot->loop->runtime;

    bough_runtime_lock(runtime);
    const struct bough_actor *slot = bough_slot_follow(place);
    struct bough_name *name = slot != NULL ? bough_slot_name(slot) : NULL;
    if (name != NULL) atomic_store_explicit(&name->stuck, stuck, memory_order_relaxed);
    bough_runtime_unlock(runtime);
}
