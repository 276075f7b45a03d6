/* test_requests.c - what a supervisor is asked to do: OTP's API, and whose turn it is.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

#include <bough/supervisor/spec_pack.h>

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

/* Turns */

static void requests_wait_for_their_turn_in_order(void **state)
{
    struct request first, second, third;
    struct bough_child_spec spec;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].starts_later = true;
    tree_begin(&tree);
    bough_ready(tree.probes[0].actor);
    bough_test_advance(tree.test, 0);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    spec = tree_probe_spec(&tree, "x", 2);
    tree_start_child(&tree, &spec, &first);
    tree_begin_ask(&tree, bough_supervisor_terminate_child, "b", &second);
    tree_begin_ask(&tree, bough_supervisor_restart_child, "b", &third);
    assert_int_equal(first.answers + second.answers + third.answers, 0);
    bough_test_forget(tree.test);
    bough_ready(tree.probes[0].actor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "ready /a 2\n"
                       "started /x 1\n"
                       "ready /x 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "started /b 2\n"
                       "ready /b 2\n");
    request_expect(&first, BOUGH_OK);
    request_expect(&second, BOUGH_OK);
    request_expect(&third, BOUGH_OK);
    tree_finish(&tree);
}

static void too_many_waiting_requests_are_full(void **state)
{
    enum { MANY = 300, ALLOWED = 256 };
    static struct request requests[MANY];
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    for (size_t i = 0; i < MANY; i++) {
        request_init(&requests[i]);
        bough_supervisor_terminate_child(tree.supervisor, "a", &requests[i].call);
    }
    bough_test_advance(tree.test, 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(requests[i].answers, i > ALLOWED);
    assert_status(requests[MANY - 1].status, BOUGH_EFULL);
    bough_test_advance(tree.test, 5000);
    for (size_t i = 0; i <= ALLOWED; i++)
        request_expect(&requests[i], BOUGH_OK);
    tree_finish(&tree);
}

static void
a_request_under_way_at_the_end_is_cancelled_and_a_waiting_one_gone(void **state)
{
    struct request under_way, waiting;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[1].ends_later = true;
    tree_start(&tree);
    tree_begin_ask(&tree, bough_supervisor_terminate_child, "b", &under_way);
    tree_begin_ask(&tree, bough_supervisor_terminate_child, "a", &waiting);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    request_expect(&under_way, BOUGH_ECANCELLED);
    assert_int_equal(waiting.answers, 0);
    bough_test_advance(tree.test, 5000);
    request_expect(&waiting, BOUGH_EGONE);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void a_child_that_dies_during_a_request_is_restarted_after_it(void **state)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[1].ends_later = true;
    tree_start(&tree);
    tree_begin_ask(&tree, bough_supervisor_terminate_child, "b", &request);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(tree.probes[0].inits, 1);
    bough_test_advance(tree.test, 5000);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(tree.probes[0].inits, 2);
    tree_finish(&tree);
}

static void a_request_may_be_told_instead_of_asked(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 1);
    request_init(&request);
    bough_supervisor_start_child(tree.supervisor, &spec, &request.call);
    bough_call_cancel(&request.call);
    bough_test_advance(tree.test, 0);
    assert_int_equal(request.answers, 0);
    assert_int_equal(tree_state(&tree, "/x"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

/* Children added at run time */

static void an_added_child_takes_part_in_group_restarts_as_the_last(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree_start(&tree);
    spec = tree_probe_spec(&tree, "x", 2);
    tree_start_child(&tree, &spec, &request);
    bough_test_forget(tree.test);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a 1 error: failed: told to fail, 0\n"
                       "restarting /a 1\n"
                       "stopping /x 1\n"
                       "exited /x 1 shutdown\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "started /a 2\n"
                       "ready /a 2\n"
                       "started /b 2\n"
                       "ready /b 2\n"
                       "started /x 2\n"
                       "ready /x 2\n");
    tree_finish(&tree);
}

/* A supervisor /sub with the tree's first child below it. */
static struct bough_supervisor_options make_sub(struct tree *tree,
                                                struct bough_child_spec *child)
{
    *child = tree_probe_spec(tree, "y", 4);
    return (struct bough_supervisor_options){ .children = child, .child_count = 1 };
}

static void an_added_child_is_lost_when_its_supervisor_is_restarted(void **state)
{
    struct bough_supervisor_options sub;
    struct bough_child_spec child, spec;
    struct bough_supervisor root;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    sub = make_sub(&tree, &child);
    tree.children[0] = (struct bough_child_spec){ .name = "sub",
                                                  .type = &bough_supervisor_type,
                                                  .options = &sub };
    tree_start(&tree);
    root = tree.supervisor;
    tree.supervisor.address = tree_find(&tree, "/sub");
    spec = tree_probe_spec(&tree, "x", 5);
    tree_start_child(&tree, &spec, &request);
    assert_int_equal(tree_state(&tree, "/sub/x"), BOUGH_PLACE_RUNNING);
    tree_kill_path(&tree, "/sub");
    assert_false(tree_knows(&tree, "/sub/x"));
    assert_int_equal(tree_state(&tree, "/sub/y"), BOUGH_PLACE_RUNNING);
    assert_int_equal(tree.probes[4].inits, 2);
    tree.supervisor = root;
    tree_finish(&tree);
}

static void a_deleted_child_comes_back_with_its_supervisor(void **state)
{
    struct bough_supervisor_options sub;
    struct bough_child_spec child;
    struct bough_supervisor root;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    sub = make_sub(&tree, &child);
    tree.children[0] = (struct bough_child_spec){ .name = "sub",
                                                  .type = &bough_supervisor_type,
                                                  .options = &sub };
    tree_start(&tree);
    root = tree.supervisor;
    tree.supervisor.address = tree_find(&tree, "/sub");
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "y"), BOUGH_OK);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "y"), BOUGH_OK);
    assert_false(tree_knows(&tree, "/sub/y"));
    tree_kill_path(&tree, "/sub");
    assert_int_equal(tree_state(&tree, "/sub/y"), BOUGH_PLACE_RUNNING);
    tree.supervisor = root;
    tree_finish(&tree);
}

static void a_whole_supervisor_can_be_added(void **state)
{
    struct bough_supervisor_options sub;
    struct bough_child_spec child, spec;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    sub = make_sub(&tree, &child);
    spec = (struct bough_child_spec){ .name = "sub",
                                      .type = &bough_supervisor_type,
                                      .options = &sub };
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(tree_state(&tree, "/sub/y"), BOUGH_PLACE_RUNNING);
    tree_expect_counts(&tree, 2, 2, 1, 1);
    tree_finish(&tree);
}

static void mail_for_a_terminated_child_is_refused_until_it_is_restarted(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "a"), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(tree.test);
    assert_int_equal(tree.probes[0].runs, 1);
    tree_finish(&tree);
}

/* get_child_spec */

struct spec_ask {
    struct bough_call call;
    struct bough_child_spec *spec;
};

static void got_spec(struct bough_call *call, enum bough_status status)
{
    struct spec_ask *self = bough_container(call, struct spec_ask, call);
    const struct bough_spec_reply *reply = call->reply;

    assert_status(status, BOUGH_OK);
    assert_status(bough_spec_unpack(bough_span_data(reply, reply->spec), reply->spec.len,
                                    &self->spec, NULL),
                  BOUGH_OK);
}

static void sup_start_map(void **state)
{
    struct spec_ask ask = { .call.done = got_spec };
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    tree_start(&tree);
    bough_supervisor_get_child_spec(tree.supervisor, "a", &ask.call);
    bough_test_run(tree.test);
    assert_string_equal(ask.spec->name, "a");
    assert_ptr_equal(ask.spec->type, &bough_probe_type);
    assert_int_equal(ask.spec->restart, BOUGH_PERMANENT);
    assert_int_equal(bough_child_shutdown_ms(ask.spec), 5000);
    assert_false(ask.spec->significant);
    bough_spec_free(ask.spec);
    bough_supervisor_get_child_spec(tree.supervisor, "b", &ask.call);
    bough_test_run(tree.test);
    assert_true(bough_child_shutdown_ms(ask.spec) == BOUGH_SHUTDOWN_BRUTAL_KILL);
    bough_spec_free(ask.spec);
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
        fact(requests_wait_for_their_turn_in_order),
        fact(too_many_waiting_requests_are_full),
        fact(a_request_under_way_at_the_end_is_cancelled_and_a_waiting_one_gone),
        fact(a_child_that_dies_during_a_request_is_restarted_after_it),
        fact(a_request_may_be_told_instead_of_asked),
        fact(an_added_child_takes_part_in_group_restarts_as_the_last),
        fact(an_added_child_is_lost_when_its_supervisor_is_restarted),
        fact(a_deleted_child_comes_back_with_its_supervisor),
        fact(a_whole_supervisor_can_be_added),
        fact(mail_for_a_terminated_child_is_refused_until_it_is_restarted),
        fact(sup_start_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
