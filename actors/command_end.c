/* command_end.c - how a command ends, by itself or not, and all that it has started.
 *
 *     runs --its process has ended--> drains --its last lines are taken--> leftovers
 *          --nothing of it is left--> none
 *
 * The life ends with its process, and is over (bough_linger()) when nothing is left. What
 * is watched is watched by libev itself, for the sources of an actor end with its life.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/actors/guard_internal.h>
#include <bough/actors/leftovers_internal.h>
#include <bough/actors/reaper_internal.h>
#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

enum {
    DRAIN_TRIES = 100,    /* of 20 ms each, for the log to take its last lines */
    FINISH_PATIENCE = 100 /* ms for which an end that cannot wait waits */
};
static const double DRAIN_SECONDS = 0.02;
static const double SURVIVES_SECONDS = 1; /* a signal that was to end it */
static const double STUCK_SECONDS = 5;    /* after SIGKILL: to be told of */

static struct ev_loop *ev_of(const struct bough_running *self)
{
    return bough_loop_ev(bough_actor_loop(self->actor));
}

/* Patience: for the log, or for an end after a kill. */

/* False when there is no memory for it. */
static bool wait_for(struct bough_running *self, double seconds, double repeat,
                     void (*over)(struct ev_loop *, struct ev_timer *, int))
{
    struct ev_loop *ev = ev_of(self);

    self->tries = 0;
    if (!self->patience) self->patience = calloc(1, sizeof(*self->patience));
    if (!self->patience) return false;
    ev_timer_stop(ev, self->patience);
    ev_timer_init(self->patience, over, seconds, repeat);
    self->patience->data = self;
    ev_timer_start(ev, self->patience);
    return true;
}

static void end_wait(struct bough_running *self)
{
    if (!self->patience) return;
    ev_timer_stop(ev_of(self), self->patience);
    free(self->patience);
    self->patience = NULL;
}

/* Releasing */

static void forget_process(struct bough_running *self)
{
    struct ev_loop *ev = ev_of(self);

    ev_io_stop(ev, &self->ended);
    end_wait(self);
    if (self->taken) bough_taken_stop(self->taken, ev);
    free(self->taken);
    self->taken = NULL;
    if (self->leftover >= 0) close(self->leftover);
    self->leftover = -1;
}

void bough_command_release(struct bough_running *self)
{
    struct bough_cgroups *cgroups =
        bough_guard_cgroup(bough_runtime_guard(bough_actor_runtime(self->actor)));
    int pidfd;

    bough_assert(self->phase == BOUGH_COMMAND_NONE);
    forget_process(self);
    bough_command_close_input(self);
    bough_command_close_output(self);
    bough_readiness_close(self);
    if (self->stopper) bough_job_finish(self->actor, self->stopper);
    free(self->stopper);
    self->stopper = NULL;
    if (!self->has_cgroup) return;
    if (!bough_cgroup_end(cgroups, bough_actor_path(self->actor), false, &pidfd, NULL))
        close(pidfd);
    self->has_cgroup = false;
}

/* Between two runs nothing is over. */
static void gone(struct bough_running *self)
{
    self->phase = BOUGH_COMMAND_NONE;
    bough_command_release(self);
    if (!self->lingers || !self->over) return;
    self->lingers = false;
    bough_linger_over(&self->linger);
}

/* Leftovers */

static void on_ended(struct ev_loop *ev, struct ev_io *io, int events);

/* Kills what is left; false: there is one to wait for. */
static bool end_leftovers(struct bough_running *self, bool *killed)
{
    struct bough_cgroups *cgroups =
        bough_guard_cgroup(bough_runtime_guard(bough_actor_runtime(self->actor)));

    if (self->leftover >= 0) close(self->leftover);
    self->leftover = -1;
    if (self->has_cgroup) {
        if (!bough_cgroup_end(cgroups, bough_actor_path(self->actor), self->returns,
                              &self->leftover, killed)) {
            self->returns = false; /* not to this one: see bough_cgroup_end() */
            return false;
        }
        self->has_cgroup = false;
        return true;
    }
    return bough_leftovers_kill(self->process.pid, &self->leftover, killed);
}

/* A program that goes into the background looks like one that has done its work. */
static void explain_leftovers(const struct bough_running *self)
{
    bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
              bough_actor_path(self->actor),
              "its program has ended well and left others behind, which are killed: it "
              "must stay in the foreground (daemons have an option for that)");
}

static void look_for_leftovers(struct bough_running *self)
{
    struct ev_loop *ev = ev_of(self);
    const bool by_itself =
        self->phase == BOUGH_COMMAND_DRAINS && self->well && !self->killed;

    bool killed = false;

    self->phase = BOUGH_COMMAND_LEFTOVERS;
    ev_io_stop(ev, &self->ended);
    const bool over = end_leftovers(self, &killed);
    if (by_itself && killed) explain_leftovers(self);
    if (over) {
        gone(self);
        return;
    }
    ev_io_init(&self->ended, on_ended, self->leftover, EV_READ);
    self->ended.data = self;
    ev_io_start(ev, &self->ended);
}

/* Reasons */

static bool was_asked(const struct bough_running *self,
                      const struct bough_process_end *end)
{
    if (!self->stopping) return false;
    if (end->signal != 0) return end->signal == bough_command_stop_signal(self->options);
    return end->code == 0;
}

static struct bough_exit_reason reason_of(const struct bough_running *self,
                                          const struct bough_process_end *end)
{
    /* Whoever is killed has said nothing of it: its last line would be no reason. */
    const char *words = end->signal != SIGKILL ? bough_command_last_words(self) : "";

    if (!end->known)
        return bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                               "somebody else has waited for its process");
    if (was_asked(self, end))
        return bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0, NULL);
    if (end->signal != 0)
        return bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, end->signal, "%s", words);
    if (end->code != 0)
        return bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, end->code, "%s", words);
    return bough_exit_make(BOUGH_EXIT_NORMAL, BOUGH_OK, 0, NULL);
}

/* Its process has ended, and what it wrote is taken. */
static bool reap(struct bough_running *self, struct bough_process_end *end)
{
    const bool reaped = self->taken ? bough_taken_reap(self->taken, &self->process, end)
                                    : bough_process_reap(&self->process, end);

    if (reaped) bough_show_spent(self->actor, end->cpu_ms);
    return reaped;
}

/* The reason would be "normal", and nothing to learn from. */
static void explain_early_end(const struct bough_running *self)
{
    char why[256];

    bough_readiness_explain(self, why, sizeof(why));
    if (why[0] == '\0') return;
    bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
              bough_actor_path(self->actor),
              "its program has ended well before it was ready: %s; correct its \"ready\" "
              "or the program",
              why);
}

static void be_over(struct bough_running *self)
{
    struct bough_process_end end;

    if (!reap(self, &end)) return;
    end_wait(self);
    const struct bough_exit_reason reason = reason_of(self, &end);
    self->well = bough_exit_good(&reason) && !self->stopping;
    self->returns = !bough_exit_good(&reason) && !self->stopping;
    if (self->well) explain_early_end(self);
    if (!self->schedule || self->stopping || !bough_exit_good(&reason)) {
        self->over = true;
        bough_exit_because(self->actor, &reason);
    } else {
        bough_log(
            bough_actor_runtime(self->actor), BOUGH_INFO, bough_actor_path(self->actor),
            "run %" PRId64 " ended, after %" PRId64 " ms", bough_schedule_runs(self),
            bough_now_ms(self->actor) - self->started_ms);
    }
    look_for_leftovers(self);
}

static void on_drain(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_running *self = timer->data;
    struct bough_loop *loop = bough_actor_loop(self->actor);

    (void)ev, (void)events;
    bough_loop_begin(loop);
    if (bough_command_drain(self, self->killed || ++self->tries >= DRAIN_TRIES))
        be_over(self);
    bough_loop_end(loop);
}

/* The first to go takes its group along, so that nobody holds its pipes; without pipes
 * that is for the reaping. Until then nobody else has its number. */
static void drain(struct bough_running *self)
{
    struct ev_loop *ev = ev_of(self);

    self->phase = BOUGH_COMMAND_DRAINS;
    ev_io_stop(ev, &self->ended);
    if (self->output) bough_process_kill(&self->process);
    if (bough_command_drain(self, self->killed)) {
        be_over(self);
    } else if (!wait_for(self, DRAIN_SECONDS, DRAIN_SECONDS, on_drain)) {
        bough_command_drain(self, true);
        be_over(self);
    }
}

static void on_ended(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct bough_running *self = io->data;
    struct bough_loop *loop = bough_actor_loop(self->actor);

    (void)ev, (void)events;
    bough_loop_begin(loop);
    if (self->phase == BOUGH_COMMAND_LEFTOVERS)
        look_for_leftovers(self);
    else
        drain(self);
    bough_loop_end(loop);
}

void bough_command_watch_end(struct bough_running *self)
{
    struct ev_loop *ev = ev_of(self);

    bough_show_pid(self->actor, self->process.pid);
    if (ev_is_default_loop(ev)) self->taken = calloc(1, sizeof(*self->taken));
    if (self->taken) bough_taken_start(self->taken, ev, self->process.pid);
    ev_io_init(&self->ended, on_ended, self->process.pidfd, EV_READ);
    self->ended.data = self;
    ev_io_start(ev, &self->ended);
}

/* Asking */

static void send_stop_signal(struct bough_running *self)
{
    const int number = bough_command_stop_signal(self->options);

    if (self->phase == BOUGH_COMMAND_RUNS) bough_process_signal(&self->process, number);
}

static void stopper_done(struct bough_actor *actor, struct bough_job *job)
{
    struct bough_running *self = bough_state(actor);

    if (self->phase != BOUGH_COMMAND_RUNS || (job->end.code == 0 && job->end.signal == 0))
        return;
    bough_log(bough_actor_runtime(actor), BOUGH_WARNING, bough_actor_path(actor),
              "stop_command failed, its signal is sent instead");
    send_stop_signal(self);
}

static enum bough_status run_stop_command(struct bough_running *self,
                                          struct bough_error *error)
{
    struct bough_ways ways;
    char pid[16];
    enum bough_status status = bough_ways_make(self->options, &ways, error);

    if (status != BOUGH_OK) return status;
    snprintf(pid, sizeof(pid), "%d", (int)self->process.pid);
    bough_environment_set(&ways.environment, "MAINPID", pid);
    ways.options.env = (const char *const *)ways.environment.list;
    const struct bough_job_spec spec = {
        .argv = self->options->stop_command,
        .ways = &ways.options,
        .timeout_ms = BOUGH_FOREVER,
        .max_output = 64 * 1024,
        .done = stopper_done,
    };
    self->stopper = calloc(1, sizeof(*self->stopper));
    if (self->stopper)
        status = bough_job_start(self->actor, self->stopper, &spec, error);
    else
        status = bough_error_set(error, BOUGH_ENOMEM, "no memory for stop_command");
    bough_ways_free(&ways);
    return status;
}

/* An apply, or who starts the tree, has lost patience, and wants to know with what. */
static void explain_unready(const struct bough_running *self)
{
    char why[256];

    bough_readiness_explain(self, why, sizeof(why));
    if (why[0] == '\0') return;
    bough_log(bough_actor_runtime(self->actor), BOUGH_INFO, bough_actor_path(self->actor),
              "is asked to end, and was not ready yet: %s", why);
}

void bough_command_ask_to_end(struct bough_running *self)
{
    struct bough_error error = { .text = "" };

    explain_unready(self);
    if (self->options->stop_command) {
        if (run_stop_command(self, &error) == BOUGH_OK) return;
        bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
                  bough_actor_path(self->actor),
                  "stop_command: %s; its signal is sent instead", error.text);
    }
    send_stop_signal(self);
}

/* Killing */

static void kill_all(struct bough_running *self)
{
    self->killed = true;
    if (self->phase == BOUGH_COMMAND_RUNS) bough_process_kill(&self->process);
}

static void on_patience_over(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_running *self = timer->data;

    (void)events;
    if (!self->killed) {
        kill_all(self);
        timer->repeat = STUCK_SECONDS;
        ev_timer_again(ev, timer);
        return;
    }
    bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
              bough_actor_path(self->actor),
              "process %d does not end, %d s after SIGKILL: it sleeps in the kernel",
              (int)self->process.pid, ++self->tries * (int)STUCK_SECONDS);
}

/* Without memory for it, patience is over at once. */
static void be_patient(struct bough_running *self, double seconds)
{
    if (!wait_for(self, seconds, STUCK_SECONDS, on_patience_over)) kill_all(self);
}

/* Nobody polls any more. */
static void end_at_once(struct bough_running *self)
{
    struct bough_process_end end;

    kill_all(self);
    if (self->phase != BOUGH_COMMAND_LEFTOVERS) {
        (void)!bough_process_wait(&self->process, FINISH_PATIENCE);
        bough_command_drain(self, true);
        if (!reap(self, &end)) {
            bough_show_pid(self->actor, 0);
            bough_reaper_take(ev_of(self), &self->process, 0);
        }
    }
    for (int i = 0; i < FINISH_PATIENCE && !end_leftovers(self, NULL); i++) {
        struct pollfd polled = { .fd = self->leftover, .events = POLLIN };
        (void)!poll(&polled, 1, FINISH_PATIENCE);
    }
    gone(self);
}

/* What it was that nobody has seen, and what can be done. */
static void explain_timeout(const struct bough_running *self)
{
    char why[256];

    bough_readiness_explain(self, why, sizeof(why));
    if (why[0] == '\0') return;
    bough_log(bough_actor_runtime(self->actor), BOUGH_WARNING,
              bough_actor_path(self->actor),
              "not ready: %s; correct its \"ready\" or the program, or give it a longer "
              "\"start_timeout\"",
              why);
}

/* The reason is its own, when its process has ended; or it comes from outside. */
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once)
{
    struct bough_running *self = bough_container(linger, struct bough_running, linger);

    self->over = true;
    if (reason->kind == BOUGH_EXIT_TIMEOUT) explain_timeout(self);
    if (self->phase == BOUGH_COMMAND_NONE) {
        gone(self);
    } else if (at_once) {
        end_at_once(self);
    } else if (self->phase != BOUGH_COMMAND_RUNS) {
        self->killed = true; /* it ends already: its last lines are not waited for */
    } else if (reason->kind == BOUGH_EXIT_SIGNAL && reason->number != SIGKILL) {
        bough_process_signal(&self->process, reason->number);
        be_patient(self, SURVIVES_SECONDS);
    } else {
        kill_all(self);
        be_patient(self, STUCK_SECONDS);
    }
}

void bough_command_end_now(struct bough_running *self)
{
    self->over = true;
    if (self->phase != BOUGH_COMMAND_NONE) end_at_once(self);
    bough_schedule_free(self);
}

/* Only an actor with a name can make its end wait. */
void bough_command_linger(struct bough_running *self)
{
    if (bough_actor_path(self->actor)[0] == '\0') return;
    self->linger.ends = ends;
    self->lingers = true;
    bough_linger(self->actor, &self->linger);
}
