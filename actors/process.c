/* process.c - the end of a program: killed, waited for, reaped by its pidfd alone.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/assert.h>

bool bough_pipe_open(bool reads, int *ours, int *theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    if (bough_descriptor_raise(&ends[0]) && bough_descriptor_raise(&ends[1]) &&
        fcntl(ends[reads ? 0 : 1], F_SETFL, O_NONBLOCK) == 0) {
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

static int wait_by_pidfd(int pidfd, siginfo_t *info, int flags)
{
    int result;

    info->si_pid = 0;
    do {
        result = waitid(P_PIDFD, (id_t)pidfd, info, WEXITED | WNOHANG | flags);
    } while (result != 0 && errno == EINTR);
    return result;
}

bool bough_process_reap(struct bough_process *process, struct bough_process_end *end)
{
    siginfo_t info;

    bough_assert(process->pidfd >= 0);
    int result = wait_by_pidfd(process->pidfd, &info, WNOWAIT);
    if (result == 0 && info.si_pid == 0) return false;

    /* Before the reaping, while its number is still its own. */
    kill(-process->pid, SIGKILL);
    if (result == 0) result = wait_by_pidfd(process->pidfd, &info, 0);
    *end = (struct bough_process_end){ .known = result == 0 };
    if (result == 0) {
        bool exited = info.si_code == CLD_EXITED;
        end->code = exited ? info.si_status : 0;
        end->signal = exited ? 0 : info.si_status;
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
