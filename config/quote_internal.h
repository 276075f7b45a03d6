/* quote_internal.h - words from outside, made fit for a sentence.
 *
 * What a person wrote may hold anything, also what would move a terminal's cursor.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_QUOTE_INTERNAL_H
#define BOUGH_CONFIG_QUOTE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

enum { BOUGH_QUOTED = 64 }; /* bytes of a quoted word, its NUL included */

/* In double quotes, cut with "..." when it is long, control characters as '?'. `text` is
 * UTF-8. Returns `buffer`. */
const char *bough_quote(char buffer[BOUGH_QUOTED], const char *text);

/* "a", "b" or "c": the words, quoted, as many as fit, then "..."; `words` ends with NULL.
 * Returns `buffer`. */
const char *bough_quote_words(char *buffer, size_t size, const char *const *words);

/* Bytes of the character at `text`, which has `len` bytes left, at least one; 0 when it
 * is not UTF-8. */
size_t bough_utf8_char(const char *text, size_t len);

/* Whether the character, of `len` bytes, is a control character (C0, DEL, C1). */
bool bough_utf8_control(const char *text, size_t len);

#endif
