/* test_room.c - room in mailboxes of other loops: all of it is there for who needs it,
 * none is given twice, and none is lost.
 *
 * On the virtual clock, but for the last fact: that one is about real threads.
 *
 * SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <stdio.h>

#include "apart.h"

/* Notes to send from a callback, one to each receiver in turn. */
struct flood {
    const struct bough_address *to;
    size_t receivers;
    int count;
    int taken, refused;
};

static void pour(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct flood *flood = probe->data;

    (void)actor;
    (void)number;
    for (int i = 0; i < flood->count; i++) {
        for (size_t k = 0; k < flood->receivers; k++) {
            if (bough_probe_send(flood->to[k], BOUGH_PROBE_NOTE, i) == BOUGH_OK) {
                flood->taken++;
            } else {
                flood->refused++;
            }
        }
    }
}

static void pause_self(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    (void)number;
    bough_pause(actor);
}

/* A receiver on another loop that takes `capacity` messages and runs none. */
static void open_paused(struct apart *apart, void *state, uint32_t capacity)
{
    apart_open(apart, state);
    apart->capacity = capacity;
    apart->probe.hook = pause_self;
    apart_start(apart);
    assert_status(bough_probe_send(apart->place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    apart_run(apart);
}

/* What the root sends in one callback, and its loop alone is run. */
static struct flood pour_from_root(struct apart *apart, const struct bough_address *to,
                                   size_t receivers, int count)
{
    struct flood flood = { .to = to, .receivers = receivers, .count = count };

    apart->root.hook = pour;
    apart->root.data = &flood;
    assert_status(bough_probe_send(apart->top, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_test_run(apart->test);
    return flood;
}

static struct bough_place_info info_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info;
}

static void one_sender_has_all_of_it(void **state)
{
    struct apart apart;

    open_paused(&apart, *state, 100);
    const struct flood flood = pour_from_root(&apart, &apart.place, 1, 120);
    assert_int_equal(flood.taken, 100);
    assert_int_equal(flood.refused, 20);
    apart_run(&apart);
    assert_int_equal(info_of(apart.place).mailbox_length, 100);
    assert_int_equal(info_of(apart.place).dropped, 20);
    apart_close(&apart);
}

static void what_is_not_used_is_given_back_with_the_parcel(void **state)
{
    struct apart apart;

    open_paused(&apart, *state, 100);
    for (int i = 1; i <= 20; i++) {
        pour_from_root(&apart, &apart.place, 1, 5);
        assert_int_equal(info_of(apart.place).mailbox_length, 5 * i);
    }
    assert_int_equal(pour_from_root(&apart, &apart.place, 1, 1).refused, 1);
    apart_close(&apart);
}

static void room_that_comes_back_can_be_had_again(void **state)
{
    struct apart apart;

    open_paused(&apart, *state, 10);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(pour_from_root(&apart, &apart.place, 1, 12).taken, 10);
        apart_run(&apart);
        bough_resume(apart.probe.actor);
        apart_run(&apart);
        assert_int_equal(apart.probe.runs, 11 * i);
        assert_status(bough_probe_send(apart.place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
        apart_run(&apart);
    }
    apart_close(&apart);
}

static void loops_share_it(void **state)
{
    struct apart apart;
    struct bough_probe others[2] = { 0 };
    static const char *const names[] = { "b", "c" };
    struct flood floods[2];

    open_paused(&apart, *state, 100);
    for (int i = 0; i < 2; i++) {
        const struct bough_address place = apart_place(&apart, &others[i], names[i]);

        floods[i] = (struct flood){ .to = &apart.place, .receivers = 1, .count = 70 };
        others[i].hook = pour;
        others[i].data = &floods[i];
        bough_probe_start(place, NULL);
        assert_status(bough_probe_send(place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    }
    apart_run(&apart);
    assert_int_equal(floods[0].taken + floods[1].taken, 100);
    assert_int_equal(info_of(apart.place).mailbox_length, 100);
    assert_int_equal(info_of(apart.place).dropped, 40);
    apart_close(&apart);
}

/* More of them than a loop keeps room for at a time. */
static void many_receivers_have_each_its_own(void **state)
{
    enum { MANY = 40, CAPACITY = 6 };
    static struct bough_probe probes[MANY];
    struct bough_address places[MANY];
    struct apart apart;

    apart_open(&apart, *state);
    apart.capacity = CAPACITY;
    for (int i = 0; i < MANY; i++) {
        char name[8];

        snprintf(name, sizeof(name), "x%d", i);
        probes[i] = (struct bough_probe){ 0 };
        places[i] = apart_place(&apart, &probes[i], name);
        bough_probe_start(places[i], NULL);
    }
    apart_run(&apart);
    const struct flood flood = pour_from_root(&apart, places, MANY, CAPACITY + 2);
    assert_int_equal(flood.taken, MANY * CAPACITY);
    assert_int_equal(flood.refused, MANY * 2);
    apart_run(&apart);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(probes[i].runs, CAPACITY);
        assert_int_equal(info_of(places[i]).dropped, 2);
    }
    apart_close(&apart);
}

static void the_oldest_or_the_newest_are_dropped(void **state)
{
    static const enum bough_when_full choices[] = { BOUGH_DROP_OLDEST,
                                                    BOUGH_DROP_NEWEST };
    static const int64_t first[] = { 6, 0 };

    for (int i = 0; i < 2; i++) {
        struct apart apart;

        apart_open(&apart, *state);
        apart.when_full = choices[i];
        apart.capacity = 4;
        apart.probe.hook = pause_self;
        apart_start(&apart);
        assert_status(bough_probe_send(apart.place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
        apart_run(&apart);
        for (int k = 0; k < 10; k++) {
            assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, k), BOUGH_OK);
            apart_run(&apart);
        }
        bough_resume(apart.probe.actor);
        apart_run(&apart);
        assert_int_equal(apart.probe.runs, 5);
        assert_int_equal(apart.probe.numbers[1], first[i]);
        assert_int_equal(apart.probe.numbers[4], first[i] + 3);
        assert_int_equal(info_of(apart.place).dropped, 6);
        apart_close(&apart);
    }
}

/* It is let go when the receiver has room: nothing of that is lost either. */
static void a_sender_that_waits_is_let_go(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.when_full = BOUGH_WAIT;
    apart.capacity = 10;
    apart.probe.hook = pause_self;
    apart_start(&apart);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    apart_run(&apart);
    const struct flood flood = pour_from_root(&apart, &apart.place, 1, 25);
    assert_int_equal(flood.taken, 20);
    assert_true(bough_is_held_up(apart.root.actor));
    apart_run(&apart);
    bough_resume(apart.probe.actor);
    apart_run(&apart);
    assert_false(bough_is_held_up(apart.root.actor));
    assert_int_equal(apart.probe.runs, 21);
    apart_close(&apart);
}

/* Real threads */

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

struct gate {
    sem_t entered, open;
};

static void wait_at_gate(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    struct gate *gate = probe->data;

    (void)actor;
    (void)number;
    sem_post(&gate->entered);
    wait_for(&gate->open);
}

static struct bough_probe_call ask(struct apart *apart, struct bough_address to)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, to, BOUGH_PROBE_ECHO, 1);
    while (call.answers == 0)
        bough_test_wait(apart->test);
    return call;
}

static void start_real(struct apart *apart, struct bough_address place)
{
    bough_probe_watch_init(&apart->watch, NULL);
    bough_probe_start(place, &apart->watch);
    while (apart->watch.readies == 0)
        bough_test_wait(apart->test);
    bough_watch_cancel(&apart->watch.watch);
}

static void close_real(struct apart *apart)
{
    bough_probe_watch_init(&apart->watch, NULL);
    bough_watch(&apart->watch.watch, apart->top);
    bough_kill(apart->top);
    while (apart->watch.exits == 0)
        bough_test_wait(apart->test);
    bough_place_free(apart->top, 0);
}

/* They try for more than there is, all at the same time; what they leave, the test has.
 */
static void threads_together_fill_it_and_no_more(void **state)
{
    enum { SENDERS = 3, CAPACITY = 5000, EACH = 4000 };
    struct bough_probe senders[SENDERS] = { 0 };
    struct flood floods[SENDERS];
    struct bough_address places[SENDERS];
    struct apart apart;
    struct gate gate;
    int taken = 1; /* what is run now is counted until the turn is over */

    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.open, 0, 0);
    apart_open(&apart, *state);
    apart.capacity = CAPACITY;
    apart.probe.hook = wait_at_gate;
    apart.probe.data = &gate;
    apart.place = apart_place(&apart, &apart.probe, "a");
    start_real(&apart, apart.place);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    wait_for(&gate.entered);
    for (int i = 0; i < SENDERS; i++) {
        char name[8];

        snprintf(name, sizeof(name), "x%d", i);
        floods[i] = (struct flood){ .to = &apart.place, .receivers = 1, .count = EACH };
        senders[i].hook = pour;
        senders[i].data = &floods[i];
        places[i] = apart_place(&apart, &senders[i], name);
        start_real(&apart, places[i]);
    }
    for (int i = 0; i < SENDERS; i++)
        assert_status(bough_probe_send(places[i], BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    for (int i = 0; i < SENDERS; i++) {
        assert_status(ask(&apart, places[i]).status, BOUGH_OK);
        taken += floods[i].taken;
    }
    assert_true(taken <= CAPACITY);
    while (bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 0) == BOUGH_OK)
        taken++;
    assert_int_equal(taken, CAPACITY);
    /* An answer may overtake what its sender sent elsewhere; a second one does not. */
    for (int i = 0; i < SENDERS; i++)
        assert_status(ask(&apart, places[i]).status, BOUGH_OK);
    sem_post(&gate.open);
    while (ask(&apart, apart.place).status == BOUGH_EFULL)
        continue;
    assert_int_equal(apart.probe.runs, CAPACITY + 1);
    close_real(&apart);
    sem_destroy(&gate.entered);
    sem_destroy(&gate.open);
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(one_sender_has_all_of_it),
        FACT(what_is_not_used_is_given_back_with_the_parcel),
        FACT(room_that_comes_back_can_be_had_again),
        FACT(loops_share_it),
        FACT(many_receivers_have_each_its_own),
        FACT(the_oldest_or_the_newest_are_dropped),
        FACT(a_sender_that_waits_is_let_go),
        cmocka_unit_test_setup_teardown(threads_together_fill_it_and_no_more,
                                        bough_test_setup_real, bough_test_teardown),
    };
    return cmocka_run_group_tests_name("core/room", tests, NULL, NULL);
}
