/* test_window.c - the intensity limit: what counts, and for how long (docs/supervision.md
 * 15 to 17).
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bough/core/public.h>
#include <bough/supervisor/window_internal.h>

static void the_first_restart_is_one(void **state)
{
    int64_t stamps[4];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 3, 1000);
    assert_int_equal(bough_window_add(&window, 0), 1);
}

static void an_intensity_of_zero_holds_one_stamp(void **state)
{
    int64_t stamps[1];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 0, 1000);
    assert_int_equal(bough_window_add(&window, 7), 1);
}

static void a_stamp_counts_while_it_is_exactly_one_period_old(void **state)
{
    int64_t stamps[4];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 3, 1000);
    assert_int_equal(bough_window_add(&window, 500), 1);
    assert_int_equal(bough_window_add(&window, 1500), 2);
}

static void a_stamp_is_forgotten_one_ms_after_its_period(void **state)
{
    int64_t stamps[4];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 3, 1000);
    assert_int_equal(bough_window_add(&window, 500), 1);
    assert_int_equal(bough_window_add(&window, 1501), 1);
}

static void restarts_of_one_moment_all_count(void **state)
{
    int64_t stamps[4];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 3, 1000);
    for (uint32_t i = 1; i <= 4; i++)
        assert_int_equal(bough_window_add(&window, 42), i);
}

static void a_period_of_for_ever_forgets_nothing(void **state)
{
    int64_t stamps[3];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 2, INT64_MAX);
    assert_int_equal(bough_window_add(&window, 0), 1);
    assert_int_equal(bough_window_add(&window, INT64_MAX), 2);
}

static void counting_adds_nothing_and_forgets_the_old(void **state)
{
    int64_t stamps[4];
    struct bough_window window;

    (void)state;
    bough_window_init(&window, stamps, 3, 1000);
    assert_int_equal(bough_window_count(&window, 0), 0);
    assert_int_equal(bough_window_add(&window, 500), 1);
    assert_int_equal(bough_window_count(&window, 1500), 1);
    assert_int_equal(bough_window_count(&window, 1501), 0);
    assert_int_equal(bough_window_add(&window, 1501), 1);
}

/* The same by keeping every stamp and counting, as supervisor.erl does. */
static uint32_t count_by_hand(const int64_t *all, size_t count, int64_t now,
                              int64_t period)
{
    uint32_t inside = 0;

    for (size_t i = 0; i < count; i++) {
        if (all[i] >= now - period) inside++;
    }
    return inside;
}

static void it_agrees_with_counting_every_stamp(void **state)
{
    enum { HISTORIES = 200, LENGTH = 300 };
    int64_t stamps[6], all[LENGTH];
    unsigned seed = 20260101;

    (void)state;
    for (int history = 0; history < HISTORIES; history++) {
        struct bough_window window;
        int64_t now = 0, period = 1 + rand_r(&seed) % 50;
        uint32_t intensity = (uint32_t)rand_r(&seed) % bough_count_of(stamps), inside = 0;

        bough_window_init(&window, stamps, intensity, period);
        for (size_t i = 0; i < LENGTH && inside <= intensity; i++) {
            now += rand_r(&seed) % 20;
            all[i] = now;
            inside = bough_window_add(&window, now);
            assert_int_equal(inside, count_by_hand(all, i + 1, now, period));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_restart_is_one),
        cmocka_unit_test(an_intensity_of_zero_holds_one_stamp),
        cmocka_unit_test(a_stamp_counts_while_it_is_exactly_one_period_old),
        cmocka_unit_test(a_stamp_is_forgotten_one_ms_after_its_period),
        cmocka_unit_test(restarts_of_one_moment_all_count),
        cmocka_unit_test(a_period_of_for_ever_forgets_nothing),
        cmocka_unit_test(counting_adds_nothing_and_forgets_the_old),
        cmocka_unit_test(it_agrees_with_counting_every_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
