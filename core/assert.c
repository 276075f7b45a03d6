/* assert.c - how a bug ends the program.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/assert.h>

#include <stdio.h>
#include <stdlib.h>

void bough_assert_failed(const char *condition, const char *file, int line,
                         const char *function)
{
    fprintf(stderr, "bough: %s:%d: %s: assertion failed: %s\n", file, line, function,
            condition);
    abort();
}
