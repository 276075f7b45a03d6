/* test_letters_oom.c - memory runs out at every point in turn while something crosses
 * from one loop to another: nothing that waits is forgotten, and nothing hangs.
 *
 * On the virtual clock: the allocator that fails is not for several threads.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/tests/support/allocator.h>

#include "apart.h"

enum { LARGE = 20000 };

/* Each attempt has a runtime of its own, whose pools are still empty. */
struct world {
    struct bough_test test;
    struct apart apart;
    struct bough_address reserved;
    struct bough_probe_call call;
    struct bough_probe_watch watch;
    bool placed, started;
};

static void world_open(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->test.is_virtual = true;
    bough_virtual_clock_init(&world->test.clock, 0);
    world->test.ev = ev_loop_new(EVFLAG_AUTO);
    world->test.runtime = bough_runtime_new(&(struct bough_runtime_options){
        .clock = &world->test.clock.clock, .log_level = BOUGH_LEVEL_COUNT });
    world->test.loop = bough_loop_new(world->test.runtime, world->test.ev);
    assert_non_null(world->test.loop);
    apart_open(&world->apart, &world->test);
    bough_probe_call_init(&world->call);
    bough_probe_watch_init(&world->watch, NULL);
    bough_probe_watch_init(&world->apart.watch, NULL);
}

static void world_close(struct world *world)
{
    bough_runtime_free(world->test.runtime);
    ev_loop_destroy(world->test.ev);
}

static void place(struct world *world)
{
    const enum bough_status status =
        apart_try_place(&world->apart, &world->apart.probe, "a", &world->apart.place);

    world->placed = status == BOUGH_OK;
    if (!world->placed) assert_true(status == BOUGH_ENOMEM || status == BOUGH_ESYSTEM);
}

static void start(struct world *world)
{
    const struct bough_start start = { .watch = &world->apart.watch.watch };
    const enum bough_status status = bough_place_start(world->apart.place, &start, NULL);

    world->started = status == BOUGH_OK;
    if (!world->started) assert_status(status, BOUGH_ENOMEM);
}

static void talk(struct world *world)
{
    static char bytes[LARGE];

    memset(bytes, 0xff, sizeof(bytes));
    bough_probe_ask(&world->call, world->apart.place, BOUGH_PROBE_ECHO, 1);
    bough_watch(&world->watch.watch, world->apart.place);
    const enum bough_status status =
        bough_send(world->reserved, bytes, sizeof(bytes)); /* not one of its messages */
    if (status != BOUGH_OK) assert_status(status, BOUGH_ENOMEM);
    apart_run(&world->apart);
}

/* What did not succeed does so now: nothing is in its way. */
static void repeat(struct world *world)
{
    if (!world->placed) place(world);
    assert_true(world->placed);
    if (world->started) return;
    start(world);
    assert_true(world->started);
    apart_run(&world->apart);
}

static void go_through(struct world *world, bool reserve, size_t nth)
{
    bough_allocator_fail_at(nth);
    if (reserve &&
        bough_reference(world->test.loop, "/a", &world->reserved) == BOUGH_OK) {
        const enum bough_status status =
            bough_probe_send(world->reserved, BOUGH_PROBE_NOTE, 1);
        if (status != BOUGH_OK) assert_status(status, BOUGH_ENOMEM);
    }
    place(world);
    if (!world->placed) return;
    if (world->reserved.slot == NULL) world->reserved = world->apart.place;
    start(world);
    talk(world);
}

static void nothing_is_forgotten(bool reserve)
{
    static struct world world;
    bool failed = true;
    size_t failures = 0;

    for (size_t nth = 1; failed; nth++) {
        world_open(&world);
        go_through(&world, reserve, nth);
        const bool asked = world.placed;
        failed = bough_allocator_heal();
        failures += failed;
        repeat(&world);
        if (!failed) assert_status(world.call.status, BOUGH_OK);
        apart_close(&world.apart);
        assert_int_equal(world.call.answers, asked);
        assert_int_equal(world.watch.exits, asked);
        assert_int_equal(world.apart.watch.exits, 1);
        assert_int_equal(world.apart.probe.inits, world.apart.probe.finishes);
        assert_int_equal(bough_loop_count(world.test.loop).places, 0);
        assert_int_equal(bough_loop_count(world.test.loop).watches, 0);
        assert_int_equal(bough_loop_count(world.test.loop).calls, 0);
        world_close(&world);
    }
    assert_true(failures > 5);
}

static void a_place_apart_survives_no_memory(void **state)
{
    (void)state;
    nothing_is_forgotten(false);
}

static void a_place_that_moves_survives_no_memory(void **state)
{
    (void)state;
    nothing_is_forgotten(true);
}

/* Their sender was told that they are on their way: one that has no room after all is a
 * dead letter. */
static void what_there_is_no_room_for_is_counted(void **state)
{
    enum { MANY = 5000 };
    static struct world world;
    size_t failures = 0;

    (void)state;
    for (size_t nth = 1; nth < 6; nth++) {
        world_open(&world);
        world.apart.capacity = MANY;
        apart_start(&world.apart);
        for (int i = 0; i < MANY; i++)
            assert_status(bough_probe_send(world.apart.place, BOUGH_PROBE_NOTE, i),
                          BOUGH_OK);
        bough_allocator_fail_at(nth);
        apart_run(&world.apart);
        failures += bough_allocator_heal();
        const uint64_t dead = bough_loop_count(apart_loop(&world.apart)).dead_letters;
        assert_int_equal(world.apart.probe.runs + dead, MANY);
        apart_close(&world.apart);
        world_close(&world);
    }
    assert_true(failures > 0);
}

/* From some point on there is no memory at all. */
static void an_end_that_is_told_across_needs_no_memory(void **state)
{
    static struct world world;

    (void)state;
    for (size_t nth = 1; nth < 12; nth++) {
        struct bough_probe_call kept;

        world_open(&world);
        apart_start(&world.apart);
        bough_probe_call_init(&kept);
        bough_probe_ask(&kept, world.apart.place, BOUGH_PROBE_LATER, 1);
        bough_watch(&world.watch.watch, world.apart.place);
        apart_run(&world.apart);
        bough_probe_ask(&world.call, world.apart.place, BOUGH_PROBE_FAIL, 1);
        bough_allocator_fail_from(nth);
        apart_run(&world.apart);
        bough_allocator_heal();
        assert_int_equal(kept.answers + world.call.answers, 2);
        assert_status(kept.status, BOUGH_ECRASHED);
        assert_true(world.call.status == BOUGH_ECRASHED ||
                    world.call.status == BOUGH_ENOMEM);
        assert_int_equal(world.watch.exits + world.apart.watch.exits, 2);
        assert_int_equal(world.apart.watch.reason.kind, BOUGH_EXIT_ERROR);
        assert_int_equal(world.apart.probe.finishes, 1);
        world_close(&world);
    }
}

/* And while there is none, a loop's end is told to whoever asks it and is told. */
static void a_runtime_ends_without_memory(void **state)
{
    static struct world world;

    (void)state;
    for (size_t nth = 1; nth < 40; nth++) {
        world_open(&world);
        apart_start(&world.apart);
        bough_probe_ask(&world.call, world.apart.place, BOUGH_PROBE_LATER, 1);
        bough_watch(&world.watch.watch, world.apart.place);
        bough_allocator_fail_at(nth);
        bough_runtime_free(world.test.runtime);
        bough_allocator_heal();
        assert_int_equal(world.call.answers, 1);
        assert_int_equal(world.watch.exits + world.apart.watch.exits, 2);
        ev_loop_destroy(world.test.ev);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_apart_survives_no_memory),
        cmocka_unit_test(a_place_that_moves_survives_no_memory),
        cmocka_unit_test(what_there_is_no_room_for_is_counted),
        cmocka_unit_test(an_end_that_is_told_across_needs_no_memory),
        cmocka_unit_test(a_runtime_ends_without_memory),
    };
    return cmocka_run_group_tests_name("core/letters_oom", tests, NULL, NULL);
}
