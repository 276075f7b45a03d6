/* log_file.c - a file of whole lines, written in batches and rotated.
 *
 * The buffer begins at the start of a line, always: a write that took half a line leaves
 * that line in the buffer, so that it can be finished in this file or put whole into
 * another.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/log_file_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/log.h>
#include <bough/core/quiet.h>

enum { SUFFIX = 24 /* bytes for "." and any number */ };

/* Writing */

static ssize_t write_some(const struct bough_log_file *file, const void *data,
                          size_t size)
{
    ssize_t result;

    do {
        result = file->write(file->fd, data, size);
    } while (result < 0 && errno == EINTR);
    if (result == 0) { /* not for size > 0, by POSIX; a loop all the same if it were */
        errno = EIO;
        return -1;
    }
    return result;
}

static ssize_t write_to_stderr(int fd, const void *data, size_t size)
{
    (void)fd;
    return bough_stderr_write(data, size);
}

static const char *name_of(const struct bough_log_file *file)
{
    return file->options.path ? file->options.path : "stderr";
}

/* The log itself cannot say it. When stderr cannot either, nobody can. Keeps errno. */
static void complain(const struct bough_log_file *file, const char *what)
{
    int errno_value = errno;
    const char *why = strerrordesc_np(errno_value);

    if (file->options.path) {
        char line[PATH_MAX + 256];

        snprintf(line, sizeof(line), "bough: log file \"%s\": %s: %s\n", name_of(file),
                 what, why ? why : "unknown error");
        (void)!bough_stderr_write(line, strlen(line));
    }
    errno = errno_value;
}

/* Drops the lines that are written; keeps the whole of one that is written in part. */
static void compact(struct bough_log_file *file)
{
    const char *newline =
        file->written == 0 ? NULL : memrchr(file->buffer, '\n', file->written);
    size_t done = newline ? (size_t)(newline - file->buffer) + 1 : 0;

    file->used -= done;
    file->written -= done;
    memmove(file->buffer, file->buffer + done, file->used);
}

size_t bough_log_file_pending(const struct bough_log_file *file)
{
    return file->used - file->written;
}

enum bough_status bough_log_file_flush(struct bough_log_file *file,
                                       struct bough_error *error)
{
    while (file->written < file->used) {
        ssize_t result =
            write_some(file, file->buffer + file->written, bough_log_file_pending(file));
        if (result < 0) goto failed;
        file->written += (size_t)result;
        file->size += result;
    }
    file->used = 0;
    file->written = 0;
    file->failing = false;
    return BOUGH_OK;

failed:
    if (!file->failing) complain(file, "cannot write, will try again");
    file->failing = true;
    compact(file);
    return bough_error_system(error, "cannot write log file \"%s\"", name_of(file));
}

enum bough_status bough_log_file_sync(struct bough_log_file *file,
                                      struct bough_error *error)
{
    enum bough_status status = bough_log_file_flush(file, error);

    if (status != BOUGH_OK || !file->regular) return status;
    if (fsync(file->fd) == 0) return BOUGH_OK;
    return bough_error_system(error, "cannot sync log file \"%s\"", name_of(file));
}

/* Opening */

/* Not blocking, so that a named pipe without a reader is an error and a full one waits in
 * the buffer; files on a disk do not know the difference. */
static int open_path(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                  0640);

    if (fd < 0 || fd > STDERR_FILENO) return fd;
    /* Not in the place of a closed stdin, stdout or stderr. */
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return higher;
}

/* Goes on with another descriptor; a line that is half written begins anew there. */
static void use(struct bough_log_file *file, int fd)
{
    struct stat status = { 0 };

    file->regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    file->size = file->regular ? status.st_size : 0;
    file->fd = fd;
    file->written = 0;
}

static void leave(const struct bough_log_file *file)
{
    if (file->regular) fsync(file->fd); /* what it holds must last, whoever may move it */
    close(file->fd);
}

enum bough_status bough_log_file_init(struct bough_log_file *file,
                                      const struct bough_log_file_options *options,
                                      struct bough_error *error)
{
    const char *path = options->path;

    bough_assert(options->rotate_size == 0 || options->keep >= 1);
    if (path && strlen(path) + SUFFIX > PATH_MAX) {
        return bough_error_set(error, BOUGH_ETOOLARGE,
                               "the path of the log file is too long");
    }
    int fd = path ? open_path(path) : STDERR_FILENO;
    if (fd < 0) return bough_error_system(error, "cannot open log file \"%s\"", path);
    char *buffer = malloc(BOUGH_LOG_CAPACITY);
    if (!buffer) goto no_memory;
    *file =
        (struct bough_log_file){ .options = *options,
                                 .write = path ? bough_write_quietly : write_to_stderr,
                                 .buffer = buffer };
    use(file, fd);
    return BOUGH_OK;

no_memory:
    if (path) close(fd);
    return bough_error_set(error, BOUGH_ENOMEM, "no memory for a log buffer");
}

void bough_log_file_finish(struct bough_log_file *file)
{
    if (bough_log_file_flush(file, NULL) != BOUGH_OK) {
        complain(file, "the last lines could not be written");
    }
    if (file->options.path) close(file->fd);
    free(file->buffer);
    *file = (struct bough_log_file){ .fd = -1 };
}

enum bough_status bough_log_file_reopen(struct bough_log_file *file,
                                        struct bough_error *error)
{
    if (!file->options.path) return BOUGH_OK;
    int fd = open_path(file->options.path);
    if (fd < 0) {
        /* Who asked by a signal hears no answer. */
        complain(file, "cannot reopen, goes on with the old file");
        return bough_error_system(error, "cannot open log file \"%s\"",
                                  file->options.path);
    }
    /* What waits belongs to the old file; if it cannot take it, the new one gets it. */
    enum bough_status flushed = bough_log_file_flush(file, NULL);
    leave(file);
    use(file, fd);
    return flushed == BOUGH_OK ? BOUGH_OK : bough_log_file_flush(file, error);
}

/* Rotating */

static void numbered(const struct bough_log_file *file, int64_t number,
                     char path[PATH_MAX])
{
    if (number == 0) {
        snprintf(path, PATH_MAX, "%s", file->options.path);
    } else {
        snprintf(path, PATH_MAX, "%s.%lld", file->options.path, (long long)number);
    }
}

/* Makes FILE.1 of FILE, FILE.2 of FILE.1 ...; the last one is overwritten. Gaps are fine.
 */
static bool shift(const struct bough_log_file *file)
{
    char from[PATH_MAX], to[PATH_MAX];

    for (int64_t number = file->options.keep; number > 0; number--) {
        numbered(file, number - 1, from);
        numbered(file, number, to);
        if (rename(from, to) != 0 && errno != ENOENT) return false;
    }
    return true;
}

/* The buffer is empty. When it fails, the old file goes on, up to as much again. */
static void rotate(struct bough_log_file *file)
{
    bough_assert(file->used == 0);
    int fd = shift(file) ? open_path(file->options.path) : -1;

    if (fd < 0) {
        complain(file, "cannot rotate");
        file->size = 0;
        return;
    }
    leave(file);
    use(file, fd);
}

static bool must_rotate(const struct bough_log_file *file, size_t len)
{
    int64_t size = file->size + (int64_t)bough_log_file_pending(file);

    return file->options.path && file->regular && file->options.rotate_size > 0 &&
           size > 0 && size + (int64_t)len > file->options.rotate_size;
}

void bough_log_file_append(struct bough_log_file *file, const char *line, size_t len)
{
    bough_assert(len > 0 && len <= BOUGH_LOG_BATCH && line[len - 1] == '\n');
    /* While writing fails, only the caller's retries try: not every line. */
    if (!file->failing && must_rotate(file, len)) {
        if (bough_log_file_flush(file, NULL) == BOUGH_OK) rotate(file);
    }
    if (len > BOUGH_LOG_CAPACITY - file->used) {
        file->lost++;
        return;
    }
    memcpy(file->buffer + file->used, line, len);
    file->used += len;
    if (file->failing || bough_log_file_pending(file) < BOUGH_LOG_BATCH) return;
    if (bough_log_file_flush(file, NULL) != BOUGH_OK) return; /* it waits for a retry */
}

uint64_t bough_log_file_take_lost(struct bough_log_file *file)
{
    uint64_t lost = file->lost;

    file->lost = 0;
    return lost;
}
