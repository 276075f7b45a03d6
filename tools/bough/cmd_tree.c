/* cmd_tree.c - `bough tree`: a picture of the tree in a file, or of the one that runs.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <bough/core/place.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/subject.h>

static void show(const json_t *tree, bool json)
{
    char title[BOUGH_NAME_MAX + 64];

    if (json) {
        bough_output_json(tree);
        return;
    }
    if (json_object_get(tree, "pid") != NULL) {
        snprintf(title, sizeof(title), "%s (pid %" JSON_INTEGER_FORMAT ")",
                 bough_output_member(tree, "name", ""),
                 json_integer_value(json_object_get(tree, "pid")));
    } else {
        snprintf(title, sizeof(title), "%s", bough_output_member(tree, "name", ""));
    }
    bough_draw_tree(stdout, json_object_get(tree, "root"), title);
}

int bough_cmd_tree(const struct bough_arguments *arguments)
{
    json_t *tree;
    const int code = bough_subject_get(arguments, &tree);

    if (code != BOUGH_CODE_DONE) return code;
    show(tree, arguments->options[BOUGH_OPTION_JSON] != NULL);
    json_decref(tree);
    return BOUGH_CODE_DONE;
}
