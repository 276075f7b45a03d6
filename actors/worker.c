/* worker.c - an actor that runs a program for each job: Message, Actor, Runner, Handle.
 *
 * How a program is run is job.c. Here is whose job it is, and what becomes of its end.
 * While a job runs the worker is paused: the next ones stay in its mailbox, where a
 * restart leaves them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/worker.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bough/actors/job_internal.h>
#include <bough/actors/keeper_internal.h>
#include <bough/actors/logger.h>
#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

enum {
    TIMEOUT_MS = 60 * 1000,
    MAX_OUTPUT = 1024 * 1024,
    OUTPUT_LIMIT =
        BOUGH_BLOCK_MAX - 64 * 1024, /* an answer is one block, and this is most */
    COMPLAINT_TEXT = 200             /* bytes of a program's words in a sentence */
};

/* Message: what a worker can be told. */

struct message {
    enum { DO_WORK } kind;
    struct bough_span work_id;
    struct bough_span input;
    int64_t timeout_ms;
};

struct reply {
    struct bough_span work_id;
    int64_t status;
    struct bough_span output;
    int64_t duration_ms;
};

static const struct bough_field do_work_fields[] = {
    bough_field(struct message, work_id, "work_id", BOUGH_TEXT, .help = "names the job"),
    bough_field(struct message, input, "input", BOUGH_BYTES, .optional = true,
                .help = "the program's stdin"),
    bough_field(struct message, timeout_ms, "timeout", BOUGH_DURATION, .optional = true,
                .help = "how long it may take; the worker's own when absent"),
};

static const struct bough_field do_work_reply[] = {
    bough_field(struct reply, work_id, "work_id", BOUGH_TEXT, .help = "that of the job"),
    bough_field(struct reply, status, "status", BOUGH_INT64,
                .help = "the program's exit code, 0; another one is an error"),
    bough_field(struct reply, output, "output", BOUGH_BYTES,
                .help = "what the program wrote to stdout"),
    bough_field(struct reply, duration_ms, "duration_ms", BOUGH_INT64,
                .help = "how long the program ran, in milliseconds"),
};

static const struct bough_message_type messages[] = {
    [DO_WORK] = { .name = "do_work",
                  .fields = do_work_fields,
                  .field_count = bough_count_of(do_work_fields),
                  .help = "Runs the program with this input.",
                  .reply = do_work_reply,
                  .reply_count = bough_count_of(do_work_reply),
                  .reply_size = sizeof(struct reply) },
};

static const char *const on_failure_names[] = {
    [BOUGH_WORKER_ANSWER] = "answer",
    [BOUGH_WORKER_EXIT] = "exit",
    NULL,
};

static const struct bough_field options[] = {
    bough_field(
        struct bough_worker_options, run, "run", BOUGH_STRINGS, .is_program = true,
        .help = "the program, found in PATH or, with a slash in its name, from the "
                "folder of the config, and its arguments"),
    bough_field(struct bough_worker_options, timeout_ms, "timeout", BOUGH_DURATION,
                .optional = true, .fallback = TIMEOUT_MS, .min = 1, .max = BOUGH_FOREVER,
                .help = "how long a job may take, then it is killed"),
    bough_field(struct bough_worker_options, max_output, "max_output", BOUGH_SIZE,
                .optional = true, .fallback = MAX_OUTPUT, .min = 1, .max = OUTPUT_LIMIT,
                .help = "how much a job may write to stdout, then it is killed"),
    bough_field(struct bough_worker_options, logger, "logger", BOUGH_PATH,
                .optional = true, .refers_to = "logger", .at_start = true,
                .help = "the logger for the start and end of each job; the runtime's log "
                        "when absent"),
    bough_field(struct bough_worker_options, on_failure, "on_failure", BOUGH_CHOICE,
                .optional = true, .choices = on_failure_names,
                .help =
                    "what a failed job leads to: an error answer, or the worker's end, "
                    "too"),
    bough_field(struct bough_worker_options, every_ms, "every", BOUGH_DURATION,
                .optional = true, .max = BOUGH_FOREVER,
                .help = "gives itself a job at this interval, unless one is running"),
    bough_field(struct bough_worker_options, every_input, "every_input", BOUGH_STRING,
                .optional = true, .help = "the input of the jobs that it gives itself"),
};

/* Actor: what a worker knows and does. */

struct worker {
    const struct bough_worker_options *options; /* the place's */
    struct bough_logger logger;                 /* or nobody */
    struct bough_job job;
    struct bough_keeper keeper;
    struct bough_question *question; /* who waits for the job; NULL: nobody */
    char work_id[BOUGH_WORK_ID_MAX + 1];
    struct bough_timer every;
    uint64_t every_count;
    bool stopping;
};

/* Reports through its logger, or, when there is none or it cannot take it, the runtime.
 */
static void report(struct bough_actor *actor, const struct worker *self,
                   enum bough_log_level level, const char *text,
                   const struct bough_log_pair *pairs, size_t count)
{
    struct bough_runtime *runtime = bough_actor_runtime(actor);
    const struct bough_log_record record = {
        .level = level,
        .realtime_ns = bough_runtime_realtime_ns(runtime),
        .path = bough_actor_path(actor),
        .text = text,
    };
    char line[512];
    size_t len = bough_text_format(line, sizeof(line), "%s", text);

    if (!bough_address_is_nobody(self->logger.address)) {
        if (bough_logger_log(self->logger, &record, pairs, count) == BOUGH_OK) return;
    }
    for (size_t i = 0; i < count; i++) {
        len += bough_text_format(line + len, sizeof(line) - len, " %s=%s", pairs[i].name,
                                 pairs[i].value);
    }
    bough_log(runtime, level, record.path, "%s", line);
}

static void report_start(struct bough_actor *actor, const struct worker *self)
{
    char pid[16];
    const struct bough_log_pair pairs[] = { { "work_id", self->work_id },
                                            { "pid", pid } };

    snprintf(pid, sizeof(pid), "%d", (int)self->job.process.pid);
    report(actor, self, BOUGH_INFO, "job started", pairs, bough_count_of(pairs));
}

static void report_end(struct bough_actor *actor, const struct worker *self)
{
    char duration[24], output[24];
    const struct bough_log_pair pairs[] = {
        { "work_id", self->work_id },
        { "status", "0" },
        { "duration_ms", duration },
        { "output_size", output },
    };

    snprintf(duration, sizeof(duration), "%" PRId64, self->job.duration_ms);
    snprintf(output, sizeof(output), "%zu", self->job.output_size);
    report(actor, self, BOUGH_INFO, "job ended", pairs, bough_count_of(pairs));
}

static void report_failure(struct bough_actor *actor, const struct worker *self,
                           const char *why)
{
    const struct bough_log_pair pairs[] = { { "work_id", self->work_id },
                                            { "error", why } };

    report(actor, self, BOUGH_WARNING, "job failed", pairs, bough_count_of(pairs));
}

/* The end of a job */

static void answer_output(const struct worker *self)
{
    const struct bough_job *job = &self->job;
    const struct reply reply = { .status = job->end.code,
                                 .duration_ms = job->duration_ms };
    _Alignas(max_align_t) char buffer[2048];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &reply, sizeof(reply));
    bough_block_text(&block, offsetof(struct reply, work_id), self->work_id);
    bough_block_bytes(&block, offsetof(struct reply, output), job->output,
                      job->output_size);
    bough_question_reply_block(self->question, &block);
}

static bool is_blank(char byte)
{
    return byte == '\n' || byte == '\r' || byte == '\t' || byte == ' ';
}

/* What a program said on stderr, in a line: ": its first one", or the last one when it
 * said more than was kept; or nothing. */
static void print_complaint(const struct bough_job *job, char *text, size_t size)
{
    const char *line = job->complaint, *end = line + job->complaint_size;

    while (end > line && is_blank(end[-1])) {
        end--;
    }
    while (line < end && is_blank(*line)) {
        line++;
    }
    size_t len = (size_t)(end - line);
    const char *newline =
        job->complaint_cut ? memrchr(line, '\n', len) : memchr(line, '\n', len);
    if (newline && job->complaint_cut) line = newline + 1;
    if (newline && !job->complaint_cut) end = newline;
    len = (size_t)(end - line);
    bough_text_format(text, size, "%s%.*s", len > 0 ? ": " : "", (int)len, line);
}

/* What went wrong, in one sentence; BOUGH_OK when nothing did. */
static enum bough_status judge(const struct bough_job *job, const char *program,
                               char *text, size_t size)
{
    char complaint[COMPLAINT_TEXT];

    print_complaint(job, complaint, sizeof(complaint));
    switch (job->verdict) {
    case BOUGH_JOB_TIMED_OUT:
        bough_text_format(text, size,
                          "%s did not end within its timeout, and was killed%s", program,
                          complaint);
        return BOUGH_ETIMEOUT;
    case BOUGH_JOB_TOO_LARGE:
        bough_text_format(text, size, "%s wrote more than %zu bytes, and was killed",
                          program, job->max_output);
        return BOUGH_EFAILED;
    case BOUGH_JOB_NO_MEMORY:
        bough_text_format(text, size, "no memory for the output of %s", program);
        return BOUGH_ENOMEM;
    case BOUGH_JOB_ENDED: break;
    }
    if (!job->end.known) {
        bough_text_format(
            text, size, "%s ended, and its status was taken by another wait()", program);
    } else if (job->end.signal != 0) {
        const char *name = sigabbrev_np(job->end.signal);
        bough_text_format(text, size, "%s was ended by signal %d (%s)%s", program,
                          job->end.signal, name ? name : "real-time", complaint);
    } else if (job->end.code != 0) {
        bough_text_format(text, size, "%s ended with exit code %d%s", program,
                          job->end.code, complaint);
    } else {
        return BOUGH_OK;
    }
    return BOUGH_EFAILED;
}

static void fail_job(struct bough_actor *actor, struct worker *self,
                     enum bough_status status, const char *why)
{
    report_failure(actor, self, why);
    bough_question_refuse(self->question, status, "%s", why);
    if (self->options->on_failure == BOUGH_WORKER_EXIT) {
        bough_fail(actor, status, "job %s failed: %s", self->work_id, why);
    }
}

static void worker_done(struct bough_actor *actor, struct bough_job *job)
{
    struct worker *self = bough_container(job, struct worker, job);
    char why[512];
    enum bough_status status = judge(job, self->options->run[0], why, sizeof(why));

    if (status == BOUGH_OK) {
        report_end(actor, self);
        answer_output(self);
    } else {
        fail_job(actor, self, status, why);
    }
    self->question = NULL;
    bough_keeper_drop(&self->keeper);
    bough_job_finish(actor, job);
    if (self->stopping) {
        bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
    } else {
        bough_resume(actor);
    }
}

/* Without a keeper the job itself still ends with this process. */
static void report_no_keeper(struct bough_actor *actor, const struct bough_error *error)
{
    bough_log(bough_actor_runtime(actor), BOUGH_WARNING, bough_actor_path(actor),
              "what a job starts may outlive a kill of this process: %s", error->text);
}

/* The keeper learns of the job from the job itself, before its program runs: nothing can
 * be started that nobody would end. 0 without a keeper. */
static int begin_keeping(struct bough_actor *actor, struct worker *self)
{
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(actor));
    struct bough_error error = { .status = BOUGH_OK };

    if (bough_keeper_begin(&self->keeper, ev, &error) == BOUGH_OK) return self->keeper.fd;
    report_no_keeper(actor, &error);
    return 0;
}

/* Once more, should the keeper have gone in between. */
static void keep_job(struct bough_actor *actor, struct worker *self)
{
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(actor));
    struct bough_error error = { .status = BOUGH_OK };
    const pid_t group = self->job.process.pid;

    if (!self->keeper.running) return;
    if (bough_keeper_keep(&self->keeper, group, ev, &error) != BOUGH_OK)
        report_no_keeper(actor, &error);
}

/* The beginning of a job; self->work_id and self->question are set. */
static void start_job(struct bough_actor *actor, struct worker *self, const void *input,
                      size_t input_size, int64_t timeout_ms)
{
    struct bough_error error = { 0 };
    const struct bough_job_spec spec = {
        .argv = self->options->run,
        .input = input,
        .input_size = input_size,
        .timeout_ms = timeout_ms > 0 ? timeout_ms : self->options->timeout_ms,
        .max_output = (size_t)self->options->max_output,
        .announce_fd = begin_keeping(actor, self),
        .done = worker_done,
    };
    enum bough_status status = bough_job_start(actor, &self->job, &spec, &error);

    if (status == BOUGH_OK) {
        bough_pause(actor);
        keep_job(actor, self);
        report_start(actor, self);
    } else {
        bough_keeper_drop(&self->keeper);
        fail_job(actor, self, status == BOUGH_ENOMEM ? status : BOUGH_EFAILED,
                 error.text);
        self->question = NULL;
    }
}

/* The interval has no caller; one that comes while a job runs is left out. */
static void worker_tick(struct bough_actor *actor, struct bough_timer *timer)
{
    struct worker *self = bough_container(timer, struct worker, every);
    const char *input = self->options->every_input;

    if (bough_job_is_running(&self->job)) return;
    self->question = NULL;
    snprintf(self->work_id, sizeof(self->work_id), "every-%" PRIu64, ++self->every_count);
    start_job(actor, self, input, input ? strlen(input) : 0, 0);
}

/* What the field table says, for options that were written in C. */
static enum bough_status check_options(const struct bough_worker_options *given,
                                       struct bough_error *error)
{
    char path[BOUGH_PROGRAM_PATH];

    if (!given->run || !given->run[0]) {
        return bough_error_set(error, BOUGH_EINVALID, "run needs a program");
    }
    if (given->timeout_ms < 0 || given->every_ms < 0) {
        return bough_error_set(error, BOUGH_EINVALID, "a duration must not be negative");
    }
    if (given->max_output < 1 || given->max_output > OUTPUT_LIMIT) {
        return bough_error_set(error, BOUGH_EINVALID, "max_output must be 1 to %d bytes",
                               OUTPUT_LIMIT);
    }
    return bough_program_find(given->run[0], NULL, path, sizeof(path), error);
}

static enum bough_status find_logger(struct bough_actor *actor, const char *path,
                                     struct bough_logger *logger,
                                     struct bough_error *error)
{
    if (!path) return BOUGH_OK;
    enum bough_status status =
        bough_reference(bough_actor_loop(actor), path, &logger->address);
    if (status == BOUGH_OK) return BOUGH_OK;
    return bough_error_set(error, status, "logger \"%s\": %s", path,
                           bough_status_text(status));
}

static enum bough_status worker_init(struct bough_actor *actor, const void *data)
{
    struct worker *self = bough_state(actor);
    struct bough_error error = { 0 };

    self->options = data;
    self->logger.address = BOUGH_NOBODY;
    enum bough_status status = check_options(self->options, &error);
    if (status == BOUGH_OK) {
        status = find_logger(actor, self->options->logger, &self->logger, &error);
    }
    if (status != BOUGH_OK) {
        bough_fail(actor, status, "%s", error.text);
        return status;
    }
    if (self->options->every_ms > 0) {
        bough_timer_start(actor, &self->every, self->options->every_ms,
                          self->options->every_ms, worker_tick);
    }
    return BOUGH_OK;
}

static void worker_stop(struct bough_actor *actor)
{
    struct worker *self = bough_state(actor);

    self->stopping = true;
    bough_timer_stop(&self->every);
    if (!bough_job_is_running(&self->job)) bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
}

static void worker_finish(struct bough_actor *actor)
{
    struct worker *self = bough_state(actor);

    if (bough_job_is_running(&self->job)) report_failure(actor, self, "its worker ended");
    bough_job_finish(actor, &self->job);
    bough_keeper_finish(&self->keeper, bough_loop_ev(bough_actor_loop(actor)));
}

/* Runner: the loop calls this once for each message, never twice at a time. */

static void run_do_work(struct bough_actor *actor, struct worker *self,
                        const struct message *message)
{
    const char *work_id = bough_span_text(message, message->work_id);
    size_t len = strlen(work_id);

    if (len == 0 || len > BOUGH_WORK_ID_MAX) {
        bough_refuse(actor, BOUGH_EINVALID, "work_id must have 1 to %d bytes",
                     BOUGH_WORK_ID_MAX);
        return;
    }
    if (message->timeout_ms < 0) {
        bough_refuse(actor, BOUGH_EINVALID, "timeout must not be negative");
        return;
    }
    memcpy(self->work_id, work_id, len + 1);
    self->question = bough_later(actor);
    start_job(actor, self, bough_span_data(message, message->input), message->input.len,
              message->timeout_ms);
}

static void worker_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct worker *self = bough_state(actor);
    const struct message *message = data;

    (void)size;
    switch (message->kind) {
    case DO_WORK: run_do_work(actor, self, message); break;
    }
}

/* Its program is looked for again with each job. */
static enum bough_status worker_check_here(const void *data, struct bough_error *error)
{
    return check_options(data, error);
}

const struct bough_actor_type bough_worker_type = {
    .name = "worker",
    .help = "Runs a program for each job that it is given.",
    .state_size = sizeof(struct worker),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct bough_worker_options),
    .options = options,
    .option_count = bough_count_of(options),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = worker_init,
    .run = worker_run,
    .stop = worker_stop,
    .check_here = worker_check_here,
    .finish = worker_finish,
};

/* Handle: the only code that makes a message, so no malformed one exists. */

enum bough_status bough_worker_spawn(struct bough_loop *loop,
                                     const struct bough_worker_options *given,
                                     struct bough_watch *watch,
                                     struct bough_worker *worker,
                                     struct bough_exit_reason *failure)
{
    return bough_spawn(loop, &bough_worker_type, given, watch, &worker->address, failure);
}

void bough_worker_do_work(struct bough_worker worker, const char *work_id,
                          const void *input, size_t input_size, int64_t timeout_ms,
                          struct bough_worker_ask *ask)
{
    const struct message message = { .kind = DO_WORK, .timeout_ms = timeout_ms };
    _Alignas(max_align_t) char buffer[1024];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &message, sizeof(message));
    bough_block_text(&block, offsetof(struct message, work_id), work_id);
    bough_block_bytes(&block, offsetof(struct message, input), input, input_size);
    bough_call_block(&ask->call, worker.address, &block);
}

struct bough_worker_answer bough_worker_read(const struct bough_worker_ask *ask)
{
    const struct reply *reply = ask->call.reply;

    bough_assert(ask->call.reply_size >= sizeof(*reply));
    return (struct bough_worker_answer){
        .work_id = bough_span_text(reply, reply->work_id),
        .status = reply->status,
        .output = bough_span_data(reply, reply->output),
        .output_size = reply->output.len,
        .duration_ms = reply->duration_ms,
    };
}
