/* test_journal.c - the last lines of the log: who they are of, how many are kept, and
 * what becomes of a reader that is too slow.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/core/runtime.h>
#include <bough/tools/bough/journal.h>

enum { LINES = 8, BYTES = 4096 };

static int setup(void **state)
{
    *state = bough_journal_new(LINES, BYTES);
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    bough_journal_free(*state);
    return 0;
}

static void add_at(struct bough_journal *journal, enum bough_log_level level,
                   const char *path, const char *text)
{
    const struct bough_log_record record = { .level = level, .path = path, .text = text };

    bough_journal_add(journal, &record);
}

static void add(struct bough_journal *journal, const char *path, const char *text)
{
    add_at(journal, BOUGH_INFO, path, text);
}

static void open_at(struct bough_journal *journal, struct bough_journal_reader *reader,
                    const char *path, uint64_t lines, bool follow)
{
    *reader = (struct bough_journal_reader){ .journal = NULL };
    bough_journal_open(journal, reader, path, BOUGH_INFO, lines, follow);
}

/* All texts that are there for it now, "missed N" among them, with blanks between. */
static void assert_reads(struct bough_journal_reader *reader, const char *expected)
{
    char all[1024] = "";
    json_t *line;

    while ((line = bough_journal_read(reader)) != NULL) {
        const char *text = json_string_value(json_object_get(line, "text"));
        const size_t length = strlen(all);

        if (text == NULL)
            snprintf(all + length, sizeof(all) - length, "%smissed %d",
                     length > 0 ? " " : "",
                     (int)json_integer_value(json_object_get(line, "missed")));
        else
            snprintf(all + length, sizeof(all) - length, "%s%s", length > 0 ? " " : "",
                     text);
        json_decref(line);
    }
    assert_string_equal(all, expected);
}

static void assert_finds(struct bough_journal *journal, const char *path, uint64_t lines,
                         const char *expected)
{
    struct bough_journal_reader reader;

    open_at(journal, &reader, path, lines, false);
    assert_reads(&reader, expected);
    bough_journal_close(&reader);
}

static void lines_are_of_who_lives_there_or_below(void **state)
{
    add(*state, "/a", "1");
    add(*state, "/ab", "2");
    add(*state, "/a/b", "3");
    add(*state, "/", "4");
    add(*state, "", "5");
    assert_finds(*state, "/a", 100, "1 3");
    assert_finds(*state, "/a/b", 100, "3");
    assert_finds(*state, "/", 100, "1 2 3 4 5");
    assert_finds(*state, "/b", 100, "");
    assert_true(bough_journal_has(*state, "/a/b"));
    assert_false(bough_journal_has(*state, "/a/b/c"));
    assert_false(bough_journal_has(*state, "/b"));
}

static void the_last_ones_are_those_that_were_asked_for(void **state)
{
    for (char name[] = "1"; name[0] <= '5'; name[0]++) {
        add(*state, "/a", name);
        add(*state, "/b", "x");
    }
    assert_finds(*state, "/a", 2, "4 5");
    assert_finds(*state, "/a", 1, "5");
    assert_finds(*state, "/a", 0, "");
    assert_finds(*state, "/a", UINT64_MAX, "2 3 4 5");
}

static void lines_of_a_lower_level_are_left_out(void **state)
{
    struct bough_journal_reader reader = { .journal = NULL };

    add_at(*state, BOUGH_DEBUG, "/a", "1");
    add_at(*state, BOUGH_WARNING, "/a", "2");
    add_at(*state, BOUGH_ERROR, "/a", "3");
    add_at(*state, BOUGH_INFO, "/a", "4");
    assert_finds(*state, "/a", 10, "2 3 4");
    bough_journal_open(*state, &reader, "/a", BOUGH_WARNING, 1, false);
    assert_reads(&reader, "3");
    bough_journal_close(&reader);
}

static void what_comes_later_is_for_those_who_follow(void **state)
{
    struct bough_journal_reader follower, other;

    add(*state, "/a", "1");
    open_at(*state, &follower, "/a", 10, true);
    open_at(*state, &other, "/a", 10, false);
    add(*state, "/a", "2");
    add(*state, "/b", "3");
    assert_reads(&follower, "1 2");
    assert_reads(&other, "1");
    add(*state, "/a", "4");
    assert_reads(&follower, "4");
    assert_reads(&other, "");
    bough_journal_close(&follower);
    bough_journal_close(&other);
}

static void who_is_too_slow_is_told_how_many_of_its_lines_are_gone(void **state)
{
    struct bough_journal_reader slow, quick;

    open_at(*state, &slow, "/a", 0, true);
    open_at(*state, &quick, "/a", 0, true);
    for (int i = 0; i < 3 * LINES; i++) {
        add(*state, "/b", "x");
        add(*state, "/a", "y");
        assert_reads(&quick, "y");
    }
    assert_reads(&slow, "missed 20 y y y y");
    add(*state, "/a", "z");
    assert_reads(&slow, "z");
    bough_journal_close(&slow);
    bough_journal_close(&quick);
}

static void what_nobody_asked_for_is_not_missed(void **state)
{
    struct bough_journal_reader reader;

    add(*state, "/a", "1");
    open_at(*state, &reader, "/a", 10, false);
    for (int i = 0; i < 2 * LINES; i++)
        add(*state, "/a", "x");
    assert_reads(&reader, "missed 1");
    assert_reads(&reader, "");
    bough_journal_close(&reader);
}

static void long_lines_are_bounded_by_their_bytes(void **state)
{
    char text[BYTES];

    memset(text, 'x', sizeof(text) - 1);
    text[1500] = '\0';
    for (int i = 0; i < 4; i++) {
        text[0] = (char)('1' + i);
        add(*state, "/a", text);
    }
    assert_false(bough_journal_has(*state, "/b"));
    add(*state, "/a", "5");

    struct bough_journal_reader reader;
    open_at(*state, &reader, "/a", 100, false);
    for (const char *first = "345"; *first != '\0'; first++) {
        json_t *line = bough_journal_read(&reader);

        assert_int_equal(json_string_value(json_object_get(line, "text"))[0], *first);
        json_decref(line);
    }
    assert_null(bough_journal_read(&reader));
    bough_journal_close(&reader);
}

static void one_line_is_kept_however_long(void **state)
{
    char text[2 * BYTES];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    add(*state, "/b", "1");
    add(*state, "/a", text);
    assert_true(bough_journal_has(*state, "/a"));
    assert_false(bough_journal_has(*state, "/b"));
    add(*state, "/b", "2");
    assert_finds(*state, "/", 10, "2");
}

static void a_line_is_an_object(void **state)
{
    const struct bough_log_record record = {
        .level = BOUGH_WARNING,
        .realtime_ns = INT64_C(1769860800123000000),
        .path = "/a",
        .stream = "stderr",
        .text = "not \xff UTF-8",
    };
    struct bough_journal_reader reader;

    bough_journal_add(*state, &record);
    open_at(*state, &reader, "/", 1, false);
    json_t *line = bough_journal_read(&reader);
    char *text = json_dumps(line, JSON_COMPACT);
    assert_string_equal(text,
                        "{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"warning\","
                        "\"path\":\"/a\",\"stream\":\"stderr\","
                        "\"text\":\"not ? UTF-8\"}");
    free(text);
    json_decref(line);
    bough_journal_close(&reader);
}

static void count(void *data)
{
    ++*(int *)data;
}

static void who_listens_is_told_of_what_somebody_wants(void **state)
{
    struct bough_journal_reader reader;
    int told = 0;

    bough_journal_listen(*state, count, &told);
    add(*state, "/a", "1");
    assert_int_equal(told, 0);
    open_at(*state, &reader, "/a", 0, true);
    add(*state, "/a", "2");
    assert_int_equal(told, 1);
    add(*state, "/b", "3");
    add_at(*state, BOUGH_DEBUG, "/a", "4");
    assert_int_equal(told, 1);
    bough_journal_close(&reader);
    bough_journal_close(&reader);
    add(*state, "/a", "5");
    assert_int_equal(told, 1);
}

/* The hooks behind: how many lines they had, and whether they take one. */
struct behind {
    int lines;
    bool full;
};

static void take(void *data, const struct bough_log_record *record)
{
    struct behind *behind = data;

    (void)record;
    behind->lines++;
}

static bool take_or_not(void *data, const struct bough_log_record *record)
{
    struct behind *behind = data;

    if (!behind->full) take(data, record);
    return !behind->full;
}

static void it_has_what_a_runtime_reports_and_hands_it_on(void **state)
{
    struct behind behind = { .lines = 0 };
    const struct bough_runtime_options options = {
        .log = take,
        .log_data = &behind,
        .output = take_or_not,
        .output_data = &behind,
    };
    const struct bough_log_record record = {
        .level = BOUGH_INFO, .path = "/a", .stream = "stdout", .text = "2"
    };
    struct bough_runtime *runtime = bough_runtime_new(&options);

    assert_non_null(runtime);
    bough_journal_tap(*state, runtime);
    bough_log(runtime, BOUGH_WARNING, "/a", "%d", 1);
    behind.full = true;
    assert_false(bough_output(runtime, &record));
    assert_finds(*state, "/", 10, "1");
    behind.full = false;
    assert_true(bough_output(runtime, &record));
    bough_runtime_free(runtime);
    assert_finds(*state, "/", 10, "1 2");
    assert_int_equal(behind.lines, 2);
}

static void without_a_hook_for_programs_their_lines_are_reports(void **state)
{
    struct behind behind = { .lines = 0 };
    const struct bough_runtime_options options = { .log = take, .log_data = &behind };
    const struct bough_log_record record = {
        .level = BOUGH_INFO, .path = "/a", .stream = "stdout", .text = "1"
    };
    struct bough_runtime *runtime = bough_runtime_new(&options);

    assert_non_null(runtime);
    bough_journal_tap(*state, runtime);
    assert_true(bough_output(runtime, &record));
    bough_runtime_free(runtime);
    assert_finds(*state, "/", 10, "1");
    assert_int_equal(behind.lines, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_of_who_lives_there_or_below, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_last_ones_are_those_that_were_asked_for,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_a_lower_level_are_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_comes_later_is_for_those_who_follow, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            who_is_too_slow_is_told_how_many_of_its_lines_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_asked_for_is_not_missed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_bounded_by_their_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_line_is_kept_however_long, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_is_an_object, setup, teardown),
        cmocka_unit_test_setup_teardown(it_has_what_a_runtime_reports_and_hands_it_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            without_a_hook_for_programs_their_lines_are_reports, setup, teardown),
        cmocka_unit_test_setup_teardown(who_listens_is_told_of_what_somebody_wants, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
