/* process.c - the end of a program: killed, waited for, reaped by its pidfd alone.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/assert.h>

bool bough_pipe_open(bool reads, int *ours, int *theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    if (bough_descriptor_raise(&ends[0]) && bough_descriptor_raise(&ends[1]) &&
        fcntl(ends[reads ? 0 : 1], F_SETFL, O_NONBLOCK) == 0) {
        bough_descriptor_settle(&ends[reads ? 0 : 1]);
        *ours = ends[reads ? 0 : 1];
        *theirs = ends[reads ? 1 : 0];
        return true;
    }
    const int errno_value = errno;
    close(ends[0]);
    close(ends[1]);
    errno = errno_value;
    return false;
}

/* The number is its own until it is reaped, though perhaps not by us. Valgrind knows no
 * better way. */
bool bough_process_signal(const struct bough_process *process, int number)
{
    bough_assert(process->pidfd >= 0);
    if (pidfd_send_signal(process->pidfd, number, NULL, 0) == 0) return true;
    return errno == ENOSYS && kill(process->pid, number) == 0;
}

void bough_process_kill(const struct bough_process *process)
{
    bough_assert(process->pidfd >= 0);
    /* Until it is reaped, nobody else can have its number: not even its zombie's. */
    if (kill(-process->pid, SIGKILL) == 0) return;
    bough_process_signal(process, SIGKILL);
}

/* The usage of the process is what glibc's waitid() does not hand on. */
static int wait_by_pidfd(int pidfd, siginfo_t *info, int flags, struct rusage *usage)
{
    long result;

    info->si_pid = 0;
    do {
        result =
            syscall(SYS_waitid, P_PIDFD, pidfd, info, WEXITED | WNOHANG | flags, usage);
    } while (result != 0 && errno == EINTR);
    return (int)result;
}

static int64_t usage_ms(const struct rusage *usage)
{
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
           (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

bool bough_process_reap(struct bough_process *process, struct bough_process_end *end)
{
    siginfo_t info;
    struct rusage usage;

    bough_assert(process->pidfd >= 0);
    int result = wait_by_pidfd(process->pidfd, &info, WNOWAIT, NULL);
    if (result == 0 && info.si_pid == 0) return false;

    /* Before the reaping, while its number is still its own. */
    kill(-process->pid, SIGKILL);
    if (result == 0) result = wait_by_pidfd(process->pidfd, &info, 0, &usage);
    *end = (struct bough_process_end){ .known = result == 0 };
    if (result == 0) {
        bool exited = info.si_code == CLD_EXITED;
        end->code = exited ? info.si_status : 0;
        end->signal = exited ? 0 : info.si_status;
        end->cpu_ms = usage_ms(&usage);
    }
    close(process->pidfd);
    process->pidfd = -1;
    return true;
}

bool bough_process_wait(const struct bough_process *process, int limit_ms)
{
    struct pollfd poll_fd = { .fd = process->pidfd, .events = POLLIN };
    int ready;

    bough_assert(process->pidfd >= 0);
    do {
        ready = poll(&poll_fd, 1, limit_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}
