/* screen.c - a terminal as a screen of lines, by ncurses.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/screen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef BOUGH_NCURSES
/* Without its macros: they have names such as `lines` and `clear`. */
#define NCURSES_NOMACROS
#include <curses.h>
#endif

#include <bough/core/library.h>
#include <bough/tools/bough/output.h>

#ifndef BOUGH_NCURSES

bool bough_screen_open(struct bough_screen *screen)
{
    (void)screen;
    bough_complain("top: built without ncurses, so that there is no screen; `bough top "
                   "--once` prints one picture");
    return false;
}

/* Nobody has an open one. */
void bough_screen_close(struct bough_screen *screen)
{
    (void)screen;
}

void bough_screen_size(int *width, int *height)
{
    *width = *height = 0;
}

void bough_screen_draw(const struct bough_screen *screen,
                       const struct bough_top_line *lines, int count)
{
    (void)screen, (void)lines, (void)count;
}

int bough_screen_key(int wait_ms)
{
    (void)wait_ms;
    return BOUGH_SCREEN_CLOSED;
}

bool bough_screen_complaint(const struct bough_screen *screen, char *text, size_t size)
{
    (void)screen, (void)text, (void)size;
    return false;
}

#else

#define FUNCTIONS(F) \
    F(COLOR_PAIR) \
    F(cbreak) \
    F(curs_set) \
    F(endwin) \
    F(getmaxx) \
    F(getmaxy) \
    F(has_colors) \
    F(init_pair) \
    F(keypad) \
    F(newterm) \
    F(noecho) \
    F(nonl) \
    F(set_escdelay) \
    F(start_color) \
    F(stdscr) \
    F(use_default_colors) \
    F(waddnstr) \
    F(wattrset) \
    F(wbkgdset) \
    F(wclrtoeol) \
    F(wgetch) \
    F(wmove) \
    F(wrefresh) \
    F(wtimeout)

/* Loaded by who opens a screen, for what tools/bough/http.h says of its own. */
static struct {
    FUNCTIONS(BOUGH_LIBRARY_MEMBER)
} curses;

static const struct bough_library_function functions[] = {
#define ROW(function) { #function, offsetof(__typeof__(curses), function) },
    FUNCTIONS(ROW)
#undef ROW
};

static bool no_screen(const char *why)
{
    bough_complain("top: %s; `bough top --once` prints one picture", why);
    return false;
}

/* ncurses would end the program where it cannot work. */
static bool can_have_one(void)
{
    const char *terminal = getenv("TERM");

    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return no_screen("stdin and stdout must be a terminal");
    if (terminal == NULL || terminal[0] == '\0')
        return no_screen("TERM is not set, so that the terminal is not known");
    if (strcmp(terminal, "dumb") == 0)
        return no_screen("the terminal cannot move its cursor (TERM is \"dumb\")");
    return true;
}

static bool keep_stderr(struct bough_screen *screen)
{
    fflush(stderr);
    screen->complaints = memfd_create("complaints", MFD_CLOEXEC);
    screen->stderr_kept = dup(STDERR_FILENO);
    if (screen->complaints >= 0 && screen->stderr_kept >= 0 &&
        dup2(screen->complaints, STDERR_FILENO) == STDERR_FILENO)
        return true;
    if (screen->complaints >= 0) close(screen->complaints);
    if (screen->stderr_kept >= 0) close(screen->stderr_kept);
    return no_screen("no descriptors are left");
}

static void give_stderr_back(struct bough_screen *screen)
{
    fflush(stderr);
    (void)dup2(screen->stderr_kept, STDERR_FILENO);
    close(screen->stderr_kept);
    close(screen->complaints);
}

static bool wants_colour(void)
{
    return bough_output_colour(stdout) && curses.has_colors();
}

static void begin_colours(void)
{
    curses.start_color();
    curses.use_default_colors();
    curses.init_pair(BOUGH_GREEN, COLOR_GREEN, -1);
    curses.init_pair(BOUGH_YELLOW, COLOR_YELLOW, -1);
    curses.init_pair(BOUGH_RED, COLOR_RED, -1);
}

bool bough_screen_open(struct bough_screen *screen)
{
    const char *why;

    if (!can_have_one()) return false;
    if (!bough_library_load(BOUGH_CURSES_LIBRARY, functions, bough_count_of(functions),
                            &curses, &why))
        return no_screen(why);
    if (!keep_stderr(screen)) return false;
    if (curses.newterm(NULL, stdout, stdin) == NULL) {
        give_stderr_back(screen);
        bough_complain("top: the terminal \"%s\" (TERM) is not known here; `bough top "
                       "--once` prints one picture",
                       getenv("TERM"));
        return false;
    }
    curses.set_escdelay(50); /* ms: long enough for a key that is a sequence */
    curses.cbreak();
    curses.noecho();
    curses.nonl();
    curses.keypad(*curses.stdscr, TRUE);
    curses.curs_set(0);
    screen->colour = wants_colour();
    if (screen->colour) begin_colours();
    return true;
}

void bough_screen_close(struct bough_screen *screen)
{
    curses.endwin();
    give_stderr_back(screen);
}

void bough_screen_size(int *width, int *height)
{
    *width = curses.getmaxx(*curses.stdscr);
    *height = curses.getmaxy(*curses.stdscr);
}

static attr_t attributes_of(const struct bough_screen *screen,
                            const struct bough_top_line *line)
{
    (void)screen;
    return (line->bold ? A_BOLD : A_NORMAL) | (line->reverse ? A_REVERSE : A_NORMAL);
}

static attr_t attributes_of_paint(const struct bough_screen *screen,
                                  enum bough_paint paint)
{
    if (paint == BOUGH_DIM) return A_DIM;
    if (paint == BOUGH_PLAIN || paint == BOUGH_BOLD) return A_NORMAL;
    return screen->colour ? (attr_t)curses.COLOR_PAIR(paint) : A_NORMAL;
}

/* A reversed line is that to its end. */
static void draw_line(const struct bough_screen *screen,
                      const struct bough_top_line *line, int y)
{
    const attr_t all = attributes_of(screen, line);
    const int length = (int)strlen(line->text);
    const int from = line->painted < length ? line->painted : length;
    const int to = line->painted_end < length ? line->painted_end : length;

    curses.wmove(*curses.stdscr, y, 0);
    curses.wbkgdset(*curses.stdscr, ' ' | all);
    curses.wclrtoeol(*curses.stdscr);
    curses.wattrset(*curses.stdscr, (int)all);
    curses.waddnstr(*curses.stdscr, line->text, from);
    curses.wattrset(*curses.stdscr,
                    (int)(all | attributes_of_paint(screen, line->paint)));
    curses.waddnstr(*curses.stdscr, line->text + from, to - from);
    curses.wattrset(*curses.stdscr, (int)all);
    curses.waddnstr(*curses.stdscr, line->text + to, length - to);
    curses.wbkgdset(*curses.stdscr, ' ');
}

void bough_screen_draw(const struct bough_screen *screen,
                       const struct bough_top_line *lines, int count)
{
    for (int y = 0; y < count; y++)
        draw_line(screen, &lines[y], y);
    curses.wrefresh(*curses.stdscr);
}

static int special_key(int key)
{
    static const struct {
        int curses, ours;
    } keys[] = {
        { KEY_UP, BOUGH_KEY_UP },         { KEY_DOWN, BOUGH_KEY_DOWN },
        { KEY_LEFT, BOUGH_KEY_LEFT },     { KEY_RIGHT, BOUGH_KEY_RIGHT },
        { KEY_PPAGE, BOUGH_KEY_PAGE_UP }, { KEY_NPAGE, BOUGH_KEY_PAGE_DOWN },
        { KEY_HOME, BOUGH_KEY_HOME },     { KEY_END, BOUGH_KEY_END },
        { KEY_ENTER, BOUGH_KEY_ENTER },   { '\r', BOUGH_KEY_ENTER },
        { '\n', BOUGH_KEY_ENTER },        { KEY_BACKSPACE, BOUGH_KEY_BACKSPACE },
        { 0x7f, BOUGH_KEY_BACKSPACE },    { '\b', BOUGH_KEY_BACKSPACE },
        { 0x1b, BOUGH_KEY_ESCAPE },       { KEY_RESIZE, BOUGH_SCREEN_RESIZED },
    };

    for (size_t i = 0; i < bough_count_of(keys); i++)
        if (keys[i].curses == key) return keys[i].ours;
    return key < 0x100 ? key : BOUGH_SCREEN_NO_KEY;
}

int bough_screen_key(int wait_ms)
{
    int key;

    curses.wtimeout(*curses.stdscr, wait_ms);
    key = curses.wgetch(*curses.stdscr);
    if (key != ERR) return special_key(key);
    /* Nothing came, or nothing can come any more. */
    return isatty(STDIN_FILENO) == 1 ? BOUGH_SCREEN_NO_KEY : BOUGH_SCREEN_CLOSED;
}

bool bough_screen_complaint(const struct bough_screen *screen, char *text, size_t size)
{
    static const char prefix[] = "bough: ";
    char all[BOUGH_TOP_TEXT];
    const char *line = all;
    ssize_t length;

    fflush(stderr);
    length = pread(screen->complaints, all, sizeof(all) - 1, 0);
    if (length <= 0) return false;
    (void)!ftruncate(screen->complaints, 0);
    (void)lseek(screen->complaints, 0, SEEK_SET);
    all[length] = '\0';
    all[strcspn(all, "\n")] = '\0';
    if (strncmp(line, prefix, sizeof(prefix) - 1) == 0) line += sizeof(prefix) - 1;
    snprintf(text, size, "%s", line);
    return true;
}

#endif
