/* test_kv_memory.c - a kv without memory says so, and is as it was.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv.h>

#include <stdio.h>
#include <string.h>

#include <bough/actors/kv_table_internal.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/fixture.h>

static const struct bough_kv_table_options no_options = { 0 };

/* Does not fit into a cell. */
static const char long_value[] = "a value that is too long for the place beside its key";

static enum bough_status set(struct bough_kv_table *table, const char *key,
                             const char *value)
{
    const struct bough_kv_pair pair = {
        .key = key,
        .key_len = strlen(key),
        .value = value,
        .value_len = strlen(value),
        .expires_ms = BOUGH_FOREVER,
    };
    bool created;

    return bough_kv_table_set(table, &pair, 0, &created);
}

static void assert_value(const struct bough_kv_table *table, const char *key,
                         const char *expected)
{
    struct bough_kv_value value;

    assert_true(bough_kv_table_get(table, key, strlen(key), 0, &value));
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.data, expected, value.len);
}

static void a_table_without_memory_is_none(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 2; nth++) {
        bough_allocator_fail_at(nth);
        assert_null(bough_kv_table_new(&no_options));
        assert_true(bough_allocator_heal());
    }
}

static void a_set_without_memory_changes_nothing(void **state)
{
    struct bough_kv_table *table = bough_kv_table_new(&no_options);

    (void)state;
    assert_status(set(table, "a", "one"), BOUGH_OK);
    const size_t memory = bough_kv_table_memory(table);
    bough_allocator_fail_from(1);
    assert_status(set(table, "a", long_value), BOUGH_ENOMEM);
    assert_status(set(table, "b", long_value), BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
    assert_value(table, "a", "one");
    assert_int_equal(bough_kv_table_count(table), 1);
    assert_int_equal(bough_kv_table_memory(table), memory);
    bough_kv_table_free(table);
}

static void a_short_value_needs_no_memory(void **state)
{
    struct bough_kv_table *table = bough_kv_table_new(&no_options);

    (void)state;
    assert_status(set(table, "a", "one"), BOUGH_OK);
    bough_allocator_fail_from(1);
    assert_status(set(table, "a", "two"), BOUGH_OK);
    assert_false(bough_allocator_heal());
    assert_value(table, "a", "two");
    bough_kv_table_free(table);
}

static enum bough_status set_number(struct bough_kv_table *table, uint32_t number)
{
    const struct bough_kv_pair pair = {
        .key = &number,
        .key_len = sizeof(number),
        .value = "",
        .expires_ms = BOUGH_FOREVER,
    };
    bool created;

    return bough_kv_table_set(table, &pair, 0, &created);
}

static void a_set_is_as_good_as_new_when_memory_is_back(void **state)
{
    struct bough_kv_table *table = bough_kv_table_new(&no_options);
    uint32_t count = 0;

    (void)state;
    for (uint32_t failed = 0; count < 5000; failed++) {
        bough_allocator_fail_from(1 + failed % 2);
        const enum bough_status status = set_number(table, count);
        if (bough_allocator_heal()) {
            const size_t memory = bough_kv_table_memory(table);
            assert_status(set_number(table, count), BOUGH_OK);
            assert_true(bough_kv_table_memory(table) >= memory);
        } else {
            assert_status(status, BOUGH_OK);
        }
        assert_int_equal(bough_kv_table_count(table), ++count);
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bough_kv_table_get(table, &i, sizeof(i), 0, NULL));
    }
    bough_kv_table_free(table);
}

/* So the end of a kv, which releases what was allocated, does not take a step a key. */
static void keys_share_their_allocations(void **state)
{
    enum { KEYS = 100 * 1000 };
    struct bough_kv_table *table = bough_kv_table_new(&no_options);
    char key[24];

    (void)state;
    const size_t before = bough_allocator_count();
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        assert_status(set(table, key, i % 2 ? "short" : long_value), BOUGH_OK);
    }
    assert_in_range(bough_allocator_count() - before, 1, KEYS / 50);
    bough_kv_table_free(table);
}

static void a_spawn_without_memory_leaves_nothing(void **state)
{
    struct bough_test *test = *state;
    enum bough_status status = BOUGH_ENOMEM;
    struct bough_kv kv;
    size_t nth = 0;

    while (status != BOUGH_OK) {
        bough_allocator_fail_at(++nth);
        status = bough_kv_spawn(test->loop, NULL, NULL, &kv, NULL);
        if (bough_allocator_heal()) assert_status(status, BOUGH_ENOMEM);
    }
    assert_true(nth > 3);
    bough_stop(kv.address);
    bough_test_run(test);
}

struct question {
    struct bough_kv_set_ask ask;
    unsigned answers;
    enum bough_status status;
};

static void set_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, ask.call);

    question->answers++;
    question->status = status;
}

static void a_set_is_answered_whichever_memory_is_missing(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv;
    bool failed = true;

    assert_status(bough_kv_spawn(test->loop, NULL, NULL, &kv, NULL), BOUGH_OK);
    for (size_t nth = 1; failed; nth++) {
        static const char value[3000];
        struct question question = { .ask.call.done = set_done };
        bough_allocator_fail_at(nth);
        bough_kv_set(kv, bough_kv_text("a"), (struct bough_kv_bytes){ value, 3000 - nth },
                     1000, &question.ask);
        bough_test_run(test);
        failed = bough_allocator_heal();
        assert_int_equal(question.answers, 1);
        assert_status(question.status, failed ? BOUGH_ENOMEM : BOUGH_OK);
    }
    bough_stop(kv.address);
    bough_test_run(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_without_memory_is_none),
        cmocka_unit_test(a_set_without_memory_changes_nothing),
        cmocka_unit_test(a_short_value_needs_no_memory),
        cmocka_unit_test(a_set_is_as_good_as_new_when_memory_is_back),
        cmocka_unit_test(keys_share_their_allocations),
        cmocka_unit_test_setup_teardown(a_spawn_without_memory_leaves_nothing,
                                        bough_test_setup, bough_test_teardown),
        cmocka_unit_test_setup_teardown(a_set_is_answered_whichever_memory_is_missing,
                                        bough_test_setup, bough_test_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
