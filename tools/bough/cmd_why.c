/* cmd_why.c - `bough why`: how an actor came to be in its present state.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/why.h>

enum { NS_PER_MS = 1000000 };

/* The events of the tree, read back from their JSON. */
struct events {
    struct bough_event *list;
    struct bough_exit_reason *reasons; /* one for each event */
    struct bough_crash *crashes;
    json_t **lines; /* that the texts lie in */
    size_t count, capacity;
    bool failed;
};

static int64_t integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* "2026-01-31T12:00:00.000Z" */
static int64_t parse_time(const char *text)
{
    struct tm tm = { .tm_year = 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t ms = 0;

    if (rest == NULL) return 0;
    if (*rest == '.') ms = strtol(rest + 1, NULL, 10);
    return (timegm(&tm) * INT64_C(1000) + ms) * NS_PER_MS;
}

static bool parse_kind(const char *name, enum bough_event_kind *kind)
{
    for (int i = 0; i < BOUGH_EVENT_KIND_COUNT; i++) {
        if (strcmp(bough_event_kind_name((enum bough_event_kind)i), name) != 0) continue;
        *kind = (enum bough_event_kind)i;
        return true;
    }
    return false;
}

static struct bough_event parse_event(const json_t *json, enum bough_event_kind kind)
{
    return (struct bough_event){
        .seq = (uint64_t)integer(json, "seq"),
        .realtime_ns = parse_time(bough_output_member(json, "time", "")),
        .kind = kind,
        .path = bough_output_member(json, "path", ""),
        .type = bough_output_member(json, "type", ""),
        .life = (uint32_t)integer(json, "life"),
        .cause = (uint64_t)integer(json, "cause"),
        .delay_ms = integer(json, "delay_ms"),
        .attempt = (uint32_t)integer(json, "attempt"),
        .restarts = (uint32_t)integer(json, "restarts"),
        .allowed = (uint32_t)integer(json, "allowed"),
        .period_ms = integer(json, "period_ms"),
        .stuck_ms = integer(json, "stuck_ms"),
    };
}

/* What there is to show of it, besides. */
static const char *view_of(enum bough_event_kind kind)
{
    return kind == BOUGH_EVENT_STUCK ? "backtrace" : "crash";
}

static bool grow(struct events *events)
{
    const size_t capacity = events->capacity == 0 ? 256 : 2 * events->capacity;
    struct bough_event *list;
    struct bough_exit_reason *reasons;
    struct bough_crash *crashes;
    json_t **lines;

    if (events->count < events->capacity) return true;
    list = reallocarray(events->list, capacity, sizeof(*list));
    if (list != NULL) events->list = list;
    reasons = reallocarray(events->reasons, capacity, sizeof(*reasons));
    if (reasons != NULL) events->reasons = reasons;
    crashes = reallocarray(events->crashes, capacity, sizeof(*crashes));
    if (crashes != NULL) events->crashes = crashes;
    lines = reallocarray(events->lines, capacity, sizeof(*lines));
    if (lines != NULL) events->lines = lines;
    if (list == NULL || reasons == NULL || crashes == NULL || lines == NULL) return false;
    events->capacity = capacity;
    return true;
}

/* A line that is not understood is left out. False, to read no further: memory is out. */
static bool take_line(void *data, const char *line)
{
    struct events *events = data;
    json_t *json = json_loads(line, JSON_ALLOW_NUL, NULL);
    enum bough_event_kind kind;

    if (!parse_kind(bough_output_member(json, "event", ""), &kind)) {
        json_decref(json);
        return true;
    }
    if (!grow(events)) {
        events->failed = true;
        json_decref(json);
        return false;
    }
    events->list[events->count] = parse_event(json, kind);
    events->reasons[events->count] = bough_history_reason(json);
    events->crashes[events->count] =
        (struct bough_crash){ .view = json_object_get(json, view_of(kind)) };
    events->lines[events->count++] = json;
    return true;
}

/* Only once none is added any more do the reasons stay where they are. */
static void link_reasons(struct events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        if (json_object_get(events->lines[i], "reason") != NULL)
            events->list[i].reason = &events->reasons[i];
        if (events->crashes[i].view != NULL) events->list[i].crash = &events->crashes[i];
    }
}

static void events_finish(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        json_decref(events->lines[i]);
    free(events->list);
    free(events->reasons);
    free(events->crashes);
    free(events->lines);
}

/* The actor */

static const json_t *find(const json_t *places, const char *path)
{
    const json_t *place;
    size_t index;

    json_array_foreach (places, index, place) {
        if (strcmp(bough_output_member(place, "path", ""), path) == 0) return place;
    }
    return NULL;
}

static const char *strategy_of(void *data, const char *path)
{
    return bough_output_member(find(data, path), "strategy", NULL);
}

static enum bough_place_state parse_state(const char *name)
{
    for (int i = 0; i < BOUGH_PLACE_STATE_COUNT; i++) {
        if (strcmp(bough_place_state_name((enum bough_place_state)i), name) == 0)
            return (enum bough_place_state)i;
    }
    return BOUGH_PLACE_STOPPED;
}

static bool was_there(const struct events *events, const char *path)
{
    for (size_t i = 0; i < events->count; i++) {
        if (strcmp(events->list[i].path, path) == 0) return true;
    }
    return false;
}

static int print_json(const struct bough_why *why, const char *text)
{
    json_t *told = json_array(), *view;

    for (size_t i = 0; i < why->told_count; i++)
        json_array_append_new(told, json_integer((json_int_t)why->told[i]));
    view = json_pack("{s:s, s:o, s:b, s:o}", "path", why->path, "text",
                     bough_output_string(text), "complete", !why->incomplete, "events",
                     told);
    if (view == NULL ||
        (why->crash != NULL &&
         json_object_set_new(view, "crash", json_deep_copy(why->crash->view)) != 0)) {
        json_decref(view);
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    bough_output_json(view);
    json_decref(view);
    return BOUGH_CODE_DONE;
}

static int answer(const struct bough_arguments *arguments, const struct events *events,
                  json_t *places)
{
    const char *path = arguments->words[0];
    const json_t *place = find(places, path);
    struct bough_why why = {
        .path = path,
        .removed = place == NULL,
        .state = parse_state(bough_output_member(place, "state", "")),
        .life = (uint32_t)integer(place, "life"),
        .restart = bough_output_member(place, "restart", NULL),
        .events = events->list,
        .count = events->count,
        .strategy = strategy_of,
        .data = places,
    };
    struct timespec now;
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    int code = BOUGH_CODE_DONE;

    if (file == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    why.now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    bough_why(&why, file);
    if (fclose(file) != 0 || size == 0) {
        bough_complain("out of memory");
        code = BOUGH_CODE_FAILED;
    } else if (arguments->options[BOUGH_OPTION_JSON] != NULL) {
        text[size - 1] = '\0'; /* the last line feed */
        code = print_json(&why, text);
    } else {
        bough_output_text(stdout, text);
    }
    free(text);
    return code;
}

/* A path that was never there is the same mistake as everywhere. */
static int no_such_path(struct bough_client *client, const char *path)
{
    char *resource = bough_client_actor(path, NULL);
    json_t *places = NULL;
    int code;

    if (resource == NULL) return BOUGH_CODE_USAGE;
    code = bough_client_get(client, resource, path, &places);
    json_decref(places);
    free(resource);
    return code;
}

int bough_cmd_why(const struct bough_arguments *arguments)
{
    const char *path = arguments->words[0];
    struct events events = { .count = 0 };
    struct bough_client client;
    json_t *places = NULL;
    char *checked = bough_client_actor(path, NULL);
    int code;

    if (checked == NULL) return BOUGH_CODE_USAGE;
    free(checked);
    code = bough_client_init(&client, arguments);
    if (code != BOUGH_CODE_DONE) return code;
    code = bough_client_get(&client, "/v1/actors", NULL, &places);
    if (code == BOUGH_CODE_DONE)
        code = bough_client_stream(&client, "/v1/events", NULL, take_line, &events);
    if (code == BOUGH_CODE_DONE && events.failed) {
        bough_complain("out of memory");
        code = BOUGH_CODE_FAILED;
    } else if (code == BOUGH_CODE_DONE && find(places, path) == NULL &&
               !was_there(&events, path)) {
        code = no_such_path(&client, path);
    } else if (code == BOUGH_CODE_DONE) {
        link_reasons(&events);
        code = answer(arguments, &events, places);
    }
    bough_client_finish(&client);
    events_finish(&events);
    json_decref(places);
    return code;
}
