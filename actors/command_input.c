/* command_input.c - what is written to a program's stdin.
 *
 * A pipe. What does not fit into it is kept, up to a limit, and written when the program
 * has read.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/core/quiet.h>

enum { KEPT_MAX = 1024 * 1024 };

struct bough_command_input_pipe {
    struct bough_source source;
    int fd;     /* -1: closed, or the program reads no more */
    char *kept; /* what was not written yet */
    size_t size, written, capacity;
    bool last; /* to be closed when that is written */
};

enum bough_status bough_command_open_input(struct bough_running *self, int *fd,
                                           struct bough_error *error)
{
    *fd = BOUGH_SPAWN_NULL;
    if (self->options->stdin_from != BOUGH_COMMAND_INPUT) return BOUGH_OK;
    self->input = calloc(1, sizeof(*self->input));
    if (!self->input) return bough_error_set(error, BOUGH_ENOMEM, "no memory for input");
    self->input->fd = -1;
    if (bough_pipe_open(false, &self->input->fd, fd)) return BOUGH_OK;
    return bough_error_system(error, "cannot make a pipe for its input");
}

static void close_pipe(struct bough_command_input_pipe *input)
{
    bough_source_stop(&input->source);
    if (input->fd >= 0) close(input->fd);
    free(input->kept);
    *input = (struct bough_command_input_pipe){ .fd = -1 };
}

/* As much as there is room for; false: nobody reads it any more. */
static bool flush(struct bough_command_input_pipe *input)
{
    while (input->written < input->size) {
        const ssize_t written = bough_write_quietly(
            input->fd, input->kept + input->written, input->size - input->written);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EAGAIN) return true;
        if (written < 0) return false;
        input->written += (size_t)written;
    }
    free(input->kept);
    input->kept = NULL;
    input->size = input->written = input->capacity = 0;
    return true;
}

static void on_writable(struct bough_actor *actor, struct bough_source *source,
                        int events)
{
    struct bough_running *self = bough_state(actor);
    struct bough_command_input_pipe *input = self->input;

    (void)events;
    if (!flush(input) || (input->size == 0 && input->last))
        close_pipe(input);
    else if (input->size == 0)
        bough_source_stop(source);
}

static bool keep(struct bough_command_input_pipe *input, const void *bytes, size_t size)
{
    char *kept = realloc(input->kept, input->size + size);

    if (!kept) return false;
    memcpy(kept + input->size, bytes, size);
    input->kept = kept;
    input->size += size;
    return true;
}

enum bough_status bough_command_write(struct bough_running *self, const void *bytes,
                                      size_t size, bool last)
{
    struct bough_command_input_pipe *input = self->input;

    if (!input) return BOUGH_EREFUSED;
    if (input->fd < 0 || input->last) return BOUGH_EGONE;
    if (size > KEPT_MAX - (input->size - input->written)) return BOUGH_EFULL;
    if (size > 0 && !keep(input, bytes, size)) return BOUGH_ENOMEM;
    input->last = last;
    if (!flush(input)) {
        close_pipe(input);
        return BOUGH_EGONE;
    }
    if (input->size > 0 && !bough_source_is_running(&input->source))
        bough_source_start(self->actor, &input->source, input->fd, EV_WRITE, on_writable);
    if (input->size == 0 && last) close_pipe(input);
    return BOUGH_OK;
}

void bough_command_close_input(struct bough_running *self)
{
    if (!self->input) return;
    close_pipe(self->input);
    free(self->input);
    self->input = NULL;
}

int64_t bough_command_input_waiting(const struct bough_running *self)
{
    return self->input ? (int64_t)(self->input->size - self->input->written) : 0;
}
