/* test_process_nursery.c - a nursery that is made again, and by whom.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/fragile.h>

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>

#include <bough/supervisor/process/nursery_internal.h>

static void kill_nursery(struct bough_nursery *nursery)
{
    siginfo_t info;
    const id_t pid = (id_t)bough_nursery_pid(nursery);

    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
}

/* Until the one that was forked ahead is taken it is not known that the nursery is dead.
 */
static void take_of_the_next(struct bough_nursery *nursery, struct bough_birth *birth)
{
    const pid_t before = bough_nursery_pid(nursery);

    assert_status(bough_nursery_take(nursery, birth, true), BOUGH_OK);
    while (bough_nursery_pid(nursery) == before) {
        bough_birth_kill(birth);
        close(birth->socket);
        assert_status(bough_nursery_take(nursery, birth, true), BOUGH_OK);
    }
}

struct taken {
    struct bough_nursery *nursery;
    struct bough_birth birth;
    pid_t thread;
};

static void *take_there(void *data)
{
    struct taken *taken = data;

    taken->thread = (pid_t)syscall(SYS_gettid);
    take_of_the_next(taken->nursery, &taken->birth);
    return NULL;
}

static bool is_there(pid_t thread)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d", (int)thread);
    return access(path, F_OK) == 0;
}

static bool is_alive(const struct bough_birth *birth)
{
    struct pollfd polled = { .fd = birth->pidfd, .events = POLLIN };

    return poll(&polled, 1, 0) == 0;
}

static void drop(const struct bough_birth *birth)
{
    bough_birth_kill(birth);
    close(birth->socket);
}

/* NULL: this program has threads of its own, as with a sanitizer; the test is skipped. */
static struct bough_nursery *nursery_new(void)
{
    struct bough_error error = { .text = "" };
    struct bough_nursery *nursery = NULL;

    alarm(60);
    if (bough_nursery_new(&nursery, &error) != BOUGH_OK)
        assert_false(bough_test_is_alone());
    return nursery;
}

static void nursery_free(struct bough_nursery *nursery)
{
    bough_nursery_free(nursery);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    alarm(0);
}

static void stop_nursery(struct bough_nursery *nursery)
{
    siginfo_t info;
    const id_t pid = (id_t)bough_nursery_pid(nursery);

    assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
}

static void one_that_is_stopped_is_made_again(void **state)
{
    struct bough_nursery *nursery = nursery_new();
    struct bough_birth birth;

    (void)state;
    if (nursery == NULL) skip();
    stop_nursery(nursery);
    take_of_the_next(nursery, &birth);
    assert_true(is_alive(&birth));
    drop(&birth);
    nursery_free(nursery);
}

/* Each was waited for before, ten seconds: as long as the alarm leaves for all. */
static void births_that_nobody_needs_are_not_waited_for(void **state)
{
    enum { SPARES = 8 };
    struct bough_nursery *nursery = nursery_new();
    struct bough_birth birth;

    (void)state;
    if (nursery == NULL) skip();
    while (!bough_nursery_stock(nursery))
        sched_yield();
    stop_nursery(nursery);
    for (int i = 0; i < SPARES; i++)
        bough_nursery_want(nursery, true);
    assert_false(bough_nursery_stock(nursery));
    for (int i = 0; i < SPARES; i++)
        bough_nursery_want(nursery, false);
    bough_nursery_trim(nursery);
    take_of_the_next(nursery, &birth);
    assert_true(is_alive(&birth));
    drop(&birth);
    nursery_free(nursery);
}

/* What dies with a thread has been told so when the thread is not there any more. */
static void one_that_a_thread_made_does_not_end_with_it(void **state)
{
    struct taken taken = { .nursery = nursery_new() };
    struct bough_birth birth;
    pthread_t thread;

    (void)state;
    if (taken.nursery == NULL) skip();
    assert_status(bough_nursery_take(taken.nursery, &birth, true), BOUGH_OK);
    drop(&birth);
    kill_nursery(taken.nursery);
    assert_int_equal(pthread_create(&thread, NULL, take_there, &taken), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (is_there(taken.thread))
        sched_yield();
    const pid_t nursery = bough_nursery_pid(taken.nursery);
    for (int i = 0; i < 3; i++) {
        assert_status(bough_nursery_take(taken.nursery, &birth, true), BOUGH_OK);
        assert_true(is_alive(&birth));
        drop(&birth);
    }
    assert_true(is_alive(&taken.birth));
    assert_int_equal(bough_nursery_pid(taken.nursery), nursery);
    drop(&taken.birth);
    nursery_free(taken.nursery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_stopped_is_made_again),
        cmocka_unit_test(births_that_nobody_needs_are_not_waited_for),
        cmocka_unit_test(one_that_a_thread_made_does_not_end_with_it),
    };
    return cmocka_run_group_tests_name("supervisor/process_nursery", tests, NULL, NULL);
}
