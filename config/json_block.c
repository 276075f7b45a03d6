/* json_block.c - messages and replies between JSON and flat blocks.
 *
 * A block moves when it grows, so members are written by their offset from its start, and
 * the offset of the struct that is being filled (the message itself, or an element of a
 * list) is what the walk carries as its target.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_fields.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/base64_internal.h>
#include <bough/config/json_spec_internal.h>
#include <bough/config/json_value_internal.h>
#include <bough/core/assert.h>
#include <bough/core/text.h>

/* JSON to block */

struct writer {
    struct bough_json_reader json;
    struct bough_report report;
    const struct bough_json_types *types;
    struct bough_block *block;
    struct bough_error *error; /* may be NULL */
    bool wrong;                /* something was reported; `error` has the first of it */
};

static void keep_first(struct bough_report *report, const struct bough_json_place *place,
                       enum bough_at at, const char *text)
{
    struct writer *writer = bough_container(report, struct writer, report);

    (void)at;
    if (writer->wrong) return;
    writer->wrong = true;
    bough_error_set(writer->error, BOUGH_EINVALID, "%s", text);
    if (writer->error != NULL)
        bough_pointer_print(place, writer->error->pointer,
                            sizeof(writer->error->pointer));
}

static void write_plain(struct writer *writer, const struct bough_field *field,
                        const json_t *value, const struct bough_json_place *place,
                        size_t offset)
{
    void *member = bough_block_at(writer->block, offset);

    if (member == NULL) return;
    if (value == NULL)
        bough_field_fallback(field, member);
    else
        bough_json_plain(&writer->report, field, value, place, member);
}

static void write_text(struct writer *writer, const struct bough_field *field,
                       const json_t *value, const struct bough_json_place *place,
                       size_t offset)
{
    if (value == NULL && field->fallback_text != NULL)
        bough_block_text(writer->block, offset, field->fallback_text);
    else if (value != NULL && bough_json_text(&writer->report, field, value, place))
        bough_block_bytes(writer->block, offset, json_string_value(value),
                          json_string_length(value));
}

/* {"base64": "..."}, and nothing else in it. */
static void write_base64(struct writer *writer, const struct bough_field *field,
                         const json_t *value, const struct bough_json_place *place,
                         size_t offset)
{
    const json_t *text = json_object_get(value, "base64");
    char name[BOUGH_QUOTED];
    size_t len;
    char *bytes;

    if (!json_is_string(text) || json_object_size(value) != 1) {
        bough_json_must_be(&writer->report, place, bough_field_phrase(field, NULL, 0),
                           value);
        return;
    }
    bytes = malloc(json_string_length(text) + 1);
    if (bytes == NULL)
        writer->block->status = BOUGH_ENOMEM;
    else if (bough_base64_decode(json_string_value(text), json_string_length(text), bytes,
                                 &len))
        bough_block_bytes(writer->block, offset, bytes, len);
    else
        bough_report_add(&writer->report, place, BOUGH_AT_VALUE, "%s is not base64",
                         bough_place_name(place, name));
    free(bytes);
}

static void write_bytes(struct writer *writer, const struct bough_field *field,
                        const json_t *value, const struct bough_json_place *place,
                        size_t offset)
{
    if (json_is_string(value))
        bough_block_bytes(writer->block, offset, json_string_value(value),
                          json_string_length(value));
    else if (json_is_object(value))
        write_base64(writer, field, value, place, offset);
    else if (value != NULL)
        bough_json_must_be(&writer->report, place, bough_field_phrase(field, NULL, 0),
                           value);
}

/* A scalar as text; the caller frees it. NULL after a report, or when memory is out. */
static char *scalar_text(struct writer *writer, const json_t *value,
                         const struct bough_json_place *place)
{
    static const struct bough_field text = { .kind = BOUGH_TEXT };
    char *copy = NULL;

    if (json_is_string(value)) {
        if (!bough_json_text(&writer->report, &text, value, place)) return NULL;
        copy = strdup(json_string_value(value));
    } else if (json_is_number(value) || json_is_boolean(value)) {
        copy = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    } else {
        bough_json_must_be(&writer->report, place, "a string, a number, true or false",
                           value);
        return NULL;
    }
    if (copy == NULL) writer->block->status = BOUGH_ENOMEM;
    return copy;
}

/* Appends name NUL text NUL to `*pairs`, which grows. */
static bool pairs_append(char **pairs, size_t *len, const char *name, const char *text)
{
    size_t name_size = strlen(name) + 1, text_size = strlen(text) + 1;
    char *longer = realloc(*pairs, *len + name_size + text_size);

    if (longer == NULL) return false;
    memcpy(longer + *len, name, name_size);
    memcpy(longer + *len + name_size, text, text_size);
    *pairs = longer;
    *len += name_size + text_size;
    return true;
}

static void write_pairs(struct writer *writer, const struct bough_field *field,
                        const json_t *value, const struct bough_json_place *place,
                        size_t offset)
{
    char *pairs = NULL;
    size_t len = 0;
    const char *key;
    json_t *scalar;

    if (value == NULL) return;
    if (!json_is_object(value)) {
        bough_json_must_be(&writer->report, place, bough_field_phrase(field, NULL, 0),
                           value);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)value, key, scalar) {
        const struct bough_json_place at = { .up = place, .key = key };
        char *text = scalar_text(writer, scalar, &at);

        if (text != NULL && !pairs_append(&pairs, &len, key, text))
            writer->block->status = BOUGH_ENOMEM;
        free(text);
    }
    if (len > 0) bough_block_bytes(writer->block, offset, pairs, len);
    free(pairs);
}

static void write_list(struct writer *writer, const struct bough_field *field,
                       const json_t *value, const struct bough_json_place *place,
                       size_t offset)
{
    size_t count = json_array_size(value), first;

    if (value == NULL) return;
    if (!json_is_array(value)) {
        bough_json_must_be(&writer->report, place, bough_field_phrase(field, NULL, 0),
                           value);
        return;
    }
    first = bough_block_list(writer->block, offset, count, field->of_size);
    for (size_t i = 0; i < count && writer->block->status == BOUGH_OK; i++) {
        const struct bough_json_place at = { .up = place, .index = i };
        const json_t *item = json_array_get(value, i);
        size_t target = first + i * field->of_size;

        if (field->of_count == 1 && field->of[0].name == NULL)
            writer->json.take(&writer->json, &field->of[0], item, &at, &target);
        else if (json_is_object(item))
            bough_json_members(&writer->json, field->of, field->of_count, item, &at,
                               &target);
        else
            bough_json_must_be(&writer->report, &at, "an object", item);
    }
}

/* What only a supervisor's messages hold. */
static void write_spec(struct writer *writer, const struct bough_field *field,
                       const json_t *value, const struct bough_json_place *place,
                       size_t offset)
{
    if (value == NULL) return;
    if (field->kind == BOUGH_SPEC)
        bough_json_to_spec(&writer->report, writer->types->all, value, place,
                           writer->block, offset);
    else
        bough_json_to_packed_options(&writer->report, writer->types->options_of, value,
                                     place, writer->block, offset);
}

static void write_member(struct bough_json_reader *json, const struct bough_field *field,
                         const json_t *value, const struct bough_json_place *place,
                         void *target)
{
    struct writer *writer = bough_container(json, struct writer, json);
    size_t offset = *(const size_t *)target + field->offset;

    if (bough_kind_is_plain(field->kind)) {
        write_plain(writer, field, value, place, offset);
    } else if (field->kind == BOUGH_TEXT) {
        write_text(writer, field, value, place, offset);
    } else if (field->kind == BOUGH_BYTES) {
        write_bytes(writer, field, value, place, offset);
    } else if (field->kind == BOUGH_PAIRS) {
        write_pairs(writer, field, value, place, offset);
    } else if (field->kind == BOUGH_SPEC || field->kind == BOUGH_OPTIONS) {
        write_spec(writer, field, value, place, offset);
    } else {
        bough_assert(field->kind == BOUGH_LIST);
        write_list(writer, field, value, place, offset);
    }
}

enum bough_status bough_json_to_block(const struct bough_json_types *types,
                                      const struct bough_field *fields, size_t count,
                                      const json_t *json, struct bough_block *block,
                                      struct bough_error *error)
{
    const struct bough_json_place root = { .up = NULL };
    struct writer writer = {
        .json = { .report = &writer.report, .noun = "field", .take = write_member },
        .report = { .add = keep_first },
        .types = types,
        .block = block,
        .error = error,
    };
    size_t target = 0;

    if (json != NULL && !json_is_object(json))
        return bough_error_set(error, BOUGH_EINVALID, "the fields must be a JSON object");
    bough_json_members(&writer.json, fields, count, json, &root, &target);
    if (writer.wrong) return BOUGH_EINVALID;
    if (block->status != BOUGH_OK)
        return bough_error_set(error, block->status, "%s",
                               bough_status_text(block->status));
    return BOUGH_OK;
}

/* Messages by name */

static enum bough_status no_such_message(const struct bough_actor_type *type,
                                         const char *name, struct bough_error *error)
{
    const char *names[64];
    struct writer writer = { .report = { .add = keep_first }, .error = error };
    const struct bough_json_place root = { .up = NULL };
    const struct bough_json_place place = { .up = &root, .key = name };
    size_t known = 0;

    for (size_t i = 0; i < type->message_count && known + 1 < bough_count_of(names); i++)
        names[known++] = type->messages[i].name;
    names[known] = NULL;
    bough_json_unknown(&writer.report, &place, "message", names);
    if (error != NULL) {
        error->status = BOUGH_ENOTFOUND;
        error->pointer[0] = '\0';
    }
    return BOUGH_ENOTFOUND;
}

/* Every message begins with its kind; the rest of the fixed part is zero. */
static enum bough_status begin_message(const struct bough_actor_type *type, size_t kind,
                                       void *buffer, size_t buffer_size,
                                       struct bough_block *block,
                                       struct bough_error *error)
{
    uint32_t number = (uint32_t)kind;
    char *fixed = calloc(1, type->message_size);

    bough_assert(type->message_size >= sizeof(number));
    if (fixed == NULL)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory for the message");
    memcpy(fixed, &number, sizeof(number));
    bough_block_init(block, buffer, buffer_size, fixed, type->message_size);
    free(fixed);
    return BOUGH_OK;
}

enum bough_status bough_json_to_message(const struct bough_json_types *types,
                                        const struct bough_actor_type *type,
                                        const char *name, const json_t *json,
                                        void *buffer, size_t buffer_size,
                                        struct bough_block *block,
                                        const struct bough_message_type **message,
                                        struct bough_error *error)
{
    enum bough_status status;
    size_t kind = 0;

    while (kind < type->message_count && strcmp(type->messages[kind].name, name) != 0)
        kind++;
    if (kind == type->message_count) return no_such_message(type, name, error);
    status = begin_message(type, kind, buffer, buffer_size, block, error);
    if (status != BOUGH_OK) return status;

    status = bough_json_to_block(types, type->messages[kind].fields,
                                 type->messages[kind].field_count, json, block, error);
    if (status != BOUGH_OK)
        bough_block_finish(block);
    else if (message != NULL)
        *message = &type->messages[kind];
    return status;
}

/* Block to JSON */

static json_t *from_base64(const void *bytes, size_t len)
{
    size_t size = bough_base64_encoded_size(len);
    char *text = malloc(size + 1);
    json_t *object = NULL;

    if (text != NULL) {
        bough_base64_encode(bytes, len, text);
        object = json_pack("{s:s%}", "base64", text, size);
    }
    free(text);
    return object;
}

json_t *bough_json_from_bytes(const void *bytes, size_t len)
{
    if (bough_utf8_valid(bytes, len)) return json_stringn_nocheck(bytes, len);
    return from_base64(bytes, len);
}

static json_t *from_pairs(const char *pairs, size_t len)
{
    json_t *object = json_object();
    size_t at = 0;

    while (object != NULL && at < len) {
        const char *name = pairs + at;
        const char *text = name + strlen(name) + 1;

        at += strlen(name) + strlen(text) + 2;
        if (json_object_set_new(object, name,
                                bough_json_from_bytes(text, strlen(text))) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *from_member(const struct bough_field *field, const void *block,
                           size_t base);

static json_t *from_struct(const struct bough_field *fields, size_t count,
                           const void *block, size_t base)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < count; i++) {
        json_t *value = from_member(&fields[i], block, base);

        if (json_object_set_new(object, fields[i].name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *from_list(const struct bough_field *field, const void *block,
                         struct bough_span span)
{
    bool bare = field->of_count == 1 && field->of[0].name == NULL;
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < span.len; i++) {
        size_t base = span.offset + i * field->of_size;
        json_t *item = bare ? from_member(&field->of[0], block, base)
                            : from_struct(field->of, field->of_count, block, base);

        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *from_member(const struct bough_field *field, const void *block,
                           size_t base)
{
    const char *member = (const char *)block + base + field->offset;
    struct bough_span span;

    if (bough_kind_is_plain(field->kind)) return bough_json_from_plain(field, member);
    memcpy(&span, member, sizeof(span));
    if (field->kind == BOUGH_LIST) return from_list(field, block, span);
    if (field->kind == BOUGH_PAIRS)
        return from_pairs(bough_span_data(block, span), span.len);
    if (field->kind == BOUGH_SPEC)
        return bough_json_from_spec(bough_span_data(block, span), span.len);
    /* Of which type they are, the block does not say; no reply holds any. */
    if (field->kind == BOUGH_OPTIONS) return json_null();
    bough_assert(field->kind == BOUGH_TEXT || field->kind == BOUGH_BYTES);
    return bough_json_from_bytes(bough_span_data(block, span), span.len);
}

json_t *bough_json_from_block(const struct bough_field *fields, size_t count,
                              const void *block)
{
    return from_struct(fields, count, block, 0);
}
