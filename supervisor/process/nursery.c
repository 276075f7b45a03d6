/* nursery.c - taking what the nursery has forked (cradle.c).
 *
 * One is forked ahead, so that whoever needs a process finds one that waits. The nursery
 * may die at whatever moment: what was born is told, and what was not is asked for again.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/nursery_internal.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BIRTH_MS = 10000,  /* one that takes longer has failed */
    PATIENCE_MS = 100, /* some hundred times what one takes: something is wrong */
    AHEAD_MAX = 16     /* spares that nobody has asked for: some 0.1 MB each */
};

struct bough_nursery {
    pthread_mutex_t lock;
    int socket;
    pid_t pid;
    int pidfd;
    struct bough_forker forker;
    unsigned expected;       /* births that were asked for, and are not told yet */
    bool late;               /* the last one that was waited for a while did not come */
    struct bough_birth born; /* one that was told and not taken; pid 0: none */
    struct bough_spare *spares;
    size_t spare_count, wanted, ahead; /* ahead: those kept in any case */
    atomic_int readers, queued;
    int64_t logged_ms; /* when a report of a crash was; 0: none so far */
    unsigned unlogged; /* reports since then */
};

static enum bough_status start(struct bough_nursery *nursery)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return BOUGH_ESYSTEM;

    struct bough_cradle cradle = { .requests = pair[1], .program = getpid() };
    const pid_t pid = bough_forker_fork(&nursery->forker, bough_cradle_lie_in, &cradle);
    if (pid > 0) nursery->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    const int error = errno;
    close(pair[1]);
    if (pid < 0 || nursery->pidfd < 0) {
        close(pair[0]); /* it ends, then */
        if (pid > 0) waitpid(pid, NULL, 0);
        errno = error;
        return BOUGH_ESYSTEM;
    }
    nursery->pid = pid;
    nursery->socket = pair[0];
    return BOUGH_OK;
}

static void await_death(idtype_t kind, id_t id)
{
    siginfo_t info;

    while (waitid(kind, id, &info, WEXITED) != 0 && errno == EINTR)
        continue;
}

static void await_end(int pidfd)
{
    await_death(P_PIDFD, (id_t)pidfd);
    close(pidfd);
}

void bough_birth_kill(const struct bough_birth *birth)
{
    const int error = errno;

    syscall(SYS_pidfd_send_signal, birth->pidfd, SIGKILL, NULL, 0);
    await_end(birth->pidfd);
    errno = error;
}

/* There was no room for its descriptors here: nobody could ever call it. */
static void abandon(pid_t pid)
{
    kill(pid, SIGKILL);
    await_death(P_PID, (id_t)pid);
}

static void drop(const struct bough_birth *birth)
{
    bough_birth_kill(birth);
    close(birth->socket);
}

static bool is_stopped(const struct bough_nursery *nursery)
{
    siginfo_t info = { 0 };

    return waitid(P_PIDFD, (id_t)nursery->pidfd, &info, WSTOPPED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid != 0;
}

static void kill_it(const struct bough_nursery *nursery)
{
    syscall(SYS_pidfd_send_signal, nursery->pidfd, SIGKILL, NULL, 0);
}

/* Whether there is something to hear. One that somebody has stopped is killed, for
 * another is made in a millisecond, and who waits may have a loop to run. */
static bool await_news(const struct bough_nursery *nursery, int limit_ms)
{
    struct pollfd polled = { .fd = nursery->socket, .events = POLLIN };
    int ready;

    for (;;) {
        const int step_ms = limit_ms < PATIENCE_MS ? limit_ms : PATIENCE_MS;

        do {
            ready = poll(&polled, 1, step_ms);
        } while (ready < 0 && errno == EINTR);
        limit_ms -= step_ms;
        if (ready != 0) return true;
        if (step_ms > 0 && is_stopped(nursery)) {
            kill_it(nursery);
            limit_ms = PATIENCE_MS;
        }
        if (limit_ms == 0) return false;
    }
}

/* What is told next. BOUGH_EGONE: the nursery is dead, and nothing more will be.
 * BOUGH_ENOREPLY: that one died. */
static enum bough_status hear(struct bough_nursery *nursery, struct bough_birth *birth,
                              int limit_ms)
{
    struct bough_news news;
    int files[2];
    size_t count = 2;

    if (!await_news(nursery, limit_ms)) return BOUGH_ETIMEOUT;
    nursery->late = false;
    const ssize_t size = bough_files_receive(nursery->socket, &news, sizeof(news), files,
                                             &count, MSG_DONTWAIT);
    /* It died with a request unread, which is said once, before what it had told. */
    if (size < 0 && errno == ECONNRESET) return hear(nursery, birth, limit_ms);
    if (size == (ssize_t)sizeof(news) && nursery->expected > 0) nursery->expected--;
    if (size == (ssize_t)sizeof(news) && news.error == 0 && count == 2) {
        *birth = (struct bough_birth){ news.pid, files[0], files[1] };
        return BOUGH_OK;
    }
    for (size_t i = 0; i < count; i++)
        close(files[i]);
    if (size != (ssize_t)sizeof(news)) return BOUGH_EGONE;
    if (news.error == BOUGH_STILLBORN) {
        await_death(P_PID, (id_t)news.pid);
        return BOUGH_ENOREPLY;
    }
    if (news.error == 0) abandon((pid_t)news.pid);
    errno = news.error != 0 ? news.error : EMFILE;
    return BOUGH_ESYSTEM;
}

/* Those that were born and not taken end with it. */
static void end(struct bough_nursery *nursery)
{
    struct bough_birth birth;

    if (nursery->born.pid > 0) drop(&nursery->born);
    nursery->born.pid = 0;
    if (nursery->socket < 0) return;
    kill_it(nursery);
    await_end(nursery->pidfd);
    nursery->pidfd = -1;
    enum bough_status status = BOUGH_OK;
    while (status == BOUGH_OK || status == BOUGH_ENOREPLY) {
        status = hear(nursery, &birth, BIRTH_MS);
        if (status == BOUGH_OK) drop(&birth);
    }
    close(nursery->socket);
    nursery->socket = -1;
    nursery->pid = 0;
    nursery->expected = 0;
}

static bool has_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;

    if (tasks == NULL) return false;
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] != '.') count++;
    }
    closedir(tasks);
    return count > 1;
}

enum bough_status bough_nursery_new(struct bough_nursery **nursery,
                                    struct bough_error *error)
{
    if (has_threads())
        return bough_error_set(error, BOUGH_ERUNNING,
                               "this program has threads already; make the nursery "
                               "before the first one");

    struct bough_nursery *made = calloc(1, sizeof(*made));
    if (made == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    made->socket = made->pidfd = -1;
    made->ahead = 1;
    pthread_mutex_init(&made->lock, NULL);
    const enum bough_status status = start(made);
    if (status != BOUGH_OK) {
        bough_error_set(error, status, "cannot fork the nursery: %s", strerror(errno));
        bough_nursery_free(made);
        return status;
    }
    *nursery = made;
    return BOUGH_OK;
}

pid_t bough_nursery_pid(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    const pid_t pid = nursery->pid;
    pthread_mutex_unlock(&nursery->lock);
    return pid;
}

/* BOUGH_EGONE: the nursery is dead. */
static enum bough_status ask(struct bough_nursery *nursery)
{
    const char request = 0;

    if (nursery->socket < 0) return BOUGH_EGONE;
    if (send(nursery->socket, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) >
        0) {
        nursery->expected++;
        return BOUGH_OK;
    }
    return errno == EPIPE || errno == ECONNRESET ? BOUGH_EGONE : BOUGH_ESYSTEM;
}

/* One that is dead is made again. */
static enum bough_status ask_for_sure(struct bough_nursery *nursery)
{
    enum bough_status status = ask(nursery);

    if (status != BOUGH_EGONE) return status;
    end(nursery);
    status = start(nursery);
    return status == BOUGH_OK ? ask(nursery) : status;
}

/* One that was killed while it waited is none. */
static bool is_alive(const struct bough_birth *birth)
{
    struct pollfd polled = { .fd = birth->pidfd, .events = POLLIN };

    return poll(&polled, 1, 0) == 0;
}

static enum bough_status hear_next(struct bough_nursery *nursery,
                                   struct bough_birth *birth, int limit_ms)
{
    enum bough_status status = nursery->expected == 0 ? ask_for_sure(nursery) : BOUGH_OK;

    if (status == BOUGH_OK) status = hear(nursery, birth, limit_ms);
    if (status == BOUGH_EGONE) nursery->expected = 0;
    return status;
}

/* BOUGH_EGONE, BOUGH_ENOREPLY: to be tried again. */
static enum bough_status take(struct bough_nursery *nursery, struct bough_birth *birth,
                              int limit_ms)
{
    enum bough_status status = BOUGH_OK;

    if (nursery->born.pid > 0)
        *birth = nursery->born;
    else
        status = hear_next(nursery, birth, limit_ms);
    nursery->born.pid = 0;
    if (status != BOUGH_OK || is_alive(birth)) return status;
    drop(birth);
    return BOUGH_ENOREPLY;
}

enum bough_status bough_nursery_take(struct bough_nursery *nursery,
                                     struct bough_birth *birth, bool wait)
{
    enum { TRIES = 4 };
    enum bough_status status = BOUGH_EGONE;

    pthread_mutex_lock(&nursery->lock);
    for (int i = 0; i < TRIES && (status == BOUGH_EGONE || status == BOUGH_ENOREPLY); i++)
        status = take(nursery, birth, wait ? BIRTH_MS : 0);
    /* One that is dead is better made again now than when it is needed. */
    if (status == BOUGH_OK && nursery->expected == 0) (void)!ask_for_sure(nursery);
    pthread_mutex_unlock(&nursery->lock);
    return status;
}

/* Spares */

enum bough_status bough_spare_new(struct bough_nursery *nursery, bool wait,
                                  struct bough_spare **spare)
{
    struct bough_spare *made = calloc(1, sizeof(*made));
    enum bough_status status =
        made != NULL ? bough_nursery_take(nursery, &made->birth, wait) : BOUGH_ENOMEM;

    if (status == BOUGH_OK) {
        status = bough_border_new(&made->border, made->birth.socket);
        if (status != BOUGH_OK) bough_birth_kill(&made->birth);
    }
    if (status == BOUGH_OK)
        *spare = made;
    else
        free(made);
    return status;
}

void bough_spare_free(struct bough_spare *spare)
{
    if (spare == NULL) return;
    bough_birth_kill(&spare->birth);
    bough_border_finish(&spare->border);
    free(spare);
}

static void keep(struct bough_nursery *nursery, struct bough_spare *spare)
{
    pthread_mutex_lock(&nursery->lock);
    spare->next = nursery->spares;
    nursery->spares = spare;
    nursery->spare_count++;
    pthread_mutex_unlock(&nursery->lock);
}

static struct bough_spare *pop_spare(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    struct bough_spare *spare = nursery->spares;
    if (spare != NULL) {
        nursery->spares = spare->next;
        nursery->spare_count--;
    }
    pthread_mutex_unlock(&nursery->lock);
    return spare;
}

struct bough_spare *bough_nursery_spare(struct bough_nursery *nursery)
{
    struct bough_spare *spare = pop_spare(nursery);

    while (spare != NULL && !is_alive(&spare->birth)) {
        bough_spare_free(spare);
        spare = pop_spare(nursery);
    }
    return spare;
}

void bough_nursery_want(struct bough_nursery *nursery, bool spare)
{
    pthread_mutex_lock(&nursery->lock);
    nursery->wanted += spare ? 1 : -(size_t)1;
    pthread_mutex_unlock(&nursery->lock);
}

void bough_nursery_keep_more(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    if (nursery->ahead < AHEAD_MAX) nursery->ahead++;
    pthread_mutex_unlock(&nursery->lock);
}

bool bough_nursery_keeps_more(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    const bool more = nursery->ahead > 1;
    pthread_mutex_unlock(&nursery->lock);
    return more;
}

void bough_nursery_keep_less(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    if (nursery->ahead > 1) nursery->ahead--;
    pthread_mutex_unlock(&nursery->lock);
    bough_nursery_trim(nursery);
}

/* How many are missing; below 0: left over. With the lock. */
static int count_missing(const struct bough_nursery *nursery)
{
    const size_t kept =
        nursery->wanted > nursery->ahead ? nursery->wanted : nursery->ahead;

    return (int)kept - (int)nursery->spare_count;
}

static int missing(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    const int count = count_missing(nursery);
    pthread_mutex_unlock(&nursery->lock);
    return count;
}

/* Births that are needed yet: of those that are missing, and of the one after them. With
 * the lock. */
static unsigned count_needed(const struct bough_nursery *nursery)
{
    const int count = count_missing(nursery);

    return (count > 0 ? (unsigned)count : 0) + (nursery->born.pid > 0 ? 0 : 1);
}

/* The one after them. As long as descriptors lie in some socket unread, whoever closes
 * another one has the kernel search them all, and so does every process that ends. */
static bool receive(struct bough_nursery *nursery)
{
    pthread_mutex_lock(&nursery->lock);
    const bool received =
        nursery->born.pid > 0 || hear_next(nursery, &nursery->born, 0) == BOUGH_OK;
    pthread_mutex_unlock(&nursery->lock);
    return received;
}

/* All that are missing, and the one after them: they are born one after the other, and
 * received at the next look. */
static void ask_ahead(struct bough_nursery *nursery)
{
    enum { AT_ONCE = 16 };

    pthread_mutex_lock(&nursery->lock);
    while (nursery->expected < AT_ONCE && nursery->expected < count_needed(nursery) &&
           ask_for_sure(nursery) == BOUGH_OK)
        continue;
    pthread_mutex_unlock(&nursery->lock);
}

bool bough_nursery_stock(struct bough_nursery *nursery)
{
    struct bough_spare *spare;

    while (missing(nursery) > 0) {
        if (bough_spare_new(nursery, false, &spare) != BOUGH_OK) {
            ask_ahead(nursery);
            return false;
        }
        keep(nursery, spare);
    }
    return receive(nursery);
}

/* Births that were asked for when more were missing: nobody would receive them. They are
 * not waited for long, for a loop does: those that come later are received with the next
 * one that is needed. */
static void end_unneeded(struct bough_nursery *nursery)
{
    enum bough_status status = BOUGH_OK;
    struct bough_birth birth;

    pthread_mutex_lock(&nursery->lock);
    while (status != BOUGH_ETIMEOUT && nursery->expected > count_needed(nursery)) {
        status = hear_next(nursery, &birth, nursery->late ? 0 : PATIENCE_MS);
        if (status == BOUGH_ETIMEOUT) nursery->late = true;
        if (status == BOUGH_OK) drop(&birth);
    }
    pthread_mutex_unlock(&nursery->lock);
}

void bough_nursery_trim(struct bough_nursery *nursery)
{
    while (missing(nursery) < 0)
        bough_spare_free(pop_spare(nursery));
    end_unneeded(nursery);
}

/* Readers of crashes */

static bool take_place(atomic_int *taken, int most)
{
    if (atomic_fetch_add(taken, 1) < most) return true;
    atomic_fetch_sub(taken, 1);
    return false;
}

bool bough_nursery_lend_reader(struct bough_nursery *nursery)
{
    enum { READERS_MAX = 2 };

    return take_place(&nursery->readers, READERS_MAX);
}

void bough_nursery_return_reader(struct bough_nursery *nursery)
{
    atomic_fetch_sub(&nursery->readers, 1);
}

bool bough_nursery_queue(struct bough_nursery *nursery)
{
    enum { QUEUE_MAX = 16 };

    return take_place(&nursery->queued, QUEUE_MAX);
}

void bough_nursery_leave_queue(struct bough_nursery *nursery)
{
    atomic_fetch_sub(&nursery->queued, 1);
}

bool bough_nursery_logs_report(struct bough_nursery *nursery, int64_t now_ms,
                               unsigned *unlogged)
{
    enum { EVERY_MS = 1000 };

    pthread_mutex_lock(&nursery->lock);
    const bool due = nursery->logged_ms == 0 || now_ms - nursery->logged_ms >= EVERY_MS;
    *unlogged = nursery->unlogged;
    nursery->unlogged = due ? 0 : nursery->unlogged + 1;
    if (due) nursery->logged_ms = now_ms;
    pthread_mutex_unlock(&nursery->lock);
    return due;
}

void bough_nursery_free(struct bough_nursery *nursery)
{
    if (nursery == NULL) return;
    for (struct bough_spare *spare; (spare = pop_spare(nursery)) != NULL;)
        bough_spare_free(spare);
    end(nursery);
    bough_forker_finish(&nursery->forker);
    pthread_mutex_destroy(&nursery->lock);
    free(nursery);
}
