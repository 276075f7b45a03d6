/* cmd_simulate.c - `bough simulate`: what a tree's limits do, in virtual time.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/units.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/simulate_report.h>
#include <bough/tools/bough/timeline.h>
#include <bough/tools/bough/verbs.h>

enum { HOUR_MS = 3600 * 1000, RUNS_MAX = 100000, LINES = 40 };
static const int64_t FOR_MAX_MS = INT64_C(366) * 24 * HOUR_MS; /* a year */

/* How often the figures of one actor may be kept: 16 bytes each. */
enum { FIGURES_MAX = 20 * 1000 * 1000 };

/* Options */

static const struct {
    enum bough_option_id option;
    enum bough_simulate_order order;
} orders[] = {
    { BOUGH_OPTION_CRASH, BOUGH_SIMULATE_CRASH },
    { BOUGH_OPTION_START_FAILS, BOUGH_SIMULATE_START_FAILS },
    { BOUGH_OPTION_SLOW_START, BOUGH_SIMULATE_SLOW_START },
    { BOUGH_OPTION_SLOW_STOP, BOUGH_SIMULATE_SLOW_STOP },
    { BOUGH_OPTION_HANG_STOP, BOUGH_SIMULATE_HANG_STOP },
};

/* False: the option is no order. */
static bool order_of(enum bough_option_id id, enum bough_simulate_order *order)
{
    for (size_t i = 0; i < bough_count_of(orders); i++) {
        if (orders[i].option != id) continue;
        *order = orders[i].order;
        return true;
    }
    return false;
}

/* A number from 1 (0 for a seed) to `most`; false, complained. */
static bool take_number(const struct bough_arguments *arguments, enum bough_option_id id,
                        uint64_t least, uint64_t most, uint64_t *number)
{
    const char *text = arguments->options[id];
    uint64_t value = 0;

    if (text == NULL) return true;
    if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
        strlen(text) <= 18) {
        value = strtoull(text, NULL, 10);
        if (value >= least && value <= most) {
            *number = value;
            return true;
        }
    }
    bough_complain("simulate: --%s takes a number from %" PRIu64 " to %" PRIu64
                   ", not \"%s\"",
                   bough_options[id].name, least, most, text);
    return false;
}

static bool take_request(const struct bough_arguments *arguments,
                         struct bough_simulate_request *request)
{
    const char *text = arguments->options[BOUGH_OPTION_FOR];
    struct bough_error error;

    *request = (struct bough_simulate_request){ .seed = 1, .for_ms = HOUR_MS, .runs = 1 };
    if (!take_number(arguments, BOUGH_OPTION_SEED, 0, INT64_MAX / 2, &request->seed) ||
        !take_number(arguments, BOUGH_OPTION_RUNS, 1, RUNS_MAX, &request->runs))
        return false;
    if (text == NULL) return true;
    if (bough_duration_parse(text, &request->for_ms, &error) != BOUGH_OK) {
        bough_complain("simulate: --for: %s", error.text);
        return false;
    }
    if (request->for_ms > 0 && request->for_ms <= FOR_MAX_MS) return true;
    bough_complain("simulate: --for takes a time up to 366d, not \"%s\"", text);
    return false;
}

static int tell_orders(const struct bough_arguments *arguments,
                       struct bough_simulation *simulation)
{
    struct bough_error error;

    for (size_t i = 0; i < arguments->given_count; i++) {
        const struct bough_given *given = &arguments->given[i];
        enum bough_simulate_order order;
        enum bough_status status;

        if (!order_of(given->id, &order)) continue;
        status = bough_simulation_tell(simulation, order, given->value, &error);
        if (status == BOUGH_OK) continue;
        bough_complain("simulate: --%s: %s", bough_options[given->id].name, error.text);
        if (status == BOUGH_ENOTFOUND) return BOUGH_CODE_NO_PATH;
        return status == BOUGH_ENOMEM ? BOUGH_CODE_FAILED : BOUGH_CODE_USAGE;
    }
    return BOUGH_CODE_DONE;
}

/* One run */

struct listed {
    json_t *events;
    bool failed;
};

static void list_event(void *data, const struct bough_event *event, int64_t at_ms)
{
    struct listed *listed = data;
    json_t *object = bough_history_json(event);

    if (object == NULL ||
        json_object_set_new(object, "at_ms", json_integer(at_ms)) != 0 ||
        json_array_append_new(listed->events, object) != 0)
        listed->failed = true;
}

static int out_of_memory(void)
{
    bough_complain("out of memory");
    return BOUGH_CODE_FAILED;
}

static int failed(const struct bough_simulate_request *request,
                  const struct bough_error *error)
{
    bough_complain("%s: %s", request->name, error->text);
    return BOUGH_CODE_FAILED;
}

static int judge(const struct bough_arguments *arguments, bool gave_up, bool unstarted)
{
    if (arguments->options[BOUGH_OPTION_FAIL_ON_GIVE_UP] == NULL) return BOUGH_CODE_DONE;
    if (gave_up) return BOUGH_CODE_GAVE_UP;
    return unstarted ? BOUGH_CODE_CHILD : BOUGH_CODE_DONE;
}

static int run_for_people(const struct bough_arguments *arguments,
                          const struct bough_simulate_request *request,
                          struct bough_simulation *simulation,
                          struct bough_simulation_result *result)
{
    const bool quiet = arguments->options[BOUGH_OPTION_QUIET] != NULL;
    const bool all = arguments->options[BOUGH_OPTION_TIMELINE] != NULL;
    struct bough_timeline timeline = { .file = stdout,
                                       .name = request->name,
                                       .limit = all ? SIZE_MAX : LINES };
    const struct bough_simulate_observer observer = { .event = bough_timeline_event,
                                                      .crash = bough_timeline_crash,
                                                      .data = &timeline };
    struct bough_error error;

    if (bough_simulation_run(simulation, request->seed, request->for_ms,
                             quiet ? NULL : &observer, result, &error) != BOUGH_OK)
        return failed(request, &error);
    if (!quiet) {
        bough_timeline_end(&timeline);
        putchar('\n');
    }
    bough_simulate_print(stdout, request, simulation, result);
    return judge(arguments, result->gave_up, !result->up);
}

static int run_for_programs(const struct bough_arguments *arguments,
                            const struct bough_simulate_request *request,
                            struct bough_simulation *simulation,
                            struct bough_simulation_result *result)
{
    const bool all = arguments->options[BOUGH_OPTION_TIMELINE] != NULL;
    struct listed listed = { .events = json_array() };
    const struct bough_simulate_observer observer = { .event = list_event,
                                                      .data = &listed };
    struct bough_error error;
    json_t *view = NULL;

    if (bough_simulation_run(simulation, request->seed, request->for_ms,
                             all ? &observer : NULL, result, &error) != BOUGH_OK) {
        json_decref(listed.events);
        return failed(request, &error);
    }
    if (!listed.failed) view = bough_simulate_json(request, simulation, result);
    if (all && view != NULL) json_object_set(view, "events", listed.events);
    json_decref(listed.events);
    if (view == NULL) return out_of_memory();
    bough_output_json(view);
    json_decref(view);
    return judge(arguments, result->gave_up, !result->up);
}

/* Many runs */

static int run_often(const struct bough_arguments *arguments,
                     const struct bough_simulate_request *request,
                     struct bough_simulation *simulation,
                     struct bough_simulation_result *result)
{
    struct bough_simulate_summary *summary =
        bough_simulate_summary_new(request->runs, bough_simulation_count(simulation));
    bool gave_up = false, unstarted = false;
    struct bough_error error;
    json_t *view = NULL;

    if (summary == NULL) return out_of_memory();
    for (uint64_t i = 0; i < request->runs; i++) {
        if (bough_simulation_run(simulation, request->seed + i, request->for_ms, NULL,
                                 result, &error) != BOUGH_OK) {
            bough_simulate_summary_free(summary);
            return failed(request, &error);
        }
        bough_simulate_summary_add(summary, result);
        gave_up |= result->gave_up;
        unstarted |= !result->up;
    }
    if (arguments->options[BOUGH_OPTION_JSON] == NULL) {
        bough_simulate_summary_print(stdout, request, simulation, summary);
    } else {
        view = bough_simulate_summary_json(request, simulation, summary);
        if (view != NULL) bough_output_json(view);
    }
    bough_simulate_summary_free(summary);
    if (arguments->options[BOUGH_OPTION_JSON] != NULL && view == NULL)
        return out_of_memory();
    json_decref(view);
    return judge(arguments, gave_up, unstarted);
}

static int run(const struct bough_arguments *arguments,
               const struct bough_simulate_request *request,
               struct bough_simulation *simulation)
{
    const size_t count = bough_simulation_count(simulation);
    struct bough_simulation_result result = { .fates =
                                                  calloc(count, sizeof(*result.fates)) };
    int code;

    if (result.fates == NULL) return out_of_memory();
    if (request->runs > 1 && request->runs > FIGURES_MAX / count) {
        bough_complain("simulate: --runs: at most %zu of a tree of %zu actors",
                       FIGURES_MAX / count, count);
        code = BOUGH_CODE_USAGE;
    } else if (request->runs > 1) {
        code = run_often(arguments, request, simulation, &result);
    } else if (arguments->options[BOUGH_OPTION_JSON] != NULL) {
        code = run_for_programs(arguments, request, simulation, &result);
    } else {
        code = run_for_people(arguments, request, simulation, &result);
    }
    free(result.fates);
    return code;
}

int bough_cmd_simulate(const struct bough_arguments *arguments)
{
    struct bough_simulate_request request;
    struct bough_simulation *simulation;
    struct bough_config *config;
    int code;

    if (!take_request(arguments, &request)) return BOUGH_CODE_USAGE;
    code = bough_load(arguments->words[0], &config);
    if (code != BOUGH_CODE_DONE) return code;
    request.name = bough_config_tree(config)->name;
    simulation = bough_simulation_new(&bough_config_tree(config)->options);
    if (simulation == NULL) {
        code = out_of_memory();
    } else {
        code = tell_orders(arguments, simulation);
        if (code == BOUGH_CODE_DONE) code = run(arguments, &request, simulation);
    }
    bough_simulation_free(simulation);
    bough_config_free(config);
    return code;
}
