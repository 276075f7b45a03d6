/* test_pointer.c - JSON pointers are made from steps and found in the text.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/pointer_internal.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static const struct bough_json_place root = { .up = NULL };

static void a_pointer_escapes_what_rfc_6901_escapes(void **state)
{
    const struct bough_json_place children = { .up = &root, .key = "a/b~c" };
    const struct bough_json_place second = { .up = &children, .index = 12 };
    char text[32];

    (void)state;
    bough_pointer_print(&second, text, sizeof(text));
    assert_string_equal(text, "/a~1b~0c/12");
    assert_int_equal(bough_pointer_length(&second), strlen(text));
}

static void the_root_is_the_empty_pointer(void **state)
{
    char text[8] = "x";

    (void)state;
    bough_pointer_print(&root, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(bough_pointer_length(&root), 0);
}

static void a_pointer_that_does_not_fit_is_cut(void **state)
{
    const struct bough_json_place place = { .up = &root, .key = "children" };
    char text[5];

    (void)state;
    bough_pointer_print(&place, text, sizeof(text));
    assert_string_equal(text, "/chi");
}

/* Asserts that the pointer leads to the first occurrence of `mark` in the text. */
static void check(const char *text, const char *pointer, enum bough_at part,
                  const char *mark)
{
    struct bough_locator locator = { .text = text, .len = strlen(text) };
    size_t offset = 0;

    assert_true(bough_pointer_locate(&locator, pointer, part, &offset));

    assert_non_null(strstr(text, mark));
    assert_int_equal(offset, (size_t)(strstr(text, mark) - text));
}

static const char tree[] =
    " { \"a\" : [ 1, \"]}\\\"\", { \"b\": true } , [[2], 3.5e1]], "
    "\"x/y\":null, \"t~\": -7, \"\\u00e9\\ud83d\\ude00\\n\":\"end\"} ";

static void values_are_found(void **state)
{
    (void)state;
    check(tree, "", BOUGH_AT_VALUE, "{ \"a\"");
    check(tree, "/a", BOUGH_AT_VALUE, "[ 1");
    check(tree, "/a/0", BOUGH_AT_VALUE, "1,");
    check(tree, "/a/1", BOUGH_AT_VALUE, "\"]}");
    check(tree, "/a/2/b", BOUGH_AT_VALUE, "true");
    check(tree, "/a/3/0/0", BOUGH_AT_VALUE, "2]");
    check(tree, "/a/3/1", BOUGH_AT_VALUE, "3.5");
    check(tree, "/x~1y", BOUGH_AT_VALUE, "null");
    check(tree, "/t~0", BOUGH_AT_VALUE, "-7");
    check(tree, "/é😀\n", BOUGH_AT_VALUE, "\"end");
}

static void keys_are_found(void **state)
{
    (void)state;
    check(tree, "/a", BOUGH_AT_KEY, "\"a\"");
    check(tree, "/a/2/b", BOUGH_AT_KEY, "\"b\"");
    check(tree, "/a/1", BOUGH_AT_KEY, "\"]}");
}

static void what_is_not_there_leads_to_what_is_around_it(void **state)
{
    (void)state;
    check(tree, "/nowhere", BOUGH_AT_VALUE, "{ \"a\"");
    check(tree, "/a/2/none/deep", BOUGH_AT_VALUE, "{ \"b\"");
    check(tree, "/a/99", BOUGH_AT_VALUE, "[ 1");
    check(tree, "/a/0/below", BOUGH_AT_VALUE, "1,");
}

static void of_duplicate_keys_the_last_is_meant(void **state)
{
    (void)state;
    check("{\"a\": 1, \"b\": 2, \"\\u0061\": 3}", "/a", BOUGH_AT_VALUE, "3");
}

/* One locator for many pointers: whatever it remembers must not show. */
static void the_order_of_searches_does_not_matter(void **state)
{
    static const char *const pointers[] = { "",         "/a",     "/a/0",     "/a/1",
                                            "/a/2",     "/a/2/b", "/a/3",     "/a/3/0",
                                            "/a/3/0/0", "/a/3/1", "/a/9",     "/x~1y",
                                            "/t~0",     "/t~0/1", "/nowhere", "/a/2/c",
                                            "/a/2/b/c" };
    struct bough_locator old = { .text = tree, .len = strlen(tree) };
    uint64_t seed = bough_test_seed();

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct bough_locator fresh = { .text = tree, .len = strlen(tree) };
        const char *pointer =
            pointers[bough_test_random(&seed, bough_count_of(pointers))];
        enum bough_at part = bough_test_random(&seed, 2) ? BOUGH_AT_KEY : BOUGH_AT_VALUE;
        size_t expected = 0, offset = 1;

        assert_true(bough_pointer_locate(&fresh, pointer, part, &expected));
        assert_true(bough_pointer_locate(&old, pointer, part, &offset));
        assert_int_equal(offset, expected);
    }
}

static void an_empty_text_has_one_place(void **state)
{
    (void)state;
    check("", "/a", BOUGH_AT_VALUE, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_escapes_what_rfc_6901_escapes),
        cmocka_unit_test(the_root_is_the_empty_pointer),
        cmocka_unit_test(a_pointer_that_does_not_fit_is_cut),
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(keys_are_found),
        cmocka_unit_test(what_is_not_there_leads_to_what_is_around_it),
        cmocka_unit_test(of_duplicate_keys_the_last_is_meant),
        cmocka_unit_test(the_order_of_searches_does_not_matter),
        cmocka_unit_test(an_empty_text_has_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
