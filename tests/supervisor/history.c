/* history.c - a tree of supervisors and children, and what happens to them.
 *
 * Each supervisor of the tree is a decider with bodies for its children. A body that is a
 * supervisor has a decider of its own while it lives; what becomes of that one (up, or
 * ended) is due to be told to the one above, and is told when a choice says so: as news
 * travel in the real thing. A supervisor can also be given other flags and specs while it
 * is idle. The books kept here are checked as actions are done; each
 * decider's whole trace is compared with the reference when its life is over.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/history_world.h>

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/supervisor/supervisor.h>

const struct bough_exit_reason bough_history_reasons[] = {
    { .kind = BOUGH_EXIT_ERROR, .status = BOUGH_EFAILED },
    { .kind = BOUGH_EXIT_NORMAL },
    { .kind = BOUGH_EXIT_SHUTDOWN },
    { .kind = BOUGH_EXIT_KILLED },
    { .kind = BOUGH_EXIT_CODE, .number = 3 },
    { .kind = BOUGH_EXIT_SIGNAL, .number = 11 },
};

/* Faults */

static sigjmp_buf out; /* of the history that is being lived */

__attribute__((format(printf, 2, 3))) _Noreturn void
bough_history_fault(struct bough_history_world *world, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(world->run->fault, HISTORY_FAULT, format, arguments);
    va_end(arguments);
    siglongjmp(out, 1);
}

/* An assertion of the decider that fails is a fault like others. */
static void on_abort(int number)
{
    (void)number;
    siglongjmp(out, 2);
}

void bough_history_demand(struct bough_history_world *world, bool condition,
                          const char *what, size_t child)
{
    if (!condition) bough_history_fault(world, "%s: child %zu", what, child);
}

/* Supervisors */

struct bough_history_node *
bough_history_node_new(struct bough_history_world *world,
                       const struct bough_supervisor_options *options,
                       struct bough_history_body *body)
{
    size_t which = (size_t)(options - world->tree.options);
    const struct bough_supervisor_options *given = &world->planted.options[which];
    struct bough_history_node *node = calloc(1, sizeof(*node));

    bough_assert(node && world->count < NODES);
    node->options = node->trace.options = options;
    node->which = which;
    node->body = body;
    node->decider = bough_decider_new(given, 1);
    bough_assert(node->decider);
    for (size_t i = 0; options->strategy != BOUGH_DYNAMIC && i < options->child_count;
         i++)
        node->bodies[i].spec = &options->children[i];
    world->nodes[world->count++] = node;
    world->run->tally->supervisors++;
    return node;
}

void bough_history_node_free(struct bough_history_world *world,
                             struct bough_history_node *node)
{
    size_t i = 0;

    while (world->nodes[i] != node)
        i++;
    world->nodes[i] = world->nodes[--world->count];
    bough_decider_free(node->decider);
    free(node->trace.entries);
    free(node);
}

void bough_history_check_trace(struct bough_history_world *world,
                               const struct bough_history_node *node)
{
    char text[HISTORY_FAULT];

    if (!bough_reference_agrees(&node->trace, text, sizeof(text)))
        bough_history_fault(world, "supervisor %zu, %s", node->which, text);
}

/* Killed: all that is below it is gone with it. */
static void node_vanish(struct bough_history_world *world,
                        struct bough_history_node *node)
{
    bough_history_check_trace(world, node);
    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        if (node->bodies[i].below) node_vanish(world, node->bodies[i].below);
    }
    bough_history_node_free(world, node);
}

/* Feeding */

static struct bough_history_entry *new_entry(struct bough_history_node *node)
{
    struct bough_history_trace *trace = &node->trace;

    if (trace->count == trace->capacity) {
        trace->capacity = trace->capacity ? 2 * trace->capacity : 32;
        trace->entries =
            realloc(trace->entries, trace->capacity * sizeof(*trace->entries));
        bough_assert(trace->entries);
    }
    return &trace->entries[trace->count++];
}

static void snapshot(const struct bough_history_node *node,
                     struct bough_history_entry *entry)
{
    size_t child = bough_decider_next(node->decider, BOUGH_NO_CHILD);

    entry->known = 0;
    for (; child != BOUGH_NO_CHILD; child = bough_decider_next(node->decider, child)) {
        entry->order[entry->known] = (uint8_t)child;
        entry->states[entry->known++] =
            (uint8_t)bough_decider_child(node->decider, child);
    }
}

static void tell(const struct bough_history_node *node,
                 const struct bough_history_entry *entry)
{
    printf("# %6" PRId64 " ms  supervisor %zu: %s %zu ->", entry->now_ms, node->which,
           bough_history_event_name(entry->event.kind), entry->event.child);
    for (size_t i = 0; i < entry->actions.count; i++)
        printf("%s %s %zu", i ? "," : "",
               bough_history_action_name(entry->actions.list[i].kind),
               entry->actions.list[i].child);
    printf("\n");
}

static void do_action(struct bough_history_world *world, struct bough_history_node *node,
                      const struct bough_decide_action *action);

void bough_history_feed_added(struct bough_history_world *world,
                              struct bough_history_node *node,
                              struct bough_decide_event event,
                              const struct bough_child_spec *added)
{
    struct bough_history_entry entry = { .event = event,
                                         .now_ms = world->now_ms,
                                         .added = added };

    bough_history_demand(world, bough_decide_expects(node->decider, event),
                         "not expected", event.child);
    bough_decide(node->decider, event, world->now_ms, &entry.actions);
    entry.idle = bough_decider_idle(node->decider);
    if (entry.idle) snapshot(node, &entry);
    *new_entry(node) = entry;
    world->run->tally->events++;
    if (world->run->story) tell(node, &entry);
    for (size_t i = 0; i < entry.actions.count; i++) {
        const struct bough_decide_action *action = &entry.actions.list[i];

        bough_history_demand(
            world, action->kind != BOUGH_DO_START || i + 1 == entry.actions.count,
            "a start is not the last of its batch", action->child);
        do_action(world, node, action);
    }
}

void bough_history_feed(struct bough_history_world *world,
                        struct bough_history_node *node,
                        enum bough_decide_event_kind kind, size_t child,
                        const struct bough_exit_reason *reason)
{
    bough_history_feed_added(
        world, node,
        (struct bough_decide_event){ .kind = kind, .child = child, .reason = reason },
        NULL);
}

/* Actions, each held against the books */

static size_t count_lives(const struct bough_history_node *node, bool starting,
                          bool stopping)
{
    size_t count = 0;

    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        const struct bough_history_body *body = &node->bodies[i];

        count += starting && body->life == STARTING && !body->stopping;
        count += stopping && body->stopping;
        count += !starting && !stopping && body->life != NO_LIFE;
    }
    return count;
}

static void do_start(struct bough_history_world *world, struct bough_history_node *node,
                     const struct bough_decide_action *action)
{
    struct bough_history_body *body = &node->bodies[action->child];

    bough_history_demand(world, body->spec && body->life == NO_LIFE, "it lives already",
                         action->child);
    bough_history_demand(world, !bough_decider_ending(node->decider),
                         "started at the end", action->child);
    bough_history_demand(world, count_lives(node, true, true) == 0, "two at a time",
                         action->child);
    bough_history_demand(world,
                         body->lives == 0 || body->changed ||
                             body->spec->restart != BOUGH_TEMPORARY ||
                             body->spec->policy_count > 0,
                         "a temporary child is started again", action->child);
    body->life = STARTING;
    body->lives++;
    body->settled = body->retry = false;
    body->start_limit = action->limit_ms != BOUGH_FOREVER;
    if (body->spec->type == &bough_supervisor_type)
        body->below = bough_history_node_new(world, body->spec->options, body);
}

static void stop_body(struct bough_history_world *world, struct bough_history_body *body)
{
    body->stopping = true;
    body->start_limit = false;
    if (body->below && !body->below->ended)
        bough_history_feed(world, body->below, BOUGH_ON_STOP, 0, NULL);
}

static void kill_body(struct bough_history_world *world, struct bough_history_body *body)
{
    body->killed = true;
    body->start_limit = body->stop_limit = false;
    if (body->below) node_vanish(world, body->below);
    body->below = NULL;
    if (body->due_exit) return;
    body->due_ready = false;
    body->due_exit = true;
    body->reason = &bough_history_reasons[A_KILL];
}

static void do_stop(struct bough_history_world *world, struct bough_history_node *node,
                    const struct bough_decide_action *action)
{
    struct bough_history_body *body = &node->bodies[action->child];
    bool first = !body->stopping;

    bough_history_demand(world, body->life != NO_LIFE, "stopped without a life",
                         action->child);
    bough_history_demand(world, !body->killed, "killed twice", action->child);
    bough_history_demand(world,
                         !first || node->all_stopping ||
                             count_lives(node, false, true) == 0 ||
                             (action->kind == BOUGH_DO_KILL && body->life == STARTING),
                         "two stops at a time", action->child);
    if (action->kind == BOUGH_DO_STOP) {
        bough_history_demand(world, first, "asked twice", action->child);
        stop_body(world, body);
        body->stop_limit = action->limit_ms != BOUGH_FOREVER;
        return;
    }
    world->run->tally->killed++;
    if (bough_decider_child(node->decider, action->child) == BOUGH_CHILD_STOPPING)
        body->stopping = true;
    kill_body(world, body);
}

static void do_stop_all(struct bough_history_world *world,
                        struct bough_history_node *node,
                        const struct bough_decide_action *action)
{
    bool brutal = action->limit_ms == BOUGH_SHUTDOWN_BRUTAL_KILL;

    bough_history_demand(world,
                         node->options->strategy == BOUGH_DYNAMIC && !node->all_stopping,
                         "all stopped", 0);
    node->all_stopping = true;
    node->all_limit = !brutal && action->limit_ms != BOUGH_FOREVER;
    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        if (node->bodies[i].life == NO_LIFE) continue;
        if (!node->bodies[i].stopping) stop_body(world, &node->bodies[i]);
        if (brutal && !node->bodies[i].killed) kill_body(world, &node->bodies[i]);
    }
}

static void do_kill_all(struct bough_history_world *world,
                        struct bough_history_node *node)
{
    node->all_limit = false;
    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        if (node->bodies[i].life != NO_LIFE && !node->bodies[i].killed)
            kill_body(world, &node->bodies[i]);
    }
}

static void settle_down(struct bough_history_node *node)
{
    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        if (node->bodies[i].spec &&
            bough_decider_child(node->decider, i) == BOUGH_CHILD_DOWN)
            node->bodies[i].settled = true;
    }
}

static void do_answer(struct bough_history_world *world, struct bough_history_node *node,
                      const struct bough_decide_action *action)
{
    bough_history_demand(world, node->asked, "answered without a question",
                         action->child);
    node->asked = false;
    world->run->tally->answers++;
    world->run->tally->cancelled += action->status == BOUGH_ECANCELLED;
}

/* The supervisor above has yet to hear of it. */
static void do_end(struct bough_history_world *world, struct bough_history_node *node,
                   enum bough_decide_end end)
{
    bough_history_demand(world, count_lives(node, false, false) == 0,
                         "ended before its children", 0);
    bough_history_demand(world, !node->asked, "ended without an answer", 0);
    node->ended = true;
    world->run->tally->failed_starts += end == BOUGH_END_FAILED;
    if (!node->body) return;
    node->body->due_exit = true;
    node->body->reason =
        &bough_history_reasons[end == BOUGH_END_FAILED ? AN_ERROR : A_SHUTDOWN];
}

static void do_action(struct bough_history_world *world, struct bough_history_node *node,
                      const struct bough_decide_action *action)
{
    struct bough_history_body *body = &node->bodies[action->child];
    struct bough_history_tally *tally = world->run->tally;

    bough_history_demand(world, !node->ended, "something after the end", action->child);
    switch (action->kind) {
    case BOUGH_DO_START: do_start(world, node, action); break;
    case BOUGH_DO_STOP:
    case BOUGH_DO_KILL: do_stop(world, node, action); break;
    case BOUGH_DO_STOP_ALL: do_stop_all(world, node, action); break;
    case BOUGH_DO_KILL_ALL: do_kill_all(world, node); break;
    case BOUGH_DO_RETRY:
        body->retry = true;
        tally->backoffs += action->limit_ms > 0;
        break;
    case BOUGH_DO_RESTART: tally->restarts++; break;
    case BOUGH_DO_SETTLE: body->settled = true; break;
    case BOUGH_DO_SETTLE_DOWN: settle_down(node); break;
    case BOUGH_DO_REMOVE:
        bough_history_demand(world, body->spec && body->life == NO_LIFE, "removed",
                             action->child);
        *body = (struct bough_history_body){ .spec = NULL };
        break;
    case BOUGH_DO_READY:
        if (node->body) node->body->due_ready = true;
        break;
    case BOUGH_DO_GIVE_UP: tally->gave_up++; break;
    case BOUGH_DO_AUTO_SHUTDOWN: tally->auto_shutdowns++; break;
    case BOUGH_DO_ANSWER: do_answer(world, node, action); break;
    case BOUGH_DO_END: do_end(world, node, action->end); break;
    case BOUGH_DECIDE_ACTION_COUNT: bough_history_fault(world, "an action that is none");
    }
}

void bough_history_change(struct bough_history_world *world,
                          struct bough_history_node *node)
{
    const struct bough_history_tree *given = &world->planted, *known = &world->tree;
    struct bough_history_entry entry = { .now_ms = world->now_ms, .idle = true };
    struct bough_decide_spec specs[HISTORY_CHILDREN];
    size_t child = bough_decider_next(node->decider, BOUGH_NO_CHILD), place = 0;

    for (; child != BOUGH_NO_CHILD; child = bough_decider_next(node->decider, child)) {
        size_t spec = (child + 1) % node->options->child_count;

        if (node->options->strategy == BOUGH_DYNAMIC || place++ % 2) continue;
        specs[entry.given].child = child;
        specs[entry.given].spec = given->children[node->which][spec];
        entry.given_to[entry.given] = (uint8_t)child;
        entry.given_specs[entry.given++] = &known->children[node->which][spec];
        node->bodies[child].spec = &known->children[node->which][spec];
        node->bodies[child].changed = true;
    }
    node->changed = !node->changed;
    node->options =
        node->changed ? &known->others[node->which] : &known->options[node->which];
    entry.changed = node->options;
    if (bough_decider_change(node->decider,
                             node->changed ? &given->others[node->which]
                                           : &given->options[node->which],
                             specs, entry.given) != BOUGH_OK)
        bough_history_fault(world, "out of memory");
    settle_down(node);
    snapshot(node, &entry);
    *new_entry(node) = entry;
    world->run->tally->changes++;
    if (world->run->story) printf("# supervisor %zu is changed\n", node->which);
}

static void live(struct bough_history_world *world)
{
    const struct bough_history_node *root =
        bough_history_node_new(world, &world->tree.options[0], NULL);

    world->nodes[0]->begun = true;
    bough_history_feed(world, world->nodes[0], BOUGH_ON_BEGIN, 0, NULL);
    while (!root->ended && bough_choices_left(world->run->choices))
        bough_history_step(world);
    bough_history_go_well(world);
}

/* The decider's options are copies, in which a fault can be planted. */
static void plant(struct bough_history_world *world)
{
    world->planted = world->tree;
    for (size_t i = 0; i < world->tree.count; i++) {
        world->planted.options[i].children = world->planted.children[i];
        world->planted.others[i].children = world->planted.children[i];
        if (world->run->plant)
            world->run->plant(&world->planted.options[i], world->planted.children[i]);
        if (world->run->plant)
            world->run->plant(&world->planted.others[i], world->planted.children[i]);
    }
}

bool bough_history_live(struct bough_history_run *run)
{
    static struct bough_history_world world; /* outlives the jump */
    struct sigaction action = { .sa_handler = on_abort }, before;
    int jumped;

    world = (struct bough_history_world){ .run = run };
    run->choices->next = 0;
    run->fault[0] = '\0';
    run->tally->histories++;
    bough_history_tree_choose(&world.tree, run->choices);
    plant(&world);
    sigaction(SIGABRT, &action, &before);
    jumped = sigsetjmp(out, 1);
    if (jumped == 0) live(&world);
    sigaction(SIGABRT, &before, NULL);
    if (jumped == 2) snprintf(run->fault, HISTORY_FAULT, "an assertion of the decider");
    while (world.count > 0)
        bough_history_node_free(&world, world.nodes[0]);
    return jumped == 0;
}

/* Words */

const char *bough_history_event_name(enum bough_decide_event_kind kind)
{
    static const char *const names[] = {
        "begin",         "stop",         "ready",       "ignored",
        "start failed",  "exited",       "retry",       "stop timeout",
        "start timeout", "all timeout",  "start_child", "terminate_child",
        "restart_child", "delete_child",
    };

    _Static_assert(bough_count_of(names) == BOUGH_DECIDE_EVENT_COUNT, "one for each");
    return names[kind];
}

const char *bough_history_action_name(enum bough_decide_action_kind kind)
{
    static const char *const names[] = {
        "start", "stop",    "kill",          "stop all",    "kill all",
        "retry", "restart", "settle",        "settle down", "remove",
        "ready", "give up", "auto shutdown", "answer",      "end",
    };

    _Static_assert(bough_count_of(names) == BOUGH_DECIDE_ACTION_COUNT, "one for each");
    return names[kind];
}
