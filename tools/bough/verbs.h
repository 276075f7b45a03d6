/* verbs.h - what the program can be told on its command line.
 *
 * One table of verbs and one of options drive everything that knows them: dispatch,
 * parsing by getopt_long, `help`, `--help`, the manual page and the shell's completion. A
 * new verb is a row in verbs.c and a function.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_VERBS_H
#define BOUGH_TOOLS_BOUGH_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum bough_option_id {
    BOUGH_OPTION_HELP,
    BOUGH_OPTION_JSON,
    BOUGH_OPTION_STRICT,
    BOUGH_OPTION_CONTROL,
    BOUGH_OPTION_NAME,
    BOUGH_OPTION_METRICS,
    BOUGH_OPTION_FOLLOW,
    BOUGH_OPTION_LINES,
    BOUGH_OPTION_LEVEL,
    BOUGH_OPTION_ONCE,
    BOUGH_OPTION_EVERY,
    BOUGH_OPTION_SINCE,
    BOUGH_OPTION_TIMEOUT,
    BOUGH_OPTION_PRIORITY,
    BOUGH_OPTION_REASON,
    BOUGH_OPTION_PUT_BACK,
    BOUGH_OPTION_DROP,
    BOUGH_OPTION_WAIT,
    BOUGH_OPTION_SEED,
    BOUGH_OPTION_FOR,
    BOUGH_OPTION_CRASH,
    BOUGH_OPTION_START_FAILS,
    BOUGH_OPTION_SLOW_START,
    BOUGH_OPTION_SLOW_STOP,
    BOUGH_OPTION_HANG_STOP,
    BOUGH_OPTION_RUNS,
    BOUGH_OPTION_TIMELINE,
    BOUGH_OPTION_QUIET,
    BOUGH_OPTION_FAIL_ON_GIVE_UP,
    BOUGH_OPTION_DETAILED_EXITCODE,
    BOUGH_OPTION_COUNT
};

struct bough_option {
    const char *name;     /* without the dashes */
    char letter;          /* its short form; 0: none */
    const char *argument; /* what it takes, "PATH"; NULL: nothing */
    const char
        *values;      /* what that may be, for completion, separated by blanks; or NULL */
    const char *help; /* one line */
};

/* An option with its argument, as often as it was given. */
struct bough_given {
    enum bough_option_id id;
    const char *value;
};

/* A command line that has been understood. Points into argv. */
struct bough_arguments {
    const struct bough_verb *verb;
    const char
        *options[BOUGH_OPTION_COUNT]; /* NULL: not given; "" for one without argument; the
                                         last, when it was given more than once */
    struct bough_given *given;        /* those with an argument, all of them, in order */
    size_t given_count;
    char **words; /* the rest, in order; ends with NULL */
    int word_count;
};

struct bough_verb {
    const char *name;
    const char *words;    /* its arguments, as help shows them: "PATH MESSAGE [JSON]" */
    const char *summary;  /* what it does, in a few words */
    const char *text;     /* more of it: lines of less than 80 characters */
    const char *examples; /* command lines, each ending with a line feed */
    unsigned int options; /* 1 << enum bough_option_id, besides --help */
    int least, most;      /* how many words it takes */
    int (*run)(const struct bough_arguments *arguments); /* returns the exit code */
};

/* The tables, in the order in which help shows them; verbs end with a NULL name. */
extern const struct bough_verb bough_verbs[];
extern const struct bough_option bough_options[BOUGH_OPTION_COUNT];

/* The verb of that name, or NULL. */
const struct bough_verb *bough_verb_find(const char *name);

/* Complains about a verb that is not there, with the nearest one; returns the exit code.
 */
int bough_verb_unknown(const char *name);

/* Whether it takes that option; --help all do. */
bool bough_verb_takes(const struct bough_verb *verb, int id);

/* What `bough help` prints. */
void bough_verbs_print(FILE *file);

/* What `bough help VERB` prints. */
void bough_verb_print(FILE *file, const struct bough_verb *verb);

/* arguments.c: understands argv[1..] as the verb's options and words, runs the verb and
 * returns its exit code; complains, when they are wrong. argv[0] is the verb. */
int bough_verb_run(const struct bough_verb *verb, int argc, char **argv);

#endif
