/* subject.h - the tree that a command is about: the one in a file, or the one that runs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SUBJECT_H
#define BOUGH_TOOLS_BOUGH_SUBJECT_H

#include <jansson.h>

#include <bough/tools/bough/verbs.h>

/* The tree of the file that is the first word, else the one that the options name: an
 * object of `name` and `root`, and `pid` when it runs. The exit code; only with
 * BOUGH_CODE_DONE `*tree` is set, and the caller's. Complains by itself. */
int bough_subject_get(const struct bough_arguments *arguments, json_t **tree);

#endif
