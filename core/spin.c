/* spin.c - a loop that has just been busy looks again before it sleeps.
 *
 * To sleep and be woken costs some ten microseconds; what was sent away is often answered
 * in less than one. So a loop with nothing to do looks into its inbox, and its inlets
 * (inlet.c), for a while first. That pays only when the other side runs on another
 * processor at that moment. So it is tried, and kept up for as long as it finds
 * something; each try in vain doubles the number of sleeps until the next one, up to a
 * bound that keeps the cost below a hundredth. A try offers the processor to whoever
 * waits for it, and is over when somebody took it: the other side may be just that one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/elsewhere.h>

#include <sched.h>

#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

enum {
    SPIN_NS = 5000, /* while it pays: less than half of what sleeping costs */
    TRY_NS = 60000, /* a try: long enough for the other side to be woken */
    LENT_NS = 3000, /* longer than to offer the processor takes when nobody wants it */
    LOOKS = 32,     /* between two looks at the clock */
    DOUBT_MAX = 1 << 10, /* sleeps between two tries that are in vain */
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool comes(const struct bough_loop *loop)
{
    return bough_parcels_wait(loop) || bough_inlets_wait(loop);
}

static bool lends_processor(const struct bough_loop *loop)
{
    const int64_t before_ns = bough_loop_clock_ns(loop);

    sched_yield();
    return bough_loop_clock_ns(loop) - before_ns > LENT_NS;
}

/* Found, and in time: when the clock has jumped, somebody else had the processor. */
static bool look_for(const struct bough_loop *loop, int64_t limit_ns)
{
    const int64_t end_ns = bough_loop_clock_ns(loop) + limit_ns;

    do {
        for (int i = 0; i < LOOKS; i++) {
            if (comes(loop)) return bough_loop_clock_ns(loop) < end_ns;
            relax();
        }
        if (limit_ns == TRY_NS && lends_processor(loop)) return false;
    } while (bough_loop_clock_ns(loop) < end_ns);
    return false;
}

/* Whether there is anybody from whom something could come. */
static bool has_partner(const struct bough_loop *loop)
{
    return (loop->has_mail_partner || loop->inlets != NULL) && !loop->closing &&
           !loop->runtime->options.clock->is_virtual;
}

bool bough_spin_finds(struct bough_loop *loop, int64_t until_ns)
{
    struct bough_spin *spin = &loop->spin;

    if (!has_partner(loop) || bough_loop_clock_ns(loop) >= until_ns) return false;
    if (comes(loop)) return true;
    if (!bough_loop_may_spin(loop)) return false;
    if (spin->offers) { /* it is no try, and says nothing of whether these pay */
        spin->offers = false;
        sched_yield();
        return comes(loop);
    }
    if (spin->wait > 0) {
        spin->wait--;
        return false;
    }
    if (look_for(loop, spin->pays ? SPIN_NS : TRY_NS)) {
        spin->doubt = 0;
        spin->pays = true;
        return true;
    }
    spin->pays = false;
    spin->doubt = spin->doubt == 0 ? 1 : 2 * spin->doubt;
    if (spin->doubt > DOUBT_MAX) spin->doubt = DOUBT_MAX;
    spin->wait = spin->doubt;
    return comes(loop);
}

bool bough_loop_may_spin(const struct bough_loop *loop)
{
    return !loop->runtime->options.no_spin;
}

void bough_loop_offer_processor(struct bough_loop *loop)
{
    loop->spin.offers = true;
}

void bough_loop_let_spin(struct bough_loop *loop, bool may)
{
    loop->runtime->options.no_spin = !may;
}
