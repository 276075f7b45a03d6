/* logger.c - an actor that writes the log: Message, Actor, Runner, Handle.
 *
 * The file itself, with its buffer and its faults, is log_file.c; how a line looks is
 * log_line.c. Here is when: at the end of each run of messages, when a batch is full, and
 * by a timer while something waits that could not be written.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/logger.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/log_file_internal.h>
#include <bough/actors/log_line_internal.h>
#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>
#include <bough/core/timer.h>

enum {
    LINGER_MS = 50, /* the longest that a line waits while the mailbox is never empty */
    RETRY_MS = 1000 /* between tries while writing fails */
};

/* Message: what a logger can be told. */

struct message {
    enum { LOG, FLUSH, REOPEN } kind;
    int level; /* enum bough_log_level */
    int64_t realtime_ns;
    struct bough_span path;
    struct bough_span text;
    struct bough_span fields;
};

static const struct bough_field log_fields[] = {
    bough_field(struct message, text, "text", BOUGH_TEXT, .help = "what happened"),
    bough_field(struct message, level, "level", BOUGH_CHOICE, .optional = true,
                .fallback = BOUGH_INFO, .choices = bough_log_level_names,
                .help = "how much it matters"),
    bough_field(struct message, fields, "fields", BOUGH_PAIRS, .optional = true,
                .help = "more about it, by name"),
    bough_field(struct message, path, "path", BOUGH_TEXT, .optional = true,
                .help = "who reports"),
    bough_field(struct message, realtime_ns, "time_ns", BOUGH_INT64, .optional = true,
                .help = "when, in nanoseconds since 1970 UTC; 0 is now"),
};

static const struct bough_message_type messages[] = {
    [LOG] = { .name = "log",
              .fields = log_fields,
              .field_count = bough_count_of(log_fields),
              .help = "Writes a record." },
    [FLUSH] = { .name = "flush",
                .help = "Answers when all records so far are on the disk." },
    [REOPEN] = { .name = "reopen",
                 .help = "Opens the file anew, after it was moved away." },
};

static const char *const level_names[] = {
    [BOUGH_LOGGER_INFO] = "info",
    [BOUGH_LOGGER_DEBUG] = "debug",
    [BOUGH_LOGGER_WARNING] = "warning",
    [BOUGH_LOGGER_ERROR] = "error",
    NULL,
};

static const char *const format_names[] = {
    [BOUGH_LOGGER_TEXT] = "text",
    [BOUGH_LOGGER_JSON] = "json",
    NULL,
};

static const struct bough_field rotate_fields[] = {
    bough_field(struct bough_logger_rotate, size, "size", BOUGH_SIZE, .min = 1,
                .max = BOUGH_FOREVER, .help = "the size after which a new file is begun"),
    bough_field(struct bough_logger_rotate, keep, "keep", BOUGH_INT64, .optional = true,
                .fallback = 5, .min = 1, .max = 1000,
                .help = "how many old files are kept"),
};

static const struct bough_field options[] = {
    bough_field(struct bough_logger_options, level, "level", BOUGH_CHOICE,
                .optional = true, .choices = level_names,
                .help = "the least level that is written"),
    bough_field(struct bough_logger_options, format, "format", BOUGH_CHOICE,
                .optional = true, .choices = format_names, .help = "how a line looks"),
    bough_field(struct bough_logger_options, file, "file", BOUGH_FILE, .optional = true,
                .help = "the file to append to; stderr when absent"),
    bough_field(struct bough_logger_options, rotate, "rotate", BOUGH_OBJECT,
                .optional = true, .of = rotate_fields,
                .of_count = bough_count_of(rotate_fields),
                .of_size = sizeof(struct bough_logger_rotate),
                .help = "when to begin a new file, and how many old ones to keep"),
};

/* Actor: what a logger knows and does. */

struct logger {
    enum bough_log_level level;
    enum bough_log_format format;
    bool stopping;
    char *line; /* where one line is made, BOUGH_LOG_LINE_MAX bytes */
    struct bough_log_file file;
    struct bough_timer timer; /* runs while lines wait */
};

static enum bough_log_level least_level(int level)
{
    switch ((enum bough_logger_level)level) {
    case BOUGH_LOGGER_DEBUG: return BOUGH_DEBUG;
    case BOUGH_LOGGER_INFO: return BOUGH_INFO;
    case BOUGH_LOGGER_WARNING: return BOUGH_WARNING;
    case BOUGH_LOGGER_ERROR: return BOUGH_ERROR;
    }
    return BOUGH_INFO;
}

static enum bough_status open_log(struct logger *self,
                                  const struct bough_logger_options *given,
                                  struct bough_error *error)
{
    const struct bough_log_file_options file = {
        .path = given->file,
        .rotate_size = given->rotate.size,
        .keep = given->rotate.keep,
    };

    if (file.rotate_size < 0 || file.keep < 1) {
        return bough_error_set(error, BOUGH_EINVALID,
                               "rotate: size and keep must be over 0");
    }
    self->line = malloc(BOUGH_LOG_LINE_MAX);
    if (!self->line) return bough_error_set(error, BOUGH_ENOMEM, "no memory for a line");
    enum bough_status status = bough_log_file_init(&self->file, &file, error);
    if (status != BOUGH_OK) free(self->line);
    return status;
}

static enum bough_status logger_init(struct bough_actor *actor, const void *data)
{
    struct logger *self = bough_state(actor);
    const struct bough_logger_options *given = data;
    struct bough_error error = { 0 };

    self->level = least_level(given->level);
    self->format = given->format == BOUGH_LOGGER_JSON ? BOUGH_LOG_JSON : BOUGH_LOG_TEXT;
    enum bough_status status = open_log(self, given, &error);
    if (status != BOUGH_OK) bough_fail(actor, status, "%s", error.text);
    return status;
}

static void write_record(struct logger *self, const struct bough_log_record *record,
                         const char *pairs, size_t pairs_size)
{
    size_t len = bough_log_line_print(self->format, record, pairs, pairs_size, self->line,
                                      BOUGH_LOG_LINE_MAX);

    bough_log_file_append(&self->file, self->line, len);
}

static void report_lost(struct bough_actor *actor, struct logger *self, uint64_t lost)
{
    char text[64];

    bough_text_format(text, sizeof(text), "%" PRIu64 " line%s could not be written", lost,
                      lost == 1 ? "" : "s");
    const struct bough_log_record record = {
        .level = BOUGH_WARNING,
        .realtime_ns = bough_runtime_realtime_ns(bough_actor_runtime(actor)),
        .path = bough_actor_path(actor),
        .text = text,
    };
    write_record(self, &record, "", 0);
}

/* Once writing works again, the log itself tells of its gap. */
static enum bough_status write_out(struct bough_actor *actor, struct logger *self,
                                   struct bough_error *error)
{
    enum bough_status status = bough_log_file_flush(&self->file, error);
    if (status != BOUGH_OK) return status;
    uint64_t lost = bough_log_file_take_lost(&self->file);
    if (lost == 0) return BOUGH_OK;
    report_lost(actor, self, lost);
    return bough_log_file_flush(&self->file, error);
}

static void logger_due(struct bough_actor *actor, struct bough_timer *timer);

/* Something waits: comes back to it. */
static void linger(struct bough_actor *actor, struct logger *self)
{
    if (bough_log_file_pending(&self->file) == 0) return;
    if (bough_timer_is_running(&self->timer)) return;
    bough_timer_start(actor, &self->timer, self->file.failing ? RETRY_MS : LINGER_MS, 0,
                      logger_due);
}

static void logger_due(struct bough_actor *actor, struct bough_timer *timer)
{
    struct logger *self = bough_container(timer, struct logger, timer);

    if (write_out(actor, self, NULL) != BOUGH_OK || self->file.used > 0)
        linger(actor, self);
}

/* All that was said is on the disk, or this life ends saying that it is not. */
static void end_in_order(struct bough_actor *actor, struct logger *self)
{
    struct bough_error error = { 0 };
    enum bough_status status = write_out(actor, self, &error);

    if (status == BOUGH_OK) status = bough_log_file_sync(&self->file, &error);
    if (status == BOUGH_OK) {
        bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
    } else {
        bough_fail(actor, status, "%s", error.text);
    }
}

static void logger_stop(struct bough_actor *actor)
{
    struct logger *self = bough_state(actor);

    self->stopping = true;
    if (bough_mailbox_length(actor) == 0) end_in_order(actor, self);
}

static void logger_finish(struct bough_actor *actor)
{
    struct logger *self = bough_state(actor);

    bough_log_file_finish(&self->file);
    free(self->line);
}

/* Runner: the loop calls this once for each message, never twice at a time. */

static void run_log(struct bough_actor *actor, struct logger *self,
                    const struct message *message)
{
    const struct bough_log_record record = {
        .level = (enum bough_log_level)message->level,
        .realtime_ns = message->realtime_ns != 0
                           ? message->realtime_ns
                           : bough_runtime_realtime_ns(bough_actor_runtime(actor)),
        .path = bough_span_text(message, message->path),
        .text = bough_span_text(message, message->text),
    };

    if ((unsigned)message->level >= BOUGH_LEVEL_COUNT) {
        bough_refuse(actor, BOUGH_EINVALID, "no such level");
        return;
    }
    if (record.level >= self->level) {
        write_record(self, &record, bough_span_data(message, message->fields),
                     message->fields.len);
    }
    bough_reply(actor, "", 0);
}

static void answer(struct bough_actor *actor, enum bough_status status,
                   const struct bough_error *error)
{
    if (status == BOUGH_OK) {
        bough_reply(actor, "", 0);
    } else {
        bough_refuse(actor, status, "%s", error->text);
    }
}

static void run_flush(struct bough_actor *actor, struct logger *self)
{
    struct bough_error error = { 0 };
    enum bough_status status = write_out(actor, self, &error);

    if (status == BOUGH_OK) status = bough_log_file_sync(&self->file, &error);
    answer(actor, status, &error);
}

static void run_reopen(struct bough_actor *actor, struct logger *self)
{
    struct bough_error error = { 0 };
    enum bough_status status = bough_log_file_reopen(&self->file, &error);

    answer(actor, status, &error);
}

/* After each message: writes when it was the last one for now. */
static void settle(struct bough_actor *actor, struct logger *self)
{
    bool last = bough_mailbox_length(actor) == 0;

    if (last && self->stopping) {
        end_in_order(actor, self);
        return;
    }
    /* While writing fails, only the timer tries: not every message. */
    if (last && !self->file.failing && write_out(actor, self, NULL) == BOUGH_OK) return;
    linger(actor, self);
}

static void logger_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct logger *self = bough_state(actor);
    const struct message *message = data;

    (void)size;
    switch (message->kind) {
    case LOG: run_log(actor, self, message); break;
    case FLUSH: run_flush(actor, self); break;
    case REOPEN: run_reopen(actor, self); break;
    }
    settle(actor, self);
}

const struct bough_actor_type bough_logger_type = {
    .name = "logger",
    .help = "Writes the log, to a file or to stderr.",
    .state_size = sizeof(struct logger),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct bough_logger_options),
    .options = options,
    .option_count = bough_count_of(options),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = logger_init,
    .run = logger_run,
    .stop = logger_stop,
    .finish = logger_finish,
};

/* Handle: the only code that makes a message, so no malformed one exists. */

enum bough_status bough_logger_spawn(struct bough_loop *loop,
                                     const struct bough_logger_options *given,
                                     struct bough_watch *watch,
                                     struct bough_logger *logger,
                                     struct bough_exit_reason *failure)
{
    return bough_spawn(loop, &bough_logger_type, given, watch, &logger->address, failure);
}

static char *add_part(char *end, const char *text)
{
    size_t size = strlen(text) + 1;

    memcpy(end, text, size);
    return end + size;
}

/* A list of bytes is room for them: name NUL value NUL ... */
static void add_pairs(struct bough_block *block, const struct bough_log_pair *pairs,
                      size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += strlen(pairs[i].name) + strlen(pairs[i].value) + 2;
    }
    size_t offset = bough_block_list(block, offsetof(struct message, fields), size, 1);
    char *end = bough_block_at(block, offset);
    for (size_t i = 0; end && i < count; i++) {
        end = add_part(add_part(end, pairs[i].name), pairs[i].value);
    }
}

enum bough_status bough_logger_log(struct bough_logger logger,
                                   const struct bough_log_record *record,
                                   const struct bough_log_pair *pairs, size_t count)
{
    const struct message message = {
        .kind = LOG,
        .level = record->level,
        .realtime_ns = record->realtime_ns,
    };
    _Alignas(max_align_t) char buffer[1024];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &message, sizeof(message));
    bough_block_text(&block, offsetof(struct message, path), record->path);
    bough_block_text(&block, offsetof(struct message, text), record->text);
    if (count > 0) add_pairs(&block, pairs, count);
    return bough_send_block(logger.address, &block);
}

enum bough_status bough_logger_reopen(struct bough_logger logger)
{
    const struct message message = { .kind = REOPEN };

    return bough_send(logger.address, &message, sizeof(message));
}

void bough_logger_flush(struct bough_logger logger, struct bough_call *call)
{
    const struct message message = { .kind = FLUSH };

    bough_call_start(call, logger.address, &message, sizeof(message), NULL, 0);
}

/* Hook */

/* A send that fails may itself be reported, through a hook, on the same thread. */
static enum bough_status send(struct bough_logger logger,
                              const struct bough_log_record *record)
{
    static _Thread_local bool sending;
    const struct bough_log_pair pair = { "stream", record->stream };
    enum bough_status status;

    if (sending) return BOUGH_EGONE;
    sending = true;
    status = bough_logger_log(logger, record, &pair, record->stream != NULL ? 1 : 0);
    sending = false;
    return status;
}

static bool is_up(struct bough_logger logger, struct bough_place_info *info)
{
    return bough_place_info(logger.address, info) == BOUGH_OK &&
           info->state == BOUGH_PLACE_RUNNING;
}

void bough_logger_hook_log(void *data, const struct bough_log_record *record)
{
    const struct bough_logger_hook *hook = data;
    struct bough_place_info info;

    if (is_up(hook->logger, &info) && send(hook->logger, record) == BOUGH_OK) return;
    if (record->level >= hook->least) bough_log_stderr(NULL, record);
}

/* A quarter of the mailbox is kept for reports. */
static bool has_room(const struct bough_place_info *info)
{
    return info->mailbox_length < info->mailbox_capacity - info->mailbox_capacity / 4;
}

bool bough_logger_hook_output(void *data, const struct bough_log_record *record)
{
    const struct bough_logger_hook *hook = data;
    struct bough_place_info info;
    const bool up = is_up(hook->logger, &info);

    if (up && !has_room(&info)) return false;
    if (up && send(hook->logger, record) == BOUGH_OK) return true;
    if (record->level >= hook->least) bough_log_stderr(NULL, record);
    return true;
}
