/* listen.c - makes the control socket of a tree, and takes it away.
 *
 * Two programs that start at once must not both find a stale socket and take it from each
 * other, so the folder is locked while one of them looks and binds.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/tools/bough/sockets.h>

/* As many callers as may wait to be accepted; the kernel cuts it at net.core.somaxconn.
 */
enum { BACKLOG = 4096 };

/* The folder of a path, "." when it has none, "/" for the root. */
static void folder_of(const char *path, char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length;

    if (slash == NULL) {
        memcpy(folder, ".", sizeof("."));
        return;
    }
    length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, path, length);
    folder[length] = '\0';
}

/* Makes the folder, if it is not there, and locks it; its descriptor, or -1. */
static int folder_open(const char *folder, struct bough_error *error)
{
    int fd;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        (void)bough_error_system(
            error,
            "cannot make %s for the control socket (--control takes another place)",
            folder);
        return -1;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0) return fd;
    (void)bough_error_system(
        error, "cannot open %s for the control socket (--control takes another place)",
        folder);
    if (fd >= 0) close(fd);
    return -1;
}

/* Makes room at `path`: nothing there, or a socket that nobody answers behind. */
static enum bough_status clear(const char *path, struct bough_error *error)
{
    struct stat file;

    switch (bough_socket_probe(path)) {
    case BOUGH_SOCKET_ABSENT: return BOUGH_OK;
    case BOUGH_SOCKET_ALIVE:
        return bough_error_set(
            error, BOUGH_ESTARTED,
            "already running: somebody answers at %s; another tree of the "
            "same kind needs another --name or --control",
            path);
    case BOUGH_SOCKET_DENIED:
        return bough_error_set(error, BOUGH_EDENIED, "%s belongs to another user", path);
    case BOUGH_SOCKET_STALE:
    case BOUGH_SOCKET_OTHER: break;
    }
    if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) {
        return bough_error_set(error, BOUGH_EPRESENT, "%s exists and is not a socket",
                               path);
    }
    if (unlink(path) == 0) return BOUGH_OK;
    return bough_error_system(error, "cannot replace %s", path);
}

static enum bough_status bind_and_listen(const char *path, int *fd,
                                         struct bough_error *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask;
    int bound;

    if (made < 0) return bough_error_system(error, "cannot make a socket");
    memcpy(address.sun_path, path, strlen(path) + 1);
    mask = umask(0177); /* the file is made with mode 0600, never wider for a moment */
    bound = bind(made, (const struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (bound != 0 || listen(made, BACKLOG) != 0) {
        (void)bough_error_system(error, "cannot listen at %s", path);
        close(made);
        return BOUGH_ESYSTEM;
    }
    *fd = made;
    return BOUGH_OK;
}

enum bough_status bough_socket_listen(const char *path, int *fd,
                                      struct bough_error *error)
{
    char folder[BOUGH_SOCKET_PATH];
    enum bough_status status;
    int lock;

    folder_of(path, folder);
    lock = folder_open(folder, error);
    if (lock < 0) return BOUGH_ESYSTEM;
    status = clear(path, error);
    if (status == BOUGH_OK) status = bind_and_listen(path, fd, error);
    close(lock);
    return status;
}

void bough_socket_remove(const char *path, int fd)
{
    char folder[BOUGH_SOCKET_PATH];
    int lock;

    close(fd);
    folder_of(path, folder);
    lock = folder_open(folder, NULL);
    if (bough_socket_probe(path) == BOUGH_SOCKET_STALE) unlink(path);
    if (lock >= 0) close(lock);
}
