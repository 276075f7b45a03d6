/* json_options_internal.h - options of an actor from JSON: a struct with pointers, filled
 * by its field table, all its parts in one arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_OPTIONS_INTERNAL_H
#define BOUGH_CONFIG_JSON_OPTIONS_INTERNAL_H

#include <bough/config/arena_internal.h>
#include <bough/config/json_value_internal.h>
#include <bough/core/actor.h>

/* Who reads options. Embedded. */
struct bough_options_reader {
    struct bough_json_reader json; /* set `report`; the rest is set here */
    struct bough_arena *arena;
    /* The folder of the config, with a slash, to which paths of files are relative; NULL:
     * they are left as they are. */
    const char *folder;
    /* Told of every BOUGH_PATH that is given; `path` is in the arena. May be NULL. */
    void (*refer)(struct bough_options_reader *reader, const struct bough_field *field,
                  const char *path, const struct bough_json_place *place);
};

/* Fills `options`, zeroed memory of the type's struct, from an object (NULL: an empty
 * one); what is not given gets its fallback, so that the struct is complete. Reports all
 * that is wrong, with each option and then with how they go together; out of memory is
 * known to the arena. */
void bough_json_to_options(struct bough_options_reader *reader,
                           const struct bough_actor_type *type, const json_t *object,
                           const struct bough_json_place *place, void *options);

/* One member of such a struct; value NULL: the fallback. */
void bough_json_to_option(struct bough_options_reader *reader,
                          const struct bough_field *field, const json_t *value,
                          const struct bough_json_place *place, void *options);

#endif
