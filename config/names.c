/* names.c - which actor is called what: one hash table for the whole tree.
 *
 * The key is the parent's address and the name, so that the table costs the same however
 * the actors are spread over supervisors, and no path is ever put together.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/place.h>

/* Memory that is out is told, and every comparison is counted as work. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (config->arena.failed = true)
#define HASH_KEYCMP(a, b, n) (config->steps++, memcmp(a, b, n))
#include <uthash.h>

struct key {
    const struct bough_record *parent;
    char name[BOUGH_NAME_MAX];
};

struct bough_names {
    struct bough_record *record;
    struct key key;
    UT_hash_handle hh;
};

/* Returns the bytes of the key that count. */
static unsigned key_make(struct key *key, const struct bough_record *parent,
                         const char *name, size_t len)
{
    bough_assert(len <= BOUGH_NAME_MAX);
    key->parent = parent;
    memcpy(key->name, name, len);
    return (unsigned)(offsetof(struct key, name) + len);
}

struct bough_record *bough_names_find(struct bough_config *config,
                                      const struct bough_record *parent, const char *name,
                                      size_t len)
{
    struct bough_names *found = NULL;
    struct key key;
    unsigned size = key_make(&key, parent, name, len);

    HASH_FIND(hh, config->names, &key, size, found);
    return found == NULL ? NULL : found->record;
}

struct bough_record *bough_names_add(struct bough_config *config,
                                     struct bough_record *record)
{
    size_t len = strlen(record->name);
    struct bough_record *same =
        bough_names_find(config, record->parent, record->name, len);
    struct bough_names *entry;
    unsigned size;

    if (same != NULL) return same;
    entry = bough_arena_alloc(&config->scratch, 1, sizeof(*entry));
    if (entry == NULL) return NULL;
    entry->record = record;
    size = key_make(&entry->key, record->parent, record->name, len);
    HASH_ADD_KEYPTR(hh, config->names, &entry->key, size, entry);
    return NULL;
}

void bough_names_finish(struct bough_config *config)
{
    HASH_CLEAR(hh, config->names);
}
