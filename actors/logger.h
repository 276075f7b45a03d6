/* logger.h - an actor that writes the log: to a file, rotated, or to stderr.
 *
 * Records become lines of text or JSON (log_line_internal.h shows them). Lines are
 * written in batches: whenever its mailbox is empty, or a batch is full. When it ends in
 * order it first runs what waits in its mailbox, and then everything is on the disk. A
 * full disk, or a reader of a pipe that has gone, is reported to stderr once; lines are
 * kept and tried again, up to a megabyte, and what had to be given up is counted in the
 * log when it goes on. So it is with a stderr that nobody reads.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_LOGGER_H
#define BOUGH_ACTORS_LOGGER_H

#include <stdint.h>

#include <bough/core/actor.h>

/* For child specs. Its options are `struct bough_logger_options`. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_logger_type;

/* The handle: a plain value. Any address of a logger makes one. */
struct bough_logger {
    struct bough_address address;
};

/* The least level that is written; the order makes zero the usual one. */
enum bough_logger_level {
    BOUGH_LOGGER_INFO,
    BOUGH_LOGGER_DEBUG,
    BOUGH_LOGGER_WARNING,
    BOUGH_LOGGER_ERROR
};

enum bough_logger_format { BOUGH_LOGGER_TEXT, BOUGH_LOGGER_JSON };

struct bough_logger_rotate {
    int64_t
        size; /* bytes after which the file is FILE.1, and a new one begun; 0: never */
    int64_t keep; /* how many such files; 0: 5 */
};

struct bough_logger_options {
    int level;        /* enum bough_logger_level */
    int format;       /* enum bough_logger_format */
    const char *file; /* NULL: stderr */
    struct bough_logger_rotate rotate;
};

/* One field of a record, texts without NUL; the names should be snake_case. */
struct bough_log_pair {
    const char *name, *value;
};

/* Starts a logger on `loop`; the handle names this life. `options` is copied, NULL for
 * zeroes. `watch` may be NULL, as with bough_spawn(). Thread: the loop's. Errors:
 * BOUGH_ENOMEM, BOUGH_ESYSTEM (the file cannot be opened), BOUGH_ETOOLARGE; `failure`
 * (may be NULL) says why, and `watch` is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_logger_spawn(struct bough_loop *loop, const struct bough_logger_options *options,
                   struct bough_watch *watch, struct bough_logger *logger,
                   struct bough_exit_reason *failure);

/* Sends a record with `count` fields; all of it is copied. A `realtime_ns` of 0 is the
 * time at which it is written. Errors, nothing was sent: those of bough_send(),
 * BOUGH_ETOOLARGE. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_logger_log(struct bough_logger logger, const struct bough_log_record *record,
                 const struct bough_log_pair *pairs, size_t count);

/* Tells it to open its file anew, after it was moved away. Errors: those of bough_send().
 */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_logger_reopen(struct bough_logger logger);

/* Asks for all that was sent before to be on the disk: call->done() gets BOUGH_OK when it
 * is, BOUGH_ESYSTEM when it cannot be. */
BOUGH_PUBLIC void bough_logger_flush(struct bough_logger logger, struct bough_call *call);

/* A runtime's log hook that writes through a logger. Embed it, set `logger` (the place),
 * and give bough_logger_hook_log with its address to bough_runtime_set_log(); it must
 * outlive the runtime. While the logger does not run, or its mailbox is full, records go
 * to stderr. */
struct bough_logger_hook {
    enum bough_log_level least; /* of what goes to stderr while the logger is not up */
    struct bough_logger logger;
};

/* Thread: any. */
BOUGH_PUBLIC void bough_logger_hook_log(void *hook,
                                        const struct bough_log_record *record);

/* The same for what programs write, to be given to bough_runtime_set_output(): with a
 * field `stream`. While the logger's mailbox is full, a line is not taken. Thread: any.
 */
BOUGH_PUBLIC BOUGH_CHECKED bool
bough_logger_hook_output(void *hook, const struct bough_log_record *record);

#endif
