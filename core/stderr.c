/* stderr.c - writing to stderr without being held up by who reads it.
 *
 * A terminal that was stopped with Ctrl-S, an ssh connection that hangs, a program that
 * does not read its pipe: a plain write(2) waits for them, and so would a whole tree. So
 * nobody is waited for longer than a moment, and one for whom that was in vain not at all
 * until something can be written again.
 *
 * O_NONBLOCK is no way to that, for a descriptor's flags are shared with the programs
 * that have it, too. What takes its place depends on what stderr is, and that may change
 * at any time: it is looked at before each write.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/log.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/core/clock.h>
#include <bough/core/quiet.h>

enum {
    PATIENCE_MS = 100, /* far more than a reader needs that reads */
};

static _Atomic bool stalled; /* it was waited for in vain */

/* Also when writing would be an error. */
static bool is_writable(int wait_ms)
{
    struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    int count;

    do {
        count = poll(&fd, 1, wait_ms);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

/* A pipe that can be written to takes this much, whoever else writes there has that
 * much, too. */
static ssize_t write_a_part(const void *bytes, size_t size)
{
    if (!is_writable(0)) {
        errno = EAGAIN;
        return -1;
    }
    return bough_write_quietly(STDERR_FILENO, bytes, size < PIPE_BUF ? size : PIPE_BUF);
}

/* A terminal takes as little as a byte, and waits with the rest: through a description
 * of our own it does not. One of another user cannot be opened. */
static ssize_t write_to_terminal(const void *bytes, size_t size)
{
    const int fd = open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) return write_a_part(bytes, size);
    const ssize_t written = write(fd, bytes, size);
    const int error = errno;
    close(fd);
    errno = error;
    return written;
}

static ssize_t write_now(const void *bytes, size_t size)
{
    struct stat status;

    if (fstat(STDERR_FILENO, &status) != 0) return -1;
    if (S_ISSOCK(status.st_mode))
        return send(STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (S_ISFIFO(status.st_mode)) return write_a_part(bytes, size);
    if (isatty(STDERR_FILENO) == 1) return write_to_terminal(bytes, size);
    return write(STDERR_FILENO, bytes, size);
}

/* Until when it waits is noted at the first time; for what can be written to need not
 * take anything: a terminal has no use for the last free byte when a line is to end. */
static bool waits_for_room(int64_t *until_ms)
{
    const int64_t now_ms = bough_clock_system.monotonic_ns(&bough_clock_system) / 1000000;

    if (atomic_load(&stalled)) return false;
    if (*until_ms == 0) *until_ms = now_ms + PATIENCE_MS;
    if (now_ms < *until_ms && is_writable((int)(*until_ms - now_ms))) return true;
    atomic_store(&stalled, true);
    return false;
}

ssize_t bough_stderr_write(const void *bytes, size_t size)
{
    const char *at = bytes;
    size_t left = size;
    int64_t until_ms = 0;
    int error = 0;

    while (left > 0 && error == 0) {
        const ssize_t written = write_now(at, left);

        if (written > 0) {
            atomic_store(&stalled, false);
            until_ms = 0;
            at += written;
            left -= (size_t)written;
        } else if (written == 0) {
            error = EIO;
        } else if (errno == EAGAIN) {
            if (!waits_for_room(&until_ms)) error = EAGAIN;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    errno = error;
    return left < size || error == 0 ? (ssize_t)(size - left) : -1;
}
