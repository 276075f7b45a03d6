/* test_status.c - statuses have names, errors have sentences, bugs end the program.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/status.h>

#include <errno.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/event.h>
#include <bough/core/log.h>
#include <bough/tests/support/unit.h>

static void each_status_has_its_own_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BOUGH_STATUS_COUNT; i++) {
        enum bough_status parsed = BOUGH_STATUS_COUNT;
        assert_true(bough_status_parse(bough_status_name((enum bough_status)i), &parsed));
        assert_int_equal(parsed, i);
    }
}

static void the_names_outside_are_these(void **state)
{
    (void)state;
    assert_string_equal(bough_status_name(BOUGH_OK), "ok");
    assert_string_equal(bough_status_name(BOUGH_EFULL), "full");
    assert_string_equal(bough_status_name(BOUGH_ENOREPLY), "no_reply");
    assert_string_equal(bough_status_name(BOUGH_ENOTFOUND), "not_found");
    assert_string_equal(bough_status_name(BOUGH_EPRESENT), "already_present");
    assert_string_equal(bough_status_name(BOUGH_ESTARTED), "already_started");
}

static void each_status_has_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BOUGH_STATUS_COUNT; i++) {
        assert_true(strlen(bough_status_text((enum bough_status)i)) > 3);
    }
}

static void what_is_no_status_has_a_name_too(void **state)
{
    (void)state;
    assert_string_equal(bough_status_name(BOUGH_STATUS_COUNT), "unknown");
    assert_string_equal(bough_status_name((enum bough_status) - 1), "unknown");
    assert_string_equal(bough_status_text(BOUGH_STATUS_COUNT), "an unknown status");
}

static void an_unknown_name_changes_nothing(void **state)
{
    enum bough_status status = BOUGH_EFULL;

    (void)state;
    assert_false(bough_status_parse("Full", &status));
    assert_false(bough_status_parse("", &status));
    assert_status(status, BOUGH_EFULL);
}

static void an_error_gets_status_and_text(void **state)
{
    struct bough_error error = { .line = 3, .where = "old", .pointer = "old" };

    (void)state;
    assert_status(bough_error_set(&error, BOUGH_ERANGE, "%d is too much", 7),
                  BOUGH_ERANGE);
    assert_status(error.status, BOUGH_ERANGE);
    assert_string_equal(error.text, "7 is too much");
    assert_int_equal(error.line, 0);
    assert_string_equal(error.where, "");
    assert_string_equal(error.pointer, "");
}

static void no_error_struct_is_fine(void **state)
{
    (void)state;
    assert_status(bough_error_set(NULL, BOUGH_EDENIED, "no"), BOUGH_EDENIED);
    errno = ENOMEM;
    assert_status(bough_error_system(NULL, "no"), BOUGH_ENOMEM);
}

static void a_system_error_says_what_the_system_said(void **state)
{
    struct bough_error error;

    (void)state;
    errno = ENOENT;
    assert_status(bough_error_system(&error, "cannot open %s", "x"), BOUGH_ESYSTEM);
    assert_int_equal(error.errno_value, ENOENT);
    assert_string_equal(error.text, "cannot open x: No such file or directory");
}

static void an_unknown_errno_is_a_number(void **state)
{
    struct bough_error error;

    (void)state;
    errno = 4095;
    assert_status(bough_error_system(&error, "odd"), BOUGH_ESYSTEM);
    assert_string_equal(error.text, "odd: error 4095");
}

static void a_long_text_is_cut(void **state)
{
    char text[BOUGH_ERROR_TEXT + 50];
    struct bough_error error;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    errno = ENOENT;
    assert_status(bough_error_system(&error, "%s", text), BOUGH_ESYSTEM);
    assert_int_equal(strlen(error.text), BOUGH_ERROR_TEXT - 1);
}

static void fail_an_assertion(void *data)
{
    bough_assert(data != NULL);
}

static void a_failed_assertion_aborts(void **state)
{
    (void)state;
    assert_true(bough_test_aborts(fail_an_assertion, NULL));
    assert_false(bough_test_aborts(fail_an_assertion, state));
}

static void an_error_that_is_no_error(void *data)
{
    (void)data;
    bough_error_set(NULL, BOUGH_OK, "fine");
}

static void an_error_with_status_ok_is_a_bug(void **state)
{
    (void)state;
    assert_true(bough_test_aborts(an_error_that_is_no_error, NULL));
}

static void levels_are_fit_for_a_choice(void **state)
{
    (void)state;
    assert_string_equal(bough_log_level_names[BOUGH_DEBUG], "debug");
    assert_string_equal(bough_log_level_names[BOUGH_ERROR], "error");
    assert_null(bough_log_level_names[BOUGH_LEVEL_COUNT]);
}

static void events_have_names(void **state)
{
    (void)state;
    assert_string_equal(bough_event_kind_name(BOUGH_EVENT_STARTED), "started");
    assert_string_equal(bough_event_kind_name(BOUGH_EVENT_GAVE_UP), "gave_up");
    assert_string_equal(bough_event_kind_name(BOUGH_EVENT_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_own_name),
        cmocka_unit_test(the_names_outside_are_these),
        cmocka_unit_test(each_status_has_a_sentence),
        cmocka_unit_test(what_is_no_status_has_a_name_too),
        cmocka_unit_test(an_unknown_name_changes_nothing),
        cmocka_unit_test(an_error_gets_status_and_text),
        cmocka_unit_test(no_error_struct_is_fine),
        cmocka_unit_test(a_system_error_says_what_the_system_said),
        cmocka_unit_test(an_unknown_errno_is_a_number),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(a_failed_assertion_aborts),
        cmocka_unit_test(an_error_with_status_ok_is_a_bug),
        cmocka_unit_test(levels_are_fit_for_a_choice),
        cmocka_unit_test(events_have_names),
    };
    return cmocka_run_group_tests_name("core/status", tests, NULL, NULL);
}
