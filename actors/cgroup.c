/* cgroup.c - a cgroup for each program, where the hierarchy can be written.
 *
 *     /sys/fs/cgroup/OWN/bough-4711/jobs+web      the programs of the actor /jobs/web
 *
 * Found by what the kernel says of this process (cgroups(7)): its own cgroup, and where
 * the hierarchy is mounted. No controller is needed, and none is touched.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/guard_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <bough/actors/leftovers_internal.h>

enum { NAME_SIZE = 256, KEPT_MAX = 256 };

/* Finding them */

/* This process's own cgroup: what follows "0::". */
static bool find_own(char *path, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[1024];
    bool found = false;

    if (!file) return false;
    while (!found && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "0::/", 4) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        found = snprintf(path, size, "%s", line + 3) < (int)size;
    }
    fclose(file);
    return found;
}

/* Of a line of mountinfo: "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ... - TYPE ...". What
 * is mounted may be a part of the whole, which begins at ROOT. */
static bool parse_mount(const char *line, char *root, char *point)
{
    const char *type = strstr(line, " - cgroup2 ");

    return type && sscanf(line, "%*s %*s %*s %511s %511s", root, point) == 2;
}

/* Where a cgroup lies in the file system. */
static bool find_folder(const char *own, char *path, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[2048], root[512], point[512];
    bool found = false;

    if (!file) return false;
    while (!found && fgets(line, sizeof(line), file)) {
        if (!parse_mount(line, root, point)) continue;
        const size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
        if (strncmp(own, root, len) != 0) continue;
        const char *rest = strcmp(own + len, "/") == 0 ? "" : own + len;
        found = snprintf(path, size, "%s%s", point, rest) < (int)size;
    }
    fclose(file);
    return found;
}

/* cgroup.kill is there since Linux 5.14. */
static bool can_kill(int folder)
{
    return faccessat(folder, "cgroup.kill", W_OK, AT_EACCESS) == 0;
}

/* What the descriptor means is still what is found by the name. */
static bool is_there(int folder, const char *path)
{
    struct stat ours, named;

    return fstat(folder, &ours) == 0 && stat(path, &named) == 0 &&
           ours.st_ino == named.st_ino;
}

/* The number of a process is not its alone: that of another container, in the same
 * hierarchy, may be the same, and both are 1. Whose folder it is says a lock, which the
 * guard keeps as long as it lives. One that nobody holds was left behind when all of them
 * were killed at once; what lives in it is ended, and it is made anew, for some kernels
 * kill whoever is born into a cgroup that was ever killed. */
enum taken { TAKEN, ANOTHERS, LEFT, NONE };

static enum taken take_folder(struct bough_cgroups *cgroups)
{
    const bool made = mkdir(cgroups->path, 0755) == 0;
    enum taken taken = ANOTHERS;

    if (!made && errno != EEXIST) return NONE;
    const int folder = open(cgroups->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return ANOTHERS;
    if (!can_kill(folder)) {
        taken = NONE;
        rmdir(cgroups->path);
    } else if (flock(folder, LOCK_EX | LOCK_NB) == 0 && is_there(folder, cgroups->path)) {
        taken = made ? TAKEN : LEFT;
    }
    if (taken == LEFT) bough_cgroups_kill(folder);
    if (taken == TAKEN)
        cgroups->folder = folder;
    else
        close(folder);
    return taken;
}

static void make_folder(struct bough_cgroups *cgroups, const char *parent)
{
    enum { NAMES = 100 };
    enum taken taken = ANOTHERS;

    for (int i = 0; i < NAMES && taken != TAKEN && taken != NONE; i++) {
        char again[16] = "";

        if (i > 0) snprintf(again, sizeof(again), "-%d", i);
        const int len = snprintf(cgroups->path, sizeof(cgroups->path), "%s/bough-%d%s",
                                 parent, (int)getpid(), again);
        if (len >= (int)sizeof(cgroups->path)) return;
        taken = take_folder(cgroups);
        if (taken == LEFT) taken = take_folder(cgroups);
    }
}

void bough_cgroups_open(struct bough_cgroups *cgroups)
{
    char own[512], folder[512];

    cgroups->folder = -1;
    if (find_own(own, sizeof(own)) && find_folder(own, folder, sizeof(folder)))
        make_folder(cgroups, folder);
}

/* Those that are not empty stay. */
static bool remove_empty(void *data, const char *name)
{
    unlinkat(*(const int *)data, name, AT_REMOVEDIR);
    return true;
}

static void remove_all_empty(struct bough_cgroups *cgroups)
{
    int folder = open(cgroups->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) return;
    bough_entries_visit(folder, remove_empty, &folder);
    close(folder);
}

void bough_cgroups_close(struct bough_cgroups *cgroups)
{
    if (cgroups->folder < 0) return;
    remove_all_empty(cgroups);
    close(cgroups->folder);
    rmdir(cgroups->path);
    cgroups->folder = -1;
}

/* An actor's */

/* "/jobs/web" is "jobs+web": no name of an actor has a plus. */
static bool name_of(const char *actor, char name[NAME_SIZE])
{
    if (snprintf(name, NAME_SIZE, "%s", actor + 1) >= NAME_SIZE) return false;
    for (char *at = name; (at = strchr(at, '/')); at++)
        *at = '+';
    return name[0] != '\0';
}

static int open_one(int folder, const char *name)
{
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void write_one(int folder, const char *name, const char *file)
{
    char path[NAME_SIZE + 32];

    snprintf(path, sizeof(path), "%s/%s", name, file);
    const int fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!write(fd, "1", 1);
    close(fd);
}

/* The descriptor of one that is in it, -1: there is none to be found. */
static int member_of(int folder, const char *name)
{
    char path[NAME_SIZE + 32], text[16] = "";

    snprintf(path, sizeof(path), "%s/cgroup.procs", name);
    const int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    const pid_t pid = got > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
    return pid > 0 ? pidfd_open(pid, 0) : -1;
}

/* Those below it, made by what ran there, go with it. */
static bool remove_within(void *data, const char *name)
{
    const int folder = *(const int *)data;
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    if (S_ISDIR(status.st_mode)) unlinkat(folder, name, AT_REMOVEDIR);
    return true;
}

static bool remove_one(int folder, const char *name)
{
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    int within = open_one(folder, name);
    if (within < 0) return errno == ENOENT;
    bough_entries_visit(within, remove_within, &within);
    close(within);
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Some kernels kill whoever is born into a cgroup that was ever killed: so it says. */
static const char killed_mark[] = "user.bough.killed";

static void mark_killed(int folder, const char *name)
{
    const int fd = open_one(folder, name);

    if (fd < 0) return;
    (void)!fsetxattr(fd, killed_mark, "", 0, 0);
    close(fd);
}

/* One that was killed could not be removed while the last in it was about to end; as long
 * as that is so, the actor has none. */
int bough_cgroup_open(const struct bough_cgroups *cgroups, const char *actor)
{
    char name[NAME_SIZE];

    if (!name_of(actor, name)) return -1;
    const int kept = open_one(cgroups->folder, name);
    if (kept < 0 && errno != ENOENT) return -1;
    if (kept >= 0) {
        if (fgetxattr(kept, killed_mark, NULL, 0) < 0) return kept;
        close(kept);
        if (!remove_one(cgroups->folder, name)) return -1;
    }
    if (mkdirat(cgroups->folder, name, 0755) != 0 && errno != EEXIST) return -1;
    return open_one(cgroups->folder, name);
}

static bool is_populated(int folder, const char *name)
{
    char path[NAME_SIZE + 32], text[256] = "";

    snprintf(path, sizeof(path), "%s/cgroup.events", name);
    const int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    (void)!read(fd, text, sizeof(text) - 1);
    close(fd);
    return strstr(text, "populated 0") == NULL;
}

/* Of actors whose name will not be seen again, too many may be kept. */
static bool keep(struct bough_cgroups *cgroups, const char *name)
{
    if (is_populated(cgroups->folder, name)) return false;
    if (atomic_fetch_add_explicit(&cgroups->kept, 1, memory_order_relaxed) < KEPT_MAX)
        return true;
    atomic_store_explicit(&cgroups->kept, 0, memory_order_relaxed);
    remove_all_empty(cgroups);
    return true;
}

/* A cgroup in which nothing lives, and that cannot be removed all the same, stays: who
 * was in it is not seen there any more, and has not quite ended. */
bool bough_cgroup_end(struct bough_cgroups *cgroups, const char *actor, bool keeps,
                      int *pidfd, bool *killed)
{
    char name[NAME_SIZE];

    if (!name_of(actor, name)) return true;
    if (keeps ? keep(cgroups, name) : remove_one(cgroups->folder, name)) return true;
    mark_killed(cgroups->folder, name);
    write_one(cgroups->folder, name, "cgroup.kill");
    if (killed != NULL) *killed = true;
    if (remove_one(cgroups->folder, name)) return true;
    *pidfd = member_of(cgroups->folder, name);
    return *pidfd < 0;
}

/* In a guard */

static bool kill_one(void *data, const char *name)
{
    const int folder = *(const int *)data;
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    if (!S_ISDIR(status.st_mode)) return true;
    write_one(folder, name, "cgroup.kill");
    for (int tries = 0; tries < 100 && !remove_one(folder, name); tries++) {
        static const struct timespec pause = { .tv_nsec = 1000000 };
        nanosleep(&pause, NULL);
    }
    return true;
}

void bough_cgroups_kill(int folder)
{
    char path[64], target[512];
    const int kill_all = openat(folder, "cgroup.kill", O_WRONLY | O_CLOEXEC);

    if (kill_all >= 0) {
        (void)!write(kill_all, "1", 1);
        close(kill_all);
    }
    lseek(folder, 0, SEEK_SET);
    bough_entries_visit(folder, kill_one, &folder);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
    const ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (len <= 0) return;
    target[len] = '\0';
    rmdir(target);
}
