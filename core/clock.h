/* clock.h - where time comes from: the machine, or a test.
 *
 * A runtime asks one clock and nothing else, so a whole tree can run on a virtual one:
 * time then stands still while code runs, and moves only when the test moves it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_CLOCK_H
#define BOUGH_CORE_CLOCK_H

#include <stdint.h>

#include <bough/core/public.h>

struct bough_clock {
    /* Nanoseconds since some start; never goes back. */
    int64_t (*monotonic_ns)(const struct bough_clock *clock);
    /* Nanoseconds since 1970-01-01 UTC; for people only. */
    int64_t (*realtime_ns)(const struct bough_clock *clock);
    /* True: time moves only by bough_loop_advance(), and no loop waits for it. */
    _Bool is_virtual;
};

/* The machine's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME. Static, immutable. */
BOUGH_PUBLIC extern const struct bough_clock bough_clock_system;

/* Embed, init, hand `&virtual.clock` to one runtime; it must outlive that runtime. */
struct bough_virtual_clock {
    struct bough_clock clock;
    int64_t monotonic_ns; /* what it shows now; moved by bough_loop_advance() */
    int64_t realtime_start_ns;
};

/* Starts at monotonic 0 and at `realtime_ns` for people. */
BOUGH_PUBLIC void bough_virtual_clock_init(struct bough_virtual_clock *clock,
                                           int64_t realtime_ns);

#endif
