/* nearby.h - who lives near a path at which nobody does.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_NEARBY_H
#define BOUGH_TOOLS_BOUGH_NEARBY_H

#include <stddef.h>

struct bough_loop;

enum { BOUGH_NEARBY_TEXT = 1600 }; /* bytes: a path, and names */

/* "; /jobs has "resize" and "mail"": the children of the nearest one above that is there,
 * some of them if they are many; "" when there is nothing to say. Returns `text`, which
 * holds BOUGH_NEARBY_TEXT bytes. Thread: the loop's. */
const char *bough_nearby_print(struct bough_loop *loop, const char *path, char *text);

#endif
