/* manual.c - bough(1), made from the tables of verbs.c: what help says, in roff.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/verbs.h>

static void print_escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\') {
            fputs("\\e", stdout);
        } else if (text[i] == '-') {
            fputs("\\-", stdout);
        } else {
            putchar(text[i]);
        }
    }
}

/* A line of text: nothing in it is a request or an escape, and a dash is one to be typed.
 */
static void print_line(const char *line, size_t length)
{
    if (length > 0 && (line[0] == '.' || line[0] == '\'')) fputs("\\&", stdout);
    print_escaped(line, length);
    putchar('\n');
}

static void print_text(const char *text)
{
    print_line(text, strlen(text));
}

/* Lines as they are. */
static void print_lines(const char *lines)
{
    puts(".nf");
    while (*lines != '\0') {
        const size_t length = strcspn(lines, "\n");

        print_line(lines, length);
        lines += length + (lines[length] == '\n');
    }
    puts(".fi");
}

static void print_option(const struct bough_option *option)
{
    fputs(".TP\n\\fB", stdout);
    if (option->letter != 0) printf("\\-%c, ", option->letter);
    fputs("\\-\\-", stdout);
    print_escaped(option->name, strlen(option->name));
    fputs("\\fR", stdout);
    if (option->argument != NULL) printf(" \\fI%s\\fR", option->argument);
    putchar('\n');
    print_text(option->help);
}

static void print_verb(const struct bough_verb *verb)
{
    printf(".SS \"bough %s %s\"\n", verb->name, verb->words);
    printf("%c", toupper((unsigned char)verb->summary[0]));
    print_text(verb->summary + 1);
    if (verb->text[0] != '\0') {
        puts(".PP");
        print_lines(verb->text);
    }
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if ((verb->options & 1U << id) != 0) print_option(&bough_options[id]);
    }
    puts(".PP\nExample:\n.PP\n.RS 4");
    print_lines(verb->examples);
    puts(".RE");
}

static const char head[] =
    ".TH BOUGH 1 \"\" \"bough " BOUGH_VERSION "\" \"Bough\"\n"
    ".SH NAME\n"
    "bough \\- keeps a tree of actors running, and restarts what breaks\n"
    ".SH SYNOPSIS\n"
    ".B bough\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n"
    ".SH DESCRIPTION\n"
    "A tree of actors is declared in JSON. Its supervisors start it in order, watch every\n"
    "actor, and restart what broke by the rules of Erlang/OTP. Every actor is talked to by\n"
    "its path, over the control socket of the tree.\n"
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
    ".TP\n.B XDG_RUNTIME_DIR\n"
    "Where the sockets are: in its folder bough; else in /run/bough.\n"
    ".TP\n.B NOTIFY_SOCKET\n"
    "Where run says READY=1 and STOPPING=1, and WATCHDOG=1 with WATCHDOG_USEC, as\n"
    "sd_notify(3) has it.\n"
    ".TP\n.B NO_COLOR\n"
    "When set, nothing is coloured.\n";

int bough_cmd_manual(const struct bough_arguments *arguments)
{
    (void)arguments;
    fputs(head, stdout);
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        print_verb(verb);
    }
    fputs(tail, stdout);
    return BOUGH_CODE_DONE;
}
