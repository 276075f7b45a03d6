/* cmd_call.c - `bough call` and `bough send`: a message for an actor, and its answer.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/units.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/control.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

/* How much longer than the actor the tree itself may take. */
enum { GRACE_MS = 5000 };

/* The third word as the message's fields; NULL, complained, when it is not an object. */
static json_t *parse_fields(const struct bough_arguments *arguments)
{
    static const char example[] = "'{\"key\": \"a\"}'";
    json_error_t error;
    json_t *fields;

    if (arguments->word_count < 3) return json_object();
    fields =
        json_loads(arguments->words[2], JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json_is_object(fields)) return fields;
    if (fields == NULL) {
        bough_complain(
            "%s: the fields are not JSON: %s (line %d, column %d); they are an "
            "object, as in %s",
            arguments->verb->name, error.text, error.line, error.column, example);
    } else {
        bough_complain("%s: the fields must be a JSON object, as in %s",
                       arguments->verb->name, example);
    }
    json_decref(fields);
    return NULL;
}

static int deliver(const struct bough_arguments *arguments, const char *action,
                   json_t *body, int64_t wait_ms, json_t **answer)
{
    const char *path = arguments->words[0];
    char *resource = bough_client_actor(path, action);
    struct bough_client client;
    int code;

    if (resource == NULL) {
        json_decref(body);
        return BOUGH_CODE_USAGE;
    }
    code = bough_client_init(&client, arguments);
    if (code == BOUGH_CODE_DONE) {
        code = bough_client_post(&client, resource, path, body, wait_ms, answer);
        bough_client_finish(&client);
    } else {
        json_decref(body);
    }
    free(resource);
    return code;
}

/* What --timeout says, in ms, 0 for ever. False: complained. */
static bool parse_timeout(const struct bough_arguments *arguments, int64_t *wait_ms)
{
    const char *text = arguments->options[BOUGH_OPTION_TIMEOUT];
    struct bough_error error;

    *wait_ms = BOUGH_CONTROL_CALL_MS;
    if (text == NULL) return true;
    if (bough_duration_parse(text, wait_ms, &error) != BOUGH_OK) {
        bough_complain("%s: --timeout: %s", arguments->verb->name, error.text);
        return false;
    }
    if (*wait_ms == 0) {
        bough_complain("%s: --timeout must be longer than nothing",
                       arguments->verb->name);
        return false;
    }
    if (*wait_ms == BOUGH_FOREVER) *wait_ms = 0;
    return true;
}

/* False: complained. */
static bool priority_right(const struct bough_arguments *arguments)
{
    const char *text = arguments->options[BOUGH_OPTION_PRIORITY];

    if (text == NULL || strcmp(text, "normal") == 0 || strcmp(text, "high") == 0)
        return true;
    bough_complain("%s: --priority must be normal or high", arguments->verb->name);
    return false;
}

/* What lies beyond the end of time is 0, for ever. */
static int64_t with_grace(int64_t wait_ms)
{
    return wait_ms < BOUGH_FOREVER - GRACE_MS ? wait_ms + GRACE_MS : 0;
}

int bough_cmd_call(const struct bough_arguments *arguments)
{
    const char *timeout = arguments->options[BOUGH_OPTION_TIMEOUT];
    const char *priority = arguments->options[BOUGH_OPTION_PRIORITY];
    int64_t wait_ms;
    json_t *fields, *body, *answer;
    int code;

    if (!parse_timeout(arguments, &wait_ms)) return BOUGH_CODE_USAGE;
    if (!priority_right(arguments)) return BOUGH_CODE_USAGE;
    fields = parse_fields(arguments);
    if (fields == NULL) return BOUGH_CODE_USAGE;
    body = json_pack("{s:s, s:o, s:s*, s:s*}", "message", arguments->words[1], "fields",
                     fields, "timeout", timeout, "priority", priority);
    if (wait_ms != 0) wait_ms = with_grace(wait_ms);
    code = deliver(arguments, "call", body, wait_ms, &answer);
    if (code != BOUGH_CODE_DONE) return code;
    bough_output_json(answer);
    json_decref(answer);
    return BOUGH_CODE_DONE;
}

int bough_cmd_send(const struct bough_arguments *arguments)
{
    json_t *fields, *body, *answer;
    int code;

    if (!priority_right(arguments)) return BOUGH_CODE_USAGE;
    fields = parse_fields(arguments);
    if (fields == NULL) return BOUGH_CODE_USAGE;
    body = json_pack("{s:s, s:o, s:s*}", "message", arguments->words[1], "fields", fields,
                     "priority", arguments->options[BOUGH_OPTION_PRIORITY]);
    code = deliver(arguments, "send", body, BOUGH_CLIENT_WAIT_MS, &answer);
    if (code != BOUGH_CODE_DONE) return code;
    if (arguments->options[BOUGH_OPTION_JSON] != NULL) bough_output_json(answer);
    json_decref(answer);
    return BOUGH_CODE_DONE;
}

int bough_cmd_kill(const struct bough_arguments *arguments)
{
    const char *reason = arguments->options[BOUGH_OPTION_REASON];
    json_t *answer;
    int code = deliver(arguments, "kill", json_pack("{s:s*}", "reason", reason),
                       BOUGH_CLIENT_WAIT_MS, &answer);

    if (code != BOUGH_CODE_DONE) return code;
    if (arguments->options[BOUGH_OPTION_JSON] != NULL) bough_output_json(answer);
    json_decref(answer);
    return BOUGH_CODE_DONE;
}

int bough_cmd_shutdown(const struct bough_arguments *arguments)
{
    const bool timed = arguments->options[BOUGH_OPTION_TIMEOUT] != NULL;
    struct bough_client client;
    int64_t wait_ms;
    json_t *answer;
    int code;

    if (!parse_timeout(arguments, &wait_ms)) return BOUGH_CODE_USAGE;
    code = bough_client_init(&client, arguments);
    if (code != BOUGH_CODE_DONE) return code;
    code = bough_client_post(&client, "/v1/shutdown", NULL, json_object(),
                             timed ? wait_ms : 0, &answer);
    bough_client_finish(&client);
    if (code != BOUGH_CODE_DONE) return code;
    if (client.json) bough_output_json(answer);
    json_decref(answer);
    return BOUGH_CODE_DONE;
}
