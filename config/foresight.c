/* foresight.c - what the limits of a tree mean.
 *
 * A supervisor with intensity R starts a child that always fails R + 1 times, and then
 * gives up, which is one failure for its own supervisor. So the limits on the way from an
 * actor to the root multiply, as long as giving up is answered by a restart: it ends with
 * `shutdown`, after which only a permanent child is restarted (OTP).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/foresight.h>

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

/* To pass the limit, one restart more than it allows must fall into the period: as many
 * gaps as it allows. Each gap is a wait at least. When no life of a length that resets
 * the waits fits into the period, then they grow from gap to gap. */
bool bough_backoff_outruns(const struct bough_backoff *given, struct bough_limit limit)
{
    const struct bough_backoff backoff = bough_backoff_fill(given);
    double shortest = 1 - backoff.jitter, period = (double)limit.period_ms;
    double wait = (double)backoff.min_ms, most = (double)backoff.max_ms, sum = 0;

    if (backoff.min_ms == 0) return false;
    if (limit.intensity * wait * shortest > period) return true;
    if (backoff.reset_after_ms <= limit.period_ms) return false;
    for (uint32_t gap = 0; gap < limit.intensity && sum * shortest <= period; gap++) {
        wait *= backoff.factor;
        if (wait >= most || backoff.factor <= 1) {
            sum += (limit.intensity - gap) * (wait < most ? wait : most);
            break;
        }
        sum += wait;
    }
    return sum * shortest > period;
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

/* How often a life is started under a limit, when each ends at once; 0: no end to it, or
 * no beginning. */
static uint64_t starts_within(enum bough_fate fate, const struct bough_backoff *backoff,
                              struct bough_limit limit)
{
    if (fate == BOUGH_FATE_OVER) return 0;
    if (fate == BOUGH_FATE_ESCALATE) return 1;
    if (bough_backoff_outruns(backoff, limit)) return 0;
    return (uint64_t)limit.intensity + 1;
}

/* What is found on the way down: the actor that is started most often. */
struct most {
    uint64_t starts; /* 0: none */
    const struct bough_child_spec *spec;
};

static struct most most_starts(const struct bough_supervisor_options *options);

/* A child's own limit ends its supervisor too, when it is the narrower one. */
static uint64_t starts_of_child(const struct bough_supervisor_options *options,
                                const struct bough_child_spec *spec, enum bough_fate fate)
{
    uint64_t starts =
        starts_within(fate, &spec->backoff, bough_limit_of_supervisor(options));
    uint64_t own = 0;

    if (bough_child_limited(spec))
        own = starts_within(fate, &spec->backoff, bough_limit_of_child(spec));
    return own > 0 && (starts == 0 || own < starts) ? own : starts;
}

/* The members have the limit, and when they have passed it the group ends, as a
 * supervisor does. */
static uint64_t starts_of_group(const struct bough_supervisor_options *options,
                                const struct bough_child_spec *spec, enum bough_fate fate)
{
    struct bough_limit limit = bough_child_limited(spec)
                                   ? bough_limit_of_child(spec)
                                   : bough_limit_of_supervisor(options);
    uint64_t members = starts_within(fate, &spec->backoff, limit);

    if (spec->restart != BOUGH_PERMANENT) return 0;
    return multiply_starts(members,
                           (uint64_t)bough_limit_of_supervisor(options).intensity + 1);
}

static struct most most_of_child(const struct bough_supervisor_options *options,
                                 const struct bough_child_spec *spec)
{
    struct most most = { .starts = 1, .spec = spec };
    enum bough_fate fate = bough_foresee_fault(spec);
    uint64_t lives;

    if (is_supervisor(spec)) {
        most = most_starts(options_of(spec));
        fate = bough_foresee_give_up(spec);
    }
    if (most.starts == 0) return most;
    lives = spec->replicas > 0 ? starts_of_group(options, spec, fate)
                               : starts_of_child(options, spec, fate);
    most.starts = multiply_starts(most.starts, lives);
    return most;
}

static struct most most_starts(const struct bough_supervisor_options *options)
{
    struct most most = { .starts = 0 };

    for (size_t i = 0; i < options->child_count; i++) {
        struct most other = most_of_child(options, &options->children[i]);

        if (other.starts > most.starts) most = other;
    }
    return most;
}

uint64_t bough_foresee_starts(const struct bough_supervisor_options *options)
{
    return most_starts(options).starts;
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
        .starts = most.starts,
        .stop_ms = bough_foresee_children_stop_ms(options),
    };
    if (most.starts > 0) path_find(options, most.spec, foresight->starts_path, 0);
    if (foresight->stop_ms == BOUGH_FOREVER) {
        const struct bough_child_spec *endless = find_endless(options);

        if (endless != NULL) path_find(options, endless, foresight->stop_path, 0);
    }
}
