/* call.c - questions and answers.
 *
 * A call in flight has a ticket of its loop, and the message carries its id. An answer
 * looks it up: when the call was answered, cancelled or has timed out, it finds nobody
 * and falls to the ground. So whatever comes first, reply, refusal, timeout or end of a
 * life, is the one answer.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/call.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/latency_internal.h>
#include <bough/core/letter_internal.h>

/* The table of what is in flight */

/* There is a free ticket. */
static inline __attribute__((always_inline)) void enter(struct bough_loop *loop,
                                                        struct bough_call *call)
{
    call->index = bough_ticket_take_free(&loop->calls, call, &call->generation);
    loop->counts.calls++;
}

static inline __attribute__((always_inline)) void
leave(struct bough_loop *loop, struct bough_call *call, uint32_t index)
{
    bough_ticket_give(&loop->calls, index);
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
void bough_call_tell(struct bough_loop *loop, struct bough_task *task)
{
    struct bough_call *call = bough_container(task, struct bough_call, task);
    struct bough_cell *answer = call->answer;

    bough_owned_remove(&call->owned);
    loop->running = call->owner;
    if (call->owner == NULL) loop->told = true;
    call->done(call, call->status);
    loop->running = NULL;
    bough_cell_free(loop, answer);
}

/* The answer has come, and what it is can still be said. */
static inline __attribute__((always_inline)) void complete(struct bough_loop *loop,
                                                           struct bough_call *call)
{
    bough_queue_push(&loop->ready, &call->task);
}

static void keep_nothing(struct bough_call *call, enum bough_status status)
{
    call->status = status;
    call->answer = NULL;
    call->reply = NULL;
    call->reply_size = 0;
}

/* The bytes of an answer until done() has run. Without a cell there was no memory. */
static void keep_cell(struct bough_call *call, enum bough_status status,
                      struct bough_cell *cell)
{
    keep_nothing(call, status);
    if (cell == NULL) {
        if (status == BOUGH_OK) call->status = BOUGH_ENOMEM;
        return;
    }
    call->answer = cell;
    call->reply = bough_cell_bytes(cell);
    call->reply_size = cell->size;
}

static __attribute__((noinline)) void keep_bytes(struct bough_call *call,
                                                 enum bough_status status,
                                                 const void *reply, size_t size)
{
    if (status == BOUGH_OK && call->result != NULL) {
        keep_nothing(call, BOUGH_EINVALID);
    } else if (size == 0) {
        keep_nothing(call, status);
    } else {
        const bool fits = size <= BOUGH_BLOCK_MAX;

        keep_cell(call, status, fits ? bough_cell_new(call->loop, reply, size) : NULL);
    }
}

/* The same, or a result that goes to the asker's struct: nearly every one does. */
static inline void keep(struct bough_call *call, enum bough_status status,
                        const void *reply, size_t size)
{
    if (status != BOUGH_OK || call->result == NULL || size != call->result_size) {
        keep_bytes(call, status, reply, size);
        return;
    }
    call->status = status;
    call->answer = NULL;
    call->reply = call->result;
    call->reply_size = size;
    bough_copy_bytes(call->result, reply, size);
}

/* Hot: the answer to a call of this loop, in some 60 instructions. The bytes come last,
 * for they may take a call, over which there is then nothing to be kept. */
static inline __attribute__((always_inline)) void
answer_here(struct bough_loop *loop, const struct bough_asker *asker,
            enum bough_status status, const void *reply, size_t size)
{
    struct bough_call *call =
        bough_ticket_find(&loop->calls, asker->index, asker->generation);

    if (call == NULL) return;
    leave(loop, call, asker->index);
    complete(loop, call);
    keep(call, status, reply, size);
}

static void end(struct bough_call *call, enum bough_status status)
{
    if (call->index != 0) leave(call->loop, call, call->index);
    keep_nothing(call, status);
    complete(call->loop, call);
    bough_loop_hold(call->loop);
}

void bough_answer(const struct bough_asker *asker, enum bough_status status,
                  const void *reply, size_t size)
{
    struct bough_loop *loop = asker->loop;

    if (loop == NULL) return;
    if (bough_loop_is_near(loop)) {
        answer_here(loop, asker, status, reply, size);
        bough_loop_hold(loop);
    } else {
        bough_post_answer(asker, status, reply, size);
    }
}

void bough_answer_buffer(const struct bough_asker *asker, struct bough_buffer *buffer)
{
    const bool near = asker->loop == NULL || bough_loop_is_near(asker->loop);
    struct bough_call *call = near ? find(asker) : NULL;

    if (call != NULL && call->result == NULL &&
        bough_is_large(bough_buffer_size(buffer))) {
        struct bough_cell *cell = bough_cell_hold(call->loop, buffer);

        if (cell == NULL) bough_buffer_drop(buffer);
        leave(call->loop, call, call->index);
        keep_cell(call, BOUGH_OK, cell);
        complete(call->loop, call);
        bough_loop_hold(call->loop);
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
    end(call, BOUGH_ETIMEOUT);
}

/* The end of the loop: whoever still asks is told. */
void bough_calls_close(struct bough_loop *loop)
{
    for (uint32_t i = 1; i < loop->calls.size; i++) {
        struct bough_call *call = loop->calls.list[i].holder;

        if (call != NULL) end(call, BOUGH_EGONE);
    }
}

/* Asking */

static void take_back(struct bough_call *call)
{
    if (call->index != 0) leave(call->loop, call, call->index);
    if (call->task.link == NULL) return;
    bough_queue_remove(&call->loop->ready, &call->task);
    if (call->answer != NULL) bough_cell_free(call->loop, call->answer);
}

static void release(struct bough_owned *owned)
{
    take_back(bough_container(owned, struct bough_call, owned));
}

/* Where an unowned one is told. */
static void choose_loop(struct bough_call *call, struct bough_address address)
{
    if (call->loop == NULL) {
        bough_assert(address.slot != NULL);
        call->loop = bough_loop_for_answers(address.slot->loop);
    }
    bough_assert(call->loop != NULL);
}

static inline __attribute__((always_inline)) void check(const struct bough_call *call)
{
    bough_assert(call->done != NULL);
    bough_assert(call->index == 0 && call->task.link == NULL);
}

/* Who owns it takes it back with release(). */
static inline __attribute__((always_inline)) void prepare(struct bough_call *call,
                                                          struct bough_actor *owner,
                                                          void *result,
                                                          size_t result_size)
{
    call->task.run = bough_call_tell;
    call->timeout.link = NULL;
    call->timeout.expired = expired;
    call->result = result;
    call->result_size = result_size;
    call->owned.link = NULL;
    if (owner != NULL) bough_owned_add(owner, &call->owned, release);
}

/* What lies beyond the end of time has no deadline. */
static inline __attribute__((always_inline)) void
arm(struct bough_loop *loop, struct bough_call *call, int64_t now_ms)
{
    const int64_t timeout_ms = call->timeout_ms;

    if (timeout_ms <= 0 || timeout_ms > BOUGH_WHEEL_HORIZON / 2) return;
    bough_wheel_add_later(&loop->wheel, &call->timeout, now_ms + timeout_ms);
}

static void make_ready(struct bough_call *call, struct bough_address address,
                       void *result, size_t result_size)
{
    check(call);
    if (call->owner != NULL) {
        call->loop = call->owner->loop;
    } else {
        choose_loop(call, address);
    }
    prepare(call, call->owner, result, result_size);
}

/* Ready to be posted. False: there is no memory for it, and it is told so. */
static bool begin(struct bough_call *call, struct bough_address address, void *result,
                  size_t result_size)
{
    make_ready(call, address, result, result_size);
    if (bough_tickets_left(&call->loop->calls)) {
        enter(call->loop, call);
        return true;
    }
    end(call, BOUGH_ENOMEM);
    return false;
}

/* The long way. A message that was dropped has been answered already, and one to another
 * loop may have come back. */
static void post(struct bough_call *call, struct bough_address address,
                 struct bough_mail *mail)
{
    const struct bough_asker asker = { call->loop, call->index, call->generation };

    mail->asker = &asker;
    mail->high = call->high;
    if (bough_latency_wanted(call->loop)) bough_latency_begin(call, address);
    const enum bough_status status = bough_mail_push(address, mail);

    if (status != BOUGH_OK) {
        end(call, status);
    } else if (call->index != 0) {
        arm(call->loop, call, bough_loop_time(call->loop));
        bough_loop_hold(call->loop);
    }
}

static __attribute__((noinline)) void start(struct bough_call *call,
                                            struct bough_address address,
                                            const void *message, size_t size,
                                            void *result, size_t result_size)
{
    struct bough_mail mail = { .bytes = message, .size = size };

    if (begin(call, address, result, result_size)) post(call, address, &mail);
}

/* Whether the short way will do: nothing in it can fail but the taking of a cell. */
static inline bool is_plain(const struct bough_call *call, struct bough_address address,
                            size_t size)
{
    if (call->owner == NULL || call->high) return false;

    const struct bough_loop *loop = call->owner->loop;
    return loop->asks_plainly && loop->calls.free != 0 &&
           bough_mail_is_plain(address, size);
}

/* The short way, but for the bytes; NULL: nothing was done, take the long one. All that
 * can be in the way of it is looked at before anything is done, so that nothing has to be
 * kept over a call. */
static inline __attribute__((always_inline)) struct bough_cell *
begin_plainly(struct bough_call *call, struct bough_address address, size_t size,
              void *result, size_t result_size)
{
    struct bough_cell *cell =
        is_plain(call, address, size) ? bough_cell_take(address.slot->loop, size) : NULL;

    if (cell == NULL) return NULL;

    struct bough_actor *owner = call->owner;
    struct bough_loop *loop = owner->loop;

    check(call);
    call->loop = loop;
    prepare(call, owner, result, result_size);
    enter(loop, call);
    arm(loop, call, loop->now_ms);
    *bough_cell_front(cell) = (struct bough_asker){ loop, call->index, call->generation };
    bough_mail_enter(address, cell);
    return cell;
}

/* Hot: a call with a deadline, its message, answer and done() are some 400 instructions,
 * few of them the deadline's; nothing is allocated, for the call brings its own links and
 * only an entry of a table is taken. */
void bough_call_start(struct bough_call *call, struct bough_address address,
                      const void *message, size_t size, void *result, size_t result_size)
{
    struct bough_cell *cell = begin_plainly(call, address, size, result, result_size);

    if (cell == NULL)
        start(call, address, message, size, result, result_size);
    else
        bough_cell_write(cell, message, size);
}

void *bough_call_begin(struct bough_call *call, struct bough_address address, size_t size,
                       void *result, size_t result_size)
{
    struct bough_cell *cell = begin_plainly(call, address, size, result, result_size);

    if (cell == NULL) return NULL;
    cell->size = (uint32_t)size;
    return cell->bytes;
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

    if (begin(call, address, NULL, 0)) post(call, address, &mail);
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
        make_ready(call, address, NULL, 0);
        end(call, block->status);
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

/* Answering: the other ways to do so are in answer.c. */

void bough_reply(struct bough_actor *actor, const void *reply, size_t size)
{
    struct bough_loop *loop = actor->loop;
    const struct bough_cell *cell = loop->message;

    bough_assert(loop->running == actor);
    bough_assert(cell != NULL);
    if (bough_cell_is_note(cell)) return;
    struct bough_asker *asker = bough_cell_front(cell);
    if (asker->loop == loop && loop->at_work) {
        asker->loop = NULL;
        answer_here(loop, asker, BOUGH_OK, reply, size);
        return;
    }
    bough_answer(asker, BOUGH_OK, reply, size);
    asker->loop = NULL;
}

/* Hot: a reply that is not copied is not waited for, either, where it was put together of
 * pieces that were stored just now (bough_copy_medium()). */
void *bough_reply_begin(struct bough_actor *actor, size_t size)
{
    struct bough_loop *loop = actor->loop;
    const struct bough_cell *cell = loop->message;

    bough_assert(loop->running == actor);
    bough_assert(cell != NULL);
    if (bough_cell_is_note(cell)) return NULL;
    struct bough_asker *asker = bough_cell_front(cell);
    if (asker->loop != loop || !loop->at_work) return NULL;
    struct bough_call *call =
        bough_ticket_find(&loop->calls, asker->index, asker->generation);
    if (call == NULL || call->result != NULL || size == 0 || bough_is_large(size))
        return NULL;
    struct bough_cell *answer = bough_cell_take(loop, size);
    if (answer == NULL) return NULL;

    asker->loop = NULL;
    leave(loop, call, asker->index);
    complete(loop, call);
    answer->size = (uint32_t)size;
    call->status = BOUGH_OK;
    call->answer = answer;
    call->reply = answer->bytes;
    call->reply_size = size;
    return answer->bytes;
}
