/* cmd_logs.c - `bough logs`: the last lines of the log of actors, and those that come.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/log.h>
#include <bough/core/place.h>
#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/draw.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

struct printer {
    bool json, follow;
};

/* False when there is nobody to print for. */
static bool print_line(void *data, const char *text)
{
    static const char prefix[] = "data: ";
    const struct printer *printer = data;
    json_t *line;

    if (printer->follow) {
        if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) return true; /* a comment */
        text += sizeof(prefix) - 1;
    }
    if (printer->json) {
        puts(text);
    } else if ((line = json_loads(text, 0, NULL)) != NULL) {
        bough_draw_log(stdout, line);
        json_decref(line);
    }
    return !printer->follow || fflush(stdout) == 0;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           strlen(text) < 20;
}

static bool is_level(const char *text)
{
    for (int i = 0; i < BOUGH_LEVEL_COUNT; i++)
        if (strcmp(text, bough_log_level_names[i]) == 0) return true;
    return false;
}

static int check(const char *path, const char *lines, const char *level)
{
    if (!bough_path_valid(path)) {
        bough_complain("\"%s\" is not a path; paths begin with \"/\", as `bough status` "
                       "shows them",
                       path);
        return BOUGH_CODE_USAGE;
    }
    if (!is_number(lines)) {
        bough_complain("logs: --lines takes how many, not \"%s\"", lines);
        return BOUGH_CODE_USAGE;
    }
    if (!is_level(level)) {
        bough_complain("logs: --level takes debug, info, warning or error, not \"%s\"",
                       level);
        return BOUGH_CODE_USAGE;
    }
    return BOUGH_CODE_DONE;
}

static int follow_or_print(struct bough_client *client, const char *path,
                           const char *lines, const char *level, struct printer *printer)
{
    char *resource = NULL;
    int code;

    if (asprintf(&resource, "/v1/logs?path=%s&lines=%s&level=%s&follow=%d", path, lines,
                 level, printer->follow) < 0) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    code = bough_client_stream(client, resource, path, print_line, printer);
    free(resource);
    return code;
}

static const char *option(const struct bough_arguments *arguments,
                          enum bough_option_id id, const char *fallback)
{
    return arguments->options[id] != NULL ? arguments->options[id] : fallback;
}

int bough_cmd_logs(const struct bough_arguments *arguments)
{
    const char *path = arguments->word_count > 0 ? arguments->words[0] : "/";
    const char *lines = option(arguments, BOUGH_OPTION_LINES, "100");
    const char *level = option(arguments, BOUGH_OPTION_LEVEL, "info");
    struct printer printer = { .json = arguments->options[BOUGH_OPTION_JSON] != NULL,
                               .follow =
                                   arguments->options[BOUGH_OPTION_FOLLOW] != NULL };
    struct bough_client client;
    int code = check(path, lines, level);

    if (code == BOUGH_CODE_DONE) code = bough_client_init(&client, arguments);
    if (code != BOUGH_CODE_DONE) return code;
    code = follow_or_print(&client, path, lines, level, &printer);
    bough_client_finish(&client);
    return code;
}
