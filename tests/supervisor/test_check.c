/* test_check.c - what is allowed beyond the plain child: dynamic, significant, and
 * Bough's own.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/unit.h>

#include <math.h>

#include <bough/supervisor/supervisor.h>

static enum bough_status no_init(struct bough_actor *actor, const void *options)
{
    (void)actor;
    (void)options;
    return BOUGH_OK;
}

struct put {
    uint32_t kind;
    int64_t key;
};

static const struct bough_field put_fields[] = {
    bough_field(struct put, key, "key", BOUGH_INT64),
};

static const struct bough_message_type messages[] = {
    { .name = "clear" },
    { .name = "put", .fields = put_fields, .field_count = bough_count_of(put_fields) },
};

static const struct bough_actor_type store_type = {
    .name = "store",
    .init = no_init,
    .messages = messages,
    .message_count = bough_count_of(messages),
};

/* One child that is allowed, for a test to spoil. */
struct sample {
    struct bough_child_spec child;
    struct bough_supervisor_options options;
    struct bough_error error;
};

static void sample_init(struct sample *sample)
{
    *sample = (struct sample){
        .child = { .name = "one", .type = &store_type },
        .options = { .child_count = 1 },
    };
    sample->options.children = &sample->child;
}

static void expect_fault(struct sample *sample, const char *where, const char *text)
{
    assert_status(bough_supervisor_check(&sample->options, &sample->error),
                  BOUGH_EINVALID);
    assert_string_equal(sample->error.where, where);
    assert_string_equal(sample->error.text, text);
}

static bool allowed(const struct sample *sample)
{
    return bough_supervisor_check(&sample->options, NULL) == BOUGH_OK;
}

/* Dynamic supervisors (docs/supervision.md 2 and 5) */

static void a_dynamic_supervisor_has_exactly_one_template(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = BOUGH_DYNAMIC;
    assert_true(allowed(&sample));
    sample.options.child_count = 0;
    expect_fault(&sample, "/",
                 "a dynamic supervisor has exactly one child, the template; here are 0");
}

static void a_template_needs_no_name(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = BOUGH_DYNAMIC;
    sample.child.name = NULL;
    assert_true(allowed(&sample));
    sample.child.name = "a/b";
    assert_false(allowed(&sample));
}

static void a_template_that_contains_itself_is_refused(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = BOUGH_DYNAMIC;
    sample.child = (struct bough_child_spec){ .type = &bough_supervisor_type,
                                              .options = &sample.options };
    assert_false(allowed(&sample));
}

static void significant_simple(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = BOUGH_DYNAMIC;
    for (int mode = BOUGH_NEVER; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        sample.options.auto_shutdown = (enum bough_auto_shutdown)mode;
        assert_int_equal(allowed(&sample), mode == BOUGH_NEVER);
    }
    expect_fault(&sample, "/", "a dynamic supervisor has no auto_shutdown");
}

static void auto_shutdown_is_one_of_three(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.auto_shutdown = (enum bough_auto_shutdown)3;
    expect_fault(&sample, "/",
                 "auto_shutdown 3 is none of never, any-significant, all-significant");
}

/* The whole product: bad exactly where OTP says bad_combination (docs/supervision.md 4).
 */
static void child_specs_map(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (int mode = 0; mode < BOUGH_AUTO_SHUTDOWN_COUNT; mode++) {
        for (int restart = 0; restart < BOUGH_RESTART_COUNT; restart++) {
            for (int significant = 0; significant < 2; significant++) {
                bool bad =
                    significant && (restart == BOUGH_PERMANENT || mode == BOUGH_NEVER);

                sample.options.auto_shutdown = (enum bough_auto_shutdown)mode;
                sample.child.restart = (enum bough_restart)restart;
                sample.child.significant = significant;
                assert_int_equal(allowed(&sample), !bad);
            }
        }
    }
}

static void a_significant_child_says_why_it_is_refused(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.significant = true;
    sample.options.auto_shutdown = BOUGH_ANY_SIGNIFICANT;
    expect_fault(&sample, "/one",
                 "a permanent child cannot be significant: it is always restarted");
    sample.child.restart = BOUGH_TEMPORARY;
    sample.options.auto_shutdown = BOUGH_NEVER;
    expect_fault(&sample, "/one",
                 "a child cannot be significant while auto_shutdown is never");
}

/* One child for start_child */

static void one_child_is_checked_by_the_flags_of_its_supervisor(void **state)
{
    const struct bough_supervisor_options any = { .auto_shutdown =
                                                      BOUGH_ANY_SIGNIFICANT };
    const struct bough_supervisor_options never = { .strategy = BOUGH_ONE_FOR_ALL };
    const struct bough_child_spec child = { .name = "late",
                                            .type = &store_type,
                                            .restart = BOUGH_TRANSIENT,
                                            .significant = true };
    struct bough_error error;

    (void)state;
    assert_status(bough_supervisor_check_child(&any, &child, &error), BOUGH_OK);
    assert_status(bough_supervisor_check_child(&never, &child, &error), BOUGH_EINVALID);
    assert_string_equal(error.where, "/late");
}

static void one_child_is_checked_with_what_is_below_it(void **state)
{
    const struct bough_supervisor_options flags = { .strategy = BOUGH_ONE_FOR_ALL };
    const struct bough_supervisor_options below = { .period_ms = -1 };
    const struct bough_child_spec child = { .name = "sub",
                                            .type = &bough_supervisor_type,
                                            .options = &below };
    struct bough_error error;

    (void)state;
    assert_status(bough_supervisor_check_child(&flags, &child, &error), BOUGH_EINVALID);
    assert_string_equal(error.text, "period -1 ms is not above 0");
}

/* Backoff and limits */

static void a_backoff_begins_somewhere(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.backoff.jitter = 0.5;
    expect_fault(&sample, "/one", "the backoff has no min, which is where it begins");
    sample.child.backoff.min_ms = 1;
    assert_true(allowed(&sample));
}

static void a_backoff_does_not_shrink(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.backoff = (struct bough_backoff){ .min_ms = 10, .max_ms = 9 };
    expect_fault(&sample, "/one", "the backoff's max, 9 ms, is below its min, 10 ms");
    sample.child.backoff = (struct bough_backoff){ .min_ms = 10, .factor = 0.5 };
    expect_fault(&sample, "/one", "the backoff's factor 0.5 is not in 1 to 1e6");
}

static void a_backoffs_numbers_are_numbers(void **state)
{
    const struct bough_backoff bad[] = {
        { .min_ms = -1 },
        { .min_ms = 1, .max_ms = -1 },
        { .min_ms = 1, .reset_after_ms = -1 },
        { .min_ms = 1, .jitter = 1.1 },
        { .min_ms = 1, .jitter = -0.1 },
        { .min_ms = 1, .jitter = NAN },
        { .min_ms = 1, .factor = NAN },
        { .min_ms = 1, .factor = INFINITY },
    };
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (size_t i = 0; i < bough_count_of(bad); i++) {
        sample.child.backoff = bad[i];
        assert_false(allowed(&sample));
    }
}

static void a_childs_limit_has_the_same_bounds(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.intensity = BOUGH_INTENSITY_MAX + 1;
    expect_fault(&sample, "/one", "intensity 1000001 is above the greatest, 1000000");
    sample.child.intensity = 1;
    sample.child.period_ms = -2;
    expect_fault(&sample, "/one", "period -2 ms is not above 0");
    sample.child.intensity = 0;
    sample.child.period_ms = 2;
    expect_fault(&sample, "/one", "a period without an intensity limits nothing");
}

static void a_start_timeout_is_a_time(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.start_timeout_ms = -1;
    expect_fault(&sample, "/one", "start_timeout -1 ms is below 0");
}

/* Policies */

static void a_policy_that_can_never_fit_is_refused(void **state)
{
    const struct {
        struct bough_policy policy;
        const char *text;
    } rows[] = {
        { { .kind = (enum bough_exit_kind)99 }, "policy 0: its kind is none" },
        { { .status = (enum bough_status)99 }, "policy 0: its status is none" },
        { { .act = (enum bough_policy_act)99 },
          "policy 0: its act is none of restart, uncounted, stop, escalate" },
        { { .any_kind = true, .status = BOUGH_EFULL },
          "policy 0: only an error has a status, so it never fits" },
        { { .kind = BOUGH_EXIT_KILLED, .number = 9 },
          "policy 0: only a signal or an exit code has a number, so it never fits" },
        { { .status = BOUGH_EFULL, .number = 9 },
          "policy 0: nothing has both a status and a number, so it never fits" },
    };
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.policy_count = 1;
    for (size_t i = 0; i < bough_count_of(rows); i++) {
        sample.child.policies = &rows[i].policy;
        expect_fault(&sample, "/one", rows[i].text);
    }
}

static void policies_that_can_fit_are_allowed(void **state)
{
    const struct bough_policy policies[] = {
        { .status = BOUGH_EFULL, .act = BOUGH_POLICY_STOP },
        { .kind = BOUGH_EXIT_CODE, .any_number = true, .act = BOUGH_POLICY_UNCOUNTED },
        { .number = 9, .act = BOUGH_POLICY_ESCALATE },
        { .act = BOUGH_POLICY_RESTART },
    };
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.policies = policies;
    sample.child.policy_count = bough_count_of(policies);
    assert_true(allowed(&sample));
    sample.child.policies = NULL;
    expect_fault(&sample, "/one", "4 policies are announced and none given");
}

/* Replicas */

static void a_route_needs_replicas(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.route = BOUGH_LEAST_BUSY;
    expect_fault(&sample, "/one", "a route leads nowhere without replicas");
    sample.child.replicas = 2;
    assert_true(allowed(&sample));
    sample.child.route = (enum bough_route)3;
    expect_fault(&sample, "/one", "route 3 is none of round-robin, least-busy, hash");
}

static void a_hash_needs_a_field_that_messages_have(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.replicas = 2;
    sample.child.route = BOUGH_HASH;
    expect_fault(&sample, "/one", "the route \"hash\" and a route_field need each other");
    sample.child.route_field = "key";
    assert_true(allowed(&sample));
    sample.child.route_field = "kye";
    expect_fault(&sample, "/one", "no message of type \"store\" has a field \"kye\"");
}

static void a_template_makes_no_groups(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = BOUGH_DYNAMIC;
    sample.child.replicas = 2;
    expect_fault(&sample, "/one",
                 "a dynamic supervisor makes single children, no replicas");
}

static void replicas_have_a_bound(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.replicas = UINT32_MAX;
    assert_false(allowed(&sample));
}

/* Limits of a process */

static void only_a_process_of_its_own_has_limits(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.limits.rlimits.files = 64;
    expect_fault(&sample, "/one",
                 "limits are those of a process of its own, which the isolation "
                 "\"inline\" does not give it");
    sample.child.isolation = BOUGH_THREAD;
    expect_fault(&sample, "/one",
                 "limits are those of a process of its own, which the isolation "
                 "\"thread\" does not give it");
    sample.child.isolation = BOUGH_PROCESS;
    assert_true(allowed(&sample));
    sample.child.limits.rlimits.files = 3;
    expect_fault(&sample, "/one", "the rlimit files, 3, is not in 16 to 1073741824");
    sample.child.limits = (struct bough_process_limits){ .user = "", .oom_score_adj = 1 };
    expect_fault(&sample, "/one", "the user has no name");
}

static void redelivery_is_bounded_and_not_a_supervisors(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.child.redeliver = BOUGH_REDELIVER_MAX;
    assert_true(allowed(&sample));
    sample.child.redeliver++;
    expect_fault(&sample, "/one", "redeliver 1001 is above the greatest, 1000");
    sample.child.type = &bough_supervisor_type;
    sample.child.redeliver = 1;
    expect_fault(&sample, "/one",
                 "what a supervisor is asked is not redelivered; its children can have "
                 "redeliver");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dynamic_supervisor_has_exactly_one_template),
        cmocka_unit_test(a_template_needs_no_name),
        cmocka_unit_test(a_template_that_contains_itself_is_refused),
        cmocka_unit_test(significant_simple),
        cmocka_unit_test(auto_shutdown_is_one_of_three),
        cmocka_unit_test(child_specs_map),
        cmocka_unit_test(a_significant_child_says_why_it_is_refused),
        cmocka_unit_test(one_child_is_checked_by_the_flags_of_its_supervisor),
        cmocka_unit_test(one_child_is_checked_with_what_is_below_it),
        cmocka_unit_test(a_backoff_begins_somewhere),
        cmocka_unit_test(a_backoff_does_not_shrink),
        cmocka_unit_test(a_backoffs_numbers_are_numbers),
        cmocka_unit_test(a_childs_limit_has_the_same_bounds),
        cmocka_unit_test(a_start_timeout_is_a_time),
        cmocka_unit_test(a_policy_that_can_never_fit_is_refused),
        cmocka_unit_test(policies_that_can_fit_are_allowed),
        cmocka_unit_test(a_route_needs_replicas),
        cmocka_unit_test(a_hash_needs_a_field_that_messages_have),
        cmocka_unit_test(a_template_makes_no_groups),
        cmocka_unit_test(replicas_have_a_bound),
        cmocka_unit_test(only_a_process_of_its_own_has_limits),
        cmocka_unit_test(redelivery_is_bounded_and_not_a_supervisors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
