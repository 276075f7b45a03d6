/* test_histories.c - a hundred thousand random histories of random trees agree with OTP.
 *
 * The seed is printed, and is another one in each run; BOUGH_SEED=... runs the same
 * again. A history that fails is made short before it is told. BOUGH_TEST_LONG=1 lives
 * ten times as many.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/unit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bough/tests/supervisor/history.h>

enum { HISTORIES = 100000, LONG = 10, DRAWS = 1200 };

/* Planted faults are looked for from the same one each time: how short a history gets is
 * then no matter of luck. */
enum { SEED_OF_THE_PLANTED = 4711 };

static uint64_t fresh_seed(void)
{
    const char *given = getenv("BOUGH_SEED");
    struct timespec now;
    uint64_t seed;

    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    printf("# BOUGH_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* Lives histories until one fails; false: none did. The choices are the caller's to
 * finish. */
static bool find_fault(uint64_t *seed, int histories, bough_history_plant *plant,
                       struct bough_choices *choices, struct bough_history_tally *tally)
{
    for (int i = 0; i < histories; i++) {
        struct bough_history_run run = { .choices = choices,
                                         .plant = plant,
                                         .tally = tally };

        choices->seed = seed;
        choices->count = 0;
        choices->draws = 40 + bough_test_random(seed, DRAWS);
        if (!bough_history_live(&run)) return true;
    }
    return false;
}

static void tell_shortest(struct bough_choices *choices)
{
    struct bough_history_tally tally = { 0 };
    struct bough_history_run run = { .choices = choices, .story = true, .tally = &tally };

    bough_history_shrink(choices, NULL);
    printf("# the shortest history of that kind:\n");
    if (!bough_history_live(&run)) printf("# %s\n# choices:", run.fault);
    for (size_t i = 0; i < choices->count; i++)
        printf(" %" PRIu32, choices->list[i]);
    printf("\n");
}

static void histories_agree_with_otp(void **state)
{
    uint64_t seed = fresh_seed();
    struct bough_choices choices = { .seed = &seed };
    struct bough_history_tally tally = { 0 };
    int histories = getenv("BOUGH_TEST_LONG") ? LONG * HISTORIES : HISTORIES;
    bool found = find_fault(&seed, histories, NULL, &choices, &tally);

    (void)state;
    if (found) tell_shortest(&choices);
    bough_choices_finish(&choices);
    assert_false(found);
    printf("# %" PRIu64 " histories, %" PRIu64 " supervisors, %" PRIu64
           " events: %" PRIu64 " restarts, %" PRIu64 " given up, %" PRIu64
           " auto shutdowns, %" PRIu64 " failed starts, %" PRIu64 " answers, %" PRIu64
           " cancelled, %" PRIu64 " backoffs, %" PRIu64 " killed, %" PRIu64 " changes\n",
           tally.histories, tally.supervisors, tally.events, tally.restarts,
           tally.gave_up, tally.auto_shutdowns, tally.failed_starts, tally.answers,
           tally.cancelled, tally.backoffs, tally.killed, tally.changes);
    /* A storm that never reaches the rarer ends would prove little. */
    assert_true(tally.histories == (uint64_t)histories);
    assert_true(tally.restarts > tally.histories / 2);
    assert_true(tally.gave_up > tally.histories / 20);
    assert_true(tally.auto_shutdowns > tally.histories / 100);
    assert_true(tally.failed_starts > tally.histories / 20);
    assert_true(tally.cancelled > 0 && tally.changes > tally.histories / 20);
}

/* Planted faults: the decider is given other options than the reference. */

static void one_restart_more(struct bough_supervisor_options *options,
                             struct bough_child_spec *children)
{
    (void)children;
    options->intensity++;
}

static void all_is_rest(struct bough_supervisor_options *options,
                        struct bough_child_spec *children)
{
    (void)children;
    if (options->strategy == BOUGH_ONE_FOR_ALL) options->strategy = BOUGH_REST_FOR_ONE;
}

static void temporary_is_transient(struct bough_supervisor_options *options,
                                   struct bough_child_spec *children)
{
    for (size_t i = 0; i < options->child_count; i++) {
        if (children[i].restart == BOUGH_TEMPORARY) children[i].restart = BOUGH_TRANSIENT;
    }
}

static void nobody_is_significant(struct bough_supervisor_options *options,
                                  struct bough_child_spec *children)
{
    for (size_t i = 0; i < options->child_count; i++)
        children[i].significant = false;
}

static void policies_are_forgotten(struct bough_supervisor_options *options,
                                   struct bough_child_spec *children)
{
    for (size_t i = 0; i < options->child_count; i++)
        children[i].policy_count = 0;
}

static void a_planted_fault_is_found_and_shrunk(bough_history_plant *plant)
{
    enum { ENOUGH = 100, FEW_EVENTS = 15 };
    uint64_t seed = SEED_OF_THE_PLANTED;
    struct bough_choices choices = { .seed = &seed };
    struct bough_history_tally tally = { 0 }, shortest = { 0 };
    struct bough_history_run run = { .choices = &choices,
                                     .plant = plant,
                                     .tally = &shortest };
    bool found = find_fault(&seed, ENOUGH, plant, &choices, &tally), still;

    bough_history_shrink(&choices, plant);
    still = !bough_history_live(&run);
    printf("# after %" PRIu64 " histories, in %" PRIu64 " events: %s\n", tally.histories,
           shortest.events, run.fault);
    bough_choices_finish(&choices);
    assert_true(found && still);
    assert_in_range(shortest.events, 1, FEW_EVENTS);
}

static void a_restart_too_many_is_found(void **state)
{
    (void)state;
    a_planted_fault_is_found_and_shrunk(one_restart_more);
}

static void another_strategy_is_found(void **state)
{
    (void)state;
    a_planted_fault_is_found_and_shrunk(all_is_rest);
}

static void a_temporary_child_that_is_kept_is_found(void **state)
{
    (void)state;
    a_planted_fault_is_found_and_shrunk(temporary_is_transient);
}

static void an_auto_shutdown_left_out_is_found(void **state)
{
    (void)state;
    a_planted_fault_is_found_and_shrunk(nobody_is_significant);
}

static void a_policy_left_out_is_found(void **state)
{
    (void)state;
    a_planted_fault_is_found_and_shrunk(policies_are_forgotten);
}

static void the_same_choices_are_the_same_history(void **state)
{
    uint64_t seed = fresh_seed();
    struct bough_choices choices = { .seed = &seed };
    struct bough_history_tally drawn = { 0 }, read = { 0 };
    struct bough_history_run run = { .choices = &choices, .tally = &drawn };

    (void)state;
    choices.draws = DRAWS;
    assert_true(bough_history_live(&run));
    choices.seed = NULL;
    run.tally = &read;
    assert_true(bough_history_live(&run));
    assert_memory_equal(&drawn, &read, sizeof(drawn));
    bough_choices_finish(&choices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_agree_with_otp),
        cmocka_unit_test(a_restart_too_many_is_found),
        cmocka_unit_test(another_strategy_is_found),
        cmocka_unit_test(a_temporary_child_that_is_kept_is_found),
        cmocka_unit_test(an_auto_shutdown_left_out_is_found),
        cmocka_unit_test(a_policy_left_out_is_found),
        cmocka_unit_test(the_same_choices_are_the_same_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
