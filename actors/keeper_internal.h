/* keeper_internal.h - kills what a job has started when this process cannot do it any
 * more.
 *
 * A job's own process is killed by the kernel when this process dies (PR_SET_PDEATHSIG),
 * but not what the job has started: `sh -c 'a | b'` would leave `a` and `b` behind. A
 * keeper is a shell that outlives us by one line: it reads the process group that runs
 * from a socket, and kills it when the other end of the socket is gone, however we died.
 * One keeper serves an actor for all its jobs, one at a time. It is started with the
 * first.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_KEEPER_INTERNAL_H
#define BOUGH_ACTORS_KEEPER_INTERNAL_H

#include <bough/actors/spawn.h>

struct ev_loop;

/* Zeroed: none was started. */
struct bough_keeper {
    struct bough_process process;
    int fd; /* our end of the socket */
    bool running;
};

/* Starts the keeper when there is none, or when somebody has killed it; `keeper->fd` can
 * then be told of a group by the group itself (announce_fd in spawn.h), before it does
 * anything. Errors: those of bough_process_spawn(). */
BOUGH_CHECKED enum bough_status bough_keeper_begin(struct bough_keeper *keeper,
                                                   struct ev_loop *ev,
                                                   struct bough_error *error);

/* From now on `group` is killed when this process ends. Starts the keeper when there is
 * none, or when somebody has killed it. Errors, the group is then not kept: those of
 * bough_process_spawn(). */
BOUGH_CHECKED enum bough_status bough_keeper_keep(struct bough_keeper *keeper,
                                                  pid_t group, struct ev_loop *ev,
                                                  struct bough_error *error);

/* The group is over: nothing is kept. Fine on a zeroed one. */
void bough_keeper_drop(struct bough_keeper *keeper);

/* Ends the keeper without a kill. Fine on a zeroed one. */
void bough_keeper_finish(struct bough_keeper *keeper, struct ev_loop *ev);

#endif
