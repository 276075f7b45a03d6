/* actions.c - what a client may do to actors: call, send, kill, and stop the tree.
 *
 * A call lies in its request, without an owner: its answer resumes the request, and a
 * client that leaves cancels it.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/json_fields.h>
#include <bough/core/place.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/body.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/request.h>

enum { MESSAGE_BUFFER = 1024 }; /* bytes of a message that need no allocation */

/* Messages */

bool bough_request_find(struct bough_request *request, const char *path,
                        struct bough_address *place, struct bough_place_info *info)
{
    if (bough_lookup(request->control->options.loop, path, place) == BOUGH_OK &&
        bough_place_info(*place, info) == BOUGH_OK) {
        return true;
    }
    bough_request_no_path(request, path);
    return false;
}

/* What is wrong with a message, and where, unless that is one of its own fields: the text
 * names those. */
static void refuse_message(struct bough_request *request, enum bough_status status,
                           const struct bough_error *error)
{
    /* The path is there, so a message that is not is no `not_found`. */
    if (status == BOUGH_ENOTFOUND) status = BOUGH_EINVALID;
    if (strchr(error->pointer, '/') != strrchr(error->pointer, '/'))
        bough_request_refuse(request, status, "%s (at %s)", error->text, error->pointer);
    else
        bough_request_refuse(request, status, "%s",
                             error->text[0] != '\0' ? error->text
                                                    : bough_status_text(status));
}

/* Begins the block of the message that the body asks for. False: refused, no block. */
static bool make_message(struct bough_request *request, const struct bough_body *body,
                         struct bough_address place, void *buffer, size_t size,
                         struct bough_block *block)
{
    struct bough_json_types types = { .all = bough_actor_types };
    struct bough_place_info info = { .speaks = NULL };
    struct bough_error error = { .text = "" };
    enum bough_status status = bough_place_info(place, &info);

    if (body->message == NULL) {
        bough_request_refuse(request, BOUGH_EINVALID, "\"message\" is missing");
        return false;
    }
    if (status != BOUGH_OK || info.speaks == NULL) {
        bough_request_refuse(request, BOUGH_EGONE, "nobody has lived there yet");
        return false;
    }
    types.options_of = bough_supervisor_template(place);
    status = bough_json_to_message(&types, info.speaks, body->message, body->fields,
                                   buffer, size, block, &request->message, &error);
    if (status == BOUGH_OK) return true;
    refuse_message(request, status, &error);
    return false;
}

/* Calls */

static json_t *reply_json(const struct bough_request *request)
{
    const struct bough_message_type *message = request->message;
    const struct bough_call *call = &request->call;

    if (message->reply_count == 0) return json_object();
    return bough_json_from_block(message->reply, message->reply_count, call->reply);
}

/* A reply comes from an actor's code: it is looked at before it is read by its table. */
static bool reply_sound(const struct bough_request *request)
{
    const struct bough_message_type *message = request->message;
    const struct bough_call *call = &request->call;

    if (message->reply_count == 0) return true;
    return call->reply_size >= message->reply_size &&
           bough_block_valid(message->reply, message->reply_count, call->reply,
                             message->reply_size, call->reply_size);
}

static void call_done(struct bough_call *call, enum bough_status status)
{
    struct bough_request *request = bough_container(call, struct bough_request, call);

    if (status != BOUGH_OK) {
        bough_request_refuse(request, status, "%s", bough_call_text(call, status));
    } else if (!reply_sound(request)) {
        bough_request_refuse(request, BOUGH_EFAILED,
                             "the answer is not as its type describes it");
    } else {
        bough_request_json(request, MHD_HTTP_OK, reply_json(request));
    }
    bough_request_resume(request);
}

void bough_action_call(struct bough_request *request, const char *path)
{
    static const char *const allowed[] = { "message", "fields", "timeout", "priority",
                                           NULL };
    alignas(max_align_t) char buffer[MESSAGE_BUFFER];
    struct bough_place_info info;
    struct bough_address place;
    struct bough_block block;
    struct bough_body body;

    if (!bough_request_find(request, path, &place, &info)) return;
    if (!bough_body_parse(request, allowed, &body)) return;
    if (make_message(request, &body, place, buffer, sizeof(buffer), &block)) {
        request->call.done = call_done;
        request->call.high = body.high;
        request->call.timeout_ms = body.timeout_ms == BOUGH_FOREVER ? 0 : body.timeout_ms;
        bough_call_block(&request->call, place, &block);
        bough_request_suspend(request);
    }
    json_decref(body.json);
}

void bough_action_send(struct bough_request *request, const char *path)
{
    static const char *const allowed[] = { "message", "fields", "priority", NULL };
    alignas(max_align_t) char buffer[MESSAGE_BUFFER];
    struct bough_place_info info;
    struct bough_address place;
    struct bough_block block;
    struct bough_body body;

    if (!bough_request_find(request, path, &place, &info)) return;
    if (!bough_body_parse(request, allowed, &body)) return;
    if (make_message(request, &body, place, buffer, sizeof(buffer), &block)) {
        const enum bough_status status = body.high ? bough_send_block_high(place, &block)
                                                   : bough_send_block(place, &block);

        if (status == BOUGH_OK) {
            bough_request_json(request, MHD_HTTP_ACCEPTED, json_pack("{s:b}", "sent", 1));
        } else {
            bough_request_refuse(request, status, "%s", bough_status_text(status));
        }
    }
    json_decref(body.json);
}

/* Ends */

static bool reason_parse(const char *name, struct bough_exit_reason *reason)
{
    static const struct {
        const char *name;
        enum bough_exit_kind kind;
        enum bough_status status;
    } reasons[] = {
        { "error", BOUGH_EXIT_ERROR, BOUGH_EFAILED },
        { "kill", BOUGH_EXIT_KILLED, BOUGH_OK },
        { "normal", BOUGH_EXIT_NORMAL, BOUGH_OK },
        { "shutdown", BOUGH_EXIT_SHUTDOWN, BOUGH_OK },
    };

    for (size_t i = 0; i < bough_count_of(reasons); i++) {
        if (strcmp(reasons[i].name, name) != 0) continue;
        *reason = bough_exit_make(reasons[i].kind, reasons[i].status, 0, "ended by hand");
        return true;
    }
    return false;
}

/* "signal:SEGV", "signal:SIGSEGV" or "signal:11". */
static int signal_parse(const char *name)
{
    static const char prefix[] = "signal:";
    int number;

    if (strncmp(name, prefix, strlen(prefix)) != 0) return 0;
    return bough_signal_parse(name + strlen(prefix), &number) ? number : 0;
}

static bool is_about_signal(const char *name)
{
    return strncmp(name, "signal", strlen("signal")) == 0;
}

/* False: answered already. */
static bool make_reason(struct bough_request *request,
                        const struct bough_place_info *info, const char *name,
                        struct bough_exit_reason *reason)
{
    const int number = signal_parse(name);

    if (reason_parse(name, reason)) return true;
    if (is_about_signal(name) && info->pid == 0) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "%s has no process of its own to send a signal to; "
                             "there are normal, shutdown, error and kill",
                             info->path);
        return false;
    }
    if (number == 0) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "no reason \"%s\"; there are normal, shutdown, error, kill "
                             "and, for an actor in a process, signal:NAME as in "
                             "signal:SEGV",
                             name);
        return false;
    }
    *reason = bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, number, "sent by hand");
    return true;
}

static bool lives(enum bough_place_state state)
{
    return state == BOUGH_PLACE_STARTING || state == BOUGH_PLACE_RUNNING ||
           state == BOUGH_PLACE_STOPPING;
}

static void end_place(struct bough_request *request, struct bough_address place,
                      const struct bough_place_info *info, const char *name)
{
    struct bough_exit_reason reason;

    if (!make_reason(request, info, name, &reason)) return;
    if (!lives(info->state)) {
        bough_request_refuse(request, BOUGH_EGONE, "nobody lives there now: it is %s",
                             bough_place_state_name(info->state));
    } else {
        bough_request_json(request, MHD_HTTP_ACCEPTED,
                           json_pack("{s:s, s:I, s:s}", "path", info->path, "life",
                                     (json_int_t)info->life, "reason", name));
        bough_end(place, &reason);
    }
}

void bough_action_kill(struct bough_request *request, const char *path)
{
    static const char *const allowed[] = { "reason", NULL };
    struct bough_place_info info;
    struct bough_address place;
    struct bough_body body;

    if (!bough_request_find(request, path, &place, &info)) return;
    if (!bough_body_parse(request, allowed, &body)) return;
    end_place(request, place, &info, body.reason != NULL ? body.reason : "error");
    json_decref(body.json);
}

void bough_action_shutdown(struct bough_request *request)
{
    struct bough_control *control = request->control;

    if (control->closing) {
        bough_request_json(request, MHD_HTTP_OK, json_pack("{s:b}", "stopped", 1));
        return;
    }
    request->awaits_end = true;
    bough_request_suspend(request);
    control->options.shutdown(control->options.data);
}
