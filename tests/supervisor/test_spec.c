/* test_spec.c - child specs: what is allowed, what zeroes stand for, and copies.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/unit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/supervisor.h>

static enum bough_status no_init(struct bough_actor *actor, const void *options)
{
    (void)actor;
    (void)options;
    return BOUGH_OK;
}

struct plain_options {
    const char *text;
    int64_t number;
};

static const struct bough_field plain_fields[] = {
    bough_field(struct plain_options, text, "text", BOUGH_STRING, .optional = true),
    bough_field(struct plain_options, number, "number", BOUGH_INT64, .optional = true,
                .fallback = 7),
};

static const struct bough_actor_type plain_type = {
    .name = "plain",
    .init = no_init,
    .options_size = sizeof(struct plain_options),
    .options = plain_fields,
    .option_count = bough_count_of(plain_fields),
};

static const struct bough_actor_type bare_type = { .name = "bare", .init = no_init };

/* Two children that are allowed, for a test to spoil. */
struct sample {
    struct bough_child_spec children[2];
    struct bough_supervisor_options options;
    struct bough_error error;
};

static void sample_init(struct sample *sample)
{
    *sample = (struct sample){
        .children = { { .name = "one", .type = &plain_type },
                      { .name = "two", .type = &bare_type } },
        .options = { .child_count = 2 },
    };
    sample->options.children = sample->children;
}

static void expect_fault(struct sample *sample, const char *where, const char *text)
{
    assert_status(bough_supervisor_check(&sample->options, &sample->error),
                  BOUGH_EINVALID);
    assert_string_equal(sample->error.where, where);
    assert_string_equal(sample->error.text, text);
}

/* Flags */

static void what_is_allowed_is_allowed(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    assert_status(bough_supervisor_check(&sample.options, &sample.error), BOUGH_OK);
    assert_status(bough_supervisor_check(NULL, NULL), BOUGH_OK);
}

static void sup_flags_strategy(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.strategy = (enum bough_strategy)17;
    expect_fault(
        &sample, "/",
        "strategy 17 is none of one-for-one, one-for-all, rest-for-one, dynamic");
}

static void sup_flags_intensity(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.intensity = BOUGH_INTENSITY_MAX;
    assert_status(bough_supervisor_check(&sample.options, NULL), BOUGH_OK);
    sample.options.intensity++;
    expect_fault(&sample, "/", "intensity 1000001 is above the greatest, 1000000");
}

static void sup_flags_period(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.period_ms = -5;
    expect_fault(&sample, "/", "period -5 ms is not above 0");
}

static void children_that_are_announced_must_be_given(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.options.children = NULL;
    expect_fault(&sample, "/", "2 children are announced and none given");
}

/* Children */

static void a_child_needs_a_name(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[1].name = NULL;
    expect_fault(&sample, "/", "child 1 has no name");
}

static void a_name_has_only_letters_that_are_allowed(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[0].name = "a/b";
    expect_fault(
        &sample, "/",
        "child 0: \"a/b\" is no name: 1 to 64 of A-Z a-z 0-9 _ . - are, but . and "
        ".. are not");
}

static void names_are_unique_among_siblings(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[1].name = "one";
    expect_fault(&sample, "/one", "two children have the name \"one\"");
}

static void a_child_needs_a_type_that_can_start(void **state)
{
    static const struct bough_actor_type lifeless = { .name = "lifeless" };
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[0].type = NULL;
    expect_fault(&sample, "/one", "a type with a name and an init is missing");
    sample.children[0].type = &lifeless;
    expect_fault(&sample, "/one", "a type with a name and an init is missing");
}

static void restart_is_one_of_three(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[1].restart = (enum bough_restart)3;
    expect_fault(&sample, "/two", "restart 3 is none of permanent, transient, temporary");
}

static void shutdown_is_a_time_or_one_of_the_values(void **state)
{
    static const int64_t allowed[] = { BOUGH_SHUTDOWN_DEFAULT, BOUGH_SHUTDOWN_BRUTAL_KILL,
                                       BOUGH_SHUTDOWN_INFINITY, BOUGH_SHUTDOWN_AT_ONCE,
                                       1 };
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (size_t i = 0; i < bough_count_of(allowed); i++) {
        sample.children[1].shutdown_ms = allowed[i];
        assert_status(bough_supervisor_check(&sample.options, NULL), BOUGH_OK);
    }
    sample.children[1].shutdown_ms = -2;
    expect_fault(&sample, "/two",
                 "shutdown -2 ms is neither a time nor one of the values "
                 "BOUGH_SHUTDOWN_...");
}

static void on_restart_is_one_of_two(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[0].on_restart = (enum bough_on_restart)9;
    expect_fault(&sample, "/one", "on_restart 9 is neither keep nor discard");
}

static void when_full_is_one_of_four(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (int i = 0; i < BOUGH_WHEN_FULL_COUNT; i++) {
        sample.children[0].when_full = (enum bough_when_full)i;
        assert_status(bough_supervisor_check(&sample.options, NULL), BOUGH_OK);
        assert_non_null(bough_when_full_names[i]);
    }
    assert_null(bough_when_full_names[BOUGH_WHEN_FULL_COUNT]);
    sample.children[0].when_full = BOUGH_WHEN_FULL_COUNT;
    expect_fault(&sample, "/one",
                 "when_full 4 is none of refuse, wait, drop-oldest, drop-newest");
}

static void a_fault_of_a_nested_supervisor_is_found_with_its_path(void **state)
{
    struct sample outer, inner;

    (void)state;
    sample_init(&outer);
    sample_init(&inner);
    inner.children[1].restart = (enum bough_restart)4;
    outer.children[1].type = &bough_supervisor_type;
    outer.children[1].options = &inner.options;
    expect_fault(&outer, "/two/two",
                 "restart 4 is none of permanent, transient, temporary");
    inner.children[1].restart = BOUGH_PERMANENT;
    inner.options.period_ms = -1;
    expect_fault(&outer, "/two", "period -1 ms is not above 0");
}

/* Depth ends where paths end; so do options that contain themselves. */
static void options_that_contain_themselves_are_refused(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    sample.children[0].type = &bough_supervisor_type;
    sample.children[0].options = &sample.options;
    assert_status(bough_supervisor_check(&sample.options, &sample.error), BOUGH_EINVALID);
    assert_string_equal(sample.error.text,
                        "the path of \"one\" is longer than 1023 bytes");
}

static void many_children_are_checked_and_copied(void **state)
{
    enum { COUNT = 20000 };
    struct bough_child_spec *children = calloc(COUNT, sizeof(*children));
    char(*names)[16] = calloc(COUNT, sizeof(*names));
    struct bough_supervisor_options options = { .children = children,
                                                .child_count = COUNT };
    struct bough_supervisor_options *copy;

    (void)state;
    assert_true(children && names);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "n%zu", i);
        children[i] = (struct bough_child_spec){ .name = names[i], .type = &bare_type };
    }
    assert_status(bough_supervisor_check(&options, NULL), BOUGH_OK);
    copy = bough_supervisor_options_copy(&options);
    assert_non_null(copy);
    assert_string_equal(copy->children[COUNT - 1].name, "n19999");
    bough_supervisor_options_free(copy);
    free(names);
    free(children);
}

/* What zeroes stand for (docs/supervision.md 1 and 3) */

static void zeroes_are_otps_defaults(void **state)
{
    const struct bough_supervisor_options options = { .child_count = 0 };
    const struct bough_child_spec worker = { .type = &plain_type };
    const struct bough_child_spec below = { .type = &bough_supervisor_type };

    (void)state;
    assert_int_equal(options.strategy, BOUGH_ONE_FOR_ONE);
    assert_int_equal(bough_supervisor_intensity(&options), 1);
    assert_int_equal(bough_supervisor_period_ms(&options), 5000);
    assert_int_equal(worker.restart, BOUGH_PERMANENT);
    assert_int_equal(bough_child_shutdown_ms(&worker), 5000);
    assert_int_equal(bough_child_shutdown_ms(&below), BOUGH_FOREVER);
}

static void an_intensity_of_zero_can_be_meant(void **state)
{
    const struct bough_supervisor_options none = { .any_intensity = true };
    const struct bough_supervisor_options five = { .intensity = 5 };

    (void)state;
    assert_int_equal(bough_supervisor_intensity(&none), 0);
    assert_int_equal(bough_supervisor_intensity(&five), 5);
}

static void a_shutdown_of_no_time_is_zero_ms(void **state)
{
    const struct bough_child_spec at_once = { .shutdown_ms = BOUGH_SHUTDOWN_AT_ONCE };
    const struct bough_child_spec brutal = { .shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL };

    (void)state;
    assert_int_equal(bough_child_shutdown_ms(&at_once), 0);
    assert_int_equal(bough_child_shutdown_ms(&brutal), BOUGH_SHUTDOWN_BRUTAL_KILL);
}

static void every_name_is_there_and_the_tables_end(void **state)
{
    (void)state;
    assert_string_equal(bough_strategy_names[BOUGH_ONE_FOR_ONE], "one-for-one");
    assert_string_equal(bough_strategy_names[BOUGH_ONE_FOR_ALL], "one-for-all");
    assert_string_equal(bough_strategy_names[BOUGH_REST_FOR_ONE], "rest-for-one");
    assert_string_equal(bough_strategy_names[BOUGH_DYNAMIC], "dynamic");
    assert_null(bough_strategy_names[BOUGH_STRATEGY_COUNT]);
    assert_string_equal(bough_restart_names[BOUGH_PERMANENT], "permanent");
    assert_string_equal(bough_restart_names[BOUGH_TRANSIENT], "transient");
    assert_string_equal(bough_restart_names[BOUGH_TEMPORARY], "temporary");
    assert_null(bough_restart_names[BOUGH_RESTART_COUNT]);
}

static void the_names_of_what_otp_has_not_are_there_too(void **state)
{
    (void)state;
    assert_string_equal(bough_auto_shutdown_names[BOUGH_NEVER], "never");
    assert_string_equal(bough_auto_shutdown_names[BOUGH_ANY_SIGNIFICANT],
                        "any-significant");
    assert_string_equal(bough_auto_shutdown_names[BOUGH_ALL_SIGNIFICANT],
                        "all-significant");
    assert_null(bough_auto_shutdown_names[BOUGH_AUTO_SHUTDOWN_COUNT]);
    assert_string_equal(bough_route_names[BOUGH_ROUND_ROBIN], "round-robin");
    assert_string_equal(bough_route_names[BOUGH_LEAST_BUSY], "least-busy");
    assert_string_equal(bough_route_names[BOUGH_HASH], "hash");
    assert_null(bough_route_names[BOUGH_ROUTE_COUNT]);
    assert_string_equal(bough_policy_names[BOUGH_POLICY_RESTART], "restart");
    assert_string_equal(bough_policy_names[BOUGH_POLICY_UNCOUNTED], "uncounted");
    assert_string_equal(bough_policy_names[BOUGH_POLICY_STOP], "stop");
    assert_string_equal(bough_policy_names[BOUGH_POLICY_ESCALATE], "escalate");
    assert_null(bough_policy_names[BOUGH_POLICY_COUNT]);
}

static void a_backoff_is_filled_in(void **state)
{
    const struct bough_backoff given = { .min_ms = 100 };
    const struct bough_backoff long_one = { .min_ms = INT64_MAX / 2 };
    struct bough_backoff filled = bough_backoff_fill(&given);

    (void)state;
    assert_int_equal(filled.max_ms, 6000);
    assert_int_equal(filled.reset_after_ms, 6000);
    assert_true(filled.factor == 2 && filled.jitter == 0);
    assert_int_equal(bough_backoff_fill(&long_one).max_ms, BOUGH_FOREVER);
}

static void no_backoff_stays_none(void **state)
{
    const struct bough_backoff none = { .min_ms = 0 };

    (void)state;
    assert_int_equal(bough_backoff_fill(&none).max_ms, 0);
}

static void a_limit_of_its_own_has_otps_period(void **state)
{
    const struct bough_child_spec none = { .name = "a" };
    const struct bough_child_spec zero = { .any_intensity = true };
    const struct bough_child_spec three = { .intensity = 3, .period_ms = 70 };

    (void)state;
    assert_false(bough_child_limited(&none));
    assert_true(bough_child_limited(&zero));
    assert_true(bough_child_limited(&three));
    assert_int_equal(bough_child_period_ms(&zero), 5000);
    assert_int_equal(bough_child_period_ms(&three), 70);
}

/* Copies */

static void a_copy_shares_nothing_with_its_original(void **state)
{
    char name[] = "inner", text[] = "hello";
    struct plain_options plain = { .text = text, .number = 3 };
    struct bough_child_spec child = { .name = name,
                                      .type = &plain_type,
                                      .options = &plain };
    struct bough_supervisor_options inner = { .children = &child, .child_count = 1 };
    struct bough_child_spec below = { .name = "sub",
                                      .type = &bough_supervisor_type,
                                      .options = &inner };
    struct bough_supervisor_options outer = { .children = &below, .child_count = 1 };
    struct bough_supervisor_options *copy = bough_supervisor_options_copy(&outer);
    const struct bough_supervisor_options *copied;
    const struct plain_options *copied_plain;

    (void)state;
    assert_non_null(copy);
    memset(name, 'x', sizeof(name) - 1);
    memset(text, 'x', sizeof(text) - 1);
    plain.number = 4;
    copied = copy->children[0].options;
    copied_plain = copied->children[0].options;
    assert_string_equal(copied->children[0].name, "inner");
    assert_string_equal(copied_plain->text, "hello");
    assert_int_equal(copied_plain->number, 3);
    bough_supervisor_options_free(copy);
}

static void a_copy_has_policies_and_route_of_its_own(void **state)
{
    char field[] = "key";
    struct bough_policy policy = { .kind = BOUGH_EXIT_CODE, .number = 3 };
    struct bough_child_spec child = { .name = "a",
                                      .type = &bare_type,
                                      .policies = &policy,
                                      .policy_count = 1,
                                      .route_field = field };
    struct bough_supervisor_options options = { .children = &child, .child_count = 1 };
    struct bough_supervisor_options *copy = bough_supervisor_options_copy(&options);

    (void)state;
    assert_non_null(copy);
    policy.number = 4;
    field[0] = 'x';
    assert_int_equal(copy->children[0].policies[0].number, 3);
    assert_string_equal(copy->children[0].route_field, "key");
    bough_supervisor_options_free(copy);
}

static void a_template_without_a_name_is_copied_without(void **state)
{
    struct bough_child_spec child = { .type = &bare_type };
    struct bough_supervisor_options options = { .strategy = BOUGH_DYNAMIC,
                                                .children = &child,
                                                .child_count = 1 };
    struct bough_supervisor_options *copy = bough_supervisor_options_copy(&options);

    (void)state;
    assert_non_null(copy);
    assert_null(copy->children[0].name);
    bough_supervisor_options_free(copy);
}

static void no_options_are_an_empty_supervisor(void **state)
{
    struct bough_supervisor_options *copy = bough_supervisor_options_copy(NULL);

    (void)state;
    assert_non_null(copy);
    assert_int_equal(copy->child_count, 0);
    bough_supervisor_options_free(copy);
    bough_supervisor_options_free(NULL);
}

static void a_child_without_options_is_copied_without(void **state)
{
    struct sample sample;
    struct bough_supervisor_options *copy;

    (void)state;
    sample_init(&sample);
    sample.children[1].options = "what a type without options is given";
    copy = bough_supervisor_options_copy(&sample.options);
    assert_non_null(copy);
    assert_null(copy->children[0].options);
    assert_null(copy->children[1].options);
    bough_supervisor_options_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allowed_is_allowed),
        cmocka_unit_test(sup_flags_strategy),
        cmocka_unit_test(sup_flags_intensity),
        cmocka_unit_test(sup_flags_period),
        cmocka_unit_test(children_that_are_announced_must_be_given),
        cmocka_unit_test(a_child_needs_a_name),
        cmocka_unit_test(a_name_has_only_letters_that_are_allowed),
        cmocka_unit_test(names_are_unique_among_siblings),
        cmocka_unit_test(a_child_needs_a_type_that_can_start),
        cmocka_unit_test(restart_is_one_of_three),
        cmocka_unit_test(shutdown_is_a_time_or_one_of_the_values),
        cmocka_unit_test(on_restart_is_one_of_two),
        cmocka_unit_test(when_full_is_one_of_four),
        cmocka_unit_test(a_fault_of_a_nested_supervisor_is_found_with_its_path),
        cmocka_unit_test(options_that_contain_themselves_are_refused),
        cmocka_unit_test(many_children_are_checked_and_copied),
        cmocka_unit_test(zeroes_are_otps_defaults),
        cmocka_unit_test(an_intensity_of_zero_can_be_meant),
        cmocka_unit_test(a_shutdown_of_no_time_is_zero_ms),
        cmocka_unit_test(every_name_is_there_and_the_tables_end),
        cmocka_unit_test(the_names_of_what_otp_has_not_are_there_too),
        cmocka_unit_test(a_backoff_is_filled_in),
        cmocka_unit_test(no_backoff_stays_none),
        cmocka_unit_test(a_limit_of_its_own_has_otps_period),
        cmocka_unit_test(a_copy_shares_nothing_with_its_original),
        cmocka_unit_test(a_copy_has_policies_and_route_of_its_own),
        cmocka_unit_test(a_template_without_a_name_is_copied_without),
        cmocka_unit_test(no_options_are_an_empty_supervisor),
        cmocka_unit_test(a_child_without_options_is_copied_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
