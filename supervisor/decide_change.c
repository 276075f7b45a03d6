/* decide_change.c - other flags and specs for a supervisor that runs: OTP's code_change.
 *
 * Memory is taken first, so that the change itself cannot fail half-way.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

#include <stdlib.h>

#include <bough/core/assert.h>

/* The memory of a change. */
struct stock {
    int64_t *stamps;
    struct bough_decider_extras *
        *extras; /* one for each spec, NULL where none is needed */
};

static void give_back(struct stock *stock, size_t count)
{
    for (size_t i = 0; stock->extras && i < count; i++)
        free(stock->extras[i]);
    free(stock->extras);
    free(stock->stamps);
}

static bool take(struct stock *stock, uint32_t intensity,
                 const struct bough_decide_spec *specs, size_t count)
{
    *stock = (struct stock){
        .stamps = calloc((size_t)intensity + 1, sizeof(*stock->stamps)),
        .extras = calloc(count + 1, sizeof(struct bough_decider_extras *)),
    };
    if (!stock->stamps || !stock->extras) return false;
    for (size_t i = 0; i < count; i++) {
        if (bough_decide_new_extras(&specs[i].spec, &stock->extras[i]) != BOUGH_OK)
            return false;
    }
    return true;
}

/* The latest restarts, as many as still matter. */
static void change_window(struct bough_decider *decider, uint32_t intensity,
                          int64_t period_ms, int64_t *stamps)
{
    const struct bough_window old = decider->window;
    const uint32_t kept = old.count < intensity ? old.count : intensity;

    bough_window_init(&decider->window, stamps, intensity, period_ms);
    for (uint32_t i = old.count - kept; i < old.count; i++) {
        const uint64_t at = ((uint64_t)old.first + i) % old.capacity;

        bough_window_add(&decider->window, old.stamps[at]);
    }
    free(decider->changed_stamps);
    decider->changed_stamps = stamps;
    decider->intensity = intensity;
}

static void change_spec(struct bough_decider *decider,
                        const struct bough_decide_spec *change,
                        struct bough_decider_extras *extras)
{
    struct bough_decider_child *child = &decider->children[change->child];
    const struct bough_child_spec *spec = &change->spec;

    bough_assert(child->state != BOUGH_CHILD_FORGOTTEN);
    if (extras && child->extras) extras->up_ms = child->extras->up_ms;
    free(child->extras);
    child->extras = extras;
    child->restart = spec->restart;
    child->shutdown_ms = bough_child_shutdown_ms(spec);
    decider->significant -= child->significant && bough_decide_present(child);
    child->significant = spec->significant && decider->auto_shutdown != BOUGH_NEVER;
    decider->significant += child->significant && bough_decide_present(child);
}

/* First those given, one after another, to the end; then those before the first of them
 * to the end, too. */
static void change_order(struct bough_decider *decider,
                         const struct bough_decide_spec *specs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bough_decide_unlink(decider, specs[i].child);
        bough_decide_link_last(decider, specs[i].child);
    }
    while (count > 0 && decider->head != specs[0].child) {
        const size_t i = decider->head;

        bough_decide_unlink(decider, i);
        bough_decide_link_last(decider, i);
    }
}

enum bough_status bough_decider_change(struct bough_decider *decider,
                                       const struct bough_supervisor_options *flags,
                                       const struct bough_decide_spec *specs,
                                       size_t count)
{
    const uint32_t intensity = bough_supervisor_intensity(flags);
    struct stock stock;

    bough_assert(bough_decider_idle(decider));
    bough_assert((flags->strategy == BOUGH_DYNAMIC) ==
                 (decider->strategy == BOUGH_DYNAMIC));
    if (!take(&stock, intensity, specs, count)) {
        give_back(&stock, count);
        return BOUGH_ENOMEM;
    }
    decider->strategy = flags->strategy;
    decider->auto_shutdown = flags->auto_shutdown;
    if (flags->strategy == BOUGH_DYNAMIC)
        decider->all_ms = bough_child_shutdown_ms(&flags->children[0]);
    change_window(decider, intensity, bough_supervisor_period_ms(flags), stock.stamps);
    for (size_t i = 0; i < count; i++)
        change_spec(decider, &specs[i], stock.extras[i]);
    change_order(decider, specs, count);
    free(stock.extras);
    return BOUGH_OK;
}
