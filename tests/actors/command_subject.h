/* command_subject.h - a command at /c, and waiting for it: for its tests.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_ACTORS_COMMAND_SUBJECT_H
#define BOUGH_TESTS_ACTORS_COMMAND_SUBJECT_H

#include <errno.h>
#include <signal.h>

#include <bough/actors/command.h>
#include <bough/core/place.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/probe.h>

struct subject {
    struct bough_command command; /* the place */
    struct bough_address root;
    struct bough_probe probe; /* who is above it */
    struct bough_probe_watch watch;
    struct bough_exit_reason failure;
    char *folder;
};

/* Makes the place, and tries to start a life in it. */
static inline enum bough_status try_start(struct bough_test *test,
                                          struct subject *subject,
                                          const struct bough_command_options *options)
{
    struct bough_place_spec spec = {
        .type = &bough_command_type,
        .options = options,
        .name = "c",
    };

    memset(subject, 0, sizeof(*subject));
    bough_probe_watch_init(&subject->watch, NULL);
    subject->root = bough_probe_place(test, &subject->probe, BOUGH_NOBODY, "/");
    bough_probe_start(subject->root, NULL);
    spec.parent = subject->root;
    assert_status(bough_place_new(test->loop, &spec, &subject->command.address),
                  BOUGH_OK);
    const struct bough_start start = { .watch = &subject->watch.watch };
    return bough_place_start(subject->command.address, &start, &subject->failure);
}

static inline void start(struct bough_test *test, struct subject *subject,
                         const struct bough_command_options *options)
{
    if (try_start(test, subject, options) != BOUGH_OK)
        fail_msg("it did not start: %s", subject->failure.text);
}

/* Starts a script of the shell. */
static inline void start_script(struct bough_test *test, struct subject *subject,
                                const char *script, struct bough_command_options options)
{
    const char *const run[] = { script, NULL };

    options.run = run;
    options.shell = true;
    start(test, subject, &options);
}

static inline void await_exit(struct bough_test *test, const struct subject *subject)
{
    while (subject->watch.exits == 0)
        bough_test_wait(test);
}

static inline void await_ready(struct bough_test *test, const struct subject *subject)
{
    while (subject->watch.readies == 0 && subject->watch.exits == 0)
        bough_test_wait(test);
    assert_int_equal(subject->watch.exits, 0);
}

/* Waits for a part of the log; it must come before the end of the life. */
static inline void await_log(struct bough_test *test, const char *part)
{
    while (!strstr(test->log, part))
        bough_test_wait(test);
}

/* The end of a test: what is left of it is killed. */
static inline void drop(struct bough_test *test, struct subject *subject)
{
    bough_kill(subject->command.address);
    while (bough_loop_count(test->loop).lives > 1)
        bough_test_wait(test);
    bough_place_free(subject->command.address, 0);
    bough_probe_end(test, subject->root);
    bough_place_free(subject->root, 0);
}

/* Runs a script until it has ended: why it did. */
static inline struct bough_exit_reason run_script(struct bough_test *test,
                                                  const char *script,
                                                  struct bough_command_options options)
{
    struct subject subject;

    start_script(test, &subject, script, options);
    await_exit(test, &subject);
    drop(test, &subject);
    return subject.watch.reason;
}

static inline void assert_reason(const struct bough_exit_reason *reason,
                                 const char *expected)
{
    char text[BOUGH_EXIT_TEXT + 64];

    assert_string_equal(bough_exit_print(reason, text, sizeof(text)), expected);
}

/* A question and its answer. */
struct question {
    struct bough_command_ask ask;
    unsigned answers;
    enum bough_status status;
    struct bough_command_status state;
    char text[256];
};

static inline void question_done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, ask.call);

    question->answers++;
    question->status = status;
    snprintf(question->text, sizeof(question->text), "%s", bough_call_text(call, status));
    if (status == BOUGH_OK && call->reply_size >= sizeof(question->state) - 8)
        question->state = bough_command_read(&question->ask);
}

static inline void question_init(struct question *question)
{
    *question = (struct question){ .ask.call.done = question_done };
}

static inline void await_answer(struct bough_test *test, const struct question *question)
{
    while (question->answers == 0)
        bough_test_wait(test);
}

static inline struct bough_command_status status_of(struct bough_test *test,
                                                    const struct subject *subject)
{
    struct question question;

    question_init(&question);
    bough_command_ask_status(subject->command, &question.ask);
    await_answer(test, &question);
    assert_status(question.status, BOUGH_OK);
    return question.state;
}

static inline bool lives(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

/* The number after `label` in the log, which a script has written there. */
static inline pid_t await_number(struct bough_test *test, const char *label)
{
    char line[64];

    snprintf(line, sizeof(line), "%s=", label);
    await_log(test, line);
    return (pid_t)strtol(strstr(test->log, line) + strlen(line), NULL, 10);
}

#endif
