/* test_runtimes.c - several runtimes in one program, and how they end.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

static void stop_ev(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)events;
    *(bool *)timer->data = true;
    ev_break(ev, EVBREAK_ALL);
}

/* A second runtime on the same libev loop. */
struct neighbour {
    struct bough_test *test;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_probe_call *call;
};

static struct neighbour neighbour_new(struct bough_test *test)
{
    struct neighbour neighbour = { .test = test };

    neighbour.runtime = bough_runtime_new(NULL);
    assert_non_null(neighbour.runtime);
    neighbour.loop = bough_loop_new(neighbour.runtime, test->ev);
    assert_non_null(neighbour.loop);
    return neighbour;
}

static struct bough_address neighbour_spawn(struct neighbour *neighbour,
                                            struct bough_probe *probe)
{
    const struct bough_probe_options options = { probe };
    struct bough_address address;

    assert_status(
        bough_spawn(neighbour->loop, &bough_probe_type, &options, NULL, &address, NULL),
        BOUGH_OK);
    return address;
}

static void two_runtimes_share_nothing(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_probe mine = { 0 }, theirs = { 0 };
    struct bough_address found;
    const struct bough_address root = bough_probe_place(test, &mine, BOUGH_NOBODY, "/");

    bough_probe_start(root, NULL);
    neighbour_spawn(&neighbour, &theirs);
    assert_status(bough_lookup(neighbour.loop, "/", &found), BOUGH_ENOTFOUND);
    assert_int_equal(bough_loop_count(neighbour.loop).lives, 1);
    bough_runtime_free(neighbour.runtime);
    assert_int_equal(theirs.finishes, 1);
    assert_int_equal(mine.finishes, 0);
    assert_status(bough_probe_send(root, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(mine.runs, 1);
    bough_kill(root);
    bough_test_run(test);
    bough_place_free(root, 0);
}

/* Sends the number, less one, to the other side; the last message ends both. */
static void bounce(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    const struct bough_address *other = probe->data;

    if (number > 0) {
        assert_status(bough_probe_send(*other, BOUGH_PROBE_HOOK, number - 1), BOUGH_OK);
        return;
    }
    assert_status(bough_probe_send(*other, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
    bough_exit(actor, BOUGH_EXIT_NORMAL);
}

/* Whichever of the two loops is drained last in an iteration, the other one must not
 * sleep over what it was sent. */
static void two_runtimes_on_one_libev_loop_wake_each_other(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_address a, b;
    struct bough_probe mine = { .hook = bounce, .data = &b };
    struct bough_probe theirs = { .hook = bounce, .data = &a };
    bool slept = false;
    ev_timer limit;

    a = bough_probe_spawn(test, &mine, NULL);
    b = neighbour_spawn(&neighbour, &theirs);
    assert_status(bough_probe_send(a, BOUGH_PROBE_HOOK, 99), BOUGH_OK);
    ev_timer_init(&limit, stop_ev, 20, 0);
    limit.data = &slept;
    ev_timer_start(test->ev, &limit);
    ev_unref(test->ev);
    ev_run(test->ev, 0);
    ev_ref(test->ev);
    ev_timer_stop(test->ev, &limit);
    assert_false(slept);
    assert_int_equal(mine.finishes + theirs.finishes, 2);
    assert_int_equal(mine.runs + theirs.runs, 101);
    bough_runtime_free(neighbour.runtime);
}

static void two_runtimes_run_on_two_libev_loops(void **state)
{
    struct bough_test *test = *state;
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    struct bough_runtime *runtime = bough_runtime_new(NULL);
    struct bough_loop *loop = bough_loop_new(runtime, ev);
    struct bough_probe mine = { 0 }, theirs = { 0 };
    struct bough_address other;

    assert_non_null(loop);
    const struct bough_address address = bough_probe_spawn(test, &mine, NULL);
    assert_status(bough_spawn(loop, &bough_probe_type,
                              &(struct bough_probe_options){ &theirs }, NULL, &other,
                              NULL),
                  BOUGH_OK);
    assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
    assert_status(bough_probe_send(other, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
    ev_run(ev, 0);
    assert_int_equal(mine.finishes, 0);
    assert_int_equal(theirs.finishes, 1);
    ev_run(test->ev, 0);
    assert_int_equal(mine.finishes, 1);
    bough_runtime_free(runtime);
    ev_loop_destroy(ev);
}

static void freeing_kills_what_lives_and_answers_who_asks(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    struct bough_probe_call open, waiting;
    const struct bough_address address = neighbour_spawn(&neighbour, &probe);

    bough_probe_watch_init(&watch, &probe);
    bough_watch(&watch.watch, address);
    bough_probe_call_init(&open);
    bough_probe_ask(&open, address, BOUGH_PROBE_LATER, 0);
    bough_loop_run_ready(neighbour.loop, SIZE_MAX);
    bough_probe_call_init(&waiting);
    waiting.call.timeout_ms = 1000;
    bough_probe_ask(&waiting, address, BOUGH_PROBE_ECHO, 0);
    bough_runtime_free(neighbour.runtime);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(watch.reason.kind, BOUGH_EXIT_KILLED);
    assert_int_equal(open.answers, 1);
    assert_int_equal(waiting.answers, 1);
    assert_status(waiting.status, BOUGH_EGONE);
    assert_int_equal(probe.finishes, 1);
    ev_run(test->ev, 0);
}

static void freeing_takes_places_and_references_along(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    struct bough_address reference;

    assert_status(bough_reference(neighbour.loop, "/a/b/c", &reference), BOUGH_OK);
    assert_status(bough_probe_send(reference, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, reference, BOUGH_PROBE_ECHO, 1);
    neighbour_spawn(&neighbour, &probe);
    bough_runtime_free(neighbour.runtime);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    bough_runtime_free(NULL);
    bough_loop_free(NULL);
}

/* The question waits in one loop, who asked on the other: whichever is freed first. */
static void freeing_forgets_who_asked_from_another_loop(void **state)
{
    struct bough_test *test = *state;

    for (int order = 0; order < 2; order++) {
        struct neighbour neighbour = neighbour_new(test);
        struct bough_loop *second = bough_loop_new(neighbour.runtime, test->ev);
        struct bough_probe_call call;
        struct bough_address reference;

        assert_non_null(second);
        bough_probe_call_init(&call);
        call.call.loop = order ? second : neighbour.loop;
        assert_status(
            bough_reference(order ? neighbour.loop : second, "/nobody", &reference),
            BOUGH_OK);
        bough_probe_ask(&call, reference, BOUGH_PROBE_ECHO, 1);
        bough_runtime_free(neighbour.runtime);
        assert_int_equal(call.answers, 1);
        assert_status(call.status, BOUGH_EGONE);
    }
}

static void start_again(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct bough_probe_options options = { probe };
    const struct bough_address *place = probe->data;
    struct bough_loop *loop = bough_actor_loop(actor);

    assert_status(bough_spawn(loop, &bough_probe_type, &options, NULL, NULL, NULL),
                  BOUGH_EGONE);
    assert_status(bough_place_start(*place, NULL, NULL), BOUGH_EGONE);
}

static void nothing_is_started_while_it_is_freed(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_address place;
    struct bough_probe probe = { .on_finish = start_again, .data = &place };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ &probe },
    };

    assert_status(bough_place_new(neighbour.loop, &spec, &place), BOUGH_OK);
    neighbour_spawn(&neighbour, &probe);
    bough_runtime_free(neighbour.runtime);
    assert_int_equal(probe.inits, 1);
}

static void free_in_callback(struct bough_actor *actor, struct bough_probe *probe,
                             int64_t number)
{
    (void)probe;
    (void)number;
    bough_runtime_free(bough_actor_runtime(actor));
}

static void free_from_inside(void *data)
{
    struct bough_test *test = data;
    struct bough_probe probe = { .hook = free_in_callback };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_test_run(test);
}

static void freeing_from_a_callback_is_a_bug(void **state)
{
    struct bough_test *test = *state;

    assert_true(bough_test_aborts(free_from_inside, test));
}

/* The embedder's callback ends the runtime in the very iteration in which the runtime's
 * own timer has expired, and runs before it. */
struct quitter {
    ev_timer timer;
    struct bough_runtime *runtime;
    struct bough_timer beat;
    double spin_until;
};

static void quit(struct ev_loop *ev, ev_timer *timer, int events)
{
    struct quitter *quitter = bough_container(timer, struct quitter, timer);

    (void)ev;
    (void)events;
    bough_runtime_free(quitter->runtime);
    quitter->runtime = NULL;
}

static void never(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor;
    (void)timer;
    fail_msg("ran after its runtime was freed");
}

static void spin(struct ev_loop *ev) EV_NOEXCEPT
{
    const struct quitter *quitter = ev_userdata(ev);

    while (ev_time() < quitter->spin_until)
        continue;
}

static void pass(struct ev_loop *ev) EV_NOEXCEPT
{
    (void)ev;
}

static void freeing_when_its_timer_has_expired_is_fine(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_probe probe = { 0 };
    struct quitter quitter = { .runtime = neighbour.runtime };

    neighbour_spawn(&neighbour, &probe);
    /* Far enough that the first poll comes before them, under valgrind on a busy machine,
     * too. */
    bough_timer_start(probe.actor, &quitter.beat, 200, 0, never);
    ev_timer_init(&quitter.timer, quit, 0.2, 0);
    ev_set_priority(&quitter.timer, EV_MAXPRI);
    ev_now_update(test->ev);
    ev_timer_start(test->ev, &quitter.timer);
    /* Both are due before the poll returns. */
    quitter.spin_until = ev_time() + 0.25;
    ev_set_userdata(test->ev, &quitter);
    ev_set_loop_release_cb(test->ev, spin, pass);
    ev_run(test->ev, 0);
    ev_set_loop_release_cb(test->ev, NULL, NULL);
    assert_null(quitter.runtime);
    assert_int_equal(probe.finishes, 1);
    ev_run(test->ev, 0);
}

static void a_runtime_can_be_freed_and_made_again_on_the_same_loop(void **state)
{
    struct bough_test *test = *state;

    for (int i = 0; i < 20; i++) {
        struct neighbour neighbour = neighbour_new(test);
        struct bough_probe probe = { 0 };
        const struct bough_address address = neighbour_spawn(&neighbour, &probe);
        if (i % 2)
            assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
        if (i % 3) ev_run(test->ev, EVRUN_NOWAIT);
        bough_runtime_free(neighbour.runtime);
        assert_int_equal(probe.finishes, 1);
    }
    bool fired = false;
    ev_timer timer;
    ev_timer_init(&timer, stop_ev, 0.001, 0);
    timer.data = &fired;
    ev_timer_start(test->ev, &timer);
    ev_run(test->ev, 0);
    assert_true(fired); /* its references are as they were */
    ev_run(test->ev, 0);
}

static void a_loop_knows_where_it_belongs(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    struct bough_loop *second = bough_loop_new(neighbour.runtime, ev);

    assert_non_null(second);
    assert_ptr_equal(bough_loop_runtime(second), neighbour.runtime);
    assert_ptr_equal(bough_loop_ev(second), ev);
    assert_ptr_equal(bough_loop_ev(neighbour.loop), test->ev);
    bough_loop_free(neighbour.loop);
    bough_runtime_free(neighbour.runtime);
    ev_loop_destroy(ev);
}

/* A question to a place where nobody lives yet wakes nobody, but has its deadline. */
static void ask_the_reserved(struct bough_actor *actor, struct bough_probe *probe,
                             int64_t number)
{
    struct bough_address reference;
    struct neighbour *neighbour = probe->data;
    struct bough_probe_call *call = neighbour->call;

    (void)number;
    assert_status(bough_reference(neighbour->loop, "/nobody", &reference), BOUGH_OK);
    bough_probe_call_init(call);
    call->call.timeout_ms = 1;
    bough_probe_ask(call, reference, BOUGH_PROBE_ECHO, 0);
    bough_exit(actor, BOUGH_EXIT_NORMAL);
}

static void a_deadline_set_from_another_runtime_is_kept(void **state)
{
    struct bough_test *test = *state;

    for (int order = 0; order < 2; order++) {
        struct neighbour a = neighbour_new(test), b = neighbour_new(test);
        struct neighbour *asker = order ? &a : &b, *other = order ? &b : &a;
        struct bough_probe probe = { .hook = ask_the_reserved, .data = other };
        struct bough_probe_call call = { .answers = 0 };
        const struct bough_address address = neighbour_spawn(asker, &probe);

        assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
        other->call = &call;
        ev_run(test->ev, 0);
        assert_int_equal(call.answers, 1);
        assert_status(call.status, BOUGH_ETIMEOUT);
        bough_runtime_free(a.runtime);
        bough_runtime_free(b.runtime);
    }
}
#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)
#define real_test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup_real, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        real_test_of(two_runtimes_share_nothing),
        real_test_of(two_runtimes_on_one_libev_loop_wake_each_other),
        real_test_of(two_runtimes_run_on_two_libev_loops),
        real_test_of(freeing_kills_what_lives_and_answers_who_asks),
        real_test_of(freeing_takes_places_and_references_along),
        real_test_of(freeing_forgets_who_asked_from_another_loop),
        real_test_of(nothing_is_started_while_it_is_freed),
        test_of(freeing_from_a_callback_is_a_bug),
        real_test_of(freeing_when_its_timer_has_expired_is_fine),
        real_test_of(a_runtime_can_be_freed_and_made_again_on_the_same_loop),
        real_test_of(a_loop_knows_where_it_belongs),
        real_test_of(a_deadline_set_from_another_runtime_is_kept),
    };
    return cmocka_run_group_tests_name("core/runtimes", tests, NULL, NULL);
}
