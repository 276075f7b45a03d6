/* top_draw.h - the picture of `bough top` as lines of text.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_TOP_DRAW_H
#define BOUGH_TOOLS_BOUGH_TOP_DRAW_H

#include <stdio.h>

#include <bough/tools/bough/output.h>
#include <bough/tools/bough/top.h>

/* Fewer columns or lines are too few to be read. */
enum { BOUGH_TOP_WIDTH_MIN = 40, BOUGH_TOP_HEIGHT_MIN = 8 };

/* How one line looks. */
struct bough_top_line {
    char text[1280]; /* what the locale can show */
    enum bough_paint paint;
    int painted, painted_end; /* these bytes have the paint */
    bool bold, reverse;       /* all of it */
};

/* The lines of a log or of events that a mode shows, oldest first. */
struct bough_top_lines {
    const char *const *lines;
    size_t count;
};

/* Draws a screen of that size: fills `height` lines, none longer than `width`. Says how
 * many rows it has room for by bough_top_fit(). `lines` may be NULL. */
void bough_top_draw(struct bough_top *top, const struct bough_top_lines *lines, int width,
                    int height, struct bough_top_line *screen);

/* The whole picture as text, every row and every column, for a file. */
void bough_top_print(FILE *file, struct bough_top *top);

#endif
