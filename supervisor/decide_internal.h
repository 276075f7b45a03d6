/* decide_internal.h - what a decider is made of, for the files decide*.c.
 *
 * decide.c           events in, actions out: the two tables
 * decide_store.c     the children known, their numbers and their start order
 * decide_steps.c     what is under way: starts, stops, restarts, the end
 * decide_ends.c      what an end leads to: restart types, policies, backoff
 * decide_requests.c  start, terminate, restart, delete one child
 * decide_change.c    other flags and specs for what runs
 *
 * And for actions.c, which feeds it, and stops.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_DECIDE_INTERNAL_H
#define BOUGH_SUPERVISOR_DECIDE_INTERNAL_H

#include <bough/core/assert.h>
#include <bough/supervisor/decide.h>
#include <bough/supervisor/window_internal.h>

enum bough_decide_phase {
    BOUGH_PHASE_NEW,            /* before BEGIN */
    BOUGH_PHASE_STARTING,       /* the first start of all */
    BOUGH_PHASE_RUNNING,        /* nothing under way */
    BOUGH_PHASE_GROUP_STOPPING, /* a restart: first those that live are stopped */
    BOUGH_PHASE_GROUP_STARTING, /* a restart: then all are started */
    BOUGH_PHASE_ASKED_STARTING, /* a request: one is started */
    BOUGH_PHASE_ASKED_STOPPING, /* a request: one is stopped */
    BOUGH_PHASE_ENDING,         /* all are stopped, for good */
    BOUGH_PHASE_ENDED,
    BOUGH_PHASE_COUNT
};

/* What a child's end leads to, when its turn comes. */
enum bough_decide_verdict {
    BOUGH_VERDICT_OVER, /* nothing, but the rule of auto_shutdown */
    BOUGH_VERDICT_RESTART,
    BOUGH_VERDICT_UNCOUNTED,
    BOUGH_VERDICT_ESCALATE,
};

/* What few children have: one block, NULL for the others. */
struct bough_decider_extras {
    struct bough_backoff backoff; /* filled; min_ms 0: none */
    double wait_ms;               /* of the last wait, before jitter; 0: none yet */
    int64_t waited_ms;            /* of the last wait */
    int64_t up_ms;                /* when it came up last */
    int64_t start_timeout_ms;
    bool limited; /* it has a window of its own */
    uint32_t intensity;
    struct bough_window window;
    struct bough_policy *policies;
    size_t policy_count;
    int64_t stamps[]; /* of the window; then the policies */
};

struct bough_decider_child {
    size_t before, after; /* in start order */
    size_t next;          /* in the queue, or among the free numbers */
    uint64_t rank;        /* greater: later in start order */
    int64_t shutdown_ms;
    struct bough_decider_extras *extras;
    uint32_t attempt; /* tries of the restart that is due */
    enum bough_restart restart : 8;
    enum bough_child_state state : 8;
    enum bough_decide_verdict verdict : 8; /* of its last end */
    bool significant;                      /* and there is an auto_shutdown */
    bool killed; /* while STOPPING or STARTING: the last means has been used */
    bool queued;
};

struct bough_decider {
    enum bough_strategy strategy;
    enum bough_auto_shutdown auto_shutdown;
    enum bough_decide_phase phase;
    uint32_t intensity;
    struct bough_window window;
    uint64_t random; /* the generator's state */
    int64_t all_ms;  /* dynamic: the common limit of the end */

    struct bough_decider_child *children;
    size_t count, capacity; /* numbers given, and room for them */
    size_t head, tail;      /* of the start order */
    size_t spare;           /* the first number that can be given again */
    uint64_t ranks;         /* given so far */
    size_t living;          /* children that have a life */
    size_t significant;     /* significant children that are not over */

    /* Ends whose turn has not come, oldest first. */
    size_t queue_first, queue_last;

    /* The start, restart or shutdown under way. */
    size_t from;    /* its first child; BOUGH_NO_CHILD: all are in it */
    bool single;    /* `from` is the only one */
    size_t cursor;  /* the next to start, or to stop; BOUGH_NO_CHILD: that was the last */
    size_t current; /* started or stopped last; BOUGH_NO_CHILD: none yet */
    uint32_t attempt;
    bool all_killed;           /* dynamic, at the end */
    enum bough_decide_end end; /* ENDING */
    size_t culprit;

    /* The request under way: in the phases ASKED_... */
    enum bough_decide_event_kind request;
    size_t asked;

    int64_t now_ms;
    struct bough_decide_actions *actions; /* during bough_decide() */

    int64_t *changed_stamps; /* of the window, once its size was changed; else NULL */
    int64_t stamps[];        /* of the window */
};

/* Actions */

/* bough_decide() of an event that stays where it is: it is read at once after it was
 * written, in other pieces when it is copied, and the processor then waits. */
void bough_decide_about(struct bough_decider *decider,
                        const struct bough_decide_event *about, int64_t now_ms,
                        struct bough_decide_actions *actions);

/* Adds one, which is for the caller to fill in; it is made where it stays. */
static inline struct bough_decide_action *
bough_decide_act_on(struct bough_decider *decider, enum bough_decide_action_kind kind,
                    size_t child)
{
    struct bough_decide_actions *actions = decider->actions;

    bough_assert(actions->count < BOUGH_DECIDE_ACTIONS_MAX);
    struct bough_decide_action *action = &actions->list[actions->count++];
    *action = (struct bough_decide_action){ .kind = kind, .child = child };
    return action;
}

/* Changes of state: each asserts that it is one of those allowed. */

/* Whether the child has a life: asked at each change of a state, twice. */
static inline bool bough_decide_lives(const struct bough_decider_child *child)
{
    const unsigned living = 1u << BOUGH_CHILD_STARTING | 1u << BOUGH_CHILD_RUNNING |
                            1u << BOUGH_CHILD_STOPPING;

    return (living >> child->state & 1) != 0;
}

/* OTP's "its pid is not undefined": it runs, or is to run again. */
static inline bool bough_decide_present(const struct bough_decider_child *child)
{
    const unsigned absent = 1u << BOUGH_CHILD_DOWN | 1u << BOUGH_CHILD_FORGOTTEN;

    return (absent >> child->state & 1) == 0;
}

/* Which phases may follow a phase: a bit for each. */
extern const unsigned bough_decide_next_phases[BOUGH_PHASE_COUNT];

static inline void bough_decide_set_phase(struct bough_decider *decider,
                                          enum bough_decide_phase phase)
{
    bough_assert(bough_decide_next_phases[decider->phase] & 1u << phase);
    decider->phase = phase;
}

/* Which states may follow a state: a bit for each. */
extern const unsigned bough_decide_successors[BOUGH_CHILD_STATE_COUNT];

/* Five in a restart, of which the compiler knows the new state: no call. */
static inline void bough_decide_set_state(struct bough_decider *decider, size_t i,
                                          enum bough_child_state state)
{
    struct bough_decider_child *child = &decider->children[i];

    const size_t lived = bough_decide_lives(child);
    const size_t was_present = bough_decide_present(child);

    bough_assert(bough_decide_successors[child->state] & 1u << state);
    child->state = state;
    decider->living += (size_t)bough_decide_lives(child) - lived;
    if (child->significant)
        decider->significant += (size_t)bough_decide_present(child) - was_present;
}

/* The child is over: DOWN and known, or forgotten, as its spec wants. */
void bough_decide_settle(struct bough_decider *decider, size_t i);
void bough_decide_forget(struct bough_decider *decider, size_t i);

/* Stays known only when it is neither temporary nor made by request. */
void bough_decide_dismiss(struct bough_decider *decider, size_t i);

/* Store */

/* In start order: to its end, or out of it. */
void bough_decide_link_last(struct bough_decider *decider, size_t i);
void bough_decide_unlink(struct bough_decider *decider, size_t i);

/* What few children have; NULL for the others. */
BOUGH_CHECKED enum bough_status
bough_decide_new_extras(const struct bough_child_spec *spec,
                        struct bough_decider_extras **extras);

/* Gives the number of a forgotten child back. */
void bough_decide_release(struct bough_decider *decider, size_t i);

/* bough_decider_idle() and bough_decider_ending(), asked after each event. */
static inline bool bough_decide_is_idle(const struct bough_decider *decider)
{
    return decider->phase == BOUGH_PHASE_RUNNING;
}

static inline bool bough_decide_is_ending(const struct bough_decider *decider)
{
    return decider->phase == BOUGH_PHASE_ENDING || decider->phase == BOUGH_PHASE_ENDED;
}

/* The queue of ends */

/* The end of a child that is to be restarted waits for its turn: it is WAITING. */
void bough_decide_await_turn(struct bough_decider *decider, size_t i);

/* The end of a significant child waits for its turn: to be asked for auto_shutdown. */
void bough_decide_await_trigger(struct bough_decider *decider, size_t i);

/* Takes out the oldest; a restart's child is DOWN then. */
size_t bough_decide_queue_pop(struct bough_decider *decider);

/* Takes out all ends of the group under way. */
void bough_decide_queue_clean(struct bough_decider *decider);

/* Steps */

/* Whether the child belongs to what is under way. */
bool bough_decide_in_group(const struct bough_decider *decider, size_t i);

/* Starts all, one after another. */
void bough_decide_begin(struct bough_decider *decider);

/* Asks a child to start, or to end. */
void bough_decide_start(struct bough_decider *decider, size_t i);
void bough_decide_stop(struct bough_decider *decider, size_t i);

/* Reports that a limit is passed, and ends. */
void bough_decide_give_up(struct bough_decider *decider, size_t i,
                          enum bough_decide_why why, uint32_t restarts);

/* Stops all, for good. */
void bough_decide_end_all(struct bough_decider *decider, enum bough_decide_end end,
                          size_t culprit);

/* How each phase goes on with what is under way. True: another phase has begun. */
extern bool (*const bough_decide_steps[BOUGH_PHASE_COUNT])(struct bough_decider *);

/* Goes on until something must be waited for. */
static inline void bough_decide_go_on(struct bough_decider *decider)
{
    while (bough_decide_steps[decider->phase](decider))
        continue;
}

/* Ends */

/* A child that ran has ended by itself: OTP's decision table, policies first. */
void bough_decide_judge(struct bough_decider *decider, size_t i,
                        const struct bough_exit_reason *reason);

/* A restart of the child has failed. */
void bough_decide_judge_restart(struct bough_decider *decider, size_t i,
                                const struct bough_exit_reason *reason);

/* Requests */

void bough_decide_request(struct bough_decider *decider,
                          enum bough_decide_event_kind kind, size_t i);

/* The child's start or stop under a request is over. */
void bough_decide_asked_start_over(struct bough_decider *decider, size_t i,
                                   enum bough_status status);
void bough_decide_asked_stop_over(struct bough_decider *decider, size_t i);

/* Answers the request under way, if any, as cancelled. */
void bough_decide_request_cancel(struct bough_decider *decider);

#endif
