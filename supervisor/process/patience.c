/* patience.c - how long the handlers in a process run, and the end of those that run on.
 *
 * The process says by one store what it runs, and when it rests (bough_loop_beat_at()).
 * The parent looks every now and then: what has been the same since an earlier look runs
 * at least since then, on the parent's clock. A process that is stopped by somebody runs
 * on, too. It is asked to report where it is, and ends by that.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

/* So that what is stuck is found an eighth of its limit late, at most. */
enum { LOOKS = 8 };

static int64_t smaller(int64_t first_ms, int64_t second_ms)
{
    if (first_ms == 0 || second_ms == 0) return first_ms + second_ms;
    return first_ms < second_ms ? first_ms : second_ms;
}

/* Of who runs, as far as it says; 0: none. */
static int64_t limit_of(const struct bough_host *host, uint64_t beat)
{
    const uint32_t who = (uint32_t)(beat >> 32);
    const struct bough_proxy *proxy =
        who > 0 && who != BOUGH_BEAT_RESTS ? bough_host_proxy(host, who - 1) : NULL;

    return smaller(host->watched.limit_ms,
                   proxy != NULL ? proxy->spec->stuck_after_ms : 0);
}

static void on_look(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_patience *watched = bough_container(timer, struct bough_patience, look);
    struct bough_host *host = bough_container(watched, struct bough_host, watched);
    const uint64_t beat =
        atomic_load_explicit(&host->border.theirs->beat, memory_order_relaxed);
    const bool rests = beat == 0 || beat >> 32 == BOUGH_BEAT_RESTS;
    const int64_t now_ms = bough_now_ms(actor), limit_ms = limit_of(host, beat);

    if (host->pidfd < 0) return;
    if (rests || beat != watched->beat) {
        watched->beat = beat;
        watched->since_ms = now_ms;
        return;
    }
    if (limit_ms == 0 || now_ms - watched->since_ms < limit_ms) return;
    watched->stuck_ms = now_ms - watched->since_ms;
    bough_timer_stop(timer);
    bough_host_abort(host);
}

void bough_patience_begin(struct bough_host *host, int64_t limit_ms)
{
    struct bough_patience *watched = &host->watched;
    const int64_t every_ms = limit_ms > LOOKS ? limit_ms / LOOKS : 1;

    if (limit_ms == 0 || watched->stuck_ms > 0 ||
        (watched->every_ms > 0 && watched->every_ms <= every_ms))
        return;
    watched->every_ms = every_ms;
    watched->since_ms = bough_now_ms(host->owner);
    bough_timer_start(host->owner, &watched->look, every_ms, every_ms, on_look);
}
