/* port.c - the port at which a tree shows its metrics over HTTP, and nothing else.
 *
 * A daemon of its own beside that of the control socket, so that whoever fills this one
 * with connections is no trouble there.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/port.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/runtime.h>
#include <bough/tools/bough/daemon.h>
#include <bough/tools/bough/scrape.h>

enum {
    BACKLOG = 64,
    MEMORY = 8 * 1024, /* bytes of one connection, for the head of a request */
    IDLE_SECONDS = 5,  /* a connection that says nothing is closed, also one whose end the
                          daemon has overlooked, as it came with half a request */
};

struct bough_port {
    struct bough_figures_source source;
    struct bough_endpoint endpoint;
    struct bough_daemon daemon;
};

/* Listening */

static enum bough_status fail(const struct bough_endpoint *endpoint,
                              struct bough_error *error)
{
    const int errno_value = errno;
    char text[BOUGH_ENDPOINT_TEXT];

    bough_endpoint_print(endpoint, text);
    if (errno_value == EADDRINUSE)
        return bough_error_set(error, BOUGH_ESYSTEM,
                               "cannot serve metrics at %s: the port is in use; "
                               "\"metrics\" in the file and --metrics take another, or 0 "
                               "for any that is free",
                               text);
    if (errno_value == EADDRNOTAVAIL)
        return bough_error_set(
            error, BOUGH_ESYSTEM,
            "cannot serve metrics at %s: no network interface has this "
            "address (`ip address` shows those that there are)",
            text);
    if (errno_value == EACCES)
        return bough_error_set(error, BOUGH_ESYSTEM,
                               "cannot serve metrics at %s: this port is root's; those "
                               "from 1024 on are for everybody",
                               text);
    return bough_error_system(error, "cannot serve metrics at %s", text);
}

/* A socket that has the address; -1: none, and errno says why. A port on which a
 * connection was closed a moment ago is free. */
static int bind_to(const struct bough_endpoint *endpoint)
{
    const int yes = 1;
    const int fd =
        socket(endpoint->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        bind(fd, &endpoint->any, endpoint->size) == 0)
        return fd;
    const int errno_value = errno;
    close(fd);
    errno = errno_value;
    return -1;
}

enum bough_status bough_port_check(const struct bough_endpoint *endpoint,
                                   struct bough_error *error)
{
    const int fd = bind_to(endpoint);

    if (fd < 0) return errno == EADDRINUSE ? BOUGH_OK : fail(endpoint, error);
    close(fd);
    return BOUGH_OK;
}

static enum bough_status listen_at(const struct bough_endpoint *endpoint, int *fd,
                                   struct bough_endpoint *found,
                                   struct bough_error *error)
{
    const int made = bind_to(endpoint);
    socklen_t size = sizeof(found->v6);

    if (made < 0) return fail(endpoint, error);
    *found = *endpoint;
    if (listen(made, BACKLOG) == 0 && getsockname(made, &found->any, &size) == 0) {
        *fd = made;
        return BOUGH_OK;
    }
    const enum bough_status status = fail(endpoint, error);
    close(made);
    return status;
}

/* Answering */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int code,
                              const char *text, const char *allow)
{
    struct MHD_Response *response = bough_http.MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (response == NULL) return MHD_NO;
    (void)bough_http.MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                             "text/plain; charset=utf-8");
    if (allow != NULL)
        (void)bough_http.MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    result = bough_http.MHD_queue_response(connection, code, response);
    bough_http.MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_metrics(const struct bough_port *port,
                                      struct MHD_Connection *connection)
{
    struct MHD_Response *response = bough_scrape_new(&port->source);
    enum MHD_Result result;

    if (response == NULL)
        return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "the tree is down, or memory is out\n", NULL);
    result = bough_http.MHD_queue_response(connection, MHD_HTTP_OK, response);
    bough_http.MHD_destroy_response(response);
    return result;
}

/* Called with the head of a request, and then once more: a request with a body is refused
 * before that comes. */
static enum MHD_Result handle(void *data, struct MHD_Connection *connection,
                              const char *path, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **context)
{
    (void)version, (void)upload, (void)upload_size;
    if (strcmp(path, "/metrics") != 0 && strcmp(path, "/v1/metrics") != 0)
        return answer(connection, MHD_HTTP_NOT_FOUND, "there is /metrics alone here\n",
                      NULL);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "GET and HEAD are allowed here, and nothing else\n", "GET, HEAD");
    if (*context == NULL) {
        *context = data;
        return MHD_YES;
    }
    return answer_metrics(data, connection);
}

static struct MHD_Daemon *daemon_new(struct bough_port *port, int fd)
{
    return bough_http.MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, port, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)BOUGH_PORT_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_SECONDS, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

/* The port */

enum bough_status bough_port_new(const struct bough_figures_source *source,
                                 const char *text, struct bough_port **result,
                                 struct bough_error *error)
{
    struct bough_port *port = calloc(1, sizeof(*port));
    struct bough_endpoint endpoint;
    struct MHD_Daemon *mhd;
    enum bough_status status;
    int fd = -1;

    if (port == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    port->source = *source;
    status = bough_http_load(error);
    if (status == BOUGH_OK) status = bough_endpoint_parse(text, &endpoint, error);
    if (status == BOUGH_OK) status = listen_at(&endpoint, &fd, &port->endpoint, error);
    if (status != BOUGH_OK) goto free_port;
    mhd = daemon_new(port, fd);
    if (mhd == NULL) {
        status = bough_error_set(error, BOUGH_EFAILED, "cannot serve metrics over HTTP");
        goto close_fd;
    }
    bough_daemon_start(&port->daemon, bough_loop_ev(source->loop), mhd);
    bough_runtime_measure(bough_loop_runtime(source->loop));
    *result = port;
    return BOUGH_OK;

close_fd:
    close(fd);
free_port:
    free(port);
    return status;
}

const struct bough_endpoint *bough_port_endpoint(const struct bough_port *port)
{
    return &port->endpoint;
}

/* The daemon closes what it listens at. */
void bough_port_free(struct bough_port *port)
{
    if (port == NULL) return;
    bough_daemon_stop(&port->daemon);
    free(port);
}
