/* reload.h - the tree that runs becomes what a file says: plan, apply, SIGHUP.
 *
 * One for each program. A plan is answered at once; an apply goes on whether its client
 * waits or not, and only one is under way at a time. What comes of it is an event at "/"
 * (`applied`, `apply_failed`), and lines in the log. Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_RELOAD_H
#define BOUGH_TOOLS_BOUGH_RELOAD_H

#include <bough/core/actor.h>

struct bough_event;
struct bough_own_keys;
struct bough_reload;
struct bough_request;
struct bough_supervisor_options;

struct bough_reload_options {
    struct bough_loop *loop;
    const struct bough_actor_type *const *types;
    const char *name;                            /* the tree's, which it keeps */
    const char *file;                            /* from which it was started */
    const char *log;                             /* the path of its logger, or NULL */
    const struct bough_supervisor_options *tree; /* which is started; not kept */
    struct bough_own_keys *own; /* the keys of the root that the program acts on */
    /* Reports go to another logger from now on; NULL: to none. */
    void (*set_log)(void *data, const char *path);
    void *data;
};

/* Texts are copied. NULL when memory is out. */
struct bough_reload *bough_reload_new(const struct bough_reload_options *options);

/* An apply that is under way is let be. NULL is fine. */
void bough_reload_free(struct bough_reload *reload);

/* Hears of all events of the tree. NULL is fine. */
void bough_reload_note(struct bough_reload *reload, const struct bough_event *event);

/* Applies the file from which the tree was started, as it is now. */
void bough_reload_file(struct bough_reload *reload);

/* POST /v1/plan and /v1/apply. */
void bough_reload_plan(struct bough_request *request);
void bough_reload_apply(struct bough_request *request);

/* The request no longer waits for its apply. Fine on one that does not. */
void bough_reload_leave(struct bough_request *request);

#endif
