/* test_buffer.c - large messages and answers: one copy at most, and often none.
 *
 * That there was no copy is seen by the address of the bytes; that there was no other
 * memory either, by the allocator.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/buffer.h>

#include <pthread.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/fixture.h>

enum { LARGE = 100000, SMALL = 100 };

/* An actor that looks at what it gets, and does one thing with it. */

struct desk {
    void (*act)(struct bough_actor *actor, struct desk *desk);
    struct bough_address to;
    struct bough_actor *actor;
    const char *seen; /* the last message */
    size_t size;
    unsigned runs;
    struct bough_buffer *kept;
    const char *replied; /* where the reply lay */
};

struct desk_options {
    struct desk *desk;
};

static enum bough_status desk_init(struct bough_actor *actor, const void *options)
{
    struct desk **self = bough_state(actor);

    *self = ((const struct desk_options *)options)->desk;
    (*self)->actor = actor;
    return BOUGH_OK;
}

static void desk_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct desk *desk = *(struct desk **)bough_state(actor);

    desk->seen = message;
    desk->size = size;
    desk->runs++;
    for (size_t i = 0; i < size; i += 97)
        assert_int_equal(desk->seen[i], (char)i);
    if (desk->act != NULL) desk->act(actor, desk);
}

static const struct bough_actor_type desk_type = {
    .name = "desk",
    .state_size = sizeof(struct desk *),
    .options_size = sizeof(struct desk_options),
    .init = desk_init,
    .run = desk_run,
};

static struct bough_address make(struct bough_test *test, struct desk *desk,
                                 enum bough_when_full when_full)
{
    const struct desk_options options = { desk };
    const struct bough_place_spec spec = {
        .type = &desk_type,
        .options = &options,
        .capacity = 1,
        .when_full = when_full,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_status(bough_place_start(place, NULL, NULL), BOUGH_OK);
    return place;
}

static void drop(struct bough_test *test, struct bough_address place)
{
    bough_kill(place);
    bough_test_run(test);
    bough_place_free(place, 0);
}

/* Bytes in a block; on the heap unless `buffer` is large enough for them. */
static void fill(struct bough_block *block, char *buffer, size_t buffer_size, size_t size)
{
    static char bytes[LARGE];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)i;
    bough_block_init(block, buffer, buffer_size, bytes, size);
    assert_status(block->status, BOUGH_OK);
}

static struct bough_buffer *large(void)
{
    struct bough_block block;

    fill(&block, NULL, 0, LARGE);
    struct bough_buffer *buffer = bough_buffer_take(&block);
    assert_non_null(buffer);
    return buffer;
}

/* Sending */

static void a_large_block_is_sent_without_a_copy(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .runs = 0 };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct bough_block block;

    fill(&block, NULL, 0, LARGE);
    const char *data = block.data;
    const size_t before = bough_allocator_count();
    assert_status(bough_send_block(place, &block), BOUGH_OK);
    assert_null(block.data);
    bough_test_run(test);
    assert_ptr_equal(desk.seen, data);
    assert_int_equal(desk.size, LARGE);
    assert_true(bough_allocator_count() - before <= 1); /* the pool, for the cell */
    drop(test, place);
}

static void large_bytes_are_copied_once(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .runs = 0 };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct bough_buffer *buffer = large();

    assert_status(bough_send_buffer(place, buffer), BOUGH_OK); /* warms the pool */
    bough_test_run(test);
    const size_t before = bough_allocator_count();
    assert_status(bough_send(place, bough_buffer_bytes(buffer), LARGE), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(bough_allocator_count() - before, 1);
    assert_int_equal(desk.size, LARGE);
    bough_buffer_drop(buffer);
    drop(test, place);
}

static void one_buffer_is_sent_to_many(void **state)
{
    struct bough_test *test = *state;
    struct desk desks[5] = { { .runs = 0 } };
    struct bough_address places[5];
    struct bough_buffer *buffer = large();

    for (int i = 0; i < 5; i++) {
        places[i] = make(test, &desks[i], BOUGH_REFUSE);
        assert_status(bough_send_buffer(places[i], buffer), BOUGH_OK);
    }
    const void *bytes = bough_buffer_bytes(buffer);
    bough_buffer_drop(buffer);
    bough_test_run(test);
    for (int i = 0; i < 5; i++) {
        assert_ptr_equal(desks[i].seen, bytes);
        drop(test, places[i]);
    }
}

static void a_small_buffer_is_sent_as_bytes(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .runs = 0 };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct bough_block block;

    fill(&block, NULL, 0, SMALL);
    struct bough_buffer *buffer = bough_buffer_take(&block);
    assert_status(bough_send_buffer(place, buffer), BOUGH_OK);
    assert_status(bough_send_buffer(place, buffer), BOUGH_EFULL);
    bough_test_run(test);
    assert_int_equal(desk.size, SMALL);
    assert_ptr_not_equal(desk.seen, bough_buffer_bytes(buffer));
    bough_buffer_drop(buffer);
    drop(test, place);
}

static void hand_on(struct bough_actor *actor, struct desk *desk)
{
    assert_status(bough_forward(actor, desk->to), BOUGH_OK);
}

static void what_is_handed_on_is_not_copied(void **state)
{
    struct bough_test *test = *state;
    struct desk first = { .act = hand_on }, last = { .runs = 0 };
    const struct bough_address from = make(test, &first, BOUGH_REFUSE);
    struct bough_buffer *buffer = large();

    first.to = make(test, &last, BOUGH_REFUSE);
    assert_status(bough_send_buffer(from, buffer), BOUGH_OK);
    bough_buffer_drop(buffer);
    bough_test_run(test);
    assert_ptr_equal(first.seen, last.seen);
    drop(test, first.to);
    drop(test, from);
}

/* Every way in which a message comes to nothing lets go of its bytes: a leak fails the
 * tests under the sanitizer, and bytes that are gone too soon do, too. */
static void what_is_not_taken_is_let_go(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .runs = 0 };
    struct bough_buffer *buffer = large();

    for (int policy = 0; policy < BOUGH_WHEN_FULL_COUNT; policy++) {
        const struct bough_address place =
            make(test, &desk, (enum bough_when_full)policy);
        bough_pause(desk.actor);
        for (int i = 0; i < 4; i++) {
            const enum bough_status status = bough_send_buffer(place, buffer);
            assert_true(status == BOUGH_OK || status == BOUGH_EFULL);
        }
        drop(test, place);
        assert_status(bough_send_buffer(place, buffer), BOUGH_EGONE);
    }
    assert_int_equal(bough_buffer_size(buffer), LARGE);
    bough_buffer_drop(buffer);
}

/* Asking */

struct asked {
    struct bough_call call;
    enum bough_status status;
    unsigned answers;
    const void *reply;
    size_t size;
    bool keeps;
    struct bough_buffer *kept;
};

static void answered(struct bough_call *call, enum bough_status status)
{
    struct asked *self = bough_container(call, struct asked, call);

    self->answers++;
    self->status = status;
    self->reply = call->reply;
    self->size = call->reply_size;
    if (self->keeps) self->kept = bough_call_share(call);
}

static void echo(struct bough_actor *actor, struct desk *desk)
{
    struct bough_block block;

    fill(&block, NULL, 0, desk->size);
    desk->replied = block.data;
    bough_reply_block(actor, &block);
}

static struct asked ask(struct bough_test *test, struct bough_address place, size_t size,
                        bool keeps)
{
    struct asked asked = { .call.done = answered, .keeps = keeps };
    struct bough_block block;

    fill(&block, NULL, 0, size);
    bough_call_block(&asked.call, place, &block);
    assert_int_equal(asked.answers, 0);
    bough_test_run(test);
    assert_int_equal(asked.answers, 1);
    return asked;
}

static void a_large_question_and_its_answer_are_not_copied(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .act = echo };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);

    (void)ask(test, place, LARGE, false);
    const size_t before = bough_allocator_count();
    const struct asked asked = ask(test, place, LARGE, false);
    assert_int_equal(bough_allocator_count() - before, 2); /* the two blocks */
    assert_status(asked.status, BOUGH_OK);
    assert_ptr_equal(asked.reply, desk.replied);
    assert_int_equal(asked.size, LARGE);
    drop(test, place);
}

static void a_large_answer_may_be_kept(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .act = echo };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct asked asked = ask(test, place, LARGE, true);

    assert_ptr_equal(bough_buffer_bytes(asked.kept), asked.reply);
    bough_buffer_drop(asked.kept);
    asked = ask(test, place, SMALL, true);
    assert_int_equal(bough_buffer_size(asked.kept), SMALL);
    bough_buffer_drop(asked.kept);
    drop(test, place);
}

/* As when it has been taken back: nobody is there for the bytes. */
static void an_answer_nobody_waits_for_is_let_go(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .act = echo };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct asked asked = { .call.done = answered };
    struct bough_block block;

    for (int turn = 0; turn < 2; turn++) {
        fill(&block, NULL, 0, LARGE);
        bough_call_block(&asked.call, place, &block);
        if (turn == 1) bough_loop_run_ready(test->loop, 1);
        bough_call_cancel(&asked.call);
        bough_test_run(test);
    }
    assert_int_equal(asked.answers, 0);
    assert_int_equal(desk.runs, 2);
    drop(test, place);
}

/* Keeping */

static void keep(struct bough_actor *actor, struct desk *desk)
{
    bough_buffer_drop(desk->kept);
    desk->kept = bough_message_share(actor);
    assert_non_null(desk->kept);
}

static void a_message_may_be_kept(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .act = keep };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct bough_buffer *buffer = large();

    assert_status(bough_send_buffer(place, buffer), BOUGH_OK);
    bough_test_run(test);
    assert_ptr_equal(desk.kept, buffer);
    bough_buffer_drop(buffer);
    assert_int_equal(((const char *)bough_buffer_bytes(desk.kept))[97], 97);
    assert_status(bough_send(place, bough_buffer_bytes(desk.kept), SMALL), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(bough_buffer_size(desk.kept), SMALL);
    drop(test, place);
    bough_buffer_drop(desk.kept);
}

/* Buffers by themselves */

static void a_block_on_the_stack_is_copied(void **state)
{
    _Alignas(max_align_t) char memory[SMALL];
    struct bough_block block;

    (void)state;
    fill(&block, memory, sizeof(memory), SMALL);
    struct bough_buffer *buffer = bough_buffer_take(&block);
    assert_ptr_not_equal(bough_buffer_bytes(buffer), memory);
    assert_memory_equal(bough_buffer_bytes(buffer), memory, SMALL);
    bough_buffer_drop(buffer);
    bough_buffer_drop(NULL);
}

static void a_block_that_failed_makes_no_buffer(void **state)
{
    struct bough_block block;

    (void)state;
    fill(&block, NULL, 0, SMALL);
    block.status = BOUGH_ETOOLARGE;
    assert_null(bough_buffer_take(&block));
    assert_non_null(block.data);
    bough_block_finish(&block);
    assert_null(bough_buffer_new("", (size_t)BOUGH_BLOCK_MAX + 1));
}

static void no_memory_for_a_buffer_is_told(void **state)
{
    struct bough_test *test = *state;
    struct desk desk = { .act = echo };
    const struct bough_address place = make(test, &desk, BOUGH_REFUSE);
    struct bough_buffer *buffer = large();

    bough_allocator_fail_at(1);
    assert_status(bough_send(place, bough_buffer_bytes(buffer), LARGE), BOUGH_ENOMEM);
    assert_true(bough_allocator_heal());
    for (size_t nth = 1; nth < 6; nth++) {
        bough_allocator_fail_at(nth);
        const enum bough_status status = bough_send_buffer(place, buffer);
        const bool failed = bough_allocator_heal();
        assert_status(status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        bough_test_run(test);
    }
    bough_buffer_drop(buffer);
    drop(test, place);
}

static void *share_and_drop(void *data)
{
    for (int i = 0; i < 20000; i++)
        bough_buffer_drop(bough_buffer_share(data));
    bough_buffer_drop(data);
    return NULL;
}

static void threads_share_a_buffer(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct bough_buffer *buffer = large();

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, share_and_drop, bough_buffer_share(buffer)),
            0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(((const char *)bough_buffer_bytes(buffer))[1], 1);
    bough_buffer_drop(buffer);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_large_block_is_sent_without_a_copy),
        test_of(large_bytes_are_copied_once),
        test_of(one_buffer_is_sent_to_many),
        test_of(a_small_buffer_is_sent_as_bytes),
        test_of(what_is_handed_on_is_not_copied),
        test_of(what_is_not_taken_is_let_go),
        test_of(a_large_question_and_its_answer_are_not_copied),
        test_of(a_large_answer_may_be_kept),
        test_of(an_answer_nobody_waits_for_is_let_go),
        test_of(a_message_may_be_kept),
        test_of(a_block_on_the_stack_is_copied),
        test_of(a_block_that_failed_makes_no_buffer),
        test_of(no_memory_for_a_buffer_is_told),
        test_of(threads_share_a_buffer),
    };
    return cmocka_run_group_tests_name("core/buffer", tests, NULL, NULL);
}
