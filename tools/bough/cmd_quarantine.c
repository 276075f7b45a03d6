/* cmd_quarantine.c - `bough quarantine`: the messages that ended lives of an actor.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/text.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

/* What is asked for: 0 is all of them. */
struct wish {
    const char *path;
    const char *act; /* NULL: to look */
    json_int_t number;
};

static bool parse_number(const char *text, json_int_t *number)
{
    char *end;

    *number = 0;
    if (text == NULL || strcmp(text, "all") == 0) return true;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *number > 0) return true;
    bough_complain("quarantine: \"%s\" is no message; their numbers are 1 or more, or "
                   "all",
                   text);
    return false;
}

/* False: complained. */
static bool parse_wish(const struct bough_arguments *arguments, struct wish *wish)
{
    const bool back = arguments->options[BOUGH_OPTION_PUT_BACK] != NULL;
    const bool drop = arguments->options[BOUGH_OPTION_DROP] != NULL;

    *wish = (struct wish){ .path = arguments->words[0],
                           .act = back   ? "put_back"
                                  : drop ? "drop"
                                         : NULL };
    if (back && drop) {
        bough_complain("quarantine: --put-back or --drop, not both");
        return false;
    }
    return parse_number(arguments->word_count > 1 ? arguments->words[1] : NULL,
                        &wish->number);
}

/* Leaves the one of that number in the answer; false, complained, when it is not there.
 */
static bool choose(json_t *answer, const struct wish *wish)
{
    json_t *messages = json_object_get(answer, "messages"), *one;
    size_t i = 0;

    while (wish->number != 0 && (one = json_array_get(messages, i)) != NULL) {
        if (json_integer_value(json_object_get(one, "number")) == wish->number)
            i++;
        else
            json_array_remove(messages, i);
    }
    if (wish->number == 0 || json_array_size(messages) > 0) return true;
    bough_complain("%s: no message %" JSON_INTEGER_FORMAT " is in quarantine", wish->path,
                   wish->number);
    return false;
}

static int look(struct bough_client *client, const char *resource,
                const struct wish *wish)
{
    json_t *answer;
    int code = bough_client_get(client, resource, wish->path, &answer);

    if (code != BOUGH_CODE_DONE) return code;
    if (!choose(answer, wish))
        code = BOUGH_CODE_FAILED;
    else if (client->json)
        bough_output_json(answer);
    else
        bough_draw_quarantine(stdout, answer);
    json_decref(answer);
    return code;
}

static int act(struct bough_client *client, const char *resource, const struct wish *wish)
{
    json_t *body = wish->number != 0
                       ? json_pack("{s:s, s:I}", "do", wish->act, "number", wish->number)
                       : json_pack("{s:s}", "do", wish->act);
    json_t *answer;
    const int code = bough_client_post(client, resource, wish->path, body,
                                       BOUGH_CLIENT_WAIT_MS, &answer);

    if (code != BOUGH_CODE_DONE) return code;
    if (client->json)
        bough_output_json(answer);
    else
        printf("%" JSON_INTEGER_FORMAT " %s\n",
               json_integer_value(json_object_get(answer, "count")),
               strcmp(wish->act, "drop") == 0 ? "dropped" : "put back");
    json_decref(answer);
    return code;
}

int bough_cmd_quarantine(const struct bough_arguments *arguments)
{
    struct bough_client client;
    struct wish wish;
    char *resource;
    int code;

    if (!parse_wish(arguments, &wish)) return BOUGH_CODE_USAGE;
    resource = bough_client_actor(wish.path, "quarantine");
    if (resource == NULL) return BOUGH_CODE_USAGE;
    code = bough_client_init(&client, arguments);
    if (code == BOUGH_CODE_DONE) {
        code = wish.act != NULL ? act(&client, resource, &wish)
                                : look(&client, resource, &wish);
        bough_client_finish(&client);
    }
    free(resource);
    return code;
}
