/* test_output.c - numbers and texts as people see them.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/core/public.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>

static void durations_show_their_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        { 0, "0ms" },         { 999, "999ms" },    { 1000, "1s" },
        { 59999, "59s" },     { 60000, "1m" },     { 61000, "1m1s" },
        { 3600000, "1h" },    { 3661000, "1h1m" }, { 86400000, "1d" },
        { 90061000, "1d1h" }, { 172800000, "2d" },
    };
    char buffer[BOUGH_OUTPUT_DURATION];

    (void)state;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        assert_string_equal(bough_output_duration(rows[i].ms, buffer), rows[i].text);
    }
}

static void control_characters_become_question_marks(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    (void)state;
    bough_output_text(file, "a\033[31m\tb\n\x7f\xc3\xa9");
    bough_output_text(file, NULL);
    fclose(file);
    assert_string_equal(text, "a?[31m\tb\n?\xc3\xa9");
    free(text);
}

static void a_file_that_is_no_terminal_has_no_colour(void **state)
{
    FILE *file = tmpfile();

    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_false(bough_output_colour(file));
    assert_string_equal(bough_output_paint(false, BOUGH_RED), "");
    fclose(file);
}

static void every_verb_is_whole(void **state)
{
    (void)state;
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        assert_non_null(verb->words);
        assert_non_null(verb->summary);
        assert_non_null(verb->text);
        assert_non_null(strstr(verb->examples, verb->name));
        assert_non_null(verb->run);
        assert_true(verb->least <= verb->most);
        assert_ptr_equal(bough_verb_find(verb->name), verb);
    }
    assert_null(bough_verb_find("frobnicate"));
}

static void no_two_options_share_a_letter(void **state)
{
    (void)state;
    for (int i = 0; i < BOUGH_OPTION_COUNT; i++) {
        assert_non_null(bough_options[i].name);
        assert_non_null(bough_options[i].help);
        for (int j = 0; j < i; j++) {
            const bool lettered = bough_options[i].letter != 0;
            assert_false(lettered && bough_options[i].letter == bough_options[j].letter);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_show_their_two_largest_units),
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(a_file_that_is_no_terminal_has_no_colour),
        cmocka_unit_test(every_verb_is_whole),
        cmocka_unit_test(no_two_options_share_a_letter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
