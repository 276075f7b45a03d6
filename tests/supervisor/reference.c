/* reference.c - OTP's supervisor as blocking code, to compare the decider with.
 *
 * Written from docs/supervision.md as supervisor.erl is written: one mailbox, and
 * functions that start or terminate a child and come back when that is done. What
 * happened is read from a trace; what this supervisor would do is compared with what the
 * decider did. It jumps out of whatever it waits for when the trace ends, or when it is
 * asked to stop, which is the one thing that OTP's would look at later.
 *
 * SETTLE, SETTLE_DOWN and REMOVE are not compared one by one: a decider may say at once
 * that a child is over, while OTP's takes its exit message later. Who is known, and in
 * which state, is compared whenever nothing is under way.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/reference_internal.h>

#include <string.h>

static const struct bough_exit_reason too_late = { .kind = BOUGH_EXIT_TIMEOUT };

/* Backoff */

static void begin_retry(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];
    const struct bough_backoff *backoff = &member->spec->backoff;
    double factor = backoff->factor != 0 ? backoff->factor : 2;
    double most = (double)(backoff->max_ms ? backoff->max_ms : 60 * backoff->min_ms);

    member->waited_ms = 0;
    if (backoff->min_ms > 0) {
        double wait =
            member->wait_ms > 0 ? member->wait_ms * factor : (double)backoff->min_ms;

        member->wait_ms = wait < most ? wait : most;
        member->waited_ms = (int64_t)member->wait_ms;
    }
    member->pid = RESTARTING;
    member->posted = false;
    bough_reference_act(self,
                        (struct bough_decide_action){ .kind = BOUGH_DO_RETRY,
                                                      .child = number,
                                                      .limit_ms = member->waited_ms,
                                                      .attempt = member->attempt + 1 });
}

static void forgive(const struct bough_reference *self,
                    struct bough_reference_member *member)
{
    const struct bough_backoff *backoff = &member->spec->backoff;
    int64_t reset = backoff->reset_after_ms ? backoff->reset_after_ms
                    : backoff->max_ms       ? backoff->max_ms
                                            : 60 * backoff->min_ms;

    if (bough_reference_now(self) - member->up_ms >= reset) member->wait_ms = 0;
}

/* What arrives while something else is waited for */

static void exit_arrives(struct bough_reference *self, size_t number,
                         const struct bough_exit_reason *reason)
{
    struct bough_reference_member *member = &self->members[number];
    int what;

    member->starting = member->stopping = member->killed = false;
    if (self->ending) {
        member->pid = UNDEFINED;
        return;
    }
    if (self->group_stopping && bough_reference_in_group(self, number)) {
        member->pid = UNDEFINED;
        if (member->spec->restart == BOUGH_TEMPORARY)
            bough_reference_remove_child(self, number);
        return;
    }
    what = bough_reference_act_after_exit(member, reason);
    forgive(self, member);
    member->attempt = 0;
    member->what = what;
    if (member->spec->backoff.min_ms > 0 &&
        (what == BOUGH_POLICY_RESTART || what == BOUGH_POLICY_UNCOUNTED)) {
        begin_retry(self, number);
        return;
    }
    member->pid = DEAD;
    bough_reference_post(self, (struct bough_reference_letter){
                                   .kind = EXIT, .number = number, .reason = reason });
}

static void timer_arrives(struct bough_reference *self,
                          const struct bough_decide_event *event)
{
    struct bough_reference_member *member = &self->members[event->child];

    if (event->kind == BOUGH_ON_RETRY && member->pid == RESTARTING && !member->posted) {
        member->posted = true;
        bough_reference_post(self, (struct bough_reference_letter){
                                       .kind = RETRY, .number = event->child });
    }
    if (event->kind == BOUGH_ON_RETRY || member->killed || self->all_killed) return;
    if ((event->kind == BOUGH_ON_STOP_TIMEOUT && member->stopping) ||
        (event->kind == BOUGH_ON_START_TIMEOUT && member->starting &&
         !member->stopping)) {
        member->killed = true;
        bough_reference_act_on(self, BOUGH_DO_KILL, event->child);
    }
}

static void arrive(struct bough_reference *self, const struct bough_decide_event *event)
{
    struct bough_reference_member *member = &self->members[event->child];

    switch (event->kind) {
    case BOUGH_ON_STOP:
        if (!self->ending) longjmp(self->stop, 1);
        break;
    case BOUGH_ON_READY:
        if (!member->killed && !member->stopping) member->starting = false;
        break;
    case BOUGH_ON_EXITED:
    case BOUGH_ON_START_FAILED:
    case BOUGH_ON_IGNORED: exit_arrives(self, event->child, event->reason); break;
    case BOUGH_ON_RETRY:
    case BOUGH_ON_STOP_TIMEOUT:
    case BOUGH_ON_START_TIMEOUT: timer_arrives(self, event); break;
    case BOUGH_ON_ALL_TIMEOUT:
        if (!self->ending || !bough_reference_is_dynamic(self) || self->all_killed) break;
        self->all_killed = true;
        bough_reference_act_on(self, BOUGH_DO_KILL_ALL, 0);
        break;
    case BOUGH_ON_BEGIN:
    case BOUGH_ON_START_CHILD:
    case BOUGH_ON_TERMINATE_CHILD:
    case BOUGH_ON_RESTART_CHILD:
    case BOUGH_ON_DELETE_CHILD:
    case BOUGH_DECIDE_EVENT_COUNT:
        bough_reference_differ(self, "event %d comes while busy", (int)event->kind);
    }
}

/* Starting and terminating one child */

static enum bough_status start(struct bough_reference *self, size_t number,
                               const struct bough_exit_reason **reason)
{
    struct bough_reference_member *member = &self->members[number];
    int64_t limit_ms = member->spec->start_timeout_ms;

    member->pid = ALIVE;
    member->starting = true;
    member->stopping = member->killed = false;
    bough_reference_act(self, (struct bough_decide_action){
                                  .kind = BOUGH_DO_START,
                                  .child = number,
                                  .limit_ms = limit_ms ? limit_ms : BOUGH_FOREVER });
    for (;;) {
        const struct bough_decide_event *event =
            &bough_reference_next_entry(self, false)->event;
        bool mine = event->child == number;

        *reason = member->killed ? &too_late : event->reason;
        if (mine && event->kind == BOUGH_ON_READY && !member->killed) {
            member->starting = false;
            member->up_ms = bough_reference_now(self);
            return BOUGH_OK;
        }
        if (!mine || (event->kind != BOUGH_ON_IGNORED && event->kind != BOUGH_ON_EXITED &&
                      event->kind != BOUGH_ON_START_FAILED)) {
            arrive(self, event);
            continue;
        }
        member->starting = false;
        member->pid = UNDEFINED;
        return event->kind == BOUGH_ON_IGNORED && !member->killed ? BOUGH_IGNORE
                                                                  : BOUGH_EFAILED;
    }
}

static void await_end(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];

    while (member->pid == ALIVE) {
        const struct bough_decide_event *event =
            &bough_reference_next_entry(self, false)->event;

        if (event->child == number &&
            (event->kind == BOUGH_ON_EXITED || event->kind == BOUGH_ON_START_FAILED ||
             event->kind == BOUGH_ON_IGNORED))
            member->pid = UNDEFINED;
        else
            arrive(self, event);
    }
    member->starting = member->stopping = member->killed = false;
}

static void terminate(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];
    int64_t limit_ms = bough_child_shutdown_ms(member->spec);

    member->stopping = true;
    if (!member->killed) {
        member->killed = limit_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
        if (member->killed)
            bough_reference_act_on(self, BOUGH_DO_KILL, number);
        else
            bough_reference_act(
                self, (struct bough_decide_action){
                          .kind = BOUGH_DO_STOP, .child = number, .limit_ms = limit_ms });
    }
    await_end(self, number);
}

/* The end */

static size_t alive_count(const struct bough_reference *self)
{
    size_t alive = 0;

    for (size_t i = 0; i < self->count; i++)
        alive += self->members[self->order[i]].pid == ALIVE;
    return alive;
}

static void terminate_dynamics(struct bough_reference *self)
{
    int64_t limit_ms = bough_child_shutdown_ms(&self->options->children[0]);

    if (alive_count(self) == 0) return;
    for (size_t i = 0; i < self->count; i++) {
        struct bough_reference_member *member = &self->members[self->order[i]];

        if (member->pid == ALIVE) member->stopping = true;
    }
    self->all_killed = limit_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
    bough_reference_act(self, (struct bough_decide_action){ .kind = BOUGH_DO_STOP_ALL,
                                                            .limit_ms = limit_ms });
    while (alive_count(self) > 0)
        arrive(self, &bough_reference_next_entry(self, false)->event);
}

static void terminate_all(struct bough_reference *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->members[self->order[i]].stopping) await_end(self, self->order[i]);
    }
    for (size_t i = self->count; i-- > 0;) {
        if (self->members[self->order[i]].pid == ALIVE) terminate(self, self->order[i]);
    }
}

static _Noreturn void finish(struct bough_reference *self, enum bough_decide_end end,
                             size_t culprit)
{
    if (self->asked != HISTORY_CHILDREN)
        bough_reference_answer(self, self->asked, BOUGH_ECANCELLED);
    self->ending = true;
    self->letters = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct bough_reference_member *member = &self->members[self->order[i]];

        if (member->pid != ALIVE) member->pid = UNDEFINED;
    }
    if (bough_reference_is_dynamic(self))
        terminate_dynamics(self);
    else
        terminate_all(self);
    bough_reference_act(self, (struct bough_decide_action){
                                  .kind = BOUGH_DO_END, .child = culprit, .end = end });
    for (;;)
        bough_reference_next_entry(self, false);
}

/* Restarts */

static uint32_t inside(const int64_t *stamps, size_t count, int64_t since_ms)
{
    uint32_t inside = 0;

    for (size_t i = 0; i < count; i++)
        inside += stamps[i] >= since_ms;
    return inside;
}

static _Noreturn void give_up(struct bough_reference *self, size_t number,
                              enum bough_decide_why why, uint32_t restarts)
{
    bough_reference_act(self, (struct bough_decide_action){ .kind = BOUGH_DO_GIVE_UP,
                                                            .child = number,
                                                            .restarts = restarts,
                                                            .why = why });
    finish(self, BOUGH_END_GAVE_UP, number);
}

static uint32_t restarts_now(const struct bough_reference *self)
{
    return inside(self->stamps, self->stamp_count,
                  bough_reference_now(self) - bough_supervisor_period_ms(self->options));
}

/* The limits, the supervisor's first. */
static uint32_t count_restart(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];
    uint32_t restarts, own;

    if (member->what == BOUGH_POLICY_UNCOUNTED) return restarts_now(self);
    if (self->stamp_count == STAMPS || member->stamp_count == STAMPS)
        bough_reference_differ(self, "the reference has no room for more stamps");
    self->stamps[self->stamp_count++] = bough_reference_now(self);
    restarts = restarts_now(self);
    if (restarts > bough_supervisor_intensity(self->options))
        give_up(self, number, BOUGH_WHY_LIMIT, restarts);
    if (!member->spec->any_intensity && member->spec->intensity == 0) return restarts;
    member->stamps[member->stamp_count++] = bough_reference_now(self);
    own = inside(member->stamps, member->stamp_count,
                 bough_reference_now(self) - bough_child_period_ms(member->spec));
    if (own > member->spec->intensity) give_up(self, number, BOUGH_WHY_OWN_LIMIT, own);
    return restarts;
}

static void terminate_group(struct bough_reference *self, size_t from)
{
    self->group = from;
    bough_reference_flush_group(self);
    self->group_stopping = true;
    for (size_t i = from; i < self->count; i++) {
        struct bough_reference_member *member = &self->members[self->order[i]];

        if (member->pid == RESTARTING) member->pid = UNDEFINED;
        if (member->pid != DEAD) continue;
        member->pid = UNDEFINED;
        if (member->spec->restart == BOUGH_TEMPORARY && member->what == NO_POLICY)
            bough_reference_remove_child(self, self->order[i]);
    }
    for (size_t i = self->count; i-- > from;) {
        size_t number = self->order[i];

        if (self->members[number].pid != ALIVE) continue;
        terminate(self, number);
        if (self->members[number].spec->restart == BOUGH_TEMPORARY)
            bough_reference_remove_child(self, number);
    }
    self->group_stopping = false;
    bough_reference_compact(self);
}

/* False: it could not be started, and the group waits for its retry. */
static bool start_member(struct bough_reference *self, size_t number, uint32_t attempt)
{
    struct bough_reference_member *member = &self->members[number];
    const struct bough_exit_reason *reason = NULL;
    enum bough_status status = start(self, number, &reason);
    int what;

    if (status == BOUGH_OK) return true;
    if (status == BOUGH_IGNORE) {
        bough_reference_dismiss(self, number);
        return true;
    }
    what = bough_reference_policy_act(member, reason);
    member->attempt = attempt;
    member->what = what;
    if (what == BOUGH_POLICY_STOP) {
        if (bough_reference_is_dynamic(self)) bough_reference_remove_child(self, number);
        if (bough_reference_is_dynamic(self) || !member->spec->significant) return true;
        member->pid = DEAD;
        bough_reference_post(
            self, (struct bough_reference_letter){ .kind = TRIGGER, .number = number });
        return true;
    }
    if (what == BOUGH_POLICY_ESCALATE)
        give_up(self, number, BOUGH_WHY_POLICY, restarts_now(self));
    if (what == NO_POLICY) member->what = BOUGH_POLICY_RESTART;
    begin_retry(self, number);
    return false;
}

/* A temporary child that a policy stopped, or that was never started, stays known and is
 * started by nobody but restart_child. */
static bool over_for_good(const struct bough_reference_member *member)
{
    return member->spec->restart == BOUGH_TEMPORARY &&
           (member->what == NO_POLICY || member->what == BOUGH_POLICY_STOP);
}

static void restart(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];
    uint32_t attempt = member->attempt + 1;
    uint32_t restarts = count_restart(self, number);
    size_t from = 0;

    bough_reference_act(self, (struct bough_decide_action){ .kind = BOUGH_DO_RESTART,
                                                            .child = number,
                                                            .limit_ms = member->waited_ms,
                                                            .attempt = attempt,
                                                            .restarts = restarts });
    if (self->options->strategy == BOUGH_ONE_FOR_ONE ||
        bough_reference_is_dynamic(self)) {
        start_member(self, number, attempt);
        return;
    }
    if (self->options->strategy == BOUGH_REST_FOR_ONE)
        from = bough_reference_place_of(self, number);
    terminate_group(self, from);
    for (size_t i = from; i < self->count;) {
        size_t next = self->order[i];

        if (over_for_good(&self->members[next])) {
            i++;
            continue;
        }
        if (!start_member(self, next, attempt)) return;
        if (i < self->count && self->order[i] == next) i++;
    }
}

/* Messages */

static void auto_shutdown(struct bough_reference *self, size_t number)
{
    bool all = true;

    for (size_t i = 0; i < self->count; i++) {
        const struct bough_reference_member *member = &self->members[self->order[i]];

        if (member->spec->significant && member->pid != UNDEFINED) all = false;
    }
    if (self->options->auto_shutdown == BOUGH_NEVER) return;
    if (self->options->auto_shutdown == BOUGH_ALL_SIGNIFICANT && !all) return;
    bough_reference_act_on(self, BOUGH_DO_AUTO_SHUTDOWN, number);
    finish(self, BOUGH_END_AUTO_SHUTDOWN, number);
}

static void take_exit(struct bough_reference *self,
                      const struct bough_reference_letter *letter)
{
    struct bough_reference_member *member = &self->members[letter->number];
    int what = bough_reference_act_after_exit(member, letter->reason);
    bool significant = member->spec->significant;

    member->pid = UNDEFINED;
    if (what == BOUGH_POLICY_RESTART || what == BOUGH_POLICY_UNCOUNTED) {
        restart(self, letter->number);
        return;
    }
    if (what == BOUGH_POLICY_ESCALATE)
        give_up(self, letter->number, BOUGH_WHY_POLICY, restarts_now(self));
    if (what != BOUGH_POLICY_STOP || bough_reference_is_dynamic(self))
        bough_reference_dismiss(self, letter->number);
    if (significant) auto_shutdown(self, letter->number);
}

static void take_letter(struct bough_reference *self)
{
    struct bough_reference_letter letter = self->mailbox[0];

    self->letters--;
    memmove(self->mailbox, self->mailbox + 1, self->letters * sizeof(letter));
    switch (letter.kind) {
    case EXIT: take_exit(self, &letter); break;
    case TRIGGER:
        self->members[letter.number].pid = UNDEFINED;
        auto_shutdown(self, letter.number);
        break;
    case RETRY:
        self->members[letter.number].pid = UNDEFINED;
        restart(self, letter.number);
        break;
    }
}

/* Requests */

static void start_child(struct bough_reference *self, size_t number, bool added)
{
    const struct bough_exit_reason *reason;
    enum bough_status status;

    self->asked = number;
    status = start(self, number, &reason);
    bough_reference_answer(self, number, status);
    if (status == BOUGH_IGNORE) bough_reference_dismiss(self, number);
    if (status == BOUGH_EFAILED && added) bough_reference_remove_child(self, number);
}

static void terminate_child(struct bough_reference *self, size_t number)
{
    struct bough_reference_member *member = &self->members[number];

    self->asked = number;
    if (member->pid == ALIVE) terminate(self, number);
    bough_reference_answer(self, number, BOUGH_OK);
    bough_reference_dismiss(self, number);
}

static void request(struct bough_reference *self, const struct bough_history_entry *entry)
{
    size_t number = entry->event.child;
    enum bough_reference_pid pid = self->members[number].pid;

    if (entry->event.kind == BOUGH_ON_START_CHILD) {
        bough_reference_append(self, number, entry->added);
        start_child(self, number, true);
    } else if (entry->event.kind == BOUGH_ON_TERMINATE_CHILD) {
        terminate_child(self, number);
    } else if (pid != UNDEFINED) {
        bough_reference_answer(self, number,
                               pid == ALIVE ? BOUGH_ERUNNING : BOUGH_ERESTARTING);
    } else if (entry->event.kind == BOUGH_ON_RESTART_CHILD) {
        start_child(self, number, false);
    } else {
        bough_reference_answer(self, number, BOUGH_OK);
        bough_reference_remove_child(self, number);
    }
}

static bool is_request(enum bough_decide_event_kind kind)
{
    return kind == BOUGH_ON_START_CHILD || kind == BOUGH_ON_TERMINATE_CHILD ||
           kind == BOUGH_ON_RESTART_CHILD || kind == BOUGH_ON_DELETE_CHILD;
}

/* The supervisor */

static void init(struct bough_reference *self)
{
    const struct bough_supervisor_options *options = self->options;
    const struct bough_exit_reason *reason;

    for (size_t i = 0; !bough_reference_is_dynamic(self) && i < options->child_count; i++)
        bough_reference_append(self, i, &options->children[i]);
    for (size_t i = 0; i < self->count;) {
        size_t number = self->order[i];
        enum bough_status status = start(self, number, &reason);

        if (status == BOUGH_EFAILED) finish(self, BOUGH_END_FAILED, number);
        if (status == BOUGH_IGNORE) bough_reference_dismiss(self, number);
        if (i < self->count && self->order[i] == number) i++;
    }
    bough_reference_act_on(self, BOUGH_DO_READY, 0);
}

static _Noreturn void serve(struct bough_reference *self)
{
    const struct bough_history_entry *first = bough_reference_next_entry(self, false);

    while (first->event.kind != BOUGH_ON_BEGIN) {
        if (first->event.kind == BOUGH_ON_STOP) finish(self, BOUGH_END_ASKED, 0);
        first = bough_reference_next_entry(self, false);
    }
    init(self);
    for (;;) {
        const struct bough_history_entry *entry;

        if (self->letters > 0) {
            take_letter(self);
            continue;
        }
        entry = bough_reference_next_entry(self, true);
        if (entry->changed)
            bough_reference_change(self, entry);
        else if (is_request(entry->event.kind))
            request(self, entry);
        else
            arrive(self, &entry->event);
    }
}

bool bough_reference_agrees(const struct bough_history_trace *trace, char *fault,
                            size_t size)
{
    static struct bough_reference
        self; /* too large for a stack, and one is in use at a time */

    memset(&self, 0, offsetof(struct bough_reference, over));
    self.trace = trace;
    self.options = trace->options;
    self.asked = HISTORY_CHILDREN;
    self.fault = fault;
    self.fault_size = size;
    switch (setjmp(self.over)) {
    case 1: return false;
    case 2: return true;
    default: break;
    }
    if (setjmp(self.stop)) finish(&self, BOUGH_END_ASKED, 0);
    serve(&self);
}
