/* cmd_plan.c - `bough plan` and `bough apply`: what would become of the tree that runs,
 * and making it so.
 *
 * The file is checked here first, so that what is wrong with it is shown as `bough check`
 * shows it; the tree then reads it by itself.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/config/units.h>
#include <bough/supervisor/plan.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/plan_view.h>

/* The file as the tree finds it, which may run in another folder; NULL: complained. A
 * link stays one: its folder is where what the file names is. */
static char *absolute(const char *file)
{
    char *here, *path = NULL;

    if (file[0] == '/') return strdup(file);
    here = getcwd(NULL, 0);
    if (here == NULL) {
        bough_complain("cannot tell where \"%s\" is: %s", file, strerror(errno));
        return NULL;
    }
    if (asprintf(&path, "%s/%s", here, file) < 0) {
        bough_complain("out of memory");
        path = NULL;
    }
    free(here);
    return path;
}

/* Whether there is nothing wrong with it. */
static int check(const char *file)
{
    struct bough_config *config;
    const int code = bough_load(file, &config);

    if (code == BOUGH_CODE_DONE) bough_config_free(config);
    return code;
}

static int show(const struct bough_arguments *arguments, const json_t *plan)
{
    const bool detailed = arguments->options[BOUGH_OPTION_DETAILED_EXITCODE] != NULL;

    if (arguments->options[BOUGH_OPTION_JSON] != NULL)
        bough_output_json(plan);
    else
        bough_plan_draw(stdout, plan);
    if (detailed && json_is_true(json_object_get(plan, "changes")))
        return BOUGH_CODE_CHANGES;
    return BOUGH_CODE_DONE;
}

/* From one file to another, without a tree that runs. */

static int plan_configs(const struct bough_arguments *arguments,
                        const struct bough_config_tree *before,
                        const struct bough_config_tree *after)
{
    struct bough_error error;
    struct bough_plan *plan;
    json_t *json;
    int code;

    if (bough_plan_new(&before->options, &after->options, NULL, &plan, &error) !=
        BOUGH_OK) {
        bough_complain("%s: %s", arguments->words[1], error.text);
        return BOUGH_CODE_FAILED;
    }
    json = bough_plan_json(plan);
    if (json != NULL && bough_plan_json_log(json, before->log, after->log) == 0 &&
        bough_plan_json_root(json, "exit_with", before->exit_with, after->exit_with) ==
            0 &&
        bough_plan_json_root(json, "metrics", before->metrics, after->metrics) == 0) {
        code = show(arguments, json);
    } else {
        bough_complain("out of memory");
        code = BOUGH_CODE_FAILED;
    }
    json_decref(json);
    bough_plan_free(plan);
    return code;
}

static int plan_files(const struct bough_arguments *arguments)
{
    struct bough_config *before, *after;
    int code = bough_load(arguments->words[0], &before);

    if (code != BOUGH_CODE_DONE) return code;
    code = bough_load(arguments->words[1], &after);
    if (code == BOUGH_CODE_DONE) {
        code =
            plan_configs(arguments, bough_config_tree(before), bough_config_tree(after));
        bough_config_free(after);
    }
    bough_config_free(before);
    return code;
}

/* The tree that runs */

/* Adds the timeout to the body. False: complained. */
static bool add_timeout(const struct bough_arguments *arguments, json_t *body)
{
    const char *text = arguments->options[BOUGH_OPTION_TIMEOUT];
    struct bough_error error;
    int64_t ms;

    if (text == NULL) return true;
    if (bough_duration_parse(text, &ms, &error) != BOUGH_OK)
        bough_complain("%s: --timeout: %s", arguments->verb->name, error.text);
    else if (ms == 0)
        bough_complain("%s: --timeout must be longer than nothing",
                       arguments->verb->name);
    else
        return json_object_set_new(body, "timeout", json_string(text)) == 0;
    return false;
}

/* `resource` is "/v1/plan" or "/v1/apply". Stops may take as long as they are allowed to,
 * so that an apply is waited for without a limit. */
static int ask(const struct bough_arguments *arguments, const char *resource,
               int64_t wait_ms, json_t **plan)
{
    const char *file = arguments->words[0];
    struct bough_client client;
    char *path;
    json_t *body;
    int code = check(file);

    if (code != BOUGH_CODE_DONE) return code;
    path = absolute(file);
    if (path == NULL) return BOUGH_CODE_FAILED;
    body = json_pack("{s:o}", "file", bough_output_string(path));
    free(path);
    if (!add_timeout(arguments, body)) {
        json_decref(body);
        return BOUGH_CODE_USAGE;
    }
    code = bough_client_init(&client, arguments);
    if (code != BOUGH_CODE_DONE) {
        json_decref(body);
        return code;
    }
    code = bough_client_post(&client, resource, NULL, body, wait_ms, plan);
    bough_client_finish(&client);
    return code;
}

int bough_cmd_plan(const struct bough_arguments *arguments)
{
    json_t *plan;
    int code;

    if (arguments->word_count == 2) return plan_files(arguments);
    code = ask(arguments, "/v1/plan", BOUGH_CLIENT_WAIT_MS, &plan);
    if (code != BOUGH_CODE_DONE) return code;
    code = show(arguments, plan);
    json_decref(plan);
    return code;
}

int bough_cmd_apply(const struct bough_arguments *arguments)
{
    json_t *plan;
    int code = ask(arguments, "/v1/apply", 0, &plan);

    if (code != BOUGH_CODE_DONE) return code;
    code = show(arguments, plan);
    json_decref(plan);
    return code;
}
