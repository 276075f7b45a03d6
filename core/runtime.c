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

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct bough_runtime *bough_runtime_new(const struct bough_runtime_options *options)
{
    struct bough_runtime *runtime = calloc(1, sizeof(*runtime));

    if (runtime == NULL) return NULL;
    if (options != NULL) runtime->options = *options;
    if (runtime->options.clock == NULL) runtime->options.clock = &bough_clock_system;
    if (runtime->options.log == NULL) runtime->options.log = bough_log_stderr;
    init_lock(&runtime->lock);
    init_lock(&runtime->event_lock);
    return runtime;
}

void bough_runtime_lock(struct bough_runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
}

void bough_runtime_unlock(struct bough_runtime *runtime)
{
    pthread_mutex_unlock(&runtime->lock);
}

size_t bough_runtime_loop_count(struct bough_runtime *runtime)
{
    size_t count = 0;

    bough_runtime_lock(runtime);
    for (const struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next)
        count += !bough_loop_is_closed(loop);
    for (const struct bough_loop *loop = runtime->vacant; loop != NULL;
         loop = loop->next_vacant)
        count--;
    bough_runtime_unlock(runtime);
    return count;
}

static void for_each(struct bough_runtime *runtime,
                     void (*visit)(struct bough_loop *loop))
{
    struct bough_loop *loop = NULL;

    while ((loop = bough_loop_after(runtime, loop)) != NULL) {
        if (!loop->ended) visit(loop);
    }
}

/* Those of threads are told by these. */
static void kill_all(struct bough_runtime *runtime)
{
    struct bough_loop *loop = NULL;

    while ((loop = bough_loop_after(runtime, loop)) != NULL) {
        if (!bough_loop_is_a_threads(loop) && !loop->ended) bough_loop_kill_all(loop);
    }
}

/* All loops are done with before the first is freed: a life may ask across them. */
void bough_runtime_free(struct bough_runtime *runtime)
{
    if (runtime == NULL) return;
    kill_all(runtime);
    bough_loops_run_out(runtime, NULL);
    bough_apart_join(runtime);
    for_each(runtime, bough_loop_give_up);
    for_each(runtime, bough_loop_leave_ev);
    runtime->ending = true;
    while (runtime->loops != NULL) {
        struct bough_loop *loop = runtime->loops;

        runtime->loops = loop->next;
        bough_loop_destroy(loop);
    }
    bough_assert(runtime->names == NULL);
    pthread_mutex_destroy(&runtime->event_lock);
    pthread_mutex_destroy(&runtime->lock);
    free(runtime);
}

void bough_runtime_set_log(struct bough_runtime *runtime, bough_log_function *log,
                           void *data)
{
    runtime->options.log = log != NULL ? log : bough_log_stderr;
    runtime->options.log_data = data;
}

bough_log_function *bough_runtime_log(const struct bough_runtime *runtime, void **data)
{
    *data = runtime->options.log_data;
    return runtime->options.log;
}

void bough_runtime_set_output(struct bough_runtime *runtime,
                              bough_output_function *output, void *data)
{
    runtime->options.output = output;
    runtime->options.output_data = data;
}

bough_output_function *bough_runtime_output(const struct bough_runtime *runtime,
                                            void **data)
{
    *data = runtime->options.output_data;
    return runtime->options.output;
}

struct bough_nursery *bough_runtime_nursery(const struct bough_runtime *runtime)
{
    return runtime->options.nursery;
}

struct bough_guard *bough_runtime_guard(const struct bough_runtime *runtime)
{
    return runtime->options.guard;
}

int64_t bough_runtime_realtime_ns(const struct bough_runtime *runtime)
{
    return runtime->options.clock->realtime_ns(runtime->options.clock);
}

void bough_runtime_set_log_level(struct bough_runtime *runtime,
                                 enum bough_log_level level)
{
    runtime->options.log_level = level;
}

enum bough_log_level bough_log_level(const struct bough_runtime *runtime)
{
    return runtime->options.log_level;
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

bool bough_output(struct bough_runtime *runtime, const struct bough_log_record *record)
{
    const struct bough_runtime_options *options = &runtime->options;

    if (!bough_log_wanted(runtime, record->level)) return true;
    if (options->output != NULL) return options->output(options->output_data, record);
    options->log(options->log_data, record);
    return true;
}

bool bough_event_wanted(const struct bough_runtime *runtime)
{
    return runtime->options.event != NULL;
}

uint64_t bough_event_report(struct bough_runtime *runtime, struct bough_event *event)
{
    if (!bough_event_wanted(runtime)) return 0;
    pthread_mutex_lock(&runtime->event_lock);
    const uint64_t seq = ++runtime->last_seq;

    event->seq = seq;
    event->realtime_ns = bough_runtime_realtime_ns(runtime);
    runtime->options.event(runtime->options.event_data, event);
    pthread_mutex_unlock(&runtime->event_lock);
    return seq;
}
