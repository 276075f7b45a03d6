/* test_why.c - the sentences of `bough why`, over histories made up for them.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/tools/bough/why.h>

/* 2026-01-31T12:00:00Z */
static const int64_t NOON_NS = INT64_C(1769860800) * 1000000000;
enum { NS_PER_MS = 1000000 };

static const struct bough_exit_reason segv = { .kind = BOUGH_EXIT_SIGNAL, .number = 11 };
static const struct bough_exit_reason broken = { .kind = BOUGH_EXIT_ERROR,
                                                 .status = BOUGH_EFAILED,
                                                 .text = "disk full" };
static const struct bough_exit_reason normal = { .kind = BOUGH_EXIT_NORMAL };
static const struct bough_exit_reason shut = { .kind = BOUGH_EXIT_SHUTDOWN };
static const struct bough_exit_reason gave_up = { .kind = BOUGH_EXIT_SHUTDOWN,
                                                  .text = "gave up: much text" };

/* At `ms` past noon. */
static struct bough_event event(uint64_t seq, int64_t ms, enum bough_event_kind kind,
                                const char *path, uint32_t life, uint64_t cause)
{
    return (struct bough_event){ .seq = seq,
                                 .realtime_ns = NOON_NS + ms * NS_PER_MS,
                                 .kind = kind,
                                 .path = path,
                                 .type = "counter",
                                 .life = life,
                                 .cause = cause };
}

static struct bough_event started(uint64_t seq, int64_t ms, const char *path,
                                  uint32_t life, uint64_t cause)
{
    return event(seq, ms, BOUGH_EVENT_STARTED, path, life, cause);
}

static struct bough_event ready(uint64_t seq, int64_t ms, const char *path, uint32_t life)
{
    return event(seq, ms, BOUGH_EVENT_READY, path, life, seq - 1);
}

static struct bough_event stopping(uint64_t seq, int64_t ms, const char *path,
                                   uint32_t life, uint64_t cause)
{
    return event(seq, ms, BOUGH_EVENT_STOPPING, path, life, cause);
}

static struct bough_event exited(uint64_t seq, int64_t ms, const char *path,
                                 uint32_t life, uint64_t cause,
                                 const struct bough_exit_reason *reason)
{
    struct bough_event result = event(seq, ms, BOUGH_EVENT_EXITED, path, life, cause);

    result.reason = reason;
    return result;
}

/* The restarts-th of 5 in 10s. */
static struct bough_event restarting(uint64_t seq, int64_t ms, const char *path,
                                     uint32_t life, uint64_t cause, uint32_t attempt,
                                     uint32_t restarts)
{
    struct bough_event result = event(seq, ms, BOUGH_EVENT_RESTARTING, path, life, cause);

    result.attempt = attempt;
    result.restarts = restarts;
    result.allowed = 5;
    result.period_ms = 10000;
    return result;
}

static struct bough_event waiting(uint64_t seq, int64_t ms, const char *path,
                                  uint32_t life, uint64_t cause, int64_t delay_ms)
{
    struct bough_event result = event(seq, ms, BOUGH_EVENT_RESTARTING, path, life, cause);

    result.attempt = 1;
    result.delay_ms = delay_ms;
    return result;
}

static struct bough_event giving_up(uint64_t seq, int64_t ms, const char *path,
                                    uint32_t life, uint64_t cause)
{
    struct bough_event result = event(seq, ms, BOUGH_EVENT_GAVE_UP, path, life, cause);

    result.reason = &gave_up;
    result.restarts = 6;
    result.allowed = 5;
    result.period_ms = 10000;
    return result;
}

static const char *rest_for_one(void *data, const char *path)
{
    (void)data;
    return strcmp(path, "/") == 0 ? "rest-for-one" : NULL;
}

static void expect_as(struct bough_why *why, const struct bough_event *events,
                      size_t count, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    assert_non_null(file);
    why->events = events;
    why->count = count;
    why->strategy = rest_for_one;
    bough_why(why, file);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void expect(const char *path, enum bough_place_state state, uint32_t life,
                   const struct bough_event *events, size_t count, const char *expected)
{
    struct bough_why why = { .path = path, .state = state, .life = life };

    expect_as(&why, events, count, expected);
    assert_false(why.incomplete);
}

static void what_never_ended_has_no_story(void **unused)
{
    const struct bough_event events[] = { started(1, 0, "/db", 1, 0),
                                          ready(2, 0, "/db", 1) };

    (void)unused;
    expect("/db", BOUGH_PLACE_RUNNING, 1, events, 2,
           "/db is in life 1; it has never ended\n");
    expect("/db", BOUGH_PLACE_STARTING, 1, events, 1,
           "/db is in life 1, not ready yet; it has never ended\n");
}

static void a_restart_names_its_own_end(void **unused)
{
    const struct bough_event events[] = {
        started(1, 0, "/db", 1, 0),          ready(2, 0, "/db", 1),
        exited(3, 3119, "/db", 1, 0, &segv), restarting(4, 3119, "/db", 1, 3, 1, 1),
        started(5, 3120, "/db", 2, 4),       ready(6, 3120, "/db", 2),
    };

    (void)unused;
    expect(
        "/db", BOUGH_PLACE_RUNNING, 2, events, 6,
        "/db is in life 2: it exited with signal SEGV at 12:00:03.119; 1 of 5 restarts "
        "used in 10s\n");
}

/* db breaks, api is stopped and started after it. */
static void a_sibling_names_the_strategy_and_who_broke(void **unused)
{
    const struct bough_event events[] = {
        ready(10, 0, "/", 1),
        exited(11, 3119, "/db", 1, 0, &segv),
        restarting(12, 3119, "/db", 1, 11, 1, 3),
        stopping(13, 3119, "/api", 3, 11),
        exited(14, 3120, "/api", 3, 11, &shut),
        started(15, 3120, "/db", 2, 12),
        ready(16, 3120, "/db", 2),
        started(17, 3121, "/api", 4, 12),
        ready(18, 3121, "/api", 4),
    };

    (void)unused;
    expect(
        "/api", BOUGH_PLACE_RUNNING, 4, events, 9,
        "/api is in life 4: rest-for-one stopped it at 12:00:03.120 because /db exited "
        "with signal SEGV at 12:00:03.119; 3 of 5 restarts used in 10s\n");
    /* It had ended long before, and the group brought it back. */
    expect(
        "/old", BOUGH_PLACE_RUNNING, 2,
        (const struct bough_event[]){ exited(5, 0, "/old", 1, 0, &normal), events[1],
                                      events[2], started(17, 3121, "/old", 2, 12) },
        4,
        "/old is in life 2: rest-for-one started it at 12:00:03.121 because /db exited "
        "with signal SEGV at 12:00:03.119; 3 of 5 restarts used in 10s\n");
}

static void tries_that_failed_lead_back_to_the_first_end(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 0, "/db", 1, 0, &broken), restarting(2, 0, "/db", 1, 1, 1, 1),
        exited(3, 1, "/db", 2, 2, &segv),   restarting(4, 1, "/db", 2, 3, 2, 2),
        started(5, 2, "/db", 3, 4),         ready(6, 2, "/db", 3),
    };

    (void)unused;
    expect(
        "/db", BOUGH_PLACE_RUNNING, 3, events, 6,
        "/db is in life 3: it exited with error: failed: disk full at 12:00:00.000; it "
        "took 2 tries; 2 of 5 restarts used in 10s\n");
}

static void a_child_of_a_restarted_supervisor_names_it(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 1000, "/sup/x", 6, 0, &broken),
        giving_up(2, 1000, "/sup", 1, 1),
        exited(3, 1001, "/sup", 1, 0, &gave_up),
        restarting(4, 1001, "/sup", 1, 3, 1, 1),
        started(5, 1002, "/sup", 2, 4),
        started(6, 1003, "/sup/x", 7, 0),
        ready(7, 1003, "/sup/x", 7),
        ready(8, 1003, "/sup", 2),
    };

    (void)unused;
    expect("/sup/x", BOUGH_PLACE_RUNNING, 7, events, 8,
           "/sup/x is in life 7: /sup started it at 12:00:01.003, in life 2 of its own\n"
           "/sup is in life 2: it gave up at 12:00:01.001; 1 of 5 restarts used in 10s\n"
           "/sup gave up at 12:00:01.000 because /sup/x exited with error: failed: disk "
           "full at 12:00:01.000; that was restart 6 in 10s, and 5 are allowed\n");
}

static void a_start_by_hand_says_so(void **unused)
{
    const struct bough_event events[] = {
        ready(1, 0, "/", 1),
        stopping(2, 1000, "/db", 1, 0),
        exited(3, 1000, "/db", 1, 0, &shut),
        started(4, 5000, "/db", 2, 0),
        ready(5, 5000, "/db", 2),
    };

    (void)unused;
    expect(
        "/db", BOUGH_PLACE_RUNNING, 2, events, 5,
        "/db is in life 2: it was started by hand at 12:00:05.000; before that it ended "
        "in order at 12:00:01.000\n");
    expect("/db", BOUGH_PLACE_STOPPED, 1, events, 3,
           "/db is stopped: it was stopped by hand at 12:00:01.000\n");
}

static void a_wait_names_the_next_try(void **unused)
{
    const struct bough_event events[] = { exited(1, 0, "/db", 1, 0, &segv),
                                          waiting(2, 0, "/db", 1, 1, 2000) };
    struct bough_why why = { .path = "/db",
                             .state = BOUGH_PLACE_RESTARTING,
                             .life = 1,
                             .now_ns = NOON_NS + 400 * NS_PER_MS };

    (void)unused;
    expect_as(&why, events, 2,
              "/db is being restarted: it exited with signal SEGV at 12:00:00.000; next "
              "try in 1.6s\n");
    why.now_ns = NOON_NS + INT64_C(9000) * NS_PER_MS;
    expect_as(&why, events, 2,
              "/db is being restarted: it exited with signal SEGV at 12:00:00.000; next "
              "try in 0s\n");
}

static void a_sibling_that_waits_names_who_broke(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 0, "/db", 1, 0, &segv),
        restarting(2, 0, "/db", 1, 1, 1, 1),
        stopping(3, 0, "/api", 1, 1),
        exited(4, 5, "/api", 1, 1, &shut),
    };

    (void)unused;
    expect("/api", BOUGH_PLACE_RESTARTING, 1, events, 4,
           "/api is being restarted: rest-for-one stopped it at 12:00:00.005 because /db "
           "exited with signal SEGV at 12:00:00.000\n");
    expect(
        "/api", BOUGH_PLACE_STOPPING, 1, events, 3,
        "/api is ending: it was asked to at 12:00:00.000 because /db exited with signal "
        "SEGV at 12:00:00.000\n");
}

static void a_good_end_of_a_transient_child_is_explained(void **unused)
{
    const struct bough_event events[] = { exited(1, 0, "/job", 1, 0, &normal) };
    struct bough_why why = {
        .path = "/job", .state = BOUGH_PLACE_STOPPED, .life = 1, .restart = "transient"
    };

    (void)unused;
    expect_as(
        &why, events, 1,
        "/job is stopped: it ended normally at 12:00:00.000; a transient child that "
        "ends well is not restarted\n");
}

static void what_a_supervisor_took_along_says_why_that_ended(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 0, "/sup/x", 6, 0, &broken), giving_up(2, 0, "/sup", 1, 1),
        stopping(3, 0, "/sup/y", 1, 1),        exited(4, 7, "/sup/y", 1, 1, &shut),
        exited(5, 7, "/sup", 1, 0, &gave_up),
    };

    (void)unused;
    expect("/sup/y", BOUGH_PLACE_STOPPED, 1, events, 5,
           "/sup/y is stopped: /sup took it along at 12:00:00.007; it gave up at "
           "12:00:00.007\n"
           "/sup gave up at 12:00:00.000 because /sup/x exited with error: failed: disk "
           "full at 12:00:00.000; that was restart 6 in 10s, and 5 are allowed\n");
    /* While the supervisor still waits for others. */
    expect("/sup/y", BOUGH_PLACE_STOPPED, 1, events, 4,
           "/sup/y is stopped: /sup took it along at 12:00:00.007\n"
           "/sup gave up at 12:00:00.000 because /sup/x exited with error: failed: disk "
           "full at 12:00:00.000; that was restart 6 in 10s, and 5 are allowed\n");
    expect("/sup", BOUGH_PLACE_FAILED, 1, events, 5,
           "/sup has failed: it gave up at 12:00:00.007\n"
           "/sup gave up at 12:00:00.000 because /sup/x exited with error: failed: disk "
           "full at 12:00:00.000; that was restart 6 in 10s, and 5 are allowed\n");
}

static void what_was_forgotten_says_since_when(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 0, "/tmp", 1, 0, &segv),
        event(2, 1, BOUGH_EVENT_REMOVED, "/tmp", 1, 1),
    };
    struct bough_why why = { .path = "/tmp", .removed = true, .restart = "temporary" };

    (void)unused;
    expect_as(&why, events, 2,
              "/tmp was forgotten at 12:00:00.001: it exited with signal SEGV at "
              "12:00:00.000; a temporary child is not restarted\n");
    assert_int_equal(why.told_count, 2);
}

static void what_is_no_longer_kept_is_said_to_be_so(void **unused)
{
    static const struct {
        enum bough_place_state state;
        const char *text;
    } rows[] = {
        { BOUGH_PLACE_RUNNING,
          "/db is in life 9; the event that led to this is no longer kept\n" },
        { BOUGH_PLACE_RESTARTING,
          "/db is being restarted; the event that led to this is no longer kept\n" },
        { BOUGH_PLACE_STOPPED,
          "/db is stopped; the event that led to this is no longer kept\n" },
        { BOUGH_PLACE_FAILED,
          "/db has failed; the event that led to this is no longer kept\n" },
        { BOUGH_PLACE_STOPPING,
          "/db is ending; the event that led to this is no longer kept\n" },
    };
    const struct bough_event other = ready(100, 0, "/other", 1);

    (void)unused;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        struct bough_why why = { .path = "/db", .state = rows[i].state, .life = 9 };

        expect_as(&why, &other, 1, rows[i].text);
        assert_true(why.incomplete);
    }
}

static void a_cause_that_is_no_longer_kept_is_not_guessed(void **unused)
{
    const struct bough_event events[] = { restarting(51, 0, "/db", 2, 40, 1, 1),
                                          started(52, 0, "/db", 3, 51) };
    struct bough_why why = { .path = "/db", .state = BOUGH_PLACE_RUNNING, .life = 3 };

    (void)unused;
    expect_as(&why, events, 2,
              "/db is in life 3; the event that led to this is no longer kept\n");
    assert_true(why.incomplete);
}

static void what_was_never_started_says_so(void **unused)
{
    (void)unused;
    expect("/db", BOUGH_PLACE_RESERVED, 0, NULL, 0,
           "/db is stopped; it has never been started\n");
}

static void messages_in_quarantine_are_named(void **unused)
{
    struct bough_why why = {
        .path = "/db", .state = BOUGH_PLACE_RUNNING, .life = 1, .quarantined = 1
    };

    (void)unused;
    expect_as(&why, NULL, 0,
              "/db is in life 1; it has never ended\n"
              "1 message is in quarantine: see `bough quarantine /db`\n");
    why.quarantined = 2;
    expect_as(&why, NULL, 0,
              "/db is in life 1; it has never ended\n"
              "2 messages are in quarantine: see `bough quarantine /db`\n");
}

/* Whatever the events say, it ends and reads nothing beyond them. */
static void causes_in_a_circle_come_to_an_end(void **unused)
{
    const struct bough_event events[] = {
        exited(1, 0, "/db", 1, 3, &segv),
        restarting(2, 0, "/db", 1, 2, 1, 1),
        started(3, 0, "/db", 2, 2),
    };

    (void)unused;
    struct bough_why why = { .path = "/db", .state = BOUGH_PLACE_RUNNING, .life = 2 };

    expect_as(&why, events, 3,
              "/db is in life 2; the event that led to this is no longer kept\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_ended_has_no_story),
        cmocka_unit_test(a_restart_names_its_own_end),
        cmocka_unit_test(a_sibling_names_the_strategy_and_who_broke),
        cmocka_unit_test(tries_that_failed_lead_back_to_the_first_end),
        cmocka_unit_test(a_child_of_a_restarted_supervisor_names_it),
        cmocka_unit_test(a_start_by_hand_says_so),
        cmocka_unit_test(a_wait_names_the_next_try),
        cmocka_unit_test(a_sibling_that_waits_names_who_broke),
        cmocka_unit_test(a_good_end_of_a_transient_child_is_explained),
        cmocka_unit_test(what_a_supervisor_took_along_says_why_that_ended),
        cmocka_unit_test(what_was_forgotten_says_since_when),
        cmocka_unit_test(what_is_no_longer_kept_is_said_to_be_so),
        cmocka_unit_test(a_cause_that_is_no_longer_kept_is_not_guessed),
        cmocka_unit_test(what_was_never_started_says_so),
        cmocka_unit_test(messages_in_quarantine_are_named),
        cmocka_unit_test(causes_in_a_circle_come_to_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
