/* body.c - the body of a request, understood: an object of known members.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/body.h>

#include <string.h>

#include <bough/config/suggest.h>
#include <bough/config/units.h>

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

/* An optional member that is true or false. */
static bool flag_member(struct bough_request *request, const json_t *json,
                        const char *name, bool *flag)
{
    const json_t *member = json_object_get(json, name);

    if (member == NULL) return true;
    *flag = json_is_true(member);
    if (json_is_boolean(member)) return true;
    bough_request_refuse(request, BOUGH_EINVALID, "\"%s\" must be true or false", name);
    return false;
}

static bool priority_member(struct bough_request *request, struct bough_body *body)
{
    const char *text = "normal";

    if (!text_member(request, body->json, "priority", &text)) return false;
    body->high = strcmp(text, "high") == 0;
    if (body->high || strcmp(text, "normal") == 0) return true;
    bough_request_refuse(request, BOUGH_EINVALID,
                         "\"priority\" must be \"normal\" or \"high\"");
    return false;
}

static bool timeout_member(struct bough_request *request, struct bough_body *body)
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

bool bough_body_parse(struct bough_request *request, const char *const *allowed,
                      struct bough_body *body)
{
    json_error_t error;

    *body = (struct bough_body){ .json = NULL };
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
               flag_member(request, body->json, "wait", &body->wait) &&
               priority_member(request, body) && timeout_member(request, body)) {
        return true;
    }
    json_decref(body->json);
    return false;
}
