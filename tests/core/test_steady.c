/* test_steady.c - the steady state takes nothing from the system: no memory, no call.
 *
 * Of each thing that a program does again and again, some rounds are run to warm up; then
 * many more must allocate nothing, and run to their end in a process that may only read,
 * write and exit. The clock is a virtual one: the machine's is read without a system call
 * where the machine allows, and how it is read is not ours.
 *
 * SPDX-License-Identifier: MIT */
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/timer.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/probe.h>

enum { CROWD = 20 };

/* Somebody to talk to, and what is in flight. */
struct scene {
    struct bough_test *test;
    struct bough_probe probe;
    struct bough_address address; /* of the place: its lives may end */
    struct bough_probe_call calls[CROWD];
    struct bough_timer timers[CROWD];
    size_t done; /* answers, ends, or what else a round is for */
};

/* Not bough_test_run(), which looks at the machine's clock. */
static void run(struct scene *scene, int64_t ms)
{
    scene->test->clock.monotonic_ns += ms * 1000000;
    bough_loop_run_ready(scene->test->loop, SIZE_MAX);
}

static void must(bool right)
{
    if (!right) abort();
}

/* Rounds: each leaves all as it was. */

static void send_some(struct scene *scene)
{
    for (int i = 0; i < CROWD; i++)
        must(bough_probe_send(scene->address, BOUGH_PROBE_NOTE, i) == BOUGH_OK);
    run(scene, 0);
    scene->done += CROWD;
}

static void ask_some(struct scene *scene, enum bough_probe_kind kind, int64_t timeout_ms)
{
    for (int i = 0; i < CROWD; i++) {
        bough_probe_call_init(&scene->calls[i]);
        scene->calls[i].call.owner = scene->probe.actor;
        scene->calls[i].call.timeout_ms = timeout_ms + i;
        bough_probe_ask(&scene->calls[i], scene->address, kind, i);
    }
    run(scene, 0);
}

static void expect_all(struct scene *scene, enum bough_status status)
{
    for (int i = 0; i < CROWD; i++) {
        must(scene->calls[i].answers == 1);
        must(scene->calls[i].status == status);
    }
    scene->done += CROWD;
}

static void ask_and_be_answered(struct scene *scene)
{
    ask_some(scene, BOUGH_PROBE_ECHO, 1000);
    expect_all(scene, BOUGH_OK);
}

static void ask_and_be_refused(struct scene *scene)
{
    ask_some(scene, BOUGH_PROBE_REFUSE, 1000);
    expect_all(scene, BOUGH_EREFUSED);
}

static void ask_in_vain(struct scene *scene)
{
    ask_some(scene, BOUGH_PROBE_NOTE, 1000);
    expect_all(scene, BOUGH_ENOREPLY);
}

static void ask_and_wait_too_long(struct scene *scene)
{
    bough_pause(scene->probe.actor);
    ask_some(scene, BOUGH_PROBE_ECHO, 10);
    run(scene, 10 + CROWD);
    expect_all(scene, BOUGH_ETIMEOUT);
    bough_resume(scene->probe.actor);
    run(scene, 0);
}

static void ask_and_cancel(struct scene *scene)
{
    for (int i = 0; i < CROWD; i++) {
        bough_probe_call_init(&scene->calls[i]);
        scene->calls[i].call.timeout_ms = 10;
        bough_probe_ask(&scene->calls[i], scene->address, BOUGH_PROBE_ECHO, i);
        bough_call_cancel(&scene->calls[i].call);
    }
    run(scene, 10);
    scene->done += CROWD;
}

static void ask_and_be_answered_later(struct scene *scene)
{
    for (int64_t i = 0; i < CROWD; i++) {
        bough_probe_call_init(&scene->calls[i]);
        scene->calls[i].call.timeout_ms = 1000;
        bough_probe_ask(&scene->calls[i], scene->address, BOUGH_PROBE_LATER, i);
        run(scene, 1);
        bough_question_reply(scene->probe.question, &i, sizeof(i));
    }
    run(scene, 0);
    expect_all(scene, BOUGH_OK);
}

static void count_timer(struct bough_actor *actor, struct bough_timer *timer)
{
    const struct bough_probe *const *probe = bough_state(actor); /* its first member */
    struct scene *scene = (*probe)->data;

    (void)timer;
    scene->done++;
}

static void set_timers(struct scene *scene)
{
    for (int i = 0; i < CROWD; i++)
        bough_timer_start(scene->probe.actor, &scene->timers[i], 1 + i * i, 0,
                          count_timer);
    run(scene, CROWD * CROWD);
}

static void set_intervals(struct scene *scene)
{
    for (int i = 0; i < CROWD; i++)
        bough_timer_start(scene->probe.actor, &scene->timers[i], 10, 10, count_timer);
    for (int i = 0; i < CROWD; i++)
        run(scene, 10);
    for (int i = 0; i < CROWD; i++)
        bough_timer_stop(&scene->timers[i]);
}

/* With a timer and a question of the life that ends. */
static void crash_and_start_again(struct scene *scene)
{
    bough_timer_start(scene->probe.actor, &scene->timers[0], 5, 5, count_timer);
    must(bough_probe_send(scene->address, BOUGH_PROBE_FAIL, 0) == BOUGH_OK);
    bough_probe_call_init(&scene->calls[0]);
    scene->calls[0].call.timeout_ms = 1000;
    bough_probe_ask(&scene->calls[0], scene->address, BOUGH_PROBE_ECHO, 0);
    run(scene, 1);
    must(scene->calls[0].answers == 0);
    must(bough_place_start(scene->address, NULL, NULL) == BOUGH_OK);
    run(scene, 1);
    must(scene->calls[0].answers == 1);
    scene->done += CROWD;
}

/* Looking */

enum { UNABLE = 2 };

/* Strict seccomp leaves a process read, write and exit: any other call kills it. */
static _Noreturn void go_without_the_system(struct scene *scene,
                                            void (*round)(struct scene *scene))
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(UNABLE);
    for (int i = 0; i < 100; i++)
        round(scene);
    syscall(SYS_exit, 0);
    abort();
}

/* How it ended; that it was unable to look when valgrind makes system calls of its own.
 */
static int look_apart(struct scene *scene, void (*round)(struct scene *scene))
{
    int status;

    if (!bough_test_is_alone()) return UNABLE << 8;
    const pid_t child = fork();
    if (child == 0) go_without_the_system(scene, round);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static bool was_unable(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == UNABLE;
}

static void call_the_system(struct scene *scene)
{
    (void)scene;
    syscall(SYS_getppid);
}

static void a_system_call_is_found(void **state)
{
    struct scene scene = { .test = *state };
    const int status = look_apart(&scene, call_the_system);

    if (was_unable(status)) skip();
    assert_true(WIFSIGNALED(status));
}

static void expect_steady(struct bough_test *test, void (*round)(struct scene *scene))
{
    struct scene scene = { .test = test, .probe.data = &scene };

    scene.address = bough_probe_place(test, &scene.probe, BOUGH_NOBODY, NULL);
    bough_probe_start(scene.address, NULL);
    for (int i = 0; i < 10; i++)
        round(&scene);

    const size_t before = bough_allocator_count(), done = scene.done;
    for (int i = 0; i < 1000; i++)
        round(&scene);
    assert_int_equal(bough_allocator_count(), before);
    assert_true(scene.done >= done + 1000 * CROWD);
    const int status = look_apart(&scene, round);
    assert_true(status == 0 || was_unable(status));
    bough_probe_end(test, scene.address);
    bough_place_free(scene.address, 0);
}

static void messages_take_nothing(void **state)
{
    expect_steady(*state, send_some);
}

static void answers_take_nothing(void **state)
{
    expect_steady(*state, ask_and_be_answered);
}

static void refusals_take_nothing(void **state)
{
    expect_steady(*state, ask_and_be_refused);
}

static void missing_answers_take_nothing(void **state)
{
    expect_steady(*state, ask_in_vain);
}

static void deadlines_that_pass_take_nothing(void **state)
{
    expect_steady(*state, ask_and_wait_too_long);
}

static void cancelled_calls_take_nothing(void **state)
{
    expect_steady(*state, ask_and_cancel);
}

static void later_answers_take_nothing(void **state)
{
    expect_steady(*state, ask_and_be_answered_later);
}

static void timers_take_nothing(void **state)
{
    expect_steady(*state, set_timers);
}

static void intervals_take_nothing(void **state)
{
    expect_steady(*state, set_intervals);
}

static void restarts_take_nothing(void **state)
{
    expect_steady(*state, crash_and_start_again);
}

/* A look at descriptors costs system calls, and is taken once for thousands of messages,
 * not for each: here as often as the budget says, for a virtual clock ends no slice. */

static void tell_itself(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    (void)probe;
    if (number == 0) return;
    must(bough_probe_send(bough_self(actor), BOUGH_PROBE_HOOK, number - 1) == BOUGH_OK);
}

static void many_messages_share_one_look_at_descriptors(void **state)
{
    enum { MESSAGES = 1000000, AT_LEAST = 1000 };
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = tell_itself };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, MESSAGES), BOUGH_OK);
    const unsigned before = ev_iteration(test->ev);
    while (probe.runs <= MESSAGES)
        ev_run(test->ev, EVRUN_NOWAIT);
    assert_true(ev_iteration(test->ev) - before <= MESSAGES / AT_LEAST);
    bough_probe_end(test, address);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_system_call_is_found),
        test_of(messages_take_nothing),
        test_of(answers_take_nothing),
        test_of(refusals_take_nothing),
        test_of(missing_answers_take_nothing),
        test_of(deadlines_that_pass_take_nothing),
        test_of(cancelled_calls_take_nothing),
        test_of(later_answers_take_nothing),
        test_of(timers_take_nothing),
        test_of(intervals_take_nothing),
        test_of(restarts_take_nothing),
        test_of(many_messages_share_one_look_at_descriptors),
    };

    return cmocka_run_group_tests_name("core/steady", tests, NULL, NULL);
}
