/* span.h - times as a person reads them in a story: how long, and how far into it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SPAN_H
#define BOUGH_TOOLS_BOUGH_SPAN_H

#include <stdint.h>

enum { BOUGH_SPAN_TEXT = 32 }; /* bytes that hold either, with the NUL */

/* How long: "0s", "850ms", "1.6s", "2m05s", "3h20m", "2d04h"; BOUGH_FOREVER is "all its
 * life". Below a minute exact, else rounded down to the smaller unit. Returns `buffer`.
 */
const char *bough_span_print(int64_t ms, char buffer[BOUGH_SPAN_TEXT]);

/* How far: "3.000s", "1m03.250s", "1h00m00.000s". Returns `buffer`. */
const char *bough_moment_print(int64_t ms, char buffer[BOUGH_SPAN_TEXT]);

#endif
