/* simulate_report.c - what came of one simulation.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_report.h>

#include <inttypes.h>
#include <string.h>

#include <bough/tools/bough/output.h>
#include <bough/tools/bough/span.h>

enum { TEXT = 256 };

static void print_end(FILE *file, const struct bough_simulate_request *request,
                      const struct bough_simulation_result *result)
{
    static const char gave_up[] = "gave up: ";
    char span[BOUGH_SPAN_TEXT], buffer[TEXT];
    const char *reason;

    if (!result->ended) {
        fprintf(file, "%s ran for %s%s\n", request->name,
                bough_span_print(result->end_ms, span),
                result->up ? "" : ", and was never up");
        return;
    }
    reason = bough_exit_print(&result->reason, buffer, sizeof(buffer));
    if (result->gave_up) reason = result->reason.text;
    if (strncmp(reason, gave_up, sizeof(gave_up) - 1) == 0) reason += sizeof(gave_up) - 1;
    fprintf(file, "%s %s after %s: %s\n", request->name,
            !result->up       ? "could not start"
            : result->gave_up ? "gave up"
                              : "ended",
            bough_span_print(result->end_ms, span), reason);
}

static int path_width(const struct bough_simulation *simulation)
{
    size_t width = strlen("PATH");

    for (size_t i = 0; i < bough_simulation_count(simulation); i++) {
        const size_t length = strlen(bough_simulation_at(simulation, i)->path);

        if (length > width) width = length;
    }
    return (int)width;
}

static int type_width(const struct bough_simulation *simulation)
{
    size_t width = strlen("TYPE");

    for (size_t i = 0; i < bough_simulation_count(simulation); i++) {
        const size_t length = strlen(bough_simulation_at(simulation, i)->type);

        if (length > width) width = length;
    }
    return (int)width;
}

void bough_simulate_print(FILE *file, const struct bough_simulate_request *request,
                          const struct bough_simulation *simulation,
                          const struct bough_simulation_result *result)
{
    const int paths = path_width(simulation), types = type_width(simulation);

    print_end(file, request, result);
    fprintf(file, "%" PRIu64 " crashes", result->crashes);
    if (result->missed > 0)
        fprintf(file, ", and %" PRIu64 " that found nobody", result->missed);
    fprintf(file, "; seed %" PRIu64 "\n\n", request->seed);

    fprintf(file, "%-*s  %-*s  %7s  %7s  %8s  %8s  %8s\n", paths, "PATH", types, "TYPE",
            "CRASHES", "LIVES", "RESTARTS", "DOWN", "LONGEST");
    for (size_t i = 0; i < bough_simulation_count(simulation); i++) {
        const struct bough_simulated *actor = bough_simulation_at(simulation, i);
        const struct bough_simulated_fate *fate = &result->fates[i];
        char down[BOUGH_SPAN_TEXT], longest[BOUGH_SPAN_TEXT];

        fprintf(file, "%-*s  %-*s  %7" PRIu64 "  %7" PRIu64 "  %8" PRIu64 "  %8s  %8s\n",
                paths, actor->path, types, actor->type, fate->crashes, fate->lives,
                fate->restarts, bough_span_print(fate->down_ms, down),
                bough_span_print(fate->longest_ms, longest));
    }
}

static json_t *fate_json(const struct bough_simulated *actor,
                         const struct bough_simulated_fate *fate)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "path", actor->path,
                     "type", actor->type, "crashes", (json_int_t)fate->crashes, "lives",
                     (json_int_t)fate->lives, "restarts", (json_int_t)fate->restarts,
                     "failed_starts", (json_int_t)fate->failed_starts, "down_ms",
                     (json_int_t)fate->down_ms, "longest_ms",
                     (json_int_t)fate->longest_ms);
}

json_t *bough_simulate_json(const struct bough_simulate_request *request,
                            const struct bough_simulation *simulation,
                            const struct bough_simulation_result *result)
{
    json_t *actors = json_array();
    char reason[TEXT];
    int failed = actors == NULL;

    for (size_t i = 0; i < bough_simulation_count(simulation) && !failed; i++)
        failed = json_array_append_new(
            actors, fate_json(bough_simulation_at(simulation, i), &result->fates[i]));
    if (failed) {
        json_decref(actors);
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:b, s:b, s:b, s:I, s:o, s:I, s:I, s:o}", "name",
                     request->name, "seed", (json_int_t)request->seed, "for_ms",
                     (json_int_t)request->for_ms, "up", result->up, "ended",
                     result->ended, "gave_up", result->gave_up, "end_ms",
                     (json_int_t)result->end_ms, "reason",
                     result->ended ? bough_output_string(bough_exit_print(
                                         &result->reason, reason, sizeof(reason)))
                                   : json_null(),
                     "crashes", (json_int_t)result->crashes, "missed",
                     (json_int_t)result->missed, "actors", actors);
}
