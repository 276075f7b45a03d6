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

enum {
    CLEARED_AFTER_MS = 10,
    AT_ONCE = 8, /* some 0.1 ms each, in which the loop does nothing else, */
    PAUSE_MS = 1 /* and then something else */
};

struct bough_corpse {
    struct bough_border border;
    int pidfd;
    struct bough_corpse *next;
};

void bough_process_forget(int pidfd)
{
    siginfo_t info;

    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0 && errno == EINTR)
        continue;
    close(pidfd);
}

static void clear(struct bough_remains *remains, size_t most)
{
    for (; remains->count > 0 && most > 0; most--) {
        struct bough_corpse *corpse = remains->first;

        remains->first = corpse->next;
        remains->count--;
        bough_process_forget(corpse->pidfd);
        bough_border_finish(&corpse->border);
        free(corpse);
    }
    if (remains->count == 0) remains->tail = &remains->first;
}

static void on_due(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_remains *remains = bough_container(timer, struct bough_remains, timer);

    clear(remains, AT_ONCE);
    if (remains->count > 0) bough_timer_start(actor, timer, PAUSE_MS, 0, on_due);
}

static struct bough_remains *remains_of(struct bough_actor *owner)
{
    struct bough_remains **remains = bough_supervision_remains(owner);

    if (remains == NULL) return NULL;
    if (*remains == NULL) {
        *remains = calloc(1, sizeof(**remains));
        if (*remains != NULL) (*remains)->tail = &(*remains)->first;
    }
    return *remains;
}

bool bough_remains_take(struct bough_host *host)
{
    struct bough_remains *remains = remains_of(host->owner);
    struct bough_corpse *corpse;

    if (remains == NULL || remains->count == BOUGH_REMAINS_MAX) return false;
    corpse = malloc(sizeof(*corpse));
    if (corpse == NULL) return false;
    *corpse = (struct bough_corpse){ .border = host->border, .pidfd = host->corpse };
    *remains->tail = corpse;
    remains->tail = &corpse->next;
    remains->count++;
    host->corpse = -1;
    host->border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = -1 };
    if (!bough_timer_is_running(&remains->timer))
        bough_timer_start(bough_parent(host->owner), &remains->timer, CLEARED_AFTER_MS, 0,
                          on_due);
    return true;
}

bool bough_remains_wait(struct bough_actor *owner)
{
    struct bough_remains *const *remains = bough_supervision_remains(owner);

    return remains != NULL && *remains != NULL && (*remains)->count > 0;
}

bool bough_remains_clear(struct bough_actor *owner)
{
    if (!bough_remains_wait(owner)) return false;
    struct bough_remains *remains = *bough_supervision_remains(owner);

    bough_timer_stop(&remains->timer);
    clear(remains, SIZE_MAX);
    return true;
}

void bough_remains_free(struct bough_remains *remains)
{
    if (remains == NULL) return;
    bough_timer_stop(&remains->timer);
    clear(remains, SIZE_MAX);
    free(remains);
}
