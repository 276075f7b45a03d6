/* large.c - frames that are too large for a ring: each in a sealed memfd of its own.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/border_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/core/field.h>
#include <bough/supervisor/process/nursery_internal.h>

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t count = write(fd, bytes, len);

        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes += count;
        len -= (size_t)count;
    }
    return true;
}

/* BOUGH_ENOMEM: there is none, or no descriptor, and nobody says when there will be. */
static enum bough_status why_not_sent(int error)
{
    if (error == EAGAIN) return BOUGH_EFULL;
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC
               ? BOUGH_ENOMEM
               : BOUGH_ESYSTEM;
}

enum bough_status bough_large_send(struct bough_border *border, const void *bytes,
                                   size_t len)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    const int fd = memfd_create("bough-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    enum bough_status status = BOUGH_OK;
    const char byte = 0;

    if (fd < 0) return why_not_sent(errno);
    if (!write_all(fd, bytes, len) || fcntl(fd, F_ADD_SEALS, seals) != 0 ||
        bough_files_send(border->socket, &byte, sizeof(byte), &fd, 1) != 1)
        status = why_not_sent(errno);
    if (status == BOUGH_EFULL) atomic_store(&border->mine->blocked, 1);
    close(fd);
    return status;
}

/* BOUGH_ENOMEM: there was no descriptor for it here, and it is lost. */
static enum bough_status receive_file(int socket, int *fd)
{
    char byte;
    size_t count = 1;

    errno = 0;
    const ssize_t came =
        bough_files_receive(socket, &byte, sizeof(byte), fd, &count, MSG_DONTWAIT);
    if (came == sizeof(byte) && count == 1) return BOUGH_OK;
    return came == sizeof(byte) && errno == EMFILE ? BOUGH_ENOMEM : BOUGH_EINVALID;
}

/* Of that size, and nobody can change it any more. */
static bool file_is_sound(int fd, size_t len)
{
    const int needed = F_SEAL_SHRINK | F_SEAL_WRITE;
    struct stat about;

    return (fcntl(fd, F_GET_SEALS) & needed) == needed && fstat(fd, &about) == 0 &&
           about.st_size == (off_t)len;
}

static bool read_all(int fd, char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        const ssize_t count = pread(fd, bytes + at, len - at, (off_t)at);

        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += (size_t)count;
    }
    return true;
}

enum bough_status bough_large_receive(struct bough_border *border, size_t len,
                                      const void **bytes)
{
    int fd;
    enum bough_status status = receive_file(border->socket, &fd);

    if (status != BOUGH_OK) return status;
    status = BOUGH_EINVALID;
    if (len > BOUGH_FRAME_MAX && len <= BOUGH_BLOCK_MAX + BOUGH_FRAME_MAX &&
        file_is_sound(fd, len)) {
        border->large = malloc(len);
        status = border->large == NULL ? BOUGH_ENOMEM : BOUGH_OK;
        if (status == BOUGH_OK && !read_all(fd, border->large, len))
            status = BOUGH_EINVALID;
        *bytes = border->large;
    }
    close(fd);
    return status;
}
