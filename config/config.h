/* config.h - a tree of actors in JSON, checked whole and made into child specs.
 *
 * One call reads a file, and the result is either a tree that can be started as it stands
 * or every error in it, each with its line, column and JSON pointer. Nothing is started
 * here.
 *
 * The format is UTF-8 JSON, with comments and trailing commas, a supervisor at the root;
 * its keys are listed by `bough schema`, which is made from the tables that check them.
 * Files and programs that options name by a relative path are those of the config file's
 * folder. A type of actor is found by name in a table that the caller hands in; the name
 * "supervisor" is taken.
 *
 * A config is one object: its tree, its errors and all their texts live until
 * bough_config_free(). It uses no globals; two threads may each load their own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_CONFIG_H
#define BOUGH_CONFIG_CONFIG_H

#include <stdio.h>

#include <bough/core/actor.h>
#include <bough/supervisor/spec.h>

/* What a config may hold at most. */
enum {
    BOUGH_CONFIG_SIZE_MAX = 16 * 1024 * 1024, /* bytes of text */
    BOUGH_CONFIG_CHILDREN_MAX = 250000,       /* of one supervisor */
    BOUGH_CONFIG_LEVELS_MAX = 64,             /* of supervisors, the root counted */
    BOUGH_CONFIG_NESTING_MAX = 200,           /* of JSON arrays and objects */
    BOUGH_CONFIG_ERRORS_MAX = 100,            /* kept; the rest is counted */
};

struct bough_config;

/* A tree that is right in every respect. */
struct bough_config_tree {
    const char *name;      /* of the program; a valid name as of bough_name_valid() */
    const char *log;       /* the path of the logger that reports go to, or NULL */
    const char *exit_with; /* that of the command whose exit code is the program's, or
                              NULL */
    const char *metrics;   /* where they are served, as endpoint.h reads it, or NULL */
    struct bough_supervisor_options options; /* of the root supervisor */
    size_t supervisors, workers;             /* how many there are, the root counted */
};

/* One thing that is wrong. */
struct bough_config_error {
    enum bough_status
        status;          /* BOUGH_ESYSTEM: the file could not be read; else EINVALID */
    int line, column;    /* from 1, in characters; 0: about the whole file */
    const char *pointer; /* JSON pointer to the value or key; "" for the whole text */
    const char *text;    /* a sentence without a full stop */
};

/* Reads and checks the file. `types` ends with NULL and is not kept. NULL when memory is
 * out; all else that can go wrong is an error in the result. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_config *
bough_config_load(const char *file, const struct bough_actor_type *const *types);

/* The same for a text that is already in memory, which is copied; `name` stands for the
 * file in messages. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_config *
bough_config_parse(const char *name, const char *text, size_t len,
                   const struct bough_actor_type *const *types);

BOUGH_PUBLIC void bough_config_free(struct bough_config *config);

/* The tree; NULL when there is any error. Its options point into `config`. */
BOUGH_PUBLIC const struct bough_config_tree *
bough_config_tree(const struct bough_config *config);

/* How many errors there are, and how many of them were kept: the first found. */
BOUGH_PUBLIC size_t bough_config_error_count(const struct bough_config *config);
BOUGH_PUBLIC size_t bough_config_error_kept(const struct bough_config *config);

/* An error that was kept, in the order of the text; `index` from 0. */
BOUGH_PUBLIC const struct bough_config_error *
bough_config_error_at(const struct bough_config *config, size_t index);

/* Prints all errors for a person, each as
 *
 *     shop.json:5:35: error: unknown key "restrat"; did you mean "restart"?
 *       at /children/0/restrat
 *         5 |     { "name": "kv", "type": "kv", "restrat": "permanent" },
 *           |                                   ^
 *
 * with the file's name as it was given. Long lines are cut around the caret; control
 * characters are shown as `?`. */
BOUGH_PUBLIC void bough_config_print_errors(const struct bough_config *config,
                                            FILE *stream);

/* Warnings: what a tree that is right hardly means, such as a limit that can never be
 * passed. As the errors above; there are none when there are errors. */
BOUGH_PUBLIC size_t bough_config_warning_count(const struct bough_config *config);
BOUGH_PUBLIC size_t bough_config_warning_kept(const struct bough_config *config);
BOUGH_PUBLIC const struct bough_config_error *
bough_config_warning_at(const struct bough_config *config, size_t index);

/* `strict`: as errors. */
BOUGH_PUBLIC void bough_config_print_warnings(const struct bough_config *config,
                                              bool strict, FILE *stream);

#endif
