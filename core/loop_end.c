/* loop_end.c - how loops end, one by itself and all of a runtime.
 *
 * First what lives is killed and runs out, here and on the threads below; then whoever
 * still waits for something of the loop is told; then it leaves libev. Its memory stays
 * until the runtime goes, for addresses may name its slots: what is sent to them comes
 * back.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

/* Made once and not for each life: a million of them end at the cost of a visit. */
static const struct bough_exit_reason runtime_ends = {
    .kind = BOUGH_EXIT_KILLED,
    .text = "the runtime ends",
};

static void kill_life(struct bough_actor *slot)
{
    if (bough_slot_lives(slot)) bough_slot_doom(slot, &runtime_ends, 0);
}

void bough_loop_kill_all(struct bough_loop *loop)
{
    bough_assert(!loop->entered);
    loop->closing = true;
    bough_slots_visit(loop, kill_life);
}

/* Nobody comes to read it. Those who asked from another loop are told while it is there.
 */
static void give_up_mail(struct bough_actor *slot)
{
    if (!bough_slot_is_used(slot)) return;
    slot->gate.phase = BOUGH_PLACE_STOPPED;
    bough_mail_flush(slot, true, BOUGH_EGONE);
}

static bool run(struct bough_loop *loop)
{
    bool ran = false;

    while (bough_loop_run_ready(loop, SIZE_MAX) > 0)
        ran = true;
    return ran;
}

/* Whoever is told may ask another loop, and is then told of that, too. */
void bough_loop_give_up(struct bough_loop *loop)
{
    run(loop);
    bough_slots_visit(loop, give_up_mail);
    do {
        bough_calls_close(loop);
        bough_watches_close(loop);
        run(loop);
    } while (loop->counts.calls > 0 || loop->counts.watches > 0);
    bough_assert(loop->counts.lives == 0);
}

/* Running out */

bool bough_loop_is_a_threads(const struct bough_loop *loop)
{
    return loop->apart && !loop->runtime->options.clock->is_virtual;
}

/* Loops of threads run by themselves. When one loop ends, something below what lives on
 * it may live on another loop of this thread, which is then run as well. */
static bool is_ours(const struct bough_loop *loop, const struct bough_loop *only)
{
    if (bough_loop_is_a_threads(loop)) return false;
    if (only == NULL || loop == only) return !loop->ended;
    /* Of another thread's loop nothing more is looked at. */
    return (loop->apart || bough_loop_is_near(loop)) && !loop->ended && !loop->entered;
}

/* Threads that still run may add loops meanwhile. NULL: the first, and after the last. */
struct bough_loop *bough_loop_after(struct bough_runtime *runtime,
                                    const struct bough_loop *loop)
{
    bough_runtime_lock(runtime);
    struct bough_loop *next = loop != NULL ? loop->next : runtime->loops;
    bough_runtime_unlock(runtime);
    return next;
}

static struct bough_loop *next_of_ours(struct bough_runtime *runtime,
                                       const struct bough_loop *after,
                                       const struct bough_loop *only)
{
    struct bough_loop *loop = bough_loop_after(runtime, after);

    while (loop != NULL && !is_ours(loop, only))
        loop = bough_loop_after(runtime, loop);
    return loop;
}

/* Until a letter comes for one of them: the end of a life on a thread of its own. A loop
 * that another thread has still is not waited for. */
static void wait_for_letter(struct bough_runtime *runtime, const struct bough_loop *only)
{
    enum { MANY = 64 };
    struct pollfd polled[MANY];
    struct bough_loop *loop = NULL;
    nfds_t count = 0;
    bool waiting = true;

    /* On a virtual clock everybody is ours: nobody could write. */
    bough_assert(!runtime->options.clock->is_virtual);
    while (count < MANY && (loop = next_of_ours(runtime, loop, only)) != NULL) {
        polled[count++] = (struct pollfd){ .fd = loop->wake_fd, .events = POLLIN };
        if (!bough_loop_go_to_sleep(loop, BOUGH_POLLS)) waiting = false;
    }
    while (poll(polled, count, waiting ? -1 : 0) < 0 && errno == EINTR)
        continue;
    for (nfds_t i = 0; i < count; i++) {
        uint64_t wakes;

        if ((polled[i].revents & POLLIN) == 0) continue;
        if (read(polled[i].fd, &wakes, sizeof(wakes)) < 0) continue; /* forgotten later */
    }
}

/* True: something lives. Loops that do not end may be busy for ever: they get a turn. */
static bool run_once(struct bough_runtime *runtime, const struct bough_loop *only,
                     bool *ran)
{
    enum { TURN = 1024 };
    struct bough_loop *loop = NULL;
    bool lives = false;

    *ran = false;
    while ((loop = next_of_ours(runtime, loop, only)) != NULL) {
        const bool ends = only == NULL || loop == only;

        if (ends ? run(loop) : bough_loop_run_ready(loop, TURN) > 0) *ran = true;
        if (ends && loop->counts.lives > 0) lives = true;
    }
    return lives;
}

void bough_loops_run_out(struct bough_runtime *runtime, struct bough_loop *only)
{
    bool ran;

    while (run_once(runtime, only, &ran)) {
        if (!ran) wait_for_letter(runtime, only);
    }
}

/* Memory */

static void vacate(struct bough_actor *slot)
{
    if (bough_slot_is_used(slot)) bough_slot_vacate(slot, 0);
}

/* Of a runtime that ends: nothing lives anywhere. */
void bough_loop_destroy(struct bough_loop *loop)
{
    bough_slots_visit(loop, vacate);
    bough_loop_leave_ev(loop);
    bough_assert(bough_pool_popped(&loop->pool) == 0);
    bough_slabs_free(loop);
    bough_pool_finish(&loop->pool);
    bough_meter_finish(&loop->meter);
    bough_tickets_finish(&loop->calls);
    bough_tickets_finish(&loop->watches);
    bough_parcels_finish(loop);
    free(loop->abroad);
    if (loop->own) ev_loop_destroy(loop->ev);
    free(loop);
}

void bough_loop_free(struct bough_loop *loop)
{
    if (loop == NULL) return;
    bough_loop_kill_all(loop);
    bough_loops_run_out(loop->runtime, loop);
    bough_loop_give_up(loop);
    bough_slots_visit(loop, vacate);
    bough_loop_leave_ev(loop);
}
