/* log_file_internal.h - a file of whole lines, written in batches and rotated.
 *
 * Lines gather in a buffer and go out with one write() per batch. When a file has grown
 * to its limit it becomes FILE.1, FILE.1 becomes FILE.2, and so on. A line never lies in
 * two files. When the disk is full, or the reader of a pipe is slow, lines stay in the
 * buffer and the caller tries again later; those that do not fit any more are counted. A
 * fault is reported to stderr once, until writing succeeds again. Nothing here ends the
 * program, not even SIGPIPE. Thread: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_LOG_FILE_INTERNAL_H
#define BOUGH_ACTORS_LOG_FILE_INTERNAL_H

#include <stdint.h>
#include <sys/types.h>

#include <bough/core/status.h>

enum {
    BOUGH_LOG_BATCH = 64 * 1024,     /* bytes that are written without waiting for more */
    BOUGH_LOG_CAPACITY = 1024 * 1024 /* bytes kept while they cannot be written */
};

struct bough_log_file_options {
    const char *path;    /* NULL: stderr, never rotated */
    int64_t rotate_size; /* bytes; 0: never */
    int64_t keep;        /* rotated files, at least 1 */
};

struct bough_log_file {
    struct bough_log_file_options options; /* the path is the caller's, and stays */
    ssize_t (*write)(int fd, const void *data, size_t size); /* a test has its own */
    int fd;
    bool regular;  /* false for a terminal, pipe or device */
    bool failing;  /* the last write did not succeed */
    int64_t size;  /* bytes in the file */
    uint64_t lost; /* lines that did not fit, since the last bough_log_file_take_lost() */
    char *buffer;  /* whole lines */
    size_t used;   /* bytes in the buffer */
    size_t written; /* of these, bytes that are in the file already: a part of the first
                       line */
};

/* Opens, or makes, the file (mode 0640, appending). Errors: BOUGH_ENOMEM, BOUGH_ESYSTEM,
 * BOUGH_ETOOLARGE (the path); nothing is then taken. */
BOUGH_CHECKED enum bough_status
bough_log_file_init(struct bough_log_file *file,
                    const struct bough_log_file_options *options,
                    struct bough_error *error);

/* Writes what can be written, and closes. */
void bough_log_file_finish(struct bough_log_file *file);

/* Takes a line, which ends with its newline; writes when the buffer holds a batch. */
void bough_log_file_append(struct bough_log_file *file, const char *line, size_t len);

/* Bytes that wait to be written. */
size_t bough_log_file_pending(const struct bough_log_file *file);

/* Writes all that waits. BOUGH_ESYSTEM when not all could be; the rest stays. */
BOUGH_CHECKED enum bough_status bough_log_file_flush(struct bough_log_file *file,
                                                     struct bough_error *error);

/* The same, and returns when it is on the disk. */
BOUGH_CHECKED enum bough_status bough_log_file_sync(struct bough_log_file *file,
                                                    struct bough_error *error);

/* Opens the path anew, after somebody has moved the file away. Errors: BOUGH_ESYSTEM; the
 * old file is then still in use. */
BOUGH_CHECKED enum bough_status bough_log_file_reopen(struct bough_log_file *file,
                                                      struct bough_error *error);

/* How many lines were lost since this was asked last. */
BOUGH_CHECKED uint64_t bough_log_file_take_lost(struct bough_log_file *file);

#endif
