/* crash.c - the report of a crash, as JSON and in words.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/crash.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bough/tools/bough/message.h>
#include <bough/tools/bough/output.h>

/* As JSON */

static json_t *message_json(const struct bough_crash *crash)
{
    return crash->message != NULL
               ? bough_message_json(crash->type, crash->message, crash->message_size)
               : json_null();
}

static json_t *address_json(const struct bough_crash *crash)
{
    char text[32];

    snprintf(text, sizeof(text), "0x%" PRIx64, crash->address);
    return crash->has_address ? json_string(text) : json_null();
}

json_t *bough_crash_json(const struct bough_crash *crash)
{
    const char *name = sigabbrev_np(crash->signal);

    return json_pack(
        "{s:i, s:s?, s:i, s:o, s:s, s:o, s:o?, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, "
        "s:I}, s:I}",
        "signal", crash->signal, "name", name, "code", crash->code, "address",
        address_json(crash), "what", crash->what, "backtrace",
        bough_output_lines(crash->backtrace), "runner",
        crash->runner != NULL ? json_string(crash->runner) : NULL, "message",
        message_json(crash), "log", bough_output_lines(crash->log), "core",
        crash->core[0] != '\0' ? bough_output_string(crash->core) : json_null(), "usage",
        "user_ms", (json_int_t)crash->user_ms, "system_ms", (json_int_t)crash->system_ms,
        "memory", (json_int_t)crash->memory, "minor_faults",
        (json_int_t)crash->minor_faults, "major_faults", (json_int_t)crash->major_faults,
        "stuck_ms", (json_int_t)crash->stuck_ms);
}

/* In words */

void bough_crash_print_what(const json_t *crash, FILE *file)
{
    const json_t *message = json_object_get(crash, "message");
    const char *runner = bough_output_member(crash, "runner", NULL);

    fputs(bough_output_member(crash, "what", "a fault"), file);
    if (runner == NULL) return;
    if (json_is_null(message)) {
        fprintf(file, ", in %s", runner);
        return;
    }
    fprintf(file, ", while %s ran %s", runner,
            bough_output_member(message, "message", "a message"));
    char *fields =
        json_dumps(json_object_get(message, "fields"), JSON_COMPACT | JSON_ENCODE_ANY);
    if (fields != NULL) fprintf(file, " %s", fields);
    free(fields);
}

static void print_lines(const json_t *lines, const char *indent, const char *before,
                        FILE *file)
{
    const json_t *line;
    size_t index;

    json_array_foreach (lines, index, line) {
        fprintf(file, "\n%s%s%s", indent, before, json_string_value(line));
    }
}

void bough_crash_print_backtrace(const json_t *lines, const char *indent, FILE *file)
{
    print_lines(lines, indent, "", file);
}

void bough_crash_print_all(const json_t *crash, const char *indent, FILE *file)
{
    const json_t *usage = json_object_get(crash, "usage");
    const char *core = bough_output_member(crash, "core", NULL);

    print_lines(json_object_get(crash, "backtrace"), indent, "", file);
    print_lines(json_object_get(crash, "log"), indent, "it had said: ", file);
    fprintf(file,
            "\n%sit had used %" JSON_INTEGER_FORMAT
            " ms of processor time and %" JSON_INTEGER_FORMAT " MiB of memory",
            indent,
            json_integer_value(json_object_get(usage, "user_ms")) +
                json_integer_value(json_object_get(usage, "system_ms")),
            json_integer_value(json_object_get(usage, "memory")) >> 20);
    if (core != NULL) fprintf(file, "\n%s%s", indent, core);
}
