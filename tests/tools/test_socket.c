/* test_socket.c - where the control socket goes, and how its file is treated.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <bough/tools/bough/sockets.h>

struct fixture {
    char folder[64];
    char path[BOUGH_SOCKET_PATH];
};

static int setup(void **state)
{
    static struct fixture fixture;

    memcpy(fixture.folder, "/tmp/bough-XXXXXX", sizeof("/tmp/bough-XXXXXX"));
    if (mkdtemp(fixture.folder) == NULL) return -1;
    setenv("XDG_RUNTIME_DIR", fixture.folder, 1);
    unsetenv("BOUGH_CONTROL");
    unsetenv("BOUGH_RUNTIME_DIR");
    snprintf(fixture.path, sizeof(fixture.path), "%s/bough/t.sock", fixture.folder);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char folder[128];

    unlink(fixture->path);
    snprintf(folder, sizeof(folder), "%s/bough", fixture->folder);
    rmdir(folder);
    return rmdir(fixture->folder);
}

static void assert_choice(const char *control, const char *name, const char *expected)
{
    char path[BOUGH_SOCKET_PATH];

    assert_int_equal(bough_socket_choose(control, name, "tree", path, NULL), BOUGH_OK);
    assert_string_equal(path, expected);
}

static void what_is_said_goes_before_the_environment(void **state)
{
    const struct fixture *fixture = *state;
    char expected[BOUGH_SOCKET_PATH];

    snprintf(expected, sizeof(expected), "%s/bough/tree.sock", fixture->folder);
    assert_choice(NULL, NULL, expected);
    setenv("BOUGH_CONTROL", "/env.sock", 1);
    assert_choice(NULL, NULL, "/env.sock");
    assert_choice("/said.sock", "other", "/said.sock");
    snprintf(expected, sizeof(expected), "%s/bough/other.sock", fixture->folder);
    assert_choice(NULL, "other", expected);
    unsetenv("BOUGH_CONTROL");
    setenv("BOUGH_RUNTIME_DIR", "/mine", 1);
    assert_choice(NULL, NULL, "/mine/tree.sock");
    unsetenv("BOUGH_RUNTIME_DIR");
    unsetenv("XDG_RUNTIME_DIR");
    assert_choice(NULL, NULL, "/run/bough/tree.sock");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char path[BOUGH_SOCKET_PATH], control[BOUGH_SOCKET_PATH + 1];
    struct bough_error error;

    (void)state;
    memset(control, 'x', sizeof(control));
    control[BOUGH_SOCKET_PATH] = '\0';
    assert_int_equal(bough_socket_choose(control, NULL, "t", path, &error),
                     BOUGH_ETOOLARGE);
    control[BOUGH_SOCKET_PATH - 1] = '\0';
    assert_int_equal(bough_socket_choose(control, NULL, "t", path, NULL), BOUGH_OK);
    assert_int_equal(bough_socket_choose(NULL, "a/b", "t", path, &error), BOUGH_EINVALID);
}

static void a_socket_is_for_its_user_alone(void **state)
{
    const struct fixture *fixture = *state;
    struct stat file;
    int fd;

    assert_int_equal(bough_socket_probe(fixture->path), BOUGH_SOCKET_ABSENT);
    assert_int_equal(bough_socket_listen(fixture->path, &fd, NULL), BOUGH_OK);
    assert_int_equal(bough_socket_probe(fixture->path), BOUGH_SOCKET_ALIVE);
    assert_int_equal(stat(fixture->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    bough_socket_remove(fixture->path, fd);
    assert_int_equal(bough_socket_probe(fixture->path), BOUGH_SOCKET_ABSENT);
}

static void a_live_socket_is_never_taken(void **state)
{
    const struct fixture *fixture = *state;
    struct bough_error error;
    int first, second = -1;

    assert_int_equal(bough_socket_listen(fixture->path, &first, NULL), BOUGH_OK);
    assert_int_equal(bough_socket_listen(fixture->path, &second, &error), BOUGH_ESTARTED);
    assert_int_equal(second, -1);
    assert_non_null(strstr(error.text, "already running"));
    bough_socket_remove(fixture->path, first);
}

static void a_stale_socket_is_replaced_and_another_ones_not_removed(void **state)
{
    const struct fixture *fixture = *state;
    int first, second;

    assert_int_equal(bough_socket_listen(fixture->path, &first, NULL), BOUGH_OK);
    close(first);
    assert_int_equal(bough_socket_probe(fixture->path), BOUGH_SOCKET_STALE);
    assert_int_equal(bough_socket_listen(fixture->path, &second, NULL), BOUGH_OK);
    bough_socket_remove(fixture->path, dup(STDERR_FILENO));
    assert_int_equal(bough_socket_probe(fixture->path), BOUGH_SOCKET_ALIVE);
    bough_socket_remove(fixture->path, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_said_goes_before_the_environment, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_socket_is_for_its_user_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_live_socket_is_never_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_stale_socket_is_replaced_and_another_ones_not_removed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
