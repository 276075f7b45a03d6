/* describe.h - what a field of a table takes, in a few words.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_DESCRIBE_H
#define BOUGH_TOOLS_BOUGH_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

#include <bough/core/field.h>

/* "duration", "true or false", or all that one may choose from. */
void bough_describe_kind(FILE *file, const struct bough_field *field);

/* Whether there is a value that is taken when it is not given, and which: nothing is
 * printed when that is nothing, or is decided by something else. */
bool bough_describes_fallback(const struct bough_field *field);
void bough_describe_fallback(FILE *file, const struct bough_field *field);

/* Whether a number, duration or size has limits that are worth a word, and these: "1 to
 * 65535", "at least 1ms". */
bool bough_describes_limits(const struct bough_field *field);
void bough_describe_limits(FILE *file, const struct bough_field *field);

#endif
