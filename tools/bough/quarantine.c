/* quarantine.c - messages that ended lives, over the control socket: what they are, and
 * putting them back or dropping them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/quarantine.h>

#include <string.h>

#include <bough/config/json_fields.h>
#include <bough/core/text.h>
#include <bough/tools/bough/body.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/message.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/request.h>

/* Looking */

static json_t *view(const struct bough_quarantined *one)
{
    char time[BOUGH_TIME_TEXT];
    json_t *object =
        json_pack("{s:I, s:s, s:o, s:s, s:b, s:o, s:I, s:I, s:I}", "number",
                  (json_int_t)one->number, "time",
                  bough_time_print(one->realtime_ns, time, sizeof(time)), "type",
                  bough_output_string(one->type->name), "priority",
                  one->high ? "high" : "normal", "asked", one->asked, "sender",
                  one->sender[0] != '\0' ? bough_output_string(one->sender) : json_null(),
                  "life", (json_int_t)one->life, "lives", (json_int_t)one->lives, "size",
                  (json_int_t)one->size);
    int failed = object == NULL;

    if (!failed)
        failed |= json_object_update_new(
            object, bough_message_json(one->type, one->message, one->size));
    if (!failed) failed |= bough_history_add_reason(object, one->reason);
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

struct views {
    json_t *array; /* NULL: memory is out */
};

static void add_view(void *data, const struct bough_quarantined *one)
{
    struct views *views = data;

    if (views->array == NULL) return;
    if (json_array_append_new(views->array, view(one)) == 0) return;
    json_decref(views->array);
    views->array = NULL;
}

void bough_quarantine_get(struct bough_request *request, const char *path)
{
    struct views views = { .array = NULL };
    struct bough_place_info info;
    struct bough_address place;
    enum bough_status status;

    if (!bough_request_find(request, path, &place, &info)) return;
    views.array = json_array();
    status = bough_quarantine_visit(place, add_view, &views);
    if (status != BOUGH_OK) {
        json_decref(views.array);
        bough_request_no_path(request, path);
        return;
    }
    bough_request_json(request, MHD_HTTP_OK,
                       views.array != NULL
                           ? json_pack("{s:s, s:I, s:o}", "path", info.path, "lost",
                                       (json_int_t)info.quarantine_lost, "messages",
                                       views.array)
                           : NULL);
}

/* Putting back and dropping */

static void refuse(struct bough_request *request, enum bough_status status,
                   uint64_t number, size_t count)
{
    const bool all = number == BOUGH_QUARANTINE_ALL;

    if (status == BOUGH_ENOTFOUND)
        bough_request_refuse(request, status, "no message %llu is in quarantine",
                             (unsigned long long)number);
    else if (status == BOUGH_EFULL && all)
        bough_request_refuse(
            request, status,
            "the mailbox is full: %zu went back, the others stay in quarantine", count);
    else if (status == BOUGH_EFULL)
        bough_request_refuse(request, status,
                             "the mailbox is full: it stays in quarantine");
    else if (status == BOUGH_EINVALID)
        bough_request_refuse(request, status,
                             "an actor of another type lives there by now");
    else if (status == BOUGH_EGONE)
        bough_request_refuse(request, status, "nobody is expected there to run it");
    else
        bough_request_refuse(request, status, "%s", bough_status_text(status));
}

/* False: refused. */
static bool number_of(struct bough_request *request, const struct bough_body *body,
                      uint64_t *number)
{
    const json_t *given = json_object_get(body->json, "number");

    *number = BOUGH_QUARANTINE_ALL;
    if (given == NULL) return true;
    if (json_is_integer(given) && json_integer_value(given) > 0) {
        *number = (uint64_t)json_integer_value(given);
        return true;
    }
    bough_request_refuse(request, BOUGH_EINVALID,
                         "\"number\" must be that of a message, 1 or more");
    return false;
}

static void act(struct bough_request *request, struct bough_address place,
                const struct bough_body *body)
{
    const char *what = json_string_value(json_object_get(body->json, "do"));
    const bool back = what != NULL && strcmp(what, "put_back") == 0;
    enum bough_status status;
    uint64_t number;
    size_t count = 0;

    if (!back && (what == NULL || strcmp(what, "drop") != 0)) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "\"do\" must be \"put_back\" or \"drop\"");
        return;
    }
    if (!number_of(request, body, &number)) return;
    status = back ? bough_quarantine_put_back(place, number, &count)
                  : bough_quarantine_drop(place, number, &count);
    if (status == BOUGH_OK)
        bough_request_json(request, MHD_HTTP_OK,
                           json_pack("{s:I}", "count", (json_int_t)count));
    else
        refuse(request, status, number, count);
}

void bough_action_quarantine(struct bough_request *request, const char *path)
{
    static const char *const allowed[] = { "do", "number", NULL };
    struct bough_place_info info;
    struct bough_address place;
    struct bough_body body;

    if (!bough_request_find(request, path, &place, &info)) return;
    if (!bough_body_parse(request, allowed, &body)) return;
    act(request, place, &body);
    json_decref(body.json);
}
