/* test_call.c - each question is answered exactly once, and never from inside the asking.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/call.h>

#include <stdlib.h>

#include <bough/tests/support/probe.h>

#define ask bough_probe_ask
#define ask_once bough_probe_ask_once
#define end bough_probe_end

static void a_question_is_answered(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_call call = ask_once(test, address, BOUGH_PROBE_ECHO, 42);

    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, 42);
    end(test, address);
}

static void a_refusal_has_its_sentence(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_call call = ask_once(test, address, BOUGH_PROBE_REFUSE, 3);

    assert_status(call.status, BOUGH_EREFUSED);
    assert_string_equal(call.text, "not 3");
    end(test, address);
}

static void who_is_not_answered_is_told_so(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_call call = ask_once(test, address, BOUGH_PROBE_NOTE, 1);

    assert_status(call.status, BOUGH_ENOREPLY);
    assert_string_equal(call.text, bough_status_text(BOUGH_ENOREPLY));
    end(test, address);
}

static void who_asked_the_message_that_broke_it_is_told_so(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_call call = ask_once(test, address, BOUGH_PROBE_FAIL, 5);

    assert_status(call.status, BOUGH_ECRASHED);
    assert_string_equal(call.text, "error: failed: told to fail, 5");
}

static void who_asked_one_that_left_is_told_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_status(ask_once(test, address, BOUGH_PROBE_LEAVE, 0).status, BOUGH_EGONE);
    assert_status(ask_once(test, address, BOUGH_PROBE_ECHO, 0).status, BOUGH_EGONE);
}

static void a_question_has_a_time_limit(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    call.call.timeout_ms = 100;
    ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_advance(test, 99);
    assert_int_equal(call.answers, 0);
    bough_test_advance(test, 1);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ETIMEOUT);
    bough_question_reply(probe.question, &call.number, sizeof(call.number));
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    end(test, address);
}

static void an_answer_in_time_ends_the_limit(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    call.call.timeout_ms = 100;
    ask(&call, address, BOUGH_PROBE_ECHO, 0);
    bough_test_run(test);
    assert_int_equal(bough_loop_count(test->loop).timeouts, 0);
    bough_test_advance(test, 1000);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    end(test, address);
}

static void for_ever_is_a_limit_too(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    call.call.timeout_ms = BOUGH_FOREVER;
    ask(&call, address, BOUGH_PROBE_LATER, 0);
    bough_test_advance(test, INT64_C(1000) * 3600 * 24 * 365);
    assert_int_equal(call.answers, 0);
    end(test, address);
    assert_int_equal(call.answers, 1);
}

static void a_question_can_be_taken_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    bough_call_cancel(&call.call);
    call.call.timeout_ms = 10;
    ask(&call, address, BOUGH_PROBE_ECHO, 1);
    bough_call_cancel(&call.call);
    bough_call_cancel(&call.call);
    bough_test_advance(test, 100);
    assert_int_equal(call.answers, 0);
    assert_int_equal(probe.runs, 1);
    end(test, address);
}

static void an_answer_on_its_way_can_be_taken_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    ask(&call, address, BOUGH_PROBE_LATER, 1);
    bough_test_run(test);
    bough_question_refuse(probe.question, BOUGH_EREFUSED, "a sentence in a cell");
    bough_call_cancel(&call.call);
    bough_test_run(test);
    assert_int_equal(call.answers, 0);
    end(test, address);
}

static void a_refused_question_can_be_taken_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    end(test, address);
    bough_probe_call_init(&call);
    ask(&call, address, BOUGH_PROBE_ECHO, 1);
    bough_call_cancel(&call.call);
    bough_test_run(test);
    assert_int_equal(call.answers, 0);
}

static void the_end_of_the_owner_takes_its_questions_back(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe asker = { 0 }, probe = { 0 };
    struct bough_probe_call open, answered;
    const struct bough_address owner = bough_probe_spawn(test, &asker, NULL);
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&open);
    bough_probe_call_init(&answered);
    open.call.owner = answered.call.owner = asker.actor;
    open.call.timeout_ms = 50;
    ask(&answered, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    struct bough_question *question = probe.question;
    ask(&open, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    bough_question_refuse(question, BOUGH_EREFUSED, "too late");
    bough_kill(owner);
    bough_test_advance(test, 100);
    assert_int_equal(open.answers + answered.answers, 0);
    assert_int_equal(bough_loop_count(test->loop).calls, 0);
    end(test, address);
}

static void the_memory_of_a_dead_asker_is_not_touched(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe asker = { 0 }, probe = { 0 };
    const struct bough_address owner = bough_probe_spawn(test, &asker, NULL);
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    struct bough_probe_call *call = malloc(sizeof(*call));

    assert_non_null(call);
    bough_probe_call_init(call);
    call->call.owner = asker.actor;
    ask(call, address, BOUGH_PROBE_LATER, 0);
    bough_test_run(test);
    end(test, owner);
    free(call);
    bough_question_reply(probe.question, &probe.runs, sizeof(int64_t));
    bough_test_run(test);
    end(test, address);
}

static void refusals_come_to_done_and_not_at_once(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call calls[2];
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ &probe },
        .capacity = 1,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    for (int i = 0; i < 2; i++) {
        bough_probe_call_init(&calls[i]);
        ask(&calls[i], place, BOUGH_PROBE_ECHO, i);
    }
    assert_int_equal(calls[1].answers, 0);
    bough_test_run(test);
    assert_status(calls[0].status, BOUGH_OK);
    assert_status(calls[1].status, BOUGH_EFULL);
    assert_int_equal(bough_loop_count(test->loop).dead_letters, 0);
    end(test, place);
    bough_place_free(place, 0);
}

static void a_question_to_nobody_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe asker = { 0 };
    struct bough_probe_call call;
    const struct bough_address owner = bough_probe_spawn(test, &asker, NULL);

    bough_probe_call_init(&call);
    call.call.owner = asker.actor;
    ask(&call, BOUGH_NOBODY, BOUGH_PROBE_ECHO, 0);
    assert_int_equal(call.answers, 0);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    end(test, owner);
}

static void an_actor_may_ask_itself(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    call.call.owner = probe.actor;
    ask(&call, address, BOUGH_PROBE_ECHO, 11);
    bough_test_run(test);
    assert_int_equal(call.number, 11);
    end(test, address);
}

struct chain {
    struct bough_call call;
    struct bough_address address;
    int left;
};

static void chain_ask(struct chain *chain)
{
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, chain->left };

    bough_call_start(&chain->call, chain->address, &message, sizeof(message), NULL, 0);
}

static void chain_done(struct bough_call *call, enum bough_status status)
{
    struct chain *chain = bough_container(call, struct chain, call);

    assert_status(status, BOUGH_OK);
    assert_int_equal(call->reply_size, sizeof(int64_t));
    assert_int_equal(*(const int64_t *)call->reply, chain->left);
    if (--chain->left > 0) {
        chain_ask(chain);
    } else {
        free(chain);
    }
}

static void a_call_may_be_asked_again_or_freed_when_it_is_done(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct chain *chain = calloc(1, sizeof(*chain));

    assert_non_null(chain);
    chain->address = bough_probe_spawn(test, &probe, NULL);
    chain->call.done = chain_done;
    chain->left = 5;
    const struct bough_address address = chain->address;
    chain_ask(chain);
    bough_test_run(test);
    assert_int_equal(probe.runs, 5);
    end(test, address);
}

struct in_place {
    struct bough_probe_call calls[2];
    struct bough_address address;
    bool began[2];
};

/* Two questions for a mailbox that takes one. */
static void ask_in_place(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, number };
    struct in_place *world = probe->data;

    for (int i = 0; i < 2; i++) {
        struct bough_call *call = &world->calls[i].call;
        int64_t *answer = &world->calls[i].number;

        call->owner = actor;
        struct bough_probe_message *room = bough_call_begin(
            call, world->address, sizeof(message), answer, sizeof(*answer));
        world->began[i] = room != NULL;
        if (room != NULL)
            *room = message;
        else
            bough_call_start(call, world->address, &message, sizeof(message), answer,
                             sizeof(*answer));
    }
}

static void a_question_is_made_where_it_will_lie(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe asker = { .hook = ask_in_place }, probe = { 0 };
    struct in_place world = { .address = { 0 } };
    const struct bough_address address = bough_probe_spawn(test, &asker, NULL);
    const struct bough_probe_options options = { .probe = &probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type, .options = &options, .name = "/", .capacity = 1
    };

    asker.data = &world;
    bough_probe_call_init(&world.calls[0]);
    bough_probe_call_init(&world.calls[1]);
    assert_status(bough_place_new(test->loop, &spec, &world.address), BOUGH_OK);
    bough_probe_start(world.address, NULL);
    /* A loop has memory for questions once there was one. */
    assert_status(ask_once(test, world.address, BOUGH_PROBE_ECHO, 0).status, BOUGH_OK);
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 12), BOUGH_OK);
    bough_test_run(test);
    assert_true(world.began[0]);
    assert_int_equal(world.calls[0].number, 12);
    assert_false(world.began[1]);
    assert_int_equal(world.calls[1].answers, 1);
    assert_status(world.calls[1].status, BOUGH_EFULL);
    end(test, address);
    end(test, world.address);
    bough_place_free(world.address, 0);
}

static void nothing_is_begun_in_place_from_outside(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call call;
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    bough_probe_call_init(&call);
    assert_null(bough_call_begin(&call.call, address, sizeof(struct bough_probe_message),
                                 NULL, 0));
    ask(&call, address, BOUGH_PROBE_ECHO, 13);
    bough_test_run(test);
    assert_int_equal(call.number, 13);
    end(test, address);
}

/* Answers with the number, in place if it can be done, and looks whether it can be twice.
 */
struct reply_in_place {
    struct bough_call call;
    int64_t answer;
    unsigned answers, began;
};

static void reply_in_place(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    struct reply_in_place *world = probe->data;
    int64_t *room = bough_reply_begin(actor, sizeof(*room));

    if (room != NULL) {
        *room = number;
        world->began++;
        assert_null(bough_reply_begin(actor, sizeof(*room)));
        assert_false(bough_is_asked(actor));
    } else {
        bough_reply(actor, &number, sizeof(number));
    }
}

static void was_replied(struct bough_call *call, enum bough_status status)
{
    struct reply_in_place *world = bough_container(call, struct reply_in_place, call);

    world->answers++;
    assert_status(status, BOUGH_OK);
    assert_int_equal(call->reply_size, sizeof(world->answer));
    world->answer = *(const int64_t *)call->reply;
}

static void an_answer_is_made_where_it_will_lie(void **state)
{
    struct bough_test *test = *state;
    struct reply_in_place world = { .call.done = was_replied };
    struct bough_probe probe = { .hook = reply_in_place, .data = &world };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_message message = { BOUGH_PROBE_HOOK, 14 };

    /* A loop has memory for answers once there was something of that size. */
    assert_status(ask_once(test, address, BOUGH_PROBE_ECHO, 0).status, BOUGH_OK);
    bough_call_start(&world.call, address, &message, sizeof(message), NULL, 0);
    bough_test_run(test);
    assert_int_equal(world.began, 1);
    assert_int_equal(world.answers, 1);
    assert_int_equal(world.answer, 14);

    /* Not where the asker has room for it, nor when nobody asks. */
    int64_t result = 0;
    world.answer = 0;
    bough_call_start(&world.call, address, &message, sizeof(message), &result,
                     sizeof(result));
    assert_status(bough_probe_send(address, BOUGH_PROBE_HOOK, 15), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(world.began, 1);
    assert_int_equal(world.answers, 2);
    assert_int_equal(result, 14);
    end(test, address);
}

static void a_block_is_asked_and_finished(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call calls[2];
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, 5 };
    struct bough_block block;

    for (int i = 0; i < 2; i++) {
        bough_probe_call_init(&calls[i]);
        bough_block_init(&block, NULL, 0, &message, sizeof(message));
        if (i == 1) bough_block_bytes(&block, 0, &message, BOUGH_BLOCK_MAX);
        bough_call_block(&calls[i].call, address, &block);
        assert_null(block.data);
    }
    bough_test_run(test);
    assert_status(calls[0].status, BOUGH_OK);
    assert_int_equal(calls[1].answers, 1);
    assert_status(calls[1].status, BOUGH_ETOOLARGE);
    end(test, address);
}

static void what_waits_is_answered_when_the_place_ends(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_probe_call to_life, to_place;
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    bough_probe_start(place, NULL);
    bough_probe_call_init(&to_life);
    bough_probe_call_init(&to_place);
    ask(&to_life, bough_self(probe.actor), BOUGH_PROBE_ECHO, 1);
    ask(&to_place, place, BOUGH_PROBE_ECHO, 2);
    end(test, place);
    assert_status(to_life.status, BOUGH_EGONE);
    assert_int_equal(to_life.answers, 1);
    assert_int_equal(to_place.answers, 0);
    bough_place_free(place, 0);
    bough_test_run(test);
    assert_status(to_place.status, BOUGH_EGONE);
    assert_int_equal(to_place.answers, 1);
}

static void ten_thousand_questions_are_each_answered_once(void **state)
{
    struct bough_test *test = *state;
    enum { COUNT = 10000, TAKEN = BOUGH_MAILBOX_CAPACITY };
    struct bough_probe probe = { 0 };
    struct bough_probe_call *calls = calloc(COUNT, sizeof(*calls));
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    unsigned answered = 0, full = 0;

    assert_non_null(calls);
    for (int i = 0; i < COUNT; i++) {
        bough_probe_call_init(&calls[i]);
        calls[i].call.timeout_ms = 1000 + i;
        ask(&calls[i], address, BOUGH_PROBE_ECHO, i);
    }
    bough_test_run(test);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(calls[i].answers, 1);
        if (calls[i].status == BOUGH_OK) answered++;
        if (calls[i].status == BOUGH_EFULL) full++;
    }
    assert_int_equal(answered, TAKEN);
    assert_int_equal(full, COUNT - TAKEN);
    free(calls);
    end(test, address);
}

static void ask_twice(void *data)
{
    struct bough_probe_call call;
    struct bough_address *address = data;

    bough_probe_call_init(&call);
    ask(&call, *address, BOUGH_PROBE_LATER, 0);
    ask(&call, *address, BOUGH_PROBE_LATER, 0);
}

static void a_call_in_flight_cannot_be_asked_again(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_address address = bough_probe_spawn(test, &probe, NULL);

    assert_true(bough_test_aborts(ask_twice, &address));
    end(test, address);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_question_is_answered),
        test_of(a_refusal_has_its_sentence),
        test_of(who_is_not_answered_is_told_so),
        test_of(who_asked_the_message_that_broke_it_is_told_so),
        test_of(who_asked_one_that_left_is_told_gone),
        test_of(a_question_has_a_time_limit),
        test_of(an_answer_in_time_ends_the_limit),
        test_of(for_ever_is_a_limit_too),
        test_of(a_question_can_be_taken_back),
        test_of(an_answer_on_its_way_can_be_taken_back),
        test_of(a_refused_question_can_be_taken_back),
        test_of(the_end_of_the_owner_takes_its_questions_back),
        test_of(the_memory_of_a_dead_asker_is_not_touched),
        test_of(refusals_come_to_done_and_not_at_once),
        test_of(a_question_to_nobody_is_gone),
        test_of(an_actor_may_ask_itself),
        test_of(a_call_may_be_asked_again_or_freed_when_it_is_done),
        test_of(a_question_is_made_where_it_will_lie),
        test_of(nothing_is_begun_in_place_from_outside),
        test_of(an_answer_is_made_where_it_will_lie),
        test_of(a_block_is_asked_and_finished),
        test_of(what_waits_is_answered_when_the_place_ends),
        test_of(ten_thousand_questions_are_each_answered_once),
        test_of(a_call_in_flight_cannot_be_asked_again),
    };
    return cmocka_run_group_tests_name("core/call", tests, NULL, NULL);
}
