/* test_exit_reason.c - reasons are named, made, cut and printed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/exit_reason.h>

#include <signal.h>
#include <string.h>

#include <bough/tests/support/unit.h>

static void assert_prints(struct bough_exit_reason reason, const char *expected)
{
    char buffer[256];

    assert_string_equal(bough_exit_print(&reason, buffer, sizeof(buffer)), expected);
}

static void each_kind_has_its_own_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BOUGH_EXIT_KIND_COUNT; i++) {
        enum bough_exit_kind kind = BOUGH_EXIT_KIND_COUNT;
        assert_true(
            bough_exit_kind_parse(bough_exit_kind_name((enum bough_exit_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_string_equal(bough_exit_kind_name(BOUGH_EXIT_KIND_COUNT), "unknown");
}

static void an_unknown_kind_changes_nothing(void **state)
{
    enum bough_exit_kind kind = BOUGH_EXIT_LOST;

    (void)state;
    assert_false(bough_exit_kind_parse("unknown", &kind));
    assert_int_equal(kind, BOUGH_EXIT_LOST);
}

static void two_kinds_are_good(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BOUGH_EXIT_KIND_COUNT; i++) {
        const struct bough_exit_reason reason = { .kind = (enum bough_exit_kind)i };
        const bool good = i == BOUGH_EXIT_NORMAL || i == BOUGH_EXIT_SHUTDOWN;
        assert_int_equal(bough_exit_good(&reason), good);
    }
}

static void a_copy_is_the_reason_and_no_more(void **state)
{
    const struct bough_exit_reason bare = { .kind = BOUGH_EXIT_SHUTDOWN };
    const struct bough_exit_reason full = {
        .kind = BOUGH_EXIT_SIGNAL, .status = BOUGH_EGONE, .number = 9, .text = "longer"
    };
    struct bough_exit_reason copy;

    (void)state;
    bough_exit_copy(&copy, &full);
    assert_prints(copy, "signal KILL: longer");
    assert_status(copy.status, BOUGH_EGONE);
    bough_exit_copy(&copy, &bare);
    assert_prints(copy, "shutdown");
    assert_status(copy.status, BOUGH_OK);
    assert_int_equal(copy.number, 0);
}

static void a_reason_is_made_of_its_parts(void **state)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 4, "%d overflows", 9);

    (void)state;
    assert_int_equal(reason.kind, BOUGH_EXIT_ERROR);
    assert_status(reason.status, BOUGH_ERANGE);
    assert_int_equal(reason.number, 4);
    assert_string_equal(reason.text, "9 overflows");
}

static void a_reason_needs_no_text(void **state)
{
    (void)state;
    assert_string_equal(bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_OK, 0, NULL).text, "");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    char text[2 * BOUGH_EXIT_TEXT];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + BOUGH_EXIT_TEXT - 2, "\xe2\x82\xac", 4);
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_EFAILED, 0, "%s", text);
    assert_int_equal(strlen(reason.text), BOUGH_EXIT_TEXT - 2);
}

static void good_reasons_print_as_their_names(void **state)
{
    (void)state;
    assert_prints(bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_OK, 0, NULL), "normal");
    assert_prints(bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0, NULL), "shutdown");
}

static void faults_print_what_is_known(void **state)
{
    (void)state;
    assert_prints(bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, "count overflows"),
                  "error: range: count overflows");
    assert_prints(bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, NULL),
                  "error: range");
    assert_prints(bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, 3, NULL), "exit 3");
    assert_prints(bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0, "after 5s"),
                  "timeout: after 5s");
}

static void signals_print_by_name(void **state)
{
    (void)state;
    assert_prints(bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, SIGSEGV, NULL),
                  "signal SEGV");
    assert_prints(bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 1000, NULL),
                  "signal 1000");
}

static void printing_stays_inside_the_buffer(void **state)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, "count");
    char buffer[16] = "untouched ......";

    (void)state;
    for (size_t size = 1; size < sizeof(buffer); size++) {
        memset(buffer, '#', sizeof(buffer));
        bough_exit_print(&reason, buffer, size);
        assert_int_equal(strlen(buffer), size - 1);
        assert_int_equal(buffer[size], '#');
        assert_memory_equal(buffer, "error: range: count", size - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_own_name),
        cmocka_unit_test(an_unknown_kind_changes_nothing),
        cmocka_unit_test(two_kinds_are_good),
        cmocka_unit_test(a_reason_is_made_of_its_parts),
        cmocka_unit_test(a_copy_is_the_reason_and_no_more),
        cmocka_unit_test(a_reason_needs_no_text),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(good_reasons_print_as_their_names),
        cmocka_unit_test(faults_print_what_is_known),
        cmocka_unit_test(signals_print_by_name),
        cmocka_unit_test(printing_stays_inside_the_buffer),
    };
    return cmocka_run_group_tests_name("core/exit_reason", tests, NULL, NULL);
}
