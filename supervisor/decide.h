/* decide.h - the rules of supervision: what happened, and what to do about it.
 *
 * A decider is OTP's supervisor without anything to supervise: an event and the time go
 * in, actions come out. It knows no loop, no actor and no clock, and allocates nothing
 * while deciding; so the same rules run under the supervisor actor, in a simulation and
 * in tests.
 *
 * Who owns it feeds BOUGH_ON_BEGIN once, then tells what became of each action, and does
 * the actions in their order. It is sequential: one start waits for its outcome, or one
 * stop for its end, and what happens meanwhile is noted and has its turn later. An action
 * START is always the last of its batch, so an outcome known at once can be the next
 * event.
 *
 * Children are numbered in start order, from 0, and keep their numbers.
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
    BOUGH_ON_START_FAILED, /* `child` could not start */
    BOUGH_ON_EXITED, /* `child` has ended, `good` or not; before READY: START_FAILED */
    BOUGH_ON_RETRY,  /* the time to try `child` again; stale ones are fine */
    BOUGH_ON_STOP_TIMEOUT, /* `child` took longer than its limit; stale ones are fine */
    BOUGH_DECIDE_EVENT_COUNT
};

struct bough_decide_event {
    enum bough_decide_event_kind kind;
    size_t child;
    bool good; /* EXITED: by a reason that bough_exit_good() */
};

enum bough_decide_action_kind {
    BOUGH_DO_START, /* start a life; then READY, IGNORED, START_FAILED or EXITED */
    BOUGH_DO_STOP,  /* ask it to end; STOP_TIMEOUT after `limit_ms`, unless BOUGH_FOREVER
                     */
    BOUGH_DO_KILL,  /* end it without asking */
    BOUGH_DO_RETRY, /* feed RETRY after `limit_ms`, but never from inside this batch */
    BOUGH_DO_RESTART, /* report: a restart of `child` begins; `attempt`, `restarts` */
    BOUGH_DO_SETTLE,  /* `child` is over and stays known: nobody is expected there */
    BOUGH_DO_REMOVE,  /* `child` is over and is to be forgotten */
    BOUGH_DO_READY,   /* all children have been started */
    BOUGH_DO_GIVE_UP, /* report: `child` has passed the limit, with `restarts` */
    BOUGH_DO_END,     /* no child is alive and none will be: end, for the reason `end` */
    BOUGH_DECIDE_ACTION_COUNT
};

enum bough_decide_end {
    BOUGH_END_ASKED,   /* it was asked to */
    BOUGH_END_FAILED,  /* `child` failed in the first start */
    BOUGH_END_GAVE_UP, /* `child` passed the limit */
};

struct bough_decide_action {
    enum bough_decide_action_kind kind;
    size_t child;
    int64_t limit_ms;  /* STOP, RETRY */
    uint32_t attempt;  /* RESTART: 1 for the first try after an end, then 2 ... */
    uint32_t restarts; /* RESTART, GIVE_UP: in the period, this one included */
    enum bough_decide_end end;
};

/* What one event can lead to is bounded, so that deciding needs no allocation. */
enum { BOUGH_DECIDE_ACTIONS_MAX = 8 };

struct bough_decide_actions {
    struct bough_decide_action list[BOUGH_DECIDE_ACTIONS_MAX];
    size_t count;
};

enum bough_child_state {
    BOUGH_CHILD_DOWN,     /* no life, and no restart of its own due */
    BOUGH_CHILD_STARTING, /* asked to start */
    BOUGH_CHILD_RUNNING,
    BOUGH_CHILD_STOPPING, /* asked to end, or killed */
    BOUGH_CHILD_WAITING,  /* ended; its restart waits for its turn */
    BOUGH_CHILD_RETRYING, /* a restart failed; waits for RETRY (OTP: `restarting`) */
    BOUGH_CHILD_FORGOTTEN,
    BOUGH_CHILD_STATE_COUNT
};

struct bough_decider;

/* Takes flags and children from `options`, which bough_supervisor_check() has accepted
 * and which need not outlive this call. NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_decider *
bough_decider_new(const struct bough_supervisor_options *options);
BOUGH_PUBLIC void bough_decider_free(struct bough_decider *decider);

/* What to do about an event at `now_ms`, which never goes back. */
BOUGH_PUBLIC void bough_decide(struct bough_decider *decider,
                               struct bough_decide_event event, int64_t now_ms,
                               struct bough_decide_actions *actions);

/* Whether that event can happen now; bough_decide() asserts it. */
BOUGH_PUBLIC bool bough_decide_expects(const struct bough_decider *decider,
                                       struct bough_decide_event event);

/* Whether nothing is under way: all started, none being restarted, not ending. */
BOUGH_PUBLIC bool bough_decider_idle(const struct bough_decider *decider);

/* Whether it is on its way to BOUGH_DO_END, or there. */
BOUGH_PUBLIC bool bough_decider_ending(const struct bough_decider *decider);

BOUGH_PUBLIC enum bough_child_state
bough_decider_child(const struct bough_decider *decider, size_t child);

#endif
