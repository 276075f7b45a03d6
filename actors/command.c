/* command.c - an actor that is a program: Message, Actor, Runner, Handle.
 *
 * The parts of it are listed in command_internal.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/command.h>

#include <errno.h>
#include <string.h>

#include <bough/actors/command_internal.h>
#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

/* Message: what a command can be told. */

struct message {
    enum { SIGNAL, INPUT, STATUS, RUN } kind;
    struct bough_span signal;
    struct bough_span text;
    bool last;
};

struct reply {
    int64_t pid, uptime_ms;
    int64_t stdout_lines, stdout_bytes, stderr_lines, stderr_bytes;
    int64_t input_waiting, runs;
    struct bough_span next;
};

static const struct bough_field signal_fields[] = {
    bough_field(struct message, signal, "signal", BOUGH_TEXT,
                .help = "its name or number, such as \"HUP\""),
};

static const struct bough_field input_fields[] = {
    bough_field(struct message, text, "text", BOUGH_BYTES, .optional = true,
                .help = "what is written to its stdin, as it stands"),
    bough_field(struct message, last, "last", BOUGH_BOOL, .optional = true,
                .help = "whether stdin is closed after it"),
};

static const struct bough_field status_reply[] = {
    bough_field(struct reply, pid, "pid", BOUGH_INT64, .help = "its process; 0: none"),
    bough_field(struct reply, uptime_ms, "uptime_ms", BOUGH_INT64,
                .help = "how long that runs"),
    bough_field(struct reply, stdout_lines, "stdout_lines", BOUGH_INT64,
                .help = "lines that it wrote to stdout, when that goes to the log"),
    bough_field(struct reply, stdout_bytes, "stdout_bytes", BOUGH_INT64,
                .help = "and bytes"),
    bough_field(struct reply, stderr_lines, "stderr_lines", BOUGH_INT64,
                .help = "the same of stderr"),
    bough_field(struct reply, stderr_bytes, "stderr_bytes", BOUGH_INT64,
                .help = "and bytes"),
    bough_field(struct reply, input_waiting, "input_waiting", BOUGH_INT64,
                .help = "bytes of input that it has not read yet, but for what is in the "
                        "pipe"),
    bough_field(struct reply, runs, "runs", BOUGH_INT64,
                .help = "of one that runs at times: how often it has run"),
    bough_field(struct reply, next, "next", BOUGH_TEXT,
                .help = "and when it runs next, in UTC; empty: not by itself"),
};

static const struct bough_message_type messages[] = {
    [SIGNAL] = { .name = "signal",
                 .fields = signal_fields,
                 .field_count = bough_count_of(signal_fields),
                 .help = "Sends its process a signal." },
    [INPUT] = { .name = "input",
                .fields = input_fields,
                .field_count = bough_count_of(input_fields),
                .help = "Writes to its stdin." },
    [STATUS] = { .name = "status",
                 .help = "Tells how it is.",
                 .reply = status_reply,
                 .reply_count = bough_count_of(status_reply),
                 .reply_size = sizeof(struct reply) },
    [RUN] = { .name = "run", .help = "Runs one that runs at times now, out of turn." },
};

/* Actor: what a command does. */

static enum bough_status command_init(struct bough_actor *actor, const void *data)
{
    struct bough_running *self = bough_state(actor);
    struct bough_error error = { .text = "" };
    struct bough_logger logger;

    self->actor = actor;
    self->options = data;
    self->process.pidfd = self->leftover = -1;
    enum bough_status status = bough_command_check(data, &error);
    if (status == BOUGH_OK) status = bough_command_find_logger(self, &logger, &error);
    if (status == BOUGH_OK)
        status = bough_command_is_scheduled(data) ? bough_schedule_start(self, &error)
                                                  : bough_command_start(self, &error);
    if (status != BOUGH_OK) {
        bough_schedule_free(self);
        bough_fail(actor, status, "%s", error.text);
        return status;
    }
    bough_command_linger(self);
    bough_readiness_start(self);
    return BOUGH_OK;
}

static void command_stop(struct bough_actor *actor)
{
    struct bough_running *self = bough_state(actor);

    self->stopping = true;
    bough_schedule_stop(self);
    if (self->phase == BOUGH_COMMAND_NONE)
        bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
    else
        bough_command_ask_to_end(self);
}

static void command_finish(struct bough_actor *actor)
{
    bough_command_end_now(bough_state(actor));
}

/* Runner: the loop calls this once for each message, never twice at a time. */

static void run_signal(struct bough_actor *actor, struct bough_running *self,
                       const char *name)
{
    int number;

    if (!bough_signal_parse(name, &number)) {
        bough_refuse(actor, BOUGH_EINVALID,
                     "\"%.32s\" is no signal; it must be a name such as \"HUP\", or a "
                     "number",
                     name);
    } else if (self->phase != BOUGH_COMMAND_RUNS) {
        bough_refuse(actor, BOUGH_EGONE, "its process has ended");
    } else if (!bough_process_signal(&self->process, number)) {
        bough_refuse(actor, BOUGH_ESYSTEM, "it cannot be sent: %s", strerror(errno));
    } else {
        bough_reply(actor, "", 0);
    }
}

static void run_input(struct bough_actor *actor, struct bough_running *self,
                      const struct message *message)
{
    const enum bough_status status = bough_command_write(
        self, bough_span_data(message, message->text), message->text.len, message->last);

    if (status == BOUGH_OK)
        bough_reply(actor, "", 0);
    else if (status == BOUGH_EREFUSED)
        bough_refuse(actor, status, "it has no input; its \"stdin\" must be \"input\"");
    else if (status == BOUGH_EGONE)
        bough_refuse(actor, status, "its stdin is closed");
    else if (status == BOUGH_EFULL)
        bough_refuse(actor, status, "it does not read what it was sent before");
    else
        bough_refuse(actor, status, "%s", bough_status_text(status));
}

static void run_now(struct bough_actor *actor, struct bough_running *self)
{
    struct bough_error error = { .text = "" };

    if (!self->schedule) {
        bough_refuse(actor, BOUGH_EREFUSED,
                     "it runs always; \"every\" or \"at\" is for one that does not");
        return;
    }
    if (self->phase != BOUGH_COMMAND_NONE || self->stopping) {
        bough_refuse(actor, BOUGH_ERUNNING, "it runs");
        return;
    }
    const enum bough_status status = bough_command_run_once(self, &error);
    if (status == BOUGH_OK)
        bough_reply(actor, "", 0);
    else
        bough_refuse(actor, status, "%s", error.text);
}

static void run_status(struct bough_actor *actor, const struct bough_running *self)
{
    const bool runs = self->phase == BOUGH_COMMAND_RUNS;
    struct bough_command_status status = { .pid = 0 };

    bough_command_count_output(self, &status);
    const struct reply reply = {
        .pid = runs ? self->process.pid : 0,
        .uptime_ms = runs ? bough_now_ms(actor) - self->started_ms : 0,
        .stdout_lines = status.out.lines,
        .stdout_bytes = status.out.bytes,
        .stderr_lines = status.err.lines,
        .stderr_bytes = status.err.bytes,
        .input_waiting = bough_command_input_waiting(self),
        .runs = bough_schedule_runs(self),
    };
    const int64_t next_ns = bough_schedule_next_ns(self);
    _Alignas(max_align_t) char buffer[256];
    char next[BOUGH_TIME_TEXT] = "";
    struct bough_block block;

    if (next_ns > 0) bough_time_print(next_ns, next, sizeof(next));
    bough_block_init(&block, buffer, sizeof(buffer), &reply, sizeof(reply));
    bough_block_text(&block, offsetof(struct reply, next), next);
    bough_reply_block(actor, &block);
}

static void command_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct bough_running *self = bough_state(actor);
    const struct message *message = data;

    (void)size;
    switch (message->kind) {
    case SIGNAL:
        run_signal(actor, self, bough_span_text(message, message->signal));
        break;
    case INPUT: run_input(actor, self, message); break;
    case STATUS: run_status(actor, self); break;
    case RUN: run_now(actor, self); break;
    }
}

const struct bough_actor_type bough_command_type = {
    .name = "command",
    .help = "Runs a program, whose end is its own.",
    .state_size = sizeof(struct bough_running),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct bough_command_options),
    .options = bough_command_fields,
    .option_count = BOUGH_COMMAND_FIELDS,
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = command_init,
    .run = command_run,
    .stop = command_stop,
    .finish = command_finish,
    .check_options = bough_command_check,
    .check_here = bough_command_check_here,
    .no_process = "a command is a process of its own already; \"isolation\" must be "
                  "\"inline\" or \"thread\"",
};

/* Handle: the only code that makes a message, so no malformed one exists. */

enum bough_status bough_command_spawn(struct bough_loop *loop,
                                      const struct bough_command_options *options,
                                      struct bough_watch *watch,
                                      struct bough_command *command,
                                      struct bough_exit_reason *failure)
{
    return bough_spawn(loop, &bough_command_type, options, watch, &command->address,
                       failure);
}

void bough_command_signal(struct bough_command command, const char *signal,
                          struct bough_command_ask *ask)
{
    const struct message message = { .kind = SIGNAL };
    _Alignas(max_align_t) char buffer[256];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &message, sizeof(message));
    bough_block_text(&block, offsetof(struct message, signal), signal);
    bough_call_block(&ask->call, command.address, &block);
}

void bough_command_input(struct bough_command command, const void *bytes, size_t size,
                         bool last, struct bough_command_ask *ask)
{
    const struct message message = { .kind = INPUT, .last = last };
    _Alignas(max_align_t) char buffer[1024];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &message, sizeof(message));
    bough_block_bytes(&block, offsetof(struct message, text), bytes, size);
    bough_call_block(&ask->call, command.address, &block);
}

void bough_command_run_now(struct bough_command command, struct bough_command_ask *ask)
{
    const struct message message = { .kind = RUN };

    bough_call_start(&ask->call, command.address, &message, sizeof(message), NULL, 0);
}

void bough_command_ask_status(struct bough_command command, struct bough_command_ask *ask)
{
    const struct message message = { .kind = STATUS };

    bough_call_start(&ask->call, command.address, &message, sizeof(message), NULL, 0);
}

struct bough_command_status bough_command_read(const struct bough_command_ask *ask)
{
    const struct reply *reply = ask->call.reply;

    bough_assert(ask->call.reply_size >= sizeof(*reply));
    return (struct bough_command_status){
        .pid = reply->pid,
        .uptime_ms = reply->uptime_ms,
        .out = { .lines = reply->stdout_lines, .bytes = reply->stdout_bytes },
        .err = { .lines = reply->stderr_lines, .bytes = reply->stderr_bytes },
        .input_waiting = reply->input_waiting,
        .runs = reply->runs,
    };
}
