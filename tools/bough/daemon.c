/* daemon.c - a daemon of libmicrohttpd on a libev loop.
 *
 * Resuming a connection only notes it in the daemon, which must be run to act on it: its
 * timer is made due at once, so that it runs once for all that was resumed in one round
 * of the loop. The same when connections have ended: one that has as many as it may have
 * does not look at its listening socket, and begins again only when it runs the next
 * time.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/daemon.h>

#include <bough/core/assert.h>

static void arm(struct bough_daemon *daemon, double seconds)
{
    ev_timer_stop(daemon->ev, &daemon->due);
    ev_timer_set(&daemon->due, seconds, 0);
    ev_timer_start(daemon->ev, &daemon->due);
}

/* Whether there are fewer connections than the last time. */
static bool has_room_again(struct bough_daemon *daemon)
{
    const union MHD_DaemonInfo *info =
        bough_http.MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    const unsigned before = daemon->connections;

    daemon->connections = info != NULL ? info->num_connections : 0;
    return daemon->connections < before;
}

static void serve(struct bough_daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG ms;

    daemon->resumed = false;
    bough_http.MHD_run(daemon->mhd);
    if (has_room_again(daemon) || daemon->resumed) {
        arm(daemon, 0);
    } else if (bough_http.MHD_get_timeout(daemon->mhd, &ms) == MHD_YES) {
        arm(daemon, (double)ms / 1000.0);
    } else {
        ev_timer_stop(daemon->ev, &daemon->due);
    }
}

static void on_io(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void)ev, (void)events;
    serve(io->data);
}

static void on_due(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)events;
    serve(timer->data);
}

void bough_daemon_start(struct bough_daemon *daemon, struct ev_loop *ev,
                        struct MHD_Daemon *mhd)
{
    const union MHD_DaemonInfo *info =
        bough_http.MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_EPOLL_FD);

    bough_assert(info != NULL);
    *daemon = (struct bough_daemon){ .ev = ev, .mhd = mhd };
    ev_io_init(&daemon->io, on_io, info->epoll_fd, EV_READ);
    ev_timer_init(&daemon->due, on_due, 0, 0);
    daemon->io.data = daemon->due.data = daemon;
    ev_io_start(ev, &daemon->io);
    serve(daemon);
}

void bough_daemon_resumed(struct bough_daemon *daemon)
{
    if (!daemon->resumed) arm(daemon, 0);
    daemon->resumed = true;
}

void bough_daemon_stop(struct bough_daemon *daemon)
{
    ev_io_stop(daemon->ev, &daemon->io);
    ev_timer_stop(daemon->ev, &daemon->due);
    bough_http.MHD_stop_daemon(daemon->mhd);
}
