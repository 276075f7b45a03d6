/* inbound.c - what comes from a child: replies, questions and messages for other actors,
 * lines of the log.
 *
 * The child's memory is its own to spoil. Each frame was copied out by the border; here
 * its fields are checked, and the bytes of messages and replies against the tables of the
 * types they are for. What does not fit ends the child, and nothing else.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <bough/core/assert.h>
#include <bough/core/log.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

/* Questions of a child that are under way, beyond which they are refused. */
enum { ASKS_MAX = 4096 };

/* A question of the child's that is under way. */
struct bough_ask {
    struct bough_call call;
    struct bough_ask *prev, *next;
    struct bough_host *host;
    uint64_t id;
};

/* Answers to the child */

static void tell_answer(struct bough_host *host, uint64_t id, enum bough_status status,
                        const void *reply, size_t size)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_ANSWER, .id = id, .status = status };
    enum bough_status posted =
        bough_border_post(&host->border, &frame, reply, size, BOUGH_UNREAD_MAX);

    /* When there is no memory for it, it says at least that, in the reserve. */
    if (posted == BOUGH_ENOMEM) {
        frame.status = BOUGH_ENOMEM;
        posted = bough_border_write(&host->border, &frame, NULL, 0, true);
    }
    if (posted != BOUGH_OK)
        bough_host_distrust(host, "it asks and does not read the answers");
    bough_border_poke(&host->border);
}

void bough_inbound_close(struct bough_host *host)
{
    while (host->asks != NULL) {
        struct bough_ask *first = host->asks;

        DL_DELETE(host->asks, first);
        bough_call_cancel(&first->call);
        free(first);
    }
}

/* Questions of the child */

static void answered(struct bough_call *call, enum bough_status status)
{
    struct bough_ask *ask = bough_container(call, struct bough_ask, call);
    struct bough_host *host = ask->host;

    host->ask_count--;
    DL_DELETE(host->asks, ask);
    tell_answer(host, ask->id, status, call->reply, call->reply_size);
    free(ask);
}

static void ask(struct bough_host *host, const struct bough_frame *frame,
                struct bough_address to, const void *message, size_t size)
{
    struct bough_ask *made = host->ask_count < ASKS_MAX ? calloc(1, sizeof(*made)) : NULL;

    if (made == NULL) {
        tell_answer(host, frame->id, BOUGH_EFULL, NULL, 0);
        return;
    }
    host->ask_count++;
    DL_APPEND(host->asks, made);
    made->host = host;
    made->id = frame->id;
    made->call.done = answered;
    made->call.owner = host->owner;
    made->call.high = (frame->flags & BOUGH_FRAME_HIGH) != 0;
    bough_call_start(&made->call, to, message, size, NULL, 0);
}

static enum bough_status tell(const struct bough_frame *frame, struct bough_address to,
                              const void *message, size_t size)
{
    return (frame->flags & BOUGH_FRAME_HIGH) != 0 ? bough_send_high(to, message, size)
                                                  : bough_send(to, message, size);
}

/* Types travel as pointers in specs and options, which are not believed from outside. */
static bool can_be_checked(const struct bough_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == BOUGH_SPEC || fields[i].kind == BOUGH_OPTIONS) return false;
    }
    return true;
}

static enum bough_status check_message(const struct bough_actor_type *type,
                                       const void *message, size_t size)
{
    if (type == NULL) return BOUGH_ENOTFOUND;
    if (type->messages == NULL) return BOUGH_OK;

    const struct bough_message_type *row = bough_message_row(type, message, size);
    if (row == NULL) return BOUGH_EINVALID;
    if (!can_be_checked(row->fields, row->field_count)) return BOUGH_EDENIED;
    return bough_block_valid(row->fields, row->field_count, message, type->message_size,
                             size)
               ? BOUGH_OK
               : BOUGH_EINVALID;
}

static enum bough_status find(struct bough_host *host, const char *path,
                              const void *message, size_t size, struct bough_address *to)
{
    struct bough_place_info info;
    enum bough_status status = bough_lookup(bough_actor_loop(host->owner), path, to);

    if (status == BOUGH_OK) status = bough_place_info(*to, &info);
    return status == BOUGH_OK ? check_message(info.speaks, message, size) : status;
}

/* A path, NUL, padding up to a multiple of 16, and the message. */
static bool split(const void *bytes, size_t size, const char **path, const char **message,
                  size_t *message_size)
{
    const size_t len = strnlen(bytes, size < BOUGH_PATH_MAX ? size : BOUGH_PATH_MAX);
    const size_t begin = (len + 1 + 15) & ~(size_t)15;

    if (begin > size || len >= BOUGH_PATH_MAX) return false;
    *path = bytes;
    *message = (const char *)bytes + begin;
    *message_size = size - begin;
    return true;
}

static bool outward(struct bough_host *host, const struct bough_frame *frame,
                    const void *bytes, size_t size)
{
    const bool asked = frame->kind == BOUGH_FRAME_ASK;
    const char *path, *message;
    size_t message_size;
    struct bough_address to;

    if (!split(bytes, size, &path, &message, &message_size)) return false;
    if (asked && host->pidfd < 0) return true; /* who asked is gone */
    enum bough_status status = find(host, path, message, message_size, &to);
    if (status == BOUGH_OK && asked)
        ask(host, frame, to, message, message_size);
    else if (status == BOUGH_OK)
        status = tell(frame, to, message, message_size);
    if (status == BOUGH_OK) return true;
    if (asked)
        tell_answer(host, frame->id, status, NULL, 0);
    else
        bough_log(bough_actor_runtime(host->owner), BOUGH_DEBUG,
                  bough_actor_path(host->owner), "a message to %.128s was lost: %s",
                  bough_path_valid(path) ? path : "no path", bough_status_text(status));
    return true;
}

/* News of the child itself */

static bool read_reason(const void *bytes, size_t size, struct bough_exit_reason *reason)
{
    if (size != sizeof(*reason)) return false;
    memcpy(reason, bytes, sizeof(*reason));
    if ((unsigned)reason->kind >= BOUGH_EXIT_KIND_COUNT ||
        (unsigned)reason->status >= BOUGH_STATUS_COUNT ||
        memchr(reason->text, '\0', sizeof(reason->text)) == NULL)
        return false;
    /* Copied as text, which is cut and cleaned there. */
    *reason =
        bough_exit_make(reason->kind, reason->status, reason->number, "%s", reason->text);
    return true;
}

static bool take_reason(struct bough_proxy *proxy, const void *bytes, size_t size)
{
    struct bough_exit_reason reason;

    if (!read_reason(bytes, size, &reason)) return false;
    bough_proxy_exited(proxy, &reason);
    return true;
}

/* Kept for the report of its end. */
static void remember(struct bough_host *host, const char *text)
{
    char **line = &host->said[host->said_count++ % BOUGH_SAID_MAX];

    if (*line == NULL) *line = malloc(BOUGH_SAID_TEXT);
    if (*line != NULL) bough_text_format(*line, BOUGH_SAID_TEXT, "%s", text);
}

/* Its end, which it says that comes now, is then for this reason. */
static bool unfit(struct bough_host *host, const void *bytes, size_t size)
{
    struct bough_exit_reason reason;

    if (!read_reason(bytes, size, &reason)) return false;
    host->reason = reason;
    host->unfit = true;
    return true;
}

static bool log_line(struct bough_host *host, const struct bough_frame *frame,
                     const char *bytes, size_t size)
{
    const size_t path = strnlen(bytes, size);
    char clean[BOUGH_PATH_MAX];

    if (frame->status >= BOUGH_LEVEL_COUNT || path + 1 >= size ||
        bytes[size - 1] != '\0' || path >= sizeof(clean))
        return false;
    memcpy(clean, bytes, path + 1);
    remember(host, bytes + path + 1);
    bough_log(bough_actor_runtime(host->owner), (enum bough_log_level)frame->status,
              bough_path_valid(clean) ? clean : bough_actor_path(host->owner), "%s",
              bytes + path + 1);
    return true;
}

static bool watch(struct bough_host *host, const char *path, size_t size)
{
    if (size == 0 || size > BOUGH_PATH_MAX || strnlen(path, size) != size - 1 ||
        !bough_path_valid(path))
        return false;
    bough_outlook_begin(host, path);
    return true;
}

/* Nobody of that number: there is none that it could have been told of. */
static bool news_of_one(struct bough_host *host, const struct bough_frame *frame,
                        const void *bytes, size_t size)
{
    const bool reply = frame->kind == BOUGH_FRAME_REPLY;
    struct bough_proxy *proxy =
        bough_host_proxy(host, reply ? bough_handed_number(frame->id) : frame->id);

    if (proxy == NULL) return false;
    if (reply) return bough_handed_answer(proxy, frame, bytes, size);
    if (frame->kind == BOUGH_FRAME_EXITED) return take_reason(proxy, bytes, size);
    bough_proxy_is_ready(proxy);
    return size == 0;
}

/* Its bytes were too many to come. */
static bool is_lost(struct bough_host *host, const struct bough_frame *frame)
{
    static const char text[] = BOUGH_FRAME_LOST_TEXT;
    struct bough_frame refusal = *frame;

    refusal.status = BOUGH_ENOMEM;
    if (frame->kind == BOUGH_FRAME_REPLY)
        return news_of_one(host, &refusal, text, sizeof(text));
    if (frame->kind == BOUGH_FRAME_ASK) {
        if (host->pidfd >= 0)
            tell_answer(host, frame->id, BOUGH_ENOMEM, text, sizeof(text));
        return true;
    }
    if (frame->kind != BOUGH_FRAME_TELL) return false; /* the others are small */
    bough_log(bough_actor_runtime(host->owner), BOUGH_WARNING,
              bough_actor_path(host->owner), "a message of its own is lost: %s", text);
    return true;
}

static bool take_in(struct bough_host *host, const struct bough_frame *frame,
                    const void *bytes, size_t size)
{
    if ((frame->flags & BOUGH_FRAME_LOST) != 0) return is_lost(host, frame);
    switch ((enum bough_frame_kind)frame->kind) {
    case BOUGH_FRAME_READY:
    case BOUGH_FRAME_EXITED:
    case BOUGH_FRAME_REPLY: return news_of_one(host, frame, bytes, size);
    case BOUGH_FRAME_UNFIT: return unfit(host, bytes, size);
    case BOUGH_FRAME_TELL:
    case BOUGH_FRAME_ASK: return outward(host, frame, bytes, size);
    case BOUGH_FRAME_LOG: return log_line(host, frame, bytes, size);
    case BOUGH_FRAME_WATCH: return watch(host, bytes, size);
    case BOUGH_FRAME_PAD:
    case BOUGH_FRAME_START:
    case BOUGH_FRAME_STOP:
    case BOUGH_FRAME_END:
    case BOUGH_FRAME_MESSAGE:
    case BOUGH_FRAME_ANSWER:
    case BOUGH_FRAME_LIMITS:
    case BOUGH_FRAME_LEFT:
    case BOUGH_FRAME_GONE:
    case BOUGH_FRAME_KIND_COUNT: break;
    }
    return false;
}

/* At most so many at a time, for the other actors of this loop. */
enum { TURN_MAX = 1024 };

bool bough_inbound_read(struct bough_host *host, bool *more, const char **why)
{
    struct bough_frame frame;
    const void *bytes;
    size_t size;

    *more = false;
    for (int i = 0; i < TURN_MAX; i++) {
        const enum bough_status status =
            bough_border_read(&host->border, &frame, &bytes, &size);

        if (status == BOUGH_ENOREPLY) return true;
        *why = status == BOUGH_OK ? "a frame that is not one of a child's"
                                  : "a frame that does not lie in its ring";
        if (status != BOUGH_OK || !take_in(host, &frame, bytes, size)) return false;
    }
    *more = true;
    return true;
}
