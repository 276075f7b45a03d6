/* main.c - the program `bough`: finds the verb and hands over.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>

static const char *verb_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) return "version";
    return word;
}

/* What was printed but never reached its file is a failure, however well the rest went.
 */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return code;
    bough_complain("cannot write to stdout: %s", strerror(errno));
    return code == BOUGH_CODE_DONE ? BOUGH_CODE_FAILED : code;
}

int main(int argc, char **argv)
{
    const struct bough_verb *verb;

    if (argc < 2) {
        bough_verbs_print(stderr);
        return BOUGH_CODE_USAGE;
    }
    verb = bough_verb_find(verb_name(argv[1]));
    if (verb == NULL) return bough_verb_unknown(argv[1]);
    return finish_output(bough_verb_run(verb, argc - 1, argv + 1));
}
