/* top_source.c - what `bough top` asks the tree for.
 *
 * Each exchange is waited for, but not for long: who sits before the screen gets an
 * answer to a key, whatever the tree is doing.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/top_source.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bough/core/public.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/usage.h>

/* Lines of a log that are kept to be scrolled through. */
enum { LIMIT_MS = 2000, LINES_MAX = 500 };

int64_t bough_top_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int bough_top_source_init(struct bough_top_source *source,
                          const struct bough_arguments *arguments)
{
    int code;

    memset(source, 0, sizeof(*source));
    code = bough_client_init(&source->client, arguments);
    if (code == BOUGH_CODE_DONE) bough_client_limit(&source->client, LIMIT_MS);
    return code;
}

static void forget_lines(struct bough_top_source *source)
{
    for (size_t i = 0; i < source->lines.count; i++)
        free(source->texts[i]);
    source->lines.count = 0;
}

void bough_top_source_finish(struct bough_top_source *source)
{
    forget_lines(source);
    free(source->texts);
    bough_client_finish(&source->client);
}

int bough_top_look(struct bough_top_source *source, struct bough_top_picture *picture)
{
    struct bough_usage usage;
    json_t *tree;
    const int code = bough_client_get(&source->client, "/v1/tree", NULL, &tree);

    if (code != BOUGH_CODE_DONE) return code;
    *picture = (struct bough_top_picture){
        .tree = tree, .at_ms = bough_top_clock_ms(), .cpu_ms = -1, .memory = -1
    };
    /* Of another machine's process, or another user's, nothing is known. */
    if (bough_usage_read(json_integer_value(json_object_get(tree, "pid")), &usage)) {
        picture->cpu_ms = usage.cpu_ms;
        picture->memory = usage.memory;
    }
    return BOUGH_CODE_DONE;
}

/* Lines */

/* Takes `text`, made by malloc(); the oldest makes room. */
static void add_line(struct bough_top_source *source, char *text)
{
    struct bough_top_lines *lines = &source->lines;

    if (source->texts == NULL) source->texts = calloc(LINES_MAX, sizeof(*source->texts));
    if (source->texts == NULL || text == NULL) {
        free(text);
        return;
    }
    lines->lines = (const char *const *)source->texts;
    text[strcspn(text, "\n")] = '\0';
    if (lines->count == LINES_MAX) {
        free(source->texts[0]);
        lines->count--;
        memmove(source->texts, source->texts + 1, lines->count * sizeof(*source->texts));
    }
    source->texts[lines->count++] = text;
}

/* As the commands for it print them. */
static char *draw(void (*print)(FILE *file, const json_t *line), const json_t *line)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (file == NULL) return NULL;
    print(file, line);
    if (fclose(file) == 0) return text;
    free(text);
    return NULL;
}

static bool take_log(void *data, const char *text)
{
    json_t *line = json_loads(text, 0, NULL);

    if (line != NULL) add_line(data, draw(bough_draw_log, line));
    json_decref(line);
    return true;
}

static bool is_at_or_below(const char *path, const char *above)
{
    const size_t length = strlen(above);

    if (strcmp(above, "/") == 0) return true;
    return strncmp(path, above, length) == 0 &&
           (path[length] == '\0' || path[length] == '/');
}

static bool take_event(void *data, const char *text)
{
    struct bough_top_source *source = data;
    json_t *event = json_loads(text, 0, NULL);
    const json_int_t seq = json_integer_value(json_object_get(event, "seq"));

    if (seq > 0) source->seq = (uint64_t)seq;
    if (event != NULL &&
        is_at_or_below(bough_output_member(event, "path", ""), source->path))
        add_line(source, draw(bough_draw_event, event));
    json_decref(event);
    return true;
}

/* The log has no numbers: all that is kept of it is read again. */
static void read_log(struct bough_top_source *source)
{
    char resource[BOUGH_PATH_MAX + 80];

    forget_lines(source);
    snprintf(resource, sizeof(resource), "/v1/logs?path=%s&lines=%d&level=debug&follow=0",
             source->path, LINES_MAX);
    (void)bough_client_stream(&source->client, resource, source->path, take_log, source);
}

static void read_events(struct bough_top_source *source)
{
    char resource[80];

    snprintf(resource, sizeof(resource), "/v1/events?since=%" PRIu64 "&follow=0",
             source->seq);
    (void)bough_client_stream(&source->client, resource, NULL, take_event, source);
}

void bough_top_read_lines(struct bough_top_source *source, const struct bough_top *top)
{
    const bool other =
        source->mode != top->mode || strcmp(source->path, top->selected) != 0;

    source->mode = top->mode;
    if (top->mode != BOUGH_TOP_LOG && top->mode != BOUGH_TOP_EVENTS) return;
    if (other) {
        forget_lines(source);
        source->seq = 0;
        snprintf(source->path, sizeof(source->path), "%s", top->selected);
    }
    if (top->mode == BOUGH_TOP_LOG)
        read_log(source);
    else
        read_events(source);
}

/* Actions */

int bough_top_act(struct bough_top_source *source, const struct bough_top *top,
                  enum bough_top_action action, char text[BOUGH_TOP_TEXT])
{
    static const char *const names[] = {
        [BOUGH_TOP_RESTART] = "restart",
        [BOUGH_TOP_START] = "start",
        [BOUGH_TOP_STOP] = "stop",
        [BOUGH_TOP_KILL] = "kill",
    };
    char *resource = bough_client_actor(top->selected, names[action]);
    json_t *answer;
    int code;

    if (resource == NULL) return BOUGH_CODE_FAILED;
    code = bough_client_post(&source->client, resource, top->selected,
                             action == BOUGH_TOP_KILL ? json_object()
                                                      : json_pack("{s:b}", "wait", 0),
                             LIMIT_MS, &answer);
    free(resource);
    if (code != BOUGH_CODE_DONE) return code;
    json_decref(answer);
    snprintf(text, BOUGH_TOP_TEXT, "%s %.200s: accepted", names[action], top->selected);
    return BOUGH_CODE_DONE;
}
