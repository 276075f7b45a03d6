/* own_keys.h - the keys of the root that bough itself acts on: "metrics", "exit_with".
 *
 * An apply takes over those of the new file when it begins, so that a port that is not to
 * be had refuses it before anything is changed, and gives them back when it fails. What
 * --metrics says goes before any file. Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_OWN_KEYS_H
#define BOUGH_TOOLS_BOUGH_OWN_KEYS_H

#include <jansson.h>

#include <bough/config/config.h>
#include <bough/config/endpoint.h>
#include <bough/tools/bough/exit_with.h>
#include <bough/tools/bough/figures.h>
#include <bough/tools/bough/port.h>

struct bough_own_keys {
    struct bough_exit_with exit_with;

    /* private */
    struct bough_figures_source source;
    const char *given; /* --metrics; NULL: the file has the word */
    char *metrics;     /* of the file; NULL: none */
    struct bough_port *port;

    /* Before the apply that is under way */
    bool trying, moved; /* the latter: to another port, or to none */
    char *old_exit_with, *old_metrics;
    int old_code;
    char old_endpoint[BOUGH_ENDPOINT_TEXT]; /* "": none */
};

/* Zeroes are fine for all that follows but open and try. `source` is copied, and what is
 * in it outlives the keys; so does `given`. */
void bough_own_keys_init(struct bough_own_keys *keys, struct ev_loop *ev,
                         const struct bough_figures_source *source, const char *given);

/* Does what the tree says that is started. Errors: BOUGH_ENOMEM, those of
 * bough_port_new(). */
BOUGH_CHECKED enum bough_status bough_own_keys_open(struct bough_own_keys *keys,
                                                    const struct bough_config_tree *tree,
                                                    struct bough_error *error);

/* Where metrics are served; NULL: nowhere. */
const struct bough_endpoint *bough_own_keys_endpoint(const struct bough_own_keys *keys);

/* Adds to a plan as JSON what an apply of the tree would change. Not 0: no memory. */
int bough_own_keys_plan(const struct bough_own_keys *keys,
                        const struct bough_config_tree *tree, json_t *plan);

/* An apply of the tree begins. Errors as of open; nothing has changed then. */
BOUGH_CHECKED enum bough_status bough_own_keys_try(struct bough_own_keys *keys,
                                                   const struct bough_config_tree *tree,
                                                   struct bough_error *error);

/* It is over: what it took over stays, or what was before is so again. Fine when none has
 * begun. */
void bough_own_keys_settle(struct bough_own_keys *keys, bool applied);

/* Metrics are served no more. */
void bough_own_keys_close_port(struct bough_own_keys *keys);

void bough_own_keys_finish(struct bough_own_keys *keys);

#endif
