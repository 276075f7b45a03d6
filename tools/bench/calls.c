/* calls.c - request and kv: what a question and its answer cost, a deadline on each.
 *
 * A client asks, and asks again when it is answered; a counter and a kv answer. Every
 * outcome but BOUGH_OK ends the run.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <bough/actors/counter.h>
#include <bough/actors/kv.h>
#include <bough/tools/bench/bench.h>

enum { DEADLINE_MS = 5000, KEYS = 100000, KEY_SIZE = 16 };

/* The client: an actor for its calls to belong to. It is told once, to begin. */

struct client_message {
    enum { BEGIN } kind;
};

static const struct bough_message_type client_messages[] = {
    [BEGIN] = { .name = "begin" },
};

static void client_begin(struct bench_world *world, const struct bough_actor_type *type,
                         const void *options)
{
    const struct client_message message = { .kind = BEGIN };
    struct bough_address client;

    bench_need(bough_spawn(world->loop, type, options, &world->watch, &client, NULL),
               "the client");
    bench_need(bough_send(client, &message, sizeof(message)), "begin");
    bench_world_run(world);
}

/* True: ask once more. Else the client ends, in order when that was the last answer. */
static bool answered(struct bough_actor *client, enum bough_status status, uint64_t *left)
{
    if (status != BOUGH_OK) {
        bough_fail(client, status, "%s", bough_status_text(status));
        return false;
    }
    if (--*left == 0) bough_exit(client, BOUGH_EXIT_NORMAL);
    return *left > 0;
}

/* Request */

struct request_options {
    struct bough_counter counter;
    uint64_t n;
};

struct request_client {
    struct bough_counter counter;
    uint64_t left;
    struct bough_counter_ask ask;
};

static void counted(struct bough_call *call, enum bough_status status)
{
    struct bough_counter_ask *ask = bough_container(call, struct bough_counter_ask, call);
    struct request_client *self = bough_container(ask, struct request_client, ask);

    if (answered(call->owner, status, &self->left)) {
        bough_counter_increment(self->counter, 1, ask);
    }
}

static enum bough_status request_init(struct bough_actor *actor, const void *data)
{
    struct request_client *self = bough_state(actor);
    const struct request_options *options = data;

    self->counter = options->counter;
    self->left = options->n;
    self->ask.call.done = counted;
    self->ask.call.owner = actor;
    self->ask.call.timeout_ms = DEADLINE_MS;
    return BOUGH_OK;
}

static void request_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct request_client *self = bough_state(actor);

    (void)message;
    (void)size;
    bough_counter_increment(self->counter, 1, &self->ask);
}

static const struct bough_actor_type request_type = {
    .name = "request",
    .state_size = sizeof(struct request_client),
    .options_size = sizeof(struct request_options),
    .message_size = sizeof(struct client_message),
    .messages = client_messages,
    .message_count = bough_count_of(client_messages),
    .init = request_init,
    .run = request_run,
};

void bench_request(uint64_t n)
{
    struct bench_world world;
    struct request_options options = { .n = n };

    bench_world_open(&world);
    bench_need(bough_counter_spawn(world.loop, NULL, NULL, &options.counter),
               "a counter");
    client_begin(&world, &request_type, &options);
    bench_world_close(&world);
    bench_print(&(struct bench_result){ .bench = "request",
                                        .variant = "same",
                                        .n = n,
                                        .ns = world.ended_ns - world.started_ns });
}

/* Key and value: every key is set once, then keys are visited at random and set and got
 * in turn. */

static char keys[KEYS][KEY_SIZE];

static void make_keys(void)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char text[KEY_SIZE + 1];

        snprintf(text, sizeof(text), "key:%012u", i);
        memcpy(keys[i], text, KEY_SIZE);
    }
}

struct kv_options {
    struct bough_kv kv;
    uint64_t n;
    bool fill; /* set each key once, in order */
};

struct kv_client {
    struct kv_options options;
    uint64_t left;
    uint32_t seed;
    struct bough_kv_set_ask set;
    struct bough_kv_get_ask get;
};

/* The workload of every peer: the order of this generator. */
static struct bough_kv_bytes next_key(struct kv_client *self)
{
    uint32_t index = (uint32_t)(self->left % KEYS);

    if (!self->options.fill) {
        self->seed = self->seed * 1664525u + 1013904223u;
        index = (self->seed >> 8) % KEYS;
    }
    return (struct bough_kv_bytes){ keys[index], KEY_SIZE };
}

static void ask_kv(struct kv_client *self)
{
    const struct bough_kv_bytes key = next_key(self);

    if (self->options.fill || self->left % 2 == 1) {
        bough_kv_set(self->options.kv, key, key, 0, &self->set);
    } else {
        bough_kv_get(self->options.kv, key, &self->get);
    }
}

static void was_set(struct bough_call *call, enum bough_status status)
{
    struct kv_client *self = bough_container(call, struct kv_client, set.call);

    if (answered(call->owner, status, &self->left)) ask_kv(self);
}

static void was_got(struct bough_call *call, enum bough_status status)
{
    struct kv_client *self = bough_container(call, struct kv_client, get.call);

    if (answered(call->owner, status, &self->left)) ask_kv(self);
}

static enum bough_status kv_client_init(struct bough_actor *actor, const void *data)
{
    struct kv_client *self = bough_state(actor);

    self->options = *(const struct kv_options *)data;
    self->left = self->options.n;
    self->seed = 1;
    self->set.call.done = was_set;
    self->get.call.done = was_got;
    self->set.call.owner = self->get.call.owner = actor;
    self->set.call.timeout_ms = self->get.call.timeout_ms = DEADLINE_MS;
    return BOUGH_OK;
}

static void kv_client_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)message;
    (void)size;
    ask_kv(bough_state(actor));
}

static const struct bough_actor_type kv_client_type = {
    .name = "kv_client",
    .state_size = sizeof(struct kv_client),
    .options_size = sizeof(struct kv_options),
    .message_size = sizeof(struct client_message),
    .messages = client_messages,
    .message_count = bough_count_of(client_messages),
    .init = kv_client_init,
    .run = kv_client_run,
};

void bench_kv(uint64_t n)
{
    struct bench_world world;
    struct kv_options options = { .n = KEYS, .fill = true };

    make_keys();
    bench_world_open(&world);
    bench_need(bough_kv_spawn(world.loop, NULL, NULL, &options.kv, NULL), "a kv");
    client_begin(&world, &kv_client_type, &options);
    options.n = n;
    options.fill = false;
    client_begin(&world, &kv_client_type, &options);
    bench_world_close(&world);
    bench_print(&(struct bench_result){ .bench = "kv",
                                        .variant = "same",
                                        .n = n,
                                        .ns = world.ended_ns - world.started_ns });
}
