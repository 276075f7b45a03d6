/* quiet.c - writing to who may be gone.
 *
 * SIGPIPE comes to the thread that writes, and a library has no say in what a program
 * does about it: so it is held back for that moment.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/quiet.h>

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

ssize_t bough_write_quietly(int fd, const void *bytes, size_t size)
{
    static const struct timespec at_once = { .tv_sec = 0 };
    sigset_t pipe, before, waiting;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t written = write(fd, bytes, size);
    const int error = errno;
    if (written < 0 && error == EPIPE && !sigismember(&waiting, SIGPIPE)) {
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}
