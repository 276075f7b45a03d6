/* text.h - UTF-8 and times, for whatever a person will read.
 *
 * What Bough prints or keeps as text is UTF-8, whatever was put in: the functions here
 * check it, cut it between characters and repair it. Nothing is allocated. Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_TEXT_H
#define BOUGH_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/public.h>

/* Whether the bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates,
 * nothing over U+10FFFF. NUL bytes are characters like others. */
BOUGH_PUBLIC bool bough_utf8_valid(const void *bytes, size_t len);

/* The greatest length, at most `max` bytes, to which a text of `len` bytes can be cut
 * without cutting a character in two. Bytes that are not UTF-8 are cut at `max`. */
BOUGH_PUBLIC size_t bough_utf8_cut(const void *text, size_t len, size_t max);

/* Prints like snprintf() into `size` bytes (at least 1) with the NUL. What does not fit
 * is cut between characters, and each byte that is not UTF-8 becomes '?'. Returns the
 * length. */
BOUGH_PUBLIC size_t bough_text_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
BOUGH_PUBLIC size_t bough_text_vformat(char *buffer, size_t size, const char *format,
                                       va_list arguments)
    __attribute__((format(printf, 3, 0)));

enum { BOUGH_TIME_TEXT = 25 }; /* bytes that a printed time needs, with the NUL */

/* A time since 1970 as RFC 3339 in UTC, milliseconds cut off: "2026-01-31T12:00:00.000Z".
 * Writes at most `size` bytes with the NUL (see BOUGH_TIME_TEXT) and returns `buffer`. */
BOUGH_PUBLIC const char *bough_time_print(int64_t realtime_ns, char *buffer, size_t size);

#endif
