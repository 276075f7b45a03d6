/* test_spawn.c - programs are started, seen and ended as spawn.h says.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <bough/core/public.h>
#include <bough/tests/actors/spawn_subject.h>

static void assert_fails(const char *program, enum bough_status expected,
                         const char *text)
{
    const char *const argv[] = { program, NULL };
    const struct bough_spawn_options options = { .argv = argv };
    struct bough_process process = { .pidfd = -7 };
    struct bough_error error = { 0 };

    assert_status(bough_process_spawn(&options, &process, &error), expected);
    assert_string_equal(error.text, text);
    assert_int_equal(process.pidfd, -7);
}

static void an_exit_code_is_known(void **state)
{
    struct bough_process process = start((const char *[]){ "sh", "-c", "exit 3", NULL });
    struct bough_process_end end = end_of(&process);

    (void)state;
    assert_true(end.known);
    assert_int_equal(end.code, 3);
    assert_int_equal(end.signal, 0);
}

static void a_signal_is_known(void **state)
{
    struct bough_process process =
        start((const char *[]){ "sh", "-c", "kill -USR1 $$", NULL });
    struct bough_process_end end = end_of(&process);

    (void)state;
    assert_true(end.known);
    assert_int_equal(end.code, 0);
    assert_int_equal(end.signal, SIGUSR1);
}

static void the_time_that_it_has_used_is_known(void **state)
{
    /* Waited for by the shell: it counts with its own. */
    struct bough_process process = start((const char *[]){
        "sh", "-c", "head -c 200000000 /dev/zero >/dev/null; true", NULL });

    (void)state;
    assert_in_range(end_of(&process).cpu_ms, 1, 60000);
}

static void what_still_runs_is_not_reaped(void **state)
{
    struct bough_process process = start((const char *[]){ "sleep", "1000", NULL });
    struct bough_process_end end;

    (void)state;
    assert_false(bough_process_wait(&process, 0));
    assert_false(bough_process_reap(&process, &end));
    bough_process_kill(&process);
    assert_int_equal(end_of(&process).signal, SIGKILL);
}

static void a_program_is_announced_before_it_runs(void **state)
{
    const char *const argv[] = { "sh", "-c", "echo ran", NULL };
    char line[32] = "", expected[32];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const struct bough_spawn_options options = {
        .argv = argv,
        .stdout_fd = ends[1],
        .announce_fd = ends[1],
    };
    struct bough_process process;
    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    snprintf(expected, sizeof(expected), "%d\nran\n", (int)process.pid);
    assert_int_equal(end_of(&process).code, 0);
    assert_int_equal(read(ends[0], line, sizeof(line) - 1), strlen(expected));
    assert_string_equal(line, expected);
    close(ends[0]);
    close(ends[1]);
}

static void nobody_to_announce_to_does_no_harm(void **state)
{
    const char *const argv[] = { "sh", "-c", "exit 3", NULL };
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[0]);
    const struct bough_spawn_options options = { .argv = argv, .announce_fd = ends[1] };
    struct bough_process process;
    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    assert_int_equal(end_of(&process).code, 3);
    close(ends[1]);
}

static void a_program_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    assert_fails("bough-has-no-such", BOUGH_ENOTFOUND,
                 "program \"bough-has-no-such\" was not found in PATH; install it, or "
                 "give its whole path");
    assert_fails("/no/such", BOUGH_ENOTFOUND,
                 "program \"/no/such\" is not there; install it, or correct its path");
    assert_fails(
        "", BOUGH_ENOTFOUND,
        "program \"\" was not found in PATH; install it, or give its whole path");
}

static void what_is_not_executable_is_denied(void **state)
{
    (void)state;
    assert_fails("/etc/passwd", BOUGH_EDENIED,
                 "program \"/etc/passwd\" is not executable; chmod +x it, or correct its "
                 "name");
    assert_fails("/etc", BOUGH_EDENIED, "\"/etc\" is a directory, and no program");
}

static void a_path_that_is_too_long_is_an_error(void **state)
{
    char name[BOUGH_PROGRAM_PATH + 8];
    char path[16];

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_status(bough_program_find(name, NULL, path, sizeof(path), NULL),
                  BOUGH_ETOOLARGE);
    name[0] = '/';
    assert_status(bough_program_find(name, NULL, path, sizeof(path), NULL),
                  BOUGH_ETOOLARGE);
}

static void path_is_searched_in_order(void **state)
{
    const struct fixture *fixture = *state;
    char *before = strdup(getenv("PATH"));
    char search[256], found[BOUGH_PROGRAM_PATH], other[BOUGH_PROGRAM_PATH];

    write_file(path_in(fixture->folder, "one"), "#!/bin/sh\n", 0644);
    assert_int_equal(mkdir(path_in(fixture->folder, "bin"), 0755), 0);
    write_file(path_in(fixture->folder, "bin/one"), "#!/bin/sh\n", 0755);
    snprintf(search, sizeof(search), "/nowhere:%s:%s/bin", fixture->folder,
             fixture->folder);
    setenv("PATH", search, 1);
    enum bough_status first = bough_program_find("one", NULL, found, sizeof(found), NULL);
    unlink(path_in(fixture->folder, "bin/one"));
    enum bough_status second =
        bough_program_find("one", NULL, other, sizeof(other), NULL);
    setenv("PATH", before, 1);
    free(before);

    assert_status(first, BOUGH_OK);
    assert_string_equal(found, path_in(fixture->folder, "bin/one"));
    assert_status(second, BOUGH_EDENIED);
}

static void without_path_the_usual_folders_are_searched(void **state)
{
    char *before = strdup(getenv("PATH"));
    char found[BOUGH_PROGRAM_PATH];

    (void)state;
    unsetenv("PATH");
    enum bough_status status = bough_program_find("sh", NULL, found, sizeof(found), NULL);
    setenv("PATH", before, 1);
    free(before);
    assert_status(status, BOUGH_OK);
    assert_string_equal(found, "/bin/sh");
}

static void an_exec_that_fails_is_known_at_once(void **state)
{
    const struct fixture *fixture = *state;
    const char *path = path_in(fixture->folder, "bad");
    char text[256];

    if (under_valgrind()) skip();
    write_file(path, "#!/no/interpreter\n", 0755);
    snprintf(
        text, sizeof(text),
        "cannot run \"%s\", its interpreter is missing; install it, or correct the first line: No such file or directory",
        path);
    assert_fails(path, BOUGH_ESYSTEM, text);
}

static void a_script_without_interpreter_runs_in_the_shell(void **state)
{
    const struct fixture *fixture = *state;
    const char *path = path_in(fixture->folder, "script");
    const char *const argv[] = { path, "two", "words here", NULL };

    if (under_valgrind()) skip();
    write_file(path, "echo \"$1:$2\"\n", 0755);
    assert_string_equal(output_of((struct bough_spawn_options){ .argv = argv }),
                        "two:words here\n");
}

static void only_the_three_descriptors_are_open(void **state)
{
    int kept = fcntl(0, F_DUPFD, 40); /* without close-on-exec */

    (void)state;
    /* The shell opens the folder itself to list it. */
    const char *text = shell_output("cd /proc/self/fd && echo *");
    close(kept);
    assert_string_equal(text, "0 1 2 3\n");
}

static void stdin_is_the_null_device_when_none_is_given(void **state)
{
    (void)state;
    assert_string_equal(shell_output("readlink /proc/$$/fd/0 /proc/$$/fd/2"),
                        "/dev/null\n/dev/null\n");
}

static void a_descriptor_can_be_inherited(void **state)
{
    const char *const argv[] = { "readlink", "/proc/self/fd/2", NULL };
    char own[256] = "";
    char expected[260];

    (void)state;
    assert_true(readlink("/proc/self/fd/2", own, sizeof(own) - 1) > 0);
    snprintf(expected, sizeof(expected), "%s\n", own);
    const char *text = output_of(
        (struct bough_spawn_options){ .argv = argv, .stderr_fd = BOUGH_SPAWN_INHERIT });
    assert_string_equal(text, expected);
}

static void signals_are_as_new(void **state)
{
    sigset_t blocked, before;

    (void)state;
    if (under_valgrind()) skip(); /* blocks signals of its own */
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    const char *text = shell_output("grep -E '^Sig(Blk|Ign)' /proc/self/status");
    signal(SIGPIPE, handler);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void do_nothing(int number)
{
    (void)number;
}

/* Who knows what this process may be ignoring says so. */
static void signals_are_as_new_when_few_may_be_ignored(void **state)
{
    const char *const argv[] = { "grep", "^SigIgn", "/proc/self/status", NULL };
    const struct bough_spawn_options options = {
        .argv = argv,
        .ignored = UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGUSR1 - 1),
    };

    (void)state;
    void (*pipe)(int) = signal(SIGPIPE, SIG_IGN);
    void (*first)(int) = signal(SIGUSR1, SIG_IGN);
    void (*second)(int) = signal(SIGUSR2, do_nothing);
    const char *text = output_of(options);
    signal(SIGPIPE, pipe);
    signal(SIGUSR1, first);
    signal(SIGUSR2, second);
    assert_string_equal(text, "SigIgn:\t0000000000000000\n");
}

static void the_callers_signals_are_as_before(void **state)
{
    sigset_t blocked, before, after;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    shell_output("true");
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(sigismember(&after, SIGUSR2));
    assert_false(sigismember(&after, SIGTERM));
}

static void a_program_leads_its_session_and_group(void **state)
{
    struct bough_process process = start((const char *[]){ "sleep", "1000", NULL });

    (void)state;
    assert_int_equal(getsid(process.pid), process.pid);
    assert_int_equal(getpgid(process.pid), process.pid);
    bough_process_kill(&process);
    end_of(&process);
}

static void killing_takes_the_whole_group(void **state)
{
    const char *const argv[] = { "sh", "-c", "sleep 1000 & echo $!; wait", NULL };
    int reader;
    struct bough_process process =
        start_piped((struct bough_spawn_options){ .argv = argv }, &reader);
    pid_t grandchild = read_pid(reader);

    (void)state;
    bough_process_kill(&process);
    assert_true(process_ends(grandchild));
    assert_int_equal(end_of(&process).signal, SIGKILL);
    close(reader);
}

static void what_a_program_leaves_in_its_group_ends_with_it(void **state)
{
    const char *const argv[] = { "sh", "-c", "sleep 1000 & echo $!", NULL };
    int reader;
    struct bough_process process =
        start_piped((struct bough_spawn_options){ .argv = argv }, &reader);
    pid_t grandchild = read_pid(reader);

    (void)state;
    assert_int_equal(end_of(&process).code, 0);
    assert_true(process_ends(grandchild));
    close(reader);
}

/* In a child of the test: starts a program, tells its number, waits to be killed. */
static _Noreturn void be_a_parent(int writer)
{
    struct bough_process process = start((const char *[]){ "sleep", "1000", NULL });
    char text[32];
    int len = snprintf(text, sizeof(text), "%d\n", (int)process.pid);

    if (write(writer, text, (size_t)len) != len) _exit(1);
    for (;;) {
        pause();
    }
}

static void a_program_ends_with_its_parent(void **state)
{
    int ends[2], status;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) be_a_parent(ends[1]);
    pid_t program = read_pid(ends[0]);
    assert_int_equal(kill(program, 0), 0);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_true(process_ends(program));
    close(ends[0]);
    close(ends[1]);
}

static void other_children_are_left_alone(void **state)
{
    int status;
    pid_t other = fork();

    (void)state;
    if (other == 0) _exit(7);
    shell_output("true");
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void a_status_that_was_taken_is_unknown(void **state)
{
    struct bough_process process = start((const char *[]){ "true", NULL });
    int status;

    (void)state;
    assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
    assert_false(end_of(&process).known);
}

#define fact(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(an_exit_code_is_known),
        fact(a_signal_is_known),
        fact(the_time_that_it_has_used_is_known),
        fact(what_still_runs_is_not_reaped),
        fact(a_program_is_announced_before_it_runs),
        fact(nobody_to_announce_to_does_no_harm),
        fact(a_program_that_is_not_there_is_not_found),
        fact(what_is_not_executable_is_denied),
        fact(a_path_that_is_too_long_is_an_error),
        fact(path_is_searched_in_order),
        fact(without_path_the_usual_folders_are_searched),
        fact(an_exec_that_fails_is_known_at_once),
        fact(a_script_without_interpreter_runs_in_the_shell),
        fact(only_the_three_descriptors_are_open),
        fact(stdin_is_the_null_device_when_none_is_given),
        fact(a_descriptor_can_be_inherited),
        fact(signals_are_as_new),
        fact(signals_are_as_new_when_few_may_be_ignored),
        fact(the_callers_signals_are_as_before),
        fact(a_program_leads_its_session_and_group),
        fact(killing_takes_the_whole_group),
        fact(what_a_program_leaves_in_its_group_ends_with_it),
        fact(a_program_ends_with_its_parent),
        fact(other_children_are_left_alone),
        fact(a_status_that_was_taken_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
