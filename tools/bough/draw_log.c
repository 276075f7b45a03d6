/* draw_log.c - a line of the log for people, as loggers write it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/draw.h>

#include <string.h>

#include <bough/core/log.h>
#include <bough/tools/bough/output.h>

static enum bough_paint level_paint(const char *level)
{
    if (strcmp(level, bough_log_level_names[BOUGH_ERROR]) == 0) return BOUGH_RED;
    if (strcmp(level, bough_log_level_names[BOUGH_WARNING]) == 0) return BOUGH_YELLOW;
    return BOUGH_PLAIN;
}

static void draw_missed(FILE *file, json_int_t count)
{
    const bool colour = bough_output_colour(file);

    fprintf(file,
            "%s... %" JSON_INTEGER_FORMAT " line%s missing here: read too slowly%s\n",
            bough_output_paint(colour, BOUGH_YELLOW), count, count == 1 ? " is" : "s are",
            bough_output_paint(colour, BOUGH_PLAIN));
}

void bough_draw_log(FILE *file, const json_t *line)
{
    const bool colour = bough_output_colour(file);
    const json_t *missed = json_object_get(line, "missed");
    const char *path = bough_output_member(line, "path", "");
    const char *stream = bough_output_member(line, "stream", NULL);
    const char *level = bough_output_member(line, "level", "");

    if (missed != NULL) {
        draw_missed(file, json_integer_value(missed));
        return;
    }
    fprintf(file, "%s %s%s%s ", bough_output_member(line, "time", ""),
            bough_output_paint(colour, level_paint(level)), level,
            bough_output_paint(colour, BOUGH_PLAIN));
    bough_output_text(file, path);
    if (path[0] != '\0') fputs(": ", file);
    bough_output_text(file, bough_output_member(line, "text", ""));
    if (stream != NULL) fprintf(file, " stream=%s", stream);
    fputc('\n', file);
}
