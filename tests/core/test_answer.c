/* test_answer.c - how a question is answered: later, in blocks, by another, too late.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/call.h>

#include <bough/tests/support/probe.h>

#define ask bough_probe_ask
#define ask_once bough_probe_ask_once
#define end bough_probe_end

static void an_answer_may_come_later(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const int64_t answer = 9;

    bough_probe_call_init(&call);
    ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    assert_int_equal(call.answers, 0);
    bough_question_reply(probe.question, &answer, sizeof(answer));
    assert_int_equal(call.answers, 0);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, 9);
    end(test, address);
}

static void a_later_refusal_has_its_sentence(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    bough_question_refuse(probe.question, BOUGH_EDENIED, "not %s", "you");
    bough_test_run(test);
    assert_status(call.status, BOUGH_EDENIED);
    assert_string_equal(call.text, "not you");
    end(test, address);
}

static void a_question_left_open_is_answered_at_the_end(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call calls[2];
    const enum bough_status expected[] = { BOUGH_ECRASHED, BOUGH_EGONE };

    for (int i = 0; i < 2; i++) {
        const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
        bough_probe_call_init(&calls[i]);
        ask(&calls[i], address, BOUGH_PROBE_LATER, 0);
        bough_test_run(test);
        if (i == 0) bough_kill(address);
        if (i == 1) bough_stop(address);
        bough_test_run(test);
        assert_int_equal(calls[i].answers, 1);
        assert_status(calls[i].status, expected[i]);
    }
}

static void what_was_sent_has_no_question(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    struct bough_block block;

    assert_status(bough_probe_send(address, BOUGH_PROBE_LATER, 0), BOUGH_OK);
    assert_status(bough_probe_send(address, BOUGH_PROBE_ECHO, 0), BOUGH_OK);
    bough_test_run(test);
    assert_null(probe.question);
    bough_question_reply(NULL, &block, sizeof(block));
    bough_question_refuse(NULL, BOUGH_EREFUSED, "no");
    bough_block_init(&block, NULL, 0, "x", 1);
    bough_question_reply_block(NULL, &block);
    assert_null(block.data);
    end(test, address);
}

static void an_answer_of_another_size_is_invalid(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, 77 };
    int32_t small[2] = { -1, -1 };

    bough_probe_call_init(&call);
    bough_call_start(&call.call, address, &message, sizeof(message), small,
                     sizeof(small[0]));
    bough_test_run(test);
    assert_status(call.status, BOUGH_EINVALID);
    assert_int_equal(small[0], -1);
    end(test, address);
}

static void reply_block(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    struct bough_block block;

    (void)probe;
    bough_block_init(&block, NULL, 0, &number, sizeof(number));
    if (number == 1) bough_block_bytes(&block, 0, &number, BOUGH_BLOCK_MAX);
    bough_reply_block(actor, &block);
    assert_false(bough_is_asked(actor));
    bough_reply(actor, &number, sizeof(number));
}

static void a_block_is_an_answer_and_only_the_first_counts(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = reply_block };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(ask_once(test, address, BOUGH_PROBE_HOOK, 0).status, BOUGH_OK);
    assert_status(ask_once(test, address, BOUGH_PROBE_HOOK, 1).status, BOUGH_ETOOLARGE);
    end(test, address);
}

static void reply_block_later(struct bough_actor *actor, struct bough_probe *probe,
                              int64_t number)
{
    struct bough_question *question = bough_later(actor);
    struct bough_block block;

    (void)probe;
    bough_block_init(&block, NULL, 0, &number, sizeof(number));
    bough_question_reply_block(question, &block);
    assert_null(block.data);
}

static void a_block_may_be_a_later_answer(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = reply_block_later };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(ask_once(test, address, BOUGH_PROBE_HOOK, 1).status, BOUGH_OK);
    end(test, address);
}

static void forward(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    const struct bough_address *other = probe->data;
    const enum bough_status status = bough_forward(actor, *other);

    (void)number;
    if (status != BOUGH_OK) bough_refuse(actor, status, "could not hand it on");
}

static void answer_forwarded(struct bough_actor *actor, struct bough_probe *probe,
                             int64_t number)
{
    (void)probe;
    bough_reply(actor, &number, sizeof(number));
}

static void a_message_can_be_handed_on(void **state)
{
    struct bough_test *test = *state;
    struct bough_address other;
    struct bough_probe front = { .hook = forward, .data = &other };
    struct bough_probe back = { .hook = answer_forwarded };
    const struct bough_address address = bough_probe_spawn(test, &front, NULL);

    other = bough_probe_spawn(test, &back, NULL);
    assert_status(ask_once(test, address, BOUGH_PROBE_HOOK, 1).status, BOUGH_OK);
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 2), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(front.runs, 2);
    assert_int_equal(back.runs, 2);
    assert_int_equal(back.numbers[1], 2);
    end(test, other);
    const struct bough_probe_call call = ask_once(test, address, BOUGH_PROBE_HOOK, 3);
    assert_status(call.status, BOUGH_EGONE);
    assert_string_equal(call.text, "could not hand it on");
    end(test, address);
}

static void forward_as_another(struct bough_actor *actor, struct bough_probe *probe,
                               int64_t number)
{
    const struct bough_probe_message message = { .kind = BOUGH_PROBE_ECHO,
                                                 .number = 2 * number };

    assert_status(bough_forward_as(actor, *(const struct bough_address *)probe->data,
                                   &message, sizeof(message)),
                  BOUGH_OK);
}

static void a_message_can_be_handed_on_in_other_words(void **state)
{
    struct bough_test *test = *state;
    struct bough_address other;
    struct bough_probe front = { .hook = forward_as_another, .data = &other };
    struct bough_probe back = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &front, NULL);
    struct bough_probe_call call;
    int64_t doubled = 0;

    other = bough_probe_spawn(test, &back, NULL);
    bough_probe_call_init(&call);
    const struct bough_probe_message message = { .kind = BOUGH_PROBE_HOOK, .number = 21 };
    bough_call_start(&call.call, address, &message, sizeof(message), &doubled,
                     sizeof(doubled));
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_int_equal(doubled, 42);
    end(test, other);
    end(test, address);
}

static void what_was_handed_on_is_not_the_first_ones_any_more(void **state)
{
    struct bough_test *test = *state;
    struct bough_address other;
    struct bough_probe front = { .hook = forward, .data = &other };
    struct bough_probe back = { .hook = answer_forwarded, .starts_later = true };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &front, NULL);

    other = bough_probe_spawn(test, &back, NULL);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, address, BOUGH_PROBE_HOOK, 1);
    bough_test_run(test);
    end(test, address);
    assert_int_equal(call.answers, 0);
    bough_ready(back.actor);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    end(test, other);
}

static void a_late_answer_is_never_the_next_questions(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe slow = { 0 }, other = { 0 };
    struct bough_probe_call first, second;
    const struct bough_address address = bough_probe_spawn(test, &slow, NULL);
    const struct bough_address next = bough_probe_spawn(test, &other, NULL);
    const int64_t wrong = 1, right = 2;

    bough_probe_call_init(&first);
    bough_probe_call_init(&second);
    ask(&first, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    bough_call_cancel(&first.call);
    ask(&second, next, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    assert_int_equal(second.call.index, 1); /* the entry of the first one */
    bough_question_reply(slow.question, &wrong, sizeof(wrong));
    bough_test_run(test);
    assert_int_equal(second.answers, 0);
    bough_question_reply(other.question, &right, sizeof(right));
    bough_test_run(test);
    assert_int_equal(second.answers, 1);
    assert_int_equal(second.number, right);
    bough_kill(address);
    end(test, next);
}
#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(an_answer_may_come_later),
        test_of(a_later_refusal_has_its_sentence),
        test_of(a_question_left_open_is_answered_at_the_end),
        test_of(what_was_sent_has_no_question),
        test_of(an_answer_of_another_size_is_invalid),
        test_of(a_block_is_an_answer_and_only_the_first_counts),
        test_of(a_block_may_be_a_later_answer),
        test_of(a_message_can_be_handed_on),
        test_of(a_message_can_be_handed_on_in_other_words),
        test_of(a_late_answer_is_never_the_next_questions),
        test_of(what_was_handed_on_is_not_the_first_ones_any_more),
    };
    return cmocka_run_group_tests_name("core/answer", tests, NULL, NULL);
}
