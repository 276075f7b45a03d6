/* test_counter.c - a counter counts, and breaks when it cannot.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/counter.h>

#include <bough/core/place.h>
#include <bough/tests/support/probe.h>

struct question {
    struct bough_counter_ask ask;
    unsigned answers;
    enum bough_status status;
};

static void counter_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, ask.call);

    question->answers++;
    question->status = status;
}

static struct question unasked(void)
{
    return (struct question){ .ask.call.done = counter_done };
}

static struct bough_counter counter_at(struct bough_test *test, int64_t initial,
                                       struct bough_watch *watch)
{
    const struct bough_counter_options options = { .initial = initial };
    struct bough_counter counter;

    assert_status(bough_counter_spawn(test->loop, &options, watch, &counter), BOUGH_OK);
    return counter;
}

static void end(struct bough_test *test, struct bough_counter counter)
{
    bough_stop(counter.address);
    bough_test_run(test);
}

/* Lets the question be answered, once, and gives the count. */
static int64_t answer(struct bough_test *test, const struct question *question)
{
    assert_int_equal(question->answers, 0);
    bough_test_run(test);
    assert_int_equal(question->answers, 1);
    assert_status(question->status, BOUGH_OK);
    return question->ask.count;
}

static int64_t count_of(struct bough_test *test, struct bough_counter counter)
{
    struct question question = unasked();

    bough_counter_get_count(counter, &question.ask);
    return answer(test, &question);
}

static void it_starts_at_zero(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter;

    assert_status(bough_counter_spawn(test->loop, NULL, NULL, &counter), BOUGH_OK);
    assert_int_equal(count_of(test, counter), 0);
    end(test, counter);
}

static void it_starts_where_it_is_told(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, -7, NULL);

    assert_int_equal(count_of(test, counter), -7);
    end(test, counter);
}

static void an_increment_answers_the_new_count(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, 10, NULL);
    struct question up = unasked(), down = unasked();

    bough_counter_increment(counter, 5, &up.ask);
    assert_int_equal(answer(test, &up), 15);
    bough_counter_increment(counter, -20, &down.ask);
    assert_int_equal(answer(test, &down), -5);
    end(test, counter);
}

static void a_decrement_answers_the_new_count(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, 10, NULL);
    struct question question = unasked();

    bough_counter_decrement(counter, 3, &question.ask);
    assert_int_equal(answer(test, &question), 7);
    assert_int_equal(count_of(test, counter), 7);
    end(test, counter);
}

static void a_reset_goes_back_to_the_first_count(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, 42, NULL);
    struct question up = unasked(), reset = unasked();

    bough_counter_increment(counter, 1, &up.ask);
    bough_counter_reset(counter, &reset.ask);
    bough_test_run(test);
    assert_int_equal(up.ask.count, 43);
    assert_int_equal(reset.ask.count, 42);
    end(test, counter);
}

static void questions_are_answered_in_order(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, 0, NULL);
    struct question questions[100];

    for (size_t i = 0; i < bough_count_of(questions); i++) {
        questions[i] = unasked();
        bough_counter_increment(counter, 1, &questions[i].ask);
    }
    bough_test_run(test);
    for (size_t i = 0; i < bough_count_of(questions); i++) {
        assert_int_equal(questions[i].answers, 1);
        assert_int_equal(questions[i].ask.count, i + 1);
    }
    end(test, counter);
}

/* Asks what a counter at `initial` cannot do, and sees it break. */
static void assert_breaks(struct bough_test *test, int64_t initial, int64_t amount,
                          bool decrement)
{
    struct bough_probe_watch watch;
    struct question question = unasked(), behind = unasked();

    bough_probe_watch_init(&watch, NULL);
    struct bough_counter counter = counter_at(test, initial, &watch.watch);
    if (decrement) {
        bough_counter_decrement(counter, amount, &question.ask);
    } else {
        bough_counter_increment(counter, amount, &question.ask);
    }
    bough_counter_get_count(counter, &behind.ask);
    bough_test_run(test);
    assert_status(question.status, BOUGH_ECRASHED);
    assert_status(behind.status, BOUGH_EGONE);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_ERROR);
    assert_status(watch.reason.status, BOUGH_ERANGE);
    assert_string_equal(watch.reason.text, "count overflows");
}

static void a_count_that_does_not_fit_breaks_it(void **state)
{
    struct bough_test *test = *state;

    assert_breaks(test, INT64_MAX, 1, false);
    assert_breaks(test, INT64_MIN, -1, false);
    assert_breaks(test, INT64_MIN, 1, true);
    assert_breaks(test, 0, INT64_MIN, true);
}

static void the_limits_themselves_fit(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, -1, NULL);
    struct question down = unasked(), up = unasked();

    bough_counter_decrement(counter, INT64_MAX, &down.ask);
    assert_true(answer(test, &down) == INT64_MIN);
    bough_counter_decrement(counter, INT64_MIN, &up.ask);
    assert_true(answer(test, &up) == 0);
    end(test, counter);
}

static void asking_one_that_has_ended_is_answered_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_counter counter = counter_at(test, 0, NULL);
    struct question question = unasked();

    end(test, counter);
    bough_counter_get_count(counter, &question.ask);
    assert_int_equal(question.answers, 0);
    bough_test_run(test);
    assert_int_equal(question.answers, 1);
    assert_status(question.status, BOUGH_EGONE);
}

static void a_new_life_begins_with_the_first_count(void **state)
{
    struct bough_test *test = *state;
    const struct bough_counter_options options = { .initial = 3 };
    const struct bough_place_spec spec = {
        .type = &bough_counter_type,
        .options = &options,
        .name = "/",
    };
    struct bough_counter counter;
    struct question question = unasked();

    assert_status(bough_place_new(test->loop, &spec, &counter.address), BOUGH_OK);
    assert_status(bough_place_start(counter.address, &(struct bough_start){ 0 }, NULL),
                  BOUGH_OK);
    bough_counter_increment(counter, 1, &question.ask);
    assert_int_equal(answer(test, &question), 4);
    bough_kill(counter.address);
    bough_test_run(test);
    assert_status(bough_place_start(counter.address, &(struct bough_start){ 0 }, NULL),
                  BOUGH_OK);
    assert_int_equal(count_of(test, counter), 3);
    end(test, counter);
    bough_place_free(counter.address, 0);
}

static void its_tables_are_sound(void **state)
{
    const struct bough_actor_type *type = &bough_counter_type;
    struct bough_error error;

    (void)state;
    assert_true(bough_options_valid(type->options, type->option_count, &error));
    for (size_t i = 0; i < type->message_count; i++) {
        const struct bough_message_type *message = &type->messages[i];
        assert_true(bough_fields_valid(message->fields, message->field_count, &error));
        assert_true(bough_fields_valid(message->reply, message->reply_count, &error));
    }
}

#define fact(name) \
    cmocka_unit_test_setup_teardown(name, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(it_starts_at_zero),
        fact(it_starts_where_it_is_told),
        fact(an_increment_answers_the_new_count),
        fact(a_decrement_answers_the_new_count),
        fact(a_reset_goes_back_to_the_first_count),
        fact(questions_are_answered_in_order),
        fact(a_count_that_does_not_fit_breaks_it),
        fact(the_limits_themselves_fit),
        fact(asking_one_that_has_ended_is_answered_gone),
        fact(a_new_life_begins_with_the_first_count),
        cmocka_unit_test(its_tables_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
