/* timer.c - timers in the loop's wheel, descriptors in libev, both owned by an actor.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/timer.h>

#include <bough/core/assert.h>
#include <bough/core/slot_internal.h>

/* Timers */

static void timer_release(struct bough_owned *owned)
{
    struct bough_timer *timer = bough_container(owned, struct bough_timer, owned);

    bough_wheel_remove(&timer->actor->loop->wheel, &timer->timeout);
}

static int64_t later(int64_t now_ms, int64_t delay_ms)
{
    return delay_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + delay_ms;
}

/* An interval keeps its phase; beats that were missed are left out. */
static void repeat(struct bough_loop *loop, struct bough_timer *timer)
{
    const int64_t late = loop->now_ms - timer->timeout.at_ms;
    const int64_t missed = late > 0 ? late / timer->repeat_ms : 0;
    const int64_t next = later(timer->timeout.at_ms, (missed + 1) * timer->repeat_ms);

    bough_wheel_add(&loop->wheel, &timer->timeout, next);
}

static void timer_expired(struct bough_loop *loop, struct bough_timeout *timeout)
{
    struct bough_timer *timer = bough_container(timeout, struct bough_timer, timeout);
    struct bough_actor *actor = timer->actor;

    if (timer->repeat_ms > 0) {
        repeat(loop, timer);
    } else {
        bough_owned_remove(&timer->owned);
    }
    if (actor->gate.doomed) return;
    bough_loop_beats(loop, actor);
    loop->running = actor;
    timer->callback(actor, timer);
    loop->running = NULL;
}

void bough_timer_start(struct bough_actor *actor, struct bough_timer *timer,
                       int64_t delay_ms, int64_t repeat_ms,
                       void (*callback)(struct bough_actor *actor,
                                        struct bough_timer *timer))
{
    struct bough_loop *loop = actor->loop;

    bough_assert(delay_ms >= 0 && repeat_ms >= 0);
    bough_timer_stop(timer);
    timer->timeout = (struct bough_timeout){ .expired = timer_expired };
    timer->actor = actor;
    timer->callback = callback;
    timer->repeat_ms = repeat_ms;
    bough_owned_add(actor, &timer->owned, timer_release);
    bough_wheel_add(&loop->wheel, &timer->timeout,
                    later(bough_loop_time(loop), delay_ms));
}

void bough_timer_stop(struct bough_timer *timer)
{
    if (timer->owned.link == NULL) return;
    bough_owned_remove(&timer->owned);
    timer_release(&timer->owned);
}

bool bough_timer_is_running(const struct bough_timer *timer)
{
    return timer->owned.link != NULL;
}

/* Sources */

static void source_release(struct bough_owned *owned)
{
    struct bough_source *source = bough_container(owned, struct bough_source, owned);

    ev_io_stop(source->loop->ev, &source->io);
    source->loop->counts.sources--;
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    struct bough_source *source = io->data;
    struct bough_actor *actor = source->actor;
    struct bough_loop *loop = source->loop;

    (void)ev;
    if (actor->gate.doomed) return;
    bough_loop_enter(loop);
    bough_loop_beats(loop, actor);
    loop->running = actor;
    source->callback(actor, source, events);
    loop->running = NULL;
    bough_loop_leave(loop);
}

void bough_source_start(struct bough_actor *actor, struct bough_source *source, int fd,
                        int events,
                        void (*callback)(struct bough_actor *actor,
                                         struct bough_source *source, int events))
{
    bough_source_stop(source);
    source->actor = actor;
    source->loop = actor->loop;
    source->callback = callback;
    ev_io_init(&source->io, on_io, fd, events);
    source->io.data = source;
    ev_io_start(actor->loop->ev, &source->io);
    actor->loop->counts.sources++;
    bough_owned_add(actor, &source->owned, source_release);
}

void bough_source_stop(struct bough_source *source)
{
    if (source->owned.link == NULL) return;
    bough_owned_remove(&source->owned);
    source_release(&source->owned);
}

bool bough_source_is_running(const struct bough_source *source)
{
    return source->owned.link != NULL;
}
