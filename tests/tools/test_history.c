/* test_history.c - the ring of the last events, and their JSON.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/tools/bough/history.h>

enum { CAPACITY = 4 };

static int setup(void **state)
{
    *state = bough_history_new(CAPACITY);
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    bough_history_free(*state);
    return 0;
}

static void add(struct bough_history *history, uint64_t seq)
{
    const struct bough_event event = {
        .seq = seq, .kind = BOUGH_EVENT_READY, .path = "/a", .type = "counter", .life = 1
    };

    bough_history_add(history, &event);
}

static void an_empty_history_has_nothing(void **state)
{
    assert_int_equal(bough_history_last(*state), 0);
    assert_null(bough_history_after(*state, 0));
    assert_null(bough_history_after(*state, 7));
}

static void events_follow_one_another(void **state)
{
    for (uint64_t seq = 1; seq <= CAPACITY; seq++) {
        add(*state, seq);
    }
    assert_int_equal(bough_history_last(*state), CAPACITY);
    for (uint64_t seq = 0; seq < CAPACITY; seq++) {
        assert_int_equal(bough_history_after(*state, seq)->seq, seq + 1);
    }
    assert_null(bough_history_after(*state, CAPACITY));
}

static void the_oldest_make_room(void **state)
{
    for (uint64_t seq = 1; seq <= 3 * CAPACITY + 1; seq++) {
        add(*state, seq);
    }
    assert_int_equal(bough_history_after(*state, 0)->seq, 2 * CAPACITY + 2);
    assert_int_equal(bough_history_after(*state, 2 * CAPACITY)->seq, 2 * CAPACITY + 2);
    assert_int_equal(bough_history_after(*state, 3 * CAPACITY)->seq, 3 * CAPACITY + 1);
}

static void an_event_that_is_missing_is_skipped(void **state)
{
    add(*state, 1);
    add(*state, 3);
    assert_int_equal(bough_history_after(*state, 1)->seq, 3);
}

static void texts_and_reason_are_copies(void **state)
{
    char path[] = "/a";
    struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, "too much");
    const struct bough_event event = { .seq = 1,
                                       .kind = BOUGH_EVENT_EXITED,
                                       .path = path,
                                       .type = "counter",
                                       .reason = &reason };

    bough_history_add(*state, &event);
    path[1] = 'x';
    reason.text[0] = 'x';
    assert_string_equal(bough_history_after(*state, 0)->path, "/a");
    assert_string_equal(bough_history_after(*state, 0)->reason->text, "too much");
}

static void count(void *data)
{
    ++*(int *)data;
}

static void the_listener_is_told_until_it_is_taken_away(void **state)
{
    int told = 0;

    bough_history_listen(*state, count, &told);
    add(*state, 1);
    add(*state, 2);
    bough_history_listen(*state, NULL, NULL);
    add(*state, 3);
    assert_int_equal(told, 2);
}

static void assert_json(const struct bough_event *event, const char *expected)
{
    json_t *json = bough_history_json(event);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void a_start_is_printed_with_its_cause(void **state)
{
    const struct bough_event event = { .seq = 5,
                                       .realtime_ns = 1500000000123456789,
                                       .kind = BOUGH_EVENT_STARTED,
                                       .path = "/a",
                                       .type = "counter",
                                       .life = 2,
                                       .cause = 4 };

    (void)state;
    assert_json(&event,
                "{\"cause\":4,\"event\":\"started\",\"life\":2,\"path\":\"/a\",\"seq\":5,"
                "\"time\":\"2017-07-14T02:40:00.123Z\",\"type\":\"counter\"}");
}

static void a_restart_is_printed_with_delay_and_attempt(void **state)
{
    const struct bough_event event = { .seq = 1,
                                       .kind = BOUGH_EVENT_RESTARTING,
                                       .path = "/a",
                                       .type = "kv",
                                       .delay_ms = 20,
                                       .attempt = 3 };

    (void)state;
    assert_json(&event,
                "{\"attempt\":3,\"delay_ms\":20,\"event\":\"restarting\",\"life\":0,"
                "\"path\":\"/a\",\"seq\":1,\"time\":\"1970-01-01T00:00:00.000Z\","
                "\"type\":\"kv\"}");
}

static void assert_reason(struct bough_exit_reason reason, const char *expected)
{
    const struct bough_event event = {
        .seq = 1, .kind = BOUGH_EVENT_EXITED, .path = "/a", .type = "t", .reason = &reason
    };
    json_t *json = bough_history_json(&event);
    char *text;

    json_object_del(json, "time");
    json_object_del(json, "seq");
    json_object_del(json, "event");
    json_object_del(json, "path");
    json_object_del(json, "type");
    json_object_del(json, "life");
    text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void each_reason_is_printed_with_what_it_has(void **state)
{
    (void)state;
    assert_reason(bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_OK, 0, NULL),
                  "{\"reason\":\"normal\"}");
    assert_reason(bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, "too much"),
                  "{\"detail\":\"too much\",\"reason\":\"error\",\"status\":\"range\"}");
    assert_reason(bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, NULL),
                  "{\"reason\":\"signal\",\"signal\":11}");
    assert_reason(bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, 3, NULL),
                  "{\"code\":3,\"reason\":\"exit\"}");
}

static void a_text_that_is_not_utf8_is_still_printed(void **state)
{
    struct bough_exit_reason reason = { .kind = BOUGH_EXIT_KILLED };

    (void)state;
    memcpy(reason.text,
           "a\xff"
           "b",
           4);
    assert_reason(reason, "{\"detail\":\"a?b\",\"reason\":\"killed\"}");
}

/* What was kept of it, too, for texts are copies. */
static void a_quarantined_message_is_printed_with_its_number(void **state)
{
    struct bough_history *history = *state;
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, NULL);
    char name[] = "crash";
    const struct bough_event event = { .seq = 1,
                                       .kind = BOUGH_EVENT_QUARANTINED,
                                       .path = "/a",
                                       .type = "t",
                                       .life = 2,
                                       .reason = &reason,
                                       .message = name,
                                       .number = 3,
                                       .lives = 4 };

    bough_history_add(history, &event);
    memset(name, 'x', sizeof(name) - 1);
    assert_json(bough_history_after(history, 0),
                "{\"event\":\"quarantined\",\"life\":2,\"lives\":4,\"message\":\"crash\","
                "\"number\":3,\"path\":\"/a\",\"reason\":\"signal\",\"seq\":1,"
                "\"signal\":11,"
                "\"time\":\"1970-01-01T00:00:00.000Z\",\"type\":\"t\"}");
}

static void a_reason_is_read_as_it_was_printed(void **state)
{
    const struct bough_exit_reason reasons[] = {
        bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_OK, 0, NULL),
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ERANGE, 0, "too much"),
        bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, NULL),
        bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, 3, "by itself"),
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(reasons); i++) {
        json_t *json = json_object();

        assert_int_equal(bough_history_add_reason(json, &reasons[i]), 0);
        const struct bough_exit_reason again = bough_history_reason(json);
        assert_int_equal(again.kind, reasons[i].kind);
        assert_int_equal(again.status, reasons[i].status);
        assert_int_equal(again.number, reasons[i].number);
        assert_string_equal(again.text, reasons[i].text);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_history_has_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(events_follow_one_another, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_that_is_missing_is_skipped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(texts_and_reason_are_copies, setup, teardown),
        cmocka_unit_test_setup_teardown(the_listener_is_told_until_it_is_taken_away,
                                        setup, teardown),
        cmocka_unit_test(a_start_is_printed_with_its_cause),
        cmocka_unit_test(a_restart_is_printed_with_delay_and_attempt),
        cmocka_unit_test(each_reason_is_printed_with_what_it_has),
        cmocka_unit_test(a_text_that_is_not_utf8_is_still_printed),
        cmocka_unit_test_setup_teardown(a_quarantined_message_is_printed_with_its_number,
                                        setup, teardown),
        cmocka_unit_test(a_reason_is_read_as_it_was_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
