/* test_log_line.c - a record is one line, whatever is in it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/log_line_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/text.h>
#include <bough/tests/support/fixture.h>

#define STAMP "2026-01-31T12:00:00.000Z"

/* Prints into exactly as much memory as is said to be there, so that a sanitizer sees a
 * byte too many. To be freed. */
static char *print_into(size_t size, enum bough_log_format format,
                        const struct bough_log_record *record, const char *pairs,
                        size_t pairs_size)
{
    char *room = malloc(size);
    assert_non_null(room);
    size_t len = bough_log_line_print(format, record, pairs, pairs_size, room, size);
    char *line = calloc(1, len + 1);

    assert_non_null(line);
    assert_in_range(len, 1, size);
    memcpy(line, room, len);
    free(room);
    assert_int_equal(strlen(line), len);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    assert_true(bough_utf8_valid(line, len));
    return line;
}

static void assert_line(enum bough_log_format format, const char *path, const char *text,
                        const char *pairs, size_t pairs_size, const char *expected)
{
    const struct bough_log_record record = {
        .level = BOUGH_WARNING,
        .realtime_ns = BOUGH_TEST_REALTIME_NS,
        .path = path,
        .text = text,
    };
    char *line = print_into(4096, format, &record, pairs, pairs_size);

    assert_string_equal(line, expected);
    free(line);
}

#define PAIRS(text) text, sizeof(text)

static void text_is_time_level_path_text_and_fields(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_TEXT, "/a/b", "it is so", PAIRS("n\0001\0s\0two words"),
                STAMP " warning /a/b: it is so n=1 s=\"two words\"\n");
    assert_line(BOUGH_LOG_TEXT, "", "it is so", "", 0, STAMP " warning it is so\n");
}

static void json_is_an_object(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_JSON, "/a", "it is so", PAIRS("n\0001\0s\0two words"),
                "{\"time\":\"" STAMP "\",\"level\":\"warning\",\"path\":\"/a\","
                "\"text\":\"it is so\",\"fields\":{\"n\":\"1\",\"s\":\"two words\"}}\n");
    assert_line(BOUGH_LOG_JSON, "", "", "", 0,
                "{\"time\":\"" STAMP "\",\"level\":\"warning\",\"path\":\"\","
                "\"text\":\"\",\"fields\":{}}\n");
}

static void control_characters_are_escaped(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_TEXT, "/a", "a\nb\r\t\x1b[31m\x7f \xc2\x85", "", 0,
                STAMP " warning /a: a\\nb\\r\\t\\u001b[31m\\u007f \\u0085\n");
    assert_line(BOUGH_LOG_JSON, "/a", "a\nb\x01 \\ \" \xc2\x85", PAIRS("k\n\0v\n"),
                "{\"time\":\"" STAMP "\",\"level\":\"warning\",\"path\":\"/a\","
                "\"text\":\"a\\nb\\u0001 \\\\ \\\" \\u0085\","
                "\"fields\":{\"k\\n\":\"v\\n\"}}\n");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_TEXT, "/a", "\xff\xc3(\xe2\x82 \xc3\xa9\xf0\x9f\x8c\xb3", "", 0,
                STAMP " warning /a: \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd "
                      "\xc3\xa9\xf0\x9f\x8c\xb3\n");
    assert_line(BOUGH_LOG_JSON, "/a", "\xe2\x82", "", 0,
                "{\"time\":\"" STAMP "\",\"level\":\"warning\",\"path\":\"/a\","
                "\"text\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"fields\":{}}\n");
}

static void values_are_quoted_when_they_must_be(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_TEXT, "/a", "x", PAIRS("a\0\0b\0=\0c\0\"\\\0d e=f\0\xc3\xa9"),
                STAMP
                " warning /a: x a=\"\" b=\"=\" c=\"\\\"\\\\\" d_e_f=\"\xc3\xa9\"\n");
}

static void fields_that_do_not_end_are_left_out(void **state)
{
    (void)state;
    assert_line(BOUGH_LOG_TEXT, "/a", "x", "a\0b\0c\0d", 7, STAMP " warning /a: x a=b\n");
    assert_line(BOUGH_LOG_TEXT, "/a", "x", "a\0b", 3, STAMP " warning /a: x\n");
}

/* Every size, so that the cut falls on every part once. */
static void assert_cut(enum bough_log_format format, const char *text, const char *end)
{
    static const char pairs[] = "name\0\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\0"
                                "n\"ame\0a\"\"\"\"\"b\0long_name_here\0bare_value_here";
    const struct bough_log_record record = {
        .level = BOUGH_INFO,
        .realtime_ns = BOUGH_TEST_REALTIME_NS,
        .path = "/some/path",
        .text = text,
    };
    size_t cut = 0;

    for (size_t size = 256; size < 700; size++) {
        char *line = print_into(size, format, &record, pairs, sizeof(pairs));
        size_t len = strlen(line), end_len = strlen(end);

        if (len >= end_len && strcmp(line + len - end_len, end) == 0) cut++;
        free(line);
    }
    assert_in_range(cut, 100, 443);
}

static void a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
    char text[400];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_cut(BOUGH_LOG_TEXT, text, " ...\n");
    assert_cut(BOUGH_LOG_JSON, text, ",\"cut\":true}\n");
    for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    assert_cut(BOUGH_LOG_TEXT, text, " ...\n");
    assert_cut(BOUGH_LOG_JSON, text, ",\"cut\":true}\n");
}

/* Quotes are even outside of escapes, and braces close: enough to know that it was
 * closed. */
static bool is_closed_json(const char *line)
{
    bool quoted = false;
    int depth = 0;

    for (; *line && *line != '\n'; line++) {
        if (quoted && *line == '\\') {
            line++;
        } else if (*line == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += *line == '{' ? 1 : *line == '}' ? -1 : 0;
        }
    }
    return !quoted && depth == 0;
}

static void a_cut_json_line_is_still_json(void **state)
{
    static const char pairs[] = "n\"ame\0a\"\"\"\"\"b\0k\0v";
    char text[300];
    struct bough_log_record record = { .path = "/a", .text = text };

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        memset(text, len % 2 == 0 ? '"' : '\n', len);
        text[len] = '\0';
        char *line = print_into(256, BOUGH_LOG_JSON, &record, pairs, sizeof(pairs));
        assert_true(is_closed_json(line));
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_time_level_path_text_and_fields),
        cmocka_unit_test(json_is_an_object),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(values_are_quoted_when_they_must_be),
        cmocka_unit_test(fields_that_do_not_end_are_left_out),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(a_cut_json_line_is_still_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
