/* counter.h - an actor that keeps one running count.
 *
 * The smallest complete actor: read this and counter.c before you write your own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_COUNTER_H
#define BOUGH_ACTORS_COUNTER_H

#include <stdint.h>

#include <bough/core/actor.h>

/* For child specs. Its options are `struct bough_counter_options`. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_counter_type;

/* The handle: a plain value, free to copy, with nothing to release. It never dangles:
 * once its counter is gone, what is sent to it is BOUGH_EGONE. Any address of a counter
 * makes one: (struct bough_counter){ .address = place }. */
struct bough_counter {
    struct bough_address address;
};

struct bough_counter_options {
    int64_t initial; /* the first count, and the one after a reset */
};

/* A question in flight; every message of a counter is answered with the count it leaves.
 * A count that would not fit in 64 bits ends the counter with BOUGH_ERANGE, and the asker
 * is told BOUGH_ECRASHED. */
struct bough_counter_ask {
    struct bough_call call; /* the asker sets .done, and .timeout_ms (0: for ever) */
    int64_t count;          /* the answer, set when done() gets BOUGH_OK */
};

/* Starts a counter on `loop` and stores its handle, which names this life, in `*counter`.
 *
 * `options` is copied, NULL for zeroes. `watch` may be NULL; else the caller keeps it
 * alive until watch->exited() has run: once, on `loop`, after the last message and after
 * the counter's memory is released.
 *
 * Thread: the loop's. Errors: BOUGH_ENOMEM; `watch` is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_counter_spawn(struct bough_loop *loop, const struct bough_counter_options *options,
                    struct bough_watch *watch, struct bough_counter *counter);

/* Adds `amount`, which may be negative. The caller keeps `ask` alive until
 * ask->call.done() has run, once, on its own loop and never from inside this function,
 * with every outcome, BOUGH_EFULL and BOUGH_EGONE included; or until bough_call_cancel()
 * has returned. The same holds for the other three. */
BOUGH_PUBLIC void bough_counter_increment(struct bough_counter counter, int64_t amount,
                                          struct bough_counter_ask *ask);

/* Subtracts `amount`, which may be negative. */
BOUGH_PUBLIC void bough_counter_decrement(struct bough_counter counter, int64_t amount,
                                          struct bough_counter_ask *ask);

/* Changes nothing. */
BOUGH_PUBLIC void bough_counter_get_count(struct bough_counter counter,
                                          struct bough_counter_ask *ask);

/* Goes back to the first count. */
BOUGH_PUBLIC void bough_counter_reset(struct bough_counter counter,
                                      struct bough_counter_ask *ask);

#endif
