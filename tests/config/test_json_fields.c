/* test_json_fields.c - messages and replies become JSON and come back.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_fields.h>

#include <math.h>
#include <stdalign.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/tests/support/unit.h>

static const struct bough_json_types types = { .all = bough_actor_types };

static const char *const moods[] = { "calm", "merry", NULL };

struct guest {
    struct bough_span name;
    int64_t age;
};

static const struct bough_field guest_fields[] = {
    bough_field(struct guest, name, "name", BOUGH_TEXT),
    bough_field(struct guest, age, "age", BOUGH_INT64, .optional = true, .fallback = 30),
};

struct word {
    struct bough_span text;
};

static const struct bough_field word_fields[] = {
    bough_field(struct word, text, NULL, BOUGH_TEXT),
};

struct party {
    uint32_t kind;
    bool loud;
    int mood;
    int64_t rooms, length_ms, room;
    double budget;
    struct bough_span title, cake, notes, guests, words;
};

static const struct bough_field party_fields[] = {
    bough_field(struct party, title, "title", BOUGH_TEXT),
    bough_field(struct party, loud, "loud", BOUGH_BOOL, .optional = true, .fallback = 1),
    bough_field(struct party, mood, "mood", BOUGH_CHOICE, .choices = moods,
                .optional = true, .fallback = 1),
    bough_field(struct party, rooms, "rooms", BOUGH_INT64, .optional = true,
                .fallback = 2, .min = 1, .max = 9),
    bough_field(struct party, length_ms, "length", BOUGH_DURATION, .optional = true,
                .fallback = BOUGH_FOREVER),
    bough_field(struct party, room, "room", BOUGH_SIZE, .optional = true),
    bough_field(struct party, budget, "budget", BOUGH_DOUBLE, .optional = true),
    bough_field(struct party, cake, "cake", BOUGH_BYTES, .optional = true),
    bough_field(struct party, notes, "notes", BOUGH_PAIRS, .optional = true),
    bough_field(struct party, guests, "guests", BOUGH_LIST, .optional = true,
                .of = guest_fields, .of_count = 2, .of_size = sizeof(struct guest)),
    bough_field(struct party, words, "words", BOUGH_LIST, .optional = true,
                .of = word_fields, .of_count = 1, .of_size = sizeof(struct word)),
};

static const struct bough_message_type messages[] = {
    { .name = "leave" },
    { .name = "celebrate",
      .fields = party_fields,
      .field_count = bough_count_of(party_fields) },
};

static const struct bough_actor_type host = {
    .name = "host",
    .message_size = sizeof(struct party),
    .messages = messages,
    .message_count = bough_count_of(messages),
};

/* A message of the host from the text of its fields. */
struct made {
    alignas(max_align_t) char buffer[64]; /* small, so that blocks move */
    struct bough_block block;
    const struct bough_message_type *message;
    struct bough_error error;
    enum bough_status status;
};

static void make(struct made *made, const char *name, const char *fields)
{
    json_t *json = fields == NULL
                       ? NULL
                       : json_loads(fields, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

    assert_true(fields == NULL || json != NULL);
    memset(made, 0, sizeof(*made));
    made->status = bough_json_to_message(&types, &host, name, json, made->buffer,
                                         sizeof(made->buffer), &made->block,
                                         &made->message, &made->error);
    json_decref(json);
}

static const struct party *party_of(struct made *made)
{
    assert_status(made->status, BOUGH_OK);
    assert_ptr_equal(made->message, &messages[1]);
    assert_true(bough_block_valid(party_fields, bough_count_of(party_fields),
                                  made->block.data, sizeof(struct party),
                                  made->block.size));
    return (const struct party *)(const void *)made->block.data;
}

/* Asserts that the fields are refused with that sentence at that pointer. */
static void check_refused(const char *fields, const char *pointer, const char *sentence)
{
    struct made made;

    make(&made, "celebrate", fields);
    assert_status(made.status, BOUGH_EINVALID);
    assert_status(made.error.status, BOUGH_EINVALID);
    assert_string_equal(made.error.text, sentence);
    assert_string_equal(made.error.pointer, pointer);
}

/* JSON to block */

static void what_is_not_given_is_the_fallback(void **state)
{
    struct made made;
    const struct party *party;

    (void)state;
    make(&made, "celebrate", "{\"title\": \"tea\"}");
    party = party_of(&made);
    assert_int_equal(party->kind, 1);
    assert_string_equal(bough_span_text(party, party->title), "tea");
    assert_true(party->loud);
    assert_int_equal(party->mood, 1);
    assert_int_equal(party->rooms, 2);
    assert_int_equal(party->length_ms, BOUGH_FOREVER);
    assert_int_equal(party->cake.len, 0);
    assert_int_equal(party->guests.len, 0);
    bough_block_finish(&made.block);
}

static void every_kind_of_field_is_read(void **state)
{
    struct made made;
    const struct party *party;
    const struct guest *guests;

    (void)state;
    make(
        &made, "celebrate",
        "{\"title\": \"t\", \"loud\": false, \"mood\": \"calm\", \"rooms\": 9,"
        " \"length\": \"2h\", \"room\": \"1KiB\", \"budget\": 12, \"cake\": \"a\\u0000b\","
        " \"guests\": [{\"name\": \"Ann\"}, {\"name\": \"Bob\", \"age\": 41}],"
        " \"words\": [\"hip\", \"hooray\"]}");
    party = party_of(&made);
    assert_false(party->loud);
    assert_int_equal(party->mood, 0);
    assert_int_equal(party->rooms, 9);
    assert_int_equal(party->length_ms, 7200000);
    assert_int_equal(party->room, 1024);
    assert_true(party->budget == 12);
    assert_int_equal(party->cake.len, 3);
    assert_memory_equal(bough_span_data(party, party->cake), "a\0b", 3);
    guests = bough_span_data(party, party->guests);
    assert_int_equal(party->guests.len, 2);
    assert_string_equal(bough_span_text(party, guests[0].name), "Ann");
    assert_int_equal(guests[0].age, 30);
    assert_int_equal(guests[1].age, 41);
    bough_block_finish(&made.block);
}

static void bytes_may_come_as_base64(void **state)
{
    struct made made;
    const struct party *party;

    (void)state;
    make(&made, "celebrate", "{\"title\": \"t\", \"cake\": {\"base64\": \"/wD+\"}}");
    party = party_of(&made);
    assert_int_equal(party->cake.len, 3);
    assert_memory_equal(bough_span_data(party, party->cake), "\xff\x00\xfe", 3);
    bough_block_finish(&made.block);
}

static void pairs_are_scalars_as_text(void **state)
{
    static const char expected[] = "a\0x\0b\0"
                                   "7\0c\0"
                                   "0.1\0d\0true";
    struct made made;
    const struct party *party;

    (void)state;
    make(
        &made, "celebrate",
        "{\"title\": \"t\", \"notes\": {\"a\": \"x\", \"b\": 7, \"c\": 0.1, \"d\": true}}");
    party = party_of(&made);
    assert_int_equal(party->notes.len, sizeof(expected));
    assert_memory_equal(bough_span_data(party, party->notes), expected, sizeof(expected));
    bough_block_finish(&made.block);
}

static void each_mistake_has_its_sentence(void **state)
{
    (void)state;
    check_refused("{}", "", "missing field \"title\"; it must be a string");
    check_refused("[]", "", "the fields must be a JSON object");
    check_refused("{\"title\": \"t\", \"mod\": 1}", "/mod",
                  "unknown field \"mod\"; did you mean \"mood\"?");
    check_refused("{\"titel\": \"t\"}", "/titel",
                  "unknown field \"titel\"; did you mean \"title\"?");
    check_refused("{\"title\": 5}", "/title",
                  "\"title\" must be a string, not the number 5");
    check_refused("{\"title\": null}", "/title", "\"title\" must be a string, not null");
    check_refused("{\"title\": \"a\\u0000b\"}", "/title",
                  "\"title\" cannot hold \"\\u0000\"");
    check_refused("{\"title\": \"t\", \"rooms\": 10}", "/rooms",
                  "\"rooms\" must be from 1 to 9, not 10");
    check_refused("{\"title\": \"t\", \"length\": \"2 hrs\"}", "/length",
                  "\"length\": \"2 hrs\" has an unknown unit; did you mean \"2h\"?");
    check_refused("{\"title\": \"t\", \"mood\": \"mery\"}", "/mood",
                  "\"mood\" cannot be \"mery\"; did you mean \"merry\"?");
    check_refused("{\"title\": \"t\", \"cake\": 3}", "/cake",
                  "\"cake\" must be a string or {\"base64\": \"...\"}, not the number 3");
    check_refused("{\"title\": \"t\", \"cake\": {\"base64\": \"?\"}}", "/cake",
                  "\"cake\" is not base64");
    check_refused("{\"title\": \"t\", \"cake\": {\"base64\": \"\", \"x\": 1}}", "/cake",
                  "\"cake\" must be a string or {\"base64\": \"...\"}, not an object");
    check_refused("{\"title\": \"t\", \"notes\": {\"a\": []}}", "/notes/a",
                  "\"a\" must be a string, a number, true or false, not an array");
    check_refused("{\"title\": \"t\", \"notes\": 1}", "/notes",
                  "\"notes\" must be an object, not the number 1");
    check_refused("{\"title\": \"t\", \"guests\": {}}", "/guests",
                  "\"guests\" must be an array, not an object");
    check_refused("{\"title\": \"t\", \"guests\": [7]}", "/guests/0",
                  "item 1 must be an object, not the number 7");
    check_refused("{\"title\": \"t\", \"guests\": [{\"name\": \"a\"}, {}]}", "/guests/1",
                  "missing field \"name\"; it must be a string");
    check_refused("{\"title\": \"t\", \"words\": [\"a\", 1]}", "/words/1",
                  "item 2 must be a string, not the number 1");
}

static void of_several_mistakes_the_first_is_told(void **state)
{
    (void)state;
    check_refused("{\"loud\": 1, \"mood\": 2}", "/loud",
                  "\"loud\" must be true or false, not the number 1");
}

static void an_unknown_message_is_not_found(void **state)
{
    struct made made;

    (void)state;
    make(&made, "celebrat", NULL);
    assert_status(made.status, BOUGH_ENOTFOUND);
    assert_string_equal(made.error.text,
                        "unknown message \"celebrat\"; did you mean \"celebrate\"?");
    make(&made, "dance", NULL);
    assert_string_equal(made.error.text,
                        "unknown message \"dance\"; expected \"leave\" or \"celebrate\"");
    assert_null(made.message);
}

static void a_message_without_fields_needs_none(void **state)
{
    struct made made;

    (void)state;
    make(&made, "leave", NULL);
    assert_status(made.status, BOUGH_OK);
    assert_ptr_equal(made.message, &messages[0]);
    assert_int_equal(made.block.size, sizeof(struct party));
    bough_block_finish(&made.block);
    make(&made, "leave", "{\"why\": \"late\"}");
    assert_status(made.status, BOUGH_EINVALID);
    assert_string_equal(made.error.text, "unknown field \"why\"; there are none");
}

static void an_error_may_be_of_no_interest(void **state)
{
    json_t *json = json_object();
    struct bough_block block;
    struct party party = { .kind = 1 };
    alignas(max_align_t) char buffer[256];

    (void)state;
    bough_block_init(&block, buffer, sizeof(buffer), &party, sizeof(party));
    assert_status(bough_json_to_block(&types, party_fields, bough_count_of(party_fields),
                                      json, &block, NULL),
                  BOUGH_EINVALID);
    bough_block_finish(&block);
    assert_status(bough_json_to_message(&types, &host, "dance", json, buffer,
                                        sizeof(buffer), &block, NULL, NULL),
                  BOUGH_ENOTFOUND);
    json_decref(json);
}

/* Block to JSON */

/* Asserts that fields come back as other text, with its keys in the table's order. */
static void check_round(const char *fields, const char *expected)
{
    struct made made;
    json_t *json;
    char *text;

    make(&made, "celebrate", fields);
    assert_status(made.status, BOUGH_OK);
    json = bough_json_from_block(party_fields, bough_count_of(party_fields),
                                 made.block.data);
    assert_non_null(json);
    text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
    bough_block_finish(&made.block);
}

static void a_block_becomes_json(void **state)
{
    (void)state;
    check_round("{\"title\": \"t\"}",
                "{\"title\":\"t\",\"loud\":true,\"mood\":\"merry\",\"rooms\":2,"
                "\"length\":\"infinity\",\"room\":\"0B\",\"budget\":0.0,\"cake\":\"\","
                "\"notes\":{},\"guests\":[],\"words\":[]}");
    check_round(
        "{\"title\": \"é\", \"cake\": \"a\\u0000b\", \"length\": \"90s\","
        " \"room\": \"3MiB\", \"notes\": {\"k\": \"v\", \"n\": 1},"
        " \"guests\": [{\"name\": \"Ann\", \"age\": -1}], \"words\": [\"\", \"x\"]}",
        "{\"title\":\"é\",\"loud\":true,\"mood\":\"merry\",\"rooms\":2,"
        "\"length\":\"90s\",\"room\":\"3MiB\",\"budget\":0.0,\"cake\":\"a\\u0000b\","
        "\"notes\":{\"k\":\"v\",\"n\":\"1\"},"
        "\"guests\":[{\"name\":\"Ann\",\"age\":-1}],\"words\":[\"\",\"x\"]}");
}

static void bytes_that_are_not_utf8_become_base64(void **state)
{
    json_t *json = bough_json_from_bytes("\xff\x00\xfe", 3);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(json, "base64")), "/wD+");
    assert_int_equal(json_object_size(json), 1);
    json_decref(json);
    json = bough_json_from_bytes("", 0);
    assert_string_equal(json_string_value(json), "");
    json_decref(json);
}

static void a_number_that_json_has_not_is_null(void **state)
{
    static const struct bough_field fields[] = {
        { .name = "x", .kind = BOUGH_DOUBLE, .offset = 0, .size = sizeof(double) },
    };
    double number = NAN;
    json_t *json = bough_json_from_block(fields, 1, &number);

    (void)state;
    assert_true(json_is_null(json_object_get(json, "x")));
    json_decref(json);
}

static void no_fields_are_an_empty_object(void **state)
{
    json_t *json = bough_json_from_block(NULL, 0, "");

    (void)state;
    assert_true(json_is_object(json));
    assert_int_equal(json_object_size(json), 0);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_is_the_fallback),
        cmocka_unit_test(every_kind_of_field_is_read),
        cmocka_unit_test(bytes_may_come_as_base64),
        cmocka_unit_test(pairs_are_scalars_as_text),
        cmocka_unit_test(each_mistake_has_its_sentence),
        cmocka_unit_test(of_several_mistakes_the_first_is_told),
        cmocka_unit_test(an_unknown_message_is_not_found),
        cmocka_unit_test(a_message_without_fields_needs_none),
        cmocka_unit_test(an_error_may_be_of_no_interest),
        cmocka_unit_test(a_block_becomes_json),
        cmocka_unit_test(bytes_that_are_not_utf8_become_base64),
        cmocka_unit_test(a_number_that_json_has_not_is_null),
        cmocka_unit_test(no_fields_are_an_empty_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
