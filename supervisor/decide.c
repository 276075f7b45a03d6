/* decide.c - the rules of supervision, as OTP's supervisor.erl has them.
 *
 * Two small machines. Each child has a state; the table `cells` says what each event does
 * in each state. The supervisor has a phase; the table `steps` says how each phase goes
 * on once an event has been taken in, until something must be waited for. Every restart,
 * alone or of a group, is the same thing: the children from `from` to `end` are stopped
 * in reverse, then started in order. A queue through the children holds the restarts that
 * wait for their turn.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/supervisor/window_internal.h>

enum phase {
    NEW,            /* before BEGIN */
    STARTING,       /* the first start of all */
    RUNNING,        /* nothing under way */
    GROUP_STOPPING, /* a restart: first those that live are stopped */
    GROUP_STARTING, /* a restart: then all are started */
    ENDING,         /* all are stopped, for good */
    ENDED,
    PHASE_COUNT
};

#define NO_CHILD SIZE_MAX

struct child {
    size_t next; /* in the queue; NO_CHILD: the last */
    int64_t shutdown_ms;
    enum bough_restart restart;
    enum bough_child_state state;
    uint32_t attempt; /* tries of the restart that is due */
    bool killed;      /* while STOPPING: the last means has been used */
};

struct bough_decider {
    enum bough_strategy strategy;
    enum phase phase;
    uint32_t intensity;
    struct bough_window window;
    size_t queue_first, queue_last;

    /* The start, restart or shutdown under way. */
    size_t from, end; /* its children: from <= i < end */
    size_t cursor; /* starting: the next to start; stopping: all from here on are down */
    uint32_t attempt;
    enum bough_decide_end why; /* ENDING */
    size_t culprit;

    int64_t now_ms;
    struct bough_decide_actions *actions; /* during bough_decide() */
    size_t child_count;
    struct child children[];
};

/* Actions and state changes */

static void act(struct bough_decider *decider, struct bough_decide_action action)
{
    struct bough_decide_actions *actions = decider->actions;

    bough_assert(actions->count < BOUGH_DECIDE_ACTIONS_MAX);
    actions->list[actions->count++] = action;
}

static void act_on(struct bough_decider *decider, enum bough_decide_action_kind kind,
                   size_t child)
{
    act(decider, (struct bough_decide_action){ .kind = kind, .child = child });
}

#define TO(state) (1u << (state))

/* Which states may follow a state. */
static const unsigned successors[BOUGH_CHILD_STATE_COUNT] = {
    [BOUGH_CHILD_DOWN] = TO(BOUGH_CHILD_STARTING),
    [BOUGH_CHILD_STARTING] = TO(BOUGH_CHILD_RUNNING) | TO(BOUGH_CHILD_STOPPING) |
                             TO(BOUGH_CHILD_DOWN) | TO(BOUGH_CHILD_RETRYING) |
                             TO(BOUGH_CHILD_FORGOTTEN),
    [BOUGH_CHILD_RUNNING] = TO(BOUGH_CHILD_STOPPING) | TO(BOUGH_CHILD_DOWN) |
                            TO(BOUGH_CHILD_WAITING) | TO(BOUGH_CHILD_FORGOTTEN),
    [BOUGH_CHILD_STOPPING] = TO(BOUGH_CHILD_DOWN) | TO(BOUGH_CHILD_FORGOTTEN),
    [BOUGH_CHILD_WAITING] = TO(BOUGH_CHILD_DOWN),
    [BOUGH_CHILD_RETRYING] = TO(BOUGH_CHILD_DOWN) | TO(BOUGH_CHILD_WAITING),
    [BOUGH_CHILD_FORGOTTEN] = 0,
};

static void set_state(struct child *child, enum bough_child_state state)
{
    bough_assert(successors[child->state] & TO(state));
    child->state = state;
}

/* Which phases may follow a phase. */
static const unsigned next_phases[PHASE_COUNT] = {
    [NEW] = TO(STARTING) | TO(ENDING),
    [STARTING] = TO(RUNNING) | TO(ENDING),
    [RUNNING] = TO(GROUP_STOPPING) | TO(ENDING),
    [GROUP_STOPPING] = TO(GROUP_STARTING) | TO(ENDING),
    [GROUP_STARTING] = TO(RUNNING) | TO(ENDING),
    [ENDING] = TO(ENDED),
    [ENDED] = 0,
};

static void set_phase(struct bough_decider *decider, enum phase phase)
{
    bough_assert(next_phases[decider->phase] & TO(phase));
    decider->phase = phase;
}

static bool lives(const struct child *child)
{
    return child->state == BOUGH_CHILD_STARTING || child->state == BOUGH_CHILD_RUNNING ||
           child->state == BOUGH_CHILD_STOPPING;
}

static void forget(struct bough_decider *decider, size_t i)
{
    set_state(&decider->children[i], BOUGH_CHILD_FORGOTTEN);
    act_on(decider, BOUGH_DO_REMOVE, i);
}

static void settle(struct bough_decider *decider, size_t i)
{
    set_state(&decider->children[i], BOUGH_CHILD_DOWN);
    act_on(decider, BOUGH_DO_SETTLE, i);
}

static bool in_group(const struct bough_decider *decider, size_t i)
{
    return decider->from <= i && i < decider->end;
}

/* The queue of restarts that wait for their turn */

static void queue_append(struct bough_decider *decider, size_t i)
{
    decider->children[i].next = NO_CHILD;
    if (decider->queue_first == NO_CHILD)
        decider->queue_first = i;
    else
        decider->children[decider->queue_last].next = i;
    decider->queue_last = i;
}

static void await_turn(struct bough_decider *decider, size_t i)
{
    set_state(&decider->children[i], BOUGH_CHILD_WAITING);
    queue_append(decider, i);
}

static size_t queue_pop(struct bough_decider *decider)
{
    size_t i = decider->queue_first;

    decider->queue_first = decider->children[i].next;
    set_state(&decider->children[i], BOUGH_CHILD_DOWN);
    return i;
}

/* Takes out those that do not wait any more. */
static void queue_clean(struct bough_decider *decider)
{
    size_t i = decider->queue_first;

    decider->queue_first = NO_CHILD;
    while (i != NO_CHILD) {
        size_t next = decider->children[i].next;

        if (decider->children[i].state == BOUGH_CHILD_WAITING) queue_append(decider, i);
        i = next;
    }
}

/* One start or one stop at a time */

/* False when every child of the group has been started. */
static bool start_next(struct bough_decider *decider)
{
    bool first = decider->cursor == decider->from;

    if (!first && decider->children[decider->cursor - 1].state == BOUGH_CHILD_STARTING)
        return true;
    while (decider->cursor < decider->end) {
        size_t i = decider->cursor++;

        if (decider->children[i].state != BOUGH_CHILD_DOWN) continue;
        set_state(&decider->children[i], BOUGH_CHILD_STARTING);
        act_on(decider, BOUGH_DO_START, i);
        return true;
    }
    return false;
}

static void stop(struct bough_decider *decider, size_t i)
{
    struct child *child = &decider->children[i];

    set_state(child, BOUGH_CHILD_STOPPING);
    child->killed = child->shutdown_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;
    if (child->killed) {
        act_on(decider, BOUGH_DO_KILL, i);
        return;
    }
    act(decider, (struct bough_decide_action){
                     .kind = BOUGH_DO_STOP, .child = i, .limit_ms = child->shutdown_ms });
}

/* False when no child of the group is alive. */
static bool stop_next(struct bough_decider *decider)
{
    for (; decider->cursor > decider->from; decider->cursor--) {
        const struct child *child = &decider->children[decider->cursor - 1];

        if (child->state == BOUGH_CHILD_STOPPING) return true;
        if (!lives(child)) continue;
        stop(decider, decider->cursor - 1);
        return true;
    }
    return false;
}

/* Restarts and the end */

/* Opens a group whose members are to be stopped first. Those that wait for a restart of
 * their own need none now: OTP takes the exit message of a sibling that it terminates out
 * of its mailbox, and a retry of a child that is not `restarting` any more is ignored. */
static void open_group(struct bough_decider *decider, size_t from, size_t end)
{
    decider->from = from;
    decider->end = end;
    decider->cursor = end;
    for (size_t i = from; i < end; i++) {
        struct child *child = &decider->children[i];

        if (child->state == BOUGH_CHILD_WAITING || child->state == BOUGH_CHILD_RETRYING)
            set_state(child, BOUGH_CHILD_DOWN);
    }
    queue_clean(decider);
}

static void end_all(struct bough_decider *decider, enum bough_decide_end why,
                    size_t culprit)
{
    decider->why = why;
    decider->culprit = culprit;
    set_phase(decider, ENDING);
    open_group(decider, 0, decider->child_count);
}

static void restart(struct bough_decider *decider, size_t i)
{
    uint32_t restarts = bough_window_add(&decider->window, decider->now_ms);
    size_t from = decider->strategy == BOUGH_ONE_FOR_ALL ? 0 : i;
    size_t end = decider->strategy == BOUGH_ONE_FOR_ONE ? i + 1 : decider->child_count;
    struct bough_decide_action report = { .kind = BOUGH_DO_RESTART,
                                          .child = i,
                                          .attempt = decider->children[i].attempt + 1,
                                          .restarts = restarts };

    if (restarts > decider->intensity) {
        report.kind = BOUGH_DO_GIVE_UP;
        act(decider, report);
        end_all(decider, BOUGH_END_GAVE_UP, i);
        return;
    }
    act(decider, report);
    decider->attempt = report.attempt;
    set_phase(decider, GROUP_STOPPING);
    open_group(decider, from, end);
}

/* Phases: how each goes on. True: another phase has begun. */

static bool go_on_starting(struct bough_decider *decider)
{
    if (start_next(decider)) return false;
    act(decider, (struct bough_decide_action){ .kind = BOUGH_DO_READY });
    set_phase(decider, RUNNING);
    return true;
}

static bool go_on_running(struct bough_decider *decider)
{
    if (decider->queue_first == NO_CHILD) return false;
    restart(decider, queue_pop(decider));
    return true;
}

static bool go_on_group_stopping(struct bough_decider *decider)
{
    if (stop_next(decider)) return false;
    decider->cursor = decider->from;
    set_phase(decider, GROUP_STARTING);
    return true;
}

static bool go_on_group_starting(struct bough_decider *decider)
{
    if (start_next(decider)) return false;
    set_phase(decider, RUNNING);
    return true;
}

static bool go_on_ending(struct bough_decider *decider)
{
    if (stop_next(decider)) return false;
    act(decider, (struct bough_decide_action){ .kind = BOUGH_DO_END,
                                               .child = decider->culprit,
                                               .end = decider->why });
    set_phase(decider, ENDED);
    return true;
}

static bool stay(struct bough_decider *decider)
{
    (void)decider;
    return false;
}

static bool (*const steps[PHASE_COUNT])(struct bough_decider *) = {
    [NEW] = stay,
    [STARTING] = go_on_starting,
    [RUNNING] = go_on_running,
    [GROUP_STOPPING] = go_on_group_stopping,
    [GROUP_STARTING] = go_on_group_starting,
    [ENDING] = go_on_ending,
    [ENDED] = stay,
};

/* Children: what an event does in a state. */

typedef void cell(struct bough_decider *decider, size_t i, bool good);

static void came_up(struct bough_decider *decider, size_t i, bool good)
{
    (void)good;
    set_state(&decider->children[i], BOUGH_CHILD_RUNNING);
}

static void declined(struct bough_decider *decider, size_t i, bool good)
{
    struct child *child = &decider->children[i];

    (void)good;
    if (decider->phase == ENDING)
        set_state(child, BOUGH_CHILD_DOWN);
    else if (child->restart == BOUGH_TEMPORARY)
        forget(decider, i);
    else
        settle(decider, i);
}

/* The first start is not tried again and not counted; a restart is both. */
static void start_failed(struct bough_decider *decider, size_t i, bool good)
{
    struct child *child = &decider->children[i];

    (void)good;
    if (decider->phase != GROUP_STARTING) {
        set_state(child, BOUGH_CHILD_DOWN);
        if (decider->phase == STARTING) end_all(decider, BOUGH_END_FAILED, i);
        return;
    }
    set_state(child, BOUGH_CHILD_RETRYING);
    child->attempt = decider->attempt;
    act_on(decider, BOUGH_DO_RETRY, i);
    set_phase(decider, RUNNING);
}

/* Ended by itself: OTP's decision table. A temporary child is gone also when its group
 * was about to stop it; any other member of that group is about to be started anyhow. */
static void died(struct bough_decider *decider, size_t i, bool good)
{
    struct child *child = &decider->children[i];

    if (decider->phase == ENDING) {
        set_state(child, BOUGH_CHILD_DOWN);
    } else if (child->restart == BOUGH_TEMPORARY) {
        forget(decider, i);
    } else if (decider->phase == GROUP_STOPPING && in_group(decider, i)) {
        set_state(child, BOUGH_CHILD_DOWN);
    } else if (child->restart == BOUGH_TRANSIENT && good) {
        settle(decider, i);
    } else {
        child->attempt = 0;
        await_turn(decider, i);
    }
}

static void stopped(struct bough_decider *decider, size_t i, bool good)
{
    struct child *child = &decider->children[i];

    (void)good;
    if (decider->phase == GROUP_STOPPING && child->restart == BOUGH_TEMPORARY)
        forget(decider, i);
    else
        set_state(child, BOUGH_CHILD_DOWN);
}

static void retry_due(struct bough_decider *decider, size_t i, bool good)
{
    (void)good;
    await_turn(decider, i);
}

static void overdue(struct bough_decider *decider, size_t i, bool good)
{
    struct child *child = &decider->children[i];

    (void)good;
    if (child->killed) return;
    child->killed = true;
    act_on(decider, BOUGH_DO_KILL, i);
}

static void nothing(struct bough_decider *decider, size_t i, bool good)
{
    (void)decider;
    (void)i;
    (void)good;
}

/* NULL: cannot happen. */
static cell *const cells[BOUGH_CHILD_STATE_COUNT][BOUGH_DECIDE_EVENT_COUNT] = {
    [BOUGH_CHILD_DOWN] = { [BOUGH_ON_RETRY] = nothing,
                           [BOUGH_ON_STOP_TIMEOUT] = nothing },
    [BOUGH_CHILD_STARTING] = { [BOUGH_ON_READY] = came_up,
                               [BOUGH_ON_IGNORED] = declined,
                               [BOUGH_ON_START_FAILED] = start_failed,
                               [BOUGH_ON_EXITED] = start_failed,
                               [BOUGH_ON_RETRY] = nothing,
                               [BOUGH_ON_STOP_TIMEOUT] = nothing },
    [BOUGH_CHILD_RUNNING] = { [BOUGH_ON_EXITED] = died,
                              [BOUGH_ON_RETRY] = nothing,
                              [BOUGH_ON_STOP_TIMEOUT] = nothing },
    [BOUGH_CHILD_STOPPING] = { [BOUGH_ON_READY] = nothing,
                               [BOUGH_ON_IGNORED] = stopped,
                               [BOUGH_ON_START_FAILED] = stopped,
                               [BOUGH_ON_EXITED] = stopped,
                               [BOUGH_ON_RETRY] = nothing,
                               [BOUGH_ON_STOP_TIMEOUT] = overdue },
    [BOUGH_CHILD_WAITING] = { [BOUGH_ON_RETRY] = nothing,
                              [BOUGH_ON_STOP_TIMEOUT] = nothing },
    [BOUGH_CHILD_RETRYING] = { [BOUGH_ON_RETRY] = retry_due,
                               [BOUGH_ON_STOP_TIMEOUT] = nothing },
    [BOUGH_CHILD_FORGOTTEN] = { [BOUGH_ON_RETRY] = nothing,
                                [BOUGH_ON_STOP_TIMEOUT] = nothing },
};

/* Public */

struct bough_decider *bough_decider_new(const struct bough_supervisor_options *options)
{
    size_t count = options->child_count;
    uint32_t intensity = bough_supervisor_intensity(options);
    size_t children_size, stamps_size = ((size_t)intensity + 1) * sizeof(int64_t), size;
    struct bough_decider *decider;

    if (__builtin_mul_overflow(count, sizeof(decider->children[0]), &children_size) ||
        __builtin_add_overflow(children_size, sizeof(*decider) + stamps_size, &size))
        return NULL;
    decider = calloc(1, size);
    if (!decider) return NULL;
    decider->strategy = options->strategy;
    decider->intensity = intensity;
    decider->queue_first = NO_CHILD;
    decider->child_count = count;
    for (size_t i = 0; i < count; i++) {
        decider->children[i].restart = options->children[i].restart;
        decider->children[i].shutdown_ms = bough_child_shutdown_ms(&options->children[i]);
    }
    bough_window_init(&decider->window, (int64_t *)(decider->children + count), intensity,
                      bough_supervisor_period_ms(options));
    return decider;
}

void bough_decider_free(struct bough_decider *decider)
{
    free(decider);
}

bool bough_decide_expects(const struct bough_decider *decider,
                          struct bough_decide_event event)
{
    if (event.kind == BOUGH_ON_BEGIN) return decider->phase == NEW;
    if (event.kind == BOUGH_ON_STOP) return true;
    return event.child < decider->child_count &&
           cells[decider->children[event.child].state][event.kind];
}

static void take_in(struct bough_decider *decider, struct bough_decide_event event)
{
    if (event.kind == BOUGH_ON_BEGIN) {
        open_group(decider, 0, decider->child_count);
        decider->cursor = 0;
        set_phase(decider, STARTING);
    } else if (event.kind == BOUGH_ON_STOP) {
        if (!bough_decider_ending(decider)) end_all(decider, BOUGH_END_ASKED, 0);
    } else {
        cells[decider->children[event.child].state][event.kind](decider, event.child,
                                                                event.good);
    }
}

void bough_decide(struct bough_decider *decider, struct bough_decide_event event,
                  int64_t now_ms, struct bough_decide_actions *actions)
{
    bough_assert(event.kind < BOUGH_DECIDE_EVENT_COUNT);
    bough_assert(bough_decide_expects(decider, event));
    bough_assert(now_ms >= decider->now_ms);

    actions->count = 0;
    decider->actions = actions;
    decider->now_ms = now_ms;
    take_in(decider, event);
    while (steps[decider->phase](decider))
        continue;
    decider->actions = NULL;
}

bool bough_decider_idle(const struct bough_decider *decider)
{
    return decider->phase == RUNNING;
}

bool bough_decider_ending(const struct bough_decider *decider)
{
    return decider->phase == ENDING || decider->phase == ENDED;
}

enum bough_child_state bough_decider_child(const struct bough_decider *decider,
                                           size_t child)
{
    bough_assert(child < decider->child_count);
    return decider->children[child].state;
}
