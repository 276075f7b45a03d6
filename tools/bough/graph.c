/* graph.c - a tree in the language of Graphviz.
 *
 * A node for each place, named by its path, and an edge from each supervisor to each of
 * its children, in start order. The edges come last: an edge inside of a box would put
 * both its ends there.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/graph.h>

#include <string.h>

#include <bough/core/public.h>
#include <bough/tools/bough/output.h>

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Inside of quotes: nothing in it ends them, or is an escape of a label's. */
static void print_escaped(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, file);
    }
}

static void print_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    print_escaped(file, text);
    fputc('"', file);
}

/* Light enough for black text on them. */
static const char *fill_of(const char *state)
{
    static const struct {
        const char *state, *fill;
    } fills[] = {
        { "running", "palegreen" }, { "starting", "khaki" }, { "stopping", "khaki" },
        { "restarting", "khaki" },  { "failed", "salmon" },  { "stuck", "salmon" },
        { "stopped", "lightgrey" },
    };

    for (size_t i = 0; i < bough_count_of(fills); i++)
        if (strcmp(state, fills[i].state) == 0) return fills[i].fill;
    return "white";
}

static void print_label(FILE *file, const json_t *place)
{
    const char *strategy = bough_output_member(place, "strategy", NULL);
    const char *state = bough_output_state(place, NULL);
    char period[BOUGH_OUTPUT_DURATION];

    fputs("label=\"", file);
    print_escaped(file, bough_output_member(place, "name", ""));
    fputs("\\n", file);
    print_escaped(file, bough_output_member(place, "type", "?"));
    if (strategy != NULL) {
        const json_int_t intensity = number(place, "intensity");

        fputs("\\n", file);
        print_escaped(file, strategy);
        fprintf(file, ", %" JSON_INTEGER_FORMAT " restart%s in %s", intensity,
                intensity == 1 ? "" : "s",
                bough_output_duration(number(place, "period_ms"), period));
    }
    if (state != NULL) {
        fputs("\\n", file);
        print_escaped(file, state);
        fprintf(file,
                ", life %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " restart%s",
                number(place, "life"), number(place, "restarts"),
                number(place, "restarts") == 1 ? "" : "s");
    }
    fputc('"', file);
}

static void print_node(FILE *file, const json_t *place, int indent)
{
    const char *state = bough_output_state(place, NULL);
    const bool supervisor = json_object_get(place, "strategy") != NULL;

    fprintf(file, "%*s", indent, "");
    print_quoted(file, bough_output_member(place, "path", ""));
    fputs(" [", file);
    print_label(file, place);
    if (!supervisor) fputs(", style=\"rounded,filled\"", file);
    if (state != NULL) fprintf(file, ", fillcolor=%s", fill_of(state));
    fputs("];\n", file);
}

/* Whether it lives elsewhere than its supervisor. */
static bool lives_apart(const json_t *place)
{
    return strcmp(bough_output_member(place, "isolation", "inline"), "inline") != 0;
}

static void print_box_begin(FILE *file, const json_t *place, int indent)
{
    const char *isolation = bough_output_member(place, "isolation", "");

    fprintf(file, "%*ssubgraph \"cluster_", indent, "");
    print_escaped(file, bough_output_member(place, "path", ""));
    fputs("\" {\n", file);
    fprintf(file, "%*slabel=\"", indent + 2, "");
    print_escaped(file, isolation);
    if (number(place, "pid") != 0)
        fprintf(file, " %" JSON_INTEGER_FORMAT, number(place, "pid"));
    fprintf(file, "\"; style=%s;\n",
            strcmp(isolation, "process") == 0 ? "bold" : "dashed");
}

static void print_places(FILE *file, const json_t *place, int indent)
{
    const bool apart = lives_apart(place);
    const json_t *child;
    size_t index;

    if (apart) print_box_begin(file, place, indent);
    print_node(file, place, indent + 2 * apart);
    json_array_foreach (json_object_get(place, "children"), index, child)
        print_places(file, child, indent + 2 * apart);
    if (apart) fprintf(file, "%*s}\n", indent, "");
}

/* What its supervisor does when it ends, where that is not what is done always. */
static void print_edge(FILE *file, const json_t *place, const json_t *child)
{
    const char *restart = bough_output_member(child, "restart", "permanent");

    fputs("  ", file);
    print_quoted(file, bough_output_member(place, "path", ""));
    fputs(" -> ", file);
    print_quoted(file, bough_output_member(child, "path", ""));
    if (strcmp(restart, "permanent") != 0) {
        fputs(" [style=dashed, label=", file);
        print_quoted(file, restart);
        fputs("]", file);
    }
    fputs(";\n", file);
}

static void print_edges(FILE *file, const json_t *place)
{
    const json_t *child;
    size_t index;

    json_array_foreach (json_object_get(place, "children"), index, child) {
        print_edge(file, place, child);
        print_edges(file, child);
    }
}

void bough_graph_print(FILE *file, const json_t *tree)
{
    const char *name = bough_output_member(tree, "name", "");
    const json_t *root = json_object_get(tree, "root");

    fputs("digraph ", file);
    print_quoted(file, name);
    fputs(" {\n  label=\"", file);
    print_escaped(file, name);
    if (number(tree, "pid") != 0)
        fprintf(file, " (pid %" JSON_INTEGER_FORMAT ")", number(tree, "pid"));
    fputs("\"; labelloc=t; ordering=out; fontname=\"sans-serif\";\n"
          "  node [shape=box, style=filled, fillcolor=white, fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\"];\n",
          file);
    print_places(file, root, 2);
    print_edges(file, root);
    fputs("}\n", file);
}
