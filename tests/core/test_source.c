/* test_source.c - descriptors of an actor: seen when ready, and let go of with their
 * actor.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

struct pair {
    struct bough_source source;
    struct bough_probe probe;
    struct bough_address address;
    int near, far; /* a source watches the near end */
    unsigned count;
    int events;
};

static struct pair *pair_new(struct bough_test *test)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int ends[2];

    assert_non_null(pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    pair->near = ends[0];
    pair->far = ends[1];
    pair->address = bough_probe_spawn(test, &pair->probe, NULL);
    return pair;
}

static void pair_free(struct bough_test *test, struct pair *pair)
{
    bough_kill(pair->address);
    bough_test_run(test);
    close(pair->near);
    close(pair->far);
    free(pair);
}

static void say(struct pair *pair, const char *byte)
{
    assert_int_equal(write(pair->far, byte, 1), 1);
}

static void take_byte(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct pair *pair = bough_container(source, struct pair, source);
    char byte;

    assert_ptr_equal(actor, pair->probe.actor);
    pair->count++;
    pair->events = events;
    if ((events & EV_READ) == 0) return;
    assert_int_equal(read(pair->near, &byte, 1), 1);
    if (byte == 'f') bough_fail(actor, BOUGH_EFAILED, "read an f");
    if (byte == 's') bough_source_stop(source);
}

static void start(struct pair *pair, int events)
{
    bough_source_start(pair->probe.actor, &pair->source, pair->near, events, take_byte);
}

static void a_readable_descriptor_is_told(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    start(pair, EV_READ);
    assert_true(bough_source_is_running(&pair->source));
    assert_int_equal(bough_loop_count(test->loop).sources, 1);
    say(pair, "a");
    assert_int_equal(pair->count, 0);
    while (pair->count == 0)
        bough_test_wait(test);
    assert_int_equal(pair->events, EV_READ);
    bough_test_advance(test, 0);
    assert_int_equal(pair->count, 1);
    pair_free(test, pair);
}

static void a_writable_descriptor_is_told(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    start(pair, EV_WRITE);
    while (pair->count == 0)
        bough_test_wait(test);
    assert_int_equal(pair->events, EV_WRITE);
    pair_free(test, pair);
}

static void a_stopped_source_is_not_told(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    start(pair, EV_READ);
    say(pair, "s");
    say(pair, "x");
    while (pair->count == 0)
        bough_test_wait(test);
    bough_test_advance(test, 10);
    assert_int_equal(pair->count, 1);
    assert_false(bough_source_is_running(&pair->source));
    bough_source_stop(&pair->source);
    assert_int_equal(bough_loop_count(test->loop).sources, 0);
    pair_free(test, pair);
}

static void a_started_source_is_started_anew(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    start(pair, EV_WRITE);
    start(pair, EV_READ);
    bough_test_advance(test, 1);
    assert_int_equal(pair->count, 0);
    assert_int_equal(bough_loop_count(test->loop).sources, 1);
    say(pair, "a");
    while (pair->count == 0)
        bough_test_wait(test);
    pair_free(test, pair);
}

static void a_source_ends_with_its_actor(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    start(pair, EV_READ);
    say(pair, "a");
    bough_kill(pair->address);
    bough_test_run(test);
    assert_false(bough_source_is_running(&pair->source));
    bough_test_advance(test, 10);
    assert_int_equal(pair->count, 0);
    pair_free(test, pair);
}

static void close_it(struct bough_actor *actor, struct bough_probe *probe)
{
    struct pair *pair = bough_container(probe, struct pair, probe);

    (void)actor;
    assert_false(bough_source_is_running(&pair->source));
    assert_int_equal(close(pair->near), 0);
    pair->near = -1;
}

static void finish_may_close_at_once(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);

    pair->probe.on_finish = close_it;
    start(pair, EV_READ);
    say(pair, "f");
    while (pair->probe.finishes == 0)
        bough_test_wait(test);
    assert_int_equal(pair->count, 1);
    pair_free(test, pair);
}

/* Two sources of one actor are ready in one poll; the first callback ends the life. */
static void no_source_is_told_after_its_actor_failed(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test), *other = pair_new(test);
    struct bough_actor *actor = pair->probe.actor;

    start(pair, EV_READ);
    bough_source_start(actor, &other->source, other->near, EV_READ, take_byte);
    other->probe.actor = actor;
    say(pair, "f");
    say(other, "f");
    while (pair->probe.finishes == 0)
        bough_test_wait(test);
    assert_int_equal(pair->count + other->count, 1);
    pair_free(test, pair);
    pair_free(test, other);
}

/* A message to itself, for ever: the ready list is never empty. */
static void send_again(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    assert_status(bough_probe_send(bough_self(actor), BOUGH_PROBE_HOOK, number),
                  BOUGH_OK);
}

static void a_ready_list_that_is_never_empty_does_not_starve_it(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);
    enum { COUNT = 50 };
    struct bough_probe restless[COUNT] = { 0 };
    struct bough_address addresses[COUNT];

    for (int i = 0; i < COUNT; i++) {
        restless[i].hook = send_again;
        addresses[i] = bough_probe_spawn(test, &restless[i], NULL);
        assert_status(bough_probe_send(addresses[i], BOUGH_PROBE_HOOK, i), BOUGH_OK);
    }
    start(pair, EV_READ);
    say(pair, "a");
    ev_run(test->ev, EVRUN_ONCE);
    assert_int_equal(pair->count, 1);
    assert_true(restless[0].runs > 0);
    for (int i = 0; i < COUNT; i++)
        bough_kill(addresses[i]);
    pair_free(test, pair);
}

static void long_mailboxes_do_not_starve_it(void **state)
{
    struct bough_test *test = *state;
    struct pair *pair = pair_new(test);
    enum { COUNT = 64, EACH = 1000 };
    struct bough_probe probes[COUNT] = { 0 };
    struct bough_address addresses[COUNT];
    unsigned runs = 0;

    for (int i = 0; i < COUNT; i++) {
        addresses[i] = bough_probe_spawn(test, &probes[i], NULL);
        for (int j = 0; j < EACH; j++) {
            assert_status(bough_probe_send(addresses[i], BOUGH_PROBE_NOTE, j), BOUGH_OK);
        }
    }
    start(pair, EV_READ);
    say(pair, "a");
    ev_run(test->ev, EVRUN_ONCE);
    assert_int_equal(pair->count, 1);
    for (int i = 0; i < COUNT; i++)
        runs += probes[i].runs;
    assert_in_range(runs, 1, COUNT * EACH / 2);
    for (int i = 0; i < COUNT; i++)
        bough_kill(addresses[i]);
    pair_free(test, pair);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_readable_descriptor_is_told),
        test_of(a_writable_descriptor_is_told),
        test_of(a_stopped_source_is_not_told),
        test_of(a_started_source_is_started_anew),
        test_of(a_source_ends_with_its_actor),
        test_of(finish_may_close_at_once),
        test_of(no_source_is_told_after_its_actor_failed),
        test_of(a_ready_list_that_is_never_empty_does_not_starve_it),
        test_of(long_mailboxes_do_not_starve_it),
        cmocka_unit_test_setup_teardown(
            a_ready_list_that_is_never_empty_does_not_starve_it, bough_test_setup_real,
            bough_test_teardown),
    };
    return cmocka_run_group_tests_name("core/source", tests, NULL, NULL);
}
