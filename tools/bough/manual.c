/* manual.c - `bough manual`: bough(1), made from the tables of verbs.c, and
 * bough.json(5).
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/manual_config.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/roff.h>
#include <bough/tools/bough/verbs.h>

static void print_option(const struct bough_option *option)
{
    fputs(".TP\n\\fB", stdout);
    if (option->letter != 0) printf("\\-%c, ", option->letter);
    fputs("\\-\\-", stdout);
    bough_roff_escaped(stdout, option->name, strlen(option->name));
    fputs("\\fR", stdout);
    if (option->argument != NULL) printf(" \\fI%s\\fR", option->argument);
    putchar('\n');
    bough_roff_line(stdout, option->help);
}

static void print_verb(const struct bough_verb *verb)
{
    printf(".SS \"bough %s %s\"\n", verb->name, verb->words);
    printf("%c", toupper((unsigned char)verb->summary[0]));
    bough_roff_line(stdout, verb->summary + 1);
    if (verb->text[0] != '\0') {
        puts(".PP");
        bough_roff_lines(stdout, verb->text);
    }
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if ((verb->options & 1U << id) != 0) print_option(&bough_options[id]);
    }
    puts(".PP\nExample:\n.PP\n.RS 4");
    bough_roff_lines(stdout, verb->examples);
    puts(".RE");
}

static const char head[] =
    ".TH BOUGH 1 \"" BOUGH_MANUAL_DATE "\" \"bough " BOUGH_VERSION "\" \"Bough\"\n"
    ".SH NAME\n"
    "bough \\- keeps a tree of actors running, and restarts what breaks\n"
    ".SH SYNOPSIS\n"
    ".B bough\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n"
    ".SH DESCRIPTION\n"
    "A tree of actors is declared in JSON, in a file that\n"
    ".BR bough.json (5)\n"
    "describes.\n"
    "Its supervisors start it in order, watch every actor, and restart what broke by\n"
    "the rules of Erlang/OTP.\n"
    "Every actor is talked to by its path, over the control socket of the tree.\n"
    ".SH COMMANDS\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".nf\n"
    "0   done\n"
    "1   failed, or the answer is an error\n"
    "2   wrong usage\n"
    "4   no such path\n"
    "5   not permitted\n"
    "6   nobody at the control socket\n"
    "7   timed out\n"
    "69  run: a child could not start\n"
    "70  run: the tree gave up\n"
    "78  run, check: the config is wrong\n"
    ".fi\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B BOUGH_CONTROL\n"
    "The control socket, when neither \\-\\-control nor \\-\\-name is given.\n"
    ".TP\n.B BOUGH_RUNTIME_DIR\n"
    "The folder of the sockets. When it is set, a tree is looked for there and nowhere\n"
    "else: trees in other folders are out of the way of a script, or of a test.\n"
    ".TP\n.B XDG_RUNTIME_DIR\n"
    "Without the former the sockets are in its folder bough; else in /run/bough. A tree\n"
    "is looked for in both.\n"
    ".TP\n.B NOTIFY_SOCKET\n"
    "Where run says READY=1 and STOPPING=1, and WATCHDOG=1 with WATCHDOG_USEC, as\n"
    "sd_notify(3) has it.\n"
    ".TP\n.B NO_COLOR\n"
    "When set, nothing is coloured.\n"
    ".SH SEE ALSO\n"
    ".BR bough.json (5),\n"
    ".BR libbough (3)\n";

static void print_program(void)
{
    fputs(head, stdout);
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        print_verb(verb);
    }
    fputs(tail, stdout);
}

int bough_cmd_manual(const struct bough_arguments *arguments)
{
    const char *page = arguments->word_count > 0 ? arguments->words[0] : "bough";

    if (strcmp(page, "bough") == 0) {
        print_program();
    } else if (strcmp(page, "bough.json") == 0) {
        bough_manual_config(stdout);
    } else {
        bough_complain("manual: no page \"%s\"; there are bough and bough.json", page);
        return BOUGH_CODE_USAGE;
    }
    return BOUGH_CODE_DONE;
}
