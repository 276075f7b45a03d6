/* reporter.c - which logger the reports of a tree go to, while it may change.
 *
 * A thread may be about to report through the one before, so those are kept to the end:
 * one for each change, of which there are few.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/reporter.h>

#include <stdlib.h>

#include <bough/actors/logger.h>
#include <bough/core/place.h>

struct bough_reporter_hook {
    struct bough_logger_hook hook;
    struct bough_reporter_hook *before;
};

/* Acquire: what the hook says was written before it was shown. */
static struct bough_logger_hook *present(void *data)
{
    struct bough_reporter *reporter = data;

    return &atomic_load_explicit(&reporter->hook, memory_order_acquire)->hook;
}

static void reporter_log(void *data, const struct bough_log_record *record)
{
    bough_logger_hook_log(present(data), record);
}

static bool reporter_output(void *data, const struct bough_log_record *record)
{
    return bough_logger_hook_output(present(data), record);
}

enum bough_status bough_reporter_set(struct bough_reporter *reporter,
                                     struct bough_loop *loop, const char *path)
{
    struct bough_reporter_hook *hook = calloc(1, sizeof(*hook));
    enum bough_status status = hook != NULL ? BOUGH_OK : BOUGH_ENOMEM;

    if (status == BOUGH_OK && path != NULL)
        status = bough_reference(loop, path, &hook->hook.logger.address);
    if (status != BOUGH_OK) {
        free(hook);
        return status;
    }
    hook->hook.least = BOUGH_INFO;
    hook->before = atomic_load_explicit(&reporter->hook, memory_order_relaxed);
    atomic_store_explicit(&reporter->hook, hook, memory_order_release);
    return BOUGH_OK;
}

enum bough_status bough_reporter_init(struct bough_reporter *reporter,
                                      struct bough_loop *loop, const char *path)
{
    struct bough_runtime *runtime = bough_loop_runtime(loop);
    const enum bough_status status = bough_reporter_set(reporter, loop, path);

    if (status != BOUGH_OK) return status;
    bough_runtime_set_log(runtime, reporter_log, reporter);
    bough_runtime_set_output(runtime, reporter_output, reporter);
    return BOUGH_OK;
}

bool bough_reporter_has_logger(struct bough_reporter *reporter)
{
    const struct bough_reporter_hook *hook =
        atomic_load_explicit(&reporter->hook, memory_order_acquire);

    return hook != NULL && hook->hook.logger.address.slot != NULL;
}

void bough_reporter_finish(struct bough_reporter *reporter)
{
    struct bough_reporter_hook *hook = atomic_load(&reporter->hook);

    while (hook != NULL) {
        struct bough_reporter_hook *before = hook->before;

        free(hook);
        hook = before;
    }
    atomic_store(&reporter->hook, NULL);
}
