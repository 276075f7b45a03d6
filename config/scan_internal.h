/* scan_internal.h - the syntax of a config, checked in words for people.
 *
 * Bough's JSON has comments and trailing commas; jansson's has not, and its errors are
 * those of a parser. So the text is scanned first: what is wrong gets a sentence and a
 * position, keys that are there twice are found, and what is not JSON is replaced by
 * spaces, so that all offsets stay true. What passes here, jansson parses.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_SCAN_INTERNAL_H
#define BOUGH_CONFIG_SCAN_INTERNAL_H

#include <bough/config/errors_internal.h>

/* Scans `text`, a copy of the source that becomes plain JSON. Adds every duplicate key,
 * and the first error of syntax, to `errors`; steps, may be NULL, is raised by the work
 * done. False when the text cannot be parsed, or memory is out (the arena knows). */
BOUGH_CHECKED bool bough_scan(char *text, size_t len, struct bough_errors *errors,
                              size_t *steps);

#endif
