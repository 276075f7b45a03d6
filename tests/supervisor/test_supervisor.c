/* test_supervisor.c - the supervisor actor: start, rollback, shutdown, and its questions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/text.h>

/* Start */

static void children_come_up_in_order_and_the_supervisor_last(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree_begin(&tree);
    tree_expect(&tree, "started / 1\n"
                       "started /a 1\n"
                       "ready /a 1\n"
                       "started /b 1\n"
                       "ready /b 1\n"
                       "started /c 1\n"
                       "ready /c 1\n"
                       "ready / 1\n");
    assert_int_equal(tree.watch.readies, 1);
    tree_finish(&tree);
}

static void sup_start_normal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void a_child_that_takes_its_time_is_waited_for(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].starts_later = true;
    tree_begin(&tree);
    bough_test_advance(tree.test, 3600 * 1000);
    assert_int_equal(tree.probes[1].inits, 0);
    assert_int_equal(tree.watch.readies, 0);
    bough_ready(tree.probes[0].actor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[1].inits, 1);
    assert_int_equal(tree.watch.readies, 1);
    tree_finish(&tree);
}

static void sup_start_ignore_child(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].init_status = BOUGH_IGNORE;
    tree_start(&tree);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    assert_int_equal(tree_state(&tree, "/b"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

static void sup_start_ignore_temporary_child(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree.probes[0].init_status = BOUGH_IGNORE;
    tree_start(&tree);
    assert_status(bough_lookup(tree.test->loop, "/a", &place), BOUGH_ENOTFOUND);
    tree_finish(&tree);
}

static void five_5_a_start_that_fails_half_way_is_rolled_back_in_reverse(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 4);
    tree.probes[2].init_status = BOUGH_ERANGE;
    tree_begin(&tree);
    tree_expect(&tree, "started / 1\n"
                       "started /a 1\n"
                       "ready /a 1\n"
                       "started /b 1\n"
                       "ready /b 1\n"
                       "exited /c 1 error: range\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 error: range: /c did not start: error: range\n");
    assert_int_equal(tree.watch.readies, 0);
    assert_int_equal(tree.watch.reason.status, BOUGH_ERANGE);
    assert_int_equal(tree.probes[3].inits, 0);
    tree_finish(&tree);
}

static void fail_later(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_fail(actor, BOUGH_EDENIED, "no key");
}

static void a_child_that_fails_while_it_starts_is_named_with_its_reason(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[1].starts_later = true;
    tree.probes[1].on_init = fail_later;
    tree_begin(&tree);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.status, BOUGH_EDENIED);
    assert_string_equal(tree.watch.reason.text,
                        "/b did not start: error: denied: no key");
    assert_non_null(strstr(tree.test->log, "error /: /b did not start: error: denied"));
    tree_finish(&tree);
}

static void asked_to_stop_in_the_moment_of_its_start_it_leaves_nothing(void **state)
{
    struct bough_error error;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    bough_probe_watch_init(&tree.watch, NULL);
    assert_status(bough_supervisor_start(tree.test->loop, &tree.options,
                                         &tree.watch.watch, &tree.supervisor, &error),
                  BOUGH_OK);
    bough_supervisor_stop(tree.supervisor);
    bough_test_run(tree.test);
    assert_int_equal(tree.probes[0].inits, tree.probes[0].finishes);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void asked_to_stop_while_a_child_starts_it_stops_that_child(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.probes[1].starts_later = true;
    tree_begin(&tree);
    bough_test_forget(tree.test);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void a_second_tree_in_the_same_runtime_is_refused(void **state)
{
    struct bough_supervisor second;
    struct bough_error error;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    assert_status(
        bough_supervisor_start(tree.test->loop, &tree.options, NULL, &second, &error),
        BOUGH_ERUNNING);
    assert_string_equal(error.text, "this runtime runs a tree already");
    tree_finish(&tree);
}

static void a_tree_that_is_down_can_be_started_again(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_begin(&tree);
    assert_int_equal(tree.probes[0].inits, 2);
    assert_int_equal(tree.watch.readies, 1);
    tree_finish(&tree);
}

static void specs_that_are_not_allowed_start_nothing(void **state)
{
    struct bough_supervisor supervisor;
    struct bough_error error;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].name = "a";
    assert_status(
        bough_supervisor_start(tree.test->loop, &tree.options, NULL, &supervisor, &error),
        BOUGH_EINVALID);
    assert_int_equal(bough_loop_count(tree.test->loop).places, 0);
}

/* Without bough_supervisor_check() before, init finds it. */
static void a_place_with_specs_that_are_not_allowed_does_not_start(void **state)
{
    struct bough_exit_reason failure;
    struct bough_place_spec spec = {
        .type = &bough_supervisor_type,
        .name = "/",
    };
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].name = NULL;
    spec.options = &tree.options;
    assert_status(bough_place_new(tree.test->loop, &spec, &place), BOUGH_OK);
    assert_status(bough_place_start(place, NULL, &failure), BOUGH_EINVALID);
    assert_string_equal(failure.text, "/: child 1 has no name");
    bough_place_free(place, 0);
}

static void a_supervisor_needs_a_name(void **state)
{
    struct bough_exit_reason failure;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    assert_status(bough_spawn(tree.test->loop, &bough_supervisor_type, &tree.options,
                              NULL, NULL, &failure),
                  BOUGH_EINVALID);
    assert_non_null(strstr(failure.text, "no place for its child \"a\""));
}

/* Shutdown */

static void five_2_children_stop_in_reverse_one_at_a_time(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.probes[1].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 4999);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /c 1\n"
                       "exited /c 1 shutdown\n"
                       "stopping /b 1\n");
    bough_exit(tree.probes[1].actor, BOUGH_EXIT_NORMAL);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "exited /b 1 normal\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void sup_stop_timeout(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].shutdown_ms = 1000;
    tree.probes[1].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 999);
    assert_int_equal(tree.watch.exits, 0);
    bough_test_advance(tree.test, 1);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 killed\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

/* The timer was set for /c: /b has its whole limit all the same, and then /a. */
static void each_stop_has_its_own_limit(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.children[0].shutdown_ms = 100;
    tree.children[1].shutdown_ms = 1000;
    tree.children[2].shutdown_ms = 1000;
    for (size_t i = 0; i < 3; i++)
        tree.probes[i].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 600);
    bough_exit(tree.probes[2].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 999);
    assert_int_equal(tree.probes[1].finishes, 0);
    bough_test_advance(tree.test, 1);
    assert_int_equal(tree.probes[1].finishes, 1);
    bough_test_advance(tree.test, 99);
    assert_int_equal(tree.watch.exits, 0);
    bough_test_advance(tree.test, 1);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

/* The timer of the stop before, which had a longer one, does not hold it up. */
static void a_shorter_limit_is_not_held_up(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[0].shutdown_ms = 100;
    tree.children[1].shutdown_ms = 1000;
    tree.probes[0].ends_later = tree.probes[1].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 10);
    bough_exit(tree.probes[1].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 99);
    assert_int_equal(tree.watch.exits, 0);
    bough_test_advance(tree.test, 1);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void a_kill_after_the_limit_is_logged(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].shutdown_ms = 1500;
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 1500);
    assert_string_equal(tree.test->log,
                        "warning /: /a did not end within 1500ms and is killed\n"
                        "warning /: /a was to end in order, and ended: killed\n");
    tree_finish(&tree);
}

static void sup_stop_infinity(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].shutdown_ms = BOUGH_SHUTDOWN_INFINITY;
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, INT64_C(1000) * 3600 * 1000);
    assert_int_equal(tree.watch.exits, 0);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    tree_finish(&tree);
}

static void sup_stop_brutal_kill(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "stopping / 1\n"
                       "exited /b 1 killed\n"
                       "stopping /a 1\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 shutdown\n");
    assert_int_equal(tree.probes[1].stops, 0);
    assert_int_equal(tree.probes[1].finishes, 1);
    tree_finish(&tree);
}

static void a_limit_of_no_time_asks_and_then_kills(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.stays_inline = true;
    tree.children[0].shutdown_ms = BOUGH_SHUTDOWN_AT_ONCE;
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].stops, 1);
    assert_int_equal(tree.watch.exits, 1);
    tree_finish(&tree);
}

static void sup_stop_race(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 4);
    tree.stays_inline = true;
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree.children[1].restart = BOUGH_TRANSIENT;
    tree.probes[3].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_run(tree.test);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_NORMAL);
    bough_fail(tree.probes[1].actor, BOUGH_EFAILED, "in between");
    bough_exit(tree.probes[2].actor, BOUGH_EXIT_SHUTDOWN);
    bough_exit(tree.probes[3].actor, BOUGH_EXIT_NORMAL);
    bough_test_run(tree.test);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /d 1\n"
                       "exited /a 1 normal\n"
                       "exited /b 1 error: failed: in between\n"
                       "exited /c 1 shutdown\n"
                       "exited /d 1 normal\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void end_otherwise(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)probe;
    bough_fail(actor, BOUGH_EFAILED, "on the way out");
}

static void sup_stop_non_shutdown_exit(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ALL, 2);
    tree.probes[0].ends_later = tree.probes[1].ends_later = true;
    tree.probes[0].on_stop = tree.probes[1].on_stop = end_otherwise;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 error: failed: on the way out\n"
                       "stopping /a 1\n"
                       "exited /a 1 error: failed: on the way out\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void after_the_shutdown_every_place_is_stopped_and_gone(void **state)
{
    struct bough_address place;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.stays_inline = true;
    tree_start(&tree);
    place = tree_find(&tree, "/a");
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    assert_int_equal(tree_state(&tree, "/"), BOUGH_PLACE_STOPPED);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 0), BOUGH_EGONE);
    tree_finish(&tree);
}

static void a_killed_supervisor_takes_its_children_along(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree_start(&tree);
    bough_kill(tree.supervisor.address);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_KILLED);
    assert_int_equal(tree.probes[0].finishes + tree.probes[1].finishes, 2);
    assert_int_equal(tree.probes[0].stops + tree.probes[1].stops, 0);
    assert_int_equal(bough_loop_count(tree.test->loop).lives, 0);
    tree_finish(&tree);
}

static void stop_root(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct tree *tree = probe->data;
    struct bough_address root;

    (void)actor;
    if (probe->inits != 1) return;
    assert_status(bough_lookup(tree->test->loop, "/", &root), BOUGH_OK);
    bough_stop(root);
}

/* Few enough of them are started in one turn. */
static void a_stop_need_not_wait_for_many_starts(void **state)
{
    enum { MANY = 1000 };
    struct bough_child_spec *children = calloc(MANY, sizeof(*children));
    char(*names)[8] = calloc(MANY, sizeof(*names));
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.stays_inline = true;
    tree.probes[0].data = &tree;
    tree.probes[0].on_init = stop_root;
    for (int i = 0; i < MANY; i++) {
        bough_text_format(names[i], sizeof(names[i]), "%d", i);
        children[i] = tree.children[0];
        children[i].name = names[i];
    }
    tree.options.children = children;
    tree.options.child_count = MANY;
    tree_begin(&tree);
    assert_int_equal(tree.watch.exits, 1);
    assert_in_range(tree.probes[0].inits, 1, MANY / 10);
    assert_int_equal(tree.probes[0].finishes, tree.probes[0].inits);
    free(names);
    free(children);
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(children_come_up_in_order_and_the_supervisor_last),
        fact(sup_start_normal),
        fact(a_child_that_takes_its_time_is_waited_for),
        fact(sup_start_ignore_child),
        fact(sup_start_ignore_temporary_child),
        fact(five_5_a_start_that_fails_half_way_is_rolled_back_in_reverse),
        fact(a_child_that_fails_while_it_starts_is_named_with_its_reason),
        fact(asked_to_stop_in_the_moment_of_its_start_it_leaves_nothing),
        fact(asked_to_stop_while_a_child_starts_it_stops_that_child),
        fact(a_stop_need_not_wait_for_many_starts),
        fact(a_second_tree_in_the_same_runtime_is_refused),
        fact(a_tree_that_is_down_can_be_started_again),
        fact(specs_that_are_not_allowed_start_nothing),
        fact(a_place_with_specs_that_are_not_allowed_does_not_start),
        fact(a_supervisor_needs_a_name),
        fact(five_2_children_stop_in_reverse_one_at_a_time),
        fact(sup_stop_timeout),
        fact(each_stop_has_its_own_limit),
        fact(a_shorter_limit_is_not_held_up),
        fact(a_kill_after_the_limit_is_logged),
        fact(sup_stop_infinity),
        fact(sup_stop_brutal_kill),
        fact(a_limit_of_no_time_asks_and_then_kills),
        fact(sup_stop_race),
        fact(sup_stop_non_shutdown_exit),
        fact(after_the_shutdown_every_place_is_stopped_and_gone),
        fact(a_killed_supervisor_takes_its_children_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
