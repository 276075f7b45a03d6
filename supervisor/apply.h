/* apply.h - a tree that runs becomes another one, or stays what it was.
 *
 * What is done is what bough_plan_new() says (plan.h), by requests to the supervisors,
 * one after another: what goes is stopped, last started first; supervisors get their new
 * settings and children; what comes is started in order, each once the one before is
 * ready. When something does not start, or is not ready in time, all of it is taken back
 * in the same way. What the plan keeps lives on meanwhile, under its rules, and so does a
 * child that is restarted by them. What is sent to the place of a child that is
 * restarted waits for its next life.
 *
 *     static struct bough_apply apply = { .done = tell };
 *
 *     status = bough_apply_start(&apply, loop, root, &options, &error);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_APPLY_H
#define BOUGH_SUPERVISOR_APPLY_H

#include <bough/core/call.h>
#include <bough/supervisor/plan.h>
#include <bough/supervisor/supervisor.h>

enum { BOUGH_APPLY_TIMEOUT = 60000 }; /* ms, when it is not said */

/* Options that mean something else than when a child was started: see plan.h. */
struct bough_apply_contents {
    const char *(*stale)(void *data, const char *path,
                         const struct bough_child_spec *after);
    void *data;
};

/* Embed one for each tree; zeroed, but for the first members. */
struct bough_apply {
    /* The end, once, on the loop, never from inside bough_apply_start(): BOUGH_OK, the
     * tree is the new one. BOUGH_EFAILED, BOUGH_ETIMEOUT (something did not start, or was
     * not ready in time) or what a supervisor answered: it is the old one again, if
     * `went_back`; `text` says why. BOUGH_ECANCELLED: the tree ends, which nothing keeps
     * up. The apply may be started again from inside. */
    void (*done)(struct bough_apply *apply, enum bough_status status);
    /* A step begins. May be NULL. */
    void (*step)(struct bough_apply *apply, enum bough_plan_do what, const char *path);
    /* How long all that is started may take to be ready, in ms, from the first start on;
     * BOUGH_FOREVER is allowed. 0: BOUGH_APPLY_TIMEOUT */
    int64_t timeout_ms;
    struct bough_apply_contents contents; /* zeroes: nothing is known of them */

    /* Until done() has returned */
    const struct bough_plan *plan;
    /* In done(), when it is not BOUGH_OK */
    bool went_back;
    char text[512]; /* why, in a sentence; and what could not be taken back */

    /* private */
    struct bough_call call;
    struct bough_loop *loop;
    struct bough_supervisor_options *before, *after; /* own copies */
    struct bough_apply_job *jobs; /* steps, and those of the way back */
    size_t job_count, next;
    size_t late; /* the plan's child that was not ready in time */
    int64_t until_ms;
    unsigned tries;            /* of the present job */
    bool stops_first, stopped; /* the same */
    bool busy, back, back_fails;
    enum bough_status status;
};

/* What an apply of `options` would do now; `contents` may be NULL. The plan points into
 * `options`, and into the tree, so that it is to be used before the loop goes on. Thread:
 * the loop's, on which the root is. Errors: those of bough_plan_new(); BOUGH_EINVALID
 * (the options); BOUGH_EGONE (no supervisor lives there). */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_apply_plan(struct bough_loop *loop, struct bough_supervisor root,
                 const struct bough_supervisor_options *options,
                 const struct bough_apply_contents *contents, struct bough_plan **plan,
                 struct bough_error *error);

/* Begins; `options`, which are copied, are what the root is to be. The caller keeps
 * `apply` until done() has run or bough_apply_finish() has returned. Thread: as above.
 * Errors, nothing done, done() does not run: as above; BOUGH_ERUNNING (this apply is
 * under way), BOUGH_EREFUSED (the tree is still starting, or stops), BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status bough_apply_start(
    struct bough_apply *apply, struct bough_loop *loop, struct bough_supervisor root,
    const struct bough_supervisor_options *options, struct bough_error *error);

/* Lets it be, half-way, without done(): for the end of a program. Fine on one that is not
 * under way, or zeroed. */
BOUGH_PUBLIC void bough_apply_finish(struct bough_apply *apply);

#endif
