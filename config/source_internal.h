/* source_internal.h - the text of a config: read whole, and shown in part.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_SOURCE_INTERNAL_H
#define BOUGH_CONFIG_SOURCE_INTERNAL_H

#include <stddef.h>
#include <stdio.h>

#include <bough/core/status.h>

/* Zeroed is empty. */
struct bough_source {
    const char *name; /* as messages call it; the owner's */
    char *text;       /* UTF-8 when it was checked; a NUL follows */
    size_t len;       /* bytes */
    /* private */
    size_t line_offset; /* where the line begins that was asked for last */
    int lines_before;   /* how many lines are before it */
};

/* Reads the file `name`. Errors: BOUGH_ENOMEM; BOUGH_ESYSTEM (cannot be read);
 * BOUGH_EINVALID (a directory, no regular file); BOUGH_ETOOLARGE. */
BOUGH_CHECKED enum bough_status bough_source_read(struct bough_source *source,
                                                  const char *name,
                                                  struct bough_error *error);

/* Copies a text. Errors: BOUGH_ENOMEM, BOUGH_ETOOLARGE. */
BOUGH_CHECKED enum bough_status bough_source_copy(struct bough_source *source,
                                                  const char *name, const char *text,
                                                  size_t len, struct bough_error *error);

void bough_source_finish(struct bough_source *source);

/* A position for people: line from 1, column in characters from 1. A byte order mark at
 * the start of the text is no character. Goes on from the last one that was asked for,
 * when that was before. */
void bough_source_position(struct bough_source *source, size_t offset, int *line,
                           int *column);

/* Prints the line of `offset` with a caret under it; a long line is cut around it. */
void bough_source_print(const struct bough_source *source, size_t offset, int line,
                        FILE *stream);

/* Prints a text with control characters as '?'. */
void bough_source_print_safe(const char *text, FILE *stream);

/* Bytes of the UTF-8 byte order mark that the text begins with: 3 or 0. */
size_t bough_source_mark(const struct bough_source *source);

#endif
