/* endpoint.c - an address and a port to listen at, as people write them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/endpoint.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/quote_internal.h>

enum { PORT_MAX = 65535 };

static enum bough_status refuse(struct bough_error *error, const char *text)
{
    char quoted[BOUGH_QUOTED];

    return bough_error_set(
        error, BOUGH_EINVALID,
        "%s is no address to listen at; allowed are a port (\"9464\", of 127.0.0.1) and "
        "an address with one (\"0.0.0.0:9464\", \"[::1]:9464\", \"localhost:9464\")",
        bough_quote(quoted, text));
}

static enum bough_status parse_port(const char *text, in_port_t *port,
                                    struct bough_error *error)
{
    char quoted[BOUGH_QUOTED];

    if (strlen(text) > 5 || strtol(text, NULL, 10) > PORT_MAX)
        return bough_error_set(error, BOUGH_ERANGE, "port %s is not from 0 to %d",
                               bough_quote(quoted, text), PORT_MAX);
    *port = htons((in_port_t)strtol(text, NULL, 10));
    return BOUGH_OK;
}

/* The address alone; without one it is loopback. */
static bool parse_host(const char *host, struct bough_endpoint *endpoint)
{
    const size_t length = strlen(host);
    char inner[INET6_ADDRSTRLEN];

    endpoint->v4 = (struct sockaddr_in){ .sin_family = AF_INET };
    endpoint->size = sizeof(endpoint->v4);
    if (host[0] == '\0' || strcmp(host, "localhost") == 0) host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &endpoint->v4.sin_addr) == 1) return true;
    if (length < 2 || host[0] != '[' || host[length - 1] != ']' ||
        length - 2 >= sizeof(inner))
        return false;
    memcpy(inner, host + 1, length - 2);
    inner[length - 2] = '\0';
    endpoint->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
    endpoint->size = sizeof(endpoint->v6);
    return inet_pton(AF_INET6, inner, &endpoint->v6.sin6_addr) == 1;
}

enum bough_status bough_endpoint_parse(const char *text, struct bough_endpoint *endpoint,
                                       struct bough_error *error)
{
    const char *colon = strrchr(text, ':');
    const char *port_text = colon != NULL ? colon + 1 : text;
    const size_t host_length = colon != NULL ? (size_t)(colon - text) : 0;
    struct bough_endpoint found;
    char host[BOUGH_ENDPOINT_TEXT];
    enum bough_status status;
    in_port_t port = 0;

    if (port_text[0] == '\0' || host_length >= sizeof(host) ||
        strspn(port_text, "0123456789") != strlen(port_text))
        return refuse(error, text);
    memcpy(host, text, host_length);
    host[host_length] = '\0';
    if (!parse_host(host, &found)) return refuse(error, text);
    status = parse_port(port_text, &port, error);
    if (status != BOUGH_OK) return status;
    if (found.any.sa_family == AF_INET)
        found.v4.sin_port = port;
    else
        found.v6.sin6_port = port;
    *endpoint = found;
    return BOUGH_OK;
}

const char *bough_endpoint_print(const struct bough_endpoint *endpoint,
                                 char buffer[BOUGH_ENDPOINT_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (endpoint->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &endpoint->v4.sin_addr, host, sizeof(host));
        snprintf(buffer, BOUGH_ENDPOINT_TEXT, "%s:%d", host,
                 ntohs(endpoint->v4.sin_port));
    } else {
        (void)inet_ntop(AF_INET6, &endpoint->v6.sin6_addr, host, sizeof(host));
        snprintf(buffer, BOUGH_ENDPOINT_TEXT, "[%s]:%d", host,
                 ntohs(endpoint->v6.sin6_port));
    }
    return buffer;
}
