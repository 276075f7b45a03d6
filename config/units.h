/* units.h - durations and sizes as people write them: "200ms", "10MiB", "infinity".
 *
 * A duration is a number and one of ms, s, m, h, d; a size is a number and one of B, kB,
 * MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024). The number may have a
 * fraction if the result is a whole number of milliseconds or bytes: "1.5s" is, "1.5ms"
 * is not. What these functions print they also read, and it is the same value.
 *
 * Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_UNITS_H
#define BOUGH_CONFIG_UNITS_H

#include <stdint.h>

#include <bough/core/field.h>

enum { BOUGH_UNITS_TEXT = 32 }; /* bytes that hold any printed duration or size */

/* Reads a duration into milliseconds; "infinity" is BOUGH_FOREVER. Errors:
 * BOUGH_EINVALID, BOUGH_ERANGE (does not fit); `error` says what is allowed, `*ms` is
 * unchanged. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_duration_parse(const char *text, int64_t *ms, struct bough_error *error);

/* The same for a size, into bytes. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_size_parse(const char *text, int64_t *bytes, struct bough_error *error);

/* Prints with the largest unit that gives a whole number: 90,000 is "90s", 1,500
 * "1500ms", 65,536 bytes "64KiB". Neither is ever negative. Returns `buffer`. */
BOUGH_PUBLIC const char *bough_duration_print(int64_t ms, char buffer[BOUGH_UNITS_TEXT]);
BOUGH_PUBLIC const char *bough_size_print(int64_t bytes, char buffer[BOUGH_UNITS_TEXT]);

#endif
