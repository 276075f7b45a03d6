/* text.c - UTF-8 and times, for whatever a person will read.
 *
 * One function knows what a UTF-8 character is, sequence_length(); checking and repairing
 * are walks over it.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/core/text.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bough/core/assert.h>

/* A row of table 3-7 of the Unicode standard, "well-formed UTF-8 byte sequences": the
 * range of the first byte, that of the second, and the length. The bytes after the second
 * are all 80 to BF. */
struct form {
    unsigned char first_low, first_high, second_low, second_high, length;
};

static const struct form forms[] = {
    { 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
    { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
    { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct form *form_of(unsigned char first)
{
    for (size_t i = 0; i < bough_count_of(forms); i++) {
        if (first >= forms[i].first_low && first <= forms[i].first_high) return &forms[i];
    }
    return NULL;
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the character at `bytes`, of which `left` (at least 1) can be read; 0
 * when there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t left)
{
    if (bytes[0] < 0x80) return 1;
    const struct form *form = form_of(bytes[0]);
    if (!form || form->length > left) return 0;
    if (bytes[1] < form->second_low || bytes[1] > form->second_high) return 0;
    for (size_t i = 2; i < form->length; i++) {
        if (!is_continuation(bytes[i])) return 0;
    }
    return form->length;
}

/* Whether a character begins at `bytes` that needs more than the `left` bytes there are.
 */
static bool is_cut_off(const unsigned char *bytes, size_t left)
{
    const struct form *form = form_of(bytes[0]);
    return form && form->length > left;
}

/* How many bytes of plain ASCII begin `bytes`, in steps of eight: nearly all that people
 * read is that, and a look at each byte was a sixth of a restart. */
static size_t ascii_length(const unsigned char *bytes, size_t len)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t eight;
    size_t at = 0;

    for (; len - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, bytes + at, sizeof(eight));
        if ((eight & high) != 0) break;
    }
    if (at < len && len - at < sizeof(eight)) {
        eight = 0;
        memcpy(&eight, bytes + at, len - at);
        if ((eight & high) == 0) return len;
    }
    return at;
}

/* Makes UTF-8 of `len` bytes. When more bytes did not fit, half a character at the end is
 * no fault and goes. Returns the new length. */
static size_t repair(char *text, size_t len, bool more)
{
    unsigned char *bytes = (unsigned char *)text;

    for (size_t i = ascii_length(bytes, len); i < len;) {
        const size_t length = sequence_length(bytes + i, len - i);
        if (length == 0 && more && is_cut_off(bytes + i, len - i)) {
            text[i] = '\0';
            return i;
        }
        if (length == 0) bytes[i] = '?';
        i += length == 0 ? 1 : length;
    }
    return len;
}

bool bough_utf8_valid(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    const size_t ascii = ascii_length(at, len);

    at += ascii;
    len -= ascii;
    while (len > 0) {
        const size_t length = sequence_length(at, len);
        if (length == 0) return false;
        at += length;
        len -= length;
    }
    return true;
}

size_t bough_utf8_cut(const void *text, size_t len, size_t max)
{
    const unsigned char *bytes = text;

    if (len <= max) return len;
    for (size_t back = 0; back < 4 && back <= max; back++) {
        if (!is_continuation(bytes[max - back])) return max - back;
    }
    return max;
}

/* A sentence without values: vsnprintf() takes 400 instructions to copy it. */
static size_t copy_plain(char *buffer, size_t size, const char *text, size_t len)
{
    const bool more = len >= size;

    if (more) len = size - 1;
    memcpy(buffer, text, len);
    buffer[len] = '\0';
    return repair(buffer, len, more);
}

size_t bough_text_vformat(char *buffer, size_t size, const char *format,
                          va_list arguments)
{
    bough_assert(size > 0);
    const char *end = strchrnul(format, '%');

    if (*end == '\0') return copy_plain(buffer, size, format, (size_t)(end - format));

    const int wanted = vsnprintf(buffer, size, format, arguments);

    if (wanted < 0) {
        buffer[0] = '\0';
        return 0;
    }
    const bool more = (size_t)wanted >= size;
    return repair(buffer, more ? size - 1 : (size_t)wanted, more);
}

size_t bough_text_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const size_t len = bough_text_vformat(buffer, size, format, arguments);
    va_end(arguments);
    return len;
}

const char *bough_time_print(int64_t realtime_ns, char *buffer, size_t size)
{
    enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };
    int64_t seconds = realtime_ns / NS_PER_S;
    int64_t rest = realtime_ns % NS_PER_S;

    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    const time_t time = seconds;
    struct tm tm;
    /* An int64_t of nanoseconds spans the years 1677 to 2262: this cannot fail. */
    gmtime_r(&time, &tm);
    bough_text_format(buffer, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                      tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                      tm.tm_sec, (int)(rest / NS_PER_MS));
    return buffer;
}
