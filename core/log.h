/* log.h - what the runtime, supervisors and actors report, and where it goes.
 *
 * A runtime has one log hook. Whoever makes a runtime sets it; the default prints lines
 * to stderr. The hook copies what it keeps.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LOG_H
#define BOUGH_CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <bough/core/public.h>

struct bough_runtime;

enum bough_log_level {
    BOUGH_DEBUG,
    BOUGH_INFO,
    BOUGH_WARNING,
    BOUGH_ERROR,
    BOUGH_LEVEL_COUNT
};

/* "debug", "info", "warning", "error", then NULL: fit for a BOUGH_CHOICE. */
BOUGH_PUBLIC extern const char *const bough_log_level_names[];

struct bough_log_record {
    enum bough_log_level level;
    int64_t realtime_ns;
    const char *path; /* who reports; "" for the runtime itself */
    const char *text; /* one line, UTF-8 */
    /* A line that the program of an actor has written: "stdout" or "stderr"; any bytes
     * but NUL then, and up to BOUGH_OUTPUT_LINE. NULL: a report. */
    const char *stream;
};

enum { BOUGH_OUTPUT_LINE = 16 * 1024 }; /* bytes of a program's line, the NUL too */

/* Called on the thread that reports, on several at once when loops are on several. */
typedef void bough_log_function(void *data, const struct bough_log_record *record);

/* Told of what programs write: whether it has taken the line. When it has no room for it
 * now, it is asked again in a while, and the program waits. Thread: as above. */
typedef bool bough_output_function(void *data, const struct bough_log_record *record);

/* Hands on a line that a program has written (`stream`), as it stands: whether it was
 * taken. Without a hook for these they are reports like others. Thread: any loop's. */
BOUGH_PUBLIC BOUGH_CHECKED bool bough_output(struct bough_runtime *runtime,
                                             const struct bough_log_record *record);

/* Whether a line of that level is made at all: to be asked before what it says costs
 * something to put together. Thread: any loop's of the runtime. */
BOUGH_PUBLIC bool bough_log_wanted(const struct bough_runtime *runtime,
                                   enum bough_log_level level);

/* The least level of which lines are made. Thread: any loop's of the runtime. */
BOUGH_PUBLIC enum bough_log_level bough_log_level(const struct bough_runtime *runtime);

/* Reports a line; cut at 1023 bytes. Thread: any loop's of the runtime. */
BOUGH_PUBLIC void bough_log(struct bough_runtime *runtime, enum bough_log_level level,
                            const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The default hook: one line on stderr, "2026-01-31T12:00:00.000Z info /path: text", and
 * " stream=stdout" after what a program has written. Lines that stderr does not take are
 * counted, and the next one that it takes says how many they were. */
BOUGH_PUBLIC void bough_log_stderr(void *data, const struct bough_log_record *record);

/* Writes to stderr, and does not wait for a reader that does not read: for a tenth of a
 * second, and then, until it takes something again, not at all. How many bytes were
 * written; or -1, with errno as of write(2): EAGAIN, when it takes nothing now; EPIPE,
 * when nobody reads it any more, without a SIGPIPE. Thread: any, and in a signal's
 * handler. */
BOUGH_PUBLIC BOUGH_CHECKED ssize_t bough_stderr_write(const void *bytes, size_t size);

#endif
