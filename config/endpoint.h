/* endpoint.h - an address and a port to listen at, as people write them.
 *
 * "9464" and ":9464" are that port of 127.0.0.1; "0.0.0.0:9464" and "[::]:9464" are all
 * addresses of the machine, and nobody gets those without saying so. Names are not looked
 * up, but for "localhost". Port 0: one that is free.
 *
 * Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_ENDPOINT_H
#define BOUGH_CONFIG_ENDPOINT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <bough/core/status.h>

struct bough_endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t size; /* of the one that it is */
};

enum { BOUGH_ENDPOINT_TEXT = INET6_ADDRSTRLEN + sizeof("[]:65535") };

/* Errors: BOUGH_EINVALID, BOUGH_ERANGE (the port); `error` says what is allowed, and
 * `*endpoint` is unchanged. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_endpoint_parse(const char *text, struct bough_endpoint *endpoint,
                     struct bough_error *error);

/* "127.0.0.1:9464". Returns `buffer`. */
BOUGH_PUBLIC const char *bough_endpoint_print(const struct bough_endpoint *endpoint,
                                              char buffer[BOUGH_ENDPOINT_TEXT]);

#endif
