/* timer.h - timers and descriptors that belong to an actor.
 *
 * Embed them in the state. Their callbacks run under the same one-at-a-time rule as
 * run(), and they are stopped when the life ends, before finish(). Thread: the actor's
 * loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_TIMER_H
#define BOUGH_CORE_TIMER_H

#include <ev.h>
#include <stdbool.h>

#include <bough/core/actor.h>
#include <bough/core/task.h>

struct bough_timer {
    /* private */
    struct bough_timeout timeout;
    struct bough_actor *actor;
    struct bough_owned owned;
    void (*callback)(struct bough_actor *actor, struct bough_timer *timer);
    int64_t repeat_ms;
};

/* Runs `callback` after `delay_ms`, then every `repeat_ms` (0: once). A running timer is
 * started anew. Intervals keep their phase; what was missed is not made up for. */
BOUGH_PUBLIC void bough_timer_start(struct bough_actor *actor, struct bough_timer *timer,
                                    int64_t delay_ms, int64_t repeat_ms,
                                    void (*callback)(struct bough_actor *actor,
                                                     struct bough_timer *timer));

/* Fine on a timer that does not run, or was never started (zeroed). */
BOUGH_PUBLIC void bough_timer_stop(struct bough_timer *timer);
BOUGH_PUBLIC bool bough_timer_is_running(const struct bough_timer *timer);

struct bough_source {
    /* private */
    struct ev_io io;
    struct bough_actor *actor;
    struct bough_loop *loop;
    struct bough_owned owned;
    void (*callback)(struct bough_actor *actor, struct bough_source *source, int events);
};

/* Runs `callback` whenever `fd` is ready for `events` (EV_READ, EV_WRITE). The descriptor
 * stays the caller's: stop the source first, then close it; finish() may close at once,
 * since sources are stopped by then. A started source is started anew. */
BOUGH_PUBLIC void bough_source_start(
    struct bough_actor *actor, struct bough_source *source, int fd, int events,
    void (*callback)(struct bough_actor *actor, struct bough_source *source, int events));
BOUGH_PUBLIC void bough_source_stop(struct bough_source *source);
BOUGH_PUBLIC bool bough_source_is_running(const struct bough_source *source);

#endif
