/* pointer_internal.h - where a value lies: on the stack while it is looked at, as a JSON
 * pointer (RFC 6901) in a message, as a position in the text for a person.
 *
 * jansson keeps no positions. So a walk over values carries a chain of steps, which costs
 * nothing until something is wrong; then the chain is printed as a pointer, and at the
 * end the pointer is followed through the text.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_POINTER_INTERNAL_H
#define BOUGH_CONFIG_POINTER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/public.h>

/* One step from the root of a JSON value; `up` NULL is the root itself. */
struct bough_json_place {
    const struct bough_json_place *up;
    const char *key; /* in an object; NULL: in an array */
    size_t index;    /* in an array */
};

/* What part of a place is meant. */
enum bough_at { BOUGH_AT_VALUE, BOUGH_AT_KEY };

/* Bytes of the pointer, without its NUL. */
size_t bough_pointer_length(const struct bough_json_place *place);

/* Writes as much of it as fits, with a NUL. */
void bough_pointer_print(const struct bough_json_place *place, char *buffer, size_t size);

/* What a search in a text has found, by depth. */
struct bough_locator_level {
    bool known;
    size_t container;  /* where the array or object begins */
    size_t index;      /* of an array's element */
    size_t key, value; /* where they begin; of an array's element both are the same */
};

enum { BOUGH_LOCATOR_LEVELS = 256 };

/* Searches in one text, which remember where the last one went: errors lie close
 * together, and many in a large text must not cost a walk through it each. Zeroed but for
 * the text. */
struct bough_locator {
    const char *text; /* JSON that is known to be right, with nothing but JSON in it */
    size_t len;
    /* private */
    struct bough_locator_level levels[BOUGH_LOCATOR_LEVELS];
};

/* Finds the value of a pointer, or its key. Of keys that are there twice it is the last,
 * as with jansson. Where the pointer leads nowhere, the innermost value on its way is
 * meant. Writes bytes from the start of the text; false when memory is out. */
BOUGH_CHECKED bool bough_pointer_locate(struct bough_locator *locator,
                                        const char *pointer, enum bough_at part,
                                        size_t *offset);

/* Bytes that the value (or the string) at `at` takes; white space before it is not
 * skipped. For right JSON. */
size_t bough_json_skip(const char *text, size_t len, size_t at);

/* Decodes the string whose opening quote is at `at`, which is right JSON, into `buffer`,
 * cut to its size, with a NUL. Returns the whole length in bytes, without the NUL. */
size_t bough_json_string(const char *text, size_t at, char *buffer, size_t size);

#endif
