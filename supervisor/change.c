/* change.c - other flags and children for a supervisor that runs: OTP's code_change.
 *
 * First everything that can fail: the new specs are read and checked, new children made
 * known, those that are not given any more get specs of their own. Then the decider
 * changes, or nothing does.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/spec_pack_internal.h>
#include <bough/supervisor/supervision_internal.h>
#include <bough/supervisor/supervisor.h>

/* What a change is made of. */
struct change {
    struct bough_actor *actor;
    struct bough_supervision *self;
    struct bough_child_spec *spec;                  /* owns what follows */
    const struct bough_supervisor_options *options; /* the new ones */
    struct bough_decide_spec *specs;
    struct bough_supervised **added;
    bool *given; /* by the decider's number */
    size_t count, added_count;
};

/* Specs of those that stay without being given: the old options may go. */
static bool keep_old_specs(struct change *change)
{
    const struct bough_decider *decider = change->self->decider;

    for (size_t i = bough_decider_next(decider, BOUGH_NO_CHILD); i != BOUGH_NO_CHILD;
         i = bough_decider_next(decider, i)) {
        struct bough_supervised *child = bough_supervision_child(change->self, i);

        if (child->owns_spec || change->given[i]) continue;
        const struct bough_child_spec *own = bough_spec_copy(child->spec);
        if (!own) return false;
        bough_supervised_set_spec(child, own, true);
    }
    return true;
}

/* False when memory is out. */
static bool note(struct change *change, size_t number,
                 const struct bough_child_spec *spec)
{
    struct bough_supervised *child = bough_supervision_child(change->self, number);

    if (!bough_supervised_prepare(child, spec)) return false;
    change->given[number] = true;
    change->specs[change->count++] = (struct bough_decide_spec){
        .child = number,
        .spec = bough_supervised_spec(spec),
    };
    return true;
}

/* Makes new children known, and notes what the decider is to be told of each. */
static enum bough_status match_children(struct change *change)
{
    const struct bough_supervisor_options *options = change->options;

    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        const struct bough_recruit recruit = { .name = spec->name, .spec = spec };
        struct bough_supervised *child =
            bough_supervision_find(change->actor, spec->name);

        if (!child) {
            const enum bough_status status =
                bough_supervision_add(change->actor, &recruit, &child);

            if (status != BOUGH_OK) return status;
            change->added[change->added_count++] = child;
        }
        if (!note(change, child->number, spec)) return BOUGH_ENOMEM;
    }
    return BOUGH_OK;
}

/* All children of a dynamic supervisor have the template's spec. */
static enum bough_status match_dynamic(struct change *change)
{
    const struct bough_decider *decider = change->self->decider;

    for (size_t i = bough_decider_next(decider, BOUGH_NO_CHILD); i != BOUGH_NO_CHILD;
         i = bough_decider_next(decider, i)) {
        if (!note(change, i, &change->options->children[0])) return BOUGH_ENOMEM;
    }
    return BOUGH_OK;
}

static enum bough_status prepare(struct change *change)
{
    const size_t most =
        bough_decider_count(change->self->decider) + change->options->child_count + 1;
    enum bough_status status;

    change->specs = calloc(most, sizeof(*change->specs));
    change->added = calloc(most, sizeof(*change->added));
    change->given = calloc(most, sizeof(*change->given));
    if (!change->specs || !change->added || !change->given) return BOUGH_ENOMEM;
    if (change->options->strategy == BOUGH_DYNAMIC) return match_dynamic(change);
    status = match_children(change);
    if (status == BOUGH_OK && !keep_old_specs(change)) status = BOUGH_ENOMEM;
    return status;
}

static void take_back(struct change *change)
{
    for (size_t i = 0; i < change->added_count; i++)
        bough_supervision_ask(change->actor, change->added[i], BOUGH_ON_DELETE_CHILD,
                              NULL);
}

/* A place of a dynamic child keeps the options that it was given. */
static void adopt(struct change *change, const struct bough_decide_spec *specs, size_t i)
{
    const bool dynamic = change->options->strategy == BOUGH_DYNAMIC;
    struct bough_supervised *child =
        bough_supervision_child(change->self, specs[i].child);

    bough_supervised_set_spec(child, &change->options->children[dynamic ? 0 : i], false);
    child->changed = !dynamic;
    bough_supervision_watch_over(change->actor, child);
}

/* Whoever looks sees its children in their new order. Those that were not given do not
 * come back with its next life. */
static void show(const struct change *change)
{
    const struct bough_supervision *self = change->self;
    const struct bough_decider *decider = self->decider;
    const bool dynamic = self->options->strategy == BOUGH_DYNAMIC;

    for (size_t i = bough_decider_next(decider, BOUGH_NO_CHILD); i != BOUGH_NO_CHILD;
         i = bough_decider_next(decider, i)) {
        struct bough_supervised *child = bough_supervision_child(self, i);

        child->lasting = change->given[i] && !dynamic;
        bough_place_show_last(child->place, bough_restart_names[child->spec->restart]);
    }
}

static void commit(struct change *change)
{
    struct bough_supervision *self = change->self;

    for (size_t i = 0; i < change->count; i++)
        adopt(change, change->specs, i);
    /* New ones are not started; and who a restart was to start may be none of its any
     * more. */
    bough_supervision_settle_down(change->actor);
    show(change);
    self->options = change->options;
    bough_place_replace_options(change->actor, bough_spec_take_options(change->spec));
}

static enum bough_status check(const struct change *change, struct bough_error *error)
{
    const bool was_dynamic = change->self->options->strategy == BOUGH_DYNAMIC;
    enum bough_status status;

    if (change->spec->type != &bough_supervisor_type || !change->options)
        return bough_error_set(error, BOUGH_EINVALID, "the spec is no supervisor's");
    status = bough_supervisor_check(change->options, error);
    if (status != BOUGH_OK) return status;
    if (was_dynamic != (change->options->strategy == BOUGH_DYNAMIC))
        return bough_error_set(error, BOUGH_EREFUSED,
                               "a supervisor cannot become dynamic, or cease to be it");
    return BOUGH_OK;
}

static enum bough_status apply(struct change *change)
{
    enum bough_status status = prepare(change);

    if (status == BOUGH_OK)
        status = bough_decider_change(change->self->decider, change->options,
                                      change->specs, change->count);
    if (status == BOUGH_OK)
        commit(change);
    else
        take_back(change);
    free(change->specs);
    free(change->added);
    free(change->given);
    return status;
}

void bough_supervision_change(struct bough_actor *actor, const void *spec, size_t len,
                              struct bough_question *question)
{
    struct change change = { .actor = actor, .self = bough_state(actor) };
    struct bough_error error = { .status = BOUGH_OK };
    enum bough_status status = bough_spec_unpack(spec, len, &change.spec, &error);

    if (status == BOUGH_OK) {
        change.options = change.spec->options;
        status = check(&change, &error);
    }
    if (status == BOUGH_OK) {
        status = apply(&change);
        if (status != BOUGH_OK)
            bough_error_set(&error, status, "%s", bough_status_text(status));
    }
    bough_spec_free(change.spec);
    if (status == BOUGH_OK)
        bough_question_reply(question, NULL, 0);
    else if (error.where[0] != '\0')
        bough_question_refuse(question, status, "%s: %s", error.where, error.text);
    else
        bough_question_refuse(question, status, "%s", error.text);
}
