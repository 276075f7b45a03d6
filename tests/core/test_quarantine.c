/* test_quarantine.c - messages during which lives end: run again, and put away.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/elsewhere.h>
#include <bough/tests/core/quarantine.h>

/* Which are put away */

static void without_it_nothing_is_kept(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 0);
    ward_fail(&ward, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_start(&ward);
    assert_ran(&ward, 1);
    ward_close(&ward);
}

static void a_message_that_ends_a_life_is_put_away(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, test, 1);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_FAIL, 7);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_string_equal(call.text, "error: failed: told to fail, 7");
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].number, 1);
    assert_ptr_equal(ward.seen[0].type, &bough_probe_type);
    assert_int_equal(ward.numbers[0], 7);
    assert_int_equal(ward.seen[0].size, sizeof(struct bough_probe_message));
    assert_true(ward.seen[0].asked && !ward.seen[0].high);
    assert_string_equal(ward.senders[0], "");
    assert_int_equal(ward.seen[0].life, 1);
    assert_int_equal(ward.seen[0].lives, 1);
    assert_true(ward.seen[0].realtime_ns == BOUGH_TEST_REALTIME_NS);
    assert_string_equal(ward.reasons[0].text, "told to fail, 7");
    ward_close(&ward);
}

static void it_is_reported_after_the_end_that_it_was(void **state)
{
    struct bough_test *test = *state;
    struct ward ward;

    ward_open(&ward, test, 1);
    bough_test_forget(test);
    ward_fail(&ward, 7);
    assert_string_equal(test->trace, "exited /a 1 error: failed: told to fail, 7\n"
                                     "quarantined /a 1 error: failed: told to fail, 7\n");
    assert_int_equal(test->events[1].cause, test->events[0].seq);
    assert_string_equal(
        test->log,
        "warning /a: a message \"fail\" has ended 1 life and is in quarantine\n");
    ward_close(&ward);
}

static void what_waits_behind_it_is_run_once_in_order(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_FAIL, 2), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 4), BOUGH_OK);
    bough_test_run(ward.test);
    ward_start(&ward);
    assert_ran(&ward, 1, 2, 3, 4);
    ward_close(&ward);
}

static void who_asked_is_named_when_it_is_an_actor_of_this_loop(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe asker = { .inits = 0 };
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, test, 1);
    const struct bough_address place = bough_probe_place(test, &asker, ward.top, "asker");
    bough_probe_start(place, NULL);
    bough_probe_call_init(&call);
    call.call.owner = asker.actor;
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_FAIL, 1);
    bough_test_run(test);
    assert_int_equal(ward_look(&ward), 1);
    assert_string_equal(ward.senders[0], "/asker");
    ward_close(&ward);
}

/* Tries */

/* Its caller hears nothing until it is put away. */
static void it_ends_as_many_lives_as_it_may(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 3);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_FAIL, 5);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 6), BOUGH_OK);
    for (int life = 1; life <= 2; life++) {
        bough_test_run(ward.test);
        assert_int_equal(call.answers, 0);
        assert_int_equal(ward_look(&ward), 0);
        assert_int_equal(ward.watch.exits, 1);
        ward_start(&ward);
    }
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].lives, 3);
    assert_int_equal(ward.seen[0].life, 3);
    ward_start(&ward);
    assert_ran(&ward, 5, 5, 5, 6);
    ward_close(&ward);
}

static void fail_at_first(struct bough_actor *actor, struct bough_probe *probe,
                          int64_t number)
{
    if (probe->inits == 1)
        bough_fail(actor, BOUGH_EFAILED, "at first");
    else
        bough_reply(actor, &number, sizeof(number));
}

static void one_that_succeeds_is_answered_and_forgotten(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 2);
    ward.probe.hook = fail_at_first;
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_HOOK, 9);
    bough_test_run(ward.test);
    ward_start(&ward);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(ward_look(&ward), 0);
    /* The next one, of which the memory is most likely the same, begins anew. */
    ward_fail(&ward, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].lives, 2);
    ward_close(&ward);
}

static void later_and_fail_at_first(struct bough_actor *actor, struct bough_probe *probe,
                                    int64_t number)
{
    struct bough_question *question = bough_later(actor);

    if (probe->inits == 1)
        bough_fail(actor, BOUGH_EFAILED, "at first");
    else
        bough_question_reply(question, &number, sizeof(number));
}

static void a_question_that_was_put_off_is_asked_again(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 2);
    ward.probe.hook = later_and_fail_at_first;
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_HOOK, 9);
    bough_test_run(ward.test);
    assert_int_equal(call.answers, 0);
    ward_start(&ward);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    ward_close(&ward);
}

/* It was not being run any more when the life ended. */
static void a_question_put_off_before_is_told(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 2);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_LATER, 9);
    ward_fail(&ward, 1);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ECRASHED);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.numbers[0], 1);
    ward_close(&ward);
}

static bool was_high[4];

static void note_priority(struct bough_actor *actor, struct bough_probe *probe,
                          int64_t number)
{
    was_high[number] = bough_is_high(actor);
    if (probe->inits == 1 && number == 1) bough_fail(actor, BOUGH_EFAILED, "at first");
}

static void send_high(struct ward *ward, enum bough_probe_kind kind, int64_t number)
{
    const struct bough_probe_message message = { kind, number };

    assert_status(bough_send_high(ward->place, &message, sizeof(message)), BOUGH_OK);
}

/* Also before those of high priority, and with its own. */
static void its_next_try_comes_first(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 2);
    ward.probe.hook = note_priority;
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    bough_test_run(ward.test);
    send_high(&ward, BOUGH_PROBE_HOOK, 2);
    was_high[1] = true;
    ward_start(&ward);
    assert_ran(&ward, 1, 1, 2);
    assert_false(was_high[1]);
    assert_true(was_high[2]);
    ward_close(&ward);
}

static void on_restart_discard_is_not_about_it(void **state)
{
    struct ward ward;

    ward_open_as(
        &ward, *state,
        (struct bough_place_spec){ .redeliver = 2, .on_restart = BOUGH_DISCARD });
    ward.probe.hook = fail_at_first;
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    bough_test_run(ward.test);
    ward_start(&ward);
    assert_ran(&ward, 1, 1);
    ward_close(&ward);
}

static void what_was_sent_to_a_life_has_no_other_one(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 3);
    assert_status(bough_probe_send(bough_self(ward.probe.actor), BOUGH_PROBE_FAIL, 1),
                  BOUGH_OK);
    bough_test_run(ward.test);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].lives, 1);
    ward_close(&ward);
}

static void where_nobody_is_expected_its_asker_is_told(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 3);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_FAIL, 1);
    bough_test_run(ward.test);
    assert_int_equal(call.answers, 0);
    bough_place_mark(ward.place, BOUGH_PLACE_FAILED);
    bough_test_run(ward.test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    assert_int_equal(ward_look(&ward), 0);
    ward_close(&ward);
}

/* Who is to blame */

static void leave_in_order(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    (void)probe;
    bough_exit(actor, number == 0 ? BOUGH_EXIT_NORMAL : BOUGH_EXIT_SHUTDOWN);
}

static void an_end_in_order_is_nobodys_fault(void **state)
{
    struct bough_probe_call call;
    struct ward ward;

    ward_open(&ward, *state, 2);
    ward.probe.hook = leave_in_order;
    for (int64_t number = 0; number < 2; number++) {
        bough_probe_call_init(&call);
        bough_probe_ask(&call, ward.place, BOUGH_PROBE_HOOK, number);
        bough_test_run(ward.test);
        assert_status(call.status, BOUGH_EGONE);
        ward_start(&ward);
    }
    assert_ran(&ward, 0, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_close(&ward);
}

static void asks_for_its_own_stop(struct bough_actor *actor, struct bough_probe *probe,
                                  int64_t number)
{
    (void)probe, (void)number;
    bough_stop(bough_self(actor));
}

/* And it has been run when it stops. */
static void a_stop_that_is_asked_for_is_not_either(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward.probe.hook = asks_for_its_own_stop;
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    bough_test_run(ward.test);
    assert_int_equal(ward.watch.exits, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_close(&ward);
}

/* Nothing is being run: what waits, waits on. */
static void a_kill_between_messages_blames_none(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_kill(ward.place);
    bough_test_run(ward.test);
    assert_int_equal(ward.watch.exits, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_start(&ward);
    assert_ran(&ward, 1);
    ward_close(&ward);
}

static void a_fault_while_it_stops_is_the_messages(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward.probe.ends_later = true;
    bough_stop(ward.place);
    bough_test_run(ward.test);
    ward_fail(&ward, 4);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.numbers[0], 4);
    ward_close(&ward);
}

/* Batches */

static void fragile_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    const struct bough_probe_message *message;
    size_t size;

    while ((message = bough_batch_next(batch, &size)) != NULL)
        bough_probe_type.run(actor, message, size);
}

static void in_a_batch_the_one_at_hand_is_put_away(void **state)
{
    struct bough_actor_type type = bough_probe_type;
    struct ward ward;

    type.run_batch = fragile_run_batch;
    ward_open_as(&ward, *state,
                 (struct bough_place_spec){ .type = &type, .redeliver = 1 });
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_FAIL, 2), BOUGH_OK);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_test_run(ward.test);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.numbers[0], 2);
    ward_start(&ward);
    assert_ran(&ward, 1, 2, 3);
    ward_close(&ward);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(without_it_nothing_is_kept),
        test_of(a_message_that_ends_a_life_is_put_away),
        test_of(it_is_reported_after_the_end_that_it_was),
        test_of(what_waits_behind_it_is_run_once_in_order),
        test_of(who_asked_is_named_when_it_is_an_actor_of_this_loop),
        test_of(it_ends_as_many_lives_as_it_may),
        test_of(one_that_succeeds_is_answered_and_forgotten),
        test_of(a_question_that_was_put_off_is_asked_again),
        test_of(a_question_put_off_before_is_told),
        test_of(its_next_try_comes_first),
        test_of(on_restart_discard_is_not_about_it),
        test_of(what_was_sent_to_a_life_has_no_other_one),
        test_of(where_nobody_is_expected_its_asker_is_told),
        test_of(an_end_in_order_is_nobodys_fault),
        test_of(a_stop_that_is_asked_for_is_not_either),
        test_of(a_kill_between_messages_blames_none),
        test_of(a_fault_while_it_stops_is_the_messages),
        test_of(in_a_batch_the_one_at_hand_is_put_away),
    };
    return cmocka_run_group_tests_name("core/quarantine", tests, NULL, NULL);
}
