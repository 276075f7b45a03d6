/* load.c - reading a tree for the commands that take a file.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/load.h>

#include <bough/actors/types.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

int bough_load(const char *file, struct bough_config **result)
{
    struct bough_config *config = bough_config_load(file, bough_actor_types);

    if (config == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    if (bough_config_tree(config) == NULL) {
        bough_config_print_errors(config, stderr);
        bough_config_free(config);
        return BOUGH_CODE_CONFIG;
    }
    *result = config;
    return BOUGH_CODE_DONE;
}
