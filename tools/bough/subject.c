/* subject.c - the tree that a command is about: the one in a file, or the one that runs.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/subject.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/views.h>

static int tree_of_file(const char *file, json_t **view)
{
    struct bough_config *config;
    const struct bough_config_tree *tree;
    const int code = bough_load(file, &config);

    if (code != BOUGH_CODE_DONE) return code;
    tree = bough_config_tree(config);
    *view = json_pack("{s:s, s:o}", "name", tree->name, "root",
                      bough_view_options(&tree->options));
    bough_config_free(config);
    if (*view != NULL) return BOUGH_CODE_DONE;
    bough_complain("out of memory");
    return BOUGH_CODE_FAILED;
}

static int tree_that_runs(const struct bough_arguments *arguments, json_t **tree)
{
    struct bough_client client;
    int code = bough_client_init(&client, arguments);

    if (code != BOUGH_CODE_DONE) return code;
    code = bough_client_get(&client, "/v1/tree", NULL, tree);
    bough_client_finish(&client);
    return code;
}

int bough_subject_get(const struct bough_arguments *arguments, json_t **tree)
{
    if (arguments->word_count == 0) return tree_that_runs(arguments, tree);
    return tree_of_file(arguments->words[0], tree);
}
