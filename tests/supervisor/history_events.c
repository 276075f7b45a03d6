/* history_events.c - what happens to the children of a tree, step by step.
 *
 * A step is five choices: what happens, in which supervisor, to which child, how, and how
 * much later. All of them 0: something that is under way goes on, and well.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/history_world.h>

#include <bough/core/assert.h>
#include <bough/supervisor/supervisor.h>

/* After the choices: it must end long before. */
enum { ROUNDS = 5000 };

/* What happens to one body */

static void exit_body(struct bough_history_world *world, struct bough_history_node *node,
                      size_t i, enum bough_decide_event_kind kind,
                      const struct bough_exit_reason *reason)
{
    struct bough_history_body *body = &node->bodies[i];

    if (body->below) {
        /* Nothing may come of anything that it is told from now on. */
        bough_history_feed(world, body->below, BOUGH_ON_STOP, 0, NULL);
        bough_history_feed(world, body->below, BOUGH_ON_ALL_TIMEOUT, 0, NULL);
        bough_history_check_trace(world, body->below);
        bough_history_node_free(world, body->below);
    }
    body->below = NULL;
    body->life = NO_LIFE;
    body->stopping = body->killed = body->due_ready = body->due_exit = false;
    body->start_limit = body->stop_limit = false;
    bough_history_feed(world, node, kind, i, reason);
}

static void come_up(struct bough_history_world *world, struct bough_history_node *node,
                    size_t i)
{
    struct bough_history_body *body = &node->bodies[i];

    body->due_ready = body->start_limit = false;
    body->life = UP;
    bough_history_feed(world, node, BOUGH_ON_READY, i, NULL);
}

/* A start ends, well mostly. */
static void happen_to_start(struct bough_history_world *world,
                            struct bough_history_node *node, size_t i, uint32_t how)
{
    switch (how) {
    case 1:
    case 2:
        exit_body(world, node, i, BOUGH_ON_START_FAILED,
                  &bough_history_reasons[AN_ERROR]);
        break;
    case 3:
        exit_body(world, node, i, BOUGH_ON_EXITED, &bough_history_reasons[A_NORMAL]);
        break;
    case 4:
        exit_body(world, node, i, BOUGH_ON_START_FAILED, &bough_history_reasons[A_CODE]);
        break;
    case 5: exit_body(world, node, i, BOUGH_ON_IGNORED, NULL); break;
    case 6:
        if (node->bodies[i].start_limit)
            bough_history_feed(world, node, BOUGH_ON_START_TIMEOUT, i, NULL);
        break;
    default: come_up(world, node, i); break;
    }
}

static void happen_to_stop(struct bough_history_world *world,
                           struct bough_history_node *node, size_t i, uint32_t how)
{
    if (how == 1 && node->bodies[i].stop_limit)
        bough_history_feed(world, node, BOUGH_ON_STOP_TIMEOUT, i, NULL);
    else if (how == 2 && node->bodies[i].life == STARTING)
        come_up(world, node, i);
    else if (how == 3 && node->bodies[i].life == STARTING)
        exit_body(world, node, i, BOUGH_ON_IGNORED, NULL);
    else
        exit_body(world, node, i, BOUGH_ON_EXITED,
                  &bough_history_reasons[how == 4 ? AN_ERROR : A_SHUTDOWN]);
}

/* A life ends by itself; `how` 0: it does not. */
static void happen_to_life(struct bough_history_world *world,
                           struct bough_history_node *node, size_t i, uint32_t how)
{
    static const uint8_t ends[] = { AN_ERROR, AN_ERROR, A_CODE,   A_SIGNAL,
                                    A_KILL,   A_NORMAL, A_NORMAL, A_SHUTDOWN };

    if (how > 0)
        exit_body(world, node, i, BOUGH_ON_EXITED,
                  &bough_history_reasons[ends[how % bough_count_of(ends)]]);
}

static bool supervisor_lives(const struct bough_history_body *body)
{
    return body->below && !body->below->ended;
}

/* Something that is under way goes on. False: nothing is, at that body. */
static bool go_on(struct bough_history_world *world, struct bough_history_node *node,
                  size_t i, uint32_t how)
{
    struct bough_history_body *body = &node->bodies[i];

    if (body->retry) {
        body->retry = false;
        bough_history_feed(world, node, BOUGH_ON_RETRY, i, NULL);
    } else if (supervisor_lives(body) && !body->below->begun) {
        body->below->begun = true;
        bough_history_feed(world, body->below, BOUGH_ON_BEGIN, 0, NULL);
    } else if (body->due_ready) {
        come_up(world, node, i);
    } else if (body->due_exit) {
        exit_body(world, node, i, BOUGH_ON_EXITED, body->reason);
    } else if (body->life == NO_LIFE || supervisor_lives(body)) {
        return false;
    } else if (body->stopping) {
        happen_to_stop(world, node, i, how);
    } else if (body->life == STARTING) {
        happen_to_start(world, node, i, how);
    } else {
        return false;
    }
    return true;
}

/* Steps */

struct step {
    uint32_t what, who, how, which, when;
};

static void come_late(struct bough_history_world *world, struct bough_history_node *node,
                      size_t i, const struct step *step)
{
    struct bough_history_body *body = &node->bodies[i];

    if (i >= bough_decider_count(node->decider)) return;
    if (step->how % 4 == 0 && !body->stopping)
        bough_history_feed(world, node, BOUGH_ON_STOP_TIMEOUT, i, NULL);
    if (step->how % 4 == 1 && body->life != STARTING)
        bough_history_feed(world, node, BOUGH_ON_START_TIMEOUT, i, NULL);
    if (step->how % 4 == 2 && !body->retry)
        bough_history_feed(world, node, BOUGH_ON_RETRY, i, NULL);
    if (step->how % 4 == 3 && (!node->all_stopping || node->all_limit))
        bough_history_feed(world, node, BOUGH_ON_ALL_TIMEOUT, 0, NULL);
}

static void time_out(struct bough_history_world *world, struct bough_history_node *node,
                     size_t i)
{
    const struct bough_history_body *body = &node->bodies[i];

    if (body->stop_limit)
        bough_history_feed(world, node, BOUGH_ON_STOP_TIMEOUT, i, NULL);
    else if (body->start_limit && body->life == STARTING)
        bough_history_feed(world, node, BOUGH_ON_START_TIMEOUT, i, NULL);
    else if (node->all_limit)
        bough_history_feed(world, node, BOUGH_ON_ALL_TIMEOUT, 0, NULL);
}

static void add_one(struct bough_history_world *world, struct bough_history_node *node,
                    uint32_t which)
{
    size_t supervisor = node->which, child, known = 0;

    for (size_t i = 0; i < HISTORY_CHILDREN; i++)
        known += node->bodies[i].spec != NULL;
    if (known == HISTORY_CHILDREN || node->options->child_count == 0) return;
    which %= node->options->child_count;
    if (bough_decider_add(node->decider, &world->planted.children[supervisor][which],
                          &child) != BOUGH_OK)
        bough_history_fault(world, "out of memory");
    bough_history_demand(world, child < HISTORY_CHILDREN && !node->bodies[child].spec,
                         "the number is another's", child);
    node->bodies[child] =
        (struct bough_history_body){ .spec = &node->options->children[which] };
    node->asked = true;
    bough_history_feed_added(
        world, node,
        (struct bough_decide_event){ .kind = BOUGH_ON_START_CHILD, .child = child },
        &node->options->children[which]);
}

static void request(struct bough_history_world *world, struct bough_history_node *node,
                    size_t i, const struct step *step)
{
    static const enum bough_decide_event_kind kinds[] = { BOUGH_ON_TERMINATE_CHILD,
                                                          BOUGH_ON_RESTART_CHILD,
                                                          BOUGH_ON_DELETE_CHILD };

    if (!bough_decider_idle(node->decider)) return;
    if (step->how % 4 == 3) {
        add_one(world, node, step->which);
    } else if (node->bodies[i].spec) {
        node->asked = true;
        bough_history_feed(world, node, kinds[step->how % 4], i, NULL);
    }
}

static void ask_to_stop(struct bough_history_world *world)
{
    bough_history_feed(world, world->nodes[0], BOUGH_ON_STOP, 0, NULL);
}

/* The nth of the children known; wherever, when there is none. */
static size_t nth_body(const struct bough_history_node *node, uint32_t nth)
{
    size_t known[HISTORY_CHILDREN], count = 0;

    for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
        if (node->bodies[i].spec) known[count++] = i;
    }
    return count > 0 ? known[nth % count] : nth % HISTORY_CHILDREN;
}

/* Something under way goes on, mostly: a supervisor would rest otherwise. */
static void go_on_somewhere(struct bough_history_world *world,
                            struct bough_history_node *node, size_t i, uint32_t how)
{
    for (size_t k = 0; k < HISTORY_CHILDREN; k++) {
        if (go_on(world, node, (i + k) % HISTORY_CHILDREN, how)) return;
    }
}

static void take_step(struct bough_history_world *world, const struct step *step)
{
    struct bough_history_node *node = world->nodes[step->who % world->count];
    size_t i = nth_body(node, step->which);
    const struct bough_history_body *body = &node->bodies[i];

    world->now_ms += step->when;
    if (step->what < 14) {
        go_on_somewhere(world, node, i, step->how);
    } else if (step->what < 22) {
        if (body->life == UP && !body->below && !body->stopping)
            happen_to_life(world, node, i, step->how);
    } else if (step->what < 26) {
        request(world, node, i, step);
    } else if (step->what == 26) {
        if (bough_decider_idle(node->decider)) bough_history_change(world, node);
    } else if (step->what < 28) {
        come_late(world, node, i, step);
    } else if (step->what < 31) {
        time_out(world, node, i);
    } else if (step->how == 0) {
        ask_to_stop(world);
    }
}

/* One thing that is under way goes on well. False: nothing is. */
static bool go_on_well(struct bough_history_world *world)
{
    for (size_t n = 0; n < world->count; n++) {
        for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
            if (world->nodes[n]->bodies[i].spec && go_on(world, world->nodes[n], i, 0))
                return true;
        }
    }
    return false;
}

static void nobody_is_lost(struct bough_history_world *world)
{
    for (size_t n = 0; n < world->count; n++) {
        const struct bough_history_node *node = world->nodes[n];

        bough_history_demand(world, bough_decider_idle(node->decider),
                             "it never comes to rest", n);
        bough_history_demand(world, !node->asked, "a request is not answered", n);
        for (size_t i = 0; i < HISTORY_CHILDREN; i++) {
            const struct bough_history_body *body = &node->bodies[i];

            bough_history_demand(world, !body->spec || body->life == UP || body->settled,
                                 "lost", i);
        }
    }
}

void bough_history_go_well(struct bough_history_world *world)
{
    const struct bough_history_node *root = world->nodes[0];

    for (int rounds = 0; !root->ended; rounds++) {
        bough_history_demand(world, rounds < ROUNDS, "it never ends", 0);
        if (go_on_well(world)) continue;
        bough_history_demand(world, !bough_decider_ending(root->decider),
                             "it does not end", 0);
        nobody_is_lost(world);
        ask_to_stop(world);
    }
    ask_to_stop(world);
    bough_history_check_trace(world, root);
}

void bough_history_step(struct bough_history_world *world)
{
    struct bough_choices *choices = world->run->choices;
    struct step step = { .what = bough_choose(choices, 32) };

    step.who = bough_choose(choices, 8);
    step.which = bough_choose(choices, HISTORY_CHILDREN);
    step.how = bough_choose(choices, 32);
    step.when = bough_choose(choices, 12);
    take_step(world, &step);
}
