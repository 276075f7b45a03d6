/* nursery_internal.h - asking for a child, and hearing of its birth.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_NURSERY_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_NURSERY_INTERNAL_H

#include <stddef.h>

#include <bough/supervisor/process/nursery.h>

enum { BOUGH_NURSERY_FILES_MAX = 16 };

/* Asks for a child that runs bough_process_main() with these descriptors, of which
 * files[0] is an end of a SOCK_SEQPACKET pair; they stay the caller's, to be closed.
 * Returns at once: what becomes of it is read from the other end. Thread: any. Errors:
 * BOUGH_ESYSTEM, with errno. */
BOUGH_CHECKED enum bough_status bough_nursery_fork(struct bough_nursery *nursery,
                                                   const int *files, size_t count);

/* The news of a birth: BOUGH_OK, `pidfd` is the caller's. BOUGH_ENOREPLY: not yet.
 * BOUGH_ESYSTEM, with errno: it could not be forked. BOUGH_EGONE: the nursery, or the
 * child, died before; to be asked for again. */
BOUGH_CHECKED enum bough_status bough_birth_receive(int socket, pid_t *pid, int *pidfd);

/* Sends and receives descriptors with a few bytes: what sendmsg() and recvmsg() return.
 * `*count` is how many there is room for, and then how many came; they are close-on-exec.
 */
ssize_t bough_files_send(int socket, const void *bytes, size_t size, const int *files,
                         size_t count);
ssize_t bough_files_receive(int socket, void *bytes, size_t size, int *files,
                            size_t *count, int flags);

#endif
