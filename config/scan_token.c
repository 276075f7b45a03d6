/* scan_token.c - the smallest parts of a config's text, and what to say when another part
 * was expected.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/scan_token_internal.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/suggest.h>

bool bough_scan_error(struct bough_scanner *in, size_t offset, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bough_errors_add_offset(in->errors, offset, in->place, "%s", text);
    return false;
}

/* What stands at `at`, quoted: a word whole, else one character. */

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '+' || c == '-' || c == '.' || c == '$';
}

static size_t word_length(const struct bough_scanner *in)
{
    size_t len = 0;

    while (in->at + len < in->len && is_word_char(in->text[in->at + len]))
        len++;
    return len;
}

static const char *quote_here(const struct bough_scanner *in, char quoted[BOUGH_QUOTED])
{
    char here[BOUGH_QUOTED];
    size_t len = word_length(in);

    if (len == 0) len = bough_utf8_char(in->text + in->at, in->len - in->at);
    if (len >= sizeof(here)) len = sizeof(here) - 1;
    memcpy(here, in->text + in->at, len);
    here[len] = '\0';
    if (here[0] == '\0') return "a NUL byte";
    if (here[0] == '"') return "a string";
    return bough_quote(quoted, here);
}

/* Space */

static bool starts(const struct bough_scanner *in, const char *two)
{
    return in->len - in->at >= 2 && memcmp(in->text + in->at, two, 2) == 0;
}

static void blank(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
}

static bool scan_comment(struct bough_scanner *in)
{
    char *start = in->text + in->at;
    size_t left = in->len - in->at;
    char *end;

    if (start[1] == '/') {
        end = memchr(start, '\n', left);
        if (end == NULL) end = start + left;
    } else {
        end = memmem(start + 2, left - 2, "*/", 2);
        if (end == NULL)
            return bough_scan_error(in, in->at,
                                    "this comment is not closed; expected \"*/\"");
        end += 2;
    }
    blank(start, (size_t)(end - start));
    in->at += (size_t)(end - start);
    return true;
}

bool bough_scan_space(struct bough_scanner *in)
{
    while (!bough_scan_at_end(in)) {
        char c = in->text[in->at];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            in->at++;
        else if (starts(in, "//") || starts(in, "/*")) {
            if (!scan_comment(in)) return false;
        } else
            break;
    }
    return true;
}

/* Strings */

/* The four digits at `at`; -1 when they are not there. */
static int hex4(const struct bough_scanner *in, size_t at)
{
    char digits[5];
    char *end;
    long value;

    if (in->len - at < 4) return -1;
    memcpy(digits, in->text + at, 4);
    digits[4] = '\0';
    if (strspn(digits, "0123456789abcdefABCDEF") != 4) return -1;
    value = strtol(digits, &end, 16);
    return (int)value;
}

/* \uXXXX, `at` at the backslash; two of them for what is above U+FFFF. */
static bool scan_unicode(struct bough_scanner *in, bool is_key)
{
    int low, code = hex4(in, in->at + 2);

    if (code < 0)
        return bough_scan_error(in, in->at, "\"\\u\" needs four hexadecimal digits");
    if (code == 0 && is_key)
        return bough_scan_error(in, in->at, "a key cannot hold \"\\u0000\"");
    if (code < 0xd800 || code > 0xdfff) {
        in->at += 6;
        return true;
    }
    low = in->len - in->at >= 12 && memcmp(in->text + in->at + 6, "\\u", 2) == 0
              ? hex4(in, in->at + 8)
              : -1;
    if (code >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
        return bough_scan_error(in, in->at,
                                "\"%.6s\" is half of a character; both halves are needed",
                                in->text + in->at);
    in->at += 12;
    return true;
}

static bool scan_escape(struct bough_scanner *in, bool is_key)
{
    char c = in->len - in->at >= 2 ? in->text[in->at + 1] : '\0';

    if (c == 'u') return scan_unicode(in, is_key);
    if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) {
        in->at += 2;
        return true;
    }
    if ((unsigned char)c > ' ' && (unsigned char)c < 0x7f)
        return bough_scan_error(
            in, in->at, "unknown escape \"\\%c\"; for a backslash write \"\\\\\"", c);
    return bough_scan_error(
        in, in->at, "a lone backslash in a string; for a backslash write \"\\\\\"");
}

bool bough_scan_string(struct bough_scanner *in, bool is_key)
{
    size_t start = in->at++;

    while (!bough_scan_at_end(in)) {
        unsigned char c = (unsigned char)in->text[in->at];

        if (c == '"') {
            in->at++;
            return true;
        }
        if (c == '\n' || c == '\r') break;
        if (c < 0x20)
            return bough_scan_error(in, in->at,
                                    "a string cannot hold a control character; "
                                    "write \"\\u%04x\"",
                                    c);
        if (c != '\\')
            in->at++;
        else if (!scan_escape(in, is_key))
            return false;
    }
    return bough_scan_error(in, start,
                            "this string is not closed on its line; expected '\"'");
}

/* Numbers and words */

/* Digits of a number: at least one. */
static bool take_digits(const char **text)
{
    size_t len = strspn(*text, "0123456789");

    *text += len;
    return len > 0;
}

static bool is_number(const char *text, bool *whole)
{
    *whole = true;
    if (*text == '-') text++;
    if (*text == '0')
        text++;
    else if (!take_digits(&text))
        return false;
    if (*text == '.') {
        *whole = false;
        text++;
        if (!take_digits(&text)) return false;
    }
    if (*text == 'e' || *text == 'E') {
        *whole = false;
        text++;
        if (*text == '+' || *text == '-') text++;
        if (!take_digits(&text)) return false;
    }
    return *text == '\0';
}

static bool number_fits(const char *text, bool whole)
{
    errno = 0;
    if (whole) {
        (void)strtoll(text, NULL, 10);
        return errno == 0;
    }
    return isfinite(strtod(text, NULL));
}

static bool scan_number(struct bough_scanner *in, const char *word, size_t len)
{
    char quoted[BOUGH_QUOTED];
    bool whole;

    if (!is_number(word, &whole))
        return bough_scan_error(in, in->at, "%s is not a number as JSON has them",
                                bough_quote(quoted, word));
    if (!number_fits(word, whole))
        return bough_scan_error(in, in->at, "the number %s is too large",
                                bough_quote(quoted, word));
    in->at += len;
    return true;
}

static bool scan_name(struct bough_scanner *in, const char *word, size_t len)
{
    static const char *const names[] = { "true", "false", "null", NULL };
    static const char *const strangers[][2] = {
        { "True", "true" },   { "TRUE", "true" },      { "False", "false" },
        { "FALSE", "false" }, { "None", "null" },      { "NULL", "null" },
        { "nil", "null" },    { "undefined", "null" },
    };
    const char *meant = bough_suggest(word, names);
    char quoted[BOUGH_QUOTED];

    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], word) == 0) {
            in->at += len;
            return true;
        }
    }
    for (size_t i = 0; i < bough_count_of(strangers); i++)
        if (strcmp(strangers[i][0], word) == 0) meant = strangers[i][1];
    bough_quote(quoted, word);
    if (meant != NULL)
        return bough_scan_error(in, in->at, "unexpected word %s; did you mean %s?",
                                quoted, meant);
    return bough_scan_error(in, in->at,
                            "unexpected word %s; a string needs double quotes", quoted);
}

bool bough_scan_word(struct bough_scanner *in)
{
    char word[512];
    size_t len = word_length(in);

    if (len == 0) return bough_scan_no_value(in);
    if (len >= sizeof(word))
        return bough_scan_error(in, in->at, "a number or word too long");
    memcpy(word, in->text + in->at, len);
    word[len] = '\0';
    if (strchr("+-.0123456789", word[0]) != NULL) return scan_number(in, word, len);
    return scan_name(in, word, len);
}

/* Something else was expected */

bool bough_scan_unclosed(struct bough_scanner *in, size_t opened)
{
    bool object = in->text[opened] == '{';

    return bough_scan_error(in, opened,
                            "this %s is not closed; expected \"%c\" before the end",
                            object ? "object" : "array", object ? '}' : ']');
}

/* When something follows that could be the next element, a comma was forgotten. */
bool bough_scan_no_comma(struct bough_scanner *in, char close)
{
    char quoted[BOUGH_QUOTED];
    const char *here = quote_here(in, quoted);
    char c = in->text[in->at];

    if (c == '"' || (close == ']' && (c == '{' || c == '[')))
        return bough_scan_error(in, in->at, "missing \",\" before this");
    return bough_scan_error(in, in->at, "expected \",\" or \"%c\", not %s", close, here);
}

bool bough_scan_no_key(struct bough_scanner *in)
{
    char quoted[BOUGH_QUOTED];
    const char *here = quote_here(in, quoted);

    if (in->text[in->at] == ',') return bough_scan_error(in, in->at, "a \",\" too many");
    if (word_length(in) > 0)
        return bough_scan_error(in, in->at, "a key needs double quotes; write %s", here);
    return bough_scan_error(in, in->at, "expected a key in double quotes, not %s", here);
}

bool bough_scan_no_colon(struct bough_scanner *in)
{
    char quoted[BOUGH_QUOTED];

    if (bough_scan_at_end(in))
        return bough_scan_error(in, in->len, "expected \":\" after the key, not the end");
    return bough_scan_error(in, in->at, "expected \":\" after the key, not %s",
                            quote_here(in, quoted));
}

bool bough_scan_no_value(struct bough_scanner *in)
{
    char quoted[BOUGH_QUOTED];

    if (bough_scan_at_end(in))
        return bough_scan_error(in, in->len, "expected a value, not the end");
    if (in->text[in->at] == '\'')
        return bough_scan_error(in, in->at, "strings need double quotes");
    if (in->text[in->at] == ',')
        return bough_scan_error(in, in->at,
                                "a \",\" too many, or a value missing before it");
    return bough_scan_error(in, in->at, "expected a value, not %s",
                            quote_here(in, quoted));
}
