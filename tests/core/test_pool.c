/* test_pool.c - blocks have the size of their class, and chunks are shared by classes.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/pool_internal.h>

#include <stdint.h>
#include <string.h>

#include <bough/tests/support/allocator.h>
#include <bough/tests/support/unit.h>

enum { SLICES = 16 /* of a chunk */ };

static int setup(void **state)
{
    static struct bough_pool pool;

    bough_pool_init(&pool);
    *state = &pool;
    return 0;
}

static int teardown(void **state)
{
    struct bough_pool *pool = *state;

    bough_allocator_heal();
    assert_int_equal(bough_pool_popped(pool), 0);
    bough_pool_finish(pool);
    return 0;
}

/* What is read to the end of its class must be its own. */
static void a_class_is_no_smaller_than_what_it_is_for(void **state)
{
    (void)state;
    for (size_t size = 1; size <= BOUGH_POOL_LARGEST; size++) {
        const size_t room = bough_pool_size(bough_pool_class(size));
        const size_t fine = bough_pool_size(bough_pool_fine_class(size));

        assert_in_range(room, size, BOUGH_POOL_LARGEST);
        assert_in_range(fine, size, room);
        assert_int_equal(fine % 16, 0);
    }
}

/* Small states are cleared in steps of the smallest block. */
static void a_small_class_is_a_multiple_of_the_smallest(void **state)
{
    (void)state;
    for (size_t size = 1; size <= (size_t)4 * BOUGH_POOL_SMALLEST; size++)
        assert_int_equal(
            bough_pool_size(bough_pool_fine_class(size)) % BOUGH_POOL_SMALLEST, 0);
}

static void a_state_takes_no_more_than_a_third_in_vain(void **state)
{
    (void)state;
    for (size_t size = 65; size <= 768; size++)
        assert_in_range(bough_pool_size(bough_pool_fine_class(size)), size,
                        (size * 3 + 1) / 2);
    assert_int_equal(bough_pool_size(bough_pool_fine_class(192)), 192);
    assert_int_equal(bough_pool_size(bough_pool_fine_class(193)), 256);
}

/* Blocks of all classes, written to from end to end. */
static void blocks_do_not_overlap(void **state)
{
    enum { EACH = 50 };
    static const size_t sizes[] = { 32, 64, 96, 128, 192, 256, 384, 768, 1000, 4096 };
    struct bough_pool *pool = *state;
    unsigned char *blocks[bough_count_of(sizes)][EACH];

    for (size_t i = 0; i < EACH; i++) {
        for (size_t k = 0; k < bough_count_of(sizes); k++) {
            blocks[k][i] = bough_pool_take(pool, sizes[k]);
            assert_non_null(blocks[k][i]);
            assert_int_equal((uintptr_t)blocks[k][i] % 16, 0);
            memset(blocks[k][i], (int)(i + k), sizes[k]);
        }
    }
    for (size_t i = 0; i < EACH; i++) {
        for (size_t k = 0; k < bough_count_of(sizes); k++) {
            for (size_t at = 0; at < sizes[k]; at++)
                assert_int_equal(blocks[k][i][at], (i + k) % 256);
            bough_pool_give(pool, blocks[k][i], sizes[k]);
        }
    }
}

static void a_chunk_is_shared_by_classes(void **state)
{
    struct bough_pool *pool = *state;
    const size_t before = bough_allocator_count();
    void *blocks[BOUGH_POOL_CLASSES];

    for (size_t i = 0; i < BOUGH_POOL_CLASSES; i++) {
        blocks[i] = bough_pool_take(pool, bough_pool_size(i));
        assert_non_null(blocks[i]);
    }
    assert_int_equal(bough_allocator_count(), before + 1);
    for (size_t i = 0; i < BOUGH_POOL_CLASSES; i++)
        bough_pool_give(pool, blocks[i], bough_pool_size(i));
}

static void a_chunk_is_used_up_before_the_next(void **state)
{
    struct bough_pool *pool = *state;
    const size_t before = bough_allocator_count();
    void *blocks[SLICES + 1];

    for (size_t i = 0; i <= SLICES; i++) {
        assert_int_equal(bough_allocator_count(), before + (i > 0));
        blocks[i] = bough_pool_take(pool, BOUGH_POOL_LARGEST);
        assert_non_null(blocks[i]);
    }
    assert_int_equal(bough_allocator_count(), before + 2);
    for (size_t i = 0; i <= SLICES; i++)
        bough_pool_give(pool, blocks[i], BOUGH_POOL_LARGEST);
}

static void what_was_given_is_taken_again(void **state)
{
    struct bough_pool *pool = *state;
    void *block = bough_pool_take(pool, 180), *again;

    assert_non_null(block);
    bough_pool_give(pool, block, 180);
    again = bough_pool_take(pool, 192);
    assert_ptr_equal(again, block);
    bough_pool_give(pool, again, 192);
}

static void without_memory_there_is_no_block(void **state)
{
    struct bough_pool *pool = *state;

    bough_allocator_fail_from(1);
    assert_null(bough_pool_take(pool, 192));
    assert_true(bough_allocator_heal());
    assert_int_equal(pool->lent, 0);
}

#define fact(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_class_is_no_smaller_than_what_it_is_for),
        fact(a_small_class_is_a_multiple_of_the_smallest),
        fact(a_state_takes_no_more_than_a_third_in_vain),
        fact(blocks_do_not_overlap),
        fact(a_chunk_is_shared_by_classes),
        fact(a_chunk_is_used_up_before_the_next),
        fact(what_was_given_is_taken_again),
        fact(without_memory_there_is_no_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
