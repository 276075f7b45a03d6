/* kv_message_internal.h - what a kv can be told and what it answers: kv.h makes it, kv.c
 * runs it.
 *
 * Flat blocks, described by the field tables of kv_message.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_MESSAGE_INTERNAL_H
#define BOUGH_ACTORS_KV_MESSAGE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <bough/actors/kv.h>
#include <bough/core/field.h>

enum bough_kv_message_kind {
    BOUGH_KV_SET,
    BOUGH_KV_GET,
    BOUGH_KV_DEL,
    BOUGH_KV_EXISTS,
    BOUGH_KV_SIZE,
    BOUGH_KV_KEYS
};

enum { BOUGH_KV_MESSAGE_COUNT = BOUGH_KV_KEYS + 1 };

struct bough_kv_message {
    enum bough_kv_message_kind kind;
    struct bough_span key; /* set, get, del, exists; keys: the prefix */
    union {
        struct bough_span value;  /* set */
        struct bough_span cursor; /* keys */
    };
    union {
        int64_t ttl_ms; /* set; BOUGH_FOREVER: does not expire */
        int64_t limit;  /* keys */
    };
};

extern const struct bough_message_type bough_kv_messages[BOUGH_KV_MESSAGE_COUNT];

/* Answers; size answers a struct bough_kv_size. */

struct bough_kv_flag_reply {
    bool flag; /* set: created; del: deleted; exists: exists */
};

struct bough_kv_get_reply {
    struct bough_span value;
};

struct bough_kv_keys_reply {
    struct bough_span keys;   /* a list of spans */
    struct bough_span cursor; /* a text */
};

/* kv.c: that key will be asked for. Where the kv lives on the loop that is at work, what
 * it will look at is on its way into the cache while the call is made. */
void bough_kv_foresee(struct bough_kv kv, struct bough_kv_bytes key);

enum { BOUGH_KV_SMALL_BLOCK = 1024 }; /* bytes on the stack: what fits needs no heap */

#endif
