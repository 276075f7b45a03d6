/* json_value.c - one JSON value held against one field, and the sentences about it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_value_internal.h>

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bough/config/suggest.h>
#include <bough/config/units.h>
#include <bough/core/assert.h>

enum { TEXT_MAX = 512 }; /* bytes of one sentence */

bool bough_report_add(struct bough_report *report, const struct bough_json_place *place,
                      enum bough_at at, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report->add(report, place, at, text);
    return false;
}

static void relay_add(struct bough_report *report, const struct bough_json_place *place,
                      enum bough_at at, const char *text)
{
    struct bough_relay *relay = bough_container(report, struct bough_relay, report);

    relay->wrong = true;
    relay->to->add(relay->to, place, at, text);
}

void bough_relay_init(struct bough_relay *relay, struct bough_report *to)
{
    *relay = (struct bough_relay){ .report = { .add = relay_add }, .to = to };
}

/* Words */

const char *bough_place_name(const struct bough_json_place *place,
                             char quoted[BOUGH_QUOTED])
{
    if (place->up == NULL) return "the tree";
    if (place->key != NULL) return bough_quote(quoted, place->key);
    snprintf(quoted, BOUGH_QUOTED, "item %zu", place->index + 1);
    return quoted;
}

/* What a value is, for "not ...". */
static const char *value_phrase(const json_t *value, char *buffer, size_t size)
{
    char quoted[BOUGH_QUOTED];

    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING:
        snprintf(buffer, size, "the string %s",
                 bough_quote(quoted, json_string_value(value)));
        return buffer;
    case JSON_INTEGER:
        snprintf(buffer, size, "the number %" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        return buffer;
    case JSON_REAL:
        snprintf(buffer, size, "the number %g", json_real_value(value));
        return buffer;
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

bool bough_json_must_be(struct bough_report *report, const struct bough_json_place *place,
                        const char *what, const json_t *value)
{
    char quoted[BOUGH_QUOTED], phrase[BOUGH_QUOTED + 16];

    return bough_report_add(report, place, BOUGH_AT_VALUE, "%s must be %s, not %s",
                            bough_place_name(place, quoted), what,
                            value_phrase(value, phrase, sizeof(phrase)));
}

const char *bough_field_phrase(const struct bough_field *field, char *buffer, size_t size)
{
    char words[160];

    switch (field->kind) {
    case BOUGH_BOOL: return "true or false";
    case BOUGH_INT64: return "a whole number";
    case BOUGH_DOUBLE: return "a number";
    case BOUGH_DURATION: return "a duration such as \"5s\"";
    case BOUGH_SIZE: return "a size such as \"10MiB\"";
    case BOUGH_CHOICE:
        snprintf(buffer, size, "%s",
                 bough_quote_words(words, sizeof(words), field->choices));
        return buffer;
    case BOUGH_TEXT:
    case BOUGH_STRING: return "a string";
    case BOUGH_BYTES: return "a string or {\"base64\": \"...\"}";
    case BOUGH_LIST: return "an array";
    case BOUGH_STRINGS: return "an array of strings";
    case BOUGH_FILE: return "the path of a file";
    case BOUGH_MAP: return "an object of strings";
    case BOUGH_EITHER:
        snprintf(buffer, size, "%s, or an object",
                 bough_quote_words(words, sizeof(words), field->choices));
        return buffer;
    case BOUGH_PATH: return "the path of an actor, such as \"/log\"";
    case BOUGH_PAIRS:
    case BOUGH_SPEC:
    case BOUGH_OPTIONS:
    case BOUGH_OBJECT: return "an object";
    case BOUGH_KIND_COUNT: break;
    }
    bough_assert(field->kind < BOUGH_KIND_COUNT);
    return "";
}

/* Numbers and their range */

static const char *number_print(const struct bough_field *field, int64_t value,
                                char buffer[BOUGH_UNITS_TEXT])
{
    if (field->kind == BOUGH_DURATION) return bough_duration_print(value, buffer);
    if (field->kind == BOUGH_SIZE) return bough_size_print(value, buffer);
    snprintf(buffer, BOUGH_UNITS_TEXT, "%" PRId64, value);
    return buffer;
}

static bool out_of_range(struct bough_report *report, const struct bough_field *field,
                         const struct bough_json_place *place, const char *given)
{
    char least[BOUGH_UNITS_TEXT], most[BOUGH_UNITS_TEXT], quoted[BOUGH_QUOTED];
    const char *name = bough_place_name(place, quoted);

    number_print(field, field->min, least);
    number_print(field, field->max, most);
    if (field->max == INT64_MAX)
        return bough_report_add(report, place, BOUGH_AT_VALUE,
                                "%s must be at least %s, not %s", name, least, given);
    if (field->min == INT64_MIN)
        return bough_report_add(report, place, BOUGH_AT_VALUE,
                                "%s must be at most %s, not %s", name, most, given);
    return bough_report_add(report, place, BOUGH_AT_VALUE,
                            "%s must be from %s to %s, not %s", name, least, most, given);
}

static bool is_limited(const struct bough_field *field)
{
    return field->min != 0 || field->max != 0;
}

static bool take_int64(struct bough_report *report, const struct bough_field *field,
                       int64_t value, const struct bough_json_place *place, void *member)
{
    char given[BOUGH_UNITS_TEXT];

    if (is_limited(field) && (value < field->min || value > field->max))
        return out_of_range(report, field, place, number_print(field, value, given));
    if (value == 0) value = field->given_zero;
    memcpy(member, &value, sizeof(value));
    return true;
}

/* 5.0 is a whole number, as in JSON Schema; up to 2^53, where doubles stop counting by
 * one. */
static bool is_whole(const json_t *value)
{
    double real = json_real_value(value);

    return json_is_real(value) && real == floor(real) && fabs(real) <= 9007199254740992.0;
}

static bool take_whole(struct bough_report *report, const struct bough_field *field,
                       const json_t *value, const struct bough_json_place *place,
                       void *member)
{
    if (json_is_integer(value))
        return take_int64(report, field, json_integer_value(value), place, member);
    if (is_whole(value))
        return take_int64(report, field, (int64_t)json_real_value(value), place, member);
    return bough_json_must_be(report, place, bough_field_phrase(field, NULL, 0), value);
}

static bool take_double(struct bough_report *report, const struct bough_field *field,
                        const json_t *value, const struct bough_json_place *place,
                        void *member)
{
    double number = json_number_value(value);
    char given[BOUGH_UNITS_TEXT];

    if (!json_is_number(value))
        return bough_json_must_be(report, place, bough_field_phrase(field, NULL, 0),
                                  value);
    if (is_limited(field) &&
        (number < (double)field->min || number > (double)field->max)) {
        snprintf(given, sizeof(given), "%g", number);
        return out_of_range(report, field, place, given);
    }
    memcpy(member, &number, sizeof(number));
    return true;
}

static bool take_measure(struct bough_report *report, const struct bough_field *field,
                         const json_t *value, const struct bough_json_place *place,
                         void *member)
{
    char quoted[BOUGH_QUOTED];
    struct bough_error error;
    enum bough_status status;
    int64_t number;

    if (!json_is_string(value))
        return bough_json_must_be(report, place, bough_field_phrase(field, NULL, 0),
                                  value);
    if (!bough_json_text(report, field, value, place)) return false;
    if (field->kind == BOUGH_DURATION)
        status = bough_duration_parse(json_string_value(value), &number, &error);
    else
        status = bough_size_parse(json_string_value(value), &number, &error);
    if (status != BOUGH_OK)
        return bough_report_add(report, place, BOUGH_AT_VALUE, "%s: %s",
                                bough_place_name(place, quoted), error.text);
    return take_int64(report, field, number, place, member);
}

/* Choices */

static bool take_choice(struct bough_report *report, const struct bough_field *field,
                        const json_t *value, const struct bough_json_place *place,
                        void *member)
{
    char name[BOUGH_QUOTED], given[BOUGH_QUOTED], words[160];
    const char *text = json_string_value(value), *meant;

    bough_quote_words(words, sizeof(words), field->choices);
    if (text == NULL) return bough_json_must_be(report, place, words, value);
    if (!bough_json_text(report, field, value, place)) return false;
    for (int i = 0; field->choices[i] != NULL; i++) {
        if (strcmp(field->choices[i], text) == 0) {
            memcpy(member, &i, sizeof(i));
            return true;
        }
    }
    meant = bough_suggest(text, field->choices);
    bough_place_name(place, name);
    bough_quote(given, text);
    if (meant != NULL)
        return bough_report_add(report, place, BOUGH_AT_VALUE,
                                "%s cannot be %s; did you mean \"%s\"?", name, given,
                                meant);
    return bough_report_add(report, place, BOUGH_AT_VALUE, "%s must be %s, not %s", name,
                            words, given);
}

/* All plain kinds */

bool bough_json_plain(struct bough_report *report, const struct bough_field *field,
                      const json_t *value, const struct bough_json_place *place,
                      void *member)
{
    bool truth = json_is_true(value);

    bough_assert(bough_kind_is_plain(field->kind));
    if (field->kind == BOUGH_INT64)
        return take_whole(report, field, value, place, member);
    if (field->kind == BOUGH_DOUBLE)
        return take_double(report, field, value, place, member);
    if (field->kind == BOUGH_CHOICE)
        return take_choice(report, field, value, place, member);
    if (field->kind != BOUGH_BOOL)
        return take_measure(report, field, value, place, member);
    if (!json_is_boolean(value))
        return bough_json_must_be(report, place, bough_field_phrase(field, NULL, 0),
                                  value);
    memcpy(member, &truth, sizeof(truth));
    return true;
}

void bough_field_fallback(const struct bough_field *field, void *member)
{
    bool truth = field->fallback != 0;
    double number = (double)field->fallback;
    int index = (int)field->fallback;

    bough_assert(bough_kind_is_plain(field->kind));
    if (field->kind == BOUGH_BOOL)
        memcpy(member, &truth, sizeof(truth));
    else if (field->kind == BOUGH_DOUBLE)
        memcpy(member, &number, sizeof(number));
    else if (field->kind == BOUGH_CHOICE)
        memcpy(member, &index, sizeof(index));
    else
        memcpy(member, &field->fallback, sizeof(field->fallback));
}

/* A number that JSON cannot write (not finite) is null. */
static json_t *from_double(const void *member)
{
    double number;

    memcpy(&number, member, sizeof(number));
    return isfinite(number) ? json_real(number) : json_null();
}

json_t *bough_json_from_plain(const struct bough_field *field, const void *member)
{
    char text[BOUGH_UNITS_TEXT];
    int64_t number;
    int index;

    bough_assert(bough_kind_is_plain(field->kind));
    if (field->kind == BOUGH_BOOL) return json_boolean(*(const bool *)member);
    if (field->kind == BOUGH_DOUBLE) return from_double(member);
    if (field->kind == BOUGH_CHOICE) {
        memcpy(&index, member, sizeof(index));
        return json_string(field->choices[index]);
    }
    memcpy(&number, member, sizeof(number));
    if (field->given_zero != 0 && number == field->given_zero) number = 0;
    if (field->kind == BOUGH_INT64) return json_integer(number);
    return json_string(number_print(field, number, text));
}

bool bough_json_text(struct bough_report *report, const struct bough_field *field,
                     const json_t *value, const struct bough_json_place *place)
{
    char quoted[BOUGH_QUOTED];

    if (!json_is_string(value))
        return bough_json_must_be(report, place, bough_field_phrase(field, NULL, 0),
                                  value);
    if (strlen(json_string_value(value)) == json_string_length(value)) return true;
    return bough_report_add(report, place, BOUGH_AT_VALUE, "%s cannot hold \"\\u0000\"",
                            bough_place_name(place, quoted));
}

/* Objects */

bool bough_json_unknown(struct bough_report *report, const struct bough_json_place *place,
                        const char *noun, const char *const *names)
{
    const char *meant = bough_suggest(place->key, names);
    char quoted[BOUGH_QUOTED], words[420];

    bough_quote(quoted, place->key);
    if (meant != NULL)
        return bough_report_add(report, place, BOUGH_AT_KEY,
                                "unknown %s %s; did you mean \"%s\"?", noun, quoted,
                                meant);
    if (names[0] == NULL)
        return bough_report_add(report, place, BOUGH_AT_KEY,
                                "unknown %s %s; there are none", noun, quoted);
    return bough_report_add(report, place, BOUGH_AT_KEY, "unknown %s %s; expected %s",
                            noun, quoted, bough_quote_words(words, sizeof(words), names));
}

/* Tables are short; what does not fit in the list is only not suggested. */
static void report_unknown(struct bough_json_reader *reader,
                           const struct bough_field *fields, size_t count,
                           const struct bough_json_place *place)
{
    const char *names[64];
    size_t known = 0;

    for (size_t i = 0; i < count && known + 1 < bough_count_of(names); i++)
        names[known++] = fields[i].name;
    names[known] = NULL;
    bough_json_unknown(reader->report, place, reader->noun, names);
}

static void report_missing(struct bough_json_reader *reader,
                           const struct bough_field *field,
                           const struct bough_json_place *place)
{
    char phrase[192];

    bough_report_add(reader->report, place, BOUGH_AT_VALUE,
                     "missing %s \"%s\"; it must be %s", reader->noun, field->name,
                     bough_field_phrase(field, phrase, sizeof(phrase)));
}

bool bough_json_misspelt(const json_t *object, const char *name,
                         bool (*known)(const void *data, const char *key),
                         const void *data)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        struct bough_suggestion suggestion = { .word = key };

        bough_suggestion_offer(&suggestion, name);
        if (suggestion.nearest != NULL && !known(data, key)) return true;
    }
    return false;
}

struct table {
    const struct bough_field *fields;
    size_t count;
};

static bool is_known(const void *data, const char *key)
{
    const struct table *table = data;

    return bough_field_find(table->fields, table->count, key) != NULL;
}

void bough_json_members(struct bough_json_reader *reader,
                        const struct bough_field *fields, size_t count,
                        const json_t *object, const struct bough_json_place *place,
                        void *target)
{
    const struct table table = { .fields = fields, .count = count };
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        const struct bough_json_place at = { .up = place, .key = key };
        const struct bough_field *field = bough_field_find(fields, count, key);

        if (field == NULL)
            report_unknown(reader, fields, count, &at);
        else
            reader->take(reader, field, value, &at, target);
    }
    for (size_t i = 0; i < count; i++) {
        const struct bough_json_place at = { .up = place, .key = fields[i].name };

        if (json_object_get(object, fields[i].name) != NULL) continue;
        if (fields[i].optional)
            reader->take(reader, &fields[i], NULL, &at, target);
        else if (!bough_json_misspelt(object, fields[i].name, is_known, &table))
            report_missing(reader, &fields[i], place);
    }
}
