/* test_foresight.c - what the limits of a tree mean.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/foresight.h>

#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/supervisor.h>
#include <bough/tests/config/load.h>

static struct bough_foresight foresee(const char *text)
{
    struct bough_config *config = load(text);
    struct bough_foresight foresight;

    bough_foresee(&bough_config_tree(config)->options, &foresight);
    bough_config_free(config);
    return foresight;
}

/* A tree with these flags and children. */
static struct bough_foresight foresee_children(const char *flags, const char *children)
{
    char text[2048];

    snprintf(text, sizeof(text), "{\"name\": \"t\", %s \"children\": [%s]}", flags,
             children);
    return foresee(text);
}

#define COUNTER(name, ...) \
    "{\"name\": \"" name "\", \"type\": \"counter\"" __VA_ARGS__ "}"
#define WORKER(name, ...) \
    "{\"name\": \"" name \
    "\", \"type\": \"worker\", \"options\": {\"run\": [\"cat\"]}" __VA_ARGS__ "}"
#define SUPERVISOR(name, keys, children) \
    "{\"name\": \"" name "\", \"type\": \"supervisor\"" keys \
    ", \"children\": [" children "]}"

/* Starts */

static void check_starts(struct bough_foresight foresight, uint64_t starts,
                         const char *path)
{
    assert_int_equal(foresight.starts, starts);
    assert_string_equal(foresight.starts_path, path);
}

static void an_actor_is_started_once_more_than_it_is_restarted(void **state)
{
    (void)state;
    check_starts(foresee_children("\"intensity\": 3,", COUNTER("a")), 4, "/a");
    check_starts(foresee_children("\"intensity\": 0,", COUNTER("a")), 1, "/a");
}

static void an_empty_tree_never_gives_up(void **state)
{
    (void)state;
    check_starts(foresee_children("", ""), 0, "");
}

static void nested_limits_multiply(void **state)
{
    (void)state;
    check_starts(foresee_children("\"intensity\": 3,",
                                  COUNTER("a") "," SUPERVISOR(
                                      "s", ", \"intensity\": 5",
                                      COUNTER("b") "," SUPERVISOR(
                                          "t", ", \"intensity\": 1", COUNTER("c")))),
                 48, "/s/t/c");
}

static void a_temporary_child_makes_nobody_give_up(void **state)
{
    (void)state;
    check_starts(foresee_children("", COUNTER("a", ", \"restart\": \"temporary\"")), 0,
                 "");
    check_starts(foresee_children("", COUNTER("a", ", \"restart\": \"transient\"")), 2,
                 "/a");
}

/* Giving up is a good end, after which only the permanent are restarted. */
static void a_transient_supervisor_hides_what_is_below(void **state)
{
    (void)state;
    check_starts(foresee_children(
                     "", SUPERVISOR("s", ", \"restart\": \"transient\"", COUNTER("a"))),
                 0, "");
}

static void the_narrower_of_two_limits_counts(void **state)
{
    (void)state;
    check_starts(
        foresee_children("\"intensity\": 9,", COUNTER("a", ", \"intensity\": 2")), 3,
        "/a");
    check_starts(
        foresee_children("\"intensity\": 2,", COUNTER("a", ", \"intensity\": 9")), 3,
        "/a");
}

static void a_group_has_a_limit_before_that_of_its_supervisor(void **state)
{
    (void)state;
    check_starts(foresee_children("\"intensity\": 2,",
                                  COUNTER("a", ", \"replicas\": 8, \"intensity\": 4")),
                 15, "/a");
}

static void who_waits_too_long_never_makes_it_give_up(void **state)
{
    (void)state;
    check_starts(foresee_children("\"intensity\": 3, \"period\": \"5s\",",
                                  COUNTER("a", ", \"backoff\": {\"min\": \"2s\"}")),
                 0, "");
}

/* Its own limit is passed after 1s + 2s; a life of three seconds, and the wait for the
 * next, leave no room for a second one in the two seconds above. */
static void who_waits_below_fails_too_slowly_above(void **state)
{
    static const char child[] =
        SUPERVISOR("s", ", \"intensity\": 1",
                   COUNTER("a", ", \"backoff\": {\"min\": \"1s\", \"max\": \"2s\"}"));

    (void)state;
    check_starts(foresee_children("\"period\": \"2s\",", child), 0, "");
    check_starts(foresee_children("\"period\": \"4s\",", child), 4, "/s/a");
}

static void policies_decide_what_counts(void **state)
{
    (void)state;
    check_starts(
        foresee_children("", COUNTER("a", ", \"policies\": [{\"do\": \"stop\"}]")), 0,
        "");
    check_starts(
        foresee_children("", COUNTER("a", ", \"policies\": [{\"do\": \"escalate\"}]")), 1,
        "/a");
    check_starts(
        foresee_children("", COUNTER("a", ", \"restart\": \"temporary\", \"policies\": "
                                          "[{\"on\": \"lost\", \"do\": \"restart\"}]")),
        2, "/a");
    check_starts(
        foresee_children("", COUNTER("a", ", \"policies\": [{\"on\": \"error\", \"do\": "
                                          "\"escalate\"}]")),
        2, "/a");
}

static void a_template_stands_for_all_that_are_made(void **state)
{
    (void)state;
    check_starts(foresee_children("\"strategy\": \"dynamic\",", COUNTER("a")), 2, "/*");
}

/* Six times a million and one is more than 10^18 (and than 2^64). */
static void starts_beyond_counting_are_more_than_the_most(void **state)
{
    static const char level[] = "{\"name\": \"s\", \"type\": \"supervisor\", "
                                "\"intensity\": 1000000, \"children\": [";
    char text[2048] = "";

    (void)state;
    for (int i = 0; i < 6; i++)
        strncat(text, level, sizeof(text) - strlen(text) - 1);
    strncat(text, COUNTER("a") "]}]}]}]}]}]}", sizeof(text) - strlen(text) - 1);
    check_starts(foresee_children("", text), BOUGH_STARTS_MAX + 1, "/s/s/s/s/s/s/a");
}

/* Stops */

static void stops_follow_one_another(void **state)
{
    struct bough_foresight foresight = foresee_children(
        "", WORKER("a", ", \"shutdown\": \"3s\"") "," COUNTER("b") "," SUPERVISOR(
                "s", "", WORKER("c") "," WORKER("d", ", \"shutdown\": \"brutal-kill\"")));

    (void)state;
    assert_int_equal(foresight.stop_ms, 8000);
    assert_string_equal(foresight.stop_path, "");
}

static void a_limit_cuts_what_is_below_short(void **state)
{
    struct bough_foresight foresight =
        foresee_children("", SUPERVISOR("s", ", \"shutdown\": \"2s\"",
                                        WORKER("a", ", \"shutdown\": \"infinity\"")));

    (void)state;
    assert_int_equal(foresight.stop_ms, 2000);
}

static void the_actor_without_limit_is_named(void **state)
{
    struct bough_foresight foresight = foresee_children(
        "", WORKER("a") "," SUPERVISOR(
                "s", "", WORKER("b") "," WORKER("c", ", \"shutdown\": \"infinity\"")));

    (void)state;
    assert_true(foresight.stop_ms == BOUGH_FOREVER);
    assert_string_equal(foresight.stop_path, "/s/c");
}

static void members_stop_one_after_another(void **state)
{
    (void)state;
    assert_int_equal(foresee_children("", WORKER("a", ", \"replicas\": 4")).stop_ms,
                     20000);
}

static void made_children_stop_at_the_same_time(void **state)
{
    (void)state;
    assert_int_equal(foresee_children("\"strategy\": \"dynamic\",", WORKER("a")).stop_ms,
                     5000);
}

/* Groups */

static int64_t group_stop(const char *strategy)
{
    char text[1024];
    struct bough_config *config;
    int64_t ms;

    snprintf(
        text, sizeof(text), "{\"name\": \"t\", \"strategy\": \"%s\", \"children\": [%s]}",
        strategy,
        WORKER("a", ", \"shutdown\": \"1s\"") "," WORKER(
            "b", ", \"shutdown\": \"2s\"") "," WORKER("c", ", \"shutdown\": \"4s\""));
    config = load(text);
    ms = bough_foresee_group_stop_ms(&bough_config_tree(config)->options);
    bough_config_free(config);
    return ms;
}

static void a_group_stops_without_the_one_that_ended(void **state)
{
    (void)state;
    assert_int_equal(group_stop("one-for-one"), 0);
    assert_int_equal(group_stop("one-for-all"), 6000);
    assert_int_equal(group_stop("rest-for-one"), 6000);
}

/* Waits */

static bool outruns(struct bough_backoff backoff, uint32_t intensity, int64_t period_ms)
{
    return bough_backoff_outruns(&backoff, (struct bough_limit){ intensity, period_ms });
}

static void waits_as_long_as_the_period_are_in_it(void **state)
{
    const struct bough_backoff steady = { .min_ms = 1000, .factor = 1 };

    (void)state;
    assert_false(outruns(steady, 5, 5000));
    assert_true(outruns(steady, 5, 4999));
}

static void waits_grow_up_to_their_most(void **state)
{
    const struct bough_backoff backoff = { .min_ms = 100,
                                           .max_ms = 400,
                                           .reset_after_ms = 60000 };

    (void)state;
    assert_false(outruns(backoff, 4, 1400)); /* 200 + 400 + 400 + 400 */
    assert_true(outruns(backoff, 4, 1399));
    assert_false(outruns(backoff, 1000000, INT64_C(399999800)));
}

static void jitter_makes_waits_shorter(void **state)
{
    const struct bough_backoff backoff = { .min_ms = 1000, .factor = 1, .jitter = 0.5 };

    (void)state;
    assert_false(outruns(backoff, 5, 2500));
    assert_true(outruns(backoff, 5, 2499));
}

static void waits_that_may_begin_anew_grow_no_sum(void **state)
{
    const struct bough_backoff backoff = { .min_ms = 100, .reset_after_ms = 500 };

    (void)state;
    assert_false(outruns(backoff, 4, 600));
    assert_true(outruns(backoff, 4, 399));
}

static void without_a_wait_or_a_limit_nothing_is_outrun(void **state)
{
    (void)state;
    assert_false(outruns((struct bough_backoff){ .min_ms = 0 }, 3, 1));
    assert_false(outruns((struct bough_backoff){ .min_ms = 1000 }, 0, 1));
}

/* A spec written in C may have no options. */
static void a_supervisor_without_options_is_empty(void **state)
{
    static const struct bough_child_spec child = { .name = "s",
                                                   .type = &bough_supervisor_type };
    const struct bough_supervisor_options options = { .children = &child,
                                                      .child_count = 1 };
    struct bough_foresight foresight;

    (void)state;
    bough_foresee(&options, &foresight);
    assert_int_equal(foresight.starts, 0);
    assert_int_equal(foresight.stop_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_actor_is_started_once_more_than_it_is_restarted),
        cmocka_unit_test(an_empty_tree_never_gives_up),
        cmocka_unit_test(nested_limits_multiply),
        cmocka_unit_test(a_temporary_child_makes_nobody_give_up),
        cmocka_unit_test(a_transient_supervisor_hides_what_is_below),
        cmocka_unit_test(the_narrower_of_two_limits_counts),
        cmocka_unit_test(a_group_has_a_limit_before_that_of_its_supervisor),
        cmocka_unit_test(who_waits_too_long_never_makes_it_give_up),
        cmocka_unit_test(who_waits_below_fails_too_slowly_above),
        cmocka_unit_test(policies_decide_what_counts),
        cmocka_unit_test(a_template_stands_for_all_that_are_made),
        cmocka_unit_test(starts_beyond_counting_are_more_than_the_most),
        cmocka_unit_test(stops_follow_one_another),
        cmocka_unit_test(a_limit_cuts_what_is_below_short),
        cmocka_unit_test(the_actor_without_limit_is_named),
        cmocka_unit_test(members_stop_one_after_another),
        cmocka_unit_test(made_children_stop_at_the_same_time),
        cmocka_unit_test(a_group_stops_without_the_one_that_ended),
        cmocka_unit_test(waits_as_long_as_the_period_are_in_it),
        cmocka_unit_test(waits_grow_up_to_their_most),
        cmocka_unit_test(jitter_makes_waits_shorter),
        cmocka_unit_test(waits_that_may_begin_anew_grow_no_sum),
        cmocka_unit_test(without_a_wait_or_a_limit_nothing_is_outrun),
        cmocka_unit_test(a_supervisor_without_options_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
