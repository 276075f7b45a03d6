/* test_kv_wheel.c - deadlines are due in their millisecond, and every step is counted.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_wheel_internal.h>

#include <stdlib.h>

#include <bough/core/public.h>
#include <bough/tests/support/unit.h>

enum { PLENTY = 100000 };

static uint64_t random_bits(uint64_t *seed)
{
    return (uint64_t)bough_test_random(seed, UINT32_MAX) << 32 |
           bough_test_random(seed, UINT32_MAX);
}

static struct bough_kv_deadline *pop(struct bough_kv_wheel *wheel, int64_t now_ms)
{
    size_t budget = PLENTY;

    return bough_kv_wheel_pop(wheel, now_ms, &budget);
}

static const int64_t times[] = { 1,
                                 2,
                                 63,
                                 64,
                                 65,
                                 127,
                                 4095,
                                 4096,
                                 4097,
                                 262143,
                                 1000,
                                 1500,
                                 1 << 20,
                                 INT64_C(1) << 40,
                                 INT64_MAX - 1 };

static void nothing_is_due_before_its_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < bough_count_of(times); i++) {
        struct bough_kv_wheel wheel;
        struct bough_kv_deadline deadline = { 0 };
        bough_kv_wheel_init(&wheel, 0);
        bough_kv_wheel_add(&wheel, &deadline, times[i]);
        assert_null(pop(&wheel, times[i] / 2));
        assert_null(pop(&wheel, times[i] - 1));
        assert_int_equal(wheel.count, 1);
    }
}

/* By going from one such time to the next, each deadline is met in its millisecond. */
static void next_is_never_late_and_seldom_early(void **state)
{
    (void)state;
    for (size_t i = 0; i < bough_count_of(times); i++) {
        struct bough_kv_wheel wheel;
        struct bough_kv_deadline deadline = { 0 };
        int64_t now = 0;
        size_t looks = 0;

        bough_kv_wheel_init(&wheel, 0);
        assert_int_equal(bough_kv_wheel_next(&wheel), -1);
        bough_kv_wheel_add(&wheel, &deadline, times[i]);
        do {
            assert_true(bough_kv_wheel_next(&wheel) > now);
            now = bough_kv_wheel_next(&wheel);
            assert_in_range(++looks, 1, BOUGH_KV_WHEEL_LEVELS);
        } while (pop(&wheel, now) == NULL);
        assert_true(now == times[i]);
    }
}

static void a_deadline_is_due_in_its_millisecond(void **state)
{
    (void)state;
    for (size_t i = 0; i < bough_count_of(times); i++) {
        struct bough_kv_wheel wheel;
        struct bough_kv_deadline deadline = { 0 };
        bough_kv_wheel_init(&wheel, 0);
        bough_kv_wheel_add(&wheel, &deadline, times[i]);
        assert_null(pop(&wheel, times[i] - 1));
        assert_ptr_equal(pop(&wheel, times[i]), &deadline);
        assert_null(pop(&wheel, times[i]));
        assert_int_equal(wheel.count, 0);
    }
}

static void a_passed_deadline_is_due_at_once(void **state)
{
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline now = { 0 }, before = { 0 };

    (void)state;
    bough_kv_wheel_init(&wheel, 5000);
    bough_kv_wheel_add(&wheel, &now, 5000);
    bough_kv_wheel_add(&wheel, &before, 17);
    assert_non_null(pop(&wheel, 5000));
    assert_non_null(pop(&wheel, 5000));
    assert_null(pop(&wheel, 5000));
}

static void a_removed_deadline_is_never_due(void **state)
{
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline first = { 0 }, second = { 0 };

    (void)state;
    bough_kv_wheel_init(&wheel, 0);
    bough_kv_wheel_add(&wheel, &first, 100);
    bough_kv_wheel_add(&wheel, &second, 100);
    bough_kv_wheel_remove(&wheel, &first);
    bough_kv_wheel_remove(&wheel, &first);
    assert_int_equal(wheel.count, 1);
    assert_ptr_equal(pop(&wheel, 1000), &second);
    assert_null(pop(&wheel, 1000));
}

static void a_deadline_can_be_added_again(void **state)
{
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline deadline = { 0 };

    (void)state;
    bough_kv_wheel_init(&wheel, 0);
    bough_kv_wheel_add(&wheel, &deadline, 100);
    bough_kv_wheel_remove(&wheel, &deadline);
    bough_kv_wheel_add(&wheel, &deadline, 200);
    assert_null(pop(&wheel, 199));
    assert_ptr_equal(pop(&wheel, 200), &deadline);
}

/* Takes what is due, `step` steps at a time; returns how often the budget was used up. */
static size_t drain(struct bough_kv_wheel *wheel, int64_t now_ms, size_t step,
                    size_t *popped)
{
    size_t rounds = 0;

    for (;; rounds++) {
        size_t budget = step;
        size_t here = 0;
        while (bough_kv_wheel_pop(wheel, now_ms, &budget)) {
            here++;
        }
        assert_true(here <= step);
        *popped += here;
        if (budget > 0) return rounds;
    }
}

static void a_slot_full_of_deadlines_is_emptied_within_the_budget(void **state)
{
    enum { COUNT = 10000, STEP = 100 };
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline *deadlines = calloc(COUNT, sizeof(*deadlines));
    size_t popped = 0;

    (void)state;
    assert_non_null(deadlines);
    bough_kv_wheel_init(&wheel, 3);
    for (size_t i = 0; i < COUNT; i++) {
        bough_kv_wheel_add(&wheel, &deadlines[i], 1000 * 1000);
    }
    assert_int_equal(drain(&wheel, 999 * 1000, STEP, &popped) > 0, true);
    assert_int_equal(popped, 0);
    const size_t rounds = drain(&wheel, 1000 * 1000, STEP, &popped);
    assert_int_equal(popped, COUNT);
    assert_true(rounds >= COUNT / STEP);
    /* Each moves down a level a few times at most. */
    assert_true(rounds <= COUNT / STEP * BOUGH_KV_WHEEL_LEVELS);
    free(deadlines);
}

static void a_deadline_added_while_a_slot_is_emptied_keeps_its_time(void **state)
{
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline many[10] = { 0 }, late = { 0 };
    size_t budget = 5, popped = 0;

    (void)state;
    bough_kv_wheel_init(&wheel, 0);
    for (size_t i = 0; i < bough_count_of(many); i++) {
        bough_kv_wheel_add(&wheel, &many[i], 4096 + (int64_t)i);
    }
    while (bough_kv_wheel_pop(&wheel, 4100, &budget)) {
        popped++;
    }
    bough_kv_wheel_add(&wheel, &late, 4102);
    drain(&wheel, 4101, PLENTY, &popped);
    assert_int_equal(popped, 6);
    assert_ptr_not_equal(late.link, NULL);
    drain(&wheel, 4102, PLENTY, &popped);
    assert_int_equal(popped, 8);
    assert_ptr_equal(late.link, NULL);
}

enum { MODEL = 500 };

/* A wheel and an array that says the same. */
struct model {
    struct bough_kv_wheel wheel;
    struct bough_kv_deadline deadlines[MODEL];
    int64_t at_ms[MODEL]; /* -1: not in the wheel */
    int64_t now_ms;
};

static void change_one(struct model *model, uint64_t *seed)
{
    const size_t i = bough_test_random(seed, MODEL);
    const int64_t ahead =
        (int64_t)(random_bits(seed) >> bough_test_random(seed, 60) >> 4);

    if (model->at_ms[i] >= 0) {
        bough_kv_wheel_remove(&model->wheel, &model->deadlines[i]);
        model->at_ms[i] = -1;
    } else if (ahead < INT64_MAX - model->now_ms) {
        model->at_ms[i] = model->now_ms + ahead;
        bough_kv_wheel_add(&model->wheel, &model->deadlines[i], model->at_ms[i]);
    }
}

static void take_due(struct model *model, size_t budget)
{
    struct bough_kv_deadline *deadline;

    while ((deadline = bough_kv_wheel_pop(&model->wheel, model->now_ms, &budget))) {
        const size_t i = (size_t)(deadline - model->deadlines);
        assert_true(model->at_ms[i] >= 0 && model->at_ms[i] <= model->now_ms);
        model->at_ms[i] = -1;
    }
    if (budget == 0) return;
    for (size_t i = 0; i < MODEL; i++) {
        assert_false(model->at_ms[i] >= 0 && model->at_ms[i] <= model->now_ms);
    }
}

static void it_agrees_with_a_plain_array(void **state)
{
    uint64_t seed = bough_test_seed();
    static struct model model;

    (void)state;
    bough_kv_wheel_init(&model.wheel, 0);
    for (size_t i = 0; i < MODEL; i++) {
        model.at_ms[i] = -1;
    }
    for (int round = 0; round < 20000; round++) {
        for (uint64_t i = bough_test_random(&seed, 20); i > 0; i--) {
            change_one(&model, &seed);
        }
        const uint64_t ahead = random_bits(&seed) >> (24 + bough_test_random(&seed, 40));
        model.now_ms += (int64_t)ahead;
        take_due(&model, bough_test_random(&seed, 3) ? PLENTY : 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_its_time),
        cmocka_unit_test(a_deadline_is_due_in_its_millisecond),
        cmocka_unit_test(next_is_never_late_and_seldom_early),
        cmocka_unit_test(a_passed_deadline_is_due_at_once),
        cmocka_unit_test(a_removed_deadline_is_never_due),
        cmocka_unit_test(a_deadline_can_be_added_again),
        cmocka_unit_test(a_slot_full_of_deadlines_is_emptied_within_the_budget),
        cmocka_unit_test(a_deadline_added_while_a_slot_is_emptied_keeps_its_time),
        cmocka_unit_test(it_agrees_with_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
