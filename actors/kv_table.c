/* kv_table.c - the table of a kv: entries in buckets, and a wheel of those that expire.
 *
 * An entry is one allocation: its node in the buckets, its deadline in the wheel, its
 * key, its value. A key is looked up by its position, the reversed hash; keys of one
 * position follow each other in the order in which they came.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_table_internal.h>

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <bough/actors/kv_buckets_internal.h>
#include <bough/actors/kv_wheel_internal.h>
#include <bough/core/assert.h>

struct entry {
    struct bough_kv_node node;
    struct bough_kv_deadline deadline; /* at_ms is BOUGH_FOREVER: never */
    uint32_t key_len, value_len;
    char bytes[]; /* key, value */
};

struct bough_kv_table {
    size_t count;
    size_t max_memory;
    size_t entry_memory; /* bytes of all entries */
    uint64_t seed;
    uint64_t (*hash)(const void *key, size_t key_len, uint64_t seed);
    struct bough_kv_wheel wheel;
    struct bough_kv_buckets buckets;
};

static uint64_t xxh3(const void *key, size_t key_len, uint64_t seed)
{
    return XXH3_64bits_withSeed(key, key_len, seed);
}

static uint64_t position_of(const struct bough_kv_table *table, const void *key,
                            size_t key_len)
{
    return bough_kv_position(table->hash(key, key_len, table->seed));
}

static struct entry *entry_of(struct bough_kv_node *node)
{
    return bough_container(node, struct entry, node);
}

/* How many bytes more the table may take. */
static size_t room_in(const struct bough_kv_table *table)
{
    const size_t memory = bough_kv_table_memory(table);

    return memory < table->max_memory ? table->max_memory - memory : 0;
}

static size_t entry_size(size_t key_len, size_t value_len)
{
    return sizeof(struct entry) + key_len + value_len;
}

static bool is_expired(const struct entry *entry, int64_t now_ms)
{
    return entry->deadline.at_ms <= now_ms;
}

static bool has_key(const struct entry *entry, const void *key, size_t key_len)
{
    return entry->key_len == key_len && memcmp(entry->bytes, key, key_len) == 0;
}

/* The link to the key's entry; when there is none, the link where it belongs, and
 * `*found` is false. */
static struct bough_kv_node **find(const struct bough_kv_table *table, uint64_t position,
                                   const void *key, size_t key_len, bool *found)
{
    struct bough_kv_node **link = bough_kv_buckets_head(&table->buckets, position);

    *found = false;
    for (; *link && (*link)->position <= position; link = &(*link)->next) {
        if ((*link)->position != position) continue;
        *found = has_key(entry_of(*link), key, key_len);
        if (*found) break;
    }
    return link;
}

static struct entry *find_entry(const struct bough_kv_table *table, const void *key,
                                size_t key_len)
{
    bool found;
    struct bough_kv_node **link =
        find(table, position_of(table, key, key_len), key, key_len, &found);

    return found ? entry_of(*link) : NULL;
}

static void free_entry(struct bough_kv_table *table, struct entry *entry)
{
    bough_kv_wheel_remove(&table->wheel, &entry->deadline);
    table->entry_memory -= entry_size(entry->key_len, entry->value_len);
    free(entry);
}

static struct entry *new_entry(struct bough_kv_table *table, uint64_t position,
                               const struct bough_kv_pair *pair)
{
    const size_t size = entry_size(pair->key_len, pair->value_len);
    struct entry *entry = malloc(size);

    if (entry == NULL) return NULL;
    *entry = (struct entry){
        .node.position = position,
        .key_len = (uint32_t)pair->key_len,
        .value_len = (uint32_t)pair->value_len,
    };
    memcpy(entry->bytes, pair->key, pair->key_len);
    memcpy(entry->bytes + pair->key_len, pair->value, pair->value_len);
    table->entry_memory += size;
    return entry;
}

static void set_deadline(struct bough_kv_table *table, struct entry *entry,
                         int64_t expires_ms)
{
    bough_kv_wheel_remove(&table->wheel, &entry->deadline);
    if (expires_ms == BOUGH_FOREVER) {
        entry->deadline.at_ms = BOUGH_FOREVER;
    } else {
        bough_kv_wheel_add(&table->wheel, &entry->deadline, expires_ms);
    }
}

/* Takes an entry out of its bucket, and releases it. */
static void remove_entry(struct bough_kv_table *table, struct bough_kv_node **link)
{
    struct bough_kv_node *node = *link;

    *link = node->next;
    table->count--;
    free_entry(table, entry_of(node));
    bough_kv_buckets_shrink(&table->buckets, table->count);
}

/* Puts an entry for the pair at `link`, in place of `old` when that is not NULL. */
static enum bough_status put_entry(struct bough_kv_table *table,
                                   struct bough_kv_node **link, struct entry *old,
                                   uint64_t position, const struct bough_kv_pair *pair)
{
    const size_t size = entry_size(pair->key_len, pair->value_len);
    const size_t old_size = old ? entry_size(old->key_len, old->value_len) : 0;

    if (size > old_size && size - old_size > room_in(table)) return BOUGH_EREFUSED;
    struct entry *entry = new_entry(table, position, pair);
    if (entry == NULL) return BOUGH_ENOMEM;
    entry->node.next = old ? old->node.next : *link;
    *link = &entry->node;
    if (old) {
        free_entry(table, old);
    } else {
        table->count++;
    }
    set_deadline(table, entry, pair->expires_ms);
    return BOUGH_OK;
}

/* The table */

struct bough_kv_table *bough_kv_table_new(const struct bough_kv_table_options *options)
{
    struct bough_kv_table *table = calloc(1, sizeof(*table));

    if (table == NULL) return NULL;
    if (bough_kv_buckets_init(&table->buckets) != BOUGH_OK) {
        free(table);
        return NULL;
    }
    table->max_memory = options->max_memory ? options->max_memory : SIZE_MAX;
    table->seed = options->seed;
    table->hash = options->hash ? options->hash : xxh3;
    bough_kv_wheel_init(&table->wheel, options->now_ms);
    return table;
}

static void free_bucket(struct bough_kv_node *node)
{
    while (node) {
        struct bough_kv_node *next = node->next;
        free(entry_of(node));
        node = next;
    }
}

void bough_kv_table_free(struct bough_kv_table *table)
{
    uint64_t position = 0;

    if (table == NULL) return;
    do {
        free_bucket(*bough_kv_buckets_head(&table->buckets, position));
        position = bough_kv_buckets_next(&table->buckets, position);
    } while (position != 0);
    bough_kv_buckets_finish(&table->buckets);
    free(table);
}

enum bough_status bough_kv_table_set(struct bough_kv_table *table,
                                     const struct bough_kv_pair *pair, int64_t now_ms,
                                     bool *created)
{
    bough_assert(pair->key_len <= UINT32_MAX);
    bough_assert(pair->value_len <= UINT32_MAX);

    const uint64_t position = position_of(table, pair->key, pair->key_len);
    bool found;
    struct bough_kv_node **link = find(table, position, pair->key, pair->key_len, &found);
    struct entry *old = found ? entry_of(*link) : NULL;
    const bool was_there = old && !is_expired(old, now_ms);

    if (old && old->value_len == pair->value_len) {
        memcpy(old->bytes + old->key_len, pair->value, pair->value_len);
        set_deadline(table, old, pair->expires_ms);
    } else {
        enum bough_status status = put_entry(table, link, old, position, pair);
        if (status != BOUGH_OK) return status;
        bough_kv_buckets_grow(&table->buckets, table->count, room_in(table));
    }
    *created = !was_there;
    return BOUGH_OK;
}

int64_t bough_kv_table_need(const struct bough_kv_table *table, const void *key,
                            size_t key_len, size_t value_len)
{
    const struct entry *entry = find_entry(table, key, key_len);

    if (entry) return (int64_t)value_len - (int64_t)entry->value_len;
    return (int64_t)entry_size(key_len, value_len);
}

bool bough_kv_table_get(const struct bough_kv_table *table, const void *key,
                        size_t key_len, int64_t now_ms, struct bough_kv_value *value)
{
    const struct entry *entry = find_entry(table, key, key_len);

    if (entry == NULL || is_expired(entry, now_ms)) return false;
    if (value) {
        value->data = entry->bytes + entry->key_len;
        value->len = entry->value_len;
        value->expires_ms = entry->deadline.at_ms;
    }
    return true;
}

bool bough_kv_table_del(struct bough_kv_table *table, const void *key, size_t key_len,
                        int64_t now_ms)
{
    bool found;
    struct bough_kv_node **link =
        find(table, position_of(table, key, key_len), key, key_len, &found);

    if (!found) return false;
    const bool was_there = !is_expired(entry_of(*link), now_ms);
    remove_entry(table, link);
    return was_there;
}

bool bough_kv_table_expire(struct bough_kv_table *table, int64_t now_ms, size_t budget)
{
    for (;;) {
        struct bough_kv_deadline *deadline =
            bough_kv_wheel_pop(&table->wheel, now_ms, &budget);
        if (deadline == NULL) return budget == 0;
        struct entry *entry = bough_container(deadline, struct entry, deadline);
        struct bough_kv_node **link =
            bough_kv_buckets_head(&table->buckets, entry->node.position);
        while (*link != &entry->node) {
            link = &(*link)->next;
        }
        remove_entry(table, link);
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
    return sizeof(*table) + table->buckets.memory + table->entry_memory;
}

/* Paging */

struct walk {
    const struct bough_kv_page *page;
    int64_t now_ms;
    size_t keys, bytes, steps;
};

static bool is_used_up(const struct walk *walk)
{
    return walk->keys >= walk->page->max_keys || walk->bytes >= walk->page->max_bytes ||
           walk->steps >= walk->page->max_steps;
}

static void visit_entry(struct walk *walk, const struct entry *entry)
{
    const struct bough_kv_page *page = walk->page;

    walk->steps++;
    if (is_expired(entry, walk->now_ms) || entry->key_len < page->prefix_len) return;
    if (memcmp(entry->bytes, page->prefix, page->prefix_len) != 0) return;
    walk->keys++;
    walk->bytes += entry->key_len;
    page->visit(page->data, entry->bytes, entry->key_len);
}

/* Visits a bucket's entries from `*position` on. False, and `*position` moved to the
 * first entry that is left, when the page was full before the bucket's end. */
static bool visit_bucket(struct walk *walk, struct bough_kv_node *node,
                         uint64_t *position)
{
    uint64_t last = *position;

    for (; node; node = node->next) {
        if (node->position < *position) continue;
        if (node->position != last && is_used_up(walk)) {
            *position = node->position;
            return false;
        }
        last = node->position;
        visit_entry(walk, entry_of(node));
    }
    return true;
}

bool bough_kv_table_keys(const struct bough_kv_table *table,
                         const struct bough_kv_page *page, int64_t now_ms,
                         uint64_t *position)
{
    struct walk walk = { .page = page, .now_ms = now_ms };

    do {
        struct bough_kv_node *first = *bough_kv_buckets_head(&table->buckets, *position);
        walk.steps++;
        if (!visit_bucket(&walk, first, position)) return false;
        *position = bough_kv_buckets_next(&table->buckets, *position);
        if (*position == 0) return true;
    } while (!is_used_up(&walk));
    return false;
}

struct bough_kv_table_shape bough_kv_table_shape(const struct bough_kv_table *table)
{
    return (struct bough_kv_table_shape){
        .buckets = table->buckets.count,
        .resizes = table->buckets.resizes,
        .moves = table->buckets.moves,
    };
}
