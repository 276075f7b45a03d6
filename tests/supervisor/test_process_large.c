/* test_process_large.c - messages and answers that are too large for a ring, and the
 * descriptors that they travel in.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/fragile.h>

#include <bough/supervisor/process/border_internal.h>

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile", .type = &fragile_type, .isolation = BOUGH_PROCESS },
        { .name = "beside", .type = &fragile_type },
    };
    struct tree *tree = start(children, bough_count_of(children));

    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    *state = tree;
    return 0;
}

static void ask_large(struct tree *tree, struct question *question, int64_t number)
{
    const struct fragile_message message = { FRAGILE_ECHO, number };
    void *large = fragile_large(&message, sizeof(message));

    *question = (struct question){ .call = { .done = done, .loop = tree->loop } };
    bough_call_start(&question->call, tree->fragile, large, FRAGILE_LARGE, NULL, 0);
    free(large);
    bough_loop_run_ready(tree->loop, SIZE_MAX);
}

static struct rlimit parent_opens_no_files(void)
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fragile_open_no_files();
    return before;
}

static void parent_opens_files(struct rlimit before)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static int64_t ask_runs(struct tree *tree)
{
    const struct question question = ask_once(tree, FRAGILE_ECHO, 0);

    assert_status(question.status, BOUGH_OK);
    return question.reply.runs;
}

static void they_come_and_go(void **state)
{
    struct tree *tree = *state;
    struct question there;

    ask_large(tree, &there, 1);
    wait_for(tree, &there.done);
    assert_status(there.status, BOUGH_OK);
    assert_int_equal(there.reply.number, 1);
    const struct question back = ask_once(tree, FRAGILE_ECHO_LARGE, 2);
    assert_status(back.status, BOUGH_OK);
    assert_int_equal(back.reply.number, 2);
    assert_int_equal(back.call.reply_size, FRAGILE_LARGE);
    assert_int_equal(ask_once(tree, FRAGILE_ASK_LARGE, 0).reply.number, 0);
}

static void one_without_a_descriptor_fails_and_holds_up_nobody(void **state)
{
    struct tree *tree = *state;
    struct question large, behind, last;

    const struct rlimit before = parent_opens_no_files();
    ask_large(tree, &large, 1);
    ask(tree, &behind, FRAGILE_ECHO, 2);
    wait_for(tree, &behind.done);
    parent_opens_files(before);
    ask_large(tree, &last, 3);
    wait_for(tree, &last.done);
    assert_true(large.done);
    assert_status(large.status, BOUGH_ENOMEM);
    assert_non_null(
        strstr(tree->log, "no descriptor, or no memory, for its 65536 bytes"));
    assert_int_equal(behind.reply.number, 2);
    assert_int_equal(behind.reply.runs, 1);
    assert_status(last.status, BOUGH_OK);
    assert_int_equal(last.reply.runs, 2);
}

/* Who cannot receive it does not take it for nonsense. */
static void an_answer_that_cannot_be_received_is_an_error(void **state)
{
    struct tree *tree = *state;
    const struct rlimit before = parent_opens_no_files();
    const struct question question = ask_once(tree, FRAGILE_ECHO_LARGE, 1);

    assert_status(question.status, BOUGH_ENOMEM);
    assert_string_equal(question.text, BOUGH_FRAME_LOST_TEXT);
    assert_int_equal(ask_runs(tree), 2);
    parent_opens_files(before);
    assert_status(ask_once(tree, FRAGILE_ECHO_LARGE, 3).status, BOUGH_OK);
    assert_int_equal(ask_runs(tree), 4);
}

static void an_answer_that_cannot_be_sent_is_an_error(void **state)
{
    struct tree *tree = *state;

    assert_status(ask_once(tree, FRAGILE_NO_FILES, 0).status, BOUGH_OK);
    const struct question question = ask_once(tree, FRAGILE_ECHO_LARGE, 1);
    assert_status(question.status, BOUGH_ENOMEM);
    assert_string_equal(question.text, BOUGH_FRAME_LOST_TEXT);
    assert_int_equal(ask_runs(tree), 3);
}

static void a_question_of_its_own_that_cannot_be_sent_is_an_error(void **state)
{
    struct tree *tree = *state;

    assert_status(ask_once(tree, FRAGILE_NO_FILES, 0).status, BOUGH_OK);
    assert_status(ask_once(tree, FRAGILE_ASK_LARGE, 0).status, BOUGH_ENOMEM);
    assert_int_equal(ask_runs(tree), 3);
}

static void a_question_of_its_own_that_cannot_be_received_is_an_error(void **state)
{
    struct tree *tree = *state;
    const struct rlimit before = parent_opens_no_files();
    const struct question question = ask_once(tree, FRAGILE_ASK_LARGE, 0);

    parent_opens_files(before);
    assert_status(question.status, BOUGH_ENOMEM);
    assert_string_equal(question.text, BOUGH_FRAME_LOST_TEXT);
    assert_int_equal(ask_runs(tree), 2);
}

/* It begins anew, with all descriptors, and the message is the next life's. */
static void a_process_that_can_receive_none_ends(void **state)
{
    struct tree *tree = *state;
    struct question large;

    assert_status(ask_once(tree, FRAGILE_NO_FILES, 0).status, BOUGH_OK);
    ask_large(tree, &large, 1);
    wait_for(tree, &large.done);
    assert_status(large.status, BOUGH_OK);
    assert_int_equal(large.reply.runs, 1);
    assert_int_equal(tree->end.reason.kind, BOUGH_EXIT_ERROR);
    assert_int_equal(tree->end.reason.status, BOUGH_ENOMEM);
    assert_string_equal(tree->end.reason.text, BOUGH_FRAME_LOST_TEXT);
}

#define test_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(they_come_and_go),
        test_of(one_without_a_descriptor_fails_and_holds_up_nobody),
        test_of(an_answer_that_cannot_be_received_is_an_error),
        test_of(an_answer_that_cannot_be_sent_is_an_error),
        test_of(a_question_of_its_own_that_cannot_be_sent_is_an_error),
        test_of(a_question_of_its_own_that_cannot_be_received_is_an_error),
        test_of(a_process_that_can_receive_none_ends),
    };

    return cmocka_run_group_tests_name("supervisor/process_large", tests, NULL, NULL);
}
