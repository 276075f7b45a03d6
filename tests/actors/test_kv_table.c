/* test_kv_table.c - the table against a plain array, its bounds, its pages, its expiry.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_table_internal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tests/support/unit.h>

static struct bough_kv_table *table_with(struct bough_kv_table_options options)
{
    struct bough_kv_table *table = bough_kv_table_new(&options);

    assert_non_null(table);
    return table;
}

static enum bough_status try_set(struct bough_kv_table *table, const char *key,
                                 const char *value, int64_t expires_ms)
{
    bool created;
    const struct bough_kv_pair pair = {
        .key = key,
        .key_len = strlen(key),
        .value = value,
        .value_len = strlen(value),
        .expires_ms = expires_ms,
    };

    return bough_kv_table_set(table, &pair, 0, &created);
}

static void set(struct bough_kv_table *table, const char *key, const char *value,
                int64_t expires_ms)
{
    assert_int_equal(try_set(table, key, value, expires_ms), BOUGH_OK);
}

static int64_t need(const struct bough_kv_table *table, const char *key,
                    const char *value)
{
    return bough_kv_table_need(table, &(struct bough_kv_pair){
                                          .key = key,
                                          .key_len = strlen(key),
                                          .value = value,
                                          .value_len = strlen(value),
                                          .expires_ms = BOUGH_FOREVER,
                                      });
}

/* Keys "0", "1", ... with an empty value. */
static void set_numbered(struct bough_kv_table *table, size_t from, size_t to,
                         int64_t expires_ms)
{
    char key[24];

    for (size_t i = from; i < to; i++) {
        snprintf(key, sizeof(key), "%zu", i);
        set(table, key, "", expires_ms);
    }
}

static void del_numbered(struct bough_kv_table *table, size_t from, size_t to)
{
    char key[24];

    for (size_t i = from; i < to; i++) {
        snprintf(key, sizeof(key), "%zu", i);
        assert_true(bough_kv_table_del(table, key, strlen(key), 0));
    }
}

static bool has(const struct bough_kv_table *table, const char *key, int64_t now_ms)
{
    return bough_kv_table_get(table, key, strlen(key), now_ms, NULL);
}

static void assert_value(const struct bough_kv_table *table, const char *key,
                         const char *expected)
{
    struct bough_kv_value value;

    assert_true(bough_kv_table_get(table, key, strlen(key), 0, &value));
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.data, expected, value.len);
}

static void what_was_set_is_got(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });

    (void)state;
    assert_false(has(table, "a", 0));
    set(table, "a", "one", BOUGH_FOREVER);
    set(table, "", "the empty key", BOUGH_FOREVER);
    set(table, "b", "", BOUGH_FOREVER);
    assert_value(table, "a", "one");
    assert_value(table, "", "the empty key");
    assert_value(table, "b", "");
    assert_int_equal(bough_kv_table_count(table), 3);
    bough_kv_table_free(table);
}

static void setting_again_replaces(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });

    (void)state;
    set(table, "a", "one", 50);
    set(table, "a", "two", BOUGH_FOREVER);
    assert_value(table, "a", "two");
    set(table, "a", "longer", BOUGH_FOREVER);
    assert_value(table, "a", "longer");
    assert_int_equal(bough_kv_table_count(table), 1);
    assert_int_equal(bough_kv_table_expiring(table), 0);
    assert_true(has(table, "a", 60));
    bough_kv_table_free(table);
}

static void set_tells_whether_the_key_is_new(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });
    const struct bough_kv_pair pair = {
        .key = "a", .key_len = 1, .value = "", .value_len = 0, .expires_ms = 10
    };
    bool created;

    (void)state;
    assert_int_equal(bough_kv_table_set(table, &pair, 0, &created), BOUGH_OK);
    assert_true(created);
    assert_int_equal(bough_kv_table_set(table, &pair, 9, &created), BOUGH_OK);
    assert_false(created);
    assert_int_equal(bough_kv_table_set(table, &pair, 10, &created), BOUGH_OK);
    assert_true(created);
    bough_kv_table_free(table);
}

static void an_expired_key_is_not_seen_before_it_is_removed(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });

    (void)state;
    set(table, "a", "one", 1000);
    assert_true(has(table, "a", 999));
    assert_false(has(table, "a", 1000));
    assert_false(bough_kv_table_del(table, "a", 1, 1000));
    assert_int_equal(bough_kv_table_count(table), 0);
    bough_kv_table_free(table);
}

static void expiry_gives_the_memory_back(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });
    const size_t empty = bough_kv_table_memory(table);

    (void)state;
    set_numbered(table, 0, 3000, 500);
    set(table, "stays", "", BOUGH_FOREVER);
    const size_t full = bough_kv_table_memory(table);
    assert_false(bough_kv_table_expire(table, 499, 10000));
    assert_int_equal(bough_kv_table_memory(table), full);
    assert_false(bough_kv_table_expire(table, 500, 10000));
    assert_int_equal(bough_kv_table_count(table), 1);
    assert_int_equal(bough_kv_table_expiring(table), 0);
    assert_true(has(table, "stays", 500));
    assert_true(bough_kv_table_del(table, "stays", 5, 500));
    assert_int_equal(bough_kv_table_memory(table), empty);
    bough_kv_table_free(table);
}

static void a_million_keys_that_expire_together_go_in_bounded_ticks(void **state)
{
    enum { KEYS = 1000 * 1000, BUDGET = 2000 };
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 2 });
    size_t ticks = 1, before = KEYS;

    (void)state;
    set_numbered(table, 0, KEYS, 60 * 1000);
    for (; bough_kv_table_expire(table, 60 * 1000, BUDGET); ticks++) {
        const struct bough_kv_table_shape shape = bough_kv_table_shape(table);
        assert_true(before - bough_kv_table_count(table) <= BUDGET);
        before = bough_kv_table_count(table);
        assert_true(shape.resizes <= KEYS / 8 + ticks * BUDGET);
        assert_false(has(table, "7", 60 * 1000));
    }
    assert_int_equal(bough_kv_table_count(table), 0);
    assert_in_range(ticks, KEYS / BUDGET, 2 * KEYS / BUDGET);
    bough_kv_table_free(table);
}

static void the_worst_set_of_a_growing_table_moves_few_entries(void **state)
{
    enum { KEYS = 1000 * 1000, MOST = 64 };
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 3 });
    uint64_t worst_moves = 0, worst_resizes = 0;

    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        const struct bough_kv_table_shape before = bough_kv_table_shape(table);
        set_numbered(table, i, i + 1, BOUGH_FOREVER);
        const struct bough_kv_table_shape after = bough_kv_table_shape(table);
        if (after.moves - before.moves > worst_moves) {
            worst_moves = after.moves - before.moves;
        }
        if (after.resizes - before.resizes > worst_resizes) {
            worst_resizes = after.resizes - before.resizes;
        }
    }
    assert_in_range(bough_kv_table_shape(table).pages, KEYS / 50, KEYS / 36);
    assert_in_range(worst_moves, 1, MOST);
    assert_int_equal(worst_resizes, 1);
    bough_kv_table_free(table);
}

static void the_worst_removal_of_a_shrinking_table_moves_few_entries(void **state)
{
    enum { KEYS = 200 * 1000, MOST = 64 };
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 3 });
    uint64_t worst = 0;

    (void)state;
    set_numbered(table, 0, KEYS, BOUGH_FOREVER);
    for (size_t i = 0; i < KEYS; i++) {
        const uint64_t before = bough_kv_table_shape(table).moves;
        del_numbered(table, i, i + 1);
        const uint64_t moves = bough_kv_table_shape(table).moves - before;
        if (moves > worst) worst = moves;
    }
    assert_in_range(worst, 1, MOST);
    assert_int_equal(bough_kv_table_shape(table).pages, 1);
    bough_kv_table_free(table);
}

static uint64_t same_hash(const void *key, size_t key_len, uint64_t seed)
{
    (void)key, (void)key_len, (void)seed;
    return UINT64_C(0x123456789abcdef0);
}

static void keys_of_one_hash_work(void **state)
{
    enum { KEYS = 2000 };
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .hash = same_hash });

    (void)state;
    set_numbered(table, 0, KEYS, 100);
    set(table, "42", "the answer", 200);
    assert_value(table, "42", "the answer");
    del_numbered(table, 0, 42);
    assert_true(has(table, "42", 0));
    assert_false(has(table, "41", 0));
    assert_int_equal(bough_kv_table_count(table), KEYS - 42);
    assert_false(bough_kv_table_expire(table, 100, SIZE_MAX));
    assert_int_equal(bough_kv_table_count(table), 1);
    assert_true(has(table, "42", 100));
    bough_kv_table_free(table);
}

/* A key of that length that says nothing but which of its bytes is another. */
static void odd_key(char *key, size_t len, size_t odd)
{
    memset(key, 'a', len);
    if (odd < len) key[odd] = 'b';
}

/* Of one hash, so that nothing but the comparison tells them apart; in their cells, and
 * longer than these are. */
static void keys_that_differ_in_any_one_byte_are_others(void **state)
{
    enum { LONGEST = 44 };
    char key[LONGEST];

    (void)state;
    for (size_t len = 0; len <= LONGEST; len++) {
        struct bough_kv_table *table =
            table_with((struct bough_kv_table_options){ .hash = same_hash });

        for (size_t odd = 0; odd <= len; odd++) {
            const char value = (char)odd;
            bool created = false;

            odd_key(key, len, odd);
            assert_int_equal(
                bough_kv_table_set(
                    table, &(struct bough_kv_pair){ key, len, &value, 1, BOUGH_FOREVER },
                    0, &created),
                BOUGH_OK);
            assert_true(created);
        }
        for (size_t odd = 0; odd <= len; odd++) {
            struct bough_kv_value value;

            odd_key(key, len, odd);
            assert_true(bough_kv_table_get(table, key, len, 0, &value));
            assert_int_equal(value.len, 1);
            assert_int_equal(*(const char *)value.data, (char)odd);
        }
        bough_kv_table_free(table);
    }
}

static void the_seed_decides_where_keys_lie(void **state)
{
    struct bough_kv_table *one = table_with((struct bough_kv_table_options){ .seed = 1 });
    struct bough_kv_table *other =
        table_with((struct bough_kv_table_options){ .seed = 2 });

    (void)state;
    set_numbered(one, 0, 20000, BOUGH_FOREVER);
    set_numbered(other, 0, 20000, BOUGH_FOREVER);
    /* As many keys, the same keys; the pages that were split differ. */
    assert_int_not_equal(bough_kv_table_shape(one).moves,
                         bough_kv_table_shape(other).moves);
    bough_kv_table_free(one);
    bough_kv_table_free(other);
}

/* Memory */

static void a_set_over_the_limit_is_refused_and_changes_nothing(void **state)
{
    enum { LIMIT = 64 * 1024, PAGE = 4096 };
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .max_memory = LIMIT });
    char longer[2 * PAGE] = "", key[24];
    size_t count = 0;

    (void)state;
    do {
        snprintf(key, sizeof(key), "%zu", count++);
    } while (try_set(table, key, "value", BOUGH_FOREVER) == BOUGH_OK);
    const size_t used = bough_kv_table_memory(table);
    assert_in_range(used, LIMIT - PAGE - 100, LIMIT);
    assert_false(has(table, key, 0));
    assert_int_equal(bough_kv_table_count(table), count - 1);
    assert_true(used + (size_t)need(table, key, "value") > LIMIT);
    memset(longer, 'x', sizeof(longer) - 1);
    assert_int_equal(try_set(table, "0", longer, BOUGH_FOREVER), BOUGH_EREFUSED);
    assert_value(table, "0", "value");
    assert_int_equal(bough_kv_table_memory(table), used);
    bough_kv_table_free(table);
}

static void a_full_table_takes_what_is_not_larger(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .max_memory = 64 * 1024 });
    char key[24];
    size_t count = 0;

    (void)state;
    do {
        snprintf(key, sizeof(key), "%zu", count++);
    } while (try_set(table, key, "value", BOUGH_FOREVER) == BOUGH_OK);
    set(table, "0", "VALUE", BOUGH_FOREVER);
    set(table, "1", "", BOUGH_FOREVER);
    assert_true(bough_kv_table_del(table, "2", 1, 0));
    set(table, "3", "value", BOUGH_FOREVER);
    assert_value(table, "0", "VALUE");
    bough_kv_table_free(table);
}

static void a_need_is_what_the_set_then_takes(void **state)
{
    struct bough_kv_table *table =
        table_with((struct bough_kv_table_options){ .seed = 1 });
    const char *const values[] = {
        "some",
        "something that is so long that there is no place for it beside its key",
        "something that is so long that there is no place for it beside the key",
        "something that is so long that it has no place beside its key",
        "thing",
        "",
    };
    size_t memory = bough_kv_table_memory(table);

    (void)state;
    for (size_t i = 0; i < bough_count_of(values); i++) {
        const int64_t needed = need(table, "a", values[i]);
        set(table, "a", values[i], BOUGH_FOREVER);
        assert_int_equal((int64_t)bough_kv_table_memory(table) - (int64_t)memory, needed);
        memory = bough_kv_table_memory(table);
    }
    bough_kv_table_free(table);
}

/* Against a plain array */

enum { MODEL_KEYS = 3000, MODEL_VALUE = 40 };

struct model {
    struct bough_kv_table *table;
    int64_t now_ms;
    struct {
        bool set;
        int64_t expires_ms;
        size_t len;
        char fill;
    } keys[MODEL_KEYS];
};

static bool is_there(const struct model *model, size_t i)
{
    return model->keys[i].set && model->keys[i].expires_ms > model->now_ms;
}

static void model_set(struct model *model, uint64_t *seed, size_t i)
{
    char value[MODEL_VALUE];
    const size_t len = bough_test_random(seed, MODEL_VALUE);
    const char fill = (char)bough_test_random(seed, 256);
    const bool expires = bough_test_random(seed, 2);
    const int64_t expires_ms =
        expires ? model->now_ms + 1 + (int64_t)bough_test_random(seed, 2000)
                : BOUGH_FOREVER;
    bool created;

    memset(value, fill, sizeof(value));
    const struct bough_kv_pair pair = {
        .key = &i,
        .key_len = sizeof(i),
        .value = value,
        .value_len = len,
        .expires_ms = expires_ms,
    };
    assert_int_equal(bough_kv_table_set(model->table, &pair, model->now_ms, &created),
                     BOUGH_OK);
    assert_int_equal(created, !is_there(model, i));
    model->keys[i].set = true;
    model->keys[i].expires_ms = expires_ms;
    model->keys[i].len = len;
    model->keys[i].fill = fill;
}

static void model_get(const struct model *model, size_t i)
{
    struct bough_kv_value value;
    char expected[MODEL_VALUE];

    const bool found =
        bough_kv_table_get(model->table, &i, sizeof(i), model->now_ms, &value);
    assert_int_equal(found, is_there(model, i));
    if (!found) return;
    memset(expected, model->keys[i].fill, sizeof(expected));
    assert_int_equal(value.len, model->keys[i].len);
    assert_memory_equal(value.data, expected, value.len);
    assert_true(value.expires_ms == model->keys[i].expires_ms);
}

static void model_del(struct model *model, size_t i)
{
    assert_int_equal(bough_kv_table_del(model->table, &i, sizeof(i), model->now_ms),
                     is_there(model, i));
    model->keys[i].set = false;
}

static void model_expire(struct model *model)
{
    size_t count = 0;

    assert_false(bough_kv_table_expire(model->table, model->now_ms, SIZE_MAX));
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        count += is_there(model, i);
    }
    assert_int_equal(bough_kv_table_count(model->table), count);
}

static void it_agrees_with_a_plain_array(void **state)
{
    uint64_t seed = bough_test_seed();
    static struct model model;

    (void)state;
    model.table = table_with((struct bough_kv_table_options){ .seed = seed });
    const size_t empty = bough_kv_table_memory(model.table);
    for (int round = 0; round < 400000; round++) {
        const size_t i = bough_test_random(&seed, MODEL_KEYS);
        /* Long phases of mostly setting and of mostly deleting: it grows and shrinks. */
        const bool growing = round / 50000 % 2 == 0;
        switch (bough_test_random(&seed, 8)) {
        case 0:
        case 1:
        case 2: growing ? model_set(&model, &seed, i) : model_del(&model, i); break;
        case 3: growing ? model_del(&model, i) : model_set(&model, &seed, i); break;
        case 4: model.now_ms += (int64_t)bough_test_random(&seed, 3); break;
        case 5: bough_kv_table_expire(model.table, model.now_ms, 3); break;
        default: model_get(&model, i); break;
        }
        if (round % 1000 == 0) model_expire(&model);
    }
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        model_del(&model, i);
    }
    assert_int_equal(bough_kv_table_memory(model.table), empty);
    bough_kv_table_free(model.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_set_is_got),
        cmocka_unit_test(setting_again_replaces),
        cmocka_unit_test(set_tells_whether_the_key_is_new),
        cmocka_unit_test(an_expired_key_is_not_seen_before_it_is_removed),
        cmocka_unit_test(expiry_gives_the_memory_back),
        cmocka_unit_test(a_million_keys_that_expire_together_go_in_bounded_ticks),
        cmocka_unit_test(the_worst_set_of_a_growing_table_moves_few_entries),
        cmocka_unit_test(the_worst_removal_of_a_shrinking_table_moves_few_entries),
        cmocka_unit_test(keys_of_one_hash_work),
        cmocka_unit_test(keys_that_differ_in_any_one_byte_are_others),
        cmocka_unit_test(the_seed_decides_where_keys_lie),
        cmocka_unit_test(a_set_over_the_limit_is_refused_and_changes_nothing),
        cmocka_unit_test(a_full_table_takes_what_is_not_larger),
        cmocka_unit_test(a_need_is_what_the_set_then_takes),
        cmocka_unit_test(it_agrees_with_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
