/* nursery.h - where processes come from: a small one that forks.
 *
 * A fork of a large program is slow, and of one with threads it is not safe. So a copy is
 * forked while the program is small and has one thread, and from then on that copy, the
 * nursery, forks children on request. What the program has loaded by then, its types
 * among it, is there in each child.
 *
 * The children are the program's own: it waits for them by their pidfds, and they die
 * with it, whatever it dies of (PR_SET_PDEATHSIG follows the main thread, which must live
 * as long as the program). A nursery that dies is made again when it is next asked; when
 * another thread than that one asks, a thread is made for it, which is there as long as
 * the nursery.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_NURSERY_H
#define BOUGH_SUPERVISOR_PROCESS_NURSERY_H

#include <sys/types.h>

#include <bough/core/status.h>

struct bough_nursery;

/* Forks a nursery. To be called before the first thread is started; it is handed to a
 * runtime by its options, and may serve several. Errors: BOUGH_ERUNNING, there are
 * threads already; BOUGH_ENOMEM; BOUGH_ESYSTEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_nursery_new(struct bough_nursery **nursery, struct bough_error *error);

/* Ends it. After the runtimes that use it; NULL is fine. */
BOUGH_PUBLIC void bough_nursery_free(struct bough_nursery *nursery);

/* Its process, for status and for tests. Thread: any. */
BOUGH_PUBLIC pid_t bough_nursery_pid(struct bough_nursery *nursery);

#endif
