/* cmd_completion.c - `bough completion`: what teaches a shell to complete.
 *
 * The scripts know nothing themselves: they ask the program that is on the command line
 * (complete.h), and bring its answer into the shell's form.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <bough/core/public.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/complete.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>

static const char bash[] =
    "# bough(1) completion for bash; made by `bough completion bash`\n"
    "_bough() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} line\n"
    "    [[ $word == = ]] && word=\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r line; do\n"
    "                COMPREPLY+=(\"$line\")\n"
    "            done < <(compgen -f -- \"$word\")\n"
    "            return\n"
    "        fi\n"
    "        line=${line%%$'\\t'*}\n"
    "        # What ends so goes on: signal:SEGV.\n"
    "        [[ $line == *: ]] && compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY+=(\"$line\")\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion words -- \\\n"
    "        \"${COMP_WORDS[@]:1:COMP_CWORD-1}\" \"$word\" 2>/dev/null)\n"
    "}\n"
    "complete -F _bough bough\n";

static const char zsh[] =
    "#compdef bough\n"
    "# bough(1) completion for zsh; made by `bough completion zsh`\n"
    "_bough() {\n"
    "    local line text\n"
    "    local -a candidates\n"
    "    for line in \"${(@f)$(${(Q)words[1]} completion words -- \\\n"
    "            \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        [[ -z $line ]] && continue\n"
    "        if [[ $line == :files ]]; then\n"
    "            _files\n"
    "            return\n"
    "        fi\n"
    "        text=${${line%%$'\\t'*}//:/\\\\:}\n"
    "        [[ $line == *$'\\t'* ]] && text+=:${line#*$'\\t'}\n"
    "        candidates+=(\"$text\")\n"
    "    done\n"
    "    _describe -V bough candidates\n"
    "}\n"
    "# Autoloaded by its name, or evaluated.\n"
    "if [[ ${funcstack[1]-} == _bough ]]; then\n"
    "    _bough \"$@\"\n"
    "else\n"
    "    compdef _bough bough\n"
    "fi\n";

static const char fish[] =
    "# bough(1) completion for fish; made by `bough completion fish`\n"
    "function __bough_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l word (commandline -ct)\n"
    "    for line in ($words[1] completion words -- $words[2..-1] \"$word\" 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            __fish_complete_path \"$word\"\n"
    "        else\n"
    "            printf '%s\\n' $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c bough -f -a '(__bough_complete)'\n";

static const struct {
    const char *shell, *script;
} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

int bough_cmd_completion(const struct bough_arguments *arguments)
{
    const char *shell = arguments->words[0];

    if (strcmp(shell, "words") == 0 && arguments->word_count > 1) {
        bough_complete(stdout, arguments->words + 1, arguments->word_count - 1);
        return BOUGH_CODE_DONE;
    }
    for (size_t i = 0; i < bough_count_of(scripts) && arguments->word_count == 1; i++) {
        if (strcmp(shell, scripts[i].shell) != 0) continue;
        fputs(scripts[i].script, stdout);
        return BOUGH_CODE_DONE;
    }
    bough_complain("no completion for \"%s\"; there is one for bash, zsh and fish",
                   shell);
    return BOUGH_CODE_USAGE;
}
