/* name.c - names of places: which are valid, the tree of them, and the table of paths.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/name_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime_internal.h>

/* Neither isalnum() here nor snprintf() where paths are joined: a process that is born
 * needs no other function of theirs, and the pages that they lie in are an eighth of all
 * that it would have to fetch, and to give back at its end. */
static bool is_in_names(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '-';
}

static bool name_is_valid(const char *name, size_t len)
{
    if (len == 0 || len > BOUGH_NAME_MAX) return false;
    if (strncmp(name, "..", len) == 0 && len <= 2) return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_in_names(name[i])) return false;
    }
    return true;
}

bool bough_name_valid(const char *name)
{
    return name_is_valid(name, strnlen(name, BOUGH_NAME_MAX + 1));
}

bool bough_path_valid(const char *path)
{
    if (path[0] != '/' || strnlen(path, BOUGH_PATH_MAX) == BOUGH_PATH_MAX) return false;
    if (path[1] == '\0') return true;
    while (*path == '/') {
        const size_t len = strcspn(path + 1, "/");
        if (!name_is_valid(path + 1, len)) return false;
        path += 1 + len;
    }
    return true;
}

/* The tree and the table */

struct bough_name *bough_name_find(struct bough_runtime *runtime, const char *path)
{
    struct bough_name *name;

    HASH_FIND_STR(runtime->names, path, name);
    return name;
}

/* The bytes of a path, with its end; written if there is room for them. */
static size_t join(const struct bough_name *parent, const char *name, char *path,
                   size_t room)
{
    const char *above = parent == NULL || parent->parent == NULL ? "" : parent->path;
    const size_t begin = strlen(above), slash = parent != NULL ? 1 : 0;
    const size_t size = begin + slash + strlen(name) + 1;

    if (size > room) return size;
    memcpy(path, above, begin);
    if (slash > 0) path[begin] = '/';
    memcpy(path + begin + slash, name, size - begin - slash);
    return size;
}

bool bough_name_path(const struct bough_name *parent, const char *name,
                     char path[BOUGH_PATH_MAX])
{
    return join(parent, name, path, BOUGH_PATH_MAX) <= BOUGH_PATH_MAX;
}

static void link_last(struct bough_name *name, struct bough_name *parent)
{
    name->parent = parent;
    name->next = NULL;
    name->previous = parent != NULL ? parent->last : NULL;
    if (parent == NULL) return;
    if (parent->last != NULL) {
        parent->last->next = name;
    } else {
        parent->first = name;
    }
    parent->last = name;
}

static void unlink_name(struct bough_name *name)
{
    struct bough_name *parent = name->parent;

    if (parent == NULL) return;
    *(name->previous != NULL ? &name->previous->next : &parent->first) = name->next;
    *(name->next != NULL ? &name->next->previous : &parent->last) = name->previous;
}

void bough_name_to_last(struct bough_name *name)
{
    struct bough_name *parent = name->parent;

    unlink_name(name);
    link_last(name, parent);
}

struct bough_name *bough_name_new(struct bough_actor *slot, struct bough_name *parent,
                                  const char *name)
{
    struct bough_runtime *runtime = slot->loop->runtime;
    const size_t size = join(parent, name, NULL, 0);
    struct bough_name *entry = calloc(1, sizeof(*entry) + size);

    if (entry == NULL) return NULL;
    join(parent, name, entry->path, size);
    entry->slot = slot;
    HASH_ADD_STR(runtime->names, path, entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return NULL;
    }
    link_last(entry, parent);
    entry->annex.name = entry;
    return entry;
}

void bough_name_unlist(struct bough_name *name)
{
    struct bough_runtime *runtime = name->slot->loop->runtime;

    for (struct bough_name *below = name->first; below != NULL; below = below->next)
        bough_name_unlist(below);
    if (name->unlisted) return;
    name->unlisted = true;
    HASH_DEL(runtime->names, name);
}

void bough_name_detach(struct bough_name *name)
{
    if (name->detached) return;
    name->detached = true;
    unlink_name(name);
    name->parent = NULL;
    bough_name_unlist(name);
}

void bough_name_free(struct bough_name *name)
{
    bough_assert(name->detached && name->first == NULL);
    free(name);
}
