/* loop.c - the ready list: what is queued, when it is run, and by what time.
 *
 * A message never costs an iteration of libev (0.3 to 1.2 us each): a prepare watcher of
 * the lowest priority, so the last to run before the poll, drains the queues up to a
 * budget of tasks and of time (loop_ev.c). All deadlines lie in our own wheel.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

enum {
    LOOK_EVERY = 64,  /* steps between two looks at the clock, of 25 ns each ... */
    LOOK_NS = 20000,  /* ... but more often when they take longer than this, */
    LOOK_ALONE = 256, /* ... and less often when they do not and no other loop writes */
    NS_PER_MS = 1000000,
};

_Thread_local struct bough_loop *bough_here;

void bough_queue_remove(struct bough_queue *queue, struct bough_task *task)
{
    if (task->link == NULL) return;

    struct bough_task **link = queue->head == task ? &queue->head : task->link;
    *link = task->next;
    if (task->next != NULL) {
        task->next->link = link;
    } else {
        bough_assert(queue->tail == &task->next);
        queue->tail = link;
    }
    task->next = NULL;
    task->link = NULL;
}

int64_t bough_loop_clock_ns(const struct bough_loop *loop)
{
    const struct bough_clock *clock = loop->runtime->options.clock;

    return clock->monotonic_ns(clock);
}

int64_t bough_loop_time(struct bough_loop *loop)
{
    if (!loop->entered) loop->now_ms = bough_loop_clock_ns(loop) / NS_PER_MS;
    return loop->now_ms;
}

int64_t bough_loop_now_ms(const struct bough_loop *loop)
{
    return loop->entered ? loop->now_ms : bough_loop_clock_ns(loop) / NS_PER_MS;
}

static void set_at_work(struct bough_loop *loop, bool at_work)
{
    loop->at_work = at_work;
    loop->asks_plainly = at_work && !bough_latency_wanted(loop);
}

void bough_loop_enter(struct bough_loop *loop)
{
    bough_assert(!loop->ended);
    loop->now_ms = bough_loop_clock_ns(loop) / NS_PER_MS;
    loop->entered = true;
    set_at_work(loop, loop->held);
    loop->outer = bough_here;
    bough_here = loop;
    atomic_store_explicit(&loop->owner, bough_thread_id(), memory_order_relaxed);
}

/* A thread's own loop waits for letters, whoever lives, until it is told to end. */
static bool is_needed(const struct bough_loop *loop)
{
    if (loop->apart && !loop->closing) return true;
    return loop->counts.lives > 0 || loop->counts.calls > 0 || loop->counts.watches > 0 ||
           bough_loop_is_busy(loop);
}

void bough_loop_set_held(struct bough_loop *loop)
{
    const bool needed = is_needed(loop);

    if (needed == loop->held) return;
    loop->held = needed;
    set_at_work(loop, needed && loop->entered);
    if (needed) {
        ev_ref(loop->ev);
    } else {
        ev_unref(loop->ev);
    }
}

/* What code outside asks for may come after our prepare watcher and before the poll (from
 * the turn of another runtime on the same libev loop, say): the poll must not sleep over
 * it. */
void bough_loop_hold_slowly(struct bough_loop *loop)
{
    bough_loop_set_held(loop);
    if (!loop->entered) bough_loop_set_idle(loop, true);
}

void bough_loop_leave(struct bough_loop *loop)
{
    bough_parcels_send(loop);
    bough_here = loop->outer;
    loop->entered = false;
    set_at_work(loop, false);
    bough_loop_set_held(loop);
}

/* Bounded, for a timer without delay may start itself again: it is due at once. */
bool bough_loop_expire(struct bough_loop *loop)
{
    struct bough_timeout *due;

    bough_wheel_advance(&loop->wheel, loop->now_ms);
    bough_wheel_take_due(&loop->wheel, &due);

    const bool any = due != NULL;
    while (due != NULL) {
        struct bough_timeout *timeout = due;

        bough_wheel_remove(&loop->wheel, timeout);
        timeout->expired(loop, timeout);
    }
    return any;
}

static void next_chunk(struct bough_loop *loop)
{
    const uint32_t every = loop->look_every;

    loop->chunk = loop->budget < every ? (uint32_t)loop->budget : every;
    loop->budget -= loop->chunk;
    loop->look_in = loop->chunk;
    loop->beyond = 0;
}

/* From now on every step looks, and learns that the drain is over: a turn that ends for
 * it has nothing to tell. */
static void end(struct bough_loop *loop)
{
    loop->spent = true;
    loop->chunk = loop->look_in = 1;
    loop->beyond = 0;
}

/* As often as LOOK_NS asks for: when the last steps took longer, after fewer of them. */
static void pace(struct bough_loop *loop, int64_t now_ns)
{
    const int64_t took_ns = now_ns - loop->looked_ns;
    const uint32_t most = loop->has_mail_partner ? LOOK_EVERY : LOOK_ALONE;

    if (took_ns > LOOK_NS) {
        loop->look_every = loop->look_every / 2 > 0 ? loop->look_every / 2 : 1;
    } else if (took_ns < LOOK_NS / 2 && loop->look_every < most) {
        loop->look_every *= 2;
    }
    loop->looked_ns = now_ns;
}

bool bough_loop_look(struct bough_loop *loop)
{
    if (loop->spent) {
        loop->look_in = 1;
        return false;
    }
    const int64_t now_ns = bough_loop_clock_ns(loop);

    pace(loop, now_ns);
    loop->steps += loop->chunk;
    next_chunk(loop);
    if (loop->running != NULL)
        bough_poke(&loop->running->seen_length, loop->running->length);
    if (loop->open != NULL || loop->rooms_open != 0) bough_parcels_send(loop);
    if (loop->chunk == 0 || now_ns >= loop->slice_end_ns) end(loop);
    return !loop->spent && !bough_parcels_wait(loop);
}

void bough_loop_begin_drain(struct bough_loop *loop, size_t budget, int64_t until_ns)
{
    loop->slice_end_ns = until_ns;
    loop->looked_ns = bough_loop_clock_ns(loop);
    loop->look_every = LOOK_EVERY;
    loop->steps = 0;
    loop->budget = budget;
    loop->spent = budget == 0;
    next_chunk(loop);
}

size_t bough_loop_end_drain(const struct bough_loop *loop)
{
    return loop->steps + loop->chunk - loop->look_in - loop->beyond;
}

size_t bough_loop_run_ready(struct bough_loop *loop, size_t budget)
{
    bough_assert(!loop->entered);
    bough_loop_enter(loop);
    bough_loop_expire(loop);
    const bool came = bough_inlets_take(loop);
    const size_t count = bough_loop_drain(loop, budget, INT64_MAX);
    bough_loop_leave(loop);
    return count > 0 ? count : came;
}

int64_t bough_loop_next_ms(const struct bough_loop *loop)
{
    if (bough_loop_is_busy(loop)) return 0;

    /* Looking puts away what was armed last: nothing that anybody sees. */
    struct bough_wheel *wheel = (struct bough_wheel *)(uintptr_t)&loop->wheel;
    const int64_t next = bough_wheel_next(wheel);
    if (next < 0) return -1;
    const int64_t delay = next - bough_loop_now_ms(loop);
    return delay > 0 ? delay : 0;
}

/* Virtual time */

/* All loops of a runtime on a virtual clock are this thread's. True: there is more. */
static bool run_all(struct bough_runtime *runtime)
{
    for (struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next) {
        if (loop->ended) continue;
        while (bough_loop_run_ready(loop, SIZE_MAX) > 0)
            continue;
        ev_run(loop->ev, EVRUN_NOWAIT);
    }
    for (struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next) {
        if (loop->ended) continue;
        if (bough_loop_is_busy(loop) || bough_parcels_wait(loop)) return true;
    }
    return false;
}

/* -1: no loop has a deadline. */
static int64_t next_deadline(struct bough_runtime *runtime)
{
    int64_t first = -1;

    for (struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next) {
        const int64_t next = bough_wheel_next(&loop->wheel);

        if (next >= 0 && (first < 0 || next < first)) first = next;
    }
    return first;
}

void bough_loop_advance(struct bough_loop *loop, struct bough_virtual_clock *clock,
                        int64_t ms)
{
    const int64_t until = clock->monotonic_ns + ms * NS_PER_MS;

    bough_assert(loop->runtime->options.clock == &clock->clock);
    for (;;) {
        while (run_all(loop->runtime))
            continue;

        const int64_t next_ms = next_deadline(loop->runtime);
        if (next_ms < 0 || next_ms > until / NS_PER_MS) break;
        if (next_ms * NS_PER_MS > clock->monotonic_ns) {
            clock->monotonic_ns = next_ms * NS_PER_MS;
        }
    }
    clock->monotonic_ns = until;
}

struct bough_loop_counts bough_loop_count(const struct bough_loop *loop)
{
    struct bough_loop_counts counts = loop->counts;

    counts.cells = bough_pool_popped(&loop->pool);
    counts.timeouts = loop->wheel.count;
    counts.measured = bough_meter_count(&loop->meter);
    return counts;
}

struct bough_loop *bough_loop_for_answers(struct bough_loop *loop)
{
    struct bough_runtime *runtime = loop->runtime;
    struct bough_loop *found = bough_here;

    if (bough_loop_is_near(loop)) return loop;
    if (found != NULL && found->runtime == runtime) return found;
    bough_runtime_lock(runtime);
    found = runtime->loops;
    while (found != NULL && (!bough_loop_is_near(found) || found->ended))
        found = found->next;
    bough_runtime_unlock(runtime);
    return found;
}

struct bough_runtime *bough_loop_runtime(struct bough_loop *loop)
{
    return loop->runtime;
}
