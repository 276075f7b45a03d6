/* window.c - how many restarts fall into the last period.
 *
 * Stamps that have left the period are dropped when the next one is added, so each is
 * looked at twice in its life and nothing is ever moved.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/window_internal.h>

#include <bough/core/assert.h>

void bough_window_init(struct bough_window *window, int64_t *stamps, uint32_t intensity,
                       int64_t period_ms)
{
    bough_assert(intensity < UINT32_MAX);
    bough_assert(period_ms > 0);

    *window = (struct bough_window){
        .stamps = stamps,
        .capacity = intensity + 1,
        .period_ms = period_ms,
    };
}

/* Both are below the capacity, so that no division is needed. */
static uint32_t position(const struct bough_window *window, uint32_t nth)
{
    const uint64_t at = (uint64_t)window->first + nth;

    return (uint32_t)(at < window->capacity ? at : at - window->capacity);
}

/* A difference, since `now - period` may not fit while `now - stamp` always does. */
static inline void drop_old(struct bough_window *window, int64_t now_ms)
{
    while (window->count > 0 &&
           now_ms - window->stamps[window->first] > window->period_ms) {
        window->first = position(window, 1);
        window->count--;
    }
}

uint32_t bough_window_count(struct bough_window *window, int64_t now_ms)
{
    drop_old(window, now_ms);
    return window->count;
}

uint32_t bough_window_add(struct bough_window *window, int64_t now_ms)
{
    drop_old(window, now_ms);
    bough_assert(window->count < window->capacity);
    window->stamps[position(window, window->count)] = now_ms;
    window->count++;
    return window->count;
}
