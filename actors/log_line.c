/* log_line.c - how one record of the log looks.
 *
 * A line is printed into a limit that leaves room for what closes it. Whatever does not
 * fit sets `cut`, and from then on only closing marks are put, so that the line ends
 * well.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/log_line_internal.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/text.h>

enum {
    CLOSING = 32 /* bytes kept free for quotes, braces, the mark of a cut, a newline */
};

struct printer {
    char *data;
    size_t len, limit;
    bool cut;
};

/* All or nothing. */
static bool put(struct printer *printer, const char *bytes, size_t len)
{
    if (printer->cut || len > printer->limit - printer->len) {
        printer->cut = true;
        return false;
    }
    memcpy(printer->data + printer->len, bytes, len);
    printer->len += len;
    return true;
}

static bool put_text(struct printer *printer, const char *text)
{
    return put(printer, text, strlen(text));
}

/* Into the room kept free: never fails. */
static void put_closing(struct printer *printer, const char *text)
{
    size_t len = strlen(text);

    memcpy(printer->data + printer->len, text, len);
    printer->len += len;
    if (printer->limit < printer->len) printer->limit = printer->len;
}

/* Characters */

enum quoting { UNQUOTED, QUOTED }; /* whether " and \ must be escaped, too */

static bool is_plain(unsigned char byte, enum quoting quoting)
{
    if (byte < ' ' || byte > '~') return false;
    return quoting == UNQUOTED || (byte != '"' && byte != '\\');
}

/* The bytes of the character at `text`; 0 when it is not UTF-8. */
static size_t character_size(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];
    size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    return size <= len && bough_utf8_valid(text, size) ? size : 0;
}

static bool put_code(struct printer *printer, unsigned code)
{
    char escape[8];
    int len = snprintf(escape, sizeof(escape), "\\u%04x", code);

    return put(printer, escape, (size_t)len);
}

static bool put_control(struct printer *printer, unsigned char byte)
{
    switch (byte) {
    case '\n': return put_text(printer, "\\n");
    case '\r': return put_text(printer, "\\r");
    case '\t': return put_text(printer, "\\t");
    case '"': return put_text(printer, "\\\"");
    case '\\': return put_text(printer, "\\\\");
    default: return put_code(printer, byte);
    }
}

/* One character that is not plain: returns how many bytes it has. */
static size_t put_special(struct printer *printer, const char *text, size_t len)
{
    size_t size = character_size(text, len);
    unsigned char second = size == 2 ? (unsigned char)text[1] : 0;

    if (size == 0) {
        put_text(printer, "\xef\xbf\xbd");
        return 1;
    }
    if (size == 1) {
        put_control(printer, (unsigned char)text[0]);
    } else if (size == 2 && text[0] == '\xc2' && second < 0xa0) {
        put_code(printer, second); /* C1 controls move cursors, too */
    } else {
        put(printer, text, size);
    }
    return size;
}

static void put_plain(struct printer *printer, const char *text, size_t len)
{
    size_t room = printer->limit - printer->len;

    put(printer, text, len < room ? len : room);
    if (len > room) printer->cut = true;
}

static void put_escaped(struct printer *printer, const char *text, size_t len,
                        enum quoting quoting)
{
    while (len > 0 && !printer->cut) {
        size_t size = 0;

        while (size < len && is_plain((unsigned char)text[size], quoting)) {
            size++;
        }
        if (size > 0) {
            put_plain(printer, text, size);
        } else {
            size = put_special(printer, text, len);
        }
        text += size;
        len -= size;
    }
}

/* Fields: name NUL value NUL ... */

struct pair {
    const char *name, *value;
    size_t name_len, value_len;
};

/* Takes one part off the front; false when there is none, or its NUL is missing. */
static bool next_part(const char **pairs, size_t *size, const char **part, size_t *len)
{
    *len = strnlen(*pairs, *size);
    if (*len == *size) return false;
    *part = *pairs;
    *pairs += *len + 1;
    *size -= *len + 1;
    return true;
}

static bool next_pair(const char **pairs, size_t *size, struct pair *pair)
{
    return next_part(pairs, size, &pair->name, &pair->name_len) &&
           next_part(pairs, size, &pair->value, &pair->value_len);
}

/* Text */

static bool is_bare(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)value[i];
        if (byte == ' ' || byte == '=' || !is_plain(byte, QUOTED)) return false;
    }
    return len > 0;
}

static void put_name(struct printer *printer, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        put(printer, is_bare(name + i, 1) ? name + i : "_", 1);
    }
}

static void put_text_pair(struct printer *printer, const struct pair *pair)
{
    size_t mark = printer->len;

    put_text(printer, " ");
    put_name(printer, pair->name, pair->name_len);
    if (!put_text(printer, "=")) {
        printer->len = mark;
        return;
    }
    if (is_bare(pair->value, pair->value_len)) {
        put_plain(printer, pair->value, pair->value_len);
    } else if (put_text(printer, "\"")) {
        put_escaped(printer, pair->value, pair->value_len, QUOTED);
        put_closing(printer, "\"");
    }
}

static void print_text(struct printer *printer, const struct bough_log_record *record,
                       const char *pairs, size_t pairs_size)
{
    char time[BOUGH_TIME_TEXT];
    struct pair pair;

    put_text(printer, bough_time_print(record->realtime_ns, time, sizeof(time)));
    put_text(printer, " ");
    put_text(printer, bough_log_level_names[record->level]);
    put_text(printer, " ");
    if (record->path[0] != '\0') {
        put_escaped(printer, record->path, strlen(record->path), UNQUOTED);
        put_text(printer, ": ");
    }
    put_escaped(printer, record->text, strlen(record->text), UNQUOTED);
    while (!printer->cut && next_pair(&pairs, &pairs_size, &pair)) {
        put_text_pair(printer, &pair);
    }
    if (printer->cut) put_closing(printer, " ...");
    put_closing(printer, "\n");
}

/* JSON */

/* `start` holds all up to the opening quote. */
static void put_json_member(struct printer *printer, const char *start, const char *value)
{
    if (!put_text(printer, start)) return;
    put_escaped(printer, value, strlen(value), QUOTED);
    put_closing(printer, "\"");
}

static void put_json_pair(struct printer *printer, const struct pair *pair, bool first)
{
    size_t mark = printer->len;

    put_text(printer, first ? "\"" : ",\"");
    put_escaped(printer, pair->name, pair->name_len, QUOTED);
    if (!put_text(printer, "\":\"")) {
        printer->len = mark;
        return;
    }
    put_escaped(printer, pair->value, pair->value_len, QUOTED);
    put_closing(printer, "\"");
}

static void put_json_pairs(struct printer *printer, const char *pairs, size_t pairs_size)
{
    struct pair pair;
    bool first = true;

    if (!put_text(printer, ",\"fields\":{")) return;
    while (!printer->cut && next_pair(&pairs, &pairs_size, &pair)) {
        put_json_pair(printer, &pair, first);
        first = false;
    }
    put_closing(printer, "}");
}

static void print_json(struct printer *printer, const struct bough_log_record *record,
                       const char *pairs, size_t pairs_size)
{
    char time[BOUGH_TIME_TEXT];

    put_json_member(printer, "{\"time\":\"",
                    bough_time_print(record->realtime_ns, time, sizeof(time)));
    put_json_member(printer, ",\"level\":\"", bough_log_level_names[record->level]);
    put_json_member(printer, ",\"path\":\"", record->path);
    put_json_member(printer, ",\"text\":\"", record->text);
    put_json_pairs(printer, pairs, pairs_size);
    if (printer->cut) put_closing(printer, ",\"cut\":true");
    put_closing(printer, "}\n");
}

size_t bough_log_line_print(enum bough_log_format format,
                            const struct bough_log_record *record, const char *pairs,
                            size_t pairs_size, char *buffer, size_t size)
{
    bough_assert(size >= 256);
    bough_assert((unsigned)record->level < BOUGH_LEVEL_COUNT);
    struct printer printer = { .data = buffer, .limit = size - CLOSING };

    if (format == BOUGH_LOG_JSON) {
        print_json(&printer, record, pairs, pairs_size);
    } else {
        print_text(&printer, record, pairs, pairs_size);
    }
    bough_assert(printer.len <= size);
    return printer.len;
}
