/* worker.h - an actor that runs a program for each job that it is given.
 *
 * A job's input is the program's stdin, what it writes to stdout is the job's output. One
 * job runs at a time; the others wait in the mailbox. A job that fails (the program
 * cannot be started, ends with another code than 0 or by a signal, takes too long, writes
 * too much) is an answer like any other: BOUGH_EFAILED or BOUGH_ETIMEOUT, with a
 * sentence.
 *
 * A worker that is stopped lets its job end first. No program outlives its worker: when
 * the worker ends otherwise, the program and its process group are killed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_WORKER_H
#define BOUGH_ACTORS_WORKER_H

#include <stdint.h>

#include <bough/core/actor.h>

/* For child specs. Its options are `struct bough_worker_options`. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_worker_type;

/* The handle: a plain value. Any address of a worker makes one. */
struct bough_worker {
    struct bough_address address;
};

enum bough_worker_on_failure {
    BOUGH_WORKER_ANSWER, /* a failed job is answered, and that is all */
    BOUGH_WORKER_EXIT    /* and it ends this life, too */
};

struct bough_worker_options {
    const char *const *run; /* the program and its arguments; ends with NULL */
    int64_t timeout_ms;     /* for one job; 0: 60,000; BOUGH_FOREVER: none */
    int64_t max_output;     /* bytes that a job may write; 0: 1 MiB */
    const char
        *logger;      /* the path of a logger for what jobs do; NULL: the runtime's log */
    int on_failure;   /* enum bough_worker_on_failure */
    int64_t every_ms; /* gives itself a job at this interval; 0: never */
    const char *every_input; /* that job's input; NULL: none */
};

enum { BOUGH_WORK_ID_MAX = 255 }; /* bytes */

/* A job being asked for. */
struct bough_worker_ask {
    struct bough_call call; /* the asker sets .done, and .timeout_ms (0: for ever) */
};

/* The answer to a job, as bough_worker_read() finds it. */
struct bough_worker_answer {
    const char *work_id;
    int64_t status; /* the exit code, 0 */
    const void *output;
    size_t output_size; /* bytes */
    int64_t duration_ms;
};

/* Starts a worker on `loop`; the handle names this life. `options` is copied. `watch` may
 * be NULL, as with bough_spawn(). Thread: the loop's, which must outlive the worker's
 * programs. Errors: BOUGH_ENOMEM, BOUGH_ENOTFOUND and BOUGH_EDENIED (the program),
 * BOUGH_EINVALID (no program, a bad path); `failure` (may be NULL) says why, and `watch`
 * is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_worker_spawn(struct bough_loop *loop, const struct bough_worker_options *options,
                   struct bough_watch *watch, struct bough_worker *worker,
                   struct bough_exit_reason *failure);

/* Asks for a job. `work_id` names it, in the answer and in the log. The input is copied;
 * it may be of any bytes. `timeout_ms` 0 is the worker's own. The caller keeps `ask`
 * alive until ask->call.done() has run, with every outcome, or bough_call_cancel() has
 * returned (the job may still run). */
BOUGH_PUBLIC void bough_worker_do_work(struct bough_worker worker, const char *work_id,
                                       const void *input, size_t input_size,
                                       int64_t timeout_ms, struct bough_worker_ask *ask);

/* In done() with BOUGH_OK: the answer, valid until done() returns. */
BOUGH_PUBLIC struct bough_worker_answer
bough_worker_read(const struct bough_worker_ask *ask);

#endif
