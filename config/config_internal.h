/* config_internal.h - a config while it is checked: the actors found so far, their names,
 * and what they refer to.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_CONFIG_INTERNAL_H
#define BOUGH_CONFIG_CONFIG_INTERNAL_H

#include <bough/config/arena_internal.h>
#include <bough/config/config.h>
#include <bough/config/errors_internal.h>
#include <bough/config/json_value_internal.h>
#include <bough/config/source_internal.h>

struct bough_names; /* names.c's table */
struct bough_reference;

/* An actor of the tree, right or wrong. In the scratch arena. */
struct bough_record {
    struct bough_record *parent; /* NULL: the root */
    const char *name;            /* NULL: none that is valid; "" for the root */
    const char *type;            /* NULL: none that is known */
    size_t index;                /* among its siblings, which is their start order */
    int depth;                   /* the root is 0 */
    size_t path_len;             /* bytes of its path, 0 for the root */
    struct bough_record *children;
    size_t child_count;
    int64_t replicas;   /* of a group; 0: it is none */
    bool is_dynamic;    /* a supervisor of children made by request, or ... */
    bool is_on_request; /* ... at or below the template of one: starts later, if ever */
    bool shuts_down_never; /* a supervisor whose auto_shutdown is "never" */

    /* private to references.c */
    struct bough_reference *needs; /* what its branch must start after, among siblings */
    const struct bough_reference *via; /* how a search came here */
    struct bough_record *queue_next;
    size_t mark, cycle; /* the search that was here; the cycle it is known to be in */
};

struct bough_config {
    struct bough_arena arena;
    struct bough_arena
        scratch; /* what only the check needs: records, names, references */
    struct bough_source source;
    struct bough_errors errors, warnings;
    struct bough_config_tree tree;
    struct bough_report report; /* adds to the errors */

    /* while it is checked */
    const struct bough_actor_type *const *types;
    char *json;         /* the text with nothing but JSON in it */
    const char *folder; /* that of the file, with a slash; NULL: it was named without */
    struct bough_locator locator;
    struct bough_record root;
    struct bough_names *names;
    struct bough_reference *references, **references_end;
    size_t steps; /* work done: bytes scanned, keys looked at, names compared */
};

/* check.c: walks the tree, adds what is wrong with it, and makes the specs. */
void bough_config_check(struct bough_config *config, const json_t *root);

/* The same for one child by itself, as it stands at `place` in other JSON, for a
 * supervisor of which nothing is known. `config` is zeroed but for its types and its
 * report. */
void bough_config_check_child(struct bough_config *config, const json_t *object,
                              const struct bough_json_place *place,
                              struct bough_child_spec *spec);

/* Releases what only a check needs, when its errors are settled. Out of memory there is
 * known to the lasting arena from then on. */
void bough_config_check_finish(struct bough_config *config);

/* warnings.c: walks a tree that is right, and adds what is hardly meant. */
void bough_config_warn(struct bough_config *config, const json_t *root);

/* names.c: which actor is called what, by parent and name, in linear time. */

/* Adds a record that has a parent and a name. Returns the record that has that name
 * already, or NULL; out of memory is known to the arena. */
struct bough_record *bough_names_add(struct bough_config *config,
                                     struct bough_record *record);

/* The child of that name, of `len` bytes; NULL when there is none. */
struct bough_record *bough_names_find(struct bough_config *config,
                                      const struct bough_record *parent, const char *name,
                                      size_t len);
void bough_names_finish(struct bough_config *config);

/* references.c: paths of other actors. */

/* Notes one; `path` and the field outlive the config's check. */
void bough_reference_note(struct bough_config *config, struct bough_record *from,
                          const struct bough_field *field, const char *path,
                          const struct bough_json_place *place);

/* Checks all, when the tree is known. */
void bough_references_check(struct bough_config *config);

#endif
