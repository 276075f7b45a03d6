/* kv_table_internal.h - keys and values that expire, in a table that never stalls.
 *
 * The table grows and shrinks by steps (kv_pages_internal.h): one set splits at most one
 * page of some fifty keys. The hash is seeded XXH3, so who chooses the keys cannot choose
 * their pages. Expired keys are never seen; bough_kv_table_expire() removes them in steps
 * (kv_wheel_internal.h).
 *
 * Times are milliseconds of one clock that never goes back; sizes are bytes. Thread: one
 * at a time. Knows no actor.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_TABLE_INTERNAL_H
#define BOUGH_ACTORS_KV_TABLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/actors/kv_walk_internal.h>
#include <bough/core/field.h>
#include <bough/core/public.h>
#include <bough/core/status.h>

struct bough_kv_table;

struct bough_kv_table_options {
    uint64_t seed;
    int64_t now_ms;
    size_t max_memory; /* 0: no limit */
    /* NULL: XXH3. Tests bring one that collides. */
    uint64_t (*hash)(const void *key, size_t key_len, uint64_t seed);
};

/* NULL when memory is out. `options` is copied. */
BOUGH_CHECKED struct bough_kv_table *
bough_kv_table_new(const struct bough_kv_table_options *options);

/* Releases every key, a good number at each step: some ten milliseconds at a million
 * keys. */
void bough_kv_table_free(struct bough_kv_table *table);

enum { BOUGH_KV_VALUE_MAX = INT32_MAX }; /* bytes in a value */

/* What is set. Pointers are not NULL, also for no bytes; all is copied. */
struct bough_kv_pair {
    const void *key;
    size_t key_len;
    const void *value;
    size_t value_len;
    int64_t expires_ms; /* BOUGH_FOREVER: never */
};

/* That key will be asked for: where it most likely lies is on its way into the cache.
 * Pays when some hundred instructions lie between the two. */
void bough_kv_table_foresee(const struct bough_kv_table *table, const void *key,
                            size_t key_len);

/* Sets a key. `*created` tells whether it was not there (or had expired) before. Errors,
 * the table is then as it was: BOUGH_ENOMEM; BOUGH_EREFUSED: over max_memory. */
BOUGH_CHECKED enum bough_status bough_kv_table_set(struct bough_kv_table *table,
                                                   const struct bough_kv_pair *pair,
                                                   int64_t now_ms, bool *created);

/* How many bytes more the table would take at least with that set; less than 0 when a
 * longer value is there now. */
int64_t bough_kv_table_need(const struct bough_kv_table *table,
                            const struct bough_kv_pair *pair);

struct bough_kv_value {
    const void *data; /* valid until the table is changed */
    size_t len;
    int64_t expires_ms;
};

/* Whether the key is there and has not expired; `value` may be NULL. */
bool bough_kv_table_get(const struct bough_kv_table *table, const void *key,
                        size_t key_len, int64_t now_ms, struct bough_kv_value *value);

/* Removes a key. False when it was not there or had expired. */
bool bough_kv_table_del(struct bough_kv_table *table, const void *key, size_t key_len,
                        int64_t now_ms);

/* Removes expired keys, in `budget` steps at most; a key costs one, and at most one more
 * for each level of the wheel. True when the budget ended it, and more may be due. */
bool bough_kv_table_expire(struct bough_kv_table *table, int64_t now_ms, size_t budget);

/* Keys, those included that have expired and are not removed yet. */
size_t bough_kv_table_count(const struct bough_kv_table *table);

/* Of these, the keys that are to expire. */
size_t bough_kv_table_expiring(const struct bough_kv_table *table);

/* Before this time expire() has nothing to do. -1: no key is to expire. */
int64_t bough_kv_table_next(const struct bough_kv_table *table);

/* Bytes that the table takes: itself, its pages, and what lies outside of them. What is
 * added to that by rounding to a size class, by the part of a chunk that is not in use
 * yet (never more than is in use) and by the allocator, is not counted. */
size_t bough_kv_table_memory(const struct bough_kv_table *table);

/* Visits a page of the keys, as bough_kv_walk() does. */
BOUGH_CHECKED bool bough_kv_table_keys(const struct bough_kv_table *table,
                                       const struct bough_kv_page_request *request,
                                       int64_t now_ms, uint64_t *position);

/* For tests: how the table stands, and the work that its growing and shrinking took. */
struct bough_kv_table_shape {
    size_t pages;
    uint64_t resizes; /* splits and merges, so far */
    uint64_t moves;   /* keys that these put elsewhere, so far */
};
struct bough_kv_table_shape bough_kv_table_shape(const struct bough_kv_table *table);

#endif
