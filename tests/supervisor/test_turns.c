/* test_turns.c - requests that wait for their turn, and children added by them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

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

static void at_the_end_a_request_under_way_is_cancelled_and_others_are_gone(void **state)
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
    tree.stays_inline = true;
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

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(requests_wait_for_their_turn_in_order),
        fact(too_many_waiting_requests_are_full),
        fact(at_the_end_a_request_under_way_is_cancelled_and_others_are_gone),
        fact(a_child_that_dies_during_a_request_is_restarted_after_it),
        fact(a_request_may_be_told_instead_of_asked),
        fact(an_added_child_takes_part_in_group_restarts_as_the_last),
        fact(an_added_child_is_lost_when_its_supervisor_is_restarted),
        fact(a_deleted_child_comes_back_with_its_supervisor),
        fact(a_whole_supervisor_can_be_added),
        fact(mail_for_a_terminated_child_is_refused_until_it_is_restarted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
