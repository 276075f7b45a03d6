/* cmd_check.c - `bough check`: all that is wrong with a tree, or what it will do.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include <bough/actors/types.h>
#include <bough/config/foresight.h>
#include <bough/config/obstacles.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/port.h>
#include <bough/tools/bough/verbs.h>

/* For people */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_starts(const struct bough_foresight *foresight)
{
    if (foresight->starts == 0) {
        puts("  never gives up for an actor that fails at once");
        return;
    }
    fputs("  gives up after ", stdout);
    if (foresight->starts > BOUGH_STARTS_MAX)
        fputs("more than 10^18 starts", stdout);
    else
        printf("at most %" PRIu64 " start%s", foresight->starts,
               plural(foresight->starts));
    printf(" of an actor that fails at once (%s)\n", foresight->starts_path);
}

static void print_stop(const struct bough_foresight *foresight)
{
    char duration[BOUGH_OUTPUT_DURATION];

    if (foresight->stop_ms == 0)
        puts("  stops at once");
    else if (foresight->stop_ms != BOUGH_FOREVER)
        printf("  stops within %s\n",
               bough_output_duration(foresight->stop_ms, duration));
    else
        printf("  may take for ever to stop (%s)\n", foresight->stop_path);
}

static void print_obstacle(void *data, const char *path, const char *text)
{
    (void)data;
    printf("  cannot start here: %s: ", path);
    bough_output_text(stdout, text);
    putchar('\n');
}

/* Those of the actors, and of the port of metrics. */
static void visit_obstacles(const struct bough_config_tree *tree,
                            bough_obstacle_visitor *visit, void *data)
{
    struct bough_endpoint endpoint;
    struct bough_error error;

    if (tree->metrics != NULL &&
        bough_endpoint_parse(tree->metrics, &endpoint, &error) == BOUGH_OK &&
        bough_port_check(&endpoint, &error) != BOUGH_OK)
        visit(data, "/", error.text);
    bough_obstacles(&tree->options, visit, data);
}

static void print_summary(const char *file, const struct bough_config_tree *tree)
{
    struct bough_foresight foresight;

    bough_foresee(&tree->options, &foresight);
    bough_output_text(stdout, file);
    printf(": right: %zu actor%s under %zu supervisor%s\n", tree->workers,
           plural(tree->workers), tree->supervisors, plural(tree->supervisors));
    print_starts(&foresight);
    print_stop(&foresight);
    visit_obstacles(tree, print_obstacle, NULL);
}

static int check_for_people(const char *file, bool strict)
{
    struct bough_config *config;
    int code = bough_load(file, &config);

    if (code != BOUGH_CODE_DONE) return code;
    bough_config_print_warnings(config, strict, stderr);
    if (strict && bough_config_warning_count(config) > 0)
        code = BOUGH_CODE_CONFIG;
    else
        print_summary(file, bough_config_tree(config));
    bough_config_free(config);
    return code;
}

/* For programs */

static json_t *view_fault(const struct bough_config_error *fault)
{
    return json_pack("{s:i, s:i, s:o, s:o}", "line", fault->line, "column", fault->column,
                     "pointer", bough_output_string(fault->pointer), "text",
                     bough_output_string(fault->text));
}

static json_t *view_errors(const struct bough_config *config)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < bough_config_error_kept(config); i++)
        json_array_append_new(errors, view_fault(bough_config_error_at(config, i)));
    return errors;
}

static json_t *view_warnings(const struct bough_config *config)
{
    json_t *warnings = json_array();

    for (size_t i = 0; i < bough_config_warning_kept(config); i++)
        json_array_append_new(warnings, view_fault(bough_config_warning_at(config, i)));
    return warnings;
}

/* "most" is null when there are too many to count. */
static json_t *view_starts(const struct bough_foresight *foresight)
{
    json_t *most = foresight->starts > BOUGH_STARTS_MAX
                       ? json_null()
                       : json_integer((json_int_t)foresight->starts);

    if (foresight->starts > 0)
        return json_pack("{s:o, s:s}", "most", most, "path", foresight->starts_path);
    json_decref(most);
    return json_null();
}

/* "ms" is null when there is no end to it. */
static json_t *view_stop(const struct bough_foresight *foresight)
{
    if (foresight->stop_ms != BOUGH_FOREVER)
        return json_pack("{s:I}", "ms", (json_int_t)foresight->stop_ms);
    return json_pack("{s:n, s:s}", "ms", "path", foresight->stop_path);
}

static void add_obstacle(void *data, const char *path, const char *text)
{
    json_array_append_new(
        data, json_pack("{s:s, s:o}", "path", path, "text", bough_output_string(text)));
}

static json_t *view_obstacles(const struct bough_config_tree *tree)
{
    json_t *obstacles = json_array();

    if (obstacles != NULL) visit_obstacles(tree, add_obstacle, obstacles);
    return obstacles;
}

/* Of a tree that is right; else nothing. */
static bool add_summary(json_t *view, const struct bough_config_tree *tree)
{
    struct bough_foresight foresight;
    json_t *summary;
    bool failed;

    if (tree == NULL) return true;
    bough_foresee(&tree->options, &foresight);
    summary = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "name", tree->name,
                        "supervisors", (json_int_t)tree->supervisors, "actors",
                        (json_int_t)tree->workers, "starts", view_starts(&foresight),
                        "stop", view_stop(&foresight), "obstacles", view_obstacles(tree));
    failed = summary == NULL || json_object_update(view, summary) != 0;
    json_decref(summary);
    return !failed;
}

static json_t *view_config(const char *file, const struct bough_config *config, bool ok)
{
    json_t *view =
        json_pack("{s:o, s:b, s:I, s:o, s:I, s:o}", "file", bough_output_string(file),
                  "ok", ok, "error_count", (json_int_t)bough_config_error_count(config),
                  "errors", view_errors(config), "warning_count",
                  (json_int_t)bough_config_warning_count(config), "warnings",
                  view_warnings(config));

    if (view != NULL && add_summary(view, bough_config_tree(config))) return view;
    json_decref(view);
    return NULL;
}

static int check_for_programs(const char *file, bool strict)
{
    struct bough_config *config = bough_config_load(file, bough_actor_types);
    json_t *view = NULL;
    bool ok = false;

    if (config != NULL) {
        ok = bough_config_tree(config) != NULL &&
             !(strict && bough_config_warning_count(config) > 0);
        view = view_config(file, config, ok);
    }
    bough_config_free(config);
    if (view == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    bough_output_json(view);
    json_decref(view);
    return ok ? BOUGH_CODE_DONE : BOUGH_CODE_CONFIG;
}

int bough_cmd_check(const struct bough_arguments *arguments)
{
    bool strict = arguments->options[BOUGH_OPTION_STRICT] != NULL;

    if (arguments->options[BOUGH_OPTION_JSON] != NULL)
        return check_for_programs(arguments->words[0], strict);
    return check_for_people(arguments->words[0], strict);
}
