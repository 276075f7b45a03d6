/* quote.c - words from outside, made fit for a sentence.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/quote_internal.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/text.h>

/* Its first byte says how long a character would be; whether it is one, core knows. */
size_t bough_utf8_char(const char *text, size_t len)
{
    unsigned char first = (unsigned char)text[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return size <= len && bough_utf8_valid(text, size) ? size : 0;
}

bool bough_utf8_control(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (len == 1) return bytes[0] < 0x20 || bytes[0] == 0x7f;
    return len == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

const char *bough_quote(char buffer[BOUGH_QUOTED], const char *text)
{
    enum { ROOM = BOUGH_QUOTED - sizeof("\"...\"") }; /* bytes for the text itself */
    size_t len = strlen(text), used = 0, at = 0;
    bool whole = len <= ROOM;

    buffer[used++] = '"';
    while (at < len) {
        size_t step = bough_utf8_char(text + at, len - at);

        if (step == 0) step = 1;
        if (used - 1 + step > ROOM) break;
        if (bough_utf8_control(text + at, step)) {
            buffer[used++] = '?';
        } else {
            memcpy(buffer + used, text + at, step);
            used += step;
        }
        at += step;
    }
    snprintf(buffer + used, BOUGH_QUOTED - used, "%s\"", whole ? "" : "...");
    return buffer;
}

const char *bough_quote_words(char *buffer, size_t size, const char *const *words)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++) {
        char quoted[BOUGH_QUOTED];
        const char *between = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        size_t len = strlen(between) + strlen(bough_quote(quoted, words[i]));

        if (used + len + sizeof(", ...") > size) {
            snprintf(buffer + used, size - used, ", ...");
            break;
        }
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", between, quoted);
    }
    return buffer;
}
