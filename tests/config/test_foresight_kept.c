/* test_foresight_kept.c - what is foreseen is what the supervision core then does.
 *
 * A decider is fed a child that fails whenever it is started, in virtual time, with
 * limits and waits by chance; what it does is held against the arithmetic. The seed is
 * printed when they differ.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/foresight.h>

#include <stdlib.h>
#include <time.h>

#include <bough/supervisor/decide.h>
#include <bough/tests/support/unit.h>

enum { STARTS_MAX = 40, HISTORIES = 20000 };

static const struct bough_actor_type failing = { .name = "failing" };

static const struct bough_exit_reason fault = { .kind = BOUGH_EXIT_ERROR,
                                                .status = BOUGH_EFAILED };

struct history {
    struct bough_decider *decider;
    int64_t now_ms;
    uint64_t starts;
    bool gave_up;
};

/* What the actions of one batch ask for next; false when they ask for nothing. */
static bool next_event(struct history *history,
                       const struct bough_decide_actions *actions,
                       struct bough_decide_event *event)
{
    bool any = false;

    for (size_t i = 0; i < actions->count; i++) {
        const struct bough_decide_action *action = &actions->list[i];

        if (action->kind == BOUGH_DO_START) {
            history->starts++;
            *event = (struct bough_decide_event){ .kind = BOUGH_ON_READY };
            any = true;
        } else if (action->kind == BOUGH_DO_RETRY) {
            history->now_ms += action->limit_ms;
            *event = (struct bough_decide_event){ .kind = BOUGH_ON_RETRY };
            any = true;
        } else if (action->kind == BOUGH_DO_GIVE_UP) {
            history->gave_up = true;
        }
    }
    return any;
}

/* Starts the one child of `options` until the supervisor gives up, or it is enough. */
static struct history live(const struct bough_supervisor_options *options, uint64_t seed)
{
    struct history history = { .decider = bough_decider_new(options, seed) };
    struct bough_decide_event event = { .kind = BOUGH_ON_BEGIN };
    struct bough_decide_actions actions;

    assert_non_null(history.decider);
    for (;;) {
        bool up = event.kind == BOUGH_ON_READY;

        bough_decide(history.decider, event, history.now_ms, &actions);
        if (up) {
            event =
                (struct bough_decide_event){ .kind = BOUGH_ON_EXITED, .reason = &fault };
            bough_decide(history.decider, event, history.now_ms, &actions);
        }
        if (history.starts > STARTS_MAX || !next_event(&history, &actions, &event)) break;
    }
    bough_decider_free(history.decider);
    return history;
}

static uint32_t chance(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*random >> 33) % below;
}

struct made {
    struct bough_child_spec child;
    struct bough_supervisor_options options;
};

static void make(struct made *made, uint64_t *random, double jitter)
{
    *made = (struct made){
        .child = { .name = "c",
                   .type = &failing,
                   .backoff = { .min_ms = chance(random, 4) * (chance(random, 100) + 1),
                                .factor = 1 + chance(random, 5) / 2.0,
                                .jitter = jitter } },
        .options = { .any_intensity = true,
                     .intensity = chance(random, 8),
                     .period_ms = chance(random, 2000) + 1,
                     .children = &made->child,
                     .child_count = 1 },
    };
    if (made->child.backoff.min_ms == 0) {
        made->child.backoff = (struct bough_backoff){ .min_ms = 0 };
        return;
    }
    made->child.backoff.max_ms = made->child.backoff.min_ms * (1 + chance(random, 20));
    if (chance(random, 2) == 0) return;
    made->child.any_intensity = true;
    made->child.intensity = chance(random, 8);
    made->child.period_ms = chance(random, 2000) + 1;
}

static void starts_are_as_foreseen(void **state)
{
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    size_t endless = 0, ended = 0;

    (void)state;
    for (size_t i = 0; i < HISTORIES; i++) {
        struct made made;
        struct history history;
        uint64_t starts;

        make(&made, &random, 0);
        starts = bough_foresee_starts(&made.options);
        history = live(&made.options, random);
        if (starts != (history.gave_up ? history.starts : 0))
            fail_msg("seed %llu, tree %zu: %llu starts, and not %llu",
                     (unsigned long long)seed, i, (unsigned long long)history.starts,
                     (unsigned long long)starts);
        endless += !history.gave_up;
        ended += history.gave_up;
    }
    assert_true(endless > HISTORIES / 100);
    assert_true(ended > HISTORIES / 100);
}

static bool outruns(const struct made *made)
{
    const struct bough_child_spec *child = &made->child;

    if (!bough_backoff_outruns(&child->backoff,
                               bough_limit_of_supervisor(&made->options)))
        return false;
    return !bough_child_limited(child) ||
           bough_backoff_outruns(&child->backoff, bough_limit_of_child(child));
}

/* With chance in the waits less is certain; but what is said to be endless, is. */
static void what_is_foreseen_to_be_endless_is(void **state)
{
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    size_t endless = 0;

    (void)state;
    for (size_t i = 0; i < HISTORIES; i++) {
        struct made made;
        struct history history;

        make(&made, &random, chance(&random, 11) / 10.0);
        if (!outruns(&made)) continue;
        history = live(&made.options, random);
        if (history.gave_up)
            fail_msg("seed %llu, tree %zu: it gave up after %llu starts",
                     (unsigned long long)seed, i, (unsigned long long)history.starts);
        endless++;
    }
    assert_true(endless > HISTORIES / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_as_foreseen),
        cmocka_unit_test(what_is_foreseen_to_be_endless_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
