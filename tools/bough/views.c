/* views.c - how declared trees and types of actors look in JSON.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/views.h>

#include <string.h>

#include <bough/config/schema.h>
#include <bough/core/place.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/output.h>

static json_t *nullable(const char *text)
{
    return text != NULL ? bough_output_string(text) : json_null();
}

/* Trees that do not run */

static json_t *view_supervisor(const char *path, const char *name,
                               const struct bough_child_spec *spec,
                               const struct bough_supervisor_options *options);

static json_t *view_child(const char *above, const struct bough_child_spec *spec)
{
    char path[BOUGH_PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", strcmp(above, "/") == 0 ? "" : above,
             spec->name);
    if (spec->type == &bough_supervisor_type) {
        return view_supervisor(path, spec->name, spec, spec->options);
    }
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:[]}", "path", path, "name", spec->name,
                     "type", nullable(spec->type->name), "restart",
                     bough_restart_names[spec->restart], "isolation",
                     bough_isolation_names[spec->isolation], "children");
}

/* `spec` is NULL of the root: nobody restarts it. */
static json_t *view_supervisor(const char *path, const char *name,
                               const struct bough_child_spec *spec,
                               const struct bough_supervisor_options *options)
{
    const char *restart = spec != NULL ? bough_restart_names[spec->restart] : NULL;
    const char *isolation =
        bough_isolation_names[spec != NULL ? spec->isolation : BOUGH_INLINE];
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
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:o}", "path", path,
                     "name", name, "type", "supervisor", "restart", nullable(restart),
                     "isolation", isolation, "strategy",
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
