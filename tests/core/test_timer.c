/* test_timer.c - timers of an actor: on time, in phase, and gone with their actor.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/timer.h>

#include <stdlib.h>

#include <bough/tests/support/probe.h>

struct beat {
    struct bough_timer timer;
    struct bough_probe probe;
    struct bough_address address;
    int64_t at_ms[32]; /* when it beat */
    size_t count;
};

static void beat(struct bough_actor *actor, struct bough_timer *timer)
{
    struct beat *self = bough_container(timer, struct beat, timer);

    if (self->count < 32) self->at_ms[self->count] = bough_now_ms(actor);
    self->count++;
}

static struct beat *beat_new(struct bough_test *test)
{
    struct beat *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    self->address = bough_probe_spawn(test, &self->probe, NULL);
    return self;
}

static void start(struct beat *self, int64_t delay_ms, int64_t repeat_ms)
{
    bough_timer_start(self->probe.actor, &self->timer, delay_ms, repeat_ms, beat);
}

static void beat_free(struct bough_test *test, struct beat *self)
{
    bough_kill(self->address);
    bough_test_run(test);
    free(self);
}

static void a_timer_fires_once_and_on_time(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 100, 0);
    assert_true(bough_timer_is_running(&self->timer));
    bough_test_advance(test, 99);
    assert_int_equal(self->count, 0);
    bough_test_advance(test, 1);
    assert_int_equal(self->count, 1);
    assert_int_equal(self->at_ms[0], 100);
    assert_false(bough_timer_is_running(&self->timer));
    bough_test_advance(test, 100000);
    assert_int_equal(self->count, 1);
    beat_free(test, self);
}

static void a_timer_of_no_delay_fires_and_not_at_once(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 0, 0);
    assert_int_equal(self->count, 0);
    bough_test_advance(test, 0);
    assert_int_equal(self->count, 1);
    beat_free(test, self);
}

static void an_interval_beats(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 5, 10);
    bough_test_advance(test, 100);
    assert_int_equal(self->count, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(self->at_ms[i], 5 + 10 * i);
    bough_timer_stop(&self->timer);
    bough_timer_stop(&self->timer);
    bough_test_advance(test, 100);
    assert_int_equal(self->count, 10);
    beat_free(test, self);
}

static void an_interval_keeps_its_phase_and_makes_up_for_nothing(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 10, 10);
    test->clock.monotonic_ns += 37 * INT64_C(1000000); /* as when something took long */
    bough_test_advance(test, 0);
    assert_int_equal(self->count, 1);
    bough_test_advance(test, 3);
    assert_int_equal(self->count, 2);
    assert_int_equal(self->at_ms[0], 37);
    assert_int_equal(self->at_ms[1], 40);
    beat_free(test, self);
}

static void a_running_timer_is_started_anew(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 10, 0);
    bough_test_advance(test, 9);
    start(self, 10, 0);
    bough_test_advance(test, 9);
    assert_int_equal(self->count, 0);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 1);
    bough_test_advance(test, 1);
    assert_int_equal(self->count, 1);
    beat_free(test, self);
}

static void a_timer_ends_with_its_actor(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    start(self, 10, 10);
    bough_kill(self->address);
    bough_test_advance(test, 1000);
    assert_int_equal(self->count, 0);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    assert_false(bough_timer_is_running(&self->timer));
    beat_free(test, self);
}

static void far_deadlines_are_kept(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);
    const int64_t year_ms = INT64_C(1000) * 3600 * 24 * 365;

    start(self, year_ms, 0);
    bough_test_advance(test, year_ms - 1);
    assert_int_equal(self->count, 0);
    bough_test_advance(test, 1);
    assert_int_equal(self->count, 1);
    start(self, BOUGH_FOREVER, BOUGH_FOREVER);
    bough_test_advance(test, 100 * year_ms);
    assert_int_equal(self->count, 1);
    beat_free(test, self);
}

/* Deadlines spread over all the wheel's levels fire in their order, each at its time. */
static void many_timers_fire_each_at_its_time(void **state)
{
    struct bough_test *test = *state;
    enum { COUNT = 500 };
    uint64_t seed = bough_test_seed();
    struct beat *beats[COUNT];
    int64_t delays[COUNT];

    for (int i = 0; i < COUNT; i++) {
        beats[i] = beat_new(test);
        delays[i] = bough_test_random(&seed, 1u << bough_test_random(&seed, 25));
        start(beats[i], delays[i], 0);
    }
    for (int i = 0; i < COUNT; i += 7)
        bough_timer_stop(&beats[i]->timer);
    bough_test_advance(test, 1 << 25);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(beats[i]->count, i % 7 != 0);
        if (i % 7 != 0) assert_int_equal(beats[i]->at_ms[0], delays[i]);
        beat_free(test, beats[i]);
    }
}

/* The wheel finds out late that a slot has become empty, but nobody sees it. */
static void timers_that_were_stopped_leave_nothing_behind(void **state)
{
    struct bough_test *test = *state;
    enum { COUNT = 24 };
    struct beat *beats[COUNT];

    for (int i = 0; i < COUNT; i++) {
        beats[i] = beat_new(test);
        start(beats[i], 1 << i, 0);
    }
    assert_int_equal(bough_loop_next_ms(test->loop), 1);
    for (int i = 0; i < COUNT; i++)
        bough_timer_stop(&beats[i]->timer);
    assert_int_equal(bough_loop_next_ms(test->loop), -1);
    bough_test_advance(test, 100);
    start(beats[0], 5000, 0);
    bough_test_advance(test, 10000);
    assert_int_equal(beats[0]->count, 1);
    assert_int_equal(beats[0]->at_ms[0], 5100);
    for (int i = 0; i < COUNT; i++)
        beat_free(test, beats[i]);
}

static void start_again(struct bough_actor *actor, struct bough_timer *timer)
{
    struct beat *self = bough_container(timer, struct beat, timer);

    self->count++;
    bough_timer_start(actor, timer, 0, 0, start_again);
}

static void a_timer_that_starts_itself_again_lets_others_run(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);
    struct bough_probe other = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &other, NULL);

    bough_timer_start(self->probe.actor, &self->timer, 0, 0, start_again);
    assert_status(bough_probe_send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    ev_run(test->ev, EVRUN_NOWAIT);
    ev_run(test->ev, EVRUN_NOWAIT);
    assert_true(self->count >= 2);
    assert_int_equal(other.runs, 1);
    bough_kill(address);
    beat_free(test, self);
}

static void stop_the_other(struct bough_actor *actor, struct bough_timer *timer)
{
    struct beat *self = bough_container(timer, struct beat, timer);
    struct beat *other = self->probe.data;

    (void)actor;
    self->count++;
    bough_timer_stop(&other->timer);
}

static void a_timer_due_at_the_same_time_can_be_stopped(void **state)
{
    struct bough_test *test = *state;
    struct beat *a = beat_new(test), *b = beat_new(test);

    a->probe.data = b;
    b->probe.data = a;
    bough_timer_start(a->probe.actor, &a->timer, 10, 0, stop_the_other);
    bough_timer_start(b->probe.actor, &b->timer, 10, 0, stop_the_other);
    bough_test_advance(test, 20);
    assert_int_equal(a->count + b->count, 1);
    beat_free(test, a);
    beat_free(test, b);
}

static void a_due_timer_can_be_stopped_and_another_started(void **state)
{
    struct bough_test *test = *state;
    struct beat *a = beat_new(test), *b = beat_new(test);

    start(a, 0, 0);
    bough_timer_stop(&a->timer);
    start(b, 0, 0);
    start(a, 0, 0);
    bough_timer_stop(&a->timer);
    bough_test_advance(test, 0);
    assert_int_equal(a->count, 0);
    assert_int_equal(b->count, 1);
    beat_free(test, a);
    beat_free(test, b);
}

static void fail_now(struct bough_actor *actor, struct bough_timer *timer)
{
    struct beat *self = bough_container(timer, struct beat, timer);

    self->count++;
    bough_fail(actor, BOUGH_EFAILED, "a timer");
}

static void no_timer_fires_after_its_actor_failed(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);
    struct beat second = { .count = 0 };

    bough_timer_start(self->probe.actor, &self->timer, 10, 0, fail_now);
    bough_timer_start(self->probe.actor, &second.timer, 10, 0, fail_now);
    bough_test_advance(test, 10);
    assert_int_equal(self->count + second.count, 1);
    assert_int_equal(self->probe.finishes, 1);
    beat_free(test, self);
}

static void on_the_machines_clock_a_timer_ends_ev_run(void **state)
{
    struct bough_test *test = *state;
    struct beat *self = beat_new(test);

    bough_timer_start(self->probe.actor, &self->timer, 20, 0, fail_now);
    const int64_t before = bough_loop_now_ms(test->loop);
    ev_run(test->ev, 0);
    assert_int_equal(self->count, 1);
    assert_true(bough_loop_now_ms(test->loop) - before >= 20);
    beat_free(test, self);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_timer_fires_once_and_on_time),
        test_of(a_timer_of_no_delay_fires_and_not_at_once),
        test_of(an_interval_beats),
        test_of(an_interval_keeps_its_phase_and_makes_up_for_nothing),
        test_of(a_running_timer_is_started_anew),
        test_of(a_timer_ends_with_its_actor),
        test_of(far_deadlines_are_kept),
        test_of(many_timers_fire_each_at_its_time),
        test_of(timers_that_were_stopped_leave_nothing_behind),
        test_of(a_timer_that_starts_itself_again_lets_others_run),
        test_of(a_timer_due_at_the_same_time_can_be_stopped),
        test_of(no_timer_fires_after_its_actor_failed),
        test_of(a_due_timer_can_be_stopped_and_another_started),
        cmocka_unit_test_setup_teardown(on_the_machines_clock_a_timer_ends_ev_run,
                                        bough_test_setup_real, bough_test_teardown),
    };
    return cmocka_run_group_tests_name("core/timer", tests, NULL, NULL);
}
