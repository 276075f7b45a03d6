/* policies.c - what to do about an end, by its cause.
 *
 * A policy in JSON is an object: { "on": "signal", "signal": "SEGV", "do": "stop" }. A
 * status, a signal or an exit code belongs to one kind of end, so that "on" may be left
 * out beside it. Without any of these the policy fits every end.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/policies_internal.h>

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include <bough/config/json_build_internal.h>
#include <bough/core/exit_reason.h>

enum { NOT_GIVEN = -1, CODE_MAX = 255 };

/* What the keys of one policy say: indexes of the tables below, or NOT_GIVEN. */
struct entry {
    int on, status, signal, act;
    int64_t code;
};

/* As bough_exit_kind_name() has them, in the order of the enum. */
static const char *const kinds[] = {
    [BOUGH_EXIT_NORMAL] = "normal",   [BOUGH_EXIT_SHUTDOWN] = "shutdown",
    [BOUGH_EXIT_ERROR] = "error",     [BOUGH_EXIT_KILLED] = "killed",
    [BOUGH_EXIT_SIGNAL] = "signal",   [BOUGH_EXIT_CODE] = "exit",
    [BOUGH_EXIT_TIMEOUT] = "timeout", [BOUGH_EXIT_LOST] = "lost",
    [BOUGH_EXIT_KIND_COUNT] = NULL,
};

/* As bough_status_name() has them, without those with which nothing ends: the first is
 * FIRST_STATUS. */
enum { FIRST_STATUS = BOUGH_ENOMEM };

static const char *const statuses[] = {
    [BOUGH_ENOMEM - FIRST_STATUS] = "no_memory",
    [BOUGH_EINVALID - FIRST_STATUS] = "invalid",
    [BOUGH_EFULL - FIRST_STATUS] = "full",
    [BOUGH_EGONE - FIRST_STATUS] = "gone",
    [BOUGH_ECRASHED - FIRST_STATUS] = "crashed",
    [BOUGH_ETIMEOUT - FIRST_STATUS] = "timeout",
    [BOUGH_EREFUSED - FIRST_STATUS] = "refused",
    [BOUGH_ENOREPLY - FIRST_STATUS] = "no_reply",
    [BOUGH_ENOTFOUND - FIRST_STATUS] = "not_found",
    [BOUGH_EPRESENT - FIRST_STATUS] = "already_present",
    [BOUGH_ESTARTED - FIRST_STATUS] = "already_started",
    [BOUGH_ERUNNING - FIRST_STATUS] = "running",
    [BOUGH_ERESTARTING - FIRST_STATUS] = "restarting",
    [BOUGH_ERANGE - FIRST_STATUS] = "range",
    [BOUGH_ETOOLARGE - FIRST_STATUS] = "too_large",
    [BOUGH_ECANCELLED - FIRST_STATUS] = "cancelled",
    [BOUGH_EDENIED - FIRST_STATUS] = "denied",
    [BOUGH_ESYSTEM - FIRST_STATUS] = "system",
    [BOUGH_EFAILED - FIRST_STATUS] = "failed",
    [BOUGH_EFAILED - FIRST_STATUS + 1] = NULL,
};

/* The signals that end a process, the frequent ones first, named as sigabbrev_np() does.
 */
static const int signal_numbers[] = {
    SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGBUS,  SIGFPE,    SIGILL,  SIGHUP,
    SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTRAP, SIGSYS,    SIGXCPU, SIGXFSZ,
    SIGUSR1, SIGUSR2, SIGPOLL, SIGPROF, SIGPWR,  SIGVTALRM,
};

static const char *const signals[] = {
    "SEGV", "ABRT", "KILL", "TERM", "BUS",  "FPE",    "ILL",  "HUP",
    "INT",  "QUIT", "PIPE", "ALRM", "TRAP", "SYS",    "XCPU", "XFSZ",
    "USR1", "USR2", "POLL", "PROF", "PWR",  "VTALRM", NULL,
};

_Static_assert(bough_count_of(signals) == bough_count_of(signal_numbers) + 1,
               "each signal has its name");

const struct bough_field bough_policy_keys[BOUGH_POLICY_KEYS] = {
    bough_field(struct entry, on, "on", BOUGH_CHOICE, .optional = true,
                .fallback = NOT_GIVEN, .choices = kinds,
                .help = "The kind of end it is about; without it, every kind."),
    bough_field(struct entry, status, "status", BOUGH_CHOICE, .optional = true,
                .fallback = NOT_GIVEN, .choices = statuses,
                .help = "Only an \"error\" of this status."),
    bough_field(struct entry, signal, "signal", BOUGH_CHOICE, .optional = true,
                .fallback = NOT_GIVEN, .choices = signals,
                .help = "Only a death by this \"signal\"."),
    bough_field(struct entry, code, "code", BOUGH_INT64, .optional = true,
                .fallback = NOT_GIVEN, .min = 0, .max = CODE_MAX,
                .help = "Only an \"exit\" with this code."),
    bough_field(struct entry, act, "do", BOUGH_CHOICE, .choices = bough_policy_names,
                .help = "Restart it, restart it and do not count that, let it stay down, "
                        "or give up with its supervisor."),
};

/* From JSON */

static void take(struct bough_json_reader *reader, const struct bough_field *field,
                 const json_t *value, const struct bough_json_place *place, void *target)
{
    void *member = (char *)target + field->offset;

    if (value == NULL)
        bough_field_fallback(field, member);
    else
        bough_json_plain(reader->report, field, value, place, member);
}

/* That a key which belongs to one kind of end stands beside no other kind. */
static void check_kind(struct bough_report *report, const struct bough_json_place *place,
                       const struct entry *entry, const char *key,
                       enum bough_exit_kind kind)
{
    const struct bough_json_place at = { .up = place, .key = key };

    if (entry->on == NOT_GIVEN || entry->on == (int)kind) return;
    bough_report_add(report, &at, BOUGH_AT_KEY,
                     "\"%s\" belongs to \"on\": \"%s\", not \"%s\"", key, kinds[kind],
                     kinds[entry->on]);
}

static void check_alone(struct bough_report *report, const struct bough_json_place *place,
                        const char *key, const char *other)
{
    const struct bough_json_place at = { .up = place, .key = key };

    bough_report_add(report, &at, BOUGH_AT_KEY, "no end has both \"%s\" and \"%s\"",
                     other, key);
}

static void check_entry(struct bough_report *report, const struct bough_json_place *place,
                        const struct entry *entry)
{
    bool status = entry->status != NOT_GIVEN, signal = entry->signal != NOT_GIVEN;
    bool code = entry->code != NOT_GIVEN;

    if (status && signal) check_alone(report, place, "signal", "status");
    if (status && code) check_alone(report, place, "code", "status");
    if (signal && code) check_alone(report, place, "code", "signal");
    if (status + signal + code > 1) return;
    if (status) check_kind(report, place, entry, "status", BOUGH_EXIT_ERROR);
    if (signal) check_kind(report, place, entry, "signal", BOUGH_EXIT_SIGNAL);
    if (code) check_kind(report, place, entry, "code", BOUGH_EXIT_CODE);
}

static struct bough_policy make(const struct entry *entry)
{
    struct bough_policy policy = { .act = (enum bough_policy_act)entry->act };
    int kind = entry->on;

    if (entry->status != NOT_GIVEN) {
        kind = BOUGH_EXIT_ERROR;
        policy.status = (enum bough_status)(entry->status + FIRST_STATUS);
    } else if (entry->signal != NOT_GIVEN) {
        kind = BOUGH_EXIT_SIGNAL;
        policy.any_number = true;
        policy.number = signal_numbers[entry->signal];
    } else if (entry->code != NOT_GIVEN) {
        kind = BOUGH_EXIT_CODE;
        policy.any_number = true;
        policy.number = (int)entry->code;
    }
    if (kind != NOT_GIVEN) {
        policy.any_kind = true;
        policy.kind = (enum bough_exit_kind)kind;
    }
    return policy;
}

void bough_policies_read(struct bough_report *report, struct bough_arena *arena,
                         const json_t *array, const struct bough_json_place *place,
                         struct bough_child_spec *spec)
{
    struct bough_json_reader reader = { .report = report, .noun = "key", .take = take };
    size_t count = json_array_size(array);
    struct bough_policy *policies = bough_arena_alloc(arena, count, sizeof(*policies));

    if (policies == NULL || count == 0) return;
    spec->policies = policies;
    spec->policy_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct bough_json_place at = { .up = place, .index = i };
        const json_t *object = json_array_get(array, i);
        struct entry entry = { .on = NOT_GIVEN };

        if (!json_is_object(object)) {
            bough_json_must_be(report, &at, "an object", object);
            continue;
        }
        bough_json_members(&reader, bough_policy_keys, BOUGH_POLICY_KEYS, object, &at,
                           &entry);
        check_entry(report, &at, &entry);
        policies[i] = make(&entry);
    }
}

/* To JSON */

static json_t *signal_json(int number)
{
    for (size_t i = 0; i < bough_count_of(signal_numbers); i++)
        if (signal_numbers[i] == number) return json_string(signals[i]);
    return json_integer(number);
}

static json_t *policy_json(const struct bough_policy *policy)
{
    json_t *object = json_object();

    if (policy->any_kind || policy->kind != BOUGH_EXIT_NORMAL)
        bough_json_put(&object, "on", json_string(kinds[policy->kind]));
    if (policy->status != BOUGH_OK)
        bough_json_put(&object, "status", json_string(bough_status_name(policy->status)));
    if (policy->any_number || policy->number != 0) {
        if (policy->kind == BOUGH_EXIT_SIGNAL)
            bough_json_put(&object, "signal", signal_json(policy->number));
        else
            bough_json_put(&object, "code", json_integer(policy->number));
    }
    bough_json_put(&object, "do", json_string(bough_policy_names[policy->act]));
    return object;
}

json_t *bough_policies_json(const struct bough_child_spec *spec)
{
    json_t *array = json_array();

    for (size_t i = 0; i < spec->policy_count; i++)
        bough_json_push(&array, policy_json(&spec->policies[i]));
    return array;
}
