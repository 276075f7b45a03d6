/* test_endpoint.c - addresses to listen at, as people write them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/endpoint.h>

#include <string.h>

#include <bough/tests/support/unit.h>

static void what_is_only_a_port_is_of_loopback(void **state)
{
    static const struct {
        const char *text, *means;
    } cases[] = {
        { "9464", "127.0.0.1:9464" },
        { ":9464", "127.0.0.1:9464" },
        { "localhost:9464", "127.0.0.1:9464" },
        { "127.0.0.1:0", "127.0.0.1:0" },
        { "0.0.0.0:65535", "0.0.0.0:65535" },
        { "[::]:9464", "[::]:9464" },
        { "[::1]:9464", "[::1]:9464" },
        { "[2001:0DB8::0:1]:80", "[2001:db8::1]:80" },
        { "00080", "127.0.0.1:80" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(cases); i++) {
        struct bough_endpoint endpoint;
        char text[BOUGH_ENDPOINT_TEXT];

        assert_status(bough_endpoint_parse(cases[i].text, &endpoint, NULL), BOUGH_OK);
        assert_string_equal(bough_endpoint_print(&endpoint, text), cases[i].means);
    }
}

static void what_is_none_is_refused_with_what_is(void **state)
{
    static const char *const texts[] = {
        "",       ":",        "x",           "127.0.0.1",    "127.0.0.1:", "127.0.0.1:x",
        "web:80", "::1:80",   "[::1]",       "[::1]80",      "[::1:80",    "::1]:80",
        "[]:80",  "1.2.3:80", "1:2:3",       " 80",          "80 ",        "-1",
        "+80",    "[web]:80", "[::1%lo]:80", "256.0.0.1:80", "80\n",       "0x50",
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(texts); i++) {
        struct bough_endpoint endpoint = { .size = 7 };
        struct bough_error error;

        assert_status(bough_endpoint_parse(texts[i], &endpoint, &error), BOUGH_EINVALID);
        assert_non_null(strstr(error.text, "\"localhost:9464\")"));
        assert_int_equal(endpoint.size, 7);
    }
}

static void what_is_long_is_refused_whole(void **state)
{
    struct bough_endpoint endpoint;
    struct bough_error error;
    char text[1000];

    (void)state;
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_status(bough_endpoint_parse(text, &endpoint, &error), BOUGH_ERANGE);
    text[900] = ':';
    assert_status(bough_endpoint_parse(text, &endpoint, &error), BOUGH_EINVALID);
}

static void a_port_has_sixteen_bits(void **state)
{
    struct bough_endpoint endpoint;
    struct bough_error error;

    (void)state;
    assert_status(bough_endpoint_parse("65536", &endpoint, &error), BOUGH_ERANGE);
    assert_string_equal(error.text, "port \"65536\" is not from 0 to 65535");
    assert_status(bough_endpoint_parse("[::]:100000", &endpoint, &error), BOUGH_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_only_a_port_is_of_loopback),
        cmocka_unit_test(what_is_none_is_refused_with_what_is),
        cmocka_unit_test(what_is_long_is_refused_whole),
        cmocka_unit_test(a_port_has_sixteen_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
