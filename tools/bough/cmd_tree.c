/* cmd_tree.c - `bough tree`: a picture of the tree in a file, or of the one that runs.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/views.h>

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

static int tree_of_file(const char *file, bool json)
{
    struct bough_config *config;
    const struct bough_config_tree *tree;
    const int code = bough_load(file, &config);
    json_t *view;

    if (code != BOUGH_CODE_DONE) return code;
    tree = bough_config_tree(config);
    view = json_pack("{s:s, s:o}", "name", tree->name, "root",
                     bough_view_options(&tree->options));
    bough_config_free(config);
    if (view == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    show(view, json);
    json_decref(view);
    return BOUGH_CODE_DONE;
}

static int tree_that_runs(const struct bough_arguments *arguments)
{
    struct bough_client client;
    int code = bough_client_init(&client, arguments);
    json_t *tree;

    if (code != BOUGH_CODE_DONE) return code;
    code = bough_client_get(&client, "/v1/tree", NULL, &tree);
    bough_client_finish(&client);
    if (code != BOUGH_CODE_DONE) return code;
    show(tree, arguments->options[BOUGH_OPTION_JSON] != NULL);
    json_decref(tree);
    return BOUGH_CODE_DONE;
}

int bough_cmd_tree(const struct bough_arguments *arguments)
{
    if (arguments->word_count == 0) return tree_that_runs(arguments);
    return tree_of_file(arguments->words[0],
                        arguments->options[BOUGH_OPTION_JSON] != NULL);
}
