/* request.h - one HTTP request at the control socket, from its first byte to its last.
 *
 * READING until the body is there; then its route answers it at once, or suspends it and
 * answers later; a stream is answered piece by piece. control.c owns the requests and
 * frees each when libmicrohttpd is done with it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_REQUEST_H
#define BOUGH_TOOLS_BOUGH_REQUEST_H

#include <ev.h>
#include <jansson.h>

#include <bough/core/call.h>
#include <bough/tools/bough/control.h>
#include <bough/tools/bough/daemon.h>
#include <bough/tools/bough/journal.h>
#include <bough/tools/bough/reload.h>

enum bough_request_state {
    BOUGH_REQUEST_READING,
    BOUGH_REQUEST_SUSPENDED, /* waits for an actor, an event, or the end of the tree */
    BOUGH_REQUEST_ANSWERED   /* its response is being sent */
};

struct bough_request {
    struct bough_control *control;
    struct MHD_Connection *connection;
    enum bough_request_state state;

    char *body;
    size_t body_size, body_capacity; /* bytes */
    bool too_large;                  /* the body; it is read on, and refused at its end */
    bool no_room;                    /* likewise, for want of memory */

    struct MHD_Response *response; /* what to answer, with `code` */
    unsigned int code;
    bool gone; /* the client left; nothing more is sent */

    struct ev_io hangup; /* while suspended: tells when the client leaves */
    struct bough_request *next, **link; /* in the control's list; link NULL: not in it */

    /* A call */
    struct bough_call call;
    const struct bough_message_type *message;

    /* A start, stop or restart that is waited for; it goes on without the request */
    struct bough_errand *errand;

    /* An apply that is waited for; it goes on without the request, too */
    struct bough_reload *reload;

    /* A shutdown that waits for the end of the tree */
    bool awaits_end;

    /* A stream of events, or of lines of the log */
    json_t *(*next_object)(struct bough_request *request); /* NULL: none now */
    struct bough_journal_reader reader;
    bool streams;
    bool server_sent; /* text/event-stream; else one JSON object a line */
    bool follow;
    /* Of events: the one sent last, and the last one to send, unless follow */
    uint64_t seen, until;
    char *piece; /* what is being sent of it */
    size_t piece_size, piece_sent;
    bool ping; /* a comment is due */
};

struct bough_control {
    struct ev_loop *ev;
    struct bough_control_options options;
    char *path;
    int fd; /* listens; -1: no more */
    struct bough_daemon daemon;
    struct ev_timer ping;  /* comments on quiet streams */
    struct ev_async event; /* something happened, on whichever thread */
    struct bough_request *requests;
    size_t count;     /* of requests */
    size_t waiting;   /* streams that wait for an event */
    size_t body_size; /* bytes of all bodies held */
    bool closing;     /* the tree is down, or about to be freed */
};

/* Answers with JSON and takes it; NULL is `out of memory`. */
void bough_request_json(struct bough_request *request, unsigned int code, json_t *json);

/* Answers with {"error": {...}}. */
void bough_request_refuse(struct bough_request *request, enum bough_status status,
                          const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with an error that says more, but for its status; takes it; NULL is `out of
 * memory`. */
void bough_request_fail(struct bough_request *request, enum bough_status status,
                        json_t *error);

/* The same for a path at which nobody lives: tells it from a `not_found` of an actor by a
 * member `path`. */
void bough_request_no_path(struct bough_request *request, const char *path);

/* The place of that path and what lives there; false, refused, when there is none. */
struct bough_place_info;
bool bough_request_find(struct bough_request *request, const char *path,
                        struct bough_address *place, struct bough_place_info *info);

/* Lets the request wait; bough_request_resume() goes on. */
void bough_request_suspend(struct bough_request *request);

/* Fine on one that does not wait. */
void bough_request_resume(struct bough_request *request);

/* routes.c: answers or suspends a request that is complete. */
void bough_route(struct bough_request *request, const char *method, const char *path);

/* actions.c: POST /v1/actors/PATH/call, send and kill, POST /v1/shutdown. */
void bough_action_call(struct bough_request *request, const char *path);
void bough_action_send(struct bough_request *request, const char *path);
void bough_action_kill(struct bough_request *request, const char *path);
void bough_action_shutdown(struct bough_request *request);

/* quarantine.c: GET and POST /v1/actors/PATH/quarantine. */
void bough_quarantine_get(struct bough_request *request, const char *path);
void bough_action_quarantine(struct bough_request *request, const char *path);

/* errands.c: POST /v1/actors/PATH/start, stop and restart. */
void bough_action_start(struct bough_request *request, const char *path);
void bough_action_stop(struct bough_request *request, const char *path);
void bough_action_restart(struct bough_request *request, const char *path);

/* The request no longer waits for its errand. Fine on one that has none. */
void bough_errand_leave(struct bough_request *request);

/* The query's number of that name, `fallback` when it is not given; false when it is not
 * one. */
bool bough_request_number(struct bough_request *request, const char *name,
                          uint64_t fallback, uint64_t *number);

/* stream.c: GET /v1/events. */
void bough_events_begin(struct bough_request *request);

/* logs.c: GET /v1/logs. */
void bough_logs_begin(struct bough_request *request);

/* Answers with what request->next_object() returns, bit by bit: with `follow` as
 * server-sent events until the tree ends, otherwise an object a line. Then what wakes the
 * streams. */
void bough_stream_begin(struct bough_request *request, bool follow);
void bough_stream_wake(struct bough_control *control);
void bough_stream_ping(struct bough_control *control);

#endif
