/* test_worker_memory.c - without memory, workers and loggers say so and leave nothing
 * behind.
 *
 * Defining a replacement is support/allocator.c's: the build looks for __wrap_malloc.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/worker.h>

#include <signal.h>
#include <sys/wait.h>

#include <bough/actors/logger.h>
#include <bough/actors/reaper_internal.h>
#include <bough/tests/actors/worker_subject.h>
#include <bough/tests/support/allocator.h>

enum { ALLOCATIONS = 100 }; /* more than any of these takes */

/* Fails each allocation of a start, in turn, until it needs no more of them. */
static void a_logger_without_memory_does_not_start(void **state)
{
    struct bough_test *test = *state;
    const struct bough_logger_options options = { .file = "/dev/null" };
    enum bough_status status = BOUGH_ENOMEM;
    size_t nth = 0;

    while (status != BOUGH_OK) {
        struct bough_logger logger;
        bough_allocator_fail_at(++nth);
        status = bough_logger_spawn(test->loop, &options, NULL, &logger, NULL);
        assert_true(bough_allocator_heal() == (status != BOUGH_OK));
        if (status == BOUGH_OK) {
            bough_kill(logger.address);
            bough_test_run(test);
        } else {
            assert_status(status, BOUGH_ENOMEM);
        }
    }
    assert_in_range(nth, 3, ALLOCATIONS);
}

/* Asks for a job of which the nth allocation fails; whether one did. */
static bool ask_without(struct bough_test *test, const struct subject *subject,
                        size_t nth)
{
    struct job job;

    ask(subject, &job, "j", "in");
    bough_allocator_fail_at(nth);
    while (job.answers == 0 && subject->watch.exits == 0) {
        bough_test_wait(test);
    }
    bool failed = bough_allocator_heal();
    assert_int_equal(job.answers, 1);
    if (job.status != BOUGH_OK) {
        assert_true(failed);
        assert_status(job.status, BOUGH_ENOMEM);
    }
    free(job.output);
    return failed;
}

/* An allocation may also fail where nobody has to be told: the line of a log. */
static void a_job_without_memory_is_answered(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    size_t nth = 0;

    start_script(test, &subject, "cat; yes | head -c 100000",
                 (struct bough_worker_options){ 0 });
    do {
        nth++;
        assert_in_range(nth, 1, ALLOCATIONS);
    } while (ask_without(test, &subject, nth));
    assert_in_range(nth, 3, ALLOCATIONS);
    stop(test, &subject);
}

static void a_process_that_cannot_be_remembered_is_let_go(void **state)
{
    struct bough_test *test = *state;
    const char *const argv[] = { "sleep", "1000", NULL };
    const struct bough_spawn_options options = { .argv = argv };
    struct bough_process process;
    int status;

    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    bough_allocator_fail_at(1);
    bough_reaper_take(test->ev, &process, 0);
    assert_true(bough_allocator_heal());
    kill(process.pid, SIGKILL);
    assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_logger_without_memory_does_not_start),
        fact(a_job_without_memory_is_answered),
        fact(a_process_that_cannot_be_remembered_is_let_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
