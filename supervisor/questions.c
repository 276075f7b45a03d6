/* questions.c - what a supervisor can be asked, and by whom: which_children,
 * count_children.
 *
 * SPDX-License-Identifier: MIT */
#include <stdalign.h>

#include <bough/core/assert.h>
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
                .help = "Children it knows, alive or not."),
    bough_field(struct bough_child_counts, active, "active", BOUGH_INT64,
                .help = "Children that are alive."),
    bough_field(struct bough_child_counts, supervisors, "supervisors", BOUGH_INT64,
                .help = "Children that are supervisors, alive or not."),
    bough_field(struct bough_child_counts, workers, "workers", BOUGH_INT64,
                .help = "Children that are not supervisors, alive or not."),
};

const struct bough_message_type
    bough_supervisor_messages[BOUGH_SUPERVISOR_MESSAGE_COUNT] = {
        [BOUGH_WHICH_CHILDREN] = { .name = "which_children",
                                   .help = "Lists its children, last started first.",
                                   .reply = children_reply,
                                   .reply_count = bough_count_of(children_reply),
                                   .reply_size = sizeof(struct bough_children_reply) },
        [BOUGH_COUNT_CHILDREN] = { .name = "count_children",
                                   .help = "Counts its children.",
                                   .reply = counts_reply,
                                   .reply_count = bough_count_of(counts_reply),
                                   .reply_size = sizeof(struct bough_child_counts) },
    };

/* Runner */

static bool is_known(const struct bough_supervision *self, size_t i)
{
    return bough_decider_child(self->decider, i) != BOUGH_CHILD_FORGOTTEN;
}

static bool is_active(const struct bough_supervision *self, size_t i)
{
    enum bough_child_state state = bough_decider_child(self->decider, i);

    return state == BOUGH_CHILD_STARTING || state == BOUGH_CHILD_RUNNING ||
           state == BOUGH_CHILD_STOPPING;
}

static struct bough_child_counts count(const struct bough_supervision *self)
{
    struct bough_child_counts counts = { .specs = 0 };

    for (size_t i = 0; i < self->options->child_count; i++) {
        if (!is_known(self, i)) continue;
        counts.specs++;
        if (is_active(self, i)) counts.active++;
        if (self->options->children[i].type == &bough_supervisor_type)
            counts.supervisors++;
        else
            counts.workers++;
    }
    return counts;
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
                     child->spec->name);
    bough_block_text(block, offset + offsetof(struct bough_child_row, type),
                     child->spec->type->name);
}

static void reply_children(struct bough_actor *actor,
                           const struct bough_supervision *self)
{
    const struct bough_children_reply none = { .children = { .offset = 0 } };
    alignas(max_align_t) char buffer[4096];
    struct bough_block block;
    size_t known = (size_t)count(self).specs, offset;

    bough_block_init(&block, buffer, sizeof(buffer), &none, sizeof(none));
    offset = bough_block_list(&block, offsetof(struct bough_children_reply, children),
                              known, sizeof(struct bough_child_row));
    for (size_t i = self->options->child_count; i > 0; i--) {
        if (!is_known(self, i - 1)) continue;
        write_row(&block, offset, &self->children[i - 1]);
        offset += sizeof(struct bough_child_row);
    }
    bough_reply_block(actor, &block);
}

void bough_supervisor_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_supervisor_message *message = data;
    struct bough_child_counts counts;

    (void)size;
    switch (message->kind) {
    case BOUGH_WHICH_CHILDREN: reply_children(actor, self); break;
    case BOUGH_COUNT_CHILDREN:
        counts = count(self);
        bough_reply(actor, &counts, sizeof(counts));
        break;
    }
}

/* Handle */

void bough_supervisor_which_children(struct bough_supervisor supervisor,
                                     struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_WHICH_CHILDREN };

    bough_call_start(call, supervisor.address, &message, sizeof(message), NULL, 0);
}

void bough_supervisor_count_children(struct bough_supervisor supervisor,
                                     struct bough_supervisor_count_ask *ask)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_COUNT_CHILDREN };

    bough_call_start(&ask->call, supervisor.address, &message, sizeof(message),
                     &ask->counts, sizeof(ask->counts));
}
