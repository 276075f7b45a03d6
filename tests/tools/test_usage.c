/* test_usage.c - what a process has used, as /proc tells it.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bough/tools/bough/usage.h>

static int64_t used_ms(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void processor_time_is_the_systems(void **state)
{
    const int64_t before = used_ms();
    struct bough_usage usage;

    (void)state;
    while (used_ms() < before + 50)
        continue;
    assert_true(bough_usage_read(getpid(), &usage));
    assert_in_range(usage.cpu_ms, 30, used_ms() + 20);
}

static void a_name_with_brackets_and_blanks_is_no_field(void **state)
{
    struct bough_usage before, after;

    (void)state;
    assert_true(bough_usage_read(getpid(), &before));
    assert_int_equal(prctl(PR_SET_NAME, ") R 1 (2) 3"), 0);
    assert_true(bough_usage_read(getpid(), &after));
    assert_int_equal(after.started_ms, before.started_ms);
    assert_true(after.memory > 0 && after.virtual >= after.memory);
}

static void a_process_has_begun_since_the_boot_and_before_now(void **state)
{
    struct bough_usage usage;

    (void)state;
    assert_true(bough_usage_read(getpid(), &usage));
    assert_true(usage.started_ms > 0);
    assert_in_range(bough_usage_boot_time() + usage.started_ms / 1000, 1, time(NULL) + 2);
}

static void nobody_has_used_nothing(void **state)
{
    struct bough_usage usage = { .memory = 7 };

    (void)state;
    assert_false(bough_usage_read(0, &usage));
    assert_false(bough_usage_read(-1, &usage));
    assert_false(bough_usage_read(INT64_MAX, &usage));
    assert_int_equal(usage.memory, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processor_time_is_the_systems),
        cmocka_unit_test(a_name_with_brackets_and_blanks_is_no_field),
        cmocka_unit_test(a_process_has_begun_since_the_boot_and_before_now),
        cmocka_unit_test(nobody_has_used_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
