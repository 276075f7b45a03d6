/* cmd_child.c - `bough start`, `stop` and `restart`: what a supervisor is asked to do
 * with one of its children.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <bough/config/units.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

/* How long to wait for the tree, in ms, 0 for ever. False: complained. */
static bool take_wait(const struct bough_arguments *arguments, int64_t *wait_ms)
{
    const char *text = arguments->options[BOUGH_OPTION_TIMEOUT];
    const bool waits = arguments->options[BOUGH_OPTION_WAIT] != NULL;
    const char *verb = arguments->verb->name;
    struct bough_error error;

    *wait_ms = waits ? 0 : BOUGH_CLIENT_WAIT_MS;
    if (text == NULL) return true;
    if (!waits) {
        bough_complain("%s: --timeout is for --wait", verb);
    } else if (bough_duration_parse(text, wait_ms, &error) != BOUGH_OK) {
        bough_complain("%s: --timeout: %s", verb, error.text);
    } else if (*wait_ms == 0) {
        bough_complain("%s: --timeout must be longer than nothing", verb);
    } else {
        if (*wait_ms == BOUGH_FOREVER) *wait_ms = 0;
        return true;
    }
    return false;
}

static int ask(const struct bough_arguments *arguments)
{
    const char *path = arguments->words[0];
    const bool waits = arguments->options[BOUGH_OPTION_WAIT] != NULL;
    struct bough_client client;
    int64_t wait_ms;
    json_t *answer;
    char *resource;
    int code;

    if (!take_wait(arguments, &wait_ms)) return BOUGH_CODE_USAGE;
    resource = bough_client_actor(path, arguments->verb->name);
    if (resource == NULL) return BOUGH_CODE_USAGE;
    code = bough_client_init(&client, arguments);
    if (code == BOUGH_CODE_DONE) {
        code = bough_client_post(&client, resource, path,
                                 json_pack("{s:b}", "wait", waits), wait_ms, &answer);
        bough_client_finish(&client);
        if (code == BOUGH_CODE_DONE) {
            if (client.json) bough_output_json(answer);
            json_decref(answer);
        }
    }
    free(resource);
    return code;
}

int bough_cmd_start(const struct bough_arguments *arguments)
{
    return ask(arguments);
}

int bough_cmd_stop(const struct bough_arguments *arguments)
{
    return ask(arguments);
}

int bough_cmd_restart(const struct bough_arguments *arguments)
{
    return ask(arguments);
}
