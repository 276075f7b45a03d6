/* crash.c - a process that dies of a fault writes down where.
 *
 * On a stack of its own, so that an overflow is written down, too; with functions that
 * are safe in a signal handler; the most important first, since it may break again while
 * it writes: then, or when it takes too long, it dies with what there is. It dies of the
 * same signal, so that who waits for it, and a core file, find what there was.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/supervisor/process/process_internal.h>

static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };

/* Of this process. */
static struct bough_crash_area *area;
static volatile sig_atomic_t dying; /* of which signal */
static _Alignas(16) char stack[64 * 1024];

/* Dying */

static __attribute__((noreturn)) void die(int number)
{
    const struct sigaction by_default = { .sa_handler = SIG_DFL };
    sigset_t set;

    sigaction(number, &by_default, NULL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), number);
    _exit(128 + number);
}

static void on_too_long(int number)
{
    (void)number;
    die(dying);
}

static void wrote(uint32_t what)
{
    atomic_store_explicit(&area->fault.written, what, memory_order_release);
}

/* Last, for it looks into what the actors may have written over. */
static void copy_runner(void)
{
    const char *path = bough_loop_runs(bough_child_loop());
    const size_t len = path != NULL ? strnlen(path, BOUGH_PATH_MAX - 1) : 0;

    if (len > 0) memcpy(area->fault.runner, path, len);
    area->fault.runner[len] = '\0';
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    enum { SECONDS = 2 };

    if (dying != 0) die(dying);
    dying = number;
    alarm(SECONDS);
    area->fault.signal = number;
    area->fault.code = info->si_code;
    area->fault.address = (uint64_t)(uintptr_t)info->si_addr;
    wrote(BOUGH_CRASH_SIGNAL);
    bough_crash_copy_stack(context, &area->stack);
    wrote(BOUGH_CRASH_STACK);
    bough_crash_copy_maps(area);
    wrote(BOUGH_CRASH_MAPS);
    copy_runner();
    wrote(BOUGH_CRASH_RUNNER);
    die(number);
}

void bough_crash_prepare(volatile void *memory)
{
    const stack_t apart = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const struct sigaction too_long = { .sa_handler = on_too_long,
                                        .sa_flags = SA_ONSTACK };

    area = (struct bough_crash_area *)(uintptr_t)memory;
    sigemptyset(&action.sa_mask);
    sigaltstack(&apart, NULL);
    sigaction(SIGALRM, &too_long, NULL);
    for (size_t i = 0; i < bough_count_of(faults); i++)
        sigaction(faults[i], &action, NULL);
}
