/* test_full_circles.c - actors that all wait for room at each other, in circles and in
 * rows: none locks up, and nothing is lost.
 *
 * Tokens go from actor to actor, so many hops each. There are fewer of them than twice
 * the smallest capacity, so that no send may be refused; and enough to fill mailboxes all
 * the time. The seed is $BOUGH_SEED.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/place.h>
#include <bough/tests/support/fixture.h>

enum { MEMBERS_MAX = 8 };

struct token {
    uint32_t hops;
};

struct circle {
    struct bough_test *test;
    uint64_t seed;
    uint32_t members;
    bool at_random; /* any member is the next, itself too; else the one after it */
    struct bough_address places[MEMBERS_MAX];
    uint64_t runs, held_up;
};

struct member_options {
    struct circle *circle;
    uint32_t index;
};

static enum bough_status member_init(struct bough_actor *actor, const void *options)
{
    memcpy(bough_state(actor), options, sizeof(struct member_options));
    return BOUGH_OK;
}

static void member_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct member_options *self = bough_state(actor);
    struct circle *circle = self->circle;
    struct token token = *(const struct token *)data;
    uint32_t next = (self->index + 1) % circle->members;

    circle->runs++;
    if (token.hops-- == 0) return;
    if (circle->at_random) next = bough_test_random(&circle->seed, circle->members);
    assert_status(bough_send(circle->places[next], &token, size), BOUGH_OK);
    if (bough_is_held_up(actor)) circle->held_up++;
}

static const struct bough_actor_type member_type = {
    .name = "member",
    .state_size = sizeof(struct member_options),
    .message_size = sizeof(struct token),
    .options_size = sizeof(struct member_options),
    .init = member_init,
    .run = member_run,
};

static void circle_open(struct circle *circle, uint32_t capacity)
{
    for (uint32_t i = 0; i < circle->members; i++) {
        const struct member_options options = { circle, i };
        const struct bough_place_spec spec = {
            .type = &member_type,
            .options = &options,
            .capacity = capacity,
            .when_full = BOUGH_WAIT,
        };
        assert_status(bough_place_new(circle->test->loop, &spec, &circle->places[i]),
                      BOUGH_OK);
        assert_status(bough_place_start(circle->places[i], NULL, NULL), BOUGH_OK);
    }
}

static void circle_close(struct circle *circle)
{
    for (uint32_t i = 0; i < circle->members; i++)
        bough_kill(circle->places[i]);
    bough_test_run(circle->test);
    for (uint32_t i = 0; i < circle->members; i++)
        bough_place_free(circle->places[i], 0);
}

/* All tokens begin with a few of the members, and make all of their hops. */
static void go_round(struct circle *circle)
{
    const uint32_t capacity = 1 + bough_test_random(&circle->seed, 10);
    const uint32_t tokens = 2 * capacity - 1;
    uint64_t expected = 0;

    circle_open(circle, capacity);
    for (uint32_t i = 0; i < tokens; i++) {
        const struct token token = { bough_test_random(&circle->seed, 500) };
        const uint32_t first = bough_test_random(&circle->seed, 2) % circle->members;

        expected += token.hops + 1;
        assert_status(bough_send(circle->places[first], &token, sizeof(token)), BOUGH_OK);
    }
    bough_test_run(circle->test);
    assert_int_equal(circle->runs, expected);
    circle_close(circle);
}

static uint64_t go_round_often(struct bough_test *test, uint32_t members, bool at_random)
{
    const uint64_t seed = bough_test_seed();
    uint64_t held_up = 0;

    for (uint64_t i = 0; i < 100; i++) {
        struct circle circle = {
            .test = test,
            .seed = seed + i,
            .members = members,
            .at_random = at_random,
        };
        go_round(&circle);
        held_up += circle.held_up;
    }
    return held_up;
}

static void an_actor_that_waits_for_itself_goes_on(void **state)
{
    assert_int_equal(go_round_often(*state, 1, false), 0);
}

static void two_that_wait_for_each_other_go_on(void **state)
{
    assert_true(go_round_often(*state, 2, false) > 0);
}

static void three_that_wait_in_a_circle_go_on(void **state)
{
    assert_true(go_round_often(*state, 3, false) > 0);
}

static void many_that_wait_for_any_go_on(void **state)
{
    assert_true(go_round_often(*state, 3, true) > 0);
    assert_true(go_round_often(*state, MEMBERS_MAX, true) > 0);
}

/* A row: the first sends many, each hands on, the last is slow. */

enum { ITEMS = 5000, ROW = 4 };

struct row {
    struct bough_test *test;
    struct bough_address places[ROW];
    uint32_t sent, arrived;
};

struct stage_options {
    struct row *row;
    uint32_t index;
};

static void first_run(struct bough_actor *actor, struct row *row)
{
    while (row->sent < ITEMS && !bough_is_held_up(actor)) {
        assert_status(bough_send(row->places[1], &row->sent, sizeof(row->sent)),
                      BOUGH_OK);
        row->sent++;
    }
    if (row->sent == ITEMS) return;
    assert_status(bough_send(bough_self(actor), &row->sent, sizeof(row->sent)), BOUGH_OK);
}

static void stage_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct stage_options *self = bough_state(actor);
    struct row *row = self->row;

    if (self->index == 0) {
        first_run(actor, row);
    } else if (self->index < ROW - 1) {
        assert_status(bough_send(row->places[self->index + 1], data, size), BOUGH_OK);
    } else {
        assert_int_equal(*(const uint32_t *)data, row->arrived);
        row->arrived++;
        if (row->arrived % 3 == 0) bough_pause(actor);
    }
}

static enum bough_status stage_init(struct bough_actor *actor, const void *options)
{
    memcpy(bough_state(actor), options, sizeof(struct stage_options));
    return BOUGH_OK;
}

static const struct bough_actor_type stage_type = {
    .name = "stage",
    .state_size = sizeof(struct stage_options),
    .options_size = sizeof(struct stage_options),
    .init = stage_init,
    .run = stage_run,
};

static void row_open(struct row *row)
{
    for (uint32_t i = 0; i < ROW; i++) {
        const struct stage_options options = { row, i };
        const struct bough_place_spec spec = {
            .type = &stage_type,
            .options = &options,
            .capacity = 8,
            .when_full = BOUGH_WAIT,
        };
        assert_status(bough_place_new(row->test->loop, &spec, &row->places[i]), BOUGH_OK);
        assert_status(bough_place_start(row->places[i], NULL, NULL), BOUGH_OK);
    }
}

/* Waiting goes back through all of the row, so that not one message is refused. */
static void a_row_is_as_fast_as_its_slowest(void **state)
{
    struct row row = { .test = *state };

    row_open(&row);
    assert_status(bough_send(row.places[0], &row.sent, sizeof(row.sent)), BOUGH_OK);
    for (int rounds = 0; row.arrived < ITEMS; rounds++) {
        bough_test_run(row.test);
        assert_true(row.sent - row.arrived <= ROW * 8 * 2);
        assert_true(rounds < ITEMS);
        bough_resume(row.places[ROW - 1].slot);
    }
    for (uint32_t i = 0; i < ROW; i++) {
        bough_kill(row.places[i]);
        bough_test_run(row.test);
        bough_place_free(row.places[i], 0);
    }
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(an_actor_that_waits_for_itself_goes_on),
        test_of(two_that_wait_for_each_other_go_on),
        test_of(three_that_wait_in_a_circle_go_on),
        test_of(many_that_wait_for_any_go_on),
        test_of(a_row_is_as_fast_as_its_slowest),
    };
    return cmocka_run_group_tests_name("core/full_circles", tests, NULL, NULL);
}
