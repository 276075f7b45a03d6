/* test_watchdog.c - handlers that run too long where they cannot be ended.
 *
 * On a virtual clock the handler itself lets time pass, and looks in the watchdog's
 * place; on the machine's it waits until it has been found.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>

#include <bough/core/glance.h>
#include <bough/core/timer.h>
#include <bough/supervisor/process/crash_internal.h>
#include <bough/supervisor/watchdog_internal.h>
#include <bough/tests/supervisor/fragile.h>

enum { LIMIT_MS = 2000, SHORT_LIMIT_MS = 200 };

/* An actor whose handlers take the time that they are told to. */

static struct bough_virtual_clock virtual_clock;
static struct tree *present;
static int64_t init_ms;     /* that its init takes */
static atomic_bool may_end; /* what waits to be found */

static void look(void)
{
    bough_watchdog_look(present->runtime);
}

/* A look every now and then, as the thread would. */
static void take_time(int64_t ms)
{
    const int64_t step_ms = LIMIT_MS / 8;

    look();
    for (int64_t left_ms = ms; left_ms > 0; left_ms -= step_ms) {
        virtual_clock.monotonic_ns +=
            (left_ms < step_ms ? left_ms : step_ms) * INT64_C(1000000);
        look();
    }
}

struct slow {
    struct bough_timer timers[3];
};

static void on_timer(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor, (void)timer;
    take_time(LIMIT_MS - 1);
}

static enum bough_status slow_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    if (init_ms > 0) take_time(init_ms);
    return BOUGH_OK;
}

static __attribute__((noinline)) void slow_waits(void)
{
    while (!atomic_load(&may_end))
        usleep(1000);
}

static void slow_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct fragile_message *message = data;
    struct slow *self = bough_state(actor);
    const struct fragile_reply reply = { message->number, 0 };

    (void)size;
    if (message->kind == FRAGILE_LATER) {
        for (int i = 0; i < 3; i++)
            bough_timer_start(actor, &self->timers[i], 1, 0, on_timer);
    } else if (message->kind == FRAGILE_HANG) {
        slow_waits();
    } else {
        take_time(message->number);
    }
    bough_reply(actor, &reply, sizeof(reply));
}

static const struct bough_actor_type slow_type = {
    .name = "slow",
    .help = "Takes its time.",
    .state_size = sizeof(struct slow),
    .message_size = sizeof(struct fragile_message),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = slow_init,
    .run = slow_run,
};

/* On a virtual clock */

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile", .type = &slow_type, .stuck_after_ms = LIMIT_MS },
    };

    bough_virtual_clock_init(&virtual_clock, 0);
    init_ms = 0;
    present = start_on(&virtual_clock.clock, children, bough_count_of(children));
    assert_status(bough_lookup(present->loop, "/fragile", &present->fragile), BOUGH_OK);
    *state = present;
    return 0;
}

static void expect(int stuck, int unstuck)
{
    struct bough_place_info info;

    assert_int_equal(atomic_load(&present->end.stuck), stuck);
    assert_int_equal(atomic_load(&present->end.unstuck), unstuck);
    assert_status(bough_place_info(present->fragile, &info), BOUGH_OK);
    assert_int_equal(info.stuck, stuck > unstuck);
    assert_int_equal(info.state, BOUGH_PLACE_RUNNING);
}

static void a_handler_is_stuck_once_and_then_goes_on(void **state)
{
    (void)state;
    assert_status(ask_once(present, FRAGILE_ECHO, LIMIT_MS - 1).status, BOUGH_OK);
    look();
    expect(0, 0);
    assert_status(ask_once(present, FRAGILE_ECHO, 5 * LIMIT_MS).status, BOUGH_OK);
    expect(1, 0);
    assert_int_equal(present->end.stuck_ms, LIMIT_MS);
    look();
    expect(1, 1);
    assert_int_equal(present->end.stuck_ms, 5 * LIMIT_MS);
    assert_int_equal(present->end.cause, present->end.seq);
    assert_non_null(strstr(present->log, "/fragile: is stuck: a handler has run for 2s"));
    assert_non_null(strstr(present->log, "/fragile: goes on, after a handler that ran "
                                         "for 10s"));
    look();
    expect(1, 1);
}

/* Each in its turn, one right after the other: none of them is. */
static void many_that_are_short_are_not_stuck(void **state)
{
    struct question questions[100];

    (void)state;
    for (size_t i = 0; i < bough_count_of(questions); i++)
        ask(present, &questions[i], FRAGILE_ECHO, LIMIT_MS - 1);
    for (size_t i = 0; i < bough_count_of(questions); i++)
        wait_for(present, &questions[i].done);
    assert_status(ask_once(present, FRAGILE_LATER, 0).status, BOUGH_OK);
    bough_loop_advance(present->loop, &virtual_clock, 10);
    look();
    expect(0, 0);
}

/* Nothing runs, for as long as you like. */
static void who_waits_is_not_stuck(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        bough_loop_advance(present->loop, &virtual_clock, LIMIT_MS);
        look();
    }
    expect(0, 0);
}

static void an_init_that_takes_long_is_stuck(void **state)
{
    (void)state;
    init_ms = 2 * LIMIT_MS;
    bough_kill(present->fragile);
    assert_status(ask_once(present, FRAGILE_ECHO, 0).status, BOUGH_OK);
    look();
    expect(1, 1);
    init_ms = 0;
}

/* On the machine's clock, with the thread that looks */

static size_t threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;

    assert_non_null(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void assert_signal_is_free(bool is_free)
{
    struct sigaction action;

    assert_int_equal(sigaction(BOUGH_GLANCE_SIGNAL, NULL, &action), 0);
    assert_int_equal(action.sa_handler == SIG_DFL, is_free);
}

/* The thread sanitizer keeps signals back. */
static void assert_in_backtrace(const char *function)
{
#if defined(BOUGH_SYMBOLS) && !defined(__SANITIZE_THREAD__)
    if (strstr(present->end.backtrace, function) == NULL)
        fail_msg("no %s in\n%s", function, present->end.backtrace);
#else
    (void)function;
#endif
}

static void *end_when_found(void *data)
{
    struct tree *tree = data;

    while (atomic_load(&tree->end.stuck) == 0)
        usleep(1000);
    atomic_store(&may_end, true);
    return NULL;
}

static void is_found_by_the_thread(enum bough_isolation isolation)
{
    const struct bough_child_spec children[] = {
        { .name = "fragile",
          .type = &slow_type,
          .isolation = isolation,
          .stuck_after_ms = SHORT_LIMIT_MS },
    };
    const size_t before = threads();
    pthread_t helper;

    atomic_store(&may_end, false);
    assert_signal_is_free(true);
    present = start(children, bough_count_of(children));
    assert_signal_is_free(false);
    assert_status(bough_lookup(present->loop, "/fragile", &present->fragile), BOUGH_OK);
    pthread_create(&helper, NULL, end_when_found, present);
    assert_status(ask_once(present, FRAGILE_HANG, 0).status, BOUGH_OK);
    pthread_join(helper, NULL);
    while (atomic_load(&present->end.unstuck) == 0)
        usleep(1000);
    expect(1, 1);
    assert_true(present->end.stuck_ms >= SHORT_LIMIT_MS);
    assert_in_backtrace("slow_waits+");

    void *state = present;
    assert_int_equal(teardown(&state), 0);
    if (bough_test_is_alone()) assert_int_equal(threads(), before);
    assert_signal_is_free(true);
}

static void one_on_a_thread_is_found(void **state)
{
    (void)state;
    is_found_by_the_thread(BOUGH_THREAD);
}

static void one_on_this_loop_is_found(void **state)
{
    (void)state;
    is_found_by_the_thread(BOUGH_INLINE);
}

/* Nobody pays who has not asked for it. */
static void without_a_limit_there_is_no_thread_and_no_signal(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile", .type = &slow_type },
    };
    const size_t before = threads();

    present = start(children, bough_count_of(children));
    assert_int_equal(threads(), before);
    assert_signal_is_free(true);
    *state = present;
    assert_int_equal(teardown(state), 0);
}

static __attribute__((noinline)) bool sample_this(struct bough_crash_stack *stack)
{
    const bool answered = bough_sample_thread(pthread_self(), stack);

    __asm__ volatile("" ::: "memory"); /* it is no tail call */
    return answered;
}

/* The thread that looks reads, too. */
static void without_a_nursery_there_are_names(void **state)
{
    struct bough_crash_area *area = calloc(1, sizeof(*area));
    char text[BOUGH_CRASH_TEXT];

    (void)state;
    assert_non_null(area);
    assert_true(bough_sample_open());
    assert_true(sample_this(&area->stack));
    bough_sample_close();
    bough_crash_copy_maps(area);
    setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1); /* nobody is asked */
    bough_reader_wait(NULL, area, -1, text);
    unsetenv("DEBUGINFOD_URLS");
#if defined(BOUGH_SYMBOLS) && !defined(__SANITIZE_THREAD__)
    if (strstr(text, " sample_this+") == NULL) fail_msg("in\n%s", text);
#endif
    bough_crash_print_innermost(area, text);
    assert_true(strncmp(text, "#0  0x", 6) == 0);
    assert_non_null(strchr(text, '/')); /* a file, */
    assert_non_null(strstr(text, "+0x"));
    assert_null(strchr(text, '\n')); /* and no more */
    area->maps[0] = '\0';
    area->fault.maps_size = 0;
    bough_crash_print(area, text); /* nobody knows the files */
    assert_true(strncmp(text, "#0  0x", 6) == 0);
    assert_null(strchr(text, '/'));
    free(area);
}

static void on_users_signal(int number)
{
    (void)number;
}

/* Then there are no backtraces, and all else is as it was. */
static void a_signal_that_is_taken_is_left_alone(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile", .type = &slow_type, .stuck_after_ms = SHORT_LIMIT_MS },
    };
    struct sigaction action;
    pthread_t helper;

    atomic_store(&may_end, false);
    signal(BOUGH_GLANCE_SIGNAL, on_users_signal);
    present = start(children, bough_count_of(children));
    assert_status(bough_lookup(present->loop, "/fragile", &present->fragile), BOUGH_OK);
    pthread_create(&helper, NULL, end_when_found, present);
    assert_status(ask_once(present, FRAGILE_HANG, 0).status, BOUGH_OK);
    pthread_join(helper, NULL);
    assert_string_equal(present->end.backtrace, "");
    *state = present;
    assert_int_equal(teardown(state), 0);
    sigaction(BOUGH_GLANCE_SIGNAL, NULL, &action);
    assert_ptr_equal(action.sa_handler, on_users_signal);
    signal(BOUGH_GLANCE_SIGNAL, SIG_DFL);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_handler_is_stuck_once_and_then_goes_on),
        test_of(many_that_are_short_are_not_stuck),
        test_of(who_waits_is_not_stuck),
        test_of(an_init_that_takes_long_is_stuck),
        cmocka_unit_test(one_on_a_thread_is_found),
        cmocka_unit_test(one_on_this_loop_is_found),
        cmocka_unit_test(without_a_limit_there_is_no_thread_and_no_signal),
        cmocka_unit_test(without_a_nursery_there_are_names),
        cmocka_unit_test(a_signal_that_is_taken_is_left_alone),
    };
    return cmocka_run_group_tests_name("supervisor/watchdog", tests, NULL, NULL);
}
