/* test_dynamic.c - a dynamic supervisor: OTP's simple_one_for_one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

#include <stdio.h>

/* A dynamic supervisor; its template uses the last probe. */
static void dynamic_init(struct tree *tree, void *state)
{
    tree_init(tree, state, BOUGH_DYNAMIC, 1);
    tree->children[0].name = "template";
    tree->probe_options[TREE_CHILDREN - 1].probe = &tree->probes[TREE_CHILDREN - 1];
    tree->children[0].options = &tree->probe_options[TREE_CHILDREN - 1];
}

/* Starts children "0", "1" ... with the probes of these numbers. */
static void start_some(struct tree *tree, size_t count)
{
    struct request request;

    for (size_t i = 0; i < count; i++) {
        char name[8];

        snprintf(name, sizeof(name), "%zu", i);
        tree_start_dynamic(tree, name, i, &request);
        request_expect(&request, BOUGH_OK);
    }
    bough_test_forget(tree->test);
}

static void it_begins_without_children(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    tree_expect_counts(&tree, 1, 0, 0, 0);
    assert_int_equal(tree.probes[TREE_CHILDREN - 1].inits, 0);
    tree_finish(&tree);
}

static void child_adm_simple(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    tree_start_dynamic(&tree, NULL, TREE_CHILDREN, &request);
    request_expect(&request, BOUGH_OK);
    assert_string_equal(request.path, "/1");
    assert_int_equal(tree.probes[TREE_CHILDREN - 1].inits, 1);
    tree_start_dynamic(&tree, NULL, 0, &request);
    assert_string_equal(request.path, "/2");
    assert_int_equal(tree.probes[0].inits, 1);
    tree_expect_counts(&tree, 1, 2, 0, 2);

    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "1"), BOUGH_EREFUSED);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "1"), BOUGH_EREFUSED);
    spec = tree_probe_spec(&tree, "x", 1);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EREFUSED);

    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "1"), BOUGH_OK);
    tree_expect_counts(&tree, 1, 1, 0, 1);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "1"),
                  BOUGH_ENOTFOUND);
    assert_false(tree_knows(&tree, "/1"));
    tree_finish(&tree);
}

static void names_are_given_or_made_and_each_is_used_once(void **state)
{
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    tree_start_dynamic(&tree, "1", 0, &request);
    request_expect(&request, BOUGH_OK);
    tree_start_dynamic(&tree, "1", 1, &request);
    request_expect(&request, BOUGH_ESTARTED);
    tree_start_dynamic(&tree, NULL, 1, &request);
    assert_string_equal(request.path, "/2");
    tree_start_dynamic(&tree, "a/b", 2, &request);
    request_expect(&request, BOUGH_EINVALID);
    tree_expect_counts(&tree, 1, 2, 0, 2);
    tree_finish(&tree);
}

static const struct bough_actor_type other_type = { .name = "other",
                                                    .options_size = sizeof(int) };

static void options_of_another_type_are_refused(void **state)
{
    const int options = 1;
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    request_init(&request);
    bough_supervisor_start_dynamic(tree.supervisor, NULL, &other_type, &options,
                                   &request.call);
    bough_test_advance(tree.test, 0);
    request_expect(&request, BOUGH_EINVALID);
    assert_string_equal(request.text, "the options are another type's");
    tree_finish(&tree);
}

static void the_template_can_be_asked_for(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    assert_ptr_equal(bough_supervisor_template(tree.supervisor.address),
                     &bough_probe_type);
    start_some(&tree, 1);
    assert_null(bough_supervisor_template(tree_find(&tree, "/0")));
    assert_null(bough_supervisor_template(BOUGH_NOBODY));
    tree_finish(&tree);
}

static void sup_start_child_returns_error_simple(void **state)
{
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    tree.probes[0].init_status = BOUGH_ERANGE;
    tree_start_dynamic(&tree, "x", 0, &request);
    request_expect(&request, BOUGH_EFAILED);
    assert_string_equal(request.text, "/x did not start: error: range");
    assert_false(tree_knows(&tree, "/x"));
    tree_expect_counts(&tree, 1, 0, 0, 0);
    tree_finish(&tree);
}

static void expect_ignored_is_not_stored(void **state, enum bough_restart restart)
{
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].restart = restart;
    tree_start(&tree);
    tree.probes[0].init_status = BOUGH_IGNORE;
    tree_start_dynamic(&tree, NULL, 0, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(request.life, 0);
    tree_expect_counts(&tree, 1, 0, 0, 0);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void sup_start_ignore_temporary_child_start_child_simple(void **state)
{
    expect_ignored_is_not_stored(state, BOUGH_TEMPORARY);
}

static void sup_start_ignore_permanent_child_start_child_simple(void **state)
{
    expect_ignored_is_not_stored(state, BOUGH_PERMANENT);
}

static void sup_start_map_simple(void **state)
{
    const struct bough_probe_options *options;
    struct bough_child_spec *spec;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    start_some(&tree, 1);
    spec = tree_get_spec(&tree, "0");
    options = spec->options;
    assert_string_equal(spec->name, "0");
    assert_int_equal(bough_child_shutdown_ms(spec), 5000);
    assert_ptr_equal(options->probe, &tree.probes[0]);
    bough_spec_free(spec);
    assert_status(tree_ask(&tree, bough_supervisor_get_child_spec, "x"), BOUGH_ENOTFOUND);
    tree_finish(&tree);
}

/* Restarts */

static void simple_one_for_one(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.options.intensity = 2;
    tree_start(&tree);
    start_some(&tree, 2);
    tree_tell_path(&tree, "/0", BOUGH_PROBE_FAIL);
    tree_tell_path(&tree, "/1", BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[0].inits, 2);
    assert_int_equal(tree.probes[1].inits, 2);
    tree_tell_path(&tree, "/0", BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void simple_one_for_one_escalation(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    start_some(&tree, 2);
    tree.probes[0].on_init = fail_every_restart;
    tree_tell_path(&tree, "/0", BOUGH_PROBE_FAIL);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.probes[0].inits, 1 + 3);
    assert_int_equal(tree.probes[1].finishes, 1);
    tree_finish(&tree);
}

static void ignore_restarts(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)actor;
    if (probe->inits > 1) probe->init_status = BOUGH_IGNORE;
}

static void expect_ignored_restart_removes(void **state, enum bough_restart restart)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].restart = restart;
    tree_start(&tree);
    start_some(&tree, 2);
    tree.probes[0].on_init = ignore_restarts;
    tree_tell_path(&tree, "/0", BOUGH_PROBE_FAIL);
    assert_false(tree_knows(&tree, "/0"));
    tree_expect_counts(&tree, 1, 1, 0, 1);
    tree_finish(&tree);
}

static void simple_one_for_one_restart_ignore(void **state)
{
    expect_ignored_restart_removes(state, BOUGH_TRANSIENT);
}

static void simple_one_for_one_restart_ignore_permanent(void **state)
{
    expect_ignored_restart_removes(state, BOUGH_PERMANENT);
}

/* After a temporary child's death, the others keep the options that they were given. */
static void simple_one_for_one_corruption(void **state)
{
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    start_some(&tree, 3);
    tree_tell_path(&tree, "/1", BOUGH_PROBE_FAIL);
    assert_false(tree_knows(&tree, "/1"));
    tree_start_dynamic(&tree, NULL, TREE_CHILDREN, &request);
    assert_int_equal(tree.probes[TREE_CHILDREN - 1].inits, 1);
    assert_int_equal(tree.probes[1].inits, 1);
    tree_expect_counts(&tree, 1, 3, 0, 3);
    tree_finish(&tree);
}

static void hanging_restart_loop_simple(void **state)
{
    struct request request;
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.stays_inline = true;
    tree.options.intensity = 100000;
    tree_start(&tree);
    start_some(&tree, 2);
    tree.probes[0].on_init = fail_every_restart;
    bough_fail(tree.probes[0].actor, BOUGH_EFAILED, "once");
    for (int turn = 0; turn < 5; turn++)
        bough_loop_run_ready(tree.test->loop, 1000);
    assert_int_equal(tree_state(&tree, "/0"), BOUGH_PLACE_RESTARTING);
    request_init(&request);
    bough_supervisor_terminate_child(tree.supervisor, "0", &request.call);
    bough_test_advance(tree.test, 0);
    request_expect(&request, BOUGH_OK);
    assert_false(tree_knows(&tree, "/0"));
    tree_expect_counts(&tree, 1, 1, 0, 1);
    tree_finish(&tree);
}

static void a_finished_transient_child_is_forgotten(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    start_some(&tree, 2);
    tree_tell_path(&tree, "/0", BOUGH_PROBE_LEAVE);
    assert_false(tree_knows(&tree, "/0"));
    tree_expect_counts(&tree, 1, 1, 0, 1);
    tree_finish(&tree);
}

/* Shutdown: all are asked at once, under one limit. */

static void simple_one_for_one_shutdown(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].shutdown_ms = 1000;
    tree_start(&tree);
    start_some(&tree, 3);
    tree.probes[0].ends_later = tree.probes[1].ends_later = true;
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 999);
    assert_int_equal(tree.probes[0].stops + tree.probes[1].stops + tree.probes[2].stops,
                     3);
    assert_int_equal(tree.watch.exits, 0);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 1);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void sup_stop_timeout_dynamic(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.stays_inline = true;
    tree.children[0].shutdown_ms = 1000;
    tree_start(&tree);
    start_some(&tree, 2);
    tree.probes[0].ends_later = true;
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 1000);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /0 1\n"
                       "stopping /1 1\n"
                       "exited /1 1 shutdown\n"
                       "exited /0 1 killed\n"
                       "removed /0 1\n"
                       "removed /1 1\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void sup_stop_brutal_kill_dynamic(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    tree_start(&tree);
    start_some(&tree, 7);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(tree.probes[i].stops, 0);
        assert_int_equal(tree.probes[i].finishes, 1);
    }
    assert_non_null(strstr(tree.test->trace, "exited /6 1 killed\n"));
    assert_null(strstr(tree.test->log, "was to end in order"));
    tree_finish(&tree);
}

static void leave_with_an_error(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_fail(actor, BOUGH_EFAILED, "not so fast");
}

static void sup_stop_non_shutdown_exit_dynamic(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    start_some(&tree, 3);
    tree.probes[1].on_stop = leave_with_an_error;
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    assert_non_null(strstr(tree.test->log, "/1 was to end in order, and ended: error"));
    tree_finish(&tree);
}

/* Many */

static void start_many(struct tree *tree, size_t count, struct request *requests)
{
    for (size_t i = 0; i < count; i++) {
        request_init(&requests[i]);
        bough_supervisor_start_dynamic(tree->supervisor, NULL, NULL, NULL,
                                       &requests[i].call);
        if (i % 128 == 127) bough_test_run(tree->test);
    }
    bough_test_run(tree->test);
}

static void silent(void *data, const struct bough_log_record *record)
{
    (void)data;
    (void)record;
}

static void count_children_dynamic(void **state)
{
    enum { MANY = 1000 };
    static struct request requests[MANY];
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.stays_inline = true;
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    bough_runtime_set_log(tree.test->runtime, silent, NULL);
    start_many(&tree, MANY, requests);
    tree_expect_counts(&tree, 1, MANY, 0, MANY);
    start_many(&tree, MANY, requests);
    tree_expect_counts(&tree, 1, 2 * MANY, 0, 2 * MANY);
    for (size_t i = 1; i <= 2 * MANY; i++) {
        char path[16];

        snprintf(path, sizeof(path), "/%zu", i);
        bough_kill(tree_find(&tree, path));
    }
    bough_test_run(tree.test);
    tree_expect_counts(&tree, 1, 0, 0, 0);
    tree_finish(&tree);
}

static void count_children_supervisor(void **state)
{
    enum { MANY = 1000 };
    static struct request requests[MANY];
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.children[0].type = &bough_supervisor_type;
    tree.children[0].options = NULL;
    tree_start(&tree);
    bough_runtime_set_log(tree.test->runtime, silent, NULL);
    start_many(&tree, MANY, requests);
    bough_test_advance(tree.test, 0);
    tree_expect_counts(&tree, 1, MANY, MANY, 0);
    tree_finish(&tree);
}

/* One by one, in any order: each is found by its name, and none looks at the others. */
static void simple_one_for_one_scale_many_temporary_children(void **state)
{
    enum { MANY = 10000, AT_ONCE = 100 };
    static struct request requests[MANY];
    struct tree tree;

    dynamic_init(&tree, *state);
    tree.stays_inline = true;
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    bough_runtime_set_log(tree.test->runtime, silent, NULL);
    start_many(&tree, MANY, requests);
    for (size_t i = 0; i < MANY; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%zu", i * 7919 % MANY + 1);
        request_init(&requests[i]);
        bough_supervisor_terminate_child(tree.supervisor, name, &requests[i].call);
        if (i % AT_ONCE == AT_ONCE - 1) bough_test_run(tree.test);
    }
    for (size_t i = 0; i < MANY; i++)
        request_expect(&requests[i], BOUGH_OK);
    tree_expect_counts(&tree, 1, 0, 0, 0);
    assert_int_equal(bough_loop_count(tree.test->loop).places, 1);
    tree_finish(&tree);
}

/* which_children, last started first; by name, where OTP has pids. */

static void which_children_simple_one_for_one(void **state)
{
    struct tree tree;

    dynamic_init(&tree, *state);
    tree_start(&tree);
    start_some(&tree, 3);
    tree_expect_names(&tree, "2 1 0 ");
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "1"), BOUGH_OK);
    tree_expect_names(&tree, "2 0 ");
    tree_finish(&tree);
}

/* tree: OTP's dynamic grandchildren do not come back. */
static void children_are_lost_when_the_supervisor_is_restarted(void **state)
{
    struct bough_supervisor_options dynamic;
    struct bough_supervisor root;
    struct tree tree;

    dynamic_init(&tree, *state);
    dynamic = tree.options;
    tree.options.strategy = BOUGH_ONE_FOR_ALL;
    tree.options.children = &(const struct bough_child_spec){
        .name = "sub", .type = &bough_supervisor_type, .options = &dynamic
    };
    tree_start(&tree);
    root = tree.supervisor;
    tree.supervisor.address = tree_find(&tree, "/sub");
    start_some(&tree, 2);
    assert_true(tree_knows(&tree, "/sub/1"));
    tree_kill_path(&tree, "/sub");
    assert_false(tree_knows(&tree, "/sub/1"));
    tree_expect_counts(&tree, 1, 0, 0, 0);
    tree.supervisor = root;
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(it_begins_without_children),
        fact(child_adm_simple),
        fact(names_are_given_or_made_and_each_is_used_once),
        fact(options_of_another_type_are_refused),
        fact(the_template_can_be_asked_for),
        fact(sup_start_child_returns_error_simple),
        fact(sup_start_ignore_temporary_child_start_child_simple),
        fact(sup_start_ignore_permanent_child_start_child_simple),
        fact(sup_start_map_simple),
        fact(simple_one_for_one),
        fact(simple_one_for_one_escalation),
        fact(simple_one_for_one_restart_ignore),
        fact(simple_one_for_one_restart_ignore_permanent),
        fact(simple_one_for_one_corruption),
        fact(hanging_restart_loop_simple),
        fact(a_finished_transient_child_is_forgotten),
        fact(simple_one_for_one_shutdown),
        fact(sup_stop_timeout_dynamic),
        fact(sup_stop_brutal_kill_dynamic),
        fact(sup_stop_non_shutdown_exit_dynamic),
        fact(count_children_dynamic),
        fact(count_children_supervisor),
        fact(simple_one_for_one_scale_many_temporary_children),
        fact(which_children_simple_one_for_one),
        fact(children_are_lost_when_the_supervisor_is_restarted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
