/* handles.c - a supervisor from the asker's side.
 *
 * The only makers of its messages.
 *
 * SPDX-License-Identifier: MIT */
#include <stdalign.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervision_internal.h>
#include <bough/supervisor/supervisor.h>

enum { BUFFER = 1024 };

static void begin(struct bough_block *block, char *buffer,
                  const struct bough_supervisor_message *message)
{
    bough_block_init(block, buffer, BUFFER, message, sizeof(*message));
}

static void add_name(struct bough_block *block, const char *name)
{
    bough_block_text(block, offsetof(struct bough_supervisor_message, name), name);
}

static void ask_by_name(struct bough_supervisor supervisor,
                        const struct bough_supervisor_message *message, const char *name,
                        struct bough_call *call)
{
    alignas(max_align_t) char buffer[BUFFER];
    struct bough_block block;

    begin(&block, buffer, message);
    add_name(&block, name);
    bough_call_block(call, supervisor.address, &block);
}

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

void bough_supervisor_get_child_spec(struct bough_supervisor supervisor, const char *name,
                                     struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_GET_CHILD_SPEC };

    ask_by_name(supervisor, &message, name, call);
}

void bough_supervisor_start_child(struct bough_supervisor supervisor,
                                  const struct bough_child_spec *spec,
                                  struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_START_CHILD };
    alignas(max_align_t) char buffer[BUFFER];
    struct bough_block block;

    begin(&block, buffer, &message);
    bough_spec_pack(&block, offsetof(struct bough_supervisor_message, spec), spec);
    bough_call_block(call, supervisor.address, &block);
}

void bough_supervisor_start_dynamic(struct bough_supervisor supervisor, const char *name,
                                    const struct bough_actor_type *type,
                                    const void *options, struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_START_CHILD };
    alignas(max_align_t) char buffer[BUFFER];
    struct bough_block block;

    bough_assert(!options || type);
    begin(&block, buffer, &message);
    if (name) add_name(&block, name);
    if (options)
        bough_options_pack(&block, offsetof(struct bough_supervisor_message, options),
                           type, options, bough_options_given(type, options));
    bough_call_block(call, supervisor.address, &block);
}

void bough_supervisor_terminate_child(struct bough_supervisor supervisor,
                                      const char *name, struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_TERMINATE_CHILD };

    ask_by_name(supervisor, &message, name, call);
}

void bough_supervisor_pause_child(struct bough_supervisor supervisor, const char *name,
                                  struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_TERMINATE_CHILD,
                                                      .awaited = true };

    ask_by_name(supervisor, &message, name, call);
}

void bough_supervisor_restart_child(struct bough_supervisor supervisor, const char *name,
                                    struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_RESTART_CHILD };

    ask_by_name(supervisor, &message, name, call);
}

void bough_supervisor_delete_child(struct bough_supervisor supervisor, const char *name,
                                   struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_DELETE_CHILD };

    ask_by_name(supervisor, &message, name, call);
}

void bough_supervisor_change(struct bough_supervisor supervisor,
                             const struct bough_supervisor_options *options,
                             struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_CHANGE };
    const struct bough_child_spec spec = { .type = &bough_supervisor_type,
                                           .options = options };
    alignas(max_align_t) char buffer[BUFFER];
    struct bough_block block;

    begin(&block, buffer, &message);
    bough_spec_pack(&block, offsetof(struct bough_supervisor_message, spec), &spec);
    bough_call_block(call, supervisor.address, &block);
}

void bough_supervisor_set_replicas(struct bough_supervisor supervisor, const char *name,
                                   uint32_t replicas, struct bough_call *call)
{
    const struct bough_supervisor_message message = { .kind = BOUGH_SET_REPLICAS,
                                                      .replicas = replicas };

    ask_by_name(supervisor, &message, name, call);
}

static void note_template(void *data, struct bough_address place,
                          const struct bough_place_info *info)
{
    const struct bough_supervisor_options *options = info->options;
    const struct bough_actor_type **template = data;

    (void)place;
    if (info->type == &bough_supervisor_type && options &&
        options->strategy == BOUGH_DYNAMIC)
        *template = options->children[0].type;
}

const struct bough_actor_type *bough_supervisor_template(struct bough_address place)
{
    const struct bough_actor_type *template = NULL;

    if (bough_place_look(place, note_template, &template) != BOUGH_OK) return NULL;
    return template;
}
