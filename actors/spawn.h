/* spawn.h - starts programs, and makes sure that they end.
 *
 * The thin layer under every actor that runs a program: system calls only, no loop. A
 * program is started without copying this process (clone as vfork does), so it costs the
 * same however large this process is, and when it cannot be started the caller knows why
 * at once.
 *
 * A program leads a session and process group of its own, and a lineage (core/lineage.h)
 * which this process has begun. It has the default signal actions, an empty signal mask,
 * and no descriptors but 0, 1 and 2 and what it is handed. It is killed when the thread
 * that started it ends (PR_SET_PDEATHSIG; the kernel clears that when a set-user-ID
 * program is run). It is reaped by its pidfd alone, so other children of this process are
 * left alone, and neither signal handlers nor dispositions of this process are touched.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_SPAWN_H
#define BOUGH_ACTORS_SPAWN_H

#include <sys/types.h>

#include <bough/core/limits.h>
#include <bough/core/status.h>

/* A program that runs, or that has ended and was not reaped yet. */
struct bough_process {
    pid_t pid; /* also its process group and session */
    int pidfd; /* readable once it has ended; -1: none, or reaped */
};

/* How a program ended. */
struct bough_process_end {
    bool known; /* false: somebody else took its status, with a wait() for any child */
    int code;   /* exit code, when signal is 0 */
    int signal; /* the signal that ended it, or 0 */
    /* Processor time that it has used, and those that it has waited for; 0: not known */
    int64_t cpu_ms;
};

/* What to use as a program's descriptor 0, 1 or 2: one of this process (3 or more), or */
enum {
    BOUGH_SPAWN_NULL = 0,    /* /dev/null */
    BOUGH_SPAWN_INHERIT = -1 /* this process's own of that number */
};

enum { BOUGH_NICE_NONE = 20 }; /* one more than there is: a priority of 0 is meant */

struct bough_spawn_options {
    const char *const
        *argv;              /* ends with NULL; argv[0] is searched in the PATH of `env` */
    const char *const *env; /* ends with NULL; NULL: this process's */
    const char *cwd;        /* NULL: this process's */
    int stdin_fd, stdout_fd, stderr_fd;
    int handed_fd, handed_as; /* one more of this process's, and its number there (3 or
                                 more); 0: none */
    int announce_fd; /* a socket that is told its pid, a line, before it runs; 0: none */
    int cgroup_fd;   /* the folder of a cgroup that it is born into; 0: this process's */
    bool outlives;   /* it is not killed when the thread that started it ends */
    bool has_umask;
    mode_t umask;
    int nice;       /* -20 to 19, or BOUGH_NICE_NONE; 0: this process's */
    uint64_t files; /* its soft limit of them; 0: this process's */
    /* Which signals this process may be ignoring, a bit for each, that of number 1 the
     * lowest. Where the kernel does away with handlers (Linux 5.7, x86-64), those alone
     * are given their default actions, a system call each. 0: any of them. */
    uint64_t ignored;
    const struct bough_limits_plan *limits; /* NULL: none */
};

/* Moves a descriptor of this process that took the place of a closed stdin, stdout or
 * stderr to 3 or more, as spawn options need it; closed on exec. False, unchanged, when
 * there is none left. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_descriptor_raise(int *fd);

/* Moves one that will stay for long to a high number when the low ones become scarce: to
 * start a program takes the longer the higher those are that it is handed. Whoever knows
 * the old number has lost it; when there is none left it keeps it. */
BOUGH_PUBLIC void bough_descriptor_settle(int *fd);

/* Makes a pipe to a program: both ends are 3 or more and closed on exec, ours does not
 * block. `reads`: it is the one that reads. False, with errno, when there is none. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_pipe_open(bool reads, int *ours, int *theirs);

enum { BOUGH_PROGRAM_PATH = 4096 }; /* bytes enough for a program's path */

/* Finds what `name` would run, as execvp() does: as it is when it has a slash, else in
 * the folders of `search`, as PATH has them (NULL: this process's PATH). Writes its path
 * into the `size` bytes at `path`. Errors: BOUGH_ENOTFOUND, BOUGH_EDENIED (there, but not
 * executable), BOUGH_ETOOLARGE. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_program_find(const char *name, const char *search, char *path, size_t size,
                   struct bough_error *error);

/* Whether a program could be run in a folder; and what is said when errno tells why it
 * cannot. Errors: BOUGH_ESYSTEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_directory_check(const char *path, struct bough_error *error);
BOUGH_PUBLIC enum bough_status bough_directory_refuse(const char *path,
                                                      struct bough_error *error);

/* Starts a program. The caller keeps its descriptors, and must end the process with
 * bough_process_reap(). Thread: one that outlives the program, see above. Errors: those
 * of bough_program_find(), BOUGH_ENOMEM, BOUGH_ESYSTEM; `*process` is then unchanged. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_process_spawn(const struct bough_spawn_options *options,
                    struct bough_process *process, struct bough_error *error);

/* Sends a process that was not reaped yet a signal; false, with errno, when that failed.
 */
BOUGH_PUBLIC bool bough_process_signal(const struct bough_process *process, int number);

/* Kills a process that was not reaped yet, with its whole process group (SIGKILL). */
BOUGH_PUBLIC void bough_process_kill(const struct bough_process *process);

/* When the process has ended: kills what is left of its group, reaps it, closes its
 * pidfd, says how it ended and returns true. False: it still runs. Never blocks. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_process_reap(struct bough_process *process,
                                                   struct bough_process_end *end);

/* Blocks until the process has ended, at most `limit_ms` of real time; whether it has. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_process_wait(const struct bough_process *process,
                                                   int limit_ms);

#endif
