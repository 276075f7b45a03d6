/* cmd_events.c - `bough events`: what has happened, and what happens.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

struct printer {
    bool json, follow;
};

/* False when there is nobody to print for. */
static bool print_line(void *data, const char *line)
{
    static const char prefix[] = "data: ";
    const struct printer *printer = data;
    json_t *event;

    if (printer->follow) {
        if (strncmp(line, prefix, sizeof(prefix) - 1) != 0)
            return true; /* id, comment, blank */
        line += sizeof(prefix) - 1;
    }
    if (printer->json) {
        puts(line);
    } else if ((event = json_loads(line, 0, NULL)) != NULL) {
        bough_draw_event(stdout, event);
        json_decref(event);
    }
    return !printer->follow || fflush(stdout) == 0;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           strlen(text) < 20;
}

int bough_cmd_events(const struct bough_arguments *arguments)
{
    const char *since = arguments->options[BOUGH_OPTION_SINCE];
    struct printer printer = { .json = arguments->options[BOUGH_OPTION_JSON] != NULL,
                               .follow =
                                   arguments->options[BOUGH_OPTION_FOLLOW] != NULL };
    struct bough_client client;
    char resource[80];
    int code;

    if (since != NULL && !is_number(since)) {
        bough_complain("events: --since takes the number of an event, not \"%s\"", since);
        return BOUGH_CODE_USAGE;
    }
    code = bough_client_init(&client, arguments);
    if (code != BOUGH_CODE_DONE) return code;
    snprintf(resource, sizeof(resource), "/v1/events?since=%s&follow=%d",
             since != NULL ? since : "0", printer.follow);
    code = bough_client_stream(&client, resource, NULL, print_line, &printer);
    bough_client_finish(&client);
    return code;
}
