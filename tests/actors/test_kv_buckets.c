/* test_kv_buckets.c - buckets are split and joined a few at a time, and stay in order.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_buckets_internal.h>

#include <stdlib.h>

#include <bough/tests/support/unit.h>

enum { NODES = 20000, FIRST_BUCKETS = 512 };

/* Buckets, and nodes that are linked or not. */
struct world {
    struct bough_kv_buckets buckets;
    struct bough_kv_node nodes[NODES];
    size_t linked;
};

static void link_node(struct world *world, size_t room)
{
    struct bough_kv_node *node = &world->nodes[world->linked++];
    struct bough_kv_node **link = bough_kv_buckets_head(&world->buckets, node->position);

    while (*link && (*link)->position < node->position) {
        link = &(*link)->next;
    }
    node->next = *link;
    *link = node;
    bough_kv_buckets_grow(&world->buckets, world->linked, room);
}

static void unlink_node(struct world *world)
{
    struct bough_kv_node *node = &world->nodes[--world->linked];
    struct bough_kv_node **link = bough_kv_buckets_head(&world->buckets, node->position);

    while (*link != node) {
        assert_non_null(*link);
        link = &(*link)->next;
    }
    *link = node->next;
    bough_kv_buckets_shrink(&world->buckets, world->linked);
}

static void fill(struct world *world, size_t count)
{
    while (world->linked < count) {
        link_node(world, SIZE_MAX);
    }
}

static uint64_t random_bits(uint64_t *seed)
{
    return (uint64_t)bough_test_random(seed, UINT32_MAX) << 32 |
           bough_test_random(seed, UINT32_MAX);
}

static int setup(void **state)
{
    uint64_t seed = bough_test_seed();
    struct world *world = calloc(1, sizeof(*world));

    if (!world || bough_kv_buckets_init(&world->buckets) != BOUGH_OK) return -1;
    for (size_t i = 0; i < NODES; i++) {
        world->nodes[i].position = random_bits(&seed);
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    bough_kv_buckets_finish(&world->buckets);
    free(world);
    return 0;
}

/* Walks all intervals: each bucket is met once, all nodes are met in order. */
static void check_order(const struct world *world)
{
    uint64_t position = 0;
    size_t buckets = 0, nodes = 0;

    do {
        const uint64_t next = bough_kv_buckets_next(&world->buckets, position);
        uint64_t last = position;
        for (struct bough_kv_node *node =
                 *bough_kv_buckets_head(&world->buckets, position);
             node; node = node->next) {
            assert_true(node->position >= last && node->position <= next - 1);
            last = node->position;
            nodes++;
        }
        buckets++;
        position = next;
    } while (position != 0);
    assert_int_equal(buckets, world->buckets.count);
    assert_int_equal(nodes, world->linked);
}

static void a_position_is_the_hash_from_its_last_bit(void **state)
{
    (void)state;
    assert_true(bough_kv_position(1) == UINT64_C(1) << 63);
    assert_true(bough_kv_position(UINT64_C(0x00000000000000f1)) ==
                UINT64_C(0x8f00000000000000));
    assert_true(bough_kv_position(bough_kv_position(UINT64_C(0x0123456789abcdef))) ==
                UINT64_C(0x0123456789abcdef));
}

static void buckets_stay_in_order_while_they_grow_and_shrink(void **state)
{
    struct world *world = *state;

    check_order(world);
    for (size_t count = 0; count < NODES; count += 997) {
        fill(world, count);
        check_order(world);
    }
    while (world->linked > 0) {
        unlink_node(world);
        if (world->linked % 499 == 0) check_order(world);
    }
    check_order(world);
}

static void there_are_as_many_buckets_as_nodes(void **state)
{
    struct world *world = *state;

    fill(world, FIRST_BUCKETS);
    assert_int_equal(world->buckets.count, FIRST_BUCKETS);
    fill(world, NODES);
    assert_int_equal(world->buckets.count, NODES);
}

static void one_call_splits_two_buckets_at_most(void **state)
{
    struct world *world = *state;

    while (world->linked < 2000) {
        link_node(world, 0);
    }
    assert_int_equal(world->buckets.count, FIRST_BUCKETS);
    for (size_t calls = 1; world->buckets.count < 2000; calls++) {
        bough_kv_buckets_grow(&world->buckets, world->linked, SIZE_MAX);
        assert_int_equal(world->buckets.count, FIRST_BUCKETS + 2 * calls);
    }
    check_order(world);
}

static void one_call_joins_four_pairs_at_most(void **state)
{
    struct world *world = *state;

    fill(world, NODES);
    const size_t before = world->buckets.count;
    bough_kv_buckets_shrink(&world->buckets, before / 4);
    assert_int_equal(world->buckets.count, before);
    bough_kv_buckets_shrink(&world->buckets, before / 4 - 1);
    assert_int_equal(world->buckets.count, before - 1);
    bough_kv_buckets_shrink(&world->buckets, 0);
    assert_int_equal(world->buckets.count, before - 5);
    check_order(world);
}

static void shrinking_keeps_pace_with_removals(void **state)
{
    struct world *world = *state;

    fill(world, NODES);
    while (world->linked > FIRST_BUCKETS) {
        unlink_node(world);
        assert_true(world->buckets.count <= 4 * world->linked + 4);
    }
}

static void pages_are_given_back(void **state)
{
    struct world *world = *state;
    const size_t before = world->buckets.memory;

    fill(world, NODES);
    assert_true(world->buckets.memory >= NODES * sizeof(void *));
    while (world->linked > 0) {
        unlink_node(world);
    }
    assert_int_equal(world->buckets.memory, before);
    assert_int_equal(world->buckets.count, FIRST_BUCKETS);
}

static void growing_takes_no_more_than_its_room(void **state)
{
    struct world *world = *state;
    const size_t before = world->buckets.memory;

    while (world->linked < NODES) {
        link_node(world, 4096);
    }
    assert_int_equal(world->buckets.memory, before);
    bough_kv_buckets_grow(&world->buckets, world->linked, 8192);
    assert_true(world->buckets.memory > before && world->buckets.memory <= before + 8192);
    check_order(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_position_is_the_hash_from_its_last_bit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(buckets_stay_in_order_while_they_grow_and_shrink,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_as_many_buckets_as_nodes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_call_splits_two_buckets_at_most, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_call_joins_four_pairs_at_most, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(shrinking_keeps_pace_with_removals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(pages_are_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(growing_takes_no_more_than_its_room, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
