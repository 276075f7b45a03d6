/* log.c - the levels, and the hook that a runtime has when nobody sets one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/log.h>

#include <stdio.h>

#include <bough/core/text.h>

const char *const bough_log_level_names[] = {
    [BOUGH_DEBUG] = "debug", [BOUGH_INFO] = "info",      [BOUGH_WARNING] = "warning",
    [BOUGH_ERROR] = "error", [BOUGH_LEVEL_COUNT] = NULL,
};

static const char *level_name(enum bough_log_level level)
{
    return (unsigned)level < BOUGH_LEVEL_COUNT ? bough_log_level_names[level] : "unknown";
}

/* What was logged may come from anywhere: it must not move a terminal's cursor, nor pass
 * for a second line. */
static void blank_controls(char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte < ' ' || byte == 0x7f) *text = ' ';
    }
}

void bough_log_stderr(void *data, const struct bough_log_record *record)
{
    char time[BOUGH_TIME_TEXT];
    char text[BOUGH_OUTPUT_LINE]; /* a report's text is at most 1023 bytes */
    const char *colon = record->path[0] == '\0' ? "" : ": ";
    const char *of = record->stream ? " stream=" : "";

    (void)data;
    bough_text_format(text, sizeof(text), "%s", record->text);
    blank_controls(text);
    fprintf(stderr, "%s %s %s%s%s%s%s\n",
            bough_time_print(record->realtime_ns, time, sizeof(time)),
            level_name(record->level), record->path, colon, text, of,
            record->stream ? record->stream : "");
}
