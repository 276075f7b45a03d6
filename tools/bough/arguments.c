/* arguments.c - understands a command line: the options and words of a verb.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/verbs.h>

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/suggest.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

/* The two tables of getopt_long: `val` is the option's id above what a short letter can
 * be. */
enum { ID_BASE = 256 };

struct parser {
    struct option longs[BOUGH_OPTION_COUNT + 1];
    char shorts[2 * BOUGH_OPTION_COUNT + 2];
};

static void parser_init(struct parser *parser, const struct bough_verb *verb)
{
    struct option *next = parser->longs;
    char *letter = parser->shorts;

    memset(parser, 0, sizeof(*parser));
    *letter++ = ':'; /* tell a missing argument from an unknown option */
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        const struct bough_option *option = &bough_options[id];

        if (!bough_verb_takes(verb, id)) continue;
        next->name = option->name;
        next->has_arg = option->argument != NULL ? required_argument : no_argument;
        next->val = ID_BASE + id;
        next++;
        if (option->letter == 0) continue;
        *letter++ = option->letter;
        if (option->argument != NULL) *letter++ = ':';
    }
}

static int option_id(int found)
{
    if (found >= ID_BASE) return found - ID_BASE;
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if (bough_options[id].letter == found) return id;
    }
    return -1;
}

/* `given` is the word as typed: --jsn, --json=yes or -x. */
static int option_unknown(const struct bough_verb *verb, const char *given)
{
    struct bough_suggestion suggestion = { .word = given + strspn(given, "-") };

    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if (bough_verb_takes(verb, id))
            bough_suggestion_offer(&suggestion, bough_options[id].name);
    }
    if (suggestion.nearest != NULL && strncmp(given, "--", 2) == 0) {
        bough_complain("%s: no option \"%s\"; did you mean \"--%s\"?", verb->name, given,
                       suggestion.nearest);
    } else {
        bough_complain("%s: no option \"%s\"; `bough help %s` lists them", verb->name,
                       given, verb->name);
    }
    return BOUGH_CODE_USAGE;
}

static int words_wrong(const struct bough_verb *verb)
{
    bough_complain("usage: bough %s [OPTION]...%s%s; `bough help %s` tells more",
                   verb->name, verb->words[0] != '\0' ? " " : "", verb->words,
                   verb->name);
    return BOUGH_CODE_USAGE;
}

/* Options into `arguments`; an exit code other than 0 when one is wrong. */
static int parse_options(struct bough_arguments *arguments, int argc, char **argv)
{
    struct parser parser;

    parser_init(&parser, arguments->verb);
    opterr = 0;
    optind = 1;
    for (;;) {
        const int before = optind;
        const int found = getopt_long(argc, argv, parser.shorts, parser.longs, NULL);
        const int id = option_id(found);

        if (found == -1) return BOUGH_CODE_DONE;
        if (found == ':') {
            bough_complain("%s: \"%s\" takes an argument", arguments->verb->name,
                           argv[optind - 1]);
            return BOUGH_CODE_USAGE;
        }
        if (id < 0) {
            char letter[] = { '-', (char)optopt, '\0' };
            const char *given = optind > before ? argv[optind - 1] : argv[optind];

            if (optopt > 0 && optopt < ID_BASE) given = letter;
            return option_unknown(arguments->verb, given);
        }
        arguments->options[id] = optarg != NULL ? optarg : "";
        if (optarg == NULL) continue;
        arguments->given[arguments->given_count++] =
            (struct bough_given){ .id = (enum bough_option_id)id, .value = optarg };
    }
}

static int run(struct bough_arguments *arguments, int argc, char **argv)
{
    const struct bough_verb *verb = arguments->verb;
    const int code = parse_options(arguments, argc, argv);

    if (code != BOUGH_CODE_DONE) return code;
    if (arguments->options[BOUGH_OPTION_HELP] != NULL) {
        bough_verb_print(stdout, verb);
        return BOUGH_CODE_DONE;
    }
    arguments->words = argv + optind;
    arguments->word_count = argc - optind;
    if (arguments->word_count < verb->least || arguments->word_count > verb->most) {
        return words_wrong(verb);
    }
    return verb->run(arguments);
}

int bough_verb_run(const struct bough_verb *verb, int argc, char **argv)
{
    struct bough_arguments arguments = { .verb = verb };
    int code;

    /* Each takes a word of the command line at least. */
    arguments.given = calloc((size_t)argc, sizeof(*arguments.given));
    if (arguments.given == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    code = run(&arguments, argc, argv);
    free(arguments.given);
    return code;
}
