/* test_reaper.c - a process that takes its time to die is reaped all the same.
 *
 * No test can have a process that SIGKILL does not end at once. So these hand over one
 * that was not killed yet, which is the same to the reaper.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/reaper_internal.h>

#include <signal.h>
#include <sys/wait.h>

#include <bough/tests/actors/program.h>
#include <bough/tests/support/fixture.h>

static struct bough_process start(void)
{
    const char *const argv[] = { "sleep", "1000", NULL };
    const struct bough_spawn_options options = { .argv = argv };
    struct bough_process process;

    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    return process;
}

static void what_dies_in_time_is_reaped_at_once(void **state)
{
    struct bough_test *test = *state;
    struct bough_process process = start();

    bough_process_kill(&process);
    bough_reaper_take(test->ev, &process, BOUGH_TEST_LIMIT_MS);
    assert_int_equal(process.pidfd, -1);
    assert_false(bough_test_has_children());
}

static void what_dies_later_is_reaped_then(void **state)
{
    struct bough_test *test = *state;
    struct bough_process process = start();

    bough_reaper_take(test->ev, &process, 0);
    assert_int_equal(process.pidfd, -1);
    kill(process.pid, SIGKILL);
    while (bough_test_has_children()) {
        bough_test_wait(test);
    }
}

static void the_loop_is_not_kept_going(void **state)
{
    struct bough_test *test = *state;
    struct bough_process process = start();

    bough_reaper_take(test->ev, &process, 0);
    assert_int_equal(ev_run(test->ev, 0), 0); /* it returns: nothing to wait for */
    kill(process.pid, SIGKILL);
    while (bough_test_has_children()) {
        bough_test_wait(test);
    }
    assert_int_equal(ev_run(test->ev, 0), 0);
}

static void a_loop_that_is_destroyed_forgets_it(void **state)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    struct bough_process one = start(), other = start();
    int status;

    (void)state;
    bough_reaper_take(ev, &one, 0);
    bough_reaper_take(ev, &other, 0);
    ev_loop_destroy(ev);
    kill(one.pid, SIGKILL);
    kill(other.pid, SIGKILL);
    assert_int_equal(waitpid(one.pid, &status, 0), one.pid);
    assert_int_equal(waitpid(other.pid, &status, 0), other.pid);
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(what_dies_in_time_is_reaped_at_once),
        fact(what_dies_later_is_reaped_then),
        fact(the_loop_is_not_kept_going),
        fact(a_loop_that_is_destroyed_forgets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
