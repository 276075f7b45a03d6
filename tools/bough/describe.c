/* describe.c - what a field of a table takes, in a few words.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/describe.h>

#include <inttypes.h>

#include <bough/config/units.h>
#include <bough/core/public.h>

static const char *kind_name(enum bough_kind kind)
{
    static const char *const names[] = {
        [BOUGH_BOOL] = "true or false", [BOUGH_INT64] = "number",
        [BOUGH_DOUBLE] = "number",      [BOUGH_DURATION] = "duration",
        [BOUGH_SIZE] = "size",          [BOUGH_CHOICE] = "choice",
        [BOUGH_TEXT] = "text",          [BOUGH_BYTES] = "bytes",
        [BOUGH_PAIRS] = "object",       [BOUGH_LIST] = "list",
        [BOUGH_SPEC] = "child spec",    [BOUGH_OPTIONS] = "options",
        [BOUGH_STRING] = "text",        [BOUGH_STRINGS] = "list of texts",
        [BOUGH_PATH] = "path",          [BOUGH_OBJECT] = "object",
        [BOUGH_FILE] = "file",          [BOUGH_MAP] = "object of texts",
        [BOUGH_EITHER] = "choice",
    };
    _Static_assert(bough_count_of(names) == BOUGH_KIND_COUNT, "a name for each kind");

    return names[kind];
}

void bough_describe_kind(FILE *file, const struct bough_field *field)
{
    if (field->kind != BOUGH_CHOICE && field->kind != BOUGH_EITHER) {
        fputs(kind_name(field->kind), file);
        return;
    }
    for (size_t i = 0; field->choices[i] != NULL; i++)
        fprintf(file, "%s%s", i > 0 ? "|" : "", field->choices[i]);
    if (field->kind == BOUGH_EITHER) fputs(", or an object", file);
}

static bool is_number(const struct bough_field *field)
{
    return field->kind == BOUGH_INT64 || field->kind == BOUGH_DOUBLE ||
           field->kind == BOUGH_DURATION || field->kind == BOUGH_SIZE;
}

static bool has_limits(const struct bough_field *field)
{
    return is_number(field) && (field->min != 0 || field->max != 0);
}

/* One that is not allowed stands for what other fields decide. */
static bool is_allowed(const struct bough_field *field, int64_t value)
{
    return !has_limits(field) || (value >= field->min && value <= field->max);
}

/* Else zero stands for nothing at all. */
static bool can_be_zero(const struct bough_field *field)
{
    return field->given_zero == 0 && is_allowed(field, 0);
}

bool bough_describes_fallback(const struct bough_field *field)
{
    if (!field->optional) return false;
    if (field->kind == BOUGH_BOOL || field->kind == BOUGH_EITHER) return true;
    if (field->kind == BOUGH_CHOICE) return field->fallback >= 0;
    if (field->kind == BOUGH_TEXT || bough_kind_is_string(field->kind))
        return field->fallback_text != NULL;
    if (!is_number(field)) return false;
    if (field->fallback != 0) return is_allowed(field, field->fallback);
    return (field->kind == BOUGH_INT64 || field->kind == BOUGH_DOUBLE) &&
           can_be_zero(field);
}

static void print_value(FILE *file, const struct bough_field *field, int64_t value)
{
    char text[BOUGH_UNITS_TEXT];

    if (field->kind == BOUGH_DURATION)
        fputs(bough_duration_print(value, text), file);
    else if (field->kind == BOUGH_SIZE)
        fputs(bough_size_print(value, text), file);
    else
        fprintf(file, "%" PRId64, value);
}

void bough_describe_fallback(FILE *file, const struct bough_field *field)
{
    if (!bough_describes_fallback(field)) return;
    if (field->kind == BOUGH_BOOL)
        fputs(field->fallback != 0 ? "true" : "false", file);
    else if (field->kind == BOUGH_EITHER)
        fputs(field->choices[0], file);
    else if (field->kind == BOUGH_CHOICE)
        fputs(field->choices[field->fallback], file);
    else if (is_number(field))
        print_value(file, field, field->fallback);
    else
        fprintf(file, "\"%s\"", field->fallback_text);
}

/* Less than nothing is no time and no size in any case. */
static bool says_min(const struct bough_field *field)
{
    return field->kind == BOUGH_INT64 || field->kind == BOUGH_DOUBLE
               ? field->min != INT64_MIN
               : field->min > 0;
}

bool bough_describes_limits(const struct bough_field *field)
{
    return has_limits(field) && (says_min(field) || field->max != INT64_MAX);
}

void bough_describe_limits(FILE *file, const struct bough_field *field)
{
    if (!bough_describes_limits(field)) return;
    if (!says_min(field)) {
        fputs("at most ", file);
        print_value(file, field, field->max);
        return;
    }
    if (field->max == INT64_MAX) fputs("at least ", file);
    print_value(file, field, field->min);
    if (field->max == INT64_MAX) return;
    fputs(" to ", file);
    print_value(file, field, field->max);
}
