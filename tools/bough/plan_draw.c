/* plan_draw.c - a plan as people read it: what is stopped, changed and started, in order.
 *
 *     - /jobs/old   removed
 *     ~ /web        restarted
 *         options.run: ["web", "-p", "80"] -> ["web", "-p", "8080"]
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/plan_view.h>

#include <stdlib.h>
#include <string.h>

#include <bough/tools/bough/output.h>

enum { VALUE = 100 }; /* bytes of a value that are shown */

static const struct {
    const char *act;
    const char *mark;
    enum bough_paint paint;
} marks[] = {
    { "added", "+", BOUGH_GREEN },
    { "removed", "-", BOUGH_RED },
    { "restarted", "~", BOUGH_YELLOW },
    { "changed", "=", BOUGH_PLAIN },
};

/* The child of that path among those that the plan lists. */
static const json_t *child_at(const json_t *by_path, const char *path)
{
    return json_object_get(by_path, path);
}

static json_t *index_children(const json_t *plan)
{
    json_t *by_path = json_object(), *child;
    size_t i;

    json_array_foreach (json_object_get(plan, "children"), i, child)
        json_object_set(by_path, bough_output_member(child, "path", ""), child);
    return by_path;
}

static void print_value(FILE *file, const json_t *value)
{
    char *text =
        value != NULL && !json_is_null(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

    if (text == NULL) {
        fputs("(none)", file);
        return;
    }
    if (strlen(text) > VALUE) memcpy(text + VALUE - 3, "...", sizeof("..."));
    bough_output_text(file, text);
    free(text);
}

static void print_key(FILE *file, const json_t *key)
{
    const json_t *old = json_object_get(key, "old"), *new = json_object_get(key, "new");

    fprintf(file, "      %s", bough_output_member(key, "key", ""));
    if (json_object_get(key, "hidden") != NULL) {
        fprintf(file, ": %s, and not shown\n", bough_output_member(key, "change", ""));
    } else if (old == NULL && new == NULL) {
        fputs(": changed\n", file);
    } else {
        fputs(": ", file);
        print_value(file, old);
        fputs(" -> ", file);
        print_value(file, new);
        fputc('\n', file);
    }
}

static void print_remarks(FILE *file, const json_t *child)
{
    const char *because = bough_output_member(child, "because", NULL);
    const json_int_t below = json_integer_value(json_object_get(child, "below"));
    const bool whole = strcmp(bough_output_member(child, "act", ""), "changed") != 0;

    if (because != NULL)
        fprintf(file, ", since %s is, by its supervisor's strategy", because);
    if (json_object_get(child, "replaces") != NULL)
        fputs(", in place of the one that was started at run time", file);
    if (whole && below > 0)
        fprintf(file, ", with the %" JSON_INTEGER_FORMAT " below it", below);
}

static void print_child(FILE *file, const json_t *child, bool keys)
{
    const char *act = bough_output_member(child, "act", "");
    const bool colour = bough_output_colour(file);
    const json_t *key;
    size_t i;

    for (i = 0; i < bough_count_of(marks); i++) {
        if (strcmp(marks[i].act, act) != 0) continue;
        fprintf(file, "  %s%s %s%s  %s", bough_output_paint(colour, marks[i].paint),
                marks[i].mark, bough_output_member(child, "path", ""),
                bough_output_paint(colour, BOUGH_PLAIN), act);
    }
    if (strcmp(act, "added") == 0)
        fprintf(file, " (%s)", bough_output_member(child, "type", ""));
    print_remarks(file, child);
    fputc('\n', file);
    json_array_foreach (json_object_get(child, "keys"), i, key) {
        if (keys) print_key(file, key);
    }
}

/* Those that a kind of step is about, in its order. What is stopped is explained there;
 * when it is started it is only named. */
static void print_steps(FILE *file, const json_t *plan, const json_t *by_path,
                        const char *what, const char *heading)
{
    const json_t *step;
    bool any = false;
    size_t i;

    json_array_foreach (json_object_get(plan, "steps"), i, step) {
        const json_t *child = child_at(by_path, bough_output_member(step, "path", ""));

        if (strcmp(bough_output_member(step, "do", ""), what) != 0) continue;
        if (!any) fprintf(file, "%s\n", heading);
        any = true;
        print_child(file, child, strcmp(what, "stop") == 0);
    }
}

/* Those that live on with other settings. */
static void print_changed(FILE *file, const json_t *plan)
{
    const json_t *child, *log = json_object_get(plan, "log");
    bool any = false;
    size_t i;

    json_array_foreach (json_object_get(plan, "children"), i, child) {
        if (strcmp(bough_output_member(child, "act", ""), "changed") != 0) continue;
        if (!any) fputs("changed without a restart:\n", file);
        any = true;
        print_child(file, child, true);
    }
    if (log == NULL) return;
    fputs("reports go to another logger: ", file);
    print_value(file, json_object_get(log, "old"));
    fputs(" -> ", file);
    print_value(file, json_object_get(log, "new"));
    fputc('\n', file);
}

/* What bough itself acts on. */
static void print_root(FILE *file, const json_t *plan)
{
    const json_t *keys = json_object_get(plan, "root"), *key;
    size_t i;

    if (json_array_size(keys) > 0) fputs("bough itself takes over:\n", file);
    json_array_foreach (keys, i, key)
        print_key(file, key);
}

void bough_plan_draw(FILE *file, const json_t *plan)
{
    json_t *by_path = index_children(plan);
    char summary[128];

    bough_plan_summary(plan, summary, sizeof(summary));
    if (!json_is_true(json_object_get(plan, "changes"))) {
        fprintf(file, "nothing to do: %s\n", summary);
    } else {
        print_steps(file, plan, by_path, "stop", "stopped, in this order:");
        print_root(file, plan);
        print_changed(file, plan);
        print_steps(file, plan, by_path, "start",
                    "started, each once the one before is ready:");
        if (json_array_size(json_object_get(plan, "children")) == 0 &&
            json_object_get(plan, "log") == NULL && json_object_get(plan, "root") == NULL)
            fputs("children of a supervisor change their order\n", file);
        fprintf(file, "%s\n", summary);
    }
    json_decref(by_path);
}
