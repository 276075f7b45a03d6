/* test_high.c - messages of high priority go before those that wait, and in their own
 * order.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/probe.h>

#define send bough_probe_send

static enum bough_status send_high(struct bough_address address,
                                   enum bough_probe_kind kind, int64_t number)
{
    const struct bough_probe_message message = { kind, number };

    return bough_send_high(address, &message, sizeof(message));
}

static void expect_order(const struct bough_probe *probe, const int64_t *numbers,
                         size_t count)
{
    assert_int_equal(probe->number_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(probe->numbers[i], numbers[i]);
}

#define expect(probe, ...) \
    expect_order((probe), (const int64_t[]){ __VA_ARGS__ }, \
                 sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

static void high_ones_go_first_and_in_order(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send_high(address, BOUGH_PROBE_NOTE, 10), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_status(send_high(address, BOUGH_PROBE_NOTE, 11), BOUGH_OK);
    bough_test_run(test);
    expect(&probe, 10, 11, 1, 2);
    assert_status(send_high(address, BOUGH_PROBE_NOTE, 12), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    bough_test_run(test);
    expect(&probe, 10, 11, 1, 2, 12, 3);
    bough_probe_end(test, address);
}

static void a_high_call_goes_first(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_probe_call_init(&call);
    call.call.high = true;
    bough_probe_ask(&call, address, BOUGH_PROBE_ECHO, 10);
    bough_test_run(test);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, 10);
    expect(&probe, 10, 1);
    bough_probe_end(test, address);
}

static void send_self_high(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    (void)probe;
    assert_status(send_high(bough_self(actor), BOUGH_PROBE_NOTE, number + 1), BOUGH_OK);
}

/* In the middle of a turn, too: the message that is run ends, then the high one comes. */
static void one_that_comes_during_a_turn_is_next(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = send_self_high };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_HOOK, 10), BOUGH_OK);
    assert_status(send(address, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    bough_test_run(test);
    expect(&probe, 1, 10, 11, 2);
    bough_probe_end(test, address);
}

static void both_share_the_capacity(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    for (int i = 0; i < BOUGH_MAILBOX_CAPACITY; i++) {
        assert_status(i % 2 == 0 ? send(address, BOUGH_PROBE_NOTE, i)
                                 : send_high(address, BOUGH_PROBE_NOTE, i),
                      BOUGH_OK);
    }
    assert_int_equal(bough_mailbox_length(probe.actor), BOUGH_MAILBOX_CAPACITY);
    assert_status(send(address, BOUGH_PROBE_NOTE, 0), BOUGH_EFULL);
    assert_status(send_high(address, BOUGH_PROBE_NOTE, 0), BOUGH_EFULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, BOUGH_MAILBOX_CAPACITY);
    bough_probe_end(test, address);
}

static struct bough_address make(struct bough_test *test, struct bough_probe *probe)
{
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ probe },
        .capacity = 2,
        .when_full = BOUGH_DROP_OLDEST,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    return place;
}

static void drop(struct bough_test *test, struct bough_address place)
{
    bough_probe_end(test, place);
    bough_place_free(place, 0);
}

static void the_oldest_of_the_lowest_priority_makes_room(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place = make(test, &probe);

    assert_status(send_high(place, BOUGH_PROBE_NOTE, 10), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);       /* for 1 */
    assert_status(send_high(place, BOUGH_PROBE_NOTE, 11), BOUGH_OK); /* for 2 */
    assert_status(send(place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);       /* itself */
    assert_status(send_high(place, BOUGH_PROBE_NOTE, 12), BOUGH_OK); /* for 10 */
    bough_probe_start(place, NULL);
    bough_test_run(test);
    expect(&probe, 11, 12);
    drop(test, place);
}

static void high_ones_wait_for_the_next_life(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    bough_probe_start(place, NULL);
    bough_pause(probe.actor);
    assert_status(send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(send_high(bough_self(probe.actor), BOUGH_PROBE_NOTE, 9), BOUGH_OK);
    assert_status(send_high(place, BOUGH_PROBE_NOTE, 10), BOUGH_OK);
    assert_status(send_high(place, BOUGH_PROBE_NOTE, 11), BOUGH_OK);
    bough_probe_end(test, place);
    bough_probe_start(place, NULL);
    bough_test_run(test);
    expect(&probe, 10, 11, 1);
    bough_pause(probe.actor);
    assert_status(send_high(place, BOUGH_PROBE_NOTE, 12), BOUGH_OK);
    drop(test, place);
}

static void a_pause_holds_high_ones_too(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_pause(probe.actor);
    assert_status(send_high(address, BOUGH_PROBE_NOTE, 10), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(probe.runs, 0);
    bough_resume(probe.actor);
    bough_test_run(test);
    expect(&probe, 10);
    bough_probe_end(test, address);
}

static void forward(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct bough_probe_message message = { BOUGH_PROBE_NOTE, number };
    const struct bough_address *to = probe->data;

    assert_status(bough_forward_as(actor, *to, &message, sizeof(message)), BOUGH_OK);
}

static void what_is_handed_on_keeps_its_priority(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe porter = { .hook = forward }, probe = { 0 };
    const struct bough_address first = bough_probe_spawn(test, &porter, NULL);
    struct bough_address last = bough_probe_spawn(test, &probe, NULL);

    porter.data = &last;
    bough_pause(probe.actor);
    assert_status(send_high(first, BOUGH_PROBE_HOOK, 10), BOUGH_OK);
    assert_status(send(first, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    bough_test_run(test);
    assert_status(send_high(first, BOUGH_PROBE_HOOK, 11), BOUGH_OK);
    bough_test_run(test);
    bough_resume(probe.actor);
    bough_test_run(test);
    expect(&probe, 10, 11, 1);
    bough_probe_end(test, first);
    bough_probe_end(test, last);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(high_ones_go_first_and_in_order),
        test_of(a_high_call_goes_first),
        test_of(one_that_comes_during_a_turn_is_next),
        test_of(both_share_the_capacity),
        test_of(the_oldest_of_the_lowest_priority_makes_room),
        test_of(high_ones_wait_for_the_next_life),
        test_of(a_pause_holds_high_ones_too),
        test_of(what_is_handed_on_keeps_its_priority),
    };
    return cmocka_run_group_tests_name("core/high", tests, NULL, NULL);
}
