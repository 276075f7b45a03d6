/* runtime.c - a runtime: its options, its loops, its events and its log.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>

#include <stdarg.h>
#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/core/loop_internal.h>
#include <bough/core/runtime_internal.h>
#include <bough/core/text.h>

enum { LOG_TEXT = 1024 };

struct bough_runtime *bough_runtime_new(const struct bough_runtime_options *options)
{
    struct bough_runtime *runtime = calloc(1, sizeof(*runtime));

    if (runtime == NULL) return NULL;
    if (options != NULL) runtime->options = *options;
    if (runtime->options.clock == NULL) runtime->options.clock = &bough_clock_system;
    if (runtime->options.log == NULL) runtime->options.log = bough_log_stderr;
    return runtime;
}

/* All loops are closed before the first is freed: a life may ask across them. */
void bough_runtime_free(struct bough_runtime *runtime)
{
    if (runtime == NULL) return;
    for (struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next) {
        bough_loop_close(loop);
    }
    while (runtime->loops != NULL)
        bough_loop_free(runtime->loops);
    bough_assert(runtime->names == NULL);
    free(runtime);
}

void bough_runtime_set_log(struct bough_runtime *runtime, bough_log_function *log,
                           void *data)
{
    runtime->options.log = log != NULL ? log : bough_log_stderr;
    runtime->options.log_data = data;
}

int64_t bough_runtime_realtime_ns(const struct bough_runtime *runtime)
{
    return runtime->options.clock->realtime_ns(runtime->options.clock);
}

bool bough_log_wanted(const struct bough_runtime *runtime, enum bough_log_level level)
{
    return level >= runtime->options.log_level;
}

void bough_log(struct bough_runtime *runtime, enum bough_log_level level,
               const char *path, const char *format, ...)
{
    char text[LOG_TEXT];
    va_list arguments;

    if (!bough_log_wanted(runtime, level)) return;
    va_start(arguments, format);
    bough_text_vformat(text, sizeof(text), format, arguments);
    va_end(arguments);

    const struct bough_log_record record = {
        .level = level,
        .realtime_ns = bough_runtime_realtime_ns(runtime),
        .path = path,
        .text = text,
    };
    runtime->options.log(runtime->options.log_data, &record);
}

bool bough_event_wanted(const struct bough_runtime *runtime)
{
    return runtime->options.event != NULL;
}

uint64_t bough_event_report(struct bough_runtime *runtime, struct bough_event *event)
{
    event->seq = bough_runtime_next_seq(runtime);
    /* Without a listener the number is all that is made: the date costs 25 ns. */
    if (bough_event_wanted(runtime)) {
        event->realtime_ns = bough_runtime_realtime_ns(runtime);
        runtime->options.event(runtime->options.event_data, event);
    }
    return event->seq;
}
