/* taken.c - asking libev for the status of a program.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/taken_internal.h>

#include <stddef.h>
#include <sys/wait.h>

/* Runs before the callback of the pidfd, by its priority. */
static void reaped_by_libev(struct ev_loop *ev, struct ev_child *child, int events)
{
    struct bough_taken *taken = bough_container(child, struct bough_taken, child);

    (void)events;
    ev_child_stop(ev, child);
    taken->end.known = true;
    taken->end.code = WIFEXITED(child->rstatus) ? WEXITSTATUS(child->rstatus) : 0;
    taken->end.signal = WIFSIGNALED(child->rstatus) ? WTERMSIG(child->rstatus) : 0;
}

void bough_taken_start(struct bough_taken *taken, struct ev_loop *ev, pid_t pid)
{
    *taken = (struct bough_taken){ .end = { .known = false } };
    if (!ev_is_default_loop(ev)) return;
    ev_child_init(&taken->child, reaped_by_libev, pid, 0);
    ev_set_priority(&taken->child, EV_MAXPRI);
    ev_child_start(ev, &taken->child);
}

void bough_taken_stop(struct bough_taken *taken, struct ev_loop *ev)
{
    if (ev_is_default_loop(ev)) ev_child_stop(ev, &taken->child);
}

bool bough_taken_reap(struct bough_taken *taken, struct bough_process *process,
                      struct bough_process_end *end)
{
    if (!bough_process_reap(process, end)) return false;
    if (!end->known) *end = taken->end;
    return true;
}
