/* guard.h - sees to it that nothing which a program has started outlives it.
 *
 * A guard is a small process forked from the program. When the program is gone, however
 * it died, the guard kills all that was started in it by spawn.h and what those started
 * in turn, wherever it has gone: by its cgroup where there are cgroups to be had (v2, the
 * folder of the program's own one writable, Linux 5.14), and by its lineage
 * (core/lineage.h). Then it ends.
 *
 * A guard also remembers how many files this process might open when it was made: what
 * commands run may open as many, however far this process has raised its own limit since
 * (who has select() or closes all descriptors one by one does not want more).
 *
 * And it remembers which signals were ignored when it was made. Of those, and of those
 * that programs are known to ignore while they run, a command's program has the default
 * action; another one that is ignored only later on (a real-time signal, say) stays so.
 *
 * To make a guard also makes the program a subreaper: what loses its parent comes to the
 * program as its child. So what is left of an actor's program is found at once, and must
 * be waited for: see bough_orphans_reap().
 *
 * What holds. Without a guard the programs themselves are killed with the thread that
 * started them, by the kernel, and what they have started and lost is found and killed
 * when they end; what is missing is the case that this process is killed: then what its
 * programs have started goes on. With a guard that is killed, too. Not killed is what has
 * changed its lineage and is in no cgroup of ours (a login that sets limits anew), what
 * runs as another user while this process is not root, and all of it when the guard is
 * killed together with the program.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_GUARD_H
#define BOUGH_ACTORS_GUARD_H

#include <sys/types.h>

#include <bough/core/status.h>

struct bough_guard;

struct bough_guard_options {
    bool no_cgroups; /* does not even look for them */
};

/* Makes this process a subreaper and forks its guard: best while it is small. It is named
 * in the options of a runtime, and may serve several. `options` may be NULL. Errors:
 * BOUGH_ENOMEM, BOUGH_ESYSTEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_guard_new(const struct bough_guard_options *options, struct bough_guard **guard,
                struct bough_error *error);

/* Ends it, without a kill. After the runtimes that use it; NULL is fine. */
BOUGH_PUBLIC void bough_guard_free(struct bough_guard *guard);

/* Its process, for status and for tests. Thread: any. */
BOUGH_PUBLIC pid_t bough_guard_pid(struct bough_guard *guard);

/* Forks another when somebody has killed or stopped it. Each start of a program does so;
 * to be called some time after each SIGCHLD, too, so that it is never missing for long.
 * Thread: any. */
BOUGH_PUBLIC void bough_guard_check(struct bough_guard *guard);

/* The folder of cgroups that its programs get theirs in; NULL: there are none. */
BOUGH_PUBLIC const char *bough_guard_cgroups(const struct bough_guard *guard);

/* Reaps the orphans that have come to this process and have ended: to be called some time
 * after each SIGCHLD. A child that Bough has started is left to who waits for it; any
 * other child of this process is an orphan to it. */
BOUGH_PUBLIC void bough_orphans_reap(void);

#endif
