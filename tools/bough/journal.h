/* journal.h - the last lines of the log of a tree, and who reads them as they come.
 *
 * A ring of copies, bounded in lines and in bytes, filled on whichever thread reports.
 * Whoever adds a line never waits for who reads: a reader that is too slow loses lines,
 * and is told how many of those that it wanted.
 *
 * Thread: any; one reader is used by one thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_JOURNAL_H
#define BOUGH_TOOLS_BOUGH_JOURNAL_H

#include <jansson.h>

#include <bough/core/log.h>
#include <bough/core/place.h>

enum {
    BOUGH_JOURNAL_LINES = 10000,
    BOUGH_JOURNAL_BYTES = 4 * 1024 * 1024 /* of their texts and what goes with each */
};

struct bough_journal;

/* Embed; zeroed is one that reads nothing. */
struct bough_journal_reader {
    /* private */
    struct bough_journal *journal; /* NULL: not open */
    struct bough_journal_reader *next, **link;
    uint64_t position, until; /* the line that may be next; the last one wanted */
    uint64_t missed;          /* lines that it wanted, since it was told last */
    enum bough_log_level least;
    size_t path_length;
    char path[BOUGH_PATH_MAX]; /* "" for the root: what is below begins with '/' */
};

/* NULL when memory is out. */
BOUGH_CHECKED struct bough_journal *bough_journal_new(size_t lines, size_t bytes);

/* Nobody reads any more. NULL is fine. */
void bough_journal_free(struct bough_journal *journal);

/* Copies a line in; the oldest make room. One for which there is no memory is missing. */
void bough_journal_add(struct bough_journal *journal,
                       const struct bough_log_record *record);

/* Has all that a runtime reports, and what its programs write once that is taken: puts
 * itself in front of the hooks that are set, before there are threads. It outlives the
 * runtime. */
void bough_journal_tap(struct bough_journal *journal, struct bough_runtime *runtime);

/* Calls `added` after each line that somebody who reads wants, on the thread where it
 * was reported; NULL: nobody. It may touch neither the runtime nor the journal. */
void bough_journal_listen(struct bough_journal *journal, void (*added)(void *data),
                          void *data);

/* Whether it keeps a line of that path, which is valid, or of one below it. */
bool bough_journal_has(struct bough_journal *journal, const char *path);

/* Begins to read the lines at or below `path`, which is valid, and of that level at
 * least: the last `lines` of those that are kept; with `follow` also all that come. */
void bough_journal_open(struct bough_journal *journal,
                        struct bough_journal_reader *reader, const char *path,
                        enum bough_log_level least, uint64_t lines, bool follow);

/* The next line as one JSON object, the caller's: time, level, path, stream (of what a
 * program has written), text; or {"missed": how many} where lines are missing. NULL: none
 * now. */
json_t *bough_journal_read(struct bough_journal_reader *reader);

/* Fine on one that is not open. */
void bough_journal_close(struct bough_journal_reader *reader);

#endif
