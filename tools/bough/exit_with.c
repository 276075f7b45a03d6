/* exit_with.c - the command that bough stands for.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/exit_with.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/field.h>
#include <bough/core/place.h>
#include <bough/tools/bough/exit_code.h>

static const int forwarded[] = { SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
_Static_assert(bough_count_of(forwarded) == BOUGH_EXIT_WITH_SIGNALS,
               "each has a watcher");

/* The number is its process's until that is reaped, here, on this thread. */
static void on_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    const struct bough_exit_with *self = watcher->data;
    struct bough_address place;
    struct bough_place_info info;

    (void)ev, (void)events;
    if (bough_lookup(self->loop, self->path, &place) == BOUGH_OK &&
        bough_place_info(place, &info) == BOUGH_OK && info.pid > 0)
        kill((pid_t)info.pid, watcher->signum);
}

void bough_exit_with_init(struct bough_exit_with *self, struct ev_loop *ev,
                          struct bough_loop *loop)
{
    *self = (struct bough_exit_with){ .ev = ev, .loop = loop, .code = -1 };
    for (size_t i = 0; i < bough_count_of(forwarded); i++) {
        ev_signal_init(&self->signals[i], on_signal, forwarded[i]);
        self->signals[i].data = self;
    }
}

/* Without a watcher a signal does what it does to every program. */
static void watch(struct bough_exit_with *self, bool wanted)
{
    for (size_t i = 0; i < bough_count_of(forwarded); i++) {
        if (wanted)
            ev_signal_start(self->ev, &self->signals[i]);
        else
            ev_signal_stop(self->ev, &self->signals[i]);
    }
}

void bough_exit_with_swap(struct bough_exit_with *self, char **path, int *code)
{
    char *old_path = self->path;
    const int old_code = self->code;

    if (*path != NULL && old_path != NULL && strcmp(*path, old_path) == 0)
        *code = old_code; /* the same one: its end is known, or yet to come */
    self->path = *path;
    self->code = *code;
    *path = old_path;
    *code = old_code;
    watch(self, self->path != NULL);
}

bool bough_exit_with_set(struct bough_exit_with *self, const char *path)
{
    char *copy = path != NULL ? strdup(path) : NULL;
    int code = -1;

    if (copy == NULL && path != NULL) return false;
    bough_exit_with_swap(self, &copy, &code);
    free(copy);
    return true;
}

/* As a shell has it. */
static int code_of(const struct bough_exit_reason *reason)
{
    switch (reason->kind) {
    case BOUGH_EXIT_NORMAL:
    case BOUGH_EXIT_SHUTDOWN: return BOUGH_CODE_DONE;
    case BOUGH_EXIT_CODE: return reason->number;
    case BOUGH_EXIT_SIGNAL: return 128 + reason->number;
    case BOUGH_EXIT_KILLED:
    case BOUGH_EXIT_TIMEOUT: return 128 + SIGKILL;
    case BOUGH_EXIT_ERROR:
    case BOUGH_EXIT_LOST:
    case BOUGH_EXIT_KIND_COUNT: break;
    }
    return BOUGH_CODE_FAILED;
}

void bough_exit_with_note(struct bough_exit_with *self, const struct bough_event *event)
{
    if (self->path == NULL || strcmp(event->path, self->path) != 0) return;
    if (event->kind == BOUGH_EVENT_STARTED) self->code = -1;
    if (event->kind == BOUGH_EVENT_EXITED) self->code = code_of(event->reason);
}

int bough_exit_with_code(const struct bough_exit_with *self, int code)
{
    if (self->path == NULL || self->code < 0) return code;
    return self->code != BOUGH_CODE_DONE ? self->code : code;
}

void bough_exit_with_finish(struct bough_exit_with *self)
{
    if (self->ev != NULL) watch(self, false);
    free(self->path);
    self->path = NULL;
}
