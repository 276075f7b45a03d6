/* bench.c - see bench.h.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/tools/bench/bench.h>

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* World */

static void over(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct bench_world *world = bough_container(watch, struct bench_world, watch);
    char why[BOUGH_EXIT_TEXT];

    world->ended_ns = bench_now_ns();
    if (!bough_exit_good(reason)) {
        bench_die("the actor that measures", bough_exit_print(reason, why, sizeof(why)));
    }
    bough_loop_break(world->loop);
}

void bench_world_open(struct bench_world *world)
{
    bench_world_open_with(world, false);
}

void bench_world_open_with(struct bench_world *world, bool no_spin)
{
    const struct bough_runtime_options options = { .log_level = BOUGH_LEVEL_COUNT,
                                                   .no_spin = no_spin };

    *world = (struct bench_world){ .watch = { .exited = over } };
    world->runtime = bough_runtime_new(&options);
    if (world->runtime == NULL) bench_die("a runtime", "no memory");
    world->loop = bough_loop_new(world->runtime, NULL);
    if (world->loop == NULL) bench_die("a loop", "no memory");
}

struct bough_address bench_spawn_on(struct bench_world *world,
                                    enum bough_isolation isolation,
                                    const struct bough_actor_type *type,
                                    struct bough_watch *watch, uint32_t capacity)
{
    const struct bough_place_spec spec = { .type = type,
                                           .isolation = isolation,
                                           .capacity = capacity };
    const struct bough_start start = { .watch = watch };
    struct bough_address place;

    bench_need(bough_place_new(world->loop, &spec, &place), "a place");
    bench_need(bough_place_start(place, &start, NULL), "a life");
    return place;
}

void bench_world_run(struct bench_world *world)
{
    world->started_ns = bench_now_ns();
    bough_loop_run(world->loop);
}

static cpu_set_t began_with;

static void pin_to(const cpu_set_t *set)
{
    if (sched_setaffinity(0, sizeof(*set), set) != 0)
        bench_die("a processor", "this thread may not choose");
}

void bench_pin(int which)
{
    cpu_set_t set;
    int found = -1;

    if (CPU_COUNT(&began_with) == 0)
        sched_getaffinity(0, sizeof(began_with), &began_with);
    CPU_ZERO(&set);
    for (int i = 0; i < CPU_SETSIZE && which >= 0; i++) {
        if (!CPU_ISSET(i, &began_with)) continue;
        found = i;
        which--;
    }
    CPU_SET(found, &set);
    pin_to(&set);
}

void bench_unpin(void)
{
    pin_to(&began_with);
}

void bench_world_close(struct bench_world *world)
{
    bough_runtime_free(world->runtime);
}

/* Measuring */

uint64_t bench_now_ns(void)
{
    return (uint64_t)bough_clock_system.monotonic_ns(&bough_clock_system);
}

long bench_resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long size, resident;

    if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2) {
        bench_die("/proc/self/statm", "cannot be read");
    }
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bough-bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Printing */

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The one below which `percent` of them lie. */
static double percentile_us(const struct bench_result *result, uint64_t percent)
{
    const uint64_t index = result->n * percent / 100;
    const uint64_t last = result->n - 1;

    return (double)result->latencies_ns[index < last ? index : last] / 1e3;
}

void bench_print(const struct bench_result *result)
{
    const double n = (double)result->n, ns = (double)result->ns;

    printf("{\"peer\":\"ours\",\"bench\":\"%s\",\"variant\":\"%s\",\"n\":%" PRIu64
           ",\"seconds\":%.6f,\"ops_per_s\":%.1f,\"ns_per_op\":%.2f",
           result->bench, result->variant, result->n, ns / 1e9,
           ns > 0 ? n * 1e9 / ns : 0.0, ns / n);
    if (result->bytes_per_actor > 0) {
        printf(",\"bytes_per_actor\":%.1f", result->bytes_per_actor);
    }
    if (result->latencies_ns != NULL) {
        qsort(result->latencies_ns, result->n, sizeof(uint64_t), compare);
        printf(",\"p50_us\":%.3f,\"p90_us\":%.3f,\"p99_us\":%.3f,\"max_us\":%.3f",
               percentile_us(result, 50), percentile_us(result, 90),
               percentile_us(result, 99), percentile_us(result, 100));
    }
    printf("}\n");
    fflush(stdout);
}
