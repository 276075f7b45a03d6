/* test_spawn_ways.c - how a program can be run: where, with what, as whom.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <signal.h>

#include <bough/core/lineage.h>
#include <bough/core/public.h>
#include <bough/tests/actors/spawn_subject.h>

static void environment_and_directory_can_be_given(void **state)
{
    const struct fixture *fixture = *state;
    const char *const argv[] = { "sh", "-c", "echo $FRUIT; pwd", NULL };
    const char *const env[] = { "FRUIT=plum", NULL };
    char expected[300];

    snprintf(expected, sizeof(expected), "plum\n%s\n", fixture->folder);
    assert_string_equal(output_of((struct bough_spawn_options){
                            .argv = argv, .env = env, .cwd = fixture->folder }),
                        expected);
}

static void a_directory_that_is_not_there_is_known_at_once(void **state)
{
    const char *const argv[] = { "true", NULL };
    const struct bough_spawn_options options = { .argv = argv, .cwd = "/no/such" };
    struct bough_process process;
    struct bough_error error = { 0 };

    (void)state;
    if (under_valgrind()) skip(); /* shares no memory with the child */
    assert_status(bough_process_spawn(&options, &process, &error), BOUGH_ESYSTEM);
    assert_string_equal(
        error.text,
        "cannot enter \"/no/such\"; make it, or correct \"cwd\": No such file or directory");
    assert_int_equal(error.errno_value, ENOENT);
}

static void a_program_of_a_relative_path_is_that_of_this_directory(void **state)
{
    const struct fixture *fixture = *state;
    const char *const argv[] = { "bin/here", NULL };
    char before[4096];

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(mkdir(path_in(fixture->folder, "bin"), 0755), 0);
    write_file(path_in(fixture->folder, "bin/here"), "#!/bin/sh\npwd\n", 0755);
    assert_int_equal(chdir(fixture->folder), 0);
    const char *text =
        output_of((struct bough_spawn_options){ .argv = argv, .cwd = "/" });
    assert_int_equal(chdir(before), 0);
    assert_string_equal(text, "/\n");
}

static void the_path_of_its_environment_is_searched(void **state)
{
    const struct fixture *fixture = *state;
    const char *const argv[] = { "bough-here", NULL };
    char path[300];
    const char *const env[] = { path, NULL };

    snprintf(path, sizeof(path), "PATH=%s", fixture->folder);
    write_file(path_in(fixture->folder, "bough-here"), "#!/bin/sh\necho found\n", 0755);
    assert_string_equal(
        output_of((struct bough_spawn_options){ .argv = argv, .env = env }), "found\n");
}

static void one_more_descriptor_can_be_handed_over(void **state)
{
    static const int numbers[] = { 3, 5, 40 };
    int ends[2];

    (void)state;
    for (size_t i = 0; i < bough_count_of(numbers); i++) {
        char script[64], text[32] = "", expected[32];
        const char *const argv[] = { "bash", "-c", script, NULL };

        snprintf(script, sizeof(script), "cd /proc/self/fd; echo * >&%d", numbers[i]);
        snprintf(expected, sizeof(expected), "0 1 2 3%s\n",
                 numbers[i] == 3   ? " 4"
                 : numbers[i] == 5 ? " 5"
                                   : " 40");
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        const struct bough_spawn_options options = { .argv = argv,
                                                     .handed_fd = ends[1],
                                                     .handed_as = numbers[i] };
        struct bough_process process;
        assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
        assert_int_equal(end_of(&process).code, 0);
        close(ends[1]);
        assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
        close(ends[0]);
        assert_string_equal(text, expected);
    }
}

static void mask_and_priority_can_be_given(void **state)
{
    const char *const argv[] = { "sh", "-c", "umask; nice", NULL };

    (void)state;
    assert_string_equal(output_of((struct bough_spawn_options){
                            .argv = argv, .has_umask = true, .umask = 027, .nice = 7 }),
                        "0027\n7\n");
}

static void limits_are_applied_before_it_runs(void **state)
{
    const char *const argv[] = { "sh", "-c", "ulimit -n; ulimit -c", NULL };
    const struct bough_process_limits limits = {
        .rlimits = { .files = 77, .core = BOUGH_CORE_NONE },
    };
    struct bough_limits_plan plan;

    (void)state;
    if (under_valgrind()) skip(); /* it has limits of its own */
    assert_status(bough_limits_plan(&limits, &plan, NULL), BOUGH_OK);
    assert_string_equal(
        output_of((struct bough_spawn_options){ .argv = argv, .limits = &plan }),
        "77\n0\n");
}

static void a_limit_that_is_refused_is_told(void **state)
{
    const char *const argv[] = { "true", NULL };
    struct bough_limits_plan plan = { .rlimits = { .files = INT64_MAX - 1 } };
    const struct bough_spawn_options options = { .argv = argv, .limits = &plan };
    struct bough_process process;
    struct bough_error error = { 0 };

    (void)state;
    if (under_valgrind()) skip(); /* shares no memory with the child */
    assert_status(bough_process_spawn(&options, &process, &error), BOUGH_ESYSTEM);
    assert_non_null(strstr(error.text, "cannot set the rlimit files to "));
}

static void a_program_heads_a_lineage(void **state)
{
    const char *const argv[] = { "sh", "-c", "(setsid sleep 1000 & echo $!)", NULL };
    struct bough_lineage lineage;
    int reader;

    (void)state;
    if (under_valgrind()) skip(); /* it answers for limits by itself */
    struct bough_process process =
        start_piped((struct bough_spawn_options){ .argv = argv }, &reader);
    pid_t far = read_pid(reader), head = process.pid;
    assert_int_equal(end_of(&process).code, 0);
    assert_true(bough_lineage_of(far, &lineage));
    assert_int_equal(lineage.root, getpid());
    assert_int_equal(lineage.head, head);
    assert_false(bough_lineage_of(getpid(), &lineage));
    kill(far, SIGKILL);
    assert_true(process_ends(far));
    close(reader);
}

#define fact(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(environment_and_directory_can_be_given),
        fact(a_directory_that_is_not_there_is_known_at_once),
        fact(a_program_of_a_relative_path_is_that_of_this_directory),
        fact(the_path_of_its_environment_is_searched),
        fact(one_more_descriptor_can_be_handed_over),
        fact(mask_and_priority_can_be_given),
        fact(limits_are_applied_before_it_runs),
        fact(a_limit_that_is_refused_is_told),
        fact(a_program_heads_a_lineage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
