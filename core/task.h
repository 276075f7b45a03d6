/* task.h - what a loop still has to do, and when: parts that public structs embed.
 *
 * The members are for core alone; they are visible only so that a call, a watch, a timer
 * or a source can be embedded without an allocation.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_TASK_H
#define BOUGH_CORE_TASK_H

#include <stdint.h>

struct bough_actor;
struct bough_loop;

/* Something to run once, in order: an actor's turn, an answer, a watch that fires. */
struct bough_task {
    /* private */
    struct bough_task *next, **link; /* link NULL: not queued */
    void (*run)(struct bough_loop *loop, struct bough_task *task); /* NULL: a turn */
};

/* Something to run at a time: a deadline or a timer. */
struct bough_timeout {
    /* private */
    struct bough_timeout *next, **link; /* link NULL: not armed */
    int64_t at_ms;
    void (*expired)(struct bough_loop *loop, struct bough_timeout *timeout);
};

/* Something that belongs to a life and is taken back when that ends. */
struct bough_owned {
    /* private */
    struct bough_owned *next, **link; /* link NULL: nobody's */
    void (*release)(struct bough_owned *owned);
};

#endif
