/* kv.h - an actor that keeps values by key, in memory, with an optional time to live.
 *
 * Keys and values are bytes, NUL among them. A key whose time is over is never seen
 * again; its memory is released soon after, without anybody asking for it, in steps that
 * do not stall the loop. The table grows and shrinks in steps, too. What is set is lost
 * when the life ends.
 *
 * In JSON, message and answer:
 *
 *     set     {"key", "value", "ttl"}        {"created": true}
 *     get     {"key"}                        {"value"}, or refused with not_found
 *     del     {"key"}                        {"deleted": true}
 *     exists  {"key"}                        {"exists": true}
 *     size    {}                             {"size": 1, "memory": 17088}
 *     keys    {"prefix", "cursor", "limit"}  {"keys": [...], "cursor"}
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_H
#define BOUGH_ACTORS_KV_H

#include <stdint.h>
#include <string.h>

#include <bough/core/actor.h>

/* For child specs. Its options are `struct bough_kv_options`. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_kv_type;

enum {
    BOUGH_KV_KEY_MAX = 64 * 1024,   /* bytes in a key */
    BOUGH_KV_LIMIT_MAX = 1000,      /* keys in a page */
    BOUGH_KV_MEMORY_MIN = 64 * 1024 /* bytes: the least that max_memory can be */
};

/* The handle: a plain value, free to copy; any address of a kv makes one. */
struct bough_kv {
    struct bough_address address;
};

struct bough_kv_options {
    int64_t expiry_interval_ms; /* 1 to 3,600,000; 0: 200 */
    /* Bytes, BOUGH_KV_MEMORY_MIN or more; 0 or BOUGH_FOREVER: no limit. They are those in
     * use: a kv above 2 MiB takes memory 2 MiB at a time for each size of block. */
    int64_t max_memory;
};

/* Bytes of somebody else. */
struct bough_kv_bytes {
    const void *data; /* may be NULL when `len` is 0 */
    size_t len;
};

static inline struct bough_kv_bytes bough_kv_text(const char *text)
{
    return (struct bough_kv_bytes){ .data = text, .len = strlen(text) };
}

/* Starts a kv on `loop` and stores its handle, which names this life, in `*kv`. `options`
 * is copied, NULL for zeroes. `watch` may be NULL; else the caller keeps it alive until
 * watch->exited() has run. Thread: the loop's. Errors: BOUGH_ENOMEM, BOUGH_EINVALID
 * (options, `failure` says which; it may be NULL), BOUGH_ESYSTEM (no random seed);
 * `watch` is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_kv_spawn(struct bough_loop *loop, const struct bough_kv_options *options,
               struct bough_watch *watch, struct bough_kv *kv,
               struct bough_exit_reason *failure);

/* Questions. The asker sets call.done, call.owner and call.timeout_ms (0: for ever), and
 * keeps the ask until call.done() has run, once, never from inside the function that asks
 * and with every outcome, BOUGH_EFULL and BOUGH_EGONE included; or until
 * bough_call_cancel() has returned. Bytes handed over are copied before the function
 * returns. A message that would be larger than BOUGH_BLOCK_MAX is BOUGH_ETOOLARGE. */

struct bough_kv_set_ask {
    struct bough_call call;
    bool created; /* with BOUGH_OK: whether the key was not there before */
};

/* Sets a key, in place of what it had, the time to live included. `ttl_ms` 0 or
 * BOUGH_FOREVER: it does not expire. Errors, to done(); nothing is then changed:
 * BOUGH_EREFUSED: max_memory does not allow it; BOUGH_ETOOLARGE: the key has more than
 * BOUGH_KV_KEY_MAX bytes; BOUGH_EINVALID: `ttl_ms` is negative; BOUGH_ENOMEM. */
BOUGH_PUBLIC void bough_kv_set(struct bough_kv kv, struct bough_kv_bytes key,
                               struct bough_kv_bytes value, int64_t ttl_ms,
                               struct bough_kv_set_ask *ask);

struct bough_kv_get_ask {
    struct bough_call call;
};

/* Asks for a value. Errors, to done(): BOUGH_ENOTFOUND. */
BOUGH_PUBLIC void bough_kv_get(struct bough_kv kv, struct bough_kv_bytes key,
                               struct bough_kv_get_ask *ask);

/* In done(BOUGH_OK): the value, followed by a NUL that is not counted; valid until done()
 * returns. */
BOUGH_PUBLIC struct bough_kv_bytes bough_kv_get_value(const struct bough_kv_get_ask *ask);

struct bough_kv_del_ask {
    struct bough_call call;
    bool deleted; /* with BOUGH_OK: whether the key was there */
};

/* Removes a key. */
BOUGH_PUBLIC void bough_kv_del(struct bough_kv kv, struct bough_kv_bytes key,
                               struct bough_kv_del_ask *ask);

struct bough_kv_exists_ask {
    struct bough_call call;
    bool exists; /* with BOUGH_OK */
};

BOUGH_PUBLIC void bough_kv_exists(struct bough_kv kv, struct bough_kv_bytes key,
                                  struct bough_kv_exists_ask *ask);

/* Keys that have expired are removed before they are counted, as far as one tick's work
 * goes: only when thousands expire together may some of them still be counted, for a
 * moment. */
struct bough_kv_size {
    int64_t keys;
    int64_t memory; /* bytes of the table: itself, its pages, keys and values */
};

struct bough_kv_size_ask {
    struct bough_call call;
    struct bough_kv_size size; /* with BOUGH_OK */
};

BOUGH_PUBLIC void bough_kv_size(struct bough_kv kv, struct bough_kv_size_ask *ask);

struct bough_kv_keys_ask {
    struct bough_call call;
};

/* Asks for a page of the keys that begin with `prefix`, in no useful order. `cursor` is
 * "" for the first page and then what bough_kv_keys_cursor() gave, until that is ""
 * again. A key that is there from the first page to the last comes exactly once, whatever
 * else is set and deleted meanwhile; no key comes twice. `limit` is 1 to
 * BOUGH_KV_LIMIT_MAX; a page may hold fewer, even none, and not be the last: the work of
 * one page is bounded. Errors, to done(): BOUGH_EINVALID: a limit out of range; a cursor
 * that is not of this life of this kv. */
BOUGH_PUBLIC void bough_kv_keys(struct bough_kv kv, struct bough_kv_bytes prefix,
                                const char *cursor, int64_t limit,
                                struct bough_kv_keys_ask *ask);

/* In done(BOUGH_OK), valid until done() returns: how many keys, each of them, the cursor
 * of the next page ("": this was the last one). */
BOUGH_PUBLIC size_t bough_kv_keys_count(const struct bough_kv_keys_ask *ask);
BOUGH_PUBLIC struct bough_kv_bytes bough_kv_keys_key(const struct bough_kv_keys_ask *ask,
                                                     size_t index);
BOUGH_PUBLIC const char *bough_kv_keys_cursor(const struct bough_kv_keys_ask *ask);

#endif
