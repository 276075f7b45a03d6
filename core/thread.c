/* thread.c - loops of threads of their own, for places that are to live apart.
 *
 * Such a loop is made when a place with that isolation is made, and has one empty slot
 * ready for it: who takes the slot never touches the loop otherwise, but writes letters.
 * When the place is freed, and nothing else is left on the loop, another place can have
 * it: threads are made as often as there are places apart at the same time, and end with
 * the runtime.
 *
 * They are run as bough_loop_run() runs others: see alone.c.
 *
 * On a virtual clock there is no thread: whoever advances the clock runs these loops, and
 * every letter still goes the whole way.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/glance.h>
#include <bough/core/letter_internal.h>
#include <bough/core/runtime_internal.h>

/* The end of a thread, when nothing lives on it any more. */
void bough_apart_check(struct bough_loop *loop)
{
    if (!atomic_load_explicit(&loop->quit, memory_order_acquire)) return;
    if (!loop->closing) bough_loop_kill_all(loop);
    if (loop->counts.lives > 0) return;
    ev_break(loop->ev, EVBREAK_ALL);
}

static void *apart_run(void *data)
{
    struct bough_loop *loop = data;

    while (!loop->closing || loop->counts.lives > 0)
        bough_loop_run_once(loop);
    bough_loop_give_up(loop);
    bough_loop_leave_ev(loop);
    return NULL;
}

/* Signals are for the threads of the program; but what a fault of this one raises must
 * find its handler, and so must who asks where it is. */
static void all_but_faults(sigset_t *set)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

    sigfillset(set);
    for (size_t i = 0; i < bough_count_of(faults); i++)
        sigdelset(set, faults[i]);
    sigdelset(set, BOUGH_GLANCE_SIGNAL);
}

static enum bough_status start_thread(struct bough_loop *loop)
{
    sigset_t all, before;
    char name[16]; /* what Linux keeps */

    all_but_faults(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&loop->thread, NULL, apart_run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        errno = error;
        return BOUGH_ESYSTEM;
    }
    loop->threaded = true;
    snprintf(name, sizeof(name), "bough-%u", ++loop->runtime->thread_count % 1000000u);
    pthread_setname_np(loop->thread, name);
    return BOUGH_OK;
}

static struct bough_loop *apart_new(struct bough_runtime *runtime)
{
    struct bough_loop *loop = bough_loop_new(runtime, NULL);

    if (loop == NULL) return NULL;
    loop->apart = true;
    bough_loop_set_held(loop);
    return loop;
}

/* Under the runtime's lock. Its only slot becomes the vacancy. */
static void offer(struct bough_loop *loop)
{
    loop->next_vacant = loop->runtime->vacant;
    loop->runtime->vacant = loop;
}

static bool prepare_vacancy(struct bough_loop *loop)
{
    if (loop->vacancy != NULL) return true;
    loop->vacancy = bough_slot_new(loop);
    if (loop->vacancy == NULL) return false;
    if (loop->vacancy_annex == NULL)
        loop->vacancy_annex = bough_pool_take(&loop->pool, sizeof(struct bough_annex));
    return loop->vacancy_annex != NULL;
}

/* A vacancy that gets no name brings its annex along. */
void bough_apart_annex(struct bough_actor *slot)
{
    struct bough_loop *loop = slot->loop;

    if (!loop->apart || bough_loop_is_near(loop)) return;
    slot->annex = loop->vacancy_annex;
    memset(slot->annex, 0, sizeof(*slot->annex));
    loop->vacancy_annex = NULL;
}

/* Not taken back when memory is out: the thread then idles until the runtime ends. */
void bough_apart_vacant(struct bough_loop *loop)
{
    if (loop->closing || !prepare_vacancy(loop)) return;
    bough_runtime_lock(loop->runtime);
    offer(loop);
    bough_runtime_unlock(loop->runtime);
}

/* One that could not be used stays, without a thread, and is tried again the next time.
 */
static enum bough_status ready_one(struct bough_runtime *runtime)
{
    if (runtime->vacant != NULL) return BOUGH_OK;

    struct bough_loop *loop = apart_new(runtime);
    if (loop == NULL) return errno == ENOMEM ? BOUGH_ENOMEM : BOUGH_ESYSTEM;
    if (!prepare_vacancy(loop)) return BOUGH_ENOMEM;
    offer(loop);
    return BOUGH_OK;
}

enum bough_status bough_apart_take(struct bough_runtime *runtime,
                                   struct bough_actor **slot)
{
    enum bough_status status;

    bough_runtime_lock(runtime);
    status = ready_one(runtime);
    struct bough_loop *loop = status == BOUGH_OK ? runtime->vacant : NULL;
    if (loop != NULL && !loop->threaded && !runtime->options.clock->is_virtual)
        status = start_thread(loop);
    if (status == BOUGH_OK) {
        runtime->vacant = loop->next_vacant;
        *slot = loop->vacancy;
        loop->vacancy = NULL;
    }
    bough_runtime_unlock(runtime);
    return status;
}

/* One that is still to be joined; all of them know that they are to end. */
static struct bough_loop *ask_to_end(struct bough_runtime *runtime)
{
    struct bough_loop *first = NULL;

    bough_runtime_lock(runtime);
    for (struct bough_loop *loop = runtime->loops; loop != NULL; loop = loop->next) {
        if (!loop->threaded) continue;
        first = loop;
        if (!atomic_exchange(&loop->quit, true)) bough_loop_wake(loop);
    }
    bough_runtime_unlock(runtime);
    return first;
}

/* What lives on a thread may have another one made as long as it has not ended. */
void bough_apart_join(struct bough_runtime *runtime)
{
    struct bough_loop *loop;

    while ((loop = ask_to_end(runtime)) != NULL) {
        pthread_join(loop->thread, NULL);
        bough_runtime_lock(runtime);
        loop->threaded = false;
        bough_runtime_unlock(runtime);
    }
}
