/* roff.h - text for man(1): nothing in it is a request or an escape.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_ROFF_H
#define BOUGH_TOOLS_BOUGH_ROFF_H

#include <stddef.h>
#include <stdio.h>

/* When the pages were last read as a whole: not the day of the build, so that one source
 * gives one page. */
#define BOUGH_MANUAL_DATE "2026-11-27"

/* Part of a line; a dash is one to be typed. */
void bough_roff_escaped(FILE *file, const char *text, size_t length);

/* A line that stands alone, with its line feed. */
void bough_roff_line(FILE *file, const char *text);

/* Lines as they are, each ending with a line feed. */
void bough_roff_lines(FILE *file, const char *lines);

/* Sentences, filled by man: broken into lines that are not long. */
void bough_roff_text(FILE *file, const char *text);

#endif
