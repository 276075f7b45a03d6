/* kv_buckets.c - linear hashing over sorted lists.
 *
 * With 2^n or more, but less than 2^(n+1) buckets, the last n or n + 1 bits of a hash
 * choose the bucket; these are the first bits of the position. Splitting bucket b into b
 * and b + 2^n cuts its list at the first node whose next bit is set; joining them appends
 * the second list to the first.
 *
 * Buckets lie in segments of 512, segments in directories of 512, directories in the
 * root: a page each, so that no step copies or clears more than two pages.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_buckets_internal.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    FANOUT = BOUGH_KV_FANOUT,
    DIRECTORY_BUCKETS = FANOUT * FANOUT,
    MIN_BUCKETS = FANOUT,
    MAX_BUCKETS = FANOUT * FANOUT * FANOUT
};

struct segment {
    struct bough_kv_node *heads[FANOUT];
};

struct bough_kv_directory {
    struct segment *segments[FANOUT];
};

static unsigned highest_bit(size_t number)
{
    return 63 - (unsigned)__builtin_clzll(number);
}

static struct bough_kv_node **head_of(const struct bough_kv_buckets *buckets,
                                      size_t bucket)
{
    const struct bough_kv_directory *directory =
        buckets->root[bucket / DIRECTORY_BUCKETS];

    return &directory->segments[bucket / FANOUT % FANOUT]->heads[bucket % FANOUT];
}

/* How many bits choose the bucket at that hash: one less where it is not split yet. */
static unsigned depth_at(const struct bough_kv_buckets *buckets, uint64_t hash)
{
    const unsigned depth = highest_bit(buckets->count - 1) + 1;
    const size_t half = (size_t)1 << (depth - 1);

    return (hash & (half - 1)) + half < buckets->count ? depth : depth - 1;
}

/* Makes the pages that a new last bucket needs, from `room` bytes. False when they are
 * not to be had. */
static bool reserve(struct bough_kv_buckets *buckets, size_t bucket, size_t room)
{
    struct bough_kv_directory **directory = &buckets->root[bucket / DIRECTORY_BUCKETS];

    if (bucket % FANOUT != 0) return true;
    if (room < sizeof(**directory) + sizeof(struct segment)) return false;
    if (*directory == NULL) {
        *directory = calloc(1, sizeof(**directory));
        if (*directory == NULL) return false;
        buckets->memory += sizeof(**directory);
    }
    struct segment *segment = calloc(1, sizeof(*segment));
    if (segment == NULL) return false;
    (*directory)->segments[bucket / FANOUT % FANOUT] = segment;
    buckets->memory += sizeof(*segment);
    return true;
}

/* Frees the pages of what was the last bucket, when no other one lies in them. */
static void release(struct bough_kv_buckets *buckets, size_t bucket)
{
    struct bough_kv_directory **directory = &buckets->root[bucket / DIRECTORY_BUCKETS];

    if (bucket % FANOUT != 0) return;
    free((*directory)->segments[bucket / FANOUT % FANOUT]);
    (*directory)->segments[bucket / FANOUT % FANOUT] = NULL;
    buckets->memory -= sizeof(struct segment);
    if (bucket % DIRECTORY_BUCKETS != 0) return;
    free(*directory);
    *directory = NULL;
    buckets->memory -= sizeof(struct bough_kv_directory);
}

/* Adds one bucket, which takes over the second half of its sibling's interval. */
static bool split(struct bough_kv_buckets *buckets, size_t room)
{
    const size_t bucket = buckets->count;

    if (bucket == MAX_BUCKETS || !reserve(buckets, bucket, room)) return false;
    const unsigned bit = highest_bit(bucket);
    const uint64_t second_half = UINT64_C(1) << (63 - bit);
    struct bough_kv_node **cut = head_of(buckets, bucket - ((size_t)1 << bit));
    for (; *cut && ((*cut)->position & second_half) == 0; cut = &(*cut)->next) {
        buckets->moves++;
    }
    *head_of(buckets, bucket) = *cut;
    *cut = NULL;
    buckets->count++;
    buckets->resizes++;
    return true;
}

/* Takes the last bucket away: its sibling gets its list back. */
static void join(struct bough_kv_buckets *buckets)
{
    const size_t bucket = buckets->count - 1;
    const size_t sibling = bucket - ((size_t)1 << highest_bit(bucket));
    struct bough_kv_node **end = head_of(buckets, sibling);

    for (; *end; end = &(*end)->next) {
        buckets->moves++;
    }
    *end = *head_of(buckets, bucket);
    *head_of(buckets, bucket) = NULL;
    buckets->count--;
    buckets->resizes++;
    release(buckets, bucket);
}

enum bough_status bough_kv_buckets_init(struct bough_kv_buckets *buckets)
{
    memset(buckets, 0, sizeof(*buckets));
    if (!reserve(buckets, 0, SIZE_MAX)) {
        free(buckets->root[0]);
        return BOUGH_ENOMEM;
    }
    buckets->count = MIN_BUCKETS;
    return BOUGH_OK;
}

void bough_kv_buckets_finish(struct bough_kv_buckets *buckets)
{
    for (size_t bucket = buckets->count; bucket > 0; bucket--) {
        release(buckets, bucket - 1);
    }
    /* A directory whose first segment got no memory is not in use yet. */
    for (size_t i = 0; i < FANOUT; i++) {
        free(buckets->root[i]);
    }
}

/* Reversing bits is its own inverse. */
uint64_t bough_kv_position(uint64_t hash)
{
    const uint64_t nibbles = UINT64_C(0x0f0f0f0f0f0f0f0f);
    const uint64_t pairs = UINT64_C(0x3333333333333333);
    const uint64_t bits = UINT64_C(0x5555555555555555);

    hash = __builtin_bswap64(hash);
    hash = (hash & nibbles) << 4 | (hash >> 4 & nibbles);
    hash = (hash & pairs) << 2 | (hash >> 2 & pairs);
    return (hash & bits) << 1 | (hash >> 1 & bits);
}

struct bough_kv_node **bough_kv_buckets_head(const struct bough_kv_buckets *buckets,
                                             uint64_t position)
{
    const uint64_t hash = bough_kv_position(position);

    return head_of(buckets, hash & ((UINT64_C(1) << depth_at(buckets, hash)) - 1));
}

uint64_t bough_kv_buckets_next(const struct bough_kv_buckets *buckets, uint64_t position)
{
    const unsigned depth = depth_at(buckets, bough_kv_position(position));
    const uint64_t interval = UINT64_C(1) << (64 - depth);

    return (position & ~(interval - 1)) + interval;
}

void bough_kv_buckets_grow(struct bough_kv_buckets *buckets, size_t nodes, size_t room)
{
    const size_t before = buckets->memory;

    for (int i = 0; i < BOUGH_KV_SPLITS_PER_GROW && nodes > buckets->count; i++) {
        const size_t taken = buckets->memory - before;
        if (!split(buckets, room - taken)) return;
    }
}

void bough_kv_buckets_shrink(struct bough_kv_buckets *buckets, size_t nodes)
{
    for (int i = 0; i < BOUGH_KV_JOINS_PER_SHRINK; i++) {
        if (buckets->count == MIN_BUCKETS || nodes >= buckets->count / 4) return;
        join(buckets);
    }
}
