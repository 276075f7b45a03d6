/* reference_trace.c - what the decider did, compared as the reference goes along.
 *
 * Also the plain parts of the reference: its children in start order, and its mailbox.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/reference_internal.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) _Noreturn void
bough_reference_differ(struct bough_reference *self, const char *format, ...)
{
    va_list arguments;
    int used = snprintf(self->fault, self->fault_size, "after event %zu: ", self->at);

    va_start(arguments, format);
    vsnprintf(self->fault + used, self->fault_size - (size_t)used, format, arguments);
    va_end(arguments);
    longjmp(self->over, 1);
}

/* What the decider did */

static const struct bough_decide_action *next_action(struct bough_reference *self)
{
    const struct bough_decide_actions *actions;

    if (self->at == 0) return NULL;
    actions = &self->trace->entries[self->at - 1].actions;
    for (; self->action < actions->count; self->action++) {
        enum bough_decide_action_kind kind = actions->list[self->action].kind;

        if (kind != BOUGH_DO_SETTLE && kind != BOUGH_DO_SETTLE_DOWN &&
            kind != BOUGH_DO_REMOVE)
            return &actions->list[self->action++];
    }
    return NULL;
}

static bool same_numbers(const struct bough_decide_action *a,
                         const struct bough_decide_action *b)
{
    switch (a->kind) {
    case BOUGH_DO_START:
    case BOUGH_DO_STOP:
    case BOUGH_DO_STOP_ALL: return a->limit_ms == b->limit_ms;
    case BOUGH_DO_RETRY: return a->limit_ms == b->limit_ms && a->attempt == b->attempt;
    case BOUGH_DO_RESTART:
        return a->limit_ms == b->limit_ms && a->attempt == b->attempt &&
               a->restarts == b->restarts;
    case BOUGH_DO_GIVE_UP: return a->restarts == b->restarts && a->why == b->why;
    case BOUGH_DO_ANSWER: return a->status == b->status;
    case BOUGH_DO_END: return a->end == b->end;
    case BOUGH_DO_KILL:
    case BOUGH_DO_KILL_ALL:
    case BOUGH_DO_SETTLE:
    case BOUGH_DO_SETTLE_DOWN:
    case BOUGH_DO_REMOVE:
    case BOUGH_DO_READY:
    case BOUGH_DO_AUTO_SHUTDOWN:
    case BOUGH_DECIDE_ACTION_COUNT: break;
    }
    return true;
}

/* The next thing that OTP's supervisor does. */
void bough_reference_act(struct bough_reference *self,
                         struct bough_decide_action expected)
{
    const struct bough_decide_action *actual = next_action(self);

    if (!actual)
        bough_reference_differ(self, "%s of %zu is missing",
                               bough_history_action_name(expected.kind), expected.child);
    if (actual->kind != expected.kind || actual->child != expected.child)
        bough_reference_differ(self, "%s of %zu instead of %s of %zu",
                               bough_history_action_name(actual->kind), actual->child,
                               bough_history_action_name(expected.kind), expected.child);
    if (!same_numbers(actual, &expected))
        bough_reference_differ(self,
                               "%s of %zu: limit %" PRId64 " attempt %" PRIu32
                               " restarts %" PRIu32 " instead of %" PRId64 ", %" PRIu32
                               ", %" PRIu32 ", or another status, cause or end",
                               bough_history_action_name(actual->kind), actual->child,
                               actual->limit_ms, actual->attempt, actual->restarts,
                               expected.limit_ms, expected.attempt, expected.restarts);
}

void bough_reference_act_on(struct bough_reference *self,
                            enum bough_decide_action_kind kind, size_t number)
{
    bough_reference_act(self,
                        (struct bough_decide_action){ .kind = kind, .child = number });
}

void bough_reference_answer(struct bough_reference *self, size_t number,
                            enum bough_status status)
{
    self->asked = HISTORY_CHILDREN;
    bough_reference_act(self, (struct bough_decide_action){ .kind = BOUGH_DO_ANSWER,
                                                            .child = number,
                                                            .status = status });
}

/* The children */

void bough_reference_compact(struct bough_reference *self)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->count; i++) {
        size_t number = self->order[i];

        if (self->members[number].gone)
            self->members[number].spec = NULL;
        else
            self->order[kept++] = number;
    }
    self->count = kept;
}

void bough_reference_remove_child(struct bough_reference *self, size_t number)
{
    self->members[number].gone = true;
    if (!self->group_stopping) bough_reference_compact(self);
}

size_t bough_reference_place_of(const struct bough_reference *self, size_t number)
{
    size_t i = 0;

    while (i < self->count && self->order[i] != number)
        i++;
    return i;
}

void bough_reference_append(struct bough_reference *self, size_t number,
                            const struct bough_child_spec *spec)
{
    self->members[number] =
        (struct bough_reference_member){ .spec = spec, .what = NO_POLICY };
    self->order[self->count++] = number;
}

bool bough_reference_is_dynamic(const struct bough_reference *self)
{
    return self->options->strategy == BOUGH_DYNAMIC;
}

/* Over: temporary and dynamic children are not kept. */
void bough_reference_dismiss(struct bough_reference *self, size_t number)
{
    self->members[number].pid = UNDEFINED;
    if (bough_reference_is_dynamic(self) ||
        self->members[number].spec->restart == BOUGH_TEMPORARY)
        bough_reference_remove_child(self, number);
}

/* The trace and the mailbox */

static void compare_states(struct bough_reference *self,
                           const struct bough_history_entry *entry)
{
    static const enum bough_child_state states[] = { [UNDEFINED] = BOUGH_CHILD_DOWN,
                                                     [ALIVE] = BOUGH_CHILD_RUNNING,
                                                     [DEAD] = BOUGH_CHILD_WAITING,
                                                     [RESTARTING] =
                                                         BOUGH_CHILD_RETRYING };

    if (entry->known != self->count)
        bough_reference_differ(self, "%zu children are known instead of %zu",
                               entry->known, self->count);
    for (size_t i = 0; i < self->count; i++) {
        const struct bough_reference_member *member = &self->members[self->order[i]];

        if (entry->order[i] != self->order[i])
            bough_reference_differ(self, "place %zu has child %d instead of %zu", i,
                                   entry->order[i], self->order[i]);
        if (entry->states[i] != states[member->pid])
            bough_reference_differ(self, "child %zu is in state %d instead of %d",
                                   self->order[i], entry->states[i], states[member->pid]);
    }
}

/* What happens next, once all that followed from the last event is compared. */
const struct bough_history_entry *bough_reference_next_entry(struct bough_reference *self,
                                                             bool idle)
{
    const struct bough_decide_action *rest = next_action(self);

    if (rest)
        bough_reference_differ(self, "%s of %zu is too much",
                               bough_history_action_name(rest->kind), rest->child);
    if (self->at > 0) {
        const struct bough_history_entry *last = &self->trace->entries[self->at - 1];

        if (last->idle != idle)
            bough_reference_differ(self, idle ? "it is busy" : "it is idle");
        if (idle) compare_states(self, last);
    }
    if (self->at == self->trace->count) longjmp(self->over, 2);
    self->action = 0;
    return &self->trace->entries[self->at++];
}

int64_t bough_reference_now(const struct bough_reference *self)
{
    return self->trace->entries[self->at - 1].now_ms;
}

void bough_reference_post(struct bough_reference *self,
                          struct bough_reference_letter letter)
{
    if (self->letters == LETTERS)
        bough_reference_differ(self, "the reference's mailbox is full");
    self->mailbox[self->letters++] = letter;
}

bool bough_reference_in_group(const struct bough_reference *self, size_t number)
{
    size_t place = bough_reference_place_of(self, number);

    return place < self->count ? place >= self->group
                               : self->options->strategy == BOUGH_ONE_FOR_ALL;
}

/* OTP takes the exit messages of those whom it terminates out of its mailbox, and a retry
 * is ignored unless the child is still `restarting`. */
void bough_reference_flush_group(struct bough_reference *self)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->letters; i++) {
        if (!bough_reference_in_group(self, self->mailbox[i].number))
            self->mailbox[kept++] = self->mailbox[i];
    }
    self->letters = kept;
}
