/* name_internal.h - the tree of named places of a runtime, and its table of paths.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_NAME_INTERNAL_H
#define BOUGH_CORE_NAME_INTERNAL_H

#include <bough/core/slot_internal.h>

/* The entry of a path, or NULL. */
struct bough_name *bough_name_find(struct bough_runtime *runtime, const char *path);

/* The path of a name under `parent`; false when it is too long. */
bool bough_name_path(const struct bough_name *parent, const char *name,
                     char path[BOUGH_PATH_MAX]);

/* Gives a slot a name under `parent` (NULL: the root, whose name is "/"), last of its
 * siblings, and does not write to the slot, which may be another loop's. NULL when
 * memory is out; BOUGH_PATH_MAX is the caller's to check. */
struct bough_name *bough_name_new(struct bough_actor *slot, struct bough_name *parent,
                                  const char *name);

/* Moves it behind its siblings: a child that is made anew counts as the last one made. */
void bough_name_to_last(struct bough_name *name);

/* Takes it out of the table, with all below it: their paths are free for other places. */
void bough_name_unlist(struct bough_name *name);

/* Takes it out of tree and table, and those below it out of the table. Frees one without
 * children. All under the runtime's lock. */
void bough_name_detach(struct bough_name *name);
void bough_name_free(struct bough_name *name);

/* place.c: frees the empty places under it up to that of `first`; NULL: all. */
void bough_name_sweep(struct bough_name *parent, const struct bough_actor *first);

/* place_new.c: a name with a slot that knows no type yet, on this loop or on one of a
 * thread of its own. BOUGH_ENOMEM, BOUGH_ESYSTEM. */
enum bough_status bough_slot_reserve(struct bough_loop *loop, bool apart,
                                     struct bough_name *parent, const char *text,
                                     struct bough_name **name);
void bough_slot_free_options(struct bough_actor *slot);

#endif
