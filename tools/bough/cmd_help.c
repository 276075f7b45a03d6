/* cmd_help.c - help and version: what the tables of verbs.c know.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/verbs.h>

int bough_cmd_help(const struct bough_arguments *arguments)
{
    const struct bough_verb *verb;

    if (arguments->word_count == 0) {
        bough_verbs_print(stdout);
        return BOUGH_CODE_DONE;
    }
    verb = bough_verb_find(arguments->words[0]);
    if (verb == NULL) return bough_verb_unknown(arguments->words[0]);
    bough_verb_print(stdout, verb);
    return BOUGH_CODE_DONE;
}

int bough_cmd_version(const struct bough_arguments *arguments)
{
    if (arguments->options[BOUGH_OPTION_JSON] != NULL) {
        puts("{\"name\":\"bough\",\"version\":\"" BOUGH_VERSION "\"}");
    } else {
        puts("bough " BOUGH_VERSION);
    }
    return BOUGH_CODE_DONE;
}
