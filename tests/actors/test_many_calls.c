/* test_many_calls.c - ten thousand questions in flight from one embedding program: each
 * is answered once, those over the mailbox's capacity are refused, none is lost.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv.h>
#include <bough/core/place.h>
#include <bough/tests/support/fixture.h>

enum { CALLS = 10000 };

struct question {
    struct bough_kv_set_ask ask;
    unsigned answers;
    enum bough_status status;
};

static struct question questions[CALLS];

static void count_answer(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, ask.call);

    question->answers++;
    question->status = status;
}

static struct bough_address start_kv(struct bough_test *test, uint32_t capacity)
{
    const struct bough_place_spec spec = {
        .type = &bough_kv_type,
        .name = "/",
        .capacity = capacity,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_status(bough_place_start(place, NULL, NULL), BOUGH_OK);
    return place;
}

static void ask_all(struct bough_test *test, struct bough_address place)
{
    const struct bough_kv kv = { .address = place };

    for (size_t i = 0; i < CALLS; i++) {
        char key[16];

        snprintf(key, sizeof(key), "key-%zu", i);
        questions[i] = (struct question){ .ask.call.done = count_answer,
                                          .ask.call.timeout_ms = 60000 };
        bough_kv_set(kv, bough_kv_text(key), bough_kv_text("value"), 0,
                     &questions[i].ask);
        assert_int_equal(questions[i].answers, 0);
    }
    assert_int_equal(bough_loop_count(test->loop).calls,
                     bough_loop_count(test->loop).cells);
    bough_test_run(test);
}

/* How many were answered so; each was answered once. */
static size_t count_status(enum bough_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(questions[i].answers, 1);
        if (questions[i].status == status) count++;
    }
    return count;
}

static void ten_thousand_calls_are_each_answered_once(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = start_kv(test, CALLS);

    ask_all(test, place);
    assert_int_equal(count_status(BOUGH_OK), CALLS);
    bough_kill(place);
    bough_test_run(test);
    bough_place_free(place, 0);
}

static void those_over_the_capacity_are_refused_and_none_is_lost(void **state)
{
    struct bough_test *test = *state;
    const struct bough_address place = start_kv(test, BOUGH_MAILBOX_CAPACITY);

    ask_all(test, place);
    assert_int_equal(count_status(BOUGH_OK), BOUGH_MAILBOX_CAPACITY);
    assert_int_equal(count_status(BOUGH_EFULL), CALLS - BOUGH_MAILBOX_CAPACITY);
    bough_kill(place);
    bough_test_run(test);
    bough_place_free(place, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ten_thousand_calls_are_each_answered_once,
                                        bough_test_setup, bough_test_teardown),
        cmocka_unit_test_setup_teardown(
            those_over_the_capacity_are_refused_and_none_is_lost, bough_test_setup,
            bough_test_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
