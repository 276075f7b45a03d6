/* simulate_orders.c - what a simulation can be told, read from words.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_plan.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/suggest.h>
#include <bough/config/units.h>

/* What follows PATH in an order, understood. */
struct order {
    char path[BOUGH_PATH_MAX];
    bool alone; /* the very actor, also when it is a supervisor */
    int64_t ms;
    uint64_t number;
    struct bough_simulated_crash crash;
};

enum { NUMBER_MAX = 1000000000 };

/* Parts */

static enum bough_status malformed(enum bough_simulate_order order, const char *text,
                                   struct bough_error *error)
{
    static const char *const forms[] = {
        [BOUGH_SIMULATE_CRASH] = "PATH@TIME, PATH=every:TIME or rate:PATH=N/TIME, as in "
                                 "/store@3s, /store=every:10s, rate:/store=2/1m",
        [BOUGH_SIMULATE_START_FAILS] = "PATH=N, as in /store=2",
        [BOUGH_SIMULATE_SLOW_START] = "PATH=TIME, as in /store=500ms",
        [BOUGH_SIMULATE_SLOW_STOP] = "PATH=TIME, as in /store=3s",
        [BOUGH_SIMULATE_HANG_STOP] = "PATH, as in /store",
    };

    return bough_error_set(error, BOUGH_EINVALID, "\"%.80s\" is not of the form %s", text,
                           forms[order]);
}

/* The path before `end`; false when it is none. */
static bool take_path(struct order *order, const char *text, const char *end)
{
    const size_t length = (size_t)(end - text);

    if (length >= sizeof(order->path)) return false;
    memcpy(order->path, text, length);
    order->path[length] = '\0';
    return bough_path_valid(order->path);
}

static enum bough_status take_time(const char *text, int64_t *ms,
                                   struct bough_error *error)
{
    const enum bough_status status = bough_duration_parse(text, ms, error);

    if (status != BOUGH_OK) return status;
    if (*ms != BOUGH_FOREVER) return BOUGH_OK;
    return bough_error_set(error, BOUGH_EINVALID,
                           "\"infinity\" is not a time that comes");
}

static enum bough_status take_time_above_zero(const char *text, int64_t *ms,
                                              struct bough_error *error)
{
    const enum bough_status status = take_time(text, ms, error);

    if (status != BOUGH_OK || *ms > 0) return status;
    return bough_error_set(error, BOUGH_EINVALID, "\"%s\" must be longer than nothing",
                           text);
}

/* A number and what follows it; false when there is none, or it is not allowed. */
static bool take_number(const char *text, const char **end, uint64_t *number)
{
    const size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 10) return false;
    *number = strtoull(text, NULL, 10);
    *end = text + digits;
    return *number > 0 && *number <= NUMBER_MAX;
}

/* Orders */

static const char rate[] = "rate:", every[] = "every:";

static enum bough_status parse_rate(struct order *order, const char *whole,
                                    struct bough_error *error)
{
    const char *text = whole + sizeof(rate) - 1;
    const char *equals = strrchr(text, '='), *rest;
    enum bough_status status;
    int64_t ms;

    if (equals == NULL || !take_path(order, text, equals) ||
        !take_number(equals + 1, &rest, &order->number) || *rest != '/')
        return malformed(BOUGH_SIMULATE_CRASH, whole, error);
    status = take_time_above_zero(rest + 1, &ms, error);
    order->crash.mean_ms = (double)ms / (double)order->number;
    return status;
}

static enum bough_status parse_crash(struct order *order, const char *text,
                                     struct bough_error *error)
{
    const char *at = strrchr(text, '@'), *equals = strrchr(text, '=');
    enum bough_status status;

    if (strncmp(text, rate, sizeof(rate) - 1) == 0) return parse_rate(order, text, error);
    if (at != NULL && take_path(order, text, at)) {
        order->alone = true;
        return take_time(at + 1, &order->crash.first_ms, error);
    }
    if (equals == NULL || !take_path(order, text, equals) ||
        strncmp(equals + 1, every, sizeof(every) - 1) != 0)
        return malformed(BOUGH_SIMULATE_CRASH, text, error);
    status = take_time_above_zero(equals + sizeof(every), &order->crash.every_ms, error);
    order->crash.first_ms = order->crash.every_ms;
    return status;
}

static enum bough_status parse(enum bough_simulate_order kind, const char *text,
                               struct order *order, struct bough_error *error)
{
    const char *equals = strrchr(text, '='), *rest;

    if (kind == BOUGH_SIMULATE_CRASH) return parse_crash(order, text, error);
    if (kind == BOUGH_SIMULATE_HANG_STOP) {
        if (take_path(order, text, text + strlen(text))) return BOUGH_OK;
        return malformed(kind, text, error);
    }
    if (equals == NULL || !take_path(order, text, equals))
        return malformed(kind, text, error);
    if (kind != BOUGH_SIMULATE_START_FAILS)
        return take_time(equals + 1, &order->ms, error);
    if (take_number(equals + 1, &rest, &order->number) && *rest == '\0') return BOUGH_OK;
    return malformed(kind, text, error);
}

/* Following them */

static enum bough_status no_actor(const struct bough_simulation *simulation,
                                  const char *path, struct bough_error *error)
{
    struct bough_suggestion suggestion = { .word = path };

    for (size_t i = 1; i < simulation->count; i++) /* nobody means the root by that */
        bough_suggestion_offer(&suggestion, simulation->actors[i]->about.path);
    if (suggestion.nearest != NULL)
        return bough_error_set(error, BOUGH_ENOTFOUND,
                               "no actor \"%s\" in this tree; did you mean \"%s\"?", path,
                               suggestion.nearest);
    return bough_error_set(error, BOUGH_ENOTFOUND,
                           "no actor \"%s\" in this tree; `bough tree FILE` draws it",
                           path);
}

static enum bough_status add_crash(struct bough_simulation *simulation,
                                   const struct order *order, size_t actor)
{
    struct bough_simulated_crash *crash;

    if (!bough_simulation_reserve((void **)&simulation->crashes,
                                  &simulation->crash_capacity, simulation->crash_count,
                                  sizeof(*simulation->crashes)))
        return BOUGH_ENOMEM;
    crash = &simulation->crashes[simulation->crash_count++];
    *crash = order->crash;
    crash->actor = actor;
    return BOUGH_OK;
}

static enum bough_status follow(struct bough_simulation *simulation,
                                enum bough_simulate_order kind, const struct order *order,
                                size_t number)
{
    struct bough_simulated_actor *actor = simulation->actors[number];

    switch (kind) {
    case BOUGH_SIMULATE_CRASH: return add_crash(simulation, order, number);
    case BOUGH_SIMULATE_START_FAILS: actor->start_fails = order->number; break;
    case BOUGH_SIMULATE_SLOW_START: actor->slow_start_ms = order->ms; break;
    case BOUGH_SIMULATE_SLOW_STOP: actor->slow_stop_ms = order->ms; break;
    case BOUGH_SIMULATE_HANG_STOP: actor->hang_stop = true; break;
    }
    return BOUGH_OK;
}

enum bough_status bough_simulation_tell(struct bough_simulation *simulation,
                                        enum bough_simulate_order kind, const char *text,
                                        struct bough_error *error)
{
    struct order order = { .path = "" };
    const struct bough_simulated_actor *top;
    enum bough_status status = parse(kind, text, &order, error);
    size_t number = 0, told = 0;

    if (status != BOUGH_OK) return status;
    top = bough_simulation_find(simulation, order.path);
    if (top == NULL) return no_actor(simulation, order.path, error);
    while (simulation->actors[number] != top)
        number++;
    if (order.alone) return follow(simulation, kind, &order, number);
    for (; number < top->after && status == BOUGH_OK; number++) {
        if (simulation->actors[number]->about.supervisor) continue;
        status = follow(simulation, kind, &order, number);
        told++;
    }
    if (status != BOUGH_OK) return bough_error_set(error, status, "out of memory");
    if (told > 0) return BOUGH_OK;
    return bough_error_set(error, BOUGH_EINVALID,
                           "there is nobody below \"%s\" but supervisors", order.path);
}
