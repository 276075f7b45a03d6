/* notify.c - datagrams, with who has sent them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/notify_internal.h>

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bough/core/lineage.h>

enum { FILES_MAX = 253 /* of one message, as the kernel has it */ };

/* "@" stands for the NUL with which an abstract address begins. */
static bool bind_somewhere(int fd, char address[BOUGH_NOTIFY_ADDRESS])
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    uint64_t random[2];
    const int on = 1;

    if (getrandom(random, sizeof(random), 0) != sizeof(random)) return false;
    const int len = snprintf(address, BOUGH_NOTIFY_ADDRESS, "@bough-notify-%016lx%016lx",
                             (unsigned long)random[0], (unsigned long)random[1]);
    memcpy(name.sun_path + 1, address + 1, (size_t)len - 1);
    const size_t size = offsetof(struct sockaddr_un, sun_path) + (size_t)len;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
           bind(fd, (struct sockaddr *)&name, (socklen_t)size) == 0;
}

int bough_notify_open(char address[BOUGH_NOTIFY_ADDRESS])
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind_somewhere(fd, address)) return fd;
    const int errno_value = errno;
    close(fd);
    errno = errno_value;
    return -1;
}

/* A sender waits for its descriptors to be closed (BARRIER=1): they are. */
static pid_t read_control(struct msghdr *message)
{
    pid_t sender = 0;

    for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one;
         one = CMSG_NXTHDR(message, one)) {
        if (one->cmsg_level != SOL_SOCKET) continue;
        if (one->cmsg_type == SCM_CREDENTIALS) {
            struct ucred who;
            memcpy(&who, CMSG_DATA(one), sizeof(who));
            sender = who.pid;
        } else if (one->cmsg_type == SCM_RIGHTS) {
            const size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < count; i++) {
                int fd;
                memcpy(&fd, CMSG_DATA(one) + i * sizeof(fd), sizeof(fd));
                close(fd);
            }
        }
    }
    return sender;
}

static bool is_own(pid_t sender, pid_t head)
{
    struct bough_lineage lineage;

    if (sender == head) return true;
    return sender > 0 && bough_lineage_of(sender, &lineage) &&
           (lineage.head == head || lineage.root == head);
}

enum bough_notify_news bough_notify_take(int fd, pid_t head, char text[BOUGH_NOTIFY_TEXT],
                                         pid_t *sender)
{
    union {
        char
            bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * FILES_MAX)];
        struct cmsghdr aligned;
    } control;
    struct iovec part = { .iov_base = text, .iov_len = BOUGH_NOTIFY_TEXT - 1 };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };

    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) got = recvmsg(fd, &message, MSG_DONTWAIT);
    if (got < 0) return BOUGH_NOTIFY_NONE;
    text[got] = '\0';
    *sender = 0;
    if ((message.msg_flags & MSG_CTRUNC) == 0 || message.msg_controllen > 0)
        *sender = read_control(&message);
    return is_own(*sender, head) ? BOUGH_NOTIFY_TAKEN : BOUGH_NOTIFY_STRANGER;
}

bool bough_notify_says(const char *text, const char *line)
{
    const size_t len = strlen(line);

    while (*text != '\0') {
        const size_t size = strcspn(text, "\n");

        if (size == len && memcmp(text, line, len) == 0) return true;
        text += size + (text[size] == '\n');
    }
    return false;
}
