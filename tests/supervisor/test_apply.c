/* test_apply.c - a tree that runs becomes another one, or is again what it was; also when
 * memory runs out at each allocation in turn.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/apply_subject.h>
#include <bough/tests/support/allocator.h>

static void be_ready(struct pair *pair, size_t probe)
{
    bough_ready(pair->tree.probes[probe].actor);
    bough_test_advance(pair->tree.test, 0);
}

static void it_stops_in_reverse_and_starts_in_order(void **state)
{
    struct pair pair;

    pair_init(&pair, *state);
    expect(&pair.tree, &pair.other, BOUGH_OK, "-/c -/a =/ x/c +/d +/a ");
    /* The place of one on another loop goes when that loop has its turn. */
    if (!getenv("BOUGH_TEST_APART"))
        tree_expect(&pair.tree, "stopping /c 1\n"
                                "exited /c 1 shutdown\n"
                                "stopping /a 1\n"
                                "exited /a 1 shutdown\n"
                                "removed /c 1\n"
                                "started /d 1\n"
                                "ready /d 1\n"
                                "started /a 2\n"
                                "ready /a 2\n");
    tree_expect_names(&pair.tree, "a b d ");
    assert_int_equal(pair.tree.probes[1].inits, 1);
    assert_int_equal(pair.tree.probes[4].inits, 1);
    tree_finish(&pair.tree);
}

static void a_second_one_has_nothing_to_do(void **state)
{
    struct bough_plan *plan;
    struct pair pair;

    pair_init(&pair, *state);
    expect(&pair.tree, &pair.other, BOUGH_OK, "-/c -/a =/ x/c +/d +/a ");
    assert_status(bough_apply_plan(pair.tree.test->loop, pair.tree.supervisor,
                                   &pair.other, NULL, &plan, NULL),
                  BOUGH_OK);
    assert_int_equal(plan->step_count, 0);
    bough_plan_free(plan);
    expect(&pair.tree, &pair.other, BOUGH_OK, "");
    expect(&pair.tree, &pair.tree.options, BOUGH_OK, "-/a -/d =/ x/d +/a +/c ");
    tree_expect_names(&pair.tree, "c b a ");
    tree_finish(&pair.tree);
}

/* The root's next life would begin with it, too: it is shown. */
static void what_changes_in_place_is_shown_and_used(void **state)
{
    const struct bough_supervisor_options *shown;
    struct bough_place_info info;
    struct pair pair;

    pair_init(&pair, *state);
    pair.other = pair.tree.options;
    pair.other.intensity = 0;
    pair.tree.children[2].restart = BOUGH_TRANSIENT;
    expect(&pair.tree, &pair.other, BOUGH_OK, "=/ ");
    assert_status(bough_place_info(pair.tree.supervisor.address, &info), BOUGH_OK);
    shown = info.options;
    assert_int_equal(bough_supervisor_intensity(shown), 0);
    assert_status(bough_place_info(tree_find(&pair.tree, "/c"), &info), BOUGH_OK);
    assert_string_equal(info.restart, "transient");
    tree_tell(&pair.tree, 2, BOUGH_PROBE_LEAVE);
    assert_int_equal(pair.tree.probes[2].inits, 1);
    tree_tell(&pair.tree, 0, BOUGH_PROBE_FAIL);
    assert_int_equal(pair.tree.watch.exits, 1);
    tree_finish(&pair.tree);
}

/* Looking at the places shows the order of the specs, also after restarts. */
static void visit_names(void *data, struct bough_address place,
                        const struct bough_place_info *info)
{
    char *text = data;

    (void)place;
    bough_text_format(text + strlen(text), 8, "%s ", info->path);
}

static void the_order_is_shown(void **state)
{
    char text[64] = "";
    struct pair pair;

    pair_init(&pair, *state);
    expect(&pair.tree, &pair.other, BOUGH_OK, "-/c -/a =/ x/c +/d +/a ");
    tree_tell(&pair.tree, 1, BOUGH_PROBE_FAIL);
    assert_status(bough_place_visit(pair.tree.test->loop, "/", visit_names, text),
                  BOUGH_OK);
    assert_string_equal(text, "/ /d /b /a ");
    tree_finish(&pair.tree);
}

static void what_is_sent_to_one_that_is_restarted_waits(void **state)
{
    struct bough_probe_call call;
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    begin(&pair.tree, &outcome, &pair.other);
    assert_int_equal(outcome.ends, 0);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, tree_find(&pair.tree, "/a"), BOUGH_PROBE_ECHO, 7);
    bough_test_advance(pair.tree.test, 0);
    assert_int_equal(call.answers, 0);
    be_ready(&pair, 3);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_OK);
    assert_int_equal(call.answers, 1);
    assert_int_equal(call.number, 7);
    tree_finish(&pair.tree);
}

/* Back */

static void expect_back(struct pair *pair, const struct outcome *outcome,
                        enum bough_status status, const char *why)
{
    struct bough_plan *plan;

    assert_int_equal(outcome->ends, 1);
    assert_status(outcome->status, status);
    assert_non_null(strstr(outcome->apply.text, why));
    assert_true(outcome->apply.went_back);
    tree_expect_names(&pair->tree, "c b a ");
    tree_expect_counts(&pair->tree, 3, 3, 0, 3);
    assert_int_equal(pair->tree.probes[1].inits, 1);
    assert_int_equal(pair->tree.probes[0].inits, 2);
    assert_int_equal(pair->tree.probes[2].inits, 2);
    assert_status(bough_apply_plan(pair->tree.test->loop, pair->tree.supervisor,
                                   &pair->tree.options, NULL, &plan, NULL),
                  BOUGH_OK);
    assert_int_equal(plan->step_count, 0);
    bough_plan_free(plan);
}

static void what_does_not_start_leads_back(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[4].init_status = BOUGH_EFAILED;
    begin(&pair.tree, &outcome, &pair.other);
    assert_string_equal(outcome.steps, "-/c -/a =/ x/c +/d +/a -/a -/d =/ x/d +/a +/c ");
    expect_back(&pair, &outcome, BOUGH_EFAILED, "/a did not start: error: failed");
    tree_finish(&pair.tree);
}

static void what_is_not_ready_in_time_leads_back(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    outcome_init(&outcome);
    outcome.apply.timeout_ms = 2000;
    assert_status(start(&pair.tree, &outcome, &pair.other), BOUGH_OK);
    bough_test_advance(pair.tree.test, 1999);
    assert_int_equal(outcome.ends, 0);
    bough_test_advance(pair.tree.test, 1);
    expect_back(&pair, &outcome, BOUGH_ETIMEOUT, "/d was not ready within the 2s that");
    tree_finish(&pair.tree);
}

/* It would not end when asked, and is killed after its limit. */
static void what_is_late_and_does_not_end_is_killed(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = pair.tree.probes[3].ends_later = true;
    pair.children[0].shutdown_ms = 300;
    outcome_init(&outcome);
    outcome.apply.timeout_ms = 2000;
    assert_status(start(&pair.tree, &outcome, &pair.other), BOUGH_OK);
    bough_test_advance(pair.tree.test, 2299);
    assert_int_equal(outcome.ends, 0);
    bough_test_advance(pair.tree.test, 1);
    expect_back(&pair, &outcome, BOUGH_ETIMEOUT, "/d was not ready within the 2s that");
    tree_finish(&pair.tree);
}

static void the_time_is_for_all_that_is_started(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = pair.tree.probes[4].starts_later = true;
    outcome_init(&outcome);
    outcome.apply.timeout_ms = 1000;
    assert_status(start(&pair.tree, &outcome, &pair.other), BOUGH_OK);
    bough_test_advance(pair.tree.test, 600);
    be_ready(&pair, 3);
    bough_test_advance(pair.tree.test, 399);
    assert_int_equal(outcome.ends, 0);
    bough_test_advance(pair.tree.test, 1);
    expect_back(&pair, &outcome, BOUGH_ETIMEOUT, "/a was not ready within the 1s");
    tree_finish(&pair.tree);
}

static void what_does_not_come_back_is_told(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[4].init_status = BOUGH_EFAILED;
    pair.tree.probes[0].init_status = BOUGH_EDENIED;
    begin(&pair.tree, &outcome, &pair.other);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_EFAILED);
    assert_false(outcome.apply.went_back);
    assert_non_null(strstr(outcome.apply.text, "/a did not start: error: failed"));
    assert_non_null(strstr(outcome.apply.text, "; going back: /a did not start: error: "
                                               "denied"));
    assert_int_equal(tree_state(&pair.tree, "/c"), BOUGH_PLACE_RUNNING);
    tree_finish(&pair.tree);
}

/* Together with what else happens */

static void a_second_one_meanwhile_is_refused(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    begin(&pair.tree, &outcome, &pair.other);
    assert_status(start(&pair.tree, &outcome, &pair.tree.options), BOUGH_ERUNNING);
    be_ready(&pair, 3);
    assert_int_equal(outcome.ends, 1);
    tree_finish(&pair.tree);
}

static void a_shutdown_meanwhile_wins(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    begin(&pair.tree, &outcome, &pair.other);
    bough_supervisor_stop(pair.tree.supervisor);
    bough_test_advance(pair.tree.test, 0);
    assert_int_equal(pair.tree.watch.exits, 1);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_ECANCELLED);
    assert_string_equal(outcome.apply.text, "the tree ends");
    tree_finish(&pair.tree);
}

static void a_tree_that_is_not_up_is_left_alone(void **state)
{
    struct outcome outcome;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.probes[0].starts_later = true;
    tree_begin(&tree);
    outcome_init(&outcome);
    assert_status(start(&tree, &outcome, &tree.options), BOUGH_EREFUSED);
    tree_finish(&tree);
}

static void a_child_that_breaks_meanwhile_follows_its_rules(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    begin(&pair.tree, &outcome, &pair.other);
    tree_tell(&pair.tree, 1, BOUGH_PROBE_FAIL);
    be_ready(&pair, 3);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_OK);
    assert_int_equal(pair.tree.probes[1].inits, 2);
    assert_int_equal(tree_state(&pair.tree, "/b"), BOUGH_PLACE_RUNNING);
    tree_finish(&pair.tree);
}

/* /b has been restarted by its rules, and is not ready: its supervisor waits for it. */
static void b_is_stuck(struct pair *pair)
{
    pair->tree.probes[1].starts_later = true;
    tree_tell(&pair->tree, 1, BOUGH_PROBE_FAIL);
    assert_int_equal(tree_state(&pair->tree, "/b"), BOUGH_PLACE_STARTING);
}

static void one_that_is_stuck_in_its_start_is_replaced(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    b_is_stuck(&pair);
    pair.children[1] = tree_probe_spec(&pair.tree, "b", 5);
    apart(&pair.children[1], 1);
    begin(&pair.tree, &outcome, &pair.other);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_OK);
    assert_int_equal(pair.tree.probes[5].inits, 1);
    assert_int_equal(tree_state(&pair.tree, "/b"), BOUGH_PLACE_RUNNING);
    tree_finish(&pair.tree);
}

/* What was asked for is still done, and taken back, once it is ready. */
static void a_supervisor_that_waits_for_another_child_is_not_waited_for(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    b_is_stuck(&pair);
    outcome_init(&outcome);
    outcome.apply.timeout_ms = 1000;
    assert_status(start(&pair.tree, &outcome, &pair.other), BOUGH_OK);
    bough_test_advance(pair.tree.test, 60 * 1000);
    assert_int_equal(outcome.ends, 1);
    assert_status(outcome.status, BOUGH_ETIMEOUT);
    assert_false(outcome.apply.went_back);
    assert_non_null(strstr(outcome.apply.text, "/c: its supervisor did not come to it"));
    assert_int_equal(pair.tree.probes[2].finishes, 0);
    be_ready(&pair, 1);
    tree_expect_names(&pair.tree, "c b a ");
    tree_expect_counts(&pair.tree, 3, 3, 0, 3);
    expect(&pair.tree, &pair.tree.options, BOUGH_OK, "");
    tree_finish(&pair.tree);
}

static void an_apply_can_be_let_be(void **state)
{
    struct outcome outcome;
    struct pair pair;

    pair_init(&pair, *state);
    pair.tree.probes[3].starts_later = true;
    begin(&pair.tree, &outcome, &pair.other);
    bough_apply_finish(&outcome.apply);
    bough_apply_finish(&outcome.apply);
    be_ready(&pair, 3);
    assert_int_equal(outcome.ends, 0);
    tree_finish(&pair.tree);
}

/* Without memory: it is refused, or taken back, or done. */
static void without_memory_nothing_is_half_done(void **state)
{
    for (size_t nth = 1;; nth++) {
        struct outcome outcome;
        struct pair pair;
        bool failed;

        assert_in_range(nth, 1, 2000);
        pair_init(&pair, *state);
        outcome_init(&outcome);
        bough_allocator_fail_at(nth);
        const enum bough_status status = start(&pair.tree, &outcome, &pair.other);
        bough_test_advance(pair.tree.test, 0);
        failed = bough_allocator_heal();
        bough_test_advance(pair.tree.test, 0);
        if (status != BOUGH_OK) {
            assert_status(status, BOUGH_ENOMEM);
            tree_expect(&pair.tree, "");
        } else {
            assert_int_equal(outcome.ends, 1);
        }
        if (status == BOUGH_OK && outcome.status == BOUGH_OK)
            tree_expect_names(&pair.tree, "a b d ");
        else if (status != BOUGH_OK || outcome.apply.went_back)
            tree_expect_names(&pair.tree, "c b a ");
        assert_int_equal(pair.tree.probes[1].inits, 1);
        tree_finish(&pair.tree);
        if (!failed) return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(it_stops_in_reverse_and_starts_in_order),
        fact(a_second_one_has_nothing_to_do),
        fact(what_changes_in_place_is_shown_and_used),
        fact(the_order_is_shown),
        fact(what_is_sent_to_one_that_is_restarted_waits),
        fact(what_does_not_start_leads_back),
        fact(what_is_not_ready_in_time_leads_back),
        fact(what_is_late_and_does_not_end_is_killed),
        fact(the_time_is_for_all_that_is_started),
        fact(what_does_not_come_back_is_told),
        fact(a_second_one_meanwhile_is_refused),
        fact(a_shutdown_meanwhile_wins),
        fact(a_tree_that_is_not_up_is_left_alone),
        fact(a_child_that_breaks_meanwhile_follows_its_rules),
        fact(one_that_is_stuck_in_its_start_is_replaced),
        fact(a_supervisor_that_waits_for_another_child_is_not_waited_for),
        fact(an_apply_can_be_let_be),
        fact(without_memory_nothing_is_half_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
