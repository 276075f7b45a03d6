/* actions.c - what a client may do to actors: call, send, kill, and stop the tree.
 *
 * A call lies in its request, without an owner: its answer resumes the request, and a
 * client that leaves cancels it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/json_fields.h>
#include <bough/config/suggest.h>
#include <bough/config/units.h>
#include <bough/core/place.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/request.h>

enum { MESSAGE_BUFFER = 1024 }; /* bytes of a message that need no allocation */

/* A body: an object of known members. */

struct body {
    json_t *json; /* to be released */
    const char *message, *reason;
    json_t *fields; /* NULL: none */
    int64_t timeout_ms;
};

/* Members of a body, each of its JSON type; the names of those allowed end with NULL. */
static bool members_known(struct bough_request *request, json_t *json,
                          const char *const *allowed)
{
    const char *name;
    json_t *value;

    json_object_foreach (json, name, value) {
        const char *nearest;
        bool known = false;

        for (size_t i = 0; allowed[i] != NULL; i++) {
            if (strcmp(allowed[i], name) == 0) known = true;
        }
        if (known) continue;
        nearest = bough_suggest(name, allowed);
        bough_request_refuse(request, BOUGH_EINVALID, "unknown member \"%s\"%s%s%s", name,
                             nearest != NULL ? "; did you mean \"" : "",
                             nearest != NULL ? nearest : "",
                             nearest != NULL ? "\"?" : "");
        return false;
    }
    return true;
}

/* An optional member that is a text; false, refused, when it is something else. */
static bool text_member(struct bough_request *request, const json_t *json,
                        const char *name, const char **text)
{
    const json_t *member = json_object_get(json, name);

    if (member == NULL) return true;
    *text = json_string_value(member);
    if (*text != NULL && strlen(*text) == json_string_length(member)) return true;
    bough_request_refuse(request, BOUGH_EINVALID, "\"%s\" must be a text", name);
    return false;
}

static bool timeout_member(struct bough_request *request, struct body *body)
{
    struct bough_error error;
    const char *text = NULL;
    enum bough_status status;

    body->timeout_ms = BOUGH_CONTROL_CALL_MS;
    if (!text_member(request, body->json, "timeout", &text)) return false;
    if (text == NULL) return true;
    status = bough_duration_parse(text, &body->timeout_ms, &error);
    if (status == BOUGH_OK && body->timeout_ms > 0) return true;
    bough_request_refuse(request, BOUGH_EINVALID, "timeout: %s",
                         status != BOUGH_OK ? error.text : "must be longer than nothing");
    return false;
}

/* Understands the body, an absent one as {}. False: refused; there is nothing to release.
 */
static bool body_parse(struct bough_request *request, const char *const *allowed,
                       struct body *body)
{
    json_error_t error;

    *body = (struct body){ .json = NULL };
    if (request->body_size == 0) {
        body->json = json_object();
    } else {
        body->json = json_loadb(request->body, request->body_size,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    }
    if (body->json == NULL) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "the body is not JSON: %s (line %d, column "
                             "%d)",
                             error.text, error.line, error.column);
        return false;
    }
    body->fields = json_object_get(body->json, "fields");
    if (!json_is_object(body->json)) {
        bough_request_refuse(request, BOUGH_EINVALID, "the body must be an object");
    } else if (body->fields != NULL && !json_is_object(body->fields)) {
        bough_request_refuse(request, BOUGH_EINVALID, "\"fields\" must be an object");
    } else if (members_known(request, body->json, allowed) &&
               text_member(request, body->json, "message", &body->message) &&
               text_member(request, body->json, "reason", &body->reason) &&
               timeout_member(request, body)) {
        return true;
    }
    json_decref(body->json);
    return false;
}

/* Messages */

/* The place and what lives there; false, refused, when there is none. */
static bool find_place(struct bough_request *request, const char *path,
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
static bool make_message(struct bough_request *request, const struct body *body,
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
    static const char *const allowed[] = { "message", "fields", "timeout", NULL };
    alignas(max_align_t) char buffer[MESSAGE_BUFFER];
    struct bough_place_info info;
    struct bough_address place;
    struct bough_block block;
    struct body body;

    if (!find_place(request, path, &place, &info)) return;
    if (!body_parse(request, allowed, &body)) return;
    if (make_message(request, &body, place, buffer, sizeof(buffer), &block)) {
        request->call.done = call_done;
        request->call.timeout_ms = body.timeout_ms == BOUGH_FOREVER ? 0 : body.timeout_ms;
        bough_call_block(&request->call, place, &block);
        bough_request_suspend(request);
    }
    json_decref(body.json);
}

void bough_action_send(struct bough_request *request, const char *path)
{
    static const char *const allowed[] = { "message", "fields", NULL };
    alignas(max_align_t) char buffer[MESSAGE_BUFFER];
    struct bough_place_info info;
    struct bough_address place;
    struct bough_block block;
    struct body body;

    if (!find_place(request, path, &place, &info)) return;
    if (!body_parse(request, allowed, &body)) return;
    if (make_message(request, &body, place, buffer, sizeof(buffer), &block)) {
        const enum bough_status status = bough_send_block(place, &block);

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

static bool lives(enum bough_place_state state)
{
    return state == BOUGH_PLACE_STARTING || state == BOUGH_PLACE_RUNNING ||
           state == BOUGH_PLACE_STOPPING;
}

static void end_place(struct bough_request *request, struct bough_address place,
                      const struct bough_place_info *info, const char *name)
{
    struct bough_exit_reason reason;

    if (!reason_parse(name, &reason)) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "no reason \"%s\"; there are normal, "
                             "shutdown, error and kill",
                             name);
    } else if (!lives(info->state)) {
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
    struct body body;

    if (!find_place(request, path, &place, &info)) return;
    if (!body_parse(request, allowed, &body)) return;
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
