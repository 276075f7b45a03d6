/* test_process.c - actors in processes of their own, under a supervisor.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/runtime.h>
#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

/* An actor that breaks when it is told to. */

enum fragile_kind {
    FRAGILE_ECHO,
    FRAGILE_SEGV,
    FRAGILE_EXIT,
    FRAGILE_LATER,
    FRAGILE_ASK
};

struct fragile_message {
    enum fragile_kind kind;
    int64_t number;
};

struct fragile {
    int64_t runs;
    struct bough_question *later;
    struct bough_call call;
};

static const struct bough_field message_fields[] = {
    bough_field(struct fragile_message, number, "number", BOUGH_INT64, .help = "It."),
};
struct fragile_reply {
    int64_t number, runs;
};
static const struct bough_field reply_fields[] = {
    bough_field(struct fragile_reply, number, "number", BOUGH_INT64, .help = "It."),
    bough_field(struct fragile_reply, runs, "runs", BOUGH_INT64, .help = "How many."),
};
#define row(text) \
    { \
        .name = text, .fields = message_fields, .field_count = 1, .help = "It.", \
        .reply = reply_fields, .reply_count = 2, \
        .reply_size = sizeof(struct fragile_reply) \
    }
static const struct bough_message_type messages[] = { row("echo"), row("segv"),
                                                      row("exit"), row("later"),
                                                      row("ask") };

static enum bough_status fragile_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void asked(struct bough_call *call, enum bough_status status)
{
    struct fragile *self = bough_state(call->owner);

    if (status == BOUGH_OK)
        bough_question_reply(self->later, call->reply, call->reply_size);
    else
        bough_question_refuse(self->later, status, "%s", bough_call_text(call, status));
}

static void fragile_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct fragile_message *message = data;
    struct fragile *self = bough_state(actor);
    struct fragile_reply reply = { message->number, ++self->runs };
    struct bough_address other;

    (void)size;
    switch (message->kind) {
    case FRAGILE_ECHO: bough_reply(actor, &reply, sizeof(reply)); break;
    case FRAGILE_SEGV: raise(SIGSEGV); break;
    case FRAGILE_EXIT: _exit(3);
    case FRAGILE_LATER: self->later = bough_later(actor); break;
    case FRAGILE_ASK:
        self->later = bough_later(actor);
        self->call.done = asked;
        self->call.owner = actor;
        if (bough_lookup(bough_actor_loop(actor), "/beside", &other) != BOUGH_OK)
            _exit(4);
        const struct fragile_message ask = { FRAGILE_ECHO, message->number };
        bough_call_start(&self->call, other, &ask, sizeof(ask), NULL, 0);
        break;
    }
}

static const struct bough_actor_type fragile_type = {
    .name = "fragile",
    .help = "Breaks.",
    .state_size = sizeof(struct fragile),
    .message_size = sizeof(struct fragile_message),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = fragile_init,
    .run = fragile_run,
};

/* A tree with one in a process, and one beside it */

struct tree {
    struct ev_loop *ev;
    struct bough_nursery *nursery;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_supervisor root;
    struct bough_watch watch;
    bool ready, exited;
    struct bough_address fragile, beside;
    char log[65536];
};

static void on_log(void *data, const struct bough_log_record *record)
{
    struct tree *tree = data;
    const size_t used = strlen(tree->log);

    snprintf(tree->log + used, sizeof(tree->log) - used, "%s: %s\n", record->path,
             record->text);
}

static void on_ready(struct bough_watch *watch)
{
    bough_container(watch, struct tree, watch)->ready = true;
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    (void)reason;
    bough_container(watch, struct tree, watch)->exited = true;
}

static void wait_for(struct tree *tree, const bool *what)
{
    while (!*what)
        ev_run(tree->ev, EVRUN_ONCE);
}

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile",
          .type = &fragile_type,
          .isolation = BOUGH_PROCESS,
          .mailbox_capacity = 5000 },
        { .name = "beside", .type = &fragile_type },
    };
    const struct bough_supervisor_options options = {
        .any_intensity = true, .intensity = 1000, .children = children, .child_count = 2
    };
    struct tree *tree = calloc(1, sizeof(*tree));
    struct bough_error error = { .text = "" };
    struct bough_runtime_options runtime = { .log = on_log, .log_data = tree };

    alarm(60);
    assert_status(bough_nursery_new(&tree->nursery, &error), BOUGH_OK);
    runtime.nursery = tree->nursery;
    tree->ev = ev_loop_new(0);
    tree->runtime = bough_runtime_new(&runtime);
    tree->loop = bough_loop_new(tree->runtime, tree->ev);
    tree->watch.ready = on_ready;
    tree->watch.exited = on_exited;
    assert_status(
        bough_supervisor_start(tree->loop, &options, &tree->watch, &tree->root, &error),
        BOUGH_OK);
    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    assert_status(bough_lookup(tree->loop, "/beside", &tree->beside), BOUGH_OK);
    wait_for(tree, &tree->ready);
    *state = tree;
    return 0;
}

static int teardown(void **state)
{
    struct tree *tree = *state;

    bough_supervisor_stop(tree->root);
    wait_for(tree, &tree->exited);
    bough_runtime_free(tree->runtime);
    ev_loop_destroy(tree->ev);
    bough_nursery_free(tree->nursery);
    free(tree);
    alarm(0);
    return 0;
}

struct question {
    struct bough_call call;
    bool done;
    enum bough_status status;
    struct fragile_reply reply;
};

static void done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    question->done = true;
    question->status = status;
    if (status == BOUGH_OK) memcpy(&question->reply, call->reply, call->reply_size);
}

static void ask(struct tree *tree, struct question *question, enum fragile_kind kind,
                int64_t number)
{
    const struct fragile_message message = { kind, number };

    *question = (struct question){ .call = { .done = done, .loop = tree->loop } };
    bough_call_start(&question->call, tree->fragile, &message, sizeof(message), NULL, 0);
}

static struct question ask_once(struct tree *tree, enum fragile_kind kind, int64_t number)
{
    struct question question;

    ask(tree, &question, kind, number);
    wait_for(tree, &question.done);
    return question;
}

static void it_answers_from_another_process(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;

    for (int i = 1; i <= 3; i++) {
        const struct question question = ask_once(tree, FRAGILE_ECHO, 10 * i);

        assert_status(question.status, BOUGH_OK);
        assert_int_equal(question.reply.number, 10 * i);
        assert_int_equal(question.reply.runs, i);
    }
    assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    assert_string_equal(info.type->name, "fragile");
    assert_string_equal(info.isolation, "process");
    assert_true(info.pid > 0 && info.pid != getpid());
}

/* The one that it breaks of is told so; a thousand behind it are answered by the next
 * life, each once, in order. */
static void what_waits_is_run_by_the_next_life(void **state)
{
    enum { MANY = 1000 };
    struct tree *tree = *state;
    struct question crash, *many = calloc(MANY, sizeof(*many));

    ask(tree, &crash, FRAGILE_SEGV, 0);
    for (int i = 0; i < MANY; i++)
        ask(tree, &many[i], FRAGILE_ECHO, i);
    wait_for(tree, &crash.done);
    assert_status(crash.status, BOUGH_ECRASHED);
    for (int i = 0; i < MANY; i++) {
        wait_for(tree, &many[i].done);
        assert_status(many[i].status, BOUGH_OK);
        assert_int_equal(many[i].reply.number, i);
        assert_int_equal(many[i].reply.runs, i + 1);
    }
    free(many);
}

static void what_it_was_to_answer_later_has_crashed(void **state)
{
    struct tree *tree = *state;
    struct question later, answered, crash;

    ask(tree, &later, FRAGILE_LATER, 1);
    ask(tree, &answered, FRAGILE_ECHO, 2);
    ask(tree, &crash, FRAGILE_EXIT, 3);
    wait_for(tree, &crash.done);
    wait_for(tree, &later.done);
    assert_status(later.status, BOUGH_ECRASHED);
    assert_status(answered.status, BOUGH_OK);
    assert_status(crash.status, BOUGH_ECRASHED);
    assert_non_null(strstr(tree->log, "exit 3"));
}

static void it_asks_others_of_the_tree(void **state)
{
    struct tree *tree = *state;
    const struct question first = ask_once(tree, FRAGILE_ASK, 77);

    assert_status(first.status, BOUGH_OK);
    assert_int_equal(first.reply.number, 77);
}

static void a_killed_one_is_restarted(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info before, after;

    for (int i = 0; i < 20; i++) {
        assert_status(bough_place_info(tree->fragile, &before), BOUGH_OK);
        kill((pid_t)before.pid, SIGKILL);
        do {
            ev_run(tree->ev, EVRUN_ONCE);
            assert_status(bough_place_info(tree->fragile, &after), BOUGH_OK);
        } while (after.life == before.life || after.state != BOUGH_PLACE_RUNNING);
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
    }
}

static void a_nursery_that_is_killed_is_made_again(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;

    for (int i = 0; i < 3; i++) {
        kill(bough_nursery_pid(tree->nursery), SIGKILL);
        assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
        kill((pid_t)info.pid, SIGKILL);
        while (bough_place_info(tree->fragile, &info) == BOUGH_OK &&
               info.life != (uint32_t)i + 2)
            ev_run(tree->ev, EVRUN_ONCE);
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
    }
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(it_answers_from_another_process),
        test_of(what_waits_is_run_by_the_next_life),
        test_of(what_it_was_to_answer_later_has_crashed),
        test_of(it_asks_others_of_the_tree),
        test_of(a_killed_one_is_restarted),
        test_of(a_nursery_that_is_killed_is_made_again),
    };
    return cmocka_run_group_tests_name("supervisor/process", tests, NULL, NULL);
}
