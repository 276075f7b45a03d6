/* places.c - the places of a tree that runs, as JSON text.
 *
 * Paths, names, states and policies are made of characters that JSON leaves alone; the
 * name of a type is its author's, and is escaped.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/places.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/usage.h>

enum { LEVELS = BOUGH_PATH_MAX / 2 + 1 }; /* of a path, the root's too */

struct printer {
    FILE *file;
    bool nested;
    bool any;          /* printed */
    int open;          /* objects whose children are being printed */
    int level[LEVELS]; /* of each of those */
};

/* Text in quotes, or null. */
static void print_text(FILE *file, const char *text)
{
    if (text == NULL) {
        fputs("null", file);
    } else {
        fprintf(file, "\"%s\"", text);
    }
}

static void print_type(FILE *file, const struct bough_actor_type *type)
{
    json_t *name = bough_output_string(type != NULL ? type->name : NULL);

    if (name == NULL || json_dumpf(name, file, JSON_ENCODE_ANY) != 0) fputs("null", file);
    json_decref(name);
}

/* "reserved" is a matter of the core: for people, nobody lives there yet. */
static const char *state_name(enum bough_place_state state)
{
    return bough_place_state_name(state == BOUGH_PLACE_RESERVED ? BOUGH_PLACE_STOPPED
                                                                : state);
}

/* What else is said of a supervisor. */
static void print_flags(FILE *file, const struct bough_supervisor_options *flags)
{
    if (flags == NULL) return;
    fprintf(file, ",\"strategy\":\"%s\",\"intensity\":%" PRIu32 ",\"period_ms\":%" PRId64,
            bough_strategy_names[flags->strategy], bough_supervisor_intensity(flags),
            bough_supervisor_period_ms(flags));
}

/* What the process has in memory, in bytes, and the processor time that it has used,
 * with those that it has waited for; null for one that is not there. */
static void print_usage(FILE *file, int64_t pid)
{
    struct bough_usage usage;

    if (bough_usage_read(pid, &usage))
        fprintf(file, ",\"memory\":%" PRId64 ",\"cpu_ms\":%" PRId64, usage.memory,
                usage.cpu_ms + usage.waited_ms);
    else
        fputs(",\"memory\":null,\"cpu_ms\":null", file);
}

/* All members, without the closing brace. */
static void print_members(FILE *file, const struct bough_place_info *info)
{
    fprintf(file, "{\"path\":\"%s\",\"type\":", info->path);
    print_type(file, info->type);
    fprintf(file,
            ",\"state\":\"%s\",\"life\":%" PRIu32 ",\"restarts\":%" PRIu32
            ",\"restart\":",
            state_name(info->state), info->life, info->restarts);
    print_text(file, info->restart);
    fputs(",\"isolation\":", file);
    print_text(file, info->isolation != NULL ? info->isolation : "inline");
    if (info->pid != 0) {
        fprintf(file, ",\"pid\":%" PRId64, info->pid);
    } else {
        fputs(",\"pid\":null", file);
    }
    print_usage(file, info->pid);
    fprintf(file, ",\"stuck\":%s", info->stuck ? "true" : "false");
    fprintf(file,
            ",\"uptime_ms\":%" PRId64 ",\"mailbox\":{\"length\":%zu,\"capacity\":%zu,"
            "\"dropped\":%" PRIu64 "},\"handled\":%" PRIu64 ",\"quarantined\":%" PRIu32,
            info->uptime_ms, info->mailbox_length, info->mailbox_capacity, info->dropped,
            info->handled, info->quarantined);
    if (info->type == &bough_supervisor_type) print_flags(file, info->options);
}

static int level_of(const char *path)
{
    int level = 0;

    for (const char *at = path; *at != '\0'; at++) {
        if (at[0] == '/' && at[1] != '\0') level++;
    }
    return level;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* Closes the objects that are not above `level`. */
static void close_to(struct printer *printer, int level)
{
    while (printer->open > 0 && printer->level[printer->open - 1] >= level) {
        fputs("]}", printer->file);
        printer->open--;
        printer->any = true;
    }
}

static void print_place(void *data, struct bough_address place,
                        const struct bough_place_info *info)
{
    struct printer *printer = data;
    const int level = level_of(info->path);

    (void)place;
    close_to(printer, level);
    if (printer->any) fputc(',', printer->file);
    print_members(printer->file, info);
    if (!printer->nested) {
        fputc('}', printer->file);
        printer->any = true;
        return;
    }
    fprintf(printer->file, ",\"name\":\"%s\",\"children\":[", name_of(info->path));
    bough_assert(printer->open < LEVELS);
    printer->level[printer->open++] = level;
    printer->any = false;
}

/* Whether there is something to print, so that nothing is when there is not. */
static bool exists(struct bough_loop *loop, const char *path)
{
    struct bough_place_info info;
    struct bough_address place;

    return bough_lookup(loop, path, &place) == BOUGH_OK &&
           bough_place_info(place, &info) == BOUGH_OK && info.type != NULL;
}

enum bough_status bough_places_print(struct bough_loop *loop, const char *path,
                                     FILE *file)
{
    struct printer printer = { .file = file };
    enum bough_status status;

    if (!exists(loop, path)) return BOUGH_ENOTFOUND;
    fputc('[', file);
    status = bough_place_visit(loop, path, print_place, &printer);
    fputc(']', file);
    return status;
}

enum bough_status bough_places_print_nested(struct bough_loop *loop, const char *path,
                                            FILE *file)
{
    struct printer printer = { .file = file, .nested = true };
    enum bough_status status;

    if (!exists(loop, path)) return BOUGH_ENOTFOUND;
    status = bough_place_visit(loop, path, print_place, &printer);
    close_to(&printer, 0);
    return status;
}
