/* test_questions.c - which_children and count_children, and when they are answered.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/tree.h>

#include <stdio.h>
#include <string.h>

/* Which children, as text: "name type state life" and a comma between two. */
struct listing {
    struct bough_call call;
    unsigned answers;
    enum bough_status status;
    char text[512];
};

static void listed(struct bough_call *call, enum bough_status status)
{
    struct listing *self = bough_container(call, struct listing, call);
    const struct bough_children_reply *reply = call->reply;
    const struct bough_child_row *rows;
    size_t used = 0;

    self->answers++;
    self->status = status;
    if (status != BOUGH_OK) return;
    assert_true(bough_block_valid(bough_supervisor_type.messages[0].reply,
                                  bough_supervisor_type.messages[0].reply_count, reply,
                                  sizeof(*reply), call->reply_size));
    rows = bough_span_data(reply, reply->children);
    for (uint32_t i = 0; i < reply->children.len; i++) {
        enum bough_place_state state = (enum bough_place_state)rows[i].state;

        used += (size_t)snprintf(self->text + used, sizeof(self->text) - used,
                                 "%s%s %s %s %d", i > 0 ? ", " : "",
                                 bough_span_text(reply, rows[i].name),
                                 bough_span_text(reply, rows[i].type),
                                 bough_place_state_name(state), (int)rows[i].life);
    }
}

static void list(struct tree *tree, struct listing *listing)
{
    *listing = (struct listing){ .call = { .done = listed } };
    bough_supervisor_which_children(tree->supervisor, &listing->call);
    bough_test_advance(tree->test, 0);
}

static void counted(struct bough_call *call, enum bough_status status)
{
    (void)call;
    assert_status(status, BOUGH_OK);
}

#define expect_counts(tree, ...) \
    do { \
        const struct bough_child_counts expected = { __VA_ARGS__ }; \
        struct bough_supervisor_count_ask ask = { .call = { .done = counted }, \
                                                  .counts = { .specs = -1 } }; \
\
        bough_supervisor_count_children((tree)->supervisor, &ask); \
        bough_test_advance((tree)->test, 0); \
        assert_memory_equal(&ask.counts, &expected, sizeof(expected)); \
    } while (0)

static void which_children(void **state)
{
    struct listing listing;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.children[1] =
        (struct bough_child_spec){ .name = "sub", .type = &bough_supervisor_type };
    tree_start(&tree);
    tree_tell(&tree, 2, BOUGH_PROBE_FAIL);
    list(&tree, &listing);
    assert_status(listing.status, BOUGH_OK);
    assert_string_equal(listing.text,
                        "c probe running 2, sub supervisor running 1, a probe running 1");
    tree_finish(&tree);
}

static void which_children_of_an_empty_supervisor_are_none(void **state)
{
    struct listing listing;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 0);
    tree_start(&tree);
    list(&tree, &listing);
    assert_int_equal(listing.answers, 1);
    assert_status(listing.status, BOUGH_OK);
    assert_string_equal(listing.text, "");
    tree_finish(&tree);
}

static void a_finished_transient_child_is_listed_and_a_temporary_one_is_not(void **state)
{
    struct listing listing;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 3);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree.children[1].restart = BOUGH_TEMPORARY;
    tree_start(&tree);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    tree_tell(&tree, 1, BOUGH_PROBE_LEAVE);
    list(&tree, &listing);
    assert_string_equal(listing.text, "c probe running 1, a probe stopped 1");
    tree_finish(&tree);
}

static void questions_are_answered_while_a_child_starts(void **state)
{
    struct listing listing;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    tree.probes[0].starts_later = true;
    tree_tell(&tree, 0, BOUGH_PROBE_FAIL);
    list(&tree, &listing);
    assert_string_equal(listing.text, "a probe starting 2");
    tree_finish(&tree);
}

static void questions_are_answered_while_the_supervisor_ends(void **state)
{
    struct listing listing;
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.probes[0].ends_later = true;
    tree_start(&tree);
    bough_supervisor_stop(tree.supervisor);
    bough_test_advance(tree.test, 0);
    list(&tree, &listing);
    assert_string_equal(listing.text, "b probe stopped 1, a probe stopping 1");
    tree_finish(&tree);
}

static void count_children(void **state)
{
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 4);
    tree.children[0].restart = BOUGH_TRANSIENT;
    tree.children[1].restart = BOUGH_TEMPORARY;
    tree.children[3] =
        (struct bough_child_spec){ .name = "sub", .type = &bough_supervisor_type };
    tree_start(&tree);
    expect_counts(&tree, .specs = 4, .active = 4, .supervisors = 1, .workers = 3);
    tree_tell(&tree, 0, BOUGH_PROBE_LEAVE);
    expect_counts(&tree, .specs = 4, .active = 3, .supervisors = 1, .workers = 3);
    tree_tell(&tree, 1, BOUGH_PROBE_FAIL);
    expect_counts(&tree, .specs = 3, .active = 2, .supervisors = 1, .workers = 2);
    tree_finish(&tree);
}

static void never_succeed(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)actor;
    if (probe->inits > 1) probe->init_status = BOUGH_EFAILED;
}

struct between {
    struct tree *tree;
    struct bough_supervisor_count_ask ask;
    bool done;
};

static void counted_between(struct bough_call *call, enum bough_status status)
{
    struct bough_supervisor_count_ask *ask =
        bough_container(call, struct bough_supervisor_count_ask, call);
    struct between *self = bough_container(ask, struct between, ask);

    assert_status(status, BOUGH_OK);
    self->done = true;
    bough_supervisor_stop(self->tree->supervisor);
}

/* A child that fails to start over and over: the supervisor answers between two tries,
 * and can be stopped (OTP's hanging_restart_loop). */
static void count_restarting_children(void **state)
{
    struct between between = { .ask = { .call = { .done = counted_between } } };
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 2);
    tree.stays_inline = true;
    tree.options.intensity = 100000;
    tree.probes[0].on_init = never_succeed;
    between.tree = &tree;
    tree_start(&tree);
    bough_fail(tree.probes[0].actor, BOUGH_EFAILED, "once");
    bough_supervisor_count_children(tree.supervisor, &between.ask);
    bough_test_advance(tree.test, 0);
    assert_true(between.done);
    assert_int_equal(between.ask.counts.specs, 2);
    assert_int_equal(between.ask.counts.active, 1);
    assert_int_equal(between.ask.counts.workers, 2);
    assert_in_range(tree.probes[0].inits, 2, 1000);
    assert_int_equal(tree.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    assert_string_equal(tree.watch.reason.text, "");
    tree_finish(&tree);
}

static void a_child_that_cannot_start_is_tried_once_a_turn_of_the_loop(void **state)
{
    enum { TURNS = 50 };
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.stays_inline = true;
    tree.options.intensity = 100000;
    tree.probes[0].on_init = never_succeed;
    tree_start(&tree);
    bough_fail(tree.probes[0].actor, BOUGH_EFAILED, "once");
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        bough_loop_run_ready(tree.test->loop, SIZE_MAX);
        assert_in_range(tree.probes[0].inits, turn, turn + 1);
    }
    bough_supervisor_stop(tree.supervisor);
    bough_loop_run_ready(tree.test->loop, SIZE_MAX);
    tree_finish(&tree);
}

static void the_tables_of_its_messages_are_sound(void **state)
{
    const struct bough_actor_type *type = &bough_supervisor_type;
    struct bough_error error;

    (void)state;
    assert_int_equal(type->message_count, 9);
    for (size_t i = 0; i < type->message_count; i++) {
        const struct bough_message_type *message = &type->messages[i];

        if (!bough_fields_valid(message->fields, message->field_count, &error) ||
            !bough_fields_valid(message->reply, message->reply_count, &error))
            fail_msg("%s: %s", message->name, error.text);
    }
}

static void the_states_are_named_as_places_name_them(void **state)
{
    const struct bough_field *children = &bough_supervisor_type.messages[0].reply[0];
    const struct bough_field *row =
        bough_field_find(children->of, children->of_count, "state");

    (void)state;
    assert_non_null(row);
    for (int i = BOUGH_PLACE_RESERVED + 1; i < BOUGH_PLACE_STATE_COUNT; i++)
        assert_string_equal(row->choices[i],
                            bough_place_state_name((enum bough_place_state)i));
    assert_null(row->choices[BOUGH_PLACE_STATE_COUNT]);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(which_children),
        fact(which_children_of_an_empty_supervisor_are_none),
        fact(a_finished_transient_child_is_listed_and_a_temporary_one_is_not),
        fact(questions_are_answered_while_a_child_starts),
        fact(questions_are_answered_while_the_supervisor_ends),
        fact(count_children),
        fact(count_restarting_children),
        fact(a_child_that_cannot_start_is_tried_once_a_turn_of_the_loop),
        fact(the_tables_of_its_messages_are_sound),
        fact(the_states_are_named_as_places_name_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
