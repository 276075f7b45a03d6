/* test_mailbox.c - what is sent is run once, in order; what cannot be is refused and
 * counted.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/log.h>
#include <bough/tests/support/probe.h>

#define send bough_probe_send

static void end(struct bough_test *test, struct bough_address address)
{
    bough_kill(address);
    bough_test_run(test);
}

static void messages_are_run_in_the_order_sent(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    for (int i = 0; i < 50; i++)
        assert_status(send(address, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    assert_int_equal(probe.runs, 0);
    bough_test_run(test);
    assert_int_equal(probe.runs, 50);
    for (int i = 0; i < 50; i++)
        assert_int_equal(probe.numbers[i], i);
    end(test, address);
}

static void a_full_mailbox_refuses(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ &probe },
        .capacity = 2,
    };
    struct bough_address place;
    struct bough_place_info info;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    assert_status(send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 3), BOUGH_EFULL);
    assert_status(bough_place_info(place, &info), BOUGH_OK);
    assert_int_equal(info.mailbox_length, 2);
    assert_int_equal(info.dropped, 1);
    bough_test_run(test);
    assert_status(send(place, BOUGH_PROBE_NOTE, 4), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 3);
    assert_int_equal(probe.numbers[2], 4);
    end(test, place);
    bough_place_free(place, 0);
}

static void a_mailbox_holds_1024_messages_by_default(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    for (int i = 0; i < BOUGH_MAILBOX_CAPACITY; i++) {
        assert_status(send(address, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    }
    assert_status(send(address, BOUGH_PROBE_NOTE, 0), BOUGH_EFULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, BOUGH_MAILBOX_CAPACITY);
    end(test, address);
}

static void nobody_is_gone(void **state)
{
    (void)state;
    assert_status(send(BOUGH_NOBODY, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    bough_stop(BOUGH_NOBODY);
    bough_kill(BOUGH_NOBODY);
    bough_place_free(BOUGH_NOBODY, 0);
}

static void what_is_sent_to_the_dead_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    end(test, address);
    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    assert_status(send(bough_address_place(address), BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
}

static void an_address_never_leads_to_the_next_tenant(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe first = { 0 }, second = { 0 };
    const struct bough_address old = bough_probe_spawn(test, &first, NULL);

    end(test, old);
    const struct bough_address new = bough_probe_spawn(test, &second, NULL);
    assert_ptr_equal(old.slot, new.slot);
    assert_status(send(old, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    assert_status(send(bough_address_place(old), BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    bough_kill(old);
    bough_stop(old);
    bough_test_run(test);
    assert_int_equal(second.runs + second.finishes + second.stops, 0);
    end(test, new);
}

/* A place with two messages waiting, one for its life and one for itself, whose life is
 * then killed before it can run them. */
static struct bough_address kill_with_mail(struct bough_test *test,
                                           struct bough_probe *probe,
                                           enum bough_on_restart on_restart)
{
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ probe },
        .on_restart = on_restart,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    assert_status(send(bough_self(probe->actor), BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    end(test, place);
    assert_int_equal(probe->runs, 0);
    return place;
}

static void what_was_sent_to_the_place_waits_for_the_next_life(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place = kill_with_mail(test, &probe, BOUGH_KEEP);

    assert_status(send(place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, 2);
    assert_int_equal(probe.numbers[0], 2);
    assert_int_equal(probe.numbers[1], 3);
    end(test, place);
    bough_place_free(place, 0);
}

static void what_was_sent_is_discarded_when_the_place_wants_it(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place = kill_with_mail(test, &probe, BOUGH_DISCARD);

    assert_status(send(place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    assert_int_equal(probe.numbers[0], 3);
    end(test, place);
    bough_place_free(place, 0);
}

static void what_is_sent_to_a_life_that_ended_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    bough_probe_start(place, NULL);
    const struct bough_address life = bough_self(probe.actor);
    end(test, place);
    assert_status(send(life, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    bough_probe_start(place, NULL);
    assert_status(send(life, BOUGH_PROBE_NOTE, 2), BOUGH_EGONE);
    bough_kill(life);
    bough_stop(life);
    bough_test_run(test);
    assert_int_equal(probe.runs + probe.stops, 0);
    assert_int_equal(probe.finishes, 1);
    end(test, place);
    bough_place_free(place, 0);
}

static void a_stopped_place_takes_nothing(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place = kill_with_mail(test, &probe, BOUGH_KEEP);
    struct bough_place_info info;

    bough_place_mark(place, BOUGH_PLACE_STOPPED);
    assert_status(bough_place_info(place, &info), BOUGH_OK);
    assert_int_equal(info.mailbox_length, 0);
    assert_status(send(place, BOUGH_PROBE_NOTE, 3), BOUGH_EGONE);
    bough_place_free(place, 0);
}

static void the_message_that_broke_it_is_not_run_again(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    bough_probe_start(place, NULL);
    assert_status(send(place, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, 2);
    assert_int_equal(probe.numbers[1], 2);
    end(test, place);
    bough_place_free(place, 0);
}

static void what_is_not_a_message_of_the_type_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call calls[3];
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_message message = { .kind = BOUGH_PROBE_ECHO };
    const uint32_t kinds[] = { BOUGH_PROBE_KIND_COUNT, UINT32_MAX };

    for (int i = 0; i < 2; i++) {
        struct bough_probe_message odd = message;
        memcpy(&odd, &kinds[i], sizeof(kinds[i]));
        bough_probe_call_init(&calls[i]);
        bough_call_start(&calls[i].call, address, &odd, sizeof(odd), NULL, 0);
    }
    bough_probe_call_init(&calls[2]);
    bough_call_start(&calls[2].call, address, &message, sizeof(message) - 1, NULL, 0);
    bough_test_run(test);
    for (int i = 0; i < 3; i++)
        assert_status(calls[i].status, BOUGH_EINVALID);
    assert_int_equal(probe.runs, 0);
    end(test, address);
}

static void a_message_that_is_too_large_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    char *large = calloc(1, BOUGH_BLOCK_MAX + 1);

    assert_non_null(large);
    assert_status(bough_send(address, large, BOUGH_BLOCK_MAX + 1), BOUGH_ETOOLARGE);
    free(large);
    end(test, address);
}

static void a_message_of_no_bytes_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    bough_call_start(&call.call, address, NULL, 0, NULL, 0);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EINVALID);
    end(test, address);
}

static void a_block_is_sent_and_finished(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_probe_message message = { BOUGH_PROBE_NOTE, 7 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    struct bough_block block;

    bough_block_init(&block, NULL, 0, &message, sizeof(message));
    assert_status(bough_send_block(address, &block), BOUGH_OK);
    assert_null(block.data);
    bough_block_init(&block, NULL, 0, &message, sizeof(message));
    bough_block_bytes(&block, 0, &message, BOUGH_BLOCK_MAX);
    assert_status(bough_send_block(address, &block), BOUGH_ETOOLARGE);
    assert_null(block.data);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    assert_int_equal(probe.numbers[0], 7);
    end(test, address);
}

static void dead_letters_are_counted_and_reported_once_a_second(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    end(test, address);
    for (int i = 0; i < 5; i++) {
        assert_status(send(address, BOUGH_PROBE_NOTE, i), BOUGH_EGONE);
    }
    assert_string_equal(test->log, "warning : 1 message could not be delivered\n");
    bough_test_advance(test, 1000);
    assert_string_equal(test->log, "warning : 1 message could not be delivered\n"
                                   "warning : 4 messages could not be delivered\n");
    bough_test_advance(test, 10000);
    assert_int_equal(strlen(test->log), 43 + 44);
    assert_int_equal(bough_loop_count(test->loop).dead_letters, 5);
}

static void a_paused_actor_takes_no_messages(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_pause(probe.actor);
    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 0);
    assert_int_equal(bough_mailbox_length(probe.actor), 1);
    bough_resume(probe.actor);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    assert_int_equal(bough_mailbox_length(probe.actor), 0);
    end(test, address);
}

static void pause_actor(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    (void)probe;
    (void)number;
    bough_pause(actor);
}

static void pausing_ends_the_turn(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = pause_actor };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    assert_int_equal(probe.finishes, 1);
}

static void a_stop_goes_before_messages(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    assert_int_equal(probe.runs, 0);
}

enum { DO_NOTHING, KILL, LOOK };

static void kill_then_look(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    struct bough_probe *victim = probe->data;

    (void)actor;
    if (number == KILL) bough_kill(bough_self(victim->actor));
    if (number == LOOK) assert_int_equal(victim->finishes, 1);
}

static void what_a_message_ends_has_ended_before_the_next_is_run(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe victim = { 0 };
    struct bough_probe killer = { .hook = kill_then_look, .data = &victim };
    const struct bough_address address = bough_probe_spawn(test, &killer, NULL);

    bough_probe_spawn(test, &victim, NULL);
    assert_status(send(address, BOUGH_PROBE_HOOK, KILL), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_HOOK, LOOK), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(killer.runs, 2);
    end(test, address);
}

static void messages_are_run_while_it_stops(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .ends_later = true };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_stop(address);
    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    assert_status(send(address, BOUGH_PROBE_LEAVE, 2), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    assert_int_equal(probe.finishes, 1);
}

static void messages_wait_until_it_is_ready(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 0);
    bough_ready(probe.actor);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    end(test, address);
}

static void what_waited_for_a_start_is_run_while_it_stops(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true, .ends_later = true };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_stop(address);
    bough_test_run(test);
    assert_int_equal(probe.stops, 1);
    bough_ready(probe.actor);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    end(test, address);
}

/* Each message leads to another one, for ever. */
static void send_again(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    assert_status(send(bough_self(actor), BOUGH_PROBE_HOOK, number + 1), BOUGH_OK);
}

static void an_actor_that_never_rests_lets_others_run(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe restless = { .hook = send_again }, other = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &restless, NULL);
    const struct bough_address patient = bough_probe_spawn(test, &other, NULL);

    assert_status(send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    assert_status(send(patient, BOUGH_PROBE_NOTE, 0), BOUGH_OK);
    bough_loop_run_ready(test->loop, 10);
    assert_int_equal(other.runs, 1);
    assert_true(restless.runs > 1 && restless.runs < 10);
    bough_kill(address);
    end(test, patient);
}

/* Ten messages: the fourth ends another actor, and those behind it look. */
static size_t steps_of_a_kill(struct bough_test *test, size_t budget)
{
    struct bough_probe victim = { 0 };
    struct bough_probe killer = { .hook = kill_then_look, .data = &victim };
    const struct bough_address address = bough_probe_spawn(test, &killer, NULL);
    size_t all = 0, steps = 0;

    bough_probe_spawn(test, &victim, NULL);
    for (int i = 0; i < 10; i++) {
        const int64_t number = i < 3 ? DO_NOTHING : i == 3 ? KILL : LOOK;
        assert_status(send(address, BOUGH_PROBE_HOOK, number), BOUGH_OK);
    }
    do {
        steps = bough_loop_run_ready(test->loop, budget);
        assert_true(steps <= budget);
        all += steps;
    } while (steps > 0);
    assert_int_equal(killer.runs, 10);
    assert_int_equal(victim.finishes, 1);
    end(test, address);
    return all;
}

static void every_step_is_counted_once(void **state)
{
    struct bough_test *test = *state;
    const size_t all = steps_of_a_kill(test, SIZE_MAX);

    assert_true(all > 10);
    for (size_t budget = 1; budget < 2 * all; budget++)
        assert_int_equal(steps_of_a_kill(test, budget), all);
}

static void two_senders_keep_their_own_orders(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address life = bough_probe_spawn(test, &probe, NULL);
    const struct bough_address place = bough_address_place(life);

    for (int i = 0; i < 20; i++) {
        assert_status(send(i % 2 ? life : place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    }
    bough_test_run(test);
    for (int i = 0; i < 20; i++)
        assert_int_equal(probe.numbers[i], i);
    end(test, life);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(messages_are_run_in_the_order_sent),
        test_of(a_full_mailbox_refuses),
        test_of(a_mailbox_holds_1024_messages_by_default),
        test_of(nobody_is_gone),
        test_of(what_is_sent_to_the_dead_is_gone),
        test_of(an_address_never_leads_to_the_next_tenant),
        test_of(what_was_sent_to_the_place_waits_for_the_next_life),
        test_of(what_was_sent_is_discarded_when_the_place_wants_it),
        test_of(a_stopped_place_takes_nothing),
        test_of(the_message_that_broke_it_is_not_run_again),
        test_of(what_is_not_a_message_of_the_type_is_refused),
        test_of(a_message_that_is_too_large_is_refused),
        test_of(a_message_of_no_bytes_is_refused),
        test_of(a_block_is_sent_and_finished),
        test_of(dead_letters_are_counted_and_reported_once_a_second),
        test_of(a_paused_actor_takes_no_messages),
        test_of(pausing_ends_the_turn),
        test_of(a_stop_goes_before_messages),
        test_of(what_is_sent_to_a_life_that_ended_is_gone),
        test_of(what_a_message_ends_has_ended_before_the_next_is_run),
        test_of(messages_are_run_while_it_stops),
        test_of(messages_wait_until_it_is_ready),
        test_of(what_waited_for_a_start_is_run_while_it_stops),
        test_of(an_actor_that_never_rests_lets_others_run),
        test_of(every_step_is_counted_once),
        test_of(two_senders_keep_their_own_orders),
    };
    return cmocka_run_group_tests_name("core/mailbox", tests, NULL, NULL);
}
