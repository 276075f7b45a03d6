/* command_schedule.c - a command that runs at times and ends.
 *
 * The actor is there all the while; its program is run when it is time, and is left out
 * when the one before still runs. A run that ends well is followed by the next; one that
 * does not is the end of this life, as it is of any command.
 *
 * Times of "at" are those of the calendar, which may be set: so the wait is looked at
 * again every now and then.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <bough/actors/command_internal.h>
#include <bough/actors/cron_internal.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

enum { LOOK_AGAIN_MS = 60 * 1000 };

struct bough_schedule {
    struct bough_running *command;
    struct bough_timer timer;
    struct bough_cron cron; /* of "at" */
    int64_t next_ns;        /* since 1970; 0: of "every" */
    int64_t due_ms;         /* of "every": on the loop's clock */
    int64_t runs;
};

static int64_t realtime_ns(const struct bough_running *self)
{
    return bough_runtime_realtime_ns(bough_actor_runtime(self->actor));
}

static void look(struct bough_actor *actor, struct bough_timer *timer);

static void wait_for(struct bough_schedule *schedule)
{
    const int64_t left_ms =
        (schedule->next_ns - realtime_ns(schedule->command) + 999999) / 1000000;

    bough_timer_start(schedule->command->actor, &schedule->timer,
                      left_ms < 0               ? 0
                      : left_ms > LOOK_AGAIN_MS ? LOOK_AGAIN_MS
                                                : left_ms,
                      0, look);
}

static void choose_next(struct bough_schedule *schedule)
{
    const int64_t second = INT64_C(1000000000);
    const int64_t next =
        bough_cron_next(&schedule->cron, realtime_ns(schedule->command) / second);

    schedule->next_ns = next * second;
    if (next >= 0) wait_for(schedule);
}

static void run(struct bough_schedule *schedule)
{
    struct bough_running *self = schedule->command;
    struct bough_error error = { .text = "" };

    if (self->phase != BOUGH_COMMAND_NONE) {
        bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
                  bough_actor_path(self->actor),
                  "it is time to run, and the run before has not ended: left out");
        return;
    }
    const enum bough_status status = bough_command_run_once(self, &error);
    if (status != BOUGH_OK) bough_fail(self->actor, status, "%s", error.text);
}

enum bough_status bough_command_run_once(struct bough_running *self,
                                         struct bough_error *error)
{
    const enum bough_status status = bough_command_start(self, error);

    if (status == BOUGH_OK) self->schedule->runs++;
    return status;
}

/* "every" is a timer that repeats, "at" one that is set anew. */
static void look(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_schedule *schedule =
        bough_container(timer, struct bough_schedule, timer);
    const int64_t every_ms = schedule->command->options->every_ms;

    if (every_ms > 0) {
        schedule->due_ms = bough_now_ms(actor) + every_ms;
        run(schedule);
    } else if (realtime_ns(schedule->command) < schedule->next_ns) {
        wait_for(schedule);
    } else {
        choose_next(schedule);
        run(schedule);
    }
}

bool bough_command_is_scheduled(const struct bough_command_options *options)
{
    return options->every_ms > 0 || options->at;
}

enum bough_status bough_schedule_start(struct bough_running *self,
                                       struct bough_error *error)
{
    const struct bough_command_options *options = self->options;
    const char *why = "";

    self->schedule = calloc(1, sizeof(*self->schedule));
    if (!self->schedule)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory for a schedule");
    self->schedule->command = self;
    if (options->every_ms > 0) {
        self->schedule->due_ms = bough_now_ms(self->actor) + options->every_ms;
        bough_timer_start(self->actor, &self->schedule->timer, options->every_ms,
                          options->every_ms, look);
        return BOUGH_OK;
    }
    if (!bough_cron_parse(options->at, &self->schedule->cron, &why))
        return bough_error_set(error, BOUGH_EINVALID, "at: %s", why);
    choose_next(self->schedule);
    return BOUGH_OK;
}

void bough_schedule_stop(struct bough_running *self)
{
    if (self->schedule) bough_timer_stop(&self->schedule->timer);
}

void bough_schedule_free(struct bough_running *self)
{
    free(self->schedule);
    self->schedule = NULL;
}

int64_t bough_schedule_runs(const struct bough_running *self)
{
    return self->schedule ? self->schedule->runs : 0;
}

int64_t bough_schedule_next_ns(const struct bough_running *self)
{
    const struct bough_schedule *schedule = self->schedule;

    if (!schedule || !bough_timer_is_running(&schedule->timer)) return 0;
    if (schedule->next_ns != 0) return schedule->next_ns;
    return realtime_ns(self) + (schedule->due_ms - bough_now_ms(self->actor)) * 1000000;
}
