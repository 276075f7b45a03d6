/* test_full.c - what a full mailbox does, and who waits for room in it.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

#define send bough_probe_send

enum { CAPACITY = 4 };

static struct bough_address make(struct bough_test *test, struct bough_probe *probe,
                                 enum bough_when_full when_full)
{
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ probe },
        .capacity = CAPACITY,
        .when_full = when_full,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    return place;
}

static void drop(struct bough_test *test, struct bough_address place)
{
    bough_probe_end(test, place);
    bough_place_free(place, 0);
}

static uint64_t dropped(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info.dropped;
}

static size_t waiting(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info.mailbox_length;
}

static void fill(struct bough_address place)
{
    for (int i = 0; i < CAPACITY; i++)
        assert_status(send(place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
}

/* Dropping */

static void the_oldest_makes_room(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address place = make(test, &probe, BOUGH_DROP_OLDEST);

    bough_probe_call_init(&call);
    bough_probe_ask(&call, place, BOUGH_PROBE_ECHO, 100);
    for (int i = 0; i < CAPACITY; i++) {
        assert_status(send(place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
        assert_int_equal(call.answers, 0);
    }
    assert_status(send(place, BOUGH_PROBE_NOTE, CAPACITY), BOUGH_OK);
    assert_int_equal(waiting(place), CAPACITY);
    assert_int_equal(dropped(place), 2);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EFULL);
    assert_int_equal(probe.runs, CAPACITY);
    for (int i = 0; i < CAPACITY; i++)
        assert_int_equal(probe.numbers[i], i + 1);
    drop(test, place);
}

static void overfill(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    (void)probe;
    for (int i = 0; i <= CAPACITY; i++)
        assert_status(send(bough_self(actor), BOUGH_PROBE_NOTE, number + i), BOUGH_OK);
}

static void what_is_being_run_is_not_the_oldest(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = overfill };
    const struct bough_address place = make(test, &probe, BOUGH_DROP_OLDEST);
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, place, BOUGH_PROBE_HOOK, 100);
    bough_test_run(test);
    assert_status(call.status, BOUGH_ENOREPLY);
    assert_int_equal(dropped(place), 1);
    assert_int_equal(probe.runs, 1 + CAPACITY);
    for (int i = 1; i <= CAPACITY; i++)
        assert_int_equal(probe.numbers[i], 100 + i);
    drop(test, place);
}

static void the_newest_is_dropped(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address place = make(test, &probe, BOUGH_DROP_NEWEST);

    fill(place);
    bough_probe_call_init(&call);
    call.call.timeout_ms = 1000;
    bough_probe_ask(&call, place, BOUGH_PROBE_ECHO, 100);
    assert_int_equal(call.answers, 0);
    assert_status(send(place, BOUGH_PROBE_NOTE, 101), BOUGH_OK);
    assert_int_equal(dropped(place), 2);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EFULL);
    assert_int_equal(probe.runs, CAPACITY);
    drop(test, place);
}

static void hand_on(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    (void)number;
    assert_status(bough_forward(actor, *(struct bough_address *)probe->data), BOUGH_OK);
}

static void what_is_handed_on_and_dropped_is_answered(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe porter = { .hook = hand_on }, probe = { 0 };
    struct bough_probe_call call;
    struct bough_address place = make(test, &probe, BOUGH_DROP_NEWEST);
    const struct bough_address first = bough_probe_spawn(test, &porter, NULL);

    porter.data = &place;
    bough_pause(probe.actor);
    fill(place);
    call = bough_probe_ask_once(test, first, BOUGH_PROBE_HOOK, 1);
    assert_status(call.status, BOUGH_EFULL);
    drop(test, place);
    bough_probe_end(test, first);
}

/* Waiting: a source that sends to a sink when it is told to, and a sink that has paused
 * itself, so that its mailbox stays as the test has filled it. */

struct pair {
    struct bough_probe source, sink;
    struct bough_address from, to;
};

/* `number` messages to the sink, with no regard to whether it is held up. */
static void pour(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    const struct bough_address *to = probe->data;

    (void)actor;
    for (int64_t i = 0; i < number; i++)
        assert_status(send(*to, BOUGH_PROBE_NOTE, i), BOUGH_OK);
}

static void pair_init(struct pair *pair, struct bough_test *test)
{
    memset(pair, 0, sizeof(*pair));
    pair->to = make(test, &pair->sink, BOUGH_WAIT);
    pair->from = make(test, &pair->source, BOUGH_WAIT);
    pair->source.hook = pour;
    pair->source.data = &pair->to;
    bough_pause(pair->sink.actor);
}

/* The source is held up: what it is told waits. */
static void hold_up(struct pair *pair, struct bough_test *test)
{
    assert_status(send(pair->from, BOUGH_PROBE_HOOK, CAPACITY + 1), BOUGH_OK);
    assert_status(send(pair->from, BOUGH_PROBE_NOTE, 7), BOUGH_OK);
    bough_test_run(test);
    assert_true(bough_is_held_up(pair->source.actor));
    assert_int_equal(pair->source.runs, 1);
    assert_int_equal(waiting(pair->to), CAPACITY + 1);
}

static void expect_let_go(struct pair *pair, struct bough_test *test)
{
    bough_test_run(test);
    assert_false(bough_is_held_up(pair->source.actor));
    assert_int_equal(pair->source.runs, 2);
}

static void pair_finish(struct pair *pair, struct bough_test *test)
{
    drop(test, pair->from);
    drop(test, pair->to);
}

static void a_sender_is_held_up_until_there_is_room(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    hold_up(&pair, test);
    bough_resume(pair.sink.actor);
    expect_let_go(&pair, test);
    assert_int_equal(pair.sink.runs, CAPACITY + 1);
    assert_int_equal(dropped(pair.to), 0);
    pair_finish(&pair, test);
}

static void pause_after(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    (void)probe;
    (void)number;
    bough_pause(actor);
}

/* One free place is not enough: it would be held up again by its next message. */
static void it_is_let_go_when_half_is_free(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    pair.sink.hook = pause_after;
    for (int i = 0; i < CAPACITY; i++)
        assert_status(send(pair.to, BOUGH_PROBE_HOOK, i), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_NOTE, 7), BOUGH_OK);
    bough_test_run(test);
    while (waiting(pair.to) > CAPACITY / 2) {
        assert_true(bough_is_held_up(pair.source.actor));
        bough_resume(pair.sink.actor);
        bough_test_run(test);
    }
    expect_let_go(&pair, test);
    bough_resume(pair.sink.actor);
    pair_finish(&pair, test);
}

struct alarm {
    struct bough_timer timer;
    unsigned rings;
};

static void ring(struct bough_actor *actor, struct bough_timer *timer)
{
    struct alarm *alarm = bough_container(timer, struct alarm, timer);

    assert_true(bough_is_held_up(actor));
    alarm->rings++;
}

static void its_timers_answers_and_stops_go_on(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;
    struct bough_probe other = { 0 };
    struct bough_probe_call call;
    struct alarm alarm = { .rings = 0 };

    pair_init(&pair, test);
    const struct bough_address far = bough_probe_spawn(test, &other, NULL);
    hold_up(&pair, test);
    bough_timer_start(pair.source.actor, &alarm.timer, 5, 0, ring);
    bough_probe_call_init(&call);
    call.call.owner = pair.source.actor;
    bough_probe_ask(&call, far, BOUGH_PROBE_ECHO, 3);
    bough_test_advance(test, 5);
    assert_int_equal(alarm.rings, 1);
    assert_int_equal(call.answers, 1);
    bough_stop(pair.from);
    bough_test_run(test);
    assert_int_equal(pair.source.stops, 1);
    assert_int_equal(pair.source.finishes, 1);
    bough_probe_end(test, far);
    pair_finish(&pair, test);
}

struct pump {
    struct bough_timer timer;
    struct bough_address to;
};

static void pump_all(struct bough_actor *actor, struct bough_timer *timer)
{
    const struct pump *pump = bough_container(timer, struct pump, timer);

    for (int i = 0; i <= CAPACITY; i++)
        assert_status(send(pump->to, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    assert_true(bough_is_held_up(actor));
}

static void what_a_timer_sends_holds_its_actor_up(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;
    struct pump pump = { .timer = { .repeat_ms = 0 } };

    pair_init(&pair, test);
    pump.to = pair.to;
    bough_timer_start(pair.source.actor, &pump.timer, 5, 0, pump_all);
    bough_test_advance(test, 5);
    assert_true(bough_is_held_up(pair.source.actor));
    bough_resume(pair.sink.actor);
    bough_test_run(test);
    assert_false(bough_is_held_up(pair.source.actor));
    pair_finish(&pair, test);
}

static void who_is_no_actor_is_refused_at_twice_the_capacity(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;
    struct bough_probe_call call;

    pair_init(&pair, test);
    fill(pair.to);
    fill(pair.to);
    assert_status(send(pair.to, BOUGH_PROBE_NOTE, 0), BOUGH_EFULL);
    call = bough_probe_ask_once(test, pair.to, BOUGH_PROBE_ECHO, 1);
    assert_status(call.status, BOUGH_EFULL);
    assert_int_equal(waiting(pair.to), 2 * CAPACITY);
    pair_finish(&pair, test);
}

static void overflow(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    pour(actor, probe, number);
    assert_status(send(*(struct bough_address *)probe->data, BOUGH_PROBE_NOTE, 0),
                  BOUGH_EFULL);
}

static void who_sends_on_is_refused_at_twice_the_capacity(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    pair.source.hook = overflow;
    assert_status(send(pair.from, BOUGH_PROBE_HOOK, 2 * CAPACITY), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(pair.source.runs, 1);
    bough_resume(pair.sink.actor);
    expect_let_go(&pair, test);
    pair_finish(&pair, test);
}

/* Ends */

static void the_receivers_end_lets_go(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    hold_up(&pair, test);
    bough_kill(pair.to);
    expect_let_go(&pair, test);
    assert_int_equal(waiting(pair.to), CAPACITY + 1);
    pair_finish(&pair, test);
}

static void the_receivers_crash_lets_go(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    assert_status(send(pair.to, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_HOOK, CAPACITY), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_NOTE, 7), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(pair.source.runs, 1);
    bough_resume(pair.sink.actor);
    expect_let_go(&pair, test);
    assert_int_equal(pair.sink.finishes, 1);
    pair_finish(&pair, test);
}

/* And the next life of the sender is not held up by what the one before had sent. */
static void the_senders_end_leaves_nothing(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    hold_up(&pair, test);
    bough_probe_end(test, pair.from);
    bough_probe_start(pair.from, NULL);
    expect_let_go(&pair, test);
    bough_resume(pair.sink.actor);
    bough_test_run(test);
    assert_int_equal(pair.sink.runs, CAPACITY + 1);
    pair_finish(&pair, test);
}

/* Many */

static void pour_into_both(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    struct bough_address *const *to = probe->data;

    (void)actor;
    for (int64_t i = 0; i < number; i++) {
        assert_status(send(*to[0], BOUGH_PROBE_NOTE, i), BOUGH_OK);
        assert_status(send(*to[1], BOUGH_PROBE_NOTE, i), BOUGH_OK);
    }
}

static void a_sender_waits_for_all_that_are_full(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;
    struct bough_probe second = { 0 };
    struct bough_address other = make(test, &second, BOUGH_WAIT);

    pair_init(&pair, test);
    bough_pause(second.actor);
    pair.source.hook = pour_into_both;
    pair.source.data = (struct bough_address *[]){ &pair.to, &other };
    hold_up(&pair, test);
    bough_resume(second.actor);
    bough_test_run(test);
    assert_int_equal(second.runs, CAPACITY + 1);
    assert_true(bough_is_held_up(pair.source.actor));
    bough_resume(pair.sink.actor);
    expect_let_go(&pair, test);
    drop(test, other);
    pair_finish(&pair, test);
}

/* It may need its sender in order to get ready. */
static void who_starts_holds_nobody_up(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;

    pair_init(&pair, test);
    bough_probe_end(test, pair.to);
    pair.sink.starts_later = true;
    bough_probe_start(pair.to, NULL);
    assert_status(send(pair.from, BOUGH_PROBE_HOOK, CAPACITY + 1), BOUGH_OK);
    assert_status(send(pair.from, BOUGH_PROBE_NOTE, 7), BOUGH_OK);
    expect_let_go(&pair, test);
    bough_ready(pair.sink.actor);
    bough_test_run(test);
    assert_int_equal(pair.sink.runs, CAPACITY + 1);
    pair_finish(&pair, test);
}

static void who_waits_keeps_those_waiting_who_send_to_it(void **state)
{
    struct bough_test *test = *state;
    struct pair pair;
    struct bough_probe first = { .hook = pour };

    pair_init(&pair, test);
    hold_up(&pair, test);
    first.data = &pair.from;
    const struct bough_address head = make(test, &first, BOUGH_WAIT);
    assert_status(send(head, BOUGH_PROBE_HOOK, CAPACITY), BOUGH_OK);
    bough_test_run(test);
    assert_true(bough_is_held_up(first.actor));
    assert_true(bough_is_held_up(pair.source.actor));
    bough_resume(pair.sink.actor);
    bough_test_run(test);
    assert_false(bough_is_held_up(first.actor));
    assert_int_equal(pair.source.runs, 2 + CAPACITY);
    drop(test, head);
    pair_finish(&pair, test);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

struct last_words {
    struct bough_address to;
    struct bough_probe *who;
};

static void kill_speaker(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    const struct last_words *words = probe->data;

    (void)actor, (void)number;
    bough_kill(bough_self(words->who->actor));
}

static void speak(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct last_words *words = probe->data;

    (void)actor;
    assert_status(send(words->to, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
}

/* It ends in the system lane, right after the turn there of who has killed it. */
static void nobody_else_waits_for_the_last_words_of_another(void **state)
{
    struct bough_test *test = *state;
    struct last_words words;
    struct bough_probe full = { 0 };
    struct bough_probe speaker = { .on_finish = speak, .data = &words };
    struct bough_probe killer = { .hook = kill_speaker,
                                  .data = &words,
                                  .ends_later = true };
    const struct bough_address place = make(test, &full, BOUGH_WAIT);
    const struct bough_address address = bough_probe_spawn(test, &killer, NULL);

    words = (struct last_words){ .to = place, .who = &speaker };
    bough_probe_spawn(test, &speaker, NULL);
    bough_pause(full.actor);
    fill(place);
    assert_status(send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(speaker.finishes, 1);
    assert_int_equal(waiting(place), CAPACITY + 1);
    assert_false(bough_is_held_up(killer.actor));
    bough_kill(address);
    bough_resume(full.actor);
    drop(test, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(nobody_else_waits_for_the_last_words_of_another),
        test_of(the_oldest_makes_room),
        test_of(what_is_being_run_is_not_the_oldest),
        test_of(the_newest_is_dropped),
        test_of(what_is_handed_on_and_dropped_is_answered),
        test_of(a_sender_is_held_up_until_there_is_room),
        test_of(it_is_let_go_when_half_is_free),
        test_of(its_timers_answers_and_stops_go_on),
        test_of(what_a_timer_sends_holds_its_actor_up),
        test_of(who_is_no_actor_is_refused_at_twice_the_capacity),
        test_of(who_sends_on_is_refused_at_twice_the_capacity),
        test_of(the_receivers_end_lets_go),
        test_of(the_receivers_crash_lets_go),
        test_of(the_senders_end_leaves_nothing),
        test_of(a_sender_waits_for_all_that_are_full),
        test_of(who_starts_holds_nobody_up),
        test_of(who_waits_keeps_those_waiting_who_send_to_it),
    };
    return cmocka_run_group_tests_name("core/full", tests, NULL, NULL);
}
