/* simulate_summary.c - what came of many simulations: how often, when, and how bad.
 *
 * Of each figure all values are kept and sorted, and those at the given parts of the way
 * are shown (the nearest rank).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_report.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/tools/bough/span.h>

struct bough_simulate_summary {
    size_t runs, actors, added;
    size_t unstarted, ended; /* could not start; ended otherwise than so or below */
    size_t gave_up;
    int64_t *ends_ms;            /* of those that gave up */
    int64_t *down_ms, *restarts; /* actor by actor, each `runs` long */
    int64_t *longest_ms;         /* by actor: the longest of all runs */
};

struct bough_simulate_summary *bough_simulate_summary_new(size_t runs, size_t actors)
{
    struct bough_simulate_summary *summary = calloc(1, sizeof(*summary));

    if (summary == NULL) return NULL;
    summary->runs = runs;
    summary->actors = actors;
    summary->ends_ms = calloc(runs, sizeof(*summary->ends_ms));
    summary->down_ms = calloc(runs, actors * sizeof(*summary->down_ms));
    summary->restarts = calloc(runs, actors * sizeof(*summary->restarts));
    summary->longest_ms = calloc(actors, sizeof(*summary->longest_ms));
    if (summary->ends_ms != NULL && summary->down_ms != NULL &&
        summary->restarts != NULL && summary->longest_ms != NULL)
        return summary;
    bough_simulate_summary_free(summary);
    return NULL;
}

void bough_simulate_summary_free(struct bough_simulate_summary *summary)
{
    if (summary == NULL) return;
    free(summary->ends_ms);
    free(summary->down_ms);
    free(summary->restarts);
    free(summary->longest_ms);
    free(summary);
}

void bough_simulate_summary_add(struct bough_simulate_summary *summary,
                                const struct bough_simulation_result *result)
{
    const size_t run = summary->added++;

    bough_assert(run < summary->runs);
    if (!result->up)
        summary->unstarted++;
    else if (result->gave_up)
        summary->ends_ms[summary->gave_up++] = result->end_ms;
    else if (result->ended)
        summary->ended++;
    for (size_t i = 0; i < summary->actors; i++) {
        const struct bough_simulated_fate *fate = &result->fates[i];

        summary->down_ms[i * summary->runs + run] = fate->down_ms;
        summary->restarts[i * summary->runs + run] = (int64_t)fate->restarts;
        if (fate->longest_ms > summary->longest_ms[i])
            summary->longest_ms[i] = fate->longest_ms;
    }
}

/* Figures */

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

struct spread {
    int64_t min, median, p90, max;
};

static int64_t at_percent(const int64_t *sorted, size_t count, size_t percent)
{
    const size_t rank = (count * percent + 99) / 100;

    return sorted[rank == 0 ? 0 : rank - 1];
}

/* Of at least one value; sorts them. */
static struct spread spread_of(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return (struct spread){
        .min = values[0],
        .median = at_percent(values, count, 50),
        .p90 = at_percent(values, count, 90),
        .max = values[count - 1],
    };
}

static struct spread down_of(struct bough_simulate_summary *summary, size_t actor)
{
    return spread_of(&summary->down_ms[actor * summary->runs], summary->runs);
}

static struct spread restarts_of(struct bough_simulate_summary *summary, size_t actor)
{
    return spread_of(&summary->restarts[actor * summary->runs], summary->runs);
}

/* For people */

static void print_share(FILE *file, const struct bough_simulate_summary *summary,
                        size_t count, const char *what)
{
    fprintf(file, "%s in %zu (%.1f%%)", what, count,
            100.0 * (double)count / (double)summary->runs);
}

static void print_ends(FILE *file, struct bough_simulate_summary *summary)
{
    char min[BOUGH_SPAN_TEXT], median[BOUGH_SPAN_TEXT], p90[BOUGH_SPAN_TEXT],
        max[BOUGH_SPAN_TEXT];

    print_share(file, summary, summary->gave_up, "gave up");
    if (summary->gave_up > 0) {
        const struct spread spread = spread_of(summary->ends_ms, summary->gave_up);

        fprintf(file, ": first after %s, median %s, 90%% within %s, last after %s",
                bough_span_print(spread.min, min),
                bough_span_print(spread.median, median),
                bough_span_print(spread.p90, p90), bough_span_print(spread.max, max));
    }
    fputc('\n', file);
    if (summary->unstarted > 0) {
        print_share(file, summary, summary->unstarted, "could not start");
        fputc('\n', file);
    }
    if (summary->ended > 0) {
        print_share(file, summary, summary->ended, "ended by itself");
        fputc('\n', file);
    }
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

void bough_simulate_summary_print(FILE *file,
                                  const struct bough_simulate_request *request,
                                  const struct bough_simulation *simulation,
                                  struct bough_simulate_summary *summary)
{
    const int width = path_width(simulation);
    char span[BOUGH_SPAN_TEXT];

    fprintf(file, "%s, %zu runs of %s, seeds %" PRIu64 " to %" PRIu64 "\n", request->name,
            summary->runs, bough_span_print(request->for_ms, span), request->seed,
            request->seed + summary->runs - 1);
    print_ends(file, summary);
    fprintf(file, "\n%-*s  %-18s  %-28s  %s\n", width, "", "RESTARTS", "DOWN", "LONGEST");
    fprintf(file, "%-*s  %8s  %8s  %8s  %8s  %8s  %8s\n", width, "PATH", "median", "90%",
            "median", "90%", "worst", "outage");
    for (size_t i = 0; i < summary->actors; i++) {
        const struct spread restarts = restarts_of(summary, i);
        const struct spread down = down_of(summary, i);
        char median[BOUGH_SPAN_TEXT], p90[BOUGH_SPAN_TEXT], max[BOUGH_SPAN_TEXT];

        fprintf(file, "%-*s  %8" PRId64 "  %8" PRId64 "  %8s  %8s  %8s  %8s\n", width,
                bough_simulation_at(simulation, i)->path, restarts.median, restarts.p90,
                bough_span_print(down.median, median), bough_span_print(down.p90, p90),
                bough_span_print(down.max, max),
                bough_span_print(summary->longest_ms[i], span));
    }
}

/* For programs */

static json_t *spread_json(struct spread spread)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "min", (json_int_t)spread.min, "median",
                     (json_int_t)spread.median, "p90", (json_int_t)spread.p90, "max",
                     (json_int_t)spread.max);
}

static json_t *actor_json(const struct bough_simulated *actor, size_t number,
                          struct bough_simulate_summary *summary)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:I}", "path", actor->path, "type",
                     actor->type, "restarts", spread_json(restarts_of(summary, number)),
                     "down_ms", spread_json(down_of(summary, number)), "longest_ms",
                     (json_int_t)summary->longest_ms[number]);
}

json_t *bough_simulate_summary_json(const struct bough_simulate_request *request,
                                    const struct bough_simulation *simulation,
                                    struct bough_simulate_summary *summary)
{
    json_t *actors = json_array();
    int failed = actors == NULL;

    for (size_t i = 0; i < summary->actors && !failed; i++)
        failed = json_array_append_new(
            actors, actor_json(bough_simulation_at(simulation, i), i, summary));
    if (failed) {
        json_decref(actors);
        return NULL;
    }
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name", request->name, "seed",
        (json_int_t)request->seed, "for_ms", (json_int_t)request->for_ms, "runs",
        (json_int_t)summary->runs, "gave_up", (json_int_t)summary->gave_up,
        "could_not_start", (json_int_t)summary->unstarted, "ended",
        (json_int_t)summary->ended, "gave_up_after_ms",
        summary->gave_up > 0 ? spread_json(spread_of(summary->ends_ms, summary->gave_up))
                             : json_null(),
        "actors", actors);
}
