/* log.c - the levels, and the hook that a runtime has when nobody sets one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/log.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/place.h>
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

/* Of stderr: how many lines it did not take, and whether it has taken a part of one. */
static _Atomic uint64_t lost;
static _Atomic bool cut;

static bool write_line(const char *line)
{
    const size_t size = strlen(line);
    const ssize_t written = bough_stderr_write(line, size);

    if (written == (ssize_t)size) return true;
    if (written > 0) atomic_store(&cut, true);
    return false;
}

/* False: it does not take that either. */
static bool tell_lost(int64_t realtime_ns)
{
    char time[BOUGH_TIME_TEXT], line[128];
    const uint64_t count = atomic_exchange(&lost, 0);

    if (count == 0) return true;
    const bool was_cut = atomic_exchange(&cut, false);
    bough_text_format(
        line, sizeof(line), "%s%s warning %" PRIu64 " line%s could not be written\n",
        was_cut ? "\n" : "", bough_time_print(realtime_ns, time, sizeof(time)), count,
        count == 1 ? "" : "s");
    if (write_line(line)) return true;
    if (was_cut) atomic_store(&cut, true);
    atomic_fetch_add(&lost, count);
    return false;
}

/* A report's text is at most 1023 bytes. */
void bough_log_stderr(void *data, const struct bough_log_record *record)
{
    enum { REST = 64 };

    char time[BOUGH_TIME_TEXT], text[BOUGH_OUTPUT_LINE];
    char line[sizeof(time) + BOUGH_PATH_MAX + sizeof(text) + REST];
    const char *colon = record->path[0] == '\0' ? "" : ": ";
    const char *of = record->stream ? " stream=" : "";

    (void)data;
    bough_text_format(text, sizeof(text), "%s", record->text);
    blank_controls(text);
    bough_text_format(line, sizeof(line), "%s %s %s%s%s%s%s\n",
                      bough_time_print(record->realtime_ns, time, sizeof(time)),
                      level_name(record->level), record->path, colon, text, of,
                      record->stream ? record->stream : "");
    if (!tell_lost(record->realtime_ns) || !write_line(line)) atomic_fetch_add(&lost, 1);
}
