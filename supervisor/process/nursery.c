/* nursery.c - the process that forks, and asking it.
 *
 * A child is made by clone() with CLONE_PARENT, so that it is the program's and not the
 * nursery's. It tells its birth itself, with a pidfd of its own, over the socket that
 * came with the request: so whoever asked hears of a child exactly when there is one, and
 * when the nursery dies at whatever moment the socket is at its end, and it is asked
 * again.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/nursery_internal.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/supervisor/process/process_internal.h>

struct bough_nursery {
    pthread_mutex_t lock;
    int socket;
    pid_t pid;
    int pidfd;
};

/* What a child sends: 0 with a pidfd, or the nursery, an errno. */
struct birth {
    int32_t error, pid;
};

/* In the nursery */

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

static __attribute__((noreturn)) void be_a_child(pid_t program, const int *files,
                                                 size_t count)
{
    const struct birth birth = { .error = 0, .pid = getpid() };
    const int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    die_with(program);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "bough-child");
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (pidfd < 0 || bough_files_send(files[0], &birth, sizeof(birth), &pidfd, 1) < 0)
        _exit(0);
    close(pidfd);
    bough_process_main(files, count);
}

static void tell_error(int socket, int error)
{
    const struct birth birth = { .error = error };

    (void)!send(socket, &birth, sizeof(birth), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void fork_child(int requests, pid_t program, const int *files, size_t count)
{
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0) {
        close(requests);
        be_a_child(program, files, count);
    }
    if (pid < 0) tell_error(files[0], errno);
}

/* Until the program is gone, which is what it wants of it. */
static __attribute__((noreturn)) void serve(int requests, pid_t program)
{
    for (;;) {
        int files[BOUGH_NURSERY_FILES_MAX];
        size_t count = BOUGH_NURSERY_FILES_MAX;
        char request;
        const ssize_t size =
            bough_files_receive(requests, &request, sizeof(request), files, &count, 0);

        if (size == 0 || (size < 0 && errno != EMFILE && errno != ENFILE)) _exit(0);
        if (count > 0) fork_child(requests, program, files, count);
        for (size_t i = 0; i < count; i++)
            close(files[i]);
    }
}

static void close_all_but(int kept)
{
    if (kept > LAST_STANDARD + 1)
        syscall(SYS_close_range, LAST_STANDARD + 1, kept - 1, 0);
    syscall(SYS_close_range, kept + 1, ~0U, 0);
}

static __attribute__((noreturn)) void be_a_nursery(int requests, pid_t program)
{
    die_with(program);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "bough-nursery");
    default_signals();
    signal(SIGTERM, SIG_IGN); /* for a whole group of processes: it is still needed */
    close_all_but(requests);
    serve(requests, program);
}

/* In the program */

static enum bough_status start(struct bough_nursery *nursery)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return BOUGH_ESYSTEM;

    const pid_t program = getpid(), pid = fork();
    if (pid == 0) be_a_nursery(pair[1], program);
    if (pid > 0) nursery->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    const int error = errno;
    close(pair[1]);
    if (pid < 0 || nursery->pidfd < 0) {
        close(pair[0]); /* it ends, then */
        if (pid > 0) waitpid(pid, NULL, 0);
        errno = error;
        return BOUGH_ESYSTEM;
    }
    nursery->pid = pid;
    nursery->socket = pair[0];
    return BOUGH_OK;
}

static void end(struct bough_nursery *nursery)
{
    siginfo_t info;

    if (nursery->socket < 0) return;
    close(nursery->socket);
    syscall(SYS_pidfd_send_signal, nursery->pidfd, SIGKILL, NULL, 0);
    while (waitid(P_PIDFD, (id_t)nursery->pidfd, &info, WEXITED) != 0 && errno == EINTR)
        continue;
    close(nursery->pidfd);
    nursery->socket = nursery->pidfd = -1;
    nursery->pid = 0;
}

static bool has_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;

    if (tasks == NULL) return false;
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] != '.') count++;
    }
    closedir(tasks);
    return count > 1;
}

enum bough_status bough_nursery_new(struct bough_nursery **nursery,
                                    struct bough_error *error)
{
    if (has_threads())
        return bough_error_set(error, BOUGH_ERUNNING,
                               "this program has threads already; make the nursery "
                               "before the first one");

    struct bough_nursery *made = calloc(1, sizeof(*made));
    if (made == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    made->socket = made->pidfd = -1;
    pthread_mutex_init(&made->lock, NULL);
    const enum bough_status status = start(made);
    if (status != BOUGH_OK) {
        bough_error_set(error, status, "cannot fork the nursery: %s", strerror(errno));
        bough_nursery_free(made);
        return status;
    }
    *nursery = made;
    return BOUGH_OK;
}

void bough_nursery_free(struct bough_nursery *nursery)
{
    if (nursery == NULL) return;
    end(nursery);
    pthread_mutex_destroy(&nursery->lock);
    free(nursery);
}

pid_t bough_nursery_pid(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    const pid_t pid = nursery->pid;
    pthread_mutex_unlock(&nursery->lock);
    return pid;
}

/* One that is dead takes nothing any more, and another is made. */
static enum bough_status ask(struct bough_nursery *nursery, const int *files,
                             size_t count)
{
    const char request = 0;

    if (nursery->socket >= 0 &&
        bough_files_send(nursery->socket, &request, sizeof(request), files, count) > 0)
        return BOUGH_OK;
    if (nursery->socket >= 0 && errno != EPIPE && errno != ECONNRESET)
        return BOUGH_ESYSTEM;
    end(nursery);
    if (start(nursery) != BOUGH_OK) return BOUGH_ESYSTEM;
    return bough_files_send(nursery->socket, &request, sizeof(request), files, count) > 0
               ? BOUGH_OK
               : BOUGH_ESYSTEM;
}

enum bough_status bough_nursery_fork(struct bough_nursery *nursery, const int *files,
                                     size_t count)
{
    pthread_mutex_lock(&nursery->lock);
    const enum bough_status status = ask(nursery, files, count);
    pthread_mutex_unlock(&nursery->lock);
    return status;
}

enum bough_status bough_birth_receive(int socket, pid_t *pid, int *pidfd)
{
    struct birth birth;
    size_t count = 1;
    const ssize_t size =
        bough_files_receive(socket, &birth, sizeof(birth), pidfd, &count, MSG_DONTWAIT);

    if (size < 0 && errno == EAGAIN) return BOUGH_ENOREPLY;
    if (count == 1 && (size != (ssize_t)sizeof(birth) || birth.error != 0)) close(*pidfd);
    if (size != (ssize_t)sizeof(birth)) return BOUGH_EGONE;
    if (birth.error != 0) {
        errno = birth.error;
        return BOUGH_ESYSTEM;
    }
    *pid = birth.pid;
    return count == 1 ? BOUGH_OK : BOUGH_EGONE;
}
