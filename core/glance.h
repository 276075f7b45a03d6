/* glance.h - what a loop does at this moment, looked at from another thread.
 *
 * For who watches over actors that share this process: nothing is asked of the loop,
 * which may be stuck, and a message costs not one instruction more. What is seen is a
 * guess of one moment; two that are the same, some time apart, are one handler that has
 * run all the time between.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_GLANCE_H
#define BOUGH_CORE_GLANCE_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <bough/core/address.h>

/* The one signal that threads of Bough do not block, beside those of faults: who wants to
 * see where such a thread is may install a handler, and send it. Nobody does by itself.
 */
#define BOUGH_GLANCE_SIGNAL (SIGRTMAX - 2)

struct bough_glance {
    bool runs; /* a handler of who lives there */
    uint32_t life;
    const void *owner; /* says which thread runs the loop: another one, another value */
    bool threaded;     /* it is one of Bough's: */
    pthread_t thread;
    /* private: each handler has others */
    const void *message;
    int64_t looked_ns;
    uint64_t beat;
    uint32_t look_in;
};

/* Of the place, or of that life alone. False: it is gone. Thread: any, as long as the
 * runtime is there. */
BOUGH_PUBLIC bool bough_glance(struct bough_address place, struct bough_glance *glance);

/* What `owner` is for loops of this thread. */
BOUGH_PUBLIC const void *bough_this_thread(void);

/* Whether the same handler was running both times. */
BOUGH_PUBLIC bool bough_glance_same(const struct bough_glance *first,
                                    const struct bough_glance *second);

/* As bough_loop_now_ms(), for who is on no loop. Thread: any. */
struct bough_runtime;
BOUGH_PUBLIC int64_t bough_runtime_now_ms(const struct bough_runtime *runtime);

/* Whether time moves only by bough_loop_advance(). */
BOUGH_PUBLIC bool bough_runtime_is_virtual(const struct bough_runtime *runtime);

/* What status shows of a place: that who lives there is stuck. Thread: any. */
BOUGH_PUBLIC void bough_show_stuck(struct bough_address place, bool stuck);

#endif
