/* test_simulate.c - trees in virtual time: what is told happens, and nothing else.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/actors/types.h>
#include <bough/config/config.h>
#include <bough/tools/bough/simulate.h>
#include <bough/tools/bough/timeline.h>

enum { ACTORS_MAX = 16, SECOND = 1000, HOUR = 3600 * SECOND };

static const char shop[] = "{ \"name\": \"shop\", \"intensity\": 3, \"children\": ["
                           "{ \"name\": \"store\", \"type\": \"kv\" },"
                           "{ \"name\": \"door\", \"type\": \"counter\" },"
                           "{ \"name\": \"till\", \"type\": \"supervisor\","
                           "  \"strategy\": \"one-for-all\", \"children\": ["
                           "  { \"name\": \"drawer\", \"type\": \"kv\" },"
                           "  { \"name\": \"slip\", \"type\": \"counter\" } ] } ] }";

struct scene {
    struct bough_config *config;
    struct bough_simulation *simulation;
    struct bough_simulation_result result;
    struct bough_simulated_fate fates[ACTORS_MAX];
    struct bough_error error;
};

static struct scene *scene_of(const char *text)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    scene->config = bough_config_parse("test", text, strlen(text), bough_actor_types);
    assert_non_null(bough_config_tree(scene->config));
    scene->simulation = bough_simulation_new(&bough_config_tree(scene->config)->options);
    assert_non_null(scene->simulation);
    assert_in_range(bough_simulation_count(scene->simulation), 1, ACTORS_MAX);
    scene->result.fates = scene->fates;
    return scene;
}

static int setup(void **state)
{
    *state = scene_of(shop);
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    bough_simulation_free(scene->simulation);
    bough_config_free(scene->config);
    free(scene);
    return 0;
}

static void tell(struct scene *scene, enum bough_simulate_order order, const char *text)
{
    if (bough_simulation_tell(scene->simulation, order, text, &scene->error) != BOUGH_OK)
        fail_msg("%s: %s", text, scene->error.text);
}

static void run(struct scene *scene, uint64_t seed, int64_t for_ms)
{
    assert_int_equal(bough_simulation_run(scene->simulation, seed, for_ms, NULL,
                                          &scene->result, &scene->error),
                     BOUGH_OK);
}

static const struct bough_simulated_fate *fate_of(const struct scene *scene,
                                                  const char *path)
{
    for (size_t i = 0; i < bough_simulation_count(scene->simulation); i++) {
        if (strcmp(bough_simulation_at(scene->simulation, i)->path, path) == 0)
            return &scene->fates[i];
    }
    fail_msg("no actor %s", path);
    return NULL;
}

/* All that a run prints, to be freed. */
static char *timeline_of(struct scene *scene, uint64_t seed, int64_t for_ms, size_t limit)
{
    char *text = NULL;
    size_t size;
    struct bough_timeline timeline = { .name = "shop", .limit = limit };
    const struct bough_simulate_observer observer = { .event = bough_timeline_event,
                                                      .crash = bough_timeline_crash,
                                                      .data = &timeline };

    timeline.file = open_memstream(&text, &size);
    assert_non_null(timeline.file);
    assert_int_equal(bough_simulation_run(scene->simulation, seed, for_ms, &observer,
                                          &scene->result, &scene->error),
                     BOUGH_OK);
    bough_timeline_end(&timeline);
    assert_int_equal(fclose(timeline.file), 0);
    return text;
}

static void the_actors_are_those_of_the_tree_in_start_order(void **state)
{
    static const char *const paths[] = { "/",     "/store",       "/door",
                                         "/till", "/till/drawer", "/till/slip" };
    static const char *const types[] = { "supervisor", "kv", "counter",
                                         "supervisor", "kv", "counter" };
    const struct scene *scene = *state;

    assert_int_equal(bough_simulation_count(scene->simulation), bough_count_of(paths));
    for (size_t i = 0; i < bough_count_of(paths); i++) {
        const struct bough_simulated *actor = bough_simulation_at(scene->simulation, i);

        assert_string_equal(actor->path, paths[i]);
        assert_string_equal(actor->type, types[i]);
        assert_int_equal(actor->supervisor, strcmp(types[i], "supervisor") == 0);
    }
}

static void nothing_told_nothing_happens(void **state)
{
    struct scene *scene = *state;

    run(scene, 1, HOUR);
    assert_true(scene->result.up);
    assert_false(scene->result.ended);
    assert_int_equal(scene->result.end_ms, HOUR);
    assert_int_equal(fate_of(scene, "/store")->lives, 1);
    assert_int_equal(fate_of(scene, "/store")->down_ms, 0);
}

static void a_crash_hits_once_and_alone(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/store@3s");
    run(scene, 1, HOUR);
    assert_int_equal(scene->result.crashes, 1);
    assert_int_equal(fate_of(scene, "/store")->crashes, 1);
    assert_int_equal(fate_of(scene, "/store")->restarts, 1);
    assert_int_equal(fate_of(scene, "/door")->restarts, 0);
}

static void a_crash_after_the_end_never_comes(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/store@1h");
    run(scene, 1, HOUR);
    assert_int_equal(scene->result.crashes + scene->result.missed, 0);
}

static void a_group_restarts_as_its_strategy_says(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@10s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/till/slip")->crashes, 0);
    assert_int_equal(fate_of(scene, "/till/slip")->restarts, 1);
    assert_int_equal(fate_of(scene, "/till")->restarts, 0);
}

static void a_supervisor_crashes_with_all_below(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/till@10s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/till")->crashes, 1);
    assert_int_equal(fate_of(scene, "/till")->lives, 2);
    assert_int_equal(fate_of(scene, "/till/slip")->lives, 2);
}

static void too_many_crashes_make_the_top_give_up(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/store=every:1s");
    run(scene, 1, HOUR);
    assert_true(scene->result.gave_up);
    assert_true(scene->result.ended);
    assert_int_equal(scene->result.end_ms, 4 * SECOND);
    assert_int_equal(fate_of(scene, "/store")->lives, 4);
    assert_non_null(strstr(scene->result.reason.text, "/store needs restart 4 in 5s"));
}

static void crashes_just_slow_enough_go_on_for_ever(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "/store=every:2s");
    run(scene, 1, HOUR);
    assert_false(scene->result.ended);
    assert_int_equal(fate_of(scene, "/store")->restarts, 1799);
}

static void starts_fail_as_often_as_told(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_START_FAILS, "/store=2");
    tell(scene, BOUGH_SIMULATE_CRASH, "/store@1s");
    run(scene, 1, HOUR);
    assert_false(scene->result.ended);
    assert_int_equal(fate_of(scene, "/store")->failed_starts, 2);
    assert_int_equal(fate_of(scene, "/store")->lives, 2);
}

static void a_slow_start_is_an_outage(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_SLOW_START, "/store=500ms");
    tell(scene, BOUGH_SIMULATE_CRASH, "/store@3s");
    tell(scene, BOUGH_SIMULATE_CRASH, "/store@9s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/store")->down_ms, 1000);
    assert_int_equal(fate_of(scene, "/store")->longest_ms, 500);
    assert_int_equal(fate_of(scene, "/door")->down_ms, 0);
}

static void a_slow_stop_holds_up_the_group(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_SLOW_STOP, "/till/slip=3s");
    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@10s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/till/drawer")->down_ms, 3000);
}

static void a_stop_that_hangs_is_cut_short(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_HANG_STOP, "/till/slip");
    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@10s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/till/drawer")->down_ms, 5000);
}

static void a_crash_that_finds_nobody_is_counted_apart(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_SLOW_STOP, "/till/slip=3s");
    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@10s");
    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@11s");
    run(scene, 1, HOUR);
    assert_int_equal(scene->result.crashes, 1);
    assert_int_equal(scene->result.missed, 1);
}

static void a_rate_comes_to_its_average(void **state)
{
    struct scene *scene = *state;
    uint64_t crashes = 0;

    tell(scene, BOUGH_SIMULATE_CRASH, "rate:/door=1/10s");
    for (uint64_t seed = 1; seed <= 40; seed++) {
        run(scene, seed, 60 * SECOND);
        crashes += scene->result.crashes + scene->result.missed;
        if (scene->result.ended)
            crashes += (uint64_t)(60 * SECOND - scene->result.end_ms) / 10000;
    }
    /* 240 are expected; five standard deviations are 77. */
    assert_in_range(crashes, 240 - 77, 240 + 77);
}

static void a_rate_on_a_supervisor_is_that_of_each_actor_below(void **state)
{
    struct scene *scene = *state;

    tell(scene, BOUGH_SIMULATE_CRASH, "rate:/=1/5m");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/till")->crashes, 0);
    assert_true(fate_of(scene, "/till/slip")->crashes > 0);
    assert_true(fate_of(scene, "/store")->crashes > 0);
}

static void the_same_seed_says_the_same(void **state)
{
    struct scene *scene = *state;
    char *first, *again, *other;

    tell(scene, BOUGH_SIMULATE_CRASH, "rate:/=1/1m");
    first = timeline_of(scene, 7, HOUR, SIZE_MAX);
    other = timeline_of(scene, 8, HOUR, SIZE_MAX);
    again = timeline_of(scene, 7, HOUR, SIZE_MAX);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

static void the_timeline_tells_what_follows_from_what(void **state)
{
    struct scene *scene = *state;
    char *text;

    tell(scene, BOUGH_SIMULATE_CRASH, "/till/drawer@10s");
    tell(scene, BOUGH_SIMULATE_SLOW_STOP, "/till/slip=250ms");
    text = timeline_of(scene, 1, HOUR, 40);
    assert_string_equal(
        text, "        0.000s  shop is up\n"
              "       10.000s  /till/drawer crashes\n"
              "                  /till/drawer is restarted: restart 1 of 1 in 5s\n"
              "                  /till/slip is asked to stop\n"
              "       10.250s    /till/slip has stopped\n"
              "                  /till/drawer is up, life 2\n"
              "                  /till/slip is up, life 2\n");
    free(text);
}

static void the_timeline_says_how_much_it_leaves_out(void **state)
{
    struct scene *scene = *state;
    char *text;

    tell(scene, BOUGH_SIMULATE_CRASH, "/store@10s");
    text = timeline_of(scene, 1, HOUR, 2);
    assert_string_equal(text, "        0.000s  shop is up\n"
                              "       10.000s  /store crashes\n"
                              "                ... 2 more\n");
    free(text);
}

static void replicas_crash_one_by_one(void **state)
{
    struct scene *scene = scene_of("{ \"name\": \"w\", \"children\": [ { \"name\": \"c\","
                                   "\"type\": \"counter\", \"replicas\": 3 } ] }");

    (void)state;
    tell(scene, BOUGH_SIMULATE_CRASH, "/c/1@3s");
    run(scene, 1, HOUR);
    assert_int_equal(bough_simulation_count(scene->simulation), 5);
    assert_int_equal(fate_of(scene, "/c/1")->lives, 2);
    assert_int_equal(fate_of(scene, "/c/0")->lives, 1);
    assert_int_equal(fate_of(scene, "/c")->lives, 1);
    teardown((void **)&scene);
}

static void a_backoff_is_time_down(void **state)
{
    struct scene *scene =
        scene_of("{ \"name\": \"b\", \"children\": [ { \"name\": \"c\", \"type\": "
                 "\"counter\", \"backoff\": { \"min\": \"800ms\" } } ] }");

    (void)state;
    tell(scene, BOUGH_SIMULATE_CRASH, "/c@3s");
    run(scene, 1, HOUR);
    assert_int_equal(fate_of(scene, "/c")->down_ms, 800);
    teardown((void **)&scene);
}

static void what_is_told_wrong_is_refused_with_a_sentence(void **state)
{
    static const char forms[] =
        "\" is not of the form PATH@TIME, PATH=every:TIME or rate:PATH=N/TIME, as in "
        "/store@3s, /store=every:10s, rate:/store=2/1m";
    static const char *const malformed[] = {
        "",           "/store",           "store@3s",      "/store=10s",
        "@3s",        "rate:/store",      "rate:/store=1", "rate:/store=0/1s",
        "rate:/=/1s", "rate:store=1/10s", "rate:/a=1 /1s", "/store=every",
    };
    struct scene *scene = *state;
    char expected[BOUGH_ERROR_TEXT];

    for (size_t i = 0; i < bough_count_of(malformed); i++) {
        assert_int_equal(bough_simulation_tell(scene->simulation, BOUGH_SIMULATE_CRASH,
                                               malformed[i], &scene->error),
                         BOUGH_EINVALID);
        snprintf(expected, sizeof(expected), "\"%s%s", malformed[i], forms);
        assert_string_equal(scene->error.text, expected);
    }
}

static void every_order_says_what_it_takes(void **state)
{
    static const struct {
        enum bough_simulate_order order;
        const char *text, *sentence;
        enum bough_status status;
    } rows[] = {
        { BOUGH_SIMULATE_CRASH, "/stroe@3s",
          "no actor \"/stroe\" in this tree; did you mean \"/store\"?", BOUGH_ENOTFOUND },
        { BOUGH_SIMULATE_CRASH, "/nothing-like-it@3s",
          "no actor \"/nothing-like-it\" in this tree; `bough tree FILE` draws it",
          BOUGH_ENOTFOUND },
        { BOUGH_SIMULATE_CRASH, "/store@infinity",
          "\"infinity\" is not a time that comes", BOUGH_EINVALID },
        { BOUGH_SIMULATE_CRASH, "/store=every:0s", "\"0s\" must be longer than nothing",
          BOUGH_EINVALID },
        { BOUGH_SIMULATE_START_FAILS, "/store=x",
          "\"/store=x\" is not of the form PATH=N, as in /store=2", BOUGH_EINVALID },
        { BOUGH_SIMULATE_SLOW_START, "/store",
          "\"/store\" is not of the form PATH=TIME, as in /store=500ms", BOUGH_EINVALID },
        { BOUGH_SIMULATE_SLOW_STOP, "/store",
          "\"/store\" is not of the form PATH=TIME, as in /store=3s", BOUGH_EINVALID },
        { BOUGH_SIMULATE_HANG_STOP, "store",
          "\"store\" is not of the form PATH, as in /store", BOUGH_EINVALID },
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < bough_count_of(rows); i++) {
        assert_int_equal(bough_simulation_tell(scene->simulation, rows[i].order,
                                               rows[i].text, &scene->error),
                         rows[i].status);
        assert_string_equal(scene->error.text, rows[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        test(the_actors_are_those_of_the_tree_in_start_order),
        test(nothing_told_nothing_happens),
        test(a_crash_hits_once_and_alone),
        test(a_crash_after_the_end_never_comes),
        test(a_group_restarts_as_its_strategy_says),
        test(a_supervisor_crashes_with_all_below),
        test(too_many_crashes_make_the_top_give_up),
        test(crashes_just_slow_enough_go_on_for_ever),
        test(starts_fail_as_often_as_told),
        test(a_slow_start_is_an_outage),
        test(a_slow_stop_holds_up_the_group),
        test(a_stop_that_hangs_is_cut_short),
        test(a_crash_that_finds_nobody_is_counted_apart),
        test(a_rate_comes_to_its_average),
        test(a_rate_on_a_supervisor_is_that_of_each_actor_below),
        test(the_same_seed_says_the_same),
        test(the_timeline_tells_what_follows_from_what),
        test(the_timeline_says_how_much_it_leaves_out),
        cmocka_unit_test(replicas_crash_one_by_one),
        cmocka_unit_test(a_backoff_is_time_down),
        test(what_is_told_wrong_is_refused_with_a_sentence),
        test(every_order_says_what_it_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
