/* test_runtime.c - a guest on the embedder's libev loop: comes, works, and leaves no
 * trace.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <string.h>
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

/* One round of libev, which would sleep for as long as the timer runs. */
static bool sleeps_in_one_round(struct bough_test *test)
{
    bool slept = false;
    ev_timer timer;

    ev_timer_init(&timer, stop_ev, 20, 0);
    timer.data = &slept;
    ev_timer_start(test->ev, &timer);
    ev_run(test->ev, EVRUN_ONCE);
    ev_timer_stop(test->ev, &timer);
    return slept;
}

/* Whoever waits for something round by round hears of it before the loop sleeps. */
static void what_was_told_outside_of_actors_ends_the_round(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_watch watch;
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, &watch);

    bough_probe_call_init(&call);
    call.call.loop = test->loop;
    bough_probe_ask(&call, address, BOUGH_PROBE_ECHO, 1);
    assert_false(sleeps_in_one_round(test));
    assert_int_equal(call.answers, 1);
    bough_kill(address);
    assert_false(sleeps_in_one_round(test));
    assert_int_equal(watch.exits, 1);
}

/* A message to itself, so many times that no iteration's budget is enough. */
static void count_up(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    (void)probe;
    if (number == 50000) {
        bough_exit(actor, BOUGH_EXIT_NORMAL);
        return;
    }
    assert_status(bough_probe_send(bough_self(actor), BOUGH_PROBE_HOOK, number + 1),
                  BOUGH_OK);
}

static void work_over_the_budget_is_not_slept_over(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = count_up };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    bool slept = false;
    ev_timer limit;

    ev_timer_init(&limit, stop_ev, 20, 0);
    limit.data = &slept;
    ev_timer_start(test->ev, &limit);
    ev_unref(test->ev);
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    ev_run(test->ev, 0);
    ev_ref(test->ev);
    ev_timer_stop(test->ev, &limit);
    assert_false(slept);
    assert_int_equal(probe.runs, 50001);
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

static void never(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor;
    (void)timer;
    fail_msg("ran after its runtime was freed");
}

static void a_line_of_log_goes_to_the_hook_and_has_a_largest_length(void **state)
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

static void count_log(void *data, const struct bough_log_record *record)
{
    (void)record;
    ++*(int *)data;
}

static void the_log_hook_can_be_changed(void **state)
{
    struct bough_test *test = *state;
    int count = 0;

    bough_runtime_set_log(test->runtime, count_log, &count);
    bough_log(test->runtime, BOUGH_INFO, "", "to the new one");
    assert_int_equal(count, 1);
    assert_string_equal(test->log, "");
}

static void what_is_below_the_log_level_is_not_logged(void **state)
{
    int count = 0;
    const struct bough_runtime_options options = {
        .log = count_log,
        .log_data = &count,
        .log_level = BOUGH_WARNING,
    };
    struct bough_runtime *runtime = bough_runtime_new(&options);

    (void)state;
    assert_non_null(runtime);
    assert_false(bough_log_wanted(runtime, BOUGH_INFO));
    assert_true(bough_log_wanted(runtime, BOUGH_WARNING));
    bough_log(runtime, BOUGH_DEBUG, "", "below");
    bough_log(runtime, BOUGH_INFO, "", "below");
    assert_int_equal(count, 0);
    bough_log(runtime, BOUGH_WARNING, "", "at");
    bough_log(runtime, BOUGH_ERROR, "", "above");
    assert_int_equal(count, 2);
    bough_runtime_free(runtime);
}

static void count_event(void *data, const struct bough_event *event)
{
    (void)event;
    (*(unsigned *)data)++;
}

static void without_a_listener_there_are_no_events(void **state)
{
    struct bough_event event = { .kind = BOUGH_EVENT_RESTARTING };
    unsigned count = 0;
    const struct bough_runtime_options options = { .event = count_event,
                                                   .event_data = &count };
    struct bough_runtime *deaf = bough_runtime_new(NULL);
    struct bough_runtime *keen = bough_runtime_new(&options);

    (void)state;
    assert_false(bough_event_wanted(deaf));
    assert_int_equal(bough_event_report(deaf, &event), 0);
    assert_int_equal(event.seq, 0);
    assert_true(bough_event_wanted(keen));
    assert_int_equal(bough_event_report(keen, &event), 1);
    assert_int_equal(count, 1);
    bough_runtime_free(deaf);
    bough_runtime_free(keen);
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
        real_test_of(what_was_told_outside_of_actors_ends_the_round),
        real_test_of(the_embedders_own_watchers_keep_working),
        real_test_of(work_over_the_budget_is_not_slept_over),
        test_of(work_over_the_budget_is_not_slept_over),
        real_test_of(an_embedder_may_send_from_its_own_callbacks),
        test_of(a_line_of_log_goes_to_the_hook_and_has_a_largest_length),
        test_of(the_log_hook_can_be_changed),
        cmocka_unit_test(what_is_below_the_log_level_is_not_logged),
        cmocka_unit_test(without_a_listener_there_are_no_events),
        cmocka_unit_test(the_default_log_is_a_line_on_stderr),
        test_of(time_comes_from_the_clock_it_was_given),
        test_of(it_says_when_something_is_next),
    };
    return cmocka_run_group_tests_name("core/runtime", tests, NULL, NULL);
}
