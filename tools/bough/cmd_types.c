/* cmd_types.c - `bough types` and `bough schema`: what the field tables say.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/schema.h>
#include <bough/config/suggest.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/describe.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>
#include <bough/tools/bough/views.h>

static void print_fields(const struct bough_field *fields, size_t count, int indent);

static void print_field(const struct bough_field *field, int indent)
{
    printf("%*s%s: ", indent, "", field->name != NULL ? field->name : "each");
    bough_describe_kind(stdout, field);
    if (field->optional) {
        fputs(", optional", stdout);
        if (bough_describes_fallback(field)) {
            fputs(", else ", stdout);
            bough_describe_fallback(stdout, field);
        }
    }
    if (field->help != NULL) printf(" - %s", field->help);
    putchar('\n');
    print_fields(field->of, field->of_count, indent + 2);
}

static void print_fields(const struct bough_field *fields, size_t count, int indent)
{
    for (size_t i = 0; i < count; i++) {
        print_field(&fields[i], indent);
    }
}

static void print_message(const struct bough_message_type *message)
{
    printf("    %s", message->name);
    if (message->help != NULL) printf(" - %s", message->help);
    putchar('\n');
    print_fields(message->fields, message->field_count, 6);
    if (message->reply_count == 0) return;
    puts("      answers:");
    print_fields(message->reply, message->reply_count, 8);
}

static void print_type(const struct bough_actor_type *type)
{
    printf("%s", type->name);
    if (type->help != NULL) printf(" - %s", type->help);
    putchar('\n');
    if (type->option_count > 0) puts("  options:");
    print_fields(type->options, type->option_count, 4);
    if (type->message_count > 0) puts("  messages:");
    for (size_t i = 0; i < type->message_count; i++) {
        print_message(&type->messages[i]);
    }
}

static const struct bough_actor_type *find_type(const char *name)
{
    if (strcmp(bough_supervisor_type.name, name) == 0) return &bough_supervisor_type;
    for (size_t i = 0; bough_actor_types[i] != NULL; i++) {
        if (strcmp(bough_actor_types[i]->name, name) == 0) return bough_actor_types[i];
    }
    return NULL;
}

static int unknown_type(const char *name)
{
    struct bough_suggestion suggestion = { .word = name };

    bough_suggestion_offer(&suggestion, bough_supervisor_type.name);
    for (size_t i = 0; bough_actor_types[i] != NULL; i++) {
        bough_suggestion_offer(&suggestion, bough_actor_types[i]->name);
    }
    if (suggestion.nearest != NULL) {
        bough_complain("no type \"%s\"; did you mean \"%s\"?", name, suggestion.nearest);
    } else {
        bough_complain("no type \"%s\"; `bough types` lists them", name);
    }
    return BOUGH_CODE_FAILED;
}

static int print_json(json_t *json)
{
    if (json == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    bough_output_json(json);
    json_decref(json);
    return BOUGH_CODE_DONE;
}

int bough_cmd_types(const struct bough_arguments *arguments)
{
    const bool json = arguments->options[BOUGH_OPTION_JSON] != NULL;

    if (arguments->word_count > 0) {
        const struct bough_actor_type *type = find_type(arguments->words[0]);

        if (type == NULL) return unknown_type(arguments->words[0]);
        if (json) return print_json(bough_view_type(type));
        print_type(type);
        return BOUGH_CODE_DONE;
    }
    if (json) return print_json(bough_view_types(bough_actor_types));
    print_type(&bough_supervisor_type);
    for (size_t i = 0; bough_actor_types[i] != NULL; i++) {
        putchar('\n');
        print_type(bough_actor_types[i]);
    }
    return BOUGH_CODE_DONE;
}

int bough_cmd_schema(const struct bough_arguments *arguments)
{
    char *text = bough_config_schema_text(bough_actor_types);

    (void)arguments;
    if (text == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return BOUGH_CODE_DONE;
}
