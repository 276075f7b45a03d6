/* watch.h - the shutdown-complete signal.
 *
 * Embedded by who wants it, handed over when a life is started or later with
 * bough_watch(). `exited` runs exactly once, on the watcher's loop and never from inside
 * the call that ended the life: after the last message, after finish, after the life's
 * own children have ended, after its memory is released. Supervision uses this device and
 * no other.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_WATCH_H
#define BOUGH_CORE_WATCH_H

#include <bough/core/address.h>
#include <bough/core/exit_reason.h>
#include <bough/core/task.h>

struct bough_watch {
    /* Once, before `exited`, when the life is ready: also when it was ready at once, but
     * for who asks to be told by the start itself (struct bough_start). Not at all when
     * it ends before. May be NULL. */
    void (*ready)(struct bough_watch *watch);
    /* Once, at the end of the life. `reason` is valid during the callback, or longer: see
     * `keeps`. */
    void (*exited)(struct bough_watch *watch, const struct bough_exit_reason *reason);
    /* The actor that watches, or NULL. When it ends, its watches are cancelled. The
     * callbacks run as if in its run(): one at a time, and bough_fail() is allowed. */
    struct bough_actor *owner;
    /* Where the callbacks run when nobody owns the watch, a loop of the thread that
     * watches. NULL: as for a call. */
    struct bough_loop *loop;

    /* Valid in the callbacks. */
    struct bough_address address; /* the life that is watched */
    uint64_t seq; /* of the event `ready` or `exited`, 0 when none was made */
    const struct bough_exit_reason *reason; /* with `keeps`: of the end; NULL before */

    /* The reason stays, also in `reason`, until the watch is started again, or taken back
     * by bough_watch_cancel(): which is then due, before the loop is freed. */
    bool keeps;

    /* private */
    unsigned char pending;      /* which callbacks are still to run */
    uint32_t index, generation; /* of a life on another loop: what stands there for it */
    struct bough_task task;
    struct bough_owned owned;         /* in the owner's list */
    struct bough_watch *next, **link; /* in the watched life's list */
    struct bough_loop *told_on;
};

/* Watches a life that was started by somebody else; address.life 0 means whoever lives
 * there now. The caller sets exited (and ready, owner) first and keeps `watch` until
 * exited() has run or bough_watch_cancel() has returned. When the life is over already,
 * exited() still runs, with `lost` for a life whose reason is forgotten, or that could
 * not be watched for want of memory (status BOUGH_ENOMEM). Thread: the loop's. */
BOUGH_PUBLIC void bough_watch(struct bough_watch *watch, struct bough_address address);

/* Takes a watch back: no callback runs after this, and no reason is kept. Fine on a watch
 * that has fired or was never started (zeroed). Thread: the loop's. */
BOUGH_PUBLIC void bough_watch_cancel(struct bough_watch *watch);

#endif
