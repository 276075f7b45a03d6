/* reaper.c - waits for killed processes that take their time to die.
 *
 * One small allocation per process, with two watchers: its pidfd, and the end of the
 * loop.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/reaper_internal.h>

#include <ev.h>
#include <stdlib.h>
#include <unistd.h>

#include <bough/core/assert.h>

struct reaper {
    struct ev_io ended;
    struct ev_cleanup cleanup;
    struct bough_process process;
};

/* A loop does not count its cleanup watchers; so that it does not count the other one
 * either, ev_io_start() is followed by ev_unref(), and ev_io_stop() comes after ev_ref().
 */
static void reaper_free(struct ev_loop *ev, struct reaper *reaper)
{
    ev_ref(ev);
    ev_io_stop(ev, &reaper->ended);
    ev_cleanup_stop(ev, &reaper->cleanup);
    free(reaper);
}

static void reaper_ended(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct reaper *reaper = io->data;
    struct bough_process_end end;

    (void)events;
    if (bough_process_reap(&reaper->process, &end)) reaper_free(ev, reaper);
}

/* The loop is being destroyed. */
static void reaper_cleanup(struct ev_loop *ev, struct ev_cleanup *cleanup, int events)
{
    struct reaper *reaper = cleanup->data;
    int pidfd = reaper->process.pidfd;

    (void)events;
    reaper_free(ev, reaper);
    close(pidfd);
}

static void reaper_start(struct ev_loop *ev, const struct bough_process *process)
{
    struct reaper *reaper = malloc(sizeof(*reaper));

    if (!reaper) {
        close(process->pidfd);
        return;
    }
    reaper->process = *process;
    ev_io_init(&reaper->ended, reaper_ended, process->pidfd, EV_READ);
    reaper->ended.data = reaper;
    ev_io_start(ev, &reaper->ended);
    ev_unref(ev);
    ev_cleanup_init(&reaper->cleanup, reaper_cleanup);
    reaper->cleanup.data = reaper;
    ev_cleanup_start(ev, &reaper->cleanup);
}

void bough_reaper_take(struct ev_loop *ev, struct bough_process *process, int patience_ms)
{
    struct bough_process_end end;

    bough_assert(process->pidfd >= 0);
    bool ended =
        bough_process_wait(process, patience_ms) && bough_process_reap(process, &end);
    if (!ended) reaper_start(ev, process);
    process->pidfd = -1;
}
