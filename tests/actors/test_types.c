/* test_types.c - every ready-made type describes itself soundly.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/types.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static void assert_fields(const struct bough_field *fields, size_t count)
{
    struct bough_error error = { 0 };

    if (!bough_fields_valid(fields, count, &error)) fail_msg("%s", error.text);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(fields[i].help);
    }
}

static void the_types_are_there_by_name(void **state)
{
    static const char *const names[] = { "command", "counter", "faulty",
                                         "kv",      "logger",  "worker" };

    (void)state;
    for (size_t i = 0; i < bough_count_of(names); i++) {
        assert_non_null(bough_actor_types[i]);
        assert_string_equal(bough_actor_types[i]->name, names[i]);
    }
    assert_null(bough_actor_types[bough_count_of(names)]);
}

static void options_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; bough_actor_types[i]; i++) {
        const struct bough_actor_type *type = bough_actor_types[i];
        assert_fields(type->options, type->option_count);
    }
}

static void options_lie_inside_their_struct(void **state)
{
    (void)state;
    for (size_t i = 0; bough_actor_types[i]; i++) {
        const struct bough_actor_type *type = bough_actor_types[i];
        for (size_t j = 0; j < type->option_count; j++) {
            size_t end = type->options[j].offset + type->options[j].size;
            assert_in_range(end, 1, type->options_size);
        }
    }
}

static void assert_message(const struct bough_actor_type *type,
                           const struct bough_message_type *message)
{
    assert_int_equal(strspn(message->name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                     strlen(message->name));
    assert_non_null(message->help);
    assert_fields(message->fields, message->field_count);
    assert_fields(message->reply, message->reply_count);
    for (size_t i = 0; i < message->field_count; i++) {
        size_t end = message->fields[i].offset + message->fields[i].size;
        assert_in_range(end, sizeof(uint32_t) + 1, type->message_size);
    }
    for (size_t i = 0; i < message->reply_count; i++) {
        size_t end = message->reply[i].offset + message->reply[i].size;
        assert_in_range(end, 1, message->reply_size);
    }
}

static void messages_and_replies_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; bough_actor_types[i]; i++) {
        const struct bough_actor_type *type = bough_actor_types[i];
        assert_true(type->message_count > 0);
        for (size_t j = 0; j < type->message_count; j++) {
            assert_message(type, &type->messages[j]);
        }
    }
}

static void every_type_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; bough_actor_types[i]; i++) {
        const struct bough_actor_type *type = bough_actor_types[i];
        assert_non_null(type->help);
        assert_non_null(type->run);
        assert_true(type->state_size > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_types_are_there_by_name),
        cmocka_unit_test(options_are_sound),
        cmocka_unit_test(options_lie_inside_their_struct),
        cmocka_unit_test(messages_and_replies_are_sound),
        cmocka_unit_test(every_type_says_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
