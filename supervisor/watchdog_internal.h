/* watchdog_internal.h - looking after handlers that share this process, and run too long.
 *
 * watchdog.c  who is watched, and the thread that looks
 * sample.c    where another thread is
 *
 * Such a handler cannot be ended: a thread does not end but with its process. It is
 * reported once, with a backtrace, shown as stuck, and reported again when it goes on.
 * The thread and the signal are there only while there is somebody to watch.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_WATCHDOG_INTERNAL_H
#define BOUGH_SUPERVISOR_WATCHDOG_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <bough/core/address.h>
#include <bough/core/runtime.h>

struct bough_child_spec;
struct bough_ward;

/* Watches over who lives at that place, in all lives, until it is taken back. `loop` is
 * that of this thread, where the place is, too, unless it has a thread of its own. NULL:
 * memory is out, or there is no thread to look. Thread: the loop's. */
struct bough_ward *bough_ward_new(struct bough_loop *loop, struct bough_address place,
                                  const struct bough_child_spec *spec);

/* Before its runtime goes; NULL is fine. May wait for a report that is being made. */
void bough_ward_free(struct bough_ward *ward);

/* Looks at all of a runtime once, on this thread: for those on a virtual clock, at which
 * no other thread looks. */
void bough_watchdog_look(const struct bough_runtime *runtime);

/* sample.c */

/* Takes the signal, or says by false that it is somebody else's; and gives it back. */
bool bough_sample_open(void);
void bough_sample_close(void);

/* Where that thread is. False: it does not answer. Thread: one at a time. */
struct bough_crash_stack;
bool bough_sample_thread(pthread_t thread, struct bough_crash_stack *stack);

#endif
