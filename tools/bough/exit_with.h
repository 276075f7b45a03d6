/* exit_with.h - the command that bough stands for: "exit_with" of the root.
 *
 * As the first process of a container, bough ends with the exit code of this command, as
 * a shell has it, and hands QUIT, USR1, USR2 and WINCH on to it. Which one it is may
 * change while the tree runs. Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_EXIT_WITH_H
#define BOUGH_TOOLS_BOUGH_EXIT_WITH_H

#include <ev.h>
#include <stdbool.h>

#include <bough/core/actor.h>
#include <bough/core/event.h>

enum { BOUGH_EXIT_WITH_SIGNALS = 4 };

struct bough_exit_with {
    /* private */
    struct ev_loop *ev;
    struct bough_loop *loop;
    char *path; /* NULL: none */
    int code;   /* of its last life; -1: it lives, or has not lived yet */
    struct ev_signal signals[BOUGH_EXIT_WITH_SIGNALS];
};

/* Zeroes are fine for bough_exit_with_finish() and bough_exit_with_code(), too. */
void bough_exit_with_init(struct bough_exit_with *self, struct ev_loop *ev,
                          struct bough_loop *loop);

/* From now on it is the command at `path`, which is copied; NULL: none, and the signals
 * are again bough's own. False: memory is out, and nothing has changed. */
BOUGH_CHECKED bool bough_exit_with_set(struct bough_exit_with *self, const char *path);

/* Exchanges the command, and the exit code that it has left, for others: `*path` is
 * malloc()ed or NULL, and is taken; what was before is the caller's. */
void bough_exit_with_swap(struct bough_exit_with *self, char **path, int *code);

/* Hears of all events of the tree. */
void bough_exit_with_note(struct bough_exit_with *self, const struct bough_event *event);

/* The exit code of the program, `code` being what the tree comes to: the command's, but
 * that one which ended well does not hide a tree that did not. */
int bough_exit_with_code(const struct bough_exit_with *self, int code);

/* While the loop is there. May be called twice. */
void bough_exit_with_finish(struct bough_exit_with *self);

#endif
