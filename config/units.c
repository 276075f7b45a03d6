/* units.c - durations and sizes: one table of units each, one reader and one printer.
 *
 * Numbers are read as whole part and fraction, never as floating point: "0.1s" is 100 ms
 * and not nearly that.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/units.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <bough/config/quote_internal.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* What people write for a unit; a table ends with a row of NULL. */
struct alias {
    const char *written, *meant;
};

/* What is measured. The first `printed` units are printed, the others only read. */
struct measure {
    const char *noun, *least; /* "a duration", "a millisecond" */
    const char *allowed;
    const struct unit *units; /* the largest first */
    size_t printed, count;
    const struct alias *aliases;
};

static const struct unit duration_units[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

static const struct alias duration_aliases[] = {
    { "msec", "ms" }, { "millis", "ms" }, { "milliseconds", "ms" }, { "sec", "s" },
    { "secs", "s" },  { "second", "s" },  { "seconds", "s" },       { "min", "m" },
    { "mins", "m" },  { "minute", "m" },  { "minutes", "m" },       { "hr", "h" },
    { "hrs", "h" },   { "hour", "h" },    { "hours", "h" },         { "day", "d" },
    { "days", "d" },  { NULL, NULL },
};

static const struct measure durations = {
    .noun = "a duration",
    .least = "1ms",
    .allowed = "a number and ms, s, m, h or d, such as \"200ms\"",
    .units = duration_units,
    .printed = bough_count_of(duration_units),
    .count = bough_count_of(duration_units),
    .aliases = duration_aliases,
};

static const struct unit size_units[] = {
    { "TiB", INT64_C(1) << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 },
    { "KiB", 1 << 10 },          { "B", 1 },         { "TB", INT64_C(1000000000000) },
    { "GB", 1000000000 },        { "MB", 1000000 },  { "kB", 1000 },
};

static const struct alias size_aliases[] = {
    { "k", "KiB" },  { "m", "MiB" },   { "g", "GiB" },  { "t", "TiB" },
    { "ki", "KiB" }, { "mi", "MiB" },  { "gi", "GiB" }, { "ti", "TiB" },
    { "byte", "B" }, { "bytes", "B" }, { NULL, NULL },
};

static const struct measure sizes = {
    .noun = "a size",
    .least = "1B",
    .allowed = "a number and B, KiB, MiB, GiB, TiB, kB, MB, GB or TB, such as \"10MiB\"",
    .units = size_units,
    .printed = 5,
    .count = bough_count_of(size_units),
    .aliases = size_aliases,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *text)
{
    size_t len = 0;

    while (is_digit(text[len]))
        len++;
    return len;
}

static const struct unit *unit_find(const struct measure *measure, const char *name)
{
    for (size_t i = 0; i < measure->count; i++)
        if (strcmp(measure->units[i].name, name) == 0) return &measure->units[i];
    return NULL;
}

/* The unit that was meant, whatever its case and the spaces before it: "kb" is "kB". */
static const char *unit_meant(const struct measure *measure, const char *name)
{
    while (*name == ' ')
        name++;
    for (const struct alias *alias = measure->aliases; alias->written != NULL; alias++)
        if (strcasecmp(alias->written, name) == 0) return alias->meant;
    for (size_t i = 0; i < measure->count; i++)
        if (strcasecmp(measure->units[i].name, name) == 0) return measure->units[i].name;
    return NULL;
}

static enum bough_status not_that(const struct measure *measure, const char *text,
                                  struct bough_error *error)
{
    char quoted[BOUGH_QUOTED];

    return bough_error_set(error, BOUGH_EINVALID,
                           "%s is not %s; write %s, or \"infinity\"",
                           bough_quote(quoted, text), measure->noun, measure->allowed);
}

static enum bough_status wrong_unit(const struct measure *measure, const char *text,
                                    const char *name, struct bough_error *error)
{
    char quoted[BOUGH_QUOTED];
    const char *meant = unit_meant(measure, name);

    bough_quote(quoted, text);
    if (*name == '\0')
        return bough_error_set(error, BOUGH_EINVALID, "%s has no unit; write %s", quoted,
                               measure->allowed);
    if (meant != NULL)
        return bough_error_set(error, BOUGH_EINVALID,
                               "%s has an unknown unit; did you mean \"%.*s%s\"?", quoted,
                               (int)(name - text), text, meant);
    return not_that(measure, text, error);
}

static enum bough_status too_large(const char *text, struct bough_error *error)
{
    char quoted[BOUGH_QUOTED];

    return bough_error_set(error, BOUGH_ERANGE, "%s is too large; write \"infinity\"",
                           bough_quote(quoted, text));
}

/* factor * 0.fraction, which must be whole. Each digit is worth a tenth of the one
 * before. */
static bool fraction_value(const char *fraction, size_t len, int64_t factor,
                           int64_t *value)
{
    int64_t rest = 0, scale = 1;

    while (len > 0 && fraction[len - 1] == '0')
        len--;
    /* 10^12 divides no unit's factor further: more digits cannot give a whole number. */
    if (len > 12) return false;
    for (size_t i = 0; i < len; i++) {
        rest = rest * 10 + (fraction[i] - '0');
        scale *= 10;
    }
    __extension__ __int128 product = (__int128)rest * factor;
    if (product % scale != 0) return false;
    *value = (int64_t)(product / scale);
    return true;
}

static bool whole_value(const char *text, size_t len, int64_t factor, int64_t *value)
{
    int64_t whole = 0;

    for (size_t i = 0; i < len; i++) {
        if (__builtin_mul_overflow(whole, 10, &whole)) return false;
        if (__builtin_add_overflow(whole, text[i] - '0', &whole)) return false;
    }
    return !__builtin_mul_overflow(whole, factor, value);
}

static enum bough_status parse(const struct measure *measure, const char *text,
                               int64_t *value, struct bough_error *error)
{
    size_t whole_len = digits(text);
    const char *fraction = text + whole_len;
    size_t fraction_len = 0;
    const char *name = fraction;
    const struct unit *unit;
    char quoted[BOUGH_QUOTED];
    int64_t whole, part = 0;

    if (strcmp(text, "infinity") == 0) {
        *value = BOUGH_FOREVER;
        return BOUGH_OK;
    }
    if (text[0] == '-' && is_digit(text[1]))
        return bough_error_set(error, BOUGH_EINVALID, "%s is negative; write %s",
                               bough_quote(quoted, text), measure->allowed);
    if (whole_len == 0) return not_that(measure, text, error);
    if (*fraction == '.') {
        fraction++;
        fraction_len = digits(fraction);
        name = fraction + fraction_len;
        if (fraction_len == 0) return not_that(measure, text, error);
    }
    unit = unit_find(measure, name);
    if (unit == NULL) return wrong_unit(measure, text, name, error);

    if (!fraction_value(fraction, fraction_len, unit->factor, &part))
        return bough_error_set(error, BOUGH_EINVALID, "%s is finer than %s",
                               bough_quote(quoted, text), measure->least);
    if (!whole_value(text, whole_len, unit->factor, &whole))
        return too_large(text, error);
    if (__builtin_add_overflow(whole, part, &whole) || whole == BOUGH_FOREVER)
        return too_large(text, error);
    *value = whole;
    return BOUGH_OK;
}

enum bough_status bough_duration_parse(const char *text, int64_t *ms,
                                       struct bough_error *error)
{
    return parse(&durations, text, ms, error);
}

enum bough_status bough_size_parse(const char *text, int64_t *bytes,
                                   struct bough_error *error)
{
    return parse(&sizes, text, bytes, error);
}

static const char *print(const struct measure *measure, int64_t value, const char *zero,
                         char buffer[BOUGH_UNITS_TEXT])
{
    const struct unit *unit = measure->units;

    if (value == BOUGH_FOREVER || value == 0) {
        snprintf(buffer, BOUGH_UNITS_TEXT, "%s", value == 0 ? zero : "infinity");
        return buffer;
    }
    while (value % unit->factor != 0)
        unit++;
    snprintf(buffer, BOUGH_UNITS_TEXT, "%" PRId64 "%s", value / unit->factor, unit->name);
    return buffer;
}

const char *bough_duration_print(int64_t ms, char buffer[BOUGH_UNITS_TEXT])
{
    return print(&durations, ms, "0s", buffer);
}

const char *bough_size_print(int64_t bytes, char buffer[BOUGH_UNITS_TEXT])
{
    return print(&sizes, bytes, "0B", buffer);
}
