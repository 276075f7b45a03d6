/* spawn.c - starts programs, and makes sure that they end.
 *
 * The child shares this process's memory until it runs the program, while the calling
 * thread waits (CLONE_VM | CLONE_VFORK). So it prepares nothing: all memory is taken
 * before, and the child makes raw system calls only. It has a stack of its own, and all
 * signals are blocked around it, so that no handler of this process can run in the shared
 * memory. When a step fails, it leaves the errno where the parent reads it.
 *
 * It shares the table of descriptors as well, at first: of a copy all but a few would be
 * closed again, and with ten thousand of them that takes ten times as long as all else.
 * So it copies no more than those up to the last that it needs, and these have low
 * numbers, since what this process keeps for long has higher ones
 * (bough_descriptor_settle()).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/actors/clone_internal.h>
#include <bough/core/assert.h>
#include <bough/core/lineage.h>

enum {
    FIRST_FREE = 3, /* after stdin, stdout and stderr */
    CROWDED = 32,   /* so many are copied for each program in a microsecond or two */
    SETTLED = 512
};

bool bough_descriptor_raise(int *fd)
{
    if (*fd >= FIRST_FREE) return true;
    const int higher = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    if (higher < 0) return false;
    close(*fd);
    *fd = higher;
    return true;
}

void bough_descriptor_settle(int *fd)
{
    if (*fd < CROWDED || *fd >= SETTLED) return;
    const int higher = fcntl(*fd, F_DUPFD_CLOEXEC, SETTLED);
    if (higher < 0) return;
    close(*fd);
    *fd = higher;
}

/* The child. Raw system calls: no lock, no allocation, nothing that a sanitizer
 * intercepts. */

enum step { STEP_STDIO, STEP_NICE, STEP_LIMITS, STEP_PARENT, STEP_DIRECTORY, STEP_RUN };

struct plan {
    const struct bough_spawn_options *options;
    const char *path;
    char *const *argv;
    char *const *env;
    char *const *shell_argv; /* for a script without #!, as execvp() has it */
    struct bough_clone clone;
    pid_t parent, root;          /* the latter: of its lineage */
    enum step step;              /* where it failed */
    int errno_value;             /* 0: the program runs */
    enum bough_limit_kind limit; /* that could not be applied */
};

#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

/* A kernel sigaction of any architecture: SIG_DFL, no flags, empty mask are all zero. */
static const unsigned char default_action[128];
static const unsigned char no_signals[_NSIG / 8];

/* Who runs a program leaves the handlers behind, but not what is ignored; and until then
 * no handler may run here, in the parent's memory. */
IN_CHILD static void child_reset_signals(const struct plan *plan)
{
    const uint64_t ignored = plan->clone.handlers_cleared ? plan->options->ignored : 0;

    for (int number = 1; number < _NSIG; number++) {
        if (ignored != 0 && number <= 64 && (ignored >> (number - 1) & 1) == 0) continue;
        syscall(SYS_rt_sigaction, number, default_action, NULL, sizeof(no_signals));
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, no_signals, NULL, sizeof(no_signals));
}

/* Ends with the parent; and at once when the parent has ended before it was asked. */
IN_CHILD static bool child_follow_parent(const struct plan *plan)
{
    if (plan->options->outlives) return true;
    if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
    if (syscall(SYS_getppid) == plan->parent) return true;
    errno = ESRCH;
    return false;
}

/* Whoever cannot be told is gone, which is for the parent to find. */
IN_CHILD static void child_announce(int fd)
{
    char line[16];
    size_t at = sizeof(line);

    if (fd == 0) return;
    line[--at] = '\n';
    for (long pid = syscall(SYS_getpid); pid > 0; pid /= 10) {
        line[--at] = (char)('0' + pid % 10);
    }
    syscall(SYS_sendto, fd, line + at, sizeof(line) - at, MSG_NOSIGNAL | MSG_DONTWAIT,
            NULL, 0);
}

IN_CHILD static bool child_null_device(int target)
{
    long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);

    if (fd < 0) return false;
    if (fd == target) return true;
    return syscall(SYS_dup3, (int)fd, target, 0) >= 0;
}

/* The descriptors given are 3 or more, so none is overwritten before its turn. */
IN_CHILD static bool child_descriptor(int fd, int target)
{
    if (fd == BOUGH_SPAWN_INHERIT) {
        syscall(SYS_fcntl, target, F_SETFD,
                0); /* fails when it is closed, and stays so */
        return true;
    }
    if (fd == BOUGH_SPAWN_NULL) return child_null_device(target);
    return syscall(SYS_dup3, fd, target, 0) >= 0;
}

/* Closes all from `first` but `kept` (0: none). */
IN_CHILD static bool child_close(unsigned first, unsigned kept)
{
    if (kept > first && syscall(SYS_close_range, first, kept - 1, 0U) != 0) return false;
    if (kept >= first) first = kept + 1;
    return syscall(SYS_close_range, first, ~0U, 0U) == 0;
}

/* After the others, whose place it may take. */
IN_CHILD static bool child_handed(int fd, int number)
{
    if (fd == 0) return true;
    if (fd == number) return syscall(SYS_fcntl, fd, F_SETFD, 0) == 0;
    return syscall(SYS_dup3, fd, number, 0) >= 0;
}

/* Has a table of its own from here on, of what it needs. */
IN_CHILD static bool child_table(const struct bough_spawn_options *options)
{
    const int needed[] = { options->stdin_fd, options->stdout_fd, options->stderr_fd,
                           options->handed_fd };
    int first = FIRST_FREE;

    for (int i = 0; i < 4; i++) {
        if (needed[i] >= first) first = needed[i] + 1;
    }
    return syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

IN_CHILD static bool child_stdio(const struct bough_spawn_options *options)
{
    return child_table(options) && child_descriptor(options->stdin_fd, 0) &&
           child_descriptor(options->stdout_fd, 1) &&
           child_descriptor(options->stderr_fd, 2) &&
           child_handed(options->handed_fd, options->handed_as) &&
           child_close(FIRST_FREE, (unsigned)options->handed_as);
}

IN_CHILD static bool child_nice(const struct bough_spawn_options *options)
{
    const int nice = options->nice == BOUGH_NICE_NONE ? 0 : options->nice;

    if (options->has_umask) syscall(SYS_umask, options->umask);
    if (options->nice == 0) return true;
    return syscall(SYS_setpriority, PRIO_PROCESS, 0, nice) == 0;
}

/* As far as the hard one goes. */
IN_CHILD static void child_files(uint64_t soft)
{
    struct {
        uint64_t soft, hard;
    } limit;

    if (soft == 0 || syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) != 0) return;
    if (limit.soft <= soft) return;
    limit.soft = soft;
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
}

IN_CHILD static bool child_limits(struct plan *plan)
{
    child_files(plan->options->files);
    if (!plan->options->limits) return true;
    plan->limit = bough_limits_apply(plan->options->limits);
    return plan->limit == BOUGH_LIMIT_NONE;
}

IN_CHILD static bool child_enter(const char *directory)
{
    return !directory || syscall(SYS_chdir, directory) == 0;
}

/* As shells tell a script from a program of another machine: by its first line. */
IN_CHILD static bool child_is_text(const char *path)
{
    char bytes[256];
    const long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    const long got = fd < 0 ? 0 : syscall(SYS_read, (int)fd, bytes, sizeof(bytes));

    errno = ENOEXEC;
    for (long i = 0; i < got && bytes[i] != '\n'; i++) {
        if (bytes[i] == '\0') return false;
    }
    return true;
}

/* Returns only when it cannot. */
IN_CHILD static void child_run_program(const struct plan *plan)
{
    syscall(SYS_execve, plan->path, plan->argv, plan->env);
    if (errno == ENOEXEC && child_is_text(plan->path))
        syscall(SYS_execve, plan->shell_argv[0], plan->shell_argv, plan->env);
}

IN_CHILD static int child_main(void *data)
{
    struct plan *plan = data;

    child_reset_signals(plan);
    syscall(SYS_setsid); /* cannot fail: a new process leads no group */
    bough_lineage_begin(plan->root, false);
    child_announce(plan->options->announce_fd);
    plan->step = STEP_STDIO; /* before a limit of files is a hindrance */
    if (!child_stdio(plan->options)) goto failed;
    plan->step = STEP_NICE; /* before it is another user */
    if (!child_nice(plan->options)) goto failed;
    plan->step = STEP_LIMITS;
    if (!child_limits(plan)) goto failed;
    plan->step = STEP_PARENT; /* another user's would be forgotten */
    if (!child_follow_parent(plan)) goto failed;
    plan->step = STEP_DIRECTORY;
    if (!child_enter(plan->options->cwd)) goto failed;
    plan->step = STEP_RUN;
    child_run_program(plan);

failed:
    plan->errno_value = errno;
    return 127; /* to clone(), which exits with it */
}

/* The parent */

enum {
    CHILD_STACK = 16 * 1024
}; /* bytes; the child's few frames need about one thousand */

/* Blocks every signal, those that the C library keeps for itself too. */
static void block_signals(unsigned char saved[sizeof(no_signals)])
{
    unsigned char all[sizeof(no_signals)];

    memset(all, 0xff, sizeof(all));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, saved, sizeof(all));
}

static void restore_signals(const unsigned char saved[sizeof(no_signals)])
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, saved, NULL, sizeof(no_signals));
}

/* Runs the child until the program runs or has failed to. */
static enum bough_status start(struct plan *plan, struct bough_process *process,
                               struct bough_error *error)
{
    _Alignas(max_align_t) char stack[CHILD_STACK];
    unsigned char saved[sizeof(no_signals)];
    int pidfd = -1;

    block_signals(saved);
    plan->clone = (struct bough_clone){
        .run = child_main,
        .data = plan,
        .stack = stack,
        .stack_size = sizeof(stack),
        .cgroup_fd = plan->options->cgroup_fd,
    };
    int pid = bough_clone(&plan->clone, &pidfd);
    int errno_value = errno;
    restore_signals(saved);

    if (pid < 0) {
        errno = errno_value;
        return bough_error_system(error, "cannot start a process for \"%s\"", plan->path);
    }
    bough_descriptor_settle(&pidfd);
    *process = (struct bough_process){ .pid = pid, .pidfd = pidfd };
    return BOUGH_OK;
}

/* The child has ended in its own code: reaps it, and says at which step. */
static enum bough_status report(const struct plan *plan, struct bough_process *process,
                                struct bough_error *error)
{
    struct bough_process_end end;
    bool ended;

    do { /* it is on its way out: no time at all */
        ended = bough_process_wait(process, -1);
    } while (!ended || !bough_process_reap(process, &end));
    errno = plan->errno_value;
    switch (plan->step) {
    case STEP_NICE:
        return bough_error_system(error, "cannot run \"%s\" at nice %d", plan->path,
                                  plan->options->nice);
    case STEP_LIMITS:
        return bough_limits_explain(plan->options->limits, plan->limit, errno, error);
    case STEP_PARENT:
        return bough_error_system(error, "cannot tie \"%s\" to its parent", plan->path);
    case STEP_STDIO:
        return bough_error_system(error, "cannot prepare descriptors for \"%s\"",
                                  plan->path);
    case STEP_DIRECTORY: return bough_directory_refuse(plan->options->cwd, error);
    case STEP_RUN: break;
    }
    if (errno == ENOENT) { /* the program itself was found */
        return bough_error_system(error,
                                  "cannot run \"%s\", its interpreter is missing; "
                                  "install it, or correct the first line",
                                  plan->path);
    }
    if (errno == ENOEXEC) {
        return bough_error_system(error,
                                  "cannot run \"%s\": it is built for another machine, "
                                  "or broken; install the right one",
                                  plan->path);
    }
    if (errno == EACCES) { /* it is executable for this process */
        return bough_error_system(error,
                                  "cannot run \"%s\": its user may not, or its folder is "
                                  "mounted noexec",
                                  plan->path);
    }
    return bough_error_system(error, "cannot run \"%s\"", plan->path);
}

/* "/bin/sh", the script, its arguments: one array, to be freed. */
static char **make_shell_argv(char *path, const char *const *argv)
{
    size_t count = 0;

    while (argv[count]) {
        count++;
    }
    char **shell = calloc(count + 2, sizeof(*shell));
    if (!shell) return NULL;
    shell[0] = (char *)(uintptr_t) "/bin/sh";
    shell[1] = path;
    memcpy(shell + 2, argv + 1, (count - 1) * sizeof(*shell));
    return shell;
}

/* The PATH that the program will have; NULL: this process's. */
static const char *search_path(const char *const *env)
{
    for (; env && *env; env++) {
        if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
    }
    return NULL;
}

/* One that is relative is meant from here, and not from where the program is to be. */
static enum bough_status make_absolute(char path[BOUGH_PROGRAM_PATH],
                                       struct bough_error *error)
{
    char here[BOUGH_PROGRAM_PATH];
    const size_t size = strlen(path) + 1;

    if (path[0] == '/') return BOUGH_OK;
    if (!getcwd(here, sizeof(here)))
        return bough_error_system(error, "cannot tell the working directory");
    const size_t len = strlen(here);
    if (len + 1 + size > BOUGH_PROGRAM_PATH)
        return bough_error_set(error, BOUGH_ETOOLARGE,
                               "the path of program \"%s\" is too long", path);
    memmove(path + len + 1, path, size);
    memcpy(path, here, len);
    path[len] = '/';
    return BOUGH_OK;
}

static enum bough_status find(const struct bough_spawn_options *options,
                              char path[BOUGH_PROGRAM_PATH], struct bough_error *error)
{
    const enum bough_status status = bough_program_find(
        options->argv[0], search_path(options->env), path, BOUGH_PROGRAM_PATH, error);

    return status == BOUGH_OK && options->cwd ? make_absolute(path, error) : status;
}

static bool descriptor_allowed(int fd)
{
    return fd >= FIRST_FREE || fd == BOUGH_SPAWN_NULL || fd == BOUGH_SPAWN_INHERIT;
}

enum bough_status bough_process_spawn(const struct bough_spawn_options *options,
                                      struct bough_process *process,
                                      struct bough_error *error)
{
    char path[BOUGH_PROGRAM_PATH];
    struct bough_process started;

    bough_assert(options->argv && options->argv[0]);
    bough_assert(descriptor_allowed(options->stdin_fd));
    bough_assert(descriptor_allowed(options->stdout_fd));
    bough_assert(descriptor_allowed(options->stderr_fd));
    bough_assert(options->handed_fd == 0 || options->handed_as >= FIRST_FREE);
    enum bough_status status = find(options, path, error);
    if (status != BOUGH_OK) return status;

    char **shell_argv = make_shell_argv(path, options->argv);
    if (!shell_argv)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory to run a program");
    struct plan plan = {
        .options = options,
        .path = path,
        .argv = (char *const *)(uintptr_t)options->argv,
        .env = options->env ? (char *const *)(uintptr_t)options->env : environ,
        .shell_argv = shell_argv,
        .parent = getpid(),
        .root = bough_lineage_root(),
    };
    status = start(&plan, &started, error);
    if (status == BOUGH_OK && plan.errno_value != 0)
        status = report(&plan, &started, error);
    if (status == BOUGH_OK) *process = started;
    free(shell_argv);
    return status;
}
