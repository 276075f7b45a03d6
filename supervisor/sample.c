/* sample.c - where another thread is, asked by a signal.
 *
 * The handler copies the thread's own stack, as that of a fault does. A question has
 * a number, so that an answer that comes too late is none; one that is being written is
 * waited for, as both are to write to the same place.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/watchdog_internal.h>

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <bough/core/glance.h>
#include <bough/supervisor/process/crash_internal.h>

/* A signal is the whole process's, and so is this. */
static struct {
    atomic_int asked;    /* the question that nobody answers yet; 0: none */
    atomic_int complete; /* the one that is answered: what follows was written before */
    int last;
    sem_t answered;
    struct bough_crash_stack stack;
    struct sigaction before;
} sample;

static void on_asked(int number, siginfo_t *info, void *context)
{
    const int error = errno;
    int asked = info->si_value.sival_int;

    (void)number;
    if (info->si_code == SI_QUEUE && asked != 0 &&
        atomic_compare_exchange_strong(&sample.asked, &asked, 0)) {
        bough_crash_copy_stack(context, &sample.stack);
        atomic_store(&sample.complete, asked);
        sem_post(&sample.answered);
    }
    errno = error;
}

bool bough_sample_open(void)
{
    struct sigaction action = { .sa_sigaction = on_asked,
                                .sa_flags = SA_SIGINFO | SA_RESTART };

    sigemptyset(&action.sa_mask);
    if (sigaction(BOUGH_GLANCE_SIGNAL, NULL, &sample.before) != 0 ||
        (sample.before.sa_flags & SA_SIGINFO) != 0 || sample.before.sa_handler != SIG_DFL)
        return false;
    sem_init(&sample.answered, 0, 0);
    return sigaction(BOUGH_GLANCE_SIGNAL, &action, NULL) == 0;
}

void bough_sample_close(void)
{
    /* One that is still under way must find something that does no harm. */
    const struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigaction(BOUGH_GLANCE_SIGNAL, &ignore, NULL);
    sigaction(BOUGH_GLANCE_SIGNAL, &sample.before, NULL);
    sem_destroy(&sample.answered);
}

static bool await_answer(time_t seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (sem_clockwait(&sample.answered, CLOCK_MONOTONIC, &until) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

bool bough_sample_thread(pthread_t thread, struct bough_crash_stack *stack)
{
    enum { SECONDS = 1, AT_WORK_SECONDS = 10 };
    const union sigval question = { .sival_int = ++sample.last };
    int asked = question.sival_int;

    atomic_store(&sample.asked, asked);
    if (pthread_sigqueue(thread, BOUGH_GLANCE_SIGNAL, question) != 0) return false;
    if (!await_answer(SECONDS) &&
        (atomic_compare_exchange_strong(&sample.asked, &asked, 0) ||
         !await_answer(AT_WORK_SECONDS)))
        return false;
    if (atomic_load(&sample.complete) != question.sival_int) return false;
    memcpy(stack, &sample.stack,
           offsetof(struct bough_crash_stack, bytes) + sample.stack.size);
    return true;
}
