/* test_spawn_table.c - a program that is started shares our table of descriptors for a
 * moment, and neither it nor we notice.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <bough/core/public.h>
#include <bough/tests/actors/spawn_subject.h>

enum { MANY = 700 };

/* Whoever has so few is not tested. */
static void raise_limit(void)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 3 * MANY) skip();
}

static void fill(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = open("/dev/null", O_RDONLY | (i % 2 ? O_CLOEXEC : 0));
        assert_true(fds[i] >= 0);
    }
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(close(fds[i]), 0);
}

/* What is to be seen of one from here. */
struct seen {
    int flags;
    ino_t inode;
};

static void look(struct seen *seen, int count)
{
    for (int fd = 0; fd < count; fd++) {
        struct stat status = { .st_ino = 0 };

        seen[fd].flags = fcntl(fd, F_GETFD);
        if (seen[fd].flags >= 0) assert_int_equal(fstat(fd, &status), 0);
        seen[fd].inode = status.st_ino;
    }
}

static void our_descriptors_stay_as_they_are(void **state)
{
    static const char *const runs[] = { "true", "false", NULL };
    const char *const fails[] = { "true", NULL };
    static struct seen before[MANY + 64], after[MANY + 64];
    int fds[MANY];
    struct bough_process process;

    (void)state;
    raise_limit();
    if (under_valgrind()) skip(); /* has a table of its own, of those it uses */
    fill(fds, MANY);
    look(before, MANY + 64);
    for (int i = 0; runs[i]; i++) {
        const char *const argv[] = { runs[i], NULL };
        const struct bough_spawn_options options = {
            .argv = argv,
            .stdout_fd = fds[i],
            .stderr_fd = i == 0 ? BOUGH_SPAWN_INHERIT : fds[MANY - 1],
            .handed_fd = fds[2],
            .handed_as = 3 + i,
        };

        assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
        assert_int_equal(end_of(&process).code, i);
    }
    const struct bough_spawn_options options = { .argv = fails, .cwd = "/no/such" };
    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_ESYSTEM);
    look(after, MANY + 64);
    assert_memory_equal(after, before, sizeof(before));
    close_all(fds, MANY);
}

static void none_of_many_reaches_a_program(void **state)
{
    int fds[MANY];

    (void)state;
    raise_limit();
    fill(fds, MANY);
    assert_string_equal(shell_output("cd /proc/self/fd; echo *"), "0 1 2 3\n");
    close_all(fds, MANY);
}

static void what_stays_for_long_leaves_the_low_numbers(void **state)
{
    int fds[MANY], ours, theirs;

    (void)state;
    raise_limit();
    fill(fds, 64);
    struct bough_process process = start((const char *const[]){ "true", NULL });
    assert_true(process.pidfd > fds[63] + 1);
    assert_int_equal(fcntl(process.pidfd, F_GETFD), FD_CLOEXEC);
    assert_true(bough_pipe_open(true, &ours, &theirs));
    assert_true(ours > process.pidfd && theirs < process.pidfd);
    assert_int_equal(fcntl(ours, F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(ours, F_GETFL) & O_NONBLOCK);
    close(ours);
    close(theirs);
    assert_int_equal(end_of(&process).code, 0);
    close_all(fds, 64);
}

static void who_finds_no_other_number_keeps_its_own(void **state)
{
    struct rlimit limit, low;
    int fds[64];

    (void)state;
    raise_limit();
    fill(fds, 64);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 128;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    const int before = fds[63];
    bough_descriptor_settle(&fds[63]);
    assert_int_equal(fds[63], before);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    bough_descriptor_settle(&fds[63]);
    assert_true(fds[63] > before);
    bough_descriptor_settle(&fds[0]);
    assert_true(fds[0] < before);
    close_all(fds, 64);
}

#define fact(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(our_descriptors_stay_as_they_are),
        fact(none_of_many_reaches_a_program),
        fact(what_stays_for_long_leaves_the_low_numbers),
        fact(who_finds_no_other_number_keeps_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
