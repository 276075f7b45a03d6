/* source.c - the text of a config: read whole, and shown in part.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/source_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/config/config.h>
#include <bough/config/quote_internal.h>

/* Characters of a source line that are shown, and to where a tab moves. */
enum { SHOWN = 80, TAB = 4 };

/* Reading */

static enum bough_status too_large(struct bough_error *error)
{
    return bough_error_set(error, BOUGH_ETOOLARGE, "the file is larger than %d MiB",
                           BOUGH_CONFIG_SIZE_MAX / (1024 * 1024));
}

/* O_NONBLOCK, so that a FIFO is refused and not waited for. */
static enum bough_status open_regular(const char *name, int *file, size_t *size,
                                      struct bough_error *error)
{
    struct stat status;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum bough_status failed;

    if (fd < 0) return bough_error_system(error, "the file cannot be read");
    if (fstat(fd, &status) != 0) {
        failed = bough_error_system(error, "the file cannot be read");
    } else if (S_ISDIR(status.st_mode)) {
        failed =
            bough_error_set(error, BOUGH_EINVALID, "this is a directory, not a file");
    } else if (!S_ISREG(status.st_mode)) {
        failed = bough_error_set(error, BOUGH_EINVALID, "this is not a regular file");
    } else if (status.st_size > BOUGH_CONFIG_SIZE_MAX) {
        failed = too_large(error);
    } else {
        *file = fd;
        *size = (size_t)status.st_size;
        return BOUGH_OK;
    }
    close(fd);
    return failed;
}

/* Up to `capacity` bytes; fewer when the file has become shorter. */
static enum bough_status read_all(int fd, char *text, size_t capacity, size_t *len,
                                  struct bough_error *error)
{
    *len = 0;
    while (*len < capacity) {
        ssize_t got = read(fd, text + *len, capacity - *len);

        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return bough_error_system(error, "the file cannot be read");
        if (got == 0) break;
        *len += (size_t)got;
    }
    return BOUGH_OK;
}

enum bough_status bough_source_read(struct bough_source *source, const char *name,
                                    struct bough_error *error)
{
    enum bough_status status;
    size_t size = 0, len = 0;
    char *text;
    int fd = -1;

    source->name = name;
    status = open_regular(name, &fd, &size, error);
    if (status != BOUGH_OK) return status;
    text = malloc(size + 1);
    if (text == NULL)
        status = bough_error_set(error, BOUGH_ENOMEM, "no memory to read it");
    else
        status = read_all(fd, text, size, &len, error);
    close(fd);
    if (status != BOUGH_OK) {
        free(text);
        return status;
    }
    text[len] = '\0';
    source->text = text;
    source->len = len;
    return BOUGH_OK;
}

enum bough_status bough_source_copy(struct bough_source *source, const char *name,
                                    const char *text, size_t len,
                                    struct bough_error *error)
{
    source->name = name;
    if (len > BOUGH_CONFIG_SIZE_MAX) return too_large(error);
    source->text = malloc(len + 1);
    if (source->text == NULL)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory to copy it");
    if (len > 0) memcpy(source->text, text, len);
    source->text[len] = '\0';
    source->len = len;
    return BOUGH_OK;
}

void bough_source_finish(struct bough_source *source)
{
    free(source->text);
    *source = (struct bough_source){ .text = NULL };
}

size_t bough_source_mark(const struct bough_source *source)
{
    return source->len >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Showing */

/* Bytes of the character at `at`; 1 for what is none. */
static size_t char_size(const struct bough_source *source, size_t at)
{
    size_t size = bough_utf8_char(source->text + at, source->len - at);

    return size == 0 ? 1 : size;
}

static size_t line_start(const struct bough_source *source, size_t offset)
{
    const char *before = memrchr(source->text, '\n', offset);

    return before == NULL ? bough_source_mark(source)
                          : (size_t)(before + 1 - source->text);
}

static size_t line_end(const struct bough_source *source, size_t offset)
{
    const char *end = memchr(source->text + offset, '\n', source->len - offset);
    size_t at = end == NULL ? source->len : (size_t)(end - source->text);

    return at > offset && source->text[at - 1] == '\r' ? at - 1 : at;
}

static int chars_between(const struct bough_source *source, size_t from, size_t to)
{
    int count = 0;

    for (; from < to; from += char_size(source, from))
        count++;
    return count;
}

void bough_source_position(struct bough_source *source, size_t offset, int *line,
                           int *column)
{
    const char *next;

    if (offset < source->line_offset) {
        source->line_offset = 0;
        source->lines_before = 0;
    }
    while ((next = memchr(source->text + source->line_offset, '\n',
                          offset - source->line_offset)) != NULL) {
        source->line_offset = (size_t)(next + 1 - source->text);
        source->lines_before++;
    }
    *line = source->lines_before + 1;
    *column = chars_between(source, line_start(source, offset), offset) + 1;
}

/* Prints one character at a display column, and returns the column after it. */
static int print_char(const struct bough_source *source, size_t at, int column,
                      FILE *stream)
{
    size_t size = bough_utf8_char(source->text + at, source->len - at);

    if (source->text[at] == '\t') {
        int spaces = TAB - column % TAB;
        fprintf(stream, "%*s", spaces, "");
        return column + spaces;
    }
    if (size == 0 || bough_utf8_control(source->text + at, size))
        fputc('?', stream);
    else
        fwrite(source->text + at, 1, size, stream);
    return column + 1;
}

/* Steps over `count` characters, at most to `end`. */
static size_t forward(const struct bough_source *source, size_t at, size_t end, int count)
{
    for (; count > 0 && at < end; count--)
        at += char_size(source, at);
    return at < end ? at : end;
}

void bough_source_print(const struct bough_source *source, size_t offset, int line,
                        FILE *stream)
{
    size_t start = line_start(source, offset);
    size_t end = line_end(source, offset);
    int before = chars_between(source, start, offset);
    int hidden = before >= SHOWN ? before - SHOWN / 2 : 0;
    size_t from = forward(source, start, end, hidden);
    size_t to = forward(source, from, end, SHOWN);
    int column = 0, caret = -1;

    fprintf(stream, "%5d | ", line);
    if (hidden > 0) column = (int)fwrite("...", 1, 3, stream);
    for (size_t at = from; at < to; at += char_size(source, at)) {
        if (at == offset) caret = column;
        column = print_char(source, at, column, stream);
    }
    if (to < end) fputs("...", stream);
    fprintf(stream, "\n      | %*s^\n", caret >= 0 ? caret : column, "");
}

void bough_source_print_safe(const char *text, FILE *stream)
{
    const struct bough_source source = { .text = (char *)(uintptr_t)text,
                                         .len = strlen(text) };

    for (size_t at = 0; at < source.len; at += char_size(&source, at)) {
        size_t size = char_size(&source, at);

        if (bough_utf8_control(text + at, size))
            fputc('?', stream);
        else
            fwrite(text + at, 1, size, stream);
    }
}
