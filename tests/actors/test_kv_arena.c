/* test_kv_arena.c - blocks stay packed, and tell who has moved.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_arena_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/tests/support/unit.h>

enum { BLOCKS = 3000 };

/* Blocks that know which one they are, and where each is. */
struct world {
    struct bough_kv_arena arena;
    char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    if (world == NULL) return -1;
    bough_kv_arena_init(&world->arena);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    bough_kv_arena_finish(&world->arena);
    free(world);
    return 0;
}

static void take(struct world *world, size_t i, size_t size)
{
    char *block = bough_kv_arena_take(&world->arena, size);

    assert_non_null(block);
    memset(block, (int)(i % 251), size);
    memcpy(block, &i, sizeof(i));
    world->blocks[i] = block;
    world->sizes[i] = size;
}

static void give(struct world *world, size_t i)
{
    char *block = world->blocks[i];
    size_t moved;

    world->blocks[i] = NULL;
    const char *from = bough_kv_arena_give(&world->arena, block, world->sizes[i]);
    if (from == NULL) return;
    memcpy(&moved, block, sizeof(moved));
    assert_ptr_equal(world->blocks[moved], from);
    world->blocks[moved] = block;
}

static void check(const struct world *world)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        const char *block = world->blocks[i];
        if (block == NULL) continue;
        assert_memory_equal(block, &i, sizeof(i));
        for (size_t at = sizeof(i); at < world->sizes[i]; at++) {
            assert_int_equal((unsigned char)block[at], i % 251);
        }
    }
}

static void every_size_has_a_block_of_its_own(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < BLOCKS; i++) {
        take(world, i, sizeof(i) + i * 3);
    }
    check(world);
}

static void a_block_is_aligned(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < BLOCKS; i++) {
        take(world, i, sizeof(i) + i * 3);
        assert_int_equal((uintptr_t)world->blocks[i] % 8, 0);
    }
}

static void what_fills_a_hole_is_told(void **state)
{
    struct world *world = *state;
    char *first;

    take(world, 0, 40);
    take(world, 1, 40);
    take(world, 2, 40);
    first = world->blocks[0];
    give(world, 0);
    assert_ptr_equal(world->blocks[2], first);
    check(world);
    give(world, 1);
    give(world, 2);
}

static void the_last_block_leaves_no_hole(void **state)
{
    struct world *world = *state;

    take(world, 0, 40);
    take(world, 1, 40);
    assert_null(bough_kv_arena_give(&world->arena, world->blocks[1], 40));
    assert_null(bough_kv_arena_give(&world->arena, world->blocks[0], 40));
}

static void large_blocks_do_not_move(void **state)
{
    struct world *world = *state;
    const size_t size = BOUGH_KV_ARENA_LARGEST + 1;

    take(world, 0, size);
    take(world, 1, size);
    assert_null(bough_kv_arena_give(&world->arena, world->blocks[0], size));
    world->blocks[0] = NULL;
    check(world);
}

static void a_block_does_for_its_class(void **state)
{
    (void)state;
    assert_true(bough_kv_arena_same(33, 48));
    assert_false(bough_kv_arena_same(48, 49));
    assert_true(bough_kv_arena_same(257, 320));
    assert_false(bough_kv_arena_same(320, 321));
    assert_true(bough_kv_arena_same(2561, 3072));
    assert_false(bough_kv_arena_same(3072, 3073));
    assert_true(bough_kv_arena_same(3073, BOUGH_KV_ARENA_LARGEST));
    assert_false(bough_kv_arena_same(BOUGH_KV_ARENA_LARGEST, BOUGH_KV_ARENA_LARGEST + 1));
    assert_true(
        bough_kv_arena_same(BOUGH_KV_ARENA_LARGEST + 1, BOUGH_KV_ARENA_LARGEST + 1));
}

/* More than 2 MiB of one class, whose last chunks are huge ones. */
static void many_blocks_of_a_class_stay_packed(void **state)
{
    struct world *world = *state;
    const size_t most = BOUGH_KV_ARENA_LARGEST;

    for (size_t i = 0; i < BLOCKS; i++)
        take(world, i, i % 2 == 0 ? most : most - sizeof(i));
    for (size_t i = 0; i < BLOCKS; i += 3)
        give(world, i);
    check(world);
    for (size_t i = 0; i < BLOCKS; i += 3)
        take(world, i, most);
    check(world);
    for (size_t i = 0; i < BLOCKS; i++)
        give(world, (i * 7) % BLOCKS);
}

static void blocks_keep_their_bytes_in_a_storm(void **state)
{
    struct world *world = *state;
    uint64_t seed = bough_test_seed();

    for (int round = 0; round < 100000; round++) {
        const size_t i = bough_test_random(&seed, BLOCKS);
        const size_t most = i % 50 == 0 ? 6000 : 400;
        if (world->blocks[i]) {
            give(world, i);
        } else {
            take(world, i, sizeof(i) + bough_test_random(&seed, most));
        }
        if (round % 10000 == 0) check(world);
    }
    check(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_size_has_a_block_of_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_block_is_aligned, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fills_a_hole_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_block_leaves_no_hole, setup, teardown),
        cmocka_unit_test_setup_teardown(large_blocks_do_not_move, setup, teardown),
        cmocka_unit_test(a_block_does_for_its_class),
        cmocka_unit_test_setup_teardown(many_blocks_of_a_class_stay_packed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(blocks_keep_their_bytes_in_a_storm, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
