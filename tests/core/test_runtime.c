/* test_runtime.c - a guest on the embedder's libev loop: comes, works, and leaves no
 * trace.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

static void a_loop_without_actors_ends_ev_run(void **state)
{
    struct bough_test *test = *state;

    ev_run(test->ev, 0);
    assert_false(ev_run(test->ev, 0));
}

static void ev_run_returns_when_no_actor_lives(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    assert_status(bough_probe_send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 2), BOUGH_OK);
    ev_run(test->ev, 0);
    assert_int_equal(probe.runs, 2);
    assert_int_equal(watch.exits, 1);
}

static void stop_ev(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)events;
    *(bool *)timer->data = true;
    ev_break(ev, EVBREAK_ALL);
}

static void an_actor_that_lives_keeps_ev_run_going(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    bool fired = false;
    ev_timer timer;

    ev_timer_init(&timer, stop_ev, 0.01, 0);
    timer.data = &fired;
    ev_timer_start(test->ev, &timer);
    ev_unref(test->ev); /* so that nothing but the actor keeps it going */
    ev_run(test->ev, 0);
    ev_ref(test->ev);
    assert_true(fired);
    bough_kill(address);
    bough_test_run(test);
}

struct guests {
    ev_timer timer;
    ev_prepare prepare;
    ev_check check;
    unsigned timers, prepares, checks;
};

static void count_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    struct guests *guests = bough_container(timer, struct guests, timer);

    (void)events;
    if (++guests->timers == 3) ev_timer_stop(ev, timer);
}

static void count_prepare(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    (void)ev;
    (void)events;
    bough_container(prepare, struct guests, prepare)->prepares++;
}

static void count_check(struct ev_loop *ev, ev_check *check, int events)
{
    (void)ev;
    (void)events;
    bough_container(check, struct guests, check)->checks++;
}

/* Each message leads to another one, until there is no more to count. */
static void count_down(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    const struct guests *guests = probe->data;

    if (guests->timers == 3) {
        bough_exit(actor, BOUGH_EXIT_NORMAL);
        return;
    }
    assert_status(bough_probe_send(bough_self(actor), BOUGH_PROBE_HOOK, number + 1),
                  BOUGH_OK);
}

static void the_embedders_own_watchers_keep_working(void **state)
{
    struct bough_test *test = *state;
    struct guests guests = { .timers = 0 };
    struct bough_probe probe = { .hook = count_down, .data = &guests };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    ev_timer_init(&guests.timer, count_timer, 0.001, 0.001);
    ev_prepare_init(&guests.prepare, count_prepare);
    ev_check_init(&guests.check, count_check);
    ev_timer_start(test->ev, &guests.timer);
    ev_prepare_start(test->ev, &guests.prepare);
    ev_unref(test->ev);
    ev_check_start(test->ev, &guests.check);
    ev_unref(test->ev);
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    ev_run(test->ev, 0);
    assert_int_equal(guests.timers, 3);
    assert_true(guests.prepares >= 3 && guests.checks >= 3);
    assert_true(probe.runs > 3);
    ev_ref(test->ev);
    ev_prepare_stop(test->ev, &guests.prepare);
    ev_ref(test->ev);
    ev_check_stop(test->ev, &guests.check);
}

static void an_embedder_may_send_from_its_own_callbacks(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    bool fired = false;
    ev_timer timer;

    ev_timer_init(&timer, stop_ev, 0.001, 0);
    timer.data = &fired;
    ev_timer_start(test->ev, &timer);
    ev_run(test->ev, 0);
    assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 1), BOUGH_OK);
    ev_run(test->ev, 0);
    assert_int_equal(probe.finishes, 1);
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

static void give_up(struct ev_loop *ev, ev_timer *timer, int events)
{
    stop_ev(ev, timer, events);
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
    ev_timer_init(&limit, give_up, 20, 0);
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

static void spawn_again(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct bough_probe_options options = { probe };

    assert_status(bough_spawn(bough_actor_loop(actor), &bough_probe_type, &options, NULL,
                              NULL, NULL),
                  BOUGH_EGONE);
}

static void nothing_is_started_while_it_is_freed(void **state)
{
    struct bough_test *test = *state;
    struct neighbour neighbour = neighbour_new(test);
    struct bough_probe probe = { .on_finish = spawn_again };

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
    bough_timer_start(probe.actor, &quitter.beat, 2, 0, never);
    ev_timer_init(&quitter.timer, quit, 0.002, 0);
    ev_set_priority(&quitter.timer, EV_MAXPRI);
    ev_now_update(test->ev);
    ev_timer_start(test->ev, &quitter.timer);
    /* Both are due before the poll returns. */
    quitter.spin_until = ev_time() + 0.01;
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

static void the_log_hook_can_be_changed(void **state)
{
    struct bough_test *test = *state;
    char large[3000];

    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    bough_log(test->runtime, BOUGH_ERROR, "/a", "%d is odd", 3);
    assert_string_equal(test->log, "error /a: 3 is odd\n");
    bough_test_forget(test);
    bough_log(test->runtime, BOUGH_INFO, "", "%s", large);
    assert_int_equal(strlen(test->log), strlen("info : ") + 1023 + 1);
}

static void the_default_log_is_a_line_on_stderr(void **state)
{
    char line[256] = "";
    int ends[2];
    struct bough_runtime *runtime = bough_runtime_new(NULL);
    const int stderr_before = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(runtime);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    bough_log(runtime, BOUGH_WARNING, "/a", "two\nlines\033[1m");
    bough_log(runtime, BOUGH_INFO, "", "itself");
    dup2(stderr_before, STDERR_FILENO);
    close(ends[1]);
    assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
    close(ends[0]);
    close(stderr_before);
    assert_non_null(strstr(line, "Z warning /a: two lines [1m\n20"));
    assert_non_null(strstr(line, "Z info itself\n"));
    bough_runtime_free(runtime);
}

static void time_stands_still_while_code_runs(struct bough_actor *actor,
                                              struct bough_probe *probe, int64_t number)
{
    const int64_t before = bough_now_ms(actor);

    (void)number;
    ((struct bough_test *)probe->data)->clock.monotonic_ns += 5000000;
    assert_int_equal(bough_now_ms(actor), before);
}

static void time_comes_from_the_clock_it_was_given(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = time_stands_still_while_code_runs,
                                 .data = test };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_test_advance(test, 1234);
    assert_int_equal(bough_loop_now_ms(test->loop), 1234);
    assert_true(bough_runtime_realtime_ns(test->runtime) ==
                BOUGH_TEST_REALTIME_NS + INT64_C(1234000000));
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(bough_loop_now_ms(test->loop), 1239);
    bough_kill(address);
    bough_test_run(test);
}

/* A deadline that is far is known to within a power of 64; never later than it is. */
static void it_says_when_something_is_next(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_timer timer = { .repeat_ms = 0 };

    assert_int_equal(bough_loop_next_ms(test->loop), -1);
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    bough_test_run(test);
    bough_timer_start(probe.actor, &timer, 70, 0, never);
    assert_in_range(bough_loop_next_ms(test->loop), 1, 70);
    bough_test_advance(test, 65);
    assert_int_equal(bough_loop_next_ms(test->loop), 5);
    assert_status(bough_probe_send(address, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    assert_int_equal(bough_loop_next_ms(test->loop), 0);
    bough_test_run(test);
    bough_kill(address);
    bough_test_run(test);
    assert_int_equal(bough_loop_next_ms(test->loop), -1);
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
        real_test_of(a_loop_without_actors_ends_ev_run),
        real_test_of(ev_run_returns_when_no_actor_lives),
        real_test_of(an_actor_that_lives_keeps_ev_run_going),
        real_test_of(the_embedders_own_watchers_keep_working),
        real_test_of(an_embedder_may_send_from_its_own_callbacks),
        real_test_of(two_runtimes_share_nothing),
        real_test_of(two_runtimes_on_one_libev_loop_wake_each_other),
        real_test_of(two_runtimes_run_on_two_libev_loops),
        real_test_of(freeing_kills_what_lives_and_answers_who_asks),
        real_test_of(freeing_takes_places_and_references_along),
        real_test_of(nothing_is_started_while_it_is_freed),
        test_of(freeing_from_a_callback_is_a_bug),
        real_test_of(freeing_when_its_timer_has_expired_is_fine),
        real_test_of(a_runtime_can_be_freed_and_made_again_on_the_same_loop),
        test_of(the_log_hook_can_be_changed),
        cmocka_unit_test(the_default_log_is_a_line_on_stderr),
        test_of(time_comes_from_the_clock_it_was_given),
        real_test_of(a_deadline_set_from_another_runtime_is_kept),
        test_of(it_says_when_something_is_next),
    };
    return cmocka_run_group_tests_name("core/runtime", tests, NULL, NULL);
}
