/* taken_internal.h - the status of a program when libev has taken it.
 *
 * On its default loop libev itself reaps every child of the process, before we see ours.
 * It tells those who ask with an ev_child, so there we ask, too, and take the status from
 * whoever has it. On other loops nothing is done.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_TAKEN_INTERNAL_H
#define BOUGH_ACTORS_TAKEN_INTERNAL_H

#include <ev.h>

#include <bough/actors/spawn.h>

/* Embedded; a zeroed one does not ask. */
struct bough_taken {
    struct ev_child child;
    struct bough_process_end end; /* .known once libev has said so */
};

void bough_taken_start(struct bough_taken *taken, struct ev_loop *ev, pid_t pid);
void bough_taken_stop(struct bough_taken *taken, struct ev_loop *ev);

/* Reaps as bough_process_reap() does; what libev has taken is taken from there. */
BOUGH_CHECKED bool bough_taken_reap(struct bough_taken *taken,
                                    struct bough_process *process,
                                    struct bough_process_end *end);

#endif
