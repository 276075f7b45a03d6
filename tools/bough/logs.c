/* logs.c - GET /v1/logs?path=PATH&lines=N&level=LEVEL&follow=1: the last lines of the log
 * of who lives at or below a path, and with follow=1 those that come.
 *
 * One JSON object a line: time, level, path, stream, text; or missed, how many lines were
 * too fast for the reader.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/core/place.h>
#include <bough/tools/bough/request.h>

enum { LINES = 100 }; /* when it is not said */

static json_t *next_line(struct bough_request *request)
{
    return bough_journal_read(&request->reader);
}

static const char *argument(struct bough_request *request, const char *name,
                            const char *fallback)
{
    const char *text = bough_http.MHD_lookup_connection_value(
        request->connection, MHD_GET_ARGUMENT_KIND, name);

    return text != NULL ? text : fallback;
}

static bool take_level(struct bough_request *request, enum bough_log_level *level)
{
    const char *name = argument(request, "level", bough_log_level_names[BOUGH_INFO]);

    for (int i = 0; i < BOUGH_LEVEL_COUNT; i++) {
        if (strcmp(name, bough_log_level_names[i]) != 0) continue;
        *level = (enum bough_log_level)i;
        return true;
    }
    bough_request_refuse(request, BOUGH_EINVALID,
                         "level must be debug, info, warning or error");
    return false;
}

static bool take_numbers(struct bough_request *request, uint64_t *lines, uint64_t *follow)
{
    if (!bough_request_number(request, "lines", LINES, lines)) {
        bough_request_refuse(request, BOUGH_EINVALID, "lines must be a number");
        return false;
    }
    if (!bough_request_number(request, "follow", 0, follow) || *follow > 1) {
        bough_request_refuse(request, BOUGH_EINVALID, "follow must be 0 or 1");
        return false;
    }
    return true;
}

/* Who lives there, or has lived there and left lines that are still kept. */
static bool is_known(const struct bough_request *request, const char *path)
{
    const struct bough_control_options *options = &request->control->options;
    struct bough_address place;

    return bough_lookup(options->loop, path, &place) == BOUGH_OK ||
           (bough_path_valid(path) && bough_journal_has(options->journal, path));
}

void bough_logs_begin(struct bough_request *request)
{
    const char *path = argument(request, "path", "/");
    enum bough_log_level level;
    uint64_t lines, follow;

    if (!take_level(request, &level) || !take_numbers(request, &lines, &follow)) return;
    if (!is_known(request, path)) {
        bough_request_no_path(request, path);
        return;
    }
    bough_journal_open(request->control->options.journal, &request->reader, path, level,
                       lines, follow == 1);
    request->next_object = next_line;
    bough_stream_begin(request, follow == 1);
}
