/* ask_kv.h - asking a kv in a test: each function asks, lets it be answered, and tells.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_ACTORS_ASK_KV_H
#define BOUGH_TESTS_ACTORS_ASK_KV_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/kv.h>
#include <bough/tests/support/fixture.h>

enum { PAGE = 64 };

/* Any question to a kv, and what came of it. Every ask begins with its call. */
struct question {
    union {
        struct bough_call call;
        struct bough_kv_set_ask set;
        struct bough_kv_get_ask get;
        struct bough_kv_del_ask del;
        struct bough_kv_exists_ask exists;
        struct bough_kv_size_ask size;
        struct bough_kv_keys_ask keys;
    };
    unsigned answers;
    enum bough_status status;
    char text[256]; /* of what is not BOUGH_OK */
    /* get's value, a copy */
    char *value;
    size_t value_len;
    /* keys' page; keys of up to 15 bytes */
    size_t count;
    char page[PAGE][16];
    char cursor[64];
};

static inline void kv_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    question->answers++;
    question->status = status;
    if (status != BOUGH_OK) {
        snprintf(question->text, sizeof(question->text), "%s",
                 bough_call_text(call, status));
    }
}

static inline void get_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    kv_done(call, status);
    if (status != BOUGH_OK) return;
    const struct bough_kv_bytes value = bough_kv_get_value(&question->get);
    question->value = malloc(value.len + 1);
    assert_non_null(question->value);
    memcpy(question->value, value.data, value.len + 1);
    question->value_len = value.len;
}

static inline void keys_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    kv_done(call, status);
    if (status != BOUGH_OK) return;
    question->count = bough_kv_keys_count(&question->keys);
    assert_in_range(question->count, 0, PAGE);
    for (size_t i = 0; i < question->count; i++) {
        const struct bough_kv_bytes key = bough_kv_keys_key(&question->keys, i);
        snprintf(question->page[i], sizeof(question->page[i]), "%.*s", (int)key.len,
                 (const char *)key.data);
    }
    snprintf(question->cursor, sizeof(question->cursor), "%s",
             bough_kv_keys_cursor(&question->keys));
}

/* Lets the question be answered, once. */
static inline void await(struct bough_test *test, const struct question *question)
{
    assert_int_equal(question->answers, 0);
    bough_test_run(test);
    assert_int_equal(question->answers, 1);
}

static inline struct bough_kv kv_with(struct bough_test *test,
                                      struct bough_kv_options options)
{
    struct bough_kv kv;

    assert_status(bough_kv_spawn(test->loop, &options, NULL, &kv, NULL), BOUGH_OK);
    return kv;
}

static inline struct bough_kv plain_kv(struct bough_test *test)
{
    return kv_with(test, (struct bough_kv_options){ .max_memory = 0 });
}

static inline void end(struct bough_test *test, struct bough_kv kv)
{
    bough_stop(kv.address);
    bough_test_run(test);
}

static inline struct question ask_set(struct bough_test *test, struct bough_kv kv,
                                      struct bough_kv_bytes key,
                                      struct bough_kv_bytes value, int64_t ttl_ms)
{
    struct question question = { .call.done = kv_done };

    bough_kv_set(kv, key, value, ttl_ms, &question.set);
    await(test, &question);
    return question;
}

/* Sets, and tells whether the key was new. */
static inline bool set(struct bough_test *test, struct bough_kv kv, const char *key,
                       const char *value, int64_t ttl_ms)
{
    const struct question question =
        ask_set(test, kv, bough_kv_text(key), bough_kv_text(value), ttl_ms);

    assert_status(question.status, BOUGH_OK);
    return question.set.created;
}

static inline struct question ask_get(struct bough_test *test, struct bough_kv kv,
                                      struct bough_kv_bytes key)
{
    struct question question = { .call.done = get_done };

    bough_kv_get(kv, key, &question.get);
    await(test, &question);
    return question;
}

static inline void assert_value(struct bough_test *test, struct bough_kv kv,
                                struct bough_kv_bytes key, struct bough_kv_bytes expected)
{
    struct question question = ask_get(test, kv, key);

    assert_status(question.status, BOUGH_OK);
    assert_int_equal(question.value_len, expected.len);
    assert_memory_equal(question.value, expected.data, expected.len);
    assert_int_equal(question.value[expected.len], '\0');
    free(question.value);
}

static inline void assert_no_key(struct bough_test *test, struct bough_kv kv,
                                 struct bough_kv_bytes key, const char *text)
{
    const struct question question = ask_get(test, kv, key);

    assert_status(question.status, BOUGH_ENOTFOUND);
    assert_string_equal(question.text, text);
}

static inline bool exists(struct bough_test *test, struct bough_kv kv, const char *key)
{
    struct question question = { .call.done = kv_done };

    bough_kv_exists(kv, bough_kv_text(key), &question.exists);
    await(test, &question);
    assert_status(question.status, BOUGH_OK);
    return question.exists.exists;
}

static inline bool del(struct bough_test *test, struct bough_kv kv, const char *key)
{
    struct question question = { .call.done = kv_done };

    bough_kv_del(kv, bough_kv_text(key), &question.del);
    await(test, &question);
    assert_status(question.status, BOUGH_OK);
    return question.del.deleted;
}

static inline struct bough_kv_size size_of(struct bough_test *test, struct bough_kv kv)
{
    struct question question = { .call.done = kv_done };

    bough_kv_size(kv, &question.size);
    await(test, &question);
    assert_status(question.status, BOUGH_OK);
    return question.size.size;
}

static inline struct question ask_keys(struct bough_test *test, struct bough_kv kv,
                                       const char *prefix, const char *cursor,
                                       int64_t limit)
{
    struct question question = { .call.done = keys_done };

    bough_kv_keys(kv, bough_kv_text(prefix), cursor, limit, &question.keys);
    await(test, &question);
    return question;
}

#endif
