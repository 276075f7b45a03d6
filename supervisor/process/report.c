/* report.c - tells what a process has left that died of a fault.
 *
 * The life that ended, and the next one, do not wait for it: an actor of its own does,
 * without a name, for the names of the functions, which are found in another process, and
 * for the number of the event that it is about. Of faults in quick succession only a few
 * are looked into at the same time, and a few wait for their turn; of the others, and of
 * those that have waited too long, there is the innermost frame.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>
#include <bough/supervisor/process/nursery_internal.h>
#include <bough/supervisor/process/process_internal.h>
#include <bough/supervisor/supervision_internal.h>

enum { MESSAGE_MAX = 64 * 1024, LINES_MAX = 24, CORE_TEXT = 512 };

/* Everything that is known, in one piece. */
struct report {
    struct bough_crash crash;
    struct bough_address life;
    struct bough_nursery *nursery;
    const char *type;
    bool taken; /* it is the actor's */
    char path[BOUGH_PATH_MAX], runner[BOUGH_PATH_MAX];
    char log[BOUGH_SAID_MAX * (BOUGH_SAID_TEXT + 1)];
    char core[CORE_TEXT];
    char backtrace[BOUGH_CRASH_TEXT];
    struct bough_crash_area area; /* large, and most of it not touched */
    _Alignas(max_align_t) char message[];
};

/* What the parent knows */

static void take_fault(struct report *report, int64_t stuck_ms)
{
    const struct bough_crash_fault *fault = &report->area.fault;
    char span[BOUGH_DURATION_TEXT];

    report->crash.signal = fault->signal;
    report->crash.code = fault->code;
    report->crash.has_address = bough_fault_has_address(fault);
    report->crash.address = fault->address;
    bough_fault_print(fault, report->crash.what);
    if (stuck_ms == 0) return;
    report->crash.stuck_ms = stuck_ms;
    bough_text_format(report->crash.what, sizeof(report->crash.what),
                      "being stuck for %s", bough_print_ms(stuck_ms, span));
}

static void take_usage(struct report *report, const struct rusage *usage)
{
    struct bough_crash *crash = &report->crash;

    crash->user_ms = usage->ru_utime.tv_sec * 1000 + usage->ru_utime.tv_usec / 1000;
    crash->system_ms = usage->ru_stime.tv_sec * 1000 + usage->ru_stime.tv_usec / 1000;
    crash->memory = (int64_t)usage->ru_maxrss * 1024;
    crash->minor_faults = usage->ru_minflt;
    crash->major_faults = usage->ru_majflt;
}

static void take_log(const struct bough_host *host, struct report *report)
{
    const unsigned first =
        host->said_count > BOUGH_SAID_MAX ? host->said_count - BOUGH_SAID_MAX : 0;
    size_t used = 0;

    for (unsigned i = first; i != host->said_count; i++) {
        const char *line = host->said[i % BOUGH_SAID_MAX];
        const size_t len = line != NULL ? strlen(line) : 0;

        if (len == 0) continue;
        if (used > 0) report->log[used++] = '\n';
        memcpy(report->log + used, line, len + 1);
        used += len;
    }
}

static void take_message(struct report *report, const struct bough_proxy *runner,
                         const void *message, size_t size)
{
    const char *path =
        runner != NULL ? bough_actor_path(runner->actor) : report->area.fault.runner;

    bough_text_format(report->runner, sizeof(report->runner), "%s", path);
    if (path[0] != '\0') report->crash.runner = report->runner;
    if (size == 0) return;
    memcpy(report->message, message, size);
    report->crash.type = runner->spec->type;
    report->crash.message = report->message;
    report->crash.message_size = size;
}

static struct report *gather(const struct bough_host *host, bool dumped,
                             const struct rusage *usage)
{
    const struct bough_proxy *runner = bough_host_runner(host);
    struct bough_held_message message = { .size = 0 };
    struct bough_place_info info;

    if (runner != NULL) bough_handed_running(runner, &message);
    if (message.size > MESSAGE_MAX) message.size = 0;
    struct report *report = malloc(sizeof(*report) + message.size);
    if (report != NULL) memset(report, 0, offsetof(struct report, area));
    if (report == NULL || !bough_fault_read(host, &report->area) ||
        bough_place_info(bough_self(host->owner), &info) != BOUGH_OK) {
        free(report);
        return NULL;
    }
    report->life = bough_self(host->owner);
    report->nursery = bough_runtime_nursery(bough_actor_runtime(host->owner));
    report->type = info.type->name;
    bough_text_format(report->path, sizeof(report->path), "%s", info.path);
    take_fault(report, host->watched.stuck_ms);
    take_usage(report, usage);
    if (dumped)
        bough_fault_print_core(
            &(struct bough_core){ .pid = host->pid, .signal = report->area.fault.signal },
            report->core, sizeof(report->core));
    take_log(host, report);
    take_message(report, runner, message.bytes, message.size);
    report->crash.backtrace = report->backtrace;
    report->crash.log = report->log;
    report->crash.core = report->core;
    return report;
}

/* The actor that tells it */

struct reporter {
    struct bough_actor *actor;
    struct report *report;
    struct bough_watch watch;
    struct bough_source answer;
    struct bough_timer limit;
    struct bough_birth reader;
    int tries;
    bool queues;             /* for a reader */
    bool begun, reads, over; /* a reader was asked for; it reads; the life is over */
    uint64_t cause;
};

void bough_crash_log(struct bough_runtime *runtime, const char *path, const char *before,
                     const char *lines)
{
    int count = 0;

    for (const char *line = lines; *line != '\0' && count < LINES_MAX; count++) {
        const int len = (int)strcspn(line, "\n");

        bough_log(runtime, BOUGH_ERROR, path, "  %s%.*s", before, len, line);
        line += len + (line[len] == '\n');
    }
}

static const char *message_name(const struct bough_crash *crash)
{
    const struct bough_message_type *row =
        bough_message_row(crash->type, crash->message, crash->message_size);

    return row != NULL ? row->name : "a message";
}

static void log_report(const struct reporter *self)
{
    struct bough_runtime *runtime = bough_actor_runtime(self->actor);
    const struct report *report = self->report;
    const struct bough_crash *crash = &report->crash;

    const char *in = crash->message != NULL ? ", while " : ", in ";
    unsigned unlogged;

    if (!bough_nursery_logs_report(
            report->nursery, bough_loop_now_ms(bough_actor_loop(self->actor)), &unlogged))
        return;
    if (unlogged > 0)
        bough_log(runtime, BOUGH_ERROR, "",
                  "%u crash%s before the next one %s reported by events alone", unlogged,
                  unlogged == 1 ? "" : "es", unlogged == 1 ? "was" : "were");
    bough_log(runtime, BOUGH_ERROR, report->path, "died of %s%s%s%s%s", crash->what,
              crash->runner != NULL ? in : "", crash->runner != NULL ? crash->runner : "",
              crash->message != NULL ? " ran " : "",
              crash->message != NULL ? message_name(crash) : "");
    bough_crash_log(runtime, report->path, "", crash->backtrace);
    bough_crash_log(runtime, report->path, "it had said: ", crash->log);
    bough_log(runtime, BOUGH_ERROR, report->path,
              "  it had used %lld ms of processor time and %lld KiB of memory",
              (long long)(crash->user_ms + crash->system_ms),
              (long long)crash->memory / 1024);
    bough_crash_log(runtime, report->path, "", crash->core);
}

static void tell(struct reporter *self)
{
    const struct report *report = self->report;
    struct bough_event event = {
        .kind = BOUGH_EVENT_CRASH_REPORT,
        .path = report->path,
        .type = report->type,
        .life = report->life.life,
        .cause = self->cause,
        .crash = &report->crash,
    };

    bough_event_report(bough_actor_runtime(self->actor), &event);
    log_report(self);
    bough_exit(self->actor, BOUGH_EXIT_NORMAL);
}

static void tell_when_all_is_there(struct reporter *self)
{
    if (self->over && self->begun && !self->reads) tell(self);
}

static void on_over(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct reporter *self = bough_container(watch, struct reporter, watch);

    (void)reason;
    self->over = true;
    self->cause = watch->seq;
    tell_when_all_is_there(self);
}

static void end_reader(struct reporter *self)
{
    if (self->reads) bough_reader_end(self->report->nursery, &self->reader);
    self->reads = false;
}

/* It says nothing when it has failed. */
static void on_answer(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct reporter *self = bough_state(actor);
    struct report *report = self->report;

    (void)events;
    bough_reader_receive(self->reads ? &self->reader : NULL, &report->area,
                         report->backtrace);
    bough_source_stop(source);
    bough_timer_stop(&self->limit);
    end_reader(self);
    tell_when_all_is_there(self);
}

static void on_limit(struct bough_actor *actor, struct bough_timer *timer)
{
    struct reporter *self = bough_state(actor);

    (void)timer;
    on_answer(actor, &self->answer, 0);
}

static void leave_queue(struct reporter *self)
{
    if (self->queues) bough_nursery_leave_queue(self->report->nursery);
    self->queues = false;
}

static bool may_wait(struct reporter *self)
{
    if (!self->queues) self->queues = bough_nursery_queue(self->report->nursery);
    return self->queues && ++self->tries < BOUGH_READER_TRIES;
}

/* Not before the next life has had its process. */
static void on_begin(struct bough_actor *actor, struct bough_timer *timer)
{
    struct reporter *self = bough_state(actor);
    const struct report *report = self->report;
    const enum bough_status status =
        bough_reader_start(report->nursery, &report->area, &self->reader);

    if (status == BOUGH_EFULL && may_wait(self)) {
        bough_timer_start(actor, timer, BOUGH_READER_PAUSE_MS, 0, on_begin);
        return;
    }
    leave_queue(self);
    self->begun = true;
    self->reads = status == BOUGH_OK;
    if (!self->reads) {
        on_answer(actor, &self->answer, 0);
        return;
    }
    bough_source_start(actor, &self->answer, self->reader.socket, EV_READ, on_answer);
    bough_timer_start(actor, timer, BOUGH_READER_MS, 0, on_limit);
}

static enum bough_status reporter_init(struct bough_actor *actor, const void *options)
{
    struct reporter *self = bough_state(actor);

    self->actor = actor;
    self->report = *(struct report *const *)options;
    self->report->taken = true;
    self->watch.exited = on_over;
    self->watch.owner = actor;
    bough_watch(&self->watch, self->report->life);
    bough_timer_start(actor, &self->limit, 0, 0, on_begin);
    return BOUGH_OK;
}

static void reporter_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor, (void)message, (void)size;
}

static void reporter_finish(struct bough_actor *actor)
{
    struct reporter *self = bough_state(actor);

    leave_queue(self);
    end_reader(self);
    free(self->report);
}

static const struct bough_actor_type reporter_type = {
    .name = "crash_report",
    .help = "Tells what a process has left that died of a fault.",
    .state_size = sizeof(struct reporter),
    .options_size = sizeof(struct report *),
    .init = reporter_init,
    .run = reporter_run,
    .finish = reporter_finish,
};

void bough_crash_report(struct bough_host *host, bool dumped, const struct rusage *usage)
{
    struct bough_runtime *runtime = bough_actor_runtime(host->owner);

    if (!bough_event_wanted(runtime) && !bough_log_wanted(runtime, BOUGH_ERROR)) return;
    struct report *report = gather(host, dumped, usage);
    if (report == NULL) return;
    const enum bough_status status = bough_spawn(
        bough_actor_loop(host->owner), &reporter_type, &report, NULL, NULL, NULL);
    if (status != BOUGH_OK && !report->taken) free(report);
}
