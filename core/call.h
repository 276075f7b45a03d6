/* call.h - a question in flight.
 *
 * Embedded by the asker, answered exactly once through `done`: with the reply, a refusal,
 * a timeout, or the news that its actor is full, gone or crashed. `done` never runs from
 * inside the function that asked. Only an id travels, so the asker may be gone when the
 * answer comes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_CALL_H
#define BOUGH_CORE_CALL_H

#include <bough/core/address.h>
#include <bough/core/status.h>
#include <bough/core/task.h>

struct bough_call {
    /* Every outcome, once. After it returns, the call may be started again or freed. */
    void (*done)(struct bough_call *call, enum bough_status status);
    /* Who asks. The call is cancelled, without done(), when that actor ends; done() runs
     * as if in its run(). NULL: nobody; the memory then lives until done() or a cancel.
     */
    struct bough_actor *owner;
    /* Where done() runs when nobody owns the call, a loop of the thread that asks. NULL:
     * on the receiver's loop, or, when that is another thread's, on the one whose
     * callback is running, or on the first that this thread runs. */
    struct bough_loop *loop;
    int64_t timeout_ms; /* 0: for ever */
    bool high;          /* goes before what waits with normal priority */

    /* The answer, valid during done() only. With BOUGH_OK the reply; with any other
     * status `reply` is a NUL-terminated sentence when reply_size is not 0. */
    const void *reply;
    size_t reply_size;

    /* private */
    struct bough_task task;
    struct bough_timeout timeout;
    struct bough_owned owned;
    struct bough_cell *answer;
    void *result;
    size_t result_size;
    uint32_t index, generation; /* the id that travels; 0: not in flight */
    enum bough_status status;
    struct bough_address asked; /* of one that is measured (latency.h), and since when */
    int64_t asked_ns;
};

/* Asks. `message` (a flat block, see field.h) is copied. When `result` is not NULL, a
 * reply of exactly `result_size` bytes is copied there before done(BOUGH_OK); a reply of
 * another size is done(BOUGH_EINVALID). `call` is kept by the caller until done() has run
 * or bough_call_cancel() has returned. Thread: the loop's on which done() runs. Errors:
 * all come to done(); BOUGH_ENOMEM also when the work was done and there was no memory
 * for the answer. */
BOUGH_PUBLIC void bough_call_start(struct bough_call *call, struct bough_address address,
                                   const void *message, size_t size, void *result,
                                   size_t result_size);

/* As bough_call_start(), for a message that is put together where it will lie: returns
 * room for `size` bytes, aligned to 16, all of which are written before this thread calls
 * anything else of Bough. NULL when there is none, to another loop or a full mailbox for
 * example: nothing was done, and the message takes bough_call_start(). */
BOUGH_PUBLIC void *bough_call_begin(struct bough_call *call, struct bough_address address,
                                    size_t size, void *result, size_t result_size);

/* As bough_call_start() with a block being made: takes what the block holds, reports what
 * went wrong in making it to done(), and finishes the block. */
struct bough_block;
BOUGH_PUBLIC void bough_call_block(struct bough_call *call, struct bough_address address,
                                   struct bough_block *block);

/* Takes a question back: done() does not run after this. Fine on a call that is answered
 * or was never started (zeroed). The receiver may still run the message. */
BOUGH_PUBLIC void bough_call_cancel(struct bough_call *call);

/* In done(): the sentence of a refusal or failure; that of the status when there is none.
 */
BOUGH_PUBLIC const char *bough_call_text(const struct bough_call *call,
                                         enum bough_status status);

#endif
