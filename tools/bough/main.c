/* main.c - the program `bough`: finds the verb and hands over.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Whoever started us may have closed them. The next socket must not become one, and get
 * what is meant for a person: nothing is read from stdin, what is written to stdout fails
 * as it would have, and what is written to stderr goes nowhere. */
static bool open_standard_descriptors(void)
{
    static const int modes[] = {
        [STDIN_FILENO] = O_RDONLY,
        [STDOUT_FILENO] = O_RDONLY,
        [STDERR_FILENO] = O_RDWR,
    };

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        if (open("/dev/null", modes[fd]) != fd) return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const struct bough_verb *verb;

    if (!open_standard_descriptors()) return BOUGH_CODE_FAILED;
    if (argc < 2) {
        bough_verbs_print(stderr);
        return BOUGH_CODE_USAGE;
    }
    verb = bough_verb_find(verb_name(argv[1]));
    if (verb == NULL) return bough_verb_unknown(argv[1]);
    return finish_output(bough_verb_run(verb, argc - 1, argv + 1));
}
