/* kv_walk_internal.h - a table's keys, a page at a time.
 *
 * The order is that of the hashes, so a position is a hash, and stays good whatever is
 * split and merged meanwhile.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_WALK_INTERNAL_H
#define BOUGH_ACTORS_KV_WALK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/actors/kv_pages_internal.h>
#include <bough/core/public.h>

/* In one pass, from position 0 until `done`, a key that is there from beginning
 * to end is visited exactly once, whatever else is set and removed meanwhile, and no key
 * twice. */
struct bough_kv_page_request {
    const void *prefix; /* only keys that begin with it */
    size_t prefix_len;
    size_t max_keys;  /* at most; but keys of one and the same hash are never separated */
    size_t max_bytes; /* of keys; the page ends with the key that reaches it */
    size_t max_steps; /* keys and pages looked at: a page may be empty and not the last */
    void (*visit)(void *data, const void *key,
                  size_t key_len); /* must not change the table */
    void *data;
};

/* Visits a page from `*position` on and moves it. True when this was the last one. */
BOUGH_CHECKED bool bough_kv_walk(const struct bough_kv_pages *pages,
                                 const struct bough_kv_page_request *request,
                                 int64_t now_ms, uint64_t *position);

#endif
