/* test_threads_sleep.c - what wakes a thread that sleeps: letters, descriptors,
 * deadlines, and what an actor has put into the libev loop itself.
 *
 * A thread with none of these but letters sleeps without libev; so each fact begins with
 * one that does.
 *
 * SPDX-License-Identifier: MIT */
#include <sys/eventfd.h>
#include <unistd.h>

#include <bough/core/timer.h>

#include "apart.h"

/* Who is told on the thread tells the test by ending. */
struct sleeper {
    struct apart apart;
    struct bough_source source;
    struct bough_timer timer;
    ev_timer ev_timer;
    struct bough_actor *actor;
    int fd;
};

static void sleeper_open(struct sleeper *sleeper, void *state,
                         void (*hook)(struct bough_actor *actor,
                                      struct bough_probe *probe, int64_t number))
{
    struct apart *apart = &sleeper->apart;

    apart_open(apart, state);
    apart->probe.hook = hook;
    apart->probe.data = sleeper;
    apart->place = apart_place(apart, &apart->probe, "a");
    bough_probe_watch_init(&apart->watch, &apart->probe);
    bough_probe_start(apart->place, &apart->watch);
    while (apart->watch.readies == 0)
        bough_test_wait(apart->test);
}

static void ask(struct sleeper *sleeper)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, sleeper->apart.place, BOUGH_PROBE_ECHO, 1);
    while (call.answers == 0)
        bough_test_wait(sleeper->apart.test);
    assert_status(call.status, BOUGH_OK);
}

static void do_hook(struct sleeper *sleeper)
{
    assert_status(bough_probe_send(sleeper->apart.place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
}

static void sleeper_close(struct sleeper *sleeper)
{
    struct apart *apart = &sleeper->apart;

    while (apart->watch.exits == 0)
        bough_test_wait(apart->test);
    assert_int_equal(apart->watch.reason.kind, BOUGH_EXIT_NORMAL);
    bough_probe_watch_init(&apart->watch, NULL);
    bough_watch(&apart->watch.watch, apart->top);
    bough_kill(apart->top);
    while (apart->watch.exits == 0)
        bough_test_wait(apart->test);
    bough_place_free(apart->top, 0);
}

static void a_letter_does_each_time(void **state)
{
    struct sleeper sleeper = { 0 };

    sleeper_open(&sleeper, *state, NULL);
    for (int i = 0; i < 1000; i++)
        ask(&sleeper);
    assert_status(bough_probe_send(sleeper.apart.place, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
    sleeper_close(&sleeper);
}

/* Closes it here, where the loop that may hold it yet is run. */
static void on_readable(struct bough_actor *actor, struct bough_source *source,
                        int events)
{
    const struct sleeper *sleeper = bough_container(source, struct sleeper, source);
    uint64_t count;
    const bool is_read = (events & EV_READ) != 0 &&
                         read(sleeper->fd, &count, sizeof(count)) == sizeof(count);

    bough_source_stop(source);
    close(sleeper->fd);
    bough_exit(actor, is_read ? BOUGH_EXIT_NORMAL : BOUGH_EXIT_KILLED);
}

static void watch_descriptor(struct bough_actor *actor, struct bough_probe *probe,
                             int64_t number)
{
    struct sleeper *sleeper = probe->data;

    (void)number;
    bough_source_start(actor, &sleeper->source, sleeper->fd, EV_READ, on_readable);
}

static void a_descriptor_does(void **state)
{
    const uint64_t one = 1;
    struct sleeper sleeper = { .fd = eventfd(0, EFD_CLOEXEC) };

    sleeper_open(&sleeper, *state, watch_descriptor);
    ask(&sleeper);
    do_hook(&sleeper);
    ask(&sleeper);
    assert_int_equal(write(sleeper.fd, &one, sizeof(one)), sizeof(one));
    sleeper_close(&sleeper);
}

static void on_deadline(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_exit(actor, BOUGH_EXIT_NORMAL);
}

static void set_deadline(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    struct sleeper *sleeper = probe->data;

    (void)number;
    bough_timer_start(actor, &sleeper->timer, 1, 0, on_deadline);
}

static void a_deadline_does(void **state)
{
    struct sleeper sleeper = { 0 };

    sleeper_open(&sleeper, *state, set_deadline);
    ask(&sleeper);
    do_hook(&sleeper);
    sleeper_close(&sleeper);
}

static void on_ev_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    struct sleeper *sleeper = timer->data;

    (void)events;
    ev_ref(ev);
    bough_exit(sleeper->actor, BOUGH_EXIT_NORMAL);
}

/* One that libev does not count, so that nothing but the call for the loop tells of it.
 */
static void start_ev_timer(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    struct sleeper *sleeper = probe->data;
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(actor));

    (void)number;
    sleeper->actor = actor;
    ev_timer_init(&sleeper->ev_timer, on_ev_timer, 0.001, 0.0);
    sleeper->ev_timer.data = sleeper;
    ev_timer_start(ev, &sleeper->ev_timer);
    ev_unref(ev);
}

static void what_is_in_the_libev_loop_does(void **state)
{
    struct sleeper sleeper = { 0 };

    sleeper_open(&sleeper, *state, start_ev_timer);
    ask(&sleeper);
    do_hook(&sleeper);
    sleeper_close(&sleeper);
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup_real, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(a_letter_does_each_time),
        FACT(a_descriptor_does),
        FACT(a_deadline_does),
        FACT(what_is_in_the_libev_loop_does),
    };
    return cmocka_run_group_tests_name("core/threads_sleep", tests, NULL, NULL);
}
