/* daemon.h - a daemon of libmicrohttpd on a libev loop.
 *
 * Its epoll descriptor is one watcher of the loop, its timeout one timer: it needs no
 * thread.
 *
 * Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_DAEMON_H
#define BOUGH_TOOLS_BOUGH_DAEMON_H

#include <stdbool.h>

#include <ev.h>

#include <bough/tools/bough/http.h>

struct bough_daemon {
    struct ev_loop *ev;
    struct MHD_Daemon *mhd; /* with MHD_USE_EPOLL, and no thread of its own */
    /* private */
    struct ev_io io;
    struct ev_timer due;
    bool resumed;         /* something was, since it ran last */
    unsigned connections; /* when it ran last */
};

/* Takes the daemon and serves. */
void bough_daemon_start(struct bough_daemon *daemon, struct ev_loop *ev,
                        struct MHD_Daemon *mhd);

/* A connection was resumed: the daemon is run in this round of the loop, once for all. */
void bough_daemon_resumed(struct bough_daemon *daemon);

/* Ends it; no connection may be suspended. */
void bough_daemon_stop(struct bough_daemon *daemon);

#endif
