/* job_internal.h - one run of a program: input in, output out, and its end.
 *
 * A job belongs to an actor and is embedded in its state; it uses the actor's sources and
 * timers. The input is put into a file in memory before the program starts, so that it
 * can be of any length and nothing has to be written later. The output is gathered as it
 * comes. The job is over when the program has ended, or was killed because it took too
 * long or wrote too much; whatever it has started in its process group is killed then,
 * too.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_JOB_INTERNAL_H
#define BOUGH_ACTORS_JOB_INTERNAL_H

#include <bough/actors/taken_internal.h>
#include <bough/core/timer.h>

enum bough_job_verdict {
    BOUGH_JOB_ENDED,     /* by itself: see `end` */
    BOUGH_JOB_TIMED_OUT, /* killed */
    BOUGH_JOB_TOO_LARGE, /* killed */
    BOUGH_JOB_NO_MEMORY  /* killed */
};

enum {
    BOUGH_JOB_COMPLAINT = 1024 /* bytes kept of the last that a program said on stderr */
};

struct bough_job {
    /* The results, valid from done() until the next start or finish. */
    enum bough_job_verdict verdict;
    struct bough_process_end end;
    char *output;
    size_t output_size;
    char complaint[BOUGH_JOB_COMPLAINT]; /* any bytes */
    size_t complaint_size;
    bool complaint_cut; /* it said more, before that */
    int64_t duration_ms;
    void *data; /* the actor's */

    /* private */
    void (*done)(struct bough_actor *actor, struct bough_job *job);
    struct bough_process process;
    struct bough_source ended, output_source, complaint_source;
    struct bough_timer timer;
    struct bough_taken taken;
    size_t capacity, max_output;
    int output_fd, complaint_fd; /* -1: closed */
    bool running;
};

struct bough_job_spec {
    const char *const *argv;
    const void *input;
    size_t input_size;
    int64_t timeout_ms; /* BOUGH_FOREVER: none */
    size_t max_output;  /* bytes */
    /* How the program is run: in what environment, as whom; NULL: as this process. Its
     * argv and descriptors are not used. */
    const struct bough_spawn_options *ways;
    int announce_fd; /* see spawn.h; 0: none */
    void (*done)(struct bough_actor *actor,
                 struct bough_job *job); /* once, not from within start */
};

/* Starts a job that does not run; zeroed memory is fine. Nothing of `spec` is kept.
 * Errors: those of bough_process_spawn(); done() is then not called. */
BOUGH_CHECKED enum bough_status bough_job_start(struct bough_actor *actor,
                                                struct bough_job *job,
                                                const struct bough_job_spec *spec,
                                                struct bough_error *error);

bool bough_job_is_running(const struct bough_job *job);

/* Kills what runs, without done(), and releases all. For the actor's finish(). Fine on
 * zeroed memory. */
void bough_job_finish(struct bough_actor *actor, struct bough_job *job);

#endif
