/* views.c - how places and types of actors look in JSON.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/views.h>

#include <string.h>

#include <bough/config/schema.h>
#include <bough/core/place.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/output.h>

/* Places that live */

static json_t *nullable(const char *text)
{
    return text != NULL ? bough_output_string(text) : json_null();
}

/* "reserved" is a matter of the core: for people, nobody lives there yet. */
static const char *state_name(enum bough_place_state state)
{
    return bough_place_state_name(state == BOUGH_PLACE_RESERVED ? BOUGH_PLACE_STOPPED
                                                                : state);
}

static json_t *view_place(const struct bough_place_info *info)
{
    return json_pack(
        "{s:s, s:o, s:s, s:I, s:I, s:o, s:s, s:o, s:I, s:{s:I, s:I, s:I}, s:I}", "path",
        info->path, "type", nullable(info->type != NULL ? info->type->name : NULL),
        "state", state_name(info->state), "life", (json_int_t)info->life, "restarts",
        (json_int_t)info->restarts, "restart", nullable(info->restart), "isolation",
        info->isolation != NULL ? info->isolation : "inline", "pid",
        info->pid != 0 ? json_integer(info->pid) : json_null(), "uptime_ms",
        (json_int_t)info->uptime_ms, "mailbox", "length",
        (json_int_t)info->mailbox_length, "capacity", (json_int_t)info->mailbox_capacity,
        "dropped", (json_int_t)info->dropped, "handled", (json_int_t)info->handled);
}

struct visit {
    json_t *places;
    bool failed;
};

static void visit_place(void *data, struct bough_address place,
                        const struct bough_place_info *info)
{
    struct visit *visit = data;

    (void)place;
    if (visit->failed) return;
    visit->failed = json_array_append_new(visit->places, view_place(info)) != 0;
}

enum bough_status bough_view_places(struct bough_loop *loop, const char *path,
                                    json_t **places)
{
    struct visit visit = { .places = json_array() };
    enum bough_status status;

    if (visit.places == NULL) return BOUGH_ENOMEM;
    status = bough_place_visit(loop, path, visit_place, &visit);
    if (status == BOUGH_OK && visit.failed) status = BOUGH_ENOMEM;
    if (status == BOUGH_OK) {
        *places = visit.places;
    } else {
        json_decref(visit.places);
    }
    return status;
}

/* Nesting */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* The place above, among those seen so far by their paths; NULL for the topmost. */
static json_t *parent_of(json_t *seen, const char *path)
{
    char parent[BOUGH_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length;

    if (slash == NULL || slash[1] == '\0') return NULL;
    length = slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof(parent)) return NULL;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return json_object_get(seen, parent);
}

static int nest_place(json_t *seen, json_t **top, json_t *place)
{
    const char *path = json_string_value(json_object_get(place, "path"));
    json_t *parent = parent_of(seen, path);

    if (json_object_set_new(place, "name", json_string(name_of(path))) != 0) return -1;
    if (json_object_set_new(place, "children", json_array()) != 0) return -1;
    if (json_object_set(seen, path, place) != 0) return -1;
    if (parent != NULL) {
        return json_array_append(json_object_get(parent, "children"), place);
    }
    if (*top == NULL) *top = json_incref(place);
    return 0;
}

json_t *bough_view_nested(json_t *places)
{
    json_t *seen = json_object(), *top = NULL, *place;
    int failed = seen == NULL;
    size_t index;

    json_array_foreach (places, index, place) {
        if (!failed) failed = nest_place(seen, &top, place);
    }
    json_decref(seen);
    json_decref(places);
    if (failed) {
        json_decref(top);
        return NULL;
    }
    return top;
}

/* Trees that do not run */

static json_t *view_supervisor(const char *path, const char *name, const char *restart,
                               const struct bough_supervisor_options *options);

static json_t *view_child(const char *above, const struct bough_child_spec *spec)
{
    char path[BOUGH_PATH_MAX];
    const char *restart = bough_restart_names[spec->restart];

    snprintf(path, sizeof(path), "%s/%s", strcmp(above, "/") == 0 ? "" : above,
             spec->name);
    if (spec->type == &bough_supervisor_type) {
        return view_supervisor(path, spec->name, restart, spec->options);
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "path", path, "name", spec->name,
                     "type", spec->type->name, "restart", restart, "children");
}

static json_t *view_supervisor(const char *path, const char *name, const char *restart,
                               const struct bough_supervisor_options *options)
{
    const json_int_t intensity = options->any_intensity || options->intensity != 0
                                     ? (json_int_t)options->intensity
                                     : 1;
    const json_int_t period = options->period_ms != 0 ? options->period_ms : 5000;
    json_t *children = json_array();
    int failed = children == NULL;

    for (size_t i = 0; i < options->child_count && !failed; i++) {
        failed = json_array_append_new(children, view_child(path, &options->children[i]));
    }
    if (failed) {
        json_decref(children);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:o}", "path", path, "name",
                     name, "type", "supervisor", "restart", nullable(restart), "strategy",
                     bough_strategy_names[options->strategy], "intensity", intensity,
                     "period_ms", period, "children", children);
}

json_t *bough_view_options(const struct bough_supervisor_options *options)
{
    return view_supervisor("/", "/", NULL, options);
}

/* Types */

static json_t *view_fields(const struct bough_field *fields, size_t count)
{
    json_t *object = json_object();
    int failed = object == NULL;

    for (size_t i = 0; i < count && !failed; i++) {
        const char *name = fields[i].name != NULL ? fields[i].name : "";

        failed = json_object_set_new(object, name, bough_field_schema(&fields[i]));
    }
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static json_t *view_required(const struct bough_field *fields, size_t count)
{
    json_t *names = json_array();
    int failed = names == NULL;

    for (size_t i = 0; i < count && !failed; i++) {
        if (fields[i].optional || fields[i].name == NULL) continue;
        failed = json_array_append_new(names, json_string(fields[i].name));
    }
    if (!failed) return names;
    json_decref(names);
    return NULL;
}

static json_t *view_message(const struct bough_message_type *message)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", message->name, "help",
                     nullable(message->help), "fields",
                     view_fields(message->fields, message->field_count), "required",
                     view_required(message->fields, message->field_count), "reply",
                     view_fields(message->reply, message->reply_count));
}

json_t *bough_view_type(const struct bough_actor_type *type)
{
    json_t *messages = json_array();
    int failed = messages == NULL;

    for (size_t i = 0; i < type->message_count && !failed; i++) {
        failed = json_array_append_new(messages, view_message(&type->messages[i]));
    }
    if (failed) {
        json_decref(messages);
        return NULL;
    }
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o}", "name", type->name, "help", nullable(type->help),
        "options", view_fields(type->options, type->option_count), "required",
        view_required(type->options, type->option_count), "messages", messages);
}

json_t *bough_view_types(const struct bough_actor_type *const *types)
{
    json_t *array = json_array();
    int failed = json_array_append_new(array, bough_view_type(&bough_supervisor_type));

    for (size_t i = 0; types[i] != NULL && !failed; i++) {
        failed = json_array_append_new(array, bough_view_type(types[i]));
    }
    if (!failed) return array;
    json_decref(array);
    return NULL;
}
