/* test_kv.c - a kv, asked through its handle, on the virtual clock.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/tests/actors/ask_kv.h>
#include <bough/tests/support/probe.h>

enum { INTERVAL = 200 }; /* ms: the fallback of expiry_interval */

/* Values */

static void a_value_is_got_as_it_was_set(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    assert_true(set(test, kv, "a", "one", 0));
    assert_value(test, kv, bough_kv_text("a"), bough_kv_text("one"));
    assert_false(set(test, kv, "a", "and another", 0));
    assert_value(test, kv, bough_kv_text("a"), bough_kv_text("and another"));
    end(test, kv);
}

static void keys_and_values_are_any_bytes(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    const struct bough_kv_bytes one = { "a\0b", 3 }, other = { "a\0c", 3 };
    const struct bough_kv_bytes value = { "\0\xff\0\x80", 4 }, nothing = { NULL, 0 };

    assert_status(ask_set(test, kv, one, value, 0).status, BOUGH_OK);
    assert_status(ask_set(test, kv, nothing, nothing, 0).status, BOUGH_OK);
    assert_value(test, kv, one, value);
    assert_value(test, kv, nothing, bough_kv_text(""));
    assert_no_key(test, kv, other, "no key \"a?c\"");
    assert_false(exists(test, kv, "a"));
    end(test, kv);
}

/* An actor that asks for a key, then for its value, and so on, and sets what it has come
 * to. */
struct follower {
    struct bough_kv kv;
    struct bough_kv_get_ask get;
    struct bough_kv_set_ask set;
    int64_t left;
};

static void on_set(struct bough_call *call, enum bough_status status)
{
    (void)call;
    assert_status(status, BOUGH_OK);
}

/* The value is good until this returns, also when it is the key of the same question. */
static void on_got(struct bough_call *call, enum bough_status status)
{
    struct follower *self = bough_container(call, struct follower, get.call);
    const struct bough_kv_bytes value = bough_kv_get_value(&self->get);

    assert_status(status, BOUGH_OK);
    if (--self->left > 0)
        bough_kv_get(self->kv, value, &self->get);
    else
        bough_kv_set(self->kv, bough_kv_text("last"), value, 0, &self->set);
}

static void follow(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct follower *self = probe->data;

    self->get.call.owner = self->set.call.owner = actor;
    self->left = number;
    bough_kv_get(self->kv, bough_kv_text("one"), &self->get);
}

static void a_value_may_be_the_next_key(void **state)
{
    struct bough_test *test = *state;
    struct follower follower = { .kv = plain_kv(test),
                                 .get.call.done = on_got,
                                 .set.call.done = on_set };
    struct bough_probe probe = { .hook = follow, .data = &follower };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    set(test, follower.kv, "one", "a longer one, which lies in another class", 0);
    set(test, follower.kv, "a longer one, which lies in another class", "3", 0);
    set(test, follower.kv, "3", "one", 0);
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 32), BOUGH_OK);
    bough_test_run(test);
    assert_value(test, follower.kv, bough_kv_text("last"), bough_kv_text("3"));
    bough_probe_end(test, address);
    end(test, follower.kv);
}

static void a_big_value_comes_back_whole(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    const size_t len = 20 * 1024 * 1024;
    char *data = malloc(len);

    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)(i * 31 >> 3);
    }
    const struct bough_kv_bytes value = { data, len };
    assert_status(ask_set(test, kv, bough_kv_text("big"), value, 0).status, BOUGH_OK);
    assert_value(test, kv, bough_kv_text("big"), value);
    assert_in_range(size_of(test, kv).memory, len, len + 100 * 1024);
    assert_true(del(test, kv, "big"));
    assert_in_range(size_of(test, kv).memory, 0, 100 * 1024);
    free(data);
    end(test, kv);
}

static void a_value_that_no_message_can_hold_is_too_large(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    const struct bough_kv_bytes value = { calloc(1, BOUGH_BLOCK_MAX), BOUGH_BLOCK_MAX };

    assert_non_null(value.data);
    assert_status(ask_set(test, kv, bough_kv_text("a"), value, 0).status,
                  BOUGH_ETOOLARGE);
    assert_false(exists(test, kv, "a"));
    free((char *)(uintptr_t)value.data);
    end(test, kv);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    static const char key[BOUGH_KV_KEY_MAX + 1];
    const struct bough_kv_bytes value = { "", 0 };

    const struct question fits =
        ask_set(test, kv, (struct bough_kv_bytes){ key, BOUGH_KV_KEY_MAX }, value, 0);
    assert_status(fits.status, BOUGH_OK);
    const struct question longer =
        ask_set(test, kv, (struct bough_kv_bytes){ key, sizeof(key) }, value, 0);
    assert_status(longer.status, BOUGH_ETOOLARGE);
    assert_string_equal(longer.text,
                        "the key has 65537 bytes; at most 65536 are allowed");
    end(test, kv);
}

static void a_key_that_is_not_there_is_named(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    char key[101] = "";

    memset(key, 'k', sizeof(key) - 1);
    assert_no_key(test, kv, bough_kv_text("a"), "no key \"a\"");
    assert_no_key(test, kv, bough_kv_text("\x01 \xff gr\xc3\xbc\xc3\x9f"),
                  "no key \"? ? gr\xc3\xbc\xc3\x9f\"");
    assert_no_key(test, kv, bough_kv_text(key),
                  "no key \"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
                  "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\" (cut)");
    end(test, kv);
}

static void a_deleted_key_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "a", "one", 0);
    assert_true(exists(test, kv, "a"));
    assert_true(del(test, kv, "a"));
    assert_false(del(test, kv, "a"));
    assert_false(exists(test, kv, "a"));
    assert_int_equal(size_of(test, kv).keys, 0);
    end(test, kv);
}

/* Time to live */

static void a_key_is_gone_when_its_time_is_over(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "a", "one", 1000);
    bough_test_advance(test, 999);
    assert_true(exists(test, kv, "a"));
    bough_test_advance(test, 1);
    assert_no_key(test, kv, bough_kv_text("a"), "no key \"a\"");
    assert_false(exists(test, kv, "a"));
    assert_false(del(test, kv, "a"));
    assert_int_equal(ask_keys(test, kv, "", "", 10).count, 0);
    assert_true(set(test, kv, "a", "two", 0));
    end(test, kv);
}

static void memory_comes_back_without_a_read(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    const struct bough_kv_size empty = size_of(test, kv);

    set(test, kv, "a", "a value of some length", 1000);
    assert_true(size_of(test, kv).memory > empty.memory);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 1);
    bough_test_advance(test, 1000 + INTERVAL);
    /* Nobody asked, and there is nothing left that could expire. */
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    assert_int_equal(size_of(test, kv).memory, empty.memory);
    end(test, kv);
}

static void a_kv_without_expiring_keys_has_no_timer(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "a", "one", 0);
    set(test, kv, "b", "two", BOUGH_FOREVER);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    bough_test_advance(test, INT64_C(1000) * 3600 * 1000);
    assert_int_equal(size_of(test, kv).keys, 2);
    end(test, kv);
}

/* Lets that time pass; how often the loop woke in it. */
static size_t count_wakes(struct bough_test *test, int64_t ms)
{
    size_t wakes = 0;

    while (ms > 0) {
        const int64_t next = bough_loop_next_ms(test->loop);
        const int64_t step = next < 0 || next > ms ? ms : next > 0 ? next : 1;

        bough_test_advance(test, step);
        ms -= step;
        wakes++;
    }
    return wakes;
}

static void a_kv_sleeps_until_something_can_expire(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "a", "one", 24 * 3600 * 1000);
    assert_in_range(count_wakes(test, 24 * 3600 * 1000 - 1), 0, 50);
    bough_test_advance(test, 1 + INTERVAL);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    end(test, kv);
}

static void a_key_set_later_that_expires_sooner_is_not_slept_over(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "late", "", 3600 * 1000);
    bough_test_advance(test, 10 * 1000);
    set(test, kv, "soon", "", 1000);
    set(test, kv, "late", "", 0);
    bough_test_advance(test, 1000 + INTERVAL);
    /* Nobody asked, and there is nothing left that could expire. */
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    end(test, kv);
}

static void setting_again_sets_the_time_again(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "longer", "", 500);
    set(test, kv, "for ever", "", 500);
    bough_test_advance(test, 400);
    set(test, kv, "longer", "", 500);
    set(test, kv, "for ever", "", 0);
    bough_test_advance(test, 499);
    assert_true(exists(test, kv, "longer"));
    bough_test_advance(test, 1);
    assert_false(exists(test, kv, "longer"));
    bough_test_advance(test, 10000);
    assert_true(exists(test, kv, "for ever"));
    end(test, kv);
}

static void the_interval_is_what_it_is_told(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv =
        kv_with(test, (struct bough_kv_options){ .expiry_interval_ms = 5000 });

    set(test, kv, "a", "one", 100);
    bough_test_advance(test, 4999);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 1);
    bough_test_advance(test, 1);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    end(test, kv);
}

/* Sets `count` keys, a mailbox full at a time. */
static void set_many(struct bough_test *test, struct bough_kv kv, size_t count,
                     int64_t ttl_ms)
{
    enum { BATCH = 500 };
    struct question *questions = calloc(BATCH, sizeof(*questions));

    assert_non_null(questions);
    for (size_t done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            char key[24];
            snprintf(key, sizeof(key), "key %zu", done + i);
            questions[i] = (struct question){ .call.done = kv_done };
            bough_kv_set(kv, bough_kv_text(key), bough_kv_text(""), ttl_ms,
                         &questions[i].set);
        }
        bough_test_run(test);
        for (size_t i = 0; i < BATCH; i++) {
            assert_int_equal(questions[i].answers, 1);
            assert_status(questions[i].status, BOUGH_OK);
        }
    }
    free(questions);
}

static void many_keys_that_expire_together_go_tick_by_tick(void **state)
{
    enum { KEYS = 100 * 1000, STEPS = 2000 };
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    int ticks = 0;

    set_many(test, kv, KEYS, 60 * 1000);
    bough_test_advance(test, 60 * 1000 - 1);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 1);
    for (; bough_loop_count(test->loop).timeouts > 0; ticks++) {
        assert_in_range(ticks, 0, 1000);
        bough_test_advance(test, 1);
    }
    assert_in_range(ticks, KEYS / STEPS, 2 * KEYS / STEPS + INTERVAL);
    assert_int_equal(size_of(test, kv).keys, 0);
    end(test, kv);
}

static void a_time_that_is_not_positive_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    const struct question question =
        ask_set(test, kv, bough_kv_text("a"), bough_kv_text(""), -5);
    assert_status(question.status, BOUGH_EINVALID);
    assert_string_equal(question.text, "ttl is -5 ms; it must be at least 1 ms");
    assert_false(exists(test, kv, "a"));
    end(test, kv);
}

/* Memory */

static void a_set_over_max_memory_is_refused_with_the_figures(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv =
        kv_with(test, (struct bough_kv_options){ .max_memory = 128 * 1024 });
    const struct bough_kv_bytes value = { calloc(1, 128 * 1024), 128 * 1024 };
    char expected[128];

    assert_non_null(value.data);
    const struct bough_kv_bytes before = { value.data, 1000 };
    assert_status(ask_set(test, kv, bough_kv_text("a"), before, 0).status, BOUGH_OK);
    const int64_t used = size_of(test, kv).memory;
    const struct question question = ask_set(test, kv, bough_kv_text("a"), value, 0);
    assert_status(question.status, BOUGH_EREFUSED);
    snprintf(expected, sizeof(expected),
             "max_memory is 131072 bytes: %lld are used, this needs %d more",
             (long long)used, 128 * 1024 - 1000);
    assert_string_equal(question.text, expected);
    assert_value(test, kv, bough_kv_text("a"), before);
    free((char *)(uintptr_t)value.data);
    end(test, kv);
}

static void what_has_expired_makes_room(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv =
        kv_with(test, (struct bough_kv_options){ .max_memory = 64 * 1024,
                                                 .expiry_interval_ms = 3600 * 1000 });
    const struct bough_kv_bytes value = { calloc(1, 40 * 1024), 40 * 1024 };

    assert_non_null(value.data);
    assert_status(ask_set(test, kv, bough_kv_text("a"), value, 1000).status, BOUGH_OK);
    bough_test_advance(test, 999);
    assert_status(ask_set(test, kv, bough_kv_text("b"), value, 0).status, BOUGH_EREFUSED);
    bough_test_advance(test, 1);
    assert_status(ask_set(test, kv, bough_kv_text("b"), value, 0).status, BOUGH_OK);
    free((char *)(uintptr_t)value.data);
    end(test, kv);
}

static void options_out_of_range_do_not_start(void **state)
{
    struct bough_test *test = *state;
    struct bough_exit_reason failure;
    struct bough_kv kv;

    assert_status(bough_kv_spawn(test->loop,
                                 &(struct bough_kv_options){ .max_memory = 5 }, NULL, &kv,
                                 &failure),
                  BOUGH_EINVALID);
    assert_string_equal(failure.text, "max_memory is 5 bytes; allowed: 65536 or more");
    assert_status(bough_kv_spawn(test->loop,
                                 &(struct bough_kv_options){ .expiry_interval_ms = -1 },
                                 NULL, &kv, &failure),
                  BOUGH_EINVALID);
    assert_string_equal(failure.text, "expiry_interval is -1 ms; allowed: 1 to 3600000");
}

/* Keys */

static void keys_come_in_pages(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);
    bool met[500] = { false };
    size_t count = 0;
    char cursor[64] = "";

    set_many(test, kv, bough_count_of(met), 0);
    set(test, kv, "another", "", 0);
    do {
        const struct question page = ask_keys(test, kv, "key ", cursor, 50);
        assert_status(page.status, BOUGH_OK);
        assert_in_range(page.count, 0, 50);
        for (size_t i = 0; i < page.count; i++) {
            const unsigned long number = strtoul(page.page[i] + 4, NULL, 10);
            assert_memory_equal(page.page[i], "key ", 4);
            assert_false(met[number]);
            met[number] = true;
            count++;
        }
        memcpy(cursor, page.cursor, sizeof(cursor));
    } while (cursor[0] != '\0');
    assert_int_equal(count, bough_count_of(met));
    end(test, kv);
}

static void a_bad_cursor_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test), other = plain_kv(test);
    const char *text = "the cursor is not one of this life of the kv; begin without one";

    set_many(test, kv, 500, 0);
    const struct question page = ask_keys(test, kv, "", "", 1);
    assert_string_not_equal(page.cursor, "");
    assert_status(ask_keys(test, kv, "", page.cursor, 1).status, BOUGH_OK);
    const struct question foreign = ask_keys(test, other, "", page.cursor, 1);
    assert_status(foreign.status, BOUGH_EINVALID);
    assert_string_equal(foreign.text, text);
    assert_status(ask_keys(test, kv, "", "nonsense", 1).status, BOUGH_EINVALID);
    end(test, kv);
    end(test, other);
}

static void a_limit_out_of_range_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    assert_status(ask_keys(test, kv, "", "", 0).status, BOUGH_EINVALID);
    assert_status(ask_keys(test, kv, "", "", -1).status, BOUGH_EINVALID);
    const struct question question = ask_keys(test, kv, "", "", BOUGH_KV_LIMIT_MAX + 1);
    assert_status(question.status, BOUGH_EINVALID);
    assert_string_equal(question.text, "limit is 1001; allowed: 1 to 1000");
    end(test, kv);
}

/* Lives */

static void a_kv_that_has_ended_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_kv kv = plain_kv(test);

    set(test, kv, "a", "one", 1000);
    end(test, kv);
    assert_status(ask_get(test, kv, bough_kv_text("a")).status, BOUGH_EGONE);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
}

static void a_new_life_begins_empty(void **state)
{
    struct bough_test *test = *state;
    const struct bough_place_spec spec = { .type = &bough_kv_type, .name = "/" };
    const struct bough_start start = { .watch = NULL };
    struct bough_kv kv;

    assert_status(bough_place_new(test->loop, &spec, &kv.address), BOUGH_OK);
    assert_status(bough_place_start(kv.address, &start, NULL), BOUGH_OK);
    set(test, kv, "a", "one", 1000);
    bough_kill(kv.address);
    bough_test_run(test);
    assert_status(bough_place_start(kv.address, &start, NULL), BOUGH_OK);
    assert_false(exists(test, kv, "a"));
    end(test, kv);
    bough_place_free(kv.address, 0);
}

/* Tables */

static void its_tables_are_sound(void **state)
{
    const struct bough_actor_type *type = &bough_kv_type;
    struct bough_error error;

    (void)state;
    assert_true(bough_options_valid(type->options, type->option_count, &error));
    for (size_t i = 0; i < type->message_count; i++) {
        const struct bough_message_type *message = &type->messages[i];
        assert_true(bough_fields_valid(message->fields, message->field_count, &error));
        assert_true(bough_fields_valid(message->reply, message->reply_count, &error));
    }
}

#define fact(name) \
    cmocka_unit_test_setup_teardown(name, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_value_is_got_as_it_was_set),
        fact(keys_and_values_are_any_bytes),
        fact(a_value_may_be_the_next_key),
        fact(a_big_value_comes_back_whole),
        fact(a_value_that_no_message_can_hold_is_too_large),
        fact(a_key_that_is_too_long_is_refused),
        fact(a_key_that_is_not_there_is_named),
        fact(a_deleted_key_is_gone),
        fact(a_key_is_gone_when_its_time_is_over),
        fact(memory_comes_back_without_a_read),
        fact(a_kv_without_expiring_keys_has_no_timer),
        fact(a_kv_sleeps_until_something_can_expire),
        fact(a_key_set_later_that_expires_sooner_is_not_slept_over),
        fact(setting_again_sets_the_time_again),
        fact(the_interval_is_what_it_is_told),
        fact(many_keys_that_expire_together_go_tick_by_tick),
        fact(a_time_that_is_not_positive_is_refused),
        fact(a_set_over_max_memory_is_refused_with_the_figures),
        fact(what_has_expired_makes_room),
        fact(options_out_of_range_do_not_start),
        fact(keys_come_in_pages),
        fact(a_bad_cursor_is_refused),
        fact(a_limit_out_of_range_is_refused),
        fact(a_kv_that_has_ended_is_gone),
        fact(a_new_life_begins_empty),
        cmocka_unit_test(its_tables_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
