/* cmd_types.c - `bough types` and `bough schema`: what the field tables say.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/schema.h>
#include <bough/config/suggest.h>
#include <bough/config/units.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>
#include <bough/tools/bough/views.h>

static const char *kind_name(enum bough_kind kind)
{
    static const char *const names[] = {
        [BOUGH_BOOL] = "true or false", [BOUGH_INT64] = "number",
        [BOUGH_DOUBLE] = "number",      [BOUGH_DURATION] = "duration",
        [BOUGH_SIZE] = "size",          [BOUGH_CHOICE] = "choice",
        [BOUGH_TEXT] = "text",          [BOUGH_BYTES] = "bytes",
        [BOUGH_PAIRS] = "object",       [BOUGH_LIST] = "list",
        [BOUGH_SPEC] = "child spec",    [BOUGH_OPTIONS] = "options",
        [BOUGH_STRING] = "text",        [BOUGH_STRINGS] = "list of texts",
        [BOUGH_PATH] = "path",          [BOUGH_OBJECT] = "object",
        [BOUGH_FILE] = "file",          [BOUGH_MAP] = "object of texts",
        [BOUGH_EITHER] = "choice",
    };
    _Static_assert(bough_count_of(names) == BOUGH_KIND_COUNT, "a name for each kind");

    return names[kind];
}

static void print_choices(const struct bough_field *field)
{
    for (size_t i = 0; field->choices[i] != NULL; i++) {
        printf("%s%s", i > 0 ? "|" : "", field->choices[i]);
    }
}

/* Else zero stands for nothing at all. */
static bool can_be_zero(const struct bough_field *field)
{
    return field->given_zero == 0 && field->min <= 0 && field->max >= 0;
}

/* What is taken when it is not given; nothing, when that is nothing. */
static void print_fallback(const struct bough_field *field)
{
    char text[BOUGH_UNITS_TEXT];

    switch (field->kind) {
    case BOUGH_BOOL: printf(", else %s", field->fallback != 0 ? "true" : "false"); break;
    case BOUGH_DOUBLE:
    case BOUGH_INT64:
        if (field->fallback != 0 || can_be_zero(field))
            printf(", else %" PRId64, field->fallback);
        break;
    case BOUGH_DURATION:
        if (field->fallback != 0)
            printf(", else %s", bough_duration_print(field->fallback, text));
        break;
    case BOUGH_SIZE:
        if (field->fallback != 0)
            printf(", else %s", bough_size_print(field->fallback, text));
        break;
    case BOUGH_CHOICE: printf(", else %s", field->choices[field->fallback]); break;
    case BOUGH_TEXT:
    case BOUGH_STRING:
    case BOUGH_FILE:
    case BOUGH_PATH:
        if (field->fallback_text != NULL) printf(", else \"%s\"", field->fallback_text);
        break;
    case BOUGH_BYTES:
    case BOUGH_PAIRS:
    case BOUGH_LIST:
    case BOUGH_SPEC:
    case BOUGH_OPTIONS:
    case BOUGH_STRINGS:
    case BOUGH_MAP:
    case BOUGH_OBJECT:
    case BOUGH_KIND_COUNT: break;
    case BOUGH_EITHER: printf(", else %s", field->choices[0]); break;
    }
}

static void print_fields(const struct bough_field *fields, size_t count, int indent);

static void print_field(const struct bough_field *field, int indent)
{
    printf("%*s%s: ", indent, "", field->name != NULL ? field->name : "each");
    if (field->kind == BOUGH_CHOICE || field->kind == BOUGH_EITHER) {
        print_choices(field);
        if (field->kind == BOUGH_EITHER) fputs(", or an object", stdout);
    } else {
        fputs(kind_name(field->kind), stdout);
    }
    if (field->optional) {
        fputs(", optional", stdout);
        print_fallback(field);
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
