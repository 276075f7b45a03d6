/* screen.h - a terminal as a screen of lines, by ncurses.
 *
 * One at a time. While it is open, what is written to stderr is kept, and is to be asked
 * for: it would stand in the middle of the picture.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SCREEN_H
#define BOUGH_TOOLS_BOUGH_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/tools/bough/top_draw.h>

enum { BOUGH_SCREEN_NO_KEY = -1, BOUGH_SCREEN_RESIZED = -2, BOUGH_SCREEN_CLOSED = -3 };

struct bough_screen {
    /* private */
    int stderr_kept; /* the stderr that was there before */
    int complaints;  /* a file that is stderr meanwhile */
    bool colour;
};

/* False: there can be none here, and it has been said why. */
bool bough_screen_open(struct bough_screen *screen);
void bough_screen_close(struct bough_screen *screen);

void bough_screen_size(int *width, int *height);
void bough_screen_draw(const struct bough_screen *screen,
                       const struct bough_top_line *lines, int count);

/* The next key: a character, a BOUGH_KEY_ of top.h, or one of the above when there is
 * none within that time, when the terminal has another size, or is gone. */
int bough_screen_key(int wait_ms);

/* What was written to stderr since it was last asked for: its first line, without
 * "bough: ". False: nothing. */
bool bough_screen_complaint(const struct bough_screen *screen, char *text, size_t size);

#endif
