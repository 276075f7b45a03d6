/* test_groups.c - the replicas of one child: routing, restarts, their number.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/request.h>

#include <stdio.h>

/* Where messages were run: "0:5 1:6 " is member 0 running number 5, ... */
struct trail {
    char text[512];
};

static void leave_trail(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    struct trail *trail = probe->data;
    const size_t used = strlen(trail->text);

    snprintf(trail->text + used, sizeof(trail->text) - used, "%s:%d ",
             strrchr(bough_actor_path(actor), '/') + 1, (int)number);
}

/* /a is a group of `replicas` members, which share the first probe; /b is one child. */
static void group_init(struct tree *tree, void *state, struct trail *trail,
                       uint32_t replicas)
{
    tree_init(tree, state, BOUGH_ONE_FOR_ONE, 2);
    tree->children[0].replicas = replicas;
    tree->probes[0].hook = leave_trail;
    tree->probes[0].data = trail;
    *trail = (struct trail){ .text = "" };
}

static void group_start(struct tree *tree, void *state, struct trail *trail,
                        uint32_t replicas)
{
    group_init(tree, state, trail, replicas);
    tree_start(tree);
}

static void tell_number(struct tree *tree, const char *path, int64_t number)
{
    assert_status(bough_probe_send(tree_find(tree, path), BOUGH_PROBE_HOOK, number),
                  BOUGH_OK);
}

#define expect_trail(tree, trail, expected) \
    do { \
        bough_test_run((tree)->test); \
        assert_string_equal((trail)->text, expected); \
        (trail)->text[0] = '\0'; \
    } while (0)

static void a_group_starts_its_members_in_order_and_stops_them_in_reverse(void **state)
{
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 2);
    tree_begin(&tree);
    tree_expect(&tree, "started / 1\n"
                       "started /a 1\n"
                       "started /a/0 1\n"
                       "ready /a/0 1\n"
                       "started /a/1 1\n"
                       "ready /a/1 1\n"
                       "ready /a 1\n"
                       "started /b 1\n"
                       "ready /b 1\n"
                       "ready / 1\n");
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    tree_expect(&tree, "stopping / 1\n"
                       "stopping /b 1\n"
                       "exited /b 1 shutdown\n"
                       "stopping /a 1\n"
                       "stopping /a/1 1\n"
                       "exited /a/1 1 shutdown\n"
                       "stopping /a/0 1\n"
                       "exited /a/0 1 shutdown\n"
                       "exited /a 1 shutdown\n"
                       "exited / 1 shutdown\n");
    tree_finish(&tree);
}

static void a_group_speaks_its_members_language(void **state)
{
    struct bough_place_info info;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    assert_status(bough_place_info(tree_find(&tree, "/a"), &info), BOUGH_OK);
    assert_string_equal(info.type->name, "group");
    assert_ptr_equal(info.speaks, &bough_probe_type);
    assert_status(bough_place_info(tree_find(&tree, "/a/0"), &info), BOUGH_OK);
    assert_ptr_equal(info.speaks, &bough_probe_type);
    tree_finish(&tree);
}

static void a_group_is_one_child_to_its_supervisor(void **state)
{
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 3);
    tree_expect_counts(&tree, 2, 2, 0, 2);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "a"), BOUGH_OK);
    assert_int_equal(tree.probes[0].finishes, 3);
    tree_expect_counts(&tree, 2, 1, 0, 2);
    assert_status(tree_ask(&tree, bough_supervisor_restart_child, "a"), BOUGH_OK);
    bough_test_advance(tree.test, 0);
    assert_int_equal(tree.probes[0].inits, 6);
    tree_finish(&tree);
}

static void a_question_is_answered_by_a_member(void **state)
{
    struct bough_probe_call call;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, tree_find(&tree, "/a"), BOUGH_PROBE_ECHO, 42);
    bough_test_run(tree.test);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, 42);
    tree_finish(&tree);
}

/* Routing */

static void round_robin_goes_around(void **state)
{
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 3);
    for (int i = 1; i <= 5; i++)
        tell_number(&tree, "/a", i);
    expect_trail(&tree, &trail, "0:1 0:4 1:2 1:5 2:3 ");
    tree_finish(&tree);
}

static void members_that_are_down_are_skipped(void **state)
{
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 3);
    tree.probes[0].starts_later = true;
    tree_kill_path(&tree, "/a/1");
    assert_int_equal(tree_state(&tree, "/a/1"), BOUGH_PLACE_STARTING);
    for (int i = 1; i <= 4; i++)
        tell_number(&tree, "/a", i);
    expect_trail(&tree, &trail, "0:1 0:3 2:2 2:4 ");
    tree_finish(&tree);
}

static void when_none_is_up_messages_wait_at_a_member(void **state)
{
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 1);
    tree.probes[0].starts_later = true;
    tree_kill_path(&tree, "/a/0");
    tell_number(&tree, "/a", 1);
    expect_trail(&tree, &trail, "");
    bough_ready(tree.probes[0].actor);
    expect_trail(&tree, &trail, "0:1 ");
    tree_finish(&tree);
}

static void pause_member(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    (void)number;
    bough_pause(actor);
    probe->hook = leave_trail;
}

static void least_busy_finds_the_shortest_mailbox(void **state)
{
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 3);
    tree.children[0].route = BOUGH_LEAST_BUSY;
    tree.probes[0].hook = pause_member;
    tree_start(&tree);
    tell_number(&tree, "/a/1", 0);
    bough_test_run(tree.test);
    tell_number(&tree, "/a/1", 8);
    tell_number(&tree, "/a/1", 9);
    for (int i = 1; i <= 4; i++)
        tell_number(&tree, "/a", i);
    expect_trail(&tree, &trail, "0:1 0:3 2:2 2:4 ");
    tree_finish(&tree);
}

static void hash_init(struct tree *tree, void *state, struct trail *trail)
{
    group_init(tree, state, trail, 4);
    tree->children[0].route = BOUGH_HASH;
    tree->children[0].route_field = "number";
    tree->options.intensity = 100;
    tree_start(tree);
}

static void the_same_key_finds_the_same_member(void **state)
{
    struct trail trail;
    struct tree tree;
    char first[512];

    hash_init(&tree, *state, &trail);
    for (int i = 1; i <= 8; i++)
        tell_number(&tree, "/a", i);
    bough_test_run(tree.test);
    bough_text_format(first, sizeof(first), "%s", trail.text);
    trail.text[0] = '\0';
    for (int i = 1; i <= 8; i++)
        tell_number(&tree, "/a", i);
    bough_test_run(tree.test);
    assert_string_equal(trail.text, first);
    assert_non_null(strstr(first, "0:"));
    assert_non_null(strstr(first, "3:"));
    tree_finish(&tree);
}

/* What belongs to a member waits for it. */
static void a_key_waits_for_its_member(void **state)
{
    struct trail trail;
    struct tree tree;
    char path[8] = "/a/";

    hash_init(&tree, *state, &trail);
    tell_number(&tree, "/a", 7);
    bough_test_run(tree.test);
    path[3] = trail.text[0];
    tree.probes[0].starts_later = true;
    tree_kill_path(&tree, path);
    trail.text[0] = '\0';
    tell_number(&tree, "/a", 7);
    expect_trail(&tree, &trail, "");
    bough_ready(tree.probes[0].actor);
    bough_test_run(tree.test);
    assert_int_equal(trail.text[0], path[3]);
    tree_finish(&tree);
}

static void a_message_without_the_field_goes_around(void **state)
{
    struct bough_probe_call call;
    struct trail trail;
    struct tree tree;

    hash_init(&tree, *state, &trail);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, tree_find(&tree, "/a"), BOUGH_PROBE_REFUSE, 0);
    bough_test_run(tree.test);
    assert_status(call.status, BOUGH_EREFUSED);
    tree_finish(&tree);
}

static void when_every_member_is_full_the_asker_is_told(void **state)
{
    struct bough_probe_call call;
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 1);
    tree.children[0].mailbox_capacity = 1;
    tree.probes[0].hook = pause_member;
    tree_start(&tree);
    tell_number(&tree, "/a/0", 0);
    bough_test_run(tree.test);
    tell_number(&tree, "/a/0", 1);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, tree_find(&tree, "/a"), BOUGH_PROBE_ECHO, 1);
    bough_test_run(tree.test);
    assert_status(call.status, BOUGH_EFULL);
    tree_finish(&tree);
}

static void a_message_that_no_member_knows_is_refused(void **state)
{
    const uint32_t unknown[8] = { 1000 };
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    request_init(&request);
    bough_call_start(&request.call, tree_find(&tree, "/a"), unknown, sizeof(unknown),
                     NULL, 0);
    bough_test_run(tree.test);
    request_expect(&request, BOUGH_EINVALID);
    tree_finish(&tree);
}

/* Restarts */

static void members_are_restarted_singly(void **state)
{
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 3);
    tree_tell_path(&tree, "/a/1", BOUGH_PROBE_FAIL);
    tree_expect(&tree, "exited /a/1 1 error: failed: told to fail, 0\n"
                       "restarting /a/1 1\n"
                       "started /a/1 2\n"
                       "ready /a/1 2\n");
    tree_finish(&tree);
}

/* The limit of the supervisor is not used up by members. */
static void a_group_that_gives_up_is_restarted_as_one_child(void **state)
{
    struct bough_place_info info;
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 2);
    tree.children[0].any_intensity = true;
    tree.children[0].intensity = 1;
    tree.children[0].period_ms = 60000;
    tree_start(&tree);
    tree_tell_path(&tree, "/a/0", BOUGH_PROBE_FAIL);
    tree_tell_path(&tree, "/a/0", BOUGH_PROBE_FAIL);
    assert_status(bough_place_info(tree_find(&tree, "/a"), &info), BOUGH_OK);
    assert_int_equal(info.life, 2);
    assert_int_equal(info.state, BOUGH_PLACE_RUNNING);
    assert_non_null(strstr(tree.test->log,
                           "error /a: gave up: /a/0 needs restart 2 in 1m, and 1 are "
                           "allowed"));
    assert_non_null(strstr(tree.test->log, "restart 1 of 3 in 5s"));
    tree_finish(&tree);
}

static void without_a_limit_of_its_own_a_group_has_its_supervisors(void **state)
{
    struct bough_place_info info;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    for (int i = 0; i < 3; i++)
        tree_tell_path(&tree, "/a/0", BOUGH_PROBE_FAIL);
    assert_status(bough_place_info(tree_find(&tree, "/a"), &info), BOUGH_OK);
    assert_int_equal(info.life, 1);
    tree_tell_path(&tree, "/a/0", BOUGH_PROBE_FAIL);
    assert_status(bough_place_info(tree_find(&tree, "/a"), &info), BOUGH_OK);
    assert_int_equal(info.life, 2);
    tree_finish(&tree);
}

static void a_transient_group_is_over_with_its_last_member(void **state)
{
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 2);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree_start(&tree);
    tree_tell_path(&tree, "/a/1", BOUGH_PROBE_LEAVE);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RUNNING);
    tree_tell_path(&tree, "/a/0", BOUGH_PROBE_LEAVE);
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_STOPPED);
    assert_int_equal(tree.watch.exits, 0);
    tree_finish(&tree);
}

static void a_member_that_cannot_start_fails_the_group_and_the_tree(void **state)
{
    struct trail trail;
    struct tree tree;

    group_init(&tree, *state, &trail, 2);
    tree.probes[0].init_status = BOUGH_ERANGE;
    tree_begin(&tree);
    assert_int_equal(tree.watch.exits, 1);
    assert_string_equal(tree.watch.reason.text, "/a/0 did not start: error: range");
    tree_finish(&tree);
}

/* Their number */

static void ask_replicas(struct tree *tree, const char *name, uint32_t replicas,
                         struct request *request)
{
    request_init(request);
    bough_supervisor_set_replicas(tree->supervisor, name, replicas, &request->call);
    bough_test_advance(tree->test, 0);
}

static void a_group_grows(void **state)
{
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 1);
    ask_replicas(&tree, "a", 3, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(request.replicas, 3);
    tree_expect(&tree, "started /a/1 1\n"
                       "ready /a/1 1\n"
                       "started /a/2 1\n"
                       "ready /a/2 1\n");
    for (int i = 1; i <= 3; i++)
        tell_number(&tree, "/a", i);
    expect_trail(&tree, &trail, "0:1 1:2 2:3 ");
    tree_finish(&tree);
}

static void a_group_shrinks_from_its_end(void **state)
{
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 3);
    ask_replicas(&tree, "a", 1, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(request.replicas, 1);
    tree_expect(&tree, "stopping /a/2 1\n"
                       "exited /a/2 1 shutdown\n"
                       "removed /a/2 1\n"
                       "stopping /a/1 1\n"
                       "exited /a/1 1 shutdown\n"
                       "removed /a/1 1\n");
    ask_replicas(&tree, "a", 2, &request);
    assert_int_equal(request.replicas, 2);
    assert_int_equal(tree_state(&tree, "/a/1"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

static void resizes_wait_for_their_turn(void **state)
{
    struct request grow, shrink;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    tree.probes[0].starts_later = true;
    ask_replicas(&tree, "a", 3, &grow);
    ask_replicas(&tree, "a", 1, &shrink);
    assert_int_equal(grow.answers + shrink.answers, 0);
    bough_ready(tree.probes[0].actor);
    bough_test_advance(tree.test, 0);
    request_expect(&grow, BOUGH_OK);
    request_expect(&shrink, BOUGH_OK);
    assert_false(tree_knows(&tree, "/a/1"));
    tree_finish(&tree);
}

static void a_new_member_that_cannot_start_ends_the_growth(void **state)
{
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 1);
    tree.probes[0].init_status = BOUGH_ERANGE;
    ask_replicas(&tree, "a", 3, &request);
    request_expect(&request, BOUGH_EFAILED);
    assert_string_equal(request.text, "/a/1 did not start: error: range");
    assert_false(tree_knows(&tree, "/a/1"));
    assert_int_equal(tree_state(&tree, "/a"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

static void replicas_of_what_is_no_group_are_refused(void **state)
{
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    ask_replicas(&tree, "b", 2, &request);
    request_expect(&request, BOUGH_EREFUSED);
    assert_string_equal(request.text, "/b is one child, and no group of replicas");
    ask_replicas(&tree, "x", 2, &request);
    request_expect(&request, BOUGH_ENOTFOUND);
    ask_replicas(&tree, "a", 0, &request);
    request_expect(&request, BOUGH_ERANGE);
    tree_finish(&tree);
}

static void a_restarted_group_has_the_number_of_its_spec(void **state)
{
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 2);
    ask_replicas(&tree, "a", 4, &request);
    tree_kill_path(&tree, "/a");
    assert_int_equal(tree_state(&tree, "/a/1"), BOUGH_PLACE_RUNNING);
    assert_false(tree_knows(&tree, "/a/2"));
    tree_finish(&tree);
}

static void a_group_can_be_added_and_deleted(void **state)
{
    struct bough_child_spec spec;
    struct request request;
    struct trail trail;
    struct tree tree;

    group_start(&tree, *state, &trail, 1);
    spec = tree_probe_spec(&tree, "x", 3);
    spec.replicas = 2;
    tree_start_child(&tree, &spec, &request);
    request_expect(&request, BOUGH_OK);
    assert_int_equal(tree_state(&tree, "/x/1"), BOUGH_PLACE_RUNNING);
    assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
    assert_status(tree_ask(&tree, bough_supervisor_delete_child, "x"), BOUGH_OK);
    assert_false(tree_knows(&tree, "/x/1"));
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_group_starts_its_members_in_order_and_stops_them_in_reverse),
        fact(a_group_speaks_its_members_language),
        fact(a_group_is_one_child_to_its_supervisor),
        fact(a_question_is_answered_by_a_member),
        fact(round_robin_goes_around),
        fact(members_that_are_down_are_skipped),
        fact(when_none_is_up_messages_wait_at_a_member),
        fact(least_busy_finds_the_shortest_mailbox),
        fact(the_same_key_finds_the_same_member),
        fact(a_key_waits_for_its_member),
        fact(a_message_without_the_field_goes_around),
        fact(when_every_member_is_full_the_asker_is_told),
        fact(a_message_that_no_member_knows_is_refused),
        fact(members_are_restarted_singly),
        fact(a_group_that_gives_up_is_restarted_as_one_child),
        fact(without_a_limit_of_its_own_a_group_has_its_supervisors),
        fact(a_transient_group_is_over_with_its_last_member),
        fact(a_member_that_cannot_start_fails_the_group_and_the_tree),
        fact(a_group_grows),
        fact(a_group_shrinks_from_its_end),
        fact(resizes_wait_for_their_turn),
        fact(a_new_member_that_cannot_start_ends_the_growth),
        fact(replicas_of_what_is_no_group_are_refused),
        fact(a_restarted_group_has_the_number_of_its_spec),
        fact(a_group_can_be_added_and_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
