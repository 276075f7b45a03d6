/* reference_internal.h - what the reference knows, for its files.
 *
 * reference.c        OTP's supervisor as blocking code
 * reference_trace.c  what the decider did, and the mailbox
 * reference_rules.c  what follows from an end
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_REFERENCE_INTERNAL_H
#define BOUGH_TESTS_SUPERVISOR_REFERENCE_INTERNAL_H

#include <setjmp.h>

#include <bough/tests/supervisor/history.h>

enum { NO_POLICY = -1, STAMPS = 512, LETTERS = 4 * HISTORY_CHILDREN };

enum bough_reference_pid {
    UNDEFINED,
    ALIVE,
    DEAD /* its exit message is in the mailbox */,
    RESTARTING
};

struct bough_reference_member {
    const struct bough_child_spec *spec; /* NULL: nobody has the number */
    enum bough_reference_pid pid;
    bool starting, stopping, killed;
    bool posted; /* RESTARTING: the retry is in the mailbox */
    bool gone;   /* to be left out of the order */
    int what;    /* followed its last end: a policy, or NO_POLICY when it was over */
    uint32_t attempt;
    double wait_ms;
    int64_t waited_ms, up_ms;
    int64_t stamps[STAMPS];
    size_t stamp_count;
};

struct bough_reference_letter {
    enum { EXIT, RETRY, TRIGGER } kind;
    size_t number;
    const struct bough_exit_reason *reason;
};

struct bough_reference {
    const struct bough_history_trace *trace;
    const struct bough_supervisor_options *options;
    size_t at;     /* entries read */
    size_t action; /* of the last entry: compared so far */
    struct bough_reference_member members[HISTORY_CHILDREN];
    size_t order[HISTORY_CHILDREN], count;
    struct bough_reference_letter mailbox[LETTERS];
    size_t letters;
    int64_t stamps[STAMPS];
    size_t stamp_count;
    bool group_stopping;
    size_t group; /* its first place in `order` */
    size_t asked; /* the child of the request under way; HISTORY_CHILDREN: none */
    bool ending, all_killed;
    jmp_buf over, stop;
    char *fault;
    size_t fault_size;
};

/* The decider did something else: writes what, and jumps out. */
_Noreturn void bough_reference_differ(struct bough_reference *self, const char *format,
                                      ...) __attribute__((format(printf, 2, 3)));

/* The next thing that OTP's supervisor does; differs when the decider did another. */
void bough_reference_act(struct bough_reference *self,
                         struct bough_decide_action expected);
void bough_reference_act_on(struct bough_reference *self,
                            enum bough_decide_action_kind kind, size_t number);
void bough_reference_answer(struct bough_reference *self, size_t number,
                            enum bough_status status);

/* What happens next, once all that followed from the last event is compared. Jumps out
 * when that was the last. */
const struct bough_history_entry *bough_reference_next_entry(struct bough_reference *self,
                                                             bool idle);

/* When the last event happened. */
int64_t bough_reference_now(const struct bough_reference *self);

/* The children */
bool bough_reference_is_dynamic(const struct bough_reference *self);
void bough_reference_append(struct bough_reference *self, size_t number,
                            const struct bough_child_spec *spec);
size_t bough_reference_place_of(const struct bough_reference *self, size_t number);

/* Takes one out of the order: at once, or with all others that are gone when its group
 * has been terminated. */
void bough_reference_remove_child(struct bough_reference *self, size_t number);
void bough_reference_compact(struct bough_reference *self);

/* It is over: temporary and dynamic children are not kept. */
void bough_reference_dismiss(struct bough_reference *self, size_t number);

/* What follows from an end: a policy, or NO_POLICY. The second is OTP's decision table
 * where no policy fits, and NO_POLICY then means that the child is over. */
int bough_reference_policy_act(const struct bough_reference_member *member,
                               const struct bough_exit_reason *reason);
int bough_reference_act_after_exit(const struct bough_reference_member *member,
                                   const struct bough_exit_reason *reason);

/* Other flags, and other specs for some: those come first in start order (OTP's
 * code_change). */
void bough_reference_change(struct bough_reference *self,
                            const struct bough_history_entry *entry);

/* The mailbox */
void bough_reference_post(struct bough_reference *self,
                          struct bough_reference_letter letter);
bool bough_reference_in_group(const struct bough_reference *self, size_t number);
void bough_reference_flush_group(struct bough_reference *self);

#endif
