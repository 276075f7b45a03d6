/* routes.c - which request means what, and the answers that are ready at once.
 *
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/config/schema.h>
#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/core/text.h>
#include <bough/tools/bough/nearby.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/places.h>
#include <bough/tools/bough/request.h>
#include <bough/tools/bough/scrape.h>
#include <bough/tools/bough/views.h>

/* Answers */

/* With a body of JSON, which is taken: freed with free(), also on failure. */
static void answer(struct bough_request *request, unsigned int code, char *body,
                   size_t size)
{
    bough_assert(request->response == NULL);
    request->code = code;
    request->response =
        bough_http.MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    if (request->response == NULL) {
        free(body);
        request->gone = true; /* no memory to say so: the connection is closed */
        return;
    }
    (void)bough_http.MHD_add_response_header(
        request->response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
}

void bough_request_json(struct bough_request *request, unsigned int code, json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(json);
    if (text != NULL) {
        answer(request, code, text, strlen(text));
        return;
    }
    text = strdup("{\"error\":{\"status\":\"nomem\",\"text\":\"out of memory\"}}");
    if (text == NULL) {
        request->gone = true;
        return;
    }
    answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, text, strlen(text));
}

static unsigned int http_code(enum bough_status status)
{
    static const unsigned int codes[] = {
        [BOUGH_OK] = MHD_HTTP_OK,
        [BOUGH_ENOMEM] = MHD_HTTP_SERVICE_UNAVAILABLE,
        [BOUGH_EINVALID] = MHD_HTTP_BAD_REQUEST,
        [BOUGH_EFULL] = MHD_HTTP_SERVICE_UNAVAILABLE,
        [BOUGH_EGONE] = MHD_HTTP_GONE,
        [BOUGH_ECRASHED] = MHD_HTTP_BAD_GATEWAY,
        [BOUGH_ETIMEOUT] = MHD_HTTP_GATEWAY_TIMEOUT,
        [BOUGH_EREFUSED] = MHD_HTTP_CONFLICT,
        [BOUGH_ENOREPLY] = MHD_HTTP_BAD_GATEWAY,
        [BOUGH_ENOTFOUND] = MHD_HTTP_NOT_FOUND,
        [BOUGH_EPRESENT] = MHD_HTTP_CONFLICT,
        [BOUGH_ESTARTED] = MHD_HTTP_CONFLICT,
        [BOUGH_ERUNNING] = MHD_HTTP_CONFLICT,
        [BOUGH_ERESTARTING] = MHD_HTTP_CONFLICT,
        [BOUGH_ERANGE] = MHD_HTTP_BAD_REQUEST,
        [BOUGH_ETOOLARGE] = MHD_HTTP_CONTENT_TOO_LARGE,
        [BOUGH_ECANCELLED] = MHD_HTTP_SERVICE_UNAVAILABLE,
        [BOUGH_EDENIED] = MHD_HTTP_FORBIDDEN,
        [BOUGH_ESYSTEM] = MHD_HTTP_INTERNAL_SERVER_ERROR,
        [BOUGH_EFAILED] = MHD_HTTP_INTERNAL_SERVER_ERROR,
        [BOUGH_IGNORE] = MHD_HTTP_CONFLICT,
    };
    _Static_assert(bough_count_of(codes) == BOUGH_STATUS_COUNT, "a code for each status");

    return codes[status];
}

/* `path`, when not NULL, is one at which nobody lives. */
static void refuse(struct bough_request *request, enum bough_status status,
                   const char *path, const char *text)
{
    json_t *error = json_pack("{s:s, s:o}", "status", bough_status_name(status), "text",
                              bough_output_string(text));

    if (path != NULL && error != NULL) {
        json_object_set_new(error, "path", bough_output_string(path));
    }
    bough_request_json(request, http_code(status),
                       error != NULL ? json_pack("{s:o}", "error", error) : NULL);
}

void bough_request_refuse(struct bough_request *request, enum bough_status status,
                          const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    refuse(request, status, NULL, text != NULL ? text : bough_status_text(status));
    free(text);
}

void bough_request_fail(struct bough_request *request, enum bough_status status,
                        json_t *error)
{
    const int failed =
        json_object_set_new(error, "status", json_string(bough_status_name(status)));

    bough_request_json(request, http_code(status),
                       failed == 0 ? json_pack("{s:O}", "error", error) : NULL);
    json_decref(error);
}

void bough_request_no_path(struct bough_request *request, const char *path)
{
    char nearby[BOUGH_NEARBY_TEXT], text[BOUGH_NEARBY_TEXT + 100];

    bough_text_format(text, sizeof(text),
                      "no actor at this path%s; `bough status` lists them",
                      bough_nearby_print(request->control->options.loop, path, nearby));
    refuse(request, BOUGH_ENOTFOUND, path, text);
}

/* Questions that only look */

/* A text that is printed into memory: begin, print, answer. */
struct printed {
    FILE *file; /* NULL: no memory */
    char *text;
    size_t size;
};

static void begin_print(struct printed *printed)
{
    *printed = (struct printed){ .file = NULL };
    printed->file = open_memstream(&printed->text, &printed->size);
}

/* Answers with what was printed, or with `out of memory`. */
static void answer_printed(struct bough_request *request, struct printed *printed)
{
    const bool failed = ferror(printed->file) != 0;

    if (fclose(printed->file) == 0 && !failed) {
        answer(request, MHD_HTTP_OK, printed->text, printed->size);
    } else {
        free(printed->text);
        bough_request_json(request, MHD_HTTP_OK, NULL);
    }
}

static void drop_printed(struct printed *printed)
{
    fclose(printed->file);
    free(printed->text);
}

static void get_actors(struct bough_request *request, const char *path)
{
    struct printed printed;

    begin_print(&printed);
    if (printed.file == NULL) {
        bough_request_json(request, MHD_HTTP_OK, NULL);
    } else if (bough_places_print(request->control->options.loop, path, printed.file) ==
               BOUGH_OK) {
        answer_printed(request, &printed);
    } else {
        drop_printed(&printed);
        bough_request_no_path(request, path);
    }
}

/* {"name", "version", "pid", "control", "root"}: all but the last as a value, its closing
 * brace left off. */
static void print_head(const struct bough_control *control, FILE *file)
{
    json_t *head = json_pack("{s:s, s:s, s:I, s:o}", "name", control->options.name,
                             "version", BOUGH_VERSION, "pid", (json_int_t)getpid(),
                             "control", bough_output_string(control->path));
    char *text = head != NULL ? json_dumps(head, JSON_COMPACT) : NULL;

    json_decref(head);
    if (text == NULL) {
        fputc('{', file);
        return;
    }
    fprintf(file, "%.*s,", (int)strlen(text) - 1, text);
    free(text);
}

static void get_tree(struct bough_request *request)
{
    const struct bough_control *control = request->control;
    struct printed printed;

    begin_print(&printed);
    if (printed.file == NULL) {
        bough_request_json(request, MHD_HTTP_OK, NULL);
        return;
    }
    print_head(control, printed.file);
    fputs("\"root\":", printed.file);
    if (bough_places_print_nested(control->options.loop, "/", printed.file) == BOUGH_OK) {
        fputc('}', printed.file);
        answer_printed(request, &printed);
    } else {
        drop_printed(&printed);
        bough_request_refuse(request, BOUGH_EGONE, "the tree is down");
    }
}

static void get_metrics(struct bough_request *request)
{
    const struct bough_control_options *options = &request->control->options;
    const struct bough_figures_source source = {
        .loop = options->loop,
        .history = options->history,
        .tally = options->tally,
        .name = options->name,
    };

    request->code = MHD_HTTP_OK;
    request->response = bough_scrape_new(&source);
    if (request->response != NULL) return;
    bough_request_refuse(request, BOUGH_ENOMEM, "the tree is down, or memory is out");
}

static void get_types(struct bough_request *request)
{
    bough_request_json(request, MHD_HTTP_OK,
                       bough_view_types(request->control->options.types));
}

static void get_schema(struct bough_request *request)
{
    bough_request_json(request, MHD_HTTP_OK,
                       bough_config_schema(request->control->options.types));
}

/* Routes */

static const struct {
    const char *path;
    void (*get)(struct bough_request *request);
    void (*post)(struct bough_request *request);
} routes[] = {
    { "/v1/tree", get_tree, NULL },
    { "/v1/events", bough_events_begin, NULL },
    { "/v1/logs", bough_logs_begin, NULL },
    { "/v1/metrics", get_metrics, NULL },
    { "/v1/types", get_types, NULL },
    { "/v1/schema", get_schema, NULL },
    { "/v1/plan", NULL, bough_reload_plan },
    { "/v1/apply", NULL, bough_reload_apply },
    { "/v1/shutdown", NULL, bough_action_shutdown },
};

static const struct {
    const char *name;
    void (*post)(struct bough_request *request, const char *path);
} actions[] = {
    { "call", bough_action_call },
    { "send", bough_action_send },
    { "kill", bough_action_kill },
    { "start", bough_action_start },
    { "stop", bough_action_stop },
    { "restart", bough_action_restart },
    { "quarantine", bough_action_quarantine },
};

static void refuse_method(struct bough_request *request, const char *method,
                          const char *allowed)
{
    bough_request_json(
        request, MHD_HTTP_METHOD_NOT_ALLOWED,
        json_pack("{s:{s:s, s:o}}", "error", "status", bough_status_name(BOUGH_EINVALID),
                  "text",
                  json_sprintf("%s is not allowed here, %s is", method, allowed)));
    if (request->response == NULL) return;
    (void)bough_http.MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW,
                                             allowed);
}

static bool is_get(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
           strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* "" and "/" are the root; a path is otherwise as it is everywhere. */
static const char *actor_path(const char *rest)
{
    return rest[0] == '\0' ? "/" : rest;
}

/* POST: the last part of the path says what to do, whatever actors are called. */
static void post_actor(struct bough_request *request, const char *rest)
{
    const char *slash = strrchr(rest, '/');
    char path[BOUGH_PATH_MAX];

    if (slash == NULL) {
        refuse_method(request, MHD_HTTP_METHOD_POST, MHD_HTTP_METHOD_GET);
        return;
    }
    if ((size_t)(slash - rest) >= sizeof(path)) {
        bough_request_no_path(request, rest);
        return;
    }
    memcpy(path, rest, (size_t)(slash - rest));
    path[slash - rest] = '\0';
    for (size_t i = 0; i < bough_count_of(actions); i++) {
        if (strcmp(actions[i].name, slash + 1) != 0) continue;
        actions[i].post(request, actor_path(path));
        return;
    }
    bough_request_refuse(request, BOUGH_ENOTFOUND,
                         "nothing to do called \"%s\"; there are call, send, kill, "
                         "start, stop, restart and quarantine",
                         slash + 1);
}

/* The quarantine of the actor above, unless an actor is called so: those that have
 * others below them have none. */
static bool get_quarantine(struct bough_request *request, const char *rest)
{
    static const char last[] = "/quarantine";
    const size_t length = strlen(rest), above = length - strlen(last);
    char path[BOUGH_PATH_MAX];
    struct bough_address place;

    if (length < strlen(last) || strcmp(rest + above, last) != 0) return false;
    if (above >= sizeof(path) ||
        bough_lookup(request->control->options.loop, rest, &place) == BOUGH_OK)
        return false;
    memcpy(path, rest, above);
    path[above] = '\0';
    bough_quarantine_get(request, actor_path(path));
    return true;
}

static void route_actors(struct bough_request *request, const char *method,
                         const char *rest)
{
    if (is_get(method)) {
        if (!get_quarantine(request, rest)) get_actors(request, actor_path(rest));
    } else if (strcmp(method, MHD_HTTP_METHOD_POST) == 0) {
        post_actor(request, rest);
    } else {
        refuse_method(request, method, "GET, POST");
    }
}

void bough_route(struct bough_request *request, const char *method, const char *path)
{
    static const char actors[] = "/v1/actors";
    const size_t length = sizeof(actors) - 1;

    if (strncmp(path, actors, length) == 0 &&
        (path[length] == '/' || path[length] == '\0')) {
        route_actors(request, method, path + length);
        return;
    }
    for (size_t i = 0; i < bough_count_of(routes); i++) {
        if (strcmp(routes[i].path, path) != 0) continue;
        if (routes[i].get != NULL && is_get(method)) {
            routes[i].get(request);
        } else if (routes[i].post != NULL && strcmp(method, MHD_HTTP_METHOD_POST) == 0) {
            routes[i].post(request);
        } else {
            refuse_method(request, method, routes[i].get != NULL ? "GET" : "POST");
        }
        return;
    }
    bough_request_refuse(request, BOUGH_ENOTFOUND,
                         "no such resource; there are /v1/tree, /v1/actors/PATH, "
                         "/v1/events, /v1/logs, /v1/metrics, /v1/types, /v1/schema, "
                         "/v1/plan, /v1/apply, /v1/shutdown");
}
