/* rules.c - what one key of a child or supervisor has to do with another.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/rules_internal.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bough/config/endpoint.h>
#include <bough/config/units.h>
#include <bough/supervisor/supervisor.h>

__attribute__((format(printf, 4, 5))) static void
fault(struct bough_report *report, const struct bough_json_place *place, const char *key,
      const char *format, ...)
{
    const struct bough_json_place at = { .up = place, .key = key };
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report->add(report, &at, BOUGH_AT_VALUE, text);
}

static bool is_given(const json_t *object, const char *key)
{
    return json_object_get(object, key) != NULL;
}

/* The root */

void bough_rules_root(struct bough_report *report, const struct bough_entry *entry,
                      const struct bough_json_place *place)
{
    struct bough_endpoint endpoint;
    struct bough_error error;

    if (entry->metrics == NULL) return;
    if (bough_endpoint_parse(entry->metrics, &endpoint, &error) == BOUGH_OK) return;
    fault(report, place, "metrics", "%s", error.text);
}

/* Supervisors */

void bough_rules_supervisor(struct bough_report *report, const struct bough_entry *entry,
                            const struct bough_json_place *place)
{
    size_t count = json_array_size(entry->children);

    if (entry->strategy != BOUGH_DYNAMIC) return;
    if (entry->children != NULL && count != 1)
        fault(report, place, "children",
              "the children of a dynamic supervisor are made from one template: "
              "\"children\" must hold one, not %zu",
              count);
    if (entry->auto_shutdown != BOUGH_NEVER)
        fault(report, place, "auto_shutdown",
              "a dynamic supervisor has no \"auto_shutdown\"; it must be \"never\"");
}

/* Children */

static void check_significant(struct bough_report *report,
                              const struct bough_record *parent, const json_t *object,
                              const struct bough_entry *entry,
                              const struct bough_json_place *place)
{
    const json_t *restart = json_object_get(object, "restart");

    if (!entry->significant) return;
    if (restart == NULL ||
        (json_is_string(restart) && strcmp(json_string_value(restart), "permanent") == 0))
        fault(report, place, "significant",
              "a permanent child cannot be significant, for it is always restarted; "
              "\"restart\" must be \"transient\" or \"temporary\"");
    if (parent->is_dynamic)
        fault(report, place, "significant",
              "a child of a dynamic supervisor cannot be significant");
    else if (parent->shuts_down_never)
        fault(report, place, "significant",
              "a child is significant for the \"auto_shutdown\" of its supervisor, which "
              "is \"never\" here");
}

static void check_backoff(struct bough_report *report,
                          const struct bough_backoff *backoff,
                          const struct bough_json_place *place)
{
    const struct bough_json_place at = { .up = place, .key = "backoff" };
    char least[BOUGH_UNITS_TEXT], most[BOUGH_UNITS_TEXT];

    if (backoff->max_ms == 0 || backoff->max_ms >= backoff->min_ms) return;
    fault(report, &at, "max", "\"max\" must be at least \"min\", %s, not %s",
          bough_duration_print(backoff->min_ms, least),
          bough_duration_print(backoff->max_ms, most));
}

/* Of a supervisor, they are for its children, and each has its default. */
static void check_limit(struct bough_report *report, const json_t *object,
                        const struct bough_actor_type *type,
                        const struct bough_json_place *place)
{
    if (type == NULL || type == &bough_supervisor_type) return;
    if (is_given(object, "period") && !is_given(object, "intensity"))
        fault(report, place, "period", "\"period\" limits nothing without \"intensity\"");
}

static bool has_field(const struct bough_actor_type *type, const char *name)
{
    for (size_t i = 0; i < type->message_count; i++) {
        const struct bough_message_type *message = &type->messages[i];

        if (bough_field_find(message->fields, message->field_count, name)) return true;
    }
    return false;
}

static void check_hash(struct bough_report *report, const json_t *object,
                       const struct bough_entry *entry,
                       const struct bough_actor_type *type,
                       const struct bough_json_place *place)
{
    char quoted[BOUGH_QUOTED];

    if (entry->route == BOUGH_HASH && !is_given(object, "route_field"))
        fault(report, place, "route",
              "the route \"hash\" needs a \"route_field\": the field of the message that "
              "chooses the member");
    if (entry->route != BOUGH_HASH && is_given(object, "route_field"))
        fault(report, place, "route_field",
              "\"route_field\" belongs to the route \"hash\", not \"%s\"",
              bough_route_names[entry->route]);
    else if (type != NULL && entry->route_field != NULL &&
             !has_field(type, entry->route_field))
        fault(report, place, "route_field",
              "no message of the type \"%s\" has a field %s", type->name,
              bough_quote(quoted, entry->route_field));
}

static void check_replicas(struct bough_report *report, const struct bough_record *parent,
                           const json_t *object, const struct bough_json_place *place)
{
    static const char *const keys[] = { "route", "route_field" };

    if (is_given(object, "replicas") && parent->is_dynamic)
        fault(report, place, "replicas",
              "a dynamic supervisor makes its children one by one; its template has no "
              "\"replicas\"");
    for (size_t i = 0; i < bough_count_of(keys); i++)
        if (is_given(object, keys[i]) && !is_given(object, "replicas"))
            fault(report, place, keys[i], "\"%s\" leads nowhere without \"replicas\"",
                  keys[i]);
}

/* The same as bough_supervisor_check(), at its place. */
static void check_isolation(struct bough_report *report, const struct bough_entry *entry,
                            const struct bough_actor_type *type,
                            const struct bough_json_place *place)
{
    const char *obstacle =
        entry->isolation == BOUGH_PROCESS && type ? bough_process_obstacle(type) : NULL;

    if (obstacle) fault(report, place, "isolation", "%s", obstacle);
    if (entry->spare && entry->isolation != BOUGH_PROCESS)
        fault(report, place, "spare",
              "a spare is a process that waits; it needs \"isolation\": \"process\"");
}

/* Whether it is known where the child is to live: not when that was written wrong. */
static bool lives_known(const json_t *object, const struct bough_entry *entry)
{
    const json_t *value = json_object_get(object, "isolation");
    const char *text = json_string_value(value);

    return value == NULL ||
           (text != NULL && strcmp(text, bough_isolation_names[entry->isolation]) == 0);
}

static void check_name_of(struct bough_report *report, const char *key, const char *name,
                          const struct bough_json_place *place)
{
    if (name != NULL && name[0] == '\0')
        fault(report, place, key, "\"%s\" must be a name or a number, such as \"www\"",
              key);
}

/* A type that runs programs has them as options. */
static void misplaced_limit(struct bough_report *report, const struct bough_entry *entry,
                            const struct bough_actor_type *type, const char *key,
                            const struct bough_json_place *place)
{
    if (type != NULL && bough_field_find(type->options, type->option_count, key))
        fault(report, place, key, "of a %s, \"%s\" stands among its \"options\"",
              type->name, key);
    else
        fault(report, place, key,
              "\"%s\" is about a process of its own: \"isolation\" must be \"process\", "
              "not \"%s\"",
              key, bough_isolation_names[entry->isolation]);
}

static void check_process_limits(struct bough_report *report, const json_t *object,
                                 const struct bough_entry *entry,
                                 const struct bough_actor_type *type,
                                 const struct bough_json_place *place)
{
    static const char *const keys[] = { "rlimits", "no_new_privs", "user", "group",
                                        "oom_score_adj" };
    const struct bough_json_place rlimits = { .up = place, .key = "rlimits" };
    const int64_t cpu_ms = entry->rlimits.cpu_ms;
    char given[BOUGH_UNITS_TEXT];

    for (size_t i = 0; i < bough_count_of(keys); i++)
        if (is_given(object, keys[i]) && entry->isolation != BOUGH_PROCESS &&
            lives_known(object, entry))
            misplaced_limit(report, entry, type, keys[i], place);
    if (cpu_ms != BOUGH_FOREVER && cpu_ms % 1000 != 0)
        fault(report, &rlimits, "cpu", "\"cpu\" must be whole seconds, not %s",
              bough_duration_print(cpu_ms, given));
    check_name_of(report, "user", entry->user, place);
    check_name_of(report, "group", entry->group, place);
}

void bough_rules_child(struct bough_report *report, const struct bough_record *record,
                       const json_t *object, const struct bough_entry *entry,
                       const struct bough_actor_type *type,
                       const struct bough_json_place *place)
{
    check_significant(report, record->parent, object, entry, place);
    check_backoff(report, &entry->backoff, place);
    check_isolation(report, entry, type, place);
    check_process_limits(report, object, entry, type, place);
    check_limit(report, object, type, place);
    check_replicas(report, record->parent, object, place);
    if (is_given(object, "replicas")) check_hash(report, object, entry, type, place);
}
