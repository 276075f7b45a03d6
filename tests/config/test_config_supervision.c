/* test_config_supervision.c - the keys of supervision become members of the specs.
 *
 * Wrong ones and wrong combinations are in bad/ (test_bad.c).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/policies_internal.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/config/load.h>

static const struct bough_child_spec *first_child(const struct bough_config *config)
{
    return bough_config_tree(config)->options.children;
}

/* A tree of one counter with these keys; under any-significant. */
static struct bough_config *load_child(const char *keys)
{
    char text[1024];

    snprintf(
        text, sizeof(text),
        "{\"name\": \"shop\", \"auto_shutdown\": \"any-significant\", \"children\": ["
        "{\"name\": \"c\", \"type\": \"counter\"%s%s}]}",
        *keys == '\0' ? "" : ", ", keys);
    return load(text);
}

static void what_is_not_given_is_off(void **state)
{
    struct bough_config *config = load_child("");
    const struct bough_child_spec *child = first_child(config);

    (void)state;
    assert_false(child->significant);
    assert_int_equal(child->backoff.min_ms, 0);
    assert_int_equal(child->start_timeout_ms, 0);
    assert_false(bough_child_limited(child));
    assert_int_equal(child->policy_count, 0);
    assert_int_equal(child->replicas, 0);
    assert_null(child->route_field);
    assert_int_equal(bough_supervisor_check(&bough_config_tree(config)->options, NULL),
                     BOUGH_OK);
    bough_config_free(config);
}

static void a_dynamic_supervisor_has_a_template(void **state)
{
    struct bough_config *config =
        load("{\"name\": \"shop\", \"strategy\": \"dynamic\", \"children\": ["
             "{\"name\": \"c\", \"type\": \"counter\", \"restart\": \"temporary\"}]}");
    const struct bough_config_tree *tree = bough_config_tree(config);

    (void)state;
    assert_int_equal(tree->options.strategy, BOUGH_DYNAMIC);
    assert_int_equal(tree->options.child_count, 1);
    assert_int_equal(tree->workers, 0);
    assert_int_equal(tree->supervisors, 1);
    bough_config_free(config);
}

static void a_significant_child_is_read(void **state)
{
    struct bough_config *config =
        load_child("\"restart\": \"transient\", \"significant\": true");

    (void)state;
    assert_int_equal(bough_config_tree(config)->options.auto_shutdown,
                     BOUGH_ANY_SIGNIFICANT);
    assert_true(first_child(config)->significant);
    bough_config_free(config);
}

static void a_backoff_is_read(void **state)
{
    struct bough_config *config =
        load_child("\"backoff\": {\"min\": \"100ms\", \"max\": \"5s\", \"factor\": 1.5,"
                   " \"jitter\": 0.25, \"reset_after\": \"1m\"}");
    const struct bough_backoff *backoff = &first_child(config)->backoff;

    (void)state;
    assert_int_equal(backoff->min_ms, 100);
    assert_int_equal(backoff->max_ms, 5000);
    assert_true(backoff->factor == 1.5);
    assert_true(backoff->jitter == 0.25);
    assert_int_equal(backoff->reset_after_ms, 60000);
    bough_config_free(config);
}

static void a_backoff_needs_only_its_min(void **state)
{
    struct bough_config *config = load_child("\"backoff\": {\"min\": \"100ms\"}");
    struct bough_backoff backoff = bough_backoff_fill(&first_child(config)->backoff);

    (void)state;
    assert_int_equal(backoff.max_ms, 6000);
    assert_true(backoff.factor == 2);
    assert_true(backoff.jitter == 0);
    assert_int_equal(backoff.reset_after_ms, 6000);
    bough_config_free(config);
}

static void a_start_timeout_of_infinity_is_none(void **state)
{
    struct bough_config *some = load_child("\"start_timeout\": \"3s\"");
    struct bough_config *none = load_child("\"start_timeout\": \"infinity\"");

    (void)state;
    assert_int_equal(first_child(some)->start_timeout_ms, 3000);
    assert_int_equal(first_child(none)->start_timeout_ms, 0);
    bough_config_free(some);
    bough_config_free(none);
}

static void a_worker_may_have_a_limit_of_its_own(void **state)
{
    struct bough_config *config = load_child("\"intensity\": 0, \"period\": \"1m\"");
    const struct bough_child_spec *child = first_child(config);

    (void)state;
    assert_true(bough_child_limited(child));
    assert_int_equal(child->intensity, 0);
    assert_int_equal(bough_child_period_ms(child), 60000);
    bough_config_free(config);
}

static void a_supervisor_has_a_limit_beside_that_of_its_children(void **state)
{
    struct bough_config *config =
        load("{\"name\": \"shop\", \"children\": [{\"name\": \"s\", \"type\": "
             "\"supervisor\", \"intensity\": 7, \"limit\": {\"intensity\": 2}, "
             "\"children\": []}]}");
    const struct bough_child_spec *child = first_child(config);

    (void)state;
    assert_true(bough_child_limited(child));
    assert_int_equal(child->intensity, 2);
    assert_int_equal(bough_child_period_ms(child), 5000);
    assert_int_equal(bough_supervisor_intensity(child->options), 7);
    bough_config_free(config);
}

static void replicas_are_read_and_counted(void **state)
{
    struct bough_config *config =
        load("{\"name\": \"shop\", \"children\": [{\"name\": \"c\", \"type\": \"kv\","
             " \"replicas\": 4, \"route\": \"hash\", \"route_field\": \"key\"}]}");
    const struct bough_child_spec *child = first_child(config);

    (void)state;
    assert_int_equal(child->replicas, 4);
    assert_int_equal(child->route, BOUGH_HASH);
    assert_string_equal(child->route_field, "key");
    assert_int_equal(bough_config_tree(config)->workers, 4);
    bough_config_free(config);
}

static void a_group_and_its_members_can_be_named(void **state)
{
    struct bough_config *config = load(
        "{\"name\": \"shop\", \"log\": \"/logs/1\", \"children\": [{\"name\": \"logs\","
        " \"type\": \"logger\", \"replicas\": 2}]}");

    (void)state;
    assert_string_equal(bough_config_tree(config)->log, "/logs/1");
    bough_config_free(config);
}

static void policies_are_read_in_their_order(void **state)
{
    struct bough_config *config = load_child(
        "\"policies\": [{\"on\": \"error\", \"status\": \"range\", \"do\": \"stop\"},"
        " {\"signal\": \"SEGV\", \"do\": \"escalate\"}, {\"code\": 0, \"do\": "
        "\"uncounted\"}, {\"on\": \"normal\", \"do\": \"restart\"}, {\"do\": \"stop\"}]");
    static const struct bough_policy expected[] = {
        { true, BOUGH_EXIT_ERROR, BOUGH_ERANGE, false, 0, BOUGH_POLICY_STOP },
        { true, BOUGH_EXIT_SIGNAL, BOUGH_OK, true, SIGSEGV, BOUGH_POLICY_ESCALATE },
        { true, BOUGH_EXIT_CODE, BOUGH_OK, true, 0, BOUGH_POLICY_UNCOUNTED },
        { true, BOUGH_EXIT_NORMAL, BOUGH_OK, false, 0, BOUGH_POLICY_RESTART },
        { false, BOUGH_EXIT_NORMAL, BOUGH_OK, false, 0, BOUGH_POLICY_STOP },
    };
    const struct bough_child_spec *child = first_child(config);

    (void)state;
    assert_int_equal(child->policy_count, bough_count_of(expected));
    for (size_t i = 0; i < bough_count_of(expected); i++) {
        assert_int_equal(child->policies[i].any_kind, expected[i].any_kind);
        assert_int_equal(child->policies[i].kind, expected[i].kind);
        assert_int_equal(child->policies[i].status, expected[i].status);
        assert_int_equal(child->policies[i].any_number, expected[i].any_number);
        assert_int_equal(child->policies[i].number, expected[i].number);
        assert_int_equal(child->policies[i].act, expected[i].act);
    }
    bough_config_free(config);
}

/* The names are written down a second time, so that they can be choices of a field. */
static void the_words_of_policies_are_those_of_the_core(void **state)
{
    const char *const *kinds = bough_policy_keys[0].choices;
    const char *const *statuses = bough_policy_keys[1].choices;
    const char *const *signals = bough_policy_keys[2].choices;
    enum bough_status status;
    enum bough_exit_kind kind;
    size_t count = 0;

    (void)state;
    for (; kinds[count] != NULL; count++) {
        assert_true(bough_exit_kind_parse(kinds[count], &kind));
        assert_int_equal(kind, count);
    }
    assert_int_equal(count, BOUGH_EXIT_KIND_COUNT);
    for (count = 0; statuses[count] != NULL; count++) {
        assert_true(bough_status_parse(statuses[count], &status));
        assert_int_equal(status, count + BOUGH_ENOMEM);
    }
    assert_int_equal(count, BOUGH_EFAILED);
    for (count = 0; signals[count] != NULL; count++) {
        char keys[128];
        struct bough_config *config;

        snprintf(keys, sizeof(keys),
                 "\"policies\": [{\"signal\": \"%s\", \"do\": "
                 "\"stop\"}]",
                 signals[count]);
        config = load_child(keys);
        assert_string_equal(sigabbrev_np(first_child(config)->policies[0].number),
                            signals[count]);
        bough_config_free(config);
    }
    assert_true(count > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_is_off),
        cmocka_unit_test(a_dynamic_supervisor_has_a_template),
        cmocka_unit_test(a_significant_child_is_read),
        cmocka_unit_test(a_backoff_is_read),
        cmocka_unit_test(a_backoff_needs_only_its_min),
        cmocka_unit_test(a_start_timeout_of_infinity_is_none),
        cmocka_unit_test(a_worker_may_have_a_limit_of_its_own),
        cmocka_unit_test(a_supervisor_has_a_limit_beside_that_of_its_children),
        cmocka_unit_test(replicas_are_read_and_counted),
        cmocka_unit_test(a_group_and_its_members_can_be_named),
        cmocka_unit_test(policies_are_read_in_their_order),
        cmocka_unit_test(the_words_of_policies_are_those_of_the_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
