/* cmd_help.c - help, version and completion: what the tables of verbs.c know.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
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

static void print_verb_options(const struct bough_verb *verb)
{
    printf("    %s) options=\"--help", verb->name);
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if ((verb->options & 1U << id) != 0) printf(" --%s", bough_options[id].name);
    }
    puts("\" ;;");
}

static void print_option_values(const struct bough_option *option)
{
    if (option->values == NULL) return;
    printf("    --%s", option->name);
    if (option->letter != 0) printf("|-%c", option->letter);
    printf(") COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n",
           option->values);
}

static void print_bash(void)
{
    puts(
        "# bough(1) completion for bash; made by `bough completion bash`\n"
        "_bough() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]} options");
    fputs("    local verbs=\"", stdout);
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        printf("%s%s", verb == bough_verbs ? "" : " ", verb->name);
    }
    puts("\"\n"
         "    if ((COMP_CWORD == 1)) || [[ $last == help ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$verbs\" -- \"$word\"))\n"
         "        return\n"
         "    fi\n"
         "    case $last in");
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        print_option_values(&bough_options[id]);
    }
    puts("    esac\n"
         "    case ${COMP_WORDS[1]} in");
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++) {
        print_verb_options(verb);
    }
    puts("    esac\n"
         "    [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _bough bough");
}

int bough_cmd_completion(const struct bough_arguments *arguments)
{
    if (strcmp(arguments->words[0], "bash") != 0) {
        bough_complain("no completion for \"%s\"; there is one for bash",
                       arguments->words[0]);
        return BOUGH_CODE_USAGE;
    }
    print_bash();
    return BOUGH_CODE_DONE;
}
