/* simulate_actor.c - the actor that stands for any other in a simulation.
 *
 * It starts, at once or after a while, or fails to; it ends when asked, at once, after a
 * while, or never. Its crashes come from outside.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/simulate_plan.h>

#include <string.h>

#include <bough/core/timer.h>

static const char failure_text[] = "start fails, as told";

bool bough_simulated_start_failure(const struct bough_exit_reason *reason)
{
    return reason != NULL && reason->kind == BOUGH_EXIT_ERROR &&
           strcmp(reason->text, failure_text) == 0;
}

struct double_actor {
    const struct bough_simulated_actor *part; /* NULL: none of those known at first */
    struct bough_timer timer;
};

static void be_ready(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_ready(actor);
}

static void be_over(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
}

static enum bough_status double_init(struct bough_actor *actor, const void *options)
{
    struct double_actor *self = bough_state(actor);
    struct bough_simulated_actor *part =
        bough_simulation_find(options, bough_actor_path(actor));

    self->part = part;
    if (part == NULL) return BOUGH_OK;
    if (part->starts++ > 0 && part->fails_left > 0) {
        part->fails_left--;
        bough_fail(actor, BOUGH_EFAILED, "%s", failure_text);
        return BOUGH_EFAILED;
    }
    if (part->slow_start_ms > 0) {
        bough_starting(actor);
        bough_timer_start(actor, &self->timer, part->slow_start_ms, 0, be_ready);
    }
    return BOUGH_OK;
}

/* Nobody sends it anything; what comes all the same is answered by the core. */
static void double_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor, (void)message, (void)size;
}

static void double_stop(struct bough_actor *actor)
{
    struct double_actor *self = bough_state(actor);

    bough_timer_stop(&self->timer);
    if (self->part != NULL && self->part->hang_stop) return;
    if (self->part != NULL && self->part->slow_stop_ms > 0)
        bough_timer_start(actor, &self->timer, self->part->slow_stop_ms, 0, be_over);
    else
        bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
}

/* Its options are the simulation, which outlives it: there is nothing to copy. */
static void *share(const void *options)
{
    return (void *)(uintptr_t)options;
}

static void leave(void *options)
{
    (void)options;
}

void bough_simulated_type(struct bough_actor_type *type,
                          const struct bough_actor_type *original)
{
    *type = (struct bough_actor_type){
        .name = original->name,
        .help = original->help,
        .state_size = sizeof(struct double_actor),
        .message_size = original->message_size,
        .messages = original->messages,
        .message_count = original->message_count,
        .init = double_init,
        .run = double_run,
        .stop = double_stop,
        .copy_options = share,
        .free_options = leave,
    };
}
