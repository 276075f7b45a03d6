/* load.h - reading a tree for the commands that take a file.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_LOAD_H
#define BOUGH_TOOLS_BOUGH_LOAD_H

#include <bough/config/config.h>

/* Reads and checks `file` with the ready-made types. BOUGH_CODE_DONE: `*config` has a
 * tree, and is to be freed. Else all errors have been printed to stderr, and it is the
 * exit code. */
int bough_load(const char *file, struct bough_config **config);

#endif
