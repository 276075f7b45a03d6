/* test_worker.c - what becomes of a job: its output, or what went wrong.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/worker.h>

#include <sys/resource.h>

#include <bough/tests/actors/worker_subject.h>

static void assert_fails(struct bough_test *test, const char *script, const char *text)
{
    struct job job;

    run_script(test, script, "", &job);
    assert_status(job.status, BOUGH_EFAILED);
    assert_string_equal(job.text, text);
}

static void a_job_is_answered_with_its_output(void **state)
{
    struct bough_test *test = *state;
    struct job job;

    run_script(test, "cat", "some input\n", &job);
    assert_status(job.status, BOUGH_OK);
    assert_string_equal(job.work_id, "one");
    assert_int_equal(job.answer.status, 0);
    assert_string_equal(job.output, "some input\n");
    assert_int_equal(job.answer.output_size, 11);
    free(job.output);
}

static void the_time_is_that_of_the_runtime(void **state)
{
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    struct subject subject;
    char script[256];
    struct job job;

    snprintf(script, sizeof(script), "until [ -e %s/go ]; do sleep 0.01; done", folder);
    start_script(test, &subject, script, (struct bough_worker_options){ 0 });
    ask(&subject, &job, "one", "");
    bough_test_run(test);
    bough_test_advance(test, 1234);
    write_file(path_in(folder, "go"), "", 0600);
    await_answer(test, &job);
    assert_int_equal(job.answer.duration_ms, 1234);
    free(job.output);
    stop(test, &subject);
    remove_folder(folder);
    free(folder);
}

static void input_and_output_may_be_any_bytes(void **state)
{
    struct bough_test *test = *state;
    static const char bytes[] = "a\0b\xff\n\0";
    const char *const run[] = { "cat", NULL };
    const struct bough_worker_options options = { .run = run };
    struct job job = { .ask = { .call = { .done = job_done } } };
    struct subject subject;

    start(test, &subject, &options);
    bough_worker_do_work(subject.worker, "b", bytes, sizeof(bytes), 0, &job.ask);
    await_answer(test, &job);
    assert_int_equal(job.answer.output_size, sizeof(bytes));
    assert_memory_equal(job.output, bytes, sizeof(bytes));
    free(job.output);
    stop(test, &subject);
}

static void a_large_input_is_not_cut(void **state)
{
    enum { SIZE = 5 * 1000 * 1000 + 7 };
    struct bough_test *test = *state;
    char *input = malloc(SIZE);
    const char *const run[] = { "cat", NULL };
    const struct bough_worker_options options = { .run = run, .max_output = SIZE };
    struct job job = { .ask = { .call = { .done = job_done } } };
    struct subject subject;

    assert_non_null(input);
    for (size_t i = 0; i < SIZE; i++) {
        input[i] = (char)(i * 31 + i / 251);
    }
    start(test, &subject, &options);
    bough_worker_do_work(subject.worker, "big", input, SIZE, 0, &job.ask);
    await_answer(test, &job);
    assert_status(job.status, BOUGH_OK);
    assert_int_equal(job.answer.output_size, SIZE);
    assert_memory_equal(job.output, input, SIZE);
    free(job.output);
    free(input);
    stop(test, &subject);
}

static void a_program_need_not_read_its_input(void **state)
{
    struct bough_test *test = *state;
    struct job job;

    run_script(test, "echo done", "never read", &job);
    assert_string_equal(job.output, "done\n");
    free(job.output);
}

static void stdin_can_be_opened_by_name(void **state)
{
    struct bough_test *test = *state;
    struct job job;

    run_script(test, "cat /dev/stdin", "by name", &job);
    assert_string_equal(job.output, "by name");
    free(job.output);
}

static void an_exit_code_is_a_failure_with_its_reason(void **state)
{
    assert_fails(*state, "echo 'no such thing' >&2; echo more >&2; exit 3",
                 "sh ended with exit code 3: no such thing");
    assert_fails(*state, "exit 4", "sh ended with exit code 4");
    assert_fails(*state, "printf '\\n  \\377\\n' >&2; exit 5",
                 "sh ended with exit code 5: ?");
}

static void a_signal_is_a_failure_with_its_name(void **state)
{
    assert_fails(*state, "kill -SEGV $$", "sh was ended by signal 11 (SEGV)");
}

static void of_a_long_complaint_the_last_line_is_told(void **state)
{
    assert_fails(*state,
                 "i=0; while [ $i -lt 200 ]; do echo 'filling up' >&2; i=$((i+1)); done;"
                 "echo 'the end' >&2; echo >&2; exit 1",
                 "sh ended with exit code 1: the end");
}

static void a_complaint_without_end_is_cut(void **state)
{
    struct bough_test *test = *state;
    static const char start_of_text[] = "sh ended with exit code 1: 000";
    struct job job;

    run_script(test, "printf '%02000d' 7 >&2; exit 1", "", &job);
    assert_memory_equal(job.text, start_of_text, sizeof(start_of_text) - 1);
    assert_in_range(strlen(job.text), 100, 300);
}

static void too_much_output_is_a_failure(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "cat", NULL };
    const struct bough_worker_options options = { .run = run, .max_output = 10 };
    struct subject subject;
    struct job job;

    start(test, &subject, &options);
    ask(&subject, &job, "fits", "0123456789");
    await_answer(test, &job);
    assert_status(job.status, BOUGH_OK);
    assert_string_equal(job.output, "0123456789");
    free(job.output);
    ask(&subject, &job, "too much", "0123456789a");
    await_answer(test, &job);
    assert_status(job.status, BOUGH_EFAILED);
    assert_string_equal(job.text, "cat wrote more than 10 bytes, and was killed");
    stop(test, &subject);
}

static void output_without_end_is_stopped(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "yes", NULL };
    const struct bough_worker_options options = { .run = run };
    struct subject subject;
    struct job job;

    start(test, &subject, &options);
    ask(&subject, &job, "yes", "");
    await_answer(test, &job);
    assert_status(job.status, BOUGH_EFAILED);
    assert_string_equal(job.text, "yes wrote more than 1048576 bytes, and was killed");
    stop(test, &subject);
}

static void a_job_that_takes_too_long_is_killed(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    const struct bough_worker_options options = { .run = run, .timeout_ms = 500 };
    struct subject subject;
    struct job job;

    start(test, &subject, &options);
    ask(&subject, &job, "slow", "");
    bough_test_run(test);
    bough_test_advance(test, 499);
    assert_int_equal(job.answers, 0);
    bough_test_advance(test, 1);
    await_answer(test, &job);
    assert_status(job.status, BOUGH_ETIMEOUT);
    assert_string_equal(job.text, "sleep did not end within its timeout, and was killed");
    stop(test, &subject);
}

static void a_job_may_have_its_own_timeout(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    const struct bough_worker_options options = { .run = run,
                                                  .timeout_ms = BOUGH_FOREVER };
    struct job job = { .ask = { .call = { .done = job_done } } };
    struct subject subject;

    start(test, &subject, &options);
    bough_worker_do_work(subject.worker, "slow", "", 0, 250, &job.ask);
    bough_test_run(test);
    bough_test_advance(test, 250);
    await_answer(test, &job);
    assert_status(job.status, BOUGH_ETIMEOUT);
    stop(test, &subject);
}

static void the_usual_timeout_is_a_minute(void **state)
{
    struct bough_test *test = *state;
    const char *const run[] = { "sleep", "1000", NULL };
    const struct bough_worker_options options = { .run = run };
    struct subject subject;
    struct job job;

    start(test, &subject, &options);
    ask(&subject, &job, "slow", "");
    bough_test_run(test);
    bough_test_advance(test, 59999);
    assert_int_equal(job.answers, 0);
    bough_test_advance(test, 1);
    await_answer(test, &job);
    assert_status(job.status, BOUGH_ETIMEOUT);
    stop(test, &subject);
}

static void jobs_run_one_at_a_time_in_order(void **state)
{
    enum { JOBS = 8 };
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    char script[256];
    struct subject subject;
    struct job jobs[JOBS];

    /* Two at a time would find the other's folder. */
    snprintf(script, sizeof(script), "mkdir %s/lock && cat >> %s/order && rmdir %s/lock",
             folder, folder, folder);
    start_script(test, &subject, script, (struct bough_worker_options){ 0 });
    for (size_t i = 0; i < JOBS; i++) {
        const char input[] = { (char)('a' + i), '\0' };
        ask(&subject, &jobs[i], "j", input);
    }
    await_answer(test, &jobs[JOBS - 1]);
    for (size_t i = 0; i < JOBS; i++) {
        assert_status(jobs[i].status, BOUGH_OK);
        assert_int_equal(jobs[i].answers, 1);
        free(jobs[i].output);
    }
    char *order = read_whole(path_in(folder, "order"));
    assert_string_equal(order, "abcdefgh");
    free(order);
    stop(test, &subject);
    remove_folder(folder);
    free(folder);
}

static void a_job_that_is_told_is_run_too(void **state)
{
    struct bough_test *test = *state;
    const struct bough_message_type *type = &bough_worker_type.messages[0];
    const struct bough_field *work_id =
        bough_field_find(type->fields, type->field_count, "work_id");
    _Alignas(max_align_t) char fixed[256] = { 0 };
    char buffer[512];
    struct bough_block block;
    struct subject subject;
    struct job job;

    start_script(test, &subject, "exit 9", (struct bough_worker_options){ 0 });
    bough_block_init(&block, buffer, sizeof(buffer), fixed,
                     bough_worker_type.message_size);
    bough_block_text(&block, work_id->offset, "told");
    assert_status(bough_send_block(subject.worker.address, &block), BOUGH_OK);
    ask(&subject, &job, "asked", "");
    await_answer(test, &job);
    assert_non_null(strstr(test->log, "job failed work_id=told error=sh ended with exit "
                                      "code 9\n"));
    stop(test, &subject);
}

static void a_work_id_has_limits(void **state)
{
    struct bough_test *test = *state;
    char long_id[BOUGH_WORK_ID_MAX + 2];
    struct subject subject;
    struct job empty, longest, too_long;

    memset(long_id, 'i', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    start_script(test, &subject, "cat", (struct bough_worker_options){ 0 });
    ask(&subject, &empty, "", "");
    ask(&subject, &too_long, long_id, "");
    ask(&subject, &longest, long_id + 1, "");
    await_answer(test, &longest);
    assert_status(empty.status, BOUGH_EINVALID);
    assert_string_equal(empty.text, "work_id must have 1 to 255 bytes");
    assert_status(too_long.status, BOUGH_EINVALID);
    assert_string_equal(longest.work_id, long_id + 1);
    free(longest.output);
    stop(test, &subject);
}

static void a_negative_timeout_is_refused(void **state)
{
    struct bough_test *test = *state;
    struct job job = { .ask = { .call = { .done = job_done } } };
    struct subject subject;

    start_script(test, &subject, "cat", (struct bough_worker_options){ 0 });
    bough_worker_do_work(subject.worker, "j", "", 0, -1, &job.ask);
    await_answer(test, &job);
    assert_status(job.status, BOUGH_EINVALID);
    stop(test, &subject);
}

static void a_program_that_goes_missing_fails_the_job_only(void **state)
{
    struct bough_test *test = *state;
    char *folder = strdup(make_folder());
    const char *path = path_in(folder, "program");
    const char *const run[] = { path, NULL };
    const struct bough_worker_options options = { .run = run };
    char expected[256];
    struct subject subject;
    struct job job;

    write_file(path, "#!/bin/sh\necho here\n", 0755);
    start(test, &subject, &options);
    unlink(path);
    ask(&subject, &job, "gone", "");
    await_answer(test, &job);
    assert_status(job.status, BOUGH_EFAILED);
    snprintf(expected, sizeof(expected),
             "program \"%s/program\" is not there; install it, or correct its path",
             folder);
    assert_string_equal(job.text, expected);
    write_file(path, "#!/bin/sh\necho here\n", 0755);
    ask(&subject, &job, "back", "");
    await_answer(test, &job);
    assert_string_equal(job.output, "here\n");
    free(job.output);
    stop(test, &subject);
    remove_folder(folder);
    free(folder);
}

static void assert_refused_start(struct bough_test *test, const char *const *run,
                                 const char *logger, enum bough_status status,
                                 const char *text)
{
    const struct bough_worker_options options = { .run = run, .logger = logger };
    struct bough_exit_reason failure;
    struct bough_worker worker;

    assert_status(bough_worker_spawn(test->loop, &options, NULL, &worker, &failure),
                  status);
    assert_string_equal(failure.text, text);
}

static void a_worker_without_its_program_does_not_start(void **state)
{
    assert_refused_start(*state, (const char *[]){ "bough-has-no-such", NULL }, NULL,
                         BOUGH_ENOTFOUND,
                         "program \"bough-has-no-such\" was not found in PATH; install "
                         "it, or give its whole path");
    assert_refused_start(*state, (const char *[]){ NULL }, NULL, BOUGH_EINVALID,
                         "run needs a program");
    assert_refused_start(*state, NULL, NULL, BOUGH_EINVALID, "run needs a program");
    assert_refused_start(*state, (const char *[]){ "cat", NULL }, "no path",
                         BOUGH_EINVALID, "logger \"no path\": the value is not allowed");
}

static void assert_invalid(struct bough_test *test, struct bough_worker_options options,
                           const char *text)
{
    const char *const run[] = { "cat", NULL };
    struct bough_exit_reason failure;
    struct bough_worker worker;

    options.run = run;
    assert_status(bough_worker_spawn(test->loop, &options, NULL, &worker, &failure),
                  BOUGH_EINVALID);
    assert_string_equal(failure.text, text);
}

static void numbers_out_of_range_do_not_start(void **state)
{
    assert_invalid(*state, (struct bough_worker_options){ .timeout_ms = -1 },
                   "a duration must not be negative");
    assert_invalid(*state, (struct bough_worker_options){ .every_ms = -1 },
                   "a duration must not be negative");
    assert_invalid(*state, (struct bough_worker_options){ .max_output = -1 },
                   "max_output must be 1 to 67043328 bytes");
    assert_invalid(*state, (struct bough_worker_options){ .max_output = BOUGH_FOREVER },
                   "max_output must be 1 to 67043328 bytes");
}

/* Each of the descriptors that a job needs is the one too many, in turn. */
static void without_descriptors_the_job_fails(void **state)
{
    enum { MOST = 12 };
    struct bough_test *test = *state;
    struct rlimit before;
    struct subject subject;
    struct job job;
    int failed = 0;

    if (under_valgrind()) skip(); /* has descriptors of its own beyond the limit */
    start_script(test, &subject, "cat", (struct bough_worker_options){ 0 });
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int more = 0; more < MOST; more++) {
        int next = dup(0);
        close(next);
        setrlimit(RLIMIT_NOFILE,
                  &(struct rlimit){ (rlim_t)(next + more), before.rlim_max });
        ask(&subject, &job, "j", "in");
        bough_test_run(test);
        setrlimit(RLIMIT_NOFILE, &before);
        await_answer(test, &job);
        if (job.status != BOUGH_OK) {
            assert_status(job.status, BOUGH_EFAILED);
            assert_non_null(strstr(job.text, "Too many open files"));
            failed++;
        }
        free(job.output);
    }
    assert_in_range(failed, 4, MOST - 1);
    stop(test, &subject);
}

static void our_own_stdin_may_be_closed(void **state)
{
    struct bough_test *test = *state;
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
    struct job job;

    assert_true(saved >= 10);
    close(0);
    run_script(test, "cat; echo more >&2", "in", &job);
    assert_int_equal(fcntl(0, F_GETFD), -1);
    assert_int_equal(dup2(saved, 0), 0);
    close(saved);
    assert_status(job.status, BOUGH_OK);
    assert_string_equal(job.output, "in");
    free(job.output);
}

#define fact(test) \
    cmocka_unit_test_setup_teardown(test, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_job_is_answered_with_its_output),
        fact(the_time_is_that_of_the_runtime),
        fact(input_and_output_may_be_any_bytes),
        fact(a_large_input_is_not_cut),
        fact(a_program_need_not_read_its_input),
        fact(stdin_can_be_opened_by_name),
        fact(an_exit_code_is_a_failure_with_its_reason),
        fact(a_signal_is_a_failure_with_its_name),
        fact(of_a_long_complaint_the_last_line_is_told),
        fact(a_complaint_without_end_is_cut),
        fact(too_much_output_is_a_failure),
        fact(output_without_end_is_stopped),
        fact(a_job_that_takes_too_long_is_killed),
        fact(a_job_may_have_its_own_timeout),
        fact(the_usual_timeout_is_a_minute),
        fact(jobs_run_one_at_a_time_in_order),
        fact(a_job_that_is_told_is_run_too),
        fact(a_work_id_has_limits),
        fact(a_negative_timeout_is_refused),
        fact(a_program_that_goes_missing_fails_the_job_only),
        fact(a_worker_without_its_program_does_not_start),
        fact(numbers_out_of_range_do_not_start),
        fact(without_descriptors_the_job_fails),
        fact(our_own_stdin_may_be_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
