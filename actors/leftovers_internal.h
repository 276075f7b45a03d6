/* leftovers_internal.h - what is left of a program when it has ended: the processes of
 * its lineage, wherever they have gone.
 *
 * System calls only: nothing is allocated or locked, so all of it may be done in a copy
 * of a program that had threads. Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_LEFTOVERS_INTERNAL_H
#define BOUGH_ACTORS_LEFTOVERS_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Kills (SIGKILL) every process of the lineage of `head` but the head itself, and reaps
 * those that have ended as this process's children. True: none is left. False: `*pidfd`,
 * the caller's, is that of one that was killed; when it has ended, look again. `killed`
 * (NULL: who cares) becomes true when there was one that had not ended by itself.
 *
 * Orphans come to a process that has asked for them (PR_SET_CHILD_SUBREAPER, guard.h) and
 * to one whose number is 1; there only its own children are looked at, as long as there
 * is none of that lineage. Elsewhere it takes a look at all processes, about 1 us each.
 */
bool bough_leftovers_kill(pid_t head, int *pidfd, bool *killed);

/* Kills every process of the lineages that `root` has begun, but the caller, until none
 * is left; blocks. For when `root` is no more. */
void bough_lineages_kill(pid_t root);

/* Reaps the children of this process that have ended and for which nobody here waits:
 * those that came to it as orphans, which are no heads of lineages of its own. */
void bough_orphans_wait(void);

/* Calls `visit` for each entry of a folder, "." and ".." left out, until it says false.
 */
void bough_entries_visit(int folder, bool (*visit)(void *data, const char *name),
                         void *data);

#endif
