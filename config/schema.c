/* schema.c - the JSON Schema of a config, from the table of keys and the types' tables.
 *
 * What is found to be wrong with a value is also what the schema says about it, as far as
 * a schema can: references and unique names it cannot say. Memory that is out makes one
 * of the parts NULL, which every function passes on, and then the whole is NULL.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/schema.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/config.h>
#include <bough/config/json_build_internal.h>
#include <bough/config/keys_internal.h>
#include <bough/config/units.h>
#include <bough/supervisor/supervisor.h>

#define DURATION "^(infinity|[0-9]+([.][0-9]+)?(ms|s|m|h|d))$"
#define SIZE "^(infinity|[0-9]+([.][0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB))$"
#define NAME "^[A-Za-z0-9_.-]{1,64}$"
#define PATH "^/([A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64})*)?$"

static json_t *words(const char *const *names)
{
    json_t *array = json_array();

    for (; *names != NULL; names++)
        bough_json_push(&array, json_string(*names));
    return array;
}

/* Fields */

static json_t *object_of(const struct bough_field *fields, size_t count);

static json_t *pattern(const char *expression)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", expression);
}

static json_t *number(const struct bough_field *field)
{
    json_t *schema = json_object();

    bough_json_put(&schema, "type",
                   json_string(field->kind == BOUGH_INT64 ? "integer" : "number"));
    if (field->min == 0 && field->max == 0) return schema;
    if (field->min != INT64_MIN)
        bough_json_put(&schema, "minimum", json_integer(field->min));
    if (field->max != INT64_MAX)
        bough_json_put(&schema, "maximum", json_integer(field->max));
    return schema;
}

static json_t *list_of(const struct bough_field *field)
{
    json_t *items = field->of_count == 1 && field->of[0].name == NULL
                        ? bough_field_schema(&field->of[0])
                        : object_of(field->of, field->of_count);

    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *any_of(json_t *one, json_t *other)
{
    return json_pack("{s:[o, o]}", "anyOf", one, other);
}

static json_t *strings(const struct bough_field *field)
{
    json_t *schema =
        json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");

    if (!field->optional) bough_json_put(&schema, "minItems", json_integer(1));
    if (field->string_with == NULL) return schema;
    return any_of(schema, json_pack("{s:s}", "type", "string"));
}

static json_t *either(const struct bough_field *field)
{
    json_t *object = object_of(field->of, field->of_count);

    bough_json_put(&object, "minProperties", json_integer(1));
    return any_of(json_pack("{s:o}", "enum", words(field->choices)), object);
}

/* The shape alone. */
static json_t *shape(const struct bough_field *field)
{
    switch (field->kind) {
    case BOUGH_BOOL: return json_pack("{s:s}", "type", "boolean");
    case BOUGH_INT64:
    case BOUGH_DOUBLE: return number(field);
    case BOUGH_DURATION: return pattern(DURATION);
    case BOUGH_SIZE: return pattern(SIZE);
    case BOUGH_CHOICE: return json_pack("{s:o}", "enum", words(field->choices));
    case BOUGH_TEXT:
    case BOUGH_STRING: return json_pack("{s:s}", "type", "string");
    case BOUGH_FILE: return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
    case BOUGH_MAP:
        return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties",
                         "type", "string");
    case BOUGH_EITHER: return either(field);
    case BOUGH_BYTES:
        return json_pack("{s:[{s:s}, {s:s, s:{s:{s:s}}, s:[s], s:b}]}", "oneOf", "type",
                         "string", "type", "object", "properties", "base64", "type",
                         "string", "required", "base64", "additionalProperties", 0);
    case BOUGH_PAIRS:
        return json_pack("{s:s, s:{s:[s, s, s]}}", "type", "object",
                         "additionalProperties", "type", "string", "number", "boolean");
    case BOUGH_LIST: return list_of(field);
    case BOUGH_STRINGS: return strings(field);
    case BOUGH_PATH: return pattern(PATH);
    case BOUGH_OBJECT: return object_of(field->of, field->of_count);
    case BOUGH_SPEC:
    case BOUGH_OPTIONS: return json_pack("{s:s}", "type", "object");
    case BOUGH_KIND_COUNT: break;
    }
    return NULL;
}

/* A fallback that is not allowed stands for one that other keys decide. */
static bool has_fallback(const struct bough_field *field)
{
    if (!field->optional) return false;
    if (field->kind == BOUGH_EITHER) return true;
    if (!bough_kind_is_plain(field->kind)) return field->fallback_text != NULL;
    if (field->kind == BOUGH_CHOICE) return field->fallback >= 0;
    if (field->given_zero != 0 && field->fallback == 0) return false;
    return (field->min == 0 && field->max == 0) ||
           (field->fallback >= field->min && field->fallback <= field->max);
}

/* What it is when it is not given; NULL and `*any` false when that is nothing. */
static json_t *fallback(const struct bough_field *field, bool *any)
{
    union {
        bool truth;
        int index;
        int64_t number;
        double real;
    } member = { .number = 0 };

    *any = has_fallback(field);
    if (!*any) return NULL;
    if (field->kind == BOUGH_EITHER) return json_string(field->choices[0]);
    if (!bough_kind_is_plain(field->kind)) return json_string(field->fallback_text);
    bough_field_fallback(field, &member);
    return bough_json_from_plain(field, &member);
}

static void describe(json_t **schema, const struct bough_field *field)
{
    if (field->help != NULL)
        bough_json_put(schema, "description", json_string(field->help));
}

json_t *bough_field_schema(const struct bough_field *field)
{
    json_t *schema = shape(field);
    bool any;
    json_t *value = fallback(field, &any);

    describe(&schema, field);
    if (any) bough_json_put(&schema, "default", value);
    return schema;
}

static json_t *object_of(const struct bough_field *fields, size_t count)
{
    json_t *properties = json_object(), *required = json_array();
    json_t *schema;
    bool any;

    for (size_t i = 0; i < count; i++) {
        bough_json_put(&properties, fields[i].name, bough_field_schema(&fields[i]));
        if (!fields[i].optional) bough_json_push(&required, json_string(fields[i].name));
    }
    schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
    any = json_array_size(required) > 0;
    bough_json_put(&schema, "required", required);
    if (!any) json_object_del(schema, "required");
    bough_json_put(&schema, "additionalProperties", json_false());
    return schema;
}

/* Keys */

/* Who has the keys; `type` NULL for the root. */
struct owner {
    unsigned where;
    const struct bough_actor_type *type;
};

static bool needs_options(const struct owner *owner)
{
    for (size_t i = 0; owner->type != NULL && i < owner->type->option_count; i++)
        if (!owner->type->options[i].optional) return true;
    return false;
}

/* Its default depends on the type, so that it is told in the description. */
static json_t *shutdown_shape(void)
{
    return json_pack("{s:[{s:s}, {s:o}]}", "anyOf", "const", "brutal-kill", "$ref",
                     json_string("#/$defs/duration"));
}

static json_t *key_schema(const struct bough_key *key, const struct owner *owner)
{
    json_t *schema = NULL;

    switch (key->kind) {
    case BOUGH_KEY_FIELD:
    case BOUGH_KEY_POLICIES: return bough_field_schema(&key->field);
    case BOUGH_KEY_NAME: schema = json_pack("{s:s}", "$ref", "#/$defs/name"); break;
    case BOUGH_KEY_TYPE:
        schema = json_pack("{s:s}", "const",
                           owner->type == NULL ? bough_supervisor_type.name
                                               : owner->type->name);
        break;
    case BOUGH_KEY_SHUTDOWN: schema = shutdown_shape(); break;
    case BOUGH_KEY_OPTIONS:
        schema = object_of(owner->type->options, owner->type->option_count);
        break;
    case BOUGH_KEY_CHILDREN:
        schema = json_pack("{s:s, s:{s:s}, s:i}", "type", "array", "items", "$ref",
                           "#/$defs/child", "maxItems", BOUGH_CONFIG_CHILDREN_MAX);
        break;
    }
    describe(&schema, &key->field);
    return schema;
}

static bool is_required(const struct bough_key *key, const struct owner *owner)
{
    if (key->kind == BOUGH_KEY_OPTIONS) return needs_options(owner);
    return (key->required & owner->where) != 0;
}

static json_t *keys_of(const struct owner *owner, const char *description)
{
    json_t *schema = json_object(), *properties = json_object(), *required = json_array();

    for (const struct bough_key *key = bough_keys; key->field.name != NULL; key++) {
        if ((key->where & owner->where) == 0) continue;
        bough_json_put(&properties, key->field.name, key_schema(key, owner));
        if (is_required(key, owner))
            bough_json_push(&required, json_string(key->field.name));
    }
    bough_json_put(&schema, "type", json_string("object"));
    if (description != NULL)
        bough_json_put(&schema, "description", json_string(description));
    bough_json_put(&schema, "properties", properties);
    bough_json_put(&schema, "required", required);
    bough_json_put(&schema, "additionalProperties", json_false());
    return schema;
}

/* The whole */

static void define_type(json_t **definitions, json_t **choices,
                        const struct bough_actor_type *type, unsigned where)
{
    const struct owner owner = { .where = where, .type = type };
    char name[128], reference[160];

    snprintf(name, sizeof(name), "type_%s", type->name);
    snprintf(reference, sizeof(reference), "#/$defs/%s", name);
    bough_json_put(definitions, name, keys_of(&owner, type->help));
    bough_json_push(choices, json_pack("{s:s}", "$ref", reference));
}

static json_t *definitions_of(const struct bough_actor_type *const *types)
{
    json_t *definitions = json_object(), *choices = json_array();

    bough_json_put(&definitions, "name",
                   json_pack("{s:s, s:s, s:{s:[s, s]}}", "type", "string", "pattern",
                             NAME, "not", "enum", ".", ".."));
    bough_json_put(&definitions, "duration", pattern(DURATION));
    define_type(&definitions, &choices, &bough_supervisor_type, BOUGH_IN_SUPERVISOR);
    for (; *types != NULL; types++)
        define_type(&definitions, &choices, *types, BOUGH_IN_WORKER);
    bough_json_put(&definitions, "child", json_pack("{s:o}", "oneOf", choices));
    return definitions;
}

json_t *bough_config_schema(const struct bough_actor_type *const *types)
{
    const struct owner root = { .where = BOUGH_IN_ROOT };
    json_t *schema = json_object(), *keys = keys_of(&root, NULL);

    bough_json_put(&schema, "$schema",
                   json_string("https://json-schema.org/draft/2020-12/schema"));
    bough_json_put(&schema, "title",
                   json_string("A tree of supervised actors, as bough runs it"));
    if (schema != NULL && keys != NULL && json_object_update(schema, keys) != 0) {
        json_decref(schema);
        schema = NULL;
    }
    if (keys == NULL) {
        json_decref(schema);
        schema = NULL;
    }
    json_decref(keys);
    bough_json_put(&schema, "$defs", definitions_of(types));
    return schema;
}

/* Text that grows. Once it has failed, it stays so: jansson (2.14) forgets when a key
 * could not be written. */
struct output {
    char *text;
    size_t len, capacity;
    bool failed;
};

static int output_append(const char *bytes, size_t len, void *data)
{
    struct output *output = data;

    if (output->capacity - output->len <= len && !output->failed) {
        size_t capacity = (output->len + len + 1) * 2;
        char *longer = realloc(output->text, capacity);

        output->failed = longer == NULL;
        if (longer != NULL) output->text = longer;
        if (longer != NULL) output->capacity = capacity;
    }
    if (output->failed) return -1;
    memcpy(output->text + output->len, bytes, len);
    output->len += len;
    output->text[output->len] = '\0';
    return 0;
}

char *bough_config_schema_text(const struct bough_actor_type *const *types)
{
    json_t *schema = bough_config_schema(types);
    struct output output = { .text = NULL };

    if (schema == NULL ||
        json_dump_callback(schema, output_append, &output, JSON_INDENT(2)) != 0)
        output.failed = true;
    else
        (void)output_append("\n", 1, &output);
    json_decref(schema);
    if (!output.failed) return output.text;
    free(output.text);
    return NULL;
}
