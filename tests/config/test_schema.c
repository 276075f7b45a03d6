/* test_schema.c - the schema says what the check does.
 *
 * A small validator for the words that our schema uses holds the examples and the broken
 * files against it: what is right is allowed, and what is broken is refused, but for what
 * a schema cannot say.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/schema.h>

#include <glob.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/scan_internal.h>
#include <bough/core/text.h>
#include <bough/tests/config/load.h>

/* The validator */

struct schema {
    const json_t *root;
};

static bool allows(const struct schema *schema, const json_t *rule, const json_t *value);

static bool is_of_type(const json_t *value, const char *type)
{
    if (strcmp(type, "object") == 0) return json_is_object(value);
    if (strcmp(type, "array") == 0) return json_is_array(value);
    if (strcmp(type, "string") == 0) return json_is_string(value);
    if (strcmp(type, "boolean") == 0) return json_is_boolean(value);
    if (strcmp(type, "number") == 0) return json_is_number(value);
    if (strcmp(type, "integer") != 0) fail_msg("unknown type %s", type);
    return json_is_integer(value);
}

static bool check_type(const struct schema *schema, const json_t *type,
                       const json_t *value)
{
    size_t i;
    const json_t *one;

    (void)schema;
    if (json_is_string(type)) return is_of_type(value, json_string_value(type));
    json_array_foreach (type, i, one)
        if (is_of_type(value, json_string_value(one))) return true;
    return false;
}

static bool check_reference(const struct schema *schema, const json_t *pointer,
                            const json_t *value)
{
    const char *name = json_string_value(pointer);

    assert_int_equal(strncmp(name, "#/$defs/", 8), 0);
    return allows(
        schema, json_object_get(json_object_get(schema->root, "$defs"), name + 8), value);
}

static bool check_pattern(const struct schema *schema, const json_t *pattern,
                          const json_t *value)
{
    regex_t expression;
    bool matches;

    (void)schema;
    if (!json_is_string(value)) return true;
    assert_int_equal(
        regcomp(&expression, json_string_value(pattern), REG_EXTENDED | REG_NOSUB), 0);
    matches = regexec(&expression, json_string_value(value), 0, NULL, 0) == 0;
    regfree(&expression);
    return matches;
}

static size_t how_many_allow(const struct schema *schema, const json_t *rules,
                             const json_t *value)
{
    size_t i, count = 0;
    const json_t *rule;

    json_array_foreach (rules, i, rule)
        count += allows(schema, rule, value);
    return count;
}

static bool check_one_of(const struct schema *schema, const json_t *rules,
                         const json_t *value)
{
    return how_many_allow(schema, rules, value) == 1;
}

static bool check_any_of(const struct schema *schema, const json_t *rules,
                         const json_t *value)
{
    return how_many_allow(schema, rules, value) > 0;
}

static bool check_not(const struct schema *schema, const json_t *rule,
                      const json_t *value)
{
    return !allows(schema, rule, value);
}

static bool check_enum(const struct schema *schema, const json_t *values,
                       const json_t *value)
{
    size_t i;
    const json_t *one;

    (void)schema;
    json_array_foreach (values, i, one)
        if (json_equal(one, value)) return true;
    return false;
}

static bool check_const(const struct schema *schema, const json_t *one,
                        const json_t *value)
{
    (void)schema;
    return json_equal(one, value);
}

static bool check_items(const struct schema *schema, const json_t *rule,
                        const json_t *value)
{
    size_t i;
    const json_t *item;

    if (!json_is_array(value)) return true;
    json_array_foreach (value, i, item)
        if (!allows(schema, rule, item)) return false;
    return true;
}

static bool check_properties(const struct schema *schema, const json_t *rules,
                             const json_t *value)
{
    const char *key;
    json_t *rule;

    json_object_foreach ((json_t *)(uintptr_t)rules, key, rule) {
        const json_t *member = json_object_get(value, key);

        if (member != NULL && !allows(schema, rule, member)) return false;
    }
    return true;
}

static bool check_required(const struct schema *schema, const json_t *names,
                           const json_t *value)
{
    size_t i;
    const json_t *name;

    (void)schema;
    if (!json_is_object(value)) return true;
    json_array_foreach (names, i, name)
        if (json_object_get(value, json_string_value(name)) == NULL) return false;
    return true;
}

static bool check_minimum(const struct schema *schema, const json_t *limit,
                          const json_t *value)
{
    (void)schema;
    return !json_is_number(value) || json_number_value(value) >= json_number_value(limit);
}

static bool check_maximum(const struct schema *schema, const json_t *limit,
                          const json_t *value)
{
    (void)schema;
    return !json_is_number(value) || json_number_value(value) <= json_number_value(limit);
}

static bool check_min_items(const struct schema *schema, const json_t *limit,
                            const json_t *value)
{
    (void)schema;
    return !json_is_array(value) ||
           json_array_size(value) >= (size_t)json_integer_value(limit);
}

static bool check_max_items(const struct schema *schema, const json_t *limit,
                            const json_t *value)
{
    (void)schema;
    return !json_is_array(value) ||
           json_array_size(value) <= (size_t)json_integer_value(limit);
}

static bool check_min_length(const struct schema *schema, const json_t *limit,
                             const json_t *value)
{
    (void)schema;
    return !json_is_string(value) ||
           json_string_length(value) >= (size_t)json_integer_value(limit);
}

static bool check_min_properties(const struct schema *schema, const json_t *limit,
                                 const json_t *value)
{
    (void)schema;
    return !json_is_object(value) ||
           json_object_size(value) >= (size_t)json_integer_value(limit);
}

/* Of an object that has no named ones; for `false` see only_known_properties(). */
static bool check_additional(const struct schema *schema, const json_t *rule,
                             const json_t *value)
{
    const char *key;
    json_t *member;

    if (!json_is_object(rule)) return true;
    json_object_foreach ((json_t *)(uintptr_t)value, key, member)
        if (!allows(schema, rule, member)) return false;
    return true;
}

/* What is read by another word, or says nothing. */
static bool check_nothing(const struct schema *schema, const json_t *rule,
                          const json_t *value)
{
    (void)schema;
    (void)rule;
    (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*check)(const struct schema *schema, const json_t *rule, const json_t *value);
} rules_by_name[] = {
    { "type", check_type },
    { "$ref", check_reference },
    { "pattern", check_pattern },
    { "oneOf", check_one_of },
    { "anyOf", check_any_of },
    { "not", check_not },
    { "enum", check_enum },
    { "const", check_const },
    { "items", check_items },
    { "properties", check_properties },
    { "required", check_required },
    { "minimum", check_minimum },
    { "maximum", check_maximum },
    { "minItems", check_min_items },
    { "maxItems", check_max_items },
    { "additionalProperties", check_additional },
    { "minLength", check_min_length },
    { "minProperties", check_min_properties },
    { "description", check_nothing },
    { "default", check_nothing },
    { "title", check_nothing },
    { "$schema", check_nothing },
    { "$defs", check_nothing },
};

static bool only_known_properties(const json_t *rule, const json_t *value)
{
    const char *key;
    json_t *member;

    if (!json_is_false(json_object_get(rule, "additionalProperties"))) return true;
    json_object_foreach ((json_t *)(uintptr_t)value, key, member)
        if (json_object_get(json_object_get(rule, "properties"), key) == NULL)
            return false;
    return true;
}

static bool allows(const struct schema *schema, const json_t *rule, const json_t *value)
{
    const char *name;
    json_t *part;

    assert_true(json_is_object(rule));
    json_object_foreach ((json_t *)(uintptr_t)rule, name, part) {
        size_t i = 0;

        while (i < bough_count_of(rules_by_name) &&
               strcmp(rules_by_name[i].name, name) != 0)
            i++;
        if (i == bough_count_of(rules_by_name)) fail_msg("the schema says %s", name);
        if (!rules_by_name[i].check(schema, part, value)) return false;
    }
    return only_known_properties(rule, value);
}

/* Reading */

static void source_path(char path[4096], const char *name)
{
    const char *source = getenv("BOUGH_SOURCE");

    snprintf(path, 4096, "%s/%s", source == NULL ? "." : source, name);
}

static char *read_text(const char *path, size_t *len)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t got;

    if (file == NULL) fail_msg("%s cannot be read", path);
    got = getdelim(&text, &size, EOF, file);
    fclose(file);
    *len = got < 0 ? 0 : (size_t)got;
    return text;
}

/* The JSON in a file with comments; NULL when it is not even JSON. */
static json_t *read_json(const char *path)
{
    struct bough_arena arena = { .failed = false };
    struct bough_errors *errors = calloc(1, sizeof(*errors));
    json_t *json = NULL;
    size_t len;
    char *text = read_text(path, &len);

    assert_non_null(errors);
    errors->arena = &arena;
    if (bough_utf8_valid(text, len) && bough_scan(text, len, errors, NULL) &&
        errors->count == 0)
        json = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    free(errors);
    free(text);
    bough_arena_finish(&arena);
    return json;
}

static bool schema_allows(const json_t *value)
{
    json_t *root = bough_config_schema(bough_actor_types);
    const struct schema schema = { .root = root };
    bool allowed = allows(&schema, root, value);

    json_decref(root);
    return allowed;
}

/* Facts */

static void the_stored_schema_is_the_one_of_the_tables(void **state)
{
    char path[4096], *made = bough_config_schema_text(bough_actor_types), *stored;
    size_t len;

    (void)state;
    source_path(path, "config/bough.schema.json");
    stored = read_text(path, &len);
    assert_string_equal(made, stored);
    free(made);
    free(stored);
}

static void check_allowed(const char *files_of)
{
    char pattern[4096];
    glob_t files;

    source_path(pattern, files_of);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        json_t *value = read_json(files.gl_pathv[i]);

        assert_non_null(value);
        if (!schema_allows(value)) fail_msg("%s is refused", files.gl_pathv[i]);
        json_decref(value);
    }
    globfree(&files);
}

static void the_examples_are_allowed(void **state)
{
    (void)state;
    check_allowed("config/examples/*.json");
}

static void what_is_only_warned_of_is_allowed(void **state)
{
    (void)state;
    check_allowed("tests/config/warn/*.json");
}

/* Whether a schema can know what is wrong with the file: not what one place has to do
 * with another, nor how large a duration is. */
static bool can_be_known(const char *name)
{
    static const char *const beyond[] = {
        "command_ready_by_two.json",
        "command_string_without_shell.json",
        "command_with_keys_of_a_process.json",
        "duplicate_name.json",
        "duration_too_fine.json",
        "duration_too_large.json",
        "dynamic_",
        "isolation_of_a_supervisor.json",
        "log_of_",
        "metrics_no_",
        "nul_in_a_string.json",
        "period_for_ever.json",
        "policies_that_never_fit.json",
        "reference_cycle",
        "reference_elsewhere.json",
        "reference_of_another_type.json",
        "reference_to_",
        "significant_",
        "spare_",
    };

    for (size_t i = 0; i < bough_count_of(beyond); i++)
        if (strncmp(name, beyond[i], strlen(beyond[i])) == 0)
            return strcmp(name, "log_of_a_child.json") == 0;
    return true;
}

static void broken_files_are_refused(void **state)
{
    char pattern[4096];
    size_t looked_at = 0;
    glob_t files;

    (void)state;
    source_path(pattern, "tests/config/bad/*.json");
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *name = strrchr(files.gl_pathv[i], '/') + 1;
        json_t *value = read_json(files.gl_pathv[i]);

        if (value == NULL) continue;
        looked_at++;
        if (schema_allows(value) == can_be_known(name))
            fail_msg("%s is %s", name, can_be_known(name) ? "allowed" : "refused");
        json_decref(value);
    }
    assert_true(looked_at > 40);
    globfree(&files);
}

static void every_type_has_its_definition(void **state)
{
    json_t *root = bough_config_schema(bough_actor_types);
    const json_t *definitions = json_object_get(root, "$defs");

    (void)state;
    assert_non_null(json_object_get(definitions, "type_supervisor"));
    for (size_t i = 0; bough_actor_types[i] != NULL; i++) {
        char name[64];

        snprintf(name, sizeof(name), "type_%s", bough_actor_types[i]->name);
        assert_non_null(json_object_get(definitions, name));
    }
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(definitions, "child"), "oneOf")),
        json_object_size(definitions) - 3);
    json_decref(root);
}

/* The schema of one field as text. */
static void check_field(const struct bough_field *field, const char *expected)
{
    json_t *schema = bough_field_schema(field);
    char *text = json_dumps(schema, JSON_COMPACT);

    assert_string_equal(text, expected);
    free(text);
    json_decref(schema);
}

static void every_kind_of_field_has_its_shape(void **state)
{
    static const char *const words[] = { "a", "b", NULL };
    static const struct bough_field item = { .name = NULL, .kind = BOUGH_TEXT };
    static const struct bough_field inner = { .name = "x", .kind = BOUGH_BOOL };

    (void)state;
    check_field(&(struct bough_field){ .kind = BOUGH_BOOL, .optional = true },
                "{\"type\":\"boolean\",\"default\":false}");
    check_field(&(struct bough_field){ .kind = BOUGH_INT64, .min = 1, .max = INT64_MAX },
                "{\"type\":\"integer\",\"minimum\":1}");
    check_field(&(struct bough_field){ .kind = BOUGH_DOUBLE, .min = INT64_MIN, .max = 2 },
                "{\"type\":\"number\",\"maximum\":2}");
    check_field(
        &(struct bough_field){ .kind = BOUGH_CHOICE, .choices = words, .help = "Which." },
        "{\"enum\":[\"a\",\"b\"],\"description\":\"Which.\"}");
    check_field(&(struct bough_field){ .kind = BOUGH_STRING,
                                       .optional = true,
                                       .fallback_text = "x" },
                "{\"type\":\"string\",\"default\":\"x\"}");
    check_field(&(struct bough_field){ .kind = BOUGH_BYTES },
                "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":"
                "{\"base64\":{\"type\":\"string\"}},\"required\":[\"base64\"],"
                "\"additionalProperties\":false}]}");
    check_field(&(struct bough_field){ .kind = BOUGH_PAIRS },
                "{\"type\":\"object\",\"additionalProperties\":"
                "{\"type\":[\"string\",\"number\",\"boolean\"]}}");
    check_field(&(struct bough_field){ .kind = BOUGH_LIST, .of = &item, .of_count = 1 },
                "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    check_field(
        &(struct bough_field){ .kind = BOUGH_OBJECT, .of = &inner, .of_count = 1 },
        "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"boolean\"}},"
        "\"required\":[\"x\"],\"additionalProperties\":false}");
    check_field(&(struct bough_field){ .kind = BOUGH_DURATION,
                                       .optional = true,
                                       .fallback = 200 },
                "{\"type\":\"string\",\"pattern\":"
                "\"^(infinity|[0-9]+([.][0-9]+)?(ms|s|m|h|d))$\",\"default\":\"200ms\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stored_schema_is_the_one_of_the_tables),
        cmocka_unit_test(the_examples_are_allowed),
        cmocka_unit_test(what_is_only_warned_of_is_allowed),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(every_type_has_its_definition),
        cmocka_unit_test(every_kind_of_field_has_its_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
