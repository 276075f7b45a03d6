/* json_fields.h - messages and replies as JSON, by their field tables.
 *
 * The command line and the control socket speak JSON, actors speak flat blocks; the field
 * table of a message (core/field.h) says how the one becomes the other, and these are the
 * only functions that do it. Durations and sizes are strings with a unit; bytes are a
 * string, or
 * {"base64": "..."} when they are not UTF-8. A child spec is what a config file says of a
 * child.
 *
 * JSON that comes from outside should be loaded with JSON_REJECT_DUPLICATES and
 * JSON_ALLOW_NUL: bytes may hold NUL, texts may not, and say so. Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_FIELDS_H
#define BOUGH_CONFIG_JSON_FIELDS_H

#include <jansson.h>

#include <bough/core/actor.h>
#include <bough/core/field.h>

/* The types of actors that messages may speak of. */
struct bough_json_types {
    const struct bough_actor_type *const *all; /* of child specs; ends with NULL */
    const struct bough_actor_type *options_of; /* of a dynamic supervisor's template;
                                                  NULL: it has none */
};

/* Fills a block that the caller has begun with bough_block_init(): the fixed struct by
 * the fields, the variable parts appended. A child spec is checked as in a config file.
 * `json` is an object, or NULL for {}. Errors: BOUGH_EINVALID, `error` says what is wrong
 * with the first wrong field, its JSON pointer too; BOUGH_ENOMEM, BOUGH_ETOOLARGE. The
 * block must be finished in any case. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_json_to_block(const struct bough_json_types *types,
                    const struct bough_field *fields, size_t count, const json_t *json,
                    struct bough_block *block, struct bough_error *error);

/* Makes the message of that name for an actor of that type: begins the block in `buffer`
 * (aligned for any struct, living as long as the block), writes the message's kind and
 * its fields. `message`, may be NULL, gets the row of the type's table. Errors: as above,
 * and BOUGH_ENOTFOUND, the type has no such message (the text says what it has). The
 * block must be finished only when BOUGH_OK is returned. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status bough_json_to_message(
    const struct bough_json_types *types, const struct bough_actor_type *type,
    const char *name, const json_t *json, void *buffer, size_t buffer_size,
    struct bough_block *block, const struct bough_message_type **message,
    struct bough_error *error);

/* The object that a block says, as a new reference; NULL when memory is out. The block
 * has been made by an actor of this program or has passed bough_block_valid(). With no
 * fields it is {}. */
BOUGH_PUBLIC BOUGH_CHECKED json_t *bough_json_from_block(const struct bough_field *fields,
                                                         size_t count, const void *block);

/* Bytes as JSON: a string when they are UTF-8, else {"base64": "..."}. A new reference,
 * NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED json_t *bough_json_from_bytes(const void *bytes, size_t len);

#endif
