/* draw.c - trees, tables and events for people.
 *
 * Widths are counted in bytes: names and types are ASCII.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/draw.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/public.h>
#include <bough/tools/bough/crash.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/span.h>

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Trees */

enum { DEPTH_MAX = 256, INDENT = 4 };

struct tree {
    FILE *file;
    bool colour;
    int name_width, type_width;
    bool last[DEPTH_MAX]; /* of its siblings, on each level above */
};

static void measure(struct tree *tree, const json_t *place, int depth)
{
    const int name = depth * INDENT + (int)strlen(bough_output_member(place, "name", ""));
    const int type = (int)strlen(bough_output_member(place, "type", ""));
    const json_t *child;
    size_t index;

    if (name > tree->name_width) tree->name_width = name;
    if (type > tree->type_width) tree->type_width = type;
    json_array_foreach (json_object_get(place, "children"), index, child) {
        if (depth + 1 < DEPTH_MAX) measure(tree, child, depth + 1);
    }
}

static void print_branches(const struct tree *tree, int depth)
{
    fputs(bough_output_paint(tree->colour, BOUGH_DIM), tree->file);
    for (int level = 1; level < depth; level++) {
        fputs(tree->last[level] ? "    " : "│   ", tree->file);
    }
    if (depth > 0) fputs(tree->last[depth] ? "└── " : "├── ", tree->file);
    fputs(bough_output_paint(tree->colour, BOUGH_PLAIN), tree->file);
}

/* What is known of a place behind its name and type. */
static void print_facts(const struct tree *tree, const json_t *place)
{
    const char *strategy = bough_output_member(place, "strategy", NULL);
    const char *restart = bough_output_member(place, "restart", NULL);
    const char *state = bough_output_member(place, "state", NULL);
    char period[BOUGH_OUTPUT_DURATION];

    if (restart != NULL) fprintf(tree->file, "  %-9s", restart);
    if (restart == NULL && strategy != NULL) fprintf(tree->file, "  %-9s", "");
    if (strategy != NULL) {
        const json_int_t intensity = number(place, "intensity");

        fprintf(tree->file, "  %s, %" JSON_INTEGER_FORMAT " restart%s in %s", strategy,
                intensity, intensity == 1 ? "" : "s",
                bough_output_duration(number(place, "period_ms"), period));
    }
    if (state != NULL) {
        fprintf(tree->file, "  %s%s%s  life %" JSON_INTEGER_FORMAT,
                bough_output_paint(tree->colour, bough_output_state_paint(state)), state,
                bough_output_paint(tree->colour, BOUGH_PLAIN), number(place, "life"));
    }
}

static void draw_place(struct tree *tree, const json_t *place, int depth)
{
    const char *name = bough_output_member(place, "name", "");
    const json_t *children = json_object_get(place, "children"), *child;
    const size_t count = json_array_size(children);
    size_t index;

    print_branches(tree, depth);
    fprintf(tree->file, "%s%s%s%*s  %-*s", bough_output_paint(tree->colour, BOUGH_BOLD),
            name, bough_output_paint(tree->colour, BOUGH_PLAIN),
            tree->name_width - depth * INDENT - (int)strlen(name), "", tree->type_width,
            bough_output_member(place, "type", "?"));
    print_facts(tree, place);
    fputc('\n', tree->file);
    json_array_foreach (children, index, child) {
        if (depth + 1 == DEPTH_MAX) break;
        tree->last[depth + 1] = index + 1 == count;
        draw_place(tree, child, depth + 1);
    }
}

void bough_draw_tree(FILE *file, const json_t *root, const char *title)
{
    struct tree tree = { .file = file, .colour = bough_output_colour(file) };

    fprintf(file, "%s\n", title);
    measure(&tree, root, 0);
    draw_place(&tree, root, 0);
}

/* Tables */

/* No number, and no two of a mailbox, is longer. */
enum { NUMBER = 48, WIDTH_MAX = 95, COLUMN_COUNT = 11 };

static const struct column {
    const char *heading;
    bool right; /* numbers stand to the right */
} columns[] = {
    { "PATH", false },    { "TYPE", false },    { "STATE", false },     { "LIFE", true },
    { "RESTARTS", true }, { "RESTART", false }, { "ISOLATION", false }, { "PID", true },
    { "UPTIME", true },   { "MAILBOX", true },  { "HANDLED", true },
};
_Static_assert(bough_count_of(columns) == COLUMN_COUNT, "a heading for each column");

enum { STATE_COLUMN = 2 };

struct row {
    const char *cells[COLUMN_COUNT]; /* of the place, or in `numbers` */
    char numbers[COLUMN_COUNT][NUMBER];
};

static void set_number(struct row *row, int cell, json_int_t value)
{
    snprintf(row->numbers[cell], NUMBER, "%" JSON_INTEGER_FORMAT, value);
    row->cells[cell] = row->numbers[cell];
}

/* As long as `place` is there. */
static void fill_row(struct row *row, const json_t *place)
{
    const json_t *mailbox = json_object_get(place, "mailbox");
    int cell = 0;

    row->cells[cell++] = bough_output_member(place, "path", "");
    row->cells[cell++] = bough_output_member(place, "type", "-");
    row->cells[cell++] = bough_output_state(place, "-");
    set_number(row, cell++, number(place, "life"));
    set_number(row, cell++, number(place, "restarts"));
    row->cells[cell++] = bough_output_member(place, "restart", "-");
    row->cells[cell++] = bough_output_member(place, "isolation", "-");
    if (number(place, "pid") != 0)
        set_number(row, cell++, number(place, "pid"));
    else
        row->cells[cell++] = "-";
    row->cells[cell] =
        bough_output_duration(number(place, "uptime_ms"), row->numbers[cell]);
    cell++;
    snprintf(row->numbers[cell], NUMBER, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
             number(mailbox, "length"), number(mailbox, "capacity"));
    row->cells[cell] = row->numbers[cell];
    cell++;
    set_number(row, cell++, number(place, "handled"));
    bough_assert(cell == COLUMN_COUNT);
}

/* One very long path does not push the other columns out of sight. */
static void measure_row(const struct row *row, int *widths)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const int width = (int)strnlen(row->cells[i], WIDTH_MAX);

        if (width > widths[i]) widths[i] = width;
    }
}

static void print_blanks(FILE *file, int count)
{
    static const char blanks[] = "                                                ";
    const int all = (int)sizeof(blanks) - 1;

    for (; count > 0; count -= all)
        fwrite(blanks, 1, (size_t)(count < all ? count : all), file);
}

static void print_row(FILE *file, const struct row *row, const int *widths, bool colour)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const char *text = row->cells[i];
        const bool painted = colour && i == STATE_COLUMN;
        const int pad = widths[i] - (int)strlen(text);

        if (i > 0) fputs("  ", file);
        if (columns[i].right) print_blanks(file, pad);
        if (painted)
            fputs(bough_output_paint(true, bough_output_state_paint(text)), file);
        fputs(text, file);
        if (painted) fputs(bough_output_paint(true, BOUGH_PLAIN), file);
        if (!columns[i].right && i + 1 < COLUMN_COUNT) print_blanks(file, pad);
    }
    fputc('\n', file);
}

void bough_draw_table(FILE *file, const json_t *places)
{
    const bool colour = bough_output_colour(file);
    struct row heading, row;
    int widths[COLUMN_COUNT] = { 0 };
    const json_t *place;
    size_t index;

    for (int i = 0; i < COLUMN_COUNT; i++) {
        heading.cells[i] = columns[i].heading;
    }
    measure_row(&heading, widths);
    json_array_foreach (places, index, place) {
        fill_row(&row, place);
        measure_row(&row, widths);
    }
    fputs(bough_output_paint(colour, BOUGH_BOLD), file);
    print_row(file, &heading, widths, false);
    fputs(bough_output_paint(colour, BOUGH_PLAIN), file);
    json_array_foreach (places, index, place) {
        fill_row(&row, place);
        print_row(file, &row, widths, colour);
    }
}

/* Events */

static enum bough_paint event_paint(const char *event, const char *reason)
{
    if (strcmp(event, "gave_up") == 0 || strcmp(event, "stuck") == 0) return BOUGH_RED;
    if (strcmp(event, "restarting") == 0) return BOUGH_YELLOW;
    if (strcmp(event, "quarantined") == 0) return BOUGH_YELLOW;
    if (strcmp(event, "apply_failed") == 0) return BOUGH_RED;
    if (strcmp(event, "ready") == 0 || strcmp(event, "applied") == 0) return BOUGH_GREEN;
    if (strcmp(event, "exited") != 0) return BOUGH_PLAIN;
    return strcmp(reason, "normal") == 0 || strcmp(reason, "shutdown") == 0 ? BOUGH_PLAIN
                                                                            : BOUGH_RED;
}

static void print_reason(FILE *file, const json_t *event)
{
    const char *reason = bough_output_member(event, "reason", NULL);
    const char *detail = bough_output_member(event, "detail", NULL);

    if (reason != NULL) fprintf(file, ": %s", reason);
    if (json_object_get(event, "signal") != NULL) {
        const char *name = sigabbrev_np((int)number(event, "signal"));

        fprintf(file, " %" JSON_INTEGER_FORMAT, number(event, "signal"));
        if (name != NULL) fprintf(file, " (%s)", name);
    }
    if (json_object_get(event, "code") != NULL) {
        fprintf(file, " %" JSON_INTEGER_FORMAT, number(event, "code"));
    }
    if (detail == NULL) return;
    fputs(": ", file);
    bough_output_text(file, detail);
}

static void print_attempt(FILE *file, const json_t *event)
{
    char span[BOUGH_SPAN_TEXT];

    if (json_object_get(event, "attempt") == NULL) return;
    fprintf(file, ", attempt %" JSON_INTEGER_FORMAT, number(event, "attempt"));
    if (number(event, "delay_ms") > 0) {
        fprintf(file, ", in %s", bough_span_print(number(event, "delay_ms"), span));
    }
    if (json_object_get(event, "period_ms") != NULL) {
        fprintf(file,
                ", %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " restarts in %s",
                number(event, "restarts"), number(event, "allowed"),
                bough_span_print(number(event, "period_ms"), span));
    }
}

/* What was put into quarantine, and how it is called there. */
static void print_message(FILE *file, const json_t *event)
{
    const char *message = bough_output_member(event, "message", NULL);

    if (message == NULL) return;
    fputs(", message ", file);
    bough_output_text(file, message);
    if (number(event, "number") > 0)
        fprintf(file, " (%" JSON_INTEGER_FORMAT ")", number(event, "number"));
    else
        fputs(" (lost)", file);
}

void bough_draw_event(FILE *file, const json_t *event)
{
    const bool colour = bough_output_colour(file);
    const char *name = bough_output_member(event, "event", "");
    const char *reason = bough_output_member(event, "reason", "");

    fprintf(file, "%s %5" JSON_INTEGER_FORMAT " %s %s%s%s life %" JSON_INTEGER_FORMAT,
            bough_output_member(event, "time", ""), number(event, "seq"),
            bough_output_member(event, "path", ""),
            bough_output_paint(colour, event_paint(name, reason)), name,
            bough_output_paint(colour, BOUGH_PLAIN), number(event, "life"));
    print_attempt(file, event);
    print_message(file, event);
    print_reason(file, event);
    if (json_object_get(event, "stuck_ms") != NULL) {
        char span[BOUGH_SPAN_TEXT];

        fprintf(file, ": a handler %s for %s",
                strcmp(name, "stuck") == 0 ? "has run" : "ran",
                bough_span_print(number(event, "stuck_ms"), span));
    }
    if (json_object_get(event, "crash") != NULL) {
        fputs(": ", file);
        bough_crash_print_what(json_object_get(event, "crash"), file);
    }
    if (json_object_get(event, "cause") != NULL) {
        fprintf(file, " (because of %" JSON_INTEGER_FORMAT ")", number(event, "cause"));
    }
    fputc('\n', file);
}
