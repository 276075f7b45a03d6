/* supervision_internal.h - what a supervisor actor knows, and its two halves' meeting
 * point.
 *
 * supervisor.c is the type: how a supervisor begins and ends. children.c does what the
 * decider decides. questions.c answers. All of it runs on the supervisor's loop.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SUPERVISION_INTERNAL_H
#define BOUGH_SUPERVISOR_SUPERVISION_INTERNAL_H

#include <bough/core/timer.h>
#include <bough/supervisor/decide.h>

/* One child: its place is the supervisor's place's, the rest this life's. */
struct bough_supervised {
    const struct bough_child_spec *spec;
    struct bough_address place; /* nobody: not made yet */
    struct bough_watch watch;   /* of its life */
    struct bough_timer
        timer; /* while it stops: its limit; after a failed start: the retry */
    struct bough_exit_reason reason; /* why its last life ended, or did not begin */
    uint64_t cause;                  /* number of the event that told so */
};

/* The state of the type "supervisor". */
struct bough_supervision {
    const struct bough_supervisor_options *options; /* live as long as the place */
    struct bough_decider *decider;
    struct bough_supervised *children; /* as many as the options have */
    struct bough_timer begin;
    bool up;        /* the first start of all is over */
    uint64_t cause; /* number of the event that the present starts follow from */
    struct bough_exit_reason end; /* once it gave up */
};

/* Makes the children's places. Errors: those of bough_place_new(), with bough_fail()
 * said. */
BOUGH_CHECKED enum bough_status bough_supervision_furnish(struct bough_actor *actor);

/* Tells the decider what happened, and does what it decides. */
void bough_supervision_feed(struct bough_actor *actor, struct bough_decide_event event);

/* Leaves the children's places, all empty, with what waits in them: whoever settles the
 * place of this supervisor for good settles them too. */
void bough_supervision_leave(struct bough_actor *actor);

/* Messages */

enum { BOUGH_SUPERVISOR_MESSAGE_COUNT = 2 };
extern const struct bough_message_type
    bough_supervisor_messages[BOUGH_SUPERVISOR_MESSAGE_COUNT];

struct bough_supervisor_message {
    enum { BOUGH_WHICH_CHILDREN, BOUGH_COUNT_CHILDREN } kind;
};

void bough_supervisor_run(struct bough_actor *actor, const void *message, size_t size);

/* bough_supervisor_check() without what is below its children. */
BOUGH_CHECKED enum bough_status
bough_supervisor_check_flat(const struct bough_supervisor_options *options,
                            struct bough_error *error);

#endif
