/* base64.c - strict base64: each text has one meaning, each meaning one text.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/base64_internal.h>

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t byte_at(const unsigned char *bytes, size_t len, size_t index)
{
    return index < len ? bytes[index] : 0;
}

void bough_base64_encode(const void *data, size_t len, char *text)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = byte_at(bytes, len, i) << 16 | byte_at(bytes, len, i + 1) << 8 |
                         byte_at(bytes, len, i + 2);

        *text++ = alphabet[group >> 18];
        *text++ = alphabet[group >> 12 & 63];
        *text++ = i + 1 < len ? alphabet[group >> 6 & 63] : '=';
        *text++ = i + 2 < len ? alphabet[group & 63] : '=';
    }
}

/* The six bits of a character, -1 when it has none. */
static int bits_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

/* Four characters of which the last `padding` are '='. */
static bool decode_group(const char *text, size_t padding, uint32_t *group)
{
    *group = 0;
    for (size_t i = 0; i < 4; i++) {
        int bits = i + padding < 4 ? bits_of(text[i]) : 0;

        if (bits < 0) return false;
        *group = *group << 6 | (uint32_t)bits;
    }
    return (*group & ((1u << 8 * padding) - 1)) == 0;
}

static size_t padding_of(const char *text, size_t len)
{
    if (len >= 2 && text[len - 1] == '=') return text[len - 2] == '=' ? 2 : 1;
    return 0;
}

bool bough_base64_decode(const char *text, size_t len, void *data, size_t *decoded)
{
    unsigned char *bytes = data;
    size_t padding = padding_of(text, len);
    size_t written = 0;

    if (len % 4 != 0) return false;
    for (size_t i = 0; i < len; i += 4) {
        size_t missing = i + 4 == len ? padding : 0;
        uint32_t group;

        if (!decode_group(text + i, missing, &group)) return false;
        for (size_t k = 0; k < 3 - missing; k++)
            bytes[written++] = (unsigned char)(group >> (16 - 8 * k));
    }
    *decoded = written;
    return true;
}
