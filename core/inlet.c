/* inlet.c - memory shared with other processes, where something may come in.
 *
 * An inlet is open while its loop looks there by itself: between two turns, and for a
 * while before it sleeps (spin.c). Who puts something there need not wake it then, which
 * is what most of a round trip costs. Before the loop sleeps every inlet is told, and
 * closed.
 *
 * SPDX-License-Identifier: MIT */
#include <utlist.h>

#include <bough/core/elsewhere.h>
#include <bough/core/loop_internal.h>

/* After our prepare watcher and before the poll, say: that must not sleep over it. */
void bough_inlet_open(struct bough_loop *loop, struct bough_inlet *inlet)
{
    if (inlet->loop != NULL) return;
    inlet->loop = loop;
    DL_APPEND(loop->inlets, inlet);
    if (!loop->entered) bough_loop_set_idle(loop, true);
}

void bough_inlet_close(struct bough_inlet *inlet)
{
    if (inlet->loop == NULL) return;
    DL_DELETE(inlet->loop->inlets, inlet);
    inlet->loop = NULL;
}

bool bough_inlets_wait_slowly(const struct bough_loop *loop)
{
    const struct bough_inlet *inlet;

    DL_FOREACH (loop->inlets, inlet) {
        if (inlet->waits(inlet)) return true;
    }
    return false;
}

/* What is taken in may run a loop itself (a start that looks for a place), and is not to
 * be overtaken. */
bool bough_inlets_take(struct bough_loop *loop)
{
    struct bough_inlet *inlet, *next;
    bool any = false;

    if (loop->inlets == NULL || loop->takes_in) return false;
    loop->takes_in = true;
    DL_FOREACH_SAFE (loop->inlets, inlet, next) {
        if (!inlet->waits(inlet)) continue;
        inlet->take(inlet);
        any = true;
    }
    loop->takes_in = false;
    return any;
}

static bool all_sleep(struct bough_loop *loop)
{
    struct bough_inlet *inlet, *next;

    DL_FOREACH_SAFE (loop->inlets, inlet, next) {
        if (!inlet->sleep(inlet)) return false;
        bough_inlet_close(inlet);
    }
    return true;
}

bool bough_inlets_sleep(struct bough_loop *loop)
{
    if (loop->inlets == NULL) return true;
    bough_loop_enter(loop);
    const bool sleep = all_sleep(loop);
    bough_loop_leave(loop);
    return sleep && !bough_loop_is_busy(loop);
}
