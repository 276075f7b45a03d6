/* clock.c - the machine's clocks, and one that a test moves.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/clock.h>

#include <stddef.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    /* Cannot fail: both clocks exist on every Linux, and the address is ours. */
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t system_monotonic_ns(const struct bough_clock *clock)
{
    (void)clock;
    return read_ns(CLOCK_MONOTONIC);
}

static int64_t system_realtime_ns(const struct bough_clock *clock)
{
    (void)clock;
    return read_ns(CLOCK_REALTIME);
}

const struct bough_clock bough_clock_system = {
    .monotonic_ns = system_monotonic_ns,
    .realtime_ns = system_realtime_ns,
};

static const struct bough_virtual_clock *virtual_clock(const struct bough_clock *clock)
{
    _Static_assert(offsetof(struct bough_virtual_clock, clock) == 0,
                   "the cast needs it first");
    return (const struct bough_virtual_clock *)clock;
}

static int64_t virtual_monotonic_ns(const struct bough_clock *clock)
{
    return virtual_clock(clock)->monotonic_ns;
}

static int64_t virtual_realtime_ns(const struct bough_clock *clock)
{
    return virtual_clock(clock)->realtime_start_ns + virtual_clock(clock)->monotonic_ns;
}

void bough_virtual_clock_init(struct bough_virtual_clock *clock, int64_t realtime_ns)
{
    *clock = (struct bough_virtual_clock){
        .clock = {
            .monotonic_ns = virtual_monotonic_ns,
            .realtime_ns = virtual_realtime_ns,
            .is_virtual = 1,
        },
        .realtime_start_ns = realtime_ns,
    };
}
