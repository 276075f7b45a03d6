/* base64_internal.h - RFC 4648, section 4: bytes as text.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_BASE64_INTERNAL_H
#define BOUGH_CONFIG_BASE64_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* Characters that `len` bytes become, without a NUL. */
static inline size_t bough_base64_encoded_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes bough_base64_encoded_size(len) characters, no NUL. */
void bough_base64_encode(const void *bytes, size_t len, char *text);

/* Writes at most `len` / 4 * 3 bytes and their number; `bytes` and `text` may be the
 * same. False when it is not base64: a character that is none, a length that is no
 * multiple of 4, padding in the wrong place, bits left over that are not zero. */
bool bough_base64_decode(const char *text, size_t len, void *bytes, size_t *decoded);

#endif
