/* kv_table.c - the table of a kv: cells in pages, blocks beside them, and a wheel of what
 * expires.
 *
 * A short key with a short value lies in its cell, so that finding it is waited for once.
 * What is longer or expires lies outside, in a block of the arena, and the cell leads
 * there.
 *
 * Blocks move when another one is released (kv_arena_internal.h), cells when others come
 * and go: so nothing points to a cell, and what points to a block, its cell and its
 * neighbours in the wheel, is mended by mend().
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_table_internal.h>

#include <stdlib.h>
#include <string.h>

/* A key's hash is some 25 instructions; a call to the library would add as many. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bough/actors/kv_arena_internal.h>
#include <bough/actors/kv_cell_internal.h>
#include <bough/actors/kv_pages_internal.h>
#include <bough/actors/kv_wheel_internal.h>
#include <bough/core/assert.h>

struct bough_kv_table {
    size_t count;
    size_t max_memory;
    size_t outside_memory; /* bytes of all blocks */
    uint64_t seed;
    uint64_t (*hash)(const void *key, size_t key_len, uint64_t seed); /* NULL: XXH3 */
    struct bough_kv_arena arena; /* of what lies outside */
    struct bough_kv_wheel wheel;
    struct bough_kv_pages pages;
};

static inline uint64_t hash_of(const struct bough_kv_table *table, const void *key,
                               size_t key_len)
{
    const uint64_t hash = __builtin_expect(table->hash == NULL, true)
                              ? XXH3_64bits_withSeed(key, key_len, table->seed)
                              : table->hash(key, key_len, table->seed);

    return hash & BOUGH_KV_HASH_BITS;
}

/* Cells */

/* Bytes of the block of a cell; 0 when it has none. */
static size_t outside_size(const struct bough_kv_cell *cell)
{
    if (cell == NULL || !bough_kv_is_outside(cell)) return 0;
    return sizeof(struct bough_kv_outside) + cell->outside->key_len +
           cell->outside->value_len;
}

/* The same for a pair. */
static size_t pair_size(const struct bough_kv_pair *pair)
{
    const size_t len = pair->key_len + pair->value_len;

    if (pair->expires_ms == BOUGH_FOREVER && len <= BOUGH_KV_CELL_BYTES) return 0;
    return sizeof(struct bough_kv_outside) + len;
}

/* At most as many as lie in a cell, without a call. */
static inline bool same_bytes(const char *one, const char *other, size_t len)
{
    enum { EIGHT = 8 };
    uint64_t differs = 0, left, right;

    if (len < EIGHT) {
        for (size_t i = 0; i < len; i++)
            differs |= (uint64_t)(one[i] ^ other[i]);
        return differs == 0;
    }
    for (size_t at = 0;; at = at + EIGHT < len - EIGHT ? at + EIGHT : len - EIGHT) {
        memcpy(&left, one + at, EIGHT);
        memcpy(&right, other + at, EIGHT);
        differs |= left ^ right;
        if (at == len - EIGHT) return differs == 0;
    }
}

/* Of a key that lies in the cell. Hash and length are compared as one number. */
static inline bool has_key_inside(const struct bough_kv_cell *cell, uint64_t hash,
                                  const void *key, size_t key_len)
{
    const uint64_t differs = cell->head ^ bough_kv_head(hash, key_len, 0);

    return differs >> BOUGH_KV_KEY_SHIFT == 0 && key_len <= BOUGH_KV_CELL_BYTES &&
           same_bytes(cell->bytes, key, key_len);
}

static bool has_key_outside(const struct bough_kv_cell *cell, uint64_t hash,
                            const void *key, size_t key_len)
{
    return cell->head == (hash | BOUGH_KV_REST_OUTSIDE) &&
           cell->outside->key_len == key_len &&
           memcmp(cell->outside->bytes, key, key_len) == 0;
}

/* The cell of a key, or NULL, among all that can have it. */
static __attribute__((noinline)) struct bough_kv_cell *
find_slowly(struct bough_kv_page *page, uint64_t hash, const void *key, size_t key_len)
{
    for (; page; page = page->next) {
        uint64_t cells = bough_kv_tagged(page, bough_kv_tag(hash));

        while (cells != 0) {
            const unsigned index = bough_kv_first_from(cells, bough_kv_home(hash));
            struct bough_kv_cell *cell = &page->cells[index];

            if (has_key_inside(cell, hash, key, key_len) ||
                has_key_outside(cell, hash, key, key_len))
                return cell;
            cells &= ~(UINT64_C(1) << index);
        }
    }
    return NULL;
}

/* A cell lies in one line or in two. */
static inline void prefetch(const struct bough_kv_cell *cell)
{
    __builtin_prefetch(cell);
    __builtin_prefetch((const char *)(cell + 1) - 1);
}

/* The cell of a key, or NULL. Hot: nearly always the first cell with the tag is the one,
 * so that there is no branch to guess wrong while its line is awaited, and no call for
 * which something would have to be kept; and where it most likely lies is asked for
 * before the tags have come. */
static inline __attribute__((always_inline)) struct bough_kv_cell *
find(const struct bough_kv_table *table, uint64_t hash, const void *key, size_t key_len)
{
    struct bough_kv_page *page = bough_kv_pages_at(&table->pages, hash);
    const unsigned home = bough_kv_home(hash);

    prefetch(&page->cells[home]);
    const uint64_t cells = bough_kv_tagged(page, bough_kv_tag(hash));
    if (__builtin_expect(cells != 0, true)) {
        struct bough_kv_cell *cell = &page->cells[bough_kv_first_from(cells, home)];
        if (has_key_inside(cell, hash, key, key_len)) return cell;
    }
    return find_slowly(page, hash, key, key_len);
}

/* The cell that leads, or led, to that block; the hash is the block's. */
static struct bough_kv_cell *cell_of(const struct bough_kv_table *table, uint64_t hash,
                                     const struct bough_kv_outside *block)
{
    const struct bough_kv_page *page = bough_kv_pages_at(&table->pages, hash);

    for (; page; page = page->next) {
        uint64_t cells = bough_kv_tagged(page, bough_kv_tag(hash));
        while (cells != 0) {
            const struct bough_kv_cell *cell = &page->cells[bough_kv_pop(&cells)];
            if (bough_kv_is_outside(cell) && cell->outside == block) {
                return (struct bough_kv_cell *)(uintptr_t)cell;
            }
        }
    }
    bough_assert(page != NULL);
    return NULL;
}

/* Blocks outside */

/* How many bytes more the table may take. */
static size_t room_in(const struct bough_kv_table *table)
{
    const size_t memory = bough_kv_table_memory(table);

    return memory < table->max_memory ? table->max_memory - memory : 0;
}

static void set_deadline(struct bough_kv_table *table, struct bough_kv_outside *block,
                         int64_t expires_ms)
{
    bough_kv_wheel_remove(&table->wheel, &block->deadline);
    if (expires_ms == BOUGH_FOREVER) {
        block->deadline.at_ms = BOUGH_FOREVER;
    } else {
        bough_kv_wheel_add(&table->wheel, &block->deadline, expires_ms);
    }
}

/* A block for the pair, without its deadline; NULL when memory is out. */
static struct bough_kv_outside *new_block(struct bough_kv_table *table, uint64_t hash,
                                          const struct bough_kv_pair *pair)
{
    const size_t size = pair_size(pair);
    struct bough_kv_outside *block = bough_kv_arena_take(&table->arena, size);

    if (block == NULL) return NULL;
    *block = (struct bough_kv_outside){
        .hash = hash,
        .key_len = (uint32_t)pair->key_len,
        .value_len = (uint32_t)pair->value_len,
    };
    memcpy(block->bytes, pair->key, pair->key_len);
    memcpy(block->bytes + pair->key_len, pair->value, pair->value_len);
    table->outside_memory += size;
    return block;
}

/* A block that lay at `from` has moved to `block`. */
static void mend(struct bough_kv_table *table, struct bough_kv_outside *block,
                 const struct bough_kv_outside *from)
{
    cell_of(table, block->hash, from)->outside = block;
    bough_kv_wheel_moved(&block->deadline);
}

/* Releases a block that no cell leads to. */
static void free_block(struct bough_kv_table *table, struct bough_kv_outside *block,
                       size_t size)
{
    bough_kv_wheel_remove(&table->wheel, &block->deadline);
    table->outside_memory -= size;
    const struct bough_kv_outside *from = bough_kv_arena_give(&table->arena, block, size);
    if (from) mend(table, block, from);
}

static void remove_cell(struct bough_kv_table *table, struct bough_kv_cell *cell)
{
    struct bough_kv_outside *block = bough_kv_is_outside(cell) ? cell->outside : NULL;
    const size_t size = outside_size(cell);

    table->count--;
    bough_kv_pages_remove(&table->pages, cell);
    if (block) free_block(table, block, size);
}

/* Setting */

/* Writes the pair into its cell, which is new or has a value of the same key; `block` is
 * its new one, if it is to have one. */
static void fill(struct bough_kv_table *table, struct bough_kv_cell *cell,
                 const struct bough_kv_pair *pair, struct bough_kv_outside *block)
{
    const uint64_t hash = bough_kv_cell_hash(cell);

    if (block) {
        cell->head = hash | BOUGH_KV_REST_OUTSIDE;
        cell->outside = block;
        set_deadline(table, block, pair->expires_ms);
    } else {
        cell->head = bough_kv_head(hash, pair->key_len, pair->value_len);
        bough_copy_bytes(cell->bytes, pair->key, pair->key_len);
        bough_copy_bytes(cell->bytes + pair->key_len, pair->value, pair->value_len);
    }
}

static __attribute__((noinline)) enum bough_status
add(struct bough_kv_table *table, uint64_t hash, const struct bough_kv_pair *pair)
{
    const size_t size = pair_size(pair), room = room_in(table);
    struct bough_kv_outside *block = NULL;

    if (size + bough_kv_pages_need(&table->pages, hash) > room) return BOUGH_EREFUSED;
    if (size > 0) {
        block = new_block(table, hash, pair);
        if (block == NULL) return BOUGH_ENOMEM;
    }
    struct bough_kv_cell *cell = bough_kv_pages_add(&table->pages, hash, room - size);
    if (cell == NULL) {
        if (block) free_block(table, block, size);
        return BOUGH_ENOMEM;
    }
    fill(table, cell, pair, block);
    table->count++;
    return BOUGH_OK;
}

static void overwrite_block(struct bough_kv_table *table, struct bough_kv_cell *cell,
                            const struct bough_kv_pair *pair)
{
    struct bough_kv_outside *block = cell->outside;

    table->outside_memory += pair->value_len - block->value_len;
    block->value_len = (uint32_t)pair->value_len;
    memcpy(block->bytes + block->key_len, pair->value, pair->value_len);
    set_deadline(table, block, pair->expires_ms);
}

/* The common case of replace(), in which nothing is accounted for. */
static inline bool overwrite_cell(struct bough_kv_cell *cell,
                                  const struct bough_kv_pair *pair)
{
    if (bough_kv_is_outside(cell) || pair_size(pair) > 0) return false;
    cell->head = bough_kv_head(bough_kv_cell_hash(cell), pair->key_len, pair->value_len);
    bough_copy_bytes(cell->bytes + pair->key_len, pair->value, pair->value_len);
    return true;
}

static __attribute__((noinline)) enum bough_status
replace(struct bough_kv_table *table, struct bough_kv_cell *cell,
        const struct bough_kv_pair *pair)
{
    const size_t size = pair_size(pair), old_size = outside_size(cell);
    struct bough_kv_outside *const old = old_size > 0 ? cell->outside : NULL;
    struct bough_kv_outside *block = NULL;

    if (size > old_size && size - old_size > room_in(table)) return BOUGH_EREFUSED;
    if (size > 0 && old && bough_kv_arena_same(size, old_size)) {
        overwrite_block(table, cell, pair);
        return BOUGH_OK;
    }
    if (size > 0) {
        block = new_block(table, bough_kv_cell_hash(cell), pair);
        if (block == NULL) return BOUGH_ENOMEM;
    }
    fill(table, cell, pair, block);
    if (old) free_block(table, old, old_size);
    return BOUGH_OK;
}

/* The table */

struct bough_kv_table *bough_kv_table_new(const struct bough_kv_table_options *options)
{
    struct bough_kv_table *table = calloc(1, sizeof(*table));

    if (table == NULL) return NULL;
    if (bough_kv_pages_init(&table->pages) != BOUGH_OK) {
        free(table);
        return NULL;
    }
    table->max_memory = options->max_memory ? options->max_memory : SIZE_MAX;
    table->seed = options->seed;
    table->hash = options->hash;
    bough_kv_arena_init(&table->arena);
    bough_kv_wheel_init(&table->wheel, options->now_ms);
    return table;
}

void bough_kv_table_free(struct bough_kv_table *table)
{
    if (table == NULL) return;
    bough_kv_arena_finish(&table->arena);
    bough_kv_pages_finish(&table->pages);
    free(table);
}

void bough_kv_table_foresee(const struct bough_kv_table *table, const void *key,
                            size_t key_len)
{
    const uint64_t hash = hash_of(table, key, key_len);
    const struct bough_kv_page *page = bough_kv_pages_at(&table->pages, hash);

    __builtin_prefetch(page);
    prefetch(&page->cells[bough_kv_home(hash)]);
}

enum bough_status bough_kv_table_set(struct bough_kv_table *table,
                                     const struct bough_kv_pair *pair, int64_t now_ms,
                                     bool *created)
{
    bough_assert(pair->key_len <= UINT32_MAX);
    bough_assert(pair->value_len <= BOUGH_KV_VALUE_MAX);

    const uint64_t hash = hash_of(table, pair->key, pair->key_len);
    struct bough_kv_cell *cell = find(table, hash, pair->key, pair->key_len);
    if (cell && overwrite_cell(cell, pair)) {
        *created = false;
        return BOUGH_OK;
    }
    const bool was_there = cell && !bough_kv_cell_is_expired(cell, now_ms);
    const enum bough_status status =
        cell ? replace(table, cell, pair) : add(table, hash, pair);

    if (status == BOUGH_OK) *created = !was_there;
    return status;
}

int64_t bough_kv_table_need(const struct bough_kv_table *table,
                            const struct bough_kv_pair *pair)
{
    const uint64_t hash = hash_of(table, pair->key, pair->key_len);
    const struct bough_kv_cell *cell = find(table, hash, pair->key, pair->key_len);
    const size_t size = pair_size(pair);

    if (cell) return (int64_t)size - (int64_t)outside_size(cell);
    return (int64_t)(size + bough_kv_pages_need(&table->pages, hash));
}

bool bough_kv_table_get(const struct bough_kv_table *table, const void *key,
                        size_t key_len, int64_t now_ms, struct bough_kv_value *value)
{
    const struct bough_kv_cell *cell =
        find(table, hash_of(table, key, key_len), key, key_len);

    if (cell == NULL || bough_kv_cell_is_expired(cell, now_ms)) return false;
    if (value) {
        value->data = bough_kv_cell_bytes(cell) + bough_kv_cell_key_len(cell);
        value->len = bough_kv_cell_value_len(cell);
        value->expires_ms = bough_kv_cell_expires_ms(cell);
    }
    return true;
}

bool bough_kv_table_del(struct bough_kv_table *table, const void *key, size_t key_len,
                        int64_t now_ms)
{
    struct bough_kv_cell *cell = find(table, hash_of(table, key, key_len), key, key_len);

    if (cell == NULL) return false;
    const bool was_there = !bough_kv_cell_is_expired(cell, now_ms);
    remove_cell(table, cell);
    return was_there;
}

bool bough_kv_table_expire(struct bough_kv_table *table, int64_t now_ms, size_t budget)
{
    for (;;) {
        struct bough_kv_deadline *deadline =
            bough_kv_wheel_pop(&table->wheel, now_ms, &budget);
        if (deadline == NULL) return budget == 0;
        const struct bough_kv_outside *block =
            bough_container(deadline, struct bough_kv_outside, deadline);
        remove_cell(table, cell_of(table, block->hash, block));
    }
}

size_t bough_kv_table_count(const struct bough_kv_table *table)
{
    return table->count;
}

size_t bough_kv_table_expiring(const struct bough_kv_table *table)
{
    return table->wheel.count;
}

int64_t bough_kv_table_next(const struct bough_kv_table *table)
{
    return bough_kv_wheel_next(&table->wheel);
}

size_t bough_kv_table_memory(const struct bough_kv_table *table)
{
    return sizeof(*table) + table->pages.memory + table->outside_memory;
}

bool bough_kv_table_keys(const struct bough_kv_table *table,
                         const struct bough_kv_page_request *request, int64_t now_ms,
                         uint64_t *position)
{
    return bough_kv_walk(&table->pages, request, now_ms, position);
}

struct bough_kv_table_shape bough_kv_table_shape(const struct bough_kv_table *table)
{
    return (struct bough_kv_table_shape){
        .pages = table->pages.count,
        .resizes = table->pages.resizes,
        .moves = table->pages.moves,
    };
}
