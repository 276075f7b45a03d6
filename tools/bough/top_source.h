/* top_source.h - what `bough top` asks the tree for.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_TOP_SOURCE_H
#define BOUGH_TOOLS_BOUGH_TOP_SOURCE_H

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/top.h>
#include <bough/tools/bough/top_draw.h>

/* Lines of a log or of events, and of which they are. */
struct bough_top_source {
    struct bough_top_lines lines;

    /* private */
    struct bough_client client;
    char **texts; /* where the lines are */
    enum bough_top_mode mode;
    char path[BOUGH_PATH_MAX];
    uint64_t seq; /* of the last event that was seen */
};

/* Finds the tree as the options say; the exit code, complained. Finish it only after
 * BOUGH_CODE_DONE. */
int bough_top_source_init(struct bough_top_source *source,
                          const struct bough_arguments *arguments);
void bough_top_source_finish(struct bough_top_source *source);

/* A look at the tree. The exit code, complained; `*picture` is set only with
 * BOUGH_CODE_DONE, and its tree the caller's. */
int bough_top_look(struct bough_top_source *source, struct bough_top_picture *picture);

/* Reads the lines that the mode shows; complains. */
void bough_top_read_lines(struct bough_top_source *source, const struct bough_top *top);

/* Does to the selected actor what was asked for; what came of it, as a sentence, when it
 * was accepted. The exit code, complained. */
int bough_top_act(struct bough_top_source *source, const struct bough_top *top,
                  enum bough_top_action action, char text[BOUGH_TOP_TEXT]);

/* Milliseconds of a clock that does not jump. */
int64_t bough_top_clock_ms(void);

#endif
