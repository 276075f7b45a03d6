/* test_apply_below.c - an apply where supervisors, groups and children by request are.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/apply_subject.h>

/* Who came and went without the specs */

static void one_that_ended_for_good_is_not_brought_back(void **state)
{
    struct tree tree;
    struct bough_child_spec children[3];
    struct bough_supervisor_options other;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.children[0].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    assert_false(tree_knows(&tree, "/a"));
    children[0] = tree.children[0];
    children[1] = tree.children[1];
    children[2] = tree_probe_spec(&tree, "c", 2);
    other = tree.options;
    other.children = children;
    other.child_count = 3;
    expect(&tree, &other, BOUGH_OK, "=/ x/a +/c ");
    assert_false(tree_knows(&tree, "/a"));
    tree_expect_names(&tree, "c b ");
    tree_finish(&tree);
}

static void one_that_was_started_by_hand_is_kept(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct pair pair;

    pair_init(&pair, *state);
    spec = tree_probe_spec(&pair.tree, "x", 5);
    tree_start_child(&pair.tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    expect(&pair.tree, &pair.other, BOUGH_OK, "-/c -/a =/ x/c +/d +/a ");
    assert_int_equal(pair.tree.probes[5].inits, 1);
    assert_int_equal(tree_state(&pair.tree, "/x"), BOUGH_PLACE_RUNNING);
    tree_expect_names(&pair.tree, "x a b d ");
    tree_finish(&pair.tree);
}

static void one_that_was_started_by_hand_makes_room_for_one_of_its_name(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct pair pair;

    pair_init(&pair, *state);
    spec = tree_probe_spec(&pair.tree, "d", 5);
    tree_start_child(&pair.tree, &spec, &request);
    pair.tree.probe_options[3].probe = &pair.tree.probes[3];
    expect(&pair.tree, &pair.other, BOUGH_OK, "-/d -/c -/a =/ x/c +/d +/a ");
    assert_int_equal(pair.tree.probes[3].inits, 1);
    assert_int_equal(pair.tree.probes[5].finishes, 1);
    tree_finish(&pair.tree);
}

static void dynamic_children_are_kept(void **state)
{
    struct bough_supervisor_options flags, other;
    struct bough_child_spec nested, changed;
    struct request request;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    flags = (struct bough_supervisor_options){ .strategy = BOUGH_DYNAMIC,
                                               .children = &tree.children[0],
                                               .child_count = 1 };
    nested = (struct bough_child_spec){ .name = "pool",
                                        .type = &bough_supervisor_type,
                                        .options = &flags };
    other = tree.options;
    tree.options.children = &nested;
    tree_start(&tree);
    request_init(&request);
    bough_supervisor_start_dynamic(
        (struct bough_supervisor){ .address = tree_find(&tree, "/pool") }, "m", NULL,
        NULL, &request.call);
    bough_test_advance(tree.test, 0);
    request_expect(&request, BOUGH_OK);
    changed = nested;
    changed.shutdown_ms = 7000;
    flags.intensity = 9;
    other.children = &changed;
    expect(&tree, &other, BOUGH_OK, "=/ =/pool ");
    assert_int_equal(tree_state(&tree, "/pool/m"), BOUGH_PLACE_RUNNING);
    assert_int_equal(tree.probes[0].inits, 1);
    tree.probe_options[0].probe = &tree.probes[1];
    expect(&tree, &other, BOUGH_OK, "-/pool =/ +/pool ");
    assert_false(tree_knows(&tree, "/pool/m"));
    tree_finish(&tree);
}

/* Below */

/* /s has /s/a and /s/b; the other tree has /s/b as the probe 4, and /s/c. */
struct nest {
    struct tree tree;
    struct bough_supervisor_options flags, other_flags, other;
    struct bough_child_spec top, other_top, children[3];
};

static void nest_init(struct nest *nest, void *state, enum bough_strategy strategy)
{
    tree_init(&nest->tree, state, BOUGH_ONE_FOR_ONE, 2);
    nest->flags = nest->tree.options;
    nest->flags.strategy = strategy;
    nest->top = (struct bough_child_spec){ .name = "s",
                                           .type = &bough_supervisor_type,
                                           .options = &nest->flags };
    nest->tree.options.children = &nest->top;
    nest->tree.options.child_count = 1;
    nest->children[0] = nest->tree.children[0];
    nest->children[1] = tree_probe_spec(&nest->tree, "b", 4);
    nest->children[2] = tree_probe_spec(&nest->tree, "c", 2);
    nest->other_flags = nest->flags;
    nest->other_flags.children = nest->children;
    nest->other_flags.child_count = 3;
    nest->other_top = nest->top;
    nest->other_top.options = &nest->other_flags;
    nest->other = nest->tree.options;
    nest->other.children = &nest->other_top;
    apart(nest->children, 3);
    tree_start(&nest->tree);
}

static void a_supervisor_that_is_restarted_later_has_what_it_was_given(void **state)
{
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    expect(&nest.tree, &nest.other, BOUGH_OK, "-/s/b =/ =/s +/s/b +/s/c ");
    assert_int_equal(nest.tree.probes[0].inits, 1);
    tree_kill_path(&nest.tree, "/s");
    assert_int_equal(nest.tree.probes[0].inits, 2);
    assert_int_equal(nest.tree.probes[1].inits, 1);
    assert_int_equal(nest.tree.probes[4].inits, 2);
    assert_int_equal(nest.tree.probes[2].inits, 2);
    tree_finish(&nest.tree);
}

static void siblings_that_are_restarted_together_are(void **state)
{
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ALL);
    expect(&nest.tree, &nest.other, BOUGH_OK, "-/s/b -/s/a =/ =/s +/s/a +/s/b +/s/c ");
    assert_int_equal(nest.tree.probes[0].inits, 2);
    tree_finish(&nest.tree);
}

/* Its next life begins with all that it is to have. */
static void a_supervisor_that_breaks_meanwhile_is_waited_for(void **state)
{
    struct outcome outcome;
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    nest.tree.probes[4].starts_later = true;
    begin(&nest.tree, &outcome, &nest.other);
    assert_int_equal(outcome.ends, 0);
    nest.tree.probes[4].starts_later = false;
    tree_kill_path(&nest.tree, "/s");
    bough_test_advance(nest.tree.test, 100);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_OK);
    assert_int_equal(tree_state(&nest.tree, "/s/b"), BOUGH_PLACE_RUNNING);
    assert_int_equal(tree_state(&nest.tree, "/s/c"), BOUGH_PLACE_RUNNING);
    tree_finish(&nest.tree);
}

static void a_supervisor_that_is_down_is_passed_over(void **state)
{
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    assert_status(tree_ask(&nest.tree, bough_supervisor_terminate_child, "s"), BOUGH_OK);
    expect(&nest.tree, &nest.other, BOUGH_OK, "=/ ");
    assert_int_equal(nest.tree.probes[4].inits, 0);
    assert_status(tree_ask(&nest.tree, bough_supervisor_restart_child, "s"), BOUGH_OK);
    assert_int_equal(nest.tree.probes[4].inits, 1);
    assert_int_equal(nest.tree.probes[2].inits, 1);
    tree_finish(&nest.tree);
}

static void one_below_that_does_not_start_leads_back(void **state)
{
    struct outcome outcome;
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    nest.tree.probes[2].init_status = BOUGH_EFAILED;
    begin(&nest.tree, &outcome, &nest.other);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_EFAILED);
    assert_true(outcome.apply.went_back);
    assert_int_equal(nest.tree.probes[1].inits, 2);
    assert_false(tree_knows(&nest.tree, "/s/c"));
    tree_kill_path(&nest.tree, "/s");
    assert_int_equal(nest.tree.probes[1].inits, 3);
    tree_finish(&nest.tree);
}

/* The whole supervisor is started anew, on another loop, with other children. */
static void who_was_below_leaves_no_place(void **state)
{
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    nest.other_top.isolation = BOUGH_THREAD;
    nest.children[0].name = "d";
    expect(&nest.tree, &nest.other, BOUGH_OK, "-/s =/ +/s ");
    assert_false(tree_knows(&nest.tree, "/s/a"));
    assert_int_equal(tree_state(&nest.tree, "/s/d"), BOUGH_PLACE_RUNNING);
    expect(&nest.tree, &nest.tree.options, BOUGH_OK, "-/s =/ +/s ");
    assert_false(tree_knows(&nest.tree, "/s/d"));
    assert_int_equal(tree_state(&nest.tree, "/s/a"), BOUGH_PLACE_RUNNING);
    tree_finish(&nest.tree);
}

/* Its place goes with all below it, at once, wherever those are. */
static void a_path_is_free_as_soon_as_its_place_is_freed(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct nest nest;

    nest_init(&nest, *state, BOUGH_ONE_FOR_ONE);
    spec = nest.top;
    spec.name = "x";
    spec.isolation = BOUGH_THREAD;
    for (unsigned i = 1; i <= 3; i++) {
        tree_start_child(&nest.tree, &spec, &request);
        request_expect(&request, BOUGH_OK);
        assert_status(tree_ask(&nest.tree, bough_supervisor_terminate_child, "x"),
                      BOUGH_OK);
        request_init(&request);
        bough_supervisor_delete_child(nest.tree.supervisor, "x", &request.call);
        bough_loop_run_ready(nest.tree.test->loop, 1000);
        request_expect(&request, BOUGH_OK);
        assert_false(tree_knows(&nest.tree, "/x"));
        assert_false(tree_knows(&nest.tree, "/x/a"));
    }
    tree_finish(&nest.tree);
}

/* Groups */

static void a_group_grows_and_shrinks_without_a_restart(void **state)
{
    struct bough_supervisor_options other;
    struct bough_child_spec group;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].replicas = 2;
    tree_start(&tree);
    group = tree.children[0];
    group.replicas = 4;
    other = tree.options;
    other.children = &group;
    expect(&tree, &other, BOUGH_OK, "=/ #/a ");
    assert_int_equal(tree.probes[0].inits, 4);
    assert_true(tree_knows(&tree, "/a/3"));
    expect(&tree, &tree.options, BOUGH_OK, "=/ #/a ");
    assert_int_equal(tree.probes[0].inits, 4);
    assert_int_equal(tree.probes[0].finishes, 2);
    assert_false(tree_knows(&tree, "/a/3"));
    tree_finish(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(one_that_ended_for_good_is_not_brought_back),
        fact(one_that_was_started_by_hand_is_kept),
        fact(one_that_was_started_by_hand_makes_room_for_one_of_its_name),
        fact(dynamic_children_are_kept),
        fact(a_supervisor_that_is_restarted_later_has_what_it_was_given),
        fact(siblings_that_are_restarted_together_are),
        fact(a_supervisor_that_breaks_meanwhile_is_waited_for),
        fact(a_supervisor_that_is_down_is_passed_over),
        fact(one_below_that_does_not_start_leads_back),
        fact(who_was_below_leaves_no_place),
        fact(a_path_is_free_as_soon_as_its_place_is_freed),
        fact(a_group_grows_and_shrinks_without_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
