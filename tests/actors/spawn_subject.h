/* spawn_subject.h - programs that are started, read and waited for: for the tests of
 * spawn.h.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_ACTORS_SPAWN_SUBJECT_H
#define BOUGH_TESTS_ACTORS_SPAWN_SUBJECT_H

#include <bough/actors/spawn.h>
#include <bough/tests/actors/program.h>
#include <bough/tests/support/fixture.h>

struct fixture {
    const char *folder;
    size_t descriptors;
};

static inline int setup(void **state)
{
    static struct fixture fixture;

    fixture.folder = make_folder();
    fixture.descriptors = bough_test_descriptors();
    *state = &fixture;
    return 0;
}

static inline int teardown(void **state)
{
    const struct fixture *fixture = *state;

    remove_folder(fixture->folder);
    if (bough_test_has_children()) return -1;
    return bough_test_descriptors() == fixture->descriptors ? 0 : -1;
}

static inline struct bough_process start(const char *const *argv)
{
    const struct bough_spawn_options options = { .argv = argv };
    struct bough_process process;

    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    return process;
}

static inline struct bough_process_end end_of(struct bough_process *process)
{
    struct bough_process_end end;

    assert_true(bough_process_wait(process, BOUGH_TEST_LIMIT_MS));
    assert_true(bough_process_reap(process, &end));
    assert_int_equal(process->pidfd, -1);
    return end;
}

/* Starts it with stdout in a pipe, whose other end is `*reader`. */
static inline struct bough_process start_piped(struct bough_spawn_options options,
                                               int *reader)
{
    struct bough_process process;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    options.stdout_fd = ends[1];
    assert_status(bough_process_spawn(&options, &process, NULL), BOUGH_OK);
    close(ends[1]);
    *reader = ends[0];
    return process;
}

/* All that a program writes to stdout, as a text; it must end with 0. */
static inline const char *output_of(struct bough_spawn_options options)
{
    static char text[4096];
    size_t len = 0;
    ssize_t got;
    int reader;
    struct bough_process process = start_piped(options, &reader);

    while ((got = read(reader, text + len, sizeof(text) - 1 - len)) > 0) {
        len += (size_t)got;
    }
    text[len] = '\0';
    close(reader);
    assert_int_equal(end_of(&process).code, 0);
    return text;
}

static inline const char *shell_output(const char *script)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    return output_of((struct bough_spawn_options){ .argv = argv });
}

/* Reads one number that a program prints at its start. */
static inline pid_t read_pid(int reader)
{
    char text[32] = "";
    size_t len = 0;

    while (!strchr(text, '\n')) {
        ssize_t got = read(reader, text + len, sizeof(text) - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    return (pid_t)strtol(text, NULL, 10);
}

#endif
