/* test_observe.c - messages that are sent marked, and what is said of them when they are
 * run.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/buffer.h>
#include <bough/core/elsewhere.h>
#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

enum { NUMBER = 7, LARGE = 8192 };

/* Who sees it. */
struct seen {
    _Atomic uint64_t progress[2];
    int ran;
    uint64_t id[8];
    enum bough_status status[8];
    int answers;
    struct bough_loop *loop;
    _Atomic uint64_t beat;
};

static uint32_t begun(const struct seen *seen, bool high)
{
    return (union bough_progress){ .all = atomic_load(&seen->progress[high]) }.begun;
}

static uint32_t done(const struct seen *seen, bool high)
{
    return (union bough_progress){ .all = atomic_load(&seen->progress[high]) }.done;
}

static void see_run(void *data, uint32_t count)
{
    struct seen *seen = data;

    assert_true(count == done(seen, false) || count == done(seen, true));
    assert_true(bough_loop_runs_marked(seen->loop));
    seen->ran++;
}

static void see_answer(void *data, uint64_t id, enum bough_status status,
                       const void *reply, size_t size)
{
    struct seen *seen = data;

    (void)reply, (void)size;
    seen->id[seen->answers] = id;
    seen->status[seen->answers++] = status;
}

/* A place that is observed, and runs; `type` NULL: a probe. */
static struct bough_address observe(struct bough_test *test, struct bough_probe *probe,
                                    const struct bough_actor_type *type,
                                    struct seen *seen)
{
    const struct bough_probe_options options = { probe };
    const struct bough_place_spec spec = { .type =
                                               type != NULL ? type : &bough_probe_type,
                                           .options = &options,
                                           .name = "/",
                                           .capacity = 2 };
    const struct bough_run_observers observers = { see_run, see_answer, seen };
    struct bough_address place;

    memset(seen, 0, sizeof(*seen));
    seen->loop = test->loop;
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_probe_start(place, NULL);
    assert_true(bough_observe_runs(test->loop, &observers));
    bough_loop_beat_at(test->loop, &seen->beat);
    bough_observe_place(place, NUMBER, seen->progress);
    bough_test_run(test);
    return place;
}

static void drop(struct bough_test *test, struct bough_address place)
{
    bough_probe_end(test, place);
    bough_place_free(place, 0);
    bough_test_run(test);
}

static struct bough_marked mark(const struct bough_probe_message *message, uint64_t id)
{
    return (struct bough_marked){
        .message = message, .size = sizeof(*message), .asked = id != 0, .id = id
    };
}

static void run(struct bough_test *test, struct bough_address place,
                const struct bough_marked *marked)
{
    bough_loop_begin(test->loop);
    assert_status(bough_run_marked(place, marked), BOUGH_OK);
    bough_loop_end(test->loop);
}

static void what_is_sent_marked_is_seen_to_be_run(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    struct bough_probe_message message = { BOUGH_PROBE_ECHO, 1 };
    struct bough_marked marked = mark(&message, UINT64_C(1) << 40 | 5);

    assert_status(bough_send_marked(place, &marked), BOUGH_OK);
    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    marked.high = true;
    marked.id = 6;
    message.kind = BOUGH_PROBE_REFUSE;
    assert_status(bough_send_marked(place, &marked), BOUGH_OK);
    assert_int_equal(begun(&seen, false) + begun(&seen, true), 0);
    bough_test_run(test);
    assert_int_equal(probe.runs, 3);
    for (int high = 0; high < 2; high++) {
        assert_int_equal(begun(&seen, high), 1);
        assert_int_equal(done(&seen, high), 1);
    }
    assert_int_equal(seen.ran, 2);
    assert_int_equal(seen.answers, 2);
    assert_int_equal(seen.id[0], 6);
    assert_status(seen.status[0], BOUGH_EREFUSED);
    assert_int_equal(seen.id[1], UINT64_C(1) << 40 | 5);
    assert_status(seen.status[1], BOUGH_OK);
    drop(test, place);
}

static struct seen *watched;

static void see_it_begun(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    assert_true(bough_is_asked(actor) == (number == 2));
    assert_int_equal(begun(watched, false), probe->runs);
    assert_int_equal(done(watched, false), probe->runs - 1);
    assert_true(bough_loop_runs_marked(watched->loop));
    assert_int_equal(atomic_load(&watched->beat) >> 32, NUMBER + 1);
    assert_string_equal(bough_loop_runs(watched->loop), "/");
}

static void one_is_run_at_once(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = see_it_begun };
    const struct bough_probe_message hook = { BOUGH_PROBE_HOOK, 1 };
    const struct bough_probe_message asks = { BOUGH_PROBE_HOOK, 2 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    struct bough_marked marked = mark(&hook, 0);

    watched = &seen;
    run(test, place, &marked);
    assert_int_equal(probe.runs, 1);
    assert_int_equal(seen.ran, 1);
    /* Who asks and gets no answer hears that. */
    marked = mark(&asks, 5);
    run(test, place, &marked);
    assert_int_equal(probe.runs, 2);
    assert_int_equal(seen.id[0], 5);
    assert_status(seen.status[0], BOUGH_ENOREPLY);
    assert_false(bough_loop_runs_marked(test->loop));
    assert_null(bough_loop_runs(test->loop));
    assert_int_equal(bough_loop_count(test->loop).cells, 0);
    drop(test, place);
}

static void what_is_no_message_of_its_types_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    const uint32_t unknown = 999;
    const struct bough_marked marked = {
        .message = &unknown, .size = sizeof(unknown), .asked = true, .id = 3
    };

    run(test, place, &marked);
    assert_int_equal(probe.runs, 0);
    assert_status(seen.status[0], BOUGH_EINVALID);
    assert_int_equal(done(&seen, false), 1);
    drop(test, place);
}

static enum bough_status start_well(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static size_t run_size;

static void take_any(struct bough_actor *actor, const void *message, size_t size)
{
    const char *bytes = message;

    (void)actor;
    run_size = size;
    if (size == 0) return;
    assert_int_equal(bytes[0], 1);
    assert_int_equal(bytes[size - 1], 2);
}

static void a_message_of_any_size_is_run_at_once(void **state)
{
    static const struct bough_actor_type type = { .name = "any",
                                                  .init = start_well,
                                                  .run = take_any };
    static const size_t sizes[] = { 0, 2, 16, 17, 100, LARGE };
    struct bough_test *test = *state;
    struct seen seen;
    const struct bough_address place = observe(test, NULL, &type, &seen);

    for (size_t i = 0; i < bough_count_of(sizes); i++) {
        char bytes[LARGE] = { 1 };
        const struct bough_marked marked = { .message = bytes, .size = sizes[i] };

        if (sizes[i] > 0) bytes[sizes[i] - 1] = 2;
        run_size = SIZE_MAX;
        run(test, place, &marked);
        assert_int_equal(run_size, sizes[i]);
        assert_int_equal(bough_loop_count(test->loop).cells, 0);
    }
    drop(test, place);
}

/* Its actor keeps it and hands it on: the one in a buffer, and both are copies. */
static struct {
    const void *message;
    struct bough_buffer *kept;
    struct bough_address next;
    int forwards;
} lent;

static void keep_and_forward(struct bough_actor *actor, const void *message, size_t size)
{
    take_any(actor, message, size);
    if (lent.forwards++ > 0) {
        assert_ptr_not_equal(message, lent.message);
        return;
    }
    assert_ptr_equal(message, lent.message);
    lent.kept = bough_message_share(actor);
    assert_status(bough_forward(actor, lent.next), BOUGH_OK);
}

static void one_that_is_run_at_once_is_lent(void **state)
{
    static const struct bough_actor_type type = { .name = "keeps",
                                                  .init = start_well,
                                                  .run = keep_and_forward };
    static const size_t sizes[] = { 16, 100, LARGE };
    struct bough_test *test = *state;
    struct seen seen;
    const struct bough_address place = observe(test, NULL, &type, &seen);

    for (size_t i = 0; i < bough_count_of(sizes); i++) {
        _Alignas(16) char bytes[LARGE] = { 1 };
        const size_t size = sizes[i];
        const struct bough_marked marked = {
            .message = bytes, .size = size, .asked = true, .id = 4
        };

        bytes[size - 1] = 2;
        memset(&lent, 0, sizeof(lent));
        lent.message = bytes;
        lent.next = place;
        run(test, place, &marked);
        memset(bytes, 3, sizeof(bytes));
        bough_test_run(test);
        assert_int_equal(lent.forwards, 2);
        assert_int_equal(bough_buffer_size(lent.kept), size);
        take_any(NULL, bough_buffer_bytes(lent.kept), size);
        bough_buffer_drop(lent.kept);
        /* Who has it now did not answer. */
        assert_int_equal(seen.answers, i + 1);
        assert_status(seen.status[i], BOUGH_ENOREPLY);
        assert_int_equal(bough_loop_count(test->loop).cells, 0);
    }
    drop(test, place);
}

/* The order is that in which they were sent. */
static void one_waits_behind_those_that_wait(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_probe_message note = { BOUGH_PROBE_NOTE, 2 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    const struct bough_marked marked = mark(&note, 0);

    assert_status(bough_probe_send(place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    run(test, place, &marked);
    assert_int_equal(probe.runs, 0);
    bough_test_run(test);
    assert_int_equal(probe.runs, 2);
    assert_int_equal(probe.numbers[0], 1);
    assert_int_equal(probe.numbers[1], 2);
    drop(test, place);
}

static void one_in_a_hurry_is_left_to_the_mailbox(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_probe_message note = { BOUGH_PROBE_NOTE, 1 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    struct bough_marked marked = mark(&note, 0);

    marked.high = true;
    run(test, place, &marked);
    assert_int_equal(probe.runs, 0);
    bough_test_run(test);
    assert_int_equal(done(&seen, true), 1);
    drop(test, place);
}

static void pause_or_resume(struct bough_actor *actor, struct bough_probe *probe,
                            int64_t number)
{
    (void)probe;
    if (number == 1)
        bough_pause(actor);
    else
        bough_resume(actor);
}

static void nobody_runs_one_who_runs_none(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = pause_or_resume };
    const struct bough_probe_message hook = { BOUGH_PROBE_HOOK, 1 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    const struct bough_marked marked = mark(&hook, 0);

    run(test, place, &marked);
    run(test, place, &marked);
    assert_int_equal(probe.runs, 1);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    bough_resume(probe.actor);
    bough_test_run(test);
    assert_int_equal(probe.runs, 2);
    drop(test, place);
}

/* Its end is begun by the first, and goes before the second. */
static void an_end_goes_before_the_next_one(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_probe_message leave = { BOUGH_PROBE_LEAVE, 1 };
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);
    const struct bough_marked marked = mark(&leave, 5);

    bough_loop_begin(test->loop);
    assert_status(bough_run_marked(place, &marked), BOUGH_OK);
    assert_status(bough_run_marked(place, &marked), BOUGH_OK);
    bough_loop_end(test->loop);
    assert_int_equal(probe.runs, 1);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    assert_int_equal(probe.finishes, 1);
    /* The second one is still with who sent it. */
    assert_int_equal(begun(&seen, false), 1);
    assert_int_equal(seen.answers, 1);
    bough_place_free(place, 0);
}

static int batches;

static void take_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    size_t size;

    (void)actor;
    batches++;
    while (bough_batch_next(batch, &size) != NULL)
        continue;
}

static void a_batch_is_taken_in_a_turn_of_its_own(void **state)
{
    static const struct bough_actor_type type = { .name = "batches",
                                                  .init = start_well,
                                                  .run_batch = take_batch };
    struct bough_test *test = *state;
    const struct bough_probe_message note = { BOUGH_PROBE_NOTE, 1 };
    struct seen seen;
    const struct bough_address place = observe(test, NULL, &type, &seen);
    const struct bough_marked marked = mark(&note, 0);

    batches = 0;
    for (int i = 0; i < 3; i++)
        run(test, place, &marked);
    assert_int_equal(batches, 0);
    bough_test_run(test);
    assert_int_equal(batches, 1);
    assert_int_equal(done(&seen, false), 3);
    drop(test, place);
}

static void later_and_fail(struct bough_actor *actor, struct bough_probe *probe,
                           int64_t number)
{
    (void)probe, (void)number;
    assert_non_null(bough_later(actor));
    bough_fail(actor, BOUGH_EFAILED, "told to fail");
}

/* It is not answered here, also when it was put off: who stands for it decides. */
static void break_it(void **state, bool at_once)
{
    static const enum bough_probe_kind breaks[] = { BOUGH_PROBE_FAIL, BOUGH_PROBE_HOOK };
    struct bough_test *test = *state;
    struct bough_probe probe = { .hook = later_and_fail };
    struct bough_probe_message message = { BOUGH_PROBE_LEAVE, 1 };
    const struct bough_marked marked = mark(&message, 5);
    struct seen seen;
    const struct bough_address place = observe(test, &probe, NULL, &seen);

    for (size_t i = 0; i < bough_count_of(breaks); i++) {
        message.kind = breaks[i];
        if (at_once)
            run(test, place, &marked);
        else
            assert_status(bough_send_marked(place, &marked), BOUGH_OK);
        bough_test_run(test);
        assert_int_equal(begun(&seen, false), i + 1);
        assert_int_equal(done(&seen, false), 0);
        assert_int_equal(seen.ran, i + 1);
        bough_probe_start(place, NULL);
    }
    assert_int_equal(seen.answers, 0);
    /* An end in order is answered. */
    message.kind = BOUGH_PROBE_LEAVE;
    assert_status(bough_send_marked(place, &marked), BOUGH_OK);
    bough_test_run(test);
    assert_int_equal(done(&seen, false), 1);
    assert_int_equal(seen.answers, 1);
    assert_status(seen.status[0], BOUGH_EGONE);
    bough_place_free(place, 0);
}

static void one_by_which_the_life_ends_is_seen_to_break(void **state)
{
    break_it(state, false);
}

static void one_that_is_run_at_once_breaks_the_same_way(void **state)
{
    break_it(state, true);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(what_is_sent_marked_is_seen_to_be_run),
        test_of(one_is_run_at_once),
        test_of(what_is_no_message_of_its_types_is_refused),
        test_of(a_message_of_any_size_is_run_at_once),
        test_of(one_that_is_run_at_once_is_lent),
        test_of(one_waits_behind_those_that_wait),
        test_of(one_in_a_hurry_is_left_to_the_mailbox),
        test_of(nobody_runs_one_who_runs_none),
        test_of(an_end_goes_before_the_next_one),
        test_of(a_batch_is_taken_in_a_turn_of_its_own),
        test_of(one_by_which_the_life_ends_is_seen_to_break),
        test_of(one_that_is_run_at_once_breaks_the_same_way),
    };
    return cmocka_run_group_tests_name("core/observe", tests, NULL, NULL);
}
