/* program.h - what the tests of programs share: files in a folder of their own, and
 * whether a process that is nobody's child has ended.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_ACTORS_PROGRAM_H
#define BOUGH_TESTS_ACTORS_PROGRAM_H

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/tests/support/unit.h>

enum { BOUGH_TEST_LIMIT_MS = 30 * 1000 };

/* Whether this runs under valgrind, which cannot go on after an exec that failed. */
static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* A new folder; its name stays until the process ends. */
static inline const char *make_folder(void)
{
    static char folder[64];

    snprintf(folder, sizeof(folder), "/tmp/bough-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

/* FOLDER/NAME; valid until the fourth call after it. */
static inline const char *path_in(const char *folder, const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* The whole file, with a NUL; "" when there is none. To be freed. */
static inline char *read_whole(const char *path)
{
    enum { SIZE = 4 * 1024 * 1024 };
    char *text = calloc(1, SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    assert_non_null(text);
    while (fd >= 0 && (got = read(fd, text + len, SIZE - 1 - len)) > 0) {
        len += (size_t)got;
    }
    if (fd >= 0) close(fd);
    return text;
}

/* From now on stderr goes to a file; returns what restore_stderr() needs. */
static inline int capture_stderr(const char *path)
{
    int saved = dup(STDERR_FILENO);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
    return saved;
}

static inline void restore_stderr(int saved)
{
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
}

/* Removes a folder and the files in it. */
static inline void remove_folder(const char *folder)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* Waits until a process, of whoever, has ended, or is no more. */
static inline bool process_ends(pid_t pid)
{
    int pidfd = pidfd_open(pid, 0);
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

    if (pidfd < 0) return true;
    int ready = poll(&poll_fd, 1, BOUGH_TEST_LIMIT_MS);
    close(pidfd);
    return ready > 0;
}

#endif
