/* test_config_growth.c - the work of a config check grows with the tree and no faster.
 *
 * Counted in steps (bytes scanned, keys looked at, names compared, needs followed), not
 * in time.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config.h>

#include <stdlib.h>
#include <string.h>

#include <bough/config/config_internal.h>
#include <bough/tests/config/load.h>

/* Writes a tree of `count` actors. */
typedef void write_tree(FILE *stream, size_t count);

static void write_siblings(FILE *stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "{\"name\": \"c-%06zu\", \"type\": \"counter\"},\n", i);
}

static void write_small_supervisors(FILE *stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream,
                "{\"name\": \"s-%06zu\", \"type\": \"supervisor\", \"children\": "
                "[{\"name\": \"c\", \"type\": \"counter\"}]},\n",
                i);
}

/* Each needs the logger that is before all. */
static void write_workers(FILE *stream, size_t count)
{
    fputs("{\"name\": \"log\", \"type\": \"logger\"},\n", stream);
    for (size_t i = 0; i < count; i++)
        fprintf(stream,
                "{\"name\": \"w-%06zu\", \"type\": \"worker\", "
                "\"options\": {\"run\": [\"cat\"], \"logger\": \"/log\"}},\n",
                i);
}

/* Each is called like the one before, and refers to nobody. */
static void write_mistakes(FILE *stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream,
                "{\"name\": \"w-%06zu\", \"type\": \"worker\", \"restrat\": 1, "
                "\"options\": {\"run\": [\"cat\"], \"logger\": \"/l%06zu\"}},\n",
                i / 2, i);
}

static size_t steps_of(write_tree *write, size_t count, size_t errors)
{
    char *text = NULL;
    size_t size, steps;
    FILE *stream = open_memstream(&text, &size);
    struct bough_config *config;

    fputs("{\"name\": \"large\", \"children\": [\n", stream);
    write(stream, count);
    fputs("]}\n", stream);
    fclose(stream);
    config = bough_config_parse("large.json", text, size, bough_actor_types);
    assert_non_null(config);
    assert_int_equal(bough_config_error_count(config), errors);
    steps = config->steps;
    bough_config_free(config);
    free(text);
    return steps;
}

/* Ten times as many actors may cost eleven times as much, for a hash table is never even.
 */
static void check_growth(write_tree *write, size_t errors_each_pair)
{
    size_t small = steps_of(write, 1000, 500 * errors_each_pair);
    size_t middle = steps_of(write, 10000, 5000 * errors_each_pair);
    size_t large = steps_of(write, 100000, 50000 * errors_each_pair);

    assert_true(small > 1000);
    assert_true(middle <= small * 11);
    assert_true(large <= middle * 11);
}

static void siblings_cost_the_same_each(void **state)
{
    (void)state;
    check_growth(write_siblings, 0);
}

static void small_supervisors_cost_the_same_each(void **state)
{
    (void)state;
    check_growth(write_small_supervisors, 0);
}

static void references_cost_the_same_each(void **state)
{
    (void)state;
    check_growth(write_workers, 0);
}

/* Of two actors: an unknown key each, a dangling reference each, and one duplicate name.
 */
static void mistakes_cost_the_same_each(void **state)
{
    (void)state;
    check_growth(write_mistakes, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siblings_cost_the_same_each),
        cmocka_unit_test(small_supervisors_cost_the_same_each),
        cmocka_unit_test(references_cost_the_same_each),
        cmocka_unit_test(mistakes_cost_the_same_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
