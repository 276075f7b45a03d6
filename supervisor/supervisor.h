/* supervisor.h - an actor that keeps other actors alive, by OTP's rules.
 *
 * The type "supervisor" with its options in spec.h: used as the root of a tree, as a
 * child of another supervisor, from C and from JSON alike. It is ready when all its
 * children are; when one cannot start, those that had started are stopped in reverse and
 * it fails, saying which. It never blocks its loop: to the observer it is sequential, one
 * start or stop at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SUPERVISOR_H
#define BOUGH_SUPERVISOR_SUPERVISOR_H

#include <bough/supervisor/spec.h>

BOUGH_PUBLIC extern const struct bough_actor_type bough_supervisor_type;

/* A handle, as every type has one. */
struct bough_supervisor {
    struct bough_address address;
};

/* Starts a tree: a place "/" and the supervisor in it. Its children come up one after
 * another while the loop runs; `watch` tells: ready() when all are, exited() once when
 * the tree is down, with the reason (`shutdown`, or an error that names the child that
 * could not start, or `shutdown` with a text when it gave up). The place stays until
 * bough_place_free(), or the runtime's end. `options` is copied, whole. Errors:
 * BOUGH_EINVALID, BOUGH_ENOMEM, BOUGH_ERUNNING when the runtime has a tree; the watch is
 * then never called. Thread: the loop's. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_supervisor_start(struct bough_loop *loop,
                       const struct bough_supervisor_options *options,
                       struct bough_watch *watch, struct bough_supervisor *supervisor,
                       struct bough_error *error);

/* Stops it in order, children in reverse; the watch tells when it is over. */
BOUGH_PUBLIC void bough_supervisor_stop(struct bough_supervisor supervisor);

/* Questions; `call` as in core/call.h. The answers are flat blocks, valid during done().
 */

/* One child in the answer to which_children, last started first. */
struct bough_child_row {
    struct bough_span name, type; /* texts */
    int state;                    /* enum bough_place_state */
    int64_t life;
};

struct bough_children_reply {
    struct bough_span children; /* a list of struct bough_child_row */
};

BOUGH_PUBLIC void bough_supervisor_which_children(struct bough_supervisor supervisor,
                                                  struct bough_call *call);

struct bough_child_counts {
    int64_t specs, active, supervisors, workers;
};

struct bough_supervisor_count_ask {
    struct bough_call call;
    struct bough_child_counts counts; /* set when done() gets BOUGH_OK */
};

BOUGH_PUBLIC void bough_supervisor_count_children(struct bough_supervisor supervisor,
                                                  struct bough_supervisor_count_ask *ask);

#endif
