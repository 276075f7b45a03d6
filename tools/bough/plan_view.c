/* plan_view.c - a plan as JSON.
 *
 * Old and new values are those of the specs as JSON, so that they look as they do in a
 * file. The values of maps of strings (the environment of programs) are shown to nobody.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/plan_view.h>

#include <stdalign.h>
#include <string.h>

#include <bough/config/json_fields.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/output.h>

/* The spec as in a file, without the children of a supervisor. */
static json_t *spec_json(const struct bough_child_spec *spec)
{
    static const struct bough_field field[] = {
        bough_field(struct bough_spec_reply, spec, "spec", BOUGH_SPEC),
    };
    const struct bough_spec_reply none = { .spec = { .offset = 0 } };
    struct bough_supervisor_options flags = { .strategy = BOUGH_ONE_FOR_ONE };
    struct bough_child_spec flat = *spec;
    alignas(max_align_t) char buffer[2048];
    struct bough_block block;
    json_t *json = NULL, *inner;

    if (spec->type == &bough_supervisor_type && spec->options != NULL) {
        flags = *(const struct bough_supervisor_options *)spec->options;
        if (flags.strategy != BOUGH_DYNAMIC) flags.child_count = 0;
        flat.options = &flags;
    }
    if (strcmp(flat.name, "/") == 0) flat.name = "root";
    bough_block_init(&block, buffer, sizeof(buffer), &none, sizeof(none));
    bough_spec_pack(&block, offsetof(struct bough_spec_reply, spec), &flat);
    if (block.status == BOUGH_OK) json = bough_json_from_block(field, 1, block.data);
    bough_block_finish(&block);
    inner = json_incref(json_object_get(json, "spec"));
    json_decref(json);
    return inner;
}

static json_t *value_of(const json_t *spec, const struct bough_plan_key *key)
{
    const json_t *from = key->option != NULL ? json_object_get(spec, "options") : spec;

    return json_object_get(from, key->option != NULL ? key->option : key->name);
}

static int put(json_t *array, json_t *value)
{
    return json_array_append_new(array, value);
}

/* Values that are not given are left out. */
static json_t *key_json(const char *name, bool restarts, json_t *before, json_t *after)
{
    json_t *json = json_pack("{s:s, s:b}", "key", name, "restarts", restarts);

    if (before != NULL) json_object_set(json, "old", before);
    if (after != NULL) json_object_set(json, "new", after);
    return json;
}

/* Of each name: that its value is another one, or is there in one of them alone. */
static int add_hidden(json_t *keys, const char *name, json_t *before, json_t *after)
{
    json_t *all = json_object(), *value;
    const char *variable;
    int failed = json_object_update(all, before != NULL ? before : all) |
                 json_object_update(all, after != NULL ? after : all);

    json_object_foreach (all, variable, value) {
        json_t *old = json_object_get(before, variable);
        json_t *new = json_object_get(after, variable);

        if (old != NULL && new != NULL && json_equal(old, new)) continue;
        failed |= put(keys, json_pack("{s:o, s:b, s:b, s:s}", "key",
                                      json_sprintf("%s.%s", name, variable), "restarts",
                                      1, "hidden", 1, "change",
                                      old == NULL   ? "added"
                                      : new == NULL ? "removed"
                                                    : "changed"));
    }
    json_decref(all);
    return failed;
}

static bool is_hidden(const struct bough_plan_child *child,
                      const struct bough_plan_key *key)
{
    const struct bough_actor_type *type = child->after->type;
    const struct bough_field *field =
        key->option != NULL
            ? bough_field_find(type->options, type->option_count, key->option)
            : NULL;

    return field != NULL && field->kind == BOUGH_MAP;
}

/* "limit.intensity" and the like: objects are told member by member. */
static int add_members(json_t *keys, const char *name, bool restarts, json_t *before,
                       json_t *after)
{
    json_t *all = json_object(), *value;
    const char *member;
    int failed = json_object_update(all, before) | json_object_update(all, after);

    json_object_foreach (all, member, value) {
        json_t *old = json_object_get(before, member);
        json_t *new = json_object_get(after, member);
        char full[256];

        if (old != NULL && new != NULL && json_equal(old, new)) continue;
        snprintf(full, sizeof(full), "%s.%s", name, member);
        failed |= put(keys, key_json(full, restarts, old, new));
    }
    json_decref(all);
    return failed;
}

static int add_key(json_t *keys, const struct bough_plan_child *child,
                   const struct bough_plan_key *key, const json_t *old, const json_t *new)
{
    json_t *before = value_of(old, key), *after = value_of(new, key);
    char name[128];

    snprintf(name, sizeof(name), "%s%s%s", key->name, key->option != NULL ? "." : "",
             key->option != NULL ? key->option : "");
    if (is_hidden(child, key)) return add_hidden(keys, name, before, after);
    if (json_is_object(before) && json_is_object(after))
        return add_members(keys, name, key->restarts, before, after);
    /* It says the same, and means something else: a file. */
    if (key->option != NULL && before != NULL && json_equal(before, after))
        return put(keys, json_pack("{s:s, s:b, s:b, s:s}", "key", name, "restarts", 1,
                                   "hidden", 1, "change", "contents changed"));
    /* Of the children there is too much to say. */
    if (strcmp(name, "children") == 0) before = after = NULL;
    return put(keys, key_json(name, key->restarts, before, after));
}

static json_t *keys_json(const struct bough_plan_child *child)
{
    json_t *keys = json_array();
    json_t *old = spec_json(child->before), *new = spec_json(child->after);
    int failed = old == NULL || new == NULL;

    for (size_t i = 0; i < child->key_count && !failed; i++)
        failed = add_key(keys, child, &child->keys[i], old, new);
    json_decref(old);
    json_decref(new);
    if (!failed) return keys;
    json_decref(keys);
    return NULL;
}

static json_t *child_json(const struct bough_plan_child *child)
{
    const struct bough_child_spec *spec =
        child->after != NULL ? child->after : child->before;
    json_t *json = json_pack("{s:s, s:s, s:o, s:I}", "path", child->path, "act",
                             bough_plan_act_name(child->act), "type",
                             bough_output_string(spec->type->name), "below",
                             (json_int_t)child->below);
    int failed = 0;

    if (child->key_count > 0)
        failed |= json_object_set_new(json, "keys", keys_json(child));
    if (child->because != NULL)
        failed |= json_object_set_new(json, "because", json_string(child->because));
    if (child->replaces) failed |= json_object_set_new(json, "replaces", json_true());
    if (!failed) return json;
    json_decref(json);
    return NULL;
}

static json_t *children_json(const struct bough_plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->child_count; i++) {
        if (plan->children[i].act == BOUGH_PLAN_KEPT) continue;
        if (put(array, child_json(&plan->children[i])) == 0) continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *steps_json(const struct bough_plan *plan)
{
    static const char *const names[BOUGH_PLAN_DO_COUNT] = {
        [BOUGH_PLAN_STOP] = "stop",     [BOUGH_PLAN_CHANGE] = "change",
        [BOUGH_PLAN_DELETE] = "delete", [BOUGH_PLAN_RESIZE] = "resize",
        [BOUGH_PLAN_START] = "start",
    };
    json_t *array = json_array();

    for (size_t i = 0; i < plan->step_count; i++) {
        const struct bough_plan_step *step = &plan->steps[i];
        json_t *json = json_pack("{s:s, s:s}", "do", names[step->what], "path",
                                 plan->children[step->child].path);

        if (put(array, json) == 0) continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

json_t *bough_plan_json(const struct bough_plan *plan)
{
    json_t *json = json_pack("{s:b}", "changes", plan->step_count > 0);
    int failed = json == NULL;

    for (int act = BOUGH_PLAN_ACT_COUNT - 1; act >= 0; act--)
        failed |= json_object_set_new(
            json, bough_plan_act_name((enum bough_plan_act)act),
            json_integer((json_int_t)bough_plan_count(plan, (enum bough_plan_act)act)));
    failed |= json_object_set_new(json, "children", children_json(plan));
    failed |= json_object_set_new(json, "steps", steps_json(plan));
    if (!failed) return json;
    json_decref(json);
    return NULL;
}

int bough_plan_json_log(json_t *plan, const char *before, const char *after)
{
    const char *old = before != NULL ? before : "", *new = after != NULL ? after : "";
    json_t *json;

    if (strcmp(old, new) == 0) return 0;
    json = json_pack("{s:o, s:o}", "old", bough_output_string(before), "new",
                     bough_output_string(after));
    return json_object_set_new(plan, "log", json) |
           json_object_set_new(plan, "changes", json_true());
}

int bough_plan_json_root(json_t *plan, const char *key, const char *before,
                         const char *after)
{
    const char *old = before != NULL ? before : "", *new = after != NULL ? after : "";
    json_t *keys = json_object_get(plan, "root");
    int failed = 0;

    if (strcmp(old, new) == 0) return 0;
    if (keys == NULL) {
        keys = json_array();
        failed = json_object_set_new(plan, "root", keys) |
                 json_object_set_new(plan, "changes", json_true());
    }
    if (failed != 0) return failed;
    return put(keys,
               json_pack("{s:s, s:o, s:o}", "key", key, "old",
                         bough_output_string(before), "new", bough_output_string(after)));
}

void bough_plan_summary(const json_t *plan, char *text, size_t size)
{
    static const char *const acts[] = { "added", "removed", "restarted", "changed",
                                        "kept" };
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < bough_count_of(acts) && used < size; i++) {
        const json_int_t count = json_integer_value(json_object_get(plan, acts[i]));

        if (count == 0) continue;
        used +=
            (size_t)snprintf(text + used, size - used, "%s%" JSON_INTEGER_FORMAT " %s",
                             used > 0 ? ", " : "", count, acts[i]);
    }
}
