/* test_config.c - a right tree becomes specs.
 *
 * The messages about broken trees are in bad/ (test_bad.c).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <stdlib.h>
#include <string.h>

#include <bough/actors/counter.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/config/load.h>

static void the_flags_of_a_supervisor_are_read(void **state)
{
    struct bough_config *config = load(
        "{\"$schema\": \"x\", \"name\": \"shop\", \"type\": \"supervisor\","
        " \"strategy\": \"rest-for-one\", \"intensity\": 0, \"period\": \"1.5s\","
        " \"log\": \"/log\", \"children\": [{\"name\": \"log\", \"type\": \"logger\"}]}");
    const struct bough_config_tree *tree = bough_config_tree(config);

    (void)state;
    assert_string_equal(tree->name, "shop");
    assert_string_equal(tree->log, "/log");
    assert_int_equal(tree->options.strategy, BOUGH_REST_FOR_ONE);
    assert_true(tree->options.any_intensity);
    assert_int_equal(tree->options.intensity, 0);
    assert_int_equal(tree->options.period_ms, 1500);
    assert_int_equal(tree->supervisors, 1);
    assert_int_equal(tree->workers, 1);
    bough_config_free(config);
}

static void what_is_not_given_is_as_otp_has_it(void **state)
{
    struct bough_config *config = load(
        "{\"name\": \"shop\", \"children\": [{\"name\": \"c\", \"type\": \"counter\"}]}");
    const struct bough_config_tree *tree = bough_config_tree(config);
    const struct bough_child_spec *child = &tree->options.children[0];

    (void)state;
    assert_null(tree->log);
    assert_int_equal(tree->options.strategy, BOUGH_ONE_FOR_ONE);
    assert_int_equal(tree->options.intensity, 1);
    assert_int_equal(tree->options.period_ms, 5000);
    assert_int_equal(child->restart, BOUGH_PERMANENT);
    assert_int_equal(child->shutdown_ms, BOUGH_SHUTDOWN_DEFAULT);
    assert_int_equal(child->mailbox_capacity, BOUGH_MAILBOX_CAPACITY);
    assert_int_equal(child->on_restart, BOUGH_KEEP);
    assert_int_equal(child->when_full, BOUGH_REFUSE);
    bough_config_free(config);
}

static void a_child_is_read_whole(void **state)
{
    struct bough_config *config = load(
        "{\"name\": \"shop\", \"children\": [{\"name\": \"c\", \"type\": \"counter\","
        " \"restart\": \"temporary\", \"shutdown\": \"250ms\", \"isolation\": \"inline\","
        " \"mailbox\": {\"capacity\": 7, \"on_restart\": \"discard\","
        " \"when_full\": \"drop-oldest\"}, \"options\": {\"initial\": -3}}]}");
    const struct bough_child_spec *child = bough_config_tree(config)->options.children;
    const struct bough_counter_options *options = child->options;

    (void)state;
    assert_string_equal(child->name, "c");
    assert_ptr_equal(child->type, &bough_counter_type);
    assert_int_equal(child->restart, BOUGH_TEMPORARY);
    assert_int_equal(child->shutdown_ms, 250);
    assert_int_equal(child->mailbox_capacity, 7);
    assert_int_equal(child->on_restart, BOUGH_DISCARD);
    assert_int_equal(child->when_full, BOUGH_DROP_OLDEST);
    assert_int_equal(options->initial, -3);
    bough_config_free(config);
}

static void shutdown_is_a_time_or_one_of_two_words(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } shutdowns[] = {
        { "5s", 5000 },
        { "0s", BOUGH_SHUTDOWN_AT_ONCE },
        { "infinity", BOUGH_SHUTDOWN_INFINITY },
        { "brutal-kill", BOUGH_SHUTDOWN_BRUTAL_KILL },
    };

    (void)state;
    for (size_t i = 0; i < bough_count_of(shutdowns); i++) {
        char text[256];
        struct bough_config *config;

        snprintf(
            text, sizeof(text),
            "{\"name\": \"shop\", \"children\": [{\"name\": \"c\", \"type\": \"counter\", "
            "\"shutdown\": \"%s\"}]}",
            shutdowns[i].text);
        config = load(text);
        assert_int_equal(bough_config_tree(config)->options.children[0].shutdown_ms,
                         shutdowns[i].ms);
        bough_config_free(config);
    }
}

static void supervisors_nest(void **state)
{
    struct bough_config *config = load(
        "{\"name\": \"shop\", \"children\": [{\"name\": \"jobs\", \"type\": \"supervisor\","
        " \"strategy\": \"one-for-all\", \"children\": [{\"name\": \"a\", \"type\": \"kv\"},"
        " {\"name\": \"b\", \"type\": \"kv\"}]}]}");
    const struct bough_child_spec *jobs = bough_config_tree(config)->options.children;
    const struct bough_supervisor_options *options = jobs->options;

    (void)state;
    assert_ptr_equal(jobs->type, &bough_supervisor_type);
    assert_int_equal(options->strategy, BOUGH_ONE_FOR_ALL);
    assert_int_equal(options->child_count, 2);
    assert_string_equal(options->children[1].name, "b");
    assert_int_equal(bough_config_tree(config)->supervisors, 2);
    assert_int_equal(bough_config_tree(config)->workers, 2);
    bough_config_free(config);
}

static void comments_and_trailing_commas_are_allowed(void **state)
{
    struct bough_config *config =
        load("// a comment\n{ /* here */ \"name\"/**/:/* // */\"shop\" // there\n"
             ", \"children\": [ {\"name\": \"c\", \"type\": \"kv\", } /***/ , ], }");

    (void)state;
    bough_config_free(config);
}

static void a_comment_in_a_string_is_text(void **state)
{
    struct bough_config *config =
        load("{\"$schema\": \"http://x/* \\\\\", // \"\n"
             " \"name\": \"shop\", \"children\": [\n"
             " {\"name\": \"c\", \"type\": \"counter\",}, /* \" */ ],\n}"
             " // the end");

    (void)state;
    assert_int_equal(bough_config_tree(config)->options.child_count, 1);
    bough_config_free(config);
}

static void a_tree_may_be_empty(void **state)
{
    struct bough_config *config = load("{\"name\": \"shop\", \"children\": []}");

    (void)state;
    assert_int_equal(bough_config_tree(config)->options.child_count, 0);
    bough_config_free(config);
}

/* The examples */

static void the_examples_are_right(void **state)
{
    static const char *const names[] = { "hello.json", "shop.json" };
    const char *source = getenv("BOUGH_SOURCE");

    (void)state;
    for (size_t i = 0; i < bough_count_of(names); i++) {
        char path[4096];
        struct bough_config *config;
        struct bough_error error;

        snprintf(path, sizeof(path), "%s/config/examples/%s",
                 source == NULL ? "." : source, names[i]);
        config = bough_config_load(path, bough_actor_types);
        bough_config_print_errors(config, stderr);
        assert_non_null(bough_config_tree(config));
        assert_status(bough_supervisor_check(&bough_config_tree(config)->options, &error),
                      BOUGH_OK);
        bough_config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flags_of_a_supervisor_are_read),
        cmocka_unit_test(what_is_not_given_is_as_otp_has_it),
        cmocka_unit_test(a_child_is_read_whole),
        cmocka_unit_test(shutdown_is_a_time_or_one_of_two_words),
        cmocka_unit_test(supervisors_nest),
        cmocka_unit_test(comments_and_trailing_commas_are_allowed),
        cmocka_unit_test(a_comment_in_a_string_is_text),
        cmocka_unit_test(a_tree_may_be_empty),
        cmocka_unit_test(the_examples_are_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
