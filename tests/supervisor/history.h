/* history.h - random histories of supervisors, and what must hold in each.
 *
 * history.c    a tree of supervisors and children to whom things happen, as a list of
 *              choices says; it keeps books and writes down what each decider did
 * reference.c  OTP's supervisor once more, as blocking code in the manner of
 *              supervisor.erl, which reads what happened and says what is to be done
 * shrink.c     the same fault in fewer choices
 *
 * A history is its list of choices: the same list is the same history. A choice of 0 is
 * the quiet one, and where the list ends all goes well until the tree has ended; so a
 * list can be cut anywhere, which is what makes shrinking easy.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_HISTORY_H
#define BOUGH_TESTS_SUPERVISOR_HISTORY_H

#include <bough/supervisor/decide.h>

enum {
    HISTORY_CHILDREN = 12, /* numbers in one supervisor */
    HISTORY_FAULT = 256,
};

/* One event that a decider was fed, and what came of it. */
struct bough_history_entry {
    struct bough_decide_event event;
    int64_t now_ms;
    const struct bough_child_spec *added; /* START_CHILD: what was added */
    /* Not an event, but other flags, and other specs for some: `event` says nothing. */
    const struct bough_supervisor_options *changed;
    size_t given; /* how many got a spec, in the order given */
    uint8_t given_to[HISTORY_CHILDREN];
    const struct bough_child_spec *given_specs[HISTORY_CHILDREN];
    struct bough_decide_actions actions;
    bool idle; /* afterwards; then also who is known, in start order, and its state */
    size_t known;
    uint8_t order[HISTORY_CHILDREN];
    uint8_t states[HISTORY_CHILDREN];
};

/* All that one life of one supervisor was fed. */
struct bough_history_trace {
    const struct bough_supervisor_options *options;
    struct bough_history_entry *entries;
    size_t count, capacity;
};

/* Whether OTP's rules lead to the same actions; else writes the first difference. */
bool bough_reference_agrees(const struct bough_history_trace *trace, char *fault,
                            size_t size);

/* Choices, drawn from `*seed` and noted, or read from the list when `seed` is NULL. */
struct bough_choices {
    uint32_t *list;
    size_t count, capacity; /* drawing: `count` are noted */
    size_t next;            /* reading */
    size_t draws;           /* drawing: how many at most */
    uint64_t *seed;
};

void bough_choices_finish(struct bough_choices *choices);

/* What befell all histories together: a storm that never reaches the rarer ends proves
 * little. */
struct bough_history_tally {
    uint64_t histories, supervisors, events, restarts, gave_up, auto_shutdowns;
    uint64_t failed_starts, answers, cancelled, backoffs, killed, changes;
};

/* A fault to be planted: the decider is given other options than the reference. */
typedef void bough_history_plant(struct bough_supervisor_options *options,
                                 struct bough_child_spec *children);

/* Lives one history and checks it all along. False: `fault` says what was wrong. `plant`
 * may be NULL, `story` too; else every event and its actions are printed there. */
struct bough_history_run {
    struct bough_choices *choices;
    bough_history_plant *plant;
    bool story;
    struct bough_history_tally *tally;
    char fault[HISTORY_FAULT];
};

bool bough_history_live(struct bough_history_run *run);

/* Makes the list of a history that fails as short as it gets, and keeps it failing. */
void bough_history_shrink(struct bough_choices *choices, bough_history_plant *plant);

/* In words, for the story. */
const char *bough_history_event_name(enum bough_decide_event_kind kind);
const char *bough_history_action_name(enum bough_decide_action_kind kind);

#endif
