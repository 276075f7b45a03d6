/* clone_internal.h - a process that shares this one's memory until it runs a program.
 *
 * As vfork(), but with a stack of its own, and born into a cgroup if need be: one that is
 * moved there later waits for a lock of the kernel's, some 5 to 15 ms. It may share the
 * table of descriptors too, for to copy that takes the longer the more there are.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_CLONE_INTERNAL_H
#define BOUGH_ACTORS_CLONE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct bough_clone {
    int (*run)(void *data); /* in the new process; what it returns is its exit code.
                             * Before it opens or closes anything it ends the sharing of
                             * descriptors with CLOSE_RANGE_UNSHARE. */
    void *data;
    void *stack; /* the lower end, aligned for anything; for as long as it runs */
    size_t stack_size;
    int cgroup_fd; /* the folder of a cgroup; 0: this process's own */
    /* Set before it runs: no handler of this process is its any more, so that of its
     * signals only the ignored ones are not as new. */
    bool handlers_cleared;
};

/* Returns when the new process has run a program or has ended: its number, -1 with errno.
 * `*pidfd` is the caller's, closed on exec. Where processes cannot be born into another
 * cgroup (Linux before 5.7, or not x86-64) the new one is in this one's. */
int bough_clone(struct bough_clone *clone, int *pidfd);

#endif
