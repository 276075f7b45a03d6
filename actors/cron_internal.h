/* cron_internal.h - times that come again, as crontab(5) writes them.
 *
 * Five fields: minute, hour, day of the month, month, day of the week; each "*", a
 * number, a range, a step ("10-40/10", "*" with "/15"), or a list of these with commas;
 * months and days of the week also by name ("mon"). When both days are given, one of them
 * is enough. Or one word: @hourly, @daily, @weekly, @monthly, @yearly.
 *
 * Times are local (TZ). A time that a day does not have, for clocks go forward, is left
 * out; one that it has twice comes once, unless the hour is "*".
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_CRON_INTERNAL_H
#define BOUGH_ACTORS_CRON_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct bough_cron {
    uint64_t minutes; /* sets: bit i is i */
    uint32_t hours, days, months, weekdays;
    bool any_hour, any_day, any_weekday; /* they begin with "*" */
};

/* False: `*why` says what is wrong. */
bool bough_cron_parse(const char *text, struct bough_cron *cron, const char **why);

/* The first time after that one, in seconds since 1970; -1: none within years. */
int64_t bough_cron_next(const struct bough_cron *cron, int64_t after);

#endif
