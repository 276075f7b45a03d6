/* test_base64.c - bytes become text and come back.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/base64_internal.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static void the_vectors_of_the_rfc_hold(void **state)
{
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(vectors); i++) {
        size_t len = strlen(vectors[i][0]), decoded;
        char text[16] = "", bytes[16] = "";

        bough_base64_encode(vectors[i][0], len, text);
        assert_int_equal(bough_base64_encoded_size(len), strlen(vectors[i][1]));
        assert_string_equal(text, vectors[i][1]);
        assert_true(bough_base64_decode(text, strlen(text), bytes, &decoded));
        assert_int_equal(decoded, len);
        assert_memory_equal(bytes, vectors[i][0], len);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=",    "Zm9vY",    "Zm9v!g==",
        "=g==", "Z===", "====",   "Zg==Zg==", "Zh==", /* bits left over */
        "Zm9=", "Zm 9", "Zm9v\n", "Zm-_",
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(wrong); i++) {
        char bytes[16];
        size_t len;

        assert_false(bough_base64_decode(wrong[i], strlen(wrong[i]), bytes, &len));
    }
}

static void any_bytes_come_back(void **state)
{
    uint64_t seed = bough_test_seed();

    (void)state;
    for (size_t len = 0; len < 200; len++) {
        unsigned char bytes[200], again[200];
        char text[300];
        size_t decoded;

        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)bough_test_random(&seed, 256);
        bough_base64_encode(bytes, len, text);
        assert_true(
            bough_base64_decode(text, bough_base64_encoded_size(len), again, &decoded));
        assert_int_equal(decoded, len);
        if (len > 0) assert_memory_equal(again, bytes, len);
    }
}

static void decoding_in_place_is_fine(void **state)
{
    char text[] = "Zm9vYmFy";
    size_t len;

    (void)state;
    assert_true(bough_base64_decode(text, strlen(text), text, &len));
    assert_int_equal(len, 6);
    assert_memory_equal(text, "foobar", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_hold),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(decoding_in_place_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
