/* test_decide_store.c - a decider's memory: what it copies, and when it allocates.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/script.h>
#include <bough/tests/support/allocator.h>

static const struct bough_policy policies[] = { { .act = BOUGH_POLICY_STOP } };

/* A child for which more is kept than for most. */
static const struct bough_child_spec rich = { .type = &script_worker,
                                              .backoff = { .min_ms = 10 },
                                              .intensity = 5,
                                              .policies = policies,
                                              .policy_count = 1 };

static void without_memory_there_is_no_decider(void **state)
{
    enum { ALLOCATIONS = 3 }; /* itself, its children, what the rich one has */
    struct bough_child_spec children[] = { { .type = &script_worker }, rich };
    struct bough_supervisor_options options = { .children = children, .child_count = 2 };

    (void)state;
    for (size_t nth = 1; nth <= ALLOCATIONS; nth++) {
        bough_allocator_fail_at(nth);
        assert_null(bough_decider_new(&options, 1));
        assert_true(bough_allocator_heal());
    }
    bough_allocator_fail_at(ALLOCATIONS + 1);
    bough_decider_free(bough_decider_new(&options, 1));
    assert_false(bough_allocator_heal());
}

static void a_child_for_whom_there_is_no_memory_is_not_added(void **state)
{
    struct script script;
    size_t child = 77;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script_start(&script);
    bough_allocator_fail_from(1);
    assert_int_equal(bough_decider_add(script.decider, &rich, &child), BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
    assert_int_equal(child, 77);
    assert_int_equal(bough_decider_count(script.decider), 1);
    assert_int_equal(bough_decider_next(script.decider, 0), BOUGH_NO_CHILD);
    assert_int_equal(script_add(&script, &rich), 1);
    script_finish(&script);
}

static void a_number_is_not_lost_when_memory_is_out(void **state)
{
    struct script script;
    size_t child;

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 2);
    script.children[0].restart = BOUGH_TEMPORARY;
    script_start(&script);
    expect(&script, ended(0), "remove 0");
    bough_allocator_fail_from(1);
    assert_int_equal(bough_decider_add(script.decider, &rich, &child), BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
    assert_int_equal(script_add(&script, &rich), 0);
    script_finish(&script);
}

static void deciding_allocates_nothing(void **state)
{
    struct script script;
    size_t before;

    (void)state;
    script_init(&script, BOUGH_REST_FOR_ONE, 3);
    script.children[1] = rich;
    script.children[1].policy_count = 0;
    script_new(&script);
    before = bough_allocator_count();
    expect(&script, begin(), "start 0");
    expect(&script, ready(0), "start 1");
    expect(&script, ready(1), "start 2");
    expect(&script, ready(2), "ready");
    expect(&script, crashed(1), "retry 1 in 10");
    expect(&script, retry(1), "restart 1 try 1, stop 2");
    expect(&script, ended(2), "start 1");
    expect(&script, start_failed(1), "retry 1 in 20");
    expect(&script, terminate_child(1), "answer 1 ok, settle 1, settle down");
    expect(&script, asked_to_stop(), "stop 0");
    expect(&script, ended(0), "end asked");
    assert_int_equal(bough_allocator_count(), before);
    script_finish(&script);
}

static void policies_are_copied(void **state)
{
    struct script script;
    struct bough_policy policy = { .act = BOUGH_POLICY_STOP };

    (void)state;
    script_init(&script, BOUGH_ONE_FOR_ONE, 1);
    script.children[0].policies = &policy;
    script.children[0].policy_count = 1;
    script_start(&script);
    policy.act = BOUGH_POLICY_ESCALATE;
    expect(&script, crashed(0), "settle 0");
    script_finish(&script);
}

static void freeing_none_is_fine(void **state)
{
    (void)state;
    bough_decider_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_there_is_no_decider),
        cmocka_unit_test(a_child_for_whom_there_is_no_memory_is_not_added),
        cmocka_unit_test(a_number_is_not_lost_when_memory_is_out),
        cmocka_unit_test(deciding_allocates_nothing),
        cmocka_unit_test(policies_are_copied),
        cmocka_unit_test(freeing_none_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
