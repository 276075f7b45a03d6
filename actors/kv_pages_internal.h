/* kv_pages_internal.h - cells by hash, in pages that are split and merged one at a time.
 *
 * Extendible hashing. A page holds the 64 cells of one interval of hashes: those that
 * begin with the same `depth` bits. A page that is nearly full is split in two, two
 * neighbours that are nearly empty are merged; no other page is touched, so there is no
 * moment at which everything is rehashed. Since pages are intervals, a hash is a cursor
 * that stays good all the while.
 *
 * Finding a cell costs one miss of the cache. A page begins with one line of tags, a byte
 * of the hash for each cell, that tells which cell to look at; tags and directory are a
 * few bytes a cell and mostly stay in the cache: for that a page is 66 lines long, and no
 * power of two, with which all tags would share a few sets of it. When they do not, the
 * cell is under way already, for most lie where their hash says. The directory has 256
 * parts by the first byte of the hash, so that doubling one copies little: some hundred
 * pointers at a million cells.
 *
 * Cells of the same hash, and those that memory is too short to separate, share a page
 * and the ones chained to it. Cells move when others come and go. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_PAGES_INTERNAL_H
#define BOUGH_ACTORS_KV_PAGES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/actors/kv_arena_internal.h>
#include <bough/core/public.h>
#include <bough/core/status.h>

enum {
    BOUGH_KV_PAGE_SIZE = 66 * 64, /* bytes */
    BOUGH_KV_PAGE_CELLS = 64,
    BOUGH_KV_GROUPS = 8,    /* of eight cells, whose tags are looked at together */
    BOUGH_KV_MERGE_AT = 32, /* cells in both: what was split is not merged at once */
    BOUGH_KV_PARTS = 256,   /* of the directory */
    BOUGH_KV_CELL_BYTES = 48
};

struct bough_kv_outside;

/* One cache line. What it means beside `hash` is for the caller. */
struct bough_kv_cell {
    uint64_t hash;
    uint32_t key_len;
    uint32_t value_len : 31;
    uint32_t is_outside : 1;
    union {
        char bytes[BOUGH_KV_CELL_BYTES]; /* key, value */
        struct bough_kv_outside *outside;
    };
};

struct bough_kv_page {
    uint64_t tags[BOUGH_KV_GROUPS]; /* a byte a cell; 0: it is empty */
    struct bough_kv_page *next;     /* chained: more cells of the same interval */
    uint64_t first;                 /* the interval's first hash */
    unsigned depth;                 /* how many bits its hashes have in common */
    unsigned used;                  /* cells that are not empty */
    _Alignas(64) struct bough_kv_cell cells[BOUGH_KV_PAGE_CELLS];
};

/* The pages of all hashes with the same first byte. */
struct bough_kv_part {
    struct bough_kv_page **slots; /* 2^depth; of depth 0: &one */
    struct bough_kv_page *one;
    unsigned depth;
    unsigned deepest; /* pages that only one slot leads to */
};

struct bough_kv_pages {
    size_t count;  /* pages */
    size_t memory; /* bytes of pages and directory */
    /* The work so far, for tests. */
    uint64_t resizes; /* splits and merges */
    uint64_t moves;   /* cells that these put into another place */
    /* private */
    struct bough_kv_arena arena;
    struct bough_kv_part parts[BOUGH_KV_PARTS];
};

/* Makes one page. Errors: BOUGH_ENOMEM, there is then nothing to finish. */
BOUGH_CHECKED enum bough_status bough_kv_pages_init(struct bough_kv_pages *pages);

/* Releases all pages, some at a time; not what their cells point to. */
void bough_kv_pages_finish(struct bough_kv_pages *pages);

/* The page of that hash. */
static inline struct bough_kv_page *bough_kv_pages_at(const struct bough_kv_pages *pages,
                                                      uint64_t hash)
{
    const struct bough_kv_part *part = &pages->parts[hash >> 56];

    return part->slots[hash << 8 >> 1 >> (63 - part->depth)];
}

/* The tags of a group that may be `byte`, as their highest bits; the first one is. */
static inline uint64_t bough_kv_match(uint64_t tags, unsigned byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t differs = tags ^ ones * byte;

    return (differs - ones) & ~differs & ones << 7;
}

/* Never 0, which is an empty cell. */
static inline unsigned bough_kv_tag(uint64_t hash)
{
    return (unsigned)(hash & 0x7f) | 0x80;
}

/* The cell in which that hash lies if it was free when it came: two times in three. Not
 * of the bits of the tag. */
static inline unsigned bough_kv_home(uint64_t hash)
{
    return (unsigned)(hash >> 7) % BOUGH_KV_PAGE_CELLS;
}

/* The cell of the next hash with the same home, if it was free. */
static inline unsigned bough_kv_second(unsigned home)
{
    return home ^ 1;
}

/* A cell of a group by what bough_kv_match() gave. */
static inline unsigned bough_kv_index(unsigned group, uint64_t match)
{
    return group * 8 + (unsigned)__builtin_ctzll(match) / 8;
}

/* The first cell from `*index` on that is not empty, or NULL; `*index` is then after it.
 */
static inline const struct bough_kv_cell *
bough_kv_page_each(const struct bough_kv_page *page, unsigned *index)
{
    const uint64_t used = UINT64_C(0x8080808080808080);

    for (; *index < 8 * BOUGH_KV_GROUPS; *index = (*index | 7) + 1) {
        const uint64_t left = page->tags[*index / 8] & used << *index % 8 * 8;
        if (left == 0) continue;
        *index = bough_kv_index(*index / 8, left) + 1;
        return &page->cells[*index - 1];
    }
    return NULL;
}

/* An empty cell for that hash, with the hash set; the caller fills the rest. Splits a
 * page that is full, if that takes no more than `room` bytes. NULL when these or memory
 * are out. */
BOUGH_CHECKED struct bough_kv_cell *bough_kv_pages_add(struct bough_kv_pages *pages,
                                                       uint64_t hash, size_t room);

/* How many bytes add() takes for that hash. */
size_t bough_kv_pages_need(const struct bough_kv_pages *pages, uint64_t hash);

/* Empties a cell, and merges its page with its neighbour when both are nearly empty. */
void bough_kv_pages_remove(struct bough_kv_pages *pages, struct bough_kv_cell *cell);

/* Where the interval after that of `hash` begins; 0 after the last. */
uint64_t bough_kv_pages_next(const struct bough_kv_pages *pages, uint64_t hash);

#endif
