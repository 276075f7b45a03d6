/* test_elsewhere.c - messages that are held until they have been run elsewhere, and ends
 * that wait for what is elsewhere.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/elsewhere.h>
#include <bough/tests/support/probe.h>

enum { CAPACITY = 4 };

/* An actor that holds each message; the test is what runs elsewhere. */
struct stand_in {
    struct bough_held *held[16];
    size_t count;
    size_t ran, crashed; /* of those that are held when it ends: the first ones */
    bool broke, blamed;  /* the first one was being run, and is to blame */
    struct bough_linger linger;
    bool lingers, ends;
    struct bough_exit_reason reason;
};

static struct stand_in stand_in;

static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once)
{
    stand_in.ends = true;
    stand_in.reason = *reason;
    if (at_once) bough_linger_over(linger);
}

static enum bough_status holder_init(struct bough_actor *actor, const void *options)
{
    (void)options;
    if (!stand_in.lingers) return BOUGH_OK;
    stand_in.linger.ends = ends;
    bough_linger(actor, &stand_in.linger);
    return BOUGH_OK;
}

static int64_t number_of(struct bough_held *held)
{
    const struct bough_probe_message *message = bough_held_message(held).bytes;

    return message->number;
}

static void holder_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    enum { FEW = 3 };
    struct bough_held_message messages[FEW];
    size_t count;

    (void)actor;
    while ((count = bough_batch_hold(batch, messages, FEW)) > 0) {
        for (size_t i = 0; i < count; i++)
            stand_in.held[stand_in.count++] = messages[i].held;
    }
    assert_int_equal(bough_batch_hold(batch, messages, FEW), 0);
}

static void holder_finish(struct bough_actor *actor)
{
    (void)actor;
    for (size_t i = 0; i < stand_in.crashed; i++)
        bough_held_free(stand_in.held[i]);
    if (stand_in.broke) bough_held_broke(stand_in.held[0], stand_in.blamed);
    stand_in.crashed += stand_in.broke;
    while (stand_in.count > stand_in.crashed)
        bough_held_return(stand_in.held[--stand_in.count]);
    stand_in.count = 0;
}

static const struct bough_actor_type holder_type = {
    .name = "holder",
    .holds = true,
    .init = holder_init,
    .run_batch = holder_run_batch,
    .finish = holder_finish,
};

static struct bough_address make_redelivering(struct bough_test *test, bool lingers,
                                              uint32_t redeliver)
{
    struct bough_place_spec spec = {
        .type = &holder_type,
        .name = "/",
        .capacity = CAPACITY,
        .redeliver = redeliver,
    };
    struct bough_address root, place;

    memset(&stand_in, 0, sizeof(stand_in));
    stand_in.lingers = lingers;
    assert_status(bough_place_new(test->loop, &spec, &root), BOUGH_OK);
    spec.parent = root;
    spec.name = "a";
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    return place;
}

static struct bough_address make(struct bough_test *test, bool lingers)
{
    return make_redelivering(test, lingers, 0);
}

/* It, the one above it, and what waits there. */
static void drop(struct bough_test *test, struct bough_address place)
{
    struct bough_address root;

    bough_probe_end(test, place);
    assert_status(bough_lookup(test->loop, "/", &root), BOUGH_OK);
    bough_place_free(root, 0);
    bough_test_run(test);
}

static struct bough_place_info info_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info;
}

static void what_is_held_takes_room(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = make(test, false);

    for (int i = 0; i < CAPACITY; i++) {
        assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
        bough_test_run(test);
    }
    assert_int_equal(stand_in.count, CAPACITY);
    assert_int_equal(info_of(place).mailbox_length, CAPACITY);
    assert_int_equal(info_of(place).mailbox_capacity, CAPACITY);
    assert_int_equal(info_of(place).handled, 0);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 9), BOUGH_EFULL);

    bough_held_free(stand_in.held[0]);
    assert_int_equal(info_of(place).handled, 1);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 9), BOUGH_OK);
    memmove(stand_in.held, stand_in.held + 1, sizeof(stand_in.held[0]) * CAPACITY);
    stand_in.count--;
    bough_probe_end(test, place);
    assert_int_equal(info_of(place).mailbox_length, CAPACITY);
    drop(test, place);
}

static void the_oldest_of_those_held_is_out_of_reach(void **state)
{
    struct bough_test *test = *state;
    const struct bough_place_spec spec = {
        .type = &holder_type,
        .name = "/",
        .capacity = 1,
        .when_full = BOUGH_DROP_OLDEST,
    };
    struct bough_address place;

    memset(&stand_in, 0, sizeof(stand_in));
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_int_equal(info_of(place).dropped, 1);
    assert_int_equal(info_of(place).mailbox_length, 1);
    drop(test, place);
}

static void an_answer_comes_whenever_it_is_given(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = make(test, false);
    struct bough_probe_call first, second;
    const int64_t seven = 7;

    bough_probe_call_init(&first);
    bough_probe_call_init(&second);
    bough_probe_ask(&first, place, BOUGH_PROBE_ECHO, 1);
    bough_probe_ask(&second, place, BOUGH_PROBE_ECHO, 2);
    bough_test_run(test);
    assert_true(bough_held_message(stand_in.held[0]).asked);
    bough_held_answer(stand_in.held[0], BOUGH_OK, &seven, sizeof(seven));
    assert_int_equal(bough_held_over(&stand_in.held[1], 1), 0);
    bough_test_run(test);
    assert_int_equal(first.answers, 1);
    assert_int_equal(first.number, 7);
    assert_int_equal(second.answers, 0);
    bough_held_free(stand_in.held[0]);
    bough_held_free(stand_in.held[1]); /* nobody has answered it */
    stand_in.count = 0;
    bough_test_run(test);
    assert_status(second.status, BOUGH_ENOREPLY);
    drop(test, place);
}

/* Of five, one had been run, one was being run: the next life gets the other three, in
 * order, before what came later; one of high priority stays ahead. */
static void the_next_life_goes_on_with_what_was_not_run(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = make(test, false);
    struct bough_probe_call asked;

    bough_probe_call_init(&asked);
    bough_probe_ask(&asked, place, BOUGH_PROBE_ECHO, 1);
    for (int i = 2; i <= 3; i++)
        assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    bough_test_run(test);
    const struct bough_probe_message urgent = { BOUGH_PROBE_NOTE, 4 };
    assert_status(bough_send_high(place, &urgent, sizeof(urgent)), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(stand_in.count, 4);
    assert_true(bough_held_message(stand_in.held[3]).high);

    stand_in.crashed = 1;
    const struct bough_exit_reason broke =
        bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, 11, NULL);
    bough_end(place, &broke);
    bough_test_run(test);
    assert_status(asked.status, BOUGH_ECRASHED);
    assert_non_null(strstr(asked.text, "SEGV"));
    assert_int_equal(info_of(place).mailbox_length, 3);
    assert_int_equal(info_of(place).mailbox_capacity, CAPACITY);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 5), BOUGH_OK);

    stand_in.crashed = 0;
    bough_probe_start(place, NULL);
    bough_test_run(test);
    static const int64_t order[] = { 4, 2, 3, 5 };
    assert_int_equal(stand_in.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(number_of(stand_in.held[i]), order[i]);
    }
    drop(test, place);
}

static void an_end_waits_for_what_is_elsewhere(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = make(test, true);
    struct bough_probe_watch watch;

    bough_probe_watch_init(&watch, NULL);
    bough_watch(&watch.watch, place);
    bough_kill(place);
    bough_test_run(test);
    assert_true(stand_in.ends);
    assert_int_equal(stand_in.reason.kind, BOUGH_EXIT_KILLED);
    assert_int_equal(watch.exits, 0);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_STOPPING);
    bough_linger_over(&stand_in.linger);
    bough_test_run(test);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_KILLED);
    drop(test, place);
}

static void what_is_over_first_is_not_told_of_the_end(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = make(test, true);

    bough_linger_over(&stand_in.linger);
    bough_kill(place);
    bough_test_run(test);
    assert_false(stand_in.ends);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_RESTARTING);
    drop(test, place);
}

static void a_runtime_that_ends_does_not_wait(void **state)
{
    struct bough_test *test = *state;
    struct bough_test other = { .ev = ev_loop_new(0) };

    other.runtime = bough_runtime_new(NULL);
    other.loop = bough_loop_new(other.runtime, other.ev);
    make(&other, true);
    bough_runtime_free(other.runtime);
    ev_loop_destroy(other.ev);
    assert_true(stand_in.ends);
    bough_test_run(test);
}

/* Batches */

static void a_batch_is_held_in_one_turn(void **state)
{
    struct bough_test *test = *state;
    const struct bough_place_spec spec = { .type = &holder_type,
                                           .name = "/",
                                           .capacity = CAPACITY };
    static const int64_t order[] = { 3, 1, 2, 4 };
    struct bough_probe_call asked;
    struct bough_address place;

    memset(&stand_in, 0, sizeof(stand_in));
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_probe_call_init(&asked);
    bough_probe_ask(&asked, place, BOUGH_PROBE_ECHO, 2);
    const struct bough_probe_message high = { BOUGH_PROBE_NOTE, 3 };
    assert_status(bough_send_high(place, &high, sizeof(high)), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 4), BOUGH_OK);
    bough_test_run(test);

    assert_int_equal(stand_in.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct bough_held_message message = bough_held_message(stand_in.held[i]);

        assert_int_equal(number_of(stand_in.held[i]), order[i]);
        assert_int_equal(message.high, order[i] == 3);
        assert_int_equal(message.asked, order[i] == 2);
    }
    assert_int_equal(info_of(place).mailbox_length, CAPACITY);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 9), BOUGH_EFULL);

    /* Who asks has to be answered first. */
    assert_int_equal(bough_held_over(&stand_in.held[0], 1), 1);
    assert_int_equal(bough_held_over(&stand_in.held[2], 2), 0);
    assert_int_equal(bough_held_over(&stand_in.held[2], 1), 0);
    assert_int_equal(info_of(place).handled, 2);
    bough_held_free(stand_in.held[2]);
    bough_test_run(test);
    assert_status(asked.status, BOUGH_ENOREPLY);
    stand_in.held[0] = stand_in.held[1];
    stand_in.held[1] = stand_in.held[3];
    stand_in.count = 2;
    drop(test, place);
}

/* More than a turn has at once. */
static void a_long_batch_takes_several_turns(void **state)
{
    enum { MANY = 3000 };
    struct bough_test *test = *state;
    const struct bough_place_spec spec = { .type = &holder_type,
                                           .name = "/",
                                           .capacity = MANY };
    struct bough_address place;

    memset(&stand_in, 0, sizeof(stand_in));
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    for (int64_t i = 0; i < MANY; i++)
        assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    for (int64_t next = 0; next < MANY;) {
        assert_true(bough_loop_run_ready(test->loop, 10) <= 10);
        assert_in_range(stand_in.count, 1, 10);
        for (size_t i = 0; i < stand_in.count; i++)
            assert_int_equal(number_of(stand_in.held[i]), next++);
        assert_int_equal(bough_held_over(stand_in.held, stand_in.count), stand_in.count);
        stand_in.count = 0;
    }
    drop(test, place);
}

/* What was being run when it broke */

static struct bough_address break_first(struct bough_test *test, uint32_t redeliver,
                                        bool blamed, struct bough_probe_call *asked)
{
    const struct bough_address place = make_redelivering(test, false, redeliver);

    bough_probe_call_init(asked);
    bough_probe_ask(asked, place, BOUGH_PROBE_ECHO, 1);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(stand_in.count, 2);
    stand_in.broke = true;
    stand_in.blamed = blamed;
    bough_probe_end(test, place);
    memset(&stand_in, 0, sizeof(stand_in));
    return place;
}

static void without_redelivery_it_has_crashed(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call asked;
    const struct bough_address place = break_first(test, 0, true, &asked);

    assert_status(asked.status, BOUGH_ECRASHED);
    assert_int_equal(info_of(place).quarantined, 0);
    assert_int_equal(info_of(place).mailbox_length, 1);
    assert_int_equal(info_of(place).handled, 1);
    drop(test, place);
}

static void the_one_to_blame_is_put_away(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call asked;
    const struct bough_address place = break_first(test, 1, true, &asked);

    assert_status(asked.status, BOUGH_ECRASHED);
    assert_int_equal(info_of(place).quarantined, 1);
    assert_int_equal(info_of(place).mailbox_length, 1);
    assert_int_equal(info_of(place).mailbox_capacity, CAPACITY);
    drop(test, place);
}

static void one_that_is_not_to_blame_has_crashed(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call asked;
    const struct bough_address place = break_first(test, 1, false, &asked);

    assert_status(asked.status, BOUGH_ECRASHED);
    assert_int_equal(info_of(place).quarantined, 0);
    drop(test, place);
}

/* Interrupted as often as you like, it is run again, and is put away when it has ended as
 * many lives as it may. */
static void one_that_has_tries_left_is_the_first_again(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call asked;
    const struct bough_address place = break_first(test, 2, false, &asked);
    static const bool blamed[] = { true, false, true };

    for (size_t i = 0; i < bough_count_of(blamed); i++) {
        assert_int_equal(asked.answers, 0);
        assert_int_equal(info_of(place).quarantined, 0);
        bough_probe_start(place, NULL);
        bough_test_run(test);
        assert_int_equal(stand_in.count, 2);
        assert_true(bough_held_message(stand_in.held[0]).asked);
        assert_true(bough_held_message(stand_in.held[0]).high);
        assert_int_equal(number_of(stand_in.held[0]), 1);
        stand_in.broke = true;
        stand_in.blamed = blamed[i];
        bough_probe_end(test, place);
        memset(&stand_in, 0, sizeof(stand_in));
    }
    assert_int_equal(asked.answers, 1);
    assert_status(asked.status, BOUGH_ECRASHED);
    assert_int_equal(info_of(place).quarantined, 1);
    drop(test, place);
}

/* One that was run at last is no more the one that was tried. */
static void one_that_was_run_begins_anew(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call asked;
    const struct bough_address place = break_first(test, 2, true, &asked);

    bough_probe_start(place, NULL);
    bough_test_run(test);
    bough_held_free(stand_in.held[0]);
    bough_held_free(stand_in.held[1]);
    stand_in.count = 0;
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(stand_in.count, 1);
    stand_in.broke = stand_in.blamed = true;
    bough_probe_end(test, place);
    memset(&stand_in, 0, sizeof(stand_in));
    assert_int_equal(info_of(place).quarantined, 0);
    assert_int_equal(info_of(place).mailbox_length, 1);
    drop(test, place);
}

static void spend(struct bough_actor *actor, struct bough_probe *probe, int64_t ms)
{
    (void)probe;
    bough_show_pid(actor, 7);
    bough_show_spent(actor, ms);
}

static void the_time_that_processes_have_spent_is_the_places(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = spend };
    struct bough_place_info info;
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    for (int lives = 1; lives <= 2; lives++) {
        bough_probe_start(place, NULL);
        bough_probe_send(place, BOUGH_PROBE_HOOK, 100);
        bough_test_run(test);
        assert_status(bough_place_info(place, &info), BOUGH_OK);
        assert_int_equal(info.spent_ms, lives * 100);
        assert_int_equal(info.pid, 0);
        bough_probe_end(test, place);
    }
    bough_place_free(place, 0);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(what_is_held_takes_room),
        test_of(the_oldest_of_those_held_is_out_of_reach),
        test_of(an_answer_comes_whenever_it_is_given),
        test_of(the_next_life_goes_on_with_what_was_not_run),
        test_of(an_end_waits_for_what_is_elsewhere),
        test_of(what_is_over_first_is_not_told_of_the_end),
        test_of(a_runtime_that_ends_does_not_wait),
        test_of(a_batch_is_held_in_one_turn),
        test_of(a_long_batch_takes_several_turns),
        test_of(without_redelivery_it_has_crashed),
        test_of(the_one_to_blame_is_put_away),
        test_of(one_that_is_not_to_blame_has_crashed),
        test_of(one_that_has_tries_left_is_the_first_again),
        test_of(one_that_was_run_begins_anew),
        test_of(the_time_that_processes_have_spent_is_the_places),
    };
    return cmocka_run_group_tests_name("core/elsewhere", tests, NULL, NULL);
}
