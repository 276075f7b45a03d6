/* test_batch.c - a turn in one call: each message is ended by the next, and what is not
 * taken stays.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/place.h>
#include <bough/tests/support/probe.h>

/* Message: one of the probe's. Actor: a journal, whose test says how many it may take. */

struct journal {
    struct bough_actor *actor;
    unsigned most;           /* of a batch; 0: all */
    struct bough_address to; /* where HOOK is handed on */
    unsigned batches, sizes[16];
    int64_t numbers[64];
    unsigned count;
    struct bough_question *question;
};

struct journal_options {
    struct journal *journal;
};

static enum bough_status journal_init(struct bough_actor *actor, const void *data)
{
    const struct journal_options *options = data;
    struct journal **self = bough_state(actor);

    *self = options->journal;
    (*self)->actor = actor;
    return BOUGH_OK;
}

static void journal_take(struct bough_actor *actor, struct journal *journal,
                         const struct bough_probe_message *message)
{
    if (journal->count < bough_count_of(journal->numbers))
        journal->numbers[journal->count] = message->number;
    journal->count++;
    switch (message->kind) {
    case BOUGH_PROBE_ECHO: bough_reply(actor, &message->number, sizeof(int64_t)); break;
    case BOUGH_PROBE_REFUSE: bough_refuse(actor, BOUGH_EREFUSED, "no"); break;
    case BOUGH_PROBE_LATER: journal->question = bough_later(actor); break;
    case BOUGH_PROBE_FAIL: bough_fail(actor, BOUGH_EFAILED, "told to"); break;
    case BOUGH_PROBE_LEAVE: bough_pause(actor); break;
    case BOUGH_PROBE_HOOK:
        assert_status(bough_forward(actor, journal->to), BOUGH_OK);
        break;
    case BOUGH_PROBE_NOTE:
    case BOUGH_PROBE_READY:
    case BOUGH_PROBE_KIND_COUNT: break;
    }
}

static void journal_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    struct journal *journal = *(struct journal **)bough_state(actor);
    const struct bough_probe_message *message;
    unsigned taken = 0;
    size_t size;

    while ((journal->most == 0 || taken < journal->most) &&
           (message = bough_batch_next(batch, &size)) != NULL) {
        assert_int_equal(size, sizeof(*message));
        journal_take(actor, journal, message);
        taken++;
    }
    journal->sizes[journal->batches++ % bough_count_of(journal->sizes)] = taken;
}

/* The probe's messages, whose table is its own. */
static const struct bough_message_type messages[] = {
    [BOUGH_PROBE_NOTE] = { .name = "note" },   [BOUGH_PROBE_ECHO] = { .name = "echo" },
    [BOUGH_PROBE_REFUSE] = { .name = "no" },   [BOUGH_PROBE_LATER] = { .name = "later" },
    [BOUGH_PROBE_FAIL] = { .name = "fail" },   [BOUGH_PROBE_LEAVE] = { .name = "pause" },
    [BOUGH_PROBE_READY] = { .name = "ready" }, [BOUGH_PROBE_HOOK] = { .name = "hook" },
};

static const struct bough_actor_type journal_type = {
    .name = "journal",
    .state_size = sizeof(struct journal *),
    .message_size = sizeof(struct bough_probe_message),
    .options_size = sizeof(struct journal_options),
    .messages = messages,
    .message_count = BOUGH_PROBE_KIND_COUNT,
    .init = journal_init,
    .run_batch = journal_run_batch,
};

static struct bough_address spawn(struct bough_test *test, struct journal *journal)
{
    const struct journal_options options = { journal };
    struct bough_address address;

    assert_status(bough_spawn(test->loop, &journal_type, &options, NULL, &address, NULL),
                  BOUGH_OK);
    return address;
}

static void write_notes(struct bough_address address, int from, int to)
{
    for (int i = from; i < to; i++)
        assert_status(bough_probe_send(address, BOUGH_PROBE_NOTE, i), BOUGH_OK);
}

static void expect_order(const struct journal *journal, unsigned count)
{
    assert_int_equal(journal->count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(journal->numbers[i], i);
}

static uint64_t handled(struct bough_address address)
{
    struct bough_place_info info;

    assert_status(bough_place_info(address, &info), BOUGH_OK);
    return info.handled;
}

static void all_that_wait_are_one_batch(void **state)
{
    struct bough_test *test = *state;
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);

    write_notes(address, 0, 20);
    bough_test_run(test);
    assert_int_equal(journal.batches, 1);
    expect_order(&journal, 20);
    assert_int_equal(handled(address), 20);
    bough_probe_end(test, address);
}

static void what_is_not_taken_stays(void **state)
{
    struct bough_test *test = *state;
    struct journal journal = { .most = 3 };
    const struct bough_address address = spawn(test, &journal);

    write_notes(address, 0, 7);
    bough_test_run(test);
    assert_int_equal(journal.batches, 3);
    assert_int_equal(journal.sizes[0], 3);
    assert_int_equal(journal.sizes[2], 1);
    expect_order(&journal, 7);
    bough_probe_end(test, address);
}

static void ask(struct bough_probe_call *calls, size_t index, struct bough_address to,
                enum bough_probe_kind kind)
{
    bough_probe_call_init(&calls[index]);
    bough_probe_ask(&calls[index], to, kind, (int64_t)index);
}

static void refuse(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    (void)probe;
    (void)number;
    bough_refuse(actor, BOUGH_EDENIED, "not here");
}

static void each_message_has_its_own_answer(void **state)
{
    static const enum bough_probe_kind kinds[] = {
        BOUGH_PROBE_NOTE,  BOUGH_PROBE_ECHO, BOUGH_PROBE_REFUSE, BOUGH_PROBE_HOOK,
        BOUGH_PROBE_LATER, BOUGH_PROBE_NOTE, BOUGH_PROBE_ECHO,
    };
    static const enum bough_status expected[] = {
        BOUGH_ENOREPLY, BOUGH_OK,       BOUGH_EREFUSED, BOUGH_EDENIED,
        BOUGH_EGONE,    BOUGH_ENOREPLY, BOUGH_OK,
    };
    struct bough_test *test = *state;
    struct bough_probe_call calls[bough_count_of(kinds)];
    struct journal journal = { 0 };
    struct bough_probe other = { .hook = refuse };
    const struct bough_address address = spawn(test, &journal);

    journal.to = bough_probe_spawn(test, &other, NULL);
    for (size_t i = 0; i < bough_count_of(kinds); i++)
        ask(calls, i, address, kinds[i]);
    bough_test_run(test);
    assert_non_null(journal.question);
    assert_int_equal(calls[4].answers, 0);
    bough_exit(journal.actor, BOUGH_EXIT_NORMAL);
    bough_test_run(test);
    for (size_t i = 0; i < bough_count_of(kinds); i++) {
        assert_int_equal(calls[i].answers, 1);
        assert_status(calls[i].status, expected[i]);
    }
    assert_int_equal(calls[6].number, 6);
    bough_probe_end(test, journal.to);
}

static void after_a_failure_there_is_no_next(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call calls[3];
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);

    ask(calls, 0, address, BOUGH_PROBE_ECHO);
    ask(calls, 1, address, BOUGH_PROBE_FAIL);
    ask(calls, 2, address, BOUGH_PROBE_ECHO);
    bough_test_run(test);
    assert_int_equal(journal.count, 2);
    assert_status(calls[0].status, BOUGH_OK);
    assert_status(calls[1].status, BOUGH_ECRASHED);
    assert_status(calls[2].status, BOUGH_EGONE);
}

static void a_pause_ends_the_batch(void **state)
{
    struct bough_test *test = *state;
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);

    write_notes(address, 0, 2);
    assert_status(bough_probe_send(address, BOUGH_PROBE_LEAVE, 2), BOUGH_OK);
    write_notes(address, 3, 5);
    bough_test_run(test);
    expect_order(&journal, 3);
    bough_resume(journal.actor);
    bough_test_run(test);
    expect_order(&journal, 5);
    bough_probe_end(test, address);
}

static void an_unknown_message_is_left_out(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe_call call;
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);

    write_notes(address, 0, 1);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, address, BOUGH_PROBE_KIND_COUNT, 100);
    write_notes(address, 1, 2);
    bough_test_run(test);
    assert_status(call.status, BOUGH_EINVALID);
    expect_order(&journal, 2);
    assert_int_equal(journal.batches, 1);
    bough_probe_end(test, address);
}

static void the_budget_is_kept(void **state)
{
    struct bough_test *test = *state;
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);

    write_notes(address, 0, 20);
    bough_loop_run_ready(test->loop, 5);
    assert_int_equal(journal.count, 5);
    assert_int_equal(bough_mailbox_length(journal.actor), 15);
    bough_test_run(test);
    expect_order(&journal, 20);
    bough_probe_end(test, address);
}

static void high_messages_come_first(void **state)
{
    struct bough_test *test = *state;
    struct journal journal = { 0 };
    const struct bough_address address = spawn(test, &journal);
    const struct bough_probe_message first = { BOUGH_PROBE_NOTE, 0 };

    write_notes(address, 1, 3);
    assert_status(bough_send_high(address, &first, sizeof(first)), BOUGH_OK);
    bough_test_run(test);
    expect_order(&journal, 3);
    bough_probe_end(test, address);
}

static void take_nothing(struct bough_actor *actor, struct bough_batch *batch)
{
    (void)actor;
    (void)batch;
}

static void run_idle(void *data)
{
    struct bough_test *test = data;
    static const struct bough_actor_type idle = {
        .name = "idle",
        .run_batch = take_nothing,
    };
    struct bough_address address;

    assert_status(bough_spawn(test->loop, &idle, NULL, NULL, &address, NULL), BOUGH_OK);
    assert_status(bough_send(address, "12345678", 8), BOUGH_OK);
    bough_loop_run_ready(test->loop, 10);
}

static void a_batch_of_which_nothing_is_taken_is_a_bug(void **state)
{
    assert_true(bough_test_aborts(run_idle, *state));
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(all_that_wait_are_one_batch),
        test_of(what_is_not_taken_stays),
        test_of(each_message_has_its_own_answer),
        test_of(after_a_failure_there_is_no_next),
        test_of(a_pause_ends_the_batch),
        test_of(an_unknown_message_is_left_out),
        test_of(the_budget_is_kept),
        test_of(high_messages_come_first),
        test_of(a_batch_of_which_nothing_is_taken_is_a_bug),
    };
    return cmocka_run_group_tests_name("core/batch", tests, NULL, NULL);
}
