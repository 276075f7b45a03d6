/* test_oom.c - when memory is out, a config is not loaded, and nothing is lost or wrong.
 *
 * Each allocation in turn fails, jansson's too. Strings of these texts are short: jansson
 * (2.14) does not notice when the lexer's buffer of 16 bytes cannot grow.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/logger.h>
#include <bough/config/json_fields.h>
#include <bough/config/schema.h>
#include <bough/tests/config/load.h>
#include <bough/tests/support/allocator.h>

static const struct bough_json_types types = { .all = bough_actor_types };

/* jansson's memory passes through this program's malloc, so that it may fail, too. */
static void *jansson_malloc(size_t size)
{
    return malloc(size);
}

static int use_our_memory(void **state)
{
    (void)state;
    json_set_alloc_funcs(jansson_malloc, free);
    return 0;
}

/* Fails the first allocation, the second, and so on until none is left to fail. `work`
 * returns whether it succeeded; it must not when an allocation failed. */
static void fail_each(bool (*work)(void *data), void *data)
{
    bool failed = true;
    size_t nth = 1;

    for (; failed; nth++) {
        bool succeeded;

        bough_allocator_fail_at(nth);
        succeeded = work(data);
        failed = bough_allocator_heal();
        assert_int_equal(succeeded, !failed);
        assert_true(nth < 100000);
    }
    assert_true(nth > 3);
}

static bool load_text(void *data)
{
    const char *text = data;
    struct bough_config *config =
        bough_config_parse("test.json", text, strlen(text), bough_actor_types);
    bool loaded = config != NULL;

    bough_config_free(config);
    return loaded;
}

static void a_right_tree_is_loaded_whole_or_not_at_all(void **state)
{
    char text[] =
        "{\"name\": \"x\", \"log\": \"/s/log\", \"children\": [{\"name\": \"s\","
        " \"type\": \"supervisor\", \"children\": [{\"name\": \"log\","
        " \"type\": \"logger\"}, {\"name\": \"w\", \"type\": \"worker\","
        " \"options\": {\"run\": [\"cat\", \"-\"], \"logger\": \"/s/log\"}}]}]}";

    (void)state;
    fail_each(load_text, text);
}

static void errors_are_told_all_or_not_at_all(void **state)
{
    char text[] = "{\"name\": \"x\", \"name\": \"y\", \"log\": \"/lgo\", \"children\": ["
                  " {\"name\": \"log\", \"type\": \"logger\", \"levl\": 1},"
                  " {\"name\": \"log\", \"type\": \"worker\"}, 7]}";

    (void)state;
    fail_each(load_text, text);
}

static bool load_file(void *data)
{
    struct bough_config *config = bough_config_load(data, bough_actor_types);
    bool loaded = config != NULL;

    bough_config_free(config);
    return loaded;
}

static void a_file_is_loaded_or_not(void **state)
{
    static const char text[] = "{\"name\": \"x\", \"children\": []} // the end";
    char path[] = "/tmp/bough-oom-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    fail_each(load_file, path);
    unlink(path);
}

static bool make_schema(void *data)
{
    char *text = bough_config_schema_text(bough_actor_types);
    bool made = text != NULL;

    (void)data;
    free(text);
    return made;
}

static void a_schema_is_made_or_not(void **state)
{
    (void)state;
    fail_each(make_schema, NULL);
}

/* Messages */

struct note {
    uint32_t kind;
    struct bough_span text, blob, pairs, words;
};

struct word {
    struct bough_span text;
};

static const struct bough_field word_fields[] = {
    bough_field(struct word, text, NULL, BOUGH_TEXT),
};

static const struct bough_field note_fields[] = {
    bough_field(struct note, text, "text", BOUGH_TEXT),
    bough_field(struct note, blob, "blob", BOUGH_BYTES),
    bough_field(struct note, pairs, "pairs", BOUGH_PAIRS),
    bough_field(struct note, words, "words", BOUGH_LIST, .of = word_fields, .of_count = 1,
                .of_size = sizeof(struct word)),
};

static const struct bough_message_type messages[] = {
    { .name = "note", .fields = note_fields, .field_count = bough_count_of(note_fields) },
};

static const struct bough_actor_type type = {
    .name = "noter",
    .message_size = sizeof(struct note),
    .messages = messages,
    .message_count = 1,
};

static bool make_message(void *data)
{
    alignas(max_align_t) char buffer[16];
    struct bough_block block;
    struct bough_error error = { .status = BOUGH_OK };
    enum bough_status status = bough_json_to_message(
        &types, &type, "note", data, buffer, sizeof(buffer), &block, NULL, &error);

    if (status == BOUGH_OK) {
        bough_block_finish(&block);
        return true;
    }
    assert_status(status, BOUGH_ENOMEM);
    assert_status(error.status, BOUGH_ENOMEM);
    return false;
}

static json_t *note_json(void)
{
    return json_loads("{\"text\": \"t\", \"blob\": {\"base64\": \"/wD+\"},"
                      " \"pairs\": {\"a\": \"b\", \"c\": 1}, \"words\": [\"x\", \"y\"]}",
                      0, NULL);
}

static void a_message_is_made_or_not(void **state)
{
    json_t *json = note_json();

    (void)state;
    fail_each(make_message, json);
    json_decref(json);
}

static bool make_json(void *data)
{
    json_t *json = bough_json_from_block(note_fields, bough_count_of(note_fields), data);
    bool made = json != NULL;

    json_decref(json);
    return made;
}

static void a_reply_is_made_or_not(void **state)
{
    alignas(max_align_t) char buffer[256];
    struct bough_block block;
    json_t *json = note_json();

    (void)state;
    assert_status(bough_json_to_message(&types, &type, "note", json, buffer,
                                        sizeof(buffer), &block, NULL, NULL),
                  BOUGH_OK);
    fail_each(make_json, block.data);
    bough_block_finish(&block);
    json_decref(json);
}

/* Child specs */

struct order {
    struct bough_span spec, options;
};

static const struct bough_field order_fields[] = {
    bough_field(struct order, spec, "spec", BOUGH_SPEC, .optional = true),
    bough_field(struct order, options, "options", BOUGH_OPTIONS, .optional = true),
};

/* Begins a block and fills it. */
static enum bough_status fill_order(struct bough_block *block, void *buffer, size_t size,
                                    const json_t *json)
{
    const struct bough_json_types known = { .all = bough_actor_types,
                                            .options_of = &bough_logger_type };
    const struct order none = { .spec = { .offset = 0 } };

    bough_block_init(block, buffer, size, &none, sizeof(none));
    return bough_json_to_block(&known, order_fields, bough_count_of(order_fields), json,
                               block, NULL);
}

static bool make_order(void *data)
{
    alignas(max_align_t) char buffer[64];
    struct bough_block block;
    enum bough_status status = fill_order(&block, buffer, sizeof(buffer), data);

    bough_block_finish(&block);
    if (status != BOUGH_OK) assert_status(status, BOUGH_ENOMEM);
    return status == BOUGH_OK;
}

static json_t *order_json(void)
{
    json_t *json = json_loads(
        "{\"options\": {\"file\": \"x.log\"}, \"spec\": {\"name\": \"s\", \"type\": "
        "\"supervisor\", \"limit\": {\"intensity\": 2}, \"children\": [{\"name\": "
        "\"w\", \"type\": \"worker\", \"backoff\": {\"min\": \"1s\"}, \"policies\": "
        "[{\"signal\": \"SEGV\", \"do\": \"stop\"}], \"replicas\": 2, \"options\": "
        "{\"run\": [\"cat\", \"-\"]}}]}}",
        0, NULL);

    assert_non_null(json);
    return json;
}

static void a_spec_is_made_or_not(void **state)
{
    json_t *json = order_json();

    (void)state;
    fail_each(make_order, json);
    json_decref(json);
}

static bool show_order(void *data)
{
    json_t *json =
        bough_json_from_block(order_fields, bough_count_of(order_fields), data);
    bool made = json != NULL;

    json_decref(json);
    return made;
}

static void a_spec_is_shown_or_not(void **state)
{
    alignas(max_align_t) char buffer[2048];
    struct bough_block block;
    json_t *json = order_json();

    (void)state;
    assert_status(fill_order(&block, buffer, sizeof(buffer), json), BOUGH_OK);
    fail_each(show_order, block.data);
    bough_block_finish(&block);
    json_decref(json);
}

/* Of a string longer than 14 bytes jansson (2.14) loses a byte when its buffer cannot
 * grow, and does not say so. There is none here. */
static void a_tree_is_warned_of_or_not_loaded(void **state)
{
    static char text[] =
        "{\"name\": \"t\", \"intensity\": 0,"
        " \"children\": [{\"name\": \"c\", \"type\": \"counter\", \"policies\": ["
        "{\"do\": \"uncounted\"}, {\"code\": 1, \"do\": \"stop\"}]}, {\"name\": \"k\","
        " \"type\": \"kv\", \"replicas\": 2, \"route\": \"hash\", \"route_field\": "
        "\"key\", \"backoff\": {\"min\": \"1h\"}}]}";

    (void)state;
    fail_each(load_text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_tree_is_loaded_whole_or_not_at_all),
        cmocka_unit_test(errors_are_told_all_or_not_at_all),
        cmocka_unit_test(a_file_is_loaded_or_not),
        cmocka_unit_test(a_schema_is_made_or_not),
        cmocka_unit_test(a_message_is_made_or_not),
        cmocka_unit_test(a_reply_is_made_or_not),
        cmocka_unit_test(a_spec_is_made_or_not),
        cmocka_unit_test(a_spec_is_shown_or_not),
        cmocka_unit_test(a_tree_is_warned_of_or_not_loaded),
    };

    return cmocka_run_group_tests(tests, use_our_memory, NULL);
}
