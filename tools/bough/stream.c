/* stream.c - GET /v1/events: what happened so far, and with follow=1 what happens; and
 * what all streams share.
 *
 * A stream remembers the number of the event it sent last and asks the history for the
 * next, one at a time, so a slow reader costs no memory; what it was too slow for is
 * gone. With follow=1 it is a stream of server-sent events (id: the number of an event,
 * data: the object), which ends with the tree; otherwise one JSON object a line.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tools/bough/history.h>
#include <bough/tools/bough/request.h>

enum { BLOCK = 4096 }; /* bytes that the daemon asks for at once */

/* The next event; NULL when there is none now. */
static json_t *next_event(struct bough_request *request)
{
    struct bough_history *history = request->control->options.history;
    json_t *json = NULL;

    bough_history_lock(history);
    const struct bough_event *event = bough_history_after(history, request->seen);
    if (event != NULL && (request->follow || event->seq <= request->until)) {
        request->seen = event->seq;
        json = bough_history_json(event);
    }
    bough_history_unlock(history);
    return json;
}

/* Prints what is next into `piece`. False: there is none now. */
static bool next_piece(struct bough_request *request)
{
    json_t *json = request->next_object(request);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    int length = -1;

    json_decref(json);
    if (text == NULL) return false;
    if (request->server_sent && request->seen != 0) {
        length = asprintf(&request->piece, "id: %llu\ndata: %s\n\n",
                          (unsigned long long)request->seen, text);
    } else if (request->server_sent) {
        length = asprintf(&request->piece, "data: %s\n\n", text);
    } else {
        length = asprintf(&request->piece, "%s\n", text);
    }
    free(text);
    if (length < 0) {
        request->piece = NULL;
        return false;
    }
    request->piece_size = (size_t)length;
    request->piece_sent = 0;
    return true;
}

static ssize_t take_piece(struct bough_request *request, char *buffer, size_t size)
{
    const size_t left = request->piece_size - request->piece_sent;
    const size_t taken = left < size ? left : size;

    memcpy(buffer, request->piece + request->piece_sent, taken);
    request->piece_sent += taken;
    if (request->piece_sent == request->piece_size) {
        free(request->piece);
        request->piece = NULL;
    }
    return (ssize_t)taken;
}

/* Called by the daemon whenever it can send more. */
static ssize_t read_stream(void *data, uint64_t position, char *buffer, size_t size)
{
    static const char comment[] = ": still here\n\n";
    struct bough_request *request = data;

    (void)position;
    if (request->gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (request->piece != NULL || next_piece(request))
        return take_piece(request, buffer, size);
    if (!request->follow || request->control->closing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (request->ping && size >= sizeof(comment) - 1) {
        request->ping = false;
        memcpy(buffer, comment, sizeof(comment) - 1);
        return sizeof(comment) - 1;
    }
    bough_request_suspend(request);
    return 0;
}

bool bough_request_number(struct bough_request *request, const char *name,
                          uint64_t fallback, uint64_t *number)
{
    const char *text = bough_http.MHD_lookup_connection_value(
        request->connection, MHD_GET_ARGUMENT_KIND, name);
    char *end;

    *number = fallback;
    if (text == NULL) return true;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static uint64_t last_event(struct bough_history *history)
{
    bough_history_lock(history);
    const uint64_t last = bough_history_last(history);
    bough_history_unlock(history);
    return last;
}

void bough_events_begin(struct bough_request *request)
{
    uint64_t follow;

    if (!bough_request_number(request, "since", 0, &request->seen)) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "since must be the number of an event");
        return;
    }
    if (!bough_request_number(request, "follow", 0, &follow) || follow > 1) {
        bough_request_refuse(request, BOUGH_EINVALID, "follow must be 0 or 1");
        return;
    }
    request->until = last_event(request->control->options.history);
    request->next_object = next_event;
    bough_stream_begin(request, follow == 1);
}

void bough_stream_begin(struct bough_request *request, bool follow)
{
    request->streams = true;
    request->follow = request->server_sent = follow;
    request->code = MHD_HTTP_OK;
    request->response = bough_http.MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, read_stream, request, NULL);
    if (request->response == NULL) {
        request->gone = true;
        return;
    }
    (void)bough_http.MHD_add_response_header(
        request->response, MHD_HTTP_HEADER_CONTENT_TYPE,
        request->server_sent ? "text/event-stream" : "application/x-ndjson");
    (void)bough_http.MHD_add_response_header(request->response,
                                             MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void bough_stream_wake(struct bough_control *control)
{
    struct bough_request *request, *next;

    for (request = control->requests; request != NULL && control->waiting > 0;
         request = next) {
        next = request->next;
        if (request->streams) bough_request_resume(request);
    }
}

void bough_stream_ping(struct bough_control *control)
{
    for (struct bough_request *request = control->requests; request != NULL;
         request = request->next) {
        if (!request->streams || request->state != BOUGH_REQUEST_SUSPENDED) continue;
        request->ping = true;
    }
    bough_stream_wake(control);
}
