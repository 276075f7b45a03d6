/* spin.c - a loop that has just been busy looks again before it sleeps.
 *
 * To sleep and be woken costs some ten microseconds, and forty on a virtual machine; what
 * was sent away is often answered in less than one. So a loop with nothing to do looks
 * into its inbox, and its inlets (inlet.c), for a while first, in two ways.
 *
 * Briefly, before each sleep: for a tenth of the time that the last sleep took, and for
 * no more than what a few turns take. So it costs a tenth at most, and less than that
 * where sleeps are long. Two that answer each other so fast stay awake once they have met
 * awake. When the other side waits for this very processor, which a look only keeps from
 * it, sleeps are short, for they end as soon as it has run: then there is no look at all.
 *
 * Patiently, where the runtime allows it (`no_spin`). That pays only when the other side
 * runs on another processor at that moment. So it is tried, and kept up for as long as it
 * finds something; each try in vain doubles the number of sleeps until the next one, up
 * to a bound that keeps the cost below a hundredth. A try offers the processor to whoever
 * waits for it, and is over when somebody took it: the other side may be just that one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/elsewhere.h>

#include <sched.h>

#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

enum {
    BRIEF_SHARE = 10,   /* of the last sleep */
    BRIEF_MIN_NS = 500, /* less is no use: an answer takes as long */
    BRIEF_MAX_NS = 2500,

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

/* The clock is asked after each look, for one may take long: a loop has an inlet for each
 * process that it talks to. */
static bool look_briefly(const struct bough_loop *loop)
{
    const int64_t share_ns = loop->spin.slept_ns / BRIEF_SHARE;
    const int64_t limit_ns = share_ns < BRIEF_MAX_NS ? share_ns : BRIEF_MAX_NS;

    if (limit_ns < BRIEF_MIN_NS) return false;
    const int64_t end_ns = bough_loop_clock_ns(loop) + limit_ns;
    do {
        relax();
        if (comes(loop)) return true;
    } while (bough_loop_clock_ns(loop) < end_ns);
    return false;
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

static bool look_patiently(struct bough_spin *spin, const struct bough_loop *loop)
{
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

static bool look(struct bough_spin *spin, const struct bough_loop *loop)
{
    if (!bough_loop_may_spin(loop)) return look_briefly(loop);
    if (spin->offers) { /* it is no try, and says nothing of whether these pay */
        spin->offers = false;
        sched_yield();
        return comes(loop);
    }
    if (spin->wait == 0) return look_patiently(spin, loop);
    spin->wait--;
    return look_briefly(loop);
}

/* Whether there is anybody from whom something could come. */
static bool has_partner(const struct bough_loop *loop)
{
    return (loop->has_mail_partner || loop->inlets != NULL) && !loop->closing &&
           !loop->runtime->options.clock->is_virtual;
}

bool bough_spin_finds(struct bough_loop *loop, int64_t until_ns)
{
    if (!has_partner(loop) || bough_loop_clock_ns(loop) >= until_ns) return false;
    if (comes(loop) || look(&loop->spin, loop)) return true;
    loop->spin.asleep_ns = bough_loop_clock_ns(loop);
    return false;
}

int64_t bough_spin_end_sleep(struct bough_loop *loop)
{
    struct bough_spin *spin = &loop->spin;
    const int64_t now_ns = bough_loop_clock_ns(loop);

    if (spin->asleep_ns != 0) spin->slept_ns = now_ns - spin->asleep_ns;
    spin->asleep_ns = 0;
    return now_ns;
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
