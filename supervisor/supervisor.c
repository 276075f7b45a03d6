/* supervisor.c - the type "supervisor": how one begins and ends.
 *
 * A supervisor makes its children's places in init and starts the first one a moment
 * later, when its own start is over. It is `starting` until all children are ready. From
 * then on it only reacts: to its children's watches and timers, to stop(), and to
 * questions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervisor.h>

#include <bough/supervisor/supervision_internal.h>

/* Makes the children of the options known, and their places. */
static enum bough_status furnish(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_supervisor_options *options = self->options;
    struct bough_supervised *child;

    if (options->strategy == BOUGH_DYNAMIC) return BOUGH_OK;
    for (size_t i = 0; i < options->child_count; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        const struct bough_recruit recruit = { .name = spec->name,
                                               .spec = spec,
                                               .lasting = true };
        const enum bough_status status = bough_supervision_add(actor, &recruit, &child);

        if (status != BOUGH_OK) {
            bough_fail(actor, status, "no place for its child \"%s\": %s", spec->name,
                       bough_status_text(status));
            return status;
        }
    }
    return BOUGH_OK;
}

static enum bough_status supervisor_init(struct bough_actor *actor, const void *data)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };
    const struct bough_supervisor_options *options = data ? data : &none;
    struct bough_error error = { .status = BOUGH_OK };
    enum bough_status status = bough_supervisor_check_flat(options, &error);

    if (status != BOUGH_OK) {
        bough_fail(actor, status, "%s: %s", error.where, error.text);
        return status;
    }
    status = bough_supervision_init(actor, &bough_supervisor_role, options);
    if (status == BOUGH_OK) status = furnish(actor);
    if (status == BOUGH_OK) status = bough_supervision_house(actor);
    if (status != BOUGH_OK) {
        bough_supervision_release(actor);
        return status;
    }
    bough_supervision_sweep(actor);
    bough_supervision_begin(actor);
    return BOUGH_OK;
}

static void supervisor_finish(struct bough_actor *actor)
{
    bough_supervision_leave(actor);
    bough_supervision_release(actor);
}

const struct bough_actor_type bough_supervisor_type = {
    .name = "supervisor",
    .help = "Keeps other actors alive: starts, restarts and stops its children in order.",
    .state_size = sizeof(struct bough_supervision),
    .message_size = sizeof(struct bough_supervisor_message),
    .options_size = sizeof(struct bough_supervisor_options),
    .messages = bough_supervisor_messages,
    .message_count = BOUGH_SUPERVISOR_KIND_COUNT,
    .init = supervisor_init,
    .run = bough_supervisor_run,
    .stop = bough_supervision_stop,
    .finish = supervisor_finish,
    .copy_options = bough_supervisor_options_copy,
    .free_options = bough_supervisor_options_free,
};

/* Trees */

static enum bough_status start_root(struct bough_address place, struct bough_watch *watch,
                                    struct bough_error *error)
{
    const struct bough_start start = { .watch = watch };
    struct bough_exit_reason failure;
    enum bough_status status = bough_place_start(place, &start, &failure);

    if (status == BOUGH_OK) return BOUGH_OK;
    bough_place_free(place, 0);
    return bough_error_set(error, status, "%s",
                           failure.text[0] ? failure.text : bough_status_text(status));
}

enum bough_status bough_supervisor_start(struct bough_loop *loop,
                                         const struct bough_supervisor_options *options,
                                         struct bough_watch *watch,
                                         struct bough_supervisor *supervisor,
                                         struct bough_error *error)
{
    const struct bough_place_spec spec = {
        .type = &bough_supervisor_type,
        .options = options,
        .parent = BOUGH_NOBODY,
        .name = "/",
    };
    struct bough_address place;
    enum bough_status status = bough_supervisor_check(options, error);

    if (status != BOUGH_OK) return status;
    status = bough_place_new(loop, &spec, &place);
    if (status == BOUGH_EPRESENT)
        return bough_error_set(error, BOUGH_ERUNNING, "this runtime runs a tree already");
    if (status != BOUGH_OK)
        return bough_error_set(error, status, "%s", bough_status_text(status));
    status = start_root(place, watch, error);
    if (status == BOUGH_OK) supervisor->address = place;
    return status;
}

void bough_supervisor_stop(struct bough_supervisor supervisor)
{
    bough_stop(supervisor.address);
}
