/* keeper.c - see keeper_internal.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/keeper_internal.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/actors/reaper_internal.h>

enum { FINISH_PATIENCE = 100, LINE = 24 };

/* An empty line keeps nothing. The last line that came before the end counts. */
static const char script[] = "while read -r group; do kept=$group; done; "
                             "[ -z \"$kept\" ] || kill -s KILL -- \"-$kept\"";

/* A socket rather than a pipe, so that a keeper that is gone is an error and no SIGPIPE.
 */
static enum bough_status start(struct bough_keeper *keeper, struct bough_error *error)
{
    static const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    enum bough_status status;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return bough_error_system(error, "cannot make a socket");
    }
    if (bough_descriptor_raise(&ends[0]) && bough_descriptor_raise(&ends[1])) {
        const struct bough_spawn_options options = {
            .argv = argv,
            .stdin_fd = ends[1],
            .outlives = true,
        };
        status = bough_process_spawn(&options, &keeper->process, error);
    } else {
        status = bough_error_system(error, "cannot make a socket");
    }
    close(ends[1]);
    if (status != BOUGH_OK) {
        close(ends[0]);
        return status;
    }
    keeper->fd = ends[0];
    keeper->running = true;
    return BOUGH_OK;
}

/* False when the keeper is gone. */
static bool write_line(struct bough_keeper *keeper, const char *line)
{
    const size_t len = strlen(line);

    return send(keeper->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* Tells a keeper, the one that runs or else a new one. */
static enum bough_status tell(struct bough_keeper *keeper, const char *line,
                              struct ev_loop *ev, struct bough_error *error)
{
    if (keeper->running && write_line(keeper, line)) return BOUGH_OK;
    bough_keeper_finish(keeper, ev);

    const enum bough_status status = start(keeper, error);
    if (status != BOUGH_OK) return status;
    if (write_line(keeper, line)) return BOUGH_OK;
    bough_error_set(error, BOUGH_EFAILED, "/bin/sh ended at once");
    bough_keeper_finish(keeper, ev);
    return BOUGH_EFAILED;
}

enum bough_status bough_keeper_begin(struct bough_keeper *keeper, struct ev_loop *ev,
                                     struct bough_error *error)
{
    return tell(keeper, "\n", ev, error);
}

enum bough_status bough_keeper_keep(struct bough_keeper *keeper, pid_t group,
                                    struct ev_loop *ev, struct bough_error *error)
{
    char line[LINE];

    snprintf(line, sizeof(line), "%d\n", (int)group);
    return tell(keeper, line, ev, error);
}

/* A keeper that is gone keeps nothing; the next bough_keeper_keep() starts another. */
void bough_keeper_drop(struct bough_keeper *keeper)
{
    if (keeper->running) (void)write_line(keeper, "\n");
}

void bough_keeper_finish(struct bough_keeper *keeper, struct ev_loop *ev)
{
    if (!keeper->running) return;
    bough_process_kill(&keeper->process);
    close(keeper->fd);
    bough_reaper_take(ev, &keeper->process, FINISH_PATIENCE);
    *keeper = (struct bough_keeper){ .running = false };
}
