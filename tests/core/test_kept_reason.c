/* test_kept_reason.c - reasons are written once, and freed by the last who holds them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/kept_reason_internal.h>

#include <bough/tests/support/allocator.h>
#include <bough/tests/support/unit.h>

static struct bough_exit_reason in_words(void)
{
    return bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, "by a test");
}

static int setup(void **state)
{
    struct bough_loop *loop = aligned_alloc(_Alignof(struct bough_loop), sizeof(*loop));

    assert_non_null(loop);
    bough_pool_init(&loop->pool);
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    struct bough_loop *loop = *state;

    bough_allocator_heal();
    bough_pool_finish(&loop->pool);
    free(loop);
    return 0;
}

static void a_kept_reason_is_a_copy(void **state)
{
    struct bough_exit_reason reason = in_words();
    const struct bough_exit_reason *kept = bough_reason_keep(*state, &reason);

    reason.text[0] = '\0';
    assert_int_equal(kept->kind, BOUGH_EXIT_SIGNAL);
    assert_int_equal(kept->number, 11);
    assert_string_equal(kept->text, "by a test");
    bough_reason_drop(*state, kept);
}

static void what_says_no_more_than_its_kind_is_a_constant(void **state)
{
    for (unsigned i = 0; i < BOUGH_EXIT_KIND_COUNT; i++) {
        const struct bough_exit_reason *bare = bough_bare_reason((enum bough_exit_kind)i);
        const struct bough_exit_reason copy = *bare;

        assert_int_equal(bare->kind, i);
        assert_ptr_equal(bough_reason_keep(*state, &copy), bare);
        bough_reason_drop(*state, bough_reason_hold(bare));
        bough_reason_drop(*state, bare);
    }
}

static void the_last_who_holds_it_frees_it(void **state)
{
    const struct bough_exit_reason reason = in_words();
    const struct bough_exit_reason *first = bough_reason_keep(*state, &reason);
    const struct bough_exit_reason *second, *third;

    bough_reason_drop(*state, bough_reason_hold(first));
    second = bough_reason_keep(*state, &reason);
    assert_ptr_not_equal(second, first);
    bough_reason_drop(*state, first);
    third = bough_reason_keep(*state, &reason);
    assert_ptr_equal(third, first);
    bough_reason_drop(*state, third);
    bough_reason_drop(*state, second);
}

static void without_memory_the_kind_is_left(void **state)
{
    const struct bough_exit_reason reason = in_words();

    bough_allocator_fail_from(1);
    assert_ptr_equal(bough_reason_keep(*state, &reason),
                     bough_bare_reason(BOUGH_EXIT_SIGNAL));
    assert_true(bough_allocator_heal());
}

static void without_memory_too_what_was_not_wanted_has_not_failed(void **state)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_IGNORE, 0, "not wanted now");
    const struct bough_exit_reason *kept;

    bough_allocator_fail_from(1);
    kept = bough_reason_keep(*state, &reason);
    assert_int_equal(kept->kind, BOUGH_EXIT_NORMAL);
    assert_status(kept->status, BOUGH_IGNORE);
    bough_reason_drop(*state, kept);
    assert_true(bough_allocator_heal());
}

#define fact(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_kept_reason_is_a_copy),
        fact(what_says_no_more_than_its_kind_is_a_constant),
        fact(the_last_who_holds_it_frees_it),
        fact(without_memory_the_kind_is_left),
        fact(without_memory_too_what_was_not_wanted_has_not_failed),
    };

    return cmocka_run_group_tests_name("core/kept_reason", tests, NULL, NULL);
}
