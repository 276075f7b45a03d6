/* json_options_internal.h - options of an actor from JSON: a struct with pointers, filled
 * by its field table, all its parts in one arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_OPTIONS_INTERNAL_H
#define BOUGH_CONFIG_JSON_OPTIONS_INTERNAL_H

#include <bough/config/arena_internal.h>
#include <bough/config/json_value_internal.h>

/* Who reads options. Embedded. */
struct bough_options_reader {
    struct bough_json_reader json; /* set `report`; the rest is set here */
    struct bough_arena *arena;
    /* Told of every BOUGH_PATH that is given; `path` is in the arena. May be NULL. */
    void (*refer)(struct bough_options_reader *reader, const struct bough_field *field,
                  const char *path, const struct bough_json_place *place);
};

/* Fills `options`, zeroed memory of the table's struct, from an object (NULL: an empty
 * one); what is not given gets its fallback, so that the struct is complete. Reports all
 * that is wrong; out of memory is known to the arena. */
void bough_json_to_options(struct bough_options_reader *reader,
                           const struct bough_field *fields, size_t count,
                           const json_t *object, const struct bough_json_place *place,
                           void *options);

/* One member of such a struct; value NULL: the fallback. */
void bough_json_to_option(struct bough_options_reader *reader,
                          const struct bough_field *field, const json_t *value,
                          const struct bough_json_place *place, void *options);

#endif
