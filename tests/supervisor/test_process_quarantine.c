/* test_process_quarantine.c - messages during which processes end.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/quarantine.h>
#include <bough/tests/supervisor/fragile.h>

#include <stdatomic.h>
#include <sys/mman.h>

/* An actor that breaks so often that it is known how often it was tried. */

enum risky_kind { RISKY_ECHO, RISKY_SEGV, RISKY_FAIL, RISKY_LATER_FAIL, RISKY_HANG };

/* Breaks in the first `times` tries of it, then answers how many there were. */
struct risky_message {
    enum risky_kind kind;
    int64_t times;
};

struct risky_reply {
    int64_t tries;
};

/* Of all processes, and of the test. */
static _Atomic int64_t *tries;

static const struct bough_field risky_fields[] = {
    bough_field(struct risky_message, times, "times", BOUGH_INT64, .help = "It."),
};
static const struct bough_field risky_reply_fields[] = {
    bough_field(struct risky_reply, tries, "tries", BOUGH_INT64, .help = "It."),
};
#define risky_row(text) \
    { \
        .name = text, .fields = risky_fields, .field_count = 1, .help = "It.", \
        .reply = risky_reply_fields, .reply_count = 1, \
        .reply_size = sizeof(struct risky_reply) \
    }
static const struct bough_message_type risky_messages[] = {
    risky_row("echo"), risky_row("segv"), risky_row("fail"), risky_row("later_fail"),
    risky_row("hang")
};

static void break_down(struct bough_actor *actor, enum risky_kind kind)
{
    switch (kind) {
    case RISKY_ECHO: break;
    case RISKY_SEGV: raise(SIGSEGV); break;
    case RISKY_LATER_FAIL:
    case RISKY_FAIL: bough_fail(actor, BOUGH_EFAILED, "told to"); break;
    case RISKY_HANG:
        for (;;)
            pause();
    }
}

static void risky_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct risky_message *message = data;
    const struct risky_reply reply = { atomic_fetch_add(tries, 1) + 1 };
    struct bough_question *later =
        message->kind == RISKY_LATER_FAIL ? bough_later(actor) : NULL;

    (void)size;
    if (reply.tries <= message->times) {
        break_down(actor, message->kind);
    } else if (later != NULL) {
        bough_question_reply(later, &reply, sizeof(reply));
    } else {
        bough_reply(actor, &reply, sizeof(reply));
    }
}

static const struct bough_actor_type risky_type = {
    .name = "risky",
    .help = "Breaks, at first.",
    .message_size = sizeof(struct risky_message),
    .messages = risky_messages,
    .message_count = bough_count_of(risky_messages),
    .init = fragile_init,
    .run = risky_run,
};

/* Asking */

struct attempt {
    struct bough_call call;
    bool done;
    enum bough_status status;
    struct risky_reply reply;
};

static void attempted(struct bough_call *call, enum bough_status status)
{
    struct attempt *attempt = bough_container(call, struct attempt, call);

    assert_false(attempt->done);
    attempt->done = true;
    attempt->status = status;
}

static void attempt(struct tree *tree, struct attempt *attempt, const char *path,
                    enum risky_kind kind, int64_t times)
{
    const struct risky_message message = { kind, times };
    struct bough_address place;

    *attempt = (struct attempt){ .call = { .done = attempted, .loop = tree->loop } };
    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    bough_call_start(&attempt->call, place, &message, sizeof(message), &attempt->reply,
                     sizeof(attempt->reply));
}

static struct attempt attempt_once(struct tree *tree, const char *path,
                                   enum risky_kind kind, int64_t times)
{
    struct attempt once;

    attempt(tree, &once, path, kind, times);
    wait_for(tree, &once.done);
    return once;
}

/* Until it has been tried so often, which this process is not told of. */
static void await_tries(struct tree *tree, int64_t count)
{
    while (atomic_load(tries) < count)
        ev_run(tree->ev, EVRUN_NOWAIT);
}

static struct bough_place_info info_of(struct tree *tree, const char *path)
{
    struct bough_address place;
    struct bough_place_info info;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info;
}

static void await_life(struct tree *tree, const char *path, uint32_t life)
{
    while (info_of(tree, path).life != life ||
           info_of(tree, path).state != BOUGH_PLACE_RUNNING)
        look_again(tree);
}

/* What is in the quarantine of a place, of which there is one at most. */
struct one_seen {
    size_t count;
    struct bough_quarantined one;
    struct risky_message message;
    struct bough_exit_reason reason;
};

static void see_one(void *data, const struct bough_quarantined *one)
{
    struct one_seen *seen = data;

    seen->count++;
    seen->one = *one;
    seen->reason = *one->reason;
    memcpy(&seen->message, one->message, sizeof(seen->message));
}

static struct one_seen look(struct tree *tree, const char *path)
{
    struct one_seen seen = { .count = 0 };
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    assert_status(bough_quarantine_visit(place, see_one, &seen), BOUGH_OK);
    assert_int_equal(info_of(tree, path).quarantined, seen.count);
    return seen;
}

static struct tree *start_risky(uint32_t redeliver)
{
    const struct bough_child_spec child = { .name = "risky",
                                            .type = &risky_type,
                                            .isolation = BOUGH_PROCESS,
                                            .redeliver = redeliver };

    atomic_store(tries, 0);
    return start(&child, 1);
}

static void finish(struct tree *tree)
{
    void *state = tree;

    assert_int_equal(teardown(&state), 0);
}

/* Without a word about it */

static void in_a_process_one_end_is_enough(void **state)
{
    struct tree *tree = start_risky(0);

    (void)state;
    assert_status(attempt_once(tree, "/risky", RISKY_SEGV, 9).status, BOUGH_ECRASHED);
    const struct one_seen seen = look(tree, "/risky");
    assert_int_equal(seen.count, 1);
    assert_ptr_equal(seen.one.type, &risky_type);
    assert_int_equal(seen.message.kind, RISKY_SEGV);
    assert_int_equal(seen.message.times, 9);
    assert_true(seen.one.asked);
    assert_int_equal(seen.one.lives, 1);
    assert_int_equal(seen.reason.kind, BOUGH_EXIT_SIGNAL);
    assert_int_equal(seen.reason.number, SIGSEGV);
    assert_non_null(strstr(
        tree->log, "/risky: a message \"segv\" has ended 1 life and is in quarantine"));
    finish(tree);
}

static void a_fault_that_it_tells_is_one_too(void **state)
{
    struct tree *tree = start_risky(0);

    (void)state;
    assert_status(attempt_once(tree, "/risky", RISKY_FAIL, 9).status, BOUGH_ECRASHED);
    const struct one_seen seen = look(tree, "/risky");
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reason.text, "told to");
    finish(tree);
}

static void what_is_put_back_is_run_again(void **state)
{
    struct tree *tree = start_risky(0);
    struct bough_address place;

    (void)state;
    assert_status(attempt_once(tree, "/risky", RISKY_SEGV, 2).status, BOUGH_ECRASHED);
    assert_status(bough_lookup(tree->loop, "/risky", &place), BOUGH_OK);
    assert_status(bough_quarantine_put_back(place, 1, NULL), BOUGH_OK);
    await_life(tree, "/risky", 3);
    assert_int_equal(look(tree, "/risky").one.number, 2);
    assert_status(bough_quarantine_put_back(place, 2, NULL), BOUGH_OK);
    assert_status(attempt_once(tree, "/risky", RISKY_ECHO, 0).status, BOUGH_OK);
    assert_int_equal(atomic_load(tries), 4);
    assert_int_equal(look(tree, "/risky").count, 0);
    assert_int_equal(info_of(tree, "/risky").life, 3);
    finish(tree);
}

/* Tries */

/* Those behind it are run once each, in order. */
static void tried_again(enum risky_kind kind)
{
    enum { MANY = 100 };
    struct tree *tree = start_risky(3);
    struct attempt first, many[MANY];

    attempt(tree, &first, "/risky", kind, 2);
    for (size_t i = 0; i < MANY; i++)
        attempt(tree, &many[i], "/risky", RISKY_ECHO, 0);
    wait_for(tree, &first.done);
    assert_status(first.status, BOUGH_OK);
    assert_int_equal(first.reply.tries, 3);
    for (size_t i = 0; i < MANY; i++) {
        wait_for(tree, &many[i].done);
        assert_int_equal(many[i].reply.tries, i + 4);
    }
    assert_int_equal(info_of(tree, "/risky").life, 3);
    assert_int_equal(look(tree, "/risky").count, 0);
    finish(tree);
}

static void it_is_run_again_after_a_signal(void **state)
{
    (void)state;
    tried_again(RISKY_SEGV);
}

static void it_is_run_again_after_a_fault(void **state)
{
    (void)state;
    tried_again(RISKY_FAIL);
}

static void it_is_run_again_when_it_was_put_off(void **state)
{
    (void)state;
    tried_again(RISKY_LATER_FAIL);
}

static void it_ends_no_more_lives_than_it_may(void **state)
{
    struct tree *tree = start_risky(2);

    (void)state;
    assert_status(attempt_once(tree, "/risky", RISKY_SEGV, 9).status, BOUGH_ECRASHED);
    assert_int_equal(atomic_load(tries), 2);
    assert_int_equal(look(tree, "/risky").one.lives, 2);
    assert_int_equal(look(tree, "/risky").one.life, 2);
    assert_status(attempt_once(tree, "/risky", RISKY_ECHO, 0).status, BOUGH_OK);
    finish(tree);
}

/* Who is to blame */

static void kill_place(struct tree *tree, const char *path)
{
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    bough_kill(place);
}

static void killed_by_order_it_is_not_to_blame(void **state)
{
    struct tree *tree = start_risky(1);
    struct attempt hang;

    (void)state;
    attempt(tree, &hang, "/risky", RISKY_HANG, 1);
    await_tries(tree, 1);
    kill_place(tree, "/risky");
    wait_for(tree, &hang.done);
    assert_status(hang.status, BOUGH_ECRASHED);
    await_life(tree, "/risky", 2);
    assert_int_equal(look(tree, "/risky").count, 0);
    finish(tree);
}

static void with_tries_left_it_is_run_after_that(void **state)
{
    struct tree *tree = start_risky(2);
    struct attempt hang;

    (void)state;
    attempt(tree, &hang, "/risky", RISKY_HANG, 3);
    for (int64_t times = 1; times <= 3; times++) {
        await_tries(tree, times);
        assert_false(hang.done);
        kill_place(tree, "/risky");
    }
    wait_for(tree, &hang.done);
    assert_status(hang.status, BOUGH_OK);
    assert_int_equal(hang.reply.tries, 4);
    finish(tree);
}

/* Who it was cannot be known: the system, most often, for want of memory. */
static void killed_from_outside_it_is_to_blame(void **state)
{
    struct tree *tree = start_risky(0);
    struct attempt hang;

    (void)state;
    attempt(tree, &hang, "/risky", RISKY_HANG, 1);
    await_tries(tree, 1);
    kill((pid_t)info_of(tree, "/risky").pid, SIGKILL);
    wait_for(tree, &hang.done);
    assert_status(hang.status, BOUGH_ECRASHED);
    assert_int_equal(look(tree, "/risky").message.kind, RISKY_HANG);
    finish(tree);
}

/* It is asked to stop, does not, and is killed. */
static void a_stop_blames_none(void **state)
{
    const struct bough_child_spec child = { .name = "risky",
                                            .type = &risky_type,
                                            .isolation = BOUGH_PROCESS,
                                            .shutdown_ms = 50,
                                            .redeliver = 3 };
    struct attempt hang;

    (void)state;
    atomic_store(tries, 0);
    struct tree *tree = start(&child, 1);
    attempt(tree, &hang, "/risky", RISKY_HANG, 1);
    await_tries(tree, 1);
    bough_supervisor_stop(tree->root);
    wait_for(tree, &tree->exited);
    wait_for(tree, &hang.done);
    assert_status(hang.status, BOUGH_EGONE);
    assert_null(strstr(tree->log, "quarantine"));
    finish(tree);
}

static void the_restart_of_a_sibling_blames_none(void **state)
{
    static const struct bough_child_spec group[] = {
        { .name = "a",
          .type = &risky_type,
          .isolation = BOUGH_PROCESS,
          .shutdown_ms = 50 },
        { .name = "b", .type = &risky_type, .isolation = BOUGH_PROCESS },
    };
    static const struct bough_supervisor_options all = { .strategy = BOUGH_ONE_FOR_ALL,
                                                         .intensity = 10,
                                                         .children = group,
                                                         .child_count = 2 };
    const struct bough_child_spec child = { .name = "all",
                                            .type = &bough_supervisor_type,
                                            .options = &all };
    struct attempt hang;

    (void)state;
    atomic_store(tries, 0);
    struct tree *tree = start(&child, 1);
    attempt(tree, &hang, "/all/a", RISKY_HANG, 1);
    await_tries(tree, 1);
    assert_status(attempt_once(tree, "/all/b", RISKY_SEGV, 9).status, BOUGH_ECRASHED);
    wait_for(tree, &hang.done);
    await_life(tree, "/all/a", 2);
    assert_int_equal(look(tree, "/all/a").count, 0);
    assert_int_equal(look(tree, "/all/b").count, 1);
    finish(tree);
}

/* Many in one process */

static struct tree *start_subtree(uint32_t redeliver)
{
    const struct bough_child_spec many[] = {
        { .name = "a", .type = &risky_type, .redeliver = redeliver },
        { .name = "b", .type = &risky_type, .redeliver = redeliver },
    };
    const struct bough_supervisor_options options = {
        .any_intensity = true, .intensity = 1000, .children = many, .child_count = 2
    };
    const struct bough_child_spec child = { .name = "sub",
                                            .type = &bough_supervisor_type,
                                            .options = &options,
                                            .isolation = BOUGH_PROCESS };

    atomic_store(tries, 0);
    return start(&child, 1);
}

/* The process takes both along, and one of them was running. */
static void of_two_that_end_together_one_is_to_blame(void **state)
{
    struct tree *tree = start_subtree(2);
    struct attempt segv, echo;

    (void)state;
    attempt(tree, &segv, "/sub/a", RISKY_SEGV, 1);
    attempt(tree, &echo, "/sub/b", RISKY_ECHO, 0);
    wait_for(tree, &segv.done);
    wait_for(tree, &echo.done);
    assert_status(segv.status, BOUGH_OK);
    assert_status(echo.status, BOUGH_OK);
    assert_int_equal(atomic_load(tries), 3);
    assert_status(attempt_once(tree, "/sub/a", RISKY_SEGV, 99).status, BOUGH_ECRASHED);
    assert_int_equal(look(tree, "/sub/a").count, 1);
    assert_int_equal(look(tree, "/sub/b").count, 0);
    finish(tree);
}

/* Alone, while the process and the other go on; again and again. */
static void one_that_breaks_alone_comes_back(void **state)
{
    enum { TIMES = 50 };
    struct tree *tree = start_subtree(1);

    (void)state;
    const int64_t pid = info_of(tree, "/sub").pid;
    for (uint32_t i = 1; i <= TIMES; i++) {
        const bool odd = i % 2 == 1;

        assert_status(
            attempt_once(tree, "/sub/a", odd ? RISKY_FAIL : RISKY_LATER_FAIL, INT64_MAX)
                .status,
            BOUGH_ECRASHED);
        assert_status(attempt_once(tree, "/sub/a", RISKY_ECHO, 0).status, BOUGH_OK);
        assert_status(attempt_once(tree, "/sub/b", RISKY_ECHO, 0).status, BOUGH_OK);
        assert_int_equal(info_of(tree, "/sub/a").life, i + 1);
        tree->log[0] = '\0';
    }
    assert_int_equal(info_of(tree, "/sub/b").life, 1);
    assert_int_equal(info_of(tree, "/sub").pid, pid);
    assert_int_equal(info_of(tree, "/sub/a").quarantined, BOUGH_QUARANTINE_MAX);
    assert_int_equal(info_of(tree, "/sub/a").quarantine_lost,
                     TIMES - BOUGH_QUARANTINE_MAX);
    assert_int_equal(atomic_load(tries), 3 * TIMES);
    finish(tree);
}

static int share_memory(void **state)
{
    void *memory = mmap(NULL, sizeof(*tries), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    tries = memory;
    return memory == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_process_one_end_is_enough),
        cmocka_unit_test(a_fault_that_it_tells_is_one_too),
        cmocka_unit_test(what_is_put_back_is_run_again),
        cmocka_unit_test(it_is_run_again_after_a_signal),
        cmocka_unit_test(it_is_run_again_after_a_fault),
        cmocka_unit_test(it_is_run_again_when_it_was_put_off),
        cmocka_unit_test(it_ends_no_more_lives_than_it_may),
        cmocka_unit_test(killed_by_order_it_is_not_to_blame),
        cmocka_unit_test(with_tries_left_it_is_run_after_that),
        cmocka_unit_test(killed_from_outside_it_is_to_blame),
        cmocka_unit_test(a_stop_blames_none),
        cmocka_unit_test(the_restart_of_a_sibling_blames_none),
        cmocka_unit_test(of_two_that_end_together_one_is_to_blame),
        cmocka_unit_test(one_that_breaks_alone_comes_back),
    };
    return cmocka_run_group_tests_name("supervisor/process_quarantine", tests,
                                       share_memory, NULL);
}
