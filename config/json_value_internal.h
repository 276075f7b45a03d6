/* json_value_internal.h - one JSON value held against one field: what a config's options
 * and a message's fields have in common.
 *
 * Who reads says through a report where errors go: a config gathers them, a message keeps
 * the first. All functions that return a bool have reported when it is false.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_JSON_VALUE_INTERNAL_H
#define BOUGH_CONFIG_JSON_VALUE_INTERNAL_H

#include <jansson.h>

#include <bough/config/pointer_internal.h>
#include <bough/config/quote_internal.h>
#include <bough/core/field.h>

/* Where errors go. Embedded. */
struct bough_report {
    void (*add)(struct bough_report *report, const struct bough_json_place *place,
                enum bough_at at, const char *text);
};

/* Hands errors on to another, and knows whether there were any. Embedded. */
struct bough_relay {
    struct bough_report report;
    struct bough_report *to;
    bool wrong;
};
void bough_relay_init(struct bough_relay *relay, struct bough_report *to);

/* Adds a sentence. Returns false. */
bool bough_report_add(struct bough_report *report, const struct bough_json_place *place,
                      enum bough_at at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The name of what is at `place`, quoted; "item 2" in an array, "the tree" at root. */
const char *bough_place_name(const struct bough_json_place *place,
                             char quoted[BOUGH_QUOTED]);

/* "... must be `what`, not ...". Returns false. */
bool bough_json_must_be(struct bough_report *report, const struct bough_json_place *place,
                        const char *what, const json_t *value);

/* What a field's value looks like: "a string", "one of "keep" or "discard"". */
const char *bough_field_phrase(const struct bough_field *field, char *buffer,
                               size_t size);

/* Whether values of the kind stand in the struct itself, as numbers: BOOL to CHOICE. */
static inline bool bough_kind_is_plain(enum bough_kind kind)
{
    return kind <= BOUGH_CHOICE;
}

/* Checks a value of a plain kind, its range too, and writes it to `*member`. */
bool bough_json_plain(struct bough_report *report, const struct bough_field *field,
                      const json_t *value, const struct bough_json_place *place,
                      void *member);

/* Writes the fallback of a field of a plain kind. */
void bough_field_fallback(const struct bough_field *field, void *member);

/* A value of a plain kind as JSON; a new reference, NULL when memory is out. */
json_t *bough_json_from_plain(const struct bough_field *field, const void *member);

/* Checks that it is a string without NUL. */
bool bough_json_text(struct bough_report *report, const struct bough_field *field,
                     const json_t *value, const struct bough_json_place *place);

/* A member of an object that fits none: did you mean, or what there is. `noun` is
 * "option", "field" or "key"; `names` ends with NULL. Returns false. */
bool bough_json_unknown(struct bough_report *report, const struct bough_json_place *place,
                        const char *noun, const char *const *names);

/* Whether an object has a key that is not known and near to `name`: then `name` is not
 * missing but misspelt, and that is reported already. */
bool bough_json_misspelt(const json_t *object, const char *name,
                         bool (*known)(const void *data, const char *key),
                         const void *data);

/* How the members of an object are taken by a table of fields. Embedded. */
struct bough_json_reader {
    struct bough_report *report;
    const char *noun;
    /* Takes one that is there, or (value NULL) the fallback of an optional one that is
     * not. `target` is what was handed to bough_json_members(). */
    void (*take)(struct bough_json_reader *reader, const struct bough_field *field,
                 const json_t *value, const struct bough_json_place *place, void *target);
};

/* Walks an object: unknown members, missing ones, and take() for the rest. `object` NULL
 * is an empty one. */
void bough_json_members(struct bough_json_reader *reader,
                        const struct bough_field *fields, size_t count,
                        const json_t *object, const struct bough_json_place *place,
                        void *target);

#endif
