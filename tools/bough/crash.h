/* crash.h - the report of a crash, as JSON and in words.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_CRASH_H
#define BOUGH_TOOLS_BOUGH_CRASH_H

#include <stdio.h>

#include <jansson.h>

#include <bough/core/event.h>

/* A new reference; NULL when memory is out. */
json_t *bough_crash_json(const struct bough_crash *crash);

/* Of that JSON: one line without its end, "SEGV at 0x0: ..., while /a ran crash {...}".
 */
void bough_crash_print_what(const json_t *crash, FILE *file);

/* The lines of an array, each after a newline and `indent`. */
void bough_crash_print_backtrace(const json_t *lines, const char *indent, FILE *file);

/* The backtrace and the rest, a line each, each after a newline and `indent`. */
void bough_crash_print_all(const json_t *crash, const char *indent, FILE *file);

#endif
