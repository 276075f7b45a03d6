/* loop.c - the ready list, drained inside one iteration of libev.
 *
 * A message never costs an iteration (0.3 to 1.2 us each): a prepare watcher of the
 * lowest priority, so the last to run before the poll, drains the queues up to a budget
 * of tasks and of time. When work is left, an idle watcher keeps the poll from sleeping,
 * so that descriptors and timers are seen in between and are never starved. All deadlines
 * lie in our own wheel; one ev_timer stands for the next of them.
 *
 * Our watchers do not count for ev_run(); one reference does, taken while an actor lives
 * or something waits, so that an embedder's ev_run() ends when nothing is left to do.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/core/runtime_internal.h>
#include <bough/core/slot_internal.h>

enum {
    BUDGET = 16384,    /* tasks and messages in one iteration */
    SLICE_NS = 500000, /* then descriptors have their turn: their bar is 1 ms */
    NS_PER_MS = 1000000,
};

void bough_queue_remove(struct bough_queue *queue, struct bough_task *task)
{
    if (task->link == NULL) return;
    *task->link = task->next;
    if (task->next != NULL) {
        task->next->link = task->link;
    } else {
        bough_assert(queue->tail == &task->next);
        queue->tail = task->link;
    }
    task->next = NULL;
    task->link = NULL;
}

static int64_t clock_ns(const struct bough_loop *loop)
{
    const struct bough_clock *clock = loop->runtime->options.clock;

    return clock->monotonic_ns(clock);
}

int64_t bough_loop_time(struct bough_loop *loop)
{
    if (!loop->entered) loop->now_ms = clock_ns(loop) / NS_PER_MS;
    return loop->now_ms;
}

int64_t bough_loop_now_ms(const struct bough_loop *loop)
{
    return loop->entered ? loop->now_ms : clock_ns(loop) / NS_PER_MS;
}

void bough_loop_enter(struct bough_loop *loop)
{
    loop->now_ms = clock_ns(loop) / NS_PER_MS;
    loop->entered = true;
    loop->at_work = loop->held;
}

static bool is_busy(const struct bough_loop *loop)
{
    return loop->urgent.head != NULL || loop->ready.head != NULL;
}

static void set_idle(struct bough_loop *loop, bool active)
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

static void hold(struct bough_loop *loop)
{
    const bool needed = loop->counts.lives > 0 || loop->counts.calls > 0 || is_busy(loop);

    if (needed == loop->held) return;
    loop->held = needed;
    loop->at_work = needed && loop->entered;
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
    hold(loop);
    if (!loop->entered) set_idle(loop, true);
}

void bough_loop_leave(struct bough_loop *loop)
{
    loop->entered = false;
    loop->at_work = false;
    hold(loop);
}

/* Bounded, for a timer without delay may start itself again: it is due at once. */
static void expire(struct bough_loop *loop)
{
    struct bough_timeout *due;

    bough_wheel_advance(&loop->wheel, loop->now_ms);
    bough_wheel_take_due(&loop->wheel, &due);
    while (due != NULL) {
        struct bough_timeout *timeout = due;

        bough_wheel_remove(&loop->wheel, timeout);
        timeout->expired(loop, timeout);
    }
}

bool bough_loop_look(struct bough_loop *loop)
{
    if (clock_ns(loop) < loop->slice_end_ns) return true;
    loop->steps_end = loop->steps;
    return false;
}

/* Runs until nothing is ready, or the budget or the slice is spent. Hot, for most turns
 * are of one message: a dozen instructions a task, and one call through a pointer. */
static size_t drain(struct bough_loop *loop, size_t budget, int64_t slice_ns)
{
    const size_t first = loop->steps;

    loop->steps_end = budget < SIZE_MAX - first ? first + budget : SIZE_MAX;
    loop->slice_end_ns = slice_ns < INT64_MAX ? clock_ns(loop) + slice_ns : INT64_MAX;
    while (is_busy(loop) && loop->steps < loop->steps_end) {
        struct bough_task *task =
            bough_queue_pop(loop->urgent.head != NULL ? &loop->urgent : &loop->ready);

        task->run(loop, task);
        bough_loop_step(loop);
    }
    return loop->steps - first;
}

size_t bough_loop_run_ready(struct bough_loop *loop, size_t budget)
{
    bough_assert(!loop->entered);
    bough_loop_enter(loop);
    expire(loop);
    const size_t count = drain(loop, budget, INT64_MAX);
    bough_loop_leave(loop);
    return count;
}

int64_t bough_loop_next_ms(const struct bough_loop *loop)
{
    if (is_busy(loop)) return 0;

    const int64_t next = bough_wheel_next(&loop->wheel);
    if (next < 0) return -1;
    const int64_t delay = next - bough_loop_now_ms(loop);
    return delay > 0 ? delay : 0;
}

void bough_loop_advance(struct bough_loop *loop, struct bough_virtual_clock *clock,
                        int64_t ms)
{
    const int64_t until = clock->monotonic_ns + ms * NS_PER_MS;

    bough_assert(loop->runtime->options.clock == &clock->clock);
    for (;;) {
        while (bough_loop_run_ready(loop, SIZE_MAX) > 0)
            continue;
        ev_run(loop->ev, EVRUN_NOWAIT);
        if (is_busy(loop)) continue;

        const int64_t next_ms = bough_wheel_next(&loop->wheel);
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

    counts.timeouts = loop->wheel.count;
    return counts;
}

/* The libev side */

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
    if (loop->runtime->options.clock->is_virtual || is_busy(loop)) return;

    const int64_t delay_ms = bough_loop_next_ms(loop);
    if (delay_ms >= 0) {
        ev_now_update(loop->ev);
        start_uncounted_timer(loop, delay_ms);
    }
}

static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    struct bough_loop *loop = prepare->data;

    (void)ev;
    (void)events;
    bough_loop_enter(loop);
    expire(loop);
    drain(loop, BUDGET, SLICE_NS);
    bough_loop_leave(loop);
    set_idle(loop, is_busy(loop));
    arm(loop);
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

struct bough_loop *bough_loop_new(struct bough_runtime *runtime, struct ev_loop *ev)
{
    struct bough_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) return NULL;
    loop->runtime = runtime;
    loop->ev = ev;
    loop->urgent.tail = &loop->urgent.head;
    loop->ready.tail = &loop->ready.head;
    loop->now_ms = clock_ns(loop) / NS_PER_MS;
    loop->letters_timeout.expired = bough_mail_report;
    bough_pool_init(&loop->pool);
    bough_wheel_init(&loop->wheel, loop->now_ms);

    ev_prepare_init(&loop->prepare, on_prepare);
    ev_set_priority(&loop->prepare, EV_MINPRI);
    ev_idle_init(&loop->idle, on_idle);
    ev_set_priority(&loop->idle, EV_MAXPRI);
    ev_timer_init(&loop->timer, on_timer, 0.0, 0.0);
    loop->prepare.data = loop;
    ev_prepare_start(ev, &loop->prepare);
    ev_unref(ev);

    loop->next = runtime->loops;
    runtime->loops = loop;
    return loop;
}

/* Made once and not for each life: a million of them end at the cost of a visit. */
static const struct bough_exit_reason runtime_ends = {
    .kind = BOUGH_EXIT_KILLED,
    .text = "the runtime ends",
};

static void kill_life(struct bough_actor *slot)
{
    if (bough_slot_lives(slot)) bough_slot_doom(slot, &runtime_ends, 0);
}

/* Nobody comes to read it. Those who asked from another loop are told while it is there.
 */
static void give_up_mail(struct bough_actor *slot)
{
    if (!bough_slot_is_used(slot)) return;
    slot->gate.phase = BOUGH_PLACE_STOPPED;
    bough_mail_flush(slot, true, BOUGH_EGONE);
}

static void vacate(struct bough_actor *slot)
{
    if (bough_slot_is_used(slot)) bough_slot_vacate(slot, 0);
}

void bough_loop_close(struct bough_loop *loop)
{
    bough_assert(!loop->entered);
    loop->closing = true;
    bough_slots_visit(loop, kill_life);
    while (bough_loop_run_ready(loop, SIZE_MAX) > 0)
        continue;
    bough_slots_visit(loop, give_up_mail);
    bough_calls_close(loop);
    while (bough_loop_run_ready(loop, SIZE_MAX) > 0)
        continue;
    bough_assert(loop->counts.lives == 0);
}

void bough_loop_destroy(struct bough_loop *loop)
{
    bough_slots_visit(loop, vacate);
    bough_wheel_remove(&loop->wheel, &loop->letters_timeout);
    bough_assert(loop->counts.cells == 0);
    stop_uncounted_timer(loop);
    set_idle(loop, false);
    ev_ref(loop->ev);
    ev_prepare_stop(loop->ev, &loop->prepare);
    hold(loop);
    bough_slabs_free(loop);
    bough_pool_finish(&loop->pool);
    bough_tickets_finish(&loop->calls);
    free(loop);
}

void bough_loop_free(struct bough_loop *loop)
{
    if (loop == NULL) return;
    bough_loop_close(loop);

    struct bough_loop **link = &loop->runtime->loops;
    while (*link != loop)
        link = &(*link)->next;
    *link = loop->next;
    bough_loop_destroy(loop);
}

struct bough_runtime *bough_loop_runtime(struct bough_loop *loop)
{
    return loop->runtime;
}

struct ev_loop *bough_loop_ev(struct bough_loop *loop)
{
    return loop->ev;
}
