/* bench.h - what the benchmarks share: a runtime to run in, a clock, and the lines of
 * results.
 *
 * Each benchmark is a function of `n`, the number of operations, which opens a world,
 * runs, prints a JSON line for each result and closes it. Nothing here is measured: the
 * benchmarks use the public headers alone, as any program would.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BENCH_BENCH_H
#define BOUGH_TOOLS_BENCH_BENCH_H

#include <stdint.h>

#include <bough/core/actor.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>

/* A runtime with one loop, and when the actor that measures began and ended. */
struct bench_world {
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_watch watch; /* over: the end of this actor is the end of the run */
    uint64_t started_ns, ended_ns;
};

/* Opens a world on a loop of its own. Nothing is logged there; every check, count
 * and event number of the runtime is on. `no_spin`: see core/runtime.h. */
void bench_world_open(struct bench_world *world);
void bench_world_open_with(struct bench_world *world, bool no_spin);

/* Spawns an actor on the world's thread, or on one of its own; `watch` may be NULL. */
struct bough_address bench_spawn_on(struct bench_world *world,
                                    enum bough_isolation isolation,
                                    const struct bough_actor_type *type,
                                    struct bough_watch *watch, uint32_t capacity);

/* Notes the time and runs until the watched actor has ended by itself. */
void bench_world_run(struct bench_world *world);

void bench_world_close(struct bench_world *world);

/* Keeps this thread, and those it makes from now on, on the first or second processor of
 * those that it began with, as far as there are two; and lets it go again. */
void bench_pin(int which);
void bench_unpin(void);

/* The machine's monotonic time, in nanoseconds. */
uint64_t bench_now_ns(void);

/* Bytes of this process that are resident. */
long bench_resident(void);

/* A benchmark cannot fail in order: says what did not work on stderr, and exits with 1.
 */
_Noreturn void bench_die(const char *what, const char *why);

static inline void bench_need(enum bough_status status, const char *what)
{
    if (status != BOUGH_OK) bench_die(what, bough_status_text(status));
}

/* What one line says. */
struct bench_result {
    const char *bench, *variant;
    uint64_t n, ns;
    double bytes_per_actor; /* 0: left out */
    uint64_t *latencies_ns; /* n of them, which are sorted here; NULL: left out */
};

void bench_print(const struct bench_result *result);

/* The benchmarks. */
void bench_pingpong(uint64_t n);
void bench_pingpong_threads(uint64_t n);
void bench_fanin_threads(uint64_t n);
void bench_ring(uint64_t n);
void bench_fanin(uint64_t n);
void bench_request(uint64_t n);
void bench_kv(uint64_t n);
void bench_grow(uint64_t n);
void bench_latency(uint64_t n);
void bench_spawn(uint64_t n);
void bench_restart(uint64_t n);
void bench_procmsg(uint64_t n);
void bench_procspawn(uint64_t n);

/* No benchmark: a program that others measure. */
_Noreturn void bench_supervise(const char *program, uint64_t n);

#endif
