/* test_text.c - UTF-8 is known, cut and repaired; times are printed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/text.h>

#include <string.h>

#include <bough/tests/support/unit.h>

#define valid(literal) bough_utf8_valid(literal, sizeof(literal) - 1)

static void every_length_of_character_is_valid(void **state)
{
    (void)state;
    assert_true(valid(""));
    assert_true(valid("plain"));
    assert_true(valid("\xc3\xa4"));
    assert_true(valid("\xe2\x82\xac"));
    assert_true(valid("\xf0\x9f\x8c\xb3"));
    assert_true(valid("a\0b"));
}

static void the_ends_of_the_ranges_are_valid(void **state)
{
    (void)state;
    assert_true(valid("\x7f\xc2\x80\xdf\xbf"));
    assert_true(valid("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    assert_true(valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

static void overlong_forms_are_invalid(void **state)
{
    (void)state;
    assert_false(valid("\xc0\x80"));
    assert_false(valid("\xc1\xbf"));
    assert_false(valid("\xe0\x9f\xbf"));
    assert_false(valid("\xf0\x8f\xbf\xbf"));
}

static void surrogates_and_numbers_too_high_are_invalid(void **state)
{
    (void)state;
    assert_false(valid("\xed\xa0\x80"));
    assert_false(valid("\xed\xbf\xbf"));
    assert_false(valid("\xf4\x90\x80\x80"));
    assert_false(valid("\xf5\x80\x80\x80"));
    assert_false(valid("\xff"));
}

static void broken_sequences_are_invalid(void **state)
{
    (void)state;
    assert_false(valid("\x80"));
    assert_false(valid("\xc3"));
    assert_false(valid("\xc3z"));
    assert_false(valid("\xe2\x82"));
    assert_false(valid("\xe2\x82z"));
    assert_false(valid("\xf0\x9f\x8c"));
    assert_false(valid("\xf0\x9f\x8c\xc3"));
}

static void a_text_is_cut_between_characters(void **state)
{
    static const char text[] = "a\xe2\x82\xac";

    (void)state;
    assert_int_equal(bough_utf8_cut(text, 4, 9), 4);
    assert_int_equal(bough_utf8_cut(text, 4, 4), 4);
    assert_int_equal(bough_utf8_cut(text, 4, 3), 1);
    assert_int_equal(bough_utf8_cut(text, 4, 2), 1);
    assert_int_equal(bough_utf8_cut(text, 4, 1), 1);
    assert_int_equal(bough_utf8_cut(text, 4, 0), 0);
}

static void what_is_no_text_is_cut_all_the_same(void **state)
{
    (void)state;
    assert_int_equal(bough_utf8_cut("\x80\x80\x80\x80\x80\x80\x80", 7, 6), 6);
}

static void formatting_prints_what_fits(void **state)
{
    char buffer[8];

    (void)state;
    assert_int_equal(bough_text_format(buffer, sizeof(buffer), "%s %d", "a", 12), 4);
    assert_string_equal(buffer, "a 12");
    assert_int_equal(bough_text_format(buffer, sizeof(buffer), "%s", "0123456789"), 7);
    assert_string_equal(buffer, "0123456");
    assert_int_equal(bough_text_format(buffer, 1, "%s", "0123456789"), 0);
    assert_string_equal(buffer, "");
}

static void a_sentence_without_values_is_cut_alike(void **state)
{
    char buffer[8];

    (void)state;
    assert_int_equal(bough_text_format(buffer, sizeof(buffer), "0123456"), 7);
    assert_string_equal(buffer, "0123456");
    assert_int_equal(bough_text_format(buffer, sizeof(buffer), "01234567"), 7);
    assert_string_equal(buffer, "0123456");
    assert_int_equal(bough_text_format(buffer, 7, "01234\xc3\xa4"), 5);
    assert_string_equal(buffer, "01234");
    assert_int_equal(bough_text_format(buffer, 1, "0"), 0);
}

static void formatting_never_cuts_a_character(void **state)
{
    char buffer[8];

    (void)state;
    for (size_t size = 5; size < 7; size++) {
        assert_int_equal(bough_text_format(buffer, size, "%s", "1234\xf0\x9f\x8c\xb3"),
                         4);
        assert_string_equal(buffer, "1234");
    }
    assert_int_equal(
        bough_text_format(buffer, 8, "%s", "\xc3\xa4\xe2\x82\xac\xe2\x82\xac"), 5);
    assert_string_equal(buffer, "\xc3\xa4\xe2\x82\xac");
}

static void formatting_repairs_what_is_no_text(void **state)
{
    char buffer[16];

    (void)state;
    bough_text_format(buffer, sizeof(buffer), "%s", "a\xff\xc3z\xe2\x82");
    assert_string_equal(buffer, "a??z??");
}

static void a_time_is_rfc_3339_with_milliseconds(void **state)
{
    char buffer[BOUGH_TIME_TEXT];

    (void)state;
    assert_string_equal(bough_time_print(0, buffer, sizeof(buffer)),
                        "1970-01-01T00:00:00.000Z");
    assert_string_equal(bough_time_print(1769860800123999999, buffer, sizeof(buffer)),
                        "2026-01-31T12:00:00.123Z");
}

static void times_at_the_ends_are_printed(void **state)
{
    char buffer[BOUGH_TIME_TEXT];

    (void)state;
    assert_string_equal(bough_time_print(-1, buffer, sizeof(buffer)),
                        "1969-12-31T23:59:59.999Z");
    assert_string_equal(bough_time_print(INT64_MIN, buffer, sizeof(buffer)),
                        "1677-09-21T00:12:43.145Z");
    assert_string_equal(bough_time_print(INT64_MAX, buffer, sizeof(buffer)),
                        "2262-04-11T23:47:16.854Z");
}

static void a_time_is_cut_to_the_buffer(void **state)
{
    char buffer[11];

    (void)state;
    assert_string_equal(bough_time_print(0, buffer, sizeof(buffer)), "1970-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_without_values_is_cut_alike),
        cmocka_unit_test(every_length_of_character_is_valid),
        cmocka_unit_test(the_ends_of_the_ranges_are_valid),
        cmocka_unit_test(overlong_forms_are_invalid),
        cmocka_unit_test(surrogates_and_numbers_too_high_are_invalid),
        cmocka_unit_test(broken_sequences_are_invalid),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(what_is_no_text_is_cut_all_the_same),
        cmocka_unit_test(formatting_prints_what_fits),
        cmocka_unit_test(formatting_never_cuts_a_character),
        cmocka_unit_test(formatting_repairs_what_is_no_text),
        cmocka_unit_test(a_time_is_rfc_3339_with_milliseconds),
        cmocka_unit_test(times_at_the_ends_are_printed),
        cmocka_unit_test(a_time_is_cut_to_the_buffer),
    };
    return cmocka_run_group_tests_name("core/text", tests, NULL, NULL);
}
