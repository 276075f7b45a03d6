/* nursery_internal.h - asking for a child, and hearing of its birth.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_NURSERY_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_NURSERY_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <bough/supervisor/process/border_internal.h>
#include <bough/supervisor/process/nursery.h>

enum { BOUGH_NURSERY_FILES_MAX = 16 };

/* forker.c: who forks for those that may not live as long as the program. Zeroed it is
 * ready. */
struct bough_forker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool there, ends; /* the thread; it is to end */
    void (*child)(void *data);
    void *data;
    pid_t pid;
    int error;
};

/* A fork that runs `child`, which does not return; -1, with errno. By one thread at a
 * time. */
pid_t bough_forker_fork(struct bough_forker *forker, void (*child)(void *data),
                        void *data);
void bough_forker_finish(struct bough_forker *forker);

/* cradle.c: what a child sends, 0 with a pidfd and a socket; or the nursery, an errno, or
 * that the child died before it could. */
struct bough_news {
    int32_t error, pid;
};
enum { BOUGH_STILLBORN = -1 };

/* Where a nursery begins, in the process that is to be one: does not return. */
struct bough_cradle {
    int requests; /* its end of a SOCK_SEQPACKET pair: a byte for each child */
    pid_t program;
};
void bough_cradle_lie_in(void *data);

/* A process that was forked, and waits to be told what to be. */
struct bough_birth {
    pid_t pid;
    int pidfd;
    int socket; /* SOCK_SEQPACKET, not blocking: what it is told, and then a border's */
};

/* The next one, whose descriptors are the caller's; the one after it is forked meanwhile.
 * Waits for it, if need be and `wait`. Thread: any. Errors: BOUGH_ESYSTEM, with errno;
 * BOUGH_ETIMEOUT: it took too long, or is not there yet. */
BOUGH_CHECKED enum bough_status bough_nursery_take(struct bough_nursery *nursery,
                                                   struct bough_birth *birth, bool wait);

/* Kills one that was taken, and waits for it. Leaves errno alone. */
void bough_birth_kill(const struct bough_birth *birth);

/* A process that has its border, too, and can be told at once what to be. */
struct bough_spare {
    struct bough_birth birth; /* its socket is the border's */
    struct bough_border border;
    struct bough_spare *next;
};

/* Makes one of a process that has been born by now. Errors: as bough_nursery_take(),
 * BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_spare_new(struct bough_nursery *nursery, bool wait,
                                                struct bough_spare **spare);

/* Ends the process; NULL is fine. */
void bough_spare_free(struct bough_spare *spare);

/* The nursery keeps spares for whoever needs a process next: as many as there are lives
 * that have asked for one each, and at least one, or as many more as restarts have found
 * missing, up to a bound. Thread: any. */

/* One of those that are kept, which is alive; NULL: there is none. */
struct bough_spare *bough_nursery_spare(struct bough_nursery *nursery);

/* A life asks for one, or does not any more. */
void bough_nursery_want(struct bough_nursery *nursery, bool spare);

/* A restart has found none: where several processes end together, they will again. */
void bough_nursery_keep_more(struct bough_nursery *nursery);

/* None has been missing for a while. */
void bough_nursery_keep_less(struct bough_nursery *nursery);

/* Whether that would make a difference. */
bool bough_nursery_keeps_more(struct bough_nursery *nursery);

/* Makes those that are missing, and receives the one to be taken after them. False: to be
 * called again, when they have been born. */
bool bough_nursery_stock(struct bough_nursery *nursery);

/* Ends those that are left over, and waits a little for births that are not needed now.
 */
void bough_nursery_trim(struct bough_nursery *nursery);

/* What a process is told to be, with the descriptors for that. */
enum bough_calling {
    BOUGH_CALLED_HOST = 'h',   /* those of a border */
    BOUGH_CALLED_READER = 'r', /* of crashes: see crash_internal.h; one */
};

/* So that few read crashes at the same time. False: enough do. */
BOUGH_CHECKED bool bough_nursery_lend_reader(struct bough_nursery *nursery);
void bough_nursery_return_reader(struct bough_nursery *nursery);

/* Few may wait for one, for each of them holds what is to be read. False: so many do. */
BOUGH_CHECKED bool bough_nursery_queue(struct bough_nursery *nursery);
void bough_nursery_leave_queue(struct bough_nursery *nursery);

/* Whether the report of a crash is for the log: one a second is. `*unlogged`: those since
 * the last one that were not. */
bool bough_nursery_logs_report(struct bough_nursery *nursery, int64_t now_ms,
                               unsigned *unlogged);

/* Sends and receives descriptors with a few bytes: what sendmsg() and recvmsg() return.
 * `*count` is how many there is room for, and then how many came; they are close-on-exec.
 * None, and errno EMFILE: this process cannot have them. */
ssize_t bough_files_send(int socket, const void *bytes, size_t size, const int *files,
                         size_t count);
ssize_t bough_files_receive(int socket, void *bytes, size_t size, int *files,
                            size_t *count, int flags);

#endif
