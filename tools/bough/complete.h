/* complete.h - how a command line can go on.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_COMPLETE_H
#define BOUGH_TOOLS_BOUGH_COMPLETE_H

#include <stdio.h>

/* Prints what the last of the words, which may be empty, can become: a line each, with a
 * tab before a few words on it; ":files" where it is the name of a file. The words are
 * those behind `bough`, one at least. Prints nothing where nothing is known. */
void bough_complete(FILE *file, char *const *words, int count);

#endif
