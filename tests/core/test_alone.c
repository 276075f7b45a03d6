/* test_alone.c - loops that have no libev loop but Bough's own: what bough_loop_run()
 * returns for, and what wakes it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

/* Two probes on such a loop, or one there and one on a thread. */
struct alone {
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_probe here, there;
    struct bough_probe_watch watch;
    struct bough_address mine, other;
    struct bough_timer timer;
    ev_timer ev_timer;
    unsigned rounds;
};

static struct bough_address place(struct alone *alone, struct bough_probe *probe,
                                  enum bough_isolation isolation,
                                  struct bough_watch *watch)
{
    const struct bough_probe_options options = { .probe = probe };
    const struct bough_place_spec spec = { .type = &bough_probe_type,
                                           .options = &options,
                                           .isolation = isolation };
    const struct bough_start start = { .watch = watch };
    struct bough_address made;

    probe->data = alone;
    assert_status(bough_place_new(alone->loop, &spec, &made), BOUGH_OK);
    assert_status(bough_place_start(made, &start, NULL), BOUGH_OK);
    return made;
}

static int alone_open(void **state)
{
    struct alone *alone = calloc(1, sizeof(*alone));

    assert_non_null(alone);
    alone->runtime = bough_runtime_new(NULL);
    assert_non_null(alone->runtime);
    alone->loop = bough_loop_new(alone->runtime, NULL);
    assert_non_null(alone->loop);
    bough_probe_watch_init(&alone->watch, &alone->here);
    alone->mine = place(alone, &alone->here, BOUGH_INLINE, &alone->watch.watch);
    *state = alone;
    return 0;
}

static int alone_close(void **state)
{
    struct alone *alone = *state;

    bough_runtime_free(alone->runtime);
    free(alone);
    return 0;
}

static void end_mine(struct alone *alone)
{
    assert_status(bough_probe_send(alone->mine, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
}

static void it_returns_when_nothing_lives(void **state)
{
    struct alone *alone = *state;

    end_mine(alone);
    bough_loop_run(alone->loop);
    assert_int_equal(alone->watch.exits, 1);
    assert_int_equal(bough_loop_count(alone->loop).lives, 0);
    bough_loop_run(alone->loop); /* at once */
}

static void break_it(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct alone *alone = probe->data;

    (void)actor, (void)number;
    alone->rounds++;
    bough_loop_break(alone->loop);
}

/* And may be run again. */
static void it_returns_when_it_is_broken(void **state)
{
    struct alone *alone = *state;

    alone->here.hook = break_it;
    for (unsigned i = 1; i <= 3; i++) {
        assert_status(bough_probe_send(alone->mine, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
        bough_loop_run(alone->loop);
        assert_int_equal(alone->rounds, i);
    }
    assert_int_equal(bough_loop_count(alone->loop).lives, 1);
}

enum { ROUNDS = 1000 };

static void again(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct alone *alone = probe->data;

    (void)number;
    if (++alone->rounds == 2 * ROUNDS) {
        bough_exit(actor, BOUGH_EXIT_NORMAL);
        return;
    }
    const bool here = probe == &alone->here;
    assert_status(
        bough_probe_send(here ? alone->other : alone->mine, BOUGH_PROBE_HOOK, 0),
        BOUGH_OK);
}

/* One of the two sleeps at any time, so they may count in one place. The last to count
 * is the one there; the one here is ended by its watch. */
static void over_there(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    const struct bough_probe_watch *self =
        bough_container(watch, struct bough_probe_watch, watch);
    struct alone *alone = self->probe->data;

    assert_int_equal(reason->kind, BOUGH_EXIT_NORMAL);
    bough_kill(alone->mine);
}

static void letters_wake_it_each_time(void **state)
{
    struct alone *alone = *state;
    struct bough_probe_watch there;

    bough_probe_watch_init(&there, &alone->there);
    there.watch.exited = over_there;
    alone->here.hook = alone->there.hook = again;
    alone->other = place(alone, &alone->there, BOUGH_THREAD, &there.watch);
    assert_status(bough_probe_send(alone->mine, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_loop_run(alone->loop);
    assert_int_equal(alone->rounds, 2 * ROUNDS);
    assert_int_equal(alone->watch.exits, 1);
}

static void on_deadline(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_exit(actor, BOUGH_EXIT_NORMAL);
}

static void set_deadline(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    struct alone *alone = probe->data;

    bough_timer_start(actor, &alone->timer, number, 0, on_deadline);
}

static void deadlines_wake_it(void **state)
{
    struct alone *alone = *state;

    alone->here.hook = set_deadline;
    assert_status(bough_probe_send(alone->mine, BOUGH_PROBE_HOOK, 1), BOUGH_OK);
    bough_loop_run(alone->loop);
    assert_int_equal(alone->watch.exits, 1);
}

static void on_ev_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)ev, (void)events;
    bough_exit(timer->data, BOUGH_EXIT_NORMAL);
}

static void start_ev_timer(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    struct alone *alone = probe->data;

    (void)number;
    ev_timer_init(&alone->ev_timer, on_ev_timer, 0.001, 0.0);
    alone->ev_timer.data = actor;
    ev_timer_start(bough_loop_ev(alone->loop), &alone->ev_timer);
}

static void what_is_in_its_libev_loop_wakes_it(void **state)
{
    struct alone *alone = *state;

    alone->here.hook = start_ev_timer;
    assert_status(bough_probe_send(alone->mine, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_loop_run(alone->loop);
    assert_int_equal(alone->watch.exits, 1);
}

/* The runtime ends while somebody lives on a thread, who is waited for without its libev
 * loop, too. */
static void a_runtime_with_one_ends(void **state)
{
    struct alone *alone = *state;

    alone->other = place(alone, &alone->there, BOUGH_THREAD, NULL);
    end_mine(alone);
    bough_loop_run(alone->loop);
    bough_loop_free(alone->loop);
    assert_int_equal(alone->watch.exits, 1);
}

int main(void)
{
#define FACT(fact) cmocka_unit_test_setup_teardown(fact, alone_open, alone_close)
    const struct CMUnitTest tests[] = {
        FACT(it_returns_when_nothing_lives),      FACT(it_returns_when_it_is_broken),
        FACT(letters_wake_it_each_time),          FACT(deadlines_wake_it),
        FACT(what_is_in_its_libev_loop_wakes_it), FACT(a_runtime_with_one_ends),
    };
    return cmocka_run_group_tests_name("core/alone", tests, NULL, NULL);
}
