/* fixture.h - a runtime with one loop for a test, and what has to be left when it ends.
 *
 * The setup gives each test its own libev loop, runtime and loop, on a virtual clock
 * unless it asks for the machine's. The teardown fails the test when something is left:
 * an actor, a place, a message, a question, a deadline, a watched descriptor, an open
 * descriptor, a child process.
 *
 *     cmocka_unit_test_setup_teardown(a_fact, bough_test_setup, bough_test_teardown)
 *
 * and in the test `struct bough_test *test = *state;`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPPORT_FIXTURE_H
#define BOUGH_TESTS_SUPPORT_FIXTURE_H

#include <ev.h>

#include <bough/core/clock.h>
#include <bough/core/event.h>
#include <bough/core/runtime.h>
#include <bough/tests/support/unit.h>

enum { BOUGH_TEST_EVENTS = 1024, BOUGH_TEST_TEXT = 32 * 1024 };

/* The virtual clock's date: 2026-01-31T12:00:00Z. */
#define BOUGH_TEST_REALTIME_NS INT64_C(1769860800000000000)

struct bough_test_event {
    enum bough_event_kind kind;
    uint64_t seq, cause;
    char path[128];
    uint32_t life;
    struct bough_exit_reason reason;
    int64_t delay_ms;
    uint32_t attempt, restarts, allowed;
    int64_t period_ms;
};

struct bough_test {
    struct ev_loop *ev;
    struct bough_virtual_clock clock;
    bool is_virtual; /* else the machine's clock is used */
    struct bough_runtime *runtime;
    struct bough_loop *loop;

    /* What was reported: the first BOUGH_TEST_EVENTS events, and how many there were. */
    struct bough_test_event events[BOUGH_TEST_EVENTS];
    size_t event_count;
    /* The same as text, a line each: "started /a 1", "exited /a 1 error: range: why",
     * "restarting /a 1". */
    char trace[BOUGH_TEST_TEXT];
    /* What was logged, a line each: "warning /a: text". */
    char log[BOUGH_TEST_TEXT];

    size_t descriptors; /* open before the setup */
    ev_prepare look;    /* before each poll, after the loop's own */
    bool waits;         /* bough_test_wait() is on the stack */
    uint64_t rounds;    /* of the loop, when that began */
    double give_up_at;  /* of ev_time(): when waiting fails */
};

/* Setup and teardown; `*state` is then the struct bough_test. */
int bough_test_setup(void **state);
int bough_test_setup_real(void **state); /* on the machine's clock */
int bough_test_teardown(void **state);

/* Runs what is ready until nothing is. Fails when that does not end. */
void bough_test_run(struct bough_test *test);

/* Virtual clock: lets `ms` pass, and runs what that makes ready. */
void bough_test_advance(struct bough_test *test, int64_t ms);

/* One round of waiting for what comes from outside (descriptors, children, real time):
 *
 *     while (!done) bough_test_wait(test);
 *
 * Fails the test when all its waiting takes longer than 60 s. */
void bough_test_wait(struct bough_test *test);

/* Forgets the events, the trace and the log so far. */
void bough_test_forget(struct bough_test *test);

/* Open descriptors of this process. */
size_t bough_test_descriptors(void);

/* Whether a child of this process makes no system calls but the test's: not so under
 * valgrind and the thread sanitizer, which make their own, and have threads besides. What
 * ends the one that called then leaves them, and a process that does not end. */
bool bough_test_is_alone(void);

/* Whether this process has children, running or not waited for. */
bool bough_test_has_children(void);

#endif
