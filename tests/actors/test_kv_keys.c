/* test_kv_keys.c - a pass over the keys: each once, whatever happens meanwhile.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_keys_internal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/kv_message_internal.h>
#include <bough/tests/support/unit.h>

enum { KEYS = 4096, UNBOUNDED = 1000000 };

/* A table of keys that are numbers, and how often a pass has met each. */
struct pass {
    struct bough_kv_table *table;
    int64_t now_ms;
    unsigned met[KEYS];
    size_t in_page;
    size_t pages;
};

static int setup_with(void **state, uint64_t (*hash)(const void *, size_t, uint64_t))
{
    struct pass *pass = calloc(1, sizeof(*pass));

    if (pass == NULL) return -1;
    pass->table = bough_kv_table_new(&(struct bough_kv_table_options){ .hash = hash });
    *state = pass;
    return pass->table ? 0 : -1;
}

static int setup(void **state)
{
    return setup_with(state, NULL);
}

static int teardown(void **state)
{
    struct pass *pass = *state;

    bough_kv_table_free(pass->table);
    free(pass);
    return 0;
}

static void set(struct pass *pass, uint16_t number, int64_t expires_ms)
{
    const struct bough_kv_pair pair = {
        .key = &number,
        .key_len = sizeof(number),
        .value = "",
        .expires_ms = expires_ms,
    };
    bool created;

    assert_status(bough_kv_table_set(pass->table, &pair, pass->now_ms, &created),
                  BOUGH_OK);
}

static void del(struct pass *pass, uint16_t number)
{
    bough_kv_table_del(pass->table, &number, sizeof(number), pass->now_ms);
}

static void set_range(struct pass *pass, uint16_t from, uint16_t to)
{
    for (uint16_t i = from; i < to; i++) {
        set(pass, i, BOUGH_FOREVER);
    }
}

static void meet(void *data, const void *key, size_t key_len)
{
    struct pass *pass = data;
    uint16_t number;

    assert_int_equal(key_len, sizeof(number));
    memcpy(&number, key, sizeof(number));
    assert_in_range(number, 0, KEYS - 1);
    pass->met[number]++;
    pass->in_page++;
}

/* One page from `*position` on; true when it was the last. */
static bool turn(struct pass *pass, struct bough_kv_page_request page, uint64_t *position)
{
    if (page.prefix == NULL) page.prefix = "";
    if (page.max_keys == 0) page.max_keys = UNBOUNDED;
    if (page.max_bytes == 0) page.max_bytes = UNBOUNDED;
    if (page.max_steps == 0) page.max_steps = UNBOUNDED;
    page.visit = meet;
    page.data = pass;
    pass->in_page = 0;
    pass->pages++;
    return bough_kv_table_keys(pass->table, &page, pass->now_ms, position);
}

static void turn_all(struct pass *pass, struct bough_kv_page_request page)
{
    uint64_t position = 0;

    while (!turn(pass, page, &position)) {
        assert_in_range(pass->pages, 1, UNBOUNDED);
    }
}

static void assert_met_once(const struct pass *pass, uint16_t from, uint16_t to)
{
    for (uint16_t i = from; i < to; i++) {
        assert_int_equal(pass->met[i], 1);
    }
}

static void the_pages_hold_every_key_once(void **state)
{
    struct pass *pass = *state;
    const size_t limits[] = { 1, 2, 7, 100, UNBOUNDED };

    set_range(pass, 0, KEYS);
    for (size_t i = 0; i < bough_count_of(limits); i++) {
        memset(pass->met, 0, sizeof(pass->met));
        turn_all(pass, (struct bough_kv_page_request){ .max_keys = limits[i] });
        assert_met_once(pass, 0, KEYS);
    }
}

static void an_empty_table_has_one_empty_page(void **state)
{
    struct pass *pass = *state;
    uint64_t position = 0;

    assert_true(turn(pass, (struct bough_kv_page_request){ .max_keys = 1 }, &position));
    assert_int_equal(pass->in_page, 0);
}

static void a_page_holds_no_more_keys_than_asked_for(void **state)
{
    struct pass *pass = *state;
    uint64_t position = 0;

    set_range(pass, 0, KEYS);
    while (!turn(pass, (struct bough_kv_page_request){ .max_keys = 10 }, &position)) {
        assert_int_equal(pass->in_page, 10);
    }
}

static void a_page_ends_with_the_key_that_reaches_its_bytes(void **state)
{
    struct pass *pass = *state;
    uint64_t position = 0;

    set_range(pass, 0, KEYS);
    while (!turn(pass, (struct bough_kv_page_request){ .max_bytes = 9 }, &position)) {
        assert_int_equal(pass->in_page, 5);
    }
}

static void the_steps_of_a_page_are_bounded(void **state)
{
    struct pass *pass = *state;

    set_range(pass, 0, KEYS);
    /* Nothing begins so: it is the looking that ends each page. */
    turn_all(pass, (struct bough_kv_page_request){
                       .prefix = "none", .prefix_len = 4, .max_steps = 64 });
    /* A step for each key, and for each of the table's pages, of some 40 keys; the last
     * one is met again. */
    assert_in_range(pass->pages, KEYS / 64, KEYS / 64 + KEYS / 40 / 20 + 2);
}

static void only_keys_with_the_prefix_come(void **state)
{
    struct pass *pass = *state;
    const uint8_t low_byte = 0x2a;

    set_range(pass, 0, KEYS);
    turn_all(pass, (struct bough_kv_page_request){
                       .prefix = &low_byte, .prefix_len = 1, .max_keys = 3 });
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t first;
        memcpy(&first, &(uint16_t){ (uint16_t)i }, 1);
        assert_int_equal(pass->met[i], first == low_byte);
    }
}

static void expired_keys_do_not_come(void **state)
{
    struct pass *pass = *state;

    set_range(pass, 0, 100);
    for (uint16_t i = 100; i < 200; i++) {
        set(pass, i, 1000);
    }
    pass->now_ms = 1000;
    turn_all(pass, (struct bough_kv_page_request){ .max_keys = 7 });
    assert_met_once(pass, 0, 100);
    assert_int_equal(pass->met[150], 0);
}

static void keys_that_stay_come_once_while_the_table_grows(void **state)
{
    struct pass *pass = *state;
    uint64_t position = 0;
    uint16_t next = 700;

    set_range(pass, 0, 700);
    while (!turn(pass, (struct bough_kv_page_request){ .max_keys = 2 }, &position)) {
        for (int i = 0; i < 20 && next < KEYS; i++) {
            set(pass, next++, BOUGH_FOREVER);
        }
    }
    assert_int_equal(next, KEYS);
    assert_met_once(pass, 0, 700);
}

static void keys_that_stay_come_once_while_the_table_shrinks(void **state)
{
    struct pass *pass = *state;
    uint64_t position = 0;
    uint16_t next = KEYS;

    set_range(pass, 0, KEYS);
    while (!turn(pass, (struct bough_kv_page_request){ .max_keys = 5 }, &position)) {
        for (int i = 0; i < 100 && next > 100; i++) {
            del(pass, --next);
        }
    }
    assert_int_equal(next, 100);
    assert_met_once(pass, 0, 100);
}

static void no_key_comes_twice_in_a_storm(void **state)
{
    struct pass *pass = *state;
    uint64_t seed = bough_test_seed();

    for (int round = 0; round < 50; round++) {
        uint64_t position = 0;
        memset(pass->met, 0, sizeof(pass->met));
        set_range(pass, 0, 50);
        while (!turn(pass, (struct bough_kv_page_request){ .max_keys = 9 }, &position)) {
            for (int i = 0; i < 40; i++) {
                const uint16_t number =
                    (uint16_t)(50 + bough_test_random(&seed, KEYS - 50));
                bough_test_random(&seed, 50) < (unsigned)round
                    ? set(pass, number, BOUGH_FOREVER)
                    : del(pass, number);
            }
        }
        assert_met_once(pass, 0, 50);
        for (unsigned i = 50; i < KEYS; i++) {
            assert_in_range(pass->met[i], 0, 1);
        }
    }
}

static uint64_t last_hash(const void *key, size_t key_len, uint64_t seed)
{
    (void)key, (void)key_len, (void)seed;
    return UINT64_MAX;
}

static int setup_same_hash(void **state)
{
    return setup_with(state, last_hash);
}

static void keys_of_one_hash_come_in_one_page(void **state)
{
    struct pass *pass = *state;

    set_range(pass, 0, 50);
    turn_all(pass, (struct bough_kv_page_request){ .max_keys = 5 });
    assert_met_once(pass, 0, 50);
}

/* Cursors and blocks */

static void a_cursor_reads_back(void **state)
{
    const uint64_t positions[] = { 1, UINT64_C(0x0123456789abcdef), UINT64_MAX };
    char cursor[BOUGH_KV_CURSOR_SIZE];
    uint64_t position;

    (void)state;
    for (size_t i = 0; i < bough_count_of(positions); i++) {
        bough_kv_cursor_print(positions[i], 0xfeedu, cursor);
        assert_true(bough_kv_cursor_parse(cursor, 0xfeedu, &position));
        assert_true(position == positions[i]);
    }
    assert_true(bough_kv_cursor_parse("", 0xfeedu, &position));
    assert_true(position == 0);
}

static void a_cursor_of_another_life_is_none(void **state)
{
    char cursor[BOUGH_KV_CURSOR_SIZE];
    uint64_t position = 7;

    (void)state;
    bough_kv_cursor_print(1, 1, cursor);
    assert_false(bough_kv_cursor_parse(cursor, 2, &position));
    assert_true(position == 7);
}

static void what_is_no_cursor_is_told_apart(void **state)
{
    const char *const bad[] = {
        "0",
        "x",
        "00000000000000010000000",
        "0000000000000001000000011",
        "000000000000000A00000001",
        "0x0000000000000100000001",
        " 00000000000000100000001",
        "-00000000000000100000001",
        "00000000000000g100000001",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    uint64_t position;

    (void)state;
    assert_true(bough_kv_cursor_parse("000000000000000100000001", 1, &position));
    for (size_t i = 0; i < bough_count_of(bad); i++) {
        assert_false(bough_kv_cursor_parse(bad[i], 1, &position));
    }
}

static void a_page_is_a_valid_block(void **state)
{
    struct pass *pass = *state;
    const struct bough_message_type *type = &bough_kv_messages[BOUGH_KV_KEYS];
    const struct bough_kv_keys_reply fixed = { .keys = { 0 } };
    struct bough_kv_keys_request request = { .prefix = { "", 0 },
                                             .limit = 30,
                                             .mark = 9 };
    struct bough_block block;

    set_range(pass, 0, 40);
    bough_block_init(&block, NULL, 0, &fixed, sizeof(fixed));
    bough_kv_keys_page(pass->table, &request, &block);
    assert_status(block.status, BOUGH_OK);
    assert_true(bough_block_valid(type->reply, type->reply_count, block.data,
                                  type->reply_size, block.size));
    const struct bough_kv_keys_reply *reply = bough_block_at(&block, 0);
    assert_int_equal(reply->keys.len, 30);
    assert_true(bough_kv_cursor_parse(bough_span_text(reply, reply->cursor), 9,
                                      &request.position));
    assert_true(request.position > 0);
    bough_block_finish(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_pages_hold_every_key_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_table_has_one_empty_page, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_page_holds_no_more_keys_than_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_page_ends_with_the_key_that_reaches_its_bytes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_steps_of_a_page_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(only_keys_with_the_prefix_come, setup, teardown),
        cmocka_unit_test_setup_teardown(expired_keys_do_not_come, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_that_stay_come_once_while_the_table_grows,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(keys_that_stay_come_once_while_the_table_shrinks,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(no_key_comes_twice_in_a_storm, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_of_one_hash_come_in_one_page,
                                        setup_same_hash, teardown),
        cmocka_unit_test(a_cursor_reads_back),
        cmocka_unit_test(a_cursor_of_another_life_is_none),
        cmocka_unit_test(what_is_no_cursor_is_told_apart),
        cmocka_unit_test_setup_teardown(a_page_is_a_valid_block, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
