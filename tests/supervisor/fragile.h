/* fragile.h - an actor that breaks when it is told to, and a tree with a nursery for such
 * in processes, on the machine's time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_FRAGILE_H
#define BOUGH_TESTS_SUPERVISOR_FRAGILE_H

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/runtime.h>
#include <bough/core/timer.h>
#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/process/process_internal.h>
#include <bough/supervisor/supervision_internal.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/fixture.h>
#include <bough/tests/support/unit.h>

/* An actor that breaks when it is told to. */

enum fragile_kind {
    FRAGILE_ECHO,
    FRAGILE_SEGV,
    FRAGILE_EXIT,
    FRAGILE_LATER,
    FRAGILE_ASK, /* another one, for its echo: whom, by number */
    FRAGILE_FAIL,
    FRAGILE_PID,
    FRAGILE_WATCH,      /* another one; answers with the kind of its end */
    FRAGILE_HANG,       /* at once, or with the number 1 in a timer, a moment later */
    FRAGILE_ECHO_LARGE, /* an answer that no ring takes */
    FRAGILE_ASK_LARGE,  /* as FRAGILE_ASK, with such a question */
    FRAGILE_NO_FILES,   /* from now on it can open none */
};

enum { FRAGILE_LARGE = 64 * 1024 };

/* Whom it asks. */
static const char *const fragile_others[] = { "/beside", "/jobs/b", "/jobs/late" };

struct fragile_message {
    enum fragile_kind kind;
    int64_t number;
};

struct fragile {
    int64_t runs;
    struct bough_question *later, *watching;
    struct bough_call call;
    struct bough_watch watch;
    struct bough_timer timer;
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
static const struct bough_message_type messages[] = {
    row("echo"), row("segv"),       row("exit"),      row("later"),
    row("ask"),  row("fail"),       row("pid"),       row("watch"),
    row("hang"), row("echo_large"), row("ask_large"), row("no_files")
};

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

static void saw_end(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct fragile *self = bough_state(watch->owner);
    const struct fragile_reply reply = { (int64_t)reason->kind, self->runs };

    bough_question_reply(self->watching, &reply, sizeof(reply));
}

static struct bough_address fragile_other(struct bough_actor *actor, int64_t number)
{
    struct bough_address other;

    if (bough_lookup(bough_actor_loop(actor), fragile_others[number % 3], &other) !=
        BOUGH_OK)
        _exit(4);
    return other;
}

static void fragile_hang(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor, (void)timer;
    for (;;)
        pause();
}

/* Such a message or answer, with zeroes behind it. */
static void *fragile_large(const void *bytes, size_t size)
{
    void *large = calloc(1, FRAGILE_LARGE);

    assert_non_null(large);
    memcpy(large, bytes, size);
    return large;
}

static void fragile_ask(struct bough_actor *actor, int64_t number, bool is_large)
{
    const struct fragile_message ask = { FRAGILE_ECHO, number };
    struct fragile *self = bough_state(actor);
    void *large = fragile_large(&ask, sizeof(ask));

    self->later = bough_later(actor);
    self->call.done = asked;
    self->call.owner = actor;
    bough_call_start(&self->call, fragile_other(actor, number), large,
                     is_large ? FRAGILE_LARGE : sizeof(ask), NULL, 0);
    free(large);
}

static void fragile_echo_large(struct bough_actor *actor,
                               const struct fragile_reply *reply)
{
    void *large = fragile_large(reply, sizeof(*reply));

    bough_reply(actor, large, FRAGILE_LARGE);
    free(large);
}

static void fragile_open_no_files(void)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void fragile_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct fragile_message *message = data;
    struct fragile *self = bough_state(actor);
    struct fragile_reply reply = { message->number, ++self->runs };

    (void)size;
    switch (message->kind) {
    case FRAGILE_ECHO: bough_reply(actor, &reply, sizeof(reply)); break;
    case FRAGILE_SEGV: raise(SIGSEGV); break;
    case FRAGILE_EXIT: _exit(3);
    case FRAGILE_LATER: self->later = bough_later(actor); break;
    case FRAGILE_ASK: fragile_ask(actor, message->number, false); break;
    case FRAGILE_ASK_LARGE: fragile_ask(actor, message->number, true); break;
    case FRAGILE_ECHO_LARGE: fragile_echo_large(actor, &reply); break;
    case FRAGILE_NO_FILES:
        fragile_open_no_files();
        bough_reply(actor, &reply, sizeof(reply));
        break;
    case FRAGILE_WATCH:
        self->watching = bough_later(actor);
        self->watch.exited = saw_end;
        self->watch.owner = actor;
        bough_watch(&self->watch, fragile_other(actor, message->number));
        break;
    case FRAGILE_HANG:
        if (message->number == 0) fragile_hang(actor, NULL);
        self->later = bough_later(actor);
        bough_timer_start(actor, &self->timer, 1, 0, fragile_hang);
        break;
    case FRAGILE_FAIL: bough_fail(actor, BOUGH_EFAILED, "told to"); break;
    case FRAGILE_PID:
        reply.number = getpid();
        bough_reply(actor, &reply, sizeof(reply));
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

/* What is told of its end: of the report its numbers, and the backtrace. */
struct fragile_end {
    uint64_t seq, cause;
    struct bough_exit_reason reason;
    int reports;
    struct bough_crash crash;
    char backtrace[16384], runner[64];
    atomic_int stuck, unstuck; /* how often; told on a thread that is none of ours */
    int64_t stuck_ms;
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
    struct bough_exit_reason reason; /* of its end */
    struct bough_address fragile, beside;
    struct fragile_end end; /* of the last life at /fragile */
    char log[65536];
};

static void on_event(void *data, const struct bough_event *event)
{
    struct tree *tree = data;

    if (strcmp(event->path, "/fragile") != 0) return;
    if (event->kind == BOUGH_EVENT_EXITED) {
        tree->end.seq = event->seq;
        tree->end.reason = *event->reason;
        ev_break(tree->ev, EVBREAK_ALL);
    } else if (event->kind == BOUGH_EVENT_STUCK) {
        tree->end.seq = event->seq;
        tree->end.stuck_ms = event->stuck_ms;
        snprintf(tree->end.backtrace, sizeof(tree->end.backtrace), "%s",
                 event->backtrace);
        atomic_fetch_add(&tree->end.stuck, 1);
    } else if (event->kind == BOUGH_EVENT_UNSTUCK) {
        tree->end.cause = event->cause;
        tree->end.stuck_ms = event->stuck_ms;
        atomic_fetch_add(&tree->end.unstuck, 1);
    } else if (event->kind == BOUGH_EVENT_CRASH_REPORT) {
        tree->end.reports++;
        tree->end.cause = event->cause;
        tree->end.crash = *event->crash;
        snprintf(tree->end.backtrace, sizeof(tree->end.backtrace), "%s",
                 event->crash->backtrace);
        snprintf(tree->end.runner, sizeof(tree->end.runner), "%s",
                 event->crash->runner != NULL ? event->crash->runner : "");
        ev_break(tree->ev, EVBREAK_ALL);
    }
}

static void on_log(void *data, const struct bough_log_record *record)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct tree *tree = data;

    pthread_mutex_lock(&lock);
    const size_t used = strlen(tree->log);
    snprintf(tree->log + used, sizeof(tree->log) - used, "%s: %s\n", record->path,
             record->text);
    pthread_mutex_unlock(&lock);
}

static void on_ready(struct bough_watch *watch)
{
    struct tree *tree = bough_container(watch, struct tree, watch);

    tree->ready = true;
    ev_break(tree->ev, EVBREAK_ALL);
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct tree *tree = bough_container(watch, struct tree, watch);

    tree->reason = *reason;
    tree->exited = true;
    ev_break(tree->ev, EVBREAK_ALL);
}

/* What is ready is run first: else it would be run just before a poll that nothing ends.
 * From a thread it may come just then: what is waited for ends the round. */
static inline void one_round(struct tree *tree)
{
    if (bough_loop_run_ready(tree->loop, SIZE_MAX) == 0) ev_run(tree->ev, EVRUN_ONCE);
}

/* Whether a process has seen that the next ones are there: it looks no more, or only
 * whether there are too many, once a minute; and nothing remains of those before it. */
static inline bool fragile_is_settled(const struct bough_proxy *proxy)
{
    struct bough_remains *const *remains = bough_supervision_remains(proxy->actor);
    const struct ev_timer *timer = &proxy->host->settled;

    return (*remains == NULL || (*remains)->count == 0) &&
           (!ev_is_active(timer) || (timer->repeat > 59 && timer->repeat < 61));
}

/* For what nobody tells: it may have come before a poll that nothing ends. */
static inline void look_again(struct tree *tree)
{
    if (bough_loop_run_ready(tree->loop, SIZE_MAX) > 0) return;
    ev_run(tree->ev, EVRUN_NOWAIT);
    sched_yield();
}

static inline void wait_for(struct tree *tree, const bool *what)
{
    while (!*what)
        one_round(tree);
}

/* Started, and ready unless it could not. NULL: on the machine's clock. */
static inline struct tree *start_on(const struct bough_clock *clock,
                                    const struct bough_child_spec *children, size_t count)
{
    const struct bough_supervisor_options options = {
        .any_intensity = true,
        .intensity = BOUGH_INTENSITY_MAX,
        .children = children,
        .child_count = count,
    };
    struct tree *tree = calloc(1, sizeof(*tree));
    struct bough_error error = { .text = "" };
    struct bough_runtime_options runtime = { .clock = clock,
                                             .log = on_log,
                                             .log_data = tree,
                                             .event = on_event,
                                             .event_data = tree };

    alarm(60);
    /* The thread sanitizer's own thread is there from the first thread on. */
    if (bough_nursery_new(&tree->nursery, &error) != BOUGH_OK)
        assert_false(bough_test_is_alone());
    runtime.nursery = tree->nursery;
    tree->ev = ev_loop_new(0);
    tree->runtime = bough_runtime_new(&runtime);
    tree->loop = bough_loop_new(tree->runtime, tree->ev);
    tree->watch.ready = on_ready;
    tree->watch.exited = on_exited;
    assert_status(
        bough_supervisor_start(tree->loop, &options, &tree->watch, &tree->root, &error),
        BOUGH_OK);
    while (!tree->ready && !tree->exited)
        one_round(tree);
    return tree;
}

static inline struct tree *start(const struct bough_child_spec *children, size_t count)
{
    return start_on(NULL, children, count);
}

/* Fails when a process is left, dead or alive. */
static inline int teardown(void **state)
{
    struct tree *tree = *state;

    bough_supervisor_stop(tree->root);
    wait_for(tree, &tree->exited);
    bough_runtime_free(tree->runtime);
    ev_loop_destroy(tree->ev);
    bough_nursery_free(tree->nursery);
    free(tree);
    alarm(0);
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

struct question {
    struct bough_call call;
    bool done;
    enum bough_status status;
    struct fragile_reply reply;
    char text[256]; /* when there is none */
};

static void done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    question->done = true;
    ev_break(bough_loop_ev(call->loop), EVBREAK_ALL);
    question->status = status;
    if (status == BOUGH_OK)
        memcpy(&question->reply, call->reply, sizeof(question->reply));
    else
        snprintf(question->text, sizeof(question->text), "%s",
                 bough_call_text(call, status));
}

static inline void ask_one(struct tree *tree, struct question *question,
                           struct bough_address whom, enum fragile_kind kind,
                           int64_t number)
{
    const struct fragile_message message = { kind, number };

    *question = (struct question){ .call = { .done = done, .loop = tree->loop } };
    bough_call_start(&question->call, whom, &message, sizeof(message), NULL, 0);
}

static inline void ask(struct tree *tree, struct question *question,
                       enum fragile_kind kind, int64_t number)
{
    ask_one(tree, question, tree->fragile, kind, number);
}

static inline struct question ask_once(struct tree *tree, enum fragile_kind kind,
                                       int64_t number)
{
    struct question question;

    ask(tree, &question, kind, number);
    wait_for(tree, &question.done);
    return question;
}

#endif
