/* errors_internal.h - what is wrong with a config, gathered in any order and printed in
 * that of the text.
 *
 * Errors are added while the config is checked, at a place in the JSON or at a byte of
 * the text. bough_errors_settle() then finds the positions. Only the first hundred are
 * kept, and the rest counted, so that a hopeless file costs no more than a wrong one.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_ERRORS_INTERNAL_H
#define BOUGH_CONFIG_ERRORS_INTERNAL_H

#include <stdio.h>

#include <bough/config/arena_internal.h>
#include <bough/config/config.h>
#include <bough/config/pointer_internal.h>
#include <bough/config/source_internal.h>

struct bough_noted_error {
    struct bough_config_error error;
    enum bough_at at;
    size_t offset; /* bytes; known at once, or when settled */
    bool placed;   /* the offset is known */
};

/* Zeroed, with an arena, is empty. */
struct bough_errors {
    struct bough_arena *arena;
    size_t count, kept;
    struct bough_noted_error noted[BOUGH_CONFIG_ERRORS_MAX];
};

/* Counts an error and returns true when no more are kept: for those whose sentence would
 * cost much to make. */
bool bough_errors_skip(struct bough_errors *errors);

/* About the whole file: no position. */
void bough_errors_add_file(struct bough_errors *errors, enum bough_status status,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* At a byte of the text; `place` is the innermost value around it. */
void bough_errors_add_offset(struct bough_errors *errors, size_t offset,
                             const struct bough_json_place *place, const char *format,
                             ...) __attribute__((format(printf, 4, 5)));

/* At a value or its key. */
void bough_errors_add(struct bough_errors *errors, const struct bough_json_place *place,
                      enum bough_at at, const char *text);

/* The same for a pointer that was kept. */
void bough_errors_add_pointer(struct bough_errors *errors, const char *pointer,
                              const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Finds the positions and sorts by them. The locator's text is the source's with nothing
 * but JSON in it, so that offsets are the same; NULL when it is not right JSON. */
void bough_errors_settle(struct bough_errors *errors, struct bough_source *source,
                         struct bough_locator *locator);

/* `word` is what they are called: "error" or "warning". */
void bough_errors_print(const struct bough_errors *errors,
                        const struct bough_source *source, const char *word,
                        FILE *stream);

#endif
