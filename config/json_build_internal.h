/* json_build_internal.h - JSON put together part by part, the lack of memory seen once.
 *
 * A part that could not be made is NULL; putting it somewhere makes the whole NULL, and
 * so on upwards, so that only the end needs a look.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_BUILD_INTERNAL_H
#define BOUGH_CONFIG_JSON_BUILD_INTERNAL_H

#include <jansson.h>

/* Takes `value`. On failure `*object` is released and NULL. */
static inline void bough_json_put(json_t **object, const char *key, json_t *value)
{
    if (*object == NULL) {
        json_decref(value);
    } else if (json_object_set_new(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

/* The same for an array. */
static inline void bough_json_push(json_t **array, json_t *value)
{
    if (*array == NULL) {
        json_decref(value);
    } else if (json_array_append_new(*array, value) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

#endif
