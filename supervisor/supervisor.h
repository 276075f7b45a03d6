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

/* The answer to get_child_spec: the whole spec, what was not given included; read it with
 * bough_spec_unpack() (spec_pack.h). Errors: BOUGH_ENOTFOUND. */
struct bough_spec_reply {
    struct bough_span spec;
};

BOUGH_PUBLIC void bough_supervisor_get_child_spec(struct bough_supervisor supervisor,
                                                  const char *name,
                                                  struct bough_call *call);

/* Requests: as OTP's, with its results as statuses. They are done one at a time, in the
 * order in which they come, while nothing else is under way; what comes during a start, a
 * restart or a stop waits for its turn (BOUGH_EFULL when too many do). One that is under
 * way when the supervisor has to end is BOUGH_ECANCELLED, one that still waits is
 * BOUGH_EGONE. What is done by request never counts as a restart, and leads to none.
 * Specs, names and options are copied before the functions return. */

/* The answer to start_child and restart_child. */
struct bough_child_reply {
    struct bough_span path; /* a text */
    int64_t life;           /* 0: it did not want to start now (BOUGH_IGNORE) */
};

/* Makes a child known, last in start order, and starts it; answered when it is ready. The
 * child is lost when this supervisor is restarted. Errors: BOUGH_EINVALID (the spec),
 * BOUGH_ESTARTED or BOUGH_EPRESENT (a child of that name, which runs, or does not),
 * BOUGH_EFAILED (it did not start, and is not kept), BOUGH_EREFUSED (dynamic). */
BOUGH_PUBLIC void bough_supervisor_start_child(struct bough_supervisor supervisor,
                                               const struct bough_child_spec *spec,
                                               struct bough_call *call);

/* The same for a dynamic supervisor: another child from its template. `name` NULL: a
 * number. `options` NULL: the template's; else options of the template's type `type`,
 * whose members that are not zero are laid over the template's. */
BOUGH_PUBLIC void bough_supervisor_start_dynamic(struct bough_supervisor supervisor,
                                                 const char *name,
                                                 const struct bough_actor_type *type,
                                                 const void *options,
                                                 struct bough_call *call);

/* Stops a child; of one that waits to be restarted, gives the restart up; fine when it is
 * down. A temporary child, or one of a dynamic supervisor, is forgotten then. Answered,
 * with nothing, when it is down. Errors: BOUGH_ENOTFOUND. */
BOUGH_PUBLIC void bough_supervisor_terminate_child(struct bough_supervisor supervisor,
                                                   const char *name,
                                                   struct bough_call *call);

/* The same for a child that bough_supervisor_restart_child() is to start again soon: what
 * is sent to its place waits for that, unless it is forgotten. */
BOUGH_PUBLIC void bough_supervisor_pause_child(struct bough_supervisor supervisor,
                                               const char *name, struct bough_call *call);

/* Starts a child that is down. Errors: BOUGH_ERUNNING, BOUGH_ERESTARTING,
 * BOUGH_ENOTFOUND, BOUGH_EFAILED (it did not start, and stays known), BOUGH_EREFUSED
 * (dynamic). */
BOUGH_PUBLIC void bough_supervisor_restart_child(struct bough_supervisor supervisor,
                                                 const char *name,
                                                 struct bough_call *call);

/* Forgets a child that is down; answered with nothing. Errors: as restart_child. */
BOUGH_PUBLIC void bough_supervisor_delete_child(struct bough_supervisor supervisor,
                                                const char *name,
                                                struct bough_call *call);

/* Other flags and children for a supervisor that runs: OTP's code_change. Flags hold at
 * once. Children are matched by name: those that it has live on, and what their specs say
 * holds from their next start, stop or end; new ones are known and not started
 * (restart_child does that); those that are not given any more live on, last in start
 * order. Of a dynamic supervisor the template is changed. When this supervisor is itself
 * restarted, it begins with what it was changed to; when the one above it is, with what
 * that one has for it. Answered with nothing. Errors,
 * nothing changed: BOUGH_EINVALID (flags or a spec), BOUGH_EREFUSED (from or to dynamic),
 * BOUGH_ENOMEM. */
BOUGH_PUBLIC void bough_supervisor_change(struct bough_supervisor supervisor,
                                          const struct bough_supervisor_options *options,
                                          struct bough_call *call);

/* Changes how many members a child with replicas has, until the group is restarted: new
 * ones are started, or those with the highest numbers are stopped; what waits in the
 * mailbox of one that is taken away is told `gone`. Answered when that is done, with
 * struct bough_replicas_reply. Errors: BOUGH_ENOTFOUND, BOUGH_EREFUSED (no group),
 * BOUGH_ERANGE, BOUGH_EFAILED (a new member did not start; those before it stay). */
struct bough_replicas_reply {
    int64_t replicas;
};

BOUGH_PUBLIC void bough_supervisor_set_replicas(struct bough_supervisor supervisor,
                                                const char *name, uint32_t replicas,
                                                struct bough_call *call);

/* The type of the children of the dynamic supervisor at that place; NULL: none is there.
 * Thread: the loop's. */
BOUGH_PUBLIC const struct bough_actor_type *
bough_supervisor_template(struct bough_address place);

#endif
