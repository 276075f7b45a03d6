/* test_cases.c - cases of OTP's supervisor_SUITE that belong to no other file: faulty
 * specs and flags, starts from outside, names, many children. (__wrap_malloc)
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>
#include <bough/tests/support/allocator.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Starts that fail at once */

static void expect_refused(struct tree *tree, enum bough_status expected)
{
    struct bough_error error = { .status = BOUGH_OK };

    bough_probe_watch_init(&tree->watch, NULL);
    assert_status(bough_supervisor_start(tree->test->loop, &tree->options,
                                         &tree->watch.watch, &tree->supervisor, &error),
                  expected);
    assert_status(error.status, expected);
    bough_test_advance(tree->test, 0);
    assert_int_equal(tree->watch.readies + tree->watch.exits, 0);
    assert_int_equal(bough_loop_count(tree->test->loop).places, 0);
}

/* What OTP's init returns is the options here. The starter is told, and no exit comes. */
static void sup_start_error_return(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.options.children = NULL;
    expect_refused(&tree, BOUGH_EINVALID);
}

static void sup_start_fail(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    bough_allocator_fail_from(1);
    expect_refused(&tree, BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
}

static void sup_flags(void **state)
{
    const struct bough_supervisor_options faulty[] = {
        { .strategy = BOUGH_STRATEGY_COUNT },
        { .intensity = BOUGH_INTENSITY_MAX + 1 },
        { .period_ms = -1 },
        { .auto_shutdown = BOUGH_AUTO_SHUTDOWN_COUNT },
    };
    struct tree tree;

    for (size_t i = 0; i < bough_count_of(faulty); i++) {
        tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
        tree.options = faulty[i];
        expect_refused(&tree, BOUGH_EINVALID);
    }
}

/* Each fault of a spec is found at the start of a tree and by start_child. */
static void expect_faulty(void **state, const struct bough_child_spec *spec)
{
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0] = *spec;
    expect_refused(&tree, BOUGH_EINVALID);
    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    tree_start_child(&tree, spec, &request);
    request_expect(&request, BOUGH_EINVALID);
    tree_expect_counts(&tree, 0, 0, 0, 0);
    tree_finish(&tree);
}

static void sup_start_map_faulty_specs(void **state)
{
    const struct bough_child_spec nameless = { .type = &bough_probe_type };
    const struct bough_child_spec typeless = { .name = "x" };

    expect_faulty(state, &nameless);
    expect_faulty(state, &typeless);
}

static void child_specs(void **state)
{
    const struct bough_child_spec good = { .name = "x", .type = &bough_supervisor_type };
    struct bough_child_spec faulty[6];
    struct tree tree;

    for (size_t i = 0; i < bough_count_of(faulty); i++)
        faulty[i] = good;
    faulty[0].name = "x/y";
    faulty[1].restart = BOUGH_RESTART_COUNT;
    faulty[2].shutdown_ms = -2;
    faulty[3].on_restart = 7;
    faulty[4].significant = true;
    faulty[5].when_full = BOUGH_WHEN_FULL_COUNT;
    for (size_t i = 0; i < bough_count_of(faulty); i++)
        expect_faulty(state, &faulty[i]);

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[1].name = "a";
    expect_refused(&tree, BOUGH_EINVALID);
    tree_init(&tree, *state, BOUGH_DYNAMIC, 2);
    expect_refused(&tree, BOUGH_EINVALID);
    tree.options.child_count = 0;
    expect_refused(&tree, BOUGH_EINVALID);
}

static void every_valid_combination_is_accepted(void **state)
{
    const int64_t shutdowns_ms[] = { BOUGH_SHUTDOWN_DEFAULT, BOUGH_SHUTDOWN_AT_ONCE, 1,
                                     BOUGH_SHUTDOWN_INFINITY,
                                     BOUGH_SHUTDOWN_BRUTAL_KILL };
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    for (int restart = 0; restart < BOUGH_RESTART_COUNT; restart++) {
        for (size_t i = 0; i < bough_count_of(shutdowns_ms); i++) {
            struct bough_child_spec spec = tree_probe_spec(&tree, "x", 0);

            spec.restart = (enum bough_restart)restart;
            spec.shutdown_ms = shutdowns_ms[i];
            tree_start_child(&tree, &spec, &request);
            request_expect(&request, BOUGH_OK);
            assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"),
                          BOUGH_OK);
            if (restart == BOUGH_TEMPORARY) continue;
            assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_OK);
        }
    }
    tree_finish(&tree);
}

/* The child's reason, and who it was, come up through the supervisors. */
static void faulty_application_shutdown(void **state)
{
    struct bough_supervisor_options sub;
    struct bough_child_spec child;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    child = tree_probe_spec(&tree, "x", 4);
    tree.probes[4].init_status = BOUGH_EDENIED;
    sub = (struct bough_supervisor_options){ .children = &child, .child_count = 1 };
    tree.children[1] = (struct bough_child_spec){ .name = "sub",
                                                  .type = &bough_supervisor_type,
                                                  .options = &sub };
    tree_begin(&tree);
    assert_int_equal(tree.watch.exits, 1);
    assert_int_equal(tree.watch.reason.status, BOUGH_EDENIED);
    assert_string_equal(tree.watch.reason.text, "/sub/x did not start: error: denied");
    assert_int_equal(tree.probes[0].finishes, 1);
    tree_finish(&tree);
}

/* Ends */

static void permanent_shutdown(void **state)
{
    const struct bough_exit_reason with_a_text =
        bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0, "for a reason");
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    bough_exit(tree.probes[0].actor, BOUGH_EXIT_SHUTDOWN);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].inits, 2);
    bough_exit_because(tree.probes[0].actor, &with_a_text);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].inits, 3);
    tree_finish(&tree);
}

static void temporary_normal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    tree_expect_counts(&tree, 0, 0, 0, 0);
    assert_int_equal(tree.probes[0].inits, 1);
    tree_finish(&tree);
}

static void permanent_abnormal(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    tree_expect_counts(&tree, 1, 1, 0, 1);
    assert_int_equal(tree.probes[0].inits, 2);
    tree_finish(&tree);
}

/* Options belong to the place, and a temporary child's place goes with it. */
static void do_not_save_start_parameters_for_temporary_children(void **state)
{
    struct tree tree;

    for (int strategy = 0; strategy <= BOUGH_REST_FOR_ONE; strategy++) {
        tree_init(&tree, *state, (enum bough_strategy)strategy, 3);
        for (size_t i = 0; i < 3; i++)
            tree.children[i].restart = BOUGH_TEMPORARY;
        tree_start(&tree);
        for (size_t i = 0; i < 3; i++)
            tree_tell(&tree, i, BOUGH_PROBE_FAIL);
        assert_int_equal(bough_loop_count(tree.test->loop).places, 1);
        tree_finish(&tree);
    }
}

/* Names. OTP's global names are paths here: whatever ends, who comes next is found there,
 * by the address taken before. */
static void simple_global_supervisor(void **state)
{
    struct bough_supervisor_options sub;
    struct bough_child_spec child;
    struct bough_address worker;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    child = tree_probe_spec(&tree, "x", 4);
    sub = (struct bough_supervisor_options){ .children = &child, .child_count = 1 };
    tree.children[0] = (struct bough_child_spec){ .name = "sub",
                                                  .type = &bough_supervisor_type,
                                                  .options = &sub };
    tree_start(&tree);
    worker = tree_find(&tree, "/sub/x");
    tree_kill_path(&tree, "/sub");
    tree_kill_path(&tree, "/sub/x");
    assert_status(bough_probe_send(worker, BOUGH_PROBE_LEAVE, 0), BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[4].inits, 1 + 3);
    assert_status(bough_probe_send(worker, BOUGH_PROBE_NOTE, 0), BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[4].runs, 2);
    tree_finish(&tree);
}

/* Somebody else has the name: it is left alone, and not adopted. */
static void already_started_outside_supervisor(void **state)
{
    struct bough_child_spec spec;
    struct bough_address stranger;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    stranger =
        bough_probe_place(tree.test, &tree.probes[5], tree.supervisor.address, "x");
    bough_probe_start(stranger, NULL);
    spec = tree_probe_spec(&tree, "x", 0);
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_ESTARTED);
    assert_string_equal(request.text, "somebody else has been started there as \"x\"");
    tree_expect_counts(&tree, 0, 0, 0, 0);
    assert_int_equal(tree.probes[5].finishes, 0);
    assert_int_equal(tree.probes[0].inits, 0);
    bough_kill(stranger);
    bough_test_advance(tree.test, 0);
    tree_finish(&tree);
}

/* Many. OTP allows a hundred times as many children a thousand times the time. */

static void silent(void *data, const struct bough_log_record *record)
{
    (void)data;
    (void)record;
}

static struct bough_child_spec *make_many(struct tree *tree, size_t count,
                                          char (*names)[24])
{
    struct bough_child_spec *specs = calloc(count, sizeof(*specs));

    assert_non_null(specs);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "c%zu", i);
        specs[i] = tree_probe_spec(tree, names[i], 0);
    }
    tree->options.children = specs;
    tree->options.child_count = count;
    return specs;
}

/* Starts and stops that many; the processor time that it took, in us. */
static int64_t start_and_stop(void **state, size_t count)
{
    char(*names)[24] = calloc(count, sizeof(*names));
    const clock_t begin = clock();
    struct bough_child_spec *specs;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    bough_runtime_set_log(tree.test->runtime, silent, NULL);
    specs = make_many(&tree, count, names);
    tree_start(&tree);
    assert_int_equal(tree.probes[0].inits, count);
    tree_finish(&tree);
    assert_int_equal(tree.probes[0].finishes, count);
    free(specs);
    free(names);
    return (int64_t)((double)(clock() - begin) * 1e6 / CLOCKS_PER_SEC);
}

static void scale_start_stop_many_children(void **state)
{
    enum { FEW = 200, MANY = 20000, FACTOR = 1000 };
    const int64_t few_us = start_and_stop(state, FEW) + 1;

    assert_in_range(start_and_stop(state, MANY), 0, few_us * FACTOR);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(sup_start_error_return),
        fact(sup_start_fail),
        fact(sup_flags),
        fact(sup_start_map_faulty_specs),
        fact(child_specs),
        fact(every_valid_combination_is_accepted),
        fact(faulty_application_shutdown),
        fact(permanent_shutdown),
        fact(temporary_normal),
        fact(permanent_abnormal),
        fact(do_not_save_start_parameters_for_temporary_children),
        fact(simple_global_supervisor),
        fact(already_started_outside_supervisor),
        fact(scale_start_stop_many_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
