/* files.c - descriptors over a socket.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/nursery_internal.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/assert.h>

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(BOUGH_NURSERY_FILES_MAX * sizeof(int))];
};

ssize_t bough_files_send(int socket, const void *bytes, size_t size, const int *files,
                         size_t count)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
    union control control = { .room = { 0 } };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.room,
                              .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    ssize_t sent;

    bough_assert(count > 0 && count <= BOUGH_NURSERY_FILES_MAX);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), files, count * sizeof(int));
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

/* Those for which there was no room are closed by the kernel. */
static void take_files(struct msghdr *message, int *files, size_t *count)
{
    const size_t room = *count;
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);

    *count = 0;
    if (header == NULL || header->cmsg_level != SOL_SOCKET ||
        header->cmsg_type != SCM_RIGHTS)
        return;
    const size_t came = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int all[BOUGH_NURSERY_FILES_MAX];

    memcpy(all, CMSG_DATA(header), came * sizeof(int));
    for (size_t i = 0; i < came; i++) {
        if (i < room)
            files[(*count)++] = all[i];
        else
            close(all[i]);
    }
}

ssize_t bough_files_receive(int socket, void *bytes, size_t size, int *files,
                            size_t *count, int flags)
{
    struct iovec part = { .iov_base = bytes, .iov_len = size };
    union control control = { .room = { 0 } };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.room,
                              .msg_controllen = sizeof(control.room) };
    ssize_t received;

    do {
        received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0)
        *count = 0;
    else
        take_files(&message, files, count);
    if (received >= 0 && *count == 0 && (message.msg_flags & MSG_CTRUNC) != 0)
        errno = EMFILE;
    return received;
}
