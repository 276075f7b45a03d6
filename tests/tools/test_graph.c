/* test_graph.c - a tree in the language of Graphviz.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bough/tools/bough/graph.h>

/* The graph of a tree whose root is that; to be freed. */
static char *graph_of(const char *name, const char *root)
{
    json_t *tree =
        json_pack("{s:s, s:o}", "name", name, "root", json_loads(root, 0, NULL));
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    assert_non_null(tree);
    bough_graph_print(file, tree);
    fclose(file);
    json_decref(tree);
    return text;
}

static void assert_has(const char *root, const char *part)
{
    char *text = graph_of("t", root);

    if (strstr(text, part) == NULL) fail_msg("%s is not in %s", part, text);
    free(text);
}

static void text_stays_inside_of_its_quotes(void **state)
{
    (void)state;
    assert_has("{\"path\":\"/a\",\"name\":\"a\",\"type\":\"x\\\" ] ; \\\\\\n\"}",
               "\"/a\" [label=\"a\\nx\\\" ] ; \\\\?\", style");
}

static void the_name_of_the_tree_is_escaped(void **state)
{
    char *text = graph_of("a\"\\", "{\"path\":\"/\",\"name\":\"/\"}");

    (void)state;
    assert_int_equal(strncmp(text, "digraph \"a\\\"\\\\\" {\n", 17), 0);
    free(text);
}

static void a_state_is_a_colour(void **state)
{
    (void)state;
    assert_has(
        "{\"path\":\"/\",\"name\":\"/\",\"type\":\"kv\",\"state\":\"failed\",\"life\":3,"
        "\"restarts\":1}",
        "failed, life 3, 1 restart\", style=\"rounded,filled\", fillcolor=salmon]");
}

static void one_that_is_stuck_is_told_from_one_that_runs(void **state)
{
    (void)state;
    assert_has(
        "{\"path\":\"/\",\"name\":\"/\",\"type\":\"kv\",\"state\":\"running\",\"stuck\":true,"
        "\"life\":1,\"restarts\":0}",
        "\\nstuck, life 1, 0 restarts\", style=\"rounded,filled\", fillcolor=salmon]");
}

static void a_supervisor_has_corners_and_its_limits(void **state)
{
    (void)state;
    assert_has("{\"path\":\"/\",\"name\":\"/\",\"type\":\"supervisor\",\"strategy\":"
               "\"one-for-all\",\"intensity\":2,\"period_ms\":5000}",
               "  \"/\" [label=\"/\\nsupervisor\\none-for-all, 2 restarts in 5s\"];\n");
}

static const char apart[] =
    "{\"path\":\"/\",\"name\":\"/\",\"type\":\"s\",\"children\":["
    "{\"path\":\"/p\",\"name\":\"p\",\"type\":\"s\",\"isolation\":\"process\",\"pid\":7,"
    "\"children\":[{\"path\":\"/p/a\",\"name\":\"a\",\"type\":\"t\","
    "\"restart\":\"temporary\"}]}]}";

static void what_lives_apart_has_a_box_with_all_below(void **state)
{
    (void)state;
    assert_has(apart,
               "  subgraph \"cluster_/p\" {\n    label=\"process 7\"; style=bold;\n"
               "    \"/p\" [label=\"p\\ns\", style=\"rounded,filled\"];\n"
               "    \"/p/a\" [label=\"a\\nt\", style=\"rounded,filled\"];\n  }\n");
}

static void edges_come_after_all_boxes(void **state)
{
    (void)state;
    assert_has(apart, "  }\n  \"/\" -> \"/p\";\n"
                      "  \"/p\" -> \"/p/a\" [style=dashed, label=\"temporary\"];\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_inside_of_its_quotes),
        cmocka_unit_test(the_name_of_the_tree_is_escaped),
        cmocka_unit_test(a_state_is_a_colour),
        cmocka_unit_test(one_that_is_stuck_is_told_from_one_that_runs),
        cmocka_unit_test(a_supervisor_has_corners_and_its_limits),
        cmocka_unit_test(what_lives_apart_has_a_box_with_all_below),
        cmocka_unit_test(edges_come_after_all_boxes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
