/* runtime.h - all of Bough in one process: its loops, places, names, clock, log and
 * events.
 *
 * A program may have several; they share nothing. A loop runs on a `struct ev_loop` that
 * the caller owns and runs with ev_run() as always: Bough adds a prepare, an idle and a
 * timer watcher, and keeps ev_run() going only while actors live. Messages never cost a
 * loop iteration: what is ready is drained before the loop polls, up to a budget.
 *
 * Threads. A loop, and every actor on it, belongs to the thread that runs it: the one
 * that made it, or from then on the one that calls ev_run(); who hands a loop to another
 * thread lets go of it before. A runtime's loops may be on several threads; places with
 * isolation `thread` get loops of their own (place.h), on threads that Bough starts, with
 * all signals blocked but those of faults and BOUGH_GLANCE_SIGNAL (glance.h), and joins.
 * Addresses are for all of them: bough_send(), bough_stop(), bough_end() and bough_kill()
 * may be called on any thread, bough_call_start() and bough_watch() on any that runs a
 * loop of the runtime.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_RUNTIME_H
#define BOUGH_CORE_RUNTIME_H

#include <bough/core/clock.h>
#include <bough/core/event.h>
#include <bough/core/log.h>
#include <bough/core/status.h>

struct ev_loop;
struct bough_guard;
struct bough_loop;
struct bough_nursery;
struct bough_runtime;

/* There is no place of that path, and somebody looks for it: may make it, with what is
 * above it. Thread: the loop's. */
typedef void bough_missing_function(void *data, struct bough_loop *loop,
                                    const char *path);

struct bough_runtime_options {
    const struct bough_clock *clock; /* NULL: bough_clock_system */
    bough_log_function *log;         /* NULL: bough_log_stderr */
    void *log_data;
    bough_output_function *output; /* NULL: the log */
    void *output_data;
    /* What is below this level is not even made into text; BOUGH_LEVEL_COUNT: nothing is.
     */
    enum bough_log_level log_level;
    bough_event_function *event; /* NULL: nobody */
    void *event_data;
    /* A loop that talks to loops of other threads, or to processes, looks for something
     * to do before it sleeps: for a tenth of its last sleep, and at most 2.5
     * microseconds. Unless this is set, it also tries now and then for 60, and keeps to 5
     * for as long as that finds something. So do these processes. */
    bool no_spin;
    /* Where processes for places with that isolation come from; outlives the runtime.
     * NULL: there are none. See supervisor/process/nursery.h. */
    struct bough_nursery *nursery;
    /* What ends the programs that actors run when this process is killed; outlives the
     * runtime. NULL: nobody. See actors/guard.h. */
    struct bough_guard *guard;
    /* Asked by bough_lookup() and bough_reference() for what is not there; NULL: nobody.
     */
    bough_missing_function *missing;
    void *missing_data;
};

/* `options` is copied, NULL for zeroes. NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_runtime *
bough_runtime_new(const struct bough_runtime_options *options);

/* Kills what still lives, without a turn of the loop, frees its loops, then itself. Open
 * calls without an owner are answered BOUGH_EGONE and watches fire `killed` before it
 * returns; threads that Bough started are joined, so a handler that does not return there
 * keeps this function. Not from inside a callback. Thread: that of its loops; other
 * threads must have stopped running loops of it. */
BOUGH_PUBLIC void bough_runtime_free(struct bough_runtime *runtime);

/* That of the options, or NULL. */
BOUGH_PUBLIC struct bough_nursery *
bough_runtime_nursery(const struct bough_runtime *runtime);

BOUGH_PUBLIC struct bough_guard *bough_runtime_guard(const struct bough_runtime *runtime);

/* Changes the log hook; NULL: bough_log_stderr. */
BOUGH_PUBLIC void bough_runtime_set_log(struct bough_runtime *runtime,
                                        bough_log_function *log, void *data);

/* Changes the level below which nothing is made into text. Before other threads run loops
 * of it, and before supervisors are started, which remember it. */
BOUGH_PUBLIC void bough_runtime_set_log_level(struct bough_runtime *runtime,
                                              enum bough_log_level level);

/* That of now, and its data; for who puts another in front of it. */
BOUGH_PUBLIC bough_log_function *bough_runtime_log(const struct bough_runtime *runtime,
                                                   void **data);

/* Changes the hook for what programs write; NULL: it goes to the log. */
BOUGH_PUBLIC void bough_runtime_set_output(struct bough_runtime *runtime,
                                           bough_output_function *output, void *data);

/* That of now, or NULL, and its data. */
BOUGH_PUBLIC bough_output_function *
bough_runtime_output(const struct bough_runtime *runtime, void **data);

/* Now, for people, in nanoseconds since 1970 UTC. */
BOUGH_PUBLIC int64_t bough_runtime_realtime_ns(const struct bough_runtime *runtime);

/* Joins a libev loop, which stays the caller's and must outlive the runtime or this
 * loop's bough_loop_free(). `ev` NULL: one is made, goes with the runtime, and is run by
 * bough_loop_run(). NULL when memory is out. Thread: that of `ev`, or the one that is to
 * run it.
 *
 * Whoever runs `ev` in single rounds, `while (!answered) ev_run(ev, EVRUN_ONCE)`, has
 * each end when a call or a watch without an owner was told something. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_loop *
bough_loop_new(struct bough_runtime *runtime, struct ev_loop *ev);

/* Kills what lives on it, and leaves the libev loop; what is sent there from now on is
 * BOUGH_EGONE. Its memory stays until bough_runtime_free(), which does this for all.
 * Thread: the loop's. */
BOUGH_PUBLIC void bough_loop_free(struct bough_loop *loop);

/* How many loops run actors: those of threads that no place has now are not counted.
 * Thread: any. */
BOUGH_PUBLIC size_t bough_runtime_loop_count(struct bough_runtime *runtime);

BOUGH_PUBLIC struct bough_runtime *bough_loop_runtime(struct bough_loop *loop);
BOUGH_PUBLIC struct ev_loop *bough_loop_ev(struct bough_loop *loop);
BOUGH_PUBLIC int64_t bough_loop_now_ms(const struct bough_loop *loop);

/* For a loop that was made without a libev loop, on a clock that is not virtual: runs it
 * until nothing lives on it and nothing of it waits, or bough_loop_break() is called. As
 * long as no descriptor is watched there, no deadline is near and nobody has asked for
 * bough_loop_ev(), it sleeps without libev, which makes a message from another thread to
 * one that sleeps a third faster. Thread: the loop's; not from inside a callback. */
BOUGH_PUBLIC void bough_loop_run(struct bough_loop *loop);

/* bough_loop_run() returns after what is being run, whoever lives. Thread: the loop's. */
BOUGH_PUBLIC void bough_loop_break(struct bough_loop *loop);

/* For tests and simulations: runs what is ready until nothing is, or until `budget` tasks
 * and messages have run (a turn and its first message count as one). Returns how many
 * ran; 1 when none has and something came from a process, which may have left room in a
 * mailbox. Never polls. */
BOUGH_PUBLIC size_t bough_loop_run_ready(struct bough_loop *loop, size_t budget);

/* Virtual clock only: runs what is ready, then moves time to each deadline in turn and
 * runs what that makes ready, until `ms` have passed. Polls descriptors without waiting.
 */
BOUGH_PUBLIC void bough_loop_advance(struct bough_loop *loop,
                                     struct bough_virtual_clock *clock, int64_t ms);

/* Milliseconds for which nothing is due: those until the next deadline, or fewer when
 * that is far; 0 when something is ready, -1 when there is no deadline. */
BOUGH_PUBLIC int64_t bough_loop_next_ms(const struct bough_loop *loop);

/* What a loop holds, for tests and for the curious. Takes as long as it has held messages
 * and has memory for them. */
struct bough_loop_counts {
    size_t lives;          /* actors that live */
    size_t places;         /* places, lived in or not */
    size_t cells;          /* messages and answers that wait */
    size_t calls;          /* questions in flight */
    size_t watches;        /* of lives on other loops */
    size_t timeouts;       /* armed deadlines */
    size_t sources;        /* watched descriptors */
    size_t measured;       /* places whose answers were timed from here: latency.h */
    uint64_t dead_letters; /* messages that could not be delivered, so far */
    uint64_t rounds;       /* of libev, before whose poll something was run, so far */
};
BOUGH_PUBLIC struct bough_loop_counts bough_loop_count(const struct bough_loop *loop);

#endif
