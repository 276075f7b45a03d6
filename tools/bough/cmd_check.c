/* cmd_check.c - `bough check`: all that is wrong with a tree, or what it will do.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <bough/actors/types.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/verbs.h>
#include <bough/tools/bough/views.h>

/* What its limit means, for each supervisor of a view, the nested ones too. */
static void print_limits(const json_t *supervisor)
{
    const json_int_t intensity =
        json_integer_value(json_object_get(supervisor, "intensity"));
    const json_int_t period =
        json_integer_value(json_object_get(supervisor, "period_ms"));
    char duration[BOUGH_OUTPUT_DURATION];
    const json_t *child;
    size_t index;

    if (json_object_get(supervisor, "strategy") == NULL) return;
    printf("  %s: %s; ", bough_output_member(supervisor, "path", ""),
           bough_output_member(supervisor, "strategy", ""));
    if (intensity == 0) {
        puts("gives up at the first restart");
    } else {
        printf("restarts at most %" JSON_INTEGER_FORMAT " %s in %s, then gives up\n",
               intensity, intensity == 1 ? "time" : "times",
               bough_output_duration(period, duration));
    }
    json_array_foreach (json_object_get(supervisor, "children"), index, child) {
        print_limits(child);
    }
}

static int check_for_people(const char *file)
{
    struct bough_config *config;
    const struct bough_config_tree *tree;
    const int code = bough_load(file, &config);
    json_t *view;

    if (code != BOUGH_CODE_DONE) return code;
    tree = bough_config_tree(config);
    view = bough_view_options(&tree->options);
    printf("%s: %s is right: %zu supervisor%s, %zu other actor%s\n", file, tree->name,
           tree->supervisors, tree->supervisors == 1 ? "" : "s", tree->workers,
           tree->workers == 1 ? "" : "s");
    if (view != NULL) print_limits(view);
    json_decref(view);
    bough_config_free(config);
    return BOUGH_CODE_DONE;
}

static json_t *view_errors(const struct bough_config *config)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < bough_config_error_kept(config); i++) {
        const struct bough_config_error *error = bough_config_error_at(config, i);

        json_array_append_new(errors,
                              json_pack("{s:i, s:i, s:o, s:o}", "line", error->line,
                                        "column", error->column, "pointer",
                                        bough_output_string(error->pointer), "text",
                                        bough_output_string(error->text)));
    }
    return errors;
}

static int check_for_programs(const char *file)
{
    struct bough_config *config = bough_config_load(file, bough_actor_types);
    json_t *view = NULL;
    bool right = false;

    if (config != NULL) {
        right = bough_config_tree(config) != NULL;
        view =
            json_pack("{s:o, s:b, s:I, s:o}", "file", bough_output_string(file), "ok",
                      right, "error_count", (json_int_t)bough_config_error_count(config),
                      "errors", view_errors(config));
    }
    bough_config_free(config);
    if (view == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    bough_output_json(view);
    json_decref(view);
    return right ? BOUGH_CODE_DONE : BOUGH_CODE_CONFIG;
}

int bough_cmd_check(const struct bough_arguments *arguments)
{
    if (arguments->options[BOUGH_OPTION_JSON] != NULL) {
        return check_for_programs(arguments->words[0]);
    }
    return check_for_people(arguments->words[0]);
}
