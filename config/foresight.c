/* foresight.c - what the limits of a tree mean.
 *
 * A supervisor with intensity R starts a child that always fails R + 1 times, and then
 * gives up, which is one failure for its own supervisor. So the limits on the way from an
 * actor to the root multiply, as long as giving up is answered by a restart: it ends with
 * `shutdown`, after which only a permanent child is restarted (OTP).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/foresight.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <bough/supervisor/supervisor.h>

/* Numbers that do not end */

static int64_t add_ms(int64_t a, int64_t b)
{
    int64_t sum;

    if (a == BOUGH_FOREVER || b == BOUGH_FOREVER || __builtin_add_overflow(a, b, &sum))
        return BOUGH_FOREVER;
    return sum;
}

static int64_t multiply_ms(int64_t ms, uint32_t times)
{
    int64_t product;

    if (ms == BOUGH_FOREVER || __builtin_mul_overflow(ms, times, &product))
        return BOUGH_FOREVER;
    return product;
}

static uint64_t multiply_starts(uint64_t a, uint64_t b)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product) || product > BOUGH_STARTS_MAX)
        return BOUGH_STARTS_MAX + 1;
    return product;
}

/* How long it takes to stop */

static const struct bough_supervisor_options *
options_of(const struct bough_child_spec *spec)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };

    return spec->options == NULL ? &none : spec->options;
}

static bool is_supervisor(const struct bough_child_spec *spec)
{
    return spec->type == &bough_supervisor_type;
}

/* One of it, whatever its replicas. */
static int64_t single_stop_ms(const struct bough_child_spec *spec)
{
    int64_t limit = bough_child_shutdown_ms(spec);
    int64_t needed;

    if (limit == BOUGH_SHUTDOWN_BRUTAL_KILL) return 0;
    if (is_supervisor(spec))
        needed = bough_foresee_children_stop_ms(options_of(spec));
    else
        needed = spec->type->stop == NULL ? 0 : BOUGH_FOREVER;
    return needed < limit ? needed : limit;
}

int64_t bough_foresee_stop_ms(const struct bough_child_spec *spec)
{
    return multiply_ms(single_stop_ms(spec), spec->replicas > 0 ? spec->replicas : 1);
}

int64_t bough_foresee_children_stop_ms(const struct bough_supervisor_options *options)
{
    int64_t sum = 0;

    for (size_t i = 0; i < options->child_count; i++)
        sum = add_ms(sum, bough_foresee_stop_ms(&options->children[i]));
    return sum;
}

/* All but the one that has ended: at worst that is the one which would have been fastest,
 * or the first. */
int64_t bough_foresee_group_stop_ms(const struct bough_supervisor_options *options)
{
    int64_t sum = 0, least = BOUGH_FOREVER;

    if (options->strategy == BOUGH_ONE_FOR_ONE || options->strategy == BOUGH_DYNAMIC)
        return 0;
    for (size_t i = 0; i < options->child_count; i++) {
        int64_t ms = bough_foresee_stop_ms(&options->children[i]);

        if (options->strategy == BOUGH_REST_FOR_ONE && i == 0) continue;
        sum = add_ms(sum, ms);
        if (ms < least) least = ms;
    }
    if (options->strategy == BOUGH_REST_FOR_ONE || sum == BOUGH_FOREVER) return sum;
    return options->child_count == 0 ? 0 : sum - least;
}

/* Limits */

struct bough_limit
bough_limit_of_supervisor(const struct bough_supervisor_options *options)
{
    return (struct bough_limit){ .intensity = bough_supervisor_intensity(options),
                                 .period_ms = bough_supervisor_period_ms(options) };
}

struct bough_limit bough_limit_of_child(const struct bough_child_spec *spec)
{
    return (struct bough_limit){ .intensity = spec->intensity,
                                 .period_ms = bough_child_period_ms(spec) };
}

/* The least that a wait of this length can be: whole ms, less what chance may take. */
static double shortest(const struct bough_backoff *backoff, double wait)
{
    return floor(wait) - wait * backoff->jitter;
}

/* After so many steps waits are taken as if they grew no more, so that a large intensity
 * costs no time. */
enum { STEPS_MAX = 1000 };

/* The least that so many waits after the first take together, each longer than the one
 * before up to the most; or something more than `enough`. */
static double least_sum(const struct bough_backoff *backoff, uint32_t count,
                        double enough)
{
    double wait = (double)backoff->min_ms, most = (double)backoff->max_ms, sum = 0;

    for (uint32_t i = 0; i < count && sum <= enough; i++) {
        wait *= backoff->factor;
        if (wait >= most || backoff->factor <= 1 || i == STEPS_MAX)
            return sum + (count - i) * shortest(backoff, wait < most ? wait : most);
        sum += shortest(backoff, wait);
    }
    return sum;
}

/* To pass the limit, one restart more than it allows must fall into the period: as many
 * gaps as it allows. Each gap is a wait at least. When no life of a length that resets
 * the waits fits into the period, then they grow from gap to gap. */
bool bough_backoff_outruns(const struct bough_backoff *given, struct bough_limit limit)
{
    const struct bough_backoff backoff = bough_backoff_fill(given);
    double period = (double)limit.period_ms;

    if (backoff.min_ms == 0) return false;
    if (limit.intensity * shortest(&backoff, (double)backoff.min_ms) > period)
        return true;
    return backoff.reset_after_ms > limit.period_ms &&
           least_sum(&backoff, limit.intensity, period) > period;
}

/* Fates */

static bool fits_all(const struct bough_policy *policy)
{
    return !policy->any_kind && policy->kind == BOUGH_EXIT_NORMAL &&
           policy->status == BOUGH_OK && !policy->any_number && policy->number == 0;
}

/* The worse of two. */
static enum bough_fate worse(enum bough_fate a, enum bough_policy_act act)
{
    if (a == BOUGH_FATE_COUNTED || act == BOUGH_POLICY_RESTART) return BOUGH_FATE_COUNTED;
    return act == BOUGH_POLICY_ESCALATE ? BOUGH_FATE_ESCALATE : a;
}

enum bough_fate bough_foresee_fault(const struct bough_child_spec *spec)
{
    enum bough_fate fate = BOUGH_FATE_OVER;

    for (size_t i = 0; i < spec->policy_count; i++) {
        fate = worse(fate, spec->policies[i].act);
        if (fits_all(&spec->policies[i])) return fate;
    }
    if (spec->restart == BOUGH_TEMPORARY) return fate;
    return BOUGH_FATE_COUNTED;
}

static bool fits_shutdown(const struct bough_policy *policy)
{
    return policy->any_kind ? policy->kind == BOUGH_EXIT_SHUTDOWN : fits_all(policy);
}

enum bough_fate bough_foresee_give_up(const struct bough_child_spec *spec)
{
    for (size_t i = 0; i < spec->policy_count; i++)
        if (fits_shutdown(&spec->policies[i]))
            return worse(BOUGH_FATE_OVER, spec->policies[i].act);
    return spec->restart == BOUGH_PERMANENT ? BOUGH_FATE_COUNTED : BOUGH_FATE_OVER;
}

/* Starts */

/* Lives that follow one another until a limit is passed. */
struct run {
    uint64_t starts; /* 0: it never is, or there is not even a second life */
    double ms;       /* how long all of it takes */
};

/* The run of a child whose lives all last so long. Each gap between restarts is a life
 * and a wait; waits are taken in full, and grow from the first gap on, unless such a life
 * resets them. */
static struct run run_until(enum bough_fate fate, const struct bough_backoff *given,
                            struct bough_limit limit, double life_ms)
{
    struct bough_backoff backoff = bough_backoff_fill(given);
    double period = (double)limit.period_ms, gaps;

    if (fate == BOUGH_FATE_OVER) return (struct run){ .starts = 0 };
    if (fate == BOUGH_FATE_ESCALATE) return (struct run){ .starts = 1, .ms = life_ms };
    backoff.jitter = 0;
    if (life_ms >= (double)backoff.reset_after_ms) backoff.factor = 1;
    gaps = limit.intensity * life_ms;
    if (backoff.min_ms > 0) gaps += least_sum(&backoff, limit.intensity, period);
    if (gaps > period) return (struct run){ .starts = 0 };
    return (struct run){ .starts = (uint64_t)limit.intensity + 1,
                         .ms = gaps + life_ms + (double)backoff.min_ms };
}

/* What is found on the way down: the actor that is started most often. */
struct most {
    struct run run; /* until the supervisor gives up */
    const struct bough_child_spec *spec;
};

static struct most most_starts(const struct bough_supervisor_options *options);

/* A child's own limit ends its supervisor too, when it is the narrower one. */
static struct run run_of_child(const struct bough_supervisor_options *options,
                               const struct bough_child_spec *spec, enum bough_fate fate,
                               double life_ms)
{
    struct run run =
        run_until(fate, &spec->backoff, bough_limit_of_supervisor(options), life_ms);
    struct run own = { .starts = 0 };

    if (bough_child_limited(spec))
        own = run_until(fate, &spec->backoff, bough_limit_of_child(spec), life_ms);
    return own.starts > 0 && (run.starts == 0 || own.starts < run.starts) ? own : run;
}

/* The members have the limit, and when they have passed it the group ends, as a
 * supervisor does. */
static struct run run_of_group(const struct bough_supervisor_options *options,
                               const struct bough_child_spec *spec, enum bough_fate fate,
                               double life_ms)
{
    static const struct bough_backoff none = { .min_ms = 0 };
    struct bough_limit above = bough_limit_of_supervisor(options);
    struct bough_limit limit =
        bough_child_limited(spec) ? bough_limit_of_child(spec) : above;
    struct run members = run_until(fate, &spec->backoff, limit, life_ms), run;

    if (members.starts == 0 || spec->restart != BOUGH_PERMANENT)
        return (struct run){ .starts = 0 };
    run = run_until(BOUGH_FATE_COUNTED, &none, above, members.ms);
    run.starts = multiply_starts(run.starts, members.starts);
    return run;
}

static struct most most_of_child(const struct bough_supervisor_options *options,
                                 const struct bough_child_spec *spec)
{
    struct most most = { .run = { .starts = 1 }, .spec = spec };
    enum bough_fate fate = bough_foresee_fault(spec);
    uint64_t starts;

    if (is_supervisor(spec)) {
        most = most_starts(options_of(spec));
        fate = bough_foresee_give_up(spec);
    }
    if (most.run.starts == 0) return most;
    starts = most.run.starts;
    if (spec->replicas > 0)
        most.run = run_of_group(options, spec, fate, most.run.ms);
    else
        most.run = run_of_child(options, spec, fate, most.run.ms);
    most.run.starts = multiply_starts(most.run.starts, starts);
    return most;
}

static struct most most_starts(const struct bough_supervisor_options *options)
{
    struct most most = { .spec = NULL };

    for (size_t i = 0; i < options->child_count; i++) {
        struct most other = most_of_child(options, &options->children[i]);

        if (other.run.starts > most.run.starts) most = other;
    }
    return most;
}

uint64_t bough_foresee_starts(const struct bough_supervisor_options *options)
{
    return most_starts(options).run.starts;
}

/* Paths */

/* Appends "/name"; what has no name, or none yet, is "*". Returns the new length. */
static size_t path_add(char path[BOUGH_PATH_MAX], size_t len, const char *name)
{
    int more = snprintf(path + len, BOUGH_PATH_MAX - len, "/%s", name);

    return len + (size_t)more < BOUGH_PATH_MAX ? len + (size_t)more : BOUGH_PATH_MAX - 1;
}

/* Writes the path of the spec; false when it is not there. */
static bool path_find(const struct bough_supervisor_options *options,
                      const struct bough_child_spec *wanted, char path[BOUGH_PATH_MAX],
                      size_t len)
{
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        bool named = options->strategy != BOUGH_DYNAMIC && spec->name != NULL;
        size_t end = path_add(path, len, named ? spec->name : "*");

        if (spec == wanted) return true;
        if (spec->replicas > 0) end = path_add(path, end, "*");
        if (is_supervisor(spec) && path_find(options_of(spec), wanted, path, end))
            return true;
    }
    path[len] = '\0';
    return false;
}

/* The first actor that makes the stop endless. */
static const struct bough_child_spec *
find_endless(const struct bough_supervisor_options *options)
{
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];

        if (bough_foresee_stop_ms(spec) != BOUGH_FOREVER) continue;
        return is_supervisor(spec) ? find_endless(options_of(spec)) : spec;
    }
    return NULL;
}

void bough_foresee(const struct bough_supervisor_options *options,
                   struct bough_foresight *foresight)
{
    struct most most = most_starts(options);

    *foresight = (struct bough_foresight){
        .starts = most.run.starts,
        .stop_ms = bough_foresee_children_stop_ms(options),
    };
    if (most.run.starts > 0) path_find(options, most.spec, foresight->starts_path, 0);
    if (foresight->stop_ms == BOUGH_FOREVER) {
        const struct bough_child_spec *endless = find_endless(options);

        if (endless != NULL) path_find(options, endless, foresight->stop_path, 0);
    }
}
