/* cmd_status.c - `bough status`: what each actor is doing, once or again and again.
 *
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

enum { REFRESH_MS = 1000 };

static int show(struct bough_client *client, const char *resource, const char *path,
                bool redraw)
{
    json_t *places;
    const int code = bough_client_get(client, resource, path, &places);

    if (code != BOUGH_CODE_DONE) return code;
    if (redraw) fputs("\033[H\033[2J", stdout);
    if (client->json) {
        bough_output_json(places);
    } else {
        bough_draw_table(stdout, places);
    }
    json_decref(places);
    if (fflush(stdout) != 0) return BOUGH_CODE_FAILED;
    return BOUGH_CODE_DONE;
}

int bough_cmd_status(const struct bough_arguments *arguments)
{
    const char *path = arguments->word_count > 0 ? arguments->words[0] : "/";
    const bool follow = arguments->options[BOUGH_OPTION_FOLLOW] != NULL;
    char *resource = bough_client_actor(path, NULL);
    struct bough_client client;
    int code;

    if (resource == NULL) return BOUGH_CODE_USAGE;
    code = bough_client_init(&client, arguments);
    if (code == BOUGH_CODE_DONE) {
        const bool redraw = follow && !client.json && isatty(STDOUT_FILENO) == 1;

        do {
            code = show(&client, resource, path, redraw);
        } while (code == BOUGH_CODE_DONE && follow && poll(NULL, 0, REFRESH_MS) == 0);
        bough_client_finish(&client);
    }
    free(resource);
    return code;
}
