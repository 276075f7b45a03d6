/* log_line_internal.h - how one record of the log looks.
 *
 * Text:  2026-01-31T12:00:00.000Z info /jobs: job ended work_id=a1 status=0
 * JSON:  {"time":"...","level":"info","path":"/jobs","text":"job ended","fields":{...}}
 *
 * A record is one line and UTF-8, whatever was put in: control characters are escaped,
 * bytes that are not UTF-8 become U+FFFD. A line that is too long is cut between
 * characters and says so (" ..." or "cut":true); a JSON line stays JSON. Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_LOG_LINE_INTERNAL_H
#define BOUGH_ACTORS_LOG_LINE_INTERNAL_H

#include <stddef.h>

#include <bough/core/log.h>

enum bough_log_format { BOUGH_LOG_TEXT, BOUGH_LOG_JSON };

enum { BOUGH_LOG_LINE_MAX = 64 * 1024 /* bytes with the newline */ };

/* Prints a record and its fields, "name NUL value NUL ..." in `pairs_size` bytes, with a
 * newline and no NUL. `size` is at least 256. Returns the length. */
size_t bough_log_line_print(enum bough_log_format format,
                            const struct bough_log_record *record, const char *pairs,
                            size_t pairs_size, char *buffer, size_t size);

#endif
