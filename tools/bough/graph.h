/* graph.h - a tree in the language of Graphviz.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_GRAPH_H
#define BOUGH_TOOLS_BOUGH_GRAPH_H

#include <stdio.h>

#include <jansson.h>

/* Prints a tree, an object with `name`, `root` and perhaps `pid`, as GET /v1/tree answers
 * it or as bough_view_options() makes it, as a graph for dot(1). What is known of each
 * place is shown: its state by colour, its life and restarts; where it lives by a box
 * around all that lives there. */
void bough_graph_print(FILE *file, const json_t *tree);

#endif
