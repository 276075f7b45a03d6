/* check.c - walks the tree once: what is wrong is reported, what is right becomes specs.
 *
 * A supervisor's children are read one after another, a nested supervisor where it
 * stands, so the order of the walk is the order of start. The recursion is as deep as
 * supervisors may be nested. A spec that is wrong is made as far as it goes and never
 * used.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/config_internal.h>

#include <string.h>

#include <bough/config/keys_internal.h>
#include <bough/config/policies_internal.h>
#include <bough/config/rules_internal.h>
#include <bough/config/suggest.h>
#include <bough/supervisor/supervisor.h>

/* Reads the options of one actor, and notes its references: those of a whole tree, for
 * what else is there is not known of a child by itself. */
struct reader {
    struct bough_options_reader options;
    struct bough_config *config;
    struct bough_record *record;
};

static void note_reference(struct bough_options_reader *options,
                           const struct bough_field *field, const char *path,
                           const struct bough_json_place *place)
{
    struct reader *reader = bough_container(options, struct reader, options);

    bough_reference_note(reader->config, reader->record, field, path, place);
}

static struct reader reader_for(struct bough_config *config, struct bough_record *record)
{
    return (struct reader){
        .options = { .json = { .report = &config->report },
                     .arena = &config->arena,
                     .folder = config->folder,
                     .refer = config->json == NULL ? NULL : note_reference },
        .config = config,
        .record = record,
    };
}

/* Types */

static const struct bough_actor_type *type_find(const struct bough_config *config,
                                                const char *name)
{
    if (strcmp(name, bough_supervisor_type.name) == 0) return &bough_supervisor_type;
    for (size_t i = 0; config->types[i] != NULL; i++)
        if (strcmp(config->types[i]->name, name) == 0) return config->types[i];
    return NULL;
}

static void report_type(struct bough_config *config, const char *name,
                        const struct bough_json_place *place)
{
    struct bough_suggestion suggestion = { .word = name };
    const char *names[33] = { bough_supervisor_type.name };
    char quoted[BOUGH_QUOTED], words[320];

    bough_suggestion_offer(&suggestion, bough_supervisor_type.name);
    for (size_t i = 0; config->types[i] != NULL; i++) {
        bough_suggestion_offer(&suggestion, config->types[i]->name);
        if (i + 2 < bough_count_of(names)) names[i + 1] = config->types[i]->name;
    }
    bough_quote(quoted, name);
    if (suggestion.nearest != NULL)
        bough_report_add(&config->report, place, BOUGH_AT_VALUE,
                         "unknown type %s; did you mean \"%s\"?", quoted,
                         suggestion.nearest);
    else
        bough_report_add(&config->report, place, BOUGH_AT_VALUE,
                         "unknown type %s; expected %s", quoted,
                         bough_quote_words(words, sizeof(words), names));
}

/* The type of a child; NULL when it has none, or none that is known. Of a wrong kind of
 * value the reading of the keys speaks. */
static const struct bough_actor_type *child_type(struct bough_config *config,
                                                 const json_t *object,
                                                 const struct bough_json_place *place)
{
    const struct bough_json_place at = { .up = place, .key = "type" };
    const char *name = json_string_value(json_object_get(object, "type"));
    const struct bough_actor_type *type;

    if (name == NULL) return NULL;
    type = type_find(config, name);
    if (type == NULL) report_type(config, name, &at);
    return type;
}

/* Names */

static int line_of(struct bough_config *config, const struct bough_json_place *place)
{
    char pointer[BOUGH_CONFIG_NESTING_MAX * 24];
    size_t offset = 0;
    int line, column;

    bough_pointer_print(place, pointer, sizeof(pointer));
    if (!bough_pointer_locate(&config->locator, pointer, BOUGH_AT_VALUE, &offset))
        config->arena.failed = true;
    bough_source_position(&config->source, offset, &line, &column);
    return line;
}

static void report_duplicate(struct bough_config *config,
                             const struct bough_record *first,
                             const struct bough_json_place *child)
{
    const struct bough_json_place at = { .up = child, .key = "name" };
    const struct bough_json_place other = { .up = child->up, .index = first->index };
    const struct bough_json_place name = { .up = &other, .key = "name" };
    char quoted[BOUGH_QUOTED];

    bough_quote(quoted, first->name);
    if (config->json == NULL) {
        bough_report_add(&config->report, &at, BOUGH_AT_VALUE,
                         "duplicate name %s; item %zu has it", quoted, first->index + 1);
        return;
    }
    /* The line costs a walk through the text. */
    if (bough_errors_skip(&config->errors)) return;
    bough_report_add(&config->report, &at, BOUGH_AT_VALUE,
                     "duplicate name %s; a child of this name is on line %d", quoted,
                     line_of(config, &name));
}

/* Templates are no actors, and cannot be named in a path. */
static void check_name(struct bough_config *config, struct bough_record *record,
                       const struct bough_json_place *place)
{
    const struct bough_json_place at = { .up = place, .key = "name" };
    const struct bough_record *same;

    if (record->name == NULL) return;
    record->path_len = record->parent->path_len + 1 + strlen(record->name);
    if (record->path_len >= BOUGH_PATH_MAX)
        bough_report_add(&config->report, &at, BOUGH_AT_VALUE,
                         "the path of this actor is longer than %d bytes",
                         BOUGH_PATH_MAX - 1);
    if (record->parent->is_dynamic) return;
    same = bough_names_add(config, record);
    if (same != NULL) report_duplicate(config, same, place);
}

/* Workers */

static void read_options(struct bough_config *config, const struct bough_actor_type *type,
                         const struct bough_entry *entry, struct bough_record *record,
                         const struct bough_json_place *place,
                         struct bough_child_spec *spec)
{
    const struct bough_json_place at = { .up = place, .key = "options" };
    struct reader reader = reader_for(config, record);
    void *options = NULL;

    if (type->options_size > 0) {
        options = bough_arena_alloc(&config->arena, 1, type->options_size);
        if (options == NULL) return;
    }
    bough_json_to_options(&reader.options, type, entry->options,
                          entry->options != NULL ? &at : place, options);
    spec->options = options;
    if (!record->is_on_request)
        config->tree.workers += record->replicas > 0 ? (size_t)record->replicas : 1;
}

/* Supervisors */

static void read_supervisor(struct bough_config *config, const struct bough_entry *entry,
                            struct bough_record *record,
                            const struct bough_json_place *place,
                            struct bough_supervisor_options *options);

static void read_nested(struct bough_config *config, const struct bough_entry *entry,
                        struct bough_record *record, const struct bough_json_place *place,
                        struct bough_child_spec *spec)
{
    struct bough_supervisor_options *options =
        bough_arena_alloc(&config->arena, 1, sizeof(*options));

    if (options == NULL) return;
    spec->options = options;
    if (record->depth < BOUGH_CONFIG_LEVELS_MAX)
        read_supervisor(config, entry, record, place, options);
    else
        bough_report_add(&config->report, place, BOUGH_AT_VALUE,
                         "more than %d supervisors within each other",
                         BOUGH_CONFIG_LEVELS_MAX);
}

static unsigned places_of(const struct bough_actor_type *type)
{
    if (type == NULL) return BOUGH_IN_SUPERVISOR | BOUGH_IN_WORKER;
    return type == &bough_supervisor_type ? BOUGH_IN_SUPERVISOR : BOUGH_IN_WORKER;
}

static struct bough_process_limits make_limits(const struct bough_entry *entry)
{
    const bool scored = entry->oom_score_adj != INT64_MIN;

    return (struct bough_process_limits){
        .rlimits = entry->rlimits,
        .user = entry->user,
        .group = entry->group,
        .no_new_privs = entry->no_new_privs,
        .any_oom_score_adj = scored,
        .oom_score_adj = scored ? (int)entry->oom_score_adj : 0,
    };
}

static struct bough_child_spec make_spec(const struct bough_entry *entry,
                                         const struct bough_actor_type *type)
{
    static const struct bough_backoff none = { .min_ms = 0 };
    bool limited = entry->limit.intensity >= 0;

    return (struct bough_child_spec){
        .name = entry->name,
        .type = type,
        .restart = (enum bough_restart)entry->restart,
        .shutdown_ms = entry->shutdown_ms,
        .mailbox_capacity = (uint32_t)entry->mailbox.capacity,
        .on_restart = (enum bough_on_restart)entry->mailbox.on_restart,
        .isolation = (enum bough_isolation)entry->isolation,
        .spare = entry->spare,
        .when_full = (enum bough_when_full)entry->mailbox.when_full,
        .significant = entry->significant,
        .backoff = entry->backoff.min_ms > 0 ? entry->backoff : none,
        .start_timeout_ms =
            entry->start_timeout_ms == BOUGH_FOREVER ? 0 : entry->start_timeout_ms,
        .any_intensity = limited,
        .intensity = limited ? (uint32_t)entry->limit.intensity : 0,
        .period_ms = limited ? entry->limit.period_ms : 0,
        .replicas = (uint32_t)entry->replicas,
        .route = (enum bough_route)entry->route,
        .route_field = entry->route_field,
        .redeliver = (uint32_t)entry->redeliver,
        .stuck_after_ms = entry->stuck_after_ms,
        .limits = make_limits(entry),
    };
}

/* The rest of the spec: what has a list or a table of its own. */
static void read_parts(struct bough_config *config, const struct bough_entry *entry,
                       struct bough_record *record, const struct bough_json_place *place,
                       struct bough_child_spec *spec)
{
    const struct bough_json_place policies = { .up = place, .key = "policies" };

    if (entry->policies != NULL)
        bough_policies_read(&config->report, &config->arena, entry->policies, &policies,
                            spec);
    if (spec->type == &bough_supervisor_type ||
        (spec->type == NULL && entry->children != NULL))
        read_nested(config, entry, record, place, spec);
    else if (spec->type != NULL)
        read_options(config, spec->type, entry, record, place, spec);
}

/* Children of a type that is not known are looked into as far as they can be. */
static void read_child(struct bough_config *config, const json_t *object,
                       struct bough_record *record, const struct bough_json_place *place,
                       struct bough_child_spec *spec)
{
    struct reader reader = reader_for(config, record);
    const struct bough_actor_type *type;
    struct bough_entry entry;

    if (!json_is_object(object)) {
        bough_json_must_be(&config->report, place, "an object", object);
        return;
    }
    type = child_type(config, object, place);
    bough_entry_read(&reader.options, object, place, places_of(type),
                     type == NULL ? "" : type->name, &entry);
    config->steps += json_object_size(object);
    record->name = entry.name;
    record->type = type == NULL ? NULL : type->name;
    record->replicas = entry.replicas;
    check_name(config, record, place);
    bough_rules_child(&config->report, record, object, &entry, type, place);
    *spec = make_spec(&entry, type);
    read_parts(config, &entry, record, place, spec);
}

static void read_children(struct bough_config *config, const json_t *array,
                          struct bough_record *record,
                          const struct bough_json_place *place,
                          struct bough_supervisor_options *options)
{
    size_t count = json_array_size(array);
    struct bough_child_spec *specs;

    if (count > BOUGH_CONFIG_CHILDREN_MAX) {
        bough_report_add(&config->report, place, BOUGH_AT_VALUE,
                         "%zu children are more than the %d that one supervisor may have",
                         count, BOUGH_CONFIG_CHILDREN_MAX);
        return;
    }
    specs = bough_arena_alloc(&config->arena, count, sizeof(*specs));
    record->children =
        bough_arena_alloc(&config->scratch, count, sizeof(*record->children));
    if (specs == NULL || record->children == NULL) return;
    record->child_count = count;
    options->children = specs;
    options->child_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct bough_json_place at = { .up = place, .index = i };

        record->children[i] = (struct bough_record){
            .parent = record,
            .index = i,
            .depth = record->depth + 1,
            .is_on_request = record->is_dynamic || record->is_on_request,
        };
        read_child(config, json_array_get(array, i), &record->children[i], &at,
                   &specs[i]);
    }
}

static void read_supervisor(struct bough_config *config, const struct bough_entry *entry,
                            struct bough_record *record,
                            const struct bough_json_place *place,
                            struct bough_supervisor_options *options)
{
    const struct bough_json_place at = { .up = place, .key = "children" };

    *options = (struct bough_supervisor_options){
        .strategy = (enum bough_strategy)entry->strategy,
        .any_intensity = true,
        .intensity = (uint32_t)entry->intensity,
        .period_ms = entry->period_ms,
        .auto_shutdown = (enum bough_auto_shutdown)entry->auto_shutdown,
    };
    record->is_dynamic = entry->strategy == BOUGH_DYNAMIC;
    record->shuts_down_never = entry->auto_shutdown == BOUGH_NEVER;
    bough_rules_supervisor(&config->report, entry, place);
    if (!record->is_on_request) config->tree.supervisors++;
    if (entry->children != NULL)
        read_children(config, entry->children, record, &at, options);
}

/* The root may say that it is a supervisor, and nothing else. */
static void check_root_type(struct bough_config *config, const struct bough_entry *entry,
                            const struct bough_json_place *root)
{
    const struct bough_json_place at = { .up = root, .key = "type" };
    char quoted[BOUGH_QUOTED];

    if (entry->type == NULL || strcmp(entry->type, bough_supervisor_type.name) == 0)
        return;
    bough_report_add(&config->report, &at, BOUGH_AT_VALUE,
                     "the root is a supervisor; it cannot be of type %s",
                     bough_quote(quoted, entry->type));
}

void bough_config_check(struct bough_config *config, const json_t *root)
{
    const struct bough_json_place place = { .up = NULL };
    struct reader reader = reader_for(config, &config->root);
    struct bough_entry entry;

    config->root =
        (struct bough_record){ .name = "", .type = bough_supervisor_type.name };
    if (!json_is_object(root)) {
        bough_json_must_be(&config->report, &place, "an object (a supervisor)", root);
        return;
    }
    bough_entry_read(&reader.options, root, &place, BOUGH_IN_ROOT,
                     bough_supervisor_type.name, &entry);
    check_root_type(config, &entry, &place);
    bough_rules_root(&config->report, &entry, &place);
    config->tree.name = entry.name;
    config->tree.log = entry.log;
    config->tree.exit_with = entry.exit_with;
    config->tree.metrics = entry.metrics;
    read_supervisor(config, &entry, &config->root, &place, &config->tree.options);
    bough_references_check(config);
}

void bough_config_check_child(struct bough_config *config, const json_t *object,
                              const struct bough_json_place *place,
                              struct bough_child_spec *spec)
{
    struct bough_record child = { .parent = &config->root, .depth = 1 };

    read_child(config, object, &child, place, spec);
}

void bough_config_check_finish(struct bough_config *config)
{
    bough_names_finish(config);
    if (config->scratch.failed) config->arena.failed = true;
    bough_arena_finish(&config->scratch);
}
