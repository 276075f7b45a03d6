/* test_oom.c - memory runs out at every point in turn: it is said, and nothing has
 * changed.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/slot_internal.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/probe.h>

/* Each attempt has a runtime of its own, whose pools are still empty. */
struct world {
    struct bough_test test;
    struct bough_probe probe;
    struct bough_probe_call call;
    struct bough_probe_watch watch;
    struct bough_address place;
};

static void world_open(struct world *world)
{
    memset(world, 0, sizeof(*world));
    bough_virtual_clock_init(&world->test.clock, 0);
    world->test.ev = ev_loop_new(EVFLAG_AUTO);
    world->test.runtime = bough_runtime_new(
        &(struct bough_runtime_options){ .clock = &world->test.clock.clock });
    world->test.loop = bough_loop_new(world->test.runtime, world->test.ev);
    assert_non_null(world->test.loop);
    bough_probe_call_init(&world->call);
    bough_probe_watch_init(&world->watch, &world->probe);
}

static void world_close(struct world *world)
{
    bough_runtime_free(world->test.runtime);
    ev_loop_destroy(world->test.ev);
}

/* What is to survive: `prepare` with memory, `attempt` while an allocation fails. */
struct trial {
    void (*prepare)(struct world *world);
    enum bough_status (*attempt)(struct world *world);
};

static bool same_counts(struct bough_loop_counts a, struct bough_loop_counts b)
{
    return a.lives == b.lives && a.places == b.places && a.cells == b.cells &&
           a.calls == b.calls && a.timeouts == b.timeouts && a.sources == b.sources;
}

/* Lets the first, the second ... allocation of the attempt fail, until none does. Each
 * failure must be told as such, change nothing, and not stand in the way of a second
 * attempt. */
static void survive(const struct trial *trial)
{
    static struct world world;
    bool failed = true;
    size_t failures = 0;

    for (size_t nth = 1; failed; nth++) {
        world_open(&world);
        if (trial->prepare) trial->prepare(&world);
        const struct bough_loop_counts before = bough_loop_count(world.test.loop);
        bough_allocator_fail_at(nth);
        const enum bough_status status = trial->attempt(&world);
        failed = bough_allocator_heal();
        assert_status(status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        if (failed) {
            failures++;
            assert_true(same_counts(bough_loop_count(world.test.loop), before));
            assert_status(trial->attempt(&world), BOUGH_OK);
        }
        world_close(&world);
    }
    assert_true(failures > 0);
}

static void a_runtime_and_a_loop_survives_no_memory(void **state)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);

    (void)state;
    bough_allocator_fail_at(1);
    assert_null(bough_runtime_new(NULL));
    assert_true(bough_allocator_heal());
    struct bough_runtime *runtime = bough_runtime_new(NULL);
    bough_allocator_fail_at(1);
    assert_null(bough_loop_new(runtime, ev));
    assert_true(bough_allocator_heal());
    bough_runtime_free(runtime);
    ev_run(ev, 0);
    ev_loop_destroy(ev);
}

static enum bough_status try_spawn(struct world *world)
{
    const struct bough_probe_options options = { &world->probe };

    return bough_spawn(world->test.loop, &bough_probe_type, &options, &world->watch.watch,
                       NULL, NULL);
}

static void a_spawn_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .attempt = try_spawn });
}

static enum bough_status make(struct world *world, struct bough_address parent,
                              const char *name)
{
    const struct bough_probe_options options = { &world->probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .parent = parent,
        .name = name,
    };

    return bough_place_new(world->test.loop, &spec, &world->place);
}

static enum bough_status try_root(struct world *world)
{
    return make(world, BOUGH_NOBODY, "/");
}

static void a_root_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .attempt = try_root });
}

static void make_root(struct world *world)
{
    assert_status(try_root(world), BOUGH_OK);
}

/* So many that the table of paths has to grow on the way. */
static void make_children(struct world *world)
{
    make_root(world);
    const struct bough_address root = world->place;
    for (char name[] = "a"; name[0] <= 'z'; name[0]++) {
        assert_status(make(world, root, name), BOUGH_OK);
    }
    world->place = root;
}

static enum bough_status try_child(struct world *world)
{
    struct bough_address root;

    assert_status(bough_lookup(world->test.loop, "/", &root), BOUGH_OK);
    return make(world, root, "child");
}

static void a_child_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_root, .attempt = try_child });
    survive(&(struct trial){ .prepare = make_children, .attempt = try_child });
}

static void many_children_whichever_fails(void **state)
{
    static struct world world;

    (void)state;
    for (size_t nth = 1; nth < 700; nth += 3) {
        size_t made = 0;
        world_open(&world);
        make_root(&world);
        const struct bough_address root = world.place;
        bough_allocator_fail_at(nth);
        for (char name[] = "aa"; name[1] <= 'z'; name[1]++) {
            for (name[0] = 'a'; name[0] <= 'i'; name[0]++) {
                if (make(&world, root, name) == BOUGH_OK) made++;
            }
        }
        const bool failed = bough_allocator_heal();
        assert_int_equal(made, 9 * 26 - failed);
        assert_int_equal(bough_loop_count(world.test.loop).places, made + 1);
        world_close(&world);
    }
}

static enum bough_status try_reference(struct world *world)
{
    return bough_reference(world->test.loop, "/one/two/three", &world->place);
}

/* What was reserved on the way stays reserved, as a later reference would have it. */
static void a_reference_survives_no_memory(void **state)
{
    static struct world world;
    bool failed = true;

    (void)state;
    for (size_t nth = 1; failed; nth++) {
        world_open(&world);
        bough_allocator_fail_at(nth);
        const enum bough_status status = try_reference(&world);
        failed = bough_allocator_heal();
        assert_status(status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        assert_status(try_reference(&world), BOUGH_OK);
        assert_int_equal(bough_loop_count(world.test.loop).places, 4);
        world_close(&world);
    }
}

static enum bough_status try_start(struct world *world)
{
    return bough_place_start(world->place, NULL, NULL);
}

static void a_start_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_root, .attempt = try_start });
}

static enum bough_status try_send(struct world *world)
{
    return bough_probe_send(world->place, BOUGH_PROBE_NOTE, 1);
}

static void a_message_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_root, .attempt = try_send });
}

static enum bough_status try_send_high(struct world *world)
{
    const struct bough_probe_message message = { BOUGH_PROBE_NOTE, 1 };

    return bough_send_high(world->place, &message, sizeof(message));
}

static void a_high_message_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_root, .attempt = try_send_high });
}

/* The answer is the error: it comes to done(), once. */
static enum bough_status try_ask(struct world *world)
{
    bough_probe_call_init(&world->call);
    bough_probe_ask(&world->call, world->place, BOUGH_PROBE_ECHO, 3);
    assert_int_equal(world->call.answers, 0);
    bough_test_run(&world->test);
    return world->call.answers == 1 ? world->call.status : BOUGH_EFAILED;
}

static void make_life(struct world *world)
{
    make_root(world);
    bough_probe_start(world->place, NULL);
    bough_test_run(&world->test);
}

static void a_question_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_life, .attempt = try_ask });
}

static enum bough_status try_ask_for_a_block(struct world *world)
{
    const struct bough_probe_message message = { BOUGH_PROBE_HOOK, 5000 };

    bough_probe_call_init(&world->call);
    bough_call_start(&world->call.call, world->place, &message, sizeof(message), NULL, 0);
    bough_test_run(&world->test);
    return world->call.answers == 1 ? world->call.status : BOUGH_EFAILED;
}

static void reply_large(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    static const char zeroes[5000];
    struct bough_block block;

    (void)probe;
    bough_block_init(&block, NULL, 0, zeroes, (size_t)number);
    bough_reply_block(actor, &block);
}

static void make_life_with_large_replies(struct world *world)
{
    make_life(world);
    world->probe.hook = reply_large;
}

static void an_answer_survives_no_memory(void **state)
{
    (void)state;
    survive(&(struct trial){ .prepare = make_life_with_large_replies,
                             .attempt = try_ask_for_a_block });
}

/* A refusal loses its sentence sooner than its status. */
static void a_refusal_survives_no_memory(void **state)
{
    static struct world world;
    bool failed = true;

    (void)state;
    for (size_t nth = 1; failed; nth++) {
        world_open(&world);
        make_life(&world);
        bough_allocator_fail_at(nth);
        bough_probe_ask(&world.call, world.place, BOUGH_PROBE_REFUSE, 3);
        bough_test_run(&world.test);
        failed = bough_allocator_heal();
        assert_int_equal(world.call.answers, 1);
        assert_true(world.call.status == BOUGH_EREFUSED ||
                    (failed && world.call.status == BOUGH_ENOMEM));
        world_close(&world);
    }
}

/* So many that their pool has to grow while they are kept; the first of them has no
 * memory. */
static void a_question_kept_for_later_survives_no_memory(void **state)
{
    enum { COUNT = 900, MANY_ALLOCATIONS = 5 };
    static struct world world;
    static struct bough_probe_call calls[COUNT];

    (void)state;
    for (size_t nth = 1; nth <= MANY_ALLOCATIONS; nth++) {
        size_t refused = 0;
        world_open(&world);
        make_life(&world);
        bough_allocator_fail_at(nth);
        for (int i = 0; i < COUNT; i++) {
            bough_probe_call_init(&calls[i]);
            bough_probe_ask(&calls[i], world.place, BOUGH_PROBE_LATER, i);
            bough_test_run(&world.test);
            if (calls[i].answers == 0) continue;
            assert_status(calls[i].status, BOUGH_ENOMEM);
            refused++;
        }
        assert_int_equal(refused, bough_allocator_heal());
        world_close(&world);
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(calls[i].answers, 1);
    }
}

/* From some point on there is no memory at all, and the actor still ends, is still
 * finished, and who watches and who asks is still told. */
static void an_end_needs_no_memory(void **state)
{
    static struct world world;

    (void)state;
    for (size_t nth = 1; nth < 12; nth++) {
        struct bough_probe_watch watch;
        world_open(&world);
        make_root(&world);
        bough_probe_watch_init(&watch, &world.probe);
        bough_probe_start(world.place, &watch);
        bough_probe_ask(&world.call, world.place, BOUGH_PROBE_FAIL, 1);
        bough_allocator_fail_from(nth);
        bough_test_run(&world.test);
        bough_allocator_heal();
        assert_int_equal(world.call.answers, 1);
        assert_status(world.call.status, BOUGH_ECRASHED);
        assert_int_equal(watch.exits, 1);
        assert_int_equal(watch.reason.kind, BOUGH_EXIT_ERROR);
        assert_int_equal(world.probe.finishes, 1);
        world_close(&world);
    }
}

static void send_to_root(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    const struct bough_address *root = probe->data;

    (void)actor;
    for (int64_t i = 0; i < number; i++)
        assert_status(bough_probe_send(*root, BOUGH_PROBE_NOTE, i), BOUGH_OK);
}

/* A root that has paused itself and is full, and a sender that it is to hold up. */
static struct bough_address pour(struct world *world, struct bough_probe *sender)
{
    make_root(world);
    world->place.slot->capacity = 4;
    world->place.slot->when_full = BOUGH_WAIT;
    bough_probe_start(world->place, NULL);
    bough_pause(world->probe.actor);
    *sender = (struct bough_probe){ .hook = send_to_root, .data = &world->place };
    const struct bough_address from = bough_probe_spawn(&world->test, sender, NULL);
    assert_status(bough_probe_send(from, BOUGH_PROBE_HOOK, 5), BOUGH_OK);
    return from;
}

/* Who cannot be written down is not held up, and nothing is lost. */
static void nobody_is_held_up_without_memory(void **state)
{
    static struct world world;
    struct bough_probe sender;

    (void)state;
    world_open(&world);
    const struct bough_address from = pour(&world, &sender);
    struct bough_pool *pool = &world.test.loop->pool;
    void *last[5] = { NULL };

    while (pool->free[0] != NULL || pool->slices > 0) {
        memmove(&last[1], &last[0], sizeof(last) - sizeof(last[0]));
        last[0] = bough_pool_take(pool, 1);
        assert_non_null(last[0]);
    }
    /* For its messages, and nothing more. */
    for (size_t i = 0; i < bough_count_of(last); i++)
        bough_pool_give(pool, last[i], 1);
    bough_allocator_fail_from(1);
    bough_test_run(&world.test);
    assert_true(bough_allocator_heal());
    assert_false(bough_is_held_up(from.slot));
    bough_resume(world.probe.actor);
    bough_test_run(&world.test);
    assert_int_equal(world.probe.runs, 5);
    world_close(&world);
}

static void the_end_of_all_ends_waiting(void **state)
{
    static struct world world;
    struct bough_probe sender;

    (void)state;
    world_open(&world);
    const struct bough_address from = pour(&world, &sender);
    bough_test_run(&world.test);
    assert_true(bough_is_held_up(from.slot));
    world_close(&world);
    assert_int_equal(sender.finishes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runtime_and_a_loop_survives_no_memory),
        cmocka_unit_test(a_spawn_survives_no_memory),
        cmocka_unit_test(a_root_survives_no_memory),
        cmocka_unit_test(a_child_survives_no_memory),
        cmocka_unit_test(many_children_whichever_fails),
        cmocka_unit_test(a_reference_survives_no_memory),
        cmocka_unit_test(a_start_survives_no_memory),
        cmocka_unit_test(a_message_survives_no_memory),
        cmocka_unit_test(a_high_message_survives_no_memory),
        cmocka_unit_test(a_question_survives_no_memory),
        cmocka_unit_test(an_answer_survives_no_memory),
        cmocka_unit_test(a_refusal_survives_no_memory),
        cmocka_unit_test(a_question_kept_for_later_survives_no_memory),
        cmocka_unit_test(an_end_needs_no_memory),
        cmocka_unit_test(nobody_is_held_up_without_memory),
        cmocka_unit_test(the_end_of_all_ends_waiting),
    };
    return cmocka_run_group_tests_name("core/oom", tests, NULL, NULL);
}
