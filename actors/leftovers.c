/* leftovers.c - finding, killing and reaping what is left of a program.
 *
 * A process that was killed forks no more, and one that it forked before has its lineage:
 * so looking again until nothing is found finds all.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/leftovers_internal.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bough/core/lineage.h>

enum { FOLDER_BYTES = 8192, CHILDREN_BYTES = 4096 };

/* Looking */

/* As getdents64() writes it. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

void bough_entries_visit(int folder, bool (*visit)(void *data, const char *name),
                         void *data)
{
    _Alignas(struct entry) char bytes[FOLDER_BYTES];
    long got;

    while ((got = syscall(SYS_getdents64, folder, bytes, sizeof(bytes))) > 0) {
        for (long at = 0; at < got;) {
            const struct entry *entry = (const void *)(bytes + at);

            if (!is_dots(entry->name) && !visit(data, entry->name)) return;
            at += entry->length;
        }
    }
}

/* 0 for what is no number of a process. */
static pid_t parse_pid(const char *name)
{
    pid_t pid = 0;

    for (; *name >= '0' && *name <= '9'; name++)
        pid = pid * 10 + (*name - '0');
    return *name == '\0' ? pid : 0;
}

struct visit {
    bool (*process)(void *data, pid_t pid);
    void *data;
};

static bool visit_name(void *data, const char *name)
{
    const struct visit *visit = data;
    const pid_t pid = parse_pid(name);

    return pid == 0 || visit->process(visit->data, pid);
}

static void visit_all(const struct visit *visit)
{
    const int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) return;
    bough_entries_visit(folder, visit_name, (void *)(uintptr_t)visit);
    close(folder);
}

/* Numbers with a space behind each; `*rest` is the beginning of one that was cut. */
static bool visit_numbers(const char *bytes, ssize_t size, pid_t *rest,
                          const struct visit *visit)
{
    for (ssize_t i = 0; i < size; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
            *rest = *rest * 10 + (bytes[i] - '0');
            continue;
        }
        if (*rest > 0 && !visit->process(visit->data, *rest)) return false;
        *rest = 0;
    }
    return true;
}

/* Those of the first thread, to which orphans come. False: the kernel does not say. */
static bool visit_children(const struct visit *visit)
{
    char path[64], bytes[CHILDREN_BYTES];
    pid_t rest = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
        if (!visit_numbers(bytes, got, &rest, visit)) break;
    }
    close(fd);
    return true;
}

static bool orphans_come_here(void)
{
    int reaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &reaper) == 0 && reaper);
}

/* Killing */

struct hunt {
    pid_t root, head; /* 0: any; the lineage whose head it is, or which it has begun */
    pid_t spared;
    bool any;    /* there is one that has not ended */
    bool killed; /* there was one */
    int pidfd;   /* of the first such, -1: not yet, or not wanted */
    bool wants_pidfd;
};

static bool is_game(const struct hunt *hunt, pid_t pid)
{
    struct bough_lineage lineage;

    if (pid == hunt->spared || !bough_lineage_of(pid, &lineage)) return false;
    if (hunt->root != 0) return lineage.root == hunt->root;
    return lineage.head == hunt->head || lineage.root == hunt->head;
}

static bool reap(pid_t pid)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

/* One that has ended and that its parent has not waited for. */
static bool has_ended(int pidfd)
{
    struct pollfd polled = { .fd = pidfd, .events = POLLIN };

    return poll(&polled, 1, 0) > 0;
}

/* The number may have become another process's between two looks: what is killed is what
 * the descriptor means. */
static bool hunt_process(void *data, pid_t pid)
{
    struct hunt *hunt = data;

    if (!is_game(hunt, pid) || reap(pid)) return true;
    const int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) return true;
    if (is_game(hunt, pid) && pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0)
        hunt->killed = true;
    if (has_ended(pidfd)) {
        reap(pid);
        close(pidfd);
        return true;
    }
    hunt->any = true;
    if (!hunt->wants_pidfd || hunt->pidfd >= 0) {
        close(pidfd);
    } else {
        hunt->pidfd = pidfd;
    }
    return true;
}

/* Stops at the first. */
static bool look_at(void *data, pid_t pid)
{
    struct hunt *hunt = data;

    hunt->any = is_game(hunt, pid);
    return !hunt->any;
}

static bool may_have_left(struct hunt *hunt)
{
    if (!orphans_come_here()) return true;
    if (!visit_children(&(struct visit){ look_at, hunt })) return true;
    return hunt->any;
}

bool bough_leftovers_kill(pid_t head, int *pidfd, bool *killed)
{
    struct hunt hunt = { .head = head, .spared = head, .pidfd = -1, .wants_pidfd = true };

    if (!may_have_left(&hunt)) return true;
    hunt.any = false;
    visit_all(&(struct visit){ hunt_process, &hunt });
    if (hunt.any) *pidfd = hunt.pidfd;
    if (killed != NULL && hunt.killed) *killed = true;
    return !hunt.any;
}

void bough_lineages_kill(pid_t root)
{
    static const struct timespec pause = { .tv_nsec = 1000000 };
    struct hunt hunt = { .root = root, .spared = getpid(), .pidfd = -1 };

    for (;;) {
        hunt.any = false;
        visit_all(&(struct visit){ hunt_process, &hunt });
        if (!hunt.any) return;
        nanosleep(&pause, NULL);
    }
}

/* Orphans */

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* What is left of a head that nobody looked after: of an actor in a process which died.
 */
static bool wait_for_orphan(void *data, pid_t pid)
{
    const pid_t own = *(const pid_t *)data;
    struct bough_lineage lineage;
    const bool marked = bough_lineage_of(pid, &lineage);

    if (marked && lineage.head == pid && lineage.root == own) return true;
    if (reap(pid)) return true;
    if (marked && lineage.root == own && is_gone(lineage.head)) kill(pid, SIGKILL);
    return true;
}

void bough_orphans_wait(void)
{
    pid_t own = bough_lineage_root();

    visit_children(&(struct visit){ wait_for_orphan, &own });
}
