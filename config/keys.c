/* keys.c - the keys of a supervisor and of a child.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/keys_internal.h>

#include <stddef.h>
#include <string.h>

#include <bough/config/policies_internal.h>

/* What a value may be at most: beyond it is a mistake rather than a wish. */
enum { CAPACITY_MAX = 10000000, REPLICAS_MAX = 10000, FACTOR_MAX = 1000000 };
#define PERIOD_MAX_MS (INT64_C(365) * 24 * 3600 * 1000)

enum {
    ROOT = BOUGH_IN_ROOT,
    SUPERVISOR = BOUGH_IN_SUPERVISOR,
    WORKER = BOUGH_IN_WORKER,
    CHILD = SUPERVISOR | WORKER,
    ALL = ROOT | CHILD
};

static const char
    *const on_restarts[] = { [BOUGH_KEEP] = "keep", [BOUGH_DISCARD] = "discard", NULL };

#define entry_field(member, name, kind, ...) \
    bough_field(struct bough_entry, member, name, kind, __VA_ARGS__)

/* Offsets within a nested struct. */
#define nested_field(nested, member, field_name, field_kind, ...) \
    { \
        .name = (field_name), .kind = (field_kind), \
        .offset = offsetof(struct bough_entry, nested.member) - \
                  offsetof(struct bough_entry, nested), \
        .size = sizeof(((struct bough_entry *)NULL)->nested.member), __VA_ARGS__ \
    }

static const struct bough_field mailbox[] = {
    nested_field(mailbox, capacity, "capacity", BOUGH_INT64, .optional = true,
                 .fallback = BOUGH_MAILBOX_CAPACITY, .min = 1, .max = CAPACITY_MAX,
                 .help = "Messages that may wait before \"when_full\" is asked."),
    nested_field(
        mailbox, on_restart, "on_restart", BOUGH_CHOICE, .optional = true,
        .choices = on_restarts,
        .help = "What becomes of the messages that wait when the actor is restarted."),
    nested_field(mailbox, when_full, "when_full", BOUGH_CHOICE, .optional = true,
                 .choices = bough_when_full_names,
                 .help = "What becomes of a message for which there is no room: its "
                         "sender is told, or waits until half of the mailbox is free, or "
                         "the oldest or the new one is dropped."),
};

/* A fallback outside of the limits: what it is depends on other keys. */
static const struct bough_field backoff[] = {
    nested_field(backoff, min_ms, "min", BOUGH_DURATION, .min = 1, .max = PERIOD_MAX_MS,
                 .help = "How long the first restart waits."),
    nested_field(backoff, max_ms, "max", BOUGH_DURATION, .optional = true, .min = 1,
                 .max = PERIOD_MAX_MS,
                 .help = "How long a restart waits at most; 60 times \"min\"."),
    nested_field(backoff, factor, "factor", BOUGH_DOUBLE, .optional = true, .fallback = 2,
                 .min = 1, .max = FACTOR_MAX,
                 .help = "How much longer each restart waits than the one before."),
    nested_field(backoff, jitter, "jitter", BOUGH_DOUBLE, .optional = true, .min = 0,
                 .max = 1,
                 .help = "Up to which part of itself a wait is made shorter by chance."),
    nested_field(backoff, reset_after_ms, "reset_after", BOUGH_DURATION, .optional = true,
                 .min = 1, .max = INT64_MAX,
                 .help = "How long a life must last for the waits to begin with \"min\" "
                         "again; as long as \"max\"."),
};

static const struct bough_field limit[] = {
    nested_field(limit, intensity, "intensity", BOUGH_INT64, .fallback = -1, .min = 0,
                 .max = BOUGH_INTENSITY_MAX,
                 .help = "Restarts allowed within the period."),
    nested_field(limit, period_ms, "period", BOUGH_DURATION, .optional = true,
                 .fallback = BOUGH_PERIOD_DEFAULT, .min = 1, .max = PERIOD_MAX_MS,
                 .help = "The time over which they are counted."),
};

/* Less would be chance, on a busy machine. */
enum { STUCK_AFTER_MIN_MS = 100, STUCK_AFTER_MAX_MS = 24 * 60 * 60 * 1000 };

const struct bough_key bough_keys[] = {
    { entry_field(schema, "$schema", BOUGH_STRING, .optional = true,
                  .help = "Where the schema of this file lies, for editors."),
      .where = ROOT },
    { entry_field(name, "name", BOUGH_STRING,
                  .help = "1 to 64 of A-Z a-z 0-9 _ . -; of a child, unique among its "
                          "siblings; of the root, the name of the program."),
      .kind = BOUGH_KEY_NAME, .where = ALL, .required = ALL },
    { entry_field(type, "type", BOUGH_STRING, .help = "What kind of actor it is."),
      .kind = BOUGH_KEY_TYPE, .where = ALL, .required = CHILD },
    { entry_field(log, "log", BOUGH_PATH, .optional = true, .refers_to = "logger",
                  .help = "The logger that supervisors and the runtime report through."),
      .where = ROOT },
    { entry_field(exit_with, "exit_with", BOUGH_PATH, .optional = true,
                  .refers_to = "command",
                  .help = "The command whose last exit code is that of bough itself, and "
                          "which gets the signals QUIT, USR1, USR2 and WINCH."),
      .where = ROOT },
    { entry_field(metrics, "metrics", BOUGH_STRING, .optional = true,
                  .help = "Where the figures of the tree are served over HTTP, for "
                          "Prometheus: a port, of 127.0.0.1 then, or an address and a "
                          "port, such as \"0.0.0.0:9464\" or \"[::]:9464\"."),
      .where = ROOT },
    { entry_field(
          strategy, "strategy", BOUGH_CHOICE, .optional = true,
          .choices = bough_strategy_names,
          .help = "Who is restarted when a child ends: it alone, all, or it and those "
                  "that started after it. Dynamic: one child as a template, from which "
                  "children are made by request."),
      .where = ROOT | SUPERVISOR },
    { entry_field(intensity, "intensity", BOUGH_INT64, .optional = true, .fallback = 1,
                  .min = 0, .max = BOUGH_INTENSITY_MAX,
                  .help =
                      "Restarts allowed within the period; one more, and the supervisor "
                      "gives up."),
      .where = ROOT | SUPERVISOR },
    { entry_field(period_ms, "period", BOUGH_DURATION, .optional = true, .fallback = 5000,
                  .min = 1, .max = PERIOD_MAX_MS,
                  .help = "The time over which restarts are counted."),
      .where = ROOT | SUPERVISOR },
    { entry_field(limit.intensity, "intensity", BOUGH_INT64, .optional = true,
                  .fallback = -1, .min = 0, .max = BOUGH_INTENSITY_MAX,
                  .help = "Restarts of this child allowed within the period, beside the "
                          "supervisor's limit; one more, and the supervisor gives up."),
      .where = WORKER },
    { entry_field(limit.period_ms, "period", BOUGH_DURATION, .optional = true,
                  .fallback = BOUGH_PERIOD_DEFAULT, .min = 1, .max = PERIOD_MAX_MS,
                  .help = "The time over which restarts of this child are counted."),
      .where = WORKER },
    { entry_field(limit, "limit", BOUGH_OBJECT, .optional = true, .of = limit,
                  .of_count = bough_count_of(limit),
                  .help =
                      "The limit of this supervisor's own restarts, beside that of the "
                      "supervisor above; one more, and that one gives up."),
      .where = SUPERVISOR },
    { entry_field(auto_shutdown, "auto_shutdown", BOUGH_CHOICE, .optional = true,
                  .choices = bough_auto_shutdown_names,
                  .help = "Whether it ends when the first, or the last, of its "
                          "significant children has ended by itself."),
      .where = ROOT | SUPERVISOR },
    { entry_field(options, "options", BOUGH_OBJECT, .optional = true,
                  .help = "What the type lets one choose."),
      .kind = BOUGH_KEY_OPTIONS, .where = WORKER },
    { entry_field(restart, "restart", BOUGH_CHOICE, .optional = true,
                  .choices = bough_restart_names,
                  .help = "Restarted always, only after a fault, or never."),
      .where = CHILD },
    { entry_field(shutdown_ms, "shutdown", BOUGH_DURATION, .optional = true,
                  .help = "How long it may take to end in order before it is killed; "
                          "\"5s\", for a supervisor \"infinity\"."),
      .kind = BOUGH_KEY_SHUTDOWN, .where = CHILD },
    { entry_field(significant, "significant", BOUGH_BOOL, .optional = true,
                  .help = "Whether its end by itself counts for the \"auto_shutdown\" of "
                          "its supervisor."),
      .where = CHILD },
    { entry_field(backoff, "backoff", BOUGH_OBJECT, .optional = true, .of = backoff,
                  .of_count = bough_count_of(backoff),
                  .help = "How long restarts wait; without it, not at all."),
      .where = CHILD },
    { entry_field(start_timeout_ms, "start_timeout", BOUGH_DURATION, .optional = true,
                  .fallback = BOUGH_FOREVER, .min = 1, .max = INT64_MAX,
                  .help = "How long it may take until it is ready."),
      .where = CHILD },
    { entry_field(policies, "policies", BOUGH_LIST, .optional = true,
                  .of = bough_policy_keys, .of_count = bough_count_of(bough_policy_keys),
                  .help = "What to do about its end by cause, whatever \"restart\" says; "
                          "the first that fits is followed."),
      .kind = BOUGH_KEY_POLICIES, .where = CHILD },
    { entry_field(replicas, "replicas", BOUGH_INT64, .optional = true, .min = 1,
                  .max = REPLICAS_MAX,
                  .help = "How many of it there are: a group, whose members are called "
                          "0, 1, 2 and so on."),
      .where = CHILD },
    { entry_field(
          route, "route", BOUGH_CHOICE, .optional = true, .choices = bough_route_names,
          .help = "Which member gets a message to the group: in turn, who has the "
                  "fewest waiting, or by the \"route_field\"."),
      .where = CHILD },
    { entry_field(route_field, "route_field", BOUGH_STRING, .optional = true,
                  .help = "With the route \"hash\": the field of the message that "
                          "chooses the member."),
      .where = CHILD },
    { entry_field(isolation, "isolation", BOUGH_CHOICE, .optional = true,
                  .choices = bough_isolation_names,
                  .help = "Where it lives, with all that is below it: on its "
                          "supervisor's loop, on a thread of its own, or in a process "
                          "of its own. Below a supervisor in a process, a thread is a "
                          "process, too."),
      .where = CHILD },
    { entry_field(mailbox, "mailbox", BOUGH_OBJECT, .optional = true, .of = mailbox,
                  .of_count = bough_count_of(mailbox),
                  .help = "The messages that wait for it."),
      .where = CHILD },
    { entry_field(redeliver, "redeliver", BOUGH_INT64, .optional = true, .min = 1,
                  .max = BOUGH_REDELIVER_MAX,
                  .help =
                      "How many of its lives a message may end, before which the next "
                      "life runs it first; then it is put into quarantine. In a "
                      "process 1, else none is."),
      .where = WORKER },
    { entry_field(rlimits, "rlimits", BOUGH_OBJECT, .optional = true,
                  .of = bough_rlimit_fields, .of_count = BOUGH_RLIMIT_COUNT,
                  .help = "What its process may use at most; without one of them, as "
                          "much as bough itself."),
      .where = CHILD },
    { entry_field(no_new_privs, "no_new_privs", BOUGH_BOOL, .optional = true,
                  .help = "Whether no program that its process runs gains privileges by "
                          "its file (set-user-ID)."),
      .where = CHILD },
    { entry_field(user, "user", BOUGH_STRING, .optional = true,
                  .help = "The user that its process runs as, by name or number, with "
                          "the groups of that user; for root alone."),
      .where = CHILD },
    { entry_field(group, "group", BOUGH_STRING, .optional = true,
                  .help = "The group that its process runs as, by name or number, "
                          "instead of its user's first; for root alone."),
      .where = CHILD },
    { entry_field(oom_score_adj, "oom_score_adj", BOUGH_INT64, .optional = true,
                  .fallback = INT64_MIN, .min = -BOUGH_OOM_SCORE_ADJ_MAX,
                  .max = BOUGH_OOM_SCORE_ADJ_MAX,
                  .help = "How soon the kernel kills its process when memory is out: "
                          "from -1000, never, to 1000, first; as soon as bough itself."),
      .where = CHILD },
    { entry_field(children, "children", BOUGH_LIST,
                  .help = "What it keeps running, in the order of their start."),
      .kind = BOUGH_KEY_CHILDREN, .where = ROOT | SUPERVISOR,
      .required = ROOT | SUPERVISOR },
    { entry_field(spare, "spare", BOUGH_BOOL, .optional = true,
                  .help = "With the isolation \"process\": whether a process waits, all "
                          "ready but for what it is to be, to take over when this one "
                          "ends."),
      .where = CHILD },
    { entry_field(stuck_after_ms, "stuck_after", BOUGH_DURATION, .optional = true,
                  .min = STUCK_AFTER_MIN_MS, .max = STUCK_AFTER_MAX_MS,
                  .help = "How long one handler of it may run. In a process it is then "
                          "ended, with a report of where it was, and restarted; "
                          "elsewhere it is reported, and shown as stuck until it goes "
                          "on."),
      .where = CHILD },
    { .field = { .name = NULL } },
};

/* Keys that do not belong where they stand */

/* The key of that name, rather one that may stand at one of the places. */
static const struct bough_key *key_find(const char *name, unsigned where)
{
    const struct bough_key *found = NULL;

    for (const struct bough_key *key = bough_keys; key->field.name != NULL; key++) {
        if (strcmp(key->field.name, name) != 0) continue;
        if ((key->where & where) != 0) return key;
        found = key;
    }
    return found;
}

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static void report_unknown(struct bough_report *report,
                           const struct bough_json_place *place, unsigned where)
{
    const char *names[32];
    size_t known = 0;

    for (const struct bough_key *key = bough_keys; key->field.name != NULL; key++)
        if ((key->where & where) != 0 && known + 1 < bough_count_of(names) &&
            !is_listed(names, known, key->field.name))
            names[known++] = key->field.name;
    names[known] = NULL;
    bough_json_unknown(report, place, "key", names);
}

static void report_misplaced(struct bough_report *report,
                             const struct bough_json_place *place,
                             const struct bough_key *key, unsigned where,
                             const char *type)
{
    const char *name = key->field.name;

    if (key->where == ROOT)
        bough_report_add(report, place, BOUGH_AT_KEY, "only the root has the key \"%s\"",
                         name);
    else if (where == ROOT)
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "the root has no key \"%s\"; only its children have", name);
    else if (where == SUPERVISOR && key->kind == BOUGH_KEY_OPTIONS)
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "a supervisor has no \"%s\"; its keys stand beside \"type\"",
                         name);
    else if (where == SUPERVISOR)
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "a supervisor has no \"%s\"; only its children can have it",
                         name);
    else
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "only a supervisor has the key \"%s\", not the type \"%s\"",
                         name, type);
}

/* Values */

static void take_name(struct bough_options_reader *reader, const struct bough_key *key,
                      const json_t *value, const struct bough_json_place *place,
                      struct bough_entry *entry)
{
    char quoted[BOUGH_QUOTED];

    bough_json_to_option(reader, &key->field, value, place, entry);
    if (entry->name == NULL || bough_name_valid(entry->name)) return;
    bough_report_add(reader->json.report, place, BOUGH_AT_VALUE,
                     "a name is 1 to %d of A-Z a-z 0-9 _ . - and not %s", BOUGH_NAME_MAX,
                     bough_quote(quoted, entry->name));
    entry->name = NULL;
}

/* Zero in a spec is the default, so that no time at all is a value of its own there. */
static void take_shutdown(struct bough_options_reader *reader,
                          const struct bough_key *key, const json_t *value,
                          const struct bough_json_place *place, struct bough_entry *entry)
{
    if (!json_is_string(value)) {
        bough_json_must_be(reader->json.report, place,
                           "a duration such as \"5s\", \"infinity\" or \"brutal-kill\"",
                           value);
    } else if (strcmp(json_string_value(value), "brutal-kill") == 0) {
        entry->shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL;
    } else {
        bough_json_to_option(reader, &key->field, value, place, entry);
        if (entry->shutdown_ms == 0) entry->shutdown_ms = BOUGH_SHUTDOWN_AT_ONCE;
    }
}

static void take_key(struct bough_options_reader *reader, const struct bough_key *key,
                     const json_t *value, const struct bough_json_place *place,
                     struct bough_entry *entry)
{
    struct bough_report *report = reader->json.report;

    switch (key->kind) {
    case BOUGH_KEY_NAME: take_name(reader, key, value, place, entry); break;
    case BOUGH_KEY_FIELD:
    case BOUGH_KEY_TYPE:
        bough_json_to_option(reader, &key->field, value, place, entry);
        break;
    case BOUGH_KEY_SHUTDOWN: take_shutdown(reader, key, value, place, entry); break;
    case BOUGH_KEY_OPTIONS:
        if (json_is_object(value))
            entry->options = value;
        else
            bough_json_must_be(report, place, "an object", value);
        break;
    case BOUGH_KEY_CHILDREN:
        if (json_is_array(value))
            entry->children = value;
        else
            bough_json_must_be(report, place, "an array of children", value);
        break;
    case BOUGH_KEY_POLICIES:
        if (json_is_array(value))
            entry->policies = value;
        else
            bough_json_must_be(report, place, "an array of policies", value);
        break;
    }
}

static void set_fallbacks(struct bough_options_reader *reader,
                          const struct bough_json_place *place, struct bough_entry *entry)
{
    *entry = (struct bough_entry){ .name = NULL };
    for (const struct bough_key *key = bough_keys; key->field.name != NULL; key++)
        if (key->kind == BOUGH_KEY_FIELD || key->kind == BOUGH_KEY_SHUTDOWN)
            bough_json_to_option(reader, &key->field, NULL, place, entry);
}

static bool is_known(const void *data, const char *name)
{
    (void)data;
    return key_find(name, 0) != NULL;
}

static void report_missing(struct bough_report *report, const json_t *object,
                           const struct bough_json_place *place, unsigned where)
{
    char phrase[192];

    for (const struct bough_key *key = bough_keys; key->field.name != NULL; key++) {
        const char *what =
            key->kind == BOUGH_KEY_TYPE ? "the name of a type, such as \"kv\"" : NULL;

        if ((where & ~key->required) != 0) continue;
        if (json_object_get(object, key->field.name) != NULL) continue;
        if (bough_json_misspelt(object, key->field.name, is_known, NULL)) continue;
        if (what == NULL) what = bough_field_phrase(&key->field, phrase, sizeof(phrase));
        bough_report_add(report, place, BOUGH_AT_VALUE,
                         "missing key \"%s\"; it must be %s", key->field.name, what);
    }
}

void bough_entry_read(struct bough_options_reader *reader, const json_t *object,
                      const struct bough_json_place *place, unsigned where,
                      const char *type, struct bough_entry *entry)
{
    const char *name;
    json_t *value;

    reader->json.noun = "key";
    set_fallbacks(reader, place, entry);
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        const struct bough_json_place at = { .up = place, .key = name };
        const struct bough_key *key = key_find(name, where);

        if (key == NULL)
            report_unknown(reader->json.report, &at, where);
        else if ((key->where & where) == 0)
            report_misplaced(reader->json.report, &at, key, where, type);
        else
            take_key(reader, key, value, &at, entry);
    }
    report_missing(reader->json.report, object, place, where);
}

bool bough_config_key_at(size_t index, struct bough_config_key *key)
{
    if (index + 1 >= bough_count_of(bough_keys)) return false;
    key->field = &bough_keys[index].field;
    key->where = bough_keys[index].where;
    key->required = bough_keys[index].required;
    return true;
}
