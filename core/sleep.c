/* sleep.c - how a loop with nothing to do sleeps, and how it is woken.
 *
 * A loop says how it sleeps, looks once more for what it may have missed, and sleeps. Who
 * has something for it looks at what it says after having put it there. All four are
 * sequentially consistent: either the one sees that it sleeps, or the other what has
 * come. Who takes the word down wakes it: one wake-up, however many have something
 * meanwhile.
 *
 * A loop that awaits letters alone (alone.c) waits for that word itself, in one call of
 * futex(2). When its processor has gone idle meanwhile, a round trip takes a third less
 * so than through an eventfd, whose reader finds its lock still held by who wakes it. One
 * that awaits other things as well polls an eventfd among them.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/core/letter_internal.h>
#include <bough/core/loop_internal.h>

bool bough_sleep_init(struct bough_loop *loop)
{
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return loop->wake_fd >= 0;
}

void bough_sleep_finish(struct bough_loop *loop)
{
    close(loop->wake_fd);
    loop->wake_fd = -1;
}

/* Until it has heard that it is to end. */
static bool is_to_end(struct bough_loop *loop)
{
    return atomic_load(&loop->quit) && !loop->closing;
}

bool bough_loop_go_to_sleep(struct bough_loop *loop, enum bough_sleep how)
{
    atomic_store(&loop->sleep, how);
    if (atomic_load(&loop->inbox) == NULL && !is_to_end(loop)) return true;
    atomic_store(&loop->sleep, BOUGH_AWAKE);
    return false;
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* Any error says that the word is another one by now, or that there was a signal. */
void bough_loop_sleep(struct bough_loop *loop)
{
    while (atomic_load(&loop->sleep) == BOUGH_WAITS)
        futex(&loop->sleep, FUTEX_WAIT, BOUGH_WAITS);
}

void bough_loop_wake(struct bough_loop *loop)
{
    const uint64_t one = 1;

    if (atomic_load(&loop->sleep) == BOUGH_AWAKE) return;
    switch (atomic_exchange(&loop->sleep, BOUGH_AWAKE)) {
    case BOUGH_WAITS: futex(&loop->sleep, FUTEX_WAKE, 1); break;
    case BOUGH_POLLS:
        while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
            continue;
        break;
    default: break; /* somebody else was faster */
    }
}

void bough_loop_forget_wake(struct bough_loop *loop)
{
    uint64_t wakes;

    while (read(loop->wake_fd, &wakes, sizeof(wakes)) < 0 && errno == EINTR)
        continue;
}
