/* test_decide_random.c - seeded random histories; OTP's promises checked after every
 * event.
 *
 * A world of children that start, fail, die and dawdle at random does what the decider
 * says and feeds back what comes of it. The world keeps its own books, and the books must
 * agree with OTP's rules whatever happens:
 *
 *     one start and one stop at a time; nobody starts while somebody is being stopped
 *     who is stopped, and who is started in a group, has nobody alive behind it
 *     a restart is allowed if and only if the period holds no more than the intensity
 *     nobody is lost, restarted twice, or started after being forgotten
 *     it ends with nobody alive, and does nothing after that
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>
#include <bough/tests/support/unit.h>

#include <string.h>

enum { STAMPS = 4096 };

struct body {
    enum { DOWN, STARTING, UP, STOPPING } state;
    bool killed, forgotten;
    bool done;         /* its last end needs no restart */
    bool retry;        /* a retry has been asked for */
    unsigned faults;   /* ends and failed starts that need a restart */
    unsigned restarts; /* that were begun because of it */
};

struct world {
    struct script script;
    struct body bodies[SCRIPT_CHILDREN];
    int64_t stamps[STAMPS];
    size_t stamp_count;
    bool begun, ready, asked, gave_up, ended;
    uint64_t *seed;
};

static uint32_t below(struct world *world, uint32_t bound)
{
    return bough_test_random(world->seed, bound);
}

static size_t child_count(const struct world *world)
{
    return world->script.options.child_count;
}

static size_t count_state(const struct world *world, int state)
{
    size_t count = 0;

    for (size_t i = 0; i < child_count(world); i++) {
        if ((int)world->bodies[i].state == state) count++;
    }
    return count;
}

static bool is_ending(const struct world *world)
{
    return bough_decider_ending(world->script.decider);
}

/* Actions */

static void nobody_alive_behind(const struct world *world, size_t child)
{
    for (size_t i = child + 1; i < child_count(world); i++)
        assert_int_equal(world->bodies[i].state, DOWN);
}

static void start_one(struct world *world, size_t child)
{
    struct body *body = &world->bodies[child];

    assert_int_equal(body->state, DOWN);
    assert_false(body->forgotten);
    assert_false(is_ending(world));
    assert_int_equal(count_state(world, STARTING) + count_state(world, STOPPING), 0);
    if (!world->ready || world->script.options.strategy != BOUGH_ONE_FOR_ONE)
        nobody_alive_behind(world, child);
    body->state = STARTING;
    body->done = false;
    body->retry = false;
}

static void stop_one(struct world *world, const struct bough_decide_action *action)
{
    struct body *body = &world->bodies[action->child];
    bool first = body->state != STOPPING;

    if (first) {
        assert_int_not_equal(body->state, DOWN);
        assert_int_equal(count_state(world, STOPPING), 0);
        nobody_alive_behind(world, action->child);
        assert_true(is_ending(world) ||
                    world->script.options.strategy != BOUGH_ONE_FOR_ONE);
    }
    assert_false(body->killed);
    body->killed = action->kind == BOUGH_DO_KILL;
    body->state = STOPPING;
}

static void count_restart(struct world *world, const struct bough_decide_action *action)
{
    int64_t now = world->script.now_ms;
    uint32_t inside = 0;

    assert_in_range(world->stamp_count, 0, STAMPS - 1);
    world->stamps[world->stamp_count++] = now;
    for (size_t i = 0; i < world->stamp_count; i++) {
        if (world->stamps[i] >= now - world->script.options.period_ms) inside++;
    }
    assert_int_equal(action->restarts, inside);
    assert_int_equal(action->kind == BOUGH_DO_GIVE_UP,
                     inside > world->script.options.intensity);
    world->bodies[action->child].restarts++;
    if (action->kind == BOUGH_DO_GIVE_UP) world->gave_up = true;
}

static void forget_one(struct world *world, size_t child)
{
    assert_int_equal(world->script.children[child].restart, BOUGH_TEMPORARY);
    assert_int_equal(world->bodies[child].state, DOWN);
    assert_false(world->bodies[child].forgotten);
    world->bodies[child].forgotten = true;
}

static void end_world(struct world *world, enum bough_decide_end end)
{
    assert_false(world->ended);
    assert_int_equal(count_state(world, DOWN), child_count(world));
    if (end == BOUGH_END_GAVE_UP) assert_true(world->gave_up);
    if (end == BOUGH_END_ASKED) assert_true(world->asked);
    if (end == BOUGH_END_FAILED) assert_false(world->ready);
    world->ended = true;
}

static void do_action(struct world *world, const struct bough_decide_action *action)
{
    assert_false(world->ended);
    switch (action->kind) {
    case BOUGH_DO_START: start_one(world, action->child); break;
    case BOUGH_DO_STOP:
    case BOUGH_DO_KILL: stop_one(world, action); break;
    case BOUGH_DO_RETRY: world->bodies[action->child].retry = true; break;
    case BOUGH_DO_RESTART:
    case BOUGH_DO_GIVE_UP: count_restart(world, action); break;
    case BOUGH_DO_SETTLE: world->bodies[action->child].done = true; break;
    case BOUGH_DO_REMOVE: forget_one(world, action->child); break;
    case BOUGH_DO_READY:
        assert_false(world->ready);
        world->ready = true;
        break;
    case BOUGH_DO_END: end_world(world, action->end); break;
    case BOUGH_DO_STOP_ALL:
    case BOUGH_DO_KILL_ALL:
    case BOUGH_DO_SETTLE_DOWN:
    case BOUGH_DO_AUTO_SHUTDOWN:
    case BOUGH_DO_ANSWER:
    case BOUGH_DECIDE_ACTION_COUNT: fail(); break;
    }
}

static void feed(struct world *world, struct bough_decide_event event)
{
    struct bough_decide_actions actions;

    assert_true(bough_decide_expects(world->script.decider, event));
    bough_decide(world->script.decider, event, world->script.now_ms, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.list[i].kind == BOUGH_DO_START)
            assert_int_equal(i, actions.count - 1);
        do_action(world, &actions.list[i]);
    }
}

/* What happens to children */

static void finish_start(struct world *world, size_t child, uint32_t luck)
{
    struct body *body = &world->bodies[child];

    body->state = luck < 6 ? UP : DOWN;
    if (luck < 6) {
        feed(world, ready(child));
    } else if (luck < 8) {
        body->faults++;
        feed(world, luck == 6 ? start_failed(child) : crashed(child));
    } else {
        feed(world, ignored(child));
    }
}

static void die(struct world *world, size_t child, bool good)
{
    struct body *body = &world->bodies[child];
    enum bough_restart policy = world->script.children[child].restart;

    body->state = DOWN;
    if (policy == BOUGH_PERMANENT || (policy == BOUGH_TRANSIENT && !good)) body->faults++;
    feed(world, good ? ended(child) : crashed(child));
}

static void be_stopped(struct world *world, size_t child, uint32_t luck)
{
    struct body *body = &world->bodies[child];

    if (luck < 2 &&
        world->script.children[child].shutdown_ms != BOUGH_SHUTDOWN_INFINITY) {
        feed(world, stop_timeout(child));
        return;
    }
    body->state = DOWN;
    body->killed = false;
    feed(world, luck % 2 ? ended(child) : crashed(child));
}

static void retry_one(struct world *world, size_t child)
{
    world->bodies[child].retry = false;
    feed(world, retry(child));
}

static void happen(struct world *world, size_t child)
{
    uint32_t luck = below(world, 10);

    switch (world->bodies[child].state) {
    case STARTING: finish_start(world, child, luck); break;
    case UP: die(world, child, luck < 4); break;
    case STOPPING: be_stopped(world, child, luck); break;
    case DOWN:
        if (world->bodies[child].retry) retry_one(world, child);
        break;
    }
}

/* Stale timers may come at any time and change nothing. */
static void come_late(struct world *world, size_t child)
{
    if (world->bodies[child].state != STOPPING) feed(world, stop_timeout(child));
    if (!world->bodies[child].retry) feed(world, retry(child));
}

/* From now on all goes well, until nothing is left to happen. */
static void settle(struct world *world)
{
    bool busy = true;

    while (busy) {
        busy = false;
        for (size_t i = 0; i < child_count(world); i++) {
            struct body *body = &world->bodies[i];

            if (body->state == UP || (body->state == DOWN && !body->retry)) continue;
            busy = true;
            if (body->state == STARTING)
                finish_start(world, i, 0);
            else if (body->state == STOPPING)
                be_stopped(world, i, 9);
            else
                retry_one(world, i);
        }
    }
}

static void nobody_is_lost(const struct world *world)
{
    assert_true(bough_decider_idle(world->script.decider));
    for (size_t i = 0; i < child_count(world); i++) {
        const struct body *body = &world->bodies[i];
        bool temporary = world->script.children[i].restart == BOUGH_TEMPORARY;

        if (body->state != UP) assert_true(temporary ? body->forgotten : body->done);
        if (world->script.options.strategy == BOUGH_ONE_FOR_ONE)
            assert_int_equal(body->restarts, body->faults);
    }
}

/* Histories */

static void world_init(struct world *world, enum bough_strategy strategy, uint64_t *seed)
{
    static const int64_t shutdowns[] = { BOUGH_SHUTDOWN_DEFAULT,
                                         BOUGH_SHUTDOWN_BRUTAL_KILL,
                                         BOUGH_SHUTDOWN_INFINITY,
                                         BOUGH_SHUTDOWN_AT_ONCE };

    memset(world, 0, sizeof(*world));
    world->seed = seed;
    script_init(&world->script, strategy, below(world, SCRIPT_CHILDREN + 1));
    world->script.options.intensity = below(world, 2) ? below(world, 4) : 50;
    world->script.options.period_ms = 1 + below(world, 100);
    for (size_t i = 0; i < child_count(world); i++) {
        world->script.children[i].restart = (enum bough_restart)below(world, 3);
        world->script.children[i].shutdown_ms = shutdowns[below(world, 4)];
    }
    script_new(&world->script);
}

static void live(struct world *world, enum bough_strategy strategy, uint64_t *seed)
{
    uint32_t length = 0;

    world_init(world, strategy, seed);
    length = below(world, 300);
    feed(world, begin());
    while (length-- > 0 && !world->ended && child_count(world) > 0) {
        size_t child = below(world, (uint32_t)child_count(world));

        world->script.now_ms += below(world, 10);
        happen(world, child);
        if (!world->ended) come_late(world, child);
        if (below(world, 200) == 0 && !world->ended) {
            world->asked = true;
            feed(world, asked_to_stop());
        }
    }
    settle(world);
    if (!is_ending(world)) nobody_is_lost(world);
    world->asked = true;
    if (!world->ended) feed(world, asked_to_stop());
    settle(world);
    assert_true(world->ended);
    feed(world, asked_to_stop());
    script_finish(&world->script);
}

static void live_many(enum bough_strategy strategy)
{
    enum { HISTORIES = 4000 };
    uint64_t seed = bough_test_seed() + (uint64_t)strategy;
    unsigned gave_up = 0, never_up = 0;

    for (int i = 0; i < HISTORIES; i++) {
        struct world world;

        live(&world, strategy, &seed);
        gave_up += world.gave_up;
        never_up += !world.ready;
    }
    /* Histories that never reach the rarer ends would prove little. */
    assert_in_range(gave_up, HISTORIES / 20, HISTORIES);
    assert_in_range(never_up, HISTORIES / 20, HISTORIES);
}

static void one_for_one_keeps_its_promises(void **state)
{
    (void)state;
    live_many(BOUGH_ONE_FOR_ONE);
}

static void one_for_all_keeps_its_promises(void **state)
{
    (void)state;
    live_many(BOUGH_ONE_FOR_ALL);
}

static void rest_for_one_keeps_its_promises(void **state)
{
    (void)state;
    live_many(BOUGH_REST_FOR_ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_for_one_keeps_its_promises),
        cmocka_unit_test(one_for_all_keeps_its_promises),
        cmocka_unit_test(rest_for_one_keeps_its_promises),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
