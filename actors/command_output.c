/* command_output.c - what a program writes, line by line to the log.
 *
 * A stream is a pipe. What was read and is not a whole line yet is kept, and so are lines
 * for which the log has no room; then nothing more is read until it has, and the program
 * that writes on waits for the pipe. So each stream keeps at most one buffer. A line that
 * is too long is cut, and the rest of it thrown away as it comes.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

enum {
    STREAMS = 2,
    READ_SIZE = 32 * 1024, /* bytes of one turn: half of what a pipe holds */
    BUFFER_SIZE = READ_SIZE + BOUGH_OUTPUT_LINE,
    DRAIN_SIZE = 256 * 1024, /* bytes: somebody that has escaped may go on for ever */
    RETRY_MS = 1,            /* first wait for room in the log */
    RETRY_MAX_MS = 50
};

static const char cut_mark[] = " ..."; /* after what is left of a line that was cut */

struct stream {
    struct bough_source source;
    int fd; /* -1: closed */
    const char *name;
    char *kept; /* what was read and not handed on; NULL: nothing */
    size_t kept_len;
    bool skips; /* until the end of this line */
    int64_t lines, bytes;
};

struct bough_command_output_pipes {
    struct bough_running *command;
    struct bough_logger logger; /* or nobody */
    struct stream streams[STREAMS];
    struct bough_timer retry;
    int64_t retry_ms;
    char last_words[BOUGH_EXIT_TEXT];
};

static bool goes_to_log(const struct bough_command_output *output)
{
    return !output->file && output->to == BOUGH_TO_LOG;
}

/* Opening */

enum bough_status bough_command_find_logger(const struct bough_running *self,
                                            struct bough_logger *logger,
                                            struct bough_error *error)
{
    const char *path = self->options->logger;

    logger->address = BOUGH_NOBODY;
    if (!path) return BOUGH_OK;
    const enum bough_status status =
        bough_reference(bough_actor_loop(self->actor), path, &logger->address);
    if (status == BOUGH_OK) return BOUGH_OK;
    return bough_error_set(error, status, "logger \"%s\": %s", path,
                           bough_status_text(status));
}

static enum bough_status make_pipes(struct bough_running *self, struct bough_error *error)
{
    struct bough_command_output_pipes *pipes;

    if (self->output) return BOUGH_OK;
    pipes = calloc(1, sizeof(*pipes));
    if (!pipes) return bough_error_set(error, BOUGH_ENOMEM, "no memory for its output");
    const enum bough_status status =
        bough_command_find_logger(self, &pipes->logger, error);
    if (status != BOUGH_OK) {
        free(pipes);
        return status;
    }
    pipes->command = self;
    for (int i = 0; i < STREAMS; i++)
        pipes->streams[i].fd = -1;
    pipes->streams[0].name = "stdout";
    pipes->streams[1].name = "stderr";
    self->output = pipes;
    return BOUGH_OK;
}

static enum bough_status open_pipe(struct bough_running *self, int number, int *fd,
                                   struct bough_error *error)
{
    const enum bough_status status = make_pipes(self, error);

    if (status != BOUGH_OK) return status;
    if (bough_pipe_open(true, &self->output->streams[number - 1].fd, fd)) return BOUGH_OK;
    return bough_error_system(error, "cannot make a pipe for its output");
}

/* Nobody waits here for who reads a named pipe: without one it is an error. The
 * program itself waits, as programs do. */
static enum bough_status open_file(const char *path, int *fd, struct bough_error *error)
{
    const int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int opened = open(path, how | O_NONBLOCK, 0640);

    if (opened < 0 && errno == ENXIO)
        return bough_error_set(error, BOUGH_ESYSTEM,
                               "cannot open \"%s\" for what it writes: it is a pipe "
                               "that nobody reads",
                               path);
    if (opened < 0 || fcntl(opened, F_SETFL, how) != 0 ||
        !bough_descriptor_raise(&opened)) {
        bough_error_system(error, "cannot open \"%s\" for what it writes", path);
        if (opened >= 0) close(opened);
        return BOUGH_ESYSTEM;
    }
    *fd = opened;
    return BOUGH_OK;
}

enum bough_status bough_command_open_output(struct bough_running *self, int number,
                                            int *fd, struct bough_error *error)
{
    const struct bough_command_output *output =
        number == STDOUT_FILENO ? &self->options->stdout_to : &self->options->stderr_to;

    if (output->file) return open_file(output->file, fd, error);
    if (goes_to_log(output)) return open_pipe(self, number, fd, error);
    *fd = output->to == BOUGH_TO_INHERIT ? BOUGH_SPAWN_INHERIT : BOUGH_SPAWN_NULL;
    return BOUGH_OK;
}

/* Lines */

static bool hand_on(struct bough_running *self, const struct stream *stream,
                    const char *line)
{
    struct bough_runtime *runtime = bough_actor_runtime(self->actor);
    struct bough_logger_hook hook = { .least = BOUGH_INFO,
                                      .logger = self->output->logger };
    const struct bough_log_record record = {
        .level = BOUGH_INFO,
        .realtime_ns = bough_runtime_realtime_ns(runtime),
        .path = bough_actor_path(self->actor),
        .text = line,
        .stream = stream->name,
    };

    if (bough_address_is_nobody(self->output->logger.address))
        return bough_output(runtime, &record);
    return bough_logger_hook_output(&hook, &record);
}

/* It lies in the buffer, and becomes a text there. */
static bool take_line(struct bough_command_output_pipes *pipes, struct stream *stream,
                      char *line, size_t len)
{
    struct bough_running *self = pipes->command;

    if (len > 0 && line[len - 1] == '\r') len--;
    for (char *nul = line; (nul = memchr(nul, '\0', len - (size_t)(nul - line)));)
        *nul = '?';
    const char behind = line[len];
    line[len] = '\0';
    const bool taken = hand_on(self, stream, line);
    if (!taken) line[len] = behind;
    if (!taken) return false;
    stream->lines++;
    if (stream == &pipes->streams[STREAMS - 1])
        bough_text_format(pipes->last_words, sizeof(pipes->last_words), "%s", line);
    if (self->readiness) bough_readiness_line(self, line);
    return true;
}

/* The beginning of a line whose end did not come within what is allowed. */
static bool take_long_line(struct bough_command_output_pipes *pipes,
                           struct stream *stream, char *line)
{
    const size_t room = BOUGH_OUTPUT_LINE - sizeof(cut_mark);
    const size_t len = bough_utf8_cut(line, room + 1, room);
    char behind[sizeof(cut_mark)];

    memcpy(behind, line + len, sizeof(behind));
    memcpy(line + len, cut_mark, sizeof(cut_mark));
    stream->skips = take_line(pipes, stream, line, len + sizeof(cut_mark) - 1);
    memcpy(line + len, behind, sizeof(behind));
    return stream->skips;
}

/* Hands on the lines of a buffer. Returns how many bytes are done with; `*blocked`: the
 * log has no room for what comes next. */
static size_t take_lines(struct bough_command_output_pipes *pipes, struct stream *stream,
                         char *text, size_t size, bool *blocked)
{
    size_t at = 0;

    *blocked = false;
    while (at < size && !*blocked) {
        const size_t left = size - at;
        char *line = text + at, *newline = memchr(line, '\n', left);
        const size_t len = newline ? (size_t)(newline - line) : left;

        if (stream->skips) {
            stream->skips = newline == NULL;
        } else if (len >= BOUGH_OUTPUT_LINE) {
            *blocked = !take_long_line(pipes, stream, line);
            stream->skips = !*blocked && !newline;
        } else if (!newline) {
            return at;
        } else {
            *blocked = !take_line(pipes, stream, line, len);
        }
        if (!*blocked) at += len + (newline != NULL);
    }
    return at;
}

/* Keeps what is behind `done`, in no more memory than it needs. */
static void keep_rest(struct stream *stream, char *buffer, size_t size, size_t done)
{
    const size_t left = size - done;

    stream->kept_len = left;
    if (left == 0) {
        free(buffer);
        stream->kept = NULL;
        return;
    }
    memmove(buffer, buffer + done, left);
    char *smaller = realloc(buffer, left + 1);
    stream->kept = smaller ? smaller : buffer;
}

/* False: the log has no room. */
static bool hand_on_kept(struct bough_command_output_pipes *pipes, struct stream *stream)
{
    bool blocked;

    if (!stream->kept) return true;
    const size_t done =
        take_lines(pipes, stream, stream->kept, stream->kept_len, &blocked);
    keep_rest(stream, stream->kept, stream->kept_len, done);
    return !blocked;
}

/* Reading */

enum reading { READ_MORE, READ_WAIT, READ_END };

static enum reading read_stream(struct stream *stream)
{
    char *buffer = realloc(stream->kept, BUFFER_SIZE + 1);

    if (!buffer) return READ_WAIT; /* there may be memory in a while */
    stream->kept = buffer;
    const size_t room = BUFFER_SIZE - stream->kept_len;
    const ssize_t got =
        read(stream->fd, buffer + stream->kept_len, room < READ_SIZE ? room : READ_SIZE);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? READ_WAIT : READ_END;
    stream->kept_len += (size_t)got;
    stream->bytes += got;
    return got > 0 ? READ_MORE : READ_END;
}

static void close_stream(struct stream *stream)
{
    bough_source_stop(&stream->source);
    if (stream->fd >= 0) close(stream->fd);
    stream->fd = -1;
}

/* What is left at the end is a line, too, though nobody has ended it. */
static bool take_last_line(struct bough_command_output_pipes *pipes,
                           struct stream *stream)
{
    if (stream->kept && stream->kept_len > 0 && !stream->skips) {
        if (!take_line(pipes, stream, stream->kept, stream->kept_len)) return false;
    }
    free(stream->kept);
    stream->kept = NULL;
    stream->kept_len = 0;
    return true;
}

static void on_retry(struct bough_actor *actor, struct bough_timer *timer);

/* Lines that the log has taken. */
static int64_t taken(const struct bough_command_output_pipes *pipes)
{
    int64_t lines = 0;

    for (int i = 0; i < STREAMS; i++)
        lines += pipes->streams[i].lines;
    return lines;
}

/* A log that has taken some since `before` is at work, and has room again soon. */
static void wait_for_room(struct bough_command_output_pipes *pipes, int64_t before)
{
    if (taken(pipes) != before) pipes->retry_ms = 0;
    for (int i = 0; i < STREAMS; i++)
        bough_source_stop(&pipes->streams[i].source);
    pipes->retry_ms = pipes->retry_ms == 0                 ? RETRY_MS
                      : pipes->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS
                                                           : pipes->retry_ms * 2;
    bough_timer_start(pipes->command->actor, &pipes->retry, pipes->retry_ms, 0, on_retry);
}

static void on_readable(struct bough_actor *actor, struct bough_source *source,
                        int events)
{
    struct stream *stream = bough_container(source, struct stream, source);
    struct bough_running *self = bough_state(actor);
    struct bough_command_output_pipes *pipes = self->output;

    (void)events;
    const int64_t before = taken(pipes);
    const enum reading reading = read_stream(stream);
    if (!hand_on_kept(pipes, stream) ||
        (reading == READ_END && !take_last_line(pipes, stream))) {
        wait_for_room(pipes, before);
        return;
    }
    pipes->retry_ms = 0;
    if (reading == READ_END) close_stream(stream);
}

static void watch(struct bough_command_output_pipes *pipes)
{
    for (int i = 0; i < STREAMS; i++) {
        struct stream *stream = &pipes->streams[i];
        if (stream->fd >= 0)
            bough_source_start(pipes->command->actor, &stream->source, stream->fd,
                               EV_READ, on_readable);
    }
}

static void on_retry(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_running *self = bough_state(actor);
    struct bough_command_output_pipes *pipes = self->output;
    const int64_t before = taken(pipes);
    bool room = true;

    (void)timer;
    for (int i = 0; i < STREAMS && room; i++)
        room = hand_on_kept(pipes, &pipes->streams[i]);
    if (room)
        watch(pipes);
    else
        wait_for_room(pipes, before);
}

void bough_command_watch_output(struct bough_running *self)
{
    if (self->output) watch(self->output);
}

/* The end */

static bool drain(struct bough_command_output_pipes *pipes, struct stream *stream)
{
    enum reading reading = READ_MORE;
    int64_t most = stream->bytes + DRAIN_SIZE;

    if (!hand_on_kept(pipes, stream)) return false;
    while (stream->fd >= 0 && reading == READ_MORE && stream->bytes < most) {
        reading = read_stream(stream);
        if (!hand_on_kept(pipes, stream)) return false;
    }
    return take_last_line(pipes, stream);
}

bool bough_command_drain(struct bough_running *self, bool last)
{
    struct bough_command_output_pipes *pipes = self->output;
    bool done = true;

    if (!pipes) return true;
    bough_timer_stop(&pipes->retry);
    for (int i = 0; i < STREAMS; i++) {
        bough_source_stop(&pipes->streams[i].source);
        if (drain(pipes, &pipes->streams[i]))
            close_stream(&pipes->streams[i]);
        else
            done = false;
    }
    return done || last;
}

void bough_command_close_output(struct bough_running *self)
{
    struct bough_command_output_pipes *pipes = self->output;

    if (!pipes) return;
    bough_timer_stop(&pipes->retry);
    for (int i = 0; i < STREAMS; i++) {
        close_stream(&pipes->streams[i]);
        free(pipes->streams[i].kept);
    }
    free(pipes);
    self->output = NULL;
}

const char *bough_command_last_words(const struct bough_running *self)
{
    return self->output ? self->output->last_words : "";
}

static struct bough_command_stream_status count(const struct stream *stream)
{
    return (struct bough_command_stream_status){ .lines = stream->lines,
                                                 .bytes = stream->bytes };
}

void bough_command_count_output(const struct bough_running *self,
                                struct bough_command_status *status)
{
    if (!self->output) return;
    status->out = count(&self->output->streams[0]);
    status->err = count(&self->output->streams[1]);
}
