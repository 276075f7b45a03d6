/* quiet.h - writing to who may be gone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_QUIET_H
#define BOUGH_CORE_QUIET_H

#include <stddef.h>
#include <sys/types.h>

#include <bough/core/public.h>

/* write(2), but that nobody reads a pipe is an error, EPIPE, and no signal: a SIGPIPE
 * that this makes is taken, one that was waiting before stays. Thread: any, and in a
 * signal's handler. */
BOUGH_PUBLIC BOUGH_CHECKED ssize_t bough_write_quietly(int fd, const void *bytes,
                                                       size_t size);

#endif
