/* worker_subject.h - a worker, its jobs, and waiting for them: for its tests.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_ACTORS_WORKER_SUBJECT_H
#define BOUGH_TESTS_ACTORS_WORKER_SUBJECT_H

#include <bough/actors/worker.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/probe.h>

struct subject {
    struct bough_worker worker;
    struct bough_probe_watch watch;
};

/* A job and what became of it. */
struct job {
    struct bough_worker_ask ask;
    unsigned answers;
    enum bough_status status;
    struct bough_worker_answer answer; /* without the pointers */
    char work_id[BOUGH_WORK_ID_MAX + 1];
    char *output; /* to be freed */
    char text[512];
};

static inline void job_done(struct bough_call *call, enum bough_status status)
{
    struct job *job = bough_container(call, struct job, ask.call);

    job->answers++;
    job->status = status;
    snprintf(job->text, sizeof(job->text), "%s", bough_call_text(call, status));
    if (status != BOUGH_OK) return;
    job->answer = bough_worker_read(&job->ask);
    snprintf(job->work_id, sizeof(job->work_id), "%s", job->answer.work_id);
    /* Not malloc(): a test may have that fail. */
    assert_int_equal(
        posix_memalign((void **)&job->output, 16, job->answer.output_size + 1), 0);
    memcpy(job->output, job->answer.output, job->answer.output_size);
    job->output[job->answer.output_size] = '\0';
}

static inline void start(struct bough_test *test, struct subject *subject,
                         const struct bough_worker_options *options)
{
    bough_probe_watch_init(&subject->watch, NULL);
    assert_status(bough_worker_spawn(test->loop, options, &subject->watch.watch,
                                     &subject->worker, NULL),
                  BOUGH_OK);
}

/* Starts a worker that runs a script of the shell. */
static inline void start_script(struct bough_test *test, struct subject *subject,
                                const char *script, struct bough_worker_options options)
{
    const char *const run[] = { "sh", "-c", script, NULL };

    options.run = run;
    start(test, subject, &options);
}

static inline void ask(const struct subject *subject, struct job *job,
                       const char *work_id, const char *input)
{
    *job = (struct job){ .ask = { .call = { .done = job_done } } };
    bough_worker_do_work(subject->worker, work_id, input, strlen(input), 0, &job->ask);
}

static inline void await_answer(struct bough_test *test, const struct job *job)
{
    while (job->answers == 0) {
        bough_test_wait(test);
    }
}

static inline void await_exit(struct bough_test *test, const struct subject *subject)
{
    while (subject->watch.exits == 0) {
        bough_test_wait(test);
    }
}

static inline void stop(struct bough_test *test, struct subject *subject)
{
    bough_stop(subject->worker.address);
    await_exit(test, subject);
    assert_int_equal(subject->watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    bough_test_run(test);
}

/* Waits for a file with a number in it, which a script writes and then moves there. */
static inline pid_t await_pid(struct bough_test *test, const char *path)
{
    while (access(path, F_OK) != 0) {
        ev_run(test->ev, EVRUN_NOWAIT);
        assert_true(ev_time() < test->give_up_at);
    }
    char *text = read_whole(path);
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    free(text);
    assert_true(pid > 1);
    return pid;
}

/* One job on a worker of its own. */
static inline void run_script(struct bough_test *test, const char *script,
                              const char *input, struct job *job)
{
    struct subject subject;

    start_script(test, &subject, script, (struct bough_worker_options){ 0 });
    ask(&subject, job, "one", input);
    await_answer(test, job);
    stop(test, &subject);
    assert_int_equal(job->answers, 1);
}

#endif
