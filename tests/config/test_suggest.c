/* test_suggest.c - the nearest word is the one that was meant.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/suggest.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static const char *const keys[] = {
    "name", "type", "restart", "shutdown", "mailbox", NULL
};

static void one_mistake_of_each_kind_is_near(void **state)
{
    (void)state;
    assert_string_equal(bough_suggest("restar", keys), "restart");   /* missing */
    assert_string_equal(bough_suggest("restartt", keys), "restart"); /* too many */
    assert_string_equal(bough_suggest("restert", keys), "restart");  /* wrong */
    assert_string_equal(bough_suggest("restrat", keys), "restart");  /* swapped */
}

static void swapped_letters_are_one_mistake(void **state)
{
    (void)state;
    assert_string_equal(bough_suggest("tpye", keys), "type");
}

static void a_third_of_the_word_may_be_wrong(void **state)
{
    (void)state;
    assert_string_equal(bough_suggest("shtdwn", keys), "shutdown");
    assert_null(bough_suggest("shwn", keys));
}

static void what_is_far_gets_no_suggestion(void **state)
{
    (void)state;
    assert_null(bough_suggest("colour", keys));
    assert_null(bough_suggest("", keys));
    assert_null(bough_suggest("x", keys));
}

static void a_word_of_one_letter_is_near_to_two(void **state)
{
    static const char *const types[] = { "kv", NULL };

    (void)state;
    assert_string_equal(bough_suggest("vk", types), "kv");
    assert_string_equal(bough_suggest("kvv", types), "kv");
    assert_null(bough_suggest("k", types));
}

static void of_equals_the_first_is_kept(void **state)
{
    static const char *const words[] = { "bat", "cat", "hat", NULL };

    (void)state;
    assert_string_equal(bough_suggest("rat", words), "bat");
}

static void the_nearest_wins_over_the_first(void **state)
{
    static const char *const words[] = { "counters", "counter", NULL };

    (void)state;
    assert_string_equal(bough_suggest("cuonter", words), "counter");
}

static void long_words_are_never_near(void **state)
{
    char word[100];
    const char *const words[] = { word, NULL };

    (void)state;
    memset(word, 'a', sizeof(word) - 1);
    word[65] = '\0';
    assert_null(bough_suggest(word, words));
    word[64] = '\0';
    assert_string_equal(bough_suggest(word, words), word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_mistake_of_each_kind_is_near),
        cmocka_unit_test(swapped_letters_are_one_mistake),
        cmocka_unit_test(a_third_of_the_word_may_be_wrong),
        cmocka_unit_test(what_is_far_gets_no_suggestion),
        cmocka_unit_test(a_word_of_one_letter_is_near_to_two),
        cmocka_unit_test(of_equals_the_first_is_kept),
        cmocka_unit_test(the_nearest_wins_over_the_first),
        cmocka_unit_test(long_words_are_never_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
