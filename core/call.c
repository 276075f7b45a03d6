/* call.c - questions and answers.
 *
 * A call in flight has a ticket of its loop, and the message carries its id. An answer
 * looks it up: when the call was answered, cancelled or has timed out, it finds nobody
 * and falls to the ground. So whatever comes first, reply, refusal, timeout or end of a
 * life, is the one answer.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/call.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/text.h>

enum { REFUSAL_TEXT = 512 };

/* The table of what is in flight */

static inline __attribute__((always_inline)) bool enter(struct bough_call *call)
{
    struct bough_loop *loop = call->loop;

    call->index = bough_ticket_take(&loop->calls, call, &call->generation);
    if (call->index == 0) return false;
    loop->counts.calls++;
    return true;
}

static void leave(struct bough_call *call)
{
    struct bough_loop *loop = call->loop;

    if (call->index == 0) return;
    bough_ticket_give(&loop->calls, call->index);
    call->index = 0;
    loop->counts.calls--;
    bough_wheel_remove(&loop->wheel, &call->timeout);
}

static struct bough_call *find(const struct bough_asker *asker)
{
    if (asker->loop == NULL) return NULL;
    return bough_ticket_find(&asker->loop->calls, asker->index, asker->generation);
}

/* Completion */

/* The task of an answered call: done() is the last to touch it, and may start it again
 * or free it. */
static void tell(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_call *call = bough_container(task, struct bough_call, task);
    struct bough_cell *answer = call->answer;

    bough_owned_remove(&call->owned);
    loop->running = call->owner;
    call->done(call, call->status);
    loop->running = NULL;
    bough_cell_free(loop, answer);
}

static void complete(struct bough_call *call, enum bough_status status)
{
    call->status = status;
    call->task.run = tell;
    bough_queue_push(&call->loop->ready, &call->task);
    bough_loop_hold(call->loop);
}

/* The answer is in its cell; without one there was no memory for it. */
static enum bough_status keep_cell(struct bough_call *call, enum bough_status status)
{
    if (call->answer == NULL) return status == BOUGH_OK ? BOUGH_ENOMEM : status;
    call->reply = bough_cell_bytes(call->answer);
    call->reply_size = call->answer->size;
    return status;
}

/* The bytes of an answer: to the asker's struct, or into a cell until done() has run. */
static enum bough_status keep(struct bough_call *call, enum bough_status status,
                              const void *reply, size_t size)
{
    if (status == BOUGH_OK && call->result != NULL) {
        if (size != call->result_size) return BOUGH_EINVALID;
        bough_copy_bytes(call->result, reply, size);
        call->reply = call->result;
        call->reply_size = size;
        return status;
    }
    if (size == 0) return status;
    if (size <= BOUGH_BLOCK_MAX) call->answer = bough_cell_new(call->loop, reply, size);
    return keep_cell(call, status);
}

void bough_answer(const struct bough_asker *asker, enum bough_status status,
                  const void *reply, size_t size)
{
    if (asker->loop != NULL && !bough_loop_is_near(asker->loop)) {
        bough_post_answer(asker, status, reply, size);
        return;
    }
    struct bough_call *call = find(asker);

    if (call == NULL) return;
    leave(call);
    complete(call, keep(call, status, reply, size));
}

void bough_answer_buffer(const struct bough_asker *asker, struct bough_buffer *buffer)
{
    const bool near = asker->loop == NULL || bough_loop_is_near(asker->loop);
    struct bough_call *call = near ? find(asker) : NULL;

    if (call != NULL && call->result == NULL &&
        bough_is_large(bough_buffer_size(buffer))) {
        leave(call);
        call->answer = bough_cell_hold(call->loop, buffer);
        if (call->answer == NULL) bough_buffer_drop(buffer);
        complete(call, keep_cell(call, BOUGH_OK));
        return;
    }
    bough_answer(asker, BOUGH_OK, bough_buffer_bytes(buffer), bough_buffer_size(buffer));
    bough_buffer_drop(buffer);
}

void bough_answer_end(const struct bough_asker *asker,
                      const struct bough_exit_reason *reason)
{
    char text[BOUGH_EXIT_TEXT + 64];

    if (bough_exit_good(reason)) {
        bough_answer(asker, BOUGH_EGONE, NULL, 0);
        return;
    }
    bough_exit_print(reason, text, sizeof(text));
    bough_answer(asker, BOUGH_ECRASHED, text, strlen(text) + 1);
}

static void expired(struct bough_loop *loop, struct bough_timeout *timeout)
{
    struct bough_call *call = bough_container(timeout, struct bough_call, timeout);

    (void)loop;
    leave(call);
    complete(call, BOUGH_ETIMEOUT);
}

/* The end of the loop: whoever still asks is told. */
void bough_calls_close(struct bough_loop *loop)
{
    for (uint32_t i = 1; i < loop->calls.size; i++) {
        struct bough_call *call = loop->calls.list[i].holder;

        if (call == NULL) continue;
        leave(call);
        complete(call, BOUGH_EGONE);
    }
}

/* Asking */

static void take_back(struct bough_call *call)
{
    if (call->index != 0) leave(call);
    if (call->task.link != NULL) bough_queue_remove(&call->loop->ready, &call->task);
    if (call->answer != NULL) bough_cell_free(call->loop, call->answer);
    call->answer = NULL;
}

static void release(struct bough_owned *owned)
{
    take_back(bough_container(owned, struct bough_call, owned));
}

static void choose_loop(struct bough_call *call, struct bough_address address)
{
    if (call->owner != NULL) {
        call->loop = call->owner->loop;
    } else if (call->loop == NULL) {
        bough_assert(address.slot != NULL);
        call->loop = bough_loop_for_answers(address.slot->loop);
    }
    bough_assert(call->loop != NULL);
}

static inline __attribute__((always_inline)) void prepare(struct bough_call *call,
                                                          struct bough_address address,
                                                          void *result,
                                                          size_t result_size)
{
    bough_assert(call->done != NULL);
    bough_assert(call->index == 0 && call->task.link == NULL);
    choose_loop(call, address);
    call->timeout.link = NULL;
    call->timeout.expired = expired;
    call->answer = NULL;
    call->reply = NULL;
    call->reply_size = 0;
    call->result = result;
    call->result_size = result_size;
    call->owned.link = NULL;
    if (call->owner != NULL) bough_owned_add(call->owner, &call->owned, release);
}

/* What lies beyond the end of time has no deadline. */
static inline __attribute__((always_inline)) void arm(struct bough_call *call)
{
    if (call->timeout_ms <= 0) return;

    const int64_t now = bough_loop_time(call->loop);

    if (call->timeout_ms >= INT64_MAX - now) return;
    bough_wheel_add(&call->loop->wheel, &call->timeout, now + call->timeout_ms);
}

/* What is done when the message was taken. */
static inline __attribute__((always_inline)) void await(struct bough_call *call)
{
    if (call->index != 0) arm(call); /* else its letter has come back already */
    bough_loop_hold(call->loop);
}

/* The long way. A message that was dropped has been answered already. */
static __attribute__((noinline)) void
post(struct bough_call *call, struct bough_address address, struct bough_mail *mail)
{
    const struct bough_asker asker = { call->loop, call->index, call->generation };

    mail->asker = &asker;
    mail->high = call->high;
    const enum bough_status status = bough_mail_push(address, mail);

    if (status != BOUGH_OK) {
        leave(call);
        complete(call, status);
    } else if (call->index != 0) {
        await(call);
    }
}

static __attribute__((noinline)) void post_bytes(struct bough_call *call,
                                                 struct bough_address address,
                                                 const void *message, size_t size)
{
    struct bough_mail mail = { .bytes = message, .size = size };

    post(call, address, &mail);
}

/* Hot: a call with a deadline, its message, answer and done() are some 530 instructions,
 * few of them the deadline's; nothing is allocated, for the call brings its own links and
 * only an entry of a table is taken. */
void bough_call_start(struct bough_call *call, struct bough_address address,
                      const void *message, size_t size, void *result, size_t result_size)
{
    prepare(call, address, result, result_size);
    if (!enter(call)) {
        complete(call, BOUGH_ENOMEM);
        return;
    }
    const struct bough_asker asker = { call->loop, call->index, call->generation };

    if (call->high || !bough_mail_try(address, message, size, &asker)) {
        post_bytes(call, address, message, size);
    } else {
        await(call);
    }
}

/* Takes the reference. */
static void call_buffer(struct bough_call *call, struct bough_address address,
                        struct bough_buffer *buffer)
{
    struct bough_mail mail = {
        .bytes = bough_buffer_bytes(buffer),
        .size = bough_buffer_size(buffer),
        .buffer = buffer,
    };

    prepare(call, address, NULL, 0);
    if (enter(call)) {
        post(call, address, &mail);
    } else {
        complete(call, BOUGH_ENOMEM);
    }
    bough_buffer_drop(mail.buffer);
}

void bough_call_block(struct bough_call *call, struct bough_address address,
                      struct bough_block *block)
{
    struct bough_buffer *buffer = bough_take_large(block);

    if (buffer != NULL) {
        call_buffer(call, address, buffer);
        return;
    }
    if (block->status == BOUGH_OK) {
        bough_call_start(call, address, block->data, block->size, NULL, 0);
    } else {
        prepare(call, address, NULL, 0);
        complete(call, block->status);
    }
    bough_block_finish(block);
}

void bough_call_cancel(struct bough_call *call)
{
    if (call->index == 0 && call->task.link == NULL) return;
    take_back(call);
    bough_owned_remove(&call->owned);
}

const char *bough_call_text(const struct bough_call *call, enum bough_status status)
{
    const bool told = status != BOUGH_OK && call->reply_size > 0;

    return told ? call->reply : bough_status_text(status);
}

/* Answering */

/* A question taken out of its message, to be answered later. */
struct bough_question {
    struct bough_owned owned;
    struct bough_actor *actor;
    struct bough_asker asker;
};

static void question_free(struct bough_question *question)
{
    bough_owned_remove(&question->owned);
    bough_pool_give(&question->actor->loop->pool, question, sizeof(*question));
}

/* The life ends with the question open. */
static void question_release(struct bough_owned *owned)
{
    struct bough_question *question =
        bough_container(owned, struct bough_question, owned);

    bough_answer_end(&question->asker, bough_slot_reason(question->actor));
    question_free(question);
}

/* Who asked the message that is being run; nobody once it is answered. */
static struct bough_asker *asker_now(struct bough_actor *actor)
{
    bough_assert(actor->loop->running == actor);
    bough_assert(actor->loop->message != NULL);
    return &actor->loop->message->asker;
}

bool bough_is_asked(struct bough_actor *actor)
{
    return asker_now(actor)->loop != NULL;
}

struct bough_question *bough_later(struct bough_actor *actor)
{
    struct bough_asker *asker = asker_now(actor);

    if (asker->loop == NULL) return NULL;

    struct bough_question *question =
        bough_pool_take(&actor->loop->pool, sizeof(*question));
    if (question == NULL) {
        bough_answer(asker, BOUGH_ENOMEM, NULL, 0);
        asker->loop = NULL;
        return NULL;
    }
    *question = (struct bough_question){ .actor = actor, .asker = *asker };
    bough_owned_add(actor, &question->owned, question_release);
    asker->loop = NULL;
    return question;
}

static enum bough_status hand_on(struct bough_actor *actor, struct bough_address address,
                                 struct bough_mail *mail)
{
    struct bough_asker *asker = asker_now(actor);

    if (asker->loop != NULL) mail->asker = asker;
    mail->high = actor->loop->high;
    const enum bough_status status = bough_mail_push(address, mail);

    if (status == BOUGH_OK) asker->loop = NULL;
    bough_buffer_drop(mail->buffer);
    return status;
}

enum bough_status bough_forward_as(struct bough_actor *actor,
                                   struct bough_address address, const void *message,
                                   size_t size)
{
    struct bough_mail mail = { .bytes = message, .size = size };

    return hand_on(actor, address, &mail);
}

enum bough_status bough_forward(struct bough_actor *actor, struct bough_address address)
{
    const struct bough_cell *cell = actor->loop->message;

    bough_assert(cell != NULL);
    struct bough_buffer *buffer = bough_cell_buffer(cell);
    struct bough_mail mail = {
        .bytes = bough_cell_bytes(cell),
        .size = cell->size,
        .buffer = buffer != NULL ? bough_buffer_share(buffer) : NULL,
    };

    return hand_on(actor, address, &mail);
}

void bough_reply(struct bough_actor *actor, const void *reply, size_t size)
{
    struct bough_asker *asker = asker_now(actor);

    bough_answer(asker, BOUGH_OK, reply, size);
    asker->loop = NULL;
}

/* A block that could not be made is the answer: its status, in place of a reply. */
static void answer_block(const struct bough_asker *asker, struct bough_block *block)
{
    struct bough_buffer *buffer = bough_take_large(block);

    if (buffer != NULL) {
        bough_answer_buffer(asker, buffer);
        return;
    }
    if (block->status == BOUGH_OK) {
        bough_answer(asker, BOUGH_OK, block->data, block->size);
    } else {
        bough_answer(asker, block->status, NULL, 0);
    }
    bough_block_finish(block);
}

void bough_reply_block(struct bough_actor *actor, struct bough_block *block)
{
    struct bough_asker *asker = asker_now(actor);

    answer_block(asker, block);
    asker->loop = NULL;
}

static void answer_text(const struct bough_asker *asker, enum bough_status status,
                        const char *format, va_list arguments)
{
    char text[REFUSAL_TEXT];

    bough_assert(status != BOUGH_OK);
    bough_text_vformat(text, sizeof(text), format, arguments);
    bough_answer(asker, status, text, strlen(text) + 1);
}

void bough_refuse(struct bough_actor *actor, enum bough_status status, const char *format,
                  ...)
{
    struct bough_asker *asker = asker_now(actor);
    va_list arguments;

    va_start(arguments, format);
    answer_text(asker, status, format, arguments);
    va_end(arguments);
    asker->loop = NULL;
}

void bough_question_reply(struct bough_question *question, const void *reply, size_t size)
{
    if (question == NULL) return;
    bough_answer(&question->asker, BOUGH_OK, reply, size);
    question_free(question);
}

void bough_question_reply_block(struct bough_question *question,
                                struct bough_block *block)
{
    if (question == NULL) {
        bough_block_finish(block);
        return;
    }
    answer_block(&question->asker, block);
    question_free(question);
}

void bough_question_refuse(struct bough_question *question, enum bough_status status,
                           const char *format, ...)
{
    va_list arguments;

    if (question == NULL) return;
    va_start(arguments, format);
    answer_text(&question->asker, status, format, arguments);
    va_end(arguments);
    question_free(question);
}
