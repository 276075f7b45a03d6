/* usage.h - what a process has used, and what it holds: from /proc.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_USAGE_H
#define BOUGH_TOOLS_BOUGH_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct bough_usage {
    int64_t cpu_ms;     /* processor time of all its threads, in user and system */
    int64_t waited_ms;  /* the same of all processes that it has waited for */
    int64_t memory;     /* resident, in bytes */
    int64_t virtual;    /* of addresses, in bytes */
    int64_t started_ms; /* since the machine was booted */
};

/* False: there is no such process (0 is none), or it cannot be looked at. One that has
 * ended and has not been reaped holds no memory. */
bool bough_usage_read(int64_t pid, struct bough_usage *usage);

/* When the machine was booted, in seconds since 1970 UTC; 0 when it cannot be said. */
int64_t bough_usage_boot_time(void);

#endif
