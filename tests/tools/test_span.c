/* test_span.c - how times are printed in a story.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bough/core/field.h>
#include <bough/tools/bough/span.h>

static void a_span_has_its_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        { 0, "0s" },
        { 1, "1ms" },
        { 999, "999ms" },
        { 1000, "1s" },
        { 1600, "1.6s" },
        { 59999, "59.999s" },
        { 60000, "1m" },
        { 125000, "2m05s" },
        { 3599999, "59m59s" },
        { 3600000, "1h" },
        { 12000000, "3h20m" },
        { 86400000, "1d" },
        { 187200000, "2d04h" },
        { INT64_MAX - 1, "106751991167d07h" },
        { BOUGH_FOREVER, "all its life" },
    };
    char buffer[BOUGH_SPAN_TEXT];

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++)
        assert_string_equal(bough_span_print(rows[i].ms, buffer), rows[i].text);
}

static void a_moment_is_exact(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        { 0, "0.000s" },
        { 3000, "3.000s" },
        { 63250, "1m03.250s" },
        { 3600000, "1h00m00.000s" },
        { 90061001, "25h01m01.001s" },
    };
    char buffer[BOUGH_SPAN_TEXT];

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++)
        assert_string_equal(bough_moment_print(rows[i].ms, buffer), rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_has_its_two_largest_units),
        cmocka_unit_test(a_moment_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
