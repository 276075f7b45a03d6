/* spin.c - a loop that has just been busy looks again before it sleeps.
 *
 * To sleep and be woken costs some ten microseconds; what was sent away is often answered
 * in less than one. So a loop with nothing to do looks into its inbox for a while first.
 * That pays only when the other side runs on another processor at that moment, and costs
 * the other side its processor when it does not. So it is tried, and kept up for as long
 * as it finds something; each try in vain doubles the number of sleeps until the next
 * one, up to a bound that keeps the cost below a hundredth.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

enum {
    SPIN_NS = 5000,      /* while it pays: less than half of what sleeping costs */
    TRY_NS = 30000,      /* a try: long enough for the other side to be woken */
    LOOKS = 32,          /* between two looks at the clock */
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

/* Found, and in time: when the clock has jumped, somebody else had the processor. */
static bool look_for(const struct bough_loop *loop, int64_t limit_ns)
{
    const int64_t end_ns = bough_loop_clock_ns(loop) + limit_ns;

    do {
        for (int i = 0; i < LOOKS; i++) {
            if (bough_parcels_wait(loop)) return bough_loop_clock_ns(loop) < end_ns;
            relax();
        }
    } while (bough_loop_clock_ns(loop) < end_ns);
    return false;
}

bool bough_spin_finds(struct bough_loop *loop, int64_t until_ns)
{
    struct bough_spin *spin = &loop->spin;

    const struct bough_runtime_options *options = &loop->runtime->options;

    if (!loop->has_mail_partner || loop->closing || options->no_spin ||
        options->clock->is_virtual)
        return false;
    if (bough_loop_clock_ns(loop) >= until_ns) return false;
    if (spin->wait > 0) {
        spin->wait--;
        return bough_parcels_wait(loop);
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
    return bough_parcels_wait(loop);
}
