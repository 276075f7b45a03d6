/* answer.c - the answers to the message that is being run: later, from another actor, as
 * a block, or a refusal. The plain one, bough_reply(), is in call.c.
 *
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/call.h>
#include <bough/core/mail_internal.h>
#include <bough/core/observe_internal.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/text.h>

enum { REFUSAL_TEXT = 512 };

/* A question taken out of its message, to be answered later. */
struct bough_question {
    struct bough_owned owned;
    struct bough_actor *actor;
    struct bough_asker asker;
};

static void question_free(struct bough_question *question)
{
    struct bough_loop *loop = question->actor->loop;

    if (loop->later == question) loop->later = NULL;
    bough_owned_remove(&question->owned);
    bough_pool_give(&loop->pool, question, sizeof(*question));
}

/* The life ends with the question open. */
static void question_release(struct bough_owned *owned)
{
    struct bough_question *question =
        bough_container(owned, struct bough_question, owned);

    bough_answer_end(&question->asker, bough_slot_reason(question->actor));
    question_free(question);
}

/* Who asked the message that is being run; NULL: nobody, or it has been answered. */
static struct bough_asker *asker_now(const struct bough_actor *actor)
{
    const struct bough_cell *cell = actor->loop->message;

    bough_assert(actor->loop->running == actor);
    bough_assert(cell != NULL);
    return bough_cell_is_asked(cell) ? bough_cell_asker(cell) : NULL;
}

bool bough_is_asked(struct bough_actor *actor)
{
    return asker_now(actor) != NULL;
}

struct bough_question *bough_later(struct bough_actor *actor)
{
    struct bough_asker *asker = asker_now(actor);

    if (asker == NULL) return NULL;

    struct bough_question *question =
        bough_pool_take(&actor->loop->pool, sizeof(*question));
    if (question == NULL) {
        bough_answer(asker, BOUGH_ENOMEM, NULL, 0);
        asker->loop = NULL;
        return NULL;
    }
    *question = (struct bough_question){ .actor = actor, .asker = *asker };
    bough_owned_add(actor, &question->owned, question_release);
    actor->loop->later = question;
    asker->loop = NULL;
    return question;
}

void bough_question_take_back(struct bough_question *question, struct bough_asker *asker)
{
    if (question == NULL || asker == NULL || asker->loop != NULL) return;
    *asker = question->asker;
    question_free(question);
}

static enum bough_status hand_on(struct bough_actor *actor, struct bough_address address,
                                 struct bough_mail *mail)
{
    struct bough_asker *asker = asker_now(actor);

    mail->asker = asker;
    mail->high = actor->loop->high;
    const enum bough_status status = bough_mail_push(address, mail);

    if (status == BOUGH_OK && asker != NULL) asker->loop = NULL;
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
    struct bough_buffer *buffer =
        bough_message_is_lent(actor->loop) ? NULL : bough_cell_buffer(cell);
    struct bough_mail mail = {
        .bytes = bough_message_bytes(actor->loop),
        .size = cell->size,
        .buffer = buffer != NULL ? bough_buffer_share(buffer) : NULL,
    };

    return hand_on(actor, address, &mail);
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

    if (asker == NULL) {
        bough_block_finish(block);
        return;
    }
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

    if (asker == NULL) return;
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
