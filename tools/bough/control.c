/* control.c - a tree's control socket: the daemon on the loop, and the life of a request.
 *
 * libmicrohttpd calls handle() once with the head of a request, then for each piece of
 * its body, then once more; a request that was suspended comes there again after its
 * resumption.
 *
 * A suspended connection is watched by nobody but us: `hangup` tells when its client
 * leaves.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/control.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/request.h>
#include <bough/tools/bough/sockets.h>

enum {
    HEAD_MEMORY =
        8 * 1024,      /* bytes for the head of a request: a path of 1 KiB, escaped */
    IDLE_SECONDS = 60, /* a connection that says nothing is closed */
};
static const double PING_SECONDS =
    15; /* a stream that is quiet shows so that it is there */

/* What wakes streams */

static void on_ping(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)events;
    bough_stream_ping(timer->data);
}

/* On the thread where it happened. */
static void on_event(void *data)
{
    struct bough_control *control = data;

    ev_async_send(control->ev, &control->event);
}

static void on_events(struct ev_loop *ev, struct ev_async *async, int events)
{
    (void)ev, (void)events;
    bough_stream_wake(async->data);
}

/* Suspension */

/* Comments are due only while a stream waits, and none has had an event for a while. */
static void stream_waits(struct bough_control *control)
{
    if (control->waiting++ == 0) ev_timer_again(control->ev, &control->ping);
}

static void stream_goes_on(struct bough_control *control)
{
    if (--control->waiting == 0) ev_timer_stop(control->ev, &control->ping);
}

static void on_hangup(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct bough_request *request = io->data;
    struct pollfd state = { .fd = io->fd, .events = POLLIN | POLLRDHUP };

    (void)events;
    if (poll(&state, 1, 0) < 0) return;
    if ((state.revents & (POLLHUP | POLLERR)) == 0) {
        /* The next request already, or only the sending half is closed: an answer is
         * still wanted. There is nothing more to learn from this watcher. */
        ev_io_stop(ev, io);
        return;
    }
    request->gone = true;
    bough_call_cancel(&request->call);
    bough_errand_leave(request);
    bough_reload_leave(request);
    bough_request_resume(request);
}

void bough_request_suspend(struct bough_request *request)
{
    const union MHD_ConnectionInfo *info = bough_http.MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    bough_assert(request->state != BOUGH_REQUEST_SUSPENDED);
    request->state = BOUGH_REQUEST_SUSPENDED;
    if (request->streams) stream_waits(request->control);
    bough_http.MHD_suspend_connection(request->connection);
    if (info == NULL) return;
    ev_io_init(&request->hangup, on_hangup, info->connect_fd, EV_READ);
    request->hangup.data = request;
    ev_io_start(request->control->ev, &request->hangup);
}

void bough_request_resume(struct bough_request *request)
{
    struct bough_control *control = request->control;

    if (request->state != BOUGH_REQUEST_SUSPENDED) return;
    request->state = BOUGH_REQUEST_ANSWERED;
    if (request->streams) stream_goes_on(control);
    ev_io_stop(control->ev, &request->hangup);
    bough_http.MHD_resume_connection(request->connection);
    bough_daemon_resumed(&control->daemon);
}

/* Requests */

static struct bough_request *request_new(struct bough_control *control,
                                         struct MHD_Connection *connection)
{
    struct bough_request *request = calloc(1, sizeof(*request));

    if (request == NULL) return NULL;
    request->control = control;
    request->connection = connection;
    request->next = control->requests;
    request->link = &control->requests;
    if (request->next != NULL) request->next->link = &request->next;
    control->requests = request;
    control->count++;
    return request;
}

static void drop_body(struct bough_request *request)
{
    request->control->body_size -= request->body_capacity;
    free(request->body);
    request->body = NULL;
    request->body_size = request->body_capacity = 0;
}

static void request_free(struct bough_request *request)
{
    struct bough_control *control = request->control;

    bough_call_cancel(&request->call);
    bough_errand_leave(request);
    bough_journal_close(&request->reader);
    bough_reload_leave(request);
    ev_io_stop(control->ev, &request->hangup);
    *request->link = request->next;
    if (request->next != NULL) request->next->link = request->link;
    control->count--;
    drop_body(request);
    free(request->piece);
    if (request->response != NULL) bough_http.MHD_destroy_response(request->response);
    free(request);
}

/* Makes room for `more` bytes of body and a NUL; false when that is too much. */
static bool reserve(struct bough_request *request, size_t more)
{
    struct bough_control *control = request->control;
    size_t capacity = request->body_capacity != 0 ? request->body_capacity : 512;
    char *body;

    if (request->body_size + more > BOUGH_CONTROL_BODY) {
        request->too_large = true;
        return false;
    }
    while (capacity < request->body_size + more + 1)
        capacity *= 2;
    if (capacity == request->body_capacity) return true;
    if (control->body_size - request->body_capacity + capacity <= BOUGH_CONTROL_BODIES) {
        body = realloc(request->body, capacity);
    } else {
        body = NULL;
    }
    if (body == NULL) {
        request->no_room = true;
        return false;
    }
    control->body_size += capacity - request->body_capacity;
    request->body = body;
    request->body_capacity = capacity;
    return true;
}

static void take_body(struct bough_request *request, const char *data, size_t size)
{
    if (request->too_large || request->no_room) return;
    if (!reserve(request, size)) {
        drop_body(request);
        return;
    }
    memcpy(request->body + request->body_size, data, size);
    request->body_size += size;
    request->body[request->body_size] = '\0';
}

static bool permitted(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        bough_http.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (info == NULL) return false;
    if (getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

/* The head has come: what can be refused by it alone is refused. */
static void begin(struct bough_request *request)
{
    const char *length = bough_http.MHD_lookup_connection_value(
        request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    if (!permitted(request->connection)) {
        bough_request_refuse(request, BOUGH_EDENIED, "the tree belongs to another user");
    } else if (length != NULL && strtoull(length, NULL, 10) > BOUGH_CONTROL_BODY) {
        bough_request_refuse(request, BOUGH_ETOOLARGE, "the body has more than %d bytes",
                             BOUGH_CONTROL_BODY);
    }
}

/* All of it has come. */
static void complete(struct bough_request *request, const char *method, const char *path)
{
    if (request->too_large) {
        bough_request_refuse(request, BOUGH_ETOOLARGE, "the body has more than %d bytes",
                             BOUGH_CONTROL_BODY);
    } else if (request->no_room) {
        bough_request_refuse(request, BOUGH_EFULL, "too many large requests at once");
    } else {
        bough_route(request, method, path);
    }
    drop_body(request); /* understood by now: a call that waits does not keep it */
}

static enum MHD_Result respond(struct bough_request *request)
{
    request->state = BOUGH_REQUEST_ANSWERED;
    return bough_http.MHD_queue_response(request->connection, request->code,
                                         request->response);
}

static enum MHD_Result handle(void *data, struct MHD_Connection *connection,
                              const char *path, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **context)
{
    struct bough_request *request = *context;

    (void)version;
    if (request == NULL) {
        request = request_new(data, connection);
        if (request == NULL) return MHD_NO;
        *context = request;
        begin(request);
        return request->response != NULL ? respond(request) : MHD_YES;
    }
    if (*upload_size > 0) {
        take_body(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (request->gone) return MHD_NO;
    if (request->state == BOUGH_REQUEST_READING) complete(request, method, path);
    if (request->response != NULL) return respond(request);
    return request->state == BOUGH_REQUEST_SUSPENDED ? MHD_YES : MHD_NO;
}

static void completed(void *data, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode why)
{
    (void)data, (void)connection, (void)why;
    if (*context == NULL) return;
    request_free(*context);
    *context = NULL;
}

/* The control socket */

static struct MHD_Daemon *daemon_new(struct bough_control *control)
{
    const unsigned int limit = (unsigned int)control->options.connection_limit;

    return bough_http.MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, control,
        MHD_OPTION_LISTEN_SOCKET, control->fd, MHD_OPTION_NOTIFY_COMPLETED, completed,
        control, MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void watch_streams(struct bough_control *control)
{
    ev_timer_init(&control->ping, on_ping, 0, PING_SECONDS);
    ev_async_init(&control->event, on_events);
    ev_async_start(control->ev, &control->event);
    control->ping.data = control->event.data = control;
}

enum bough_status bough_control_new(const struct bough_control_options *options,
                                    struct bough_control **result,
                                    struct bough_error *error)
{
    struct bough_control *control = calloc(1, sizeof(*control));
    enum bough_status status = BOUGH_ENOMEM;
    struct MHD_Daemon *mhd;

    if (control == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    control->options = *options;
    control->ev = bough_loop_ev(options->loop);
    control->path = strdup(options->path);
    if (control->path == NULL) {
        bough_error_set(error, status, "out of memory");
        goto free_control;
    }
    status = bough_http_load(error);
    if (status == BOUGH_OK)
        status = bough_socket_listen(control->path, &control->fd, error);
    if (status != BOUGH_OK) goto free_path;
    mhd = daemon_new(control);
    if (mhd == NULL) {
        status = bough_error_set(error, BOUGH_EFAILED, "cannot serve HTTP at %s",
                                 control->path);
        goto remove_socket;
    }
    watch_streams(control);
    bough_daemon_start(&control->daemon, control->ev, mhd);
    bough_history_listen(options->history, on_event, control);
    bough_journal_listen(options->journal, on_event, control);
    *result = control;
    return BOUGH_OK;

remove_socket:
    bough_socket_remove(control->path, control->fd);
free_path:
    free(control->path);
free_control:
    free(control);
    return status;
}

/* Those who wait for the end of the tree are told; streams see the end by themselves. */
static void answer_waiters(struct bough_control *control)
{
    struct bough_request *request, *next;

    for (request = control->requests; request != NULL; request = next) {
        next = request->next;
        if (!request->awaits_end || request->state != BOUGH_REQUEST_SUSPENDED) continue;
        bough_request_json(request, MHD_HTTP_OK, json_pack("{s:b}", "stopped", 1));
        bough_request_resume(request);
    }
}

void bough_control_close(struct bough_control *control)
{
    if (control->closing) return;
    control->closing = true;
    if (bough_http.MHD_quiesce_daemon(control->daemon.mhd) != MHD_INVALID_SOCKET) {
        bough_socket_remove(control->path, control->fd);
        control->fd = -1;
    }
    answer_waiters(control);
    bough_stream_wake(control);
}

size_t bough_control_pending(const struct bough_control *control)
{
    return control->count;
}

/* The daemon does not stop while a connection is suspended. */
static void resume_all(struct bough_control *control)
{
    struct bough_request *request, *next;

    for (request = control->requests; request != NULL; request = next) {
        next = request->next;
        request->gone = true;
        bough_request_resume(request);
    }
}

void bough_control_free(struct bough_control *control)
{
    if (control == NULL) return;
    bough_control_close(control);
    bough_history_listen(control->options.history, NULL, NULL);
    bough_journal_listen(control->options.journal, NULL, NULL);
    resume_all(control);
    ev_timer_stop(control->ev, &control->ping);
    ev_async_stop(control->ev, &control->event);
    bough_daemon_stop(&control->daemon);
    bough_assert(control->count == 0);
    if (control->fd >= 0) bough_socket_remove(control->path, control->fd);
    free(control->path);
    free(control);
}
