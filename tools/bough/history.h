/* history.h - the last events of a tree, and how an event looks in JSON.
 *
 * A ring of copies, filled by the runtime's observer and read by the control socket.
 * Events are numbered without gaps, so a reader keeps nothing but the number it has seen
 * last. Thread: any; who reads holds the lock meanwhile.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_HISTORY_H
#define BOUGH_TOOLS_BOUGH_HISTORY_H

#include <jansson.h>

#include <bough/core/event.h>

enum { BOUGH_HISTORY_CAPACITY = 10000 }; /* events */

struct bough_history;

/* NULL when memory is out. */
BOUGH_CHECKED struct bough_history *bough_history_new(size_t capacity);
void bough_history_free(struct bough_history *history);

/* Copies an event in; the oldest makes room. An event for which there is no memory is
 * missing. Fit for bough_runtime_options.event, with the history as data. */
void bough_history_add(void *history, const struct bough_event *event);

/* Calls `added` after each event from now on, on the thread where it happened; NULL:
 * nobody. It may touch neither the runtime nor the history. */
void bough_history_listen(struct bough_history *history, void (*added)(void *data),
                          void *data);

/* Held by who calls the two below, for as long as what they return is used. */
void bough_history_lock(struct bough_history *history);
void bough_history_unlock(struct bough_history *history);

/* The number of the newest event, 0 when there is none. */
uint64_t bough_history_last(const struct bough_history *history);

/* The first event with a number above `seq` that is still kept, or NULL. Valid until the
 * next bough_history_add(). */
const struct bough_event *bough_history_after(const struct bough_history *history,
                                              uint64_t seq);

/* An event as one JSON object: time, seq, event, path, type, life, cause (when it has
 * one), and by kind pid, reason, status, detail, signal, code, delay_ms, attempt,
 * restarts, allowed, period_ms, message, number, lives, crash, stuck_ms, backtrace. The
 * caller owns it; NULL when memory is out. */
BOUGH_CHECKED json_t *bough_history_json(const struct bough_event *event);

/* Adds the reason of an end: reason, status, detail, signal, code. Not 0: no memory. */
BOUGH_CHECKED int bough_history_add_reason(json_t *object,
                                           const struct bough_exit_reason *reason);

/* Such members as a reason again; one that is not understood is `lost`. */
struct bough_exit_reason bough_history_reason(const json_t *object);

#endif
