/* forker.c - a fork that lives on when the thread which wanted it ends.
 *
 * Whoever dies with its parent (PR_SET_PDEATHSIG) dies with the thread that forked it,
 * and so do those that it has forked as siblings of its own. The main thread lives as
 * long as the program; for any other one a thread is made that does nothing but fork, and
 * is there until finish.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/nursery_internal.h>

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *run(void *data)
{
    struct bough_forker *forker = data;

    pthread_mutex_lock(&forker->lock);
    while (!forker->ends) {
        if (forker->child != NULL) {
            const pid_t pid = fork();

            if (pid == 0) forker->child(forker->data);
            forker->pid = pid;
            forker->error = errno;
            forker->child = NULL;
            pthread_cond_broadcast(&forker->changed);
        }
        pthread_cond_wait(&forker->changed, &forker->lock);
    }
    pthread_mutex_unlock(&forker->lock);
    return NULL;
}

/* It takes no signals: they are for the threads of the program. */
static bool has_thread(struct bough_forker *forker)
{
    sigset_t all, before;

    if (forker->there) return true;
    pthread_mutex_init(&forker->lock, NULL);
    pthread_cond_init(&forker->changed, NULL);
    forker->ends = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&forker->thread, NULL, run, forker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    forker->there = error == 0;
    if (forker->there)
        pthread_setname_np(forker->thread, "bough-forker");
    else
        errno = error;
    return forker->there;
}

pid_t bough_forker_fork(struct bough_forker *forker, void (*child)(void *data),
                        void *data)
{
    if (syscall(SYS_gettid) == getpid()) {
        const pid_t pid = fork();

        if (pid == 0) child(data);
        return pid;
    }
    if (!has_thread(forker)) return -1;
    pthread_mutex_lock(&forker->lock);
    forker->data = data;
    forker->child = child;
    pthread_cond_broadcast(&forker->changed);
    while (forker->child != NULL)
        pthread_cond_wait(&forker->changed, &forker->lock);
    const pid_t pid = forker->pid;
    const int error = forker->error;
    pthread_mutex_unlock(&forker->lock);
    errno = error;
    return pid;
}

void bough_forker_finish(struct bough_forker *forker)
{
    if (!forker->there) return;
    pthread_mutex_lock(&forker->lock);
    forker->ends = true;
    pthread_cond_broadcast(&forker->changed);
    pthread_mutex_unlock(&forker->lock);
    pthread_join(forker->thread, NULL);
    pthread_cond_destroy(&forker->changed);
    pthread_mutex_destroy(&forker->lock);
    forker->there = false;
}
