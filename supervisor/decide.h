/* decide.h - the rules of supervision: what happened, and what to do about it.
 *
 * A decider is OTP's supervisor without anything to supervise: an event and the time go
 * in, actions come out. It knows no loop, no actor and no clock, and allocates nothing
 * while deciding; so the same rules run under the supervisor actor, in a simulation and
 * in tests.
 *
 * Who owns it feeds BOUGH_ON_BEGIN once, then tells what became of each action, and does
 * the actions in their order. It is sequential: one start waits for its outcome, or one
 * stop for its end, and what happens meanwhile is noted and has its turn later. (Children
 * of a dynamic supervisor are the exception, as in OTP: at its end all are asked at once,
 * under one limit.) An action START is always the last of its batch, so an outcome known
 * at once can be the next event.
 *
 * Requests (OTP: start_child, terminate_child, restart_child, delete_child) are events,
 * too: fed only while bough_decider_idle(), each answered by exactly one action ANSWER,
 * at once or when its start or stop is over. It comes before the child is settled or
 * removed, and is BOUGH_ECANCELLED when STOP comes first. Before START_CHILD the child is
 * made known by bough_decider_add(), the one function besides new that allocates.
 *
 * Beyond OTP: a backoff begins to wait when the child ends, with RETRY; its restart is
 * reported, and counts, when RETRY has come back. The siblings run on meanwhile, whatever
 * the strategy. A policy judges an end by itself and a failed restart, never a first
 * start nor one by request.
 *
 * Children are numbered from 0. A number is kept until REMOVE, and may then be given to
 * another child by bough_decider_add(), with which no timer of the first may meet. Start
 * order is the order in which they were added.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_DECIDE_H
#define BOUGH_SUPERVISOR_DECIDE_H

#include <bough/supervisor/spec.h>

enum bough_decide_event_kind {
    BOUGH_ON_BEGIN,        /* start the children */
    BOUGH_ON_STOP,         /* the supervisor is asked to end */
    BOUGH_ON_READY,        /* `child` is up */
    BOUGH_ON_IGNORED,      /* `child` did not want to start, and that is no error */
    BOUGH_ON_START_FAILED, /* `child` could not start, for `reason` */
    BOUGH_ON_EXITED, /* `child` has ended, for `reason`; before READY: START_FAILED */
    BOUGH_ON_RETRY,  /* the time to try `child` again; stale ones are fine */
    BOUGH_ON_STOP_TIMEOUT,  /* `child` took longer than its limit; stale ones are fine */
    BOUGH_ON_START_TIMEOUT, /* `child` was not ready in time; stale ones are fine */
    BOUGH_ON_ALL_TIMEOUT, /* dynamic: the common limit of STOP_ALL; stale ones are fine */

    /* Requests, while idle; then one ANSWER. */
    BOUGH_ON_START_CHILD,     /* `child` was just added: start it */
    BOUGH_ON_TERMINATE_CHILD, /* stop it; also cancels its retry. Temporary: REMOVE */
    BOUGH_ON_RESTART_CHILD,   /* start it, when it is down */
    BOUGH_ON_DELETE_CHILD,    /* forget it, when it is down */
    BOUGH_DECIDE_EVENT_COUNT
};

struct bough_decide_event {
    enum bough_decide_event_kind kind;
    size_t child;
    const struct bough_exit_reason *reason; /* EXITED, START_FAILED; else NULL */
};

enum bough_decide_action_kind {
    /* Start a life; then READY, IGNORED, START_FAILED or EXITED. START_TIMEOUT after
     * `limit_ms`, unless BOUGH_FOREVER. */
    BOUGH_DO_START,
    /* Ask it to end; STOP_TIMEOUT after `limit_ms`, unless BOUGH_FOREVER. */
    BOUGH_DO_STOP,
    BOUGH_DO_KILL, /* end it without asking */
    /* Dynamic: ask every child that lives (with BOUGH_SHUTDOWN_BRUTAL_KILL: kill it);
     * ALL_TIMEOUT after `limit_ms`, unless BOUGH_FOREVER or killed. */
    BOUGH_DO_STOP_ALL,
    BOUGH_DO_KILL_ALL, /* dynamic: end all that still live */
    /* Feed RETRY after `limit_ms`, but never from inside this batch. When that is above 0
     * it is a backoff: `attempt` will begin then. */
    BOUGH_DO_RETRY,
    /* Report: a restart of `child` begins; `attempt`, `restarts`, `limit_ms`: how long it
     * has waited. */
    BOUGH_DO_RESTART,
    BOUGH_DO_SETTLE, /* `child` is over and stays known: nobody is expected there */
    /* The same for every child that is DOWN now: what would have started them again has
     * been cancelled. */
    BOUGH_DO_SETTLE_DOWN,
    BOUGH_DO_REMOVE, /* `child` is over and is to be forgotten */
    BOUGH_DO_READY,  /* all children have been started */
    /* Report: `child` has passed a limit with `restarts`, or a policy says so: `why`. */
    BOUGH_DO_GIVE_UP,
    /* Report: the end of significant `child`, perhaps removed already, ends the
     * supervisor. */
    BOUGH_DO_AUTO_SHUTDOWN,
    BOUGH_DO_ANSWER, /* the request about `child` is over, with `status` */
    BOUGH_DO_END,    /* no child is alive and none will be: end, for the reason `end` */
    BOUGH_DECIDE_ACTION_COUNT
};

enum bough_decide_end {
    BOUGH_END_ASKED,         /* it was asked to */
    BOUGH_END_FAILED,        /* `child` failed in the first start */
    BOUGH_END_GAVE_UP,       /* `child` passed the limit */
    BOUGH_END_AUTO_SHUTDOWN, /* significant `child` ended */
};

enum bough_decide_why {
    BOUGH_WHY_LIMIT,     /* the supervisor's intensity */
    BOUGH_WHY_OWN_LIMIT, /* the child's own intensity */
    BOUGH_WHY_POLICY,    /* its policy says escalate */
};

struct bough_decide_action {
    enum bough_decide_action_kind kind;
    size_t child;
    int64_t limit_ms;          /* START, STOP, STOP_ALL, RETRY, RESTART */
    uint32_t attempt;          /* RETRY, RESTART, GIVE_UP: 1 for the first after an end */
    uint32_t restarts;         /* RESTART, GIVE_UP: in the period, this one included */
    enum bough_decide_end end; /* END */
    enum bough_decide_why why; /* GIVE_UP */
    /* ANSWER: BOUGH_OK, BOUGH_ERUNNING, BOUGH_ERESTARTING, BOUGH_EFAILED (did not start),
     * BOUGH_IGNORE, BOUGH_ECANCELLED. */
    enum bough_status status;
};

/* What one event can lead to is bounded, so that deciding needs no allocation. */
enum { BOUGH_DECIDE_ACTIONS_MAX = 10 };

struct bough_decide_actions {
    struct bough_decide_action list[BOUGH_DECIDE_ACTIONS_MAX];
    size_t count;
};

enum bough_child_state {
    BOUGH_CHILD_DOWN,     /* no life, and no restart of its own due */
    BOUGH_CHILD_STARTING, /* asked to start */
    BOUGH_CHILD_RUNNING,
    BOUGH_CHILD_STOPPING, /* asked to end, or killed */
    BOUGH_CHILD_WAITING,  /* ended; what follows from that waits for its turn */
    BOUGH_CHILD_RETRYING, /* waits for RETRY: OTP's `restarting`, or a backoff */
    BOUGH_CHILD_FORGOTTEN,
    BOUGH_CHILD_STATE_COUNT
};

struct bough_decider;

/* Takes flags and children from `options`, which bough_supervisor_check() has accepted
 * and which need not outlive this call (policies are copied). A dynamic supervisor begins
 * without children, and takes the common limit of its end from the template. `seed` is
 * for the jitter of backoffs. NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_decider *
bough_decider_new(const struct bough_supervisor_options *options, uint64_t seed);
BOUGH_PUBLIC void bough_decider_free(struct bough_decider *decider);

/* Makes a child known, last in start order, DOWN. Of a dynamic supervisor `spec` is the
 * template. Stores its number. Before BEGIN or while idle only. Errors, nothing changed:
 * BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_decider_add(struct bough_decider *decider, const struct bough_child_spec *spec,
                  size_t *child);

struct bough_decide_spec {
    size_t child;
    struct bough_child_spec spec;
};

/* Other flags, and other specs for children known (OTP's code_change): strategy, limits
 * and auto_shutdown at once, what is in a spec from the child's next start, stop or end.
 * Those given come first in start order, in the order given, then the others as they
 * were. Restarts so far are counted against the new limit. A retry that is due follows
 * the new strategy and order, so whoever was to be started with it may not be: afterwards
 * nobody is expected at any child that is DOWN and not bough_decider_awaits(). Not from
 * or to BOUGH_DYNAMIC; of a dynamic supervisor flags->children[0] is the template. While
 * idle only. Errors, nothing changed: BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_decider_change(struct bough_decider *decider,
                     const struct bough_supervisor_options *flags,
                     const struct bough_decide_spec *specs, size_t count);

/* What to do about an event at `now_ms`, which never goes back. */
BOUGH_PUBLIC void bough_decide(struct bough_decider *decider,
                               struct bough_decide_event event, int64_t now_ms,
                               struct bough_decide_actions *actions);

/* Whether that event can happen now; bough_decide() asserts it. */
BOUGH_PUBLIC bool bough_decide_expects(const struct bough_decider *decider,
                                       struct bough_decide_event event);

/* Whether nothing is under way: all started, none being restarted, not ending. A retry
 * that is waited for is nothing under way: OTP's supervisor serves requests meanwhile. */
BOUGH_PUBLIC bool bough_decider_idle(const struct bough_decider *decider);

/* Whether it is on its way to BOUGH_DO_END, or there. */
BOUGH_PUBLIC bool bough_decider_ending(const struct bough_decider *decider);

BOUGH_PUBLIC enum bough_child_state
bough_decider_child(const struct bough_decider *decider, size_t child);

/* Whether a retry that is due would start this child, which is DOWN, with its group. */
BOUGH_PUBLIC bool bough_decider_awaits(const struct bough_decider *decider, size_t child);

/* Numbers given so far: 0 to count - 1, those FORGOTTEN included. */
BOUGH_PUBLIC size_t bough_decider_count(const struct bough_decider *decider);

/* The child after `child` in start order; BOUGH_NO_CHILD: the first, or there is none. */
#define BOUGH_NO_CHILD SIZE_MAX
BOUGH_PUBLIC size_t bough_decider_next(const struct bough_decider *decider, size_t child);

#endif
