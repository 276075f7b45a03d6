/* alone.c - loops whose libev loop is Bough's own: of threads, and of programs that have
 * none.
 *
 * As long as nothing is in it but what Bough keeps there itself, and nothing is due, such
 * a loop is woken by letters alone. Then it leaves libev out and sleeps in one call of
 * the kernel, where libev's poll takes a timer, a poll and a read: a round trip between
 * two that sleep so is as fast as two bare threads with an eventfd each, and one through
 * libev takes half as long again, most of it the timer.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <bough/core/assert.h>
#include <bough/core/elsewhere.h>
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

bool bough_loop_awaits_letters(const struct bough_loop *loop)
{
    return loop->counts.sources == 0 &&
           !atomic_load_explicit(&loop->lent, memory_order_relaxed) &&
           bough_loop_next_ms(loop) < 0;
}

static bool goes_on(const struct bough_loop *loop)
{
    return loop->held && !loop->broken;
}

static void run_without_libev(struct bough_loop *loop)
{
    bough_loop_run_slice(loop);
    if (loop->apart) bough_apart_check(loop);
    if (loop->closing || !goes_on(loop) || !bough_loop_awaits_letters(loop)) return;
    if (bough_loop_go_to_sleep(loop, BOUGH_WAITS)) bough_loop_sleep(loop);
}

void bough_loop_run_once(struct bough_loop *loop)
{
    if (loop->closing || !bough_loop_awaits_letters(loop)) {
        ev_run(loop->ev, EVRUN_ONCE);
    } else {
        run_without_libev(loop);
    }
}

void bough_loop_run(struct bough_loop *loop)
{
    bough_assert(loop->own && !loop->apart && !loop->entered);
    loop->broken = false;
    while (goes_on(loop))
        bough_loop_run_once(loop);
}

void bough_loop_break(struct bough_loop *loop)
{
    loop->broken = true;
    if (loop->own) ev_break(loop->ev, EVBREAK_ONE);
}

/* The libev loop of one that has slept without it has an old `ev_now`. */
struct ev_loop *bough_loop_ev(struct bough_loop *loop)
{
    if (!atomic_load_explicit(&loop->lent, memory_order_relaxed)) {
        atomic_store_explicit(&loop->lent, true, memory_order_relaxed);
        if (loop->own && bough_loop_is_near(loop)) ev_now_update(loop->ev);
    }
    return loop->ev;
}
