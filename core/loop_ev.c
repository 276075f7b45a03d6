/* loop_ev.c - a loop's place in libev: prepare, poll, wake.
 *
 * Before each poll the ready list is drained, up to a budget. When work is left, an idle
 * watcher keeps the poll from sleeping, so that descriptors and timers are seen in
 * between and are never starved. One ev_timer stands for the next of all our deadlines,
 * one ev_io for letters that come while we sleep.
 *
 * Our watchers do not count for ev_run(); one reference does, taken while an actor lives
 * or something waits, so that an embedder's ev_run() ends when nothing is left to do.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/elsewhere.h>
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

enum {
    BUDGET = 16384,    /* tasks and messages in one iteration */
    SLICE_NS = 500000, /* then descriptors have their turn: their bar is 1 ms */
};

void bough_loop_set_idle(struct bough_loop *loop, bool active)
{
    if (active == (bool)ev_is_active(&loop->idle)) return;
    if (active) {
        ev_idle_start(loop->ev, &loop->idle);
        ev_unref(loop->ev);
    } else {
        ev_ref(loop->ev);
        ev_idle_stop(loop->ev, &loop->idle);
    }
}

/* Timeouts of ours are dormant for libev; these are the only doors. */
static void start_uncounted_timer(struct bough_loop *loop, int64_t delay_ms)
{
    ev_timer_set(&loop->timer, (double)delay_ms / 1000.0, 0.0);
    ev_timer_start(loop->ev, &loop->timer);
    ev_unref(loop->ev);
}

static void stop_uncounted_timer(struct bough_loop *loop)
{
    if (!ev_is_active(&loop->timer) && !ev_is_pending(&loop->timer)) return;
    ev_ref(loop->ev);
    ev_timer_stop(loop->ev, &loop->timer);
}

/* Time is taken from our clock again when the timer fires, so a timer that libev starts
 * from an old `ev_now` and fires early is only started once more. */
static void arm(struct bough_loop *loop)
{
    stop_uncounted_timer(loop);
    if (loop->runtime->options.clock->is_virtual || bough_loop_is_busy(loop)) return;

    const int64_t delay_ms = bough_loop_next_ms(loop);
    if (delay_ms >= 0) {
        ev_now_update(loop->ev);
        start_uncounted_timer(loop, delay_ms);
    }
}

/* Nothing is ready. False: something came after all, and the poll must not sleep. */
static bool go_to_poll(struct bough_loop *loop)
{
    return bough_inlets_sleep(loop) && (loop->runtime->options.clock->is_virtual ||
                                        bough_loop_go_to_sleep(loop, BOUGH_POLLS));
}

bool bough_loop_run_slice(struct bough_loop *loop)
{
    atomic_store_explicit(&loop->sleep, BOUGH_AWAKE, memory_order_relaxed);
    bough_loop_enter(loop);

    bool ran = bough_loop_expire(loop), came = false;
    const int64_t until_ns = bough_spin_end_sleep(loop) + SLICE_NS;
    for (;;) {
        if (bough_inlets_take(loop)) came = true;
        if (bough_loop_drain(loop, BUDGET, until_ns) > 0) ran = true;
        bough_parcels_send(loop);
        if (bough_loop_is_busy(loop) || !bough_spin_finds(loop, until_ns)) break;
        came = true;
    }
    if (ran) loop->counts.rounds++;
    bough_loop_leave(loop);
    return came;
}

static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    struct bough_loop *loop = prepare->data;

    (void)ev;
    (void)events;
    loop->told = false;
    const bool came = bough_loop_run_slice(loop);
    if (loop->apart) bough_apart_check(loop);
    /* After what has come while it spun, and what was told outside of actors,
     * ev_run(EVRUN_ONCE) returns: its caller may have waited for that. */
    bough_loop_set_idle(loop, bough_loop_is_busy(loop) || came || loop->told ||
                                  !go_to_poll(loop));
    arm(loop);
}

/* The letters themselves are taken before the next poll. */
static void on_wake(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev;
    (void)events;
    bough_loop_forget_wake(io->data);
}

/* Nothing to do: being active is what they are for. */
static void on_idle(struct ev_loop *ev, ev_idle *idle, int events)
{
    (void)ev;
    (void)idle;
    (void)events;
}

/* A one-shot timer stops itself, and gives back a reference that arm() had already given.
 */
static void on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_ref(ev);
}

/* Watchers of ours are dormant for libev: it may leave while they are active. */
static void start_watchers(struct bough_loop *loop)
{
    ev_prepare_init(&loop->prepare, on_prepare);
    ev_set_priority(&loop->prepare, EV_MINPRI);
    ev_idle_init(&loop->idle, on_idle);
    ev_set_priority(&loop->idle, EV_MAXPRI);
    ev_timer_init(&loop->timer, on_timer, 0.0, 0.0);
    ev_io_init(&loop->wake, on_wake, loop->wake_fd, EV_READ);
    ev_set_priority(&loop->wake, EV_MAXPRI);
    loop->prepare.data = loop->wake.data = loop;
    ev_prepare_start(loop->ev, &loop->prepare);
    ev_unref(loop->ev);
    ev_io_start(loop->ev, &loop->wake);
    ev_unref(loop->ev);
}

static void stop_watchers(struct bough_loop *loop)
{
    stop_uncounted_timer(loop);
    bough_loop_set_idle(loop, false);
    ev_ref(loop->ev);
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_ref(loop->ev);
    ev_io_stop(loop->ev, &loop->wake);
}

static struct bough_loop *loop_make(struct bough_runtime *runtime, struct ev_loop *ev,
                                    bool own)
{
    struct bough_loop *loop = aligned_alloc(_Alignof(struct bough_loop), sizeof(*loop));

    if (loop == NULL) return NULL;
    memset(loop, 0, sizeof(*loop));
    loop->runtime = runtime;
    loop->ev = ev;
    loop->own = own;
    loop->beat = &loop->own_beat;
    if (!bough_parcels_init(loop)) {
        free(loop);
        return NULL;
    }
    loop->owner = bough_thread_id();
    loop->urgent.tail = &loop->urgent.head;
    loop->ready.tail = &loop->ready.head;
    loop->now_ms = bough_loop_now_ms(loop);
    loop->letters_timeout.expired = bough_mail_report;
    bough_pool_init(&loop->pool);
    bough_meter_init(&loop->meter);
    bough_wheel_init(&loop->wheel, loop->now_ms);
    start_watchers(loop);

    bough_runtime_lock(runtime);
    loop->next = runtime->loops;
    runtime->loops = loop;
    bough_runtime_unlock(runtime);
    return loop;
}

struct bough_loop *bough_loop_new(struct bough_runtime *runtime, struct ev_loop *ev)
{
    if (ev != NULL) return loop_make(runtime, ev, false);

    ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOSIGMASK);
    struct bough_loop *loop = ev != NULL ? loop_make(runtime, ev, true) : NULL;
    if (loop == NULL && ev != NULL) ev_loop_destroy(ev);
    return loop;
}

void bough_loop_leave_ev(struct bough_loop *loop)
{
    if (loop->ended) return;
    loop->closing = true;
    bough_wheel_remove(&loop->wheel, &loop->letters_timeout);
    stop_watchers(loop);
    bough_loop_set_held(loop);
    bough_parcels_close(loop);
    loop->ended = true;
}
