/* test_spin.c - how long a loop looks before it sleeps.
 *
 * On a clock that moves by itself at each reading, and by hand for a sleep: what a look
 * costs is then a number of readings. It says that it is no virtual one, for on these
 * nothing is looked for.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>

#include <bough/core/elsewhere.h>
#include <bough/core/runtime.h>
#include <bough/tests/support/probe.h>

enum { STEP_NS = 10 };

struct ticker {
    struct bough_clock clock;
    _Atomic int64_t now_ns;
};

static int64_t tick(const struct bough_clock *clock)
{
    struct ticker *self =
        bough_container((struct bough_clock *)(uintptr_t)clock, struct ticker, clock);

    return self->now_ns += STEP_NS;
}

struct world {
    struct ticker ticker;
    struct ev_loop *ev;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_inlet inlet;
    int looks;
    int comes_at; /* from this look on something is there; 0: nothing is */
    int takes, sleeps;
    int64_t look_ns; /* how long one takes, beside the clock */
};

static struct world *world_of(const struct bough_inlet *inlet)
{
    return bough_container((struct bough_inlet *)(uintptr_t)inlet, struct world, inlet);
}

static bool waits(const struct bough_inlet *inlet)
{
    struct world *world = world_of(inlet);

    world->looks++;
    world->ticker.now_ns += world->look_ns;
    return world->comes_at != 0 && world->looks >= world->comes_at;
}

static void take(struct bough_inlet *inlet)
{
    struct world *world = world_of(inlet);

    world->takes++;
    world->comes_at = 0;
}

static bool go_to_sleep(struct bough_inlet *inlet)
{
    world_of(inlet)->sleeps++;
    return true;
}

static void round_of(struct world *world)
{
    world->looks = 0;
    bough_inlet_open(world->loop, &world->inlet);
    ev_run(world->ev, EVRUN_NOWAIT);
}

static void open_world(struct world *world)
{
    *world = (struct world){
        .ticker = { .clock = { .monotonic_ns = tick, .realtime_ns = tick } },
        .inlet = { .waits = waits, .take = take, .sleep = go_to_sleep },
    };
    const struct bough_runtime_options options = { .log_level = BOUGH_LEVEL_COUNT,
                                                   .clock = &world->ticker.clock,
                                                   .no_spin = true };
    world->ev = ev_loop_new(EVFLAG_AUTO);
    world->runtime = bough_runtime_new(&options);
    assert_non_null(world->runtime);
    world->loop = bough_loop_new(world->runtime, world->ev);
    assert_non_null(world->loop);
    round_of(world);
    assert_int_equal(world->sleeps, 1);
}

static void close_world(struct world *world)
{
    bough_inlet_close(&world->inlet);
    bough_runtime_free(world->runtime);
    ev_loop_destroy(world->ev);
}

/* Before the slice, and once at its end. */
enum { ALWAYS = 2 };

/* How many looks there are after a sleep of so long, but for those that always are. */
static int looks_after(struct world *world, int64_t sleep_ns)
{
    const int sleeps = world->sleeps;

    world->ticker.now_ns += sleep_ns;
    round_of(world);
    assert_int_equal(world->sleeps, sleeps + 1);
    return world->looks - ALWAYS;
}

static void nothing_is_looked_for_before_the_first_sleep(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_int_equal(world.looks, ALWAYS);
    close_world(&world);
}

static void a_look_takes_a_tenth_of_the_last_sleep(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_in_range(looks_after(&world, 10000), 95, 110);
    assert_in_range(looks_after(&world, 20000), 195, 220);
    assert_in_range(looks_after(&world, 5000), 48, 60);
    close_world(&world);
}

static void it_takes_no_longer_for_a_long_one(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    const int most = looks_after(&world, 1000000);
    assert_in_range(most, 200, 260);
    assert_int_equal(looks_after(&world, 1000000000), most);
    close_world(&world);
}

/* Whoever ended it may have waited for this processor. */
static void there_is_none_after_a_short_one(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_int_equal(looks_after(&world, 3000), 0);
    assert_int_equal(looks_after(&world, 0), 0);
    assert_in_range(looks_after(&world, 10000), 95, 110);
    close_world(&world);
}

static void what_comes_meanwhile_is_taken(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    world.ticker.now_ns += 10000;
    world.comes_at = 50;
    round_of(&world);
    assert_int_equal(world.takes, 1);
    /* And then it looks for as long again, before it looks around. */
    assert_in_range(world.looks, 50 + 95, 50 + 110);
    assert_int_equal(world.sleeps, 1);
    assert_int_equal(looks_after(&world, 0), 0);
    close_world(&world);
}

/* It is awake between two sleeps: that is no part of one. */
static void what_it_does_is_no_sleep(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    world.look_ns = 10000;
    assert_int_equal(looks_after(&world, 0), 0);
    assert_int_equal(looks_after(&world, 0), 0);
    close_world(&world);
}

static void one_slow_look_is_all_there_is_time_for(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    world.look_ns = 5000;
    assert_int_equal(looks_after(&world, 1000000), 1);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_looked_for_before_the_first_sleep),
        cmocka_unit_test(a_look_takes_a_tenth_of_the_last_sleep),
        cmocka_unit_test(it_takes_no_longer_for_a_long_one),
        cmocka_unit_test(there_is_none_after_a_short_one),
        cmocka_unit_test(what_comes_meanwhile_is_taken),
        cmocka_unit_test(what_it_does_is_no_sleep),
        cmocka_unit_test(one_slow_look_is_all_there_is_time_for),
    };
    return cmocka_run_group_tests_name("core/spin", tests, NULL, NULL);
}
