/* window_internal.h - how many restarts fall into the last period: the intensity limit.
 *
 * A ring of stamps, newest last, on memory that the owner gives: at most intensity + 1
 * are ever needed, for one more than is allowed is already too many. OTP's rule with
 * Bough's exact milliseconds: a stamp counts while stamp >= now - period.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_WINDOW_INTERNAL_H
#define BOUGH_SUPERVISOR_WINDOW_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

struct bough_window {
    /* private */
    int64_t *stamps; /* a ring of `capacity`, ms */
    uint32_t capacity, first, count;
    int64_t period_ms;
};

/* `stamps` has room for `intensity` + 1 and outlives the window. */
void bough_window_init(struct bough_window *window, int64_t *stamps, uint32_t intensity,
                       int64_t period_ms);

/* Adds a restart at `now_ms`, which never goes back, and returns how many the period
 * holds, this one included. When that is more than the intensity, the limit is passed:
 * nothing is to be added after that. */
uint32_t bough_window_add(struct bough_window *window, int64_t now_ms);

/* How many the period holds at `now_ms`. */
uint32_t bough_window_count(struct bough_window *window, int64_t now_ms);

#endif
