/* traffic.c - what comes from a process and goes to it, and when.
 *
 * While something is expected from there, what a message that was handed on comes to, the
 * loop looks there by itself (an inlet); else the process wakes it through an eventfd.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <utlist.h>

#include <bough/core/runtime.h>

static bool retire(struct bough_host *host)
{
    struct bough_proxy *proxy, *next;

    DL_FOREACH_SAFE (host->busy, proxy, next) {
        if (!bough_handed_retire(proxy)) return false;
        bough_proxy_pace(proxy);
    }
    return true;
}

/* Whether there is something to retire. */
static bool has_moved(const struct bough_host *host)
{
    const struct bough_proxy *proxy;

    DL_FOREACH (host->busy, proxy) {
        if (bough_handed_has_run(proxy)) return true;
    }
    return false;
}

static void send(struct bough_host *host)
{
    struct bough_proxy *proxy;

    bough_border_flush(&host->border);
    DL_FOREACH (host->busy, proxy)
        bough_handed_send(proxy);
}

/* What it has run, and what there is room for now. */
static bool retire_and_send(struct bough_host *host)
{
    if (!retire(host)) {
        bough_host_distrust(host, "it was not sent so much");
        return false;
    }
    send(host);
    return true;
}

/* From now on it is to wake us; whatever it did before it saw that is looked for. What it
 * has run meanwhile has left room in a mailbox: whoever waits for that outside of actors,
 * by running the loop and trying again, is not to be slept over. */
static bool sleeps(struct bough_host *host)
{
    if (!bough_border_sleep(&host->border, BOUGH_BORDER_POLLS)) return false;
    const bool moved = has_moved(host);
    if (!retire_and_send(host)) return false;
    if (moved) bough_border_stay_awake(&host->border);
    return !moved;
}

static void take(struct bough_host *host)
{
    const char *why;
    bool more;

    if (!bough_inbound_read(host, &more, &why)) {
        bough_inlet_close(&host->inlet);
        bough_host_distrust(host, why);
        return;
    }
    bough_border_show_read(&host->border);
    if (!retire_and_send(host)) return;
    /* While something is expected the loop looks there by itself. */
    if (host->busy == NULL && !more && sleeps(host))
        bough_inlet_close(&host->inlet);
    else
        bough_inlet_open(bough_actor_loop(host->owner), &host->inlet);
}

static void on_woken(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_host *host = bough_container(source, struct bough_host, woken);

    (void)actor, (void)events;
    bough_border_woken(&host->border);
    take(host);
}

static struct bough_host *host_of(const struct bough_inlet *inlet)
{
    return bough_container((struct bough_inlet *)(uintptr_t)inlet, struct bough_host,
                           inlet);
}

static bool waits(const struct bough_inlet *inlet)
{
    const struct bough_host *host = host_of(inlet);

    return bough_border_waits(&host->border) ||
           (host->busy != NULL && bough_handed_moves(host->busy));
}

static void take_in(struct bough_inlet *inlet)
{
    take(host_of(inlet));
}

static bool go_to_sleep(struct bough_inlet *inlet)
{
    return sleeps(host_of(inlet));
}

void bough_traffic_expect(struct bough_host *host)
{
    if (host->inlet.loop != NULL || host->pidfd < 0) return;
    bough_border_stay_awake(&host->border);
    bough_inlet_open(bough_actor_loop(host->owner), &host->inlet);
}

void bough_traffic_begin(struct bough_host *host)
{
    bough_source_start(host->owner, &host->woken, host->border.wake_fd, EV_READ,
                       on_woken);
    host->inlet =
        (struct bough_inlet){ .waits = waits, .take = take_in, .sleep = go_to_sleep };
    if (!bough_border_sleep(&host->border, BOUGH_BORDER_POLLS))
        bough_inlet_open(bough_actor_loop(host->owner), &host->inlet);
    bough_loop_offer_processor(bough_actor_loop(host->owner));
}
