/* test_watch.c - the shutdown-complete signal: once, last, with the reason.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/watch.h>

#include <stdlib.h>
#include <string.h>

#include <bough/tests/support/probe.h>

static void end(struct bough_test *test, struct bough_address address)
{
    bough_kill(address);
    bough_test_run(test);
}

static void a_watch_fires_once_after_finish(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    bough_test_run(test);
    assert_int_equal(watch.readies, 1);
    assert_int_equal(watch.exits, 0);
    bough_stop(address);
    assert_int_equal(watch.exits, 0);
    bough_test_run(test);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.finishes_seen, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    end(test, address);
    assert_int_equal(watch.exits, 1);
}

static void readiness_is_told_when_it_comes(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    bough_test_run(test);
    assert_int_equal(watch.readies, 0);
    bough_ready(probe.actor);
    bough_ready(probe.actor);
    bough_test_run(test);
    assert_int_equal(watch.readies, 1);
    end(test, address);
    assert_int_equal(watch.readies, 1);
}

static void one_that_ends_before_it_is_ready_is_never_ready(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    end(test, address);
    assert_int_equal(watch.readies, 0);
    assert_int_equal(watch.exits, 1);
}

static void reasons_come_as_they_were_given(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    assert_status(bough_probe_send(address, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_ERROR);
    assert_status(watch.reason.status, BOUGH_EFAILED);
    assert_string_equal(watch.reason.text, "told to fail, 1");

    address = bough_probe_spawn(test, &probe, &watch);
    assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_NORMAL);

    address = bough_probe_spawn(test, &probe, &watch);
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, "by a test");
    bough_end(address, &reason);
    bough_test_run(test);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_SIGNAL);
    assert_status(watch.reason.status, BOUGH_OK);
    assert_int_equal(watch.reason.number, 11);
    assert_string_equal(watch.reason.text, "by a test");
}

static void exit_twice(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    bough_fail(actor, BOUGH_ERANGE, "first");
    bough_fail(actor, BOUGH_EFAILED, "second");
    bough_exit(actor, BOUGH_EXIT_NORMAL);
    bough_kill(bough_self(actor));
    (void)number;
}

static void the_first_reason_stands(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = exit_twice };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(watch.exits, 1);
    assert_string_equal(watch.reason.text, "first");
}

static void fail_in_finish(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_fail(actor, BOUGH_EFAILED, "in finish");
}

static void what_finish_says_does_not_change_the_reason(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .on_finish = fail_in_finish };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    end(test, address);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_KILLED);
}

static void exit_in_init(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_exit(actor, BOUGH_EXIT_NORMAL);
}

static void a_life_may_end_in_its_first_breath(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .on_init = exit_in_init };
    struct bough_probe_watch watch;

    bough_probe_spawn(test, &probe, &watch);
    bough_test_run(test);
    assert_int_equal(watch.readies, 0);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_NORMAL);
    assert_int_equal(probe.finishes, 1);
}

static void explain(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_fail(actor, BOUGH_EDENIED, "no such device");
}

static void a_start_that_fails_says_why_and_is_not_watched(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .init_status = BOUGH_ESYSTEM, .on_init = explain };
    const struct bough_probe_options options = { &probe };
    struct bough_probe_watch watch;
    struct bough_exit_reason failure;

    bough_probe_watch_init(&watch, &probe);
    assert_status(bough_spawn(test->loop, &bough_probe_type, &options, &watch.watch, NULL,
                              &failure),
                  BOUGH_ESYSTEM);
    assert_string_equal(failure.text, "no such device");
    assert_status(failure.status, BOUGH_EDENIED);
    bough_test_run(test);
    assert_int_equal(watch.exits + watch.readies, 0);
    assert_int_equal(probe.finishes, 0);
}

static void a_late_watch_is_told_all(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_test_run(test);
    bough_probe_watch_init(&watch, &probe);
    bough_watch(&watch.watch, bough_address_place(address));
    assert_int_equal(watch.readies, 0);
    bough_test_run(test);
    assert_int_equal(watch.readies, 1);
    assert_true(bough_address_equal(watch.watch.address, address));
    end(test, address);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_KILLED);
}

static void watching_the_dead_is_lost(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    end(test, address);
    bough_probe_watch_init(&watch, &probe);
    bough_watch(&watch.watch, address);
    assert_int_equal(watch.exits, 0);
    bough_test_run(test);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_LOST);
}

static void a_watch_can_be_taken_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch before, pending;
    const struct bough_address address = bough_probe_spawn(test, &probe, &before);

    memset(&pending, 0, sizeof(pending));
    bough_watch_cancel(&pending.watch);
    bough_watch_cancel(&before.watch);
    end(test, address);
    assert_int_equal(before.exits + before.readies, 0);

    bough_probe_watch_init(&pending, &probe);
    bough_watch(&pending.watch, address);
    bough_watch_cancel(&pending.watch);
    bough_watch_cancel(&pending.watch);
    bough_test_run(test);
    assert_int_equal(pending.exits, 0);
}

static void the_end_of_the_watcher_takes_its_watches_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe watcher = { 0 }, probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address owner = bough_probe_spawn(test, &watcher, NULL);
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_watch_init(&watch, &probe);
    watch.watch.owner = watcher.actor;
    bough_watch(&watch.watch, address);
    bough_test_run(test);
    assert_int_equal(watch.readies, 1);
    bough_kill(owner);
    end(test, address);
    assert_int_equal(watch.exits, 0);
}

static void every_watch_of_a_life_fires(void **state)
{
    struct bough_test *test = *state;
    enum { COUNT = 100 };
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watches[COUNT];
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    for (int i = 0; i < COUNT; i++) {
        bough_probe_watch_init(&watches[i], &probe);
        bough_watch(&watches[i].watch, address);
    }
    end(test, address);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(watches[i].exits, 1);
}

/* A supervisor in one function: frees its watch, or starts the next life with it. */
struct keeper {
    struct bough_watch watch;
    struct bough_address place;
    int restarts;
};

static void keep_going(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct keeper *keeper = bough_container(watch, struct keeper, watch);

    assert_int_equal(reason->kind, BOUGH_EXIT_ERROR);
    if (keeper->restarts == 0) {
        free(keeper);
        return;
    }
    keeper->restarts--;
    assert_status(bough_place_start(keeper->place,
                                    &(struct bough_start){ .watch = &keeper->watch },
                                    NULL),
                  BOUGH_OK);
    assert_status(bough_probe_send(keeper->place, BOUGH_PROBE_FAIL, keeper->restarts),
                  BOUGH_OK);
}

static void a_watch_may_be_used_again_or_freed_when_it_fires(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    assert_non_null(keeper);
    keeper->watch.exited = keep_going;
    keeper->place = place;
    keeper->restarts = 3;
    assert_status(
        bough_place_start(place, &(struct bough_start){ .watch = &keeper->watch }, NULL),
        BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_FAIL, 9), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.inits, 4);
    assert_int_equal(probe.finishes, 4);
    bough_place_free(place, 0);
}

static void a_second_stop_is_one_stop(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .ends_later = true };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_stop(address);
    bough_stop(address);
    bough_test_run(test);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    end(test, address);
    assert_int_equal(probe.finishes, 1);
}

static void one_that_starts_can_be_stopped(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    assert_int_equal(watch.readies, 0);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
}

static void forget_stop(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor;
    (void)message;
    (void)size;
}

static void a_type_without_stop_ends_at_once(void **state)
{
    static const struct bough_actor_type bare = { .name = "bare", .run = forget_stop };
    struct bough_test *test = *state;
    struct bough_probe_watch watch;
    struct bough_address address;

    bough_probe_watch_init(&watch, NULL);
    assert_status(bough_spawn(test->loop, &bare, NULL, &watch.watch, &address, NULL),
                  BOUGH_OK);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
}

/* Finishing writes down who it was. */
static void write_name(struct bough_actor *actor, struct bough_probe *probe)
{
    char *names = probe->data;

    strncat(names, bough_actor_path(actor), 99 - strlen(names));
    strncat(names, " ", 99 - strlen(names));
}

static void the_lives_under_it_end_first(void **state)
{
    struct bough_test *test = *state;
    char names[100] = "";
    struct bough_probe probes[4] = { 0 };
    struct bough_probe_watch watches[4];
    struct bough_address places[4];
    const char *const paths[] = { "/", "a", "b", "c" };

    for (int i = 0; i < 4; i++) {
        const int parent = i == 3 ? 2 : 0; /* /a, /b, /b/c */
        probes[i].on_finish = write_name;
        probes[i].data = names;
        bough_probe_watch_init(&watches[i], &probes[i]);
        places[i] = bough_probe_place(test, &probes[i],
                                      i == 0 ? BOUGH_NOBODY : places[parent], paths[i]);
        bough_probe_start(places[i], &watches[i]);
    }
    end(test, places[0]);
    assert_string_equal(names, "/a /b/c /b / ");
    for (int i = 0; i < 4; i++)
        assert_int_equal(watches[i].exits, 1);
    assert_string_equal(watches[3].reason.text, "its parent ended");
    bough_place_free(places[0], 0);
}

static void a_start_says_whether_the_life_is_ready_to_who_asks(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch, late;
    bool ready = false;
    const struct bough_start start = { .watch = &watch.watch, .ready = &ready };
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    bough_probe_watch_init(&watch, &probe);
    bough_probe_watch_init(&late, &probe);
    assert_status(bough_place_start(place, &start, NULL), BOUGH_OK);
    assert_true(ready);
    assert_int_equal(watch.watch.seq, test->events[1].seq);
    assert_int_equal(test->events[1].kind, BOUGH_EVENT_READY);
    bough_watch(&late.watch, place);
    bough_test_run(test);
    assert_int_equal(watch.readies, 0);
    assert_int_equal(late.readies, 1);
    end(test, place);
    assert_int_equal(watch.exits, 1);
    bough_place_free(place, 0);
}

static void a_start_that_goes_on_is_told_by_the_watch(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true };
    struct bough_probe_watch watch;
    bool ready = false;
    const struct bough_start start = { .watch = &watch.watch, .ready = &ready };
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    bough_probe_watch_init(&watch, &probe);
    assert_status(bough_place_start(place, &start, NULL), BOUGH_OK);
    bough_ready(probe.actor);
    bough_test_run(test);
    assert_false(ready);
    assert_int_equal(watch.readies, 1);
    end(test, place);
    bough_place_free(place, 0);
}

static void fail_a_life(struct bough_test *test, struct bough_address place,
                        struct bough_watch *watch, int64_t number)
{
    const struct bough_start start = { .watch = watch };

    assert_status(bough_place_start(place, &start, NULL), BOUGH_OK);
    assert_status(bough_probe_send(watch->address, BOUGH_PROBE_FAIL, number), BOUGH_OK);
    bough_test_run(test);
}

static void a_watch_that_keeps_has_the_reason_until_it_is_used_again(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    bough_probe_watch_init(&watch, &probe);
    watch.watch.keeps = true;
    fail_a_life(test, place, &watch.watch, 1);
    assert_string_equal(watch.watch.reason->text, "told to fail, 1");
    watch.exits = 0;
    fail_a_life(test, place, &watch.watch, 2);
    assert_string_equal(watch.watch.reason->text, "told to fail, 2");
    bough_watch_cancel(&watch.watch);
    assert_null(watch.watch.reason);
    assert_int_equal(watch.exits, 1);
    bough_place_free(place, 0);
}

static void a_reason_outlives_all_but_the_watch_that_keeps_it(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch keeper, others[2];
    const struct bough_address address = bough_probe_spawn(test, &probe, &others[0]);

    bough_probe_watch_init(&keeper, &probe);
    bough_probe_watch_init(&others[1], &probe);
    keeper.watch.keeps = true;
    bough_watch(&keeper.watch, address);
    bough_watch(&others[1].watch, address);
    assert_status(bough_probe_send(address, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    bough_test_run(test);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(others[i].reason.text, "told to fail, 1");
        assert_null(others[i].watch.reason);
    }
    bough_probe_spawn(test, &probe, &others[0]);
    bough_test_run(test);
    assert_string_equal(keeper.watch.reason->text, "told to fail, 1");
    bough_watch_cancel(&keeper.watch);
    end(test, others[0].watch.address);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_watch_fires_once_after_finish),
        test_of(readiness_is_told_when_it_comes),
        test_of(one_that_ends_before_it_is_ready_is_never_ready),
        test_of(reasons_come_as_they_were_given),
        test_of(the_first_reason_stands),
        test_of(what_finish_says_does_not_change_the_reason),
        test_of(a_life_may_end_in_its_first_breath),
        test_of(a_start_that_fails_says_why_and_is_not_watched),
        test_of(a_late_watch_is_told_all),
        test_of(watching_the_dead_is_lost),
        test_of(a_watch_can_be_taken_back),
        test_of(the_end_of_the_watcher_takes_its_watches_back),
        test_of(every_watch_of_a_life_fires),
        test_of(a_watch_may_be_used_again_or_freed_when_it_fires),
        test_of(a_start_says_whether_the_life_is_ready_to_who_asks),
        test_of(a_start_that_goes_on_is_told_by_the_watch),
        test_of(a_watch_that_keeps_has_the_reason_until_it_is_used_again),
        test_of(a_reason_outlives_all_but_the_watch_that_keeps_it),
        test_of(a_second_stop_is_one_stop),
        test_of(one_that_starts_can_be_stopped),
        test_of(a_type_without_stop_ends_at_once),
        test_of(the_lives_under_it_end_first),
    };
    return cmocka_run_group_tests_name("core/watch", tests, NULL, NULL);
}
