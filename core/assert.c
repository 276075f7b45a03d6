/* assert.c - how a bug ends the program.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/log.h>

void bough_assert_failed(const char *condition, const char *file, int line,
                         const char *function)
{
    char text[512];

    snprintf(text, sizeof(text), "bough: %s:%d: %s: assertion failed: %s\n", file, line,
             function, condition);
    (void)!bough_stderr_write(text, strlen(text));
    abort();
}
