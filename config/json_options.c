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

/* In the arena; NULL when memory is out. */
static const char *join(struct bough_options_reader *reader, const char *folder,
                        const char *name)
{
    size_t len = strlen(folder), size = strlen(name) + 1;
    char *path = bough_arena_alloc(reader->arena, len + size, 1);

    if (path == NULL) return NULL;
    memcpy(path, folder, len);
    memcpy(path + len, name, size);
    return path;
}

/* A file of the config is where the config is. */
static const char *resolve(struct bough_options_reader *reader, const char *path)
{
    if (path == NULL || path[0] == '/' || reader->folder == NULL) return path;
    return join(reader, reader->folder, path);
}

static void take_file(struct bough_options_reader *reader,
                      const struct bough_field *field, const json_t *value,
                      const struct bough_json_place *place, void *member)
{
    const char *path = take_string(reader, field, value, place);
    char name[BOUGH_QUOTED];

    if (path != NULL && path[0] == '\0')
        bough_report_add(reader->json.report, place, BOUGH_AT_VALUE,
                         "%s must not be empty", bough_place_name(place, name));
    path = resolve(reader, path);
    memcpy(member, &path, sizeof(path));
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

/* A name without a slash is looked for in PATH. */
static const char *program(struct bough_options_reader *reader, const char *name)
{
    return name != NULL && strchr(name, '/') != NULL ? resolve(reader, name) : name;
}

/* A string that is taken as the sole one of an array; whether it may be there is known
 * when all are: see check_strings(). */
static void take_sole(struct bough_options_reader *reader,
                      const struct bough_field *field, const json_t *value,
                      const struct bough_json_place *place, void *member)
{
    const char **strings = bough_arena_alloc(reader->arena, 2, sizeof(*strings));

    if (strings == NULL) return;
    strings[0] = take_string(reader, field, value, place);
    strings[1] = NULL;
    memcpy(member, &strings, sizeof(strings));
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

    if (json_is_string(value) && field->string_with != NULL) {
        take_sole(reader, field, value, place, member);
        return;
    }
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
        if (i == 0 && field->is_program) strings[i] = program(reader, strings[i]);
    }
    memcpy(member, &strings, sizeof(strings));
}

/* Name, value ... NULL. */
static void take_map(struct bough_options_reader *reader, const struct bough_field *field,
                     const json_t *value, const struct bough_json_place *place,
                     void *member)
{
    static const struct bough_field item = { .kind = BOUGH_STRING };
    size_t count = 0;
    const char *key;
    json_t *one;

    if (!json_is_object(value)) {
        bough_json_must_be(reader->json.report, place, bough_field_phrase(field, NULL, 0),
                           value);
        return;
    }
    const char **map =
        bough_arena_alloc(reader->arena, 2 * json_object_size(value) + 1, sizeof(*map));
    json_object_foreach ((json_t *)(uintptr_t)value, key, one) {
        const struct bough_json_place at = { .up = place, .key = key };

        if (map == NULL) return;
        map[count] = bough_arena_copy(reader->arena, key, strlen(key));
        map[count + 1] = take_string(reader, &item, one, &at);
        count += 2;
    }
    memcpy(member, &map, sizeof(map));
}

static void take(struct bough_json_reader *json, const struct bough_field *field,
                 const json_t *value, const struct bough_json_place *place, void *options)
{
    bough_json_to_option(reader_of(json), field, value, place, options);
}

/* A string in the place of an array stands only beside what says that it may. */
static void check_strings(struct bough_options_reader *reader,
                          const struct bough_field *fields, size_t count,
                          const json_t *object, const struct bough_json_place *place)
{
    for (size_t i = 0; i < count; i++) {
        const struct bough_json_place at = { .up = place, .key = fields[i].name };
        const char *with = fields[i].string_with;

        if (with == NULL || !json_is_string(json_object_get(object, fields[i].name)))
            continue;
        if (json_is_true(json_object_get(object, with))) continue;
        bough_report_add(reader->json.report, &at, BOUGH_AT_VALUE,
                         "\"%s\" must be an array of strings; a string it can be with "
                         "\"%s\": true",
                         fields[i].name, with);
    }
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
    check_strings(reader, fields, count, object, place);
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

/* A word, which is told by its number; or an object, and then the number stays 0. */
static void take_either(struct bough_options_reader *reader,
                        const struct bough_field *field, const json_t *value,
                        const struct bough_json_place *place, void *member)
{
    const struct bough_field word = { .kind = BOUGH_CHOICE, .choices = field->choices };
    char phrase[256], name[BOUGH_QUOTED];

    take_object(reader, field, json_is_object(value) ? value : NULL, place, member);
    if (value == NULL) return;
    if (json_is_string(value))
        bough_json_plain(reader->json.report, &word, value, place, member);
    else if (!json_is_object(value))
        bough_json_must_be(reader->json.report, place,
                           bough_field_phrase(field, phrase, sizeof(phrase)), value);
    else if (json_object_size(value) == 0)
        bough_report_add(reader->json.report, place, BOUGH_AT_VALUE,
                         "%s must be %s, and not empty", bough_place_name(place, name),
                         bough_field_phrase(field, phrase, sizeof(phrase)));
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
    } else if (field->kind == BOUGH_EITHER) {
        take_either(reader, field, value, place, member);
    } else if (value == NULL) {
        take_fallback(field, member);
    } else if (bough_kind_is_plain(field->kind)) {
        bough_json_plain(reader->json.report, field, value, place, member);
    } else if (field->kind == BOUGH_STRINGS) {
        take_strings(reader, field, value, place, member);
    } else if (field->kind == BOUGH_MAP) {
        take_map(reader, field, value, place, member);
    } else if (field->kind == BOUGH_PATH) {
        take_path(reader, field, value, place, member);
    } else if (field->kind == BOUGH_FILE) {
        take_file(reader, field, value, place, member);
    } else {
        bough_assert(field->kind == BOUGH_STRING);
        string = take_string(reader, field, value, place);
        memcpy(member, &string, sizeof(string));
    }
}

/* Reports at the option that `pointer` leads to, as in "/ready/tcp". */
static void report_at(struct bough_report *report, const struct bough_json_place *place,
                      char *pointer, const char *text)
{
    char *next;

    if (pointer[0] != '/') {
        report->add(report, place, BOUGH_AT_VALUE, text);
        return;
    }
    const struct bough_json_place at = { .up = place, .key = pointer + 1 };
    next = pointer + 1 + strcspn(pointer + 1, "/");
    if (*next == '\0') {
        report->add(report, &at, BOUGH_AT_VALUE, text);
        return;
    }
    *next = '\0';
    const struct bough_json_place within = { .up = &at, .key = next + 1 };
    report->add(report, &within, BOUGH_AT_VALUE, text);
}

void bough_json_to_options(struct bough_options_reader *reader,
                           const struct bough_actor_type *type, const json_t *object,
                           const struct bough_json_place *place, void *options)
{
    struct bough_report *report = reader->json.report;
    struct bough_error error = { .text = "" };
    struct bough_relay relay;

    bough_relay_init(&relay, report);
    reader->json.report = &relay.report;
    take_members(reader, "option", type->options, type->option_count, object, place,
                 options);
    reader->json.report = report;
    if (relay.wrong || reader->arena->failed || type->check_options == NULL) return;
    if (type->check_options(options, &error) != BOUGH_OK)
        report_at(report, place, error.pointer, error.text);
}
