/* questions.c - what a supervisor can be asked, and what it answers at once.
 *
 * which_children, count_children and get_child_spec are answered whatever is under way;
 * the rest of its messages are requests (requests.c), except set_replicas, which is the
 * group's to do.
 *
 * SPDX-License-Identifier: MIT */
#include <stdalign.h>

#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervision_internal.h>
#include <bough/supervisor/supervisor.h>

/* Message */

/* The names that bough_place_state_name() gives, as a table; a test compares them.
 * Choices have names of their own, so `reserved` has one here, and is answered as
 * `stopped`. */
static const char *const state_names[BOUGH_PLACE_STATE_COUNT + 1] = {
    [BOUGH_PLACE_RESERVED] = "reserved",     [BOUGH_PLACE_STARTING] = "starting",
    [BOUGH_PLACE_RUNNING] = "running",       [BOUGH_PLACE_STOPPING] = "stopping",
    [BOUGH_PLACE_RESTARTING] = "restarting", [BOUGH_PLACE_STOPPED] = "stopped",
    [BOUGH_PLACE_FAILED] = "failed",
};

static const struct bough_field child_row[] = {
    bough_field(struct bough_child_row, name, "name", BOUGH_TEXT,
                .help = "The child's name."),
    bough_field(struct bough_child_row, state, "state", BOUGH_CHOICE,
                .choices = state_names, .help = "What it does now."),
    bough_field(struct bough_child_row, life, "life", BOUGH_INT64,
                .help = "The life it lives, or lived last; 0: none yet."),
    bough_field(struct bough_child_row, type, "type", BOUGH_TEXT,
                .help = "The child's type."),
};

static const struct bough_field children_reply[] = {
    bough_field(struct bough_children_reply, children, "children", BOUGH_LIST,
                .of = child_row, .of_count = bough_count_of(child_row),
                .of_size = sizeof(struct bough_child_row),
                .help = "The children, last started first."),
};

static const struct bough_field counts_reply[] = {
    bough_field(struct bough_child_counts, specs, "specs", BOUGH_INT64,
                .help = "Child specs it knows; 1 for a dynamic supervisor."),
    bough_field(struct bough_child_counts, active, "active", BOUGH_INT64,
                .help = "Children that are alive."),
    bough_field(struct bough_child_counts, supervisors, "supervisors", BOUGH_INT64,
                .help = "Children that are supervisors, alive or not."),
    bough_field(struct bough_child_counts, workers, "workers", BOUGH_INT64,
                .help = "Children that are not supervisors, alive or not."),
};

static const struct bough_field name_field[] = {
    bough_field(struct bough_supervisor_message, name, "name", BOUGH_TEXT,
                .help = "The child's name."),
};

static const struct bough_field start_fields[] = {
    bough_field(struct bough_supervisor_message, spec, "spec", BOUGH_SPEC,
                .optional = true, .help = "The child's spec, as in a config file."),
    bough_field(struct bough_supervisor_message, options, "options", BOUGH_OPTIONS,
                .optional = true,
                .help = "Of a dynamic supervisor: laid over the template's options."),
    bough_field(struct bough_supervisor_message, name, "name", BOUGH_TEXT,
                .optional = true,
                .help = "Of a dynamic supervisor: the child's name; else a number."),
};

static const struct bough_field change_fields[] = {
    bough_field(struct bough_supervisor_message, spec, "spec", BOUGH_SPEC,
                .help = "Its own spec, with the flags and children that it is to have."),
};

static const struct bough_field replicas_fields[] = {
    bough_field(struct bough_supervisor_message, name, "name", BOUGH_TEXT,
                .help = "The name of a child with replicas."),
    bough_field(struct bough_supervisor_message, replicas, "replicas", BOUGH_INT64,
                .min = 1, .max = BOUGH_REPLICAS_MAX,
                .help = "How many members it is to have."),
};

static const struct bough_field child_reply[] = {
    bough_field(struct bough_child_reply, path, "path", BOUGH_TEXT,
                .help = "Where the child lives."),
    bough_field(struct bough_child_reply, life, "life", BOUGH_INT64,
                .help = "The life it lives; 0: it did not want to start now."),
};

static const struct bough_field spec_reply[] = {
    bough_field(struct bough_spec_reply, spec, "spec", BOUGH_SPEC,
                .help = "The child's spec, what was not given included."),
};

static const struct bough_field replicas_reply[] = {
    bough_field(struct bough_replicas_reply, replicas, "replicas", BOUGH_INT64,
                .help = "How many members it has."),
};

#define fields_of(table) .fields = (table), .field_count = bough_count_of(table)
#define reply_of(table, type) \
    .reply = (table), .reply_count = bough_count_of(table), .reply_size = sizeof(type)

const struct bough_message_type bough_supervisor_messages[] = {
    [BOUGH_WHICH_CHILDREN] = { .name = "which_children",
                               .help = "Lists its children, last started first.",
                               reply_of(children_reply, struct bough_children_reply) },
    [BOUGH_COUNT_CHILDREN] = { .name = "count_children",
                               .help = "Counts its children.",
                               reply_of(counts_reply, struct bough_child_counts) },
    [BOUGH_GET_CHILD_SPEC] = { .name = "get_child_spec",
                               .help = "Shows a child's spec.",
                               fields_of(name_field),
                               reply_of(spec_reply, struct bough_spec_reply) },
    [BOUGH_START_CHILD] = { .name = "start_child",
                            .help = "Makes and starts a child, last in start order.",
                            fields_of(start_fields),
                            reply_of(child_reply, struct bough_child_reply) },
    [BOUGH_TERMINATE_CHILD] = { .name = "terminate_child",
                                .help = "Stops a child, or gives up its restart.",
                                fields_of(name_field) },
    [BOUGH_RESTART_CHILD] = { .name = "restart_child",
                              .help = "Starts a child that is down.",
                              fields_of(name_field),
                              reply_of(child_reply, struct bough_child_reply) },
    [BOUGH_DELETE_CHILD] = { .name = "delete_child",
                             .help = "Forgets a child that is down.",
                             fields_of(name_field) },
    [BOUGH_CHANGE] = { .name = "change",
                       .help = "Takes other flags and children, by name: those it has "
                               "live on, new ones are not started.",
                       fields_of(change_fields) },
    [BOUGH_SET_REPLICAS] = { .name = "set_replicas",
                             .help = "Changes how many members a child has.",
                             fields_of(replicas_fields),
                             reply_of(replicas_reply, struct bough_replicas_reply) },
};

_Static_assert(bough_count_of(bough_supervisor_messages) == BOUGH_SUPERVISOR_KIND_COUNT,
               "each kind has its row");

/* Runner */

static bool is_active(struct bough_actor *actor, const struct bough_supervised *child)
{
    const enum bough_child_state state =
        bough_supervised_state(bough_state(actor), child);

    return state == BOUGH_CHILD_STARTING || state == BOUGH_CHILD_RUNNING ||
           state == BOUGH_CHILD_STOPPING;
}

/* Children in start order. */
#define for_each_child(self, i) \
    for (size_t i = bough_decider_next((self)->decider, BOUGH_NO_CHILD); \
         i != BOUGH_NO_CHILD; i = bough_decider_next((self)->decider, i))

static struct bough_child_counts count(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_child_counts counts = { .specs = 0 };

    for_each_child(self, i)
    {
        const struct bough_supervised *child = bough_supervision_child(self, i);

        counts.specs++;
        if (is_active(actor, child)) counts.active++;
        if (child->spec->type == &bough_supervisor_type)
            counts.supervisors++;
        else
            counts.workers++;
    }
    return counts;
}

static void reply_counts(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_child_counts counts = count(actor);

    if (self->options->strategy == BOUGH_DYNAMIC) counts.specs = 1;
    bough_reply(actor, &counts, sizeof(counts));
}

static void write_row(struct bough_block *block, size_t offset,
                      const struct bough_supervised *child)
{
    struct bough_child_row *row = bough_block_at(block, offset);
    struct bough_place_info info;

    if (!row || bough_place_info(child->place, &info) != BOUGH_OK) return;
    row->state =
        info.state == BOUGH_PLACE_RESERVED ? BOUGH_PLACE_STOPPED : (int)info.state;
    row->life = info.life;
    bough_block_text(block, offset + offsetof(struct bough_child_row, name),
                     bough_supervised_name(child));
    bough_block_text(block, offset + offsetof(struct bough_child_row, type),
                     child->spec->type->name);
}

static void reply_children(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_children_reply none = { .children = { .offset = 0 } };
    alignas(max_align_t) char buffer[4096];
    struct bough_block block;
    size_t known = (size_t)count(actor).specs, offset;

    bough_block_init(&block, buffer, sizeof(buffer), &none, sizeof(none));
    offset = bough_block_list(&block, offsetof(struct bough_children_reply, children),
                              known, sizeof(struct bough_child_row));
    offset += known * sizeof(struct bough_child_row);
    for_each_child(self, i)
    {
        offset -= sizeof(struct bough_child_row);
        write_row(&block, offset, bough_supervision_child(self, i));
    }
    bough_reply_block(actor, &block);
}

static struct bough_supervised *find(struct bough_actor *actor,
                                     const struct bough_supervisor_message *message)
{
    const char *name = bough_span_text(message, message->name);
    struct bough_supervised *child = bough_supervision_find(actor, name);

    if (!child) bough_refuse(actor, BOUGH_ENOTFOUND, "no child \"%.80s\"", name);
    return child;
}

/* A spec that is put into an answer. */
struct spec_view {
    struct bough_child_spec spec;
    struct bough_block block;
    bool elsewhere; /* what lives here stands for it, and was given the whole spec */
};

static void pack_spec(struct spec_view *view)
{
    bough_spec_pack(&view->block, offsetof(struct bough_spec_reply, spec), &view->spec);
}

/* The options are those that the child got: of a dynamic one, laid over the template's.
 * They are not replaced meanwhile. */
static void pack_present(void *data, struct bough_address place,
                         const struct bough_place_info *info)
{
    const struct bough_child_spec *given = info->options;
    struct spec_view *view = data;

    (void)place;
    view->spec.options = info->options;
    if (view->elsewhere) view->spec.options = given != NULL ? given->options : NULL;
    pack_spec(view);
}

/* Of a group they are its members', and what it was changed to is not there yet. */
static void reply_spec(struct bough_actor *actor,
                       const struct bough_supervisor_message *message)
{
    const struct bough_spec_reply none = { .spec = { .offset = 0 } };
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_supervised *child = find(actor, message);
    struct spec_view view;
    char buffer[1024];

    if (!child) return;
    view.spec = *child->spec;
    view.spec.name = bough_supervised_name(child);
    view.elsewhere = bough_supervised_is_elsewhere(self, child->spec);
    bough_block_init(&view.block, buffer, sizeof(buffer), &none, sizeof(none));
    if (view.spec.replicas > 0 || child->changed ||
        bough_place_look(child->place, pack_present, &view) != BOUGH_OK)
        pack_spec(&view);
    bough_reply_block(actor, &view.block);
}

static void set_replicas(struct bough_actor *actor,
                         const struct bough_supervisor_message *message)
{
    const struct bough_supervised *child = find(actor, message);
    struct bough_resize resize = { .kind = BOUGH_RESIZE };
    enum bough_status status;

    if (!child) return;
    if (child->spec->replicas == 0) {
        bough_refuse(actor, BOUGH_EREFUSED, "%s is one child, and no group of replicas",
                     bough_supervised_path(child));
    } else if (message->replicas < 1 || message->replicas > BOUGH_REPLICAS_MAX) {
        bough_refuse(actor, BOUGH_ERANGE, "replicas is not between 1 and %d",
                     BOUGH_REPLICAS_MAX);
    } else {
        resize.replicas = (uint32_t)message->replicas;
        status = bough_forward_as(actor, child->place, &resize, sizeof(resize));
        if (status != BOUGH_OK)
            bough_refuse(actor, status, "%s", bough_status_text(status));
    }
}

void bough_supervisor_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct bough_supervisor_message *message = data;

    switch (message->kind) {
    case BOUGH_WHICH_CHILDREN: reply_children(actor); break;
    case BOUGH_COUNT_CHILDREN: reply_counts(actor); break;
    case BOUGH_GET_CHILD_SPEC: reply_spec(actor, message); break;
    case BOUGH_SET_REPLICAS: set_replicas(actor, message); break;
    case BOUGH_START_CHILD:
    case BOUGH_TERMINATE_CHILD:
    case BOUGH_RESTART_CHILD:
    case BOUGH_CHANGE:
    case BOUGH_DELETE_CHILD: bough_supervision_request(actor, message, size); break;
    case BOUGH_SUPERVISOR_KIND_COUNT: bough_assert(!"the core lets none through"); break;
    }
}
