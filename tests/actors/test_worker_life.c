/* test_worker_life.c - a worker's starts and ends, and what it does by itself; nothing
 * that it has started is left behind.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/worker.h>

#include <bough/actors/logger.h>
#include <bough/core/place.h>
#include <bough/tests/actors/worker_subject.h>

static void on_failure_exit_ends_the_worker_after_the_answer(void **state)
{
    struct bough_test *test = *state;
    struct subject subject;
    struct job job;

    start_script(test, &subject, "exit 2",
                 (struct bough_worker_options){ .on_failure = BOUGH_WORKER_EXIT });
    ask(&subject, &job, "j1", "");
    await_exit(test, &subject);
    bough_test_run(test);
    assert_status(job.status, BOUGH_EFAILED);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_ERROR);
    assert_string_equal(subject.watch.reason.text,
                        "job j1 failed: sh ended with exit code 2");
}

static void a_worker_that_is_stopped_lets_its_job_end(void **state)
{
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    char script[256];
    struct subject subject;
    struct job first, second;

    snprintf(script, sizeof(script),
             "until [ -e %s/go ]; do sleep 0.01; done; echo ended", folder);
    start_script(test, &subject, script, (struct bough_worker_options){ 0 });
    ask(&subject, &first, "first", "");
    ask(&subject, &second, "second", "");
    bough_test_run(test);
    bough_stop(subject.worker.address);
    bough_test_run(test);
    assert_int_equal(subject.watch.exits, 0);
    write_file(path_in(folder, "go"), "", 0600);
    await_exit(test, &subject);
    bough_test_run(test);
    assert_int_equal(subject.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    assert_string_equal(first.output, "ended\n");
    assert_status(second.status, BOUGH_EGONE);
    free(first.output);
    remove_folder(folder);
    free(folder);
}

static void a_killed_worker_takes_its_programs_along(void **state)
{
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    char script[256];
    struct subject subject;
    struct job job;

    snprintf(script, sizeof(script),
             "sleep 1000 & echo $! > %s/new; mv %s/new %s/pid; wait", folder, folder,
             folder);
    start_script(test, &subject, script, (struct bough_worker_options){ 0 });
    ask(&subject, &job, "j", "");
    bough_test_run(test);
    pid_t grandchild = await_pid(test, path_in(folder, "pid"));
    bough_kill(subject.worker.address);
    bough_test_run(test);
    assert_int_equal(subject.watch.exits, 1);
    assert_status(job.status, BOUGH_ECRASHED);
    assert_false(bough_test_has_children());
    assert_true(process_ends(grandchild));
    assert_non_null(strstr(test->log, "job failed work_id=j error=its worker ended\n"));
    remove_folder(folder);
    free(folder);
}

static void what_a_job_leaves_behind_ends_with_it(void **state)
{
    struct bough_test *test = *state;
    struct job job;

    /* It keeps stdout open: the job is over all the same. */
    run_script(test, "sleep 1000 & echo $!", "", &job);
    assert_status(job.status, BOUGH_OK);
    assert_true(process_ends((pid_t)strtol(job.output, NULL, 10)));
    free(job.output);
}

static void the_next_life_goes_on_with_what_waits(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sh", "-c",
                                "read word; [ $word = bad ] && sleep 1000; echo $word",
                                NULL };
    const struct bough_worker_options options = { .run = run };
    const struct bough_place_spec spec = { .type = &bough_worker_type,
                                           .options = &options,
                                           .parent = BOUGH_NOBODY,
                                           .name = "w" };
    struct subject subject;
    struct job bad, good;
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_EINVALID);
    struct bough_address root =
        bough_probe_place(test, &(struct bough_probe){ 0 }, BOUGH_NOBODY, "/");
    struct bough_place_spec child = spec;
    child.parent = root;
    assert_status(bough_place_new(test->loop, &child, &place), BOUGH_OK);
    subject.worker.address = place;
    bough_probe_watch_init(&subject.watch, NULL);
    struct bough_start first = { .watch = &subject.watch.watch };
    assert_status(bough_place_start(place, &first, NULL), BOUGH_OK);
    ask(&subject, &bad, "bad", "bad\n");
    ask(&subject, &good, "good", "good\n");
    bough_test_run(test);
    bough_kill(place);
    bough_test_run(test);
    assert_int_equal(subject.watch.exits, 1);
    assert_status(bad.status, BOUGH_ECRASHED);
    assert_int_equal(good.answers, 0);
    bough_probe_watch_init(&subject.watch, NULL);
    assert_status(bough_place_start(place, &first, NULL), BOUGH_OK);
    await_answer(test, &good);
    assert_string_equal(good.output, "good\n");
    free(good.output);
    bough_kill(place);
    bough_test_run(test);
    bough_place_free(place, 0);
    bough_place_free(root, 0);
}

static void starts_and_ends_are_logged(void **state)
{
    struct bough_test *test = *state;
    struct job job;

    run_script(test, "cat", "four", &job);
    assert_non_null(strstr(test->log, "info : job started work_id=one pid="));
    assert_non_null(strstr(test->log,
                           "info : job ended work_id=one status=0 duration_ms=0 "
                           "output_size=4\n"));
    free(job.output);
}

static void jobs_are_logged_through_its_logger(void **state)
{
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    const struct bough_logger_options logger = { .file = path_in(folder, "log") };
    const struct bough_place_spec spec = { .type = &bough_logger_type,
                                           .options = &logger,
                                           .parent = BOUGH_NOBODY,
                                           .name = "/" };
    struct subject subject;
    struct bough_address place;
    struct job job;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_status(bough_place_start(place, &(struct bough_start){ 0 }, NULL), BOUGH_OK);
    start_script(test, &subject, "exit 1",
                 (struct bough_worker_options){ .logger = "/" });
    ask(&subject, &job, "a b", "");
    await_answer(test, &job);
    stop(test, &subject);
    bough_stop(place);
    bough_test_run(test);
    bough_place_free(place, 0);
    char *text = read_whole(path_in(folder, "log"));
    assert_non_null(strstr(text, " info job started work_id=\"a b\" pid="));
    assert_non_null(strstr(text, " warning job failed work_id=\"a b\" "
                                 "error=\"sh ended with exit code 1\"\n"));
    assert_string_equal(test->log, "");
    free(text);
    remove_folder(folder);
    free(folder);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text++) {
        count++;
    }
    return count;
}

static void await_log(struct bough_test *test, const char *part, size_t count)
{
    while (count_of(test->log, part) < count) {
        bough_test_wait(test);
    }
}

static void every_gives_it_jobs_by_itself(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "cat", NULL };
    const struct bough_worker_options options = { .run = run,
                                                  .every_ms = 1000,
                                                  .every_input = "tick" };
    struct subject subject;

    start(test, &subject, &options);
    bough_test_advance(test, 999);
    assert_string_equal(test->log, "");
    for (size_t i = 1; i <= 3; i++) {
        bough_test_advance(test, i == 1 ? 1 : 1000);
        await_log(test, "job ended", i);
    }
    assert_non_null(strstr(test->log, "job ended work_id=every-3 status=0"));
    assert_int_equal(count_of(test->log, "output_size=4\n"), 3);
    stop(test, &subject);
}

static void an_interval_is_left_out_while_a_job_runs(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    const struct bough_worker_options options = { .run = run,
                                                  .every_ms = 1000,
                                                  .timeout_ms = 3500 };
    struct subject subject;

    start(test, &subject, &options);
    bough_test_advance(test, 4400);
    assert_int_equal(count_of(test->log, "job started"), 1);
    bough_test_advance(test, 100);
    await_log(test, "job failed work_id=every-1", 1);
    bough_test_advance(test, 500);
    assert_int_equal(count_of(test->log, "job started work_id=every-2"), 1);
    bough_kill(subject.worker.address);
    bough_test_run(test);
}

/* Everything else runs on loops of their own; on libev's default loop libev reaps. */
static void on_the_default_loop_statuses_are_known_too(void **state)
{
    enum { JOBS = 20 };
    struct bough_test *test = *state;
    struct ev_loop *own_ev = test->ev;
    struct bough_loop *own_loop = test->loop;
    struct subject subject;

    test->ev = ev_default_loop(EVFLAG_AUTO);
    test->loop = bough_loop_new(test->runtime, test->ev);
    assert_non_null(test->loop);
    start_script(test, &subject, "read code; exit $code",
                 (struct bough_worker_options){ 0 });
    for (int code = 1; code <= JOBS; code++) {
        char input[16], expected[64];
        struct job job;
        snprintf(input, sizeof(input), "%d\n", code);
        snprintf(expected, sizeof(expected), "sh ended with exit code %d", code);
        ask(&subject, &job, "j", input);
        await_answer(test, &job);
        assert_string_equal(job.text, expected);
    }
    stop(test, &subject);
    bough_loop_free(test->loop);
    ev_loop_destroy(test->ev);
    test->ev = own_ev;
    test->loop = own_loop;
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(on_failure_exit_ends_the_worker_after_the_answer),
        fact(a_worker_that_is_stopped_lets_its_job_end),
        fact(a_killed_worker_takes_its_programs_along),
        fact(what_a_job_leaves_behind_ends_with_it),
        fact(the_next_life_goes_on_with_what_waits),
        fact(starts_and_ends_are_logged),
        fact(jobs_are_logged_through_its_logger),
        fact(every_gives_it_jobs_by_itself),
        fact(an_interval_is_left_out_while_a_job_runs),
        fact(on_the_default_loop_statuses_are_known_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
