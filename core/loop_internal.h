/* loop_internal.h - one thread's worth of Bough: what is ready, what is due, what is
 * free.
 *
 * Two queues of tasks. `urgent` is the system lane: stops, ends and watches, always
 * first. `ready` holds actors with messages, and answers, in the order in which they
 * became ready. Everything here belongs to the loop's thread, but for the cache line in
 * which others leave parcels (letter_internal.h).
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LOOP_INTERNAL_H
#define BOUGH_CORE_LOOP_INTERNAL_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>

#include <bough/core/call.h>
#include <bough/core/latency_internal.h>
#include <bough/core/pool_internal.h>
#include <bough/core/runtime.h>
#include <bough/core/task.h>
#include <bough/core/ticket_internal.h>
#include <bough/core/wheel_internal.h>

struct bough_annex;
struct bough_loop_abroad;
struct bough_name;
struct bough_parcel;
struct bough_slab;

struct bough_queue {
    struct bough_task *head, **tail;
};

/* Whether to look into the inbox for a while before sleeping: see spin.c. */
struct bough_spin {
    int64_t asleep_ns; /* since when it sleeps, if it does; 0: it does not */
    int64_t slept_ns;  /* for how long it did the last time */
    bool pays;         /* the last patient look found something */
    bool offers;       /* the processor, before the next sleep */
    uint32_t wait;     /* sleeps until the next try */
    uint32_t doubt;    /* how many they were before the last try */
};

/* Room that this loop has in the mailbox of a slot on another one: see room.c. */
struct bough_room {
    struct bough_actor *slot; /* NULL: none */
    uint32_t place;           /* its tenant */
    uint32_t left;            /* taken, and not used so far */
    uint32_t step;            /* taken the last time */
    uint32_t turned_away;     /* refused, and not counted there so far */
};

enum bough_sleep {
    BOUGH_AWAKE,
    BOUGH_POLLS, /* libev does: woken through `wake_fd` */
    BOUGH_WAITS, /* for the word that says so */
};

enum { BOUGH_PARCEL_SIZE = 4096 }; /* bytes, of a hundred notes to another loop */

enum { BOUGH_ROOMS = 8 }; /* receivers that a loop sends many messages to at a time */

struct bough_loop {
    struct bough_runtime *runtime;
    struct bough_loop *next; /* in the runtime's list */

    /* What each message touches: in two cache lines, and near enough to the beginning for
     * the short forms of instructions. */
    struct bough_queue urgent, ready;
    struct bough_actor *running; /* whose callback is on the stack, or NULL */
    struct bough_cell *message;  /* what its run() has; NULL in another callback */
    /* Steps are tasks and messages run. They are counted down to what has to be seen to:
     * something in the system lane, the end of a turn, or, when there are none `beyond`,
     * the clock; and counted up there. */
    uint32_t look_in, beyond;
    struct bough_pool pool;

    struct bough_wheel wheel;
    int64_t now_ms;
    bool high;                    /* the message has high priority */
    struct bough_question *later; /* taken out of a message by this run(), or before */
    uint64_t cause;               /* the event whose watch is being told; 0: none */
    /* Another number with each handler, for who looks from elsewhere: see glance.c. */
    _Atomic uint64_t *beat, own_beat;

    struct bough_loop_abroad *abroad; /* whose places are observed */

    struct bough_tickets calls;   /* questions in flight */
    struct bough_tickets watches; /* of lives on other loops */

    struct bough_actor *free_slots;
    struct bough_slab *slabs;
    struct bough_loop_counts counts;
    struct bough_meter meter;

    struct bough_timeout letters_timeout; /* dead letters are reported once a second */
    uint64_t letters_unreported;
    struct bough_actor *letters_slot; /* whose was the last one */

    struct ev_loop *ev;
    ev_prepare prepare;
    ev_idle idle;
    ev_timer timer;
    uint32_t look_every;  /* steps from one look at the clock to the next */
    uint32_t chunk;       /* where `look_in` began */
    size_t steps, budget; /* of this drain: those looked back at; the rest */
    bool spent;           /* budget or time: this drain is over */
    int64_t slice_end_ns; /* when descriptors have their turn */
    bool entered;         /* code of ours is on the stack: time stands still */
    bool held;            /* ev_run() is kept going */
    bool told;            /* somebody who is no actor was, in this round of libev */
    bool at_work;         /* both: what is queued now is run before the poll */
    bool asks_plainly;    /* at work, and calls are not measured */
    bool closing;         /* nothing more is started */
    bool ended;           /* it has left libev: memory that addresses may still name */
    int64_t looked_ns;

    /* To and from other loops */
    struct bough_parcel *open;          /* begun, one for each loop */
    struct bough_parcel *empty, *kept;  /* at hand; for what must not be lost */
    char (*reserve)[BOUGH_PARCEL_SIZE]; /* those of the kept that were never used */
    uint32_t kept_count, reserve_used;
    uint32_t rooms_open; /* a bit for each of the rooms that is somebody's */
    struct bough_room rooms[BOUGH_ROOMS];
    uint32_t credit; /* messages taken for `credit_slot`, not yet told to its senders */
    struct bough_actor *credit_slot;
    struct bough_loop *outer; /* whose code called into this loop, on the same thread */
    int wake_fd;
    ev_io wake;
    struct bough_spin spin;
    struct bough_inlet *inlets; /* open ones */
    bool takes_in;              /* from one of them */
    bool is_abroad;             /* nobody runs it: observe.c */
    bool has_mail_partner;      /* something has come from another loop */

    bool own;    /* the libev loop is Bough's: alone.c */
    bool broken; /* bough_loop_run() is to return */

    /* A loop of a thread of its own: see thread.c. */
    bool apart;
    bool
        threaded; /* it has the thread; else whoever advances the virtual clock runs it */
    atomic_bool lent; /* its libev loop was asked for: what is in there is not known */
    pthread_t thread;
    struct bough_actor *vacancy; /* a slot to be taken by another loop, and its annex */
    struct bough_annex *vacancy_annex;
    struct bough_loop *next_vacant;

    /* What others read, and hardly ever changes */
    _Alignas(64) atomic_bool closed; /* takes no letters any more */

    /* What others touch */
    _Alignas(64) _Atomic(struct bough_parcel *) inbox; /* newest first */
    _Atomic(struct bough_parcel *) returned;           /* this loop's, read by others */
    _Atomic uint32_t sleep;                            /* enum bough_sleep */
    atomic_bool quit;                                  /* a thread is to end */
    _Atomic(const void *) owner; /* bough_thread_id() of who runs it */
};

/* Of the two functions that each message goes through: where in a cache line they begin
 * is worth up to a quarter of its time, and would else depend on what stands before them.
 */
#define BOUGH_HOT __attribute__((aligned(64)))

/* That it is not is only a guess: what is posted then comes back. */
static inline bool bough_loop_is_closed(const struct bough_loop *loop)
{
    return atomic_load_explicit(&loop->closed, memory_order_relaxed);
}

/* The loop whose code is on this thread's stack; NULL: none. The one variable of Bough's
 * that is not in somebody's struct: a send names its receiver alone, and must know in two
 * instructions whether that is near. */
extern _Thread_local struct bough_loop *bough_here
    __attribute__((tls_model("initial-exec")));

/* The same for no other thread at this time. */
static inline const void *bough_thread_id(void)
{
    return &bough_here;
}

/* Whether what belongs to the loop may be touched by this thread as it is. */
static inline bool bough_loop_is_near(const struct bough_loop *loop)
{
    const struct bough_loop *here = bough_here;

    if (loop == here) return true;
    if (loop->apart || (here != NULL && here->apart)) return false;
    return atomic_load_explicit(&loop->owner, memory_order_relaxed) == bough_thread_id();
}

static inline bool bough_loop_is_busy(const struct bough_loop *loop)
{
    return loop->urgent.head != NULL || loop->ready.head != NULL;
}

/* Four stores, wherever in the ready list the task will come: becoming ready must not
 * cost more the more actors are ready. The link of the first one is not looked at: it may
 * lead into a task that was run. */
static inline void bough_queue_push(struct bough_queue *queue, struct bough_task *task)
{
    task->next = NULL;
    task->link = queue->tail;
    *queue->tail = task;
    queue->tail = &task->next;
}

/* The step at hand is to be the last before something is seen to. */
static inline void bough_loop_interrupt(struct bough_loop *loop)
{
    loop->beyond += loop->look_in - 1;
    loop->look_in = 1;
}

/* Queues a task in the system lane. */
static inline void bough_loop_queue_urgent(struct bough_loop *loop,
                                           struct bough_task *task)
{
    bough_queue_push(&loop->urgent, task);
    bough_loop_interrupt(loop);
}

/* The first task, no longer queued; the queue is not empty. */
static inline struct bough_task *bough_queue_pop(struct bough_queue *queue)
{
    struct bough_task *task = queue->head;

    queue->head = task->next;
    if (task->next == NULL) queue->tail = &queue->head;
    task->link = NULL;
    return task;
}

/* Fine on a task that is not queued; else it must be in this queue. */
void bough_queue_remove(struct bough_queue *queue, struct bough_task *task);

/* Where who asks something of `loop` is told, when it does not say: NULL when this thread
 * runs no loop of its runtime. */
struct bough_loop *bough_loop_for_answers(struct bough_loop *loop);

/* Looks at the clock, and after other loops: false when the turn is to end; `spent` when
 * the drain is. After each task or message `look_in` is counted down to it, in a turn,
 * too, so that one long mailbox cannot keep descriptors waiting: the clock itself would
 * cost as much as the message. */
bool bough_loop_look(struct bough_loop *loop);

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

/* The end of a loop, in four steps: nothing more is started, and all that lives is
 * killed; nobody comes to read what waits, and who still asks is told; it leaves libev,
 * and takes no more letters; its memory goes. */
void bough_loop_kill_all(struct bough_loop *loop);
void bough_loop_give_up(struct bough_loop *loop);
void bough_loop_leave_ev(struct bough_loop *loop);

/* The loops of a runtime, one after the other; NULL: the first, and after the last. */
struct bough_loop *bough_loop_after(struct bough_runtime *runtime,
                                    const struct bough_loop *loop);

/* A thread of Bough's runs it, or will. */
bool bough_loop_is_a_threads(const struct bough_loop *loop);

/* Runs loops of this thread until nothing lives on them, waiting for what lives elsewhere
 * under something of theirs. */
void bough_loops_run_out(struct bough_runtime *runtime, struct bough_loop *only);

/* sleep.c */
bool bough_sleep_init(struct bough_loop *loop);
void bough_sleep_finish(struct bough_loop *loop);

/* Wakes a loop that sleeps, or is about to. Thread: any. */
void bough_loop_wake(struct bough_loop *loop);

/* Says how it sleeps, but for false, when something has come. After that, one that waits
 * sleeps here until it is woken, and one that polls forgets that it was. */
bool bough_loop_go_to_sleep(struct bough_loop *loop, enum bough_sleep how);
void bough_loop_sleep(struct bough_loop *loop);
void bough_loop_forget_wake(struct bough_loop *loop);

/* One round of an own loop: of libev, or without it. */
void bough_loop_run_once(struct bough_loop *loop);

/* Whether a parcel has come, or something waits in an inlet; after looking for a while
 * where that pays. False: the loop is about to sleep, or to look around. Then, when it is
 * awake again; the time. */
bool bough_spin_finds(struct bough_loop *loop, int64_t until_ns);
int64_t bough_spin_end_sleep(struct bough_loop *loop);

/* inlet.c: whether something waits in one that is open; takes it in, between two turns,
 * if there is any; all are told that the loop sleeps now, but for false, when something
 * has come. */
bool bough_inlets_wait_slowly(const struct bough_loop *loop);
bool bough_inlets_take(struct bough_loop *loop);
bool bough_inlets_sleep(struct bough_loop *loop);

static inline bool bough_inlets_wait(const struct bough_loop *loop)
{
    return loop->inlets != NULL && bough_inlets_wait_slowly(loop);
}

/* loop.c, for loop_ev.c and loop_end.c */
int64_t bough_loop_clock_ns(const struct bough_loop *loop);
bool bough_loop_expire(struct bough_loop *loop); /* something was due */
void bough_loop_begin_drain(struct bough_loop *loop, size_t budget, int64_t until_ns);
size_t bough_loop_end_drain(const struct bough_loop *loop); /* steps */

/* turn.c: runs until nothing is ready, or the budget or the time is spent. How many steps
 * that were. */
size_t bough_loop_drain(struct bough_loop *loop, size_t budget, int64_t until_ns);
void bough_loop_set_held(struct bough_loop *loop);
void bough_loop_set_idle(struct bough_loop *loop, bool active);

/* Whether a thread is to end, and can. */
void bough_apart_check(struct bough_loop *loop);

void bough_loop_destroy(struct bough_loop *loop);

/* thread.c: an empty slot on a loop of a thread of its own, furnished by nobody yet.
 * BOUGH_ENOMEM, BOUGH_ESYSTEM. Thread: any. */
enum bough_status bough_apart_take(struct bough_runtime *runtime,
                                   struct bough_actor **slot);

void bough_apart_annex(struct bough_actor *slot);

/* Nothing is left on it: another place can have its thread. */
void bough_apart_vacant(struct bough_loop *loop);

/* Asks every thread to end, and joins it. */
void bough_apart_join(struct bough_runtime *runtime);

#endif
