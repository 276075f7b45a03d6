/* test_letters.c - what crosses from one loop to another: messages, calls, watches, ends.
 *
 * On the virtual clock, where the loops take turns: so each fact is had again in the same
 * order of events. Those of places on loops of their own are in test_apart.c, those of
 * real threads in test_threads.c.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "apart.h"

/* Messages */

static void messages_arrive_in_order_and_once(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    for (int i = 0; i < BOUGH_PROBE_NUMBERS; i++)
        assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    assert_int_equal(apart.probe.runs, 0);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, BOUGH_PROBE_NUMBERS);
    for (int i = 0; i < BOUGH_PROBE_NUMBERS; i++)
        assert_int_equal(apart.probe.numbers[i], i);
    apart_close(&apart);
}

/* Any number of bytes that say which message they are. */

enum { SMALL = 16, MEDIUM = 3000, LARGE = 100 * 1000, SIZES = 3 };

struct ear {
    uint32_t heard;
    bool in_order;
};

static const size_t sizes[SIZES] = { SMALL, LARGE, MEDIUM };

static enum bough_status ear_init(struct bough_actor *actor, const void *options)
{
    *(struct ear **)bough_state(actor) = *(struct ear *const *)options;
    return BOUGH_OK;
}

static void ear_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct ear *ear = *(struct ear **)bough_state(actor);
    const unsigned char *bytes = message;
    const unsigned char mark = (unsigned char)ear->heard;

    if (size != sizes[ear->heard % SIZES] || bytes[0] != mark || bytes[size - 1] != mark)
        ear->in_order = false;
    ear->heard++;
}

static const struct bough_actor_type ear_type = {
    .name = "ear",
    .state_size = sizeof(struct ear *),
    .options_size = sizeof(struct ear *),
    .init = ear_init,
    .run = ear_run,
};

static struct bough_address ear_place(struct apart *apart, struct ear *ear)
{
    const struct bough_place_spec spec = {
        .type = &ear_type,
        .options = &ear,
        .parent = apart->top,
        .name = "ear",
        .isolation = BOUGH_THREAD,
    };
    struct bough_address place;

    *ear = (struct ear){ .in_order = true };
    assert_status(bough_place_new(apart->test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    return place;
}

static void send_of_all_sizes(struct bough_address to, uint32_t count)
{
    static unsigned char bytes[LARGE];

    for (uint32_t i = 0; i < count; i++) {
        memset(bytes, (int)(i & 0xff), sizes[i % SIZES]);
        assert_status(bough_send(to, bytes, sizes[i % SIZES]), BOUGH_OK);
    }
}

static void large_messages_keep_their_order_with_small_ones(void **state)
{
    struct apart apart;
    struct ear ear;

    apart_open(&apart, *state);
    const struct bough_address place = ear_place(&apart, &ear);
    send_of_all_sizes(place, 100);
    apart_run(&apart);
    assert_int_equal(ear.heard, 100);
    assert_true(ear.in_order);
    apart_close(&apart);
}

static void send_from_root(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    (void)actor;
    send_of_all_sizes(*(struct bough_address *)probe->data, (uint32_t)number);
}

/* Within a callback letters are kept in open parcels, which large ones go past. */
static void so_do_those_of_one_callback(void **state)
{
    struct apart apart;
    struct ear ear;

    apart_open(&apart, *state);
    struct bough_address place = ear_place(&apart, &ear);
    apart.root.hook = send_from_root;
    apart.root.data = &place;
    assert_status(bough_probe_send(apart.top, BOUGH_PROBE_HOOK, 300), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(ear.heard, 300);
    assert_true(ear.in_order);
    apart_close(&apart);
}

static void what_is_too_large_is_said_at_once(void **state)
{
    struct apart apart;
    static char byte;

    apart_open(&apart, *state);
    apart_start(&apart);
    assert_status(bough_send(apart.place, &byte, (size_t)BOUGH_BLOCK_MAX + 1),
                  BOUGH_ETOOLARGE);
    apart_close(&apart);
}

static void full_is_said_at_once_and_room_comes_back(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.capacity = 4;
    apart_start(&apart);
    for (int i = 0; i < 4; i++)
        assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 4), BOUGH_EFULL);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 4);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 5), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 5);
    apart_close(&apart);
}

static void pause_self(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    (void)number;
    bough_pause(actor);
}

static void fill(struct apart *apart)
{
    assert_status(bough_probe_send(apart->place, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    apart_run(apart);
    for (int i = 0; i < 4; i++)
        assert_status(bough_probe_send(apart->place, BOUGH_PROBE_NOTE, i), BOUGH_OK);
    apart_run(apart);
    assert_status(bough_probe_send(apart->place, BOUGH_PROBE_NOTE, 4), BOUGH_EFULL);
}

static void what_waits_in_the_mailbox_counts_too(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.capacity = 4;
    apart.probe.hook = pause_self;
    apart_start(&apart);
    fill(&apart);
    bough_resume(apart.probe.actor);
    apart_run(&apart);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 5), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 6);
    apart_close(&apart);
}

/* Nobody took a turn since, and still there is room again. */
static void what_is_discarded_leaves_room(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.capacity = 4;
    apart.on_restart = BOUGH_DISCARD;
    apart.probe.hook = pause_self;
    apart_start(&apart);
    fill(&apart);
    bough_kill(apart.place);
    apart_run(&apart);
    apart_start(&apart);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 5), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.numbers[apart.probe.number_count - 1], 5);
    apart_close(&apart);
}

static void what_is_not_taken_is_counted(void **state)
{
    struct apart apart;
    struct bough_place_info info;

    apart_open(&apart, *state);
    apart.capacity = 1;
    apart_start(&apart);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 0), BOUGH_OK);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 0), BOUGH_EFULL);
    assert_status(bough_place_info(apart.place, &info), BOUGH_OK);
    assert_int_equal(info.dropped, 1);
    assert_int_equal(info.mailbox_length, 1);
    apart_run(&apart);
    apart_close(&apart);
}

static void a_stale_address_is_gone(void **state)
{
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart_start(&apart);
    const struct bough_address life = bough_self(apart.probe.actor);
    bough_kill(life);
    apart_run(&apart);
    apart_start(&apart);
    assert_status(bough_probe_send(life, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, life, BOUGH_PROBE_ECHO, 1);
    apart_run(&apart);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    bough_kill(life);
    bough_stop(life);
    apart_run(&apart);
    assert_int_equal(apart.watch.exits, 0);
    apart_close(&apart);
}

/* Calls */

static struct bough_probe_call ask(struct apart *apart, enum bough_probe_kind kind)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, apart->place, kind, 7);
    assert_int_equal(call.answers, 0);
    apart_run(apart);
    assert_int_equal(call.answers, 1);
    return call;
}

static void a_question_is_answered(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart_start(&apart);
    struct bough_probe_call call = ask(&apart, BOUGH_PROBE_ECHO);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, 7);
    call = ask(&apart, BOUGH_PROBE_REFUSE);
    assert_status(call.status, BOUGH_EREFUSED);
    assert_string_equal(call.text, "not 7");
    assert_status(ask(&apart, BOUGH_PROBE_NOTE).status, BOUGH_ENOREPLY);
    call = ask(&apart, BOUGH_PROBE_FAIL);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_non_null(strstr(call.text, "told to fail, 7"));
    apart_close(&apart);
}

static void a_question_times_out(void **state)
{
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart_start(&apart);
    bough_probe_call_init(&call);
    call.call.timeout_ms = 10;
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_LATER, 1);
    bough_test_advance(apart.test, 9);
    assert_int_equal(call.answers, 0);
    bough_test_advance(apart.test, 1);
    assert_status(call.status, BOUGH_ETIMEOUT);
    const int64_t late = 1;
    bough_question_reply(apart.probe.question, &late, sizeof(late));
    apart_run(&apart);
    assert_int_equal(call.answers, 1);
    apart_close(&apart);
}

static void a_question_that_is_kept_ends_with_the_life(void **state)
{
    struct apart apart;
    struct bough_probe_call kept, waits;

    apart_open(&apart, *state);
    apart_start(&apart);
    bough_probe_call_init(&kept);
    bough_probe_ask(&kept, apart.place, BOUGH_PROBE_LATER, 1);
    bough_probe_call_init(&waits);
    apart_run(&apart);
    bough_probe_ask(&waits, bough_self(apart.probe.actor), BOUGH_PROBE_LATER, 1);
    bough_stop(apart.place);
    apart_run(&apart);
    assert_status(kept.status, BOUGH_EGONE);
    assert_status(waits.status, BOUGH_EGONE);
    assert_int_equal(kept.answers + waits.answers, 2);
    apart_close(&apart);
}

static void who_asks_may_die_first(void **state)
{
    struct apart apart;
    struct bough_probe asker = { 0 };
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart_start(&apart);
    const struct bough_address address = bough_probe_spawn(apart.test, &asker, NULL);
    bough_probe_call_init(&call);
    call.call.owner = asker.actor;
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_ECHO, 1);
    bough_loop_run_ready(apart_loop(&apart), SIZE_MAX); /* the answer is on its way */
    bough_kill(address);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 1);
    assert_int_equal(call.answers, 0);
    assert_int_equal(bough_loop_count(apart.test->loop).calls, 0);
    apart_close(&apart);
}

static void a_question_may_be_taken_back(void **state)
{
    struct apart apart;
    struct bough_probe_call early, late;

    apart_open(&apart, *state);
    apart_start(&apart);
    bough_probe_call_init(&early);
    bough_probe_call_init(&late);
    bough_probe_ask(&early, apart.place, BOUGH_PROBE_ECHO, 1);
    bough_call_cancel(&early.call);
    bough_probe_ask(&late, apart.place, BOUGH_PROBE_ECHO, 2);
    bough_loop_run_ready(apart_loop(&apart), SIZE_MAX);
    bough_call_cancel(&late.call);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 2);
    assert_int_equal(early.answers + late.answers, 0);
    apart_close(&apart);
}

static void reply_large(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    static char bytes[LARGE];
    struct bough_block block;

    (void)probe;
    memset(bytes, (int)number, sizeof(bytes));
    bough_block_init(&block, NULL, 0, bytes, sizeof(bytes));
    bough_reply_block(actor, &block);
}

static void count_bytes(struct bough_call *call, enum bough_status status)
{
    struct bough_probe_call *self = bough_container(call, struct bough_probe_call, call);

    self->answers++;
    self->status = status;
    self->number = call->reply_size;
    assert_int_equal(((const char *)call->reply)[LARGE - 1], 3);
}

static void an_answer_may_be_large(void **state)
{
    const struct bough_probe_message message = { BOUGH_PROBE_HOOK, 3 };
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart.probe.hook = reply_large;
    apart_start(&apart);
    bough_probe_call_init(&call);
    call.call.done = count_bytes;
    bough_call_start(&call.call, apart.place, &message, sizeof(message), NULL, 0);
    apart_run(&apart);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(call.number, LARGE);
    apart_close(&apart);
}

/* Of those who live apart */

struct errand {
    struct bough_address to;
    struct bough_probe_call call;
    struct bough_probe_watch watch;
};

static void run_errand(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    struct errand *errand = probe->data;

    bough_probe_call_init(&errand->call);
    errand->call.call.owner = actor;
    bough_probe_ask(&errand->call, errand->to, (enum bough_probe_kind)number, 5);
    bough_probe_watch_init(&errand->watch, NULL);
    errand->watch.watch.owner = actor;
    bough_watch(&errand->watch.watch, errand->to);
}

static void who_lives_apart_asks_and_watches_as_well(void **state)
{
    struct apart apart;
    struct bough_probe other = { 0 };
    struct errand errand;

    apart_open(&apart, *state);
    apart.probe.hook = run_errand;
    apart.probe.data = &errand;
    apart_start(&apart);
    errand.to = apart_place(&apart, &other, "b");
    bough_probe_start(errand.to, NULL);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_HOOK, BOUGH_PROBE_ECHO),
                  BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(errand.call.answers, 1);
    assert_int_equal(errand.call.number, 5);
    assert_int_equal(errand.watch.readies, 1);
    bough_kill(errand.to);
    apart_run(&apart);
    assert_int_equal(errand.watch.exits, 1);
    apart_close(&apart);
}

static void hand_on(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, number };
    const struct bough_address *to = probe->data;

    assert_status(bough_forward_as(actor, *to, &message, sizeof(message)), BOUGH_OK);
}

static void a_question_may_be_handed_on_to_a_third_loop(void **state)
{
    struct apart apart;
    struct bough_probe other = { 0 };

    apart_open(&apart, *state);
    apart_start(&apart);
    struct bough_address to = apart_place(&apart, &other, "b");
    bough_probe_start(to, NULL);
    apart.probe.hook = hand_on;
    apart.probe.data = &to;
    struct bough_probe_call call = ask(&apart, BOUGH_PROBE_HOOK);
    assert_status(call.status, BOUGH_OK);
    assert_int_equal(other.numbers[0], 7);
    apart_close(&apart);
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(messages_arrive_in_order_and_once),
        FACT(large_messages_keep_their_order_with_small_ones),
        FACT(so_do_those_of_one_callback),
        FACT(what_is_too_large_is_said_at_once),
        FACT(full_is_said_at_once_and_room_comes_back),
        FACT(what_waits_in_the_mailbox_counts_too),
        FACT(what_is_discarded_leaves_room),
        FACT(what_is_not_taken_is_counted),
        FACT(a_stale_address_is_gone),
        FACT(a_question_is_answered),
        FACT(a_question_times_out),
        FACT(a_question_that_is_kept_ends_with_the_life),
        FACT(who_asks_may_die_first),
        FACT(a_question_may_be_taken_back),
        FACT(an_answer_may_be_large),
        FACT(who_lives_apart_asks_and_watches_as_well),
        FACT(a_question_may_be_handed_on_to_a_third_loop),
    };
    return cmocka_run_group_tests_name("core/letters", tests, NULL, NULL);
}
