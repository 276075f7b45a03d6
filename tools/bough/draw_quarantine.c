/* draw_quarantine.c - what is in the quarantine of an actor, for people.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/draw.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/exit_reason.h>
#include <bough/core/public.h>
#include <bough/core/text.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/output.h>

enum { CELL = 224, FIELDS_WIDTH = 48, COLUMN_COUNT = 7 };

static const char *const headings[] = { "NUMBER", "WHEN",  "MESSAGE", "FIELDS",
                                        "SENDER", "LIVES", "REASON" };
_Static_assert(bough_count_of(headings) == COLUMN_COUNT, "a heading for each column");

struct row {
    char cells[COLUMN_COUNT][CELL];
};

static void set_number(char *cell, const json_t *one, const char *name)
{
    bough_text_format(cell, CELL, "%" JSON_INTEGER_FORMAT,
                      json_integer_value(json_object_get(one, name)));
}

/* As compact JSON, cut to a width at which a table can still be read. */
static void set_fields(char *cell, const json_t *one)
{
    const json_t *fields = json_object_get(one, "fields");
    char *text;

    if (fields == NULL) fields = json_object_get(one, "bytes");
    text = fields != NULL ? json_dumps(fields, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (text == NULL) {
        bough_text_format(cell, CELL, "-");
        return;
    }
    const size_t len = strlen(text);
    const size_t cut = len > FIELDS_WIDTH ? bough_utf8_cut(text, len, FIELDS_WIDTH) : len;
    bough_text_format(cell, CELL, "%.*s%s", (int)cut, text, cut < len ? "..." : "");
    free(text);
}

/* Who asked, if that is known; that somebody did; or that nobody waited for an answer. */
static const char *sender_of(const json_t *one)
{
    const bool asked = json_is_true(json_object_get(one, "asked"));

    return bough_output_member(one, "sender", asked ? "asked" : "told");
}

static void fill(struct row *row, const json_t *one)
{
    const struct bough_exit_reason reason = bough_history_reason(one);

    set_number(row->cells[0], one, "number");
    bough_text_format(row->cells[1], CELL, "%s", bough_output_member(one, "time", "-"));
    bough_text_format(row->cells[2], CELL, "%s",
                      bough_output_member(one, "message", "-"));
    set_fields(row->cells[3], one);
    bough_text_format(row->cells[4], CELL, "%s", sender_of(one));
    set_number(row->cells[5], one, "lives");
    bough_exit_print(&reason, row->cells[6], CELL);
}

static void measure(const struct row *row, int *widths)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const int width = (int)strlen(row->cells[i]);

        if (width > widths[i]) widths[i] = width;
    }
}

static void print(FILE *file, const struct row *row, const int *widths)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        bough_output_text(file, row->cells[i]);
        if (i + 1 < COLUMN_COUNT)
            fprintf(file, "%*s", widths[i] - (int)strlen(row->cells[i]) + 2, "");
    }
    fputc('\n', file);
}

static void print_lost(FILE *file, const json_t *answer)
{
    const json_int_t lost = json_integer_value(json_object_get(answer, "lost"));

    if (lost > 0)
        fprintf(file, "%" JSON_INTEGER_FORMAT " more had no room and %s lost\n", lost,
                lost == 1 ? "is" : "are");
}

void bough_draw_quarantine(FILE *file, const json_t *answer)
{
    const json_t *messages = json_object_get(answer, "messages"), *one;
    const bool colour = bough_output_colour(file);
    int widths[COLUMN_COUNT] = { 0 };
    struct row heading, row;
    size_t index;

    if (json_array_size(messages) == 0) {
        fprintf(file, "no message of %s is in quarantine\n",
                bough_output_member(answer, "path", "it"));
        print_lost(file, answer);
        return;
    }
    for (int i = 0; i < COLUMN_COUNT; i++)
        bough_text_format(heading.cells[i], CELL, "%s", headings[i]);
    measure(&heading, widths);
    json_array_foreach (messages, index, one) {
        fill(&row, one);
        measure(&row, widths);
    }
    fputs(bough_output_paint(colour, BOUGH_BOLD), file);
    print(file, &heading, widths);
    fputs(bough_output_paint(colour, BOUGH_PLAIN), file);
    json_array_foreach (messages, index, one) {
        fill(&row, one);
        print(file, &row, widths);
    }
    print_lost(file, answer);
}
