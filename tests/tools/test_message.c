/* test_message.c - messages as JSON, those that are none, too.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/field.h>
#include <bough/tests/support/unit.h>
#include <bough/tools/bough/message.h>

struct word {
    uint32_t kind;
    struct bough_span text;
};

static const struct bough_field fields[] = {
    bough_field(struct word, text, "text", BOUGH_TEXT, .help = "It."),
};
static const struct bough_message_type messages[] = {
    { .name = "say", .fields = fields, .field_count = 1, .help = "Says it." },
};
static const struct bough_actor_type type = {
    .name = "speaker",
    .help = "Speaks.",
    .message_size = sizeof(struct word),
    .messages = messages,
    .message_count = 1,
};

static void expect(const void *message, size_t size, const char *expected)
{
    json_t *json = bough_message_json(&type, message, size);
    char *text = json_dumps(json, JSON_COMPACT);

    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void a_message_has_its_name_and_fields(void **state)
{
    const struct word word = { .kind = 0 };
    struct bough_block block;

    (void)state;
    bough_block_init(&block, NULL, 0, &word, sizeof(word));
    bough_block_text(&block, offsetof(struct word, text), "hello");
    expect(block.data, block.size,
           "{\"message\":\"say\",\"fields\":{\"text\":\"hello\"}}");
    bough_block_finish(&block);
}

/* Nobody has looked at it: what it points to need not be there. */
static void one_that_is_not_what_it_says_is_bytes(void **state)
{
    const struct word far = { .kind = 0, .text = { 1 << 20, 1 << 20 } };
    const struct word unknown = { .kind = 7 };

    (void)state;
    json_t *json = bough_message_json(&type, &far, sizeof(far));
    assert_non_null(json_object_get(json, "bytes"));
    assert_null(json_object_get(json, "fields"));
    json_decref(json);
    json = bough_message_json(&type, &unknown, sizeof(unknown));
    assert_non_null(json_object_get(json, "bytes"));
    json_decref(json);
    expect("abc", 3, "{\"bytes\":\"abc\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_its_name_and_fields),
        cmocka_unit_test(one_that_is_not_what_it_says_is_bytes),
    };
    return cmocka_run_group_tests_name("tools/message", tests, NULL, NULL);
}
