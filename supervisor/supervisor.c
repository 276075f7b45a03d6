/* supervisor.c - the type "supervisor": how one begins and ends.
 *
 * A supervisor makes its children's places in init and starts the first one a moment
 * later, when its own start is over. It is `starting` until all children are ready. From
 * then on it only reacts: to its children's watches and timers, to stop(), and to
 * questions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervisor.h>

#include <stdlib.h>

#include <bough/supervisor/supervision_internal.h>

static void begin(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_BEGIN });
}

static void release(struct bough_supervision *self)
{
    bough_decider_free(self->decider);
    free(self->children);
}

static enum bough_status supervisor_init(struct bough_actor *actor, const void *data)
{
    static const struct bough_supervisor_options none = { .strategy = BOUGH_ONE_FOR_ONE };
    struct bough_supervision *self = bough_state(actor);
    struct bough_error error = { .status = BOUGH_OK };
    enum bough_status status;

    self->options = data ? data : &none;
    status = bough_supervisor_check_flat(self->options, &error);
    if (status != BOUGH_OK) {
        bough_fail(actor, status, "%s: %s", error.where, error.text);
        return status;
    }
    self->decider = bough_decider_new(self->options);
    self->children = calloc(self->options->child_count + 1, sizeof(*self->children));
    if (self->decider && self->children)
        status = bough_supervision_furnish(actor);
    else
        status = BOUGH_ENOMEM;
    if (status != BOUGH_OK) {
        release(self);
        return status;
    }
    bough_starting(actor);
    bough_timer_start(actor, &self->begin, 0, 0, begin);
    return BOUGH_OK;
}

static void supervisor_stop(struct bough_actor *actor)
{
    bough_supervision_feed(actor, (struct bough_decide_event){ .kind = BOUGH_ON_STOP });
}

static void supervisor_finish(struct bough_actor *actor)
{
    bough_supervision_leave(actor);
    release(bough_state(actor));
}

const struct bough_actor_type bough_supervisor_type = {
    .name = "supervisor",
    .help = "Keeps other actors alive: starts, restarts and stops its children in order.",
    .state_size = sizeof(struct bough_supervision),
    .message_size = sizeof(struct bough_supervisor_message),
    .options_size = sizeof(struct bough_supervisor_options),
    .messages = bough_supervisor_messages,
    .message_count = BOUGH_SUPERVISOR_MESSAGE_COUNT,
    .init = supervisor_init,
    .run = bough_supervisor_run,
    .stop = supervisor_stop,
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
