/* remains.c - what remains of a process that has ended by itself.
 *
 * To have the kernel forget it, and to unmap and close its border, takes a quarter of the
 * time until its next life runs a message. So they are left with the supervision above
 * the owner, which clears them away a moment later, or when it ends itself. Until then
 * the process is a zombie: it has no memory and no descriptor any more.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/supervisor/supervision_internal.h>

enum { CLEARED_AFTER_MS = 10 };

void bough_process_forget(int pidfd)
{
    siginfo_t info;

    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0 && errno == EINTR)
        continue;
    close(pidfd);
}

static void clear(struct bough_remains *remains)
{
    while (remains->count > 0) {
        struct bough_corpse *corpse = &remains->corpses[--remains->count];

        bough_process_forget(corpse->pidfd);
        bough_border_finish(&corpse->border);
    }
}

static void on_due(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor;
    clear(bough_container(timer, struct bough_remains, timer));
}

bool bough_remains_take(struct bough_host *host)
{
    struct bough_remains **remains = bough_supervision_remains(host->owner);

    if (remains == NULL) return false;
    if (*remains == NULL) *remains = calloc(1, sizeof(**remains));
    if (*remains == NULL || (*remains)->count == BOUGH_REMAINS_MAX) return false;
    (*remains)->corpses[(*remains)->count++] =
        (struct bough_corpse){ .border = host->border, .pidfd = host->corpse };
    host->corpse = -1;
    host->border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = -1 };
    if (!bough_timer_is_running(&(*remains)->timer))
        bough_timer_start(bough_parent(host->owner), &(*remains)->timer, CLEARED_AFTER_MS,
                          0, on_due);
    return true;
}

void bough_remains_free(struct bough_remains *remains)
{
    if (remains == NULL) return;
    bough_timer_stop(&remains->timer);
    clear(remains);
    free(remains);
}
