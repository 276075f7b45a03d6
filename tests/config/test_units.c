/* test_units.c - durations and sizes as people write them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/units.h>

#include <string.h>

#include <bough/tests/support/unit.h>

struct reading {
    const char *text;
    int64_t value;
};

static void durations_are_read_to_the_millisecond(void **state)
{
    static const struct reading readings[] = {
        { "200ms", 200 },
        { "5s", 5000 },
        { "2m", 120000 },
        { "1h", 3600000 },
        { "1d", 86400000 },
        { "0s", 0 },
        { "0ms", 0 },
        { "1.5s", 1500 },
        { "0.1s", 100 },
        { "0.001s", 1 },
        { "1.000s", 1000 },
        { "0.5d", 43200000 },
        { "007s", 7000 },
        { "1.0000000000000s", 1000 },
        { "infinity", BOUGH_FOREVER },
        { "9223372036854775806ms", INT64_MAX - 1 },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(readings); i++) {
        int64_t ms = -1;
        assert_status(bough_duration_parse(readings[i].text, &ms, NULL), BOUGH_OK);
        assert_int_equal(ms, readings[i].value);
    }
}

static void sizes_are_read_to_the_byte(void **state)
{
    static const struct reading readings[] = {
        { "512B", 512 },
        { "4KiB", 4096 },
        { "10MiB", 10485760 },
        { "1GiB", 1073741824 },
        { "1TiB", INT64_C(1) << 40 },
        { "1kB", 1000 },
        { "2MB", 2000000 },
        { "3GB", INT64_C(3000000000) },
        { "1TB", INT64_C(1000000000000) },
        { "1.5KiB", 1536 },
        { "0B", 0 },
        { "infinity", BOUGH_FOREVER },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(readings); i++) {
        int64_t bytes = -1;
        assert_status(bough_size_parse(readings[i].text, &bytes, NULL), BOUGH_OK);
        assert_int_equal(bytes, readings[i].value);
    }
}

struct refusal {
    const char *text;
    enum bough_status status;
    const char *sentence;
};

static void check_refusal(const struct refusal *refusal,
                          enum bough_status (*parse)(const char *, int64_t *,
                                                     struct bough_error *))
{
    struct bough_error error = { .status = BOUGH_OK };
    int64_t value = 42;

    assert_status(parse(refusal->text, &value, &error), refusal->status);
    assert_status(error.status, refusal->status);
    assert_string_equal(error.text, refusal->sentence);
    assert_int_equal(value, 42);
}

#define DURATION "a number and ms, s, m, h or d, such as \"200ms\""
#define SIZE "a number and B, KiB, MiB, GiB, TiB, kB, MB, GB or TB, such as \"10MiB\""

static void a_wrong_duration_gets_its_sentence(void **state)
{
    static const struct refusal refusals[] = {
        { "", BOUGH_EINVALID,
          "\"\" is not a duration; write " DURATION ", or \"infinity\"" },
        { "fast", BOUGH_EINVALID,
          "\"fast\" is not a duration; write " DURATION ", or \"infinity\"" },
        { "5 parsecs", BOUGH_EINVALID,
          "\"5 parsecs\" is not a duration; write " DURATION ", or \"infinity\"" },
        { "5.s", BOUGH_EINVALID,
          "\"5.s\" is not a duration; write " DURATION ", or \"infinity\"" },
        { "1s2", BOUGH_EINVALID,
          "\"1s2\" is not a duration; write " DURATION ", or \"infinity\"" },
        { "5", BOUGH_EINVALID, "\"5\" has no unit; write " DURATION },
        { "-5s", BOUGH_EINVALID, "\"-5s\" is negative; write " DURATION },
        { "5S", BOUGH_EINVALID, "\"5S\" has an unknown unit; did you mean \"5s\"?" },
        { "5 s", BOUGH_EINVALID, "\"5 s\" has an unknown unit; did you mean \"5s\"?" },
        { "1.5 min", BOUGH_EINVALID,
          "\"1.5 min\" has an unknown unit; did you mean \"1.5m\"?" },
        { "1.5ms", BOUGH_EINVALID, "\"1.5ms\" is finer than 1ms" },
        { "0.0000000000001d", BOUGH_EINVALID, "\"0.0000000000001d\" is finer than 1ms" },
        { "9223372036854775807ms", BOUGH_ERANGE,
          "\"9223372036854775807ms\" is too large; write \"infinity\"" },
        { "99999999999999999999s", BOUGH_ERANGE,
          "\"99999999999999999999s\" is too large; write \"infinity\"" },
        { "999999999999999d", BOUGH_ERANGE,
          "\"999999999999999d\" is too large; write \"infinity\"" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(refusals); i++)
        check_refusal(&refusals[i], bough_duration_parse);
}

static void a_wrong_size_gets_its_sentence(void **state)
{
    static const struct refusal refusals[] = {
        { "big", BOUGH_EINVALID,
          "\"big\" is not a size; write " SIZE ", or \"infinity\"" },
        { "10", BOUGH_EINVALID, "\"10\" has no unit; write " SIZE },
        { "10M", BOUGH_EINVALID, "\"10M\" has an unknown unit; did you mean \"10MiB\"?" },
        { "10kb", BOUGH_EINVALID,
          "\"10kb\" has an unknown unit; did you mean \"10kB\"?" },
        { "10 bytes", BOUGH_EINVALID,
          "\"10 bytes\" has an unknown unit; did you mean \"10B\"?" },
        { "0.5B", BOUGH_EINVALID, "\"0.5B\" is finer than 1B" },
        { "99999999TiB", BOUGH_ERANGE,
          "\"99999999TiB\" is too large; write \"infinity\"" },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(refusals); i++)
        check_refusal(&refusals[i], bough_size_parse);
}

static void printing_takes_the_largest_unit_that_is_whole(void **state)
{
    char text[BOUGH_UNITS_TEXT];

    (void)state;
    assert_string_equal(bough_duration_print(0, text), "0s");
    assert_string_equal(bough_duration_print(1500, text), "1500ms");
    assert_string_equal(bough_duration_print(90000, text), "90s");
    assert_string_equal(bough_duration_print(172800000, text), "2d");
    assert_string_equal(bough_duration_print(BOUGH_FOREVER, text), "infinity");
    assert_string_equal(bough_size_print(0, text), "0B");
    assert_string_equal(bough_size_print(1000, text), "1000B");
    assert_string_equal(bough_size_print(65536, text), "64KiB");
    assert_string_equal(bough_size_print(BOUGH_FOREVER, text), "infinity");
}

static void what_is_printed_is_read_as_the_same(void **state)
{
    uint64_t seed = bough_test_seed();
    char text[BOUGH_UNITS_TEXT];

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t value = (int64_t)bough_test_random(&seed, UINT32_MAX)
                        << bough_test_random(&seed, 31);
        int64_t again;

        assert_status(
            bough_duration_parse(bough_duration_print(value, text), &again, NULL),
            BOUGH_OK);
        assert_int_equal(again, value);
        assert_status(bough_size_parse(bough_size_print(value, text), &again, NULL),
                      BOUGH_OK);
        assert_int_equal(again, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_to_the_millisecond),
        cmocka_unit_test(sizes_are_read_to_the_byte),
        cmocka_unit_test(a_wrong_duration_gets_its_sentence),
        cmocka_unit_test(a_wrong_size_gets_its_sentence),
        cmocka_unit_test(printing_takes_the_largest_unit_that_is_whole),
        cmocka_unit_test(what_is_printed_is_read_as_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
