/* counter.c - an actor that keeps one running count: Message, Actor, Runner, Handle.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/counter.h>

/* Message: what a counter can be told. Values only, no pointers. */

struct message {
    enum { INCREMENT, DECREMENT, GET_COUNT, RESET } kind;
    int64_t amount;
};

struct reply {
    int64_t count;
};

static const struct bough_field amount[] = {
    bough_field(struct message, amount, "amount", BOUGH_INT64, .optional = true,
                .fallback = 1, .help = "how much; may be negative"),
};

static const struct bough_field reply[] = {
    bough_field(struct reply, count, "count", BOUGH_INT64,
                .help = "the count that the message leaves"),
};

static const struct bough_message_type messages[] = {
    [INCREMENT] = { "increment", amount, 1, "Adds to the count.", reply, 1,
                    sizeof(struct reply) },
    [DECREMENT] = { "decrement", amount, 1, "Subtracts from the count.", reply, 1,
                    sizeof(struct reply) },
    [GET_COUNT] = { "get_count", NULL, 0, "Tells the count.", reply, 1,
                    sizeof(struct reply) },
    [RESET] = { "reset", NULL, 0, "Goes back to the first count.", reply, 1,
                sizeof(struct reply) },
};

static const struct bough_field options[] = {
    bough_field(struct bough_counter_options, initial, "initial", BOUGH_INT64,
                .optional = true, .help = "the first count, and the one after a reset"),
};

/* Actor: what a counter knows and does. */

struct counter {
    int64_t initial;
    int64_t count;
};

static enum bough_status counter_init(struct bough_actor *actor, const void *data)
{
    struct counter *self = bough_state(actor);
    const struct bough_counter_options *given = data;

    self->initial = given->initial;
    self->count = given->initial;
    return BOUGH_OK;
}

/* Runner: the loop calls this once for each message, never twice at a time. */

static void counter_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct counter *self = bough_state(actor);
    const struct message *message = data;
    int64_t count = self->count;
    bool too_large = false;

    (void)size;
    switch (message->kind) {
    case INCREMENT:
        too_large = __builtin_add_overflow(count, message->amount, &count);
        break;
    case DECREMENT:
        too_large = __builtin_sub_overflow(count, message->amount, &count);
        break;
    case GET_COUNT: break;
    case RESET: count = self->initial; break;
    }
    /* Such a counter is broken: fail, and let the supervisor decide. */
    if (too_large) {
        bough_fail(actor, BOUGH_ERANGE, "count overflows");
        return;
    }
    self->count = count;
    bough_reply(actor, &(struct reply){ .count = count }, sizeof(struct reply));
}

const struct bough_actor_type bough_counter_type = {
    .name = "counter",
    .help = "Keeps one running count.",
    .state_size = sizeof(struct counter),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct bough_counter_options),
    .options = options,
    .option_count = bough_count_of(options),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = counter_init,
    .run = counter_run,
};

/* Handle: the only code that makes a message, so no malformed one exists. */

static void ask_counter(struct bough_counter counter, struct message message,
                        struct bough_counter_ask *ask)
{
    bough_call_start(&ask->call, counter.address, &message, sizeof(message), &ask->count,
                     sizeof(ask->count));
}

enum bough_status bough_counter_spawn(struct bough_loop *loop,
                                      const struct bough_counter_options *given,
                                      struct bough_watch *watch,
                                      struct bough_counter *counter)
{
    return bough_spawn(loop, &bough_counter_type, given, watch, &counter->address, NULL);
}

void bough_counter_increment(struct bough_counter counter, int64_t by,
                             struct bough_counter_ask *ask)
{
    ask_counter(counter, (struct message){ .kind = INCREMENT, .amount = by }, ask);
}

void bough_counter_decrement(struct bough_counter counter, int64_t by,
                             struct bough_counter_ask *ask)
{
    ask_counter(counter, (struct message){ .kind = DECREMENT, .amount = by }, ask);
}

void bough_counter_get_count(struct bough_counter counter, struct bough_counter_ask *ask)
{
    ask_counter(counter, (struct message){ .kind = GET_COUNT }, ask);
}

void bough_counter_reset(struct bough_counter counter, struct bough_counter_ask *ask)
{
    ask_counter(counter, (struct message){ .kind = RESET }, ask);
}
