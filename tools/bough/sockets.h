/* sockets.h - where the control socket of a tree is: to listen there, and to find it.
 *
 * A socket lies where it is said: --control, --name, $BOUGH_CONTROL. Else NAME.sock, NAME
 * being the tree's, in $BOUGH_RUNTIME_DIR, or in $XDG_RUNTIME_DIR/bough, or in /run/bough
 * when there is neither variable. What is given on the command line goes before the
 * environment. A tree is looked for in $BOUGH_RUNTIME_DIR alone, or in both others.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SOCKETS_H
#define BOUGH_TOOLS_BOUGH_SOCKETS_H

#include <sys/socket.h>
#include <sys/un.h>

#include <bough/core/status.h>

enum { BOUGH_SOCKET_PATH = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

enum bough_presence {
    BOUGH_SOCKET_ABSENT, /* no such file */
    BOUGH_SOCKET_STALE,  /* a socket, and nobody behind it */
    BOUGH_SOCKET_ALIVE,
    BOUGH_SOCKET_DENIED, /* we may not look */
    BOUGH_SOCKET_OTHER   /* not a socket, or one that cannot be understood */
};

/* Whether somebody answers there, found out by connecting. */
enum bough_presence bough_socket_probe(const char *path);

/* Where a tree of that name should listen; `control` and `name` are the options, NULL
 * when not given. `path` holds BOUGH_SOCKET_PATH bytes. Errors: BOUGH_ETOOLARGE,
 * BOUGH_EINVALID. */
BOUGH_CHECKED enum bough_status bough_socket_choose(const char *control, const char *name,
                                                    const char *tree, char *path,
                                                    struct bough_error *error);

/* Finds the socket of the tree that runs. Returns BOUGH_CODE_DONE with `path` filled;
 * else it has complained, saying where it looked or which there are, and returns the exit
 * code. */
int bough_socket_find(const char *control, const char *name, char *path);

/* The name of each tree that runs and that may be talked to, in no order. */
void bough_socket_visit(void (*visit)(void *data, const char *name), void *data);

/* Listens at `path`, for this user alone: mode 0600, and a folder that is made here has
 * 0700. A socket file that nobody answers behind is replaced, any other is an error.
 * `*fd` gets the descriptor, non-blocking. Errors: BOUGH_ESTARTED, somebody answers
 * there; BOUGH_ESYSTEM, BOUGH_EDENIED, BOUGH_EPRESENT. */
BOUGH_CHECKED enum bough_status bough_socket_listen(const char *path, int *fd,
                                                    struct bough_error *error);

/* Closes `fd` and removes the file, unless somebody else listens there by now. */
void bough_socket_remove(const char *path, int fd);

#endif
