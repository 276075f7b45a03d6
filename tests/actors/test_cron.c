/* test_cron.c - the times that an expression means, also when clocks are changed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/cron_internal.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bough/tests/support/unit.h>

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* Local, "2026-01-31 12:00"; the first such. */
static int64_t parse(const char *text)
{
    struct tm at = { .tm_isdst = -1 };

    assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &at));
    at.tm_isdst = -1;
    return mktime(&at);
}

static const char *print(int64_t time)
{
    static char text[64];
    const time_t seconds = (time_t)time;
    struct tm at;

    if (time < 0) return "never";
    assert_non_null(localtime_r(&seconds, &at));
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &at);
    return text;
}

static void assert_next(const char *expression, const char *after, const char *expected)
{
    struct bough_cron cron;
    const char *why;

    if (!bough_cron_parse(expression, &cron, &why)) fail_msg("%s: %s", expression, why);
    const char *next = print(bough_cron_next(&cron, parse(after)));
    if (strcmp(next, expected) != 0)
        fail_msg("\"%s\" after %s is %s, not %s", expression, after, next, expected);
}

static void the_next_time_fits_all_fields(void **state)
{
    static const char *const rows[][3] = {
        { "* * * * *", "2026-01-31 12:00", "2026-01-31 12:01" },
        { "0 * * * *", "2026-01-31 12:00", "2026-01-31 13:00" },
        { "30 3 * * *", "2026-01-31 12:00", "2026-02-01 03:30" },
        { "30 3 * * *", "2026-01-31 03:29", "2026-01-31 03:30" },
        { "30 3 * * *", "2026-01-31 03:30", "2026-02-01 03:30" },
        { "*/15 * * * *", "2026-01-31 12:44", "2026-01-31 12:45" },
        { "5/20 * * * *", "2026-01-31 12:26", "2026-01-31 12:45" },
        { "10-40/10 8,20 * * *", "2026-01-31 08:40", "2026-01-31 20:10" },
        { "0 0 1 * *", "2026-01-31 12:00", "2026-02-01 00:00" },
        { "0 0 31 * *", "2026-01-31 12:00", "2026-03-31 00:00" },
        { "0 0 29 2 *", "2026-01-31 12:00", "2028-02-29 00:00" },
        { "0 12 * jan,Mar *", "2026-01-31 12:00", "2026-03-01 12:00" },
        { "0 9 * * mon-fri", "2026-01-30 09:00", "2026-02-02 09:00" }, /* a Friday */
        { "0 9 * * 7", "2026-01-31 12:00", "2026-02-01 09:00" },
        { "0 9 * * 0", "2026-01-31 12:00", "2026-02-01 09:00" },
        { "0 0 13 * fri", "2026-01-31 12:00", "2026-02-06 00:00" }, /* either day */
        { "0 0 13 * *", "2026-01-31 12:00", "2026-02-13 00:00" },
        { "@hourly", "2026-01-31 12:00", "2026-01-31 13:00" },
        { "@daily", "2026-01-31 12:00", "2026-02-01 00:00" },
        { "@weekly", "2026-01-31 12:00", "2026-02-01 00:00" },
        { "@monthly", "2026-02-01 00:00", "2026-03-01 00:00" },
        { "@yearly", "2026-01-31 12:00", "2027-01-01 00:00" },
        { "  0\t0 1 1 *  ", "2026-01-31 12:00", "2027-01-01 00:00" },
        { "0 0 30 2 *", "2026-01-31 12:00", "never" },
    };

    (void)state;
    set_zone("UTC");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_next(rows[i][0], rows[i][1], rows[i][2]);
}

/* In Berlin 2026-03-29 02:00 is 03:00, and 2026-10-25 03:00 is 02:00. */
static void a_time_that_a_day_does_not_have_is_left_out(void **state)
{
    (void)state;
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_next("30 2 * * *", "2026-03-28 12:00", "2026-03-30 02:30");
    assert_next("30 * * * *", "2026-03-29 01:30", "2026-03-29 03:30");
}

static void a_time_that_a_day_has_twice_comes_once(void **state)
{
    struct bough_cron once, hourly;
    const char *why;

    (void)state;
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(bough_cron_parse("30 2 * * *", &once, &why));
    assert_true(bough_cron_parse("30 * * * *", &hourly, &why));
    const int64_t first = bough_cron_next(&once, parse("2026-10-24 12:00"));
    assert_string_equal(print(first), "2026-10-25 02:30");
    assert_string_equal(print(bough_cron_next(&once, first)), "2026-10-26 02:30");
    const int64_t again = bough_cron_next(&hourly, first);
    assert_int_equal(again, first + 3600);
    assert_string_equal(print(again), "2026-10-25 02:30");
}

static void what_is_no_expression_is_told(void **state)
{
    static const char *const rows[][2] = {
        { "", "there must be five fields, from minute to day of the week" },
        { "0 0 * *", "there must be five fields, from minute to day of the week" },
        { "0 0 * * * *", "there are more than five fields" },
        { "60 * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "-1 * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "1,, * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "*/0 * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "5-1 * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "5x * * * *", "the minute must be \"*\" or from 0 to 59" },
        { "0 24 * * *", "the hour must be \"*\" or from 0 to 23" },
        { "0 0 0 * *", "the day of the month must be \"*\" or from 1 to 31" },
        { "0 0 1 juli *", "the month must be \"*\", from 1 to 12 or jan to dec" },
        { "0 0 1 1 8", "the day of the week must be \"*\", from 0 to 7 or sun to sat" },
        { "@sometimes", "the minute must be \"*\" or from 0 to 59" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bough_cron cron;
        const char *why = "";

        if (bough_cron_parse(rows[i][0], &cron, &why))
            fail_msg("\"%s\" is taken for an expression", rows[i][0]);
        assert_string_equal(why, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_fits_all_fields),
        cmocka_unit_test(a_time_that_a_day_does_not_have_is_left_out),
        cmocka_unit_test(a_time_that_a_day_has_twice_comes_once),
        cmocka_unit_test(what_is_no_expression_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
