/* test_watch_apart.c - lives on other loops: they are watched and ended across.
 *
 * On the virtual clock: see test_letters.c.
 *
 * SPDX-License-Identifier: MIT */
#include "apart.h"

/* Watches */

static void a_start_is_watched(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    assert_int_equal(apart.watch.readies, 1);
    assert_int_equal(apart.watch.exits, 0);
    assert_int_equal(apart.watch.watch.address.life, 1);
    bough_kill(apart.place);
    assert_int_equal(apart.watch.exits, 0);
    apart_run(&apart);
    assert_int_equal(apart.watch.readies, 1);
    assert_int_equal(apart.watch.exits, 1);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_KILLED);
    assert_int_equal(apart.watch.finishes_seen, 1);
    apart_close(&apart);
}

static void ready_is_told_when_it_is(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.probe.starts_later = true;
    apart_start(&apart);
    assert_int_equal(apart.watch.readies, 0);
    bough_ready(apart.probe.actor);
    apart_run(&apart);
    assert_int_equal(apart.watch.readies, 1);
    apart_close(&apart);
    assert_int_equal(apart.watch.exits, 1);
}

/* Ready and exited are on their way at once: told both, in their order. */
static void one_that_ends_at_once_is_told_in_order(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_watch_init(&apart.watch, &apart.probe);
    bough_probe_start(apart.place, &apart.watch);
    bough_kill(apart.place);
    apart_run(&apart);
    assert_int_equal(apart.watch.readies, 1);
    assert_int_equal(apart.watch.exits, 1);
    apart_close(&apart);
}

static struct bough_probe_watch new_watch(void)
{
    struct bough_probe_watch watch;

    bough_probe_watch_init(&watch, NULL);
    return watch;
}

static void a_life_may_be_watched_later_and_by_many(void **state)
{
    enum { MANY = 100 };
    static struct bough_probe_watch watches[MANY];
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    for (int i = 0; i < MANY; i++) {
        watches[i] = new_watch();
        bough_watch(&watches[i].watch, apart.place);
    }
    apart_run(&apart);
    assert_int_equal(bough_loop_count(apart.test->loop).watches, MANY + 1);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_FAIL, 3), BOUGH_OK);
    apart_run(&apart);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(watches[i].readies, 1);
        assert_int_equal(watches[i].exits, 1);
        assert_string_equal(watches[i].reason.text, "told to fail, 3");
    }
    assert_int_equal(bough_loop_count(apart.test->loop).watches, 0);
    apart_close(&apart);
}

static void a_life_that_is_over_is_lost(void **state)
{
    struct apart apart;
    struct bough_probe_watch before, between, after;

    apart_open(&apart, *state);
    before = new_watch();
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_watch(&before.watch, apart.place);
    apart_start(&apart);
    const struct bough_address life = bough_self(apart.probe.actor);
    bough_kill(life);
    between = new_watch();
    bough_watch(&between.watch, life); /* its end is on its way */
    apart_run(&apart);
    apart_start(&apart);
    after = new_watch();
    bough_watch(&after.watch, life);
    assert_int_equal(after.exits, 0);
    apart_run(&apart);
    assert_int_equal(before.exits + between.exits + after.exits, 3);
    assert_int_equal(before.reason.kind, BOUGH_EXIT_LOST);
    assert_int_equal(between.reason.kind, BOUGH_EXIT_KILLED);
    assert_int_equal(after.reason.kind, BOUGH_EXIT_LOST);
    apart_close(&apart);
}

static void a_watch_may_be_taken_back_at_any_time(void **state)
{
    struct apart apart;
    struct bough_probe_watch early, ready, late;

    apart_open(&apart, *state);
    apart_start(&apart);
    early = ready = late = new_watch();
    bough_watch(&early.watch, apart.place);
    bough_watch_cancel(&early.watch);
    bough_watch(&ready.watch, apart.place);
    bough_watch(&late.watch, apart.place);
    apart_run(&apart);
    bough_watch_cancel(&ready.watch);
    bough_kill(apart.place);
    bough_loop_run_ready(apart_loop(&apart), SIZE_MAX); /* the news is on its way */
    bough_watch_cancel(&late.watch);
    apart_run(&apart);
    assert_int_equal(early.readies + early.exits, 0);
    assert_int_equal(ready.exits + late.exits, 0);
    assert_int_equal(apart.watch.exits, 1);
    apart_close(&apart);
}

/* What has been told, and waits for its turn here. */
static void so_may_one_that_is_about_to_be_told(void **state)
{
    struct apart apart;
    struct bough_probe_watch watch;

    apart_open(&apart, *state);
    apart_start(&apart);
    watch = new_watch();
    bough_watch(&watch.watch, apart.place);
    apart_run(&apart);
    bough_kill(apart.place);
    bough_loop_run_ready(apart_loop(&apart), SIZE_MAX);
    bough_loop_run_ready(apart.test->loop, 1); /* the first of two watches */
    bough_watch_cancel(&watch.watch);
    bough_watch_cancel(&apart.watch.watch);
    apart_run(&apart);
    assert_in_range(watch.exits + apart.watch.exits, 0, 1);
    assert_int_equal(bough_loop_count(apart.test->loop).watches, 0);
    apart_close(&apart);
}

static void who_watches_may_die_first(void **state)
{
    struct apart apart;
    struct bough_probe owner = { 0 };
    struct bough_probe_watch watch;

    apart_open(&apart, *state);
    apart_start(&apart);
    const struct bough_address address = bough_probe_spawn(apart.test, &owner, NULL);
    watch = new_watch();
    watch.watch.owner = owner.actor;
    bough_watch(&watch.watch, apart.place);
    bough_kill(address);
    apart_run(&apart);
    bough_kill(apart.place);
    apart_run(&apart);
    assert_int_equal(watch.readies + watch.exits, 0);
    assert_int_equal(apart.watch.exits, 1);
    apart_close(&apart);
}

/* Who was told may use the same watch for the next life, in the callback. */
static void start_again(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct bough_probe_watch *self =
        bough_container(watch, struct bough_probe_watch, watch);
    const struct bough_start start = { .watch = watch, .restart = true };

    (void)reason;
    if (++self->exits == 10) return;
    assert_status(bough_place_start(bough_address_place(watch->address), &start, NULL),
                  BOUGH_OK);
}

static void a_watch_may_be_used_again(void **state)
{
    struct apart apart;
    struct bough_place_info info;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_watch_init(&apart.watch, NULL);
    apart.watch.watch.exited = start_again;
    apart.watch.watch.ready = NULL;
    bough_probe_start(apart.place, &apart.watch);
    for (int i = 0; i < 10; i++)
        assert_status(bough_probe_send(apart.place, BOUGH_PROBE_FAIL, i), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.watch.exits, 10);
    assert_int_equal(apart.probe.runs, 10);
    assert_status(bough_place_info(apart.place, &info), BOUGH_OK);
    assert_int_equal(info.restarts, 9);
    assert_int_equal(info.life, 10);
    apart_close(&apart);
}

/* Ends */

static void a_stop_asks_first(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.probe.ends_later = true;
    apart_start(&apart);
    bough_stop(apart.place);
    bough_stop(apart.place);
    apart_run(&apart);
    assert_int_equal(apart.probe.stops, 1);
    assert_int_equal(apart.watch.exits, 0);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 1);
    bough_exit(apart.probe.actor, BOUGH_EXIT_SHUTDOWN);
    apart_run(&apart);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    apart_close(&apart);
}

static void an_end_says_why(void **state)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0, "it took too long");
    struct apart apart;

    apart_open(&apart, *state);
    apart.probe.ends_later = true;
    apart_start(&apart);
    bough_stop(apart.place);
    bough_end(apart.place, &reason);
    apart_run(&apart);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_TIMEOUT);
    assert_string_equal(apart.watch.reason.text, "it took too long");
    apart_close(&apart);
}

static void a_stop_may_come_while_it_starts(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.probe.starts_later = true;
    apart_start(&apart);
    bough_stop(apart.place);
    apart_run(&apart);
    assert_int_equal(apart.watch.readies, 0);
    assert_int_equal(apart.watch.exits, 1);
    apart_close(&apart);
}

/* What was sent before the stop is run before, or never. */
static void what_an_end_overtakes_is_answered(void **state)
{
    enum { MANY = 20 };
    struct bough_probe_call calls[MANY];
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    const struct bough_address life = bough_self(apart.probe.actor);
    for (int i = 0; i < MANY; i++) {
        bough_probe_call_init(&calls[i]);
        bough_probe_ask(&calls[i], life, BOUGH_PROBE_ECHO, i);
        if (i == MANY / 2) bough_kill(life);
    }
    apart_run(&apart);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(calls[i].answers, 1);
    assert_status(calls[MANY - 1].status, BOUGH_EGONE);
    apart_close(&apart);
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(a_start_is_watched),
        FACT(ready_is_told_when_it_is),
        FACT(one_that_ends_at_once_is_told_in_order),
        FACT(a_life_may_be_watched_later_and_by_many),
        FACT(a_life_that_is_over_is_lost),
        FACT(a_watch_may_be_taken_back_at_any_time),
        FACT(so_may_one_that_is_about_to_be_told),
        FACT(who_watches_may_die_first),
        FACT(a_watch_may_be_used_again),
        FACT(a_stop_asks_first),
        FACT(an_end_says_why),
        FACT(a_stop_may_come_while_it_starts),
        FACT(what_an_end_overtakes_is_answered),
    };
    return cmocka_run_group_tests_name("core/watch_apart", tests, NULL, NULL);
}
