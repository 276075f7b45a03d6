/* reaper_internal.h - waits for killed processes that take their time to die.
 *
 * A process that was sent SIGKILL is gone at once, but for one: the process that sleeps
 * in the kernel uninterruptibly (a dead disk, a lost NFS server). No actor may wait for
 * that, and no loop may stand still for it. So it is handed to its loop's reaper, which
 * keeps nothing but its pidfd, does not keep ev_run() going, and forgets it when the loop
 * is destroyed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_REAPER_INTERNAL_H
#define BOUGH_ACTORS_REAPER_INTERNAL_H

#include <bough/actors/spawn.h>

struct ev_loop;

/* Takes a process that was killed: reaps it now, or once it has ended. It may still block
 * for `patience_ms` of real time, in which a process that can die has died. `process` is
 * then none (pidfd -1). When there is no memory to remember it, it is left to be a zombie
 * until this process ends. Thread: the loop's. */
void bough_reaper_take(struct ev_loop *ev, struct bough_process *process,
                       int patience_ms);

#endif
