/* simulate.h - a tree in virtual time: its real supervisors, and actors that crash as
 * told.
 *
 * A simulation takes the specs of a tree and replaces each type that is no supervisor by
 * one of the same name that does nothing: it starts, stops, and crashes as it was told.
 * Then it runs as often as one likes, each time from the start, on a runtime with a
 * virtual clock. What happens depends on the tree, on what was told, on the seed and on
 * nothing else.
 *
 *     new -> tell, tell ... -> run, run ... -> free
 *
 * Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SIMULATE_H
#define BOUGH_TOOLS_BOUGH_SIMULATE_H

#include <bough/core/event.h>
#include <bough/supervisor/spec.h>

struct bough_simulation;

/* One of the tree's actors, supervisors included. */
struct bough_simulated {
    const char *path, *type; /* kept by the simulation */
    bool supervisor;         /* or a group of replicas */
};

enum bough_simulate_order {
    BOUGH_SIMULATE_CRASH,       /* "PATH@TIME", "PATH=every:TIME", "rate:PATH=N/TIME" */
    BOUGH_SIMULATE_START_FAILS, /* "PATH=N": the first start works, the next N fail */
    BOUGH_SIMULATE_SLOW_START,  /* "PATH=TIME" */
    BOUGH_SIMULATE_SLOW_STOP,   /* "PATH=TIME" */
    BOUGH_SIMULATE_HANG_STOP    /* "PATH" */
};

/* What became of an actor. */
struct bough_simulated_fate {
    uint64_t crashes; /* as told */
    uint64_t lives, restarts, failed_starts;
    int64_t down_ms, longest_ms; /* not ready, between its first `ready` and the end */
};

struct bough_simulation_result {
    bool up;        /* all actors were ready once */
    bool ended;     /* the tree is down: it gave up, shut itself down, or could not
                       start */
    bool gave_up;   /* so because of a limit of the top */
    int64_t end_ms; /* when; else how long it was run */
    struct bough_exit_reason reason;    /* why, once ended */
    uint64_t crashes, missed;           /* told: those that hit, and those that found
                                           nobody */
    struct bough_simulated_fate *fates; /* the caller's: as many as there are actors */
};

/* Told what happens, `at_ms` into the simulation. */
struct bough_simulate_observer {
    /* The event is valid during the call. May be NULL. */
    void (*event)(void *data, const struct bough_event *event, int64_t at_ms);
    /* A crash hits; its event `exited` follows when those below it, if there are any,
     * have ended. May be NULL. */
    void (*crash)(void *data, const struct bough_simulated *actor, int64_t at_ms);
    void *data;
};

/* `options` is the root supervisor's, checked; it must outlive the simulation. NULL when
 * memory is out. */
BOUGH_CHECKED struct bough_simulation *
bough_simulation_new(const struct bough_supervisor_options *options);
void bough_simulation_free(struct bough_simulation *simulation);

/* The actors, parents before children, in start order. Those that a dynamic supervisor is
 * asked to start later are not among them. */
size_t bough_simulation_count(const struct bough_simulation *simulation);
const struct bough_simulated *
bough_simulation_at(const struct bough_simulation *simulation, size_t index);

/* Says what is to happen. But for "@", PATH stands for each actor at or below it that is
 * no supervisor. Errors: BOUGH_EINVALID (`error` says what is allowed), BOUGH_ENOTFOUND
 * (no such actor), BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_simulation_tell(struct bough_simulation *simulation,
                                                      enum bough_simulate_order order,
                                                      const char *text,
                                                      struct bough_error *error);

/* Runs it for `for_ms`, or until the tree is down. `observer` may be NULL. Errors:
 * BOUGH_ENOMEM, or why the tree cannot be started at all. */
BOUGH_CHECKED enum bough_status
bough_simulation_run(struct bough_simulation *simulation, uint64_t seed, int64_t for_ms,
                     const struct bough_simulate_observer *observer,
                     struct bough_simulation_result *result, struct bough_error *error);

/* Whether an end is one of those that were told: a crash, or a start that fails. */
bool bough_simulated_crash(const struct bough_exit_reason *reason);
bool bough_simulated_start_failure(const struct bough_exit_reason *reason);

#endif
