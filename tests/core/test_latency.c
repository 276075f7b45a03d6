/* test_latency.c - questions are measured from the asking to done(), place by place, once
 * somebody wants to know.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/latency.h>

#include "apart.h"

static int setup(void **state)
{
    struct bough_test *test;

    if (bough_test_setup(state) != 0) return -1;
    test = *state;
    bough_runtime_measure(test->runtime);
    return 0;
}

/* What was measured of a place; zeroes for one that is not known. */
static struct bough_latency latency_of(struct bough_test *test,
                                       struct bough_address place)
{
    struct bough_latencies *latencies = bough_latencies_new(test->runtime);
    const struct bough_latency *found;
    struct bough_latency latency = { .sum_ns = 0 };

    assert_non_null(latencies);
    found = bough_latencies_find(latencies, place);
    if (found != NULL) latency = *found;
    bough_latencies_free(latencies);
    return latency;
}

static uint64_t count_of(struct bough_test *test, struct bough_address place)
{
    const struct bough_latency latency = latency_of(test, place);
    uint64_t count = 0;

    for (unsigned i = 0; i < BOUGH_LATENCY_BUCKETS; i++)
        count += latency.counts[i];
    return count;
}

/* Asks something that is answered after so long. */
static void ask_for(struct bough_test *test, struct bough_probe *probe,
                    struct bough_address address, int64_t ms)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_advance(test, ms);
    bough_question_reply(probe->question, &call.number, sizeof(call.number));
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
}

static void nothing_is_measured_before_it_is_wanted(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_ask_once(test, address, BOUGH_PROBE_ECHO, 1);
    assert_int_equal(count_of(test, address), 0);
    bough_runtime_measure(test->runtime);
    bough_probe_ask_once(test, address, BOUGH_PROBE_ECHO, 1);
    assert_int_equal(count_of(test, address), 1);
    bough_probe_end(test, address);
}

static void a_question_counts_in_the_bucket_of_its_time(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_ask_once(test, address, BOUGH_PROBE_ECHO, 1);
    ask_for(test, &probe, address, 1);
    ask_for(test, &probe, address, 2);
    ask_for(test, &probe, address, 100000);

    const struct bough_latency latency = latency_of(test, address);
    assert_int_equal(latency.counts[0], 1); /* at once: to 1 us */
    assert_int_equal(latency.counts[5], 1); /* to 1.024 ms */
    assert_int_equal(latency.counts[6], 1); /* to 4.096 ms */
    assert_int_equal(latency.counts[BOUGH_LATENCY_BUCKETS - 1], 1);
    assert_int_equal(count_of(test, address), 4);
    assert_int_equal(latency.sum_ns, INT64_C(100003000000));
    bough_probe_end(test, address);
}

static void buckets_end_where_they_say(void **state)
{
    (void)state;
    assert_int_equal(bough_latency_limit_ns(0), 1000);
    assert_int_equal(bough_latency_limit_ns(5), 1024000);
    assert_int_equal(bough_latency_limit_ns(BOUGH_LATENCY_BUCKETS - 2), 67108864000);
}

static void whatever_comes_of_it_is_an_outcome(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    call.call.timeout_ms = 50;
    bough_probe_ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_advance(test, 50);
    assert_status(call.status, BOUGH_ETIMEOUT);
    assert_int_equal(latency_of(test, address).sum_ns, 50000000);
    bough_probe_ask_once(test, address, BOUGH_PROBE_REFUSE, 3);
    bough_probe_ask_once(test, address, BOUGH_PROBE_NOTE, 3);
    assert_int_equal(count_of(test, address), 3);
    bough_question_reply(probe.question, &call.number, sizeof(call.number));
    bough_probe_end(test, address);
}

static void what_is_taken_back_does_not_count(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    bough_probe_ask(&call, address, BOUGH_PROBE_ECHO, 0);
    bough_call_cancel(&call.call);
    bough_test_run(test);
    assert_int_equal(count_of(test, address), 0);
    bough_probe_end(test, address);
}

struct asked {
    struct bough_probe_call call;
    struct bough_address whom;
};

static void ask_inside(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    struct asked *asked = probe->data;

    asked->call.call.owner = actor;
    bough_probe_ask(&asked->call, asked->whom, BOUGH_PROBE_ECHO, number);
}

/* Where all others take the short way. */
static void a_question_of_an_actor_at_work_is_measured(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct asked asked = { .whom = bough_probe_spawn(test, &probe, NULL) };
    struct bough_probe asker = { .hook = ask_inside, .data = &asked };
    const struct bough_address address = bough_probe_spawn(test, &asker, NULL);

    bough_probe_call_init(&asked.call);
    bough_probe_send(address, BOUGH_PROBE_HOOK, 5);
    bough_test_run(test);
    assert_int_equal(asked.call.number, 5);
    assert_int_equal(count_of(test, asked.whom), 1);
    assert_int_equal(count_of(test, address), 0);
    bough_probe_end(test, address);
    bough_probe_end(test, asked.whom);
}

static void counts_go_on_over_lives_and_go_with_the_place(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    for (int lives = 1; lives <= 3; lives++) {
        bough_probe_start(place, NULL);
        bough_probe_ask_once(test, place, BOUGH_PROBE_ECHO, 1);
        assert_int_equal(count_of(test, place), lives);
        bough_probe_end(test, place);
    }
    bough_place_free(place, 0);

    const struct bough_address next = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");
    assert_ptr_equal(next.slot, place.slot);
    assert_int_equal(count_of(test, next), 0);
    assert_int_equal(count_of(test, place), 0);
    bough_place_free(next, 0);
}

static void places_that_came_and_went_are_not_kept(void **state)
{
    struct bough_test *test = *state;
    struct bough_latencies *latencies;

    for (int i = 0; i < 1000; i++) {
        struct bough_probe probe = { 0 };
        const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

        bough_probe_ask_once(test, address, BOUGH_PROBE_ECHO, 1);
        bough_probe_end(test, address);
    }
    latencies = bough_latencies_new(test->runtime);
    assert_non_null(latencies);
    bough_latencies_free(latencies);
    assert_true(bough_loop_count(test->loop).measured < 200);
}

static void a_place_on_another_loop_is_measured_by_who_asks(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    struct bough_probe_call call;
    bough_probe_call_init(&call);
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_ECHO, 4);
    apart_run(&apart);
    assert_int_equal(call.number, 4);
    assert_int_equal(count_of(apart.test, apart.place), 1);
    assert_int_equal(count_of(apart.test, apart.top), 0);
    apart_close(&apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_measured_before_it_is_wanted,
                                        bough_test_setup, bough_test_teardown),
        cmocka_unit_test(buckets_end_where_they_say),
        cmocka_unit_test_setup_teardown(a_question_counts_in_the_bucket_of_its_time,
                                        setup, bough_test_teardown),
        cmocka_unit_test_setup_teardown(whatever_comes_of_it_is_an_outcome, setup,
                                        bough_test_teardown),
        cmocka_unit_test_setup_teardown(what_is_taken_back_does_not_count, setup,
                                        bough_test_teardown),
        cmocka_unit_test_setup_teardown(a_question_of_an_actor_at_work_is_measured, setup,
                                        bough_test_teardown),
        cmocka_unit_test_setup_teardown(counts_go_on_over_lives_and_go_with_the_place,
                                        setup, bough_test_teardown),
        cmocka_unit_test_setup_teardown(places_that_came_and_went_are_not_kept, setup,
                                        bough_test_teardown),
        cmocka_unit_test_setup_teardown(a_place_on_another_loop_is_measured_by_who_asks,
                                        setup, bough_test_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
