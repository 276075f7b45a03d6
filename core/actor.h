/* actor.h - what a type of actor is, and what an actor may do.
 *
 * A type is a static const table of functions and sizes. An actor is a state (owned and
 * zeroed by the core), a mailbox, and a runner that does one thing at a time, to
 * completion. It lives on one loop. Everything in this header that takes a `struct
 * bough_actor *` is for that actor's own callbacks, on its loop's thread.
 *
 * A life: init -> (starting) -> ready -> messages -> (stopping) -> finish. Sources of
 * events besides the mailbox (timers, fds, calls, watches) belong to the actor; they are
 * cancelled before finish() runs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_ACTOR_H
#define BOUGH_CORE_ACTOR_H

#include <string.h>

#include <bough/core/address.h>
#include <bough/core/call.h>
#include <bough/core/exit_reason.h>
#include <bough/core/field.h>
#include <bough/core/log.h>
#include <bough/core/self.h>
#include <bough/core/watch.h>

struct bough_batch;
struct bough_loop;
struct bough_runtime;

/* One kind of message of a type. Every message struct begins with its kind, an enum (or
 * uint32_t), which is the index into this table. */
struct bough_message_type {
    const char *name; /* snake_case */
    const struct bough_field *fields;
    size_t field_count;
    const char *help; /* one sentence */
    const struct bough_field *reply;
    size_t reply_count;
    size_t reply_size; /* bytes of the reply's fixed part; 0: no reply but the answer
                          itself */
};

struct bough_actor_type {
    const char *name;
    const char *help;    /* one sentence */
    size_t state_size;   /* bytes */
    size_t message_size; /* bytes of a message's fixed part */
    size_t options_size; /* bytes; 0: none */
    const struct bough_field *options;
    size_t option_count;
    const struct bough_message_type *messages;
    size_t message_count;

    /* Makes the state from the options, which live as long as the place. BOUGH_OK: ready,
     * or starting when it called bough_starting(). BOUGH_IGNORE: none wanted now. Another
     * status: it could not start, and bough_fail() may have said why; finish() is then
     * not called, so init releases what it took. */
    enum bough_status (*init)(struct bough_actor *actor, const void *options);
    /* One message, which is there until this returns, to be read: in a process of its own
     * it is run where it came in, in memory that cannot be written. Before it returns:
     * bough_reply(), bough_refuse() or bough_later(), if it is a call; else the asker is
     * told BOUGH_ENOREPLY. */
    void (*run)(struct bough_actor *actor, const void *message, size_t size);
    /* As many messages as there are, in place of run(): for who does them cheaper
     * together than one by one. Takes at least one, or pauses, or ends. For example one
     * write for all the lines that wait:
     *
     *     static void journal_run_batch(struct bough_actor *actor,
     *                                   struct bough_batch *batch)
     *     {
     *         const struct line *line;
     *         size_t size;
     *
     *         while ((line = bough_batch_next(batch, &size)) != NULL)
     *             journal_append(actor, line);
     *         journal_write(actor);
     *     }
     */
    void (*run_batch)(struct bough_actor *actor, struct bough_batch *batch);
    /* Asked to end in order: end with bough_exit(actor, BOUGH_EXIT_SHUTDOWN), now or
     * later; messages are run meanwhile. NULL: it ends at once. May come while starting.
     */
    void (*stop)(struct bough_actor *actor);
    /* Releases what init and run took; the last thing that a life does. May be NULL. */
    void (*finish)(struct bough_actor *actor);

    /* Its run_batch() may hold messages (elsewhere.h). */
    bool holds;
    /* Somebody watches this life from now on: for one that stands for another, of whose
     * ends it is to tell by bough_next_life(). May be NULL. */
    void (*watched)(struct bough_actor *actor);

    /* Why no actor of this type is to live in a process of its own; NULL: it may. Below a
     * supervisor whose children live in one, it is where the supervisor is. */
    const char *no_process;

    /* Whether options that their table allows go together: for who reads a config; init
     * has to look for itself. Errors: `error` has a sentence and, in its `pointer`, which
     * option it is about, as in "/ready/tcp". NULL: there is nothing more to look at. */
    enum bough_status (*check_options)(const void *options, struct bough_error *error);

    /* Whether an actor with these options, which are right, could start on this machine:
     * whether what they name is there. For who checks a config. NULL: always. */
    enum bough_status (*check_here)(const void *options, struct bough_error *error);

    /* How options are copied and freed when the field table cannot say it. NULL: by
     * table. */
    void *(*copy_options)(const void *options);
    void (*free_options)(void *options);
};

/* The row that describes a message of that type; NULL: it is none of its messages, or the
 * type has no table of them. What the message's fields are is not looked at:
 * bough_block_valid(). */
BOUGH_PUBLIC const struct bough_message_type *
bough_message_row(const struct bough_actor_type *type, const void *message, size_t size);

/* Its loop, its runtime. Its state and itself: self.h. */
BOUGH_PUBLIC struct bough_loop *bough_actor_loop(struct bough_actor *actor);
BOUGH_PUBLIC struct bough_runtime *bough_actor_runtime(struct bough_actor *actor);

/* Its path, "" when it has no name. Valid as long as the place. */
BOUGH_PUBLIC const char *bough_actor_path(struct bough_actor *actor);

/* The state of an actor of that type, while it runs messages, when the code that asks
 * runs on its loop; else NULL. For the handle of its own type, to look ahead in: it may
 * ask the processor for the memory that a message is about before the message is sent. To
 * be read only, and not kept. Thread: any. */
BOUGH_PUBLIC const void *bough_near_state(struct bough_address address,
                                          const struct bough_actor_type *type);

/* The loop's time, monotonic, in milliseconds. Stands still while a callback runs. */
BOUGH_PUBLIC int64_t bough_now_ms(struct bough_actor *actor);

/* Messages that wait for it now. */
BOUGH_PUBLIC size_t bough_mailbox_length(struct bough_actor *actor);

/* Takes no messages until bough_resume(), in order to do one long thing at a time: they
 * wait in the mailbox. Stops, timers, sources, answers and watches go on. */
BOUGH_PUBLIC void bough_pause(struct bough_actor *actor);
BOUGH_PUBLIC void bough_resume(struct bough_actor *actor);

/* Whether it waits for room at a receiver that says BOUGH_WAIT (place.h), after what it
 * has sent: it is then given no message until there is. Who sends much in one callback
 * asks in between, and returns; what it sends all the same may be refused:
 *
 *     while (self->next < self->count && !bough_is_held_up(actor)) {
 *         if (send_row(self->sink, self->next) == BOUGH_OK) self->next++;
 *     }
 *     if (self->next < self->count) tell_self_to_go_on(actor);
 */
BOUGH_PUBLIC bool bough_is_held_up(struct bough_actor *actor);

/* In init: not ready yet. Later: ready. */
BOUGH_PUBLIC void bough_starting(struct bough_actor *actor);
BOUGH_PUBLIC void bough_ready(struct bough_actor *actor);

/* Ends this life with an error, after the callback that calls it has returned. In init:
 * says why it could not start. The first reason stands. The text is a format. */
BOUGH_PUBLIC void bough_fail(struct bough_actor *actor, enum bough_status status,
                             const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends this life with another reason, BOUGH_EXIT_NORMAL or BOUGH_EXIT_SHUTDOWN mostly,
 * after the callback has returned. The first reason stands. */
BOUGH_PUBLIC void bough_exit(struct bough_actor *actor, enum bough_exit_kind kind);
BOUGH_PUBLIC void bough_exit_because(struct bough_actor *actor,
                                     const struct bough_exit_reason *reason);

/* Answering; in run() only. A reply to what was sent and not asked is dropped. */

/* Answers with a flat block, which is copied. */
BOUGH_PUBLIC void bough_reply(struct bough_actor *actor, const void *reply, size_t size);

/* The same for a reply that is put together where it will lie, as bough_call_begin() does
 * for a question: returns room for `size` bytes, aligned to 16, all of which are written
 * before this thread calls anything else of Bough. NULL when there is none, for who asks
 * from another loop or gave room for a result for example: nothing was done, and the
 * reply takes bough_reply(). */
BOUGH_PUBLIC void *bough_reply_begin(struct bough_actor *actor, size_t size);

/* Answers with what the block holds, or with what went wrong in making it; finishes it.
 */
BOUGH_PUBLIC void bough_reply_block(struct bough_actor *actor, struct bough_block *block);

/* Answers with a status other than BOUGH_OK, and a sentence. */
BOUGH_PUBLIC void bough_refuse(struct bough_actor *actor, enum bough_status status,
                               const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers later: the question, to be given to one of the functions below, once. It
 * belongs to the actor; one that is open when the life ends is answered `crashed` or
 * `gone`. NULL when the message was sent and not asked: those functions accept NULL. */
struct bough_question;
BOUGH_PUBLIC BOUGH_CHECKED struct bough_question *bough_later(struct bough_actor *actor);
BOUGH_PUBLIC void bough_question_reply(struct bough_question *question, const void *reply,
                                       size_t size);
BOUGH_PUBLIC void bough_question_reply_block(struct bough_question *question,
                                             struct bough_block *block);
BOUGH_PUBLIC void bough_question_refuse(struct bough_question *question,
                                        enum bough_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands the message that is being run on to another actor, which then answers in place of
 * this one; its priority stays. Errors, and it is still this actor's to answer: those of
 * bough_send(). */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status bough_forward(struct bough_actor *actor,
                                                           struct bough_address address);

/* The same with another message in place of it: `message` (a flat block) is copied. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_forward_as(struct bough_actor *actor, struct bough_address address,
                 const void *message, size_t size);

/* Whether the message being run is a question. */
BOUGH_PUBLIC bool bough_is_asked(struct bough_actor *actor);

/* In run_batch() only: ends the message before, as the return of run() does, and takes
 * the next one; that is now the one which bough_reply(), bough_refuse(), bough_later()
 * and bough_forward() mean. NULL: the turn is over, for now or because the life ends;
 * what was not taken stays in the mailbox. The bytes are valid until the next call. */
BOUGH_PUBLIC const void *bough_batch_next(struct bough_batch *batch, size_t *size);

/* Sending */

/* private: bough_send() of any message, and of one of at most BOUGH_WORDS_MAX bytes that
 * lies in two words, the rest of them 0. */
enum { BOUGH_WORDS_MAX = 2 * sizeof(uint64_t) };
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_bytes(struct bough_address address, const void *message, size_t size);
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_words(struct bough_address address, uint64_t first, uint64_t second,
                 size_t size);

/* Tells: the message (a flat block) is copied. Errors, nothing was sent: BOUGH_EFULL,
 * BOUGH_EGONE, BOUGH_ENOMEM. Thread: any; that the actor of another loop is gone may be
 * known only there: the message is then a dead letter.
 *
 * Most messages are small structs that were filled in just now: these go in registers and
 * are never laid down on the way. */
static inline BOUGH_CHECKED enum bough_status bough_send(struct bough_address address,
                                                         const void *message, size_t size)
{
    uint64_t words[2] = { 0 };

    if (!__builtin_constant_p(size) || size > BOUGH_WORDS_MAX)
        return bough_send_bytes(address, message, size);
    memcpy(words, message, size);
    return bough_send_words(address, words[0], words[1], size);
}

/* The same with high priority: it is run before all messages that wait and are not high,
 * and after those that are. What is being run goes on. A call says so by its `high`. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_high(struct bough_address address, const void *message, size_t size);

/* The same two with a block being made; they finish the block. One that is large and on
 * the heap is not copied (buffer.h); likewise in bough_reply_block() and
 * bough_call_block(). */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_block(struct bough_address address, struct bough_block *block);
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_block_high(struct bough_address address, struct bough_block *block);

/* Ends, from outside; never at once, the watch tells when it is over. Stale addresses are
 * fine. Thread: any. */

/* Asks a life to end in order: its stop(). */
BOUGH_PUBLIC void bough_stop(struct bough_address address);

/* Ends a life without asking: finish() still runs. `reason` says as what. */
BOUGH_PUBLIC void bough_end(struct bough_address address,
                            const struct bough_exit_reason *reason);

/* bough_end() with BOUGH_EXIT_KILLED. */
BOUGH_PUBLIC void bough_kill(struct bough_address address);

/* Spawning an actor without a name or a supervisor. What it needs is released when it
 * ends. `options` is copied, NULL for fallbacks. `watch` may be NULL; else the caller
 * keeps it until exited() has run. `address` names the life; may be NULL. Thread: the
 * loop's. Errors: BOUGH_ENOMEM, or what init returned, with `failure` (may be NULL)
 * saying why; the watch is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_spawn(struct bough_loop *loop, const struct bough_actor_type *type,
            const void *options, struct bough_watch *watch, struct bough_address *address,
            struct bough_exit_reason *failure);

#endif
