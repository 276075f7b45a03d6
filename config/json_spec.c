/* json_spec.c - child specs in messages.
 *
 * The checks are those of a config file, by the same tables and the same walk (check.c):
 * a config of one child, whose errors go where those of the message go.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_spec_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/config/config_internal.h>
#include <bough/config/json_build_internal.h>
#include <bough/config/json_options_internal.h>
#include <bough/config/policies_internal.h>
#include <bough/config/units.h>
#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>

/* From JSON */

static void fail(struct bough_block *block, enum bough_status status)
{
    if (block->status == BOUGH_OK) block->status = status;
}

struct spec_reader {
    struct bough_config config;
    struct bough_report *to;
    bool wrong;
};

static void spec_reader_add(struct bough_report *report,
                            const struct bough_json_place *place, enum bough_at at,
                            const char *text)
{
    struct spec_reader *reader =
        bough_container(report, struct spec_reader, config.report);

    reader->wrong = true;
    reader->to->add(reader->to, place, at, text);
}

void bough_json_to_spec(struct bough_report *report,
                        const struct bough_actor_type *const *types, const json_t *value,
                        const struct bough_json_place *place, struct bough_block *block,
                        size_t member_offset)
{
    struct spec_reader *reader = calloc(1, sizeof(*reader));
    struct bough_child_spec spec = { .name = NULL };

    if (reader == NULL) {
        fail(block, BOUGH_ENOMEM);
        return;
    }
    reader->to = report;
    reader->config.types = types;
    reader->config.report.add = spec_reader_add;
    reader->config.root.name = "";
    bough_config_check_child(&reader->config, value, place, &spec);
    bough_config_check_finish(&reader->config);
    if (reader->config.arena.failed)
        fail(block, BOUGH_ENOMEM);
    else if (!reader->wrong)
        bough_spec_pack(block, member_offset, &spec);
    bough_arena_finish(&reader->config.arena);
    free(reader);
}

/* Options */

/* Fills those that are given, and says which: bit i is row i of the type's table. */
static uint64_t read_given(struct bough_options_reader *reader,
                           const struct bough_actor_type *type, const json_t *object,
                           const struct bough_json_place *place, void *options)
{
    const char *names[64 + 1] = { NULL };
    uint64_t given = 0;
    const char *key;
    json_t *value;

    for (size_t i = 0; i < type->option_count; i++)
        names[i] = type->options[i].name;
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        const struct bough_json_place at = { .up = place, .key = key };
        const struct bough_field *field =
            bough_field_find(type->options, type->option_count, key);

        if (field == NULL) {
            bough_json_unknown(reader->json.report, &at, "option", names);
            continue;
        }
        bough_json_to_option(reader, field, value, &at, options);
        given |= UINT64_C(1) << (field - type->options);
    }
    return given;
}

static void pack_given(struct bough_report *report, const struct bough_actor_type *type,
                       const json_t *object, const struct bough_json_place *place,
                       struct bough_block *block, size_t member_offset)
{
    struct bough_relay relay;
    struct bough_arena arena = { .failed = false };
    struct bough_options_reader reader = { .json = { .report = &relay.report },
                                           .arena = &arena };
    size_t size = type->options_size > 0 ? type->options_size : 1;
    void *options = bough_arena_alloc(&arena, 1, size);
    uint64_t given = 0;

    bough_relay_init(&relay, report);
    if (options != NULL) given = read_given(&reader, type, object, place, options);
    if (arena.failed)
        fail(block, BOUGH_ENOMEM);
    else if (!relay.wrong)
        bough_options_pack(block, member_offset, type, options, given);
    bough_arena_finish(&arena);
}

void bough_json_to_packed_options(struct bough_report *report,
                                  const struct bough_actor_type *type,
                                  const json_t *value,
                                  const struct bough_json_place *place,
                                  struct bough_block *block, size_t member_offset)
{
    char quoted[BOUGH_QUOTED];

    if (type == NULL)
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "only a dynamic supervisor takes %s, for it has a template",
                         bough_place_name(place, quoted));
    else if (type->copy_options != NULL || type->option_count > 64)
        bough_report_add(report, place, BOUGH_AT_KEY,
                         "the template is a %s, which takes no other %s than its own",
                         type->name, bough_place_name(place, quoted));
    else if (!json_is_object(value))
        bough_json_must_be(report, place, "an object", value);
    else
        pack_given(report, type, value, place, block, member_offset);
}

/* To JSON */

static json_t *options_json(const struct bough_field *fields, size_t count,
                            const char *options);

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/* A zeroed member stands for its fallback. */
static json_t *plain_json(const struct bough_field *field, const char *member)
{
    int64_t fallback[2];

    if (!is_zero(member, field->size)) return bough_json_from_plain(field, member);
    bough_field_fallback(field, fallback);
    return bough_json_from_plain(field, fallback);
}

/* A zero that cannot be given stands for nothing at all. */
static bool has_value(const struct bough_field *field, const char *member)
{
    if (field->fallback != 0 || !is_zero(member, field->size)) return true;
    return field->given_zero == 0 && field->min <= 0 && field->max >= 0;
}

static json_t *strings_json(const char *const *strings)
{
    json_t *array = json_array();

    for (; *strings != NULL; strings++)
        bough_json_push(&array, json_string(*strings));
    return array;
}

static json_t *map_json(const char *const *map)
{
    json_t *object = json_object();

    for (; *map != NULL; map += 2)
        bough_json_put(&object, map[0], json_string(map[1]));
    return object;
}

/* A text or list that is not given, and has no fallback, is left out. */
static void put_pointer(json_t **object, const struct bough_field *field,
                        const void *pointer)
{
    if (pointer == NULL) pointer = field->fallback_text;
    if (pointer == NULL) return;
    if (field->kind == BOUGH_STRINGS)
        bough_json_put(object, field->name, strings_json(pointer));
    else if (field->kind == BOUGH_MAP)
        bough_json_put(object, field->name, map_json(pointer));
    else
        bough_json_put(object, field->name, json_string(pointer));
}

/* An object that has something in it, else the word. */
static json_t *either_json(const struct bough_field *field, const char *member)
{
    int choice;

    for (size_t i = 0; i < field->of_count; i++) {
        if (!is_zero(member + field->of[i].offset, field->of[i].size))
            return options_json(field->of, field->of_count, member);
    }
    memcpy(&choice, member, sizeof(choice));
    return json_string(field->choices[choice]);
}

static json_t *options_json(const struct bough_field *fields, size_t count,
                            const char *options)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct bough_field *field = &fields[i];
        const char *member = options + field->offset;
        const void *pointer;

        if (bough_kind_is_plain(field->kind)) {
            if (has_value(field, member))
                bough_json_put(&object, field->name, plain_json(field, member));
        } else if (field->kind == BOUGH_OBJECT) {
            bough_json_put(&object, field->name,
                           options_json(field->of, field->of_count, member));
        } else if (field->kind == BOUGH_EITHER) {
            bough_json_put(&object, field->name, either_json(field, member));
        } else {
            memcpy(&pointer, member, sizeof(pointer));
            put_pointer(&object, field, pointer);
        }
    }
    return object;
}

static json_t *duration_json(int64_t ms)
{
    char text[BOUGH_UNITS_TEXT];

    return json_string(bough_duration_print(ms, text));
}

static json_t *shutdown_json(const struct bough_child_spec *spec)
{
    int64_t ms = bough_child_shutdown_ms(spec);

    return ms == BOUGH_SHUTDOWN_BRUTAL_KILL ? json_string("brutal-kill")
                                            : duration_json(ms);
}

static json_t *mailbox_json(const struct bough_child_spec *spec)
{
    uint32_t capacity =
        spec->mailbox_capacity > 0 ? spec->mailbox_capacity : BOUGH_MAILBOX_CAPACITY;

    return json_pack("{s:I, s:s, s:s}", "capacity", (json_int_t)capacity, "on_restart",
                     spec->on_restart == BOUGH_DISCARD ? "discard" : "keep", "when_full",
                     bough_when_full_names[spec->when_full]);
}

static json_t *backoff_json(const struct bough_child_spec *spec)
{
    const struct bough_backoff backoff = bough_backoff_fill(&spec->backoff);
    json_t *object = json_object();

    bough_json_put(&object, "min", duration_json(backoff.min_ms));
    bough_json_put(&object, "max", duration_json(backoff.max_ms));
    bough_json_put(&object, "factor", json_real(backoff.factor));
    bough_json_put(&object, "jitter", json_real(backoff.jitter));
    bough_json_put(&object, "reset_after", duration_json(backoff.reset_after_ms));
    return object;
}

static json_t *spec_json(const struct bough_child_spec *spec);

static json_t *children_json(const struct bough_supervisor_options *options)
{
    json_t *array = json_array();

    for (size_t i = 0; i < options->child_count; i++)
        bough_json_push(&array, spec_json(&options->children[i]));
    return array;
}

/* A limit of its own stands beside those of a worker, and apart from those that a
 * supervisor has for its children. */
static void put_limit(json_t **object, const struct bough_child_spec *spec)
{
    json_t *limit;

    if (!bough_child_limited(spec)) return;
    if (spec->type != &bough_supervisor_type) {
        bough_json_put(object, "intensity", json_integer(spec->intensity));
        bough_json_put(object, "period", duration_json(bough_child_period_ms(spec)));
        return;
    }
    limit = json_object();
    bough_json_put(&limit, "intensity", json_integer(spec->intensity));
    bough_json_put(&limit, "period", duration_json(bough_child_period_ms(spec)));
    bough_json_put(object, "limit", limit);
}

static void put_supervisor(json_t **object,
                           const struct bough_supervisor_options *options)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };

    if (options == NULL) options = &none;
    bough_json_put(object, "strategy",
                   json_string(bough_strategy_names[options->strategy]));
    bough_json_put(object, "intensity",
                   json_integer(bough_supervisor_intensity(options)));
    bough_json_put(object, "period", duration_json(bough_supervisor_period_ms(options)));
    bough_json_put(object, "auto_shutdown",
                   json_string(bough_auto_shutdown_names[options->auto_shutdown]));
    bough_json_put(object, "children", children_json(options));
}

static void put_options(json_t **object, const struct bough_child_spec *spec)
{
    const struct bough_actor_type *type = spec->type;

    if (type->option_count == 0 || spec->options == NULL) return;
    bough_json_put(object, "options",
                   options_json(type->options, type->option_count, spec->options));
}

static json_t *rlimits_json(const struct bough_rlimits *rlimits)
{
    json_t *object = json_object();

    for (size_t i = 0; i < BOUGH_RLIMIT_COUNT; i++) {
        const struct bough_field *field = &bough_rlimit_fields[i];
        const char *member = (const char *)rlimits + field->offset;

        if (!is_zero(member, field->size))
            bough_json_put(&object, field->name, bough_json_from_plain(field, member));
    }
    return object;
}

static void put_process_limits(json_t **object, const struct bough_process_limits *limits)
{
    if (!is_zero((const char *)&limits->rlimits, sizeof(limits->rlimits)))
        bough_json_put(object, "rlimits", rlimits_json(&limits->rlimits));
    if (limits->no_new_privs) bough_json_put(object, "no_new_privs", json_true());
    if (limits->user != NULL) bough_json_put(object, "user", json_string(limits->user));
    if (limits->group != NULL)
        bough_json_put(object, "group", json_string(limits->group));
    if (limits->any_oom_score_adj || limits->oom_score_adj != 0)
        bough_json_put(object, "oom_score_adj", json_integer(limits->oom_score_adj));
}

/* What is off when it is not given is not shown. */
static void put_extensions(json_t **object, const struct bough_child_spec *spec)
{
    if (spec->backoff.min_ms > 0) bough_json_put(object, "backoff", backoff_json(spec));
    if (spec->policy_count > 0)
        bough_json_put(object, "policies", bough_policies_json(spec));
    if (spec->redeliver > 0)
        bough_json_put(object, "redeliver", json_integer(spec->redeliver));
    put_process_limits(object, &spec->limits);
    if (spec->replicas == 0) return;
    bough_json_put(object, "replicas", json_integer(spec->replicas));
    bough_json_put(object, "route", json_string(bough_route_names[spec->route]));
    if (spec->route_field != NULL)
        bough_json_put(object, "route_field", json_string(spec->route_field));
}

static json_t *spec_json(const struct bough_child_spec *spec)
{
    int64_t start_timeout_ms =
        spec->start_timeout_ms == 0 ? BOUGH_FOREVER : spec->start_timeout_ms;
    json_t *object = json_object();

    if (spec->name != NULL) bough_json_put(&object, "name", json_string(spec->name));
    bough_json_put(&object, "type", json_string(spec->type->name));
    bough_json_put(&object, "restart", json_string(bough_restart_names[spec->restart]));
    bough_json_put(&object, "shutdown", shutdown_json(spec));
    bough_json_put(&object, "significant", json_boolean(spec->significant));
    bough_json_put(&object, "start_timeout", duration_json(start_timeout_ms));
    bough_json_put(&object, "isolation",
                   json_string(bough_isolation_names[spec->isolation]));
    if (spec->isolation == BOUGH_PROCESS)
        bough_json_put(&object, "spare", json_boolean(spec->spare));
    if (spec->stuck_after_ms > 0)
        bough_json_put(&object, "stuck_after", duration_json(spec->stuck_after_ms));
    bough_json_put(&object, "mailbox", mailbox_json(spec));
    put_limit(&object, spec);
    put_extensions(&object, spec);
    if (spec->type == &bough_supervisor_type)
        put_supervisor(&object, spec->options);
    else
        put_options(&object, spec);
    return object;
}

json_t *bough_json_from_spec(const void *bytes, size_t len)
{
    struct bough_child_spec *spec = NULL;
    enum bough_status status = bough_spec_unpack(bytes, len, &spec, NULL);
    json_t *json;

    if (status == BOUGH_ENOMEM) return NULL;
    if (status != BOUGH_OK) return json_null();
    json = spec_json(spec);
    bough_spec_free(spec);
    return json;
}
