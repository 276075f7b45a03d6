/* process_tree.h - a tree with children in processes of their own, on real time.
 *
 * Nothing sleeps: a test runs the loop until what it waits for is so, under one alarm.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_PROCESS_TREE_H
#define BOUGH_TESTS_SUPERVISOR_PROCESS_TREE_H

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/runtime.h>
#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

enum { PROCESS_TREE_SECONDS = 60 };

struct process_tree {
    struct ev_loop *ev;
    struct bough_nursery *nursery;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_supervisor root;
    struct bough_watch watch;
    bool ready, exited;
    struct bough_exit_reason reason; /* of its end */
    char log[16384];                 /* lines: path, text */
};

static inline void process_tree_log(void *data, const struct bough_log_record *record)
{
    struct process_tree *tree = data;
    const size_t used = strlen(tree->log);

    snprintf(tree->log + used, sizeof(tree->log) - used, "%s: %s\n", record->path,
             record->text);
}

static inline void process_tree_ready(struct bough_watch *watch)
{
    bough_container(watch, struct process_tree, watch)->ready = true;
}

static inline void process_tree_exited(struct bough_watch *watch,
                                       const struct bough_exit_reason *reason)
{
    struct process_tree *tree = bough_container(watch, struct process_tree, watch);

    tree->reason = *reason;
    tree->exited = true;
}

/* What is ready is run first: else it would be run just before a poll that nothing ends.
 */
static inline void process_tree_round(struct process_tree *tree)
{
    if (bough_loop_run_ready(tree->loop, SIZE_MAX) == 0) ev_run(tree->ev, EVRUN_ONCE);
}

static inline void process_tree_await(struct process_tree *tree, const bool *what)
{
    while (!*what)
        process_tree_round(tree);
}

/* Started, and ready or ended. */
static inline void process_tree_start(struct process_tree *tree,
                                      const struct bough_child_spec *children,
                                      size_t count)
{
    const struct bough_supervisor_options options = {
        .any_intensity = true,
        .intensity = BOUGH_INTENSITY_MAX,
        .children = children,
        .child_count = count,
    };
    struct bough_error error = { .text = "" };
    struct bough_runtime_options runtime = { .log = process_tree_log, .log_data = tree };

    *tree = (struct process_tree){ .ready = false };
    alarm(PROCESS_TREE_SECONDS);
    assert_status(bough_nursery_new(&tree->nursery, &error), BOUGH_OK);
    runtime.nursery = tree->nursery;
    tree->ev = ev_loop_new(0);
    tree->runtime = bough_runtime_new(&runtime);
    tree->loop = bough_loop_new(tree->runtime, tree->ev);
    tree->watch.ready = process_tree_ready;
    tree->watch.exited = process_tree_exited;
    assert_status(
        bough_supervisor_start(tree->loop, &options, &tree->watch, &tree->root, &error),
        BOUGH_OK);
    while (!tree->ready && !tree->exited)
        process_tree_round(tree);
}

/* Fails when a process is left, dead or alive. */
static inline void process_tree_finish(struct process_tree *tree)
{
    bough_supervisor_stop(tree->root);
    process_tree_await(tree, &tree->exited);
    bough_runtime_free(tree->runtime);
    ev_loop_destroy(tree->ev);
    bough_nursery_free(tree->nursery);
    alarm(0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static inline struct bough_address process_tree_place(struct process_tree *tree,
                                                      const char *path)
{
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    return place;
}

/* A question, whose reply is copied. */
struct process_tree_ask {
    struct bough_call call;
    bool done;
    enum bough_status status;
    size_t size;
    _Alignas(max_align_t) char reply[256];
};

static inline void process_tree_answered(struct bough_call *call,
                                         enum bough_status status)
{
    struct process_tree_ask *ask = bough_container(call, struct process_tree_ask, call);

    ask->done = true;
    ask->status = status;
    ask->size = call->reply_size;
    if (ask->size > sizeof(ask->reply)) ask->size = sizeof(ask->reply);
    if (call->reply != NULL) memcpy(ask->reply, call->reply, ask->size);
}

static inline void process_tree_ask(struct process_tree *tree,
                                    struct process_tree_ask *ask, struct bough_address to,
                                    const void *message, size_t size)
{
    *ask = (struct process_tree_ask){ .call = { .done = process_tree_answered,
                                                .loop = tree->loop } };
    bough_call_start(&ask->call, to, message, size, NULL, 0);
}

#endif
