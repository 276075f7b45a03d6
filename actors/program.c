/* program.c - finding the program that a name means.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/spawn.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0) return false;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
        return false;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* Says what to do, and what is longest last: a reason keeps no more than 160 bytes. */
static enum bough_status refuse_program(const char *name, int errno_value,
                                        struct bough_error *error)
{
    if (errno_value == EISDIR)
        return bough_error_set(error, BOUGH_EDENIED,
                               "\"%s\" is a directory, and no program", name);
    if (errno_value == EACCES)
        return bough_error_set(
            error, BOUGH_EDENIED,
            "program \"%s\" is not executable; chmod +x it, or correct "
            "its name",
            name);
    if (strchr(name, '/'))
        return bough_error_set(error, BOUGH_ENOTFOUND,
                               "program \"%s\" is not there; install it, or correct its "
                               "path",
                               name);
    return bough_error_set(
        error, BOUGH_ENOTFOUND,
        "program \"%s\" was not found in PATH; install it, or give its "
        "whole path",
        name);
}

/* Writes directory/name; false when it does not fit. An empty directory is the current
 * one. */
static bool join(char *path, size_t size, const char *directory, size_t len,
                 const char *name)
{
    int written = len == 0 ? snprintf(path, size, "%s", name)
                           : snprintf(path, size, "%.*s/%s", (int)len, directory, name);

    return written >= 0 && (size_t)written < size;
}

static enum bough_status refuse_path(const char *name, struct bough_error *error)
{
    return bough_error_set(error, BOUGH_ETOOLARGE,
                           "the path of program \"%s\" is too long", name);
}

enum bough_status bough_program_find(const char *name, const char *search, char *path,
                                     size_t size, struct bough_error *error)
{
    int errno_value = ENOENT;

    if (strchr(name, '/')) {
        if (!join(path, size, "", 0, name)) return refuse_path(name, error);
        return is_program(path) ? BOUGH_OK : refuse_program(name, errno, error);
    }
    if (name[0] == '\0') return refuse_program(name, ENOENT, error);
    if (!search) search = getenv("PATH");
    if (!search) search = "/bin:/usr/bin"; /* what execvp() takes then */
    for (;;) {
        size_t len = strcspn(search, ":");

        if (!join(path, size, search, len, name)) return refuse_path(name, error);
        if (is_program(path)) return BOUGH_OK;
        if (errno == EACCES) errno_value = EACCES;
        if (search[len] == '\0') return refuse_program(name, errno_value, error);
        search += len + 1;
    }
}

enum bough_status bough_directory_refuse(const char *path, struct bough_error *error)
{
    return bough_error_system(error, "cannot enter \"%s\"; make it, or correct \"cwd\"",
                              path);
}

enum bough_status bough_directory_check(const char *path, struct bough_error *error)
{
    struct stat status;

    if (stat(path, &status) != 0) return bough_directory_refuse(path, error);
    if (!S_ISDIR(status.st_mode)) errno = ENOTDIR;
    if (!S_ISDIR(status.st_mode) || access(path, X_OK) != 0)
        return bough_directory_refuse(path, error);
    return BOUGH_OK;
}
