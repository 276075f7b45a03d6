/* guard_internal.h - what the actors that run programs want of a guard.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_GUARD_INTERNAL_H
#define BOUGH_ACTORS_GUARD_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>

#include <bough/actors/guard.h>

/* The soft limit of files when it was made; 0: unknown, or no guard. */
uint64_t bough_guard_files(const struct bough_guard *guard);

/* What a program is given in place of BOUGH_SPAWN_NULL: /dev/null, opened once; or that.
 */
int bough_guard_null(const struct bough_guard *guard);

/* Which signals the program may be ignoring, as spawn.h has it; 0: unknown, or no guard.
 */
uint64_t bough_guard_ignored(const struct bough_guard *guard);

/* cgroup.c: the cgroups below this process's own. */

struct bough_cgroups {
    int folder; /* -1: none */
    char path[512];
    atomic_uint kept; /* empty ones that were kept, since those were last removed */
};

/* Looks for them, and makes a folder for those of this process. */
void bough_cgroups_open(struct bough_cgroups *cgroups);

/* Removes it, and those in it that are empty. */
void bough_cgroups_close(struct bough_cgroups *cgroups);

/* Makes the cgroup of an actor's program, if need be, and opens it; -1: none. */
int bough_cgroup_open(const struct bough_cgroups *cgroups, const char *actor);

/* Kills what is left in it, and removes it; `keeps`: it is wanted again soon, and stays
 * (to make one takes longer than all else that a restart does here). True: that is done.
 * False: `*pidfd`, the caller's, is that of one that was killed; when it has ended, to be
 * done again, and not kept: some kernels kill whoever is born into a cgroup that was ever
 * killed. `killed` (NULL: who cares) becomes true when there was something to kill. */
bool bough_cgroup_end(struct bough_cgroups *cgroups, const char *actor, bool keeps,
                      int *pidfd, bool *killed);

/* In a guard: kills and removes all, blocks. */
void bough_cgroups_kill(int folder);

/* NULL: there is no guard, or none with cgroups. */
struct bough_cgroups *bough_guard_cgroup(struct bough_guard *guard);

#endif
