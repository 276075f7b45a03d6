/* tally.c - how often the actors of a tree have ended, by path and reason.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/tally.h>

/* No memory for the table is a count that is missing, not the end of the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t exits[BOUGH_EXIT_KIND_COUNT];
    UT_hash_handle hh;
    char path[];
};

struct bough_tally {
    pthread_mutex_t lock;
    struct entry *entries; /* by path */
};

struct bough_tally *bough_tally_new(void)
{
    struct bough_tally *tally = calloc(1, sizeof(*tally));

    if (tally != NULL) pthread_mutex_init(&tally->lock, NULL);
    return tally;
}

void bough_tally_free(struct bough_tally *tally)
{
    struct entry *entry, *next;

    if (tally == NULL) return;
    HASH_ITER (hh, tally->entries, entry, next) {
        HASH_DEL(tally->entries, entry);
        free(entry);
    }
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

static struct entry *find(struct bough_tally *tally, const char *path)
{
    struct entry *entry;

    HASH_FIND(hh, tally->entries, path, strlen(path), entry);
    return entry;
}

static struct entry *enter(struct bough_tally *tally, const char *path)
{
    const size_t length = strlen(path);
    struct entry *entry = find(tally, path);

    if (entry != NULL) return entry;
    entry = calloc(1, sizeof(*entry) + length + 1);
    if (entry == NULL) return NULL;
    memcpy(entry->path, path, length);
    HASH_ADD_KEYPTR(hh, tally->entries, entry->path, length, entry);
    if (entry->hh.tbl != NULL) return entry;
    free(entry);
    return NULL;
}

static void forget(struct bough_tally *tally, const char *path)
{
    struct entry *entry = find(tally, path);

    if (entry == NULL) return;
    HASH_DEL(tally->entries, entry);
    free(entry);
}

void bough_tally_add(struct bough_tally *tally, const struct bough_event *event)
{
    struct entry *entry;

    if (event->kind != BOUGH_EVENT_EXITED && event->kind != BOUGH_EVENT_REMOVED) return;
    pthread_mutex_lock(&tally->lock);
    if (event->kind == BOUGH_EVENT_REMOVED) {
        forget(tally, event->path);
    } else if (event->reason != NULL && event->reason->kind < BOUGH_EXIT_KIND_COUNT) {
        entry = enter(tally, event->path);
        if (entry != NULL) entry->exits[event->reason->kind]++;
    }
    pthread_mutex_unlock(&tally->lock);
}

bool bough_tally_exits(struct bough_tally *tally, const char *path,
                       uint64_t exits[BOUGH_EXIT_KIND_COUNT])
{
    memset(exits, 0, BOUGH_EXIT_KIND_COUNT * sizeof(exits[0]));
    pthread_mutex_lock(&tally->lock);
    const struct entry *entry = find(tally, path);

    if (entry != NULL) memcpy(exits, entry->exits, sizeof(entry->exits));
    pthread_mutex_unlock(&tally->lock);
    return entry != NULL;
}
