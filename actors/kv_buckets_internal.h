/* kv_buckets_internal.h - lists by hash, that grow and shrink one at a time.
 *
 * Linear hashing. There is no second table and no moment at which everything is rehashed:
 * a step splits one bucket in two or joins two to one, and memory comes in pages of 4
 * KiB. Buckets keep their nodes by `position`, which is the hash with its bits reversed.
 * In that order every bucket, however many there are, holds one interval: so a split is
 * one cut of a list, a join one splice, and a position is a cursor that stays good all
 * the while.
 *
 * Nodes are embedded by the caller, who links and unlinks them: every list sorted by
 * position. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_BUCKETS_INTERNAL_H
#define BOUGH_ACTORS_KV_BUCKETS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include <bough/core/public.h>
#include <bough/core/status.h>

struct bough_kv_node {
    struct bough_kv_node *next;
    uint64_t position;
};

enum {
    BOUGH_KV_FANOUT = 512,        /* pointers in a page */
    BOUGH_KV_SPLITS_PER_GROW = 2, /* one keeps pace; two catch up on what was put off */
    BOUGH_KV_JOINS_PER_SHRINK = 4 /* keeps pace at four buckets to a node */
};

struct bough_kv_directory;

struct bough_kv_buckets {
    size_t count;  /* buckets; from 512 to 2^27 */
    size_t memory; /* bytes of its pages */
    /* The work so far, for tests. */
    uint64_t resizes; /* splits and joins */
    uint64_t moves;   /* nodes that these looked at */
    /* private */
    struct bough_kv_directory *root[BOUGH_KV_FANOUT];
};

/* Makes the first 512 buckets. Errors: BOUGH_ENOMEM, there is then nothing to finish. */
BOUGH_CHECKED enum bough_status bough_kv_buckets_init(struct bough_kv_buckets *buckets);

/* Releases the pages, not the nodes. */
void bough_kv_buckets_finish(struct bough_kv_buckets *buckets);

/* A hash's position, and back. */
uint64_t bough_kv_position(uint64_t hash);

/* The list in which that position belongs. */
struct bough_kv_node **bough_kv_buckets_head(const struct bough_kv_buckets *buckets,
                                             uint64_t position);

/* Where the interval after that of `position` begins; 0 after the last. */
uint64_t bough_kv_buckets_next(const struct bough_kv_buckets *buckets, uint64_t position);

/* After a node was linked: splits a bucket, or two, while there are more nodes than
 * buckets. Takes at most `room` bytes; when these or memory are out, it is put off to a
 * later call. */
void bough_kv_buckets_grow(struct bough_kv_buckets *buckets, size_t nodes, size_t room);

/* After a node was unlinked: joins up to four pairs when fewer than a quarter of the
 * buckets are needed. */
void bough_kv_buckets_shrink(struct bough_kv_buckets *buckets, size_t nodes);

#endif
