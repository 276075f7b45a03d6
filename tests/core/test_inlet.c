/* test_inlet.c - memory where something may come in, and how a loop looks there.
 *
 * On the machine's clock, for a virtual one never spins; what comes does so after a
 * number of looks, not of seconds.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>

#include <bough/core/elsewhere.h>
#include <bough/core/runtime.h>
#include <bough/tests/support/probe.h>

/* One that has something after so many looks. */
struct inlet {
    struct bough_inlet inlet;
    int looks_left; /* negative: for ever */
    int takes, sleeps;
    bool nested;
    struct bough_loop *loop;
    struct bough_address tell;
};

static struct inlet *outer(const struct bough_inlet *inlet)
{
    return bough_container((struct bough_inlet *)(uintptr_t)inlet, struct inlet, inlet);
}

static bool waits(const struct bough_inlet *inlet)
{
    struct inlet *self = outer(inlet);

    if (self->looks_left > 0) self->looks_left--;
    return self->looks_left == 0;
}

static void take(struct bough_inlet *inlet)
{
    struct inlet *self = outer(inlet);

    self->takes++;
    if (self->nested) {
        bough_loop_end(self->loop);
        bough_loop_run_ready(self->loop, SIZE_MAX);
        bough_loop_begin(self->loop);
    }
    if (self->tell.slot != NULL)
        assert_status(bough_probe_send(self->tell, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    self->looks_left = -1;
}

static bool go_to_sleep(struct bough_inlet *inlet)
{
    outer(inlet)->sleeps++;
    return outer(inlet)->looks_left != 0;
}

struct world {
    struct ev_loop *ev;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct inlet inlet;
    struct bough_probe probe;
    struct bough_address place;
};

static void open_world(struct world *world, bool no_spin)
{
    const struct bough_runtime_options options = { .log_level = BOUGH_LEVEL_COUNT,
                                                   .no_spin = no_spin };
    const struct bough_probe_options probe = { &world->probe };

    memset(world, 0, sizeof(*world));
    world->ev = ev_loop_new(EVFLAG_AUTO);
    world->runtime = bough_runtime_new(&options);
    assert_non_null(world->runtime);
    world->loop = bough_loop_new(world->runtime, world->ev);
    assert_non_null(world->loop);
    assert_status(
        bough_spawn(world->loop, &bough_probe_type, &probe, NULL, &world->place, NULL),
        BOUGH_OK);
    while (bough_loop_run_ready(world->loop, SIZE_MAX) > 0)
        continue;
    ev_run(world->ev, EVRUN_NOWAIT);
    world->inlet.inlet =
        (struct bough_inlet){ .waits = waits, .take = take, .sleep = go_to_sleep };
    world->inlet.loop = world->loop;
    world->inlet.looks_left = -1;
}

static void close_world(struct world *world)
{
    bough_inlet_close(&world->inlet.inlet);
    bough_runtime_free(world->runtime);
    ev_loop_destroy(world->ev);
}

/* A poll would wait for ever: what is found while spinning ends ev_run() without one. */
static void what_comes_while_it_looks_is_taken(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, false);
    world.inlet.tell = world.place;
    /* Fewer looks than are made whatever the clock says; one that is given up when the
     * processor was taken away for long is tried again. */
    for (int i = 0; i < 100 && world.inlet.takes == 0; i++) {
        world.inlet.looks_left = 20;
        bough_inlet_open(world.loop, &world.inlet.inlet);
        ev_run(world.ev, EVRUN_NOWAIT);
    }
    assert_int_equal(world.inlet.takes, 1);
    assert_int_equal(world.probe.runs, 1);
    close_world(&world);
}

static void what_was_there_before_ends_the_wait(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    world.inlet.looks_left = 1;
    world.inlet.tell = world.place;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    ev_run(world.ev, EVRUN_ONCE);
    assert_int_equal(world.inlet.takes, 1);
    assert_int_equal(world.inlet.sleeps, 0);
    assert_int_equal(world.probe.runs, 1);
    close_world(&world);
}

static void without_spinning_it_is_told_to_sleep(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    world.inlet.looks_left = 100;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    ev_run(world.ev, EVRUN_NOWAIT);
    assert_int_equal(world.inlet.takes, 0);
    assert_int_equal(world.inlet.sleeps, 1);
    assert_in_range(world.inlet.looks_left, 90, 99);
    /* Nobody looks there any more, until it is opened again. */
    const int left = world.inlet.looks_left;
    ev_run(world.ev, EVRUN_NOWAIT);
    assert_int_equal(world.inlet.looks_left, left);
    bough_inlet_open(world.loop, &world.inlet.inlet);
    ev_run(world.ev, EVRUN_NOWAIT);
    assert_int_equal(world.inlet.sleeps, 2);
    close_world(&world);
}

static bool refuse_to_sleep(struct bough_inlet *inlet)
{
    struct inlet *self = outer(inlet);

    self->sleeps++;
    if (self->sleeps > 1) return true;
    self->looks_left = 0;
    return false;
}

/* ev_run(EVRUN_ONCE) would not return if it polled. */
static void one_that_does_not_sleep_is_looked_at_again(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    world.inlet.inlet.sleep = refuse_to_sleep;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    ev_run(world.ev, EVRUN_ONCE);
    assert_int_equal(world.inlet.takes, 0);
    world.inlet.sleeps = 0;
    ev_run(world.ev, EVRUN_ONCE);
    assert_int_equal(world.inlet.takes, 1);
    close_world(&world);
}

/* After the prepare watchers, from a check watcher, say: the next poll does not sleep. */
static void one_that_is_opened_late_is_looked_at(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    ev_run(world.ev, EVRUN_NOWAIT);
    world.inlet.looks_left = 0;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    bough_inlet_open(world.loop, &world.inlet.inlet);
    ev_run(world.ev, EVRUN_ONCE);
    assert_int_equal(world.inlet.takes, 1);
    close_world(&world);
}

static void what_is_ready_comes_from_there_too(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    world.inlet.looks_left = 0;
    world.inlet.tell = world.place;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    assert_int_equal(bough_loop_run_ready(world.loop, SIZE_MAX), 1);
    assert_int_equal(world.probe.runs, 1);
    close_world(&world);
}

static void nothing_is_taken_in_the_midst_of_it(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, true);
    world.inlet.looks_left = 0;
    world.inlet.nested = true;
    bough_inlet_open(world.loop, &world.inlet.inlet);
    bough_loop_run_ready(world.loop, SIZE_MAX);
    assert_int_equal(world.inlet.takes, 1);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_while_it_looks_is_taken),
        cmocka_unit_test(what_was_there_before_ends_the_wait),
        cmocka_unit_test(without_spinning_it_is_told_to_sleep),
        cmocka_unit_test(one_that_does_not_sleep_is_looked_at_again),
        cmocka_unit_test(one_that_is_opened_late_is_looked_at),
        cmocka_unit_test(what_is_ready_comes_from_there_too),
        cmocka_unit_test(nothing_is_taken_in_the_midst_of_it),
    };
    return cmocka_run_group_tests_name("core/inlet", tests, NULL, NULL);
}
