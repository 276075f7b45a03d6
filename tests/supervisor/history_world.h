/* history_world.h - what the files of a history share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_HISTORY_WORLD_H
#define BOUGH_TESTS_SUPERVISOR_HISTORY_WORLD_H

#include <bough/tests/supervisor/history.h>

enum {
    HISTORY_SUPERVISORS = 6, /* in the specs of one tree */
    HISTORY_SPECS = 6,       /* children in the options of one supervisor */
    HISTORY_POLICIES = 2,
};

/* The specs of a random tree; the root's options are the first. */
struct bough_history_tree {
    struct bough_supervisor_options options[HISTORY_SUPERVISORS];
    struct bough_supervisor_options others[HISTORY_SUPERVISORS]; /* to change to */
    struct bough_child_spec children[HISTORY_SUPERVISORS][HISTORY_SPECS];
    struct bough_policy policies[HISTORY_SUPERVISORS][HISTORY_SPECS][HISTORY_POLICIES];
    size_t count;
};

/* 0 to bound - 1. */
uint32_t bough_choose(struct bough_choices *choices, uint32_t bound);

/* Whether there is one more. */
bool bough_choices_left(const struct bough_choices *choices);

void bough_history_tree_choose(struct bough_history_tree *tree,
                               struct bough_choices *choices);

/* The world */

enum {
    NODES = 64, /* supervisors that live at a time */
};

struct bough_history_body {
    const struct bough_child_spec *spec; /* NULL: nobody has the number */
    enum { NO_LIFE, STARTING, UP } life;
    bool stopping, killed;
    bool start_limit, stop_limit; /* a timer runs */
    bool retry;                   /* a retry is due */
    bool settled;                 /* since its last life: nobody is expected there */
    bool changed;                 /* it got another spec, perhaps while a retry was due */
    uint32_t lives;
    struct bough_history_node *below; /* the supervisor that it is, while that lives */
    bool due_ready, due_exit;
    const struct bough_exit_reason *reason; /* of the exit that is due */
};

struct bough_history_node {
    size_t which; /* of the tree's supervisors */
    const struct bough_supervisor_options *options;
    struct bough_decider *decider;
    struct bough_history_body *body; /* in the supervisor above; NULL: the root */
    struct bough_history_body bodies[HISTORY_CHILDREN];
    struct bough_history_trace trace;
    bool begun, ended, asked, all_stopping, all_limit, changed;
};

struct bough_history_world {
    struct bough_history_run *run;
    struct bough_history_tree tree, planted;
    struct bough_history_node *nodes[NODES];
    size_t count;
    int64_t now_ms;
};

enum { AN_ERROR, A_NORMAL, A_SHUTDOWN, A_KILL, A_CODE, A_SIGNAL };
extern const struct bough_exit_reason bough_history_reasons[];

/* Ends the history with a fault. */
_Noreturn void bough_history_fault(struct bough_history_world *world, const char *format,
                                   ...) __attribute__((format(printf, 2, 3)));
void bough_history_demand(struct bough_history_world *world, bool condition,
                          const char *what, size_t child);

/* A life of a supervisor begins; `body` is its in the supervisor above, NULL: the root.
 */
struct bough_history_node *
bough_history_node_new(struct bough_history_world *world,
                       const struct bough_supervisor_options *options,
                       struct bough_history_body *body);
void bough_history_node_free(struct bough_history_world *world,
                             struct bough_history_node *node);

/* Compares all that its decider did with the reference. */
void bough_history_check_trace(struct bough_history_world *world,
                               const struct bough_history_node *node);

/* Tells a decider what happened, notes and does what it wants. `added`: of START_CHILD.
 */
void bough_history_feed_added(struct bough_history_world *world,
                              struct bough_history_node *node,
                              struct bough_decide_event event,
                              const struct bough_child_spec *added);
void bough_history_feed(struct bough_history_world *world,
                        struct bough_history_node *node,
                        enum bough_decide_event_kind kind, size_t child,
                        const struct bough_exit_reason *reason);

/* Gives a supervisor its other flags, or the first again, and every second child the spec
 * of another; the decider must be idle. */
void bough_history_change(struct bough_history_world *world,
                          struct bough_history_node *node);

/* One step, as five choices say. */
void bough_history_step(struct bough_history_world *world);

/* All that is under way goes well; then the root is asked to stop, and all must end. */
void bough_history_go_well(struct bough_history_world *world);

#endif
