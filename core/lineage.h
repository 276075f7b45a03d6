/* lineage.h - which program a process comes from, however far it has gone.
 *
 * What a program starts can leave its process group, its session and its parent: it forks
 * twice, and nothing says any more whose it was. But every process keeps the resource
 * limits of the one that forked it. One of them, RLIMIT_LOCKS, has limited nothing since
 * Linux 2.4.25; its soft limit is the mark: who began it (the root), and which process
 * was first (the head). Whoever wants to lose it can, by setrlimit(); by accident only a
 * login does (pam_limits sets all limits anew).
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LINEAGE_H
#define BOUGH_CORE_LINEAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include <bough/core/public.h>

struct bough_lineage {
    pid_t root; /* who began it */
    pid_t head; /* the first process of it, which `root` forked */
};

/* Makes the calling process the head of a lineage, with all that it forks from now on.
 * `acts`: it is a part of the root, and what it begins in turn is begun by that. Raw
 * system calls, fit for what shares memory after vfork(). */
BOUGH_PUBLIC void bough_lineage_begin(pid_t root, bool acts);

/* Who begins what this process begins: itself, or what it is a part of. */
BOUGH_PUBLIC pid_t bough_lineage_root(void);

/* That of a process, also of one that has ended and was not waited for. False: it has
 * none, or is no more, or is another user's. Thread: any. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_lineage_of(pid_t pid,
                                                 struct bough_lineage *lineage);

#endif
