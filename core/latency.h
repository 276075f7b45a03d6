/* latency.h - how long questions wait for their answers, place by place.
 *
 * Off until somebody wants to know, for it takes two looks at the clock for each call,
 * which is as much as the call itself. From then on each call is measured from
 * bough_call_start() to its done(), whatever the outcome: so a timeout counts with all
 * the time that it took, and what was refused with the moment in which it was. It counts
 * for the place that was asked, on whichever loop, and whoever it has handed the question
 * on to. A call that is taken back does not count.
 *
 * The counts of a place go on over its lives, and go with the place.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LATENCY_H
#define BOUGH_CORE_LATENCY_H

#include <bough/core/address.h>

struct bough_runtime;

/* Buckets of a microsecond, and of four times as much each: to more than a minute. The
 * last one is for what took longer. */
enum { BOUGH_LATENCY_BUCKETS = 15 };

struct bough_latency {
    uint64_t counts[BOUGH_LATENCY_BUCKETS]; /* of calls in each bucket */
    uint64_t sum_ns;
};

/* The longest time of a bucket but the last one, in nanoseconds. */
BOUGH_PUBLIC uint64_t bough_latency_limit_ns(unsigned bucket);

/* Calls that are begun from now on are measured; for good. Thread: any. */
BOUGH_PUBLIC void bough_runtime_measure(struct bough_runtime *runtime);

/* What was measured so far of all places that are there, as it is now. NULL when memory
 * is out. Thread: any. */
struct bough_latencies;
BOUGH_PUBLIC BOUGH_CHECKED struct bough_latencies *
bough_latencies_new(struct bough_runtime *runtime);

/* Of one place, whatever life the address names; NULL when it was not asked. Valid as
 * long as `latencies`. */
BOUGH_PUBLIC const struct bough_latency *
bough_latencies_find(const struct bough_latencies *latencies, struct bough_address place);

BOUGH_PUBLIC void bough_latencies_free(struct bough_latencies *latencies);

#endif
