/* cmd_graph.c - `bough graph`: a tree as a graph for dot(1).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/graph.h>
#include <bough/tools/bough/subject.h>

int bough_cmd_graph(const struct bough_arguments *arguments)
{
    json_t *tree;
    const int code = bough_subject_get(arguments, &tree);

    if (code != BOUGH_CODE_DONE) return code;
    bough_graph_print(stdout, tree);
    json_decref(tree);
    return BOUGH_CODE_DONE;
}
