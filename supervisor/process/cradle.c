/* cradle.c - the process that forks: all that runs in the nursery.
 *
 * A child is made by clone() with CLONE_PARENT, so that it is the program's and not the
 * nursery's. It gets all ready that it can without knowing what it is to be, and then
 * tells its birth itself, with a pidfd of its own and a socket to tell it more.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/nursery_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/core/lineage.h>
#include <bough/supervisor/process/process_internal.h>

enum { LAST_STANDARD = 2 };

static void default_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Dies with the program: with the thread that forked the nursery. One that is gone
 * already has sent no signal. */
static void die_with(pid_t program)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != program) _exit(0);
}

/* Whoever holds the other end of `told` hears when it has, or has died. */
static __attribute__((noreturn)) void be_a_child(int requests, int told, pid_t program)
{
    const struct bough_news birth = { .error = 0, .pid = getpid() };
    int pair[2];

    die_with(program);
    bough_lineage_begin(program, true);
    setpgid(0, 0);
    prctl(PR_SET_NAME, BOUGH_CHILD_NAME);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        _exit(0);
    bough_process_prepare();
    const int files[] = { (int)syscall(SYS_pidfd_open, getpid(), 0), pair[0] };
    if (files[0] < 0 || bough_files_send(requests, &birth, sizeof(birth), files, 2) < 0)
        _exit(0);
    (void)!write(told, "", 1);
    close(told);
    close(requests);
    close(files[0]);
    close(pair[0]);
    bough_process_main(pair[1]);
}

static void tell(int requests, int32_t error, int32_t pid)
{
    const struct bough_news news = { .error = error, .pid = pid };

    (void)!send(requests, &news, sizeof(news), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool has_told(int told)
{
    char byte;
    ssize_t size;

    do {
        size = read(told, &byte, sizeof(byte));
    } while (size < 0 && errno == EINTR);
    return size == 1;
}

static void fork_child(int requests, pid_t program)
{
    int told[2];

    if (pipe2(told, O_CLOEXEC) != 0) {
        tell(requests, errno, 0);
        return;
    }
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    const int error = errno;
    if (pid == 0) {
        close(told[0]);
        be_a_child(requests, told[1], program);
    }
    close(told[1]);
    if (pid < 0)
        tell(requests, error, 0);
    else if (!has_told(told[0]))
        tell(requests, BOUGH_STILLBORN, (int32_t)pid);
    close(told[0]);
}

/* Until the program is gone, which is what it wants of it. */
static __attribute__((noreturn)) void serve(int requests, pid_t program)
{
    char request;

    for (;;) {
        const ssize_t size = recv(requests, &request, sizeof(request), 0);

        if (size == 0 || (size < 0 && errno != EINTR)) _exit(0);
        if (size > 0) fork_child(requests, program);
    }
}

static void close_all_but(int kept)
{
    if (kept > LAST_STANDARD + 1)
        syscall(SYS_close_range, LAST_STANDARD + 1, kept - 1, 0);
    syscall(SYS_close_range, kept + 1, ~0U, 0);
}

/* What the program has freed: every child would have its pages, too, and take them down
 * when it ends: a third of a restart, of 8 MiB. And there is room again, untouched, so
 * that a child's heap need not grow at once: that would be another mapping. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    enum { MAKES_ROOM = 32768 }; /* and M_TOP_PAD with it, which is not given back */

    malloc_trim(0);
    void *volatile room = malloc(MAKES_ROOM);
    free(room);
#endif
}

static __attribute__((noreturn)) void be_a_nursery(int requests, pid_t program)
{
    die_with(program);
    bough_lineage_begin(program, true);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "bough-nursery");
    default_signals();
    signal(SIGTERM, SIG_IGN); /* for a whole group of processes: it is still needed */
    close_all_but(requests);
    give_back_memory();
    serve(requests, program);
}

void bough_cradle_lie_in(void *data)
{
    const struct bough_cradle *cradle = data;

    be_a_nursery(cradle->requests, cradle->program);
}
