/* history.c - the last events of a tree, and how an event looks in JSON.
 *
 * The event with number n lies at n % capacity; a record is one allocation with the texts
 * behind the struct.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/history.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/text.h>
#include <bough/tools/bough/crash.h>
#include <bough/tools/bough/output.h>

struct record {
    struct bough_event event;
    struct bough_exit_reason reason;
    struct bough_crash crash;
    json_t *view; /* of the crash: its own, and all that is kept of it */
    char texts[]; /* path NUL type NUL message NUL */
};

struct bough_history {
    uint64_t last;
    void (*added)(void *data);
    void *data;
    pthread_mutex_t lock;
    size_t capacity;
    struct record *ring[];
};

static void record_free(struct record *record)
{
    if (record == NULL) return;
    json_decref(record->view);
    free(record);
}

struct bough_history *bough_history_new(size_t capacity)
{
    struct bough_history *history;

    bough_assert(capacity > 0);
    history = calloc(1, sizeof(*history) + capacity * sizeof(history->ring[0]));
    if (history == NULL) return NULL;
    history->capacity = capacity;
    pthread_mutex_init(&history->lock, NULL);
    return history;
}

void bough_history_free(struct bough_history *history)
{
    if (history == NULL) return;
    for (size_t i = 0; i < history->capacity; i++) {
        record_free(history->ring[i]);
    }
    pthread_mutex_destroy(&history->lock);
    free(history);
}

void bough_history_lock(struct bough_history *history)
{
    pthread_mutex_lock(&history->lock);
}

void bough_history_unlock(struct bough_history *history)
{
    pthread_mutex_unlock(&history->lock);
}

static struct record *record_new(const struct bough_event *event)
{
    const char *path = event->path != NULL ? event->path : "";
    const char *type = event->type != NULL ? event->type : "";
    const char *message = event->message != NULL ? event->message : "";
    const size_t path_size = strlen(path) + 1, type_size = strlen(type) + 1;
    const char *backtrace = event->backtrace != NULL ? event->backtrace : "";
    const size_t message_size = strlen(message) + 1, lines_size = strlen(backtrace) + 1;
    struct record *record =
        malloc(sizeof(*record) + path_size + type_size + message_size + lines_size);

    if (record == NULL) return NULL;
    record->event = *event;
    memcpy(record->texts, path, path_size);
    memcpy(record->texts + path_size, type, type_size);
    memcpy(record->texts + path_size + type_size, message, message_size);
    memcpy(record->texts + path_size + type_size + message_size, backtrace, lines_size);
    record->event.path = record->texts;
    record->event.type = record->texts + path_size;
    record->event.message = record->texts + path_size + type_size;
    record->event.backtrace = record->event.message + message_size;
    if (event->reason != NULL) {
        record->reason = *event->reason;
        record->event.reason = &record->reason;
    }
    record->view = NULL;
    if (event->crash != NULL) {
        record->view = bough_crash_json(event->crash);
        record->crash = (struct bough_crash){ .view = record->view };
        record->event.crash = &record->crash;
    }
    return record;
}

void bough_history_add(void *data, const struct bough_event *event)
{
    struct bough_history *history = data;
    struct record **place = &history->ring[event->seq % history->capacity];

    bough_history_lock(history);
    record_free(*place);
    *place = record_new(event);
    history->last = event->seq;
    if (history->added != NULL) history->added(history->data);
    bough_history_unlock(history);
}

void bough_history_listen(struct bough_history *history, void (*added)(void *data),
                          void *data)
{
    bough_history_lock(history);
    history->added = added;
    history->data = data;
    bough_history_unlock(history);
}

uint64_t bough_history_last(const struct bough_history *history)
{
    return history->last;
}

const struct bough_event *bough_history_after(const struct bough_history *history,
                                              uint64_t seq)
{
    const uint64_t kept = history->capacity;
    uint64_t next;

    if (seq >= history->last) return NULL;
    next = seq + 1;
    if (history->last - seq > kept) next = history->last - kept + 1;
    for (; next <= history->last; next++) {
        const struct record *record = history->ring[next % kept];

        if (record != NULL && record->event.seq == next) return &record->event;
    }
    return NULL;
}

int bough_history_add_reason(json_t *object, const struct bough_exit_reason *reason)
{
    const char *detail = reason->text;
    int failed = 0;

    if (reason->kind == BOUGH_EXIT_ERROR) {
        failed |= json_object_set_new(
            object, "status", bough_output_string(bough_status_name(reason->status)));
        if (detail[0] == '\0') detail = bough_status_text(reason->status);
    }
    failed |= json_object_set_new(
        object, "reason", bough_output_string(bough_exit_kind_name(reason->kind)));
    if (detail[0] != '\0') {
        failed |= json_object_set_new(object, "detail", bough_output_string(detail));
    }
    if (reason->kind == BOUGH_EXIT_SIGNAL) {
        failed |= json_object_set_new(object, "signal", json_integer(reason->number));
    }
    if (reason->kind == BOUGH_EXIT_CODE) {
        failed |= json_object_set_new(object, "code", json_integer(reason->number));
    }
    return failed;
}

struct bough_exit_reason bough_history_reason(const json_t *object)
{
    enum bough_exit_kind kind = BOUGH_EXIT_LOST;
    enum bough_status status = BOUGH_OK;
    int number = (int)(json_integer_value(json_object_get(object, "signal")) +
                       json_integer_value(json_object_get(object, "code")));

    if (!bough_exit_kind_parse(bough_output_member(object, "reason", ""), &kind) ||
        !bough_status_parse(bough_output_member(object, "status", "ok"), &status))
        number = 0;
    return bough_exit_make(kind, status, number, "%s",
                           bough_output_member(object, "detail", ""));
}

/* How much of a limit on restarts is used. */
static int add_limit(json_t *object, const struct bough_event *event)
{
    int failed = 0;

    failed |= json_object_set_new(object, "restarts", json_integer(event->restarts));
    failed |= json_object_set_new(object, "allowed", json_integer(event->allowed));
    failed |= json_object_set_new(object, "period_ms", json_integer(event->period_ms));
    return failed;
}

/* The message that was put away; no number when there was no memory to keep it. */
static int add_message(json_t *object, const struct bough_event *event)
{
    int failed = 0;

    failed |= json_object_set_new(object, "message", bough_output_string(event->message));
    if (event->number != 0) {
        failed |= json_object_set_new(object, "number",
                                      json_integer((json_int_t)event->number));
    }
    failed |= json_object_set_new(object, "lives", json_integer(event->lives));
    return failed;
}

static int add_details(json_t *object, const struct bough_event *event)
{
    int failed = 0;

    if (event->cause != 0) {
        failed |=
            json_object_set_new(object, "cause", json_integer((json_int_t)event->cause));
    }
    if (event->pid != 0) {
        failed |= json_object_set_new(object, "pid", json_integer(event->pid));
    }
    if (event->kind == BOUGH_EVENT_RESTARTING) {
        failed |= json_object_set_new(object, "delay_ms", json_integer(event->delay_ms));
        failed |= json_object_set_new(object, "attempt", json_integer(event->attempt));
    }
    if (event->kind == BOUGH_EVENT_QUARANTINED) failed |= add_message(object, event);
    if (event->kind == BOUGH_EVENT_APPLYING || event->kind == BOUGH_EVENT_APPLIED)
        failed |=
            json_object_set_new(object, "detail", bough_output_string(event->message));
    if (event->period_ms != 0) failed |= add_limit(object, event);
    if (event->reason != NULL) failed |= bough_history_add_reason(object, event->reason);
    if (event->stuck_ms > 0)
        failed |= json_object_set_new(object, "stuck_ms", json_integer(event->stuck_ms));
    if (event->kind == BOUGH_EVENT_STUCK)
        failed |= json_object_set_new(object, "backtrace",
                                      bough_output_lines(event->backtrace));
    if (event->crash != NULL && event->crash->view != NULL)
        failed |=
            json_object_set_new(object, "crash", json_deep_copy(event->crash->view));
    return failed;
}

json_t *bough_history_json(const struct bough_event *event)
{
    char time[BOUGH_TIME_TEXT];
    json_t *object =
        json_pack("{s:s, s:I, s:s, s:o, s:o, s:I}", "time",
                  bough_time_print(event->realtime_ns, time, sizeof(time)), "seq",
                  (json_int_t)event->seq, "event", bough_event_kind_name(event->kind),
                  "path", bough_output_string(event->path), "type",
                  bough_output_string(event->type), "life", (json_int_t)event->life);

    if (object == NULL) return NULL;
    if (add_details(object, event) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
