/* span.c - times as a person reads them in a story.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/span.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/field.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* Seconds with as many decimals as there are. */
static void print_seconds(int64_t ms, char buffer[BOUGH_SPAN_TEXT])
{
    size_t length = (size_t)snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 ".%03" PRId64,
                                     ms / SECOND, ms % SECOND);

    while (buffer[length - 1] == '0')
        length--;
    if (buffer[length - 1] == '.') length--;
    buffer[length] = 's';
    buffer[length + 1] = '\0';
}

static void print_two(int64_t ms, int64_t large, char unit, int64_t small, char less,
                      char buffer[BOUGH_SPAN_TEXT])
{
    const int64_t rest = ms % large / small;

    if (rest == 0)
        snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 "%c", ms / large, unit);
    else
        snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 "%c%02" PRId64 "%c", ms / large,
                 unit, rest, less);
}

const char *bough_span_print(int64_t ms, char buffer[BOUGH_SPAN_TEXT])
{
    if (ms == BOUGH_FOREVER)
        snprintf(buffer, BOUGH_SPAN_TEXT, "all its life");
    else if (ms > 0 && ms < SECOND)
        snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 "ms", ms);
    else if (ms < MINUTE)
        print_seconds(ms, buffer);
    else if (ms < HOUR)
        print_two(ms, MINUTE, 'm', SECOND, 's', buffer);
    else if (ms < DAY)
        print_two(ms, HOUR, 'h', MINUTE, 'm', buffer);
    else
        print_two(ms, DAY, 'd', HOUR, 'h', buffer);
    return buffer;
}

const char *bough_moment_print(int64_t ms, char buffer[BOUGH_SPAN_TEXT])
{
    const int64_t seconds = ms % MINUTE / SECOND, rest = ms % SECOND;

    if (ms < MINUTE)
        snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 ".%03" PRId64 "s", seconds, rest);
    else if (ms < HOUR)
        snprintf(buffer, BOUGH_SPAN_TEXT, "%" PRId64 "m%02" PRId64 ".%03" PRId64 "s",
                 ms / MINUTE, seconds, rest);
    else
        snprintf(buffer, BOUGH_SPAN_TEXT,
                 "%" PRId64 "h%02" PRId64 "m%02" PRId64 ".%03" PRId64 "s", ms / HOUR,
                 ms % HOUR / MINUTE, seconds, rest);
    return buffer;
}
