/* output.c - what the program prints for people, and how numbers and texts look there.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/output.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/log.h>
#include <bough/core/public.h>

/* Control characters do things to a terminal; a line feed and a tab do no harm. */
static char harmless(char byte)
{
    const unsigned char value = (unsigned char)byte;
    const bool control = (value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f;

    return control ? '?' : byte;
}

static bool is_impatient;

void bough_complain_impatiently(void)
{
    is_impatient = true;
}

/* One write for the whole line, so that it is not mixed with what others write there. */
void bough_complain(const char *format, ...)
{
    char *text = NULL, *line = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        for (char *at = text; *at != '\0'; at++) {
            *at = harmless(*at);
        }
        length = asprintf(&line, "bough: %s\n", text);
        free(text);
    }
    fflush(stdout);
    if (length < 0) {
        fputs("bough: out of memory\n", stderr);
        return;
    }
    if (is_impatient) {
        (void)!bough_stderr_write(line, (size_t)length);
    } else {
        fwrite(line, 1, (size_t)length, stderr);
    }
    free(line);
}

bool bough_output_colour(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (no_color != NULL && no_color[0] != '\0') return false;
    if (terminal == NULL || strcmp(terminal, "dumb") == 0) return false;
    return isatty(fileno(file)) == 1;
}

const char *bough_output_paint(bool colour, enum bough_paint paint)
{
    static const char *const escapes[] = {
        [BOUGH_PLAIN] = "\033[0m",  [BOUGH_DIM] = "\033[2m",     [BOUGH_BOLD] = "\033[1m",
        [BOUGH_GREEN] = "\033[32m", [BOUGH_YELLOW] = "\033[33m", [BOUGH_RED] = "\033[31m",
    };

    return colour ? escapes[paint] : "";
}

enum bough_paint bough_output_state_paint(const char *state)
{
    static const struct {
        const char *state;
        enum bough_paint paint;
    } paints[] = {
        { "running", BOUGH_GREEN },   { "starting", BOUGH_YELLOW },
        { "stopping", BOUGH_YELLOW }, { "restarting", BOUGH_YELLOW },
        { "failed", BOUGH_RED },      { "stuck", BOUGH_RED },
        { "stopped", BOUGH_DIM },
    };

    for (size_t i = 0; i < bough_count_of(paints); i++) {
        if (strcmp(state, paints[i].state) == 0) return paints[i].paint;
    }
    return BOUGH_PLAIN;
}

void bough_output_text(FILE *file, const char *text)
{
    if (text == NULL) return;
    for (; *text != '\0'; text++) {
        fputc(harmless(*text), file);
    }
}

const char *bough_output_duration(int64_t ms, char *buffer)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };

    for (size_t i = 0; i < bough_count_of(units); i++) {
        int64_t rest;

        if (ms < units[i].ms) continue;
        rest = i + 1 < bough_count_of(units) ? ms % units[i].ms / units[i + 1].ms : 0;
        if (rest == 0) {
            snprintf(buffer, BOUGH_OUTPUT_DURATION, "%" PRId64 "%s", ms / units[i].ms,
                     units[i].name);
        } else {
            snprintf(buffer, BOUGH_OUTPUT_DURATION, "%" PRId64 "%s%" PRId64 "%s",
                     ms / units[i].ms, units[i].name, rest, units[i + 1].name);
        }
        return buffer;
    }
    snprintf(buffer, BOUGH_OUTPUT_DURATION, "%" PRId64 "ms", ms);
    return buffer;
}

void bough_output_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    fputc('\n', stdout);
}

json_t *bough_output_string(const char *text)
{
    json_t *string;
    char *copy;

    if (text == NULL) return json_null();
    string = json_string(text);
    if (string != NULL) return string;

    copy = strdup(text);
    if (copy == NULL) return NULL;
    for (char *at = copy; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80) *at = '?';
    }
    string = json_string(copy);
    free(copy);
    return string;
}

const char *bough_output_member(const json_t *object, const char *name,
                                const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : fallback;
}

json_t *bough_output_lines(const char *lines)
{
    json_t *array = json_array();

    for (const char *line = lines; array != NULL && *line != '\0';) {
        const size_t len = strcspn(line, "\n");

        json_array_append_new(array, json_stringn(line, len));
        line += len + (line[len] == '\n');
    }
    return array;
}

const char *bough_output_state(const json_t *place, const char *fallback)
{
    if (json_is_true(json_object_get(place, "stuck"))) return "stuck";
    return bough_output_member(place, "state", fallback);
}
