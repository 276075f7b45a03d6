/* crash.c - a process that dies of a fault writes down where.
 *
 * On a stack of its own, so that an overflow is written down, too; with functions that
 * are safe in a signal handler; the most important first, since it may break again while
 * it writes: then, or when it takes too long, it dies with what there is. It dies of the
 * same signal, so that who waits for it, and a core file, find what there was.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <bough/core/assert.h>

#ifdef BOUGH_UNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };

/* Of this process. */
static struct bough_crash_area *area;
static volatile sig_atomic_t dying; /* of which signal */
static _Alignas(16) char stack[64 * 1024];

/* Where it was */

#ifdef BOUGH_UNWIND

static uint32_t walk(void *context, uint64_t *frames)
{
    unw_cursor_t cursor;
    unw_word_t ip;
    uint32_t count = 0;

    if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0) return 0;
    do {
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0) break;
        frames[count++] = ip;
    } while (count < BOUGH_CRASH_FRAMES_MAX && unw_step(&cursor) > 0);
    return count;
}

void bough_crash_warm_up(void)
{
    uint64_t frames[BOUGH_CRASH_FRAMES_MAX];
    unw_context_t context;

    if (unw_getcontext(&context) == 0) (void)walk(&context, frames);
}

#else

/* The innermost alone. */
static uint32_t walk(void *context, uint64_t *frames)
{
    const ucontext_t *where = context;

#if defined(__x86_64__)
    frames[0] = (uint64_t)where->uc_mcontext.gregs[REG_RIP];
    return 1;
#elif defined(__aarch64__)
    frames[0] = where->uc_mcontext.pc;
    return 1;
#else
    (void)where, (void)frames;
    return 0;
#endif
}

void bough_crash_warm_up(void)
{
}

#endif

static void copy_maps(void)
{
    char *lines = (char *)(area + 1);
    size_t size = 0;
    ssize_t count = 1;
    const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    while (file >= 0 && count != 0 && size < BOUGH_CRASH_MAPS_MAX) {
        count = read(file, lines + size, BOUGH_CRASH_MAPS_MAX - size);
        if (count < 0 && errno != EINTR) break;
        if (count > 0) size += (size_t)count;
    }
    area->maps_size = (uint32_t)size;
}

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
    atomic_store_explicit(&area->written, what, memory_order_release);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    enum { SECONDS = 2 };

    if (dying != 0) die(number);
    dying = number;
    alarm(SECONDS);
    area->signal = number;
    area->code = info->si_code;
    area->address = (uint64_t)(uintptr_t)info->si_addr;
    wrote(BOUGH_CRASH_SIGNAL);
    area->frame_count = walk(context, area->frames);
    wrote(BOUGH_CRASH_FRAMES);
    copy_maps();
    wrote(BOUGH_CRASH_MAPS);
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
