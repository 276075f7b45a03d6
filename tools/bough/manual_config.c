/* manual_config.c - bough.json(5), made from the tables that a config is checked by.
 *
 * A key or an option that somebody adds to its table stands here by itself: with what it
 * takes, its limits, its default, its meaning and a line as it may stand in a file. Only
 * what is about no single key is written here.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/manual_config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/types.h>
#include <bough/config/keys.h>
#include <bough/config/units.h>
#include <bough/core/actor.h>
#include <bough/tools/bough/describe.h>
#include <bough/tools/bough/roff.h>

static const char head[] =
    ".TH BOUGH.JSON 5 \"" BOUGH_MANUAL_DATE "\" \"bough " BOUGH_VERSION "\" \"Bough\"\n"
    /* Long lists of choices do not fill a line. */
    ".ad l\n"
    ".SH NAME\n"
    "bough.json \\- a tree of supervised actors, as bough(1) runs it\n"
    ".SH DESCRIPTION\n"
    "The file is one JSON object, the root supervisor.\n"
    "Its children start in the order in which they stand there, each when the one\n"
    "before is ready, and stop in reverse.\n"
    "A child is an actor of one of the types below, or a supervisor with children of\n"
    "its own.\n"
    ".PP\n"
    "Beyond JSON, comments are allowed (// to the end of the line, /* ... */), and a\n"
    "comma behind the last member.\n"
    "A key that is not known, or that stands where it has no meaning, is an error.\n"
    ".B bough check\n"
    "says all that is wrong, with line and column;\n"
    ".B bough schema\n"
    "prints the JSON Schema for editors.\n"
    ".PP\n"
    "An actor is called by its path: the names from the root to it, as in\n"
    "/till/drawer.\n"
    ".SS Values\n"
    ".TP\n.B duration\n"
    "A number with a unit, in quotes: ms, s, m, h or d, as in \"250ms\", \"1.5s\";\n"
    "or \"infinity\".\n"
    ".TP\n.B size\n"
    "A number with a unit, in quotes: B, kB, MB, GB, TB (thousands) or KiB, MiB, GiB,\n"
    "TiB (1024), as in \"64MiB\"; or \"infinity\".\n"
    ".TP\n.B path\n"
    "That of an actor, in quotes.\n"
    ".TP\n.B file\n"
    "A path in the file system, in quotes; one that does not begin with / is meant\n"
    "from the folder of the config.\n"
    ".TP\n.B shutdown\n"
    "A duration, or \"brutal\\-kill\": killed at once, without being asked.\n";

static const char tail[] =
    ".SH EXAMPLES\n"
    "A store, and a program that is restarted with it:\n"
    ".PP\n"
    ".RS 4\n"
    ".nf\n"
    "{\n"
    "  \"name\": \"shop\",\n"
    "  \"strategy\": \"rest\\-for\\-one\",\n"
    "  \"intensity\": 3,\n"
    "  \"period\": \"5s\",\n"
    "  \"children\": [\n"
    "    { \"name\": \"store\", \"type\": \"kv\",\n"
    "      \"options\": { \"max_memory\": \"64MiB\" } },\n"
    "    { \"name\": \"press\", \"type\": \"worker\", \"shutdown\": \"10s\",\n"
    "      \"options\": { \"run\": [\"tr\", \"a\\-z\", \"A\\-Z\"] } }\n"
    "  ]\n"
    "}\n"
    ".fi\n"
    ".RE\n"
    ".SH SEE ALSO\n"
    ".BR bough (1),\n"
    ".BR libbough (3)\n";

/* A value as it may stand in a file */

static int64_t within_limits(const struct bough_field *field, int64_t value)
{
    if (field->min == 0 && field->max == 0) return value;
    if (value > field->max) return field->max;
    return value < field->min ? field->min : value;
}

/* Another one than that which is taken anyway. */
static const char *choice_example(const struct bough_field *field)
{
    return field->choices[field->fallback == 0 && field->choices[1] != NULL ? 1 : 0];
}

/* Text that means something to the key. */
static const char *text_example(const char *name)
{
    static const struct {
        const char *name, *text;
    } texts[] = {
        { "$schema", "/usr/share/bough/bough.schema.json" },
        { "name", "store" },
        { "type", "kv" },
        { "metrics", "9464" },
        { "user", "www-data" },
        { "group", "www-data" },
        { "route_field", "key" },
    };

    for (size_t i = 0; i < bough_count_of(texts); i++)
        if (name != NULL && strcmp(name, texts[i].name) == 0) return texts[i].text;
    return "text";
}

static void print_example(FILE *file, const struct bough_field *field);

static void print_object_example(FILE *file, const struct bough_field *fields,
                                 size_t count)
{
    const char *between = " ";

    fputc('{', file);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].optional && i > 0) continue;
        fprintf(file, "%s\"%s\": ", between, fields[i].name);
        print_example(file, &fields[i]);
        between = ", ";
    }
    fputs(" }", file);
}

static void print_list_example(FILE *file, const struct bough_field *field)
{
    fputs("[ ", file);
    if (field->of_count == 0)
        fputs("...", file);
    else if (field->of[0].name == NULL)
        print_example(file, &field->of[0]);
    else
        print_object_example(file, field->of, field->of_count);
    fputs(" ]", file);
}

static void print_example(FILE *file, const struct bough_field *field)
{
    enum { COUNT = 3, DURATION_MS = 10000, SIZE_BYTES = 64 << 20 };
    char text[BOUGH_UNITS_TEXT];

    switch (field->kind) {
    case BOUGH_BOOL: fputs(field->fallback != 0 ? "false" : "true", file); break;
    case BOUGH_INT64:
    case BOUGH_DOUBLE: fprintf(file, "%" PRId64, within_limits(field, COUNT)); break;
    case BOUGH_DURATION:
        bough_duration_print(within_limits(field, DURATION_MS), text);
        fprintf(file, "\"%s\"", text);
        break;
    case BOUGH_SIZE:
        bough_size_print(within_limits(field, SIZE_BYTES), text);
        fprintf(file, "\"%s\"", text);
        break;
    case BOUGH_CHOICE:
    case BOUGH_EITHER: fprintf(file, "\"%s\"", choice_example(field)); break;
    case BOUGH_PATH: fputs("\"/log\"", file); break;
    case BOUGH_FILE: fputs("\"data/file\"", file); break;
    case BOUGH_STRINGS: fputs("[\"word\", \"another\"]", file); break;
    case BOUGH_MAP: fputs("{ \"NAME\": \"value\" }", file); break;
    case BOUGH_LIST: print_list_example(file, field); break;
    case BOUGH_OBJECT:
        if (field->of_count == 0)
            fputs("{ ... }", file);
        else
            print_object_example(file, field->of, field->of_count);
        break;
    case BOUGH_TEXT:
    case BOUGH_BYTES:
    case BOUGH_STRING: fprintf(file, "\"%s\"", text_example(field->name)); break;
    case BOUGH_PAIRS:
    case BOUGH_SPEC:
    case BOUGH_OPTIONS: fputs("{ ... }", file); break;
    case BOUGH_KIND_COUNT: break;
    }
}

/* Keys and options */

/* What `print` writes, made harmless. */
static void print_by(FILE *file, void (*print)(FILE *file, const struct bough_field *),
                     const struct bough_field *field)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    if (memory == NULL) return;
    print(memory, field);
    if (fclose(memory) == 0) bough_roff_escaped(file, text, size);
    free(text);
}

static const char must_be_given[] = "must be given";

static void print_fields(FILE *file, const struct bough_field *fields, size_t count);

/* `must` says when it must be given; NULL: never. */
static void print_field(FILE *file, const struct bough_field *field, const char *must)
{
    const char *name = field->name != NULL ? field->name : "each";

    fputs(".TP\n\\fB", file);
    bough_roff_escaped(file, name, strlen(name));
    fputs("\\fR: ", file);
    print_by(file, bough_describe_kind, field);
    if (bough_describes_limits(field)) {
        fputs(", ", file);
        print_by(file, bough_describe_limits, field);
    }
    if (must != NULL) fprintf(file, ", %s", must);
    if (bough_describes_fallback(field)) {
        fputs(", else ", file);
        print_by(file, bough_describe_fallback, field);
    }
    fputc('\n', file);
    if (field->help != NULL) bough_roff_text(file, field->help);
    if (field->name != NULL) {
        if (field->help != NULL) fputs(".br\n", file);
        fputs("Example: \"", file);
        bough_roff_escaped(file, name, strlen(name));
        fputs("\": ", file);
        print_by(file, print_example, field);
        fputc('\n', file);
    }
    if (field->of_count == 0) return;
    fputs(".RS\n", file);
    print_fields(file, field->of, field->of_count);
    fputs(".RE\n", file);
}

static void print_fields(FILE *file, const struct bough_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_field(file, &fields[i], fields[i].optional ? NULL : must_be_given);
}

static const char *must_of(const struct bough_config_key *key, unsigned where)
{
    if ((key->required & where) == 0) return NULL;
    return (key->required & where) == where ? must_be_given
                                            : "must be given, but not of the root";
}

/* The keys that may stand at one of the places `where`, and at none of `but`. */
static void print_keys(FILE *file, unsigned where, unsigned but)
{
    struct bough_config_key key;

    for (size_t i = 0; bough_config_key_at(i, &key); i++)
        if ((key.where & where) == where && (key.where & but) == 0)
            print_field(file, key.field, must_of(&key, where));
}

/* What a type is, as a sentence. */
static void print_sentence(FILE *file, const char *text)
{
    if (text != NULL) bough_roff_text(file, text);
}

static void print_type(FILE *file, const struct bough_actor_type *type)
{
    fputs(".SS \"Type ", file);
    bough_roff_escaped(file, type->name, strlen(type->name));
    fputs("\"\n", file);
    print_sentence(file, type->help);
    if (type->option_count == 0) {
        fputs(type->help != NULL ? ".PP\nIt has no options.\n" : "It has no options.\n",
              file);
        return;
    }
    print_fields(file, type->options, type->option_count);
}

void bough_manual_config(FILE *file)
{
    enum { CHILD = BOUGH_IN_SUPERVISOR | BOUGH_IN_WORKER, ALL = CHILD | BOUGH_IN_ROOT };

    fputs(head, file);
    fputs(".SH KEYS\n.SS \"Of the root, of supervisors and of actors\"\n", file);
    print_keys(file, ALL, 0);
    fputs(".SS \"Of the root alone\"\n", file);
    print_keys(file, BOUGH_IN_ROOT, CHILD);
    fputs(".SS \"Of supervisors, the root included\"\n", file);
    print_keys(file, BOUGH_IN_ROOT | BOUGH_IN_SUPERVISOR, BOUGH_IN_WORKER);
    fputs(".SS \"Of every child\"\n", file);
    print_keys(file, CHILD, BOUGH_IN_ROOT);
    fputs(".SS \"Of supervisors below the root\"\n", file);
    print_keys(file, BOUGH_IN_SUPERVISOR, BOUGH_IN_ROOT | BOUGH_IN_WORKER);
    fputs(".SS \"Of actors\"\n", file);
    print_keys(file, BOUGH_IN_WORKER, BOUGH_IN_ROOT | BOUGH_IN_SUPERVISOR);
    fputs(".SH OPTIONS OF THE TYPES\n"
          "The keys of\n.BR options .\n"
          "What each type can be told, too:\n.BR \"bough types\" .\n",
          file);
    for (size_t i = 0; bough_actor_types[i] != NULL; i++)
        print_type(file, bough_actor_types[i]);
    fputs(tail, file);
}
