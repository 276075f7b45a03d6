/* grow.c - what a message costs among ever more actors: one to each in turn.
 *
 * The round visits the actors in the order of their start, as a tree's do, and then in no
 * order: the second one finds each actor's slot, state and mailbox in memory and not in a
 * cache, for nothing foretells it. That is what the machine takes for an actor that was
 * not used of late; how much more than that is ours is to be seen against the limit's.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <bough/tools/bench/bench.h>

/* Counter of rounds: adds one, and ends when told to. */

struct visitor {
    struct bough_address address;
};

struct visitor_message {
    enum { VISIT, LEAVE } kind;
    uint64_t amount;
};

static const struct bough_message_type visitor_messages[] = {
    [VISIT] = { .name = "visit" },
    [LEAVE] = { .name = "leave" },
};

/* 32 bytes, as those of spawn. */
struct visitor_state {
    uint64_t visits, numbers[3];
};

static void visitor_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct visitor_state *self = bough_state(actor);
    const struct visitor_message *message = data;

    (void)size;
    switch (message->kind) {
    case VISIT: self->visits += message->amount; break;
    case LEAVE: bough_exit(actor, BOUGH_EXIT_NORMAL); break;
    }
}

static const struct bough_actor_type visitor_type = {
    .name = "visitor",
    .state_size = sizeof(struct visitor_state),
    .message_size = sizeof(struct visitor_message),
    .messages = visitor_messages,
    .message_count = bough_count_of(visitor_messages),
    .run = visitor_run,
};

static void visitor_visit(struct visitor visitor, uint64_t amount)
{
    const struct visitor_message message = { .kind = VISIT, .amount = amount };

    bench_need(bough_send(visitor.address, &message, sizeof(message)), "a visit");
}

/* Guide: sends a message to the next few of all, tells itself to go on, and ends when so
 * many have been sent. The few are run before it is: a mailbox is never long. */

enum { AT_ONCE = 64 };

struct guide_options {
    const struct visitor *visitors;
    uint64_t count, messages;
};

struct guide_message {
    enum { GO_ON } kind;
};

static const struct bough_message_type guide_messages[] = {
    [GO_ON] = { .name = "go_on" },
};

struct guide_state {
    struct guide_options options;
    uint64_t next, sent;
};

static enum bough_status guide_init(struct bough_actor *actor, const void *data)
{
    struct guide_state *self = bough_state(actor);

    self->options = *(const struct guide_options *)data;
    return BOUGH_OK;
}

static void guide_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct guide_state *self = bough_state(actor);

    for (int i = 0; i < AT_ONCE && self->sent < self->options.messages; i++) {
        visitor_visit(self->options.visitors[self->next], 1);
        self->sent++;
        if (++self->next == self->options.count) self->next = 0;
    }
    if (self->sent < self->options.messages) {
        bench_need(bough_send(bough_self(actor), message, size), "go on");
    } else {
        bough_exit(actor, BOUGH_EXIT_NORMAL);
    }
}

static const struct bough_actor_type guide_type = {
    .name = "guide",
    .state_size = sizeof(struct guide_state),
    .options_size = sizeof(struct guide_options),
    .message_size = sizeof(struct guide_message),
    .messages = guide_messages,
    .message_count = bough_count_of(guide_messages),
    .init = guide_init,
    .run = guide_run,
};

/* The time in which `messages` go to `count` actors, once each has had one. */

/* xorshift64: the same order each time. */
static uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % limit;
}

static void shuffle(struct visitor *visitors, uint64_t count)
{
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

    for (uint64_t i = count; i > 1; i--) {
        const uint64_t other = random_below(&seed, i);
        const struct visitor swapped = visitors[other];

        visitors[other] = visitors[i - 1];
        visitors[i - 1] = swapped;
    }
}

static void guide(struct bench_world *world, const struct guide_options *options)
{
    const struct guide_message message = { .kind = GO_ON };
    struct bough_address address;

    bench_need(
        bough_spawn(world->loop, &guide_type, options, &world->watch, &address, NULL),
        "the guide");
    bench_need(bough_send(address, &message, sizeof(message)), "the first");
    bench_world_run(world);
}

static uint64_t visit(uint64_t count, uint64_t messages, bool in_order)
{
    struct bench_world world;
    struct visitor *visitors = calloc(count, sizeof(*visitors));
    struct guide_options options = { visitors, count, count };

    if (visitors == NULL) bench_die("visitors", "no memory");
    bench_world_open(&world);
    for (uint64_t i = 0; i < count; i++) {
        bench_need(bough_spawn(world.loop, &visitor_type, NULL, NULL,
                               &visitors[i].address, NULL),
                   "a visitor");
    }
    if (!in_order) shuffle(visitors, count);
    guide(&world, &options);
    options.messages = messages;
    guide(&world, &options);
    bench_world_close(&world);
    free(visitors);
    return world.ended_ns - world.started_ns;
}

static void report(const char *order, uint64_t count, uint64_t n, bool in_order)
{
    char variant[48];

    snprintf(variant, sizeof(variant), "%s-%" PRIu64, order, count);
    bench_print(&(struct bench_result){
        .bench = "grow", .variant = variant, .n = n, .ns = visit(count, n, in_order) });
}

void bench_grow(uint64_t n)
{
    for (uint64_t count = 1000; count <= 1000000 && count <= n; count *= 10)
        report("same", count, n, true);
    for (uint64_t count = 1000; count <= 1000000 && count <= n; count *= 10)
        report("shuffled", count, n, false);
}
