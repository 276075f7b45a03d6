/* history_specs.c - choices, and the specs of a random tree made from them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/history_world.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

/* Choices */

bool bough_choices_left(const struct bough_choices *choices)
{
    return choices->seed ? choices->count < choices->draws
                         : choices->next < choices->count;
}

static void note(struct bough_choices *choices, uint32_t choice)
{
    if (choices->count == choices->capacity) {
        choices->capacity = choices->capacity ? 2 * choices->capacity : 256;
        choices->list =
            realloc(choices->list, choices->capacity * sizeof(*choices->list));
        bough_assert(choices->list);
    }
    choices->list[choices->count++] = choice;
}

uint32_t bough_choose(struct bough_choices *choices, uint32_t bound)
{
    uint32_t choice = 0;

    if (choices->seed) {
        choice = bough_test_random(choices->seed, bound);
        note(choices, choice);
    } else if (choices->next < choices->count) {
        choice = choices->list[choices->next++] % bound;
    }
    return choice;
}

void bough_choices_finish(struct bough_choices *choices)
{
    free(choices->list);
    *choices = (struct bough_choices){ .seed = NULL };
}

/* Specs */

static const struct bough_actor_type leaf = { .name = "leaf" };

static void choose_policies(struct bough_child_spec *spec, struct bough_policy *policies,
                            struct bough_choices *choices)
{
    static const struct bough_policy causes[] = {
        { .kind = BOUGH_EXIT_CODE, .number = 3 },
        { .kind = BOUGH_EXIT_KILLED },
        { .kind = BOUGH_EXIT_TIMEOUT },
        { .status = BOUGH_EFAILED },
        { .any_kind = true, .kind = BOUGH_EXIT_NORMAL },
        { .act = BOUGH_POLICY_RESTART },
    };

    spec->policies = policies;
    spec->policy_count = 1 + bough_choose(choices, HISTORY_POLICIES);
    for (size_t i = 0; i < spec->policy_count; i++) {
        policies[i] = causes[bough_choose(choices, bough_count_of(causes))];
        policies[i].act =
            (enum bough_policy_act)bough_choose(choices, BOUGH_POLICY_COUNT);
    }
}

/* One of Bough's own, or none. */
static void choose_extra(struct bough_child_spec *spec, struct bough_policy *policies,
                         struct bough_choices *choices)
{
    switch (bough_choose(choices, 12)) {
    case 11: choose_policies(spec, policies, choices); break;
    case 10:
        spec->backoff.min_ms = 1 + bough_choose(choices, 20);
        spec->backoff.max_ms = spec->backoff.min_ms * (1 + bough_choose(choices, 5));
        spec->backoff.reset_after_ms = bough_choose(choices, 50);
        break;
    case 9: spec->start_timeout_ms = 1 + bough_choose(choices, 50); break;
    case 8:
        spec->any_intensity = true;
        spec->intensity = bough_choose(choices, 3);
        spec->period_ms = 1 + bough_choose(choices, 60);
        break;
    default: break;
    }
}

static void choose_child(const struct bough_supervisor_options *options,
                         struct bough_child_spec *spec, struct bough_policy *policies,
                         struct bough_choices *choices)
{
    static const int64_t shutdowns[] = { BOUGH_SHUTDOWN_DEFAULT,
                                         BOUGH_SHUTDOWN_BRUTAL_KILL,
                                         BOUGH_SHUTDOWN_INFINITY, BOUGH_SHUTDOWN_AT_ONCE,
                                         7 };

    *spec = (struct bough_child_spec){ .type = &leaf };
    spec->restart = (enum bough_restart)bough_choose(choices, BOUGH_RESTART_COUNT);
    spec->shutdown_ms = shutdowns[bough_choose(choices, bough_count_of(shutdowns))];
    spec->significant = bough_choose(choices, 2) == 1 &&
                        spec->restart != BOUGH_PERMANENT &&
                        options->auto_shutdown != BOUGH_NEVER;
    choose_extra(spec, policies, choices);
    choose_extra(spec, policies, choices);
}

static void choose_flags(struct bough_supervisor_options *options,
                         struct bough_choices *choices)
{
    options->strategy = (enum bough_strategy)bough_choose(choices, BOUGH_STRATEGY_COUNT);
    options->any_intensity = true;
    options->intensity = bough_choose(choices, 6);
    options->period_ms = 1 + bough_choose(choices, 60);
    options->auto_shutdown =
        (enum bough_auto_shutdown)bough_choose(choices, BOUGH_AUTO_SHUTDOWN_COUNT);
    if (options->strategy == BOUGH_DYNAMIC) options->auto_shutdown = BOUGH_NEVER;
}

/* Asked before each child, so that a list without the choices of one child is a tree
 * without that child. */
static bool one_more_child(const struct bough_supervisor_options *options,
                           struct bough_choices *choices)
{
    if (options->strategy == BOUGH_DYNAMIC) return options->child_count == 0;
    return options->child_count < HISTORY_SPECS && bough_choose(choices, 5) > 0;
}

/* Flags to change to. The period stays: restarts that have left it are forgotten, and
 * could not be counted again. */
static void choose_others(struct bough_supervisor_options *others,
                          const struct bough_supervisor_options *options,
                          struct bough_choices *choices)
{
    *others = *options;
    others->intensity = bough_choose(choices, 6);
    if (options->strategy == BOUGH_DYNAMIC) return;
    others->strategy = (enum bough_strategy)bough_choose(choices, BOUGH_DYNAMIC);
    if (options->auto_shutdown == BOUGH_ANY_SIGNIFICANT)
        others->auto_shutdown = BOUGH_ALL_SIGNIFICANT;
}

/* Those that are supervisors have their own options further on; so no cycle. */
void bough_history_tree_choose(struct bough_history_tree *tree,
                               struct bough_choices *choices)
{
    *tree = (struct bough_history_tree){ .count = 1 };
    for (size_t i = 0; i < tree->count; i++) {
        struct bough_supervisor_options *options = &tree->options[i];

        choose_flags(options, choices);
        options->children = tree->children[i];
        while (one_more_child(options, choices)) {
            size_t k = options->child_count++;
            struct bough_child_spec *spec = &tree->children[i][k];

            choose_child(options, spec, tree->policies[i][k], choices);
            if (bough_choose(choices, 8) < 7 || tree->count == HISTORY_SUPERVISORS)
                continue;
            spec->type = &bough_supervisor_type;
            spec->options = &tree->options[tree->count++];
        }
        choose_others(&tree->others[i], options, choices);
    }
}
