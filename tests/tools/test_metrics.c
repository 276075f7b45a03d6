/* test_metrics.c - figures in the text of Prometheus: names, escapes, what is left out.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bough/tools/bough/figures.h>
#include <bough/tools/bough/metrics.h>
#include <bough/tools/bough/tally.h>

/* Of so many places, all alike. */
static struct bough_figures *figures_of(size_t count, const struct bough_figure *place)
{
    struct bough_figures *figures = calloc(1, sizeof(*figures));

    assert_non_null(figures);
    figures->places = calloc(count, sizeof(*figures->places));
    assert_non_null(figures->places);
    figures->name = "shop";
    figures->count = count;
    for (size_t i = 0; i < count; i++)
        figures->places[i] = *place;
    return figures;
}

/* All of it; how many pieces it came in. */
static size_t print(struct bough_figures *figures, char **text)
{
    struct bough_metrics *metrics = bough_metrics_new(figures);
    size_t size, pieces = 0;
    FILE *file = open_memstream(text, &size);

    assert_non_null(metrics);
    assert_non_null(file);
    while (bough_metrics_print(metrics, file))
        pieces++;
    fclose(file);
    bough_metrics_free(metrics);
    return pieces;
}

static void assert_prints(struct bough_figures *figures, const char *line, bool expected)
{
    char *text;

    print(figures, &text);
    if ((strstr(text, line) != NULL) != expected)
        fail_msg("%s: %s\n%s", line, expected ? "is not there" : "is there", text);
    free(text);
}

static void what_a_label_cannot_hold_is_escaped(void **state)
{
    const struct bough_actor_type type = { .name = "a\"b\\c\nd\xff" };
    const struct bough_figure figure = { .info = { .path = "/a", .type = &type } };

    (void)state;
    assert_prints(figures_of(1, &figure),
                  "\nbough_actor_info{path=\"/a\",type=\"a\\\"b\\\\c\\nd?\",restart=\"\","
                  "isolation=\"inline\"} 1\n",
                  true);
}

static void reserved_is_stopped(void **state)
{
    const struct bough_actor_type type = { .name = "t" };
    const struct bough_figure figure = {
        .info = { .path = "/a", .type = &type, .state = BOUGH_PLACE_RESERVED },
    };
    struct bough_figures *figures = figures_of(1, &figure);

    (void)state;
    figures->states[BOUGH_PLACE_RESERVED] = 2;
    figures->states[BOUGH_PLACE_STOPPED] = 3;
    assert_prints(figures, "\nbough_actors{state=\"stopped\"} 5\n", true);
    assert_prints(figures_of(1, &figure),
                  "\nbough_actor_state{path=\"/a\",state=\"stopped\"} 1\n", true);
}

static void buckets_add_up(void **state)
{
    const struct bough_actor_type type = { .name = "t" };
    const struct bough_latency latency = {
        .counts = { [0] = 2, [1] = 1, [BOUGH_LATENCY_BUCKETS - 1] = 4 },
        .sum_ns = 300000000123,
    };
    const struct bough_figure figure = {
        .info = { .path = "/a", .type = &type },
        .latency = &latency,
    };

    (void)state;
    assert_prints(figures_of(1, &figure),
                  "_bucket{path=\"/a\",le=\"0.000001\"} 2\n"
                  "bough_call_duration_seconds_bucket{path=\"/a\",le=\"0.000004\"} 3\n",
                  true);
    assert_prints(figures_of(1, &figure),
                  "_bucket{path=\"/a\",le=\"67.108864\"} 3\n"
                  "bough_call_duration_seconds_bucket{path=\"/a\",le=\"+Inf\"} 7\n"
                  "bough_call_duration_seconds_sum{path=\"/a\"} 300.000000123\n"
                  "bough_call_duration_seconds_count{path=\"/a\"} 7\n",
                  true);
}

/* Its time is not part of the place's sum so far, and not to be read any more. */
static void a_process_that_has_just_gone_has_no_counter_that_goes_back(void **state)
{
    const struct bough_actor_type type = { .name = "t" };
    struct bough_figure figure = {
        .info = { .path = "/a", .type = &type, .pid = INT32_MAX, .spent_ms = 5000 },
    };

    (void)state;
    assert_prints(figures_of(1, &figure), "\nbough_process_cpu_seconds_total{", false);
    figure.info.pid = 0;
    assert_prints(figures_of(1, &figure),
                  "\nbough_process_cpu_seconds_total{path=\"/a\"} 5.000\n", true);
    figure.info.spent_ms = 0;
    assert_prints(figures_of(1, &figure), "\nbough_process_cpu_seconds_total{", false);
    figure.info.pid = getpid();
    assert_prints(figures_of(1, &figure),
                  "\nbough_process_cpu_seconds_total{path=\"/a\"} ", true);
}

static void pieces_do_not_grow_with_the_tree(void **state)
{
    const struct bough_actor_type type = { .name = "t" };
    const struct bough_figure figure = { .info = { .path = "/a", .type = &type } };
    char *text;
    size_t few, many;

    (void)state;
    few = print(figures_of(1, &figure), &text);
    free(text);
    many = print(figures_of(6400, &figure), &text);
    free(text);
    assert_true(many > 50 * few / 2);
}

static void add(struct bough_tally *tally, enum bough_event_kind kind, const char *path,
                enum bough_exit_kind reason)
{
    const struct bough_exit_reason why = bough_exit_make(reason, BOUGH_OK, 0, NULL);
    const struct bough_event event = { .kind = kind, .path = path, .reason = &why };

    bough_tally_add(tally, &event);
}

static void ends_are_counted_until_the_place_is_removed(void **state)
{
    struct bough_tally *tally = bough_tally_new();
    uint64_t exits[BOUGH_EXIT_KIND_COUNT];

    (void)state;
    assert_non_null(tally);
    assert_false(bough_tally_exits(tally, "/a", exits));
    add(tally, BOUGH_EVENT_EXITED, "/a", BOUGH_EXIT_SIGNAL);
    add(tally, BOUGH_EVENT_EXITED, "/a", BOUGH_EXIT_SIGNAL);
    add(tally, BOUGH_EVENT_GAVE_UP, "/a", BOUGH_EXIT_SIGNAL);
    add(tally, BOUGH_EVENT_EXITED, "/ab", BOUGH_EXIT_NORMAL);
    assert_true(bough_tally_exits(tally, "/a", exits));
    assert_int_equal(exits[BOUGH_EXIT_SIGNAL], 2);
    assert_int_equal(exits[BOUGH_EXIT_NORMAL], 0);
    add(tally, BOUGH_EVENT_REMOVED, "/a", BOUGH_EXIT_NORMAL);
    assert_false(bough_tally_exits(tally, "/a", exits));
    assert_int_equal(exits[BOUGH_EXIT_SIGNAL], 0);
    assert_true(bough_tally_exits(tally, "/ab", exits));
    bough_tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_label_cannot_hold_is_escaped),
        cmocka_unit_test(reserved_is_stopped),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(a_process_that_has_just_gone_has_no_counter_that_goes_back),
        cmocka_unit_test(pieces_do_not_grow_with_the_tree),
        cmocka_unit_test(ends_are_counted_until_the_place_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
