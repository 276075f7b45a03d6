/* complete.c - how a command line can go on: from the tables of verbs.c, and from the
 * tree that runs.
 *
 * What an argument is, is said by its name in the help of its verb: PATH is an actor of
 * the tree, MESSAGE one of the messages of its type, FILE a file. So a verb that is added
 * to the table is completed, and all shells complete alike.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/complete.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/core/public.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/sockets.h>
#include <bough/tools/bough/verbs.h>

/* A command line as far as it has been typed. */
struct line {
    FILE *file;
    const char *last; /* what is to be completed */
    struct bough_arguments arguments;
    const char *first;                 /* of the words that are no options; or NULL */
    int position;                      /* how many such words stand before the last */
    const struct bough_option *option; /* whose value the last is, or NULL */
};

/* What can be said */

static void offer(const struct line *line, const char *text, const char *about)
{
    if (strncmp(text, line->last, strlen(line->last)) != 0) return;
    bough_output_text(line->file, text);
    if (about != NULL && about[0] != '\0') {
        fputc('\t', line->file);
        bough_output_text(line->file, about);
    }
    fputc('\n', line->file);
}

static void offer_words(const struct line *line, const char *words)
{
    char word[64];

    while (*(words += strspn(words, " ")) != '\0') {
        const size_t length = strcspn(words, " ");

        snprintf(word, sizeof(word), "%.*s", (int)length, words);
        offer(line, word, NULL);
        words += length;
    }
}

static void offer_verbs(const struct line *line)
{
    for (const struct bough_verb *verb = bough_verbs; verb->name != NULL; verb++)
        offer(line, verb->name, verb->summary);
}

static void offer_options(const struct line *line)
{
    const struct bough_verb *verb = line->arguments.verb;
    char name[64];

    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        if (id != BOUGH_OPTION_HELP && (verb->options & 1U << id) == 0) continue;
        snprintf(name, sizeof(name), "--%s", bough_options[id].name);
        offer(line, name, bough_options[id].help);
    }
}

static void offer_types(const struct line *line)
{
    offer(line, bough_supervisor_type.name, bough_supervisor_type.help);
    for (size_t i = 0; bough_actor_types[i] != NULL; i++)
        offer(line, bough_actor_types[i]->name, bough_actor_types[i]->help);
}

static void offer_name(void *data, const char *name)
{
    offer(data, name, NULL);
}

/* The tree that runs; NULL, complained, when there is none that can be asked. */
static json_t *ask(const struct line *line, const char *resource)
{
    struct bough_client client;
    json_t *answer = NULL;

    if (bough_client_init(&client, &line->arguments) != BOUGH_CODE_DONE) return NULL;
    if (bough_client_get(&client, resource, NULL, &answer) != BOUGH_CODE_DONE)
        answer = NULL;
    bough_client_finish(&client);
    return answer;
}

static void offer_paths(const struct line *line)
{
    json_t *places = ask(line, "/v1/actors"), *place;
    char about[128];
    size_t index;

    json_array_foreach (places, index, place) {
        snprintf(about, sizeof(about), "%s, %s", bough_output_member(place, "type", "?"),
                 bough_output_member(place, "state", "?"));
        offer(line, bough_output_member(place, "path", ""), about);
    }
    json_decref(places);
}

/* The type of the actor at the path, "" when that is not known; `type` holds 128 bytes.
 */
static void type_at(const struct line *line, const char *path, char type[128])
{
    char *resource = bough_client_actor(path, NULL);
    json_t *places = resource != NULL ? ask(line, resource) : NULL;

    snprintf(type, 128, "%s", bough_output_member(json_array_get(places, 0), "type", ""));
    json_decref(places);
    free(resource);
}

static void offer_messages(const struct line *line)
{
    char wanted[128] = "";
    json_t *types = NULL, *type, *message;
    size_t index, number;

    if (line->first != NULL) type_at(line, line->first, wanted);
    if (wanted[0] != '\0') types = ask(line, "/v1/types");
    json_array_foreach (types, index, type) {
        if (strcmp(bough_output_member(type, "name", ""), wanted) != 0) continue;
        json_array_foreach (json_object_get(type, "messages"), number, message)
            offer(line, bough_output_member(message, "name", ""),
                  bough_output_member(message, "help", ""));
    }
    json_decref(types);
}

/* Which of it is meant */

static bool is(const char *kind, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(kind, name, length) == 0;
}

/* What the help calls `kind`. */
static void offer_kind(struct line *line, const char *kind, size_t length)
{
    static const char *const shells = "bash zsh fish", *const pages = "bough bough.json";

    if (is(kind, length, "FILE") || is(kind, length, "OLD") || is(kind, length, "NEW"))
        fputs(":files\n", line->file);
    else if (is(kind, length, "PATH"))
        offer_paths(line);
    else if (is(kind, length, "MESSAGE"))
        offer_messages(line);
    else if (is(kind, length, "VERB"))
        offer_verbs(line);
    else if (is(kind, length, "NAME"))
        offer_types(line);
    else if (is(kind, length, "SHELL"))
        offer_words(line, shells);
    else if (is(kind, length, "PAGE"))
        offer_words(line, pages);
    else if (is(kind, length, "N|all"))
        offer_words(line, "all");
}

/* The word of the verb at that position: "PATH MESSAGE [JSON]". */
static void offer_argument(struct line *line)
{
    const char *kind = line->arguments.verb->words;

    for (int i = 0;; i++) {
        size_t length;

        kind += strspn(kind, " []");
        length = strcspn(kind, " []");
        if (length == 0) return;
        if (i == line->position) {
            offer_kind(line, kind, length);
            return;
        }
        kind += length;
    }
}

static void offer_value(struct line *line)
{
    const struct bough_option *option = line->option;

    if (option->values != NULL)
        offer_words(line, option->values);
    else if (option == &bough_options[BOUGH_OPTION_CONTROL])
        fputs(":files\n", line->file);
    else if (option == &bough_options[BOUGH_OPTION_NAME])
        bough_socket_visit(offer_name, line);
    else if (option == &bough_options[BOUGH_OPTION_HANG_STOP])
        offer_paths(line);
}

/* What stands before */

/* The option that a word is, "--name" or "-n"; NULL: none, or one with its value. */
static const struct bough_option *option_of(const char *word)
{
    for (int id = 0; id < BOUGH_OPTION_COUNT; id++) {
        const struct bough_option *option = &bough_options[id];

        if (word[0] != '-') return NULL;
        if (word[1] == '-' && strcmp(word + 2, option->name) == 0) return option;
        if (option->letter != 0 && word[1] == option->letter && word[2] == '\0')
            return option;
    }
    return NULL;
}

/* "--name=shop", as a value; NULL: it is no such thing. */
static const char *value_in(const char *word, enum bough_option_id id)
{
    const size_t length = strlen(bough_options[id].name);

    if (strncmp(word, "--", 2) != 0) return NULL;
    if (strncmp(word + 2, bough_options[id].name, length) != 0) return NULL;
    return word[2 + length] == '=' ? word + 3 + length : NULL;
}

/* Which tree is meant is all that matters of the options before. */
static void take_tree(struct line *line, const char *word)
{
    static const enum bough_option_id ids[] = { BOUGH_OPTION_CONTROL, BOUGH_OPTION_NAME };

    for (size_t i = 0; i < bough_count_of(ids); i++) {
        const char *value = value_in(word, ids[i]);

        if (line->option == &bough_options[ids[i]]) value = word;
        if (value != NULL) line->arguments.options[ids[i]] = value;
    }
}

static void take_word(struct line *line, const char *word)
{
    take_tree(line, word);
    if (line->option != NULL) {
        line->option = NULL;
        return;
    }
    line->option = option_of(word);
    if (line->option != NULL && line->option->argument == NULL) line->option = NULL;
    if (word[0] == '-') return;
    if (line->position++ == 0) line->first = word;
}

void bough_complete(FILE *file, char *const *words, int count)
{
    struct line line = { .file = file, .last = words[count - 1] };

    if (count == 1) {
        offer_verbs(&line);
        offer_words(&line, "--help --version");
        return;
    }
    line.arguments.verb = bough_verb_find(words[0]);
    if (line.arguments.verb == NULL) return;
    for (int i = 1; i < count - 1; i++) {
        /* A shell (bash) may take "--name=shop" for three words. */
        if (strcmp(words[i], "=") != 0) take_word(&line, words[i]);
    }
    if (line.option != NULL)
        offer_value(&line);
    else if (line.last[0] == '-')
        offer_options(&line);
    else
        offer_argument(&line);
}
