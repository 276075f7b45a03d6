/* loop_internal.h - one thread's worth of Bough: what is ready, what is due, what is
 * free.
 *
 * Two queues of tasks. `urgent` is the system lane: stops, ends and watches, always
 * first. `ready` holds actors with messages, and answers, in the order in which they
 * became ready. Everything here belongs to the loop's thread; nothing is shared between
 * loops.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LOOP_INTERNAL_H
#define BOUGH_CORE_LOOP_INTERNAL_H

#include <ev.h>

#include <bough/core/call.h>
#include <bough/core/pool_internal.h>
#include <bough/core/runtime.h>
#include <bough/core/task.h>
#include <bough/core/ticket_internal.h>
#include <bough/core/wheel_internal.h>

struct bough_name;
struct bough_slab;

struct bough_queue {
    struct bough_task *head, **tail;
};

struct bough_loop {
    struct bough_runtime *runtime;
    struct bough_loop *next; /* in the runtime's list */

    struct bough_queue urgent, ready;
    struct bough_pool pool;
    struct bough_wheel wheel;
    int64_t now_ms;

    struct bough_actor *running; /* whose callback is on the stack, or NULL */
    struct bough_cell *message;  /* what its run() has; NULL in another callback */
    bool high;                   /* that message has high priority */
    uint64_t cause;              /* the event whose watch is being told; 0: none */

    struct bough_tickets calls; /* questions in flight */

    struct bough_actor *free_slots;
    struct bough_slab *slabs;
    struct bough_loop_counts counts;

    struct bough_timeout letters_timeout; /* dead letters are reported once a second */
    uint64_t letters_unreported;
    struct bough_actor *letters_slot; /* whose was the last one */

    struct ev_loop *ev;
    ev_prepare prepare;
    ev_idle idle;
    ev_timer timer;
    size_t steps, steps_end; /* tasks and messages run so far; where this drain ends */
    int64_t slice_end_ns;    /* when descriptors have their turn */
    bool entered;            /* code of ours is on the stack: time stands still */
    bool held;               /* ev_run() is kept going */
    bool at_work;            /* both: what is queued now is run before the poll */
    bool closing;            /* nothing more is started */
};

/* Four stores, wherever in the ready list the task will come: becoming ready must not
 * cost more the more actors are ready. */
static inline void bough_queue_push(struct bough_queue *queue, struct bough_task *task)
{
    task->next = NULL;
    task->link = queue->tail;
    *queue->tail = task;
    queue->tail = &task->next;
}

/* The first task, no longer queued; the queue is not empty. */
static inline struct bough_task *bough_queue_pop(struct bough_queue *queue)
{
    struct bough_task *task = queue->head;

    queue->head = task->next;
    if (task->next != NULL) {
        task->next->link = &queue->head;
    } else {
        queue->tail = &queue->head;
    }
    task->link = NULL;
    return task;
}

/* Fine on a task that is not queued; else it must be in this queue. */
void bough_queue_remove(struct bough_queue *queue, struct bough_task *task);

enum { BOUGH_LOOK_EVERY = 32 }; /* steps between two looks at the clock, of 25 ns each */

/* Looks at the clock: false when the slice is over. */
bool bough_loop_look(struct bough_loop *loop);

/* Before each further task or message: whether there may be another one before the poll.
 * A turn asks, too, so that one long mailbox cannot keep descriptors waiting. A count and
 * two comparisons; the clock would cost as much as the message. */
static inline bool bough_loop_step(struct bough_loop *loop)
{
    const size_t steps = ++loop->steps;

    if (steps % BOUGH_LOOK_EVERY == 0 && !bough_loop_look(loop)) return false;
    return steps < loop->steps_end;
}

/* Before and after code that a descriptor or the embedder makes run: refreshes the time.
 */
void bough_loop_enter(struct bough_loop *loop);
void bough_loop_leave(struct bough_loop *loop);

/* The time now; refreshed unless code of ours is on the stack. */
int64_t bough_loop_time(struct bough_loop *loop);

void bough_loop_hold_slowly(struct bough_loop *loop);

/* Keeps ev_run() going while something lives or waits. After each start and whatever is
 * queued. Within a drain that is so already, and its end looks again. */
static inline void bough_loop_hold(struct bough_loop *loop)
{
    if (!loop->at_work) bough_loop_hold_slowly(loop);
}

/* Kills all that lives, runs what that makes ready, answers who still asks. */
void bough_loop_close(struct bough_loop *loop);

/* Frees a closed loop: what bough_loop_free() does after unlinking it from its runtime.
 */
void bough_loop_destroy(struct bough_loop *loop);

#endif
