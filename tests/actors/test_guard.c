/* test_guard.c - what programs leave behind is found and killed, wherever it has gone,
 * and also when nobody of them is left to do it.
 *
 * Who becomes a subreaper stays one, so those tests are done in a process of their own.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/guard.h>

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <bough/actors/guard_internal.h>
#include <bough/actors/leftovers_internal.h>
#include <bough/actors/spawn.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/fixture.h>

/* Forks twice, in a session of its own, and says who that is. */
static const char away[] = "(setsid sleep 1000 & echo $!); read go";

/* A program that runs a script: stdin and stdout are the test's. */
struct program {
    struct bough_process process;
    int in, out;
};

static void start(struct program *program, const char *script, int cgroup)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    int in[2], out[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    const struct bough_spawn_options options = {
        .argv = argv, .stdin_fd = in[0], .stdout_fd = out[1], .cgroup_fd = cgroup
    };
    assert_status(bough_process_spawn(&options, &program->process, NULL), BOUGH_OK);
    close(in[0]);
    close(out[1]);
    program->in = in[1];
    program->out = out[0];
}

static pid_t read_number(int fd)
{
    char text[32] = "";
    size_t len = 0;

    while (!strchr(text, '\n')) {
        const ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    return (pid_t)strtol(text, NULL, 10);
}

static void end(struct program *program)
{
    struct bough_process_end end;

    close(program->in);
    assert_true(bough_process_wait(&program->process, BOUGH_TEST_LIMIT_MS));
    assert_true(bough_process_reap(&program->process, &end));
    close(program->out);
}

/* As an actor does: kills, waits, looks again. */
static void kill_leftovers(pid_t head)
{
    int pidfd;

    while (!bough_leftovers_kill(head, &pidfd, NULL)) {
        const struct bough_process process = { .pidfd = pidfd };
        assert_true(bough_process_wait(&process, BOUGH_TEST_LIMIT_MS));
        close(pidfd);
    }
}

static bool lives(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

/* Runs it in a process of its own; what it asserts fails the test. */
static void apart(void (*run)(void))
{
    int status;
    const pid_t pid = fork();

    if (pid == 0) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void what_has_gone_away_is_found(void **state)
{
    struct program program;

    (void)state;
    if (under_valgrind()) skip(); /* it answers for limits by itself */
    start(&program, away, 0);
    const pid_t far = read_number(program.out), head = program.process.pid;
    end(&program);
    assert_true(lives(far));
    kill_leftovers(head);
    assert_true(process_ends(far));
}

static void other_programs_are_spared(void **state)
{
    struct program one, other;

    (void)state;
    if (under_valgrind()) skip();
    start(&one, away, 0);
    start(&other, away, 0);
    const pid_t far = read_number(other.out);
    read_number(one.out);
    kill_leftovers(one.process.pid);
    end(&one);
    assert_true(lives(far));
    assert_true(lives(other.process.pid));
    kill_leftovers(other.process.pid);
    end(&other);
}

/* As a subreaper: the orphans are its children, and are reaped. */
static void find_own_orphans(void)
{
    struct program program;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) _exit(1);
    start(&program, away, 0);
    const pid_t far = read_number(program.out), head = program.process.pid;
    end(&program);
    kill_leftovers(head);
    if (lives(far)) _exit(3);
    if (bough_test_has_children()) _exit(6);
}

static void orphans_that_come_here_are_reaped(void **state)
{
    (void)state;
    if (under_valgrind()) skip();
    apart(find_own_orphans);
}

/* An orphan that ends by itself, and a child that somebody waits for. */
static void reap_orphans(void)
{
    struct program program;
    struct bough_process_end how;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) _exit(1);
    start(&program, "(sleep 0 & echo $!); exit 7", 0);
    const pid_t orphan = read_number(program.out);
    if (!bough_process_wait(&program.process, BOUGH_TEST_LIMIT_MS)) _exit(2);
    while (lives(orphan))
        bough_orphans_reap();
    if (!bough_process_reap(&program.process, &how) || !how.known) _exit(3);
    if (how.code != 7) _exit(4);
}

static void reaping_orphans_takes_no_status_that_is_waited_for(void **state)
{
    (void)state;
    if (under_valgrind()) skip();
    apart(reap_orphans);
}

/* Guards */

static bool with_cgroups;
static int report; /* where the process apart writes */

static void be_guarded(void)
{
    const struct bough_guard_options options = { .no_cgroups = !with_cgroups };
    struct bough_guard *guard;
    struct program program;
    int cgroup = 0;

    if (bough_guard_new(&options, &guard, NULL) != BOUGH_OK) _exit(1);
    if (bough_guard_cgroup(guard) != NULL)
        cgroup = bough_cgroup_open(bough_guard_cgroup(guard), "/a/b");
    start(&program, away, cgroup);
    dprintf(report, "%d\n", (int)read_number(program.out));
    dprintf(report, "%s\n", cgroup > 0 ? bough_guard_cgroups(guard) : "none");
    close(report);
    for (;;)
        pause();
}

/* What such a process has started is gone after its end by SIGKILL. */
static void assert_guarded(char *cgroups, size_t size)
{
    char text[512] = "";
    int ends[2], status;
    size_t len = 0;
    ssize_t got;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    report = ends[1];
    const pid_t program = fork();
    if (program == 0) be_guarded();
    close(ends[1]);
    while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    close(ends[0]);
    const pid_t far = (pid_t)strtol(text, NULL, 10);
    assert_true(far > 1 && lives(far));
    kill(program, SIGKILL);
    assert_int_equal(waitpid(program, &status, 0), program);
    assert_true(process_ends(far));
    snprintf(cgroups, size, "%s", strchr(text, '\n') + 1);
    cgroups[strcspn(cgroups, "\n")] = '\0';
}

static void nothing_outlives_a_program_that_is_killed(void **state)
{
    char cgroups[512];

    (void)state;
    if (under_valgrind()) skip();
    with_cgroups = false;
    assert_guarded(cgroups, sizeof(cgroups));
    assert_string_equal(cgroups, "none");
}

static void cgroups_are_emptied_and_removed_then(void **state)
{
    char cgroups[512];

    (void)state;
    if (under_valgrind()) skip();
    with_cgroups = true;
    assert_guarded(cgroups, sizeof(cgroups));
    if (strcmp(cgroups, "none") == 0) skip(); /* not to be had here */
    for (int i = 0; access(cgroups, F_OK) == 0; i++) {
        assert_true(i < 10000);
        usleep(1000);
    }
}

static void use_a_cgroup(void)
{
    struct bough_guard *guard;
    struct program program;
    int pidfd;

    if (bough_guard_new(NULL, &guard, NULL) != BOUGH_OK) _exit(1);
    struct bough_cgroups *cgroups = bough_guard_cgroup(guard);
    if (cgroups == NULL) _exit(0);
    const int cgroup = bough_cgroup_open(cgroups, "/a");
    if (cgroup < 0) _exit(2);
    start(&program, away, cgroup);
    close(cgroup);
    const pid_t far = read_number(program.out);
    end(&program);
    while (!bough_cgroup_end(cgroups, "/a", false, &pidfd, NULL)) {
        const struct bough_process process = { .pidfd = pidfd };
        if (!bough_process_wait(&process, BOUGH_TEST_LIMIT_MS)) _exit(3);
        close(pidfd);
        bough_orphans_reap();
    }
    bough_orphans_reap();
    if (lives(far)) _exit(4);
    if (!bough_cgroup_end(cgroups, "/a", false, &pidfd, NULL)) _exit(5);
    char path[512];
    snprintf(path, sizeof(path), "%s", bough_guard_cgroups(guard));
    bough_guard_free(guard);
    if (access(path, F_OK) == 0) _exit(6);
}

static void a_cgroup_ends_with_all_that_is_in_it(void **state)
{
    (void)state;
    if (under_valgrind()) skip();
    apart(use_a_cgroup);
}

/* As containers have it that see the same hierarchy, all with a process 1: who opens them
 * twice is two, with one number. */
static void share_a_number(void)
{
    struct bough_cgroups one = { .folder = -1 }, other = { .folder = -1 };

    bough_cgroups_open(&one);
    if (one.folder < 0) _exit(0);
    bough_cgroups_open(&other);
    if (other.folder < 0 || strcmp(one.path, other.path) == 0) _exit(1);
    bough_cgroups_close(&one);
    if (access(other.path, F_OK) != 0) _exit(2);
    bough_cgroups_close(&other);
}

static void cgroups_are_not_shared_by_who_shares_a_number(void **state)
{
    (void)state;
    apart(share_a_number);
}

/* A cgroup that was killed, and one in which something lives on. */
static void inherit_cgroups(void)
{
    struct bough_cgroups left = { .folder = -1 }, cgroups = { .folder = -1 };
    struct program one, other;
    int pidfd;

    bough_cgroups_open(&left);
    if (left.folder < 0) _exit(0);
    const int old = bough_cgroup_open(&left, "/a");
    start(&one, "echo $$; read go", old);
    if (read_number(one.out) <= 0) _exit(1);
    close(old);
    close(left.folder);
    bough_cgroups_open(&cgroups);
    if (strcmp(cgroups.path, left.path) != 0) _exit(2);
    if (!bough_process_wait(&one.process, BOUGH_TEST_LIMIT_MS)) _exit(3);
    end(&one);
    const int anew = bough_cgroup_open(&cgroups, "/a");
    start(&other, "echo $$; read go", anew);
    if (read_number(other.out) <= 0) _exit(4);
    close(anew);
    end(&other);
    if (!bough_cgroup_end(&cgroups, "/a", false, &pidfd, NULL)) _exit(5);
    bough_cgroups_close(&cgroups);
    if (access(left.path, F_OK) == 0) _exit(6);
}

static void cgroups_that_were_left_behind_are_emptied_and_made_anew(void **state)
{
    (void)state;
    if (under_valgrind()) skip();
    apart(inherit_cgroups);
}

static void lose_a_guard(int number)
{
    const struct bough_guard_options options = { .no_cgroups = true };
    struct bough_guard *guard;

    if (bough_guard_new(&options, &guard, NULL) != BOUGH_OK) _exit(1);
    const pid_t first = bough_guard_pid(guard);
    kill(first, number);
    while (bough_guard_pid(guard) == first)
        bough_guard_check(guard);
    const pid_t second = bough_guard_pid(guard);
    bough_guard_check(guard);
    if (bough_guard_pid(guard) != second) _exit(2);
    bough_guard_free(guard);
    if (lives(first) || lives(second)) _exit(3);
}

static void have_it_killed(void)
{
    lose_a_guard(SIGKILL);
}

static void have_it_stopped(void)
{
    lose_a_guard(SIGSTOP);
}

static void a_guard_that_was_killed_is_made_again(void **state)
{
    (void)state;
    if (under_valgrind()) skip(); /* does not know pidfd_open */
    apart(have_it_killed);
}

/* It would not see that the program is gone. */
static void so_is_one_that_was_stopped(void **state)
{
    (void)state;
    if (under_valgrind()) skip();
    apart(have_it_stopped);
}

static bool has(uint64_t signals, int number)
{
    return (signals >> (number - 1) & 1) != 0;
}

static void have_what_programs_need(void)
{
    const struct bough_guard_options options = { .no_cgroups = true };
    struct bough_guard *guard;

    signal(SIGRTMIN + 3, SIG_IGN);
    if (bough_guard_new(&options, &guard, NULL) != BOUGH_OK) _exit(1);
    const uint64_t ignored = bough_guard_ignored(guard);
    if (!has(ignored, SIGRTMIN + 3) || has(ignored, SIGRTMIN + 4)) _exit(2);
    if (!has(ignored, SIGPIPE) || !has(ignored, SIGCHLD)) _exit(3);
    if (has(ignored, SIGSEGV) || has(ignored, SIGKILL)) _exit(4);
    if (bough_guard_null(guard) <= STDERR_FILENO) _exit(5);
    bough_guard_free(guard);
}

static void what_programs_need_is_there(void **state)
{
    (void)state;
    if (under_valgrind()) skip(); /* does not know pidfd_open */
    apart(have_what_programs_need);
}

static void without_a_guard_there_is_none_to_free(void **state)
{
    (void)state;
    bough_guard_free(NULL);
    assert_null(bough_guard_cgroup(NULL));
    assert_int_equal(bough_guard_ignored(NULL), 0);
    assert_int_equal(bough_guard_null(NULL), BOUGH_SPAWN_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_gone_away_is_found),
        cmocka_unit_test(other_programs_are_spared),
        cmocka_unit_test(orphans_that_come_here_are_reaped),
        cmocka_unit_test(reaping_orphans_takes_no_status_that_is_waited_for),
        cmocka_unit_test(nothing_outlives_a_program_that_is_killed),
        cmocka_unit_test(cgroups_are_emptied_and_removed_then),
        cmocka_unit_test(a_cgroup_ends_with_all_that_is_in_it),
        cmocka_unit_test(cgroups_are_not_shared_by_who_shares_a_number),
        cmocka_unit_test(cgroups_that_were_left_behind_are_emptied_and_made_anew),
        cmocka_unit_test(a_guard_that_was_killed_is_made_again),
        cmocka_unit_test(so_is_one_that_was_stopped),
        cmocka_unit_test(what_programs_need_is_there),
        cmocka_unit_test(without_a_guard_there_is_none_to_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
