/* simulate.c - runs a simulation: the clock, the crashes, and what became of whom.
 *
 * Crashes come from outside, as by `bough kill`, so that a supervisor can have them, too:
 * time moves to the next one that is due, whoever it is for is ended, and time moves on.
 * Those by chance follow a generator of their own each, which depends on the seed and on
 * its actor's path, so that telling more does not change what was told before.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_plan.h>

#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/supervisor.h>

enum { NS_PER_MS = 1000000 };

/* 2026-01-01T00:00:00Z, when every simulation begins. Below a millisecond lies the seed,
 * from which supervisors take their own chance. */
static const int64_t BEGINNING_NS = INT64_C(1767225600) * 1000000000;

static const char crash_text[] = "crash, as told";

bool bough_simulated_crash(const struct bough_exit_reason *reason)
{
    return reason != NULL && reason->kind == BOUGH_EXIT_ERROR &&
           strcmp(reason->text, crash_text) == 0;
}

/* The simulation */

struct bough_simulation *
bough_simulation_new(const struct bough_supervisor_options *options)
{
    struct bough_simulation *simulation = calloc(1, sizeof(*simulation));

    if (simulation == NULL) return NULL;
    simulation->ev = ev_loop_new(EVFLAG_AUTO);
    if (simulation->ev != NULL && bough_simulated_tree(simulation, options) == BOUGH_OK)
        return simulation;
    bough_simulation_free(simulation);
    return NULL;
}

void bough_simulation_free(struct bough_simulation *simulation)
{
    if (simulation == NULL) return;
    HASH_CLEAR(hh, simulation->by_path);
    for (size_t i = 0; i < simulation->block_count; i++)
        free(simulation->blocks[i]);
    free(simulation->blocks);
    free(simulation->types);
    free(simulation->originals);
    free(simulation->actors);
    free(simulation->crashes);
    if (simulation->ev != NULL) ev_loop_destroy(simulation->ev);
    free(simulation);
}

size_t bough_simulation_count(const struct bough_simulation *simulation)
{
    return simulation->count;
}

const struct bough_simulated *
bough_simulation_at(const struct bough_simulation *simulation, size_t index)
{
    return &simulation->actors[index]->about;
}

/* Chance */

/* SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * 2014. */
static uint64_t draw(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double draw_unit(uint64_t *random)
{
    return (double)(draw(random) >> 11) / 9007199254740992.0; /* 2 to the 53 */
}

/* Exponential with mean 1, by comparisons alone, so that it is the same everywhere: von
 * Neumann, "Various techniques used in connection with random digits", 1951. */
static double draw_wait(uint64_t *random)
{
    for (double whole = 0;; whole++) {
        const double first = draw_unit(random);
        double last = first;
        bool odd = true;

        for (;;) {
            const double next = draw_unit(random);

            if (next >= last) break;
            last = next;
            odd = !odd;
        }
        if (odd) return whole + first;
    }
}

static uint64_t seed_crash(uint64_t seed, const char *path, size_t number)
{
    uint64_t random = seed;

    for (; *path != '\0'; path++)
        random = draw(&random) ^ (unsigned char)*path;
    random = draw(&random) ^ number;
    return draw(&random);
}

/* Crashes: a heap of those to come, the next one first. */

struct heap {
    struct bough_simulated_crash **list;
    size_t count;
};

static bool before(const struct bough_simulated_crash *a,
                   const struct bough_simulated_crash *b)
{
    /* All lie in one array: of those at the same time, the one told first. */
    return a->next_ms != b->next_ms ? a->next_ms < b->next_ms : a < b;
}

static void sink(struct heap *heap, size_t at)
{
    struct bough_simulated_crash *crash = heap->list[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= heap->count) break;
        if (child + 1 < heap->count && before(heap->list[child + 1], heap->list[child]))
            child++;
        if (!before(heap->list[child], crash)) break;
        heap->list[at] = heap->list[child];
        at = child;
    }
    heap->list[at] = crash;
}

/* Two crashes of one order are a millisecond apart at least. */
static void plan_next(struct bough_simulated_crash *crash)
{
    const int64_t last_ms = crash->next_ms;

    if (crash->every_ms > 0) {
        crash->next_ms += crash->every_ms;
        return;
    }
    crash->next += draw_wait(&crash->random) * crash->mean_ms;
    crash->next_ms = crash->next < 9e15 ? (int64_t)crash->next : INT64_MAX;
    if (crash->next_ms <= last_ms) crash->next_ms = last_ms + 1;
}

static bool again(const struct bough_simulated_crash *crash)
{
    return crash->every_ms > 0 || crash->mean_ms > 0;
}

static enum bough_status heap_init(struct heap *heap, struct bough_simulation *simulation,
                                   uint64_t seed)
{
    heap->count = simulation->crash_count;
    heap->list = calloc(heap->count + 1, sizeof(*heap->list));
    if (heap->list == NULL) return BOUGH_ENOMEM;
    for (size_t i = 0; i < heap->count; i++) {
        struct bough_simulated_crash *crash = &simulation->crashes[i];

        crash->next_ms = crash->first_ms;
        crash->next = 0;
        crash->random = seed_crash(seed, simulation->actors[crash->actor]->about.path, i);
        if (crash->mean_ms > 0) plan_next(crash);
        heap->list[i] = crash;
    }
    for (size_t i = heap->count; i-- > 0;)
        sink(heap, i);
    return BOUGH_OK;
}

/* Takes the first one off, or puts it where its next crash belongs. */
static void heap_advance(struct heap *heap)
{
    if (again(heap->list[0]))
        plan_next(heap->list[0]);
    else
        heap->list[0] = heap->list[--heap->count];
    if (heap->count > 0) sink(heap, 0);
}

/* A run */

struct run {
    struct bough_simulation *simulation;
    struct bough_virtual_clock clock;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_watch watch;
    struct heap heap;
    struct bough_simulate_observer observer;
    struct bough_simulation_result *result;
    bool over; /* what happens now is the end of the program, not of the story */
};

static int64_t now_ms(const struct run *run)
{
    return run->clock.monotonic_ns / NS_PER_MS;
}

static void note_up(struct bough_simulated_actor *actor, int64_t at_ms)
{
    int64_t outage_ms;

    if (actor->down_since_ms < 0) return;
    outage_ms = at_ms - actor->down_since_ms;
    actor->fate->down_ms += outage_ms;
    if (outage_ms > actor->fate->longest_ms) actor->fate->longest_ms = outage_ms;
    actor->down_since_ms = -1;
}

static void note(struct run *run, struct bough_simulated_actor *actor,
                 const struct bough_event *event)
{
    struct bough_simulated_fate *fate = actor->fate;
    const bool lived = fate->lives > 0;

    if (event->kind == BOUGH_EVENT_STARTED) {
        fate->lives++;
        if (lived) fate->restarts++;
    } else if (event->kind == BOUGH_EVENT_READY) {
        note_up(actor, now_ms(run));
    } else if (event->kind == BOUGH_EVENT_EXITED) {
        if (event->life > fate->lives + fate->failed_starts) fate->failed_starts++;
        if (lived && actor->down_since_ms < 0) actor->down_since_ms = now_ms(run);
    }
}

static void on_event(void *data, const struct bough_event *event)
{
    struct run *run = data;
    struct bough_simulated_actor *actor;

    if (run->over) return;
    actor = bough_simulation_find(run->simulation, event->path);
    if (actor != NULL) note(run, actor, event);
    if (event->kind == BOUGH_EVENT_GAVE_UP && strcmp(event->path, "/") == 0)
        run->result->gave_up = true;
    if (run->observer.event != NULL)
        run->observer.event(run->observer.data, event, now_ms(run));
}

static void on_log(void *data, const struct bough_log_record *record)
{
    (void)data, (void)record;
}

static void on_ready(struct bough_watch *watch)
{
    bough_container(watch, struct run, watch)->result->up = true;
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct run *run = bough_container(watch, struct run, watch);

    run->result->ended = true;
    run->result->end_ms = now_ms(run);
    run->result->reason = *reason;
}

static void crash(struct run *run, const struct bough_simulated_crash *told)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_EFAILED, 0, "%s", crash_text);
    struct bough_simulated_actor *actor = run->simulation->actors[told->actor];
    struct bough_place_info info;
    struct bough_address place;

    if (bough_lookup(run->loop, actor->about.path, &place) != BOUGH_OK ||
        bough_place_info(place, &info) != BOUGH_OK ||
        (info.state != BOUGH_PLACE_STARTING && info.state != BOUGH_PLACE_RUNNING)) {
        run->result->missed++;
        return;
    }
    actor->fate->crashes++;
    run->result->crashes++;
    if (run->observer.crash != NULL)
        run->observer.crash(run->observer.data, &actor->about, now_ms(run));
    bough_end(place, &reason);
}

static void move_to(struct run *run, int64_t at_ms)
{
    bough_loop_advance(run->loop, &run->clock, at_ms - now_ms(run));
}

static void play(struct run *run, int64_t for_ms)
{
    struct heap *heap = &run->heap;

    move_to(run, 0);
    while (!run->result->ended && heap->count > 0 && heap->list[0]->next_ms < for_ms) {
        const int64_t at_ms = heap->list[0]->next_ms;

        move_to(run, at_ms);
        while (heap->count > 0 && heap->list[0]->next_ms == at_ms) {
            if (!run->result->ended) crash(run, heap->list[0]);
            heap_advance(heap);
        }
    }
    move_to(run, for_ms);
    if (!run->result->ended) run->result->end_ms = for_ms;
    for (size_t i = 0; i < run->simulation->count; i++)
        note_up(run->simulation->actors[i], run->result->end_ms);
}

static void reset(struct run *run)
{
    struct bough_simulated_fate *fates = run->result->fates;

    *run->result = (struct bough_simulation_result){ .fates = fates };
    for (size_t i = 0; i < run->simulation->count; i++) {
        struct bough_simulated_actor *actor = run->simulation->actors[i];

        fates[i] = (struct bough_simulated_fate){ .lives = 0 };
        actor->starts = 0;
        actor->fails_left = actor->start_fails;
        actor->down_since_ms = -1;
        actor->fate = &fates[i];
    }
}

static enum bough_status begin(struct run *run, uint64_t seed, struct bough_error *error)
{
    const struct bough_runtime_options options = {
        .clock = &run->clock.clock, .log = on_log, .event = on_event, .event_data = run
    };
    struct bough_supervisor root;

    reset(run);
    bough_virtual_clock_init(&run->clock, BEGINNING_NS + (int64_t)(seed % NS_PER_MS));
    if (heap_init(&run->heap, run->simulation, seed) != BOUGH_OK)
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    run->runtime = bough_runtime_new(&options);
    if (run->runtime != NULL)
        run->loop = bough_loop_new(run->runtime, run->simulation->ev);
    if (run->loop == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    run->watch.ready = on_ready;
    run->watch.exited = on_exited;
    return bough_supervisor_start(run->loop, &run->simulation->options, &run->watch,
                                  &root, error);
}

enum bough_status bough_simulation_run(struct bough_simulation *simulation, uint64_t seed,
                                       int64_t for_ms,
                                       const struct bough_simulate_observer *observer,
                                       struct bough_simulation_result *result,
                                       struct bough_error *error)
{
    struct run run = { .simulation = simulation, .result = result };
    enum bough_status status;

    if (observer != NULL) run.observer = *observer;
    status = begin(&run, seed, error);
    if (status == BOUGH_OK) play(&run, for_ms);
    run.over = true;
    bough_watch_cancel(&run.watch);
    if (run.runtime != NULL) bough_runtime_free(run.runtime);
    free(run.heap.list);
    return status;
}
