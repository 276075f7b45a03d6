/* top_draw.c - the picture of `bough top` as lines of text.
 *
 * The screen: what the whole tree does (two lines), the headings, the rows, and at the
 * end what was asked, typed or said. Where it is narrow, the columns that matter least go
 * first.
 *
 * All that is aligned is ASCII, so that its width is its length, in every locale.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/top_draw.h>

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <wchar.h>

#include <bough/core/public.h>

enum { CELL = 24, NAME_MIN = 18, NAME_FOR_FILE = 24, HEAD_LINES = 3, FOOT_LINES = 1 };

enum column { STATE, RESTARTS, WAITING, CPU, MEMORY, RATE, LIFE, UPTIME, TYPE };

static const struct {
    const char *heading;
    int width;
    int priority; /* the highest goes first when there is no room */
    bool left;    /* words stand to the left */
} columns[] = {
    [STATE] = { "STATE", 10, 0, true },     [RESTARTS] = { "RESTARTS", 8, 2, false },
    [WAITING] = { "MAILBOX", 8, 3, false }, [CPU] = { "CPU%", 6, 1, false },
    [MEMORY] = { "MEMORY", 8, 4, false },   [RATE] = { "MSG/S", 8, 5, false },
    [LIFE] = { "LIFE", 5, 7, false },       [UPTIME] = { "UPTIME", 8, 6, false },
    [TYPE] = { "TYPE", 10, 8, true },
};

/* Cells */

static void print_count(char cell[CELL], int64_t count)
{
    if (count < 0)
        snprintf(cell, CELL, "-");
    else if (count < 10000000)
        snprintf(cell, CELL, "%" PRId64, count);
    else
        snprintf(cell, CELL, "%" PRId64 "M", count / 1000000);
}

static void print_bytes(char cell[CELL], int64_t bytes)
{
    static const char units[] = "BKMGTP";
    double size = (double)bytes;
    int unit = 0;

    for (; size >= 1024 && unit < (int)sizeof(units) - 2; unit++)
        size /= 1024;
    if (bytes < 0)
        snprintf(cell, CELL, "-");
    else if (unit == 0 || size >= 100)
        snprintf(cell, CELL, "%.0f%c", size, units[unit]);
    else
        snprintf(cell, CELL, "%.1f%c", size, units[unit]);
}

static void print_tenths(char cell[CELL], double number)
{
    if (number < 0)
        snprintf(cell, CELL, "-");
    else if (number >= 1e7)
        snprintf(cell, CELL, "%.0fM", number / 1e6);
    else
        snprintf(cell, CELL, number >= 1000 ? "%.0f" : "%.1f", number);
}

static void print_duration(char cell[CELL], int64_t ms)
{
    char text[BOUGH_OUTPUT_DURATION];

    /* A second more or less is all that can be seen. */
    if (ms >= 1000) ms -= ms % 1000;
    snprintf(cell, CELL, "%s",
             ms < 0    ? "-"
             : ms == 0 ? "0s"
                       : bough_output_duration(ms, text));
}

static void print_cell(char cell[CELL], const struct bough_top_row *row,
                       enum column column)
{
    switch (column) {
    case STATE: snprintf(cell, CELL, "%s", row->state); break;
    case RESTARTS: print_count(cell, row->restarts); break;
    case WAITING: print_count(cell, row->waiting); break;
    case CPU: print_tenths(cell, row->cpu); break;
    case MEMORY: print_bytes(cell, row->memory); break;
    case RATE: print_tenths(cell, row->rate); break;
    case LIFE: print_count(cell, row->life); break;
    case UPTIME: print_duration(cell, row->uptime_ms); break;
    case TYPE: snprintf(cell, CELL, "%s", row->type); break;
    }
}

/* Columns */

struct layout {
    int name; /* how wide names are */
    bool shown[bough_count_of(columns)];
};

static int width_of(const struct layout *layout)
{
    int width = 0;

    for (size_t i = 0; i < bough_count_of(columns); i++)
        if (layout->shown[i]) width += 1 + columns[i].width;
    return width;
}

static struct layout lay_out(int width)
{
    struct layout layout = { .name = 0 };
    int least = (int)bough_count_of(columns) - 1;

    for (size_t i = 0; i < bough_count_of(columns); i++)
        layout.shown[i] = true;
    for (; width_of(&layout) + NAME_MIN > width && least > 0; least--)
        for (size_t i = 0; i < bough_count_of(columns); i++)
            if (columns[i].priority == least) layout.shown[i] = false;
    layout.name = width - width_of(&layout);
    return layout;
}

/* Lines */

/* Anything may be in the name of a type, or in a line of a log: what cannot be shown, in
 * the locale of the terminal, becomes '?'. What is beyond `width` columns is cut off. */
static void make_fit(char *text, int width)
{
    const char *from = text, *const end = text + strlen(text);
    mbstate_t state = { 0 };
    int columns_used = 0;
    char *to = text;

    while (from < end) {
        wchar_t character;
        size_t size = mbrtowc(&character, from, (size_t)(end - from), &state);
        const bool valid = size != (size_t)-1 && size != (size_t)-2;
        const int wide = valid ? wcwidth(character) : -1;

        if (!valid) {
            size = 1;
            memset(&state, 0, sizeof(state));
        }
        if (columns_used + (wide < 0 ? 1 : wide) > width) break;
        columns_used += wide < 0 ? 1 : wide;
        if (wide < 0)
            *to++ = *from == '\t' ? ' ' : '?';
        else
            to = (char *)memmove(to, from, size) + size;
        from += size;
    }
    *to = '\0';
}

static void add(struct bough_top_line *line, int width, bool left, const char *text)
{
    const size_t length = strlen(line->text);

    snprintf(line->text + length, sizeof(line->text) - length, left ? "%-*.*s" : "%*.*s",
             width, width, text);
}

static void print_name(const struct bough_top *top, const struct bough_top_row *row,
                       char *text, size_t size)
{
    enum { DEPTH_MAX = 40 };
    const int depth = row->depth < DEPTH_MAX ? row->depth : DEPTH_MAX;

    if (top->order != BOUGH_TOP_TREE)
        snprintf(text, size, "%s", row->path);
    else
        snprintf(text, size, "%*s%c %s", 2 * depth, "",
                 !row->parent  ? ' '
                 : row->folded ? '+'
                               : '-',
                 row->name);
}

static void draw_row(const struct bough_top *top, const struct bough_top_row *row,
                     const struct layout *layout, struct bough_top_line *line)
{
    char text[sizeof(line->text)];

    print_name(top, row, text, sizeof(text));
    add(line, layout->name, true, text);
    for (size_t i = 0; i < bough_count_of(columns); i++) {
        if (!layout->shown[i]) continue;
        print_cell(text, row, (enum column)i);
        add(line, 1, true, " ");
        if (i == STATE) line->painted = (int)strlen(line->text);
        add(line, columns[i].width, columns[i].left, text);
        if (i == STATE) line->painted_end = (int)strlen(line->text);
    }
    line->paint = bough_output_state_paint(row->state);
}

static void draw_headings(const struct bough_top *top, const struct layout *layout,
                          struct bough_top_line *line)
{
    char name[64];

    snprintf(name, sizeof(name), top->order == BOUGH_TOP_TREE ? "  NAME" : "PATH, by %s",
             bough_top_order_names[top->order]);
    add(line, layout->name, true, name);
    for (size_t i = 0; i < bough_count_of(columns); i++) {
        if (!layout->shown[i]) continue;
        add(line, 1, true, " ");
        add(line, columns[i].width, columns[i].left, columns[i].heading);
    }
    line->bold = true;
}

static void draw_totals(const struct bough_top *top, struct bough_top_line *lines)
{
    const struct bough_top_totals *totals = &top->totals;
    const json_t *pid = json_object_get(top->now.tree, "pid");
    const json_t *root = json_object_get(top->now.tree, "root");
    char uptime[CELL], cpu[CELL], memory[CELL], rate[CELL];

    print_duration(uptime, json_integer_value(json_object_get(root, "uptime_ms")));
    print_tenths(cpu, totals->cpu);
    print_bytes(memory, totals->memory);
    print_tenths(rate, totals->rate);
    snprintf(lines[0].text, sizeof(lines[0].text),
             "%s (pid %" JSON_INTEGER_FORMAT "), up %s: %zu actors, %zu running, %" PRId64
             " restart%s",
             bough_output_member(top->now.tree, "name", ""), json_integer_value(pid),
             uptime, totals->actors, totals->running, totals->restarts,
             totals->restarts == 1 ? "" : "s");
    snprintf(lines[1].text, sizeof(lines[1].text),
             "cpu %s%%, memory %s, %" PRId64 " messages wait, %s messages/s", cpu, memory,
             totals->waiting, rate);
    lines[0].bold = true;
}

static void draw_foot(const struct bough_top *top, struct bough_top_line *line)
{
    static const char *const questions[] = {
        [BOUGH_TOP_STOP] = "stop", [BOUGH_TOP_KILL] = "kill"
    };
    static const char keys[] =
        "? help  o order  / filter  l log  e events  r restart  s stop  k kill  q quit";
    const size_t size = sizeof(line->text);

    line->reverse = true;
    if (top->mode == BOUGH_TOP_CONFIRM)
        snprintf(line->text, size, "%s %s? y: yes, any other key: no",
                 questions[top->question], top->selected);
    else if (top->mode == BOUGH_TOP_FILTER)
        snprintf(line->text, size, "only paths with: %s_  (Enter: keep, Esc: all)",
                 top->filter);
    else if (top->lost[0] != '\0')
        snprintf(line->text, size, "%s", top->lost);
    else if (top->message[0] != '\0')
        snprintf(line->text, size, "%s", top->message);
    else if (top->mode == BOUGH_TOP_LOG || top->mode == BOUGH_TOP_EVENTS)
        snprintf(line->text, size,
                 "q back  l log  e events  up, down, PgUp, PgDn scroll");
    else if (top->filter[0] != '\0')
        snprintf(line->text, size, "only paths with \"%s\", Esc: all  ? help",
                 top->filter);
    else
        snprintf(line->text, size, "%s", keys);
}

/* What is between */

static void draw_table(struct bough_top *top, int width, int height,
                       struct bough_top_line *lines)
{
    const struct layout layout = lay_out(width);

    draw_headings(top, &layout, &lines[0]);
    bough_top_fit(top, (size_t)height - 1);
    for (size_t i = 0; i < top->page && top->first + i < top->count; i++) {
        draw_row(top, &top->rows[top->first + i], &layout, &lines[i + 1]);
        lines[i + 1].reverse = top->first + i == top->at;
    }
}

static const char *const help[] = {
    "up, down, j       the actor before, the next one; PgUp, PgDn, Home, End",
    "left, right, - +  hide, or show, what is below a supervisor",
    "o, O              the next order, the one before: tree, cpu, memory ...",
    "/                 only paths that have a text in them; Esc: all again",
    "l, Enter          follow the log of the actor and of all below it",
    "e                 follow its events",
    "r                 restart it",
    "s                 stop it, or start it again",
    "k                 end it as if by a fault: its supervisor decides",
    "q                 leave",
    "",
    "\"-\" is what is not known: only a process of its own has a cpu and a memory.",
};

static void draw_help(int height, struct bough_top_line *lines)
{
    for (int i = 0; i < height && i < (int)bough_count_of(help); i++)
        snprintf(lines[i].text, sizeof(lines[i].text), "%s", help[i]);
}

/* The newest at the end, as far as it is not scrolled up. */
static void draw_lines(struct bough_top *top, const struct bough_top_lines *lines,
                       int height, struct bough_top_line *screen)
{
    const size_t room = (size_t)height - 1;
    const size_t count = lines != NULL ? lines->count : 0;
    const size_t most = count > room ? count - room : 0;
    size_t begin;

    bough_top_fit(top, room);
    if (top->first > most) top->first = most;
    begin = most - top->first;
    snprintf(screen[0].text, sizeof(screen[0].text), "%s of %s%s",
             top->mode == BOUGH_TOP_LOG ? "log" : "events", top->selected,
             count == 0 ? ": nothing yet" : "");
    screen[0].bold = true;
    for (size_t i = 0; i < room && begin + i < count; i++)
        snprintf(screen[i + 1].text, sizeof(screen[i + 1].text), "%s",
                 lines->lines[begin + i]);
}

static void draw_all(struct bough_top *top, const struct bough_top_lines *lines,
                     int width, int height, struct bough_top_line *screen)
{
    enum { TOTALS = 2 };
    const int room = height - TOTALS - FOOT_LINES;

    draw_totals(top, screen);
    draw_foot(top, &screen[height - 1]);
    if (top->mode == BOUGH_TOP_HELP)
        draw_help(room, screen + TOTALS);
    else if (top->mode == BOUGH_TOP_LOG || top->mode == BOUGH_TOP_EVENTS)
        draw_lines(top, lines, room, screen + TOTALS);
    else
        draw_table(top, width, room, screen + TOTALS);
}

void bough_top_draw(struct bough_top *top, const struct bough_top_lines *lines, int width,
                    int height, struct bough_top_line *screen)
{
    const int longest = (int)sizeof(screen->text) - 1;

    memset(screen, 0, (size_t)height * sizeof(*screen));
    if (width < BOUGH_TOP_WIDTH_MIN || height < BOUGH_TOP_HEIGHT_MIN)
        snprintf(screen[0].text, sizeof(screen[0].text), "too small: %dx%d needed",
                 BOUGH_TOP_WIDTH_MIN, BOUGH_TOP_HEIGHT_MIN);
    else
        draw_all(top, lines, width < longest ? width : longest, height, screen);
    for (int i = 0; i < height; i++)
        make_fit(screen[i].text, width);
}

/* As text */

static void print_line(FILE *file, const struct bough_top_line *line)
{
    size_t length = strlen(line->text);

    while (length > 0 && line->text[length - 1] == ' ')
        length--;
    fprintf(file, "%.*s\n", (int)length, line->text);
}

static int name_width(const struct bough_top *top)
{
    char name[BOUGH_PATH_MAX];
    int widest = NAME_FOR_FILE;

    for (size_t i = 0; i < top->count; i++) {
        print_name(top, &top->rows[i], name, sizeof(name));
        if ((int)strlen(name) > widest) widest = (int)strlen(name);
    }
    /* What is longer is cut: the columns behind must have room. */
    return widest < 800 ? widest : 800;
}

void bough_top_print(FILE *file, struct bough_top *top)
{
    struct bough_top_line lines[HEAD_LINES] = { { .bold = false } };
    struct layout layout = lay_out(1000);

    layout.name = name_width(top);
    draw_totals(top, lines);
    draw_headings(top, &layout, &lines[HEAD_LINES - 1]);
    for (int i = 0; i < HEAD_LINES; i++) {
        make_fit(lines[i].text, INT_MAX);
        print_line(file, &lines[i]);
    }
    for (size_t i = 0; i < top->count; i++) {
        struct bough_top_line line = { .bold = false };

        draw_row(top, &top->rows[i], &layout, &line);
        make_fit(line.text, INT_MAX);
        print_line(file, &line);
    }
}
