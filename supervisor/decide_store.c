/* decide_store.c - the children that a decider knows: numbers, start order, states.
 *
 * The numbers index one array; the start order is a list through it, so that children can
 * come and go without moving. A forgotten child leaves the order at once, and its number
 * can be given again once no end of it waits for its turn.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/decide_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>

enum { FIRST_CAPACITY = 8 };

/* States */

#define TO(state) (1u << (state))

const unsigned bough_decide_successors[BOUGH_CHILD_STATE_COUNT] = {
    [BOUGH_CHILD_DOWN] = TO(BOUGH_CHILD_STARTING) | TO(BOUGH_CHILD_FORGOTTEN),
    [BOUGH_CHILD_STARTING] = TO(BOUGH_CHILD_RUNNING) | TO(BOUGH_CHILD_STOPPING) |
                             TO(BOUGH_CHILD_DOWN) | TO(BOUGH_CHILD_RETRYING),
    [BOUGH_CHILD_RUNNING] = TO(BOUGH_CHILD_STOPPING) | TO(BOUGH_CHILD_DOWN) |
                            TO(BOUGH_CHILD_WAITING) | TO(BOUGH_CHILD_RETRYING),
    [BOUGH_CHILD_STOPPING] = TO(BOUGH_CHILD_DOWN),
    [BOUGH_CHILD_WAITING] = TO(BOUGH_CHILD_DOWN),
    [BOUGH_CHILD_RETRYING] = TO(BOUGH_CHILD_DOWN) | TO(BOUGH_CHILD_WAITING),
    [BOUGH_CHILD_FORGOTTEN] = 0,
};

const unsigned bough_decide_next_phases[BOUGH_PHASE_COUNT] = {
    [BOUGH_PHASE_NEW] = TO(BOUGH_PHASE_STARTING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_STARTING] = TO(BOUGH_PHASE_RUNNING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_RUNNING] = TO(BOUGH_PHASE_GROUP_STOPPING) |
                            TO(BOUGH_PHASE_ASKED_STARTING) |
                            TO(BOUGH_PHASE_ASKED_STOPPING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_GROUP_STOPPING] =
        TO(BOUGH_PHASE_GROUP_STARTING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_GROUP_STARTING] = TO(BOUGH_PHASE_RUNNING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_ASKED_STARTING] = TO(BOUGH_PHASE_RUNNING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_ASKED_STOPPING] = TO(BOUGH_PHASE_RUNNING) | TO(BOUGH_PHASE_ENDING),
    [BOUGH_PHASE_ENDING] = TO(BOUGH_PHASE_ENDED),
    [BOUGH_PHASE_ENDED] = 0,
};

/* Start order */

void bough_decide_link_last(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];

    child->rank = decider->ranks++;
    child->before = decider->tail;
    child->after = BOUGH_NO_CHILD;
    if (decider->tail == BOUGH_NO_CHILD)
        decider->head = i;
    else
        decider->children[decider->tail].after = i;
    decider->tail = i;
}

void bough_decide_unlink(struct bough_decider *decider, size_t i)
{
    const struct bough_decider_child *child = &decider->children[i];

    if (child->before == BOUGH_NO_CHILD)
        decider->head = child->after;
    else
        decider->children[child->before].after = child->after;
    if (child->after == BOUGH_NO_CHILD)
        decider->tail = child->before;
    else
        decider->children[child->after].before = child->before;
}

/* Being over */

void bough_decide_settle(struct bough_decider *decider, size_t i)
{
    bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
    bough_decide_act_on(decider, BOUGH_DO_SETTLE, i);
}

void bough_decide_release(struct bough_decider *decider, size_t i)
{
    bough_assert(decider->children[i].state == BOUGH_CHILD_FORGOTTEN);
    decider->children[i].next = decider->spare;
    decider->spare = i;
}

void bough_decide_forget(struct bough_decider *decider, size_t i)
{
    struct bough_decider_child *child = &decider->children[i];

    /* Only children that run are forgotten while others are stopped, so that a cursor on
     * one of them is on its way backwards. */
    if (decider->cursor == i) decider->cursor = child->before;
    if (child->state != BOUGH_CHILD_DOWN)
        bough_decide_set_state(decider, i, BOUGH_CHILD_DOWN);
    bough_decide_set_state(decider, i, BOUGH_CHILD_FORGOTTEN);
    bough_decide_unlink(decider, i);
    free(child->extras);
    child->extras = NULL;
    bough_decide_act_on(decider, BOUGH_DO_REMOVE, i);
    if (!child->queued) bough_decide_release(decider, i);
}

void bough_decide_dismiss(struct bough_decider *decider, size_t i)
{
    if (decider->strategy == BOUGH_DYNAMIC ||
        decider->children[i].restart == BOUGH_TEMPORARY)
        bough_decide_forget(decider, i);
    else
        bough_decide_settle(decider, i);
}

/* Making children known */

static size_t intensity_of(const struct bough_child_spec *spec)
{
    return bough_child_limited(spec) ? (size_t)spec->intensity + 1 : 0;
}

static bool needs_extras(const struct bough_child_spec *spec)
{
    return spec->backoff.min_ms > 0 || spec->start_timeout_ms > 0 ||
           spec->policy_count > 0 || bough_child_limited(spec);
}

/* With all that the spec says. */
static struct bough_decider_extras *make_extras(const struct bough_child_spec *spec)
{
    size_t stamps = intensity_of(spec), policies_size, size;
    struct bough_decider_extras *extras;

    if (__builtin_mul_overflow(spec->policy_count, sizeof(*spec->policies),
                               &policies_size) ||
        __builtin_add_overflow(
            policies_size, sizeof(*extras) + stamps * sizeof(extras->stamps[0]), &size))
        return NULL;
    extras = calloc(1, size);
    if (!extras) return NULL;
    extras->backoff = bough_backoff_fill(&spec->backoff);
    extras->start_timeout_ms =
        spec->start_timeout_ms > 0 ? spec->start_timeout_ms : BOUGH_FOREVER;
    extras->limited = bough_child_limited(spec);
    extras->intensity = spec->intensity;
    if (extras->limited)
        bough_window_init(&extras->window, extras->stamps, spec->intensity,
                          bough_child_period_ms(spec));
    extras->policies = (struct bough_policy *)(extras->stamps + stamps);
    extras->policy_count = spec->policy_count;
    if (policies_size > 0) memcpy(extras->policies, spec->policies, policies_size);
    return extras;
}

enum bough_status bough_decide_new_extras(const struct bough_child_spec *spec,
                                          struct bough_decider_extras **extras)
{
    *extras = NULL;
    if (!needs_extras(spec)) return BOUGH_OK;
    *extras = make_extras(spec);
    return *extras ? BOUGH_OK : BOUGH_ENOMEM;
}

/* Room for `capacity` children. */
static bool grow(struct bough_decider *decider, size_t capacity)
{
    struct bough_decider_child *children;
    size_t size;

    if (capacity <= decider->capacity) return true;
    if (__builtin_mul_overflow(capacity, sizeof(*children), &size)) return false;
    children = realloc(decider->children, size);
    if (!children) return false;
    decider->children = children;
    decider->capacity = capacity;
    return true;
}

static size_t doubled(const struct bough_decider *decider)
{
    if (decider->count < decider->capacity) return decider->capacity;
    return decider->capacity > 0 ? 2 * decider->capacity : FIRST_CAPACITY;
}

enum bough_status bough_decider_add(struct bough_decider *decider,
                                    const struct bough_child_spec *spec, size_t *child)
{
    struct bough_decider_extras *extras;
    size_t i;

    bough_assert(decider->phase == BOUGH_PHASE_NEW ||
                 decider->phase == BOUGH_PHASE_RUNNING);
    if (decider->spare == BOUGH_NO_CHILD && !grow(decider, doubled(decider)))
        return BOUGH_ENOMEM;
    if (bough_decide_new_extras(spec, &extras) != BOUGH_OK) return BOUGH_ENOMEM;
    if (decider->spare != BOUGH_NO_CHILD) {
        i = decider->spare;
        decider->spare = decider->children[i].next;
    } else {
        i = decider->count++;
    }
    decider->children[i] = (struct bough_decider_child){
        .shutdown_ms = bough_child_shutdown_ms(spec),
        .extras = extras,
        .restart = spec->restart,
        .state = BOUGH_CHILD_DOWN,
        .significant = spec->significant && decider->auto_shutdown != BOUGH_NEVER,
    };
    bough_decide_link_last(decider, i);
    *child = i;
    return BOUGH_OK;
}

static bool add_all(struct bough_decider *decider,
                    const struct bough_supervisor_options *options)
{
    size_t child;

    if (!grow(decider, options->child_count)) return false;
    for (size_t i = 0; i < options->child_count; i++) {
        if (bough_decider_add(decider, &options->children[i], &child) != BOUGH_OK)
            return false;
    }
    return true;
}

/* The decider itself */

struct bough_decider *bough_decider_new(const struct bough_supervisor_options *options,
                                        uint64_t seed)
{
    uint32_t intensity = bough_supervisor_intensity(options);
    size_t stamps_size = ((size_t)intensity + 1) * sizeof(int64_t);
    struct bough_decider *decider = calloc(1, sizeof(*decider) + stamps_size);

    if (!decider) return NULL;
    decider->strategy = options->strategy;
    decider->auto_shutdown = options->auto_shutdown;
    decider->intensity = intensity;
    decider->random = seed;
    decider->head = decider->tail = decider->spare = BOUGH_NO_CHILD;
    decider->queue_first = decider->queue_last = BOUGH_NO_CHILD;
    decider->from = decider->cursor = decider->current = BOUGH_NO_CHILD;
    bough_window_init(&decider->window, decider->stamps, intensity,
                      bough_supervisor_period_ms(options));
    if (options->strategy == BOUGH_DYNAMIC) {
        bough_assert(options->child_count == 1);
        decider->all_ms = bough_child_shutdown_ms(&options->children[0]);
        return decider;
    }
    if (add_all(decider, options)) return decider;
    bough_decider_free(decider);
    return NULL;
}

void bough_decider_free(struct bough_decider *decider)
{
    if (!decider) return;
    for (size_t i = 0; i < decider->count; i++)
        free(decider->children[i].extras);
    free(decider->children);
    free(decider->changed_stamps);
    free(decider);
}

/* Looking */

enum bough_child_state bough_decider_child(const struct bough_decider *decider,
                                           size_t child)
{
    bough_assert(child < decider->count);
    return decider->children[child].state;
}

size_t bough_decider_count(const struct bough_decider *decider)
{
    return decider->count;
}

size_t bough_decider_next(const struct bough_decider *decider, size_t child)
{
    if (child == BOUGH_NO_CHILD) return decider->head;
    bough_assert(child < decider->count);
    bough_assert(decider->children[child].state != BOUGH_CHILD_FORGOTTEN);
    return decider->children[child].after;
}
