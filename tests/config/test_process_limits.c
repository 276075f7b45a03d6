/* test_process_limits.c - limits of a process in a config, and what they come to here.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/obstacles.h>

#include <unistd.h>

#include <bough/tests/config/load.h>

#define TREE(keys) \
    "{\"name\": \"t\", \"children\": [{\"name\": \"c\", \"type\": \"counter\", " \
    "\"isolation\": \"process\"" keys "}]}"

static const struct bough_process_limits *limits_of(const struct bough_config *config)
{
    return &bough_config_tree(config)->options.children[0].limits;
}

static void each_key_is_read(void **state)
{
    struct bough_config *config = load(
        TREE(", \"rlimits\": {\"memory\": \"64MiB\", \"cpu\": \"2m\", \"files\": 16, "
             "\"core\": \"1KiB\"}, \"no_new_privs\": true, \"user\": \"www\", "
             "\"group\": \"33\", \"oom_score_adj\": -1000"));
    const struct bough_process_limits *limits = limits_of(config);

    (void)state;
    assert_int_equal(limits->rlimits.memory, 64 << 20);
    assert_int_equal(limits->rlimits.cpu_ms, 120000);
    assert_int_equal(limits->rlimits.files, 16);
    assert_int_equal(limits->rlimits.core, 1024);
    assert_true(limits->no_new_privs);
    assert_string_equal(limits->user, "www");
    assert_string_equal(limits->group, "33");
    assert_true(limits->any_oom_score_adj);
    assert_int_equal(limits->oom_score_adj, -1000);
    bough_config_free(config);
}

static void without_them_nothing_is_limited(void **state)
{
    struct bough_config *plain = load(TREE(""));
    struct bough_config *empty = load(TREE(", \"rlimits\": {}"));

    (void)state;
    assert_false(bough_limits_any(limits_of(plain)));
    assert_false(bough_limits_any(limits_of(empty)));
    bough_config_free(plain);
    bough_config_free(empty);
}

/* Where zero is a wish, and no limit is one. */
static void zero_and_infinity_are_told_from_nothing(void **state)
{
    struct bough_config *config =
        load(TREE(", \"rlimits\": {\"memory\": \"infinity\", \"cpu\": \"infinity\", "
                  "\"core\": \"0B\"}, \"oom_score_adj\": 0"));
    const struct bough_process_limits *limits = limits_of(config);

    (void)state;
    assert_true(limits->rlimits.memory == BOUGH_FOREVER);
    assert_true(limits->rlimits.cpu_ms == BOUGH_FOREVER);
    assert_true(limits->rlimits.core == BOUGH_CORE_NONE);
    assert_int_equal(limits->rlimits.files, 0);
    assert_true(limits->any_oom_score_adj);
    assert_int_equal(limits->oom_score_adj, 0);
    bough_config_free(config);
}

/* Obstacles */

static void print(void *data, const char *path, const char *text)
{
    char *lines = data;
    const size_t used = strlen(lines);

    snprintf(lines + used, 1024 - used, "%s: %s\n", path, text);
}

static void obstacles_of(const char *text, char lines[1024])
{
    struct bough_config *config = load(text);

    lines[0] = '\0';
    bough_obstacles(&bough_config_tree(config)->options, print, lines);
    bough_config_free(config);
}

static void what_starts_anywhere_has_no_obstacle(void **state)
{
    char lines[1024];

    (void)state;
    obstacles_of(TREE(", \"rlimits\": {\"files\": 16}, \"no_new_privs\": true"), lines);
    assert_string_equal(lines, "");
}

static const char owned[] =
    "{\"name\": \"t\", \"children\": ["
    "{\"name\": \"a\", \"type\": \"counter\", \"isolation\": \"process\", \"user\": "
    "\"no-such-user\"},"
    "{\"name\": \"s\", \"type\": \"supervisor\", \"replicas\": 2, \"children\": ["
    "{\"name\": \"d\", \"type\": \"supervisor\", \"strategy\": \"dynamic\", \"children\": ["
    "{\"name\": \"b\", \"type\": \"counter\", \"isolation\": \"process\", \"group\": "
    "\"no-such-group\"}]}]}]}";

/* A user without root's rights has one more than root. */
static void who_is_not_there_is_told_with_its_path(void **state)
{
    char lines[1024], expected[1024];

    (void)state;
    if (geteuid() == 0)
        snprintf(expected, sizeof(expected),
                 "/a: there is no user \"no-such-user\"\n"
                 "/s/*/d/*: there is no group \"no-such-group\"\n");
    else
        snprintf(expected, sizeof(expected),
                 "/a: only root can give a process another user; this is user %u\n"
                 "/s/*/d/*: only root can give a process another group; this is user "
                 "%u\n",
                 (unsigned)geteuid(), (unsigned)geteuid());
    obstacles_of(owned, lines);
    assert_string_equal(lines, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_is_read),
        cmocka_unit_test(without_them_nothing_is_limited),
        cmocka_unit_test(zero_and_infinity_are_told_from_nothing),
        cmocka_unit_test(what_starts_anywhere_has_no_obstacle),
        cmocka_unit_test(who_is_not_there_is_told_with_its_path),
    };
    return cmocka_run_group_tests_name("config/process_limits", tests, NULL, NULL);
}
