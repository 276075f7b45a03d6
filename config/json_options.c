/* json_options.c - options of an actor from JSON.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_options_internal.h>

#include <stddef.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/place.h>

static struct bough_options_reader *reader_of(struct bough_json_reader *json)
{
    return bough_container(json, struct bough_options_reader, json);
}

static char *take_string(struct bough_options_reader *reader,
                         const struct bough_field *field, const json_t *value,
                         const struct bough_json_place *place)
{
    if (!bough_json_text(reader->json.report, field, value, place)) return NULL;
    return bough_arena_copy(reader->arena, json_string_value(value),
                            json_string_length(value));
}

static void take_path(struct bough_options_reader *reader,
                      const struct bough_field *field, const json_t *value,
                      const struct bough_json_place *place, void *member)
{
    char name[BOUGH_QUOTED], given[BOUGH_QUOTED];
    const char *path = take_string(reader, field, value, place);

    if (path == NULL) return;
    if (!bough_path_valid(path)) {
        bough_report_add(reader->json.report, place, BOUGH_AT_VALUE,
                         "%s must be a path from the root, such as \"/log\", not %s",
                         bough_place_name(place, name), bough_quote(given, path));
        return;
    }
    memcpy(member, &path, sizeof(path));
    if (reader->refer != NULL) reader->refer(reader, field, path, place);
}

/* Ends with NULL. One that must be there must not be empty: it would say nothing. */
static void take_strings(struct bough_options_reader *reader,
                         const struct bough_field *field, const json_t *value,
                         const struct bough_json_place *place, void *member)
{
    static const struct bough_field item = { .kind = BOUGH_STRING };
    size_t count = json_array_size(value);
    char name[BOUGH_QUOTED];
    const char **strings;

    if (!json_is_array(value)) {
        bough_json_must_be(reader->json.report, place, bough_field_phrase(field, NULL, 0),
                           value);
        return;
    }
    if (count == 0 && !field->optional)
        bough_report_add(reader->json.report, place, BOUGH_AT_VALUE,
                         "%s must not be empty", bough_place_name(place, name));
    strings = bough_arena_alloc(reader->arena, count + 1, sizeof(*strings));
    for (size_t i = 0; strings != NULL && i < count; i++) {
        const struct bough_json_place at = { .up = place, .index = i };

        strings[i] = take_string(reader, &item, json_array_get(value, i), &at);
    }
    memcpy(member, &strings, sizeof(strings));
}

static void take(struct bough_json_reader *json, const struct bough_field *field,
                 const json_t *value, const struct bough_json_place *place, void *options)
{
    bough_json_to_option(reader_of(json), field, value, place, options);
}

static void take_members(struct bough_options_reader *reader, const char *noun,
                         const struct bough_field *fields, size_t count,
                         const json_t *object, const struct bough_json_place *place,
                         void *options)
{
    const char *outer = reader->json.noun;

    reader->json.noun = noun;
    reader->json.take = take;
    bough_json_members(&reader->json, fields, count, object, place, options);
    reader->json.noun = outer;
}

/* Not given: the fallbacks of its fields, none of which is missing then. */
static void take_object(struct bough_options_reader *reader,
                        const struct bough_field *field, const json_t *value,
                        const struct bough_json_place *place, void *member)
{
    if (value == NULL) {
        for (size_t i = 0; i < field->of_count; i++)
            bough_json_to_option(reader, &field->of[i], NULL, place, member);
    } else if (json_is_object(value)) {
        take_members(reader, "key", field->of, field->of_count, value, place, member);
    } else {
        bough_json_must_be(reader->json.report, place, bough_field_phrase(field, NULL, 0),
                           value);
    }
}

/* Texts of the table are static, so a fallback needs no copy. */
static void take_fallback(const struct bough_field *field, void *member)
{
    if (bough_kind_is_plain(field->kind))
        bough_field_fallback(field, member);
    else if (field->fallback_text != NULL)
        memcpy(member, &field->fallback_text, sizeof(field->fallback_text));
}

void bough_json_to_option(struct bough_options_reader *reader,
                          const struct bough_field *field, const json_t *value,
                          const struct bough_json_place *place, void *options)
{
    char *member = (char *)options + field->offset;
    const char *string;

    if (field->kind == BOUGH_OBJECT) {
        take_object(reader, field, value, place, member);
    } else if (value == NULL) {
        take_fallback(field, member);
    } else if (bough_kind_is_plain(field->kind)) {
        bough_json_plain(reader->json.report, field, value, place, member);
    } else if (field->kind == BOUGH_STRINGS) {
        take_strings(reader, field, value, place, member);
    } else if (field->kind == BOUGH_PATH) {
        take_path(reader, field, value, place, member);
    } else {
        bough_assert(field->kind == BOUGH_STRING);
        string = take_string(reader, field, value, place);
        memcpy(member, &string, sizeof(string));
    }
}

void bough_json_to_options(struct bough_options_reader *reader,
                           const struct bough_field *fields, size_t count,
                           const json_t *object, const struct bough_json_place *place,
                           void *options)
{
    take_members(reader, "option", fields, count, object, place, options);
}
