/* test_requests.c - what a supervisor is asked to do: OTP's API.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

/* OTP's case, step by step; `x` is the child that comes and goes. */
static void child_adm(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 0);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    assert_string_equal(request.path, "/x");
    assert_int_equal(request.life, 1);
    tree_expect_counts(&tree, 1, 1, 0, 1);

    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_ESTARTED);
    assert_string_equal(request.text, "/x runs already");
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "x"), BOUGH_ERUNNING);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_ERUNNING);

    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
    assert_int_equal(tree.probes[0].stops, 1);
    tree_expect_counts(&tree, 1, 0, 0, 1);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EPRESENT);

    tree_begin_ask(&tree, bough_supervisor_restart_child, "x", &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(request.life, 2);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_OK);
    assert_false(tree_knows(&tree, "/x"));
    tree_expect_counts(&tree, 0, 0, 0, 0);
    tree_finish(&tree);
}

static void a_child_that_is_not_there_is_not_found(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"),
                  BOUGH_ENOTFOUND);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "x"), BOUGH_ENOTFOUND);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_ENOTFOUND);
    tree_begin_ask(&tree, bough_supervisor_get_child_spec, "x", &request);
    request_expect(&request, BOUGH_ENOTFOUND);
    assert_string_equal(request.text, "no child \"x\"");
    tree_finish(&tree);
}

/* Names are looked up in the table of all paths. */
static void a_child_of_a_child_is_not_found(void **state)
{
    struct bough_supervisor_options below;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    below = (struct bough_supervisor_options){ .children = &tree.children[1],
                                               .child_count = 1 };
    const struct bough_child_spec sub = {
        .name = "sub",
        .type = &bough_supervisor_type,
        .options = &below,
    };
    tree.options.children = &sub;
    tree.options.child_count = 1;
    tree_start(&tree);
    assert_true(tree_knows(&tree, "/sub/b"));
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "sub/b"),
                  BOUGH_ENOTFOUND);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, ""), BOUGH_ENOTFOUND);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "../sub"),
                  BOUGH_ENOTFOUND);
    assert_int_equal(tree_state(&tree, "/sub/b"), BOUGH_PLACE_RUNNING);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "sub"), BOUGH_OK);
    tree_finish(&tree);
}

static void a_supervisor_that_is_not_there_is_gone(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_begin_ask(&tree, bough_supervisor_terminate_child, "a", &request);
    request_expect(&request, BOUGH_EGONE);
    tree_finish(&tree);
}

static void sup_start_child_returns_error(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 0);
    tree.probes[0].init_status = BOUGH_ERANGE;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EFAILED);
    assert_string_equal(request.text, "/x did not start: error: range");
    tree_expect_counts(&tree, 0, 0, 0, 0);
    assert_false(tree_knows(&tree, "/x"));
    assert_int_equal(tree.watch.exits, 0);
    tree_finish(&tree);
}

static void sup_start_restart_child_returns_error(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree.probes[0].on_init = fail_every_start;
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "a"), BOUGH_OK);
    tree_begin_ask(&tree, bough_supervisor_restart_child, "a", &request);
    request_expect(&request, BOUGH_EFAILED);
    tree_expect_counts(&tree, 1, 0, 0, 1);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    tree_finish(&tree);
}

static void sup_start_ignore_temporary_child_start_child(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 0);
    spec.restart = BOUGH_TEMPORARY;
    tree.probes[0].init_status = BOUGH_IGNORE;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    assert_string_equal(request.path, "/x");
    assert_int_equal(request.life, 0);
    tree_expect_counts(&tree, 0, 0, 0, 0);
    tree_finish(&tree);
}

static void an_ignored_permanent_child_is_kept(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 0);
    tree.probes[0].init_status = BOUGH_IGNORE;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(request.life, 0);
    tree_expect_counts(&tree, 1, 0, 0, 1);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EPRESENT);
    tree_finish(&tree);
}

static void a_spec_that_is_not_allowed_is_refused_with_its_fault(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "..", 0);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EINVALID);
    spec.name = "x";
    spec.restart = BOUGH_TRANSIENT;
    spec.significant = true;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EINVALID);
    assert_non_null(strstr(request.text, "significant"));
    assert_int_equal(tree.probes[0].inits, 0);
    tree_finish(&tree);
}

static void a_spec_without_a_type_is_refused(void **state)
{
    const struct bough_child_spec spec = { .name = "x" };
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_EINVALID);
    tree_finish(&tree);
}

static void options_are_for_a_dynamic_supervisor(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree_start_dynamic(&tree, "x", 1, &request);
    request_expect(&request, BOUGH_EREFUSED);
    assert_false(tree_knows(&tree, "/x"));
    tree_finish(&tree);
}

static void external_start_no_progress_log(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_begin(&tree);
    assert_string_equal(tree.test->log, "info /: /a is up, life 1\n");
    bough_test_forget(tree.test);
    spec = tree_probe_spec(&tree, "x", 1);
    tree_start_child(&tree, &spec, &request);
    assert_string_equal(tree.test->log, "debug /: /x is up, life 1\n");
    tree_finish(&tree);
}

static void what_is_done_by_request_is_not_counted(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.options.intensity = 0;
    tree_start(&tree);
    for (int i = 0; i < 5; i++) {
        assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "a"), BOUGH_OK);
        assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"), BOUGH_OK);
    }
    assert_int_equal(tree.watch.exits, 0);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

static void transient_shutdown(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 0);
    tree_expect_counts(&tree, 1, 0, 0, 1);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"), BOUGH_OK);
    tree_expect_counts(&tree, 1, 1, 0, 1);
    tree_finish(&tree);
}

static void temporary_shutdown(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 0);
    tree_expect_counts(&tree, 0, 0, 0, 0);
    tree_start_child(&tree, &tree.children[0], &request);
    request_expect(&request, BOUGH_OK);
    tree_expect_counts(&tree, 1, 1, 0, 1);
    tree_finish(&tree);
}

static void end_one(struct tree *tree, int how)
{
    switch (how) {
    case 0: tree_kill_path(tree, "/x"); break;
    case 1: tree_tell_path(tree, "/x", BOUGH_PROBE_LEAVE); break;
    case 2: tree_tell_path(tree, "/x", BOUGH_PROBE_FAIL); break;
    default:
        assert_status(tree_ask(tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
        break;
    }
}

static void do_not_save_child_specs_for_temporary_children(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree.options.intensity = 100;
    tree_start(&tree);
    for (int restart = 0; restart < BOUGH_RESTART_COUNT; restart++) {
        for (int how = 0; how < 4; how++) {
            spec = tree_probe_spec(&tree, "x", 0);
            spec.restart = (enum bough_restart)restart;
            tree_start_child(&tree, &spec, &request);
            request_expect(&request, BOUGH_OK);
            end_one(&tree, how);
            assert_int_equal(tree_knows(&tree, "/x"), restart != BOUGH_TEMPORARY);
            if (restart == BOUGH_TEMPORARY) continue;
            assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"),
                          BOUGH_OK);
            tree_start_child(&tree, &spec, &request);
            request_expect(&request, BOUGH_EPRESENT);
            assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_OK);
        }
    }
    tree_finish(&tree);
}

/* The loop of tries is stopped between two of them, to ask. */
static void break_off(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)actor;
    if (probe->inits > 1) probe->init_status = BOUGH_EFAILED;
}

/* Asks while /a fails to start over and over, and returns the answer. */
static struct request ask_in_the_loop(struct tree *tree, request_by_name *ask,
                                      const char *name)
{
    struct request request;

    request_init(&request);
    ask(tree->supervisor, name, &request.call);
    for (int turn = 0; turn < 10 && request.answers == 0; turn++)
        bough_loop_run_ready(tree->test->loop, 1000);
    assert_int_equal(request.answers, 1);
    return request;
}

static void begin_hanging_loop(struct tree *tree, size_t child)
{
    tree->options.intensity = 100000;
    tree->probes[child].on_init = break_off;
    tree_start(tree);
    bough_fail(tree->probes[child].actor, BOUGH_EFAILED, "once");
    for (int turn = 0; turn < 5; turn++)
        bough_loop_run_ready(tree->test->loop, 1000);
}

static void start_again(struct bough_supervisor supervisor, const char *name,
                        struct bough_call *call)
{
    const struct bough_child_spec spec = { .name = name, .type = &bough_probe_type };

    bough_supervisor_start_child(supervisor, &spec, call);
}

static void hanging_restart_loop(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.stays_inline = true;
    begin_hanging_loop(&tree, 0);
    assert_status(ask_in_the_loop(&tree, start_again, "a").status, BOUGH_EPRESENT);
    assert_status(ask_in_the_loop(&tree, bough_supervisor_restart_child, "a").status,
                  BOUGH_ERESTARTING);
    assert_status(ask_in_the_loop(&tree, bough_supervisor_delete_child, "a").status,
                  BOUGH_ERESTARTING);
    assert_status(ask_in_the_loop(&tree, bough_supervisor_terminate_child, "a").status,
                  BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    tree_expect_counts(&tree, 1, 0, 0, 1);
    tree_finish(&tree);
}

static void hanging_restart_loop_rest_for_one(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_REST_FOR_ONE, 3);
    tree.stays_inline = true;
    begin_hanging_loop(&tree, 1);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RUNNING);
    assert_int_equal(tree_state(&tree, "/b"), BOUGH_PLACE_RESTARTING);
    assert_status(ask_in_the_loop(&tree, bough_supervisor_restart_child, "b").status,
                  BOUGH_ERESTARTING);
    assert_status(ask_in_the_loop(&tree, bough_supervisor_terminate_child, "b").status,
                  BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree_state(&tree, "/b"), BOUGH_PLACE_STOPPED);
    assert_int_equal(tree_state(&tree, "/c"), BOUGH_PLACE_STOPPED);
    assert_int_equal(tree.probes[2].inits, 1);
    tree_expect_counts(&tree, 3, 1, 0, 3);
    tree_finish(&tree);
}

static void a_supervisor_in_a_hanging_loop_can_be_stopped(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    begin_hanging_loop(&tree, 1);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

/* get_child_spec */

static void sup_start_map(void **state)
{
    struct bough_child_spec *spec;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    tree_start(&tree);
    spec = tree_get_spec(&tree, "a");
    assert_string_equal(spec->name, "a");
    assert_ptr_equal(spec->type, &bough_probe_type);
    assert_int_equal(spec->restart, BOUGH_PERMANENT);
    assert_int_equal(bough_child_shutdown_ms(spec), 5000);
    assert_false(spec->significant);
    bough_spec_free(spec);
    spec = tree_get_spec(&tree, "b");
    assert_true(bough_child_shutdown_ms(spec) == BOUGH_SHUTDOWN_BRUTAL_KILL);
    bough_spec_free(spec);
    assert_status(tree_ask(&tree, bough_supervisor_get_child_spec, "c"), BOUGH_ENOTFOUND);
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(child_adm),
        fact(a_child_that_is_not_there_is_not_found),
        fact(a_child_of_a_child_is_not_found),
        fact(a_supervisor_that_is_not_there_is_gone),
        fact(sup_start_child_returns_error),
        fact(sup_start_restart_child_returns_error),
        fact(sup_start_ignore_temporary_child_start_child),
        fact(an_ignored_permanent_child_is_kept),
        fact(a_spec_that_is_not_allowed_is_refused_with_its_fault),
        fact(a_spec_without_a_type_is_refused),
        fact(options_are_for_a_dynamic_supervisor),
        fact(external_start_no_progress_log),
        fact(what_is_done_by_request_is_not_counted),
        fact(transient_shutdown),
        fact(temporary_shutdown),
        fact(do_not_save_child_specs_for_temporary_children),
        fact(hanging_restart_loop),
        fact(hanging_restart_loop_rest_for_one),
        fact(a_supervisor_in_a_hanging_loop_can_be_stopped),
        fact(sup_start_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
