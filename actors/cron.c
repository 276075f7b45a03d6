/* cron.c - times that come again.
 *
 * The next one is looked for from minute to minute, with a leap over hours, days and
 * months that do not fit: some tens of steps.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/cron_internal.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MINUTE = 60, YEARS_MAX = 9, NAME_LEN = 3 };

/* Reading */

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
                                           "jun", "jul", "aug", "sep", "oct",
                                           "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed",
                                         "thu", "fri", "sat", NULL };

/* What a field may hold. */
struct range {
    int least, most;
    const char *const *names; /* of least and the following; NULL: none */
    const char *why;          /* what is said of one that is wrong */
};

static const struct range ranges[] = {
    { 0, 59, NULL, "the minute must be \"*\" or from 0 to 59" },
    { 0, 23, NULL, "the hour must be \"*\" or from 0 to 23" },
    { 1, 31, NULL, "the day of the month must be \"*\" or from 1 to 31" },
    { 1, 12, month_names, "the month must be \"*\", from 1 to 12 or jan to dec" },
    { 0, 7, day_names, "the day of the week must be \"*\", from 0 to 7 or sun to sat" },
};
enum { FIELDS = sizeof(ranges) / sizeof(ranges[0]) };

static bool read_name(const char **text, const struct range *range, int *value)
{
    for (int i = 0; range->names && range->names[i]; i++) {
        if (strncasecmp(*text, range->names[i], NAME_LEN) != 0) continue;
        *value = range->least + i;
        *text += NAME_LEN;
        return true;
    }
    return false;
}

static bool read_value(const char **text, const struct range *range, int *value)
{
    char *end;

    if (read_name(text, range, value)) return true;
    if (!isdigit((unsigned char)**text)) return false;
    const long number = strtol(*text, &end, 10);
    if (number < range->least || number > range->most) return false;
    *value = (int)number;
    *text = end;
    return true;
}

static bool read_step(const char **text, int *step)
{
    char *end;

    if (!isdigit((unsigned char)**text)) return false;
    const long number = strtol(*text, &end, 10);
    if (number < 1 || number > MINUTE) return false;
    *step = (int)number;
    *text = end;
    return true;
}

/* "*", "7", "7-9", each with a step or without. */
static bool read_part(const char **text, const struct range *range, uint64_t *set)
{
    int first = range->least, last = range->most, step = 1;

    if (**text == '*') {
        (*text)++;
    } else {
        if (!read_value(text, range, &first)) return false;
        last = first;
        if (**text == '-') {
            (*text)++;
            if (!read_value(text, range, &last) || last < first) return false;
        } else if (**text == '/') {
            last = range->most; /* as most crons have it */
        }
    }
    if (**text == '/') {
        (*text)++;
        if (!read_step(text, &step)) return false;
    }
    for (int i = first; i <= last; i += step)
        *set |= UINT64_C(1) << i;
    return true;
}

static bool read_field(const char **text, const struct range *range, uint64_t *set)
{
    *set = 0;
    for (;;) {
        if (!read_part(text, range, set)) return false;
        if (**text != ',') break;
        (*text)++;
    }
    return **text == '\0' || isspace((unsigned char)**text);
}

static void skip_spaces(const char **text)
{
    while (isspace((unsigned char)**text))
        (*text)++;
}

static const char *expand(const char *text)
{
    static const struct {
        const char *word, *fields;
    } words[] = {
        { "@hourly", "0 * * * *" },   { "@daily", "0 0 * * *" },
        { "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
        { "@monthly", "0 0 1 * *" },  { "@yearly", "0 0 1 1 *" },
        { "@annually", "0 0 1 1 *" },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) return words[i].fields;
    }
    return text;
}

bool bough_cron_parse(const char *text, struct bough_cron *cron, const char **why)
{
    uint64_t sets[FIELDS];
    bool any[FIELDS];

    text = expand(text);
    for (int i = 0; i < FIELDS; i++) {
        skip_spaces(&text);
        *why = *text == '\0' ? "there must be five fields, from minute to day of the week"
                             : ranges[i].why;
        any[i] = *text == '*';
        if (!read_field(&text, &ranges[i], &sets[i])) return false;
    }
    skip_spaces(&text);
    *why = "there are more than five fields";
    if (*text != '\0') return false;
    *cron = (struct bough_cron){
        .minutes = sets[0],
        .hours = (uint32_t)sets[1],
        .days = (uint32_t)sets[2],
        .months = (uint32_t)sets[3],
        .weekdays = (uint32_t)(sets[4] | (sets[4] >> 7 & 1)), /* 7 is Sunday, too */
        .any_hour = any[1],
        .any_day = any[2],
        .any_weekday = any[4],
    };
    return true;
}

/* Looking */

static bool has(uint64_t set, int value)
{
    return (set >> value & 1) != 0;
}

static bool is_day(const struct bough_cron *cron, const struct tm *at)
{
    const bool day = has(cron->days, at->tm_mday);
    const bool weekday = has(cron->weekdays, at->tm_wday);

    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* Midnight of the day that many days later, or of the first of the next month. */
static time_t midnight(const struct tm *at, bool next_month)
{
    struct tm day = {
        .tm_year = at->tm_year,
        .tm_mon = at->tm_mon + next_month,
        .tm_mday = next_month ? 1 : at->tm_mday + 1,
        .tm_isdst = -1,
    };

    return mktime(&day);
}

/* Whether the clocks have shown it an hour ago already. */
static bool is_shown_again(time_t time, const struct tm *at)
{
    const time_t before = time - 3600;
    struct tm then;

    if (!localtime_r(&before, &then)) return false;
    return then.tm_hour == at->tm_hour && then.tm_min == at->tm_min &&
           then.tm_mday == at->tm_mday;
}

/* Where to look next; the same when it fits. Always forward, whatever mktime() says. */
static time_t leap(const struct bough_cron *cron, time_t time)
{
    struct tm at;
    time_t to = time;

    if (!localtime_r(&time, &at)) return time + 3600;
    if (!has(cron->months, at.tm_mon + 1))
        to = midnight(&at, true);
    else if (!is_day(cron, &at))
        to = midnight(&at, false);
    else if (!has(cron->hours, at.tm_hour))
        to = time + (60 - at.tm_min) * MINUTE;
    else if (!has(cron->minutes, at.tm_min) ||
             (!cron->any_hour && is_shown_again(time, &at)))
        to = time + MINUTE;
    else
        return time;
    return to > time ? to : time + MINUTE;
}

int64_t bough_cron_next(const struct bough_cron *cron, int64_t after)
{
    const int64_t last = after + (int64_t)YEARS_MAX * 366 * 24 * 3600;
    time_t time = (time_t)((after / MINUTE + 1) * MINUTE);

    while (time <= last) {
        const time_t next = leap(cron, time);
        if (next == time) return time;
        time = next;
    }
    return -1;
}
