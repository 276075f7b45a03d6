/* guard.c - a process that is told by the end of a pipe that another is gone.
 *
 * The guard runs code that needs no lock and no memory, for the program that it is forked
 * from may have threads when it is forked once more.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/guard.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/actors/guard_internal.h>
#include <bough/actors/leftovers_internal.h>
#include <bough/actors/spawn.h>

struct bough_guard {
    pthread_mutex_t lock;
    struct bough_process process;
    int pipe; /* our end; nothing is ever written */
    struct bough_cgroups cgroups;
    uint64_t files, ignored;
    int null; /* -1: could not be opened */
};

/* In the guard */

/* It is not for a terminal, nor for who ends a whole group of processes. */
static void outlast(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    setsid();
    prctl(PR_SET_NAME, "bough-guard");
}

static void close_all_but(int one, int other)
{
    const unsigned low = (unsigned)(one < other ? one : other);
    const unsigned high = (unsigned)(one < other ? other : one);

    if (low > 0) syscall(SYS_close_range, 0U, low - 1, 0U);
    if (high > low + 1) syscall(SYS_close_range, low + 1, high - 1, 0U);
    syscall(SYS_close_range, high + 1, ~0U, 0U);
}

static __attribute__((noreturn)) void be_a_guard(int pipe, int cgroups, pid_t program)
{
    char nothing;

    outlast();
    close_all_but(pipe, cgroups < 0 ? pipe : cgroups);
    while (read(pipe, &nothing, 1) < 0 && errno == EINTR)
        continue;
    if (cgroups >= 0) bough_cgroups_kill(cgroups);
    bough_lineages_kill(program);
    if (cgroups >= 0) bough_cgroups_kill(cgroups);
    _exit(0);
}

/* In the program */

/* Those that programs ignore, and begin to at any time: of a shell and a terminal, of
 * limits, and where another is asked for what has happened. */
static const int often_ignored[] = {
    SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2,
    SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGIO,   SIGXCPU, SIGXFSZ,
};

/* One that cannot be asked for is the C library's own. */
static uint64_t look_what_is_ignored(void)
{
    struct sigaction action;
    uint64_t ignored = 0;

    for (int number = 1; number < _NSIG && number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
            ignored |= UINT64_C(1) << (number - 1);
    }
    for (size_t i = 0; i < bough_count_of(often_ignored); i++)
        ignored |= UINT64_C(1) << (often_ignored[i] - 1);
    return ignored;
}

static enum bough_status start(struct bough_guard *guard)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) return BOUGH_ESYSTEM;
    if (!bough_descriptor_raise(&ends[0]) || !bough_descriptor_raise(&ends[1])) {
        close(ends[0]);
        close(ends[1]);
        return BOUGH_ESYSTEM;
    }
    const pid_t program = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[1]);
        be_a_guard(ends[0], guard->cgroups.folder, program);
    }
    const int errno_value = errno;
    close(ends[0]);
    if (pid > 0) guard->process.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid < 0 || guard->process.pidfd < 0) {
        close(ends[1]);
        if (pid > 0) waitpid(pid, NULL, 0);
        errno = errno_value;
        return BOUGH_ESYSTEM;
    }
    guard->process.pid = pid;
    guard->pipe = ends[1];
    return BOUGH_OK;
}

/* With nothing to be done, it ends at once. */
static void end(struct bough_guard *guard)
{
    siginfo_t info;

    if (guard->process.pidfd < 0) return;
    syscall(SYS_pidfd_send_signal, guard->process.pidfd, SIGKILL, NULL, 0);
    while (waitid(P_PIDFD, (id_t)guard->process.pidfd, &info, WEXITED) != 0 &&
           errno == EINTR)
        continue;
    close(guard->process.pidfd);
    close(guard->pipe);
    guard->process.pidfd = guard->pipe = -1;
}

enum bough_status bough_guard_new(const struct bough_guard_options *options,
                                  struct bough_guard **guard, struct bough_error *error)
{
    struct bough_guard *made = calloc(1, sizeof(*made));
    struct rlimit limit;

    if (made == NULL)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory for a guard");
    pthread_mutex_init(&made->lock, NULL);
    made->process.pidfd = made->pipe = made->cgroups.folder = -1;
    made->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (made->null >= 0 && !bough_descriptor_raise(&made->null)) {
        close(made->null);
        made->null = -1;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        bough_guard_free(made);
        return bough_error_system(error, "cannot become a subreaper");
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) made->files = limit.rlim_cur;
    made->ignored = look_what_is_ignored();
    if (options == NULL || !options->no_cgroups) bough_cgroups_open(&made->cgroups);
    if (start(made) != BOUGH_OK) {
        bough_error_system(error, "cannot fork a guard");
        bough_guard_free(made);
        return BOUGH_ESYSTEM;
    }
    *guard = made;
    return BOUGH_OK;
}

void bough_guard_free(struct bough_guard *guard)
{
    if (guard == NULL) return;
    end(guard);
    if (guard->null >= 0) close(guard->null);
    bough_cgroups_close(&guard->cgroups);
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

pid_t bough_guard_pid(struct bough_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    const pid_t pid = guard->process.pid;
    pthread_mutex_unlock(&guard->lock);
    return pid;
}

/* Ended, or stopped: it would not see the end of the program. */
static bool is_of_no_use(const struct bough_guard *guard)
{
    const int how = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
    siginfo_t info = { 0 };

    return waitid(P_PIDFD, (id_t)guard->process.pidfd, &info, how) != 0 ||
           info.si_pid != 0;
}

/* One that cannot be made now is tried again the next time. */
void bough_guard_check(struct bough_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    if (guard->process.pidfd >= 0 && is_of_no_use(guard)) end(guard);
    if (guard->process.pidfd < 0) (void)!start(guard);
    pthread_mutex_unlock(&guard->lock);
}

uint64_t bough_guard_files(const struct bough_guard *guard)
{
    return guard != NULL ? guard->files : 0;
}

int bough_guard_null(const struct bough_guard *guard)
{
    return guard != NULL && guard->null >= 0 ? guard->null : BOUGH_SPAWN_NULL;
}

uint64_t bough_guard_ignored(const struct bough_guard *guard)
{
    return guard != NULL ? guard->ignored : 0;
}

struct bough_cgroups *bough_guard_cgroup(struct bough_guard *guard)
{
    return guard != NULL && guard->cgroups.folder >= 0 ? &guard->cgroups : NULL;
}

const char *bough_guard_cgroups(const struct bough_guard *guard)
{
    return guard->cgroups.folder >= 0 ? guard->cgroups.path : NULL;
}

void bough_orphans_reap(void)
{
    bough_orphans_wait();
}
