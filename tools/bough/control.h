/* control.h - a tree's control socket: HTTP and JSON on the tree's own libev loop.
 *
 * libmicrohttpd serves the connections; its epoll descriptor is one watcher of the loop,
 * its timeout one timer, so it needs no thread. A request that must wait for an actor, or
 * for the next event, is suspended and costs nothing meanwhile; when its client leaves,
 * what it asked for is cancelled.
 *
 * Only the user that runs the tree, and root, get an answer. Bounded are: connections (by
 * the limit of descriptors), memory for the head of a request, the body, and all bodies
 * together.
 *
 * Thread: the loop's, for everything here.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_CONTROL_H
#define BOUGH_TOOLS_BOUGH_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/actor.h>

struct bough_history;
struct bough_control;
struct bough_journal;
struct bough_tally;
struct bough_loop;
struct bough_reload;

enum {
    BOUGH_CONTROL_BODY = 4 * 1024 * 1024,     /* bytes of one request's body */
    BOUGH_CONTROL_BODIES = 256 * 1024 * 1024, /* bytes of all bodies held at once */
    BOUGH_CONTROL_CALL_MS = 30000,            /* how long a call may take, if not said */
};

struct bough_control_options {
    struct bough_loop *loop;
    struct bough_history *history;
    struct bough_journal *journal;
    struct bough_tally *tally;
    const char *name;                            /* the tree's; kept by the caller */
    const char *path;                            /* of the socket; copied */
    const struct bough_actor_type *const *types; /* for /v1/types and /v1/schema */
    struct bough_reload *reload;                 /* for /v1/plan and /v1/apply */
    size_t connection_limit;
    void (*shutdown)(
        void *data); /* asked to stop the tree; bough_control_close() follows */
    void *data;
};

/* Listens and serves. Errors: those of bough_socket_listen(), BOUGH_ENOMEM,
 * BOUGH_EFAILED. */
BOUGH_CHECKED enum bough_status
bough_control_new(const struct bough_control_options *options,
                  struct bough_control **control, struct bough_error *error);

/* The tree is down: the socket goes away, so that another tree can have it; who waits for
 * the shutdown is told, streams of events end with the last one. */
void bough_control_close(struct bough_control *control);

/* How many requests are still to be answered. Run the loop until it is 0 before freeing.
 */
size_t bough_control_pending(const struct bough_control *control);

/* Closes it if need be, drops what is still open, releases all. NULL is fine. */
void bough_control_free(struct bough_control *control);

#endif
