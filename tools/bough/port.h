/* port.h - the port at which a tree shows its metrics over HTTP, and nothing else.
 *
 * GET and HEAD of /metrics, to whoever reaches it: so it is on loopback unless it was
 * told otherwise, and there is no way from here to the control socket. Bounded are:
 * connections, memory for each, and for how long one may say nothing.
 *
 * Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_PORT_H
#define BOUGH_TOOLS_BOUGH_PORT_H

#include <bough/config/endpoint.h>
#include <bough/tools/bough/figures.h>

struct bough_port;

enum { BOUGH_PORT_CONNECTIONS = 16 }; /* at a time; more wait, or are closed */

/* Whether that endpoint is one of this machine and this user; one that is in use is. */
BOUGH_CHECKED enum bough_status bough_port_check(const struct bough_endpoint *endpoint,
                                                 struct bough_error *error);

/* Listens at `endpoint`, as endpoint.h reads it, and serves; `source` is copied, what is
 * in it outlives the port. Calls are measured from now on. Errors: those of reading it,
 * BOUGH_ESYSTEM, BOUGH_ENOMEM, BOUGH_EFAILED. */
BOUGH_CHECKED enum bough_status bough_port_new(const struct bough_figures_source *source,
                                               const char *endpoint,
                                               struct bough_port **port,
                                               struct bough_error *error);

/* Where it listens, with the port that was free when 0 was asked for. */
const struct bough_endpoint *bough_port_endpoint(const struct bough_port *port);

/* Closes what is open. NULL is fine. */
void bough_port_free(struct bough_port *port);

#endif
