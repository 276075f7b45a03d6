/* notify_internal.h - a socket to which a program says that it is ready: sd_notify(3).
 *
 * Its address is in the abstract namespace and cannot be guessed. What comes there is
 * believed when it comes from the program itself or from what that has started.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_NOTIFY_INTERNAL_H
#define BOUGH_ACTORS_NOTIFY_INTERNAL_H

#include <sys/types.h>

#include <bough/core/status.h>

enum { BOUGH_NOTIFY_ADDRESS = 64, BOUGH_NOTIFY_TEXT = 4096 };

/* Opens one; `address` gets what NOTIFY_SOCKET is to be. -1, with errno. */
int bough_notify_open(char address[BOUGH_NOTIFY_ADDRESS]);

enum bough_notify_news {
    BOUGH_NOTIFY_NONE,    /* nothing more has come */
    BOUGH_NOTIFY_TAKEN,   /* `text` has it, lines NAME=VALUE */
    BOUGH_NOTIFY_STRANGER /* somebody else: `*sender`, 0 when that is not known */
};

/* Takes one, if there is one, of the lineage of `head`. Never blocks. */
enum bough_notify_news bough_notify_take(int fd, pid_t head, char text[BOUGH_NOTIFY_TEXT],
                                         pid_t *sender);

/* Whether a line of it says that. */
bool bough_notify_says(const char *text, const char *line);

#endif
