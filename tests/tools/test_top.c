/* test_top.c - what `bough top` shows, and what keys do to it, without a terminal.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/core/public.h>
#include <bough/tools/bough/top.h>
#include <bough/tools/bough/top_draw.h>

enum { WIDTH = 120, HEIGHT = 20 };

struct fixture {
    struct bough_top top;
    struct bough_top_line screen[HEIGHT];
};

/* A place with no more than a test needs; `more` begins with a comma, or is "". */
#define PLACE(path, name, more, children) \
    "{\"path\":\"" path "\",\"name\":\"" name "\",\"type\":\"t\",\"restarts\":0," \
    "\"life\":1,\"uptime_ms\":5000,\"mailbox\":{\"length\":0,\"capacity\":9}" more \
    ",\"children\":[" children "]}"
#define RUNS ",\"state\":\"running\",\"pid\":null,\"memory\":null,\"cpu_ms\":null"

/* /, /a, /b (a process), /b/c and /b/d in it. */
#define SHOP(a, b, c, d) \
    "{\"name\":\"shop\",\"pid\":7,\"root\":" PLACE( \
        "/", "/", RUNS, \
        PLACE("/a", "a", a, "") "," PLACE( \
            "/b", "b", b, PLACE("/b/c", "c", c, "") "," PLACE("/b/d", "d", d, ""))) "}"

static const char quiet[] = SHOP(RUNS, RUNS, RUNS, RUNS);

static void take(struct fixture *fixture, const char *text, int64_t at_ms)
{
    const struct bough_top_picture picture = { .tree = json_loads(text, 0, NULL),
                                               .at_ms = at_ms,
                                               .cpu_ms = at_ms / 10,
                                               .memory = 1 << 20 };

    assert_non_null(picture.tree);
    assert_true(bough_top_take(&fixture->top, &picture));
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    assert_true(bough_top_init(&fixture->top));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    bough_top_finish(&fixture->top);
    free(fixture);
    return 0;
}

static void draw(struct fixture *fixture)
{
    bough_top_draw(&fixture->top, NULL, WIDTH, HEIGHT, fixture->screen);
}

static enum bough_top_action press(struct fixture *fixture, const char *keys)
{
    enum bough_top_action action = BOUGH_TOP_NOTHING;

    for (; *keys != '\0'; keys++)
        action = bough_top_key(&fixture->top, *keys);
    return action;
}

/* The names of the rows, in order, a blank between. */
static void assert_rows(const struct fixture *fixture, const char *expected)
{
    char names[256] = "";

    for (size_t i = 0; i < fixture->top.count; i++) {
        strncat(names, i > 0 ? " " : "", sizeof(names) - strlen(names) - 1);
        strncat(names, fixture->top.rows[i].path, sizeof(names) - strlen(names) - 1);
    }
    assert_string_equal(names, expected);
}

static void assert_near(double number, double expected)
{
    assert_true(number > expected - 0.001 && number < expected + 0.001);
}

/* Rows */

static void rows_are_the_tree_in_start_order(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    assert_rows(fixture, "/ /a /b /b/c /b/d");
    assert_int_equal(fixture->top.rows[3].depth, 2);
    assert_int_equal(fixture->top.totals.actors, 5);
    assert_int_equal(fixture->top.totals.running, 5);
}

static void one_look_knows_no_rates(void **state)
{
    struct fixture *fixture = *state;

    take(fixture,
         SHOP(RUNS ",\"handled\":5",
              ",\"state\":\"running\",\"pid\":9,\"memory\":4096,\"cpu_ms\":10", RUNS,
              RUNS),
         0);
    assert_true(fixture->top.rows[1].rate < 0);
    assert_true(fixture->top.rows[2].cpu < 0);
    assert_int_equal(fixture->top.rows[2].memory, 4096);
}

#define PROCESS(pid, cpu, handled) \
    ",\"state\":\"running\",\"pid\":" #pid ",\"memory\":4096,\"cpu_ms\":" #cpu \
    ",\"handled\":" #handled

static void two_looks_make_rates(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(RUNS, PROCESS(9, 100, 50), RUNS, RUNS), 1000);
    take(fixture, SHOP(RUNS, PROCESS(9, 600, 80), RUNS, RUNS), 3000);
    assert_near(fixture->top.rows[2].cpu, 25);
    assert_near(fixture->top.rows[2].rate, 15);
    assert_near(fixture->top.totals.rate, 15);
    /* The tree's own process used a tenth. */
    assert_near(fixture->top.totals.cpu, 35);
}

static void what_began_again_has_no_rate(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(RUNS, PROCESS(9, 100, 50), RUNS, RUNS), 1000);
    take(fixture, SHOP(RUNS, PROCESS(10, 600, 20), RUNS, RUNS), 2000);
    assert_true(fixture->top.rows[2].cpu < 0);
    assert_true(fixture->top.rows[2].rate < 0);
}

static void another_tree_at_the_socket_begins_anew(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(RUNS, PROCESS(9, 100, 50), RUNS, RUNS), 1000);
    take(fixture, "{\"name\":\"shop\",\"pid\":8,\"root\":" PLACE("/", "/", RUNS, "") "}",
         2000);
    assert_null(fixture->top.before.tree);
    assert_rows(fixture, "/");
}

static void a_process_is_counted_once(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(RUNS, PROCESS(9, 1, 1), PROCESS(9, 1, 1), PROCESS(12, 1, 1)),
         1000);
    assert_int_equal(fixture->top.totals.memory, 2 * 4096 + (1 << 20));
}

/* Keys */

static void what_is_folded_is_not_seen(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    press(fixture, "jj-");
    assert_rows(fixture, "/ /a /b");
    assert_int_equal(fixture->top.totals.actors, 5);
    take(fixture, quiet, 1000);
    assert_rows(fixture, "/ /a /b");
    press(fixture, "+");
    assert_rows(fixture, "/ /a /b /b/c /b/d");
}

static void a_filter_keeps_those_above(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    press(fixture, "/b/c");
    assert_rows(fixture, "/ /b /b/c");
    bough_top_key(&fixture->top, BOUGH_KEY_BACKSPACE);
    bough_top_key(&fixture->top, BOUGH_KEY_ENTER);
    assert_string_equal(fixture->top.filter, "b/");
    assert_rows(fixture, "/ /b /b/c /b/d");
    bough_top_key(&fixture->top, BOUGH_KEY_ESCAPE);
    assert_rows(fixture, "/ /a /b /b/c /b/d");
}

static void a_filter_finds_what_is_folded(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    press(fixture, "-");
    assert_rows(fixture, "/");
    press(fixture, "/d");
    assert_rows(fixture, "/ /b /b/d");
}

static void an_order_makes_a_list_of_paths(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(PROCESS(9, 0, 0), RUNS, PROCESS(10, 0, 0), RUNS), 0);
    take(fixture, SHOP(PROCESS(9, 10, 0), RUNS, PROCESS(10, 500, 0), RUNS), 1000);
    press(fixture, "o");
    assert_int_equal(fixture->top.order, BOUGH_TOP_CPU);
    /* Those of which nothing is known are last, by path. */
    assert_rows(fixture, "/b/c /a / /b /b/d");
    press(fixture, "O");
    assert_rows(fixture, "/ /a /b /b/c /b/d");
    press(fixture, "O");
    assert_int_equal(fixture->top.order, BOUGH_TOP_STATE);
}

static void the_selected_actor_stays_selected(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(PROCESS(9, 0, 0), RUNS, PROCESS(10, 0, 0), RUNS), 0);
    take(fixture, SHOP(PROCESS(9, 10, 0), RUNS, PROCESS(10, 500, 0), RUNS), 1000);
    press(fixture, "jjj");
    assert_string_equal(fixture->top.selected, "/b/c");
    press(fixture, "o");
    assert_string_equal(fixture->top.selected, "/b/c");
    assert_int_equal(fixture->top.at, 0);
}

static void stop_and_kill_want_a_yes(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    assert_int_equal(press(fixture, "jk"), BOUGH_TOP_NOTHING);
    assert_int_equal(press(fixture, "n"), BOUGH_TOP_NOTHING);
    assert_int_equal(press(fixture, "ky"), BOUGH_TOP_KILL);
    assert_int_equal(press(fixture, "s"), BOUGH_TOP_NOTHING);
    assert_int_equal(bough_top_key(&fixture->top, BOUGH_KEY_ENTER), BOUGH_TOP_NOTHING);
    assert_int_equal(press(fixture, "sy"), BOUGH_TOP_STOP);
    assert_string_equal(fixture->top.selected, "/a");
    assert_int_equal(press(fixture, "r"), BOUGH_TOP_RESTART);
}

static void what_is_down_is_started(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(",\"state\":\"stopped\"", RUNS, RUNS, RUNS), 0);
    assert_int_equal(press(fixture, "js"), BOUGH_TOP_START);
}

static void a_question_about_who_is_gone_is_dropped(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    press(fixture, "jjjk");
    assert_int_equal(fixture->top.mode, BOUGH_TOP_CONFIRM);
    take(fixture, "{\"name\":\"shop\",\"pid\":7,\"root\":" PLACE("/", "/", RUNS, "") "}",
         9);
    assert_int_equal(fixture->top.mode, BOUGH_TOP_TABLE);
    assert_string_equal(fixture->top.message, "/b/c is not there any more");
    assert_int_equal(press(fixture, "y"), BOUGH_TOP_NOTHING);
}

static void a_log_stays_that_of_who_is_gone(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    assert_int_equal(press(fixture, "jjjl"), BOUGH_TOP_LOOK);
    take(fixture, "{\"name\":\"shop\",\"pid\":7,\"root\":" PLACE("/", "/", RUNS, "") "}",
         9);
    assert_string_equal(fixture->top.selected, "/b/c");
    press(fixture, "q");
    assert_string_equal(fixture->top.selected, "/");
}

/* Each key in each mode, on a tree that comes and goes: whatever is pressed, what is
 * drawn and asked about is there. */
static void no_key_in_any_mode_does_harm(void **state)
{
    static const int keys[] = { 'q',
                                '-',
                                '+',
                                'o',
                                'O',
                                '/',
                                '?',
                                'r',
                                's',
                                'k',
                                'l',
                                'e',
                                'y',
                                'x',
                                'G',
                                'g',
                                ' ',
                                BOUGH_KEY_UP,
                                BOUGH_KEY_DOWN,
                                BOUGH_KEY_LEFT,
                                BOUGH_KEY_RIGHT,
                                BOUGH_KEY_PAGE_UP,
                                BOUGH_KEY_PAGE_DOWN,
                                BOUGH_KEY_HOME,
                                BOUGH_KEY_END,
                                BOUGH_KEY_ENTER,
                                BOUGH_KEY_ESCAPE,
                                BOUGH_KEY_BACKSPACE };
    struct fixture *fixture = *state;
    unsigned int random = 1;

    take(fixture, quiet, 0);
    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245 + 12345;
        bough_top_key(&fixture->top, keys[(random >> 16) % bough_count_of(keys)]);
        if (i % 50 == 0) take(fixture, quiet, i);
        if (i % 50 == 25)
            take(fixture,
                 "{\"name\":\"x\",\"pid\":1,\"root\":" PLACE("/", "/", RUNS, "") "}", i);
        bough_top_draw(&fixture->top, NULL, 30 + i % 90, 1 + i % (HEIGHT - 1),
                       fixture->screen);
        assert_true(fixture->top.count == 0 || fixture->top.at < fixture->top.count);
    }
}

/* The picture */

static void a_line_has_what_is_known(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, SHOP(PROCESS(9, 0, 0), RUNS, RUNS, RUNS), 0);
    take(fixture, SHOP(PROCESS(9, 10, 30), RUNS, RUNS, RUNS), 1000);
    draw(fixture);
    assert_string_equal(fixture->screen[0].text,
                        "shop (pid 7), up 5s: 5 actors, 5 running, 0 restarts");
    assert_string_equal(fixture->screen[1].text,
                        "cpu 11.0%, memory 1.0M, 0 messages wait, 30.0 messages/s");
    assert_non_null(strstr(fixture->screen[3].text, "- /  "));
    assert_non_null(
        strstr(fixture->screen[4].text,
               "running           0        0    1.0     4.0K     30.0     1       5s t"));
    assert_non_null(
        strstr(fixture->screen[5].text,
               "running           0        0      -        -        -     1       5s t"));
    assert_true(fixture->screen[3].reverse);
    assert_int_equal(fixture->screen[4].paint, BOUGH_GREEN);
}

static void no_line_is_longer_than_the_screen(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    for (int width = 1; width < 140; width++) {
        bough_top_draw(&fixture->top, NULL, width, HEIGHT, fixture->screen);
        for (int i = 0; i < HEIGHT; i++)
            assert_true(strlen(fixture->screen[i].text) <= (size_t)width);
    }
}

static void a_narrow_screen_keeps_names_and_states(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    bough_top_draw(&fixture->top, NULL, BOUGH_TOP_WIDTH_MIN, HEIGHT, fixture->screen);
    assert_non_null(strstr(fixture->screen[2].text, "NAME"));
    assert_non_null(strstr(fixture->screen[2].text, "STATE"));
    assert_null(strstr(fixture->screen[2].text, "TYPE"));
    assert_non_null(strstr(fixture->screen[4].text, "    a"));
    assert_non_null(strstr(fixture->screen[4].text, "running"));
}

static void a_screen_that_is_too_small_says_so(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    bough_top_draw(&fixture->top, NULL, 60, BOUGH_TOP_HEIGHT_MIN - 1, fixture->screen);
    assert_string_equal(fixture->screen[0].text, "too small: 40x8 needed");
    bough_top_draw(&fixture->top, NULL, 5, 1, fixture->screen);
    assert_string_equal(fixture->screen[0].text, "too s");
}

static void the_selected_row_is_on_the_screen(void **state)
{
    struct fixture *fixture = *state;

    take(fixture, quiet, 0);
    bough_top_key(&fixture->top, BOUGH_KEY_END);
    bough_top_draw(&fixture->top, NULL, WIDTH, BOUGH_TOP_HEIGHT_MIN, fixture->screen);
    /* Eight lines: two of totals, headings, four rows, the foot. */
    assert_non_null(strstr(fixture->screen[6].text, "      d"));
    assert_true(fixture->screen[6].reverse);
    bough_top_key(&fixture->top, BOUGH_KEY_HOME);
    bough_top_draw(&fixture->top, NULL, WIDTH, BOUGH_TOP_HEIGHT_MIN, fixture->screen);
    assert_true(fixture->screen[3].reverse);
}

static void the_end_of_a_log_is_shown_until_it_is_scrolled(void **state)
{
    struct fixture *fixture = *state;
    const char *const texts[] = { "one", "two", "three", "four", "five", "six" };
    const struct bough_top_lines lines = { .lines = texts,
                                           .count = bough_count_of(texts) };

    take(fixture, quiet, 0);
    press(fixture, "l");
    bough_top_draw(&fixture->top, &lines, WIDTH, BOUGH_TOP_HEIGHT_MIN, fixture->screen);
    assert_string_equal(fixture->screen[2].text, "log of /");
    assert_string_equal(fixture->screen[3].text, "three");
    assert_string_equal(fixture->screen[6].text, "six");
    bough_top_key(&fixture->top, BOUGH_KEY_UP);
    bough_top_draw(&fixture->top, &lines, WIDTH, BOUGH_TOP_HEIGHT_MIN, fixture->screen);
    assert_string_equal(fixture->screen[6].text, "five");
    bough_top_key(&fixture->top, BOUGH_KEY_HOME);
    bough_top_draw(&fixture->top, &lines, WIDTH, BOUGH_TOP_HEIGHT_MIN, fixture->screen);
    assert_string_equal(fixture->screen[3].text, "one");
}

static void nothing_in_a_line_does_things_to_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    const char *const texts[] = { "a\033[2Jb\tc\xff" };
    const struct bough_top_lines lines = { .lines = texts, .count = 1 };

    take(fixture, quiet, 0);
    press(fixture, "l");
    bough_top_draw(&fixture->top, &lines, WIDTH, HEIGHT, fixture->screen);
    assert_string_equal(fixture->screen[3].text, "a?[2Jb c?");
}

static void as_text_all_rows_and_columns_are_there(void **state)
{
    struct fixture *fixture = *state;
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    take(fixture, quiet, 0);
    bough_top_print(file, &fixture->top);
    fclose(file);
    assert_non_null(strstr(text, "TYPE\n- /  "));
    assert_non_null(strstr(text, "\n      d   "));
    assert_null(strstr(text, " \n"));
    free(text);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(rows_are_the_tree_in_start_order),
        test(one_look_knows_no_rates),
        test(two_looks_make_rates),
        test(what_began_again_has_no_rate),
        test(another_tree_at_the_socket_begins_anew),
        test(a_process_is_counted_once),
        test(what_is_folded_is_not_seen),
        test(a_filter_keeps_those_above),
        test(a_filter_finds_what_is_folded),
        test(an_order_makes_a_list_of_paths),
        test(the_selected_actor_stays_selected),
        test(stop_and_kill_want_a_yes),
        test(what_is_down_is_started),
        test(a_question_about_who_is_gone_is_dropped),
        test(a_log_stays_that_of_who_is_gone),
        test(no_key_in_any_mode_does_harm),
        test(a_line_has_what_is_known),
        test(no_line_is_longer_than_the_screen),
        test(a_narrow_screen_keeps_names_and_states),
        test(a_screen_that_is_too_small_says_so),
        test(the_selected_row_is_on_the_screen),
        test(the_end_of_a_log_is_shown_until_it_is_scrolled),
        test(nothing_in_a_line_does_things_to_the_terminal),
        test(as_text_all_rows_and_columns_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
