/* unit.c - what tests ask beside what cmocka can.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/unit.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void bough_test_status(enum bough_status actual, enum bough_status expected,
                       const char *expression, const char *file, int line)
{
    if (actual == expected) return;
    print_error("%s is %s, not %s\n", expression, bough_status_name(actual),
                bough_status_name(expected));
    _fail(file, line);
}

static _Noreturn void run_and_leave(void (*function)(void *data), void *data)
{
    const struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    close(STDERR_FILENO);
    function(data);
    _exit(0);
}

bool bough_test_aborts(void (*function)(void *data), void *data)
{
    int status;
    fflush(NULL);
    const pid_t child = fork();

    if (child == 0) run_and_leave(function, data);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* splitmix64: one multiplication chain, every seed is good. */
uint32_t bough_test_random(uint64_t *seed, uint32_t bound)
{
    uint64_t mixed = *seed += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % bound);
}

uint64_t bough_test_seed(void)
{
    const char *text = getenv("BOUGH_SEED");
    const uint64_t seed = text ? strtoull(text, NULL, 10) : 20260131;

    print_message("# BOUGH_SEED=%" PRIu64 "\n", seed);
    return seed;
}
