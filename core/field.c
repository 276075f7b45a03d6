/* field.c - tables of fields: finding a row, and whether a table is sound.
 *
 * A table is written by hand and read by code that trusts it, so that every mistake that
 * can be made in one is looked for here, once, by a test.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <stdalign.h>
#include <string.h>

/* Tables may nest; one that contains itself would never end. */
enum { DEPTH_MAX = 16 };

struct table {
    const struct bough_field *fields;
    size_t count;
    int depth;
    bool is_element; /* of a list: the sole field may do without a name */
    struct bough_error *error;
};

struct member {
    size_t size, alignment;
};

#define member_of(type) \
    { \
        sizeof(type), alignof(type) \
    }

/* Size 0: of any size. */
static const struct member members[] = {
    [BOUGH_BOOL] = member_of(bool),
    [BOUGH_INT64] = member_of(int64_t),
    [BOUGH_DOUBLE] = member_of(double),
    [BOUGH_DURATION] = member_of(int64_t),
    [BOUGH_SIZE] = member_of(int64_t),
    [BOUGH_CHOICE] = member_of(int),
    [BOUGH_TEXT] = member_of(struct bough_span),
    [BOUGH_BYTES] = member_of(struct bough_span),
    [BOUGH_PAIRS] = member_of(struct bough_span),
    [BOUGH_LIST] = member_of(struct bough_span),
    [BOUGH_SPEC] = member_of(struct bough_span),
    [BOUGH_OPTIONS] = member_of(struct bough_span),
    [BOUGH_STRING] = member_of(const char *),
    [BOUGH_STRINGS] = member_of(const char *const *),
    [BOUGH_PATH] = member_of(const char *),
    [BOUGH_FILE] = member_of(const char *),
    [BOUGH_MAP] = member_of(const char *const *),
    [BOUGH_OBJECT] = { 0, 1 },
    [BOUGH_EITHER] = { 0, alignof(int) },
};

_Static_assert(bough_count_of(members) == BOUGH_KIND_COUNT, "each kind has its member");

static bool complain(const struct table *table, const struct bough_field *field,
                     const char *what)
{
    bough_error_set(table->error, BOUGH_EINVALID, "field \"%s\": %s",
                    field->name ? field->name : "", what);
    return false;
}

static bool is_snake_case(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool name_valid(const struct table *table, const struct bough_field *field)
{
    if (!field->name) {
        if (table->is_element && table->count == 1) return true;
        return complain(table, field,
                        "only the sole field of a list may be without a name");
    }
    if (!is_snake_case(field->name)) return complain(table, field, "not snake_case");
    if (bough_field_find(table->fields, table->count, field->name) != field) {
        return complain(table, field, "the name is used twice");
    }
    return true;
}

static bool overlap(const struct bough_field *a, const struct bough_field *b)
{
    return (uint64_t)a->offset < (uint64_t)b->offset + b->size &&
           (uint64_t)b->offset < (uint64_t)a->offset + a->size;
}

static bool member_valid(const struct table *table, const struct bough_field *field)
{
    if ((unsigned)field->kind >= BOUGH_KIND_COUNT) {
        return complain(table, field, "no such kind");
    }
    const struct member *member = &members[field->kind];
    if (field->size == 0 || (member->size != 0 && field->size != member->size)) {
        return complain(table, field, "the member's size does not fit the kind");
    }
    if (field->offset % member->alignment != 0) {
        return complain(table, field, "the member is not aligned");
    }
    for (size_t i = 0; i < table->count; i++) {
        if (&table->fields[i] != field && overlap(&table->fields[i], field)) {
            return complain(table, field, "another field has the same member");
        }
    }
    return true;
}

static size_t count_choices(const char *const *choices)
{
    size_t count = 0;

    while (choices[count])
        count++;
    return count;
}

static bool choices_unique(const char *const *choices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(choices[i], choices[j]) == 0) return false;
        }
    }
    return true;
}

static bool choices_valid(const struct table *table, const struct bough_field *field)
{
    if (field->kind != BOUGH_CHOICE && field->kind != BOUGH_EITHER) {
        return !field->choices ||
               complain(table, field, "choices without being a choice");
    }
    if (!field->choices || !field->choices[0]) {
        return complain(table, field, "a choice without choices");
    }
    const size_t count = count_choices(field->choices);
    if (!choices_unique(field->choices, count)) {
        return complain(table, field, "a choice is there twice");
    }
    if (field->fallback < 0 || (uint64_t)field->fallback >= count) {
        return complain(table, field, "the fallback is not one of the choices");
    }
    return true;
}

static bool is_number(enum bough_kind kind)
{
    return kind == BOUGH_INT64 || kind == BOUGH_DOUBLE || kind == BOUGH_DURATION ||
           kind == BOUGH_SIZE;
}

static bool given_zero_valid(const struct table *table, const struct bough_field *field)
{
    if (field->given_zero == 0) return true;
    if (!is_number(field->kind) || field->kind == BOUGH_DOUBLE)
        return complain(table, field, "a zero without being a whole number");
    if (field->min > 0 || field->max <= 0)
        return complain(table, field, "zero cannot be given");
    if (field->given_zero >= field->min && field->given_zero <= field->max)
        return complain(table, field, "the given zero is inside the limits");
    return true;
}

/* A fallback of 0 is the zero that stands for "not given", whatever the limits. */
static bool limits_valid(const struct table *table, const struct bough_field *field)
{
    const bool limited = field->min != 0 || field->max != 0;

    if (limited && !is_number(field->kind)) {
        return complain(table, field, "limits without being a number");
    }
    if (field->min > field->max) return complain(table, field, "min is over max");
    if (limited && field->fallback != 0 &&
        (field->fallback < field->min || field->fallback > field->max)) {
        return complain(table, field, "the fallback is outside the limits");
    }
    return given_zero_valid(table, field);
}

static bool takes_fallback_text(enum bough_kind kind)
{
    return bough_kind_is_string(kind) || kind == BOUGH_TEXT;
}

static bool fallback_valid(const struct table *table, const struct bough_field *field)
{
    if (!field->optional && (field->fallback != 0 || field->fallback_text)) {
        return complain(table, field, "a fallback without being optional");
    }
    if (field->fallback_text && !takes_fallback_text(field->kind)) {
        return complain(table, field, "a fallback text without being a text");
    }
    if (field->fallback != 0 && field->kind > BOUGH_CHOICE) {
        return complain(table, field, "a fallback number without being a number");
    }
    if (field->kind == BOUGH_BOOL && (field->fallback < 0 || field->fallback > 1)) {
        return complain(table, field, "the fallback is not a bool");
    }
    if ((field->refers_to || field->at_start) && field->kind != BOUGH_PATH) {
        return complain(table, field, "a reference without being a path");
    }
    return true;
}

static bool strings_valid(const struct table *table, const struct bough_field *field)
{
    const struct bough_field *with = NULL;

    if (!field->is_program && !field->string_with) return true;
    if (field->kind != BOUGH_STRINGS)
        return complain(table, field, "a program without being strings");
    if (!field->string_with) return true;
    with = bough_field_find(table->fields, table->count, field->string_with);
    return (with && with->kind == BOUGH_BOOL) ||
           complain(table, field, "a string with what is no bool beside it");
}

static bool table_valid(const struct table *table);

static bool nested_valid(const struct table *table, const struct bough_field *field)
{
    if (field->kind != BOUGH_LIST && !bough_kind_is_struct(field->kind)) {
        return !field->of ||
               complain(table, field, "parts without being a list or an object");
    }
    if (!field->of || field->of_count == 0 || field->of_size == 0) {
        return complain(table, field, "a list or an object without its parts");
    }
    if (bough_kind_is_struct(field->kind) && field->of_size != field->size) {
        return complain(table, field, "the object's size is not its member's");
    }
    for (size_t i = 0; i < field->of_count; i++) {
        if ((uint64_t)field->of[i].offset + field->of[i].size > field->of_size) {
            return complain(table, &field->of[i], "outside the struct it is a part of");
        }
        if (field->kind == BOUGH_EITHER && field->of[i].offset < sizeof(int)) {
            return complain(table, &field->of[i], "in the place of the choice");
        }
        if (field->kind == BOUGH_EITHER &&
            (field->of[i].fallback != 0 || field->of[i].fallback_text)) {
            return complain(table, &field->of[i], "a fallback that is not given");
        }
    }
    return table_valid(&(struct table){
        .fields = field->of,
        .count = field->of_count,
        .depth = table->depth + 1,
        .is_element = field->kind == BOUGH_LIST,
        .error = table->error,
    });
}

static bool table_valid(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct bough_field *field = &table->fields[i];

        if (table->depth >= DEPTH_MAX) return complain(table, field, "nested too deep");
        if (!name_valid(table, field) || !member_valid(table, field)) return false;
        if (!choices_valid(table, field) || !limits_valid(table, field)) return false;
        if (!fallback_valid(table, field) || !strings_valid(table, field)) return false;
        if (!nested_valid(table, field)) return false;
    }
    return true;
}

bool bough_fields_valid(const struct bough_field *fields, size_t count,
                        struct bough_error *error)
{
    return table_valid(
        &(struct table){ .fields = fields, .count = count, .error = error });
}

const struct bough_field *bough_field_find(const struct bough_field *fields, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name && strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

/* Zero must mean the fallback: it is out of limits, or the same. */
static bool zero_is_free(const struct bough_field *field)
{
    if (field->fallback == 0 || field->given_zero != 0) return true;
    return is_number(field->kind) && (field->min > 0 || field->max < 0);
}

bool bough_options_valid(const struct bough_field *fields, size_t count,
                         struct bough_error *error)
{
    const struct table table = { .fields = fields, .count = count, .error = error };

    if (!table_valid(&table)) return false;
    for (size_t i = 0; i < count; i++) {
        const struct bough_field *field = &fields[i];

        if (!zero_is_free(field)) {
            return complain(&table, field,
                            "has a fallback, and allows zero with another sense");
        }
        if (bough_kind_is_struct(field->kind) &&
            !bough_options_valid(field->of, field->of_count, error)) {
            return false;
        }
    }
    return true;
}
