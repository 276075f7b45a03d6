/* kv_pages_internal.h - cells by hash, in pages that are split and merged one at a time.
 *
 * Extendible hashing. A page holds the 64 cells of one interval of hashes: those that
 * begin with the same `depth` bits. A page that is nearly full is split in two, two
 * neighbours that are nearly empty are merged; no other page is touched, so there is no
 * moment at which everything is rehashed. Since pages are intervals, a hash is a cursor
 * that stays good all the while.
 *
 * Finding a cell costs one miss of the cache. A page begins with one line of tags, a byte
 * of the hash for each cell, that tells which cells to look at; tags and directory are a
 * few bytes a cell and mostly stay in the cache: for that a page is an odd number of
 * lines long, and no power of two, with which all tags would share a few sets of it. When
 * they do not, the cell is under way already, for most lie where their hash says. The
 * directory has 256 parts by the first byte of the hash, so that doubling one copies
 * little: some hundred pointers at a million cells.
 *
 * What does not fit the cache is what a table costs, so a cell is small: a hash is 48
 * bits, and the rest of its word is the caller's.
 *
 * Cells of the same hash, and those that memory is too short to separate, share a page
 * and the ones chained to it. Cells move when others come and go. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KV_PAGES_INTERNAL_H
#define BOUGH_ACTORS_KV_PAGES_INTERNAL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bough/actors/kv_arena_internal.h>
#include <bough/core/public.h>
#include <bough/core/status.h>

enum {
    BOUGH_KV_PAGE_SIZE = 51 * 64, /* bytes */
    BOUGH_KV_PAGE_CELLS = 64,
    BOUGH_KV_MERGE_AT = 32, /* cells in both: what was split is not merged at once */
    BOUGH_KV_PARTS = 256,   /* of the directory */
    BOUGH_KV_CELL_BYTES = 40,
    BOUGH_KV_REST_MAX = 0xffff
};

/* Hashes are 64 bits of which the last 16 are 0. */
#define BOUGH_KV_HASH_BITS (~(uint64_t)BOUGH_KV_REST_MAX)

struct bough_kv_outside;

/* What it means beside the hash is for the caller. */
struct bough_kv_cell {
    uint64_t head; /* the hash, and 16 bits of the caller's, 0 at first */
    union {
        char bytes[BOUGH_KV_CELL_BYTES];
        struct bough_kv_outside *outside;
    };
};

struct bough_kv_page {
    _Alignas(64) unsigned char tags[BOUGH_KV_PAGE_CELLS]; /* 0: the cell is empty */
    struct bough_kv_page *next; /* chained: more cells of the same interval */
    uint64_t first;             /* the interval's first hash */
    unsigned depth;             /* how many bits its hashes have in common */
    unsigned used;              /* cells that are not empty */
    _Alignas(64) struct bough_kv_cell cells[BOUGH_KV_PAGE_CELLS];
    char spare[64]; /* to an odd number of lines */
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

static inline uint64_t bough_kv_cell_hash(const struct bough_kv_cell *cell)
{
    return cell->head & BOUGH_KV_HASH_BITS;
}

/* Never 0, which is an empty cell. */
static inline unsigned char bough_kv_tag(uint64_t hash)
{
    return (unsigned char)(hash >> 16 | 0x80);
}

/* The cell in which that hash lies if it was free when it came: two times in three. Not
 * of the bits of the tag. */
static inline unsigned bough_kv_home(uint64_t hash)
{
    return (unsigned)(hash >> 23) % BOUGH_KV_PAGE_CELLS;
}

/* The cells that have a tag, a bit for each, looked for eight at a time. */
static inline uint64_t bough_kv_tagged_portably(const struct bough_kv_page *page,
                                                unsigned char tag)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f),
                   ones = UINT64_C(0x0101010101010101);
    uint64_t cells = 0;

    for (unsigned i = 0; i < BOUGH_KV_PAGE_CELLS; i += 8) {
        uint64_t tags;
        memcpy(&tags, page->tags + i, sizeof(tags));
        const uint64_t differs = le64toh(tags) ^ ones * tag;
        const uint64_t same = ~(((differs & low) + low) | differs | low) >> 7;
        cells |= (same * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return cells;
}

#ifdef __SSE2__
static inline uint64_t bough_kv_tagged_part(const struct bough_kv_page *page,
                                            unsigned part, __m128i wanted)
{
    const __m128i *tags = (const void *)page->tags;
    const __m128i same = _mm_cmpeq_epi8(_mm_load_si128(&tags[part]), wanted);

    return (uint64_t)(unsigned)_mm_movemask_epi8(same) << 16 * part;
}
#endif

/* The same, by what all x86-64 have: some twenty instructions without a branch. */
static inline uint64_t bough_kv_tagged(const struct bough_kv_page *page,
                                       unsigned char tag)
{
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8((char)tag);

    return bough_kv_tagged_part(page, 0, wanted) | bough_kv_tagged_part(page, 1, wanted) |
           bough_kv_tagged_part(page, 2, wanted) | bough_kv_tagged_part(page, 3, wanted);
#else
    return bough_kv_tagged_portably(page, tag);
#endif
}

static inline uint64_t bough_kv_used(const struct bough_kv_page *page)
{
    return ~bough_kv_tagged(page, 0);
}

/* Takes one out of a set that is not empty. */
static inline unsigned bough_kv_pop(uint64_t *cells)
{
    const unsigned first = (unsigned)__builtin_ctzll(*cells);

    *cells &= *cells - 1;
    return first;
}

/* The first of a set that is not empty, from that cell on and round. */
static inline unsigned bough_kv_first_from(uint64_t cells, unsigned home)
{
    const uint64_t turned = cells >> home | cells << (64 - home) % 64;

    return ((unsigned)__builtin_ctzll(turned) + home) % 64;
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
