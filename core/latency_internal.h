/* latency_internal.h - the calls that are measured, on their way.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LATENCY_INTERNAL_H
#define BOUGH_CORE_LATENCY_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include <bough/core/latency.h>

struct bough_call;
struct bough_loop;
struct bough_measured;
struct bough_task;

/* What the questions of one loop took. Its own thread writes, any may read: the lock is
 * taken by nobody else for most of the time. */
struct bough_meter {
    pthread_mutex_t lock;
    struct bough_measured *places; /* a uthash table */
    unsigned swept; /* how many there were when places that are gone were left out */
};

void bough_meter_init(struct bough_meter *meter);
void bough_meter_finish(struct bough_meter *meter);

/* How many places it knows, those that are gone and were not left out so far too. */
size_t bough_meter_count(const struct bough_meter *meter);

/* Whether calls are measured. A loop looks when it is entered, too, and then keeps them
 * from the short way, on which nothing is asked about it. */
bool bough_latency_wanted(const struct bough_loop *loop);

/* A call which is about to be posted begins to count. */
void bough_latency_begin(struct bough_call *call, struct bough_address address);

/* call.c: its answer has come, and done() is called. */
void bough_call_tell(struct bough_loop *loop, struct bough_task *task);

#endif
