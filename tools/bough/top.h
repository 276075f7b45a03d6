/* top.h - what `bough top` shows, without a terminal: rows of actors, made from two looks
 * at a tree, and what keys do to them.
 *
 * A picture is taken of the tree every so often (bough_top_take()); what it says together
 * with the one before becomes rows: filtered, sorted, folded. Keys change which, and
 * begin what is to be done to an actor. Nothing here waits, or talks to anybody.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_TOP_H
#define BOUGH_TOOLS_BOUGH_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bough/core/place.h>

/* A look at a tree. Below 0: not known. */
struct bough_top_picture {
    json_t *tree;           /* what GET /v1/tree answers; NULL: there was none */
    int64_t at_ms;          /* of a clock that does not jump */
    int64_t cpu_ms, memory; /* of the process that runs the tree, in bytes */
};

/* An actor as it is shown. Texts are the picture's. Below 0: not known. */
struct bough_top_row {
    const char *path, *name, *type, *state;
    int depth;
    bool parent, folded; /* has children; they are hidden */
    int64_t restarts, life, uptime_ms, waiting, capacity, memory;
    double cpu;  /* percent of one processor */
    double rate; /* messages a second */
};

enum bough_top_order {
    BOUGH_TOP_TREE,
    BOUGH_TOP_CPU,
    BOUGH_TOP_MEMORY,
    BOUGH_TOP_RATE,
    BOUGH_TOP_WAITING,
    BOUGH_TOP_RESTARTS,
    BOUGH_TOP_UPTIME,
    BOUGH_TOP_STATE,
    BOUGH_TOP_ORDER_COUNT
};
extern const char *const bough_top_order_names[BOUGH_TOP_ORDER_COUNT];

/* All that the tree does, in one line. */
struct bough_top_totals {
    size_t actors, running;
    int64_t restarts, waiting;
    int64_t memory; /* of all its processes */
    double cpu, rate;
};

enum bough_top_mode {
    BOUGH_TOP_TABLE,
    BOUGH_TOP_FILTER,  /* being typed */
    BOUGH_TOP_CONFIRM, /* a question is open */
    BOUGH_TOP_HELP,
    BOUGH_TOP_LOG,    /* of the actor that is selected, and of all below */
    BOUGH_TOP_EVENTS, /* likewise */
};

/* What a key asks for, about the actor `selected`. */
enum bough_top_action {
    BOUGH_TOP_NOTHING,
    BOUGH_TOP_QUIT,
    BOUGH_TOP_LOOK, /* take what the mode needs at once */
    BOUGH_TOP_RESTART,
    BOUGH_TOP_START,
    BOUGH_TOP_STOP,
    BOUGH_TOP_KILL
};

/* Keys that are no characters. */
enum {
    BOUGH_KEY_UP = 0x200000,
    BOUGH_KEY_DOWN,
    BOUGH_KEY_LEFT,
    BOUGH_KEY_RIGHT,
    BOUGH_KEY_PAGE_UP,
    BOUGH_KEY_PAGE_DOWN,
    BOUGH_KEY_HOME,
    BOUGH_KEY_END,
    BOUGH_KEY_ENTER,
    BOUGH_KEY_ESCAPE,
    BOUGH_KEY_BACKSPACE
};

enum { BOUGH_TOP_TEXT = 256, BOUGH_TOP_FILTER_MAX = 63 };

struct bough_top {
    struct bough_top_picture now, before;
    struct bough_top_row *rows; /* those that are to be seen, in order */
    size_t count;
    struct bough_top_totals totals;
    enum bough_top_order order;
    enum bough_top_mode mode;
    enum bough_top_action question;        /* what is asked about, in BOUGH_TOP_CONFIRM */
    char filter[BOUGH_TOP_FILTER_MAX + 1]; /* part of a path; "": all */
    char selected[BOUGH_PATH_MAX];         /* of the row, and of what is asked or shown */
    size_t at;                             /* that row's index */
    size_t first; /* the first row on the screen, or lines that the log is scrolled up */
    size_t page;  /* rows that the screen shows at once */
    char message[BOUGH_TOP_TEXT]; /* what came of the last action */
    char lost[BOUGH_TOP_TEXT];    /* why there is no new picture; "": there is */

    /* private */
    json_t *folded; /* paths */
};

/* False: memory is out. */
bool bough_top_init(struct bough_top *top);
void bough_top_finish(struct bough_top *top);

/* A new picture; takes `tree`. False: memory is out, there are no rows. */
bool bough_top_take(struct bough_top *top, const struct bough_top_picture *picture);

/* How many rows fit on the screen: the selected one is kept on it. */
void bough_top_fit(struct bough_top *top, size_t page);

/* Makes the rows anew, after what they depend on has changed. False: memory is out. */
bool bough_top_update(struct bough_top *top);

/* Hides, or shows, what is below the selected row. */
void bough_top_fold(struct bough_top *top, bool folded);

/* Selects a row by its index; beyond the last is the last. */
void bough_top_select(struct bough_top *top, size_t index);

/* A key was pressed. */
enum bough_top_action bough_top_key(struct bough_top *top, int key);

#endif
