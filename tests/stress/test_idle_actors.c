/* test_idle_actors.c - a loop on which very many actors come and go does not grow.
 *
 * The first rounds, one for each order in which actors end, may take what they need from
 * the system; those after them find all of it again. Counted are Bough's allocations, the
 * bytes in use, and the bytes that the C library has from the system, which are what a
 * machine runs out of. 100,000 actors a round, a million in the long form.
 *
 * SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdlib.h>

#include <bough/core/place.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/fixture.h>

enum { FEW = 100000, MANY = 1000000, WARM = 2, ROUNDS = 5 };

static size_t actors_a_round(void)
{
    return getenv("BOUGH_TEST_LONG") ? MANY : FEW;
}

struct idle_state {
    uint64_t runs;
    char rest[56];
};

static void idle_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct idle_state *self = bough_state(actor);

    (void)message;
    (void)size;
    self->runs++;
}

static const struct bough_actor_type idle_type = {
    .name = "idle",
    .state_size = sizeof(struct idle_state),
    .run = idle_run,
};

/* How a round's actors are made, wake up once, and end. */

struct crowd {
    struct bough_loop *loop;
    struct bough_address *actors;
    size_t count;
};

static void spawn_all(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        assert_status(
            bough_spawn(crowd->loop, &idle_type, NULL, NULL, &crowd->actors[i], NULL),
            BOUGH_OK);
}

static void make_places(struct crowd *crowd)
{
    struct bough_place_spec spec = { .type = &idle_type, .name = "/" };
    char name[BOUGH_NAME_MAX + 1];

    for (size_t i = 0; i < crowd->count; i++) {
        assert_status(bough_place_new(crowd->loop, &spec, &crowd->actors[i]), BOUGH_OK);
        snprintf(name, sizeof(name), "idle-%zu", i + 1);
        spec.parent = crowd->actors[0];
        spec.name = name;
    }
}

static void start_all(const struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        assert_status(bough_place_start(crowd->actors[i], NULL, NULL), BOUGH_OK);
}

static void tell_all(const struct crowd *crowd)
{
    static const uint64_t message;

    for (size_t i = 0; i < crowd->count; i++)
        assert_status(bough_send(crowd->actors[i], &message, sizeof(message)), BOUGH_OK);
    while (bough_loop_run_ready(crowd->loop, SIZE_MAX) > 0)
        continue;
}

/* In the order of their start, or in that of a comb through them, so that no free list is
 * then as it was. */
static void kill_all(const struct crowd *crowd, int round)
{
    const size_t step = round % 2 == 0 ? 1 : 7;

    for (size_t first = 0; first < step; first++)
        for (size_t i = first; i < crowd->count; i += step)
            bough_kill(crowd->actors[i]);
    while (bough_loop_run_ready(crowd->loop, SIZE_MAX) > 0)
        continue;
}

/* What there is after a round. */
struct tally {
    size_t allocations; /* so far; of places, one each is freed again */
    size_t used;        /* bytes, in the heap and in mappings */
    size_t taken;       /* bytes that the C library has from the system */
};

static struct tally take_tally(const struct bough_loop *loop)
{
    const struct mallinfo2 info = mallinfo2();

    assert_int_equal(bough_loop_count(loop).lives, 0);
    return (struct tally){ .allocations = bough_allocator_count(),
                           .used = info.uordblks + info.hblkhd,
                           .taken = info.arena + info.hblkhd };
}

/* The C library counts as used what it keeps at hand for the next malloc(). */
enum { AT_HAND = 64 * 1024 };

static void assert_no_growth(const struct tally *first, const struct tally *now)
{
    assert_true(now->used <= first->used + AT_HAND);
    assert_true(now->taken <= first->taken + AT_HAND);
}

static struct crowd crowd_of(struct bough_test *test)
{
    struct crowd crowd = { .loop = test->loop, .count = actors_a_round() };

    crowd.actors = calloc(crowd.count, sizeof(*crowd.actors));
    assert_non_null(crowd.actors);
    return crowd;
}

static void actors_without_a_place_leave_nothing(void **state)
{
    struct crowd crowd = crowd_of(*state);
    struct tally first = { 0 }, now;

    for (int i = 0; i < ROUNDS; i++) {
        spawn_all(&crowd);
        tell_all(&crowd);
        kill_all(&crowd, i);
        now = take_tally(crowd.loop);
        if (i < WARM) first = now;
        assert_int_equal(now.allocations, first.allocations);
        assert_no_growth(&first, &now);
    }
    free(crowd.actors);
}

static void actors_with_places_leave_nothing(void **state)
{
    struct crowd crowd = crowd_of(*state);
    struct tally first = { 0 }, now;

    for (int i = 0; i < ROUNDS; i++) {
        make_places(&crowd);
        start_all(&crowd);
        tell_all(&crowd);
        kill_all(&crowd, i);
        bough_place_free(crowd.actors[0], 0);
        now = take_tally(crowd.loop);
        if (i < WARM) first = now;
        assert_int_equal(bough_loop_count(crowd.loop).places, 0);
        assert_no_growth(&first, &now);
    }
    free(crowd.actors);
}

/* The same places, lived in again and again. */
static void lives_leave_nothing(void **state)
{
    struct crowd crowd = crowd_of(*state);
    struct tally first = { 0 }, now;

    make_places(&crowd);
    for (int i = 0; i < ROUNDS; i++) {
        start_all(&crowd);
        tell_all(&crowd);
        kill_all(&crowd, i);
        now = take_tally(crowd.loop);
        if (i < WARM) first = now;
        assert_int_equal(now.allocations, first.allocations);
        assert_no_growth(&first, &now);
    }
    bough_place_free(crowd.actors[0], 0);
    free(crowd.actors);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(actors_without_a_place_leave_nothing),
        test_of(actors_with_places_leave_nothing),
        test_of(lives_leave_nothing),
    };

    return cmocka_run_group_tests_name("stress/idle_actors", tests, NULL, NULL);
}
